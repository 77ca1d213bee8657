//! Small journeys, and what is made of them.

mod keys;
mod messages;
mod support;

use expect_test::{Expect, expect};
use flowglass_model::{JourneyState, NodeId, Role, SpanFacts, SpanId, SpanKind};
use messages::{async_by_parent, batch, redelivered};
use proptest::prelude::*;
use support::{Case, S, event};

#[track_caller]
fn check(case: &Case, expected: Expect) {
    expected.assert_eq(&case.text());
}

fn sync_ok() -> Case {
    Case::new([
        S::server(1, 1, "shop-exp-api", "POST /orders", (0, 100)).http(201).key("orderId", "o-1"),
        S::client(1, 2, "shop-exp-api", "POST", (10, 60)).below(1),
        S::server(1, 3, "order-prc-api", "POST /orders", (15, 55))
            .below(2)
            .key("orderId", "o-1")
            .key("customerId", "c-1"),
        S::new(
            1,
            4,
            SpanKind::Client,
            Role::Access { backend: NodeId::backend("postgresql", "db", Some("orders"), Some("test")) },
            "order-prc-api",
            "INSERT orders",
            (20, 40),
        )
        .below(3),
        // In parallel with the insert and done before it: nobody waited for it.
        S::internal(1, 5, "order-prc-api", "price", (20, 30)).below(3),
        // Goes on after the answer.
        S::internal(1, 6, "shop-exp-api", "flush", (90, 140)).below(1),
    ])
}

#[test]
fn synchronous_success() {
    check(
        &sync_ok(),
        expect![[r#"
        Ok: shop-exp-api POST /orders, answered in 100 ms, settled after 140 ms
          1 server shop-exp-api POST /orders 0+100
            2 client shop-exp-api POST 10+50
              3 server order-prc-api POST /orders 15+40
                4 client order-prc-api INSERT orders 20+20
                5 internal order-prc-api price 20+10
            6 internal shop-exp-api flush 90+50
        path: 1 50, 2 10, 3 20, 4 20
    "#]],
    );
    let summary = sync_ok().build().summary;
    let names: Vec<&str> = summary.participants.iter().map(|p| p.as_str()).collect();
    assert_eq!(names, ["backend:postgresql/db/orders@test", "service:order-prc-api@test", "service:shop-exp-api@test"]);
    assert_eq!(summary.keys, [("customerId".into(), "c-1".into()), ("orderId".into(), "o-1".into())]);
}

fn sync_failed() -> Case {
    Case::new([
        S::server(1, 1, "shop-exp-api", "POST /orders", (0, 100)).http(502).error("502", ""),
        S::client(1, 2, "shop-exp-api", "POST", (10, 90)).below(1).http(500).error("500", ""),
        // Its clock is three seconds ahead.
        S::server(1, 3, "order-prc-api", "POST /orders", (3015, 3085)).below(2).http(500).error("500", ""),
        S::client(1, 4, "order-prc-api", "POST", (3020, 3060)).below(3).http(500).error("500", ""),
        S::server(1, 5, "payments-sys-api", "POST /charge", (25, 55))
            .below(4)
            .http(500)
            .error("AcquirerError", "acquirer connect timeout"),
        // An error of the framework that follows from the answer, and ends later.
        S::internal(1, 6, "order-prc-api", "POST /orders http send", (3070, 3071)).below(3).error("", ""),
        // An earlier error that was coped with.
        S::server(1, 7, "price-sys-api", "GET /price", (18, 19)).below(8).http(503).error("503", ""),
        S::client(1, 8, "order-prc-api", "GET", (3016, 3019)).below(9).http(503).error("503", ""),
        S::client(1, 9, "order-prc-api", "cached GET", (3016, 3019)).below(3),
    ])
}

#[test]
fn synchronous_failure_is_followed_down_to_its_start() {
    check(
        &sync_failed(),
        expect![[r#"
        Failed: shop-exp-api POST /orders, answered in 100 ms, settled after 3085 ms, errors 8
          1 server shop-exp-api POST /orders 0+100 ERROR [502]
            2 client shop-exp-api POST 10+80 ERROR [500]
              3 server order-prc-api POST /orders 3015+70 ERROR [500]
                9 client order-prc-api cached GET 3016+3
                  8 client order-prc-api GET 3016+3 ERROR [503]
                    7 server price-sys-api GET /price 18+1 ERROR [503]
                4 client order-prc-api POST 3020+40 ERROR [500]
                  5 server payments-sys-api POST /charge 25+30 ERROR [500]
                6 internal order-prc-api POST /orders http send 3070+1 ERROR
        path: 1 20, 2 10, 7 1, 5 30, 3 26, 8 2, 9 0, 4 10, 6 1
        failure of payments-sys-api: payments-sys-api POST /charge returned 500: AcquirerError: acquirer connect timeout
        chain: 5 -> 4 -> 3 -> 2 -> 1
    "#]],
    );
}

#[test]
fn a_call_that_gave_up_names_whom_it_called() {
    let case = Case::new([
        S::server(1, 1, "payments-sys-api", "POST /charge", (0, 290)).http(500).error("500", ""),
        S::client(1, 2, "payments-sys-api", "POST", (10, 274))
            .below(1)
            .peer("acquirer.example")
            .error("ConnectTimeout", "acquirer.example:443"),
    ]);
    check(
        &case,
        expect![[r#"
        Failed: payments-sys-api POST /charge, answered in 290 ms, settled after 290 ms, errors 2
          1 server payments-sys-api POST /charge 0+290 ERROR [500]
            2 client payments-sys-api POST 10+264 ERROR [timeout]
        path: 1 26, 2 264
        failure of payments-sys-api: payments-sys-api calling acquirer.example (POST) timed out after 264 ms: ConnectTimeout: acquirer.example:443; POST /charge returned 500
        chain: 2 -> 1
    "#]],
    );
    // No word about it: the callee took longer than the caller waited.
    let silent = Case::new([
        S::server(1, 1, "order-prc-api", "GET /stock", (0, 1010)).http(504).error("504", ""),
        S::client(1, 2, "order-prc-api", "GET", (5, 1005)).below(1).error("", ""),
        S::server(1, 3, "inventory-sys-api", "GET /stock", (6, 1800)).below(2).http(200),
    ]);
    check(
        &silent,
        expect![[r#"
            Failed: order-prc-api GET /stock, answered in 1010 ms, settled after 1800 ms, errors 2
              1 server order-prc-api GET /stock 0+1010 ERROR [504]
                2 client order-prc-api GET 5+1000 ERROR [timeout]
                  3 server inventory-sys-api GET /stock 6+1794
            path: 1 10, 2 1, 3 999
            failure of order-prc-api: order-prc-api calling inventory-sys-api (GET) timed out after 1.0 s; GET /stock returned 504
            chain: 2 -> 1
        "#]],
    );
}

#[test]
fn an_error_without_words_says_so() {
    check(
        &Case::new([S::server(1, 1, "order-prc-api", "POST /orders", (0, 5)).error("", "")]),
        expect![[r#"
        Failed: order-prc-api POST /orders, answered in 5 ms, settled after 5 ms, errors 1
          1 server order-prc-api POST /orders 0+5 ERROR
        path: 1 5
        failure of order-prc-api: order-prc-api POST /orders ended in error (no description sent)
        chain: 1
    "#]],
    );
    // What was refused before it is evidence.
    let refused = Case::new([
        S::server(1, 1, "order-prc-api", "POST /orders", (0, 50)).http(500).error("500", ""),
        S::client(1, 2, "order-prc-api", "GET /contacts", (5, 20))
            .below(1)
            .peer("crm-sys-api")
            .http(401)
            .error("401", ""),
    ]);
    assert_eq!(
        refused.build().failure.unwrap().cause,
        "order-prc-api POST /orders returned 500 after GET /contacts got 401 from crm-sys-api"
    );
}

#[test]
fn a_4xx_answer_alone_is_ok() {
    let case = Case::new([
        S::server(1, 1, "shop-exp-api", "GET /orders/{id}", (0, 40)).http(404),
        S::client(1, 2, "shop-exp-api", "GET", (5, 35)).below(1).http(404).error("404", ""),
        S::server(1, 3, "order-prc-api", "GET /orders/{id}", (10, 30)).below(2).http(404),
    ]);
    check(
        &case,
        expect![[r#"
        Ok: shop-exp-api GET /orders/{id}, answered in 40 ms, settled after 40 ms, errors 1
          1 server shop-exp-api GET /orders/{id} 0+40 [404]
            2 client shop-exp-api GET 5+30 ERROR [404]
              3 server order-prc-api GET /orders/{id} 10+20 [404]
        path: 1 10, 2 10, 3 20
    "#]],
    );
}

#[test]
fn a_call_that_succeeds_when_repeated_degrades() {
    let case = Case::new([
        S::server(1, 1, "order-prc-api", "POST /orders", (0, 100)).http(201),
        S::client(1, 2, "order-prc-api", "POST", (5, 30)).below(1).http(503).error("503", ""),
        S::client(1, 3, "order-prc-api", "POST", (50, 90)).below(1).http(200).resend(1),
    ]);
    check(
        &case,
        expect![[r#"
        Degraded: order-prc-api POST /orders, answered in 100 ms, settled after 100 ms, errors 1, retries 1
          1 server order-prc-api POST /orders 0+100
            2 client order-prc-api POST 5+25 ERROR [503]
            3 client order-prc-api POST 50+40 retry 1
        path: 1 35, 2 25, 3 40
        failure of order-prc-api: order-prc-api calling POST got 503
        chain: 2
    "#]],
    );
}

#[test]
fn a_missing_root_is_named() {
    let case = Case::new([
        S::server(1, 2, "order-prc-api", "POST /orders", (0, 50)).below(99).http(201),
        S::internal(1, 3, "order-prc-api", "price", (10, 20)).below(2),
        S::internal(1, 4, "order-prc-api", "orphan", (20, 30)).below(98),
    ]);
    check(
        &case,
        expect![[r#"
        Incomplete: order-prc-api POST /orders, settled after 50 ms
          2 server order-prc-api POST /orders 0+50
            3 internal order-prc-api price 10+10
          4 internal order-prc-api orphan 20+10
        path: 2 40, 3 10
        missing: 62, 63
    "#]],
    );
}

#[test]
fn parents_in_a_circle_end() {
    let case = Case::new([
        S::server(1, 1, "a", "GET /", (0, 10)),
        S::internal(1, 2, "a", "two", (2, 8)).below(4),
        S::internal(1, 3, "a", "three", (3, 8)).below(2),
        S::internal(1, 4, "a", "four", (4, 8)).below(3),
        S::internal(1, 5, "a", "five", (1, 8)).below(4),
        S::internal(1, 6, "a", "own parent", (1, 8)).below(6),
    ]);
    check(
        &case,
        expect![[r#"
        Ok: a GET /, answered in 10 ms, settled after 10 ms
          1 server a GET / 0+10
          6 internal a own parent 1+7
          2 internal a two 2+6
            3 internal a three 3+5
              4 internal a four 4+4
                5 internal a five 1+7
        path: 1 10
    "#]],
    );
}

#[test]
fn client_and_server_may_share_a_span_id() {
    let case = Case::new([
        S::server(1, 1, "web", "GET /", (0, 50)),
        S::client(1, 2, "web", "get", (5, 45)).below(1),
        S::server(1, 2, "back", "get", (10, 40)).below(1),
        S::client(1, 3, "back", "ask", (15, 30)).below(2),
        S::server(1, 3, "core", "ask", (16, 29)).below(2),
    ]);
    let journey = case.build();
    let tree: Vec<(u32, &str, &str)> =
        journey.items.iter().map(|i| (i.depth, i.participant.name(), i.role.as_str())).collect();
    assert_eq!(
        tree,
        [
            (0, "web", "server"),
            (1, "web", "client"),
            (2, "back", "server"),
            (3, "back", "client"),
            (4, "core", "server")
        ]
    );
    assert!(journey.missing.is_empty());
}

#[test]
fn a_skewed_clock_does_not_bend_the_path() {
    let case = Case::new([
        S::server(1, 1, "shop-exp-api", "GET /", (0, 100)),
        S::client(1, 2, "shop-exp-api", "GET", (10, 90)).below(1),
        S::server(1, 3, "order-prc-api", "GET /", (3010, 3080)).below(2),
        S::client(1, 4, "order-prc-api", "GET", (3020, 3070)).below(3),
        S::server(1, 5, "erp-sys-api", "GET /", (-500, -460)).below(4),
    ]);
    check(
        &case,
        expect![[r#"
        Ok: shop-exp-api GET /, answered in 100 ms, settled after 3580 ms
          1 server shop-exp-api GET / 0+100
            2 client shop-exp-api GET 10+80
              3 server order-prc-api GET / 3010+70
                4 client order-prc-api GET 3020+50
                  5 server erp-sys-api GET / -500+40
        path: 5 40, 1 20, 2 10, 3 20, 4 10
    "#]],
    );
}

#[test]
fn without_spans_the_events_stand_alone() {
    check(
        &Case::default().events([event(7, None, "orders.placed", 5, Some((1, 2)))]),
        expect![[r#"
        Incomplete: orders.placed, settled after 0 ms
          7 event orders.placed orders.placed 5
        path: 
    "#]],
    );
    check(
        &Case::default(),
        expect![[r#"
        Incomplete: 01010101010101010101010101010101, settled after -1 ms
        path: 
    "#]],
    );
}

#[test]
fn extreme_times_do_no_harm() {
    let mut case = sync_failed();
    case.spans[2].start = i64::MIN;
    case.spans[2].end = i64::MAX;
    case.spans[4].start = i64::MAX;
    case.spans[4].end = i64::MAX;
    assert_eq!(case.build().summary.state, JourneyState::Failed);
}

#[test]
fn depth_has_no_limit() {
    let template = S::internal(1, 1, "a", "step", (0, 1000)).error("", "").0;
    let mut case = Case::default();
    for n in 1..=20_000u64 {
        let id = |n: u64| SpanId::new(n.to_be_bytes());
        let span = SpanFacts { span_id: id(n).unwrap(), parent: id(n - 1), ..template.clone() };
        case.spans.push(span);
    }
    let journey = case.build();
    assert_eq!(journey.items.iter().map(|i| i.depth).max(), Some(19_999));
    let failure = journey.failure.unwrap();
    assert_eq!((failure.first.as_str(), failure.chain.len()), ("0000000000004e20", 20_000));
    assert_eq!(journey.critical_path.iter().map(|p| p.self_time).sum::<i64>(), 1_000_000_000);
}

#[test]
fn a_timeout_that_a_consumer_reports_is_told_in_its_words() {
    let case = Case::new([S::process(1, 1, "analytics", "orders.placed", None, (0, 2)).error("TimeoutError", "busy")]);
    assert_eq!(case.build().failure.unwrap().cause, "analytics process orders.placed failed: TimeoutError: busy");
}

fn cases() -> Vec<Case> {
    vec![sync_ok(), sync_failed(), async_by_parent(), batch(), redelivered(None), redelivered(Some(("", "down")))]
}

fn twice<T: Clone>(items: &[T]) -> Vec<T> {
    [items, items].concat()
}

/// One of the cases, and the same with everything sent twice, in any order.
fn shuffled() -> impl Strategy<Value = (Case, Case)> {
    (0..cases().len()).prop_flat_map(|i| {
        let case = cases().swap_remove(i);
        let parts = (
            Just(twice(&case.spans)).prop_shuffle(),
            Just(twice(&case.joins)).prop_shuffle(),
            Just(twice(&case.events)).prop_shuffle(),
            Just(twice(&case.deliveries)).prop_shuffle(),
        );
        parts.prop_map(move |(spans, joins, events, deliveries)| {
            (case.clone(), Case { spans, joins, events, deliveries })
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    /// Order and repetition of what arrived never change a journey.
    #[test]
    fn any_order_gives_the_same_journey((case, other) in shuffled()) {
        prop_assert_eq!(other.build(), case.build());
    }
}

//! Journeys across messages: one consumer or many, batches, redeliveries.

use expect_test::expect;
use flowglass_model::{Acknowledgement, JourneyState, LinkHow, Role};

use crate::check;
use crate::support::{Case, S, delivery, event, join};

pub(crate) fn async_by_parent() -> Case {
    let mut relayed = event(2, Some("e2"), "orders.billed", 70, Some((1, 5)));
    relayed.origin = event(0, None, "", 0, Some((1, 1))).hop;
    relayed.keys.push(("orderId".into(), "o-1".into()));
    Case::new([
        S::server(1, 1, "order-prc-api", "POST /orders", (0, 50)).http(201),
        S::send(1, 2, "order-prc-api", "orders.placed", Some("e1"), (20, 40)).below(1),
        // Starts before the publisher has its acknowledgement.
        S::process(1, 3, "payment-service", "orders.placed", Some("e1"), (30, 80)).below(2),
        S::process(1, 4, "mail-service", "orders.placed", Some("e1"), (35, 45)).below(2),
        S::send(1, 5, "payment-service", "orders.billed", None, (60, 75)).below(3),
    ])
    .events([event(1, Some("e1"), "orders.placed", 25, Some((1, 2))), relayed])
}

#[test]
fn consumers_hang_below_the_event() {
    check(
        &async_by_parent(),
        expect![[r#"
        Ok: order-prc-api POST /orders, answered in 50 ms, settled after 80 ms
          1 server order-prc-api POST /orders 0+50
            2 producer order-prc-api publish orders.placed 20+20
              e1 event orders.placed orders.placed 25
                3 consumer payment-service process orders.placed 30+50
                  5 producer payment-service publish orders.billed 60+15
                    e2 event orders.billed orders.billed 70
                4 consumer mail-service process orders.placed 35+10
        1 -origin-> e2
        2 -traceparent-> e1
        5 -traceparent-> e2
        e1 -traceparent-> 3
        e1 -traceparent-> 4
        path: 1 30, 2 20
    "#]],
    );
    let topics: Vec<String> = async_by_parent()
        .build()
        .summary
        .participants
        .iter()
        .map(ToString::to_string)
        .filter(|p| p.starts_with("topic"))
        .collect();
    assert_eq!(topics, ["topic:nats/orders.billed@test", "topic:nats/orders.placed@test"]);
}

#[test]
fn consumers_in_their_own_trace_are_joined_by_link_and_message_id() {
    let case = Case::new([
        S::server(1, 1, "order-prc-api", "POST /orders", (0, 50)).http(201),
        S::send(1, 2, "order-prc-api", "orders.placed", Some("e1"), (20, 40)).below(1),
        S::send(1, 3, "order-prc-api", "orders.audited", Some("e2"), (41, 45)).below(1),
        S::process(2, 4, "payment-service", "orders.placed", None, (60, 80)).link(1, 2),
        S::client(2, 5, "payment-service", "POST", (62, 70)).below(4),
        // No context on this message: the id alone tells.
        S::receive(3, 6, "audit-service", "orders.audited", 1, (55, 56)),
        S::process(3, 7, "audit-service", "orders.audited", Some("e2"), (57, 58)).below(6),
    ])
    .joins([join((1, 2), (2, 4), LinkHow::SpanLink), join((1, 3), (3, 7), LinkHow::MessageId)]);
    check(
        &case,
        expect![[r#"
            Ok: order-prc-api POST /orders, answered in 50 ms, settled after 80 ms
              1 server order-prc-api POST /orders 0+50
                2 producer order-prc-api publish orders.placed 20+20
                  4 consumer payment-service process orders.placed 60+20
                    5 client payment-service POST 62+8
                3 producer order-prc-api publish orders.audited 41+4
                  6 client audit-service receive orders.audited 55+1
                    7 consumer audit-service process orders.audited 57+1
            2 -span-link-> 4
            3 -message-id-> 7
            path: 1 26, 2 20, 3 4
        "#]],
    );
    let stored = Case::new([
        S::server(1, 1, "order-prc-api", "POST /orders", (0, 50)).http(201),
        S::process(2, 4, "payment-service", "orders.placed", Some("other"), (60, 80)).stored(9),
    ])
    .joins([join((1, 1), (2, 4), LinkHow::Sequence)])
    .events([event(9, Some("e1"), "orders.placed", 25, Some((1, 1)))]);
    check(
        &stored,
        expect![[r#"
        Ok: order-prc-api POST /orders, answered in 50 ms, settled after 80 ms
          1 server order-prc-api POST /orders 0+50
            e1 event orders.placed orders.placed 25
              4 consumer payment-service process orders.placed 60+20
        1 -sequence-> 4
        1 -traceparent-> e1
        e1 -sequence-> 4
        path: 1 50
    "#]],
    );
}

pub(crate) fn batch() -> Case {
    Case::new([
        S::server(1, 1, "order-prc-api", "POST /orders", (0, 50)).http(201),
        S::send(1, 2, "order-prc-api", "orders.placed", Some("e1"), (20, 40)).below(1),
        S::receive(2, 10, "analytics", "orders.placed", 3, (100, 101)).link(1, 2).link(8, 2).link(9, 2),
        S::process(2, 11, "analytics", "orders.placed", Some("e1"), (102, 110)).below(10).link(1, 2),
        S::client(2, 12, "analytics", "POST", (103, 109)).below(11),
        S::send(2, 13, "analytics", "stats.counted", Some("s1"), (108, 109)).below(11),
        S::process(2, 21, "analytics", "orders.placed", Some("e8"), (111, 120)).below(10).link(8, 2),
        S::send(2, 22, "analytics", "stats.counted", Some("s8"), (112, 119)).below(21),
        S::process(2, 31, "analytics", "orders.placed", Some("e9"), (121, 130)).below(10),
        // What follows from ours belongs, what follows from the other's does not.
        S::process(3, 41, "board", "stats.counted", Some("s1"), (140, 141)).link(2, 13),
        S::process(4, 42, "board", "stats.counted", Some("s8"), (140, 141)).link(2, 22),
    ])
    .joins([
        join((1, 2), (2, 10), LinkHow::SpanLink),
        join((8, 2), (2, 10), LinkHow::SpanLink),
        join((9, 2), (2, 10), LinkHow::SpanLink),
        join((1, 2), (2, 11), LinkHow::SpanLink),
        join((8, 2), (2, 21), LinkHow::SpanLink),
        join((9, 2), (2, 31), LinkHow::MessageId),
        join((2, 13), (3, 41), LinkHow::SpanLink),
        join((2, 22), (4, 42), LinkHow::SpanLink),
    ])
    .events([
        event(1, Some("s1"), "stats.counted", 108, Some((2, 13))),
        event(2, Some("s8"), "stats.counted", 112, Some((2, 22))),
    ])
}

#[test]
fn of_a_batch_only_what_handles_our_message_belongs() {
    check(
        &batch(),
        expect![[r#"
        Ok: order-prc-api POST /orders, answered in 50 ms, settled after 141 ms
          1 server order-prc-api POST /orders 0+50
            2 producer order-prc-api publish orders.placed 20+20
              a client analytics receive orders.placed 100+1
                b consumer analytics process orders.placed 102+8
                  c client analytics POST 103+6
                  d producer analytics publish stats.counted 108+1
                    s1 event stats.counted stats.counted 108
                      29 consumer board process stats.counted 140+1
        2 -span-link-> a
        2 -span-link-> b
        d -span-link-> 29
        d -traceparent-> s1
        s1 -traceparent-> 29
        path: 1 30, 2 20
    "#]],
    );
}

#[test]
fn a_poll_loop_is_no_bridge() {
    let case = Case::new([
        S::send(1, 1, "order-prc-api", "orders.placed", Some("e1"), (0, 10)),
        S::internal(2, 10, "worker", "poll", (0, 1000)),
        S::process(2, 11, "worker", "orders.placed", Some("e1"), (20, 30)).below(10).link(1, 1),
        S::process(2, 12, "worker", "orders.placed", Some("e7"), (40, 50)).below(10).link(7, 1),
        S::internal(2, 13, "worker", "idle", (50, 60)).below(10),
    ]);
    check(
        &case,
        expect![[r#"
        Ok: order-prc-api publish orders.placed, answered in 10 ms, settled after 30 ms
          1 producer order-prc-api publish orders.placed 0+10
            b consumer worker process orders.placed 20+10
        1 -span-link-> b
        path: 1 10
    "#]],
    );
}

pub(crate) fn redelivered(last: Option<(&str, &str)>) -> Case {
    let second = S::process(1, 4, "analytics", "orders.placed", Some("e1"), (1030, 1040)).below(2);
    Case::new([
        S::server(1, 1, "order-prc-api", "POST /orders", (0, 50)).http(201),
        S::send(1, 2, "order-prc-api", "orders.placed", Some("e1"), (20, 40)).below(1),
        S::process(1, 3, "analytics", "orders.placed", Some("e1"), (30, 35)).below(2).error("", "warehouse busy"),
        match last {
            Some((kind, message)) => second.error(kind, message),
            None => second,
        },
    ])
    .events([event(1, Some("e1"), "orders.placed", 25, Some((1, 2)))])
    .deliveries([
        delivery(1, "analytics-group", 1, Some(Acknowledgement::Nak)),
        delivery(1, "analytics-group", 2, last.is_none().then_some(Acknowledgement::Ack)),
        delivery(1, "analytics-group", 2, last.is_none().then_some(Acknowledgement::Ack)),
    ])
}

#[test]
fn a_message_handled_at_the_second_attempt_is_no_failure() {
    check(
        &redelivered(None),
        expect![[r#"
        Degraded: order-prc-api POST /orders, answered in 50 ms, settled after 1040 ms, errors 1, retries 1
          1 server order-prc-api POST /orders 0+50
            2 producer order-prc-api publish orders.placed 20+20
              e1 event orders.placed orders.placed 25
                3 consumer analytics process orders.placed 30+5 ERROR delivery 1 [nak]
                4 consumer analytics process orders.placed 1030+10 delivery 2
        2 -traceparent-> e1
        e1 -traceparent-> 3
        e1 -traceparent-> 4
        path: 1 30, 2 20
        failure of analytics: analytics process orders.placed failed: warehouse busy
        chain: 3
    "#]],
    );
    // The broker alone saw the second attempt end well.
    let mut untold = redelivered(None);
    untold.spans.retain(|s| s.span_id != crate::support::id(4));
    if let Some(Role::Process { delivery, .. }) = untold.spans.last_mut().map(|s| &mut s.role) {
        *delivery = Some(1);
    }
    assert_eq!(untold.build().summary.state, JourneyState::Degraded);
    assert_eq!(untold.build().summary.retries, 1);
    // Refused once, and not given up: the broker will deliver it again.
    untold.deliveries.truncate(1);
    assert_eq!(untold.build().summary.state, JourneyState::InProgress);
    // Without any word of the broker the failed attempt is all there is.
    untold.deliveries.clear();
    assert_eq!(untold.build().summary.state, JourneyState::Failed);
}

#[test]
fn a_message_published_twice_is_not_redelivered() {
    let mut twice = redelivered(None);
    twice.deliveries.clear();
    twice.events[0].occurrences = 2;
    assert_eq!(twice.build().summary.retries, 0);
}

#[test]
fn a_message_given_up_fails_the_journey() {
    let mut case = redelivered(Some(("", "warehouse down")));
    case.events[0].dead_lettered = true;
    check(
        &case,
        expect![[r#"
            Failed: order-prc-api POST /orders, answered in 50 ms, settled after 1040 ms, errors 2, retries 1, dead-lettered 1
              1 server order-prc-api POST /orders 0+50
                2 producer order-prc-api publish orders.placed 20+20
                  e1 event orders.placed orders.placed 25 ERROR [dead-lettered]
                    3 consumer analytics process orders.placed 30+5 ERROR delivery 1 [nak]
                    4 consumer analytics process orders.placed 1030+10 ERROR delivery 2
            2 -traceparent-> e1
            e1 -traceparent-> 3
            e1 -traceparent-> 4
            path: 1 30, 2 20
            failure of analytics: analytics process orders.placed failed: warehouse busy; 2 attempts failed
            chain: 3
        "#]],
    );
    // Only the broker tells.
    case.spans.truncate(2);
    assert_eq!(
        case.build().failure.unwrap().cause,
        "orders.placed was dead-lettered after 2 deliveries to analytics-group"
    );
    case.events[0].dead_lettered = false;
    case.deliveries[1].acknowledgement = Some(Acknowledgement::Term);
    let journey = case.build();
    assert_eq!(journey.summary.state, JourneyState::Failed);
    assert_eq!(journey.failure.unwrap().cause, "orders.placed was terminated by analytics-group at delivery 2");
}

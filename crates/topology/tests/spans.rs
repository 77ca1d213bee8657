//! Each rule for calls, accesses and externals, as a small story.

mod common;

use common::{Batch, Bench, told};
use flowglass_testkit::{render_deltas, render_graph, render_joins, story};
use flowglass_topology::graph;

/// The series of a story, without those that start with a given word.
fn series(text: &str, without: &[&str]) -> String {
    let all = render_deltas(&told(text).deltas());
    let kept = all.lines().filter(|l| !without.iter().any(|w| l.starts_with(w)));
    kept.map(|l| format!("{l}\n")).collect()
}

fn edges(text: &str) -> String {
    series(text, &["operation", "group", "address"])
}

#[test]
fn a_call_is_counted_once_as_the_caller_saw_it() {
    let text = "
        a server web caller=browser @0..30
        b client web <a peer=api:80 @1..21 err
        c server api <b op=POST_/orders @5..15";
    assert_eq!(
        series(text, &[]),
        "address api:80 = service:api 1\n\
         call consumer:browser -> service:web 1 30ms\n\
         call service:web -> service:api 1 20ms\n\
         operation service:api POST /orders 1 10ms\n\
         operation service:web server 1 30ms\n"
    );
}

#[test]
fn local_spans_between_caller_and_callee_do_not_cost_the_edge() {
    let text = "
        a server web
        b internal web <a
        c client web <b @0..9
        d internal web <c
        e internal api <d
        f server api <e err @1..3";
    // `e` enters, `f` is inside the service already.
    assert_eq!(edges(text), "call consumer:client -> service:web 1 1ms\ncall service:web -> service:api 1 err=1 9ms\n");
}

#[test]
fn a_missing_server_span_gives_one_edge_however_many_spans_stand_below() {
    let text = "
        a client web @0..9
        b internal api <a @2..3
        c internal api <a @4..5
        d access api <a @5..6";
    assert_eq!(
        edges(text),
        "access service:api -> backend:postgresql/db/shop 1 1ms\ncall service:web -> service:api 1 9ms\n"
    );
}

#[test]
fn a_missing_parent_and_a_nested_server_are_no_calls() {
    assert_eq!(edges("a server api <gone"), "unresolved service:api CallerMissing 1\n");
    let nested = "a server api\nb internal api <a\nc server api <b";
    assert_eq!(edges(nested), "call consumer:client -> service:api 1 1ms\n");
    assert_eq!(edges("a internal api\nb server api <a"), "");
}

#[test]
fn a_service_that_calls_itself_over_the_wire_has_an_edge_to_itself() {
    assert_eq!(edges("a client api @0..5\nb server api <a"), "call service:api -> service:api 1 5ms\n");
}

#[test]
fn client_and_server_may_share_a_span_id() {
    let text = "
        a server web
        b client web <a @0..7
        c server api <a shares=b @1..5
        d client api <b @2..3 peer=erp.example";
    assert_eq!(
        edges(text),
        "call consumer:client -> service:web 1 1ms\n\
         call service:api -> external:erp.example 1 1ms\n\
         call service:web -> service:api 1 7ms\n"
    );
}

#[test]
fn peers_without_spans_are_external_and_only_the_innermost_call_counts() {
    let text = "
        a client web peer=pay.example:443 @0..9
        b internal web <a
        c client web <b peer=10.0.0.1:443 service=payments @1..8 err http=404
        d client web peer=cdn.example err http=503 env=prod
        e client web";
    assert_eq!(
        edges(text),
        "call service:web -> external:payments 1 7ms\n\
         call service:web@prod -> external:cdn.example@prod 1 err=1 1ms\n\
         unresolved service:web PeerUnnamed 1\n"
    );
}

#[test]
fn transport_below_an_access_or_a_send_is_no_call_and_nested_accesses_are_one() {
    let text = "
        a access api @0..9
        b access api <a @1..8 err
        c client api <b peer=db:9200
        d send api topic=sqs/q
        e client api <d peer=sqs.example";
    assert_eq!(
        edges(text),
        "access service:api -> backend:postgresql/db/shop 1 err=1 7ms\npublish service:api -> topic:sqs/q 1 1ms\n"
    );
}

#[test]
fn a_service_without_a_name_is_shown_and_told() {
    assert_eq!(
        edges("a server unknown_service:java"),
        "call consumer:client -> service:unknown_service:java 1 1ms\nunresolved service:unknown_service:java ServiceUnnamed 1\n"
    );
}

#[test]
fn an_uninstrumented_peer_becomes_the_service_when_its_span_arrives() {
    let s = story("a client web peer=api:80 @0..9\nb server api <a @1..2");
    let mut bench = Bench::new(100);
    bench.feed(&Batch { spans: vec![s.spans[0].clone()], ..Batch::default() }, &[]);
    assert_eq!(render_deltas(&bench.deltas()), "call service:web -> external:api:80 1 9ms\n");
    let net = bench.feed(&Batch { spans: vec![s.spans[1].clone()], ..Batch::default() }, &[]);
    assert!(render_deltas(&net).contains("call service:web -> external:api:80 -1 9ms"), "{}", render_deltas(&net));
    assert!(bench.feed(&Batch { spans: s.spans, ..Batch::default() }, &[]).is_empty(), "repeats change nothing");
    let g = graph(&bench.series(), &Default::default(), None);
    assert_eq!(render_graph(&g), "service:api [process]\nservice:web [process]\ncall service:web -> service:api 1\n");
}

#[test]
fn declared_layers_do_not_depend_on_batching() {
    let s = story("a server api @0..1\nb internal api <a @1..2");
    let declared = [("service:api".into(), "system".to_owned())];
    let mut together = Bench::new(100);
    together.feed(&Batch { spans: s.spans.clone(), ..Batch::default() }, &declared);
    let mut apart = Bench::new(100);
    for span in s.spans {
        apart.feed(&Batch { spans: vec![span], ..Batch::default() }, &declared);
    }
    assert_eq!(together.deltas(), apart.deltas());
    assert!(render_deltas(&apart.deltas()).contains("declared service:api system 2"));
}

#[test]
fn joins_name_the_sender_and_touch_both_traces() {
    let mut bench = told(
        "a send api topic=nats/o id=m1\nb process mail trace=u topic=nats/o id=m1\nc process crm trace=v ~a topic=nats/o",
    );
    assert_eq!(render_joins(&bench.joins), "t.a -> u.b message-id\nt.a -> v.c span-link\n");
    let facts = bench.resolver.facts(flowglass_testkit::trace_id("u"), &mut bench.store).unwrap();
    assert_eq!(facts.len(), 1);
    bench.resolver.forget_all();
    let facts = bench.resolver.facts(flowglass_testkit::trace_id("u"), &mut bench.store).unwrap();
    assert_eq!(facts.len(), 1, "read from the store again");
}

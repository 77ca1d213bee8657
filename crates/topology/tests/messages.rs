//! Each rule for publications and deliveries, as a small story.

mod common;

use common::{Batch, Bench, told};
use flowglass_testkit::{render_deltas, story};

fn edges(text: &str) -> String {
    let all = render_deltas(&told(text).deltas());
    let kept = all.lines().filter(|l| !l.starts_with("operation") && !l.starts_with("group"));
    kept.map(|l| format!("{l}\n")).collect()
}

const SENT: &str = "publish service:api -> topic:nats/o 1 2ms\n";

#[test]
fn the_sender_is_found_by_parent_link_or_message_id() {
    for how in ["<a", "trace=u ~a", "trace=u id=m1"] {
        let text = format!("a send api topic=nats/o id=m1 @0..2\nb process mail {how} topic=nats/o @5..9 err");
        assert_eq!(edges(&text), format!("consume topic:nats/o -> service:mail 1 err=1 3ms\n{SENT}"), "{how}");
    }
    let unknown = edges("b process mail trace=u ~a topic=nats/o id=m9");
    assert_eq!(unknown, "consume topic:nats/o -> service:mail 1\n", "no time without a sender");
}

#[test]
fn waiting_times_may_be_negative() {
    let text = "a send api topic=nats/o @0..2\nb process mail <a topic=nats/o @1..9";
    assert_eq!(edges(text), format!("consume topic:nats/o -> service:mail 1 -1ms\n{SENT}"));
}

#[test]
fn receive_counts_only_what_nobody_processes() {
    let alone = "r receive mail topic=nats/o batch=3";
    assert_eq!(edges(alone), "consume topic:nats/o -> service:mail 3\n");
    assert_eq!(edges("r receive mail topic=nats/o batch=0"), "", "an empty poll delivers nothing");
    let one = "consume topic:nats/o -> service:mail 1\n";
    assert_eq!(edges("r receive mail topic=nats/o batch=1\np process mail <r topic=nats/o"), one);
    assert_eq!(edges("r receive mail topic=nats/o ~x\np process mail trace=u ~x topic=nats/o"), one);
    assert_eq!(edges("r receive mail topic=nats/o id=m1\np process mail trace=u id=m1 topic=nats/o"), one);
    assert_eq!(edges("r receive mail topic=nats/o\np process mail trace=u ~r topic=nats/o"), one);
    assert_eq!(
        edges("r receive mail topic=nats/o ~x ~y\np process crm trace=u ~x topic=nats/o"),
        "consume topic:nats/o -> service:crm 1\nconsume topic:nats/o -> service:mail 2\n",
        "another service's processing is its own delivery"
    );
}

#[test]
fn a_process_span_over_a_batch_counts_each_message() {
    let text = "
        a send api topic=nats/o @0..2
        b send api topic=nats/o @3..4
        p process mail trace=u ~a ~b topic=nats/o @10..11";
    assert!(edges(text).starts_with("consume topic:nats/o -> service:mail 2 6ms,8ms\n"), "{}", edges(text));
}

#[test]
fn creation_and_sending_are_one_publication() {
    let child =
        "a create api topic=nats/o @0..1\nb send api <a topic=nats/o @1..3\np process mail ~a topic=nats/o @7..8";
    assert_eq!(edges(child), format!("consume topic:nats/o -> service:mail 1 4ms\n{SENT}"));
    let batch = "a create api topic=nats/o\nb create api topic=nats/o\nc send api ~a ~b topic=nats/o @0..2";
    assert_eq!(edges(batch), "publish service:api -> topic:nats/o 2 2ms\n");
    let by_id = "a create api topic=nats/o id=m\nb send api topic=nats/o id=m @0..2";
    assert_eq!(edges(by_id), SENT);
    assert_eq!(edges("a create api topic=nats/o @0..2"), SENT, "a creation alone stands for itself");
}

#[test]
fn handlers_without_messaging_attributes_consume_by_parent_or_link() {
    let consumed = format!("consume topic:nats/o -> service:mail 1 3ms\n{SENT}");
    let send = "a send api topic=nats/o @0..2";
    assert_eq!(edges(&format!("{send}\nb consumer mail <a @5..6")), consumed);
    assert_eq!(edges(&format!("{send}\nb consumer mail trace=u ~a @5..6")), consumed);
    assert_eq!(
        edges(&format!("{send}\nb internal mail <a ~a @5..6")),
        consumed,
        "parent and link to one sender are one"
    );
}

#[test]
fn settling_and_nameless_destinations_draw_nothing() {
    assert_eq!(edges("a settle mail"), "");
    assert_eq!(
        edges("a send api topic=nats/\nb process mail topic=nats/"),
        "unresolved service:api DestinationUnnamed 1\nunresolved service:mail DestinationUnnamed 1\n"
    );
}

#[test]
fn a_publication_seen_as_span_and_as_message_counts_once() {
    let span = "a send api topic=nats/o id=m1 env=prod @0..2\n";
    let sent = "publish service:api@prod -> topic:nats/o@prod 1 2ms\n";
    assert_eq!(edges(&format!("{span}message nats/o id=m1 source=/api")), sent, "by id");
    assert_eq!(edges(&format!("{span}message nats/o id=x hop=a source=/api")), sent, "by context");
    assert_eq!(edges(&format!("{span}message nats/other hop=a")), sent, "a span of another destination stands for it");
    assert_eq!(
        edges(&format!("{span}message nats/o id=m1\nmessage nats/o id=m1 @5")),
        "publish service:api@prod -> topic:nats/o@prod 2 2ms\n",
        "two messages, one span"
    );
    assert_eq!(
        edges(&format!("{span}b send api topic=nats/o id=m1 env=prod @3..5\nmessage nats/o id=m1")),
        "publish service:api@prod -> topic:nats/o@prod 2 2ms,2ms\n",
        "two spans, one message"
    );
}

#[test]
fn messages_without_a_span_are_told_by_context_then_by_source() {
    assert_eq!(
        edges("a server api env=prod\nmessage nats/o id=m hop=a source=/other"),
        "call consumer:client@prod -> service:api@prod 1 1ms\npublish service:api@prod -> topic:nats/o@prod 1\n"
    );
    assert_eq!(edges("message nats/o id=m source=/shop/api"), "publish service:api -> topic:nats/o 1\n");
    assert_eq!(edges("message nats/o id=m"), "unresolved topic:nats/o CallerMissing 1\n");
    assert_eq!(edges("message nats/o\nmessage nats/o"), "unresolved topic:nats/o CallerMissing 2\n");
}

#[test]
fn a_late_span_takes_the_guess_back() {
    let s = story("message nats/o id=m source=/guess hop=a\na send api topic=nats/o @0..2");
    let mut bench = Bench::new(100);
    bench.feed(&Batch { messages: s.messages, ..Batch::default() }, &[]);
    assert_eq!(render_deltas(&bench.deltas()), "publish service:guess -> topic:nats/o 1\n");
    bench.feed(&Batch { spans: s.spans, ..Batch::default() }, &[]);
    assert_eq!(render_deltas(&bench.deltas()), SENT);
}

#[test]
fn deliveries_are_counted_per_consumer() {
    assert_eq!(edges("delivery nats/o mailer\ndelivery nats/o mailer"), "delivered topic:nats/o to mailer 2\n");
}

//! Joins where no context tells: by correlation id, by cause, by contexts in other formats. And what must not be joined so.

use flowglass_studio::model::{ContextFormat, Journey, LinkHow, Message, Sure};

use crate::scene::{S, message};
use crate::support::Piece;
use crate::traps::{ids, journeys, spans};

/// A message with more than an id.
fn told(piece: Piece, more: impl FnOnce(&mut Message)) -> Piece {
    let Piece::Message(mut m) = piece else { return piece };
    more(&mut m);
    Piece::Message(m)
}

fn joined_by(journey: &Journey) -> Vec<LinkHow> {
    let mut out: Vec<LinkHow> = journey.links.iter().map(|l| l.how).filter(|h| h.sure() != Sure::Certain).collect();
    out.dedup();
    out
}

#[test]
fn a_handler_without_a_context_follows_the_publication_with_its_correlation_id() {
    let mut pieces = Vec::new();
    for n in 0..3 {
        let (at, id) = (i64::from(n) * 1_000, format!("c-{n}"));
        pieces.push(S::server(n, 1, "web", (at, 8)).key("correlationId", &id).piece());
        pieces.push(S::send(n, 2, "web", "nats/orders", None, (at + 1, 2)).below(1).piece());
        pieces.push(S::process(10 + n, 1, "mail", "nats/orders", None, (at + 50, 5)).key("correlationId", &id).piece());
        pieces.push(S::client(10 + n, 2, "mail", (at + 51, 2)).below(1).piece());
    }
    let found = journeys(pieces);
    assert_eq!(found.len(), 3);
    for (n, journey) in (0..3).zip(&found) {
        assert_eq!(spans(journey), ids(&[(n, 1), (n, 2), (10 + n, 1), (10 + n, 2)]));
        assert_eq!(joined_by(journey), [LinkHow::CorrelationId]);
        assert_eq!(journey.gaps.len(), 1, "the wait for the message is told");
    }
}

#[test]
fn a_request_is_the_answer_to_the_call_around_it() {
    let pieces = vec![
        S::server(0, 1, "web", (0, 100)).key("requestId", "r-17").piece(),
        S::client(0, 2, "web", (10, 60)).below(1).piece(),
        S::server(1, 1, "legacy", (15, 40)).key("requestId", "r-17").piece(),
        S::client(1, 2, "legacy", (20, 10)).below(1).piece(),
    ];
    let found = journeys(pieces);
    assert_eq!(found.len(), 1);
    let link = found[0].links.iter().find(|l| l.how == LinkHow::CorrelationId).expect("joined");
    assert_eq!((link.from.as_str(), link.sure), (crate::scene::span_id(2).to_string().as_str(), Sure::Strong));
    assert_eq!(found[0].summary.response, Some(100 * crate::scene::MS));
}

#[test]
fn requests_one_after_the_other_with_the_same_id_stay_two() {
    let pieces = vec![
        S::server(0, 1, "web", (0, 10)).key("correlationId", "session-9").piece(),
        S::server(1, 1, "web", (50, 10)).key("correlationId", "session-9").piece(),
        S::server(2, 1, "web", (55, 10)).key("correlationId", "session-9").piece(),
    ];
    assert_eq!(journeys(pieces).len(), 3);
}

#[test]
fn an_id_that_says_none_or_that_too_many_share_joins_nothing() {
    for (id, many) in [("null", 4), ("00000000-0000-0000-0000-000000000000", 4), ("tenant-a", 25)] {
        let mut pieces = Vec::new();
        for n in 0..many {
            pieces.push(S::internal(n, 1, &format!("job-{n}"), (i64::from(n), 500)).key("correlationId", id).piece());
        }
        assert_eq!(journeys(pieces).len(), many as usize, "{id}");
    }
}

#[test]
fn what_contexts_join_does_not_count_against_an_id() {
    // One request, 30 handlers by link, all with its id, and one that lost the context.
    let mut pieces = vec![S::server(0, 1, "web", (0, 50)).key("correlationId", "c-1").piece()];
    for n in 1..=30 {
        pieces.push(S::send(0, 100 + n, "web", "nats/rows", None, (i64::from(n), 1)).below(1).piece());
        let handler = S::process(n, 1, "load", "nats/rows", None, (i64::from(n) + 5, 1)).link(0, 100 + n);
        pieces.push(handler.key("correlationId", "c-1").piece());
    }
    pieces.push(S::process(99, 1, "audit", "nats/rows", None, (60, 1)).key("correlationId", "c-1").piece());
    let found = journeys(pieces);
    assert_eq!(found.len(), 1);
    assert!(spans(&found[0]).is_superset(&ids(&[(99, 1)])));
}

#[test]
fn an_event_names_its_cause() {
    // The handler of the first event kept no context, but its own event names the first.
    let mut pieces = vec![
        S::server(0, 1, "web", (0, 8)).piece(),
        S::send(0, 2, "web", "nats/orders", Some("e-1"), (1, 2)).below(1).piece(),
        message("nats", "orders", "e-1", 2, Some((0, 2))),
        S::internal(10, 1, "stock", (50, 20)).piece(),
        S::send(10, 2, "stock", "nats/reserved", Some("e-2"), (55, 2)).below(1).piece(),
        told(message("nats", "reserved", "e-2", 56, Some((10, 2))), |m| m.causation_id = Some("e-1".into())),
        // Handled where the id is told and nothing else.
        S::process(20, 1, "mail", "nats/reserved", Some("e-2"), (90, 3)).piece(),
        // Caused by the second, published outside of any trace.
        told(message("nats", "mailed", "e-3", 95, None), |m| m.causation_id = Some("e-2".into())),
    ];
    // Nobody knows this cause.
    pieces.push(S::send(30, 1, "other", "nats/else", Some("e-9"), (60, 1)).piece());
    pieces.push(told(message("nats", "else", "e-9", 60, Some((30, 1))), |m| m.causation_id = Some("e-0".into())));
    let found = journeys(pieces);
    assert_eq!(found.len(), 2);
    assert_eq!(spans(&found[0]), ids(&[(0, 1), (0, 2), (10, 1), (10, 2), (20, 1)]));
    assert_eq!(found[0].summary.events, 3);
    assert_eq!(joined_by(&found[0]), [LinkHow::Causation]);
    let links = found[0].links.iter().filter(|l| l.how == LinkHow::Causation);
    let links: Vec<(&str, &str)> = links.map(|l| (l.from.as_str(), l.to.as_str())).collect();
    assert!(links.contains(&("e-1", "e-2")) && links.contains(&("e-2", "e-3")), "{links:?}");
    assert_eq!(spans(&found[1]), ids(&[(30, 1)]));
}

#[test]
fn an_id_of_two_events_is_no_cause() {
    let pieces = vec![
        S::send(0, 1, "web", "nats/orders", Some("1"), (0, 2)).piece(),
        message("nats", "orders", "1", 1, Some((0, 1))),
        S::send(1, 1, "shop", "kafka/orders", Some("1"), (0, 2)).piece(),
        message("kafka", "orders", "1", 1, Some((1, 1))),
        S::send(2, 1, "stock", "nats/reserved", Some("2"), (10, 2)).piece(),
        told(message("nats", "reserved", "2", 11, Some((2, 1))), |m| m.causation_id = Some("1".into())),
    ];
    assert_eq!(journeys(pieces).len(), 3);
}

#[test]
fn a_relay_that_polls_for_hours_sends_on_for_each_cause_by_itself() {
    let mut pieces = vec![S::internal(900, 1, "relay", (0, 10_000_000)).piece()];
    for n in 0..12 {
        let (at, first, second) = (i64::from(n) * 100, format!("a-{n}"), format!("b-{n}"));
        pieces.push(S::server(n, 1, "web", (at, 8)).piece());
        pieces.push(S::send(n, 2, "web", "nats/outbox", Some(&first), (at + 1, 2)).below(1).piece());
        pieces.push(message("nats", "outbox", &first, at + 2, Some((n, 2))));
        pieces.push(S::send(900, 10 + n, "relay", "nats/orders", Some(&second), (at + 50, 1)).below(1).piece());
        let relayed = message("nats", "orders", &second, at + 51, Some((900, 10 + n)));
        pieces.push(told(relayed, |m| m.causation_id = Some(first.clone())));
    }
    let found = journeys(pieces);
    let requests: Vec<&Journey> = found.iter().filter(|j| j.summary.root.starts_with("web")).collect();
    assert_eq!(requests.len(), 12);
    for (n, journey) in (0..12).zip(requests) {
        assert_eq!(spans(journey), ids(&[(n, 1), (n, 2), (900, 10 + n)]), "{n}");
    }
}

#[test]
fn an_event_outside_of_any_trace_belongs_by_its_correlation_id() {
    let pieces = vec![
        S::server(0, 1, "web", (0, 8)).key("correlationId", "c-1").piece(),
        told(message("nats", "orders", "e-1", 2, None), |m| m.correlation_id = Some("c-1".into())),
        told(message("nats", "orders", "e-2", 3, None), |m| m.correlation_id = Some("c-2".into())),
        // Joined through the event that it names.
        S::process(5, 1, "mail", "nats/orders", Some("e-1"), (40, 2)).piece(),
    ];
    let found = journeys(pieces);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].summary.events, spans(&found[0])), (1, ids(&[(0, 1), (5, 1)])));
}

#[test]
fn a_context_in_another_format_is_told_and_less_sure() {
    let pieces = vec![
        S::send(0, 1, "web", "nats/orders", None, (0, 2)).piece(),
        told(message("nats", "orders", "e-1", 1, Some((0, 1))), |m| m.hop_format = ContextFormat::B3),
    ];
    let found = journeys(pieces);
    let link = found[0].links.first().expect("joined");
    assert_eq!((link.how, link.sure), (LinkHow::B3, Sure::Strong));
}

//! What must not melt journeys together, tear them apart, or depend on what arrived first.

use std::collections::BTreeSet;

use flowglass_studio::model::{Journey, JourneyState, MarkKind};

use crate::scene::{MS, S, T0, message, span_id, trace};
use crate::support::{Piece, shuffle, write};

/// Ids of the spans of a journey.
pub(crate) fn spans(journey: &Journey) -> BTreeSet<String> {
    let spans = journey.items.iter().filter(|i| i.trace_id.is_some() && i.role != "event");
    spans.map(|i| format!("{}:{}", i.trace_id.map(|t| t.to_string()).unwrap_or_default(), i.id)).collect()
}

pub(crate) fn ids(list: &[(u32, u32)]) -> BTreeSet<String> {
    list.iter().map(|(t, s)| format!("{}:{}", trace(*t), span_id(*s))).collect()
}

/// The journeys of some pieces, which must be the same in any order, any batching, and sent twice.
#[track_caller]
pub(crate) fn journeys(pieces: Vec<Piece>) -> Vec<Journey> {
    let once = write(&pieces, &[usize::MAX]);
    let expected = once.journeys();
    for seed in 0..6 {
        let mut turned = pieces.clone();
        turned.extend(pieces.iter().step_by(3).cloned());
        shuffle(&mut turned, seed);
        let sizes: &[usize] = [&[1][..], &[3, 1, 7], &[40, 2]][seed as usize % 3];
        let sizes = if pieces.len() > 100 { &[17, 1, 60] } else { sizes };
        let again = write(&turned, sizes);
        let found = again.journeys();
        let names = |list: &[Journey]| list.iter().map(|j| j.summary.id).collect::<Vec<_>>();
        assert_eq!(names(&found), names(&expected), "seed {seed}");
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "seed {seed}");
            let stored = again.workspace.read(|r| r.journey_summary(found.summary.id)).expect("stored").expect("there");
            assert_eq!(stored, found.summary, "seed {seed}: the list says what the journey says");
        }
    }
    expected
}

/// A request that publishes one message.
fn request(n: u32, service: &str, topic: &str, id: Option<&str>) -> Vec<Piece> {
    let at = i64::from(n) * 10;
    vec![S::server(n, 1, service, (at, 8)).piece(), S::send(n, 2, service, topic, id, (at + 1, 2)).below(1).piece()]
}

#[test]
fn a_constant_correlation_id_joins_nothing() {
    let mut pieces = Vec::new();
    for n in 0..40 {
        pieces.push(S::server(n, 1, "web", (i64::from(n), 5)).key("correlationId", "global").piece());
    }
    let found = journeys(pieces);
    assert_eq!(found.len(), 40);
    assert!(found.iter().all(|j| spans(j).len() == 1));
}

#[test]
fn a_batch_of_a_hundred_belongs_to_a_hundred_journeys() {
    let mut pieces = Vec::new();
    let batch = 500;
    let mut receive = S::receive(batch, 1, "analytics", "nats/orders", (2_000, 5));
    for n in 0..100 {
        pieces.extend(request(n, "web", "nats/orders", Some(&format!("m-{n}"))));
        receive = receive.link(n, 2);
        let process = S::process(batch, 10 + n, "analytics", "nats/orders", Some(&format!("m-{n}")), (2_010, 5));
        pieces.push(process.below(1).link(n, 2).piece());
    }
    pieces.push(receive.piece());
    let found = journeys(pieces);
    assert_eq!(found.len(), 100);
    for (n, journey) in (0..100).zip(&found) {
        assert_eq!(journey.summary.id, trace(n));
        assert_eq!(spans(journey), ids(&[(n, 1), (n, 2), (batch, 1), (batch, 10 + n)]));
    }
}

#[test]
fn what_many_caused_together_belongs_to_each() {
    let mut pieces = Vec::new();
    let mut joined = S::process(50, 1, "report", "nats/orders", None, (100, 5));
    for n in 0..3 {
        pieces.extend(request(n, "web", "nats/orders", None));
        joined = joined.link(n, 2);
    }
    pieces.push(joined.piece());
    pieces.push(S::send(50, 2, "report", "nats/reports", Some("r-1"), (102, 1)).below(1).piece());
    pieces.push(S::process(60, 1, "mail", "nats/reports", Some("r-1"), (110, 5)).link(50, 2).piece());
    let found = journeys(pieces);
    assert_eq!(found.len(), 3);
    for (n, journey) in (0..3).zip(&found) {
        assert_eq!(spans(journey), ids(&[(n, 1), (n, 2), (50, 1), (50, 2), (60, 1)]));
    }
}

#[test]
fn a_loop_that_polls_for_hours_is_no_bridge() {
    let (hours, mut pieces) = (900, Vec::new());
    pieces.push(S::internal(hours, 1, "worker", (0, 10_000_000)).piece());
    for n in 0..30 {
        pieces.extend(request(n, "web", "nats/orders", None));
        let at = 1_000 + i64::from(n) * 100;
        pieces.push(S::process(hours, 100 + n, "worker", "nats/orders", None, (at, 20)).below(1).link(n, 2).piece());
        pieces.push(S::send(hours, 200 + n, "worker", "nats/done", None, (at + 1, 1)).below(100 + n).piece());
        pieces.push(S::process(300 + n, 1, "mail", "nats/done", None, (at + 30, 5)).link(hours, 200 + n).piece());
    }
    let found = journeys(pieces);
    assert_eq!(found.len(), 30);
    for (n, journey) in (0..30).zip(&found) {
        assert_eq!(spans(journey), ids(&[(n, 1), (n, 2), (hours, 100 + n), (hours, 200 + n), (300 + n, 1)]));
    }
}

#[test]
fn a_request_that_handles_somebody_elses_message_keeps_what_is_its_own() {
    let mut pieces = request(0, "web", "nats/orders", None);
    pieces.push(S::server(1, 1, "worker", (100, 50)).piece());
    pieces.push(S::client(1, 2, "worker", (101, 5)).below(1).piece());
    pieces.push(S::process(1, 3, "worker", "nats/orders", None, (110, 10)).below(1).link(0, 2).piece());
    // Nobody has seen who sent this one: it stays where it was fetched.
    pieces.push(S::process(1, 4, "worker", "nats/orders", None, (125, 10)).below(1).link(77, 2).piece());
    let found = journeys(pieces);
    assert_eq!(found.iter().map(|j| j.summary.id).collect::<Vec<_>>(), [trace(0), trace(1)]);
    assert_eq!(spans(&found[0]), ids(&[(0, 1), (0, 2), (1, 3)]));
    assert_eq!(spans(&found[1]), ids(&[(1, 1), (1, 2), (1, 4)]));
}

#[test]
fn a_trace_id_used_again_by_another_service_does_not_bend_the_first() {
    let mut pieces = request(0, "web", "nats/orders", None);
    pieces.push(S::server(0, 90, "batch", (900_000, 400)).piece());
    let found = journeys(pieces);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].summary.root, "web web works");
    assert_eq!(found[0].summary.response, Some(8 * MS));
    assert_eq!(found[0].summary.state, JourneyState::Ok);
}

#[test]
fn equal_subjects_on_two_brokers_stay_apart() {
    let mut pieces = request(0, "web", "nats/orders", Some("m-1"));
    pieces.extend(request(1, "shop", "kafka/orders", Some("m-1")));
    pieces.push(message("nats", "orders", "m-1", 2, None));
    pieces.push(message("kafka", "orders", "m-1", 12, None));
    pieces.push(S::process(10, 1, "mail", "nats/orders", Some("m-1"), (50, 5)).piece());
    pieces.push(S::process(11, 1, "mail", "kafka/orders", Some("m-1"), (60, 5)).piece());
    let found = journeys(pieces);
    assert_eq!(found.len(), 2);
    for (n, journey) in (0..2).zip(&found) {
        assert_eq!(spans(journey), ids(&[(n, 1), (n, 2), (10 + n, 1)]));
        assert_eq!(journey.summary.events, 1, "{:?}", journey.items);
    }
}

#[test]
fn a_message_without_any_context_is_found_by_its_id() {
    let mut pieces = request(0, "web", "nats/orders", Some("m-1"));
    pieces.push(message("nats", "orders", "m-1", 2, None));
    pieces.push(message("nats", "orders", "m-2", 2, None));
    pieces.push(S::process(10, 1, "mail", "nats/orders", Some("m-1"), (50, 5)).piece());
    let found = journeys(pieces);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].summary.events, 1);
    assert_eq!(spans(&found[0]), ids(&[(0, 1), (0, 2), (10, 1)]));
}

#[test]
fn a_clock_three_seconds_off_is_shown_and_moves_nothing() {
    let mut pieces = request(0, "web", "nats/orders", None);
    pieces.push(S::process(10, 1, "mail", "nats/orders", None, (-3_000, 5)).link(0, 2).piece());
    let found = journeys(pieces);
    assert_eq!(found.len(), 1);
    let skew: Vec<&str> =
        found[0].marks.iter().filter(|m| m.kind == MarkKind::ClockSkew).map(|m| m.words.as_str()).collect();
    assert_eq!(skew, ["handled 3.0 s before it was sent: the clocks of web and mail differ"]);
    let handled = found[0].items.iter().find(|i| i.role == "consumer").expect("the handling");
    assert_eq!(handled.start, T0 - 3_000 * MS);
    assert_eq!(found[0].gaps[0].duration, -3_003 * MS);
}

#[test]
fn a_journey_may_last_more_than_a_day() {
    let day = 26 * 3_600_000;
    let mut pieces = request(0, "web", "nats/orders", None);
    pieces.push(S::process(10, 1, "mail", "nats/orders", None, (day, 5)).link(0, 2).piece());
    let found = journeys(pieces);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].summary.settled, Some((day + 5) * MS));
    assert_eq!(found[0].gaps[0].duration, (day - 3) * MS);
    assert!(found[0].gaps[0].critical);
}

#[test]
fn traces_that_answer_each_other_are_one_journey() {
    let mut pieces = request(5, "web", "nats/asked", None);
    pieces.push(S::process(1, 1, "prices", "nats/asked", None, (60, 5)).link(5, 2).piece());
    pieces.push(S::send(1, 2, "prices", "nats/answered", None, (62, 1)).below(1).piece());
    pieces.push(S::process(5, 3, "web", "nats/answered", None, (70, 2)).below(1).link(1, 2).piece());
    let found = journeys(pieces);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].summary.id, trace(5));
    assert_eq!(spans(&found[0]), ids(&[(5, 1), (5, 2), (5, 3), (1, 1), (1, 2)]));
}

#[test]
fn beyond_a_hub_each_trace_is_on_its_own() {
    let mut pieces = vec![S::internal(5_000, 1, "import", (0, 100_000)).piece()];
    for n in 0..1_001 {
        pieces.push(S::send(5_000, 10 + n, "import", "nats/rows", None, (i64::from(n), 1)).below(1).piece());
        pieces.push(S::process(n, 1, "load", "nats/rows", None, (i64::from(n) + 5, 1)).link(5_000, 10 + n).piece());
    }
    let once = write(&pieces, &[100]).journeys();
    assert_eq!(once.len(), 1_002);
    shuffle(&mut pieces, 7);
    let again = write(&pieces, &[333]).journeys();
    assert!(once == again);
}

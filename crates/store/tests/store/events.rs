//! Publications, deliveries, acknowledgements, notices.

use flowglass_model::filter::{Filter, View};
use flowglass_model::{Acknowledgement, Advisory};
use flowglass_store::{Added, EventFilter, EventRow};

use crate::build::{SECOND, Scratch, T0, delivery, message, settlement, span_id, stored, trace_id};

fn filter() -> EventFilter {
    EventFilter { limit: 100, ..EventFilter::default() }
}

fn by(text: &str) -> EventFilter {
    EventFilter { filter: Filter::parse(text, View::Events).unwrap(), ..filter() }
}

fn advisory(kind: &str, sequence: u64) -> Advisory {
    Advisory {
        kind: kind.into(),
        id: format!("{kind}-{sequence}"),
        subject: "$JS.EVENT.ADVISORY".into(),
        time: T0,
        stream: Some("ORDERS".into()),
        consumer: Some("billing".into()),
        stream_sequence: Some(sequence),
        deliveries: Some(5),
        body: "{}".into(),
    }
}

#[test]
fn a_publication_comes_back_as_it_was() {
    let mut w = Scratch::new();
    let mut m = stored(message("orders.placed", Some("e-1"), T0), "ORDERS", 1);
    m.payload = vec![0xff; 5_000];
    assert_eq!(w.message(&m), Added::New);
    let r = w.reader();
    let row = r.events(&filter()).unwrap().rows.remove(0);
    assert_eq!((row.message.headers.len(), row.message.payload.len(), row.occurrences), (0, 0, 1));
    let detail = r.event(row.row).unwrap().unwrap();
    assert_eq!(detail.message, m);
    assert_eq!(r.event(12_345).unwrap(), None);
    assert_eq!(r.events_of_traces(&[trace_id(1)]).unwrap(), [row]);
    w.write(|tx| {
        let refs = tx.messages_with_context(trace_id(1), span_id(1)).unwrap();
        assert_eq!((refs[0].time, refs[0].hop, refs[0].event_id.clone()), (T0, m.hop, m.event_id.clone()));
        assert_eq!(tx.messages_with_id("nats", "orders.placed", "e-1").unwrap(), refs);
        assert_eq!(tx.messages_with_id("kafka", "orders.placed", "e-1").unwrap(), []);
    });
}

#[test]
fn the_same_publication_twice_is_known() {
    let mut w = Scratch::new();
    let in_stream = stored(message("orders.placed", Some("e-1"), T0), "ORDERS", 1);
    let plain = message("orders.paid", None, T0);
    for (m, first) in [(&in_stream, Added::New), (&plain, Added::New)] {
        assert_eq!(w.message(m), first);
        assert_eq!(w.message(m), Added::Known);
    }
    let mut later = plain.clone();
    later.time += 1;
    assert_eq!(w.message(&later), Added::New, "same content at another time is another publication");
    let again = stored(message("orders.placed", Some("e-1"), T0 + 9 * SECOND), "ORDERS", 2);
    assert_eq!(w.message(&again), Added::Occurrence, "same source and id is the same event");
    let stats = w.reader().stats().unwrap();
    assert_eq!(stats.events, 3);
    let rows = w.reader().events(&by("subject:orders.placed")).unwrap();
    assert_eq!((rows.total, rows.rows[0].occurrences), (1, 2));
}

#[test]
fn offsets_of_two_topics_are_two_publications() {
    let mut w = Scratch::new();
    assert_eq!(w.message(&stored(message("a", None, T0), "partition-0", 5)), Added::New);
    assert_eq!(w.message(&stored(message("b", None, T0), "partition-0", 5)), Added::New);
}

#[test]
fn a_live_copy_and_a_backfilled_copy_are_one_publication() {
    let live = message("orders.placed", None, T0);
    let mut kept = stored(live.clone(), "ORDERS", 7);
    kept.time += 300_000_000;
    for order in [[&live, &kept], [&kept, &live]] {
        let mut w = Scratch::new();
        assert_eq!(w.message(order[0]), Added::New);
        assert_eq!(w.message(order[1]), Added::Known);
        assert_eq!((w.message(&live), w.message(&kept)), (Added::Known, Added::Known), "importing again");
        let row = w.reader().events(&filter()).unwrap().rows.remove(0);
        assert_eq!((row.message.sequence, row.occurrences), (Some(7), 1));
        let mut next = stored(live.clone(), "ORDERS", 8);
        next.time += SECOND;
        assert_eq!(w.message(&next), Added::New, "the copy is used up: another sequence is another publication");
        let mut far = live.clone();
        far.time += 60 * SECOND;
        assert_eq!(w.message(&far), Added::New);
    }
}

#[test]
fn deliveries_and_acknowledgements_become_facts_of_the_event() {
    let mut w = Scratch::new();
    w.message(&stored(message("orders.placed", Some("e-1"), T0), "ORDERS", 1));
    w.message(&stored(message("orders.placed", Some("e-2"), T0 + SECOND), "ORDERS", 2));
    let nak = settlement(1, Acknowledgement::Nak, T0 + 2);
    let ack = settlement(2, Acknowledgement::Ack, T0 + 4);
    let still = settlement(2, Acknowledgement::Progress, T0 + 5);
    w.write(|tx| {
        assert_eq!(tx.add_settlements(&[nak.clone(), nak.clone()]).unwrap(), [true, false], "before its delivery");
        let both = [delivery(1, 1, 1, T0 + 1), delivery(2, 1, 2, T0 + 3)];
        assert_eq!(tx.add_deliveries(&both).unwrap(), [true, true]);
        assert_eq!(tx.add_deliveries(&both).unwrap(), [false, false]);
        assert_eq!(tx.add_settlements(&[ack.clone(), still]).unwrap(), [true, true]);
    });
    let r = w.reader();
    let rows = r.events(&by("outcome:redelivered")).unwrap();
    assert_eq!((rows.total, rows.rows.len()), (1, 1));
    let row: &EventRow = &rows.rows[0];
    assert_eq!((row.deliveries, row.redelivered, row.dead_lettered), (2, true, false));
    let outcome = &row.outcome[0];
    assert_eq!((outcome.consumer.as_str(), outcome.deliveries, outcome.delivered), ("billing", 2, 2));
    assert_eq!(outcome.acknowledgement, Some(Acknowledgement::Ack));
    let detail = r.event(row.row).unwrap().unwrap();
    let told: Vec<_> = detail.deliveries.into_iter().map(|(d, s)| (d.delivered, s)).collect();
    assert_eq!(told, [(1, Some(nak)), (2, Some(ack))]);
    assert_eq!(r.events(&by("outcome:failed")).unwrap().total, 1);
    let alone = r.events(&by("outcome:unconsumed")).unwrap();
    assert_eq!(alone.rows[0].message.event_id.as_deref(), Some("e-2"));
    let destination = r.destinations(None, None).unwrap().remove(0);
    assert_eq!((destination.publications, destination.events, destination.last), (2, 2, Some(T0 + SECOND)));
    assert_eq!(destination.streams, ["ORDERS"]);
    let c = &destination.consumers[0];
    assert_eq!((c.deliveries, c.redeliveries, c.naks, c.terms, c.acks), (2, 1, 1, 0, 1));
}

#[test]
fn an_acknowledgement_alone_is_a_delivery_of_the_message_at_its_place() {
    let mut w = Scratch::new();
    w.message(&stored(message("orders.placed", Some("e-1"), T0), "ORDERS", 1));
    w.write(|tx| tx.add_settlements(&[settlement(1, Acknowledgement::Ack, T0)]).unwrap());
    let r = w.reader();
    assert_eq!(r.events(&filter()).unwrap().rows[0].deliveries, 1);
    assert_eq!(r.destinations(None, None).unwrap()[0].consumers[0].acks, 1);
}

#[test]
fn deliveries_without_a_stored_sequence_are_related_by_event_id() {
    let mut w = Scratch::new();
    w.message(&message("orders.placed", Some("e-1"), T0));
    let mut d = delivery(1, 99, 1, T0);
    d.event_id = Some("e-1".into());
    let mut other = delivery(2, 100, 1, T0);
    other.event_id = Some("e-9".into());
    w.write(|tx| tx.add_deliveries(&[d.clone(), other]).unwrap());
    let r = w.reader();
    let row = r.events(&filter()).unwrap().rows.remove(0);
    assert_eq!(r.event(row.row).unwrap().unwrap().deliveries, [(d, None)]);
}

#[test]
fn notices_that_a_broker_gave_up_mark_the_event() {
    let mut w = Scratch::new();
    w.message(&stored(message("orders.placed", Some("e-1"), T0), "ORDERS", 1));
    w.message(&stored(message("orders.placed", Some("e-2"), T0), "ORDERS", 2));
    let (gave_up, nak) = (advisory("max_deliver", 1), advisory("nak", 2));
    let notices = [gave_up.clone(), gave_up.clone(), nak];
    assert_eq!(w.write(|tx| tx.add_advisories(&notices).unwrap()), [true, false, true]);
    let r = w.reader();
    let dead: Vec<_> = r.events(&filter()).unwrap().rows.iter().map(|e| (e.row, e.dead_lettered)).collect();
    assert_eq!(dead, [(2, false), (1, true)]);
    assert_eq!(r.events(&by("outcome:failed")).unwrap().total, 1);
    assert_eq!(r.event(1).unwrap().unwrap().advisories, [gave_up]);
}

#[test]
fn what_failed_is_the_same_in_all_of_the_time_and_bit_by_bit() {
    let mut w = Scratch::new();
    for n in 1..=60 {
        let destination = if n % 11 == 0 { "orders.dlq" } else { "orders.placed" };
        let mut m = message(destination, Some(&format!("e-{n}")), T0 + n as i64 * SECOND);
        if n % 3 != 0 {
            m = stored(m, "ORDERS", n);
        }
        w.message(&m);
    }
    // A second publication of an event counts for the first.
    w.message(&stored(message("orders.placed", Some("e-1"), T0 + 40 * SECOND), "ORDERS", 90));
    w.write(|tx| {
        for n in 1..=60 {
            let mut d = delivery(n, if n == 7 { 90 } else { n }, 1 + u32::from(n % 5 == 0), T0 + n as i64 * SECOND);
            d.event_id = (n % 3 == 0).then(|| format!("e-{n}"));
            tx.add_deliveries(&[d]).unwrap();
            let said = match n % 7 {
                0 => Acknowledgement::Nak,
                1 => Acknowledgement::Term,
                _ => Acknowledgement::Ack,
            };
            tx.add_settlements(&[settlement(n, said, T0 + n as i64 * SECOND)]).unwrap();
        }
        tx.add_advisories(&[advisory("max_deliver", 4), advisory("nak", 5), advisory("terminated", 90)]).unwrap();
    });
    let r = w.reader();
    for text in [
        "outcome:failed",
        "outcome:nak",
        "outcome:dead-lettered",
        "outcome:redelivered",
        "outcome:nak,redelivered",
        "outcome:acked",
        "retried:true",
        "deadlettered:true",
        "outcome:failed -outcome:redelivered",
        "outcome:failed subject:orders.placed",
    ] {
        let wanted = EventFilter { dead: ["nats/orders.dlq".to_owned()].into(), limit: 1_000, ..by(text) };
        let wide = r.events(&wanted).unwrap();
        let mut bits = Vec::new();
        for second in (0..=60).rev().step_by(3) {
            let (since, until) = (T0 + (second - 2) * SECOND, T0 + (second + 1) * SECOND);
            bits.extend(
                r.events(&EventFilter { since: Some(since), until: Some(until), ..wanted.clone() }).unwrap().rows,
            );
        }
        assert!(!wide.rows.is_empty(), "{text}");
        assert_eq!(
            wide.rows.iter().map(|e| e.row).collect::<Vec<_>>(),
            bits.iter().map(|e| e.row).collect::<Vec<_>>(),
            "{text}"
        );
        assert_eq!(wide.total, bits.len() as u64, "{text}");
        let page = r.events(&EventFilter { limit: 2, ..wanted }).unwrap();
        assert_eq!((page.total, page.rows), (wide.total, wide.rows[..2.min(wide.rows.len())].to_vec()), "{text}");
    }
    // Counted in the index of destinations, and in that of times.
    let (all, part) = (r.destinations(None, None).unwrap(), r.destinations(Some(T0), Some(T0 + 100 * SECOND)).unwrap());
    assert_eq!(all, part);
}

#[test]
fn pages_filters_and_the_live_tail() {
    let mut w = Scratch::new();
    for n in 0..10u64 {
        let id = format!("e-{n}");
        let destination = if n % 2 == 0 { "orders.placed" } else { "orders_paid" };
        w.message(&message(destination, Some(&id), T0 + n as i64 * SECOND));
    }
    let r = w.reader();
    let ids = |f: EventFilter| -> Vec<String> {
        r.events(&f).unwrap().rows.into_iter().filter_map(|e| e.message.event_id).collect()
    };
    let first = r.events(&EventFilter { limit: 3, ..filter() }).unwrap();
    assert_eq!((first.total, first.rows.len()), (10, 3));
    let before = Some(first.rows[2].row);
    assert_eq!(ids(EventFilter { limit: 2, before, ..filter() }), ["e-6", "e-5"]);
    assert_eq!(ids(EventFilter { after: Some(8), ..filter() }), ["e-9", "e-8"]);
    assert_eq!(ids(EventFilter { limit: 2, ..by("subject:orders.*") }), ["e-8", "e-6"]);
    assert_eq!(ids(EventFilter { limit: 1, ..by("subject:orders_paid") }), ["e-9"]);
    assert_eq!(ids(by("E-4")), ["e-4"]);
    assert_eq!(ids(by("%")), [""; 0]);
    assert_eq!(ids(EventFilter { since: Some(T0 + SECOND), until: Some(T0 + 3 * SECOND), ..filter() }), ["e-2", "e-1"]);
    assert_eq!(ids(by("type:Other")), [""; 0]);
    assert_eq!(ids(by("id:e-4,e-5 -subject:*_paid")), ["e-4"]);
    assert_eq!(ids(EventFilter { limit: 2, ..by("-id:e-9 system:nats") }), ["e-8", "e-7"]);
    let page = r.events(&EventFilter { limit: 2, ..by("e-* -e-9") }).unwrap();
    assert_eq!((page.rows.len(), page.total, page.stopped), (2, 9, None));
    let around = |f: EventFilter| -> (Option<i64>, Option<i64>) {
        let (since, until) = (Some(T0 + 5 * SECOND), Some(T0 + 6 * SECOND));
        let (before, after) = r.nearest_events(&EventFilter { since, until, ..f }).unwrap();
        (before.map(|t| (t - T0) / SECOND), after.map(|t| (t - T0) / SECOND))
    };
    assert_eq!(around(filter()), (Some(4), Some(6)));
    assert_eq!(around(by("subject:orders_paid")), (Some(3), Some(7)), "decided by the database");
    assert_eq!(around(by("e-9")), (None, Some(9)), "decided by looking");
}

//! What is going on, what waits and what is lacking, as of an instant.

use std::collections::BTreeSet;

use flowglass_studio::model::{Acknowledgement, Delivery, DeliveryKey, Journey, JourneyState, Message, Settlement};
use flowglass_studio::store::JourneyFilter;

use crate::scene::{MS, S, T0, message, trace};
use crate::support::{Piece, Written, write};

/// Requests of which all but the last are handled within 50 ms.
fn orders(n: u32) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for i in 0..n {
        let at = i64::from(i) * 100;
        pieces.push(S::server(i, 1, "web", (at, 8)).piece());
        pieces.push(S::send(i, 2, "web", "nats/orders", None, (at + 1, 2)).below(1).piece());
        if i + 1 < n {
            pieces.push(S::process(1_000 + i, 1, "mail", "nats/orders", None, (at + 50, 5)).link(i, 2).piece());
        }
    }
    pieces
}

fn judged(written: &Written, id: u32, now: i64) -> (Journey, Vec<String>) {
    let mut journey = written.journey(trace(id));
    let lacking = written.workspace.judge_journey(&mut journey, now).expect("judged");
    (journey, lacking)
}

#[test]
fn what_nearly_all_have_and_one_has_not_is_lacking() {
    let written = write(&orders(41), &[30]);
    let last = T0 + 4_003 * MS;
    let (journey, _) = judged(&written, 40, last + 1_000 * MS);
    assert_eq!(journey.summary.state, JourneyState::InProgress, "it may still come");
    let (journey, lacking) = judged(&written, 40, last + 40_000 * MS);
    assert_eq!(journey.summary.state, JourneyState::Incomplete);
    assert_eq!(lacking.len(), 1);
    let (before, within) = lacking[0].split_once(" within ").expect("a time");
    assert_eq!(before, "40 of 41 such journeys have mail handling orders");
    assert!(within.ends_with("ms; this one does not after 40 s"), "{within}");
    let (journey, lacking) = judged(&written, 3, last + 40_000 * MS);
    assert_eq!((journey.summary.state, lacking), (JourneyState::Ok, Vec::new()));

    // The list says the same, and can be asked for it.
    let asked = |state| JourneyFilter {
        now: Some(last + 40_000 * MS),
        state: Some(vec![state]),
        limit: 100,
        ..JourneyFilter::default()
    };
    let page = written.workspace.journeys(&asked(JourneyState::Incomplete)).expect("listed");
    assert_eq!(page.rows.iter().map(|r| r.id).collect::<Vec<_>>(), [trace(40)]);
    assert_eq!(page.by_state, [(JourneyState::Ok, 40), (JourneyState::Incomplete, 1)]);
    assert_eq!(page.rows[0].state, JourneyState::Incomplete);
}

#[test]
fn of_few_journeys_nothing_is_expected() {
    let written = write(&orders(15), &[30]);
    let (journey, lacking) = judged(&written, 14, T0 + 60_000 * MS);
    assert_eq!((journey.summary.state, lacking), (JourneyState::Ok, Vec::new()));
}

fn stored(sequence: u64, at: i64, of: u32) -> Piece {
    let Piece::Message(m) = message("nats", "orders", &format!("m-{sequence}"), at, Some((of, 2))) else {
        unreachable!()
    };
    Piece::Message(Message { stream: Some("ORDERS".into()), sequence: Some(sequence), ..m })
}

fn delivered(sequence: u64, consumer_sequence: u64, delivered: u32, at: i64) -> (Delivery, DeliveryKey) {
    let key = DeliveryKey { stream: "ORDERS".into(), consumer: "mail".into(), consumer_sequence };
    let delivery = Delivery {
        system: "nats".into(),
        key: key.clone(),
        destination: Some("orders".into()),
        stream_sequence: sequence,
        delivered,
        time: T0 + at * MS,
        event_id: None,
    };
    (delivery, key)
}

fn said(key: DeliveryKey, sequence: u64, number: u32, acknowledgement: Acknowledgement, at: i64) -> Piece {
    let time = T0 + at * MS;
    Piece::Settlement(Settlement { key, stream_sequence: sequence, delivered: number, time, acknowledgement })
}

#[test]
fn what_a_consumer_has_not_handled_waits() {
    let mut pieces = Vec::new();
    for n in 0..6u32 {
        let at = i64::from(n) * 1_000;
        pieces.push(S::server(n, 1, "web", (at, 8)).piece());
        pieces.push(S::send(n, 2, "web", "nats/orders", None, (at + 1, 2)).below(1).piece());
        pieces.push(stored(u64::from(n) + 1, at + 2, n));
    }
    // 1 and 3 acknowledged, 2 refused once, given again and refused again; 4 given without an answer; 5 and 6 never given.
    for (sequence, consumer_sequence, number, at, answer) in [
        (1, 1, 1, 10, Some(Acknowledgement::Ack)),
        (2, 2, 1, 1_010, Some(Acknowledgement::Nak)),
        (3, 3, 1, 2_010, Some(Acknowledgement::Ack)),
        (2, 4, 2, 2_510, Some(Acknowledgement::Nak)),
        (4, 5, 1, 3_010, None),
    ] {
        let (delivery, key) = delivered(sequence, consumer_sequence, number, at);
        pieces.push(Piece::Delivery(delivery));
        pieces.extend(answer.map(|a| said(key, sequence, number, a, at + 5)));
    }
    let written = write(&pieces, &[7]);
    let page = written.workspace.read(|r| r.waiting()).expect("asked");
    let rows: Vec<_> =
        page.rows.iter().map(|w| (w.message.sequence.unwrap_or(0), w.delivered, w.before, w.acknowledgement)).collect();
    assert_eq!(rows, [(2, 2, 0, Some(Acknowledgement::Nak)), (4, 1, 0, None), (5, 0, 0, None), (6, 0, 1, None)]);
    assert_eq!(page.total, 4);
    assert_eq!(page.rows[0].redelivery, Some(T0 + (2_510 + 1_500) * MS), "by the gap between the deliveries before");
    assert_eq!(page.rows[2].pace, Some(1.0));
    let journeys =
        written.workspace.journeys(&JourneyFilter { now: Some(T0 + 9_000 * MS), limit: 10, ..Default::default() });
    let waiting: BTreeSet<_> = journeys
        .expect("listed")
        .rows
        .into_iter()
        .filter(|j| j.state == JourneyState::InProgress)
        .map(|j| j.id)
        .collect();
    assert_eq!(waiting, [1, 3, 4, 5].map(trace).into());
}

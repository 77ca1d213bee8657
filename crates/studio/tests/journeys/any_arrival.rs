//! However telemetry arrives (in any order, in any batches, some of it twice), the journeys are the same.

use flowglass_studio::model::ContextFormat;
use proptest::prelude::*;

use crate::scene::{S, message};
use crate::support::{Piece, write};

/// What one handled message may be told by.
#[derive(Debug, Clone, Copy)]
enum Told {
    Link,
    Id,
    Correlation,
    Cause,
    Nothing,
}

/// A request, and what followed from it.
#[derive(Debug, Clone)]
struct Act {
    told: Told,
    /// One of few correlation ids, so that some are shared.
    id: u8,
    /// Milliseconds until the message is handled.
    later: i64,
    /// Whether the message itself was seen, and with its context.
    seen: Option<bool>,
    format: ContextFormat,
    /// Whether the handler sends on.
    sends: bool,
    /// Whether the first span never arrives.
    headless: bool,
}

fn act() -> impl Strategy<Value = Act> {
    let told =
        prop_oneof![Just(Told::Link), Just(Told::Id), Just(Told::Correlation), Just(Told::Cause), Just(Told::Nothing)];
    let format = prop_oneof![Just(ContextFormat::W3c), Just(ContextFormat::B3)];
    (told, 0u8..4, -20i64..400, any::<Option<bool>>(), format, any::<bool>(), prop::bool::weighted(0.1)).prop_map(
        |(told, id, later, seen, format, sends, headless)| Act { told, id, later, seen, format, sends, headless },
    )
}

fn changed(piece: Piece, change: impl FnOnce(&mut flowglass_studio::model::Message)) -> Piece {
    let Piece::Message(mut m) = piece else { return piece };
    change(&mut m);
    Piece::Message(m)
}

fn pieces(acts: &[Act]) -> Vec<Piece> {
    let mut out = Vec::new();
    for (n, act) in (0u32..).zip(acts) {
        let (at, correlation) = (i64::from(n) * 30, format!("corr-{}", act.id));
        let (first, second) = (format!("e-{n}"), format!("f-{n}"));
        if !act.headless {
            out.push(S::server(n, 1, "web", (at, 40)).key("correlationId", &correlation).piece());
        }
        let named = matches!(act.told, Told::Id | Told::Cause).then_some(first.as_str());
        out.push(S::send(n, 2, "web", "nats/orders", named, (at + 2, 2)).below(1).piece());
        if let Some(with_context) = act.seen {
            let sent = message("nats", "orders", &first, at + 3, with_context.then_some((n, 2)));
            out.push(changed(sent, |m| {
                m.hop_format = act.format;
                m.correlation_id = Some(correlation.clone());
            }));
        }
        let handler = 100 + n;
        let named = matches!(act.told, Told::Id).then_some(first.as_str());
        let mut process = S::process(handler, 1, "mail", "nats/orders", named, (at + 4 + act.later, 6));
        match act.told {
            Told::Link => process = process.link(n, 2),
            Told::Correlation => process = process.key("correlationId", &correlation),
            _ => {}
        }
        out.push(process.piece());
        if act.sends {
            let send = S::send(handler, 2, "mail", "nats/mailed", Some(&second), (at + 6 + act.later, 1)).below(1);
            out.push(send.piece());
            let sent = message("nats", "mailed", &second, at + 7 + act.later, Some((handler, 2)));
            let cause = matches!(act.told, Told::Cause).then(|| first.clone());
            out.push(changed(sent, |m| m.causation_id = cause));
            out.push(S::process(200 + n, 1, "audit", "nats/mailed", Some(&second), (at + 50 + act.later, 3)).piece());
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_arrival_changes_nothing(
        acts in prop::collection::vec(act(), 1..9),
        keys in prop::collection::vec(any::<u32>(), 80),
        sizes in prop::collection::vec(1usize..9, 1..5),
        again in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let all = pieces(&acts);
        let once = write(&all, &[usize::MAX]);
        let mut turned: Vec<Piece> = all.clone();
        turned.extend(again.iter().map(|i| all[i.index(all.len())].clone()));
        let mut order: Vec<usize> = (0..turned.len()).collect();
        order.sort_by_key(|i| (keys[i % keys.len()].rotate_left(*i as u32), *i));
        let turned: Vec<Piece> = order.into_iter().map(|i| turned[i].clone()).collect();
        let other = write(&turned, &sizes);
        let (expected, found) = (once.journeys(), other.journeys());
        prop_assert_eq!(&found, &expected);
        for journey in &found {
            let id = journey.summary.id;
            let stored = other.workspace.read(|r| r.journey_summary(id)).expect("stored").expect("there");
            prop_assert_eq!(&stored, &journey.summary, "the list says what the journey says");
        }
    }
}

//! Figures per bucket: added, taken back, summed over ranges.

use std::sync::Arc;

use flowglass_model::{Delta, InteractionKind, NodeId, SeriesKey, UnresolvedReason};
use flowglass_store::{Access, SeriesFilter, Writer};

use crate::build::{SECOND, Scratch, T0};

fn edge(target: &str) -> SeriesKey {
    SeriesKey::Edge { kind: InteractionKind::Call, source: "service:a".into(), target: target.into() }
}

fn delta(key: SeriesKey, at: i64, count: i64, error: bool) -> Delta {
    Delta { key: key.into(), at, count, error, duration: Some(20_000_000) }
}

#[test]
fn every_kind_of_series_comes_back() {
    let mut w = Scratch::new();
    let (node, topic): (NodeId, NodeId) = ("service:a@prod".into(), "topic:nats/t".into());
    let mut keys = vec![
        edge("service:b"),
        SeriesKey::Entry { source: "consumer:browser".into(), target: node.clone(), operation: "POST /x".into() },
        SeriesKey::Operation { participant: node.clone(), operation: "POST /x".into() },
        SeriesKey::Address { address: "b:80".into(), participant: node.clone() },
        SeriesKey::Group { topic: topic.clone(), group: "g".into(), participant: node.clone() },
        SeriesKey::Delivered { topic: topic.clone(), consumer: "c".into() },
        SeriesKey::Unresolved { participant: node.clone(), reason: UnresolvedReason::PeerIsAddress },
        SeriesKey::Declared { participant: node.clone(), layer: "process".into() },
    ];
    let deltas: Vec<Delta> = keys.iter().map(|k| delta(k.clone(), T0, 1, false)).collect();
    w.write(|tx| tx.apply(&deltas).unwrap());
    let found: Vec<SeriesKey> = w.reader().series(None, None).unwrap().into_iter().map(|s| s.key).collect();
    keys.sort();
    assert_eq!(found, keys);
    let seen: Vec<String> = w.reader().participants_seen().unwrap().into_iter().map(|(n, ..)| n.to_string()).collect();
    assert_eq!(seen, ["consumer:browser", "service:a", "service:a@prod", "service:b", "topic:nats/t"]);
}

#[test]
fn what_is_taken_back_is_gone() {
    let mut w = Scratch::new();
    w.write(|tx| tx.apply(&[delta(edge("external:b"), T0, 1, true), delta(edge("service:b"), T0, 2, true)]).unwrap());
    // After a restart, so that rows are read back rather than remembered.
    drop(w.writer);
    w.writer = Writer::open(&w.path, Access::Open).unwrap();
    w.write(|tx| {
        tx.apply(&[delta(edge("external:b"), T0, -1, true), delta(edge("service:b"), T0, -1, false)]).unwrap()
    });
    let sums = w.reader().series(None, None).unwrap();
    assert_eq!(sums.len(), 1);
    assert_eq!((sums[0].count, sums[0].errors, sums[0].sketch.count()), (1, 2, 1));
    let seen = w.reader().participants_seen().unwrap();
    assert!(!seen.iter().any(|(n, ..)| n.as_str() == "external:b"), "{seen:?}");
    w.write(|tx| tx.apply(&[delta(edge("external:b"), T0 + 60 * SECOND, 1, false)]).unwrap());
    assert_eq!(w.reader().series(None, None).unwrap()[0].count, 1, "and may come back");
}

#[test]
fn a_transaction_that_is_dropped_leaves_nothing() {
    let mut w = Scratch::new();
    w.write(|tx| tx.apply(&[delta(edge("service:b"), T0, 1, false)]).unwrap());
    let mut tx = w.writer.begin().unwrap();
    tx.apply(&[delta(edge("service:b"), T0, 5, false), delta(edge("service:c"), T0, 1, false)]).unwrap();
    tx.add_spans(&[crate::build::span(1, 1, T0)]).unwrap();
    drop(tx);
    w.write(|tx| tx.apply(&[delta(edge("service:b"), T0, 1, false)]).unwrap());
    let sums = w.reader().series(None, None).unwrap();
    assert_eq!(sums.iter().map(|s| s.count).collect::<Vec<_>>(), [2]);
    assert_eq!(w.reader().stats().unwrap().spans, 0);
}

#[test]
fn a_range_takes_the_buckets_that_start_in_it() {
    let mut w = Scratch::new();
    // One call in every bucket of 10 s for 20 hours: all levels take part.
    let deltas: Vec<Delta> =
        (0..7_200).map(|i| delta(edge("service:b"), T0 + (i * 10 + 3) * SECOND, 1, i % 2 == 0)).collect();
    w.write(|tx| tx.apply(&deltas).unwrap());
    let r = w.reader();
    let count = |from: Option<i64>, to: Option<i64>| {
        let since = from.map(|s| T0 + s * SECOND);
        r.series(since, to.map(|s| T0 + s * SECOND)).unwrap().first().map_or(0, |s| s.count)
    };
    assert_eq!(count(None, None), 7_200);
    assert_eq!(count(Some(0), Some(72_000)), 7_200);
    assert_eq!(count(Some(0), Some(10)), 1);
    assert_eq!(count(Some(1), Some(10)), 0, "the bucket starts before the range");
    assert_eq!(count(Some(10), Some(11)), 1, "a bucket belongs to the range its start lies in");
    assert_eq!(count(Some(130), Some(71_990)), 7_186);
    assert_eq!(count(Some(28_800), None), 4_320);
    assert_eq!(count(None, Some(600)), 60);
    let part = r.series(Some(T0 + 100 * SECOND), Some(T0 + 200 * SECOND)).unwrap().remove(0);
    assert_eq!((part.first, part.last, part.errors), (T0 + 100 * SECOND, T0 + 200 * SECOND, 5));
    assert!((part.sketch.quantile(0.5).unwrap() - 2e7).abs() < 1e5);
    let nearest = |since, until, wanted: bool| r.nearest_series(Some(since), Some(until), &|_| wanted).unwrap();
    assert_eq!(nearest(T0 + 500 * SECOND, T0 + 505 * SECOND, true), (Some(T0 + 490 * SECOND), Some(T0 + 510 * SECOND)));
    assert_eq!(nearest(T0 + 500 * SECOND, T0 + 505 * SECOND, false), (None, None), "of other series");
    assert_eq!(nearest(T0, T0 + 72_000 * SECOND, true), (None, None));
}

#[test]
fn a_timeline_adds_up_to_the_sum() {
    let mut w = Scratch::new();
    let deltas: Vec<Delta> = (0..360).map(|i| delta(edge("service:b"), T0 + i * 10 * SECOND, 1, false)).collect();
    w.write(|tx| tx.apply(&deltas).unwrap());
    let r = w.reader();
    let filter =
        SeriesFilter::Edge { source: "service:a".into(), target: "service:b".into(), kind: InteractionKind::Call };
    for (buckets, each) in [(1, 360), (6, 60), (36, 10), (360, 1)] {
        let bars = r.timeline(&filter, None, None, buckets).unwrap();
        assert_eq!(bars.iter().map(|b| b.count).collect::<Vec<_>>(), vec![each; buckets]);
        assert_eq!(bars[0].start, T0);
    }
    let bars = r.timeline(&filter, Some(T0 - 100 * SECOND), Some(T0 + 100 * SECOND), 2).unwrap();
    assert_eq!(bars.iter().map(|b| b.count).collect::<Vec<_>>(), [0, 10]);
    let operations = SeriesFilter::Operations { noise: Vec::new(), environment: None };
    assert_eq!(r.timeline(&operations, None, None, 10).unwrap(), []);
}

#[test]
fn a_timeline_leaves_out_noise_and_other_environments() {
    let operation = |participant: &str, operation: &str| {
        delta(SeriesKey::Operation { participant: participant.into(), operation: operation.into() }, T0, 1, false)
    };
    let mut w = Scratch::new();
    let deltas = [
        operation("service:orders@prod", "POST /orders"),
        operation("service:orders@prod", "GET /healthz"),
        operation("service:orders@test", "POST /orders"),
    ];
    w.write(|tx| tx.apply(&deltas).unwrap());
    let count = |noise: &[&str], environment: Option<&str>| {
        let noise = noise.iter().map(|n| (*n).to_owned()).collect();
        let filter = SeriesFilter::Operations { noise, environment: environment.map(str::to_owned) };
        w.reader().timeline(&filter, None, None, 1).unwrap()[0].count
    };
    assert_eq!([count(&[], None), count(&["*/healthz"], None), count(&["*/healthz"], Some("prod"))], [3, 2, 1]);
}

/// Ten spans in every 10 s of some hours, for each of so many series.
fn hours_of(w: &mut Scratch, series: u64, hours: i64) {
    for hour in 0..hours {
        let of = |n: u64| {
            let participant = format!("service:s{n}").into();
            let key = Arc::new(SeriesKey::Operation { participant, operation: "POST /orders".into() });
            (0..3_600).map(move |i: i64| Delta {
                key: key.clone(),
                at: T0 + (hour * 3_600 + i) * SECOND,
                count: 1,
                error: i % 10 == 9,
                duration: Some(2_000_000 + (hour * 7_919 + i * 104_729 + n as i64) % 30_000_000),
            })
        };
        w.write(|tx| {
            tx.apply(&(0..series).flat_map(of).collect::<Vec<_>>()).unwrap();
        });
    }
}

#[test]
fn the_room_of_figures_is_known_without_reading_them() {
    let mut w = Scratch::new();
    hours_of(&mut w, 20, 2);
    let before = w.reader().space().unwrap();
    hours_of(&mut w, 20, 24);
    let space = w.reader().space().unwrap();
    let (told, taken) = (space.figures.bytes - before.figures.bytes, space.used - before.used);
    println!("{:.2} MB a day and series; {told} bytes told", taken as f64 / 20.0 / 1e6 / 22.0 * 24.0);
    assert!((told as f64 / taken as f64 - 1.0).abs() < 0.25, "{told} told, {taken} taken");
}

/// An instant so many minutes after the first midnight (UTC) behind T0.
fn minute(n: i64) -> i64 {
    (T0 / (86_400 * SECOND) + 1) * 86_400 * SECOND + n * 60 * SECOND
}

/// Figures of two series, one each so many minutes, for some days.
fn days_of(w: &mut Scratch, days: i64, every: i64) {
    let at = (0..days * 1_440).step_by(every as usize).map(minute);
    let deltas: Vec<_> =
        at.flat_map(|t| ["b", "c"].map(|n| delta(edge(&format!("service:{n}")), t, 1, n == "c"))).collect();
    w.write(|tx| tx.apply(&deltas).unwrap());
}

fn thin_all(w: &mut Scratch) -> usize {
    let mut steps = 0;
    loop {
        let mut more = false;
        w.write(|tx| more = tx.thin_figures(17).unwrap());
        if !more {
            return steps;
        }
        steps += 1;
    }
}

fn counts(w: &Scratch, from: i64, to: i64) -> Vec<(i64, i64)> {
    w.reader().series(Some(minute(from)), Some(minute(to))).unwrap().iter().map(|s| (s.count, s.errors)).collect()
}

#[test]
fn figures_of_long_ago_are_kept_in_longer_steps() {
    let mut w = Scratch::new();
    days_of(&mut w, 3, 1);
    let (early, late) =
        ([(0, 4_320), (0, 1_440), (480, 960), (130, 170), (700, 1_900)], [(3_000, 3_001), (2_881, 4_319)]);
    let ask = |w: &Scratch| early.iter().chain(&late).map(|(from, to)| counts(w, *from, *to)).collect::<Vec<_>>();
    let bars = |w: &Scratch| {
        let filter =
            SeriesFilter::Edge { source: "service:a".into(), target: "service:b".into(), kind: InteractionKind::Call };
        let bars = w.reader().timeline(&filter, Some(minute(0)), Some(minute(1_440)), 48).unwrap();
        bars.iter().map(|bar| bar.count).collect::<Vec<_>>()
    };
    let (before, drawn, space) = (ask(&w), bars(&w), w.reader().space().unwrap());
    assert!(thin_all(&mut w) > 100, "in small steps");
    assert_eq!((ask(&w), bars(&w)), (before.clone(), drawn));
    assert!(w.reader().space().unwrap().figures.bytes * 2 < space.figures.bytes);
    let figures = w.reader().space().unwrap().figures;
    let fine = figures.fine_from.unwrap();
    assert!(
        (minute(2_860)..=minute(2_890)).contains(&fine) && figures.middle_from.is_none(),
        "a day stays: {figures:?}"
    );
    let step = |at: i64| w.reader().finest_step(at).unwrap() / SECOND;
    assert_eq!([step(minute(0)), step(fine - 1), step(fine)], [600, 600, 10]);
    assert_eq!(counts(&w, 131, 132), [], "where there are 10 minutes only, a minute has no figures");
    let wanted = |key: &SeriesKey| key.as_edge().is_some();
    let around = w.reader().nearest_series(Some(minute(137)), Some(minute(133)), &wanted).unwrap();
    assert_eq!(around, (Some(minute(130)), Some(minute(140))));
    let beyond = w.reader().nearest_series(Some(minute(9_000)), Some(minute(-9)), &wanted).unwrap();
    assert_eq!(beyond, (Some(minute(4_319)), Some(minute(0))));
    // What comes late, and what is taken back, counts in the steps that there are; after a restart, too.
    drop(w.writer);
    w.writer = Writer::open(&w.path, Access::Open).unwrap();
    for count in [1, -1] {
        w.write(|tx| tx.apply(&[delta(edge("service:b"), minute(133), count, false)]).unwrap());
        let expected = if count == 1 { vec![(1_441, 0), (1_440, 1_440)] } else { before[1].clone() };
        assert_eq!(counts(&w, 0, 1_440), expected);
    }
    let seen = w.reader().participants_seen().unwrap();
    w.write(|tx| tx.tidy().unwrap());
    assert_eq!((w.reader().participants_seen().unwrap(), ask(&w)), (seen, before));
    drop(w.writer);
    let checked = flowglass_store::check(&w.path, &mut |_| true).unwrap().unwrap();
    assert!(checked.problems.is_empty(), "{:?}", checked.problems);
}

#[test]
fn figures_of_months_ago_are_kept_in_steps_of_hours() {
    let mut w = Scratch::new();
    days_of(&mut w, 40, 30);
    let ask =
        |w: &Scratch| [(0, 57_600), (0, 480), (960, 2_400), (14_400, 14_410)].map(|(from, to)| counts(w, from, to));
    let before = ask(&w);
    thin_all(&mut w);
    assert_eq!(ask(&w), before);
    let figures = w.reader().space().unwrap().figures;
    assert_eq!(figures.middle_from, Some(minute(9 * 1_440 + 960)), "30 days stay, from a step of 8 h on");
    assert_eq!(w.reader().finest_step(minute(0)).unwrap(), 8 * 3_600 * SECOND);
    assert_eq!(thin_all(&mut w), 0);
}

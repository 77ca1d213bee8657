//! Figures per bucket: added, taken back, summed over ranges.

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

/// `cargo nextest run --workspace --run-ignored only --no-capture -E 'test(what_a_day_of_figures_takes)'` tells how much room the
/// figures of a day take, for each series that has something in every ten seconds; figures for people, nothing is judged.
#[test]
#[ignore = "measures"]
fn what_a_day_of_figures_takes() {
    const SERIES: u64 = 20;
    const DAY: i64 = 24 * 3_600;
    let mut w = Scratch::new();
    let mut bytes = Vec::new();
    for day in 0..3 {
        for second in (0..DAY).step_by(10) {
            let at = T0 + (day * DAY + second) * SECOND;
            w.write(|tx| {
                let of = |n: u64| {
                    let key = SeriesKey::Operation {
                        participant: format!("service:s{n}").into(),
                        operation: "POST /orders".into(),
                    };
                    (0..10).map(move |i: i64| Delta {
                        key: key.clone().into(),
                        at: at + i * 100_000_000,
                        count: 1,
                        error: i == 9,
                        duration: Some(2_000_000 + (second * 7_919 + i * 104_729 + n as i64) % 30_000_000),
                    })
                };
                tx.apply(&(0..SERIES).flat_map(of).collect::<Vec<_>>()).unwrap();
            });
        }
        bytes.push(w.reader().space().unwrap().used);
    }
    let per_day = (bytes[2] - bytes[1]) as f64 / SERIES as f64;
    println!("{:.2} MB a day and series with ten spans in every 10 s; {bytes:?} bytes after each day", per_day / 1e6);
}

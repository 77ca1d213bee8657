//! Spans and log records: what goes in comes out, and is found.

use std::collections::BTreeSet;

use flowglass_model::filter::{Filter, View};
use flowglass_model::{LinkHow, SpanKind, TraceJoin};
use flowglass_store::{FindHit, LogFilter};

use crate::build::{SECOND, Scratch, T0, log, process_span, span, span_id, trace_id};

#[test]
fn a_span_comes_back_as_it_was() {
    let mut w = Scratch::new();
    let (first, second) = (span(1, 1, T0), span(1, 2, T0 + 1));
    let other = span(2, 3, T0);
    w.write(|tx| {
        tx.add_spans(&[second.clone(), other.clone(), first.clone()]).unwrap();
        let inside: BTreeSet<_> = tx.trace_facts(trace_id(1)).unwrap().into_iter().map(|f| f.span_id).collect();
        assert_eq!(inside, BTreeSet::from([span_id(1), span_id(2)]), "a transaction sees what it wrote");
    });
    let r = w.reader();
    assert_eq!(r.trace(trace_id(1)).unwrap(), [first.clone(), second.clone()]);
    assert_eq!(r.trace_facts(trace_id(2)).unwrap(), std::slice::from_ref(&*other.facts));
    assert_eq!(r.span(trace_id(1), span_id(2), None).unwrap(), Some(second));
    assert_eq!(r.span(trace_id(1), span_id(1), Some(SpanKind::Client)).unwrap(), None);
    assert_eq!(r.trace(trace_id(9)).unwrap(), []);
    let stats = r.stats().unwrap();
    assert_eq!((stats.spans, stats.traces, stats.oldest, stats.newest), (3, 2, Some(T0), Some(T0 + 1)));
}

#[test]
fn many_small_commits_are_packed_and_nothing_is_lost() {
    let mut w = Scratch::new();
    for i in 0..700u64 {
        w.write(|tx| tx.add_spans(&[span(i % 50, i, T0 + i as i64), span(1_000 + i, 10_000 + i, T0)]).unwrap());
    }
    let r = w.reader();
    assert_eq!((r.stats().unwrap().spans, r.stats().unwrap().traces), (1_400, 750));
    for t in 0..50 {
        let ids: Vec<_> = r.trace(trace_id(t)).unwrap().into_iter().map(|s| s.facts.span_id).collect();
        let want: Vec<_> = (0..14).map(|k| span_id(t + k * 50)).collect();
        assert_eq!(ids, want);
    }
    assert_eq!(r.find_span(span_id(10_555)).unwrap(), [trace_id(1_555)]);
    drop(w.writer);
    w.writer = flowglass_store::Writer::open(&w.path, flowglass_store::Access::Open).unwrap();
    assert_eq!(w.write(|tx| tx.trace_facts(trace_id(7)).unwrap().len()), 14);
}

#[test]
fn one_transaction_may_fill_several_chunks() {
    let mut w = Scratch::new();
    let spans: Vec<_> = (0..5_000u64).map(|i| span(i / 7, i, T0 + i as i64)).collect();
    w.write(|tx| tx.add_spans(&spans).unwrap());
    let r = w.reader();
    assert_eq!((r.stats().unwrap().spans, r.stats().unwrap().traces), (5_000, 715));
    assert_eq!(r.trace(trace_id(285)).unwrap(), spans[1_995..2_002], "a trace that lies across two chunks");
}

#[test]
fn what_correlation_asks_for_is_answered() {
    let mut w = Scratch::new();
    let join = TraceJoin {
        parent_trace: trace_id(1),
        parent_span: span_id(2),
        child_trace: trace_id(3),
        child_span: span_id(4),
        how: LinkHow::SpanLink,
    };
    w.write(|tx| {
        tx.add_spans(&[process_span(3, 4, "orders.placed", "e-1", (1, 2))]).unwrap();
        tx.add_joins(&[join.clone(), join.clone()]).unwrap();
        assert_eq!(tx.traces_linking_to(trace_id(1), span_id(2)).unwrap(), [trace_id(3)]);
        assert_eq!(tx.traces_with_message("nats/orders.placed", "e-1").unwrap(), [trace_id(3)]);
        assert_eq!(tx.traces_with_message("nats/orders.paid", "e-1").unwrap(), []);
    });
    let r = w.reader();
    assert_eq!(r.joins_of(trace_id(3)).unwrap(), (vec![join.clone()], vec![]));
    assert_eq!(r.joins_of(trace_id(1)).unwrap(), (vec![], vec![join]));
}

#[test]
fn logs_come_back_and_repeats_are_known() {
    let mut w = Scratch::new();
    let logs = [log(Some(1), "boom", T0), log(Some(1), "boom", T0), log(None, "alone", T0 + 5 * SECOND)];
    assert_eq!(w.write(|tx| tx.add_logs(&logs).unwrap()), [true, false, true]);
    assert_eq!(w.write(|tx| tx.add_logs(&logs).unwrap()), [false, false, false]);
    let r = w.reader();
    assert_eq!(r.logs_of_trace(trace_id(1)).unwrap(), logs[..1]);
    assert_eq!((r.stats().unwrap().logs, r.stats().unwrap().newest), (2, Some(T0 + 5 * SECOND)));
    let range = |since, until| LogFilter { since: Some(since), until: Some(until), limit: 9, ..LogFilter::default() };
    assert_eq!(r.nearest_logs(&range(T0 + 3, T0 + 4 * SECOND)).unwrap(), (Some(T0), None));
    assert_eq!(r.nearest_logs(&range(T0 - SECOND, T0)).unwrap(), (None, Some(T0)));
    let alone = LogFilter { filter: Filter::parse("alone", View::Logs).unwrap(), ..range(T0 - SECOND, T0) };
    assert_eq!(r.nearest_logs(&alone).unwrap(), (None, Some(T0 + 5 * SECOND)), "what the filter means");
}

#[test]
fn whole_values_are_found_wherever_they_stand() {
    let mut w = Scratch::new();
    w.write(|tx| {
        tx.add_spans(&[span(1, 1, T0), span(2, 2, T0 + SECOND)]).unwrap();
        tx.add_logs(&[log(Some(2), r#"{"reason":"stock"}"#, T0)]).unwrap();
    });
    let r = w.reader();
    let find = |text: &str| r.find(text).unwrap();
    let (one, two) = (FindHit::Trace(trace_id(1)), FindHit::Trace(trace_id(2)));
    assert_eq!(find("o-1"), [one], "a business key");
    assert_eq!(find("json-2"), [two], "a text inside a JSON attribute");
    assert_eq!(find("70002"), [two], "a number inside a JSON attribute");
    assert_eq!(find("dead"), [two, one], "bytes as hex, newest first");
    assert_eq!(find("stock"), [two], "a log record");
    assert_eq!(find(&trace_id(1).to_string()), [one]);
    assert_eq!(find(&span_id(2).to_string()), [two]);
    for nothing in ["O-1", "json", "o-", "", "no such thing"] {
        assert_eq!(find(nothing), [], "{nothing:?}: whole values only, case counts");
    }
}

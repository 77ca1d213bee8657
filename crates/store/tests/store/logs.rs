//! Log records as lists show them.

use std::sync::Arc;

use flowglass_model::filter::{Filter, View};
use flowglass_model::{LogRecord, Value};
use flowglass_store::LogFilter;

use crate::build::{SECOND, Scratch, T0, span, span_id, trace_id};

fn log(n: i64, severity: u8, body: &str) -> LogRecord {
    let s = span(1, 1, T0);
    LogRecord {
        time: T0 + n * SECOND,
        trace_id: (n % 2 == 0).then(|| trace_id(n as u64 + 1)),
        span_id: (n % 2 == 0).then(|| span_id(7)),
        severity,
        severity_text: String::new(),
        body: Value::from(body),
        event_name: String::new(),
        attributes: vec![("thread".into(), Value::from(n % 3))],
        resource: Arc::clone(&s.resource),
        scope: Arc::clone(&s.scope),
    }
}

fn by(text: &str) -> LogFilter {
    LogFilter { filter: Filter::parse(text, View::Logs).unwrap(), limit: 100, ..LogFilter::default() }
}

fn scratch() -> Scratch {
    let mut w = Scratch::new();
    for batch in 0..3i64 {
        let logs: Vec<_> = (0..4)
            .map(|i| batch * 4 + i)
            .map(|n| log(n, [9, 17, 13, 0][n as usize % 4], &format!("line {n} of order-{n}")))
            .collect();
        w.write(|tx| drop(tx.add_logs(&logs).unwrap()));
    }
    w
}

#[test]
fn records_are_filtered_counted_and_paged() {
    let w = scratch();
    let r = w.reader();
    let numbers =
        |f: &LogFilter| -> Vec<i64> { r.logs(f).unwrap().rows.iter().map(|(_, l)| (l.time - T0) / SECOND).collect() };
    assert_eq!(numbers(&by("")), [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    assert_eq!(numbers(&by("level:error")), [9, 5, 1]);
    assert_eq!(numbers(&by("level>=warn")), [10, 9, 6, 5, 2, 1]);
    assert_eq!(numbers(&by("level:unset")), [11, 7, 3]);
    assert_eq!(numbers(&by("ORDER-1 -\"line 1 \"")), [11, 10]);
    assert_eq!(numbers(&by("@thread:2 level:info")), [8]);
    assert_eq!(numbers(&by(&format!("trace:{}", trace_id(5)))), [4]);
    assert_eq!(numbers(&by(&format!("span:{}", span_id(7)))), [10, 8, 6, 4, 2, 0]);
    assert_eq!(numbers(&by("trace:\"\"")), [11, 9, 7, 5, 3, 1]);
    assert_eq!(numbers(&by("service:nobody")), [0; 0]);
    assert_eq!(numbers(&LogFilter { since: Some(T0 + 2 * SECOND), until: Some(T0 + 4 * SECOND), ..by("") }), [3, 2]);
    let page = r.logs(&LogFilter { limit: 2, ..by("level>=warn") }).unwrap();
    assert_eq!((page.total, page.more, page.by_level), (Some(6), true, Some([3, 0, 0, 3, 3, 3, 0])));
    let before = Some(page.rows[1].0);
    assert_eq!(numbers(&LogFilter { limit: 3, before, ..by("level>=warn") }), [6, 5, 2]);
}

#[test]
fn the_tail_brings_what_was_stored_since() {
    let mut w = scratch();
    let newest = w.reader().logs(&by("")).unwrap().newest;
    assert_eq!(w.reader().logs(&LogFilter { after: Some(newest), ..by("") }).unwrap().rows, []);
    // A late record, older than all that is known, is new all the same.
    w.write(|tx| drop(tx.add_logs(&[log(-50, 9, "late")]).unwrap()));
    let page = w.reader().logs(&LogFilter { after: Some(newest), ..by("late") }).unwrap();
    assert_eq!(page.rows.len(), 1);
    assert!(page.newest > newest);
}

#[test]
fn records_of_one_instant_are_told_apart_across_pages() {
    let mut w = Scratch::new();
    let logs: Vec<_> = (0..7).map(|n| LogRecord { time: T0, ..log(1, 9, &format!("same time {n}")) }).collect();
    w.write(|tx| drop(tx.add_logs(&logs).unwrap()));
    let r = w.reader();
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = r.logs(&LogFilter { before, limit: 3, ..by("") }).unwrap();
        let Some((last, _)) = page.rows.last() else { break };
        before = Some(*last);
        seen.extend(page.rows.into_iter().map(|(id, _)| id));
    }
    let mut once = seen.clone();
    once.dedup();
    assert_eq!((seen.len(), once.len()), (7, 7));
}

use std::path::Path;
use std::sync::Arc;

use flowglass_ingest::otlp::{Encoding, decode_traces};
use flowglass_model::{
    Age, Batch, Delta, LogRecord, Message, MessageContext, Nanos, RetentionConfig, SeriesKey, SeriesSum, Size, SpanId,
    TraceId, Value,
};
use flowglass_store::{Access, Reader, Writer};
use serde_json::json;
use tokio::sync::{broadcast, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::super::{META_COMPARED, Removed, record::META_REMOVED};
use crate::control::{EraseJob, ErasePlan};
use crate::erasing::Erasing;
use crate::notes;
use crate::pipeline::Pipeline;
use crate::workspace::Workspace;

const HOUR: Nanos = 3_600_000_000_000;
/// Journey `n` starts at hour `n`.
const NOW: Nanos = 100 * HOUR;

fn id(n: u64) -> TraceId {
    TraceId::new(u128::from(n).to_be_bytes()).unwrap()
}

/// Journeys of a server that publishes and a handler elsewhere, one an hour; every third fails.
fn batch(traces: impl IntoIterator<Item = u64>) -> Batch {
    let mut out = Batch::default();
    for n in traces {
        let start = n as Nanos * HOUR;
        let span = |own: u64, parent: u64, kind: u8, name: &str, at: Nanos, attributes: serde_json::Value| {
            let attributes: Vec<_> = attributes
                .as_object()
                .unwrap()
                .iter()
                .map(|(k, v)| json!({ "key": k, "value": { "stringValue": v } }))
                .collect();
            let status = if n % 3 == 0 && own == 1 { json!({ "code": 2 }) } else { json!({}) };
            json!({ "traceId": format!("{n:032x}"), "spanId": format!("{:016x}", n * 16 + own), "name": name, "kind": kind,
                "parentSpanId": if parent == 0 { String::new() } else { format!("{:016x}", n * 16 + parent) },
                "startTimeUnixNano": (start + at).to_string(), "endTimeUnixNano": (start + at + 1_000).to_string(),
                "status": status, "attributes": attributes })
        };
        let messaging = |operation: &str| {
            json!({ "messaging.system": "nats", "messaging.destination.name": "orders", "messaging.operation.type": operation,
                "messaging.message.id": format!("m-{n}") })
        };
        let resource = |name: &str| {
            json!({ "attributes": [{ "key": "service.name", "value": { "stringValue": name } },
                { "key": "service.version", "value": { "stringValue": "1.2" } }] })
        };
        let document = json!({ "resourceSpans": [
            { "resource": resource("shop"), "scopeSpans": [{ "spans": [
                span(1, 0, 2, "POST /orders", 0, json!({ "http.request.method": "POST" })),
                span(2, 1, 4, "publish orders", 10, messaging("send")) ] }] },
            { "resource": resource("billing"), "scopeSpans": [{ "spans": [
                span(3, 2, 5, "process orders", 5_000, messaging("process")) ] }] } ] });
        let decoded = decode_traces(document.to_string().as_bytes(), Encoding::Json, &Default::default()).unwrap();
        out.messages.push(event(n, Some(n)));
        out.spans.extend(decoded.spans);
    }
    out
}

fn event(n: u64, trace: Option<u64>) -> Message {
    let hop = |t: u64| MessageContext { trace_id: id(t), span_id: SpanId::new((t * 16 + 2).to_be_bytes()).unwrap() };
    Message {
        system: "nats".into(),
        destination: if trace.is_some() { "orders".into() } else { "loose".into() },
        event_id: Some(format!("m-{n}")),
        time: n as Nanos * HOUR + 500,
        hop: trace.map(hop),
        source: Some("/crm".into()),
        stream: None,
        sequence: None,
        event_type: None,
        key: None,
        hop_format: Default::default(),
        origin: None,
        correlation_id: None,
        causation_id: None,
        reply: None,
        headers: vec![],
        payload: vec![],
        payload_size: 0,
        content_type: None,
        keys: vec![],
        redacted: 0,
    }
}

fn log(n: u64) -> LogRecord {
    let some = batch([1]).spans.remove(0);
    LogRecord {
        time: n as Nanos * HOUR,
        trace_id: None,
        span_id: None,
        severity: 9,
        severity_text: "INFO".into(),
        body: Value::from("tick"),
        event_name: String::new(),
        attributes: vec![],
        resource: some.resource,
        scope: some.scope,
    }
}

fn pipeline(path: &Path, rule: &RetentionConfig) -> Pipeline {
    Pipeline::new(Writer::open(path, Access::Create).unwrap(), broadcast::channel(16).0).keeping(rule.clone())
}

fn tend(pipeline: &mut Pipeline, now: Nanos) {
    let mut next = pipeline.expiring(now);
    while let Some(job) = next {
        next = job.step(pipeline);
    }
}

fn left(path: &Path) -> Vec<u64> {
    let ids = Reader::open(path).unwrap().journeys_started(None, None).unwrap();
    ids.iter().map(|id| u128::from_be_bytes(*id.as_bytes()) as u64).collect()
}

fn series(path: &Path) -> Vec<SeriesSum> {
    Reader::open(path).unwrap().series(None, None).unwrap()
}

fn removed(path: &Path) -> Removed {
    Removed::parse(Reader::open(path).unwrap().meta(META_REMOVED).unwrap().as_deref())
}

fn hours(n: i64) -> Option<Age> {
    Some(Age(n * HOUR))
}

fn none() -> RetentionConfig {
    RetentionConfig { size: Size(None), ..RetentionConfig::default() }
}

#[test]
fn the_map_stays_when_its_spans_are_gone_and_late_ones_are_not_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.flowglass");
    let rule = RetentionConfig { age: hours(90), ..none() };
    let mut writing = pipeline(&path, &rule);
    writing.write(vec![batch(1..=30)]).unwrap();
    let (before, stats) = (series(&path), Reader::open(&path).unwrap().stats().unwrap());
    tend(&mut writing, NOW);
    assert_eq!(left(&path), [3, 6, 9].into_iter().chain(10..=30).collect::<Vec<_>>(), "failed ones are kept longer");
    assert_eq!(series(&path), before);
    let after = Reader::open(&path).unwrap().stats().unwrap();
    assert_eq!((after.spans, after.events, after.oldest), (stats.spans - 18, stats.events - 6, stats.oldest));
    let told = removed(&path);
    assert_eq!((told.total.journeys, told.total.spans, told.total.events), (6, 18, 6));
    assert_eq!(told.total.newest, Some(8 * HOUR));
    assert_eq!(told.days[0].why, "too old: healthy journeys for 90 hours");

    // Half of an expired journey arrives once more: it is shown, not counted, and goes again.
    let mut late = batch([2]);
    late.spans.truncate(2);
    late.messages.clear();
    writing.write(vec![late]).unwrap();
    assert!(left(&path).contains(&2));
    assert_eq!(series(&path), before);
    tend(&mut writing, NOW + HOUR);
    assert!(!left(&path).contains(&2) && series(&path) == before);
    // Also after the file was closed.
    drop(writing);
    let mut writing = pipeline(&path, &rule);
    writing.write(vec![batch([4])]).unwrap();
    let spans = |sums: &[SeriesSum]| {
        sums.iter().filter(|s| s.sketch.count() > 0).map(|s| (s.key.clone(), s.count)).collect::<Vec<_>>()
    };
    assert_eq!(spans(&series(&path)), spans(&before));
}

/// The map of ranges, as windows get it: of everything, of times of which all spans go, of some, and across the edge.
fn maps(path: &Path) -> Vec<serde_json::Value> {
    let workspace = Workspace::open(path, None).unwrap();
    let range = |since: Option<i64>, until: Option<i64>| {
        let view = workspace.map(since.map(|h| h * HOUR), until.map(|h| h * HOUR), None).unwrap();
        serde_json::to_value(view).unwrap()
    };
    vec![
        range(None, None),
        range(Some(1), Some(9)),
        range(Some(4), Some(5)),
        range(Some(7), Some(14)),
        range(None, Some(3)),
    ]
}

#[test]
fn the_map_of_any_range_is_the_same_before_and_after_its_spans_were_thinned_and_after_all_of_them_went() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.flowglass");
    let mut writing = pipeline(&path, &RetentionConfig { age: hours(90), ..none() });
    writing.write(vec![batch(1..=30)]).unwrap();
    let before = maps(&path);
    assert!(before.iter().all(|map| map["edges"].as_array().is_some_and(|edges| !edges.is_empty())), "{before:#?}");
    tend(&mut writing, NOW);
    assert!(left(&path).len() == 24 && maps(&path) == before, "healthy ones of the first hours are gone");
    drop(writing);
    let rule = RetentionConfig { age: hours(1), failed_age: hours(1), events_age: hours(1), ..none() };
    let mut writing = pipeline(&path, &rule);
    tend(&mut writing, NOW);
    assert!(left(&path).is_empty() && Reader::open(&path).unwrap().stats().unwrap().spans == 0);
    assert_eq!(maps(&path), before, "nothing but figures is left");
}

#[test]
fn what_is_deleted_by_hand_afterwards_takes_only_its_own_figures() {
    let folder = tempfile::tempdir().unwrap();
    let (path, wanted) = (folder.path().join("shop.flowglass"), folder.path().join("wanted.flowglass"));
    let rule = RetentionConfig { age: hours(90), ..none() };
    let mut writing = pipeline(&path, &rule);
    writing.write(vec![batch(1..=12)]).unwrap();
    tend(&mut writing, NOW);
    // One of those that expired comes again, and is deleted with all that is left.
    writing.write(vec![Batch { messages: vec![], ..batch([5]) }]).unwrap();
    let journeys = left(&path).into_iter().map(id).collect();
    let (done, mut over) = oneshot::channel();
    let plan = ErasePlan::Journeys(journeys);
    let mut next =
        Some(Erasing::new(EraseJob { plan, cancel: CancellationToken::new(), progress: watch::channel(0).0, done }));
    while let Some(job) = next {
        next = job.step(&mut writing);
    }
    assert!(over.try_recv().unwrap().is_ok());
    assert_eq!(left(&path), Vec::<u64>::new());
    // What is left is what the expired ones brought.
    let mut other = pipeline(&wanted, &none());
    other.write(vec![batch([1, 2, 4, 5, 7, 8])]).unwrap();
    assert_eq!(series(&path), series(&wanted));
    let stats = Reader::open(&path).unwrap().stats().unwrap();
    assert_eq!((stats.spans, stats.events, stats.oldest.is_some()), (0, 0, true), "the map is still there");
}

#[test]
fn what_people_keep_no_rule_removes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.flowglass");
    let rule = RetentionConfig { journeys: Some(1), ..none() };
    let mut writing = pipeline(&path, &rule);
    writing.write(vec![batch(1..=9)]).unwrap();
    let note = |n: u64, bookmarked: bool| notes::Note {
        about: notes::about_journey(&id(n).to_string()),
        title: String::new(),
        text: if bookmarked { String::new() } else { "look".into() },
        bookmarked,
        at: 1,
    };
    let mut tx = writing.writer.begin().unwrap();
    tx.set_meta(notes::META_NOTES, &notes::text(&[note(2, true), note(5, false)])).unwrap();
    tx.set_meta(META_COMPARED, &format!("{} {}", id(3), id(7))).unwrap();
    tx.commit().unwrap();
    tend(&mut writing, NOW);
    assert_eq!(left(&path), [2, 3, 5, 7]);
    assert_eq!(removed(&path).days[0].why, "more than 1 journeys");
}

#[test]
fn events_and_log_records_without_a_journey_go_by_their_own_age_and_stay_in_the_map() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.flowglass");
    let rule = RetentionConfig { events_age: hours(90), logs_age: hours(50), ..none() };
    let mut writing = pipeline(&path, &rule);
    let loose = (1..=20).map(|n| event(100 + n, None)).map(|m| Message { time: m.time - 100 * HOUR, ..m });
    let messages: Vec<Message> = loose.chain([event(2, Some(2))]).collect();
    writing.write(vec![Batch { logs: (1..=80).map(log).collect(), ..batch([2]) }]).unwrap();
    writing.write(vec![Batch { messages, ..Batch::default() }]).unwrap();
    let before = series(&path);
    let stats = Reader::open(&path).unwrap().stats().unwrap();
    assert_eq!((stats.events, stats.logs), (21, 80));
    tend(&mut writing, NOW);
    let stats = Reader::open(&path).unwrap().stats().unwrap();
    assert_eq!((stats.events, stats.logs), (12, 31), "the event of a journey stays with it");
    assert_eq!(series(&path), before);
    let told = removed(&path);
    assert_eq!((told.total.events, told.total.logs, told.total.journeys), (9, 49, 0));
}

#[test]
fn cut_off_after_any_step_it_leaves_a_whole_workspace_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.flowglass");
    let rule = RetentionConfig { journeys: Some(5), ..none() };
    let mut writing = pipeline(&path, &rule);
    writing.write(vec![batch(1..=60)]).unwrap();
    let before = series(&path);
    while let Some(mut job) = writing.expiring(NOW) {
        for _ in 0..2 {
            match job.step(&mut writing) {
                Some(next) => job = next,
                None => break,
            }
            let reader = Reader::open(&path).unwrap();
            let journeys = left(&path).len() as u64;
            assert_eq!((reader.stats().unwrap().spans, removed(&path).total.journeys), (journeys * 3, 60 - journeys));
            assert_eq!(series(&path), before);
        }
        // As after a crash.
        drop(writing);
        writing = pipeline(&path, &rule);
    }
    assert_eq!(left(&path).len(), 5);
    assert!(left(&path).iter().all(|n| n % 3 == 0), "{:?}", left(&path));
}

/// `cargo nextest run --workspace --run-ignored only --no-capture -E 'test(how_long_a_step_of_removing_takes)'` tells how long a
/// sender waits for a step, at most; figures for people, nothing is judged.
#[test]
#[ignore = "measures"]
fn how_long_a_step_of_removing_takes() {
    const JOURNEYS: u64 = 120_000;
    const BATCH: u64 = 1_000;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.flowglass");
    let mut writing = pipeline(&path, &RetentionConfig { journeys: Some(JOURNEYS / 2), ..none() });
    // Close enough to each other that they share buckets.
    let near = |n: u64| {
        let mut out = batch([n]);
        let shift = n as Nanos * HOUR - n as Nanos * 1_000_000;
        for span in &mut out.spans {
            let facts = std::sync::Arc::make_mut(&mut span.facts);
            (facts.start, facts.end) = (facts.start - shift, facts.end - shift);
        }
        out.messages.iter_mut().for_each(|m| m.time -= shift);
        out
    };
    let fill = |from: u64| {
        (from..from + BATCH).map(near).fold(Batch::default(), |mut all, one| {
            all.spans.extend(one.spans);
            all.messages.extend(one.messages);
            all
        })
    };
    for from in (1..JOURNEYS).step_by(BATCH as usize) {
        writing.write(vec![fill(from)]).unwrap();
    }
    let size = || Reader::open(&path).unwrap().stats().unwrap().bytes;
    let before = size();
    let (mut steps, mut commits, mut more) = (Vec::new(), Vec::new(), JOURNEYS + 1);
    let mut next = writing.expiring(NOW * 100);
    let started = std::time::Instant::now();
    while let Some(job) = next {
        let stage = job.stage_name();
        let at = std::time::Instant::now();
        next = job.step(&mut writing);
        steps.push((at.elapsed().as_secs_f64() * 1e3, stage));
        if steps.len() % 4 == 0 {
            let one = near(more);
            more += 1;
            let at = std::time::Instant::now();
            writing.write(vec![one]).unwrap();
            commits.push(at.elapsed().as_secs_f64() * 1e3);
        }
    }
    let took = started.elapsed().as_secs_f64();
    steps.sort_by(|a, b| a.0.total_cmp(&b.0));
    commits.sort_by(f64::total_cmp);
    let of = |stage: &str| steps.iter().filter(|(_, s)| *s == stage).map(|(ms, _)| *ms).collect::<Vec<_>>();
    for stage in ["journeys", "sweep", "other", "shrink"] {
        let of = of(stage);
        let at = |share: f64| {
            of.get(((of.len() as f64 * share) as usize).min(of.len().saturating_sub(1))).copied().unwrap_or(0.0)
        };
        println!(
            "{stage}: {} steps, median {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
            of.len(),
            at(0.5),
            at(0.99),
            at(1.0)
        );
    }
    let gone = removed(&path).total;
    println!(
        "{} journeys, {} spans, {} events in {took:.1} s; commits meanwhile: {} of median {:.1} ms, longest {:.1} ms; file {before} before, {} after",
        gone.journeys,
        gone.spans,
        gone.events,
        commits.len(),
        commits[commits.len() / 2],
        commits[commits.len() - 1],
        size()
    );
}

#[test]
fn figures_of_long_ago_get_longer_steps_when_all_of_them_take_too_much_and_nothing_else_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.flowglass");
    let mut writing = pipeline(&path, &none());
    writing.write(vec![batch(1..=100)]).unwrap();
    // Something that is always busy.
    let key: Arc<_> =
        SeriesKey::Operation { participant: "service:shop".into(), operation: "GET /health".into() }.into();
    let busy = |at: Nanos| Delta { key: key.clone(), at, count: 1, error: false, duration: Some(at % 7_919_000) };
    let mut tx = writing.writer.begin().unwrap();
    tx.apply(&(HOUR..NOW).step_by(10_000_000_000).map(busy).collect::<Vec<_>>()).unwrap();
    tx.commit().unwrap();
    drop(writing);
    let space = || Reader::open(&path).unwrap().space().unwrap();
    let (before, figures, journeys) = (series(&path), space().figures.bytes, left(&path));
    let size = figures * 10 - 10;
    assert!(space().used < size, "the workspace itself may stay");
    let rule = RetentionConfig { size: Size(Some(size)), ..RetentionConfig::default() };
    let mut writing = pipeline(&path, &rule);
    tend(&mut writing, NOW);
    assert!(
        space().figures.bytes < figures && space().figures.bytes * 10 > size / 2,
        "as few as needed: {} of {figures}",
        space().figures.bytes
    );
    assert_eq!((series(&path), left(&path)), (before, journeys));
    let kept = Workspace::open(&path, None).unwrap().retention().unwrap();
    assert!(kept.figures.fine_from.is_some_and(|from| (HOUR..NOW - 24 * HOUR).contains(&from)), "{:?}", kept.figures);
    assert!(!kept.removed.is_any());
    assert!(writing.expiring(NOW + HOUR).is_none(), "nothing more to do");
}

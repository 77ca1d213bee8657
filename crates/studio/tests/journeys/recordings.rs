//! Recordings with known truth: what each request caused is in its journey, and nothing else is.
//!
//! They are read in place, from the folder that `FLOWGLASS_RECORDINGS` names; without it the tests say that they were skipped.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use flowglass_studio::model::{CriticalStep, ItemKind, ItemStatus, Journey, JourneyItem, JourneyState, MarkKind};
use serde_json::Value;

use crate::support::{self, Piece, shuffle};

/// Wanted of each request's traces and events.
const WANTED: f64 = 0.99;

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("FLOWGLASS_RECORDINGS").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("SKIPPED: journeys of recordings; FLOWGLASS_RECORDINGS names no folder of them");
    }
    folder
}

fn text(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut out = String::new();
    if path.extension().is_some_and(|e| e == "gz") {
        flate2::read::GzDecoder::new(bytes.as_slice()).read_to_string(&mut out).expect("gzip");
    } else {
        out = String::from_utf8(bytes).expect("text");
    }
    out
}

/// What one request caused.
struct Request {
    id: String,
    traces: BTreeSet<String>,
    events: BTreeSet<String>,
}

struct Recording {
    truth: Value,
    requests: Vec<Request>,
    pieces: Vec<Piece>,
}

fn strings(value: &Value) -> BTreeSet<String> {
    value.as_array().into_iter().flatten().filter_map(|v| Some(v.as_str()?.to_owned())).collect()
}

fn recording(folder: &Path) -> Recording {
    let lines = text(&support::file(folder, "correlation.jsonl"));
    let requests = lines.lines().filter(|l| !l.trim().is_empty()).map(|line| {
        let v: Value = serde_json::from_str(line).expect("JSON");
        let id = v["request_id"].as_str().expect("an id").to_owned();
        Request { id, traces: strings(&v["trace_ids"]), events: strings(&v["event_ids"]) }
    });
    let requests = requests.collect();
    let truth = serde_json::from_str(&text(&folder.join("truth.json"))).expect("JSON");
    let files = [support::file(&folder.join("otlp"), "traces.jsonl"), folder.join("nats")];
    Recording { truth, requests, pieces: support::read(&files) }
}

fn traces(journey: &Journey) -> BTreeSet<String> {
    journey.items.iter().filter(|i| i.kind == ItemKind::Span).filter_map(|i| Some(i.trace_id?.to_string())).collect()
}

fn events(journey: &Journey) -> BTreeSet<String> {
    journey.items.iter().filter(|i| i.kind == ItemKind::Event).map(|i| i.id.clone()).collect()
}

/// Share of `found` that is wanted, and of `wanted` that is found.
fn precision_recall(found: &BTreeSet<String>, wanted: &BTreeSet<String>) -> (f64, f64) {
    let both = found.intersection(wanted).count() as f64;
    let share = |of: usize| if of == 0 { 1.0 } else { both / of as f64 };
    (share(found.len()), share(wanted.len()))
}

/// The journey of each request (the one that shares most traces with it), compared with the truth.
fn must_fit(name: &str, recording: &Recording, journeys: &[Journey]) {
    let mut by_trace: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (n, journey) in journeys.iter().enumerate() {
        traces(journey).into_iter().for_each(|t| by_trace.entry(t).or_default().push(n));
    }
    let mut taken: BTreeMap<usize, &str> = BTreeMap::new();
    let (mut low, mut worst) = (Vec::new(), [1.0f64; 4]);
    let mut sums = [0.0; 4];
    for request in &recording.requests {
        let candidates: BTreeSet<usize> =
            request.traces.iter().flat_map(|t| by_trace.get(t)).flatten().copied().collect();
        let shared = |n: &usize| traces(&journeys[*n]).intersection(&request.traces).count();
        let root = |n: &usize| request.traces.contains(&journeys[*n].summary.id.to_string());
        let Some(best) = candidates.into_iter().max_by_key(|n| (root(n), shared(n))) else {
            panic!("{name}: {} has no journey", request.id);
        };
        if let Some(other) = taken.insert(best, &request.id) {
            panic!("{name}: {other} and {} are one journey", request.id);
        }
        let journey = &journeys[best];
        let (tp, tr) = precision_recall(&traces(journey), &request.traces);
        let (ep, er) = precision_recall(&events(journey), &request.events);
        for (i, x) in [tp, tr, ep, er].into_iter().enumerate() {
            worst[i] = worst[i].min(x);
            sums[i] += x;
        }
        if [tp, tr, ep, er].iter().any(|x| *x < WANTED) {
            low.push(format!("{} {}: traces {tp:.3}/{tr:.3} events {ep:.3}/{er:.3}", request.id, journey.summary.id));
        }
    }
    let mean = sums.map(|s| s / recording.requests.len() as f64);
    eprintln!(
        "{name}: {} requests, {} journeys; traces precision/recall, events precision/recall: mean {mean:?}, least {worst:?}",
        recording.requests.len(),
        journeys.len()
    );
    assert!(
        low.is_empty(),
        "{name}: {} of {} requests:\n{}",
        low.len(),
        recording.requests.len(),
        low[..low.len().min(20)].join("\n")
    );
}

/// Event ids of the dead letters, redeliveries by consumer, duplicates by consumer: marks against the truth's own lists.
fn must_tell(name: &str, recording: &Recording, journeys: &[Journey]) {
    let truth = &recording.truth;
    let list = |field: &str| truth[field].as_array().cloned().unwrap_or_default();
    let mut seen: BTreeSet<(&str, MarkKind)> = BTreeSet::new();
    let mut given_up: BTreeSet<String> = BTreeSet::new();
    let (mut redelivered, mut duplicates): (BTreeMap<String, u64>, BTreeMap<String, u64>) = Default::default();
    for journey in journeys {
        let items: BTreeMap<&str, &JourneyItem> = journey.items.iter().map(|i| (i.id.as_str(), i)).collect();
        for mark in journey.marks.iter().filter(|m| seen.insert((m.id.as_str(), m.kind))) {
            let item = items[mark.id.as_str()];
            match mark.kind {
                MarkKind::DeadLettered if !item.name.starts_with("dlq.") => drop(given_up.insert(mark.id.clone())),
                MarkKind::Redelivery => *redelivered.entry(of_consumer(item)).or_default() += 1,
                MarkKind::Duplicate => *duplicates.entry(of_consumer(item)).or_default() += 1,
                _ => {}
            }
        }
    }
    let wanted: BTreeSet<String> =
        list("dead_letters").iter().filter_map(|d| Some(d["event_id"].as_str()?.to_owned())).collect();
    assert_eq!(given_up, wanted, "{name}: dead letters");
    let by_consumer = |field: &str| -> BTreeMap<String, u64> {
        let of =
            |c: &Value| Some((format!("{} {}", c["service"].as_str()?, c["subject"].as_str()?), c[field].as_u64()?));
        list("consumers").iter().filter_map(of).filter(|(_, n)| *n > 0).collect()
    };
    assert_eq!(redelivered, by_consumer("redeliveries"), "{name}: redeliveries");
    // Only what a consumer itself took for a duplicate is in the truth.
    for (consumer, wanted) in by_consumer("outcome_ack-duplicate") {
        assert_eq!(duplicates.get(&consumer), Some(&wanted), "{name}: duplicates at {consumer}");
    }
}

fn of_consumer(item: &JourneyItem) -> String {
    format!("{} {}", item.participant.name(), item.name.split_whitespace().last().unwrap_or_default())
}

/// The journey of a request with an injected fault.
fn of_trace<'j>(journeys: &'j [Journey], trace: &str) -> Option<&'j Journey> {
    journeys
        .iter()
        .find(|j| j.summary.id.to_string() == trace)
        .or_else(|| journeys.iter().find(|j| traces(j).contains(trace)))
}

/// Injected faults are found where they were injected.
fn must_blame(name: &str, recording: &Recording, journeys: &[Journey]) {
    let injected = |fault: &str| recording.truth["injected"][fault].as_array().cloned().unwrap_or_default();
    let (mut failed, mut wrong) = (0, Vec::new());
    for fault in injected("payments_500") {
        let Some(journey) = of_trace(journeys, fault["trace_id"].as_str().unwrap_or_default()) else { continue };
        // That failed for its caller: the answer, not what a consumer coped with later.
        let answered = journey.items.iter().find(|i| i.parent.is_none() && i.role == "server");
        if answered.is_none_or(|i| i.status != ItemStatus::Error) {
            continue;
        }
        failed += 1;
        let who = journey.failure.as_ref().map(|f| f.participant.name().to_owned());
        if who.as_deref() != Some("payments-sys-api") || journey.summary.state != JourneyState::Failed {
            wrong.push(format!("{}: {who:?} {:?}", fault["rid"], journey.failure.as_ref().map(|f| &f.cause)));
        }
    }
    let (mut slow, mut elsewhere) = (0, Vec::new());
    for fault in injected("slow_inventory") {
        let Some(journey) = of_trace(journeys, fault["trace_id"].as_str().unwrap_or_default()) else { continue };
        slow += 1;
        let participants: BTreeMap<&str, &str> =
            journey.items.iter().map(|i| (i.id.as_str(), i.participant.name())).collect();
        // Picked after the answer, it stands on the way to the last effect.
        let largest = |path: &[CriticalStep]| {
            let mut by: BTreeMap<&str, i64> = BTreeMap::new();
            path.iter().for_each(|s| *by.entry(participants[s.id.as_str()]).or_default() += s.self_time);
            by.into_iter().max_by_key(|(_, n)| *n).map(|(who, _)| who)
        };
        let found = [largest(&journey.critical_path), largest(&journey.settled_path)];
        if !found.contains(&Some("inventory-sys-api")) {
            elsewhere.push(format!("{} {}: {found:?}", fault["rid"], fault["op"]));
        }
    }
    eprintln!("{name}: {failed} failed by payments, {slow} slow by inventory");
    assert!(wrong.is_empty(), "{name}: {} of {failed}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(elsewhere.is_empty(), "{name}: {} of {slow}:\n{}", elsewhere.len(), elsewhere.join("\n"));
}

fn must_hold(name: &str) {
    let Some(folder) = folder() else { return };
    let recording = recording(&folder.join(name));
    let journeys = support::write(&recording.pieces, &[4_000]).journeys();
    must_fit(name, &recording, &journeys);
    must_tell(name, &recording, &journeys);
    must_blame(name, &recording, &journeys);
    // Shuffled, in odd batches, a part of it twice: the same.
    let mut turned = recording.pieces.clone();
    turned.extend(recording.pieces.iter().step_by(2).cloned());
    shuffle(&mut turned, 42);
    let again = support::write(&turned, &[977, 1, 64, 2_500]).journeys();
    assert_eq!(again.len(), journeys.len(), "{name}: another number of journeys in another order");
    for (a, b) in again.iter().zip(&journeys) {
        assert_eq!(a, b, "{name}: another journey in another order");
    }
}

#[test]
fn orders_clean() {
    must_hold("orders-clean");
}

#[test]
fn orders_relay() {
    must_hold("orders-relay");
}

#[test]
fn orders_links() {
    must_hold("orders-links");
}

#[test]
fn orders() {
    must_hold("orders");
}

//! Participants with their outages and breakdowns.

use std::collections::BTreeMap;

use super::read::Reader;
use super::tree::{Node, Value};
use crate::model::{
    Breakdowns, Discipline, EventCapability, Hold, InterruptedWork, Outage, OutageMode, Participant, QueuePer,
};

const KEYS: [&str; 18] = [
    "layer",
    "workers",
    "replicas",
    "queue_per",
    "queue",
    "discipline",
    "drop_expired",
    "fails",
    "poison",
    "outages",
    "breakdowns",
    "events",
    "hold",
    "max_in_flight",
    "network",
    "outbox",
    "dual_write",
    "description",
];

/// Layers that a participant may have.
const LAYERS: [&str; 6] = ["backend", "system", "event", "process", "experience", "consumer"];

pub(super) fn participants(r: &mut Reader, node: Option<&Node>) -> BTreeMap<String, Participant> {
    let Some(node) = node else { return BTreeMap::new() };
    if !matches!(node.value, Value::Map(_)) {
        r.wrong(node.at, format!("participants must be a map of names, this is {}", node.kind()));
    }
    let mut all = BTreeMap::new();
    for field in node.fields() {
        if r.is_full() {
            return all;
        }
        if field.key.is_empty() || field.key.contains(['.', '/', '~']) || field.key.contains(char::is_whitespace) {
            r.wrong(
                field.at,
                format!("`{}` is no name of a participant: no dots, slashes, tildes or blanks", field.key),
            );
            continue;
        }
        if let Some(participant) = participant(r, &field.node, &field.key) {
            all.insert(field.key.clone(), participant);
        }
    }
    all
}

fn participant(r: &mut Reader, node: &Node, name: &str) -> Option<Participant> {
    r.map(node, "a participant", &KEYS)?;
    let mut p = Participant::default();
    let layers: Vec<(&str, &str)> = LAYERS.iter().map(|l| (*l, *l)).collect();
    p.layer = r.maybe(node, "layer", |r, n| r.one_of(n, &layers)).map(str::to_owned);
    if node.get("workers").is_none() {
        r.assumed.insert(format!("/participants/{name}/workers"));
    }
    p.workers = r.maybe(node, "workers", |r, n| unlimited_or(r, n, 1)).flatten().map(|n| n as u32);
    p.queue = r.maybe(node, "queue", |r, n| unlimited_or(r, n, 0)).flatten().map(|n| n as u32);
    p.max_in_flight = r.maybe(node, "max_in_flight", |r, n| unlimited_or(r, n, 1)).flatten().map(|n| n as u32);
    p.replicas = r.maybe(node, "replicas", |r, n| r.whole(n, 1, 100_000)).unwrap_or(1) as u32;
    let per = [("participant", QueuePer::Participant), ("replica", QueuePer::Replica)];
    p.queue_per = r.maybe(node, "queue_per", |r, n| r.one_of(n, &per)).unwrap_or(p.queue_per);
    let disciplines = [
        ("fifo", Discipline::Fifo),
        ("lifo", Discipline::Lifo),
        ("priority", Discipline::Priority),
        ("ps", Discipline::Ps),
    ];
    p.discipline = r.maybe(node, "discipline", |r, n| r.one_of(n, &disciplines)).unwrap_or(p.discipline);
    if p.discipline == Discipline::Ps && p.workers.is_none() {
        p.discipline = Discipline::Fifo; // Without a limit everybody has a worker: sharing means nothing.
    }
    p.drop_expired = r.maybe(node, "drop_expired", Reader::bool).unwrap_or(false);
    p.fails = r.maybe(node, "fails", Reader::share).unwrap_or(0.0);
    p.poison = r.maybe(node, "poison", Reader::share).unwrap_or(0.0);
    p.dual_write = r.maybe(node, "dual_write", Reader::share).unwrap_or(0.0);
    p.outbox = r.maybe(node, "outbox", Reader::dist);
    p.outages = r.maybe(node, "outages", outages).unwrap_or_default();
    p.breakdowns = r.maybe(node, "breakdowns", breakdowns);
    let capabilities = [
        ("both", EventCapability::Both),
        ("publish", EventCapability::Publish),
        ("consume", EventCapability::Consume),
        ("none", EventCapability::None),
    ];
    p.events = r.maybe(node, "events", |r, n| r.one_of(n, &capabilities)).unwrap_or(p.events);
    let holds = [("worker", Hold::Worker), ("async", Hold::Async)];
    p.hold = r.maybe(node, "hold", |r, n| r.one_of(n, &holds)).unwrap_or(p.hold);
    if let Some(network) = r.maybe(node, "network", Reader::dist) {
        p.network = network;
    }
    Some(p)
}

/// A whole number, or `unlimited` (`None` inside).
pub(super) fn unlimited_or(r: &mut Reader, node: &Node, least: u64) -> Option<Option<u64>> {
    if node.scalar() == Some("unlimited") {
        return Some(None);
    }
    if let Value::Text(text) = &node.value {
        r.wrong(node.at, format!("`{text}` is no whole number; write a number or `unlimited`"));
        return None;
    }
    r.whole(node, least, 1_000_000_000).map(Some)
}

pub(super) fn outages(r: &mut Reader, node: &Node) -> Option<Vec<Outage>> {
    let Value::List(items) = &node.value else {
        r.wrong(node.at, format!("outages are a list such as [{{ at: 2m, for: 90s }}], this is {}", node.kind()));
        return None;
    };
    let mut all = Vec::new();
    for item in items {
        r.map(item, "an outage", &["at", "for", "mode", "work"])?;
        let (at, lasts) = (r.wanted(item, "at")?, r.wanted(item, "for")?);
        let (at, lasts) = (r.duration(at)?, r.duration(lasts)?);
        let (mode, work) = mode_and_work(r, item);
        all.push(Outage { at, lasts, mode, work });
    }
    Some(all)
}

pub(super) fn breakdowns(r: &mut Reader, node: &Node) -> Option<Breakdowns> {
    r.map(node, "breakdowns", &["up", "down", "mode", "work"])?;
    let (up, down) = (r.wanted(node, "up")?, r.wanted(node, "down")?);
    let at = up.at;
    let (up, down) = (r.dist(up)?, r.dist(down)?);
    if up.mean() < 1e6 {
        r.wrong(at, "the mean time up must be at least 1ms");
        return None;
    }
    let (mode, work) = mode_and_work(r, node);
    Some(Breakdowns { up, down, mode, work })
}

fn mode_and_work(r: &mut Reader, node: &Node) -> (OutageMode, InterruptedWork) {
    let mode = r.maybe(node, "mode", mode).unwrap_or(OutageMode::Refuse);
    let works =
        [("resume", InterruptedWork::Resume), ("restart", InterruptedWork::Restart), ("lose", InterruptedWork::Lose)];
    let work = r.maybe(node, "work", |r, n| r.one_of(n, &works)).unwrap_or(InterruptedWork::Lose);
    (mode, work)
}

fn mode(r: &mut Reader, node: &Node) -> Option<OutageMode> {
    if let Value::Map(fields) = &node.value {
        r.map(node, "a mode", &["slow", "errors"])?;
        let [field] = fields.as_slice() else {
            r.wrong(node.at, "a mode is one of refuse, silent, pause, { slow: 4 }, { errors: 30% }");
            return None;
        };
        return match field.key.as_str() {
            "slow" => r.number(&field.node, 0.001).map(OutageMode::Slow),
            _ => r.share(&field.node).map(OutageMode::Errors),
        };
    }
    r.one_of(node, &[("refuse", OutageMode::Refuse), ("silent", OutageMode::Silent), ("pause", OutageMode::Pause)])
}

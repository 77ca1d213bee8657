//! A journey told as traits.

use std::collections::{HashMap, HashSet};

use flowglass_model::{Attributes, ItemKind, Journey, JourneyItem, Nanos, NodeKind, Span, SpanId, TraceId, Value};

use super::TraitKind;

/// Longer values are texts, not traits.
const LONGEST: usize = 160;
/// Resource attributes that are traits of their own.
const IDENTITY: [&str; 4] = ["service.name", "service.namespace", "service.version", "service.instance.id"];

/// A journey with what was sent of it.
pub struct Story<'a> {
    /// The journey.
    pub journey: &'a Journey,
    /// Spans of its traces; those that are no items of it are left out here.
    pub spans: &'a [Span],
    /// Its events.
    pub events: &'a [EventTold],
}

/// What an event says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventTold {
    /// Subject, topic or queue.
    pub subject: String,
    /// CloudEvents type.
    pub event_type: Option<String>,
    /// When it was published.
    pub time: Nanos,
    /// Scalars of its payload by their path.
    pub fields: Vec<(String, String)>,
}

/// Tells an item that explains from one that follows from a failure.
struct Before<'a> {
    failed_at: Option<Nanos>,
    passed_on: HashSet<&'a str>,
}

impl<'a> Before<'a> {
    fn new(journey: &'a Journey) -> Before<'a> {
        let Some(failure) = &journey.failure else { return Before { failed_at: None, passed_on: HashSet::new() } };
        let first = journey.items.iter().find(|i| i.id == failure.first);
        let passed_on = failure.chain.iter().map(String::as_str).filter(|id| *id != failure.first).collect();
        Before { failed_at: first.map(|i| i.start.saturating_add(i.duration)), passed_on }
    }

    /// By when it began and, for a span, its id.
    fn holds(&self, start: Nanos, id: &str) -> bool {
        self.failed_at.is_none_or(|at| start <= at) && !self.passed_on.contains(id)
    }
}

/// Calls `note` with kind, place, name, value and whether it was there before anything failed.
pub(super) fn traits(story: &Story<'_>, note: &mut dyn FnMut(TraitKind, &str, &str, &str, bool)) {
    let before = Before::new(story.journey);
    if let Some(sentence) = &story.journey.summary.failure {
        note(TraitKind::FirstFailure, "", "", headline(sentence), true);
    }
    let mut items: HashMap<(TraceId, SpanId), &JourneyItem> = HashMap::new();
    for item in &story.journey.items {
        // Taking part passes no failure on: who was asked before it happened was there before.
        let early = before.failed_at.is_none_or(|at| item.start <= at);
        note(TraitKind::Participant, "", kind_word(item.participant.kind()), item.participant.name(), early);
        let handles = matches!(item.role.as_str(), "server" | "consumer");
        if handles && item.participant.kind() == NodeKind::Service {
            note(TraitKind::Operation, item.participant.name(), "", &item.name, early);
        }
        if let (ItemKind::Span, Some(trace), Ok(span)) = (item.kind, item.trace_id, item.id.parse()) {
            items.insert((trace, span), item);
        }
    }
    let mut resources: HashSet<(usize, bool)> = HashSet::new();
    for span in story.spans {
        let Some(item) = items.get(&(span.facts.trace_id, span.facts.span_id)) else { continue };
        let (at, early) = (span.facts.service.name(), before.holds(item.start, &item.id));
        attributes(TraitKind::Attribute, at, &span.attributes, early, note);
        for event in &span.events {
            attributes(TraitKind::Attribute, at, &event.attributes, early, note);
        }
        let emitted = before.failed_at.is_none_or(|failed| item.start <= failed);
        if resources.insert((std::sync::Arc::as_ptr(&span.resource) as usize, emitted)) {
            if let Some(version) = &span.resource.version {
                note(TraitKind::Version, at, "service.version", version, emitted);
            }
            let rest = span.resource.attributes.iter().filter(|(key, _)| !IDENTITY.contains(&key.as_str()));
            rest.for_each(|(key, v)| value(TraitKind::Resource, at, key, v, emitted, note));
        }
    }
    for event in story.events {
        let early = before.holds(event.time, "");
        if let Some(kind) = &event.event_type {
            note(TraitKind::EventType, &event.subject, "", kind, early);
        }
        for (path, text) in event.fields.iter().filter(|(_, text)| text.len() <= LONGEST) {
            note(TraitKind::Payload, &event.subject, path, text, early);
        }
    }
}

fn attributes(
    kind: TraitKind,
    at: &str,
    attributes: &Attributes,
    early: bool,
    note: &mut dyn FnMut(TraitKind, &str, &str, &str, bool),
) {
    attributes.iter().for_each(|(key, v)| value(kind, at, key, v, early, note));
}

fn value(
    kind: TraitKind,
    at: &str,
    key: &str,
    value: &Value,
    early: bool,
    note: &mut dyn FnMut(TraitKind, &str, &str, &str, bool),
) {
    match value {
        Value::String(text) if text.len() <= LONGEST => note(kind, at, key, text, early),
        Value::Bool(_) | Value::Int(_) | Value::Double(_) => note(kind, at, key, &value.to_string(), early),
        Value::Array(items) => {
            let texts = items.iter().filter_map(Value::as_str).filter(|t| t.len() <= LONGEST);
            texts.for_each(|text| note(kind, at, key, text, early));
        }
        _ => {}
    }
}

/// A failure's sentence up to what differs from case to case: what was said, how long it took, how often.
pub(super) fn headline(sentence: &str) -> &str {
    let ends = [": ", "; ", " after ", ", after "].iter().filter_map(|mark| sentence.find(mark));
    ends.min().filter(|at| *at > 0).map_or(sentence, |at| &sentence[..at])
}

/// Calls `note` with participant, operation (empty for all of them) and nanoseconds that no child of a span explains, for spans that
/// began before anything failed.
pub(super) fn own_times(story: &Story<'_>, note: &mut dyn FnMut(&str, &str, i64)) {
    let before = Before::new(story.journey);
    let mut children: HashMap<&str, Vec<(Nanos, Nanos)>> = HashMap::new();
    for item in story.journey.items.iter().filter(|i| i.kind == ItemKind::Span) {
        if let Some(parent) = &item.parent {
            children.entry(parent).or_default().push((item.start, item.start.saturating_add(item.duration)));
        }
    }
    for item in story.journey.items.iter().filter(|i| i.kind == ItemKind::Span) {
        // A call that somebody with spans of its own answered is that one's time, and the network's.
        if item.role == "client" && children.contains_key(item.id.as_str()) {
            continue;
        }
        if before.failed_at.is_some_and(|at| item.start > at) {
            continue;
        }
        let end = item.start.saturating_add(item.duration);
        let busy = children.get_mut(item.id.as_str()).map_or(0, |spans| covered(spans, item.start, end));
        let own = item.duration - busy;
        note(item.participant.name(), "", own);
        if item.role != "internal" {
            note(item.participant.name(), &item.name, own);
        }
    }
}

/// Nanoseconds of `[from, to)` that at least one of the spans covers.
fn covered(spans: &mut [(Nanos, Nanos)], from: Nanos, to: Nanos) -> i64 {
    spans.sort_unstable();
    let (mut sum, mut reached) = (0, from);
    for (start, end) in spans.iter() {
        let (start, end) = ((*start).max(reached), (*end).min(to));
        if end > start {
            sum += end - start;
            reached = end;
        }
    }
    sum
}

fn kind_word(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Service => "service",
        NodeKind::Topic => "topic",
        NodeKind::Backend => "backend",
        NodeKind::External => "external",
        NodeKind::Consumer => "consumer",
    }
}

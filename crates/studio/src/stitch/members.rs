//! What belongs to a journey, in the form that stitching wants.

use std::sync::Arc;

use flowglass_journey::{DeliveryFacts, EventFacts, Input};
use flowglass_model::{Layer, NodeId, Role, SpanFacts, TraceId, TraceJoin};
use flowglass_store::EventRow;

use super::MEMBERS_MAX;

/// What belongs to a journey.
pub(crate) struct Members {
    /// Root first, then in the order found.
    pub(crate) traces: Vec<TraceId>,
    /// All joins of what belongs.
    pub(crate) joins: Vec<TraceJoin>,
    /// Spans of the sections that belong.
    pub(crate) spans: Vec<Arc<SpanFacts>>,
    /// Traces of which only a part belongs, sorted.
    pub(crate) partial: Vec<TraceId>,
    /// Whether there were more traces than one journey may have.
    pub(crate) cut: bool,
    /// Sections at which the journey ends because too many others meet there, as settings name them, with how many do.
    pub(crate) hubs: Vec<(String, usize)>,
}

impl Members {
    /// What can be told of the journey that they make, with its events as stored.
    pub(crate) fn tell<T>(
        &self,
        root: TraceId,
        rows: &[EventRow],
        layers: &dyn Fn(&NodeId) -> Layer,
        tell: impl FnOnce(&Input<'_, Arc<SpanFacts>>) -> T,
    ) -> T {
        let (events, deliveries) = event_facts(rows);
        tell(&Input {
            root,
            spans: &self.spans,
            joins: &self.joins,
            partial: &self.partial,
            events: &events,
            deliveries: &deliveries,
            layers,
        })
    }

    /// What people have to know of what was left out, in words.
    pub(crate) fn limits(&self) -> Vec<String> {
        let mut out = Vec::new();
        for (_, traces) in &self.hubs {
            out.push(format!(
                "{traces} traces meet here, too many to tell which belong: each has a journey of its own"
            ));
        }
        if self.cut {
            out.push(format!("only the first {MEMBERS_MAX} traces are shown"));
        }
        out
    }
}

/// Whether a span sends or handles a message: topic without environment, and message id.
pub(crate) fn names(span: &SpanFacts, topic: &str, id: &str) -> bool {
    message_of(span).is_some_and(|(t, m)| t.body() == topic && m == id)
}

/// Topic and id of the message that a span sends or handles.
pub(super) fn message_of(span: &SpanFacts) -> Option<(&NodeId, &str)> {
    match &span.role {
        Role::Send { topic, message_id, .. }
        | Role::Receive { topic, message_id, .. }
        | Role::Process { topic, message_id, .. } => Some((topic, message_id.as_deref()?)),
        _ => None,
    }
}

/// Whether a destination's name says that it keeps messages nobody could process (Enterprise Integration Patterns: dead letter
/// channel).
pub(crate) fn is_dead_letter(destination: &str) -> bool {
    destination
        .split(|c: char| !c.is_ascii_alphanumeric())
        .map(str::to_ascii_lowercase)
        .any(|t| matches!(t.as_str(), "dlq" | "dlt" | "deadletter" | "deadletters" | "dead"))
}

/// Events and deliveries in the form that stitching wants.
fn event_facts(rows: &[EventRow]) -> (Vec<EventFacts>, Vec<DeliveryFacts>) {
    let mut events = Vec::with_capacity(rows.len());
    let mut deliveries = Vec::new();
    for row in rows {
        let m = &row.message;
        deliveries.extend(row.handed.iter().map(|(d, said)| DeliveryFacts {
            event: row.row,
            consumer: d.key.consumer.clone(),
            consumer_sequence: d.key.consumer_sequence,
            delivered: d.delivered,
            time: d.time,
            acknowledgement: said.as_ref().map(|s| s.acknowledgement),
        }));
        events.push(EventFacts {
            row: row.row,
            topic: m.topic(),
            name: m.destination.clone(),
            dead_lettered: row.dead_lettered || is_dead_letter(&m.destination),
            event_id: m.event_id.clone(),
            source: m.source.clone(),
            time: m.time,
            hop: m.hop,
            hop_format: m.hop_format,
            origin: m.origin,
            correlation_id: m.correlation_id.clone(),
            causation_id: m.causation_id.clone(),
            stream: m.stream.clone(),
            sequence: m.sequence,
            occurrences: row.occurrences,
            keys: m.keys.clone(),
        });
    }
    (events, deliveries)
}

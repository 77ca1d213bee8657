//! Which traces make one journey, and what the store knows of them.

use std::collections::BTreeSet;

use flowglass_journey::{DeliveryFacts, EventFacts};
use flowglass_model::{TraceId, TraceJoin};
use flowglass_store::EventRow;

/// Traces of one journey at most; a journey beyond that is cut (its traces are still found one by one).
const MEMBERS_MAX: usize = 1_000;

/// Joins of a trace: those in which it is the child, those in which it is the parent.
pub(crate) type Joins = (Vec<TraceJoin>, Vec<TraceJoin>);

/// The traces a trace's journeys start with: itself when nothing sent it a message, else the starts of its senders.
pub(crate) fn roots<E>(
    trace: TraceId,
    joins_of: &mut dyn FnMut(TraceId) -> Result<Joins, E>,
) -> Result<BTreeSet<TraceId>, E> {
    let mut roots = BTreeSet::new();
    let mut seen = BTreeSet::from([trace]);
    let mut open = vec![trace];
    while let Some(current) = open.pop() {
        let (as_child, _) = joins_of(current)?;
        let parents: BTreeSet<TraceId> = as_child.iter().map(|j| j.parent_trace).collect();
        if parents.is_empty() {
            roots.insert(current);
            continue;
        }
        open.extend(parents.into_iter().filter(|p| seen.len() < MEMBERS_MAX && seen.insert(*p)));
    }
    if roots.is_empty() {
        // Traces that answer each other in a circle: the smallest id stands for all of them, whatever arrived first.
        roots.extend(seen.first().copied());
    }
    Ok(roots)
}

/// The traces of a journey and the joins that touch them.
pub(crate) struct Members {
    /// Root first, then in the order found.
    pub(crate) traces: Vec<TraceId>,
    /// All joins of these traces.
    pub(crate) joins: Vec<TraceJoin>,
}

/// The traces that hang below a journey's first one.
pub(crate) fn members<E>(root: TraceId, joins_of: &mut dyn FnMut(TraceId) -> Result<Joins, E>) -> Result<Members, E> {
    let mut traces = vec![root];
    let mut seen = BTreeSet::from([root]);
    let mut joins = BTreeSet::new();
    let mut next = 0;
    while next < traces.len() {
        let (as_child, as_parent) = joins_of(traces[next])?;
        next += 1;
        for join in &as_parent {
            if traces.len() < MEMBERS_MAX && seen.insert(join.child_trace) {
                traces.push(join.child_trace);
            }
        }
        joins.extend(as_child);
        joins.extend(as_parent);
    }
    Ok(Members { traces, joins: joins.into_iter().collect() })
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
pub(crate) fn event_facts(rows: &[EventRow]) -> (Vec<EventFacts>, Vec<DeliveryFacts>) {
    let mut events = Vec::with_capacity(rows.len());
    let mut deliveries = Vec::new();
    for row in rows {
        let m = &row.message;
        deliveries.extend(row.outcome.iter().map(|o| DeliveryFacts {
            event: row.row,
            consumer: o.consumer.clone(),
            consumer_sequence: u64::from(o.delivered),
            delivered: o.delivered,
            time: m.time,
            acknowledgement: o.acknowledgement,
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
            origin: m.origin,
            stream: m.stream.clone(),
            sequence: m.sequence,
            occurrences: row.occurrences,
            keys: m.keys.clone(),
        });
    }
    (events, deliveries)
}

//! Whether it went well: handlings of messages, retries, state.

use flowglass_model::{Acknowledgement, JourneyState, Role, SpanFacts, SpanKind};

use crate::index::message_of;
use crate::sentence;
use crate::tree::Tree;
use crate::{DeliveryFacts, EventFacts};

/// Whether a span states an error that is its callee's or its own, not its caller's mistake. 4xx answers are ERROR on the
/// client by convention (HTTP semantic conventions, status) without anything having failed; the same goes for the gRPC codes
/// that a server does not report as errors (RPC semantic conventions, gRPC status).
pub(crate) fn is_fault(span: &SpanFacts) -> bool {
    const GRPC_CALLERS_MISTAKE: [u16; 10] = [0, 1, 3, 5, 6, 7, 9, 10, 11, 16];
    let callers = span.is_client_error() || span.grpc_status.is_some_and(|c| GRPC_CALLERS_MISTAKE.contains(&c));
    span.is_error() && !callers && !sentence::cancelled(span)
}

/// One attempt of a consumer to handle a message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Handling {
    /// The span.
    pub(crate) span: usize,
    /// Which delivery it was, from 1, where told or evident.
    pub(crate) delivery: Option<u32>,
    /// Whether it is this consumer's last attempt at the message.
    pub(crate) last: bool,
}

/// What identifies the message of a handling, best evidence first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Identity<'a> {
    Event(usize),
    Id(&'a str),
    Sender(usize),
    Alone(usize),
}

/// What became of the journey.
pub(crate) struct Outcome<'a> {
    /// Attempts, by topic, consumer and message, then in order.
    pub(crate) handlings: Vec<Handling>,
    /// Deliveries by event row, consumer, sequence; each once.
    pub(crate) deliveries: Vec<&'a DeliveryFacts>,
    /// Retried calls and redeliveries.
    pub(crate) retries: u64,
    /// Whether an event was given up.
    pub(crate) dead_lettered: bool,
    /// Number of the handling that failed for good, first by end.
    lasting: Option<usize>,
    /// The event (number) a consumer gave up, first by time.
    pub(crate) given_up: Option<usize>,
    /// The state.
    pub(crate) state: JourneyState,
}

impl<'a> Outcome<'a> {
    /// Judges a journey.
    pub(crate) fn new(tree: &Tree<'a>, deliveries: &'a [DeliveryFacts]) -> Outcome<'a> {
        let deliveries = unique_deliveries(deliveries);
        let handlings = handlings(tree);
        let retries = retries(tree, &handlings, &deliveries);
        let failed_last =
            |h: &Handling| h.last && is_fault(tree.spans[h.span]) && !acknowledged_later(tree, h, &deliveries);
        // Refused, and not given up: the broker will deliver it again.
        let due = |h: &Handling| {
            said(tree, &deliveries, h) == Some(Acknowledgement::Nak)
                && tree.event_of[h.span].is_none_or(|e| !gave_up(&tree.events, &deliveries, e))
        };
        let awaited = handlings.iter().any(|h| failed_last(h) && due(h));
        let lasting = (0..handlings.len())
            .filter(|i| failed_last(&handlings[*i]) && !due(&handlings[*i]))
            .min_by_key(|i| (tree.spans[handlings[*i].span].end, handlings[*i].span));
        let given_up = (0..tree.events.len()).find(|e| gave_up(&tree.events, &deliveries, *e));
        let entry_failed = tree.top.is_some_and(|t| is_fault(tree.spans[t]));
        let state = if entry_failed || lasting.is_some() || given_up.is_some() {
            JourneyState::Failed
        } else if awaited {
            JourneyState::InProgress
        } else if tree.entry_missing || !tree.missing.is_empty() {
            JourneyState::Incomplete
        } else if retries > 0 || tree.spans.iter().any(|s| is_fault(s)) {
            JourneyState::Degraded
        } else {
            JourneyState::Ok
        };
        let dead_lettered = tree.events.iter().any(|e| e.dead_lettered);
        Outcome { handlings, deliveries, retries, dead_lettered, lasting, given_up, state }
    }

    /// All attempts at the message that failed for good, in order.
    pub(crate) fn lasting_attempts(&self) -> &[Handling] {
        let Some(last) = self.lasting else { return &[] };
        let first = self.handlings[..last].iter().rposition(|h| h.last).map_or(0, |i| i + 1);
        &self.handlings[first..=last]
    }

    /// Whether a consumer gave an event up.
    pub(crate) fn gave_up(&self, tree: &Tree<'_>, event: usize) -> bool {
        gave_up(&tree.events, &self.deliveries, event)
    }

    /// Deliveries of an event.
    pub(crate) fn deliveries_of(&self, row: i64) -> impl Iterator<Item = &'a DeliveryFacts> {
        of_event(&self.deliveries, row)
    }

    /// What the broker was told of a handling, where its consumer is known.
    pub(crate) fn acknowledgement(&self, tree: &Tree<'_>, handling: &Handling) -> Option<Acknowledgement> {
        said(tree, &self.deliveries, handling)
    }
}

/// What the broker was told of a handling, where its consumer is known.
fn said(tree: &Tree<'_>, deliveries: &[&DeliveryFacts], handling: &Handling) -> Option<Acknowledgement> {
    let row = tree.events[tree.event_of[handling.span]?].row;
    let group = group_of(tree.spans[handling.span])?;
    let number = handling.delivery?;
    of_event(deliveries, row).find(|d| d.consumer == group && d.delivered == number)?.acknowledgement
}

fn gave_up(events: &[&EventFacts], deliveries: &[&DeliveryFacts], event: usize) -> bool {
    let facts = events[event];
    let terminated = |d: &DeliveryFacts| d.acknowledgement == Some(Acknowledgement::Term);
    facts.dead_lettered || of_event(deliveries, facts.row).any(terminated)
}

fn unique_deliveries(all: &[DeliveryFacts]) -> Vec<&DeliveryFacts> {
    let mut unique: Vec<&DeliveryFacts> = all.iter().collect();
    // The latest word (an acknowledgement sorts after none) stands first and survives.
    unique.sort_by(|a, b| {
        let key = |d: &DeliveryFacts| (d.event, d.consumer_sequence, d.delivered);
        a.event
            .cmp(&b.event)
            .then_with(|| a.consumer.cmp(&b.consumer))
            .then_with(|| key(a).cmp(&key(b)))
            .then_with(|| b.acknowledgement.cmp(&a.acknowledgement))
            .then_with(|| a.time.cmp(&b.time))
    });
    unique
        .dedup_by(|b, a| a.event == b.event && a.consumer == b.consumer && a.consumer_sequence == b.consumer_sequence);
    unique
}

fn of_event<'d, 'a>(
    deliveries: &'d [&'a DeliveryFacts],
    row: i64,
) -> impl Iterator<Item = &'a DeliveryFacts> + use<'d, 'a> {
    let from = deliveries.partition_point(|d| d.event < row);
    let to = deliveries.partition_point(|d| d.event <= row);
    deliveries[from..to].iter().copied()
}

/// Consumer group that a handler names.
pub(crate) fn group_of(span: &SpanFacts) -> Option<&str> {
    match &span.role {
        Role::Receive { group, .. } | Role::Process { group, .. } => group.as_deref(),
        _ => None,
    }
}

/// Processing spans, and receive spans of kind CONSUMER (some instrumentations report the handling that way).
fn is_handling(span: &SpanFacts) -> bool {
    match span.role {
        Role::Process { .. } => true,
        Role::Receive { .. } => span.kind == SpanKind::Consumer,
        _ => false,
    }
}

fn told_delivery(span: &SpanFacts) -> Option<u32> {
    match span.role {
        Role::Process { delivery, .. } => delivery,
        _ => None,
    }
}

fn handlings(tree: &Tree<'_>) -> Vec<Handling> {
    let mut attempts: Vec<_> = (0..tree.spans.len())
        .filter(|n| is_handling(tree.spans[*n]))
        .map(|n| {
            let span = tree.spans[n];
            let (topic, id) = message_of(span).unwrap_or_default();
            let identity = match (tree.event_of[n], id, tree.sender_of[n]) {
                (Some(event), _, _) => Identity::Event(event),
                (_, Some(id), _) => Identity::Id(id),
                (_, _, Some(sender)) => Identity::Sender(sender),
                _ => Identity::Alone(n),
            };
            ((topic, group_of(span).unwrap_or(span.service.as_str()), identity), told_delivery(span).unwrap_or(0), n)
        })
        .collect();
    attempts.sort_unstable();
    let mut out = Vec::with_capacity(attempts.len());
    for group in attempts.chunk_by(|a, b| a.0 == b.0) {
        // Order stands for the delivery number only when one publication was handled again: a message published twice is
        // handled twice without any redelivery.
        let sender = tree.sender_of[group[0].2];
        let once = group.iter().all(|(_, told, n)| *told == 0 && tree.sender_of[*n] == sender)
            && tree.event_of[group[0].2].is_none_or(|e| tree.events[e].occurrences <= 1);
        for (i, (_, told, n)) in group.iter().enumerate() {
            let delivery = match told {
                0 if once && group.len() > 1 => Some(i as u32 + 1),
                0 => None,
                told => Some(*told),
            };
            out.push(Handling { span: *n, delivery, last: i + 1 == group.len() });
        }
    }
    out
}

/// Whether the broker saw a later delivery to the same consumer end well, though no span tells of it.
fn acknowledged_later(tree: &Tree<'_>, handling: &Handling, deliveries: &[&DeliveryFacts]) -> bool {
    let (Some(event), Some(group), Some(number)) =
        (tree.event_of[handling.span], group_of(tree.spans[handling.span]), handling.delivery)
    else {
        return false;
    };
    of_event(deliveries, tree.events[event].row)
        .any(|d| d.consumer == group && d.delivered > number && d.acknowledgement == Some(Acknowledgement::Ack))
}

/// Repeated calls, and redeliveries: told by spans, by the broker or by both, which is the same redelivery.
fn retries(tree: &Tree<'_>, handlings: &[Handling], deliveries: &[&DeliveryFacts]) -> u64 {
    let calls = tree.spans.iter().filter(|s| s.resend > 0).count();
    let mut by_event = vec![0usize; tree.events.len()];
    let mut others = 0;
    for h in handlings.iter().filter(|h| h.delivery.is_some_and(|d| d > 1)) {
        match tree.event_of[h.span] {
            Some(e) => by_event[e] += 1,
            None => others += 1,
        }
    }
    let events: usize = (0..tree.events.len())
        .map(|e| of_event(deliveries, tree.events[e].row).filter(|d| d.delivered > 1).count().max(by_event[e]))
        .sum();
    (calls + others + events) as u64
}

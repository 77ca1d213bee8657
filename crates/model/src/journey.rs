//! One business action with everything it caused.

use serde::{Deserialize, Serialize};

use crate::{Layer, Nanos, NodeId, SpanId, TraceId};

/// How two items were joined (research on correlation, precedence of fields).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkHow {
    /// Parent span.
    Parent,
    /// Span link.
    SpanLink,
    /// `traceparent` header of a message.
    Traceparent,
    /// CloudEvents `traceparent`.
    Origin,
    /// Message id within a destination.
    MessageId,
    /// Stream and sequence.
    Sequence,
}

impl LinkHow {
    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            LinkHow::Parent => "parent",
            LinkHow::SpanLink => "span-link",
            LinkHow::Traceparent => "traceparent",
            LinkHow::Origin => "origin",
            LinkHow::MessageId => "message-id",
            LinkHow::Sequence => "sequence",
        }
    }

    /// The inverse of [`LinkHow::as_str`].
    pub fn parse(text: &str) -> Option<LinkHow> {
        [
            LinkHow::Parent,
            LinkHow::SpanLink,
            LinkHow::Traceparent,
            LinkHow::Origin,
            LinkHow::MessageId,
            LinkHow::Sequence,
        ]
        .into_iter()
        .find(|h| h.as_str() == text)
    }
}

/// How sure a join is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sure {
    /// Ids agree.
    Certain,
    /// Ids that are meant to agree, do.
    Strong,
    /// Guessed.
    Weak,
}

/// Outcome of a journey in the contract's three words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JourneyStatus {
    /// Succeeded, perhaps after retries.
    Ok,
    /// Something failed for good.
    Failed,
    /// Not all that belongs to it has been seen.
    Incomplete,
}

/// Outcome of a journey, told apart further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JourneyState {
    /// Succeeded.
    Ok,
    /// Succeeded after failures.
    Degraded,
    /// Failed.
    Failed,
    /// Still going on.
    InProgress,
    /// Spans are missing.
    Incomplete,
}

impl JourneyState {
    /// The contract's coarser word.
    pub fn status(self) -> JourneyStatus {
        match self {
            JourneyState::Ok | JourneyState::Degraded => JourneyStatus::Ok,
            JourneyState::Failed => JourneyStatus::Failed,
            JourneyState::InProgress | JourneyState::Incomplete => JourneyStatus::Incomplete,
        }
    }
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ItemKind {
    /// A span.
    Span,
    /// An event (a publication).
    Event,
}

/// Status of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ItemStatus {
    /// Fine.
    Ok,
    /// Failed.
    Error,
    /// Nothing said.
    Unset,
}

/// A span or event of a journey.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JourneyItem {
    /// Span or event.
    #[serde(rename = "type")]
    pub kind: ItemKind,
    /// Span id or event id.
    pub id: String,
    /// CloudEvents source of an event.
    pub source: Option<String>,
    /// Trace, where known.
    pub trace_id: Option<TraceId>,
    /// Service of a span, topic of an event.
    pub participant: NodeId,
    /// Layer of the participant.
    pub layer: Layer,
    /// Operation or subject.
    pub name: String,
    /// Start.
    pub start: Nanos,
    /// Duration, nanoseconds; 0 for events.
    pub duration: i64,
    /// Status.
    pub status: ItemStatus,
    /// Depth in the tree, from 0.
    pub depth: u32,
    /// Id of the item it hangs below.
    pub parent: Option<String>,
    /// Span kind (`server`, `client`, `producer`, `consumer`, `internal`) or `event`.
    pub role: String,
    /// Delivery number of a message handling, from 1.
    pub delivery: Option<u32>,
    /// Retry number of a call, from 1.
    pub retry: Option<u32>,
    /// Short words for the bar: HTTP status, `timeout`, `nak`.
    pub badge: Option<String>,
}

/// How one item led to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JourneyLink {
    /// Cause.
    pub from: String,
    /// Effect.
    pub to: String,
    /// What joined them.
    pub how: LinkHow,
    /// How sure that is.
    pub sure: Sure,
}

/// A step of the critical path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CriticalStep {
    /// Item.
    pub id: String,
    /// Time on the path that no child of it explains, nanoseconds.
    pub self_time: i64,
}

/// What failed first and how it spread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The first item in error.
    pub first: String,
    /// Who failed.
    pub participant: NodeId,
    /// Why, from evidence.
    pub cause: String,
    /// Items from the first failure to what the caller saw.
    pub chain: Vec<String>,
}

/// A journey as a list shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JourneySummary {
    /// Identity: the trace id it started with.
    pub id: TraceId,
    /// `service operation` of its first span.
    pub root: String,
    /// Node of the first span's service.
    pub root_participant: NodeId,
    /// First start.
    pub start: Nanos,
    /// What the caller waited, nanoseconds; unknown when the entry span is missing.
    pub response: Option<i64>,
    /// Until the last effect, nanoseconds.
    pub settled: Option<i64>,
    /// Outcome.
    pub state: JourneyState,
    /// Participants, sorted.
    pub participants: Vec<NodeId>,
    /// Spans.
    pub spans: u64,
    /// Events.
    pub events: u64,
    /// Spans in error.
    pub errors: u64,
    /// Retries and redeliveries.
    pub retries: u64,
    /// Whether a message of it was dead-lettered.
    pub dead_lettered: bool,
    /// Business keys: name and value, sorted.
    pub keys: Vec<(String, String)>,
    /// First failure in one sentence.
    pub failure: Option<String>,
}

/// A journey in full.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Journey {
    /// The list's view of it.
    pub summary: JourneySummary,
    /// Items by start, then id.
    pub items: Vec<JourneyItem>,
    /// Joins.
    pub links: Vec<JourneyLink>,
    /// What the time went into.
    pub critical_path: Vec<CriticalStep>,
    /// First failure.
    pub failure: Option<Failure>,
    /// Traces it consists of, the first one first.
    pub traces: Vec<TraceId>,
    /// Parents that were named but never arrived.
    pub missing: Vec<SpanId>,
}

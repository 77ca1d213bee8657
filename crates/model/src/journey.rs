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
    /// Id of the causing event (`causationid`).
    Causation,
    /// A correlation id carried by both.
    CorrelationId,
    /// A context in another format than W3C's (B3, Jaeger).
    B3,
    /// The same business key on the same destination within a short time.
    Inferred,
}

impl LinkHow {
    /// All of them, the surest first.
    pub const ALL: [LinkHow; 10] = [
        LinkHow::Parent,
        LinkHow::SpanLink,
        LinkHow::Traceparent,
        LinkHow::Origin,
        LinkHow::MessageId,
        LinkHow::Sequence,
        LinkHow::Causation,
        LinkHow::CorrelationId,
        LinkHow::B3,
        LinkHow::Inferred,
    ];

    /// How sure such a join is (research on correlation, D2).
    pub fn sure(self) -> Sure {
        match self {
            LinkHow::Parent
            | LinkHow::SpanLink
            | LinkHow::Traceparent
            | LinkHow::Origin
            | LinkHow::MessageId
            | LinkHow::Sequence => Sure::Certain,
            LinkHow::Causation | LinkHow::CorrelationId | LinkHow::B3 => Sure::Strong,
            LinkHow::Inferred => Sure::Weak,
        }
    }

    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            LinkHow::Parent => "parent",
            LinkHow::SpanLink => "span-link",
            LinkHow::Traceparent => "traceparent",
            LinkHow::Origin => "origin",
            LinkHow::MessageId => "message-id",
            LinkHow::Sequence => "sequence",
            LinkHow::Causation => "causation",
            LinkHow::CorrelationId => "correlation-id",
            LinkHow::B3 => "b3",
            LinkHow::Inferred => "inferred",
        }
    }

    /// The inverse of [`LinkHow::as_str`].
    pub fn parse(text: &str) -> Option<LinkHow> {
        LinkHow::ALL.into_iter().find(|h| h.as_str() == text)
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

/// Why nothing happened for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GapKind {
    /// From publication to the first handling.
    Queue,
    /// From an attempt to the next delivery of the same message.
    Redelivery,
}

/// A time in which a journey waited for a message to be handled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    /// Why.
    pub kind: GapKind,
    /// Item it waited after: the publication, or the attempt before.
    pub from: String,
    /// Item that ended the wait: the handling.
    pub to: String,
    /// Where the message waited.
    pub participant: NodeId,
    /// When the wait began.
    pub start: Nanos,
    /// How long, nanoseconds; negative where the clocks of sender and handler contradict each other.
    pub duration: i64,
    /// Whether the last effect was waited for here.
    pub critical: bool,
}

/// What is remarkable about an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MarkKind {
    /// A call made again.
    Retry,
    /// A message delivered again.
    Redelivery,
    /// An event handled again although it had been handled well.
    Duplicate,
    /// A message a consumer gave up.
    DeadLettered,
    /// Acknowledged.
    Ack,
    /// Refused, to be delivered again.
    Nak,
    /// Refused for good.
    Term,
    /// An answer of 400 to 499, or a gRPC code that blames the caller: no failure of the callee.
    ClientError,
    /// Given up by its caller.
    Cancelled,
    /// Times that contradict each other: the clocks of two participants differ.
    ClockSkew,
    /// So many meet here that it tells nothing about any one of them.
    Hub,
}

/// A remark about an item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// Item.
    pub id: String,
    /// What.
    pub kind: MarkKind,
    /// In words.
    pub words: String,
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
    /// The same for whoever waits for the outcome, without names of services or codes.
    pub for_customer: String,
    /// What the failing span logged about it, in one line; filled in where log records are at hand.
    pub logged: Option<String>,
}

/// Something a journey brought about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Effect {
    /// Where a message was published, without its environment.
    pub topic: NodeId,
    /// The service that handled it; none for the publication itself.
    pub handled_by: Option<NodeId>,
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
    /// What was published and who handled it, sorted, each once.
    pub effects: Vec<Effect>,
}

/// Another journey that seems to belong to one, though no context says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relation {
    /// The other journey.
    pub journey: TraceId,
    /// What relates them.
    pub how: LinkHow,
    /// How sure that is; never certain.
    pub sure: Sure,
    /// Why, in words.
    pub because: String,
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
    /// What the time up to the answer went into.
    pub critical_path: Vec<CriticalStep>,
    /// What the time up to the last effect went into; beside it the critical gaps.
    pub settled_path: Vec<CriticalStep>,
    /// Waits for messages, by start.
    pub gaps: Vec<Gap>,
    /// Time up to the last effect by participant, the largest first: services and backends by their steps of
    /// [`Journey::settled_path`], topics by what waited in them.
    pub time_by: Vec<(NodeId, i64)>,
    /// Remarks, by item.
    pub marks: Vec<Mark>,
    /// First failure.
    pub failure: Option<Failure>,
    /// Traces it consists of, the first one first.
    pub traces: Vec<TraceId>,
    /// Parents that were named but never arrived.
    pub missing: Vec<SpanId>,
}

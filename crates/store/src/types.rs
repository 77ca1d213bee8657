//! What questions to a workspace look like, and what they answer.

use flowglass_model::{
    Acknowledgement, Advisory, Delivery, InteractionKind, JourneyState, JourneySummary, Message, MessageContext, Nanos,
    NodeId, Settlement, Sketch, TraceId,
};

/// How to open a workspace for writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Make it if it is not there.
    Create,
    /// It must be there.
    Open,
}

/// Numbers of everything that is stored; kept as counters, so asking costs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Spans.
    pub spans: u64,
    /// Traces with at least one span.
    pub traces: u64,
    /// Events (several publications of one event count once).
    pub events: u64,
    /// Log records.
    pub logs: u64,
    /// Items refused at the door.
    pub rejected: u64,
    /// Items lost because a queue was full.
    pub dropped: u64,
    /// Size of the file and its write-ahead log, bytes.
    pub bytes: u64,
    /// Earliest span start, publication or log record.
    pub oldest: Option<Nanos>,
    /// Latest span start, publication or log record.
    pub newest: Option<Nanos>,
}

/// What adding a publication did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// A new event.
    New,
    /// A new publication of an event that was known (same source and id).
    Occurrence,
    /// This very publication was stored before.
    Known,
}

/// What the resolver needs of a stored publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRef {
    /// When it was published.
    pub time: Nanos,
    /// Context of the last hop.
    pub hop: Option<MessageContext>,
    /// CloudEvents source.
    pub source: Option<String>,
    /// Broker technology.
    pub system: String,
    /// Subject, topic or queue.
    pub destination: String,
    /// Event id, if it has one.
    pub event_id: Option<String>,
}

/// Publications told by messages that no span accounted for yet; kept for the resolver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmatchedPublication {
    /// How many.
    pub count: u64,
    /// Who published, as assumed.
    pub source: NodeId,
    /// Where to.
    pub topic: NodeId,
    /// When.
    pub at: Nanos,
}

/// Which series a timeline adds up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeriesFilter {
    /// One edge.
    Edge {
        /// Caller, producer or topic.
        source: NodeId,
        /// Callee, topic, consumer or backend.
        target: NodeId,
        /// How.
        kind: InteractionKind,
    },
    /// Everything a participant handled.
    OperationsOf(NodeId),
    /// Everything anybody handled.
    AllOperations,
    /// All publish edges.
    AllPublishes,
}

/// One bar of a timeline.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TimelineBucket {
    /// Its start.
    pub start: Nanos,
    /// Occurrences.
    pub count: i64,
    /// Failed ones.
    pub errors: i64,
    /// Durations.
    pub sketch: Sketch,
}

/// Which journeys to list. The default is all of them (with `limit` 0: counts only).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JourneyFilter {
    /// Started at or after.
    pub since: Option<Nanos>,
    /// Started before.
    pub until: Option<Nanos>,
    /// In one of these states.
    pub state: Option<Vec<JourneyState>>,
    /// With this participant: a node id, or the name people read.
    pub participant: Option<String>,
    /// Containing this text (case ignored) in root, participants, keys or failure.
    pub text: Option<String>,
    /// Caller waited at least this long, nanoseconds.
    pub min_response: Option<i64>,
    /// With retries or redeliveries only.
    pub retried: bool,
    /// With dead-lettered messages only.
    pub dead_lettered: bool,
    /// Page: only journeys older than this (start and id of the last row seen).
    pub before: Option<(Nanos, TraceId)>,
    /// At most this many rows.
    pub limit: usize,
}

/// A page of journeys.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JourneyPage {
    /// Newest first.
    pub rows: Vec<JourneySummary>,
    /// How many match on all pages.
    pub total: u64,
    /// How many match in each state, the state filter aside; states with none are left out.
    pub by_state: Vec<(JourneyState, u64)>,
    /// How many match with retries or redeliveries.
    pub retried: u64,
    /// How many match with dead-lettered messages.
    pub dead_lettered: u64,
    /// Settled times of the newest matching journeys, nanoseconds, and whether they failed; at most 20,000.
    pub settled: Vec<(i64, bool)>,
}

/// Something that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FindHit {
    /// A journey (by its id), or a trace that belongs to none.
    Trace(TraceId),
    /// An event that belongs to no trace (its row).
    Event(i64),
}

/// Which events to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventFilter {
    /// Published at or after.
    pub since: Option<Nanos>,
    /// Published before.
    pub until: Option<Nanos>,
    /// On exactly this destination; with `*` or `>` at the end: on destinations that start so.
    pub destination: Option<String>,
    /// Of exactly this CloudEvents type.
    pub event_type: Option<String>,
    /// Containing this text (case ignored) in destination, id, type, source or key.
    pub text: Option<String>,
    /// With a negative acknowledgement, a termination or a dead letter.
    pub only_failed: bool,
    /// Delivered more than once to one consumer.
    pub only_redelivered: bool,
    /// Without any delivery seen.
    pub only_unconsumed: bool,
    /// Page: only events older than this row.
    pub before: Option<i64>,
    /// Live tail: only events that arrived after this row.
    pub after: Option<i64>,
    /// At most this many rows.
    pub limit: usize,
}

/// A page of events.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EventPage {
    /// Newest first.
    pub rows: Vec<EventRow>,
    /// How many match on all pages.
    pub total: u64,
}

/// What one consumer did with an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerOutcome {
    /// Consumer or group.
    pub consumer: String,
    /// Stream it reads.
    pub stream: String,
    /// Deliveries seen.
    pub deliveries: u32,
    /// Highest delivery number.
    pub delivered: u32,
    /// What it said last, if anything.
    pub acknowledgement: Option<Acknowledgement>,
}

/// An event as a list shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRow {
    /// Identity within this workspace; grows with arrival.
    pub row: i64,
    /// Its first publication, headers and payload left out.
    pub message: Message,
    /// Publications.
    pub occurrences: u32,
    /// Deliveries seen, all consumers together.
    pub deliveries: u32,
    /// Whether one was delivered again.
    pub redelivered: bool,
    /// Per consumer, sorted.
    pub outcome: Vec<ConsumerOutcome>,
    /// Whether a broker gave up on it (deliveries exceeded, or terminated).
    pub dead_lettered: bool,
}

/// An event in full.
#[derive(Debug, Clone, PartialEq)]
pub struct EventDetail {
    /// Identity within this workspace.
    pub row: i64,
    /// Its first publication, payload included.
    pub message: Message,
    /// All publications, oldest first, payloads left out.
    pub occurrences: Vec<Message>,
    /// Deliveries by time, each with the last acknowledgement seen.
    pub deliveries: Vec<(Delivery, Option<Settlement>)>,
    /// Broker notices about it, by time.
    pub advisories: Vec<Advisory>,
}

/// What one consumer did on a destination.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConsumerCounts {
    /// Consumer or group.
    pub consumer: String,
    /// Deliveries, redeliveries included.
    pub deliveries: u64,
    /// Redeliveries.
    pub redeliveries: u64,
    /// Negative acknowledgements.
    pub naks: u64,
    /// Terminations.
    pub terms: u64,
    /// Acknowledgements.
    pub acks: u64,
}

/// A destination with its figures over a range.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DestinationRow {
    /// Broker technology.
    pub system: String,
    /// Subject, topic or queue.
    pub destination: String,
    /// Streams or partitions that store it, sorted.
    pub streams: Vec<String>,
    /// Publications.
    pub publications: u64,
    /// Events.
    pub events: u64,
    /// Consumers, sorted.
    pub consumers: Vec<ConsumerCounts>,
    /// Last publication.
    pub last: Option<Nanos>,
}

//! What questions to a workspace look like, and what they answer.

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::filter::{Filter, Places};
use flowglass_model::{
    Acknowledgement, Advisory, Delivery, InteractionKind, JourneyState, JourneySummary, LogRecord, Message,
    MessageContext, Nanos, NodeId, Settlement, Sketch, TraceId,
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

/// What lies nearest outside of a range: the last before it, the first after it; `None` on a side that is open or has nothing.
pub type Around = (Option<Nanos>, Option<Nanos>);

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
    /// What anybody of an environment (`None`: of all) handled, noise left out (see [`is_noise`](flowglass_model::is_noise)).
    Operations {
        /// Patterns of noise.
        noise: Vec<String>,
        /// Environment of the service.
        environment: Option<String>,
    },
    /// What anybody of an environment (`None`: of all) published.
    Publishes {
        /// Environment of the producer.
        environment: Option<String>,
    },
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

/// Which journeys to list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JourneyFilter {
    /// Started at or after.
    pub since: Option<Nanos>,
    /// Started before.
    pub until: Option<Nanos>,
    /// What else must hold.
    pub filter: Filter,
    /// Where participants stand: what `layer:`, `domain:` and `owner:` are decided by.
    pub places: Places,
    /// In one of these states.
    pub state: Option<Vec<JourneyState>>,
    /// With this participant: a node id or a name.
    pub participant: Option<String>,
    /// Journeys that began with an operation of these patterns are counted, not listed
    /// (see [`is_noise`](flowglass_model::is_noise)).
    pub noise: Vec<String>,
    /// Page: only journeys that come after this place (start, id) in a list that begins with the newest.
    pub before: Option<(Nanos, TraceId)>,
    /// At most this many rows.
    pub limit: usize,
    /// Nothing is wanted but the rows: looking ends when they are found, and the page's numbers tell of no more than them.
    pub rows_only: bool,
    /// Journeys are judged as of this instant: which are still going on, which lack what others of their kind have. Without it
    /// only what was stored of each counts.
    pub now: Option<Nanos>,
    /// Journeys of which a message is known to wait for a consumer.
    pub waiting: BTreeSet<TraceId>,
}

/// A page of journeys.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JourneyPage {
    /// Newest first.
    pub rows: Vec<JourneySummary>,
    /// How many match on all pages, as far as it was looked.
    pub total: u64,
    /// How many match in each state, the state filter aside; states with none are left out.
    pub by_state: Vec<(JourneyState, u64)>,
    /// How many match with retries or redeliveries.
    pub retried: u64,
    /// How many match with dead-lettered messages.
    pub dead_lettered: u64,
    /// How many match but are noise; they are in no other number.
    pub noise: u64,
    /// Settled times of the newest matching journeys, nanoseconds, and whether they failed; at most 20,000.
    pub settled: Vec<(i64, bool)>,
    /// Where looking stopped because it would have taken too long; older journeys may match.
    pub stopped: Option<(Nanos, TraceId)>,
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
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EventFilter {
    /// Published at or after.
    pub since: Option<Nanos>,
    /// Published before.
    pub until: Option<Nanos>,
    /// What else must hold.
    pub filter: Filter,
    /// Destinations as `SYSTEM/NAME` that each `service:` term means, by the term's position.
    pub topics_of: BTreeMap<usize, BTreeSet<String>>,
    /// Destinations as `SYSTEM/NAME` with a known consumer: what tells `published` from `unconsumed`.
    pub consumed: BTreeSet<String>,
    /// Destinations as `SYSTEM/NAME` that take dead letters.
    pub dead: BTreeSet<String>,
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
    /// How many match on all pages, as far as it was looked.
    pub total: u64,
    /// The row at which looking stopped because it would have taken too long, and its time; older events may match.
    pub stopped: Option<(i64, Nanos)>,
}

/// Which log records to list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LogFilter {
    /// At or after.
    pub since: Option<Nanos>,
    /// Before.
    pub until: Option<Nanos>,
    /// What else must hold.
    pub filter: Filter,
    /// Where participants stand.
    pub places: Places,
    /// Page: only records below this one.
    pub before: Option<LogId>,
    /// Live tail: only what was stored after this [`LogPage::newest`].
    pub after: Option<i64>,
    /// At most this many rows.
    pub limit: usize,
}

/// Identity of a log record, and its place in a list: time, then content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogId {
    /// When.
    pub time: Nanos,
    /// Hash of what it says and who said it; exact repeats are not stored.
    pub hash: i64,
}

/// A page of log records.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LogPage {
    /// Newest first.
    pub rows: Vec<(LogId, LogRecord)>,
    /// Whether older ones match or may match.
    pub more: bool,
    /// How many match by level (0 unset to 6 fatal), the level terms aside, when all of the range was looked at.
    pub by_level: Option<[u64; 7]>,
    /// How many match, when all of the range was looked at.
    pub total: Option<u64>,
    /// The time down to which it was looked, when looking stopped because it would have taken too long.
    pub stopped: Option<Nanos>,
    /// What was stored last; grows.
    pub newest: i64,
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
    /// Every delivery by time, with the last word said of it.
    pub handed: Vec<(Delivery, Option<Settlement>)>,
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

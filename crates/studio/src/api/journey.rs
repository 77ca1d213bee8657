//! Journeys and spans.

use super::{Attribute, BusinessKey, Nearest, Range, dto};

dto! {
    /// Asks for journeys, newest first.
    #[derive(Default)]
    pub struct JourneysRequest {
        /// Range; ignored when `find` is given (finding by id or key ignores time).
        pub range: Range,
        /// Trace id, span id, event id or business key: a whole value.
        #[serde(default)]
        pub find: Option<String>,
        /// Filter expression.
        #[serde(default)]
        pub filter: Option<String>,
        /// Show folded noise (health checks, polls) too.
        #[serde(default)]
        pub noise: bool,
        /// Rows wanted, at most 500.
        pub limit: u32,
        /// Continue below this journey id.
        #[serde(default)]
        pub after: Option<String>,
    }

    /// A journey in a list.
    pub struct JourneyRow {
        /// Identity.
        pub id: String,
        /// `web-orders-exp-api POST /orders`.
        pub root: String,
        /// Service part of the root.
        pub service: String,
        /// Operation part of the root.
        pub operation: String,
        /// Layer of the root's service.
        pub layer: String,
        /// Start.
        pub start_at: f64,
        /// What the caller waited.
        pub response_ms: Option<f64>,
        /// Until the last effect.
        pub settled_ms: Option<f64>,
        /// `ok`, `degraded`, `failed`, `in-progress`, `incomplete`.
        pub state: String,
        /// Services taking part.
        pub services: u32,
        /// Spans.
        pub spans: u32,
        /// Events.
        pub events: u32,
        /// Retries and redeliveries.
        pub retries: u32,
        /// A message was dead-lettered.
        pub dead_lettered: bool,
        /// Business keys.
        pub keys: Vec<BusinessKey>,
        /// First failure in one sentence.
        pub failure: Option<String>,
    }

    /// Journeys of a range.
    pub struct JourneysPage {
        /// Newest first.
        pub rows: Vec<JourneyRow>,
        /// All that match.
        pub total: u64,
        /// How many match if the state filter were off, by state.
        pub by_state: Vec<StateCount>,
        /// With retries or redeliveries.
        pub retried: u64,
        /// Dead-lettered.
        pub dead_lettered: u64,
        /// Settled times in logarithmic bins.
        pub histogram: Vec<HistogramBin>,
        /// Median of settled times.
        pub p50_ms: Option<f64>,
        /// 95th percentile of settled times.
        pub p95_ms: Option<f64>,
        /// Journeys folded away as noise.
        pub noise: u64,
        /// Where looking stopped because it would have taken too long: older journeys may match. To go on, ask with a range that
        /// ends here.
        pub stopped_at: Option<f64>,
        /// Journeys outside of the range that carry a word of the filter as their id or key: how many, and where.
        pub elsewhere: Option<Elsewhere>,
        /// Events found by `find` that belong to no journey.
        pub loose_events: Vec<super::EventRow>,
        /// Where data is, when there is none.
        pub nearest: Nearest,
        /// What was looked through, when something was looked for and nothing found.
        pub searched: Option<super::Searched>,
    }

    /// What an exact id or key finds outside of the range.
    pub struct Elsewhere {
        /// The id or key.
        pub text: String,
        /// Journeys.
        pub count: u64,
        /// When the newest of them started.
        pub newest_at: f64,
    }

    /// Journeys in a state.
    pub struct StateCount {
        /// State.
        pub state: String,
        /// Journeys.
        pub count: u64,
    }

    /// A bin of a histogram.
    #[derive(Copy)]
    pub struct HistogramBin {
        /// Lower bound.
        pub from_ms: f64,
        /// Upper bound.
        pub to_ms: f64,
        /// Journeys.
        pub count: u64,
        /// Failed ones.
        pub failed: u64,
    }

    /// Asks for a journey: any trace id of it.
    pub struct JourneyRequest {
        /// Journey or trace id.
        pub id: String,
        /// Also what is only guessed to belong to it (see [`Item::guessed`]).
        #[serde(default)]
        #[ts(optional, as = "Option<bool>")]
        pub guesses: bool,
    }

    /// A bar of the waterfall: a span or event.
    pub struct Item {
        /// Unique in this journey: `traceId:spanId:kind`, or `event:ROW`.
        pub uid: String,
        /// `span` or `event`.
        #[serde(rename = "type")]
        pub item_type: String,
        /// Span id or event id.
        pub id: String,
        /// Trace.
        pub trace_id: Option<String>,
        /// Node id.
        pub participant: String,
        /// Its name.
        pub participant_name: String,
        /// Its layer.
        pub layer: String,
        /// Operation or subject.
        pub name: String,
        /// `server`, `client`, `producer`, `consumer`, `internal`, `event`.
        pub role: String,
        /// Start.
        pub start_at: f64,
        /// Duration.
        pub duration_ms: f64,
        /// `ok`, `error`, `unset`.
        pub status: String,
        /// Depth in the tree.
        pub depth: u32,
        /// `uid` of the item it hangs below.
        pub parent: Option<String>,
        /// Synchronous part (false: after a message).
        pub synchronous: bool,
        /// On the critical path of the answer.
        pub critical: bool,
        /// On the critical path of the last effect.
        pub settled_critical: bool,
        /// Delivery number.
        pub delivery: Option<u32>,
        /// Retry number.
        pub retry: Option<u32>,
        /// Short word for the bar.
        pub badge: Option<String>,
        /// Whether it is only guessed to belong: it is in none of the journey's figures.
        pub guessed: bool,
        /// Event row, for events.
        pub event_row: Option<i64>,
    }

    /// A join.
    pub struct Link {
        /// `uid` of the cause.
        pub from: String,
        /// `uid` of the effect.
        pub to: String,
        /// `parent`, `span-link`, `traceparent`, `message-id`, …
        pub how: String,
        /// `certain`, `strong`, `weak`.
        pub sure: String,
    }

    /// The first failure.
    pub struct FailureView {
        /// `uid` of the first item in error.
        pub first: String,
        /// Who failed.
        pub participant: String,
        /// Its name.
        pub participant_name: String,
        /// Why.
        pub cause: String,
        /// What the failing span logged about it, in one line.
        pub logged: Option<String>,
        /// `uid`s from the first failure to what the caller saw.
        pub chain: Vec<String>,
        /// Later failures in this journey that follow from it.
        pub later: u32,
        /// Why, for whoever waits for the outcome: without names of services or codes.
        pub for_customer: String,
        /// Who runs the failing participant.
        pub owner: Option<String>,
        /// How to reach them.
        pub contact: Option<String>,
        /// What to do.
        pub runbook: Option<String>,
    }
    /// A time in which a message waited.
    pub struct GapView {
        /// `queue`: from publication to the first handling; `redelivery`: from an attempt to the next.
        pub kind: String,
        /// `uid` of the publication or the attempt before.
        pub from: String,
        /// `uid` of the handling.
        pub to: String,
        /// Topic.
        pub participant: String,
        /// Its name.
        pub participant_name: String,
        /// Begin.
        pub start_at: f64,
        /// Length; negative where clocks contradict each other.
        pub duration_ms: f64,
        /// On the critical path of the last effect.
        pub critical: bool,
    }
    /// Where the time up to the last effect went.
    pub struct TimeShare {
        /// Node id, or the layer's word.
        pub id: String,
        /// Its name.
        pub name: String,
        /// Layer.
        pub layer: String,
        /// How long.
        pub ms: f64,
    }
    /// Another journey that seems to belong to this one.
    pub struct RelatedJourney {
        /// Its id.
        pub id: String,
        /// `correlation-id`, `inferred`.
        pub how: String,
        /// `strong`, `weak`.
        pub sure: String,
        /// Why, in words.
        pub because: String,
    }
    /// What seems to belong to a journey, though no context says so.
    pub struct RelatedJourneys {
        /// The surest first; they are in no figure of the journey. Drawn dashed.
        pub rows: Vec<RelatedJourney>,
        /// Values that too many journeys share to relate any, in words.
        pub hubs: Vec<String>,
        /// Ids that join parts of this journey without a context, and what joins none because so many meet there.
        pub joins: Vec<JoinView>,
        /// What was decided about joins, in the whole workspace.
        pub decided: Vec<JoinDecision>,
    }
    /// An id that joins parts of a journey, or is held back.
    pub struct JoinView {
        /// What it is decided by: `correlationId=c-1`, `span=TRACE/SPAN`.
        pub entry: String,
        /// What all of its name are decided by: `correlationId`; none for spans.
        pub all: Option<String>,
        /// Traces it joins, or would.
        pub traces: u32,
        /// Whether it joins nothing because so many share it.
        pub held_back: bool,
        /// In words, with why.
        pub words: String,
    }
    /// A decision about joins.
    pub struct JoinDecision {
        /// What it is about.
        pub entry: String,
        /// `never` or `always`.
        pub decision: String,
    }
    /// Decides about a join.
    pub struct DecideJoinRequest {
        /// What about: an entry of [`JoinView`] or [`JoinDecision`].
        pub entry: String,
        /// `never`, `always`, or `default` to take a decision back.
        pub decision: String,
    }
    /// A remark about an item.
    pub struct MarkView {
        /// `uid` of the item.
        pub uid: String,
        /// `retry`, `redelivery`, `duplicate`, `dead-lettered`, `ack`, `nak`, `term`, `client-error`, `cancelled`, `clock-skew`,
        /// `hub`.
        pub kind: String,
        /// In words.
        pub words: String,
    }

    /// A journey in full.
    pub struct JourneyView {
        /// Its row.
        pub row: JourneyRow,
        /// Bars in tree order (for display; depth says how deep).
        pub items: Vec<Item>,
        /// Joins across spans and events (parents left out).
        pub links: Vec<Link>,
        /// First failure.
        pub failure: Option<FailureView>,
        /// Traces.
        pub traces: Vec<String>,
        /// Parents that were named but never arrived.
        pub missing: u32,
        /// Largest clock skew seen between services, a lower bound; nothing was moved.
        pub skew_ms: Option<f64>,
        /// Waits for messages, by start.
        pub gaps: Vec<GapView>,
        /// Time up to the last effect by participant, the largest first.
        pub time_by: Vec<TimeShare>,
        /// The same by layer.
        pub time_by_layer: Vec<TimeShare>,
        /// Remarks, by item.
        pub marks: Vec<MarkView>,
        /// What nearly all journeys of the kind have and this one has not, in words.
        pub lacking: Vec<String>,
    }

    /// Asks for a span.
    pub struct SpanRequest {
        /// Trace.
        pub trace_id: String,
        /// Span.
        pub span_id: String,
        /// Kind, where two spans share the id.
        pub kind: Option<String>,
        /// Names of attributes to show although a rule hides them.
        pub reveal: Vec<String>,
    }

    /// A span event.
    pub struct SpanEventView {
        /// When.
        pub at: f64,
        /// What.
        pub name: String,
        /// Details.
        pub attributes: Vec<Attribute>,
    }

    /// A span link.
    pub struct SpanLinkView {
        /// Trace.
        pub trace_id: String,
        /// Span.
        pub span_id: String,
        /// Details.
        pub attributes: Vec<Attribute>,
        /// `out`: this span links there; `in`: that span links here.
        pub direction: String,
        /// Journey it leads to, if stored.
        pub journey: Option<String>,
    }

    /// A log line.
    pub struct LogView {
        /// When.
        pub at: f64,
        /// `ERROR`, `INFO`, …
        pub severity: String,
        /// OpenTelemetry severity number.
        pub severity_number: u8,
        /// Text.
        pub body: String,
        /// Who.
        pub service: String,
        /// Span, if correlated.
        pub span_id: Option<String>,
        /// Details.
        pub attributes: Vec<Attribute>,
    }

    /// A span in full.
    pub struct SpanView {
        /// Trace.
        pub trace_id: String,
        /// Span.
        pub span_id: String,
        /// Parent.
        pub parent_id: Option<String>,
        /// Node id of the service.
        pub participant: String,
        /// Service name.
        pub service: String,
        /// Layer.
        pub layer: String,
        /// Span name.
        pub name: String,
        /// Operation.
        pub operation: String,
        /// Kind.
        pub kind: String,
        /// Start.
        pub start_at: f64,
        /// Duration.
        pub duration_ms: f64,
        /// Time no child explains.
        pub self_ms: f64,
        /// `ok`, `error`, `unset`.
        pub status: String,
        /// Status description.
        pub status_message: Option<String>,
        /// HTTP status.
        pub http_status: Option<u16>,
        /// Exception type and message.
        pub error: Option<String>,
        /// Exception stack trace.
        pub stacktrace: Option<String>,
        /// Attributes.
        pub attributes: Vec<Attribute>,
        /// Resource attributes.
        pub resource: Vec<Attribute>,
        /// Scope name and version.
        pub scope: String,
        /// Span events.
        pub events: Vec<SpanEventView>,
        /// Links.
        pub links: Vec<SpanLinkView>,
        /// Logs of this span.
        pub logs: Vec<LogView>,
        /// Business keys.
        pub keys: Vec<BusinessKey>,
        /// Attributes, events and links the sender dropped.
        pub dropped: u32,
        /// The span as OTLP JSON, pretty-printed.
        pub raw_json: String,
    }
}

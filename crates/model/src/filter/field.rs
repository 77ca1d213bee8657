//! Which fields there are, where they mean something, and what can stand behind them.

/// What is filtered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Journeys.
    Journeys,
    /// Publications.
    Events,
    /// Log records.
    Logs,
    /// Participants and interactions.
    Map,
}

impl View {
    /// The word of the wire contract.
    pub fn parse(text: &str) -> Option<View> {
        Some(match text {
            "journeys" => View::Journeys,
            "events" => View::Events,
            "logs" => View::Logs,
            "map" => View::Map,
            _ => return None,
        })
    }

    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            View::Journeys => "Journeys",
            View::Events => "Events",
            View::Logs => "Logs",
            View::Map => "The map",
        }
    }
}

/// What a term looks at.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// A participant: name, node id or `namespace/name`.
    Service,
    /// Layer of a participant.
    Layer,
    /// Domain of a participant.
    Domain,
    /// Owner of a participant.
    Owner,
    /// Environment of a participant.
    Env,
    /// Operation of the first span (journeys), or handled by a participant (map).
    Operation,
    /// State of a journey, or health on the map.
    State,
    /// Coarser state of a journey.
    Status,
    /// Time until the last effect (journeys), 95th percentile (map).
    Duration,
    /// What the caller waited.
    Response,
    /// Something was retried or delivered again.
    Retried,
    /// A message was dead-lettered.
    DeadLettered,
    /// A business key, of a given name or of any.
    Key(Option<String>),
    /// Kind of participant.
    Kind,
    /// Technology of a broker or backend.
    System,
    /// Subject, topic or queue.
    Subject,
    /// Stream or partition.
    Stream,
    /// CloudEvents type of an event, event name of a log record.
    Type,
    /// CloudEvents source.
    Source,
    /// Event id, or journey id.
    Id,
    /// What became of an event.
    Outcome,
    /// Level of a log record.
    Level,
    /// Trace id.
    Trace,
    /// Span id.
    Span,
    /// An attribute, resource attribute or header by name.
    Attribute(String),
}

/// What can stand behind a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// Any text.
    Text,
    /// One of these words.
    Words(&'static [&'static str]),
    /// A duration to compare with.
    Duration,
    /// A level, alone or to compare with.
    Level,
}

/// A field as people write it.
#[derive(Debug)]
pub struct FieldInfo {
    /// What stands before the colon.
    pub name: &'static str,
    /// Other words for it.
    pub also: &'static [&'static str],
    /// The field.
    pub field: Field,
    /// Where it means something.
    pub views: &'static [View],
    /// What can stand behind it.
    pub values: ValueKind,
    /// What it is, in words.
    pub help: &'static str,
}

const FLAG: ValueKind = ValueKind::Words(&["true", "false"]);
const LAYERS: ValueKind = ValueKind::Words(&["backend", "system", "event", "process", "experience", "consumer"]);
const KINDS: ValueKind = ValueKind::Words(&["service", "topic", "backend", "external", "consumer"]);
const STATES: ValueKind = ValueKind::Words(&["ok", "degraded", "failed", "in-progress", "incomplete"]);
const STATUSES: ValueKind = ValueKind::Words(&["ok", "failed", "incomplete"]);
const OUTCOMES: ValueKind =
    ValueKind::Words(&["acked", "nak", "redelivered", "dead-lettered", "unconsumed", "published", "failed"]);
/// Levels by rank: the index is what comparisons use.
pub(super) const LEVELS: [&str; 7] = ["unset", "trace", "debug", "info", "warn", "error", "fatal"];

const J: View = View::Journeys;
const E: View = View::Events;
const L: View = View::Logs;
const M: View = View::Map;

const fn info(
    name: &'static str,
    also: &'static [&'static str],
    field: Field,
    views: &'static [View],
    values: ValueKind,
    help: &'static str,
) -> FieldInfo {
    FieldInfo { name, also, field, views, values, help }
}

/// Every field but attributes, in the order in which they are suggested.
pub static FIELDS: &[FieldInfo] = &[
    info("service", &["participant"], Field::Service, &[J, E, L, M], ValueKind::Text, "Participant by name or id"),
    info("state", &["health"], Field::State, &[J, M], STATES, "How it went"),
    info("status", &[], Field::Status, &[J], STATUSES, "How it went, in three words"),
    info("level", &["severity"], Field::Level, &[L], ValueKind::Level, "Level of the log line"),
    info("subject", &["topic", "destination"], Field::Subject, &[J, E, M], ValueKind::Text, "Subject, topic or queue"),
    info("type", &[], Field::Type, &[E, L], ValueKind::Text, "Event type"),
    info("outcome", &[], Field::Outcome, &[E], OUTCOMES, "What became of it"),
    info("operation", &[], Field::Operation, &[J, M], ValueKind::Text, "What was asked for"),
    info("key", &[], Field::Key(None), &[J, E], ValueKind::Text, "Business key; key.NAME for one of them"),
    info("duration", &["settled"], Field::Duration, &[J, M], ValueKind::Duration, "Time until the last effect"),
    info("response", &[], Field::Response, &[J], ValueKind::Duration, "Time the caller waited"),
    info("retried", &["redelivered"], Field::Retried, &[J, E], FLAG, "Retried or delivered again"),
    info("dead-lettered", &["deadlettered"], Field::DeadLettered, &[J, E], FLAG, "Given up by a broker"),
    info("layer", &[], Field::Layer, &[J, L, M], LAYERS, "Integration layer"),
    info("domain", &[], Field::Domain, &[J, L, M], ValueKind::Text, "Business domain"),
    info("owner", &["team"], Field::Owner, &[J, L, M], ValueKind::Text, "Who runs it"),
    info("env", &["environment"], Field::Env, &[J, L, M], ValueKind::Text, "Environment"),
    info("kind", &[], Field::Kind, &[M], KINDS, "Kind of participant"),
    info("system", &[], Field::System, &[J, E, M], ValueKind::Text, "Technology: nats, postgresql, …"),
    info("stream", &[], Field::Stream, &[E], ValueKind::Text, "Stream or partition"),
    info("source", &[], Field::Source, &[E], ValueKind::Text, "Source of the event"),
    info("id", &[], Field::Id, &[J, E], ValueKind::Text, "Id of the event or journey"),
    info("trace", &[], Field::Trace, &[J, E, L], ValueKind::Text, "Trace id"),
    info("span", &[], Field::Span, &[J, E, L], ValueKind::Text, "Span id"),
];

/// The fields a view has.
pub fn fields_of(view: View) -> impl Iterator<Item = &'static FieldInfo> {
    FIELDS.iter().filter(move |f| f.views.contains(&view))
}

/// Whether attributes (`@name`) mean something in a view.
pub(super) fn has_attributes(view: View) -> bool {
    view != View::Map
}

/// Level of an OpenTelemetry severity number (logs data model: four numbers per level).
pub fn level_word(severity: u8) -> &'static str {
    match severity {
        0 => LEVELS[0],
        n => LEVELS[usize::from((n - 1) / 4 + 1).min(6)],
    }
}

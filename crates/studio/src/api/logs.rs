//! Log records.

use super::{Attribute, Nearest, Range, dto};

dto! {
    /// Asks for log records, newest first.
    #[derive(Default)]
    pub struct LogsRequest {
        /// Range.
        pub range: Range,
        /// Filter expression.
        pub filter: Option<String>,
        /// Rows wanted, at most 500.
        pub limit: u32,
        /// Only records below this one (older).
        pub before: Option<String>,
        /// Only what was stored after this `newest` of an earlier answer: the live tail. Records known from before may come again.
        pub after: Option<String>,
        /// Names of attributes to show although a rule hides them.
        pub reveal: Vec<String>,
    }

    /// A log record.
    pub struct LogRow {
        /// Identity within this workspace.
        pub id: String,
        /// When.
        pub at: f64,
        /// `trace`, `debug`, `info`, `warn`, `error`, `fatal`, or `unset`.
        pub level: String,
        /// Severity as sent.
        pub severity: String,
        /// Node id of the service.
        pub participant: String,
        /// Service name.
        pub service: String,
        /// Its layer.
        pub layer: String,
        /// Event name, where the record is an event.
        pub event_name: Option<String>,
        /// Text.
        pub body: String,
        /// Trace, where correlated.
        pub trace_id: Option<String>,
        /// Span, where correlated.
        pub span_id: Option<String>,
        /// Journey it belongs to.
        pub journey: Option<String>,
        /// Attributes of the record.
        pub attributes: Vec<Attribute>,
        /// Attributes of its resource.
        pub resource: Vec<Attribute>,
    }

    /// Log records of a range.
    pub struct LogsPage {
        /// Newest first.
        pub rows: Vec<LogRow>,
        /// All that match; null when counting them would take too long.
        pub total: Option<u64>,
        /// Whether older ones match.
        pub more: bool,
        /// How many match by level, the level terms aside; empty when counting would take too long.
        pub by_level: Vec<LevelCount>,
        /// What was stored last, to tail from.
        pub newest: Option<String>,
        /// Where looking stopped because it would have taken too long: older records may match. To go on, ask with a range that
        /// ends here.
        pub stopped_at: Option<f64>,
        /// Where data is, when there is none.
        pub nearest: Nearest,
    }

    /// Records of a level.
    pub struct LevelCount {
        /// Level.
        pub level: String,
        /// Records.
        pub count: u64,
    }
}

//! The stream of updates.

use super::{Alert, EventRow, ImportView, Range, ScenarioRun, dto};

dto! {
    /// What is pushed to every window, at most a few times a second.
    #[serde(tag = "type", rename_all_fields = "camelCase")]
    #[ts(tag = "type", rename_all_fields = "camelCase")]
    pub enum Update {
        /// Counters of the rail, once a second.
        Counters {
            /// Spans per second over the last 5 seconds.
            spans_per_second: f64,
            /// Events per second over the last 5 seconds.
            events_per_second: f64,
            /// `waiting`, `healthy`, `warning`.
            state: String,
            /// Why it is a warning.
            problem: Option<String>,
            /// OTLP addresses, short (`:4317`).
            otlp: Vec<String>,
            /// NATS addresses, short.
            nats: Vec<String>,
        },
        /// Data was stored: views whose range it touches ask again for the difference. At most once a second.
        Stored {
            /// Range of the data.
            range: Range,
            /// Spans stored.
            spans: u32,
            /// Events stored.
            events: u32,
            /// Logs stored.
            logs: u32,
        },
        /// New publications, oldest first, at most 200 per update (the rest is counted in `skipped`).
        Events {
            /// Rows.
            rows: Vec<EventRow>,
            /// Not listed.
            skipped: u32,
        },
        /// An import moved on.
        Import {
            /// Its state.
            import: ImportView,
        },
        /// A source changed its state.
        Sources {},
        /// Settings changed: layers, aliases or rules.
        Settings {},
        /// A new kind of failure, or a dead letter.
        Alert {
            /// What.
            alert: Alert,
        },
        /// Marks changed.
        Marks {},
        /// Notes or bookmarks changed.
        Notes {},
        /// Deleting goes on.
        Erasing {
            /// How far it is: `1,200 of 10,000 journeys deleted`.
            text: String,
            /// The same from 0 to 1.
            share: f64,
        },
        /// A copy of the workspace is being written.
        Copying {
            /// How far it is: `120 of about 900 MB written`.
            text: String,
            /// The same from 0 to 1.
            share: f64,
        },
        /// Rules are being held against a range.
        Judging {
            /// How far it is: `120,000 spans checked`.
            text: String,
            /// The same from 0 to 1.
            share: f64,
        },
        /// A design is being imported.
        Reading {
            /// What is read at the moment: `Fetching https://…`.
            text: String,
        },
        /// Data was deleted: everything shown must be asked for again.
        Erased {},
        /// Old data was removed by the rule of what is kept; figures stay.
        Expired {},
        /// Journeys were joined anew, as people decided.
        Joined {},
        /// A run of a scenario moved on, or ended.
        Scenario {
            /// How far it is.
            run: ScenarioRun,
        },
        /// Scenarios were made, changed or deleted.
        Scenarios {},
        /// Another workspace is open now: everything shown must be asked for again.
        Workspace {},
    }
}

impl Update {
    /// For a subscriber that was too slow and missed updates: whatever it shows may be out of date.
    pub fn everything() -> [Update; 6] {
        let stored = Update::Stored { range: Range::default(), spans: 0, events: 0, logs: 0 };
        [stored, Update::Sources {}, Update::Settings {}, Update::Marks {}, Update::Notes {}, Update::Scenarios {}]
    }
}

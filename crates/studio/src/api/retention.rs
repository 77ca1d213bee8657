//! What is kept, what was removed, and copies of the workspace.

use super::dto;

dto! {
    /// The rule of what is kept, as people write it; absent parts say nothing.
    #[derive(Default)]
    #[serde(default)]
    pub struct RetentionRule {
        /// `20 GB`, `500 MB`, `unlimited`.
        pub size: String,
        /// Journeys at most.
        pub journeys: Option<f64>,
        /// Age of healthy journeys: `7 days`.
        pub age: Option<String>,
        /// Age of the others.
        pub failed_age: Option<String>,
        /// Age of events that belong to no journey.
        pub events_age: Option<String>,
        /// Age of log records that belong to no journey.
        pub logs_age: Option<String>,
    }

    /// What is kept, and what went.
    pub struct Retention {
        /// The rule in force, in one sentence.
        pub words: String,
        /// The rule in force.
        pub rule: RetentionRule,
        /// Bytes of the file and its write-ahead log.
        pub bytes: f64,
        /// Bytes of that which nothing uses: written again first, or given back.
        pub free: f64,
        /// Journeys that are stored.
        pub journeys: f64,
        /// Bookmarked, noted and compared journeys, which no rule removes.
        pub kept: u32,
        /// About how many bytes the figures of the map take.
        pub figures: f64,
        /// Since when there are figures in steps of 10 s, where older ones were thinned to 10 min.
        pub fine_from_at: Option<f64>,
        /// Since when there are figures in steps of 10 min, where older ones were thinned to 8 h.
        pub middle_from_at: Option<f64>,
        /// All that was removed by rule; null when nothing ever was.
        pub total: Option<RemovalView>,
        /// The same by day and reason, the newest first.
        pub days: Vec<RemovalView>,
    }

    /// Something that was removed by rule.
    pub struct RemovalView {
        /// When the first of it went.
        pub since_at: f64,
        /// When the last of it went.
        pub until_at: f64,
        /// Why, in words.
        pub why: String,
        /// Journeys.
        pub journeys: f64,
        /// Spans.
        pub spans: f64,
        /// Events.
        pub events: f64,
        /// Log records.
        pub logs: f64,
        /// Time of the newest of it.
        pub newest_at: Option<f64>,
    }

    /// What a rule would remove now.
    pub struct RetentionPreview {
        /// The rule in one sentence.
        pub words: String,
        /// What would go, in words.
        pub gone: String,
        /// Healthy journeys that would go.
        pub healthy: f64,
        /// Failed, degraded and unfinished ones that would go.
        pub failed: f64,
        /// About how many bytes they take.
        pub bytes: f64,
        /// Start of the newest of them.
        pub newest_at: Option<f64>,
    }

    /// Writes a copy of the open workspace into a new file.
    pub struct BackupRequest {
        /// The new file; a name alone lies beside the workspace.
        pub to: String,
    }

    /// A copy that was written.
    pub struct BackupReport {
        /// The file.
        pub path: String,
        /// Its size, bytes.
        pub bytes: f64,
        /// False when it was cancelled; then there is no file.
        pub done: bool,
    }
}

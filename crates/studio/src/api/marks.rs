//! Named instants ("from now"), and deleting.

use super::{Range, dto};

dto! {
    /// A named instant of the workspace.
    pub struct Mark {
        /// Its name, unique.
        pub name: String,
        /// When.
        pub at: f64,
    }

    /// All marks, newest first.
    pub struct Marks {
        /// The marks.
        pub marks: Vec<Mark>,
    }

    /// Sets a mark; one of the same name is moved.
    pub struct SetMarkRequest {
        /// Name; empty asks for one made of the time.
        pub name: String,
        /// When; null is now by the studio's clock, or the instant of the mark renamed.
        pub at: Option<f64>,
        /// The mark that gets this name, and loses its own.
        pub renames: Option<String>,
    }

    /// Names a mark.
    pub struct MarkRequest {
        /// Its name.
        pub name: String,
    }

    /// Asks to delete, or (with `dryRun`) how much that would be.
    pub struct EraseRequest {
        /// `everything`, `range` (all that lies in `range`), `journeys` (those listed), `matching` (journeys of `range` that
        /// `filter` means; health checks and polls stay).
        pub what: String,
        /// For `range` and `matching`.
        pub range: Range,
        /// For `journeys`: ids.
        pub journeys: Vec<String>,
        /// For `matching`: a filter expression; null is all of them.
        #[serde(default)]
        pub filter: Option<String>,
        /// Only count.
        pub dry_run: bool,
        /// With `dryRun`: answer at once with about how much; whoever asks again without it gets it to one.
        #[serde(default)]
        pub roughly: bool,
    }

    /// What was, or would be, deleted.
    pub struct EraseReport {
        /// Journeys.
        pub journeys: u64,
        /// Spans.
        pub spans: u64,
        /// Events.
        pub events: u64,
        /// Log records.
        pub logs: u64,
        /// First instant of it.
        pub first_at: Option<f64>,
        /// Last instant of it.
        pub last_at: Option<f64>,
        /// Whether the figures are about right only.
        pub about: bool,
        /// Whether it was done to the end: not when only counted, and not when cancelled (then the figures say what went).
        pub done: bool,
    }
}

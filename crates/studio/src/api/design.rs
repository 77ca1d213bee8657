//! The design of a workspace, and where the running system differs from it.

use super::{FindingEvidence, FindingParticipant, Range, dto};

dto! {
    /// The design as it is kept beside the workspace.
    pub struct DesignText {
        /// The file.
        pub path: String,
        /// Its text; null where there is none yet.
        pub text: Option<String>,
        /// What is wrong with the text, with its line; the design is not used then.
        pub problem: Option<String>,
        /// Participants in it.
        pub participants: u32,
        /// Channels in it.
        pub channels: u32,
        /// What could not be taken over, when it was just imported.
        pub notes: Vec<String>,
        /// The text has comments, which a change made by the window does not keep.
        pub comments: bool,
    }

    /// Keeps a text as the design or, without `save`, only checks it.
    pub struct SaveDesignRequest {
        /// YAML.
        pub text: String,
        /// Write it.
        pub save: bool,
        /// The text that was shown when the change began; a file that says something else by now is not overwritten.
        pub base: Option<String>,
    }

    /// Takes what was observed as the design.
    pub struct ObserveDesignRequest {
        /// When it was observed.
        pub range: Range,
        /// The text that is replaced.
        pub base: Option<String>,
    }

    /// Takes files and folders as the design.
    pub struct ImportDesignRequest {
        /// Paths on this machine.
        pub paths: Vec<String>,
        /// The text that is replaced.
        pub base: Option<String>,
    }

    /// The design in a format others read.
    pub struct DesignExportRequest {
        /// `yaml`, `asyncapi`, `openapi`, `backstage` (zipped folders) or `mermaid`.
        pub format: String,
    }

    /// Holds the design against a range.
    pub struct DriftRequest {
        /// The range.
        pub range: Range,
    }

    /// How an observed participant or subject was found in the design.
    pub struct MatchView {
        /// Its name as observed.
        pub observed: String,
        /// Its name in the design.
        pub designed: String,
        /// How: `by name`, `by an alias in the design`, …
        pub how: String,
    }

    /// A place where design and observation differ.
    pub struct DeviationView {
        /// Unique: kind and subject.
        pub id: String,
        /// `other-style`, `not-designed`, `undocumented-subject`, `undocumented-operation`, `unknown-consumer`, `broken-schema`, `not-seen`.
        pub kind: String,
        /// What the kind is called.
        pub title: String,
        /// Of what, in the design's names.
        pub subject: String,
        /// What was seen, or not.
        pub saw: String,
        /// Observed participants and subjects that it is about.
        pub who: Vec<FindingParticipant>,
        /// Id of the interaction on the map.
        pub edge: Option<String>,
        /// How often it was seen.
        pub count: u64,
        /// Where it can be looked at.
        pub evidence: Vec<FindingEvidence>,
        /// How the ends were found in the design.
        pub matches: Vec<MatchView>,
        /// Why it is lived with; null where nobody decided so.
        pub kept: Option<String>,
        /// Accepting it changes the design by itself.
        pub acceptable: bool,
    }

    /// Where design and observation differ.
    pub struct DriftView {
        /// There is a design that can be used.
        pub designed: bool,
        /// What is wrong with it.
        pub problem: Option<String>,
        /// What it is called.
        pub title: String,
        /// Observed participants and subjects that are in the design.
        pub matched: u32,
        /// All that could be.
        pub observed: u32,
        /// What the design says nothing about.
        pub silent: Vec<String>,
        /// What is odd about the design.
        pub notes: Vec<String>,
        /// Sorted by kind and subject.
        pub deviations: Vec<DeviationView>,
        /// Kept deviations that are no more: kind and subject.
        pub settled: Vec<String>,
        /// Spans read.
        pub spans: u64,
        /// Events read.
        pub messages: u64,
    }

    /// Names a deviation.
    pub struct DeviationRequest {
        /// The range it was found in.
        pub range: Range,
        /// Its id.
        pub id: String,
    }

    /// Lives with a deviation, or no longer.
    pub struct KeepDeviationRequest {
        /// Its kind.
        pub kind: String,
        /// Its subject.
        pub subject: String,
        /// Why; null takes the decision back.
        pub reason: Option<String>,
    }

    /// The deviations as a file.
    pub struct DriftExportRequest {
        /// The range.
        pub range: Range,
        /// `markdown` or `json`.
        pub format: String,
    }
}

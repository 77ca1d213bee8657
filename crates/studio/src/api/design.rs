//! The design of a workspace, and where the running system differs from it.

use super::{FindingEvidence, FindingParticipant, Range, dto};

dto! {
    /// The design as it is kept beside the workspace.
    pub struct DesignText {
        /// The file.
        pub path: String,
        /// Its text; null where there is none yet.
        pub text: Option<String>,
        /// What it says; null while something is wrong with it, or where there is none.
        pub shape: Option<DesignShape>,
        /// What is wrong with the text; the design is not used then.
        pub problem: Option<DesignProblem>,
        /// What could not be taken over, when it was just imported.
        pub notes: Vec<String>,
    }

    /// What is wrong with the text of a design.
    pub struct DesignProblem {
        /// Line, from 1.
        pub line: u32,
        /// What is wrong and what could stand there.
        pub message: String,
    }

    /// A design as forms show it.
    pub struct DesignShape {
        /// What it is called.
        pub title: String,
        /// Words for people.
        pub description: Option<String>,
        /// By name.
        pub participants: Vec<DesignedParticipantView>,
        /// By address; those that only their users name are among them.
        pub channels: Vec<DesignedChannelView>,
    }

    /// A participant of a design.
    pub struct DesignedParticipantView {
        /// Its name.
        pub name: String,
        /// `service`, `backend`, `external` or `consumer`.
        pub kind: String,
        /// Its layer.
        pub layer: Option<String>,
        /// Technology of a backend.
        pub system: Option<String>,
        /// Business domain.
        pub domain: Option<String>,
        /// Who runs it.
        pub owner: Option<String>,
        /// How bad it is when it fails, in the team's own word.
        pub criticality: Option<String>,
        /// Words for people.
        pub description: Option<String>,
        /// Other names that it is seen under.
        pub aliases: Vec<String>,
        /// Addresses of its API.
        pub servers: Vec<String>,
        /// What it offers.
        pub operations: Vec<DesignedOperationView>,
        /// Whom it calls.
        pub calls: Vec<DesignedCallView>,
        /// Channels it publishes to.
        pub publishes: Vec<String>,
        /// Channels it consumes.
        pub consumes: Vec<String>,
        /// Backends it uses.
        pub uses: Vec<String>,
    }

    /// An operation of a participant.
    pub struct DesignedOperationView {
        /// `POST /orders`.
        pub name: String,
        /// A line about it; may be empty.
        pub about: String,
    }

    /// A participant that another one calls.
    pub struct DesignedCallView {
        /// Which.
        pub to: String,
        /// Which operations of it; none means any.
        pub operations: Vec<String>,
    }

    /// A channel of a design.
    pub struct DesignedChannelView {
        /// Its address.
        pub address: String,
        /// The design has an entry for it; else only its users name it.
        pub described: bool,
        /// Broker technology.
        pub system: Option<String>,
        /// Who answers for it.
        pub owner: Option<String>,
        /// Words for people.
        pub description: Option<String>,
        /// Other addresses that it is seen under.
        pub aliases: Vec<String>,
        /// Names of its messages.
        pub messages: Vec<String>,
        /// Who publishes to it.
        pub publishers: Vec<String>,
        /// Who consumes it.
        pub consumers: Vec<String>,
    }

    /// Keeps a text as the design or, without `save`, only says what it means. A text with mistakes is kept, too; it is not used.
    pub struct SaveDesignRequest {
        /// YAML.
        pub text: String,
        /// Write it.
        pub save: bool,
        /// The text that was shown when the change began; a file that says something else by now is not overwritten.
        pub base: Option<String>,
    }

    /// What was observed, as a design; nothing is kept.
    pub struct ObserveDesignRequest {
        /// When it was observed.
        pub range: Range,
    }

    /// Files, folders and addresses as a design; nothing is kept. [`Update::Reading`](super::Update) tells how far it is.
    pub struct ImportDesignRequest {
        /// Paths on this machine, and web addresses.
        pub paths: Vec<String>,
        /// Fetch what is referred to on the web, too. Addresses in `paths` are fetched in any case.
        pub allow_remote: bool,
    }

    /// How the text of the design has to change.
    pub struct DesignEdits {
        /// In this order.
        pub edits: Vec<DesignEdit>,
    }

    /// A change of a text.
    pub struct DesignEdit {
        /// Keys from the root of the document.
        pub path: Vec<String>,
        /// What stands there then; null where the key goes.
        #[ts(type = "unknown")]
        pub value: Option<serde_json::Value>,
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

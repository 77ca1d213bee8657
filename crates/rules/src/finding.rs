//! What a rule found.

use flowglass_model::{Day, Nanos, NodeId, Severity, SpanId, Sure, TraceId};

/// Pieces of evidence kept with a finding.
pub const EVIDENCE: usize = 100;
/// Parts of the range that a finding's offences are counted in.
pub const PARTS: usize = 24;

/// Where an offence can be looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// A span.
    Span {
        /// Its trace.
        trace: TraceId,
        /// Itself.
        span: SpanId,
    },
    /// An event.
    Event {
        /// Event id; where it has none `STREAM:SEQUENCE`, else the time it was published.
        id: String,
        /// Its row in the workspace.
        row: i64,
    },
}

/// A decision to live with a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// Why.
    pub reason: String,
    /// The last day on which it holds.
    pub expires: Option<Day>,
}

/// All offences of one subject against one rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Id of the rule.
    pub rule: String,
    /// What it is called.
    pub title: String,
    /// What it is about: `Layering`, `Security`, `Contracts`, `Style`, `Events`, `Telemetry`, `Own rules`.
    pub area: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// A participant, or two: who does it, and to whom.
    pub subject: Vec<NodeId>,
    /// Everybody involved, sorted.
    pub participants: Vec<NodeId>,
    /// Offending spans or messages; retries and redeliveries are not counted again.
    pub count: u64,
    /// How many there really were, where traces are sampled and say how.
    pub estimated: Option<u64>,
    /// When and where to look, oldest first; at most [`EVIDENCE`].
    pub evidence: Vec<(Nanos, Evidence)>,
    /// It rests on a layer that was guessed.
    pub layer_guessed: bool,
    /// How sure it is that this is an offence.
    pub sure: Sure,
    /// Why it is no surer, as a sentence.
    pub doubt: Option<String>,
    /// What was seen, as a sentence.
    pub saw: String,
    /// Why it matters.
    pub why: String,
    /// What to do.
    pub advice: String,
    /// First offence in the range.
    pub first: Nanos,
    /// Last offence in the range.
    pub last: Nanos,
    /// Offences over the range in [`PARTS`] equal parts.
    pub parts: Vec<u32>,
    /// Somebody decided to live with it.
    pub waiver: Option<Waiver>,
}

impl Finding {
    /// The subject as the contract writes it.
    pub fn subject_text(&self) -> String {
        self.subject.iter().map(NodeId::as_str).collect::<Vec<_>>().join(" → ")
    }
}

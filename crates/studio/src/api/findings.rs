//! Rules held against the running system, and what fails with whom.

use super::{Nearest, Range, dto};

dto! {
    /// What breaks the rules in a range. Long ranges take a while: progress comes as updates, `findings_cancel` ends it.
    pub struct FindingsRequest {
        /// The range.
        pub range: Range,
        /// Judge again although nothing is known to have changed.
        pub again: bool,
    }

    /// A participant as a finding names it.
    pub struct FindingParticipant {
        /// Node id.
        pub id: String,
        /// What people read.
        pub name: String,
        /// Kind of node.
        pub kind: String,
        /// Layer.
        pub layer: String,
        /// Technology of a topic or backend.
        pub system: Option<String>,
    }

    /// Where an offence can be looked at: a span, or an event by its row.
    pub struct FindingEvidence {
        /// When.
        pub at: f64,
        /// Trace of a span.
        pub trace: Option<String>,
        /// The span.
        pub span: Option<String>,
        /// Id of an event.
        pub event: Option<String>,
        /// Its row.
        pub row: Option<i64>,
    }

    /// All offences of one subject against one rule.
    pub struct FindingView {
        /// Unique: rule and subject.
        pub id: String,
        /// Rule.
        pub rule: String,
        /// What it is called.
        pub title: String,
        /// What it is about.
        pub area: String,
        /// `info`, `warning`, `error`.
        pub severity: String,
        /// Who does it, and to whom where there are two.
        pub subject: Vec<FindingParticipant>,
        /// Node ids of everybody involved.
        pub participants: Vec<String>,
        /// Offending spans or messages.
        pub count: u64,
        /// How many there really were, where traces are sampled.
        pub estimated: Option<u64>,
        /// Oldest first, at most 100.
        pub evidence: Vec<FindingEvidence>,
        /// Rests on a guessed layer.
        pub layer_guessed: bool,
        /// `certain`, `strong`, `weak`.
        pub sure: String,
        /// Why it is no surer.
        pub doubt: Option<String>,
        /// What was seen.
        pub saw: String,
        /// Why it matters.
        pub why: String,
        /// What to do.
        pub advice: String,
        /// First offence in the range.
        pub first_at: f64,
        /// Last offence in the range.
        pub last_at: f64,
        /// Offences over the range in equal parts.
        pub parts: Vec<u32>,
        /// Nobody looked since it was first found.
        pub is_new: bool,
        /// When it was first found.
        pub found_at: f64,
        /// Why it is lived with; null when it is open.
        pub waiver: Option<WaiverView>,
    }

    /// A decision to live with a finding.
    pub struct WaiverView {
        /// Why.
        pub reason: String,
        /// Last day, `2027-03-31`.
        pub expires: Option<String>,
    }

    /// A finding that was there and is no more.
    pub struct ResolvedFinding {
        /// Rule.
        pub rule: String,
        /// What it is called.
        pub title: String,
        /// Subject as the command line writes it.
        pub subject: String,
        /// Names of the subject.
        pub names: Vec<String>,
        /// When it was first found.
        pub found_at: f64,
        /// Its last offence.
        pub last_at: f64,
    }

    /// A participant that many depend on.
    pub struct SinglePointView {
        /// Who.
        pub who: FindingParticipant,
        /// Share of all requests from outside that reach it, 0 to 1.
        pub share: f64,
        /// Services that need it, directly or not.
        pub services: u32,
    }

    /// What came of holding the rules against a range.
    pub struct FindingsView {
        /// How long it took.
        pub took_ms: f64,
        /// Traces looked at.
        pub traces: u64,
        /// Spans looked at.
        pub spans: u64,
        /// Calls between participants.
        pub calls: u64,
        /// Publications looked at.
        pub messages: u64,
        /// Share of calls and messages that break no rule of severity warning or error, 0 to 1; null when there are none.
        pub conformance: Option<f64>,
        /// Rules in force, own ones included.
        pub rules: u32,
        /// Services with a guessed layer, and all.
        pub guessed: u32,
        /// Services.
        pub services: u32,
        /// Where data is, when the range has none.
        pub nearest: Option<Nearest>,
        /// Worst first; waived ones too.
        pub findings: Vec<FindingView>,
        /// Those that are no more, the last one first.
        pub resolved: Vec<ResolvedFinding>,
        /// The most needed first.
        pub points: Vec<SinglePointView>,
    }

    /// What the failure of a participant means.
    pub struct ImpactRequest {
        /// The range it is judged by.
        pub range: Range,
        /// Node id.
        pub id: String,
    }

    /// A participant that feels another's failure.
    pub struct ImpactHit {
        /// Who.
        pub who: FindingParticipant,
        /// Over whom; itself where it calls the failed one directly.
        pub via: String,
        /// Calls in between, from 1.
        pub hops: u32,
        /// Share of what it handles, 0 to 1.
        pub share: f64,
        /// Handlings per hour.
        pub per_hour: f64,
        /// `fails` or `degrades`.
        pub verdict: String,
        /// Failures of the one below that were seen.
        pub failures: u64,
        /// Of those, how many it failed with.
        pub failed_with: u64,
    }

    /// Messages that wait or stay away.
    pub struct ImpactWait {
        /// Topic.
        pub topic: FindingParticipant,
        /// Who does not take them, or gets none.
        pub who: FindingParticipant,
        /// Messages per hour.
        pub per_hour: f64,
        /// They pile up; else they are not sent.
        pub piles_up: bool,
    }

    /// Users who notice.
    pub struct ImpactUser {
        /// Who.
        pub who: FindingParticipant,
        /// Share of their requests, 0 to 1.
        pub share: f64,
        /// Requests per hour.
        pub per_hour: f64,
    }

    /// The blast radius of a participant.
    pub struct ImpactView {
        /// Who fails.
        pub who: FindingParticipant,
        /// Who fails or degrades with it, nearest first.
        pub hits: Vec<ImpactHit>,
        /// Messages that wait.
        pub waits: Vec<ImpactWait>,
        /// Users who notice.
        pub users: Vec<ImpactUser>,
        /// Share of all requests from outside, 0 to 1.
        pub share: f64,
        /// Requests from outside per hour.
        pub per_hour: f64,
    }

    /// Lives with a finding, or no longer.
    pub struct WaiveRequest {
        /// Rule.
        pub rule: String,
        /// Node ids of the subject.
        pub subject: Vec<String>,
        /// Why; null takes the waiver back.
        pub reason: Option<String>,
        /// Last day, `2027-03-31`; null is for ever.
        pub expires: Option<String>,
    }

    /// The part of the settings file that lays down rules.
    pub struct RulesText {
        /// TOML, `[rules…]` tables only.
        pub text: String,
        /// The settings file.
        pub path: String,
        /// Rules there are: id, title, usual severity, severity in force (null is off).
        pub rules: Vec<RuleInfo>,
    }

    /// A built-in rule.
    pub struct RuleInfo {
        /// Id.
        pub id: String,
        /// What it is called.
        pub title: String,
        /// What it is about.
        pub area: String,
        /// Severity where settings say nothing.
        pub usual: String,
        /// Severity in force; null when it is off.
        pub severity: Option<String>,
    }

    /// Checks the rules' part of the settings file or, with `save`, puts it in force.
    pub struct EditRulesRequest {
        /// TOML, `[rules…]` tables only.
        pub text: String,
        /// Write it.
        pub save: bool,
    }

    /// What is wrong with a text of rules; nothing when `problem` is null.
    pub struct RulesCheck {
        /// What, with line and column.
        pub problem: Option<String>,
    }

    /// The findings of a range as a file.
    pub struct FindingsExportRequest {
        /// The range.
        pub range: Range,
        /// `markdown`, `json`, `sarif`, `junit`.
        pub format: String,
    }
}

//! Scenarios: the files beside the workspace, and what stands in one.

use std::collections::BTreeMap;

use super::{ScenarioResult, ScenarioRun, dto};

dto! {
    /// The scenarios of the workspace: files in a folder beside it.
    pub struct Scenarios {
        /// The folder.
        pub folder: String,
        /// Last changed first.
        pub items: Vec<ScenarioEntry>,
        /// What a new one can begin with.
        pub templates: Vec<ScenarioTemplate>,
    }

    /// A scenario in the list.
    pub struct ScenarioEntry {
        /// Name of its file.
        pub id: String,
        /// Its title; that of the file where it cannot be read.
        pub title: String,
        /// Mistakes in it.
        pub problems: u32,
        /// When it was changed last.
        pub changed_at: f64,
    }

    /// What a new scenario can begin with.
    pub struct ScenarioTemplate {
        /// `place-order`.
        pub id: String,
        /// `Place order`.
        pub title: String,
        /// What it shows, in a sentence.
        pub text: String,
    }

    /// Names a scenario.
    pub struct ScenarioRequest {
        /// Name of its file.
        pub id: String,
    }

    /// Makes a scenario: of a template, a text, a file, or as a copy; the first of these that is given.
    pub struct CreateScenarioRequest {
        /// Id of a template.
        pub template: Option<String>,
        /// A scenario to copy.
        pub copy_of: Option<String>,
        /// Its text.
        pub text: Option<String>,
        /// A file on this machine, copied into the folder.
        pub path: Option<String>,
        /// What to call the file; empty takes the title.
        pub name: String,
    }

    /// Keeps the text of a scenario, right or wrong.
    pub struct SaveScenarioRequest {
        /// Name of its file.
        pub id: String,
        /// The text.
        pub text: String,
        /// Revision that the text was made from; `held` is answered where the file has changed meanwhile. Null overwrites.
        pub revision: Option<String>,
    }

    /// What was kept.
    pub struct ScenarioSaved {
        /// Revision of the file now.
        pub revision: String,
        /// What is in it.
        pub check: ScenarioCheck,
    }

    /// Gives the file of a scenario another name.
    pub struct RenameScenarioRequest {
        /// Name of its file.
        pub id: String,
        /// The new name, with or without ending.
        pub name: String,
    }

    /// A deleted scenario, which can be had back.
    pub struct DeletedScenario {
        /// What to call it back with.
        pub token: String,
    }

    /// Calls a deleted scenario back.
    pub struct RestoreScenarioRequest {
        /// As answered when it was deleted.
        pub token: String,
    }

    /// A scenario.
    pub struct ScenarioView {
        /// Name of its file.
        pub id: String,
        /// Its text.
        pub text: String,
        /// Changes with the text.
        pub revision: String,
        /// What is in it.
        pub check: ScenarioCheck,
        /// What the last run found.
        pub result: Option<ScenarioResult>,
        /// The run under way.
        pub run: Option<ScenarioRun>,
    }

    /// What a text says as a scenario.
    pub struct ScenarioCheck {
        /// What is wrong; then there is no design.
        pub problems: Vec<ScenarioProblem>,
        /// What it means.
        pub design: Option<ScenarioDesign>,
        /// Changes with everything that a run depends on, not with comments, order or layout.
        pub inputs: String,
    }

    /// Something wrong in a text.
    pub struct ScenarioProblem {
        /// Line, from 1.
        pub line: u32,
        /// Column, from 1.
        pub column: u32,
        /// What is wrong and what could stand there.
        pub message: String,
    }

    /// A scenario as forms and drawings show it.
    pub struct ScenarioDesign {
        /// Its title.
        pub title: String,
        /// Who asks.
        pub workloads: Vec<DesignWorkload>,
        /// Who does the work, in the order in which a request meets them.
        pub participants: Vec<DesignParticipant>,
        /// Calls or events, in the order in which a request meets them.
        pub steps: Vec<DesignStep>,
        /// Channels that are written down or used.
        pub channels: Vec<String>,
        /// Ways of building it, in the order of the file.
        pub variants: Vec<DesignVariant>,
        /// Whether the file names its variants; else they are the usual ones.
        pub variants_named: bool,
        /// 95th percentile of the response time that is wanted, milliseconds.
        pub target_response_ms: Option<f64>,
        /// 95th percentile of the settled time that is wanted, milliseconds.
        pub target_settled_ms: Option<f64>,
        /// Share of successes that is wanted.
        pub target_success: Option<f64>,
        /// Measured stretch of a run, milliseconds.
        pub duration_ms: f64,
        /// Independent repetitions.
        pub replications: u32,
        /// Seed of all randomness.
        pub seed: f64,
        /// Inputs that somebody measured, declared or nobody knows.
        pub inputs: Vec<DesignInput>,
        /// What is odd but not wrong.
        pub warnings: Vec<String>,
    }

    /// Who asks.
    pub struct DesignWorkload {
        /// Its name.
        pub name: String,
        /// Operation asked for.
        pub to: String,
        /// Kind of arrivals as the file names it: `poisson`, `every`, `users`, …
        pub kind: String,
        /// Requests per second on average, where that does not depend on the answers.
        pub rate: Option<f64>,
        /// The most there are, per second.
        pub peak: Option<f64>,
        /// Users leave after this long, milliseconds.
        pub patience_ms: Option<f64>,
    }

    /// Who does work.
    pub struct DesignParticipant {
        /// Its name.
        pub name: String,
        /// `backend`, `system`, `process`, `experience` or `consumer`.
        pub layer: String,
        /// Whether the layer was guessed from who calls whom.
        pub guessed: bool,
        /// Workers of each replica; null is unlimited.
        pub workers: Option<u32>,
        /// Replicas.
        pub replicas: u32,
        /// What it can do with events: `both`, `publish`, `consume`, `none`.
        pub events: String,
        /// Mean work of its operations, milliseconds.
        pub work_ms: f64,
        /// Share of attempts that fail.
        pub fails: f64,
        /// Planned outages.
        pub outages: Vec<DesignOutage>,
    }

    /// A planned outage.
    pub struct DesignOutage {
        /// Begin after the warm-up, milliseconds.
        pub at_ms: f64,
        /// Length, milliseconds.
        pub for_ms: f64,
        /// What callers notice, in words.
        pub mode: String,
    }

    /// A call or an event.
    pub struct DesignStep {
        /// Its id.
        pub id: String,
        /// Participant that asks.
        pub caller: String,
        /// Participant that is asked.
        pub callee: String,
        /// Operation asked for.
        pub operation: String,
        /// Where it stands in the file: keys and positions from the root.
        pub path: Vec<String>,
        /// Mean work of the operation asked for, milliseconds.
        pub work_ms: f64,
        /// `read`, `write`, `notify`.
        pub intent: Option<String>,
        /// `answer`, `success`, `nothing`.
        pub needs: Option<String>,
        /// How late its effect may be, milliseconds.
        pub within_ms: Option<f64>,
        /// The caller stops waiting after this long, milliseconds.
        pub timeout_ms: Option<f64>,
        /// All tries.
        pub attempts: u32,
        /// Doing it twice is the same as once.
        pub idempotent: Option<bool>,
        /// Effects of one key must keep their order.
        pub ordered: Option<bool>,
        /// Not everybody may see the payload.
        pub sensitive: Option<bool>,
        /// Channel that an event of it would go to.
        pub channel: String,
        /// Why it cannot simply be an event, in words.
        pub obstacle: Option<String>,
    }

    /// A way of building a scenario.
    pub struct DesignVariant {
        /// Its name.
        pub name: String,
        /// Step to channel: these are events.
        pub events: BTreeMap<String, String>,
        /// Whether it changes more than which steps are events.
        pub overrides: bool,
    }

    /// An input and where it is from.
    pub struct DesignInput {
        /// JSON Pointer into the file.
        pub path: String,
        /// The same in words: `workers of erp`.
        pub what: String,
        /// `measured`, `declared`, `assumed`.
        pub source: String,
    }
}

//! What a run of a scenario found.

use super::dto;
use super::scenario_verdict::{StudyView, VerdictView};

dto! {
    /// A run under way, or just ended.
    pub struct ScenarioRun {
        /// Scenario that is run.
        pub id: String,
        /// `running`, `done`, `cancelled`, `failed`.
        pub state: String,
        /// What it does now, in words.
        pub stage: String,
        /// How far it is, 0 to 1.
        pub share: f64,
        /// Simulated steps so far, millions.
        pub millions: f64,
        /// Whether figures and a first judgement can be asked for already.
        pub shown: bool,
        /// Why it failed.
        pub problem: Option<String>,
    }

    /// A figure with the interval that it lies in with 95 %; without a value it does not exist, and `why` says why.
    pub struct Estimate {
        /// Mean over repetitions.
        pub value: Option<f64>,
        /// Lower end of the interval; null where there is none.
        pub low: Option<f64>,
        /// Upper end.
        pub high: Option<f64>,
        /// Repetitions.
        pub n: u32,
        /// Why there is no value.
        pub why: Option<String>,
    }

    /// What a run found.
    pub struct ScenarioResult {
        /// What it depended on; see [`ScenarioCheck`](super::ScenarioCheck).
        pub inputs: String,
        /// When it ended.
        pub at: f64,
        /// How long it took, milliseconds.
        pub wall_ms: f64,
        /// Seed.
        pub seed: f64,
        /// Repetitions of each variant.
        pub replications: u32,
        /// Repetitions that were asked for; more than there are where it was stopped.
        pub planned: u32,
        /// Requests simulated, all variants and repetitions.
        pub requests: f64,
        /// Stretch left out at the begin, seconds.
        pub warm_up_s: f64,
        /// The judgement; null of a preview.
        pub verdict: Option<VerdictView>,
        /// In the order of the file.
        pub variants: Vec<VariantResult>,
        /// Between every two variants.
        pub differences: Vec<DifferenceView>,
        /// Response and settled time over the load; null where it was stopped before, or of a preview.
        pub sweep: Option<LoadSweep>,
        /// What the verdict hangs on; null of a preview.
        pub study: Option<StudyView>,
        /// What is odd, in words.
        pub warnings: Vec<String>,
    }

    /// A variant. Times are milliseconds, shares between 0 and 1.
    pub struct VariantResult {
        /// Its name.
        pub name: String,
        /// In the order of the file.
        pub workloads: Vec<WorkloadResult>,
        /// By name.
        pub participants: Vec<ParticipantResult>,
        /// Consumer groups of the channels.
        pub groups: Vec<GroupResult>,
        /// What happened when.
        pub timeline: TimelineResult,
    }

    /// Percentiles of a time.
    pub struct Spread {
        /// Mean.
        pub mean: Estimate,
        /// Median.
        pub p50: Estimate,
        /// 90th percentile.
        pub p90: Estimate,
        /// 95th percentile.
        pub p95: Estimate,
        /// 99th percentile.
        pub p99: Estimate,
        /// Largest.
        pub max: Estimate,
    }

    /// A workload.
    pub struct WorkloadResult {
        /// Its name.
        pub name: String,
        /// Arrival to answer.
        pub response: Spread,
        /// Arrival until every effect is done or given up.
        pub settled: Spread,
        /// Milliseconds, and the share answered within; growing.
        pub response_curve: Vec<[f64; 2]>,
        /// Milliseconds, and the share of which everything was done within; growing.
        pub settled_curve: Vec<[f64; 2]>,
        /// Good answers per second.
        pub throughput: Estimate,
        /// Share answered well.
        pub succeeded: Estimate,
        /// Share answered with an error, or timed out.
        pub failed: Estimate,
        /// Share turned away.
        pub refused: Estimate,
        /// Share whose user left.
        pub abandoned: Estimate,
        /// Answered well, though an effect never came.
        pub false_success: Estimate,
        /// Answered badly, though what mattered was done.
        pub false_failure: Estimate,
        /// An effect came later than it may.
        pub late: Estimate,
        /// Services started for a request.
        pub amplification: Estimate,
        /// The state that requests end in, with its share.
        pub fates: Vec<FateResult>,
    }

    /// How requests end.
    pub struct FateResult {
        /// `completed`, `lost`, …
        pub id: String,
        /// The same in words.
        pub label: String,
        /// `good`, `odd` or `bad`.
        pub tone: String,
        /// Share of all requests.
        pub share: Estimate,
    }

    /// A participant.
    pub struct ParticipantResult {
        /// Its name.
        pub name: String,
        /// Share of its workers' time that they work.
        pub computing: Estimate,
        /// Share of it that they wait for somebody else.
        pub held_waiting: Estimate,
        /// Both.
        pub utilisation: Estimate,
        /// The most that waited.
        pub backlog_max: Estimate,
        /// 95th percentile of the wait for a worker, milliseconds.
        pub wait_p95: Estimate,
        /// Share of attempts turned away.
        pub refused: Estimate,
        /// For each planned outage: until good answers were back, milliseconds; null is not within the run.
        pub recovery_ms: Vec<Option<Estimate>>,
        /// For each planned outage: until nothing waited, milliseconds; null is not within the run.
        pub drain_ms: Vec<Option<Estimate>>,
    }

    /// Consumers of a channel. Shares are of its messages.
    pub struct GroupResult {
        /// The channel.
        pub channel: String,
        /// The operation that handles its messages.
        pub operation: String,
        /// Given up after the last delivery.
        pub dead_lettered: Estimate,
        /// Took effect more than once.
        pub duplicated: Estimate,
        /// Never handled well.
        pub no_effect: Estimate,
        /// The most that waited.
        pub backlog_max: Estimate,
        /// 95th percentile from publication to the begin of the work, milliseconds.
        pub lag_p95: Estimate,
    }

    /// What happened when, from the end of the warm-up on; means over repetitions.
    pub struct TimelineResult {
        /// Length of a step, milliseconds.
        pub step_ms: f64,
        /// Good answers per second.
        pub good: Vec<f64>,
        /// Bad answers per second.
        pub bad: Vec<f64>,
        /// What waits at each participant, where anything ever does.
        pub backlogs: Vec<BacklogSeries>,
        /// Planned outages.
        pub outages: Vec<OutageWindow>,
    }

    /// A planned outage on the time line.
    pub struct OutageWindow {
        /// Participant or channel.
        pub name: String,
        /// Begin, milliseconds.
        pub from_ms: f64,
        /// End, milliseconds.
        pub to_ms: f64,
    }

    /// What waits at a participant at the end of each step.
    pub struct BacklogSeries {
        /// The participant.
        pub name: String,
        /// So many.
        pub values: Vec<f64>,
    }

    /// What differs between two variants, under the same chances.
    pub struct DifferenceView {
        /// One variant.
        pub a: String,
        /// The other.
        pub b: String,
        /// The workload.
        pub workload: String,
        /// `response`, `settled`, `succeeded`, `falseSuccess`, `throughput`.
        pub metric: String,
        /// The same in words.
        pub label: String,
        /// `ms`, `share`, `rate`.
        pub unit: String,
        /// Second less first, with its interval.
        pub value: Estimate,
        /// Smaller differences do not matter.
        pub indifference: f64,
        /// `better`, `worse`, `no practical difference`, `undecided`; better: the second one is.
        pub verdict: String,
    }

    /// How times grow with the load, with what is planned (outages, bursts).
    pub struct LoadSweep {
        /// Load of the scenario, requests per second.
        pub now: f64,
        /// Loads tried, growing.
        pub points: Vec<SweepPoint>,
        /// Repetitions of each.
        pub replications: u32,
    }

    /// One load.
    pub struct SweepPoint {
        /// Requests per second.
        pub rate: f64,
        /// In the order of the file.
        pub variants: Vec<SweepFigures>,
    }

    /// A variant at one load.
    pub struct SweepFigures {
        /// Its name.
        pub name: String,
        /// 95th percentile of the response time, milliseconds; no value: more arrives than can be done.
        pub response_p95: Estimate,
        /// 95th percentile of the settled time.
        pub settled_p95: Estimate,
    }

    /// Takes something out of a run for others to read.
    pub struct ScenarioExportRequest {
        /// Name of its file.
        pub id: String,
        /// `record` (Markdown), `record-html`, `asyncapi`, `openapi`, `mermaid`.
        pub format: String,
        /// Variant that is described; null is the recommended one.
        pub variant: Option<String>,
    }

    /// Simulates a text in a hurry: few repetitions, nothing kept. A newer one of the same scenario stops it.
    pub struct PreviewScenarioRequest {
        /// Name of its file.
        pub id: String,
        /// The text as it would be.
        pub text: String,
        /// Variants to look at; empty is all.
        pub variants: Vec<String>,
    }

    /// What a preview found.
    pub struct ScenarioPreview {
        /// The result, null where a newer one was asked for meanwhile.
        pub result: Option<ScenarioResult>,
        /// What is in the text.
        pub check: super::ScenarioCheck,
    }
}

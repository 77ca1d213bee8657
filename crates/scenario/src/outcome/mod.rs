//! What comes out of an experiment: figures with intervals, as the scenario file contract names them.
//!
//! Times are milliseconds, rates per second, shares between 0 and 1.

mod build;
mod differences;
mod figure;
mod named;
mod parts;

pub use differences::{Difference, Verdict};
pub use figure::Figure;
pub use named::Named;
pub use parts::{
    Channel, Curves, Group, Mean, MeanMax, MeanP95, Participant, Reached, TimeLine, Times, Trouble, VariantOutcome,
    Workload,
};

pub(crate) use build::{build, decision_figures, unsteady};

use serde::Serialize;

use crate::decide::SyncFigures;

/// The outcome of an experiment. The same scenario, seed and replications give the same outcome, whatever the machine or the number
/// of threads; only `wall_ms` differs, and that is set by the caller.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// Title of the scenario.
    pub scenario: String,
    /// Seed.
    pub seed: u64,
    /// Replications of each variant (the most that one has, where the run was stopped).
    pub replications: usize,
    /// Stretch left out at the begin, seconds.
    pub warm_up_s: f64,
    /// JSON Pointers of inputs that nobody measured or declared.
    pub assumed: Vec<String>,
    /// What is odd but not wrong, in words.
    pub warnings: Vec<String>,
    /// Events of all replications.
    pub simulated_events: u64,
    /// How long it took; 0 until the caller sets it.
    pub wall_ms: f64,
    /// By name, in the order of the file.
    pub variants: Named<VariantOutcome>,
    /// Between every two variants, for the metrics that decide.
    pub differences: Vec<Difference>,
}

impl Outcome {
    /// What a variant did, as the decision wants it: the worst over its workloads. No steady state is worse than any target.
    pub fn sync_figures(&self, variant: &str) -> SyncFigures {
        let Some(found) = self.variants.get(variant) else { return SyncFigures::default() };
        let workloads = || found.workloads.iter().map(|(_, w)| w);
        // Too few answers for a percentile are no answer; a backlog without end is one.
        let p95_of = |w: &Workload| {
            let p95 = &w.response_ms.p95;
            let endless = p95.why.as_deref().is_some_and(|why| why.starts_with("no steady state"));
            p95.value.or(endless.then_some(f64::INFINITY))
        };
        let p95 = workloads().filter_map(p95_of).max_by(f64::total_cmp);
        let success = workloads().filter_map(|w| w.succeeded.value).min_by(f64::total_cmp);
        SyncFigures { response_p95_ms: p95, success }
    }
}

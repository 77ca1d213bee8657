//! A few figures of many variants: for searches and sweeps, where a whole outcome of each would be too much.

use std::sync::atomic::AtomicBool;

use super::{Observed, Progress, RunError, RunOptions, observe, plan, pool};
use crate::model::{Scenario, Variant};
use crate::outcome;

/// What one replication of a variant says, the worst over its workloads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Replicate {
    /// 95th percentile of the response time, milliseconds.
    pub(crate) response_p95: f64,
    /// 95th percentile of the settled time, milliseconds.
    pub(crate) settled_p95: f64,
    /// Share of requests answered well of which every effect came.
    pub(crate) success: f64,
}

/// A variant after some replications.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sampled {
    pub(crate) replicates: Vec<Replicate>,
    /// Whether answers, and whether effects, wait for something whose backlog has no end.
    pub(crate) unsteady: [bool; 2],
}

impl Sampled {
    fn mean(&self, of: fn(&Replicate) -> f64) -> Option<f64> {
        let n = self.replicates.len() as f64;
        (n > 0.0).then(|| self.replicates.iter().map(of).sum::<f64>() / n)
    }

    /// Mean over replications; infinite where there is no steady state.
    pub(crate) fn response_p95(&self) -> Option<f64> {
        if self.unsteady[0] { Some(f64::INFINITY) } else { self.mean(|r| r.response_p95) }
    }

    pub(crate) fn settled_p95(&self) -> Option<f64> {
        if self.unsteady[1] { Some(f64::INFINITY) } else { self.mean(|r| r.settled_p95) }
    }

    pub(crate) fn success(&self) -> Option<f64> {
        self.mean(|r| r.success)
    }
}

/// Runs some variants of a scenario under the same chances, a tenth of the run before it as warm-up. Events are added to `events`.
///
/// # Errors
/// As [`super::run`], and when it was cancelled before all was done.
pub(crate) fn sample(
    scenario: &Scenario,
    variants: &[Variant],
    options: &RunOptions,
    events: &mut u64,
    progress: &(dyn Fn(Progress) + Sync),
    cancel: &AtomicBool,
) -> Result<Vec<Sampled>, RunError> {
    let with = Scenario { variants: variants.to_vec(), ..scenario.clone() };
    let mut plan = plan(&with, options)?;
    plan.warm_up = scenario.run.warm_up.unwrap_or(scenario.run.duration / 10).min(scenario.run.duration / 2);
    let mut observed = Observed {
        summaries: plan.entries.iter().map(|_| Vec::new()).collect(),
        timelines: plan.entries.iter().map(|_| observe::Timeline::default()).collect(),
        curves: plan.entries.iter().map(|_| Vec::new()).collect(),
        events: 0,
    };
    let complete = pool::replicate(&plan, options.replications.max(1), &mut observed, progress, cancel)?;
    *events += observed.events;
    if !complete {
        return Err(RunError::Cancelled);
    }
    let done = |w: &super::SourceSummary| match w.arrivals {
        0 => 1.0,
        all => w.ok.saturating_sub(w.false_success) as f64 / all as f64,
    };
    let unsteady = outcome::unsteady(&plan, &observed);
    let all = observed.summaries.iter().zip(unsteady).map(|(summaries, unsteady)| {
        let replicates = summaries.iter().flatten().map(|s| {
            let worst = |of: &dyn Fn(&super::SourceSummary) -> f64| s.sources.iter().map(of).fold(0.0, f64::max);
            Replicate {
                response_p95: worst(&|w| w.response.p95),
                settled_p95: worst(&|w| w.settled.p95),
                success: s.sources.iter().map(done).fold(1.0, f64::min),
            }
        });
        Sampled { replicates: replicates.collect(), unsteady }
    });
    Ok(all.collect())
}

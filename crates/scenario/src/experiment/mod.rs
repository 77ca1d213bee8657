//! Replications of every variant under the same chances, until enough is known, folded into one outcome.
//!
//! All variants see the same arrivals and, step by step, the same draws (common random numbers). Work is shared out over threads by
//! (replication, variant); results are folded in the order of their index, so the number of threads never shows in a result.

mod conservation;
mod observe;
mod pool;
mod precision;
mod recovery;
mod sample;
mod steady;
mod warm_up;

pub(crate) use observe::{
    GroupSummary, LineSummary, PlaceSummary, Reach, SourceSummary, Summary, Timeline, Times, Watch,
};
pub(crate) use recovery::Recovery;
pub(crate) use sample::{Replicate, Sampled, sample};
pub(crate) use steady::growth;

use std::sync::atomic::AtomicBool;

use thiserror::Error;

use crate::engine::{MOST_OPEN, Stopped};
use crate::model::{Design, Scenario, Time, Variant};
use crate::outcome::{self, Outcome};
use crate::program::Program;
use crate::tally::Histogram;

/// How a scenario is run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunOptions {
    /// Seed of all randomness.
    pub seed: u64,
    /// Independent repetitions; with `precision`, ten at least.
    pub replications: u32,
    /// Names of the variants to run; empty runs all.
    pub variants: Vec<String>,
    /// Goes on until the 95 % half-widths of the decision metrics are below this share of their values (or below what does not
    /// matter), with 200 replications at most.
    pub precision: Option<f64>,
    /// Threads; 0 takes as many as the machine has.
    pub threads: usize,
    /// Events that one replication may take.
    pub max_events: u64,
}

impl RunOptions {
    /// What the scenario itself asks for.
    pub fn of(scenario: &Scenario) -> RunOptions {
        RunOptions {
            seed: scenario.run.seed,
            replications: scenario.run.replications,
            variants: Vec::new(),
            precision: None,
            threads: 0,
            max_events: 2_000_000_000,
        }
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Whether the length of the warm-up is still being found.
    pub warming_up: bool,
    /// Replications done, of all variants.
    pub done: u32,
    /// Replications planned so far, of all variants.
    pub planned: u32,
    /// Events simulated so far.
    pub events: u64,
}

/// Why a run has no outcome.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RunError {
    /// A variant was asked for that the scenario does not have.
    #[error("there is no variant '{name}'; there are {known}")]
    UnknownVariant {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// It was stopped before the first replication was done.
    #[error("stopped before the first replication was done")]
    Cancelled,
    /// A replication took too many events.
    #[error(
        "variant '{variant}' took more than {limit} events in one replication; shorten the run, lower the load, or allow more"
    )]
    TooMuch {
        /// The variant.
        variant: String,
        /// The limit.
        limit: u64,
    },
    /// More requests and messages were under way at once than memory is meant for.
    #[error(
        "variant '{variant}' had more than {limit} requests and messages under way at once; it is far beyond what it can do: lower the load or shorten the run"
    )]
    TooManyOpen {
        /// The variant.
        variant: String,
        /// The limit.
        limit: usize,
    },
    /// Requests or messages were lost count of: a mistake in the simulator.
    #[error("the simulator lost count in variant '{variant}': {what}")]
    Miscounted {
        /// The variant.
        variant: String,
        /// What does not add up.
        what: String,
    },
    /// Nothing to run.
    #[error("there is nothing to run: {0}")]
    Nothing(&'static str),
}

/// A variant on its way from the scenario to the outcome.
pub(crate) struct Entry<'s> {
    pub(crate) variant: &'s Variant,
    pub(crate) design: &'s Design,
    pub(crate) program: Program,
    pub(crate) watch: Watch,
}

/// What is common to all replications.
pub(crate) struct Plan<'s> {
    pub(crate) entries: Vec<Entry<'s>>,
    pub(crate) seed: u64,
    pub(crate) duration: Time,
    pub(crate) warm_up: Time,
    pub(crate) threads: usize,
    pub(crate) max_events: u64,
}

impl Plan<'_> {
    /// Why a replication of a variant that took too much has no outcome.
    fn stopped(&self, variant: usize, stopped: Stopped) -> RunError {
        let variant = self.entries[variant].variant.name.clone();
        match stopped {
            Stopped::TooManyOpen => RunError::TooManyOpen { variant, limit: MOST_OPEN },
            Stopped::TooMuch => RunError::TooMuch { variant, limit: self.max_events },
            Stopped::Cancelled => RunError::Cancelled,
        }
    }
}

/// What all replications gave.
pub(crate) struct Observed {
    /// Finished replications by variant, in order of their number; `None` where one was not finished.
    pub(crate) summaries: Vec<Vec<Option<Summary>>>,
    pub(crate) timelines: Vec<observe::Timeline>,
    /// Response and settled times of all replications together, by variant and workload.
    pub(crate) curves: Vec<Vec<[Histogram; 2]>>,
    pub(crate) events: u64,
}

/// Runs a scenario.
///
/// # Errors
/// When a variant is unknown, a replication takes too many events, or nothing was finished before `cancel` was set. A run that is
/// cancelled later has an outcome with fewer replications.
pub fn run(
    scenario: &Scenario,
    options: &RunOptions,
    progress: &(dyn Fn(Progress) + Sync),
    cancel: &AtomicBool,
) -> Result<Outcome, RunError> {
    let mut warnings = scenario.warnings.clone();
    let mut plan = plan(scenario, options)?;
    plan.warm_up = match scenario.run.warm_up {
        Some(given) => given,
        None => warm_up::find(&plan, &mut warnings, progress, cancel)?,
    };
    let mut observed = Observed {
        summaries: plan.entries.iter().map(|_| Vec::new()).collect(),
        timelines: plan.entries.iter().map(|_| observe::Timeline::default()).collect(),
        curves: plan.entries.iter().map(|_| Vec::new()).collect(),
        events: 0,
    };
    let mut target = options.replications.max(1);
    if options.precision.is_some() {
        target = target.max(precision::FIRST);
    }
    loop {
        let complete = pool::replicate(&plan, target, &mut observed, progress, cancel)?;
        let Some(wanted) = options.precision else { break };
        if !complete || target >= precision::MOST || precision::reached(scenario, &plan, &observed, wanted) {
            break;
        }
        target = (target + precision::STEP).min(precision::MOST);
    }
    if observed.summaries.iter().all(|all| all.iter().all(Option::is_none)) {
        return Err(RunError::Cancelled);
    }
    Ok(outcome::build(scenario, &plan, &observed, warnings))
}

fn plan<'s>(scenario: &'s Scenario, options: &RunOptions) -> Result<Plan<'s>, RunError> {
    let chosen: Vec<&Variant> = if options.variants.is_empty() {
        scenario.variants.iter().collect()
    } else {
        options
            .variants
            .iter()
            .map(|name| {
                scenario.variant(name).ok_or_else(|| RunError::UnknownVariant {
                    name: name.clone(),
                    known: scenario.variants.iter().map(|v| v.name.as_str()).collect::<Vec<_>>().join(", "),
                })
            })
            .collect::<Result<_, _>>()?
    };
    if chosen.is_empty() {
        return Err(RunError::Nothing("the scenario has no variants"));
    }
    if scenario.run.duration == 0 {
        return Err(RunError::Nothing("the duration is 0"));
    }
    let entries = chosen
        .into_iter()
        .map(|variant| {
            let design = scenario.design_of(variant);
            let program = Program::new(design, variant);
            let watch = Watch::new(design, &program, scenario.run.duration);
            Entry { variant, design, program, watch }
        })
        .collect();
    let threads = match options.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
    };
    Ok(Plan {
        entries,
        seed: options.seed,
        duration: scenario.run.duration,
        warm_up: 0,
        threads,
        max_events: options.max_events,
    })
}

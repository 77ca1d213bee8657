//! All that is asked of a scenario, in one go.

use std::sync::atomic::AtomicBool;

use serde::Serialize;

use super::search::{channel_of, with_channels};
use super::{
    BreakEven, ComparisonRow, Effort, Progress, Search, SearchOptions, Stage, Sweep, Tornado, break_evens, comparison,
    load_sweep, search, tornado,
};
use crate::decide::{Decision, Facts, SyncFigures, decide_with};
use crate::experiment::{self, RunError, RunOptions};
use crate::model::{Scenario, Variant};
use crate::outcome::Outcome;

/// What a study is to do.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyOptions {
    /// How hard to search for the best mixture; `None` does not search.
    pub search: Option<SearchOptions>,
    /// How much to simulate for break-evens, tornado and sweep; `None` leaves them out.
    pub effort: Option<Effort>,
    /// What is known besides the file.
    pub facts: Facts,
    /// Threads; 0 takes as many as the machine has.
    pub threads: usize,
}

impl StudyOptions {
    /// Everything.
    pub fn of(scenario: &Scenario) -> StudyOptions {
        let (search, effort) = (Some(SearchOptions::of(scenario)), Some(Effort::of(scenario)));
        StudyOptions { search, effort, facts: Facts::new(), threads: 0 }
    }
}

/// The verdict with all that it rests on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Study {
    /// Step by step; its recommended variant is the best that was found.
    #[serde(flatten)]
    pub decision: Decision,
    /// The search for the best mixture.
    pub search: Option<Search>,
    /// Variants side by side.
    pub comparison: Vec<ComparisonRow>,
    /// Where the comparison of all calls with the recommended variant turns over.
    pub break_evens: Vec<BreakEven>,
    /// What the difference between the two hangs on.
    pub tornado: Option<Tornado>,
    /// The variants over the load.
    pub sweep: Option<Sweep>,
    /// Whether it was stopped before all was done.
    pub stopped: bool,
}

/// Repetitions that tell whether calls alone reach the targets, and events spent on them.
const REPLICATIONS: u32 = 5;
const MOST_REQUESTS: f64 = 500_000.0;
/// Requests that a percentile should rest on; a run is made longer for them, up to a year.
const LEAST_REQUESTS: f64 = 2000.0;
const MOST_DURATION: f64 = 3.2e16;

/// What the design does when every step is a call; asked only where a target needs it.
///
/// # Errors
/// As [`experiment::run`].
pub fn sync_figures(scenario: &Scenario, threads: usize, cancel: &AtomicBool) -> Result<SyncFigures, RunError> {
    if scenario.targets.response_p95.is_none() && scenario.targets.success.is_none() {
        return Ok(SyncFigures::default());
    }
    let mut calls = Scenario { variants: vec![Variant::calls("calls")], ..scenario.clone() };
    let seconds = calls.run.duration as f64 / 1e9;
    let requests = super::window::rate(&calls.design, calls.run.duration) * seconds;
    let mut options = RunOptions { threads, ..RunOptions::of(&calls) };
    let affordable = (MOST_REQUESTS / requests.max(1.0)).floor().max(1.0);
    options.replications = options.replications.min(REPLICATIONS).min(affordable as u32);
    if requests > 0.0 && requests < LEAST_REQUESTS && super::window::is_calm(&calls) {
        // Nothing planned happens: a longer run is the same run with more to see.
        let longer = calls.run.duration as f64 * LEAST_REQUESTS / requests;
        calls.run.duration = longer.min(MOST_DURATION) as u64;
    }
    if requests > MOST_REQUESTS {
        calls = super::window::shortened(&calls, MOST_REQUESTS);
    }
    Ok(experiment::run(&calls, &options, &|_| {}, cancel)?.sync_figures("calls"))
}

/// The scenario with the best mixture that was found as its variant `hybrid`; as it is where the file names its variants.
///
/// # Errors
/// When it was cancelled, or a candidate took too many events.
pub fn with_best_hybrid(
    scenario: &Scenario,
    threads: usize,
    progress: &(dyn Fn(Progress) + Sync),
    cancel: &AtomicBool,
) -> Result<Scenario, RunError> {
    if scenario.variants_named {
        return Ok(scenario.clone());
    }
    let sync = sync_figures(scenario, threads, cancel)?;
    let decision = decide_with(scenario, &sync, &Facts::new(), cancel);
    let options = SearchOptions { threads, ..SearchOptions::of(scenario) };
    let found = search(scenario, &decision, &options, progress, cancel)?;
    Ok(with_hybrid(scenario, &found))
}

fn with_hybrid(scenario: &Scenario, found: &Search) -> Scenario {
    let events = &found.recommended.events;
    let mut best = with_channels(scenario, events.values().map(String::as_str));
    if let Some(hybrid) = best.variants.iter_mut().find(|v| v.name == "hybrid") {
        hybrid.events.clone_from(events);
    }
    best
}

/// Decides, searches, and looks at what the verdict hangs on. Stopped early, it has what was done by then.
///
/// # Errors
/// When it was stopped before the first judgement, or a simulation took too many events.
pub fn study(
    scenario: &Scenario,
    options: &StudyOptions,
    outcome: Option<&Outcome>,
    progress: &(dyn Fn(Progress) + Sync),
    cancel: &AtomicBool,
) -> Result<Study, RunError> {
    progress(Progress { stage: Stage::Calls, done: 0, planned: 1 });
    let sync = sync_figures(scenario, options.threads, cancel)?;
    let decision = decide_with(scenario, &sync, &options.facts, cancel);
    let mut study = Study {
        decision,
        search: None,
        comparison: comparison(scenario, outcome),
        break_evens: Vec::new(),
        tornado: None,
        sweep: None,
        stopped: false,
    };
    match study.simulate(scenario, options, outcome, progress, cancel) {
        Ok(()) => {}
        Err(RunError::Cancelled) => study.stopped = true,
        Err(error) => return Err(error),
    }
    Ok(study)
}

impl Study {
    fn simulate(
        &mut self,
        scenario: &Scenario,
        options: &StudyOptions,
        outcome: Option<&Outcome>,
        progress: &(dyn Fn(Progress) + Sync),
        cancel: &AtomicBool,
    ) -> Result<(), RunError> {
        let mut scenario = scenario.clone();
        if let Some(how) = &options.search {
            let found = search(&scenario, &self.decision, how, progress, cancel)?;
            let recommended = &mut self.decision.recommended_variant;
            recommended.events.clone_from(&found.recommended.events);
            recommended.name = found.recommended.name.clone().unwrap_or_else(|| "recommended".to_owned());
            if !scenario.variants_named {
                scenario = with_hybrid(&scenario, &found);
                self.comparison = comparison(&scenario, outcome);
            }
            self.search = Some(found);
        }
        let Some(effort) = &options.effort else { return Ok(()) };
        let (calls, best) = self.pair(&mut scenario);
        self.break_evens = break_evens(&scenario, [&calls, &best], effort, progress, cancel)?;
        self.tornado = Some(tornado(&scenario, [&calls, &best], effort, progress, cancel)?);
        self.sweep = Some(load_sweep(&scenario, effort, progress, cancel)?);
        Ok(())
    }

    /// What is compared: all calls, and the recommended variant (where that is all calls, everything that may be an event).
    fn pair(&self, scenario: &mut Scenario) -> (Variant, Variant) {
        let recommended = &self.decision.recommended_variant;
        let named = |wanted: &dyn Fn(&Variant) -> bool| {
            scenario.variants.iter().find(|v| v.overridden.is_none() && wanted(v)).cloned()
        };
        let calls = named(&|v| v.events.is_empty()).unwrap_or_else(|| Variant::calls("api-led"));
        let mut events = recommended.events.clone();
        let mut name = recommended.name.clone();
        if events.is_empty() {
            name = "event-driven".to_owned();
            for (caller, step) in super::input::steps(&scenario.design) {
                let free = self.search.as_ref().is_some_and(|s| s.free.contains(&step.id));
                if free {
                    events.insert(step.id.clone(), channel_of(scenario, caller, &step.id));
                }
            }
        }
        let best = named(&|v| !v.events.is_empty() && v.events == events)
            .unwrap_or_else(|| Variant::of(&name, events.clone()));
        *scenario = with_channels(scenario, events.values().map(String::as_str));
        (calls, best)
    }
}

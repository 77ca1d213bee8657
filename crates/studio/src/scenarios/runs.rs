//! Runs under way: on threads of their own, told as updates, stopped on demand.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use flowglass_scenario::decide::{Facts, decide_with};
use flowglass_scenario::experiment::{Progress, RunError, RunOptions, run};
use flowglass_scenario::model::Scenario;
use flowglass_scenario::outcome::Outcome;
use flowglass_scenario::study::{
    self as studies, Stage, Study, StudyOptions, comparison, preview, study, with_best_hybrid,
};

use super::results::result;
use super::study::{sweep, view};
use super::verdict::verdict;
use crate::api::{ScenarioResult, ScenarioRun, Update};
use crate::studio::{Studio, lock};

/// How often progress is told.
const TELL: Duration = Duration::from_millis(150);
/// Share of a run's time that simulating the variants takes, about; the rest is what the verdict hangs on.
const FIRST: f64 = 0.4;

/// A run that is done, for those who want more of it than screens show.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) scenario: Scenario,
    pub(crate) outcome: Outcome,
    pub(crate) study: Study,
    pub(crate) inputs: String,
}

/// Runs kept at most, so that they can be exported.
const KEPT: usize = 8;

/// Runs and previews under way, by scenario.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    /// Held while files are read or written.
    pub(crate) files: Mutex<()>,
    running: Mutex<HashMap<String, (ScenarioRun, Arc<AtomicBool>)>>,
    previews: Mutex<HashMap<String, Arc<AtomicBool>>>,
    /// The newest first.
    finished: Mutex<Vec<(String, Arc<Finished>)>>,
}

impl Runs {
    /// The run of a scenario that is under way.
    pub(crate) fn of(&self, id: &str) -> Option<ScenarioRun> {
        lock(&self.running).get(id).map(|(view, _)| view.clone())
    }

    /// The last run of a scenario, if it was done since the program was started.
    pub(crate) fn finished(&self, id: &str) -> Option<Arc<Finished>> {
        lock(&self.finished).iter().find(|(known, _)| known == id).map(|(_, run)| Arc::clone(run))
    }

    fn finish(&self, id: &str, run: Finished) {
        let mut finished = lock(&self.finished);
        finished.retain(|(known, _)| known != id);
        finished.insert(0, (id.to_owned(), Arc::new(run)));
        finished.truncate(KEPT);
    }

    /// Stops the run of a scenario. Answers whether there was one.
    pub(crate) fn cancel(&self, id: &str) -> bool {
        match lock(&self.running).get(id) {
            Some((_, cancel)) => {
                cancel.store(true, Ordering::Relaxed);
                true
            }
            None => false,
        }
    }

    /// Stops everything: the studio ends.
    pub(crate) fn cancel_all(&self) {
        lock(&self.running).values().for_each(|(_, cancel)| cancel.store(true, Ordering::Relaxed));
        lock(&self.previews).values().for_each(|cancel| cancel.store(true, Ordering::Relaxed));
    }

    /// Begins a preview, which ends the one before.
    fn next_preview(&self, id: &str) -> Arc<AtomicBool> {
        let cancel = Arc::new(AtomicBool::new(false));
        if let Some(before) = lock(&self.previews).insert(id.to_owned(), Arc::clone(&cancel)) {
            before.store(true, Ordering::Relaxed);
        }
        cancel
    }

    /// Opens a run; `None` where one is under way.
    fn open(&self, id: &str) -> Option<(ScenarioRun, Arc<AtomicBool>)> {
        let mut running = lock(&self.running);
        if running.contains_key(id) {
            return None;
        }
        let view = ScenarioRun {
            id: id.to_owned(),
            state: "running".into(),
            stage: "Finding where the warm-up ends".into(),
            share: 0.0,
            millions: 0.0,
            shown: false,
            problem: None,
        };
        let cancel = Arc::new(AtomicBool::new(false));
        running.insert(id.to_owned(), (view.clone(), Arc::clone(&cancel)));
        Some((view, cancel))
    }

    fn advance(&self, id: &str, change: impl FnOnce(&mut ScenarioRun)) -> Option<ScenarioRun> {
        let mut running = lock(&self.running);
        let (view, _) = running.get_mut(id)?;
        change(view);
        Some(view.clone())
    }

    fn close(&self, id: &str) -> Option<ScenarioRun> {
        lock(&self.running).remove(id).map(|(view, _)| view)
    }
}

impl Studio {
    /// Starts a run in the background; progress comes as updates. `None` where one of this scenario is under way.
    pub(crate) fn start_run(&self, id: String, scenario: Scenario, inputs: String) -> Option<ScenarioRun> {
        let (view, cancel) = self.0.scenarios.open(&id)?;
        let studio = self.clone();
        self.0.tasks.spawn_blocking(move || {
            let found = studio.run(&id, &scenario, inputs, &cancel);
            let stopped = cancel.load(Ordering::Relaxed);
            let problem = match found {
                Ok(result) => studio.keep(&id, &result).err(),
                Err(RunError::Cancelled) => None,
                Err(error) => Some(error.to_string()),
            };
            let Some(mut run) = studio.0.scenarios.close(&id) else { return };
            run.state = if problem.is_some() {
                "failed"
            } else if stopped {
                "cancelled"
            } else {
                "done"
            }
            .into();
            run.share = 1.0;
            run.problem = problem;
            studio.publish(Update::Scenario { run });
        });
        Some(view)
    }

    /// Simulates a scenario in a hurry. `None` where a newer preview took its place.
    pub(crate) async fn preview(
        &self,
        id: &str,
        scenario: Scenario,
        variants: Vec<String>,
        inputs: String,
    ) -> Result<Option<ScenarioResult>, RunError> {
        let cancel = self.0.scenarios.next_preview(id);
        let options = RunOptions { variants, ..RunOptions::of(&scenario) };
        let now = self.now();
        let task = tokio::task::spawn_blocking(move || {
            let begun = Instant::now();
            let found = preview(&scenario, &options, &|_| {}, &cancel);
            if cancel.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let mut outcome = found?;
            outcome.wall_ms = begun.elapsed().as_secs_f64() * 1e3;
            let planned = outcome.replications as u32;
            Ok(Some(result(&scenario, &outcome, planned, now as f64 / 1e6, inputs)))
        });
        match task.await {
            Ok(answer) => answer,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }

    fn run(
        &self,
        id: &str,
        scenario: &Scenario,
        inputs: String,
        cancel: &AtomicBool,
    ) -> Result<ScenarioResult, RunError> {
        let begun = Instant::now();
        let options = RunOptions::of(scenario);
        let told = Mutex::new(begun);
        let tell = |change: &dyn Fn(&mut ScenarioRun)| {
            let mut last = lock(&told);
            if last.elapsed() < TELL {
                return;
            }
            *last = Instant::now();
            if let Some(run) = self.0.scenarios.advance(id, change) {
                self.publish(Update::Scenario { run });
            }
        };
        let progress = |p: Progress| {
            tell(&|run| {
                run.millions = p.events as f64 / 1e6;
                if !p.warming_up {
                    run.stage = format!("Simulating: {} of {} repetitions", p.done, p.planned);
                    run.share = FIRST * f64::from(p.done) / f64::from(p.planned.max(1));
                }
            });
        };
        let examined = |p: studies::Progress| {
            let (words, at) = stage(p.stage);
            tell(&|run| {
                run.stage = format!("{words}: {} of {}", p.done, p.planned);
                run.share =
                    FIRST + (1.0 - FIRST) * (at + 0.2 * f64::from(p.done) / f64::from(p.planned.max(1))).min(1.0);
            });
        };
        // A file that names no variants has the best mixture among them.
        let scenario = with_best_hybrid(scenario, options.threads, &examined, cancel)?;
        let mut outcome = run(&scenario, &options, &progress, cancel)?;
        // A workspace that cannot be read tells nothing; the file still does.
        let facts = self.workspace().facts(&scenario, cancel).unwrap_or_default();
        let how = StudyOptions { facts, ..StudyOptions::of(&scenario) };
        let told = |outcome: &Outcome, study: &Study| {
            let at = self.now() as f64 / 1e6;
            let mut found = result(&scenario, outcome, options.replications, at, inputs.clone());
            found.verdict = Some(verdict(&scenario, study, &found));
            found.sweep = study.sweep.as_ref().zip(how.effort.as_ref()).map(|(s, effort)| sweep(s, effort));
            found.study = Some(view(study));
            found
        };
        // What was simulated shows at once; what the verdict hangs on follows.
        outcome.wall_ms = begun.elapsed().as_secs_f64() * 1e3;
        if self.keep(id, &told(&outcome, &judged(&scenario, &outcome, &how.facts))).is_ok()
            && let Some(run) = self.0.scenarios.advance(id, |run| run.shown = true)
        {
            self.publish(Update::Scenario { run });
        }
        let study = match study(&scenario, &how, Some(&outcome), &examined, cancel) {
            Err(RunError::Cancelled) => judged(&scenario, &outcome, &how.facts),
            other => other?,
        };
        outcome.wall_ms = begun.elapsed().as_secs_f64() * 1e3;
        let found = told(&outcome, &study);
        self.0.scenarios.finish(id, Finished { scenario, outcome, study, inputs });
        Ok(found)
    }

    fn keep(&self, id: &str, result: &ScenarioResult) -> Result<(), String> {
        let bytes = serde_json::to_vec(result).map_err(|e| e.to_string())?;
        self.scenario_folder().write_result(id, &bytes).map_err(|e| e.message)
    }
}

/// What can be said of a run that was stopped: each step is judged with what was simulated by then.
fn judged(scenario: &Scenario, outcome: &Outcome, facts: &Facts) -> Study {
    let calls = scenario.variants.iter().find(|v| v.events.is_empty() && v.overridden.is_none());
    let figures = calls.map(|v| outcome.sync_figures(&v.name)).unwrap_or_default();
    Study {
        decision: decide_with(scenario, &figures, facts, &AtomicBool::new(false)),
        search: None,
        comparison: comparison(scenario, Some(outcome)),
        break_evens: Vec::new(),
        tornado: None,
        sweep: None,
        stopped: true,
    }
}

/// A stage in words, and where it begins, from 0 to 1.
fn stage(stage: Stage) -> (&'static str, f64) {
    match stage {
        Stage::Calls => ("Simulating calls alone", 0.0),
        Stage::Search => ("Searching for the best mixture", 0.2),
        Stage::BreakEven => ("Looking for where it turns over", 0.4),
        Stage::Tornado => ("Moving inputs", 0.6),
        Stage::Sweep => ("Trying other loads", 0.8),
    }
}

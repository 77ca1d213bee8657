//! Figures of a scenario that gates and criteria look at.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use crate::Dist;
use crate::engine::{Setup, simulate};
use crate::model::{
    Arrivals, Channel, Design, Do, Needs, Operation, Participant, Scenario, Step, Time, Variant, Workload,
};
use crate::program::{Program, each_do, participant_of};

/// Waited for at most where neither a time-out nor a user's patience says so: 30 s.
const USUAL_WAIT: Time = 30_000_000_000;
/// Requests behind the 99th percentile of an operation alone.
const ALONE: u64 = 20_000;

/// What the variant in which everything is a call does.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SyncFigures {
    /// Worst 95th percentile of the response time over the workloads, milliseconds.
    pub response_p95_ms: Option<f64>,
    /// Worst share of successes.
    pub success: Option<f64>,
}

pub(super) struct Figures<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) sync: &'a SyncFigures,
    /// Requests per second that reach each operation: mean and peak.
    rates: BTreeMap<&'a str, (f64, f64)>,
}

impl<'a> Figures<'a> {
    pub(super) fn new(scenario: &'a Scenario, sync: &'a SyncFigures) -> Figures<'a> {
        let mut figures = Figures { scenario, sync, rates: BTreeMap::new() };
        for workload in &scenario.design.workloads {
            let duration = scenario.run.duration;
            let closed = || closed_rate(&scenario.design, workload);
            let mean = workload.arrivals.mean_rate(duration).unwrap_or_else(closed);
            let peak = workload.arrivals.peak_rate(duration).unwrap_or(mean);
            figures.visit(&workload.to, mean, peak, 0);
        }
        figures
    }

    fn design(&self) -> &'a Design {
        &self.scenario.design
    }

    /// Adds the rate at which an operation is asked for, and what follows from it below.
    fn visit(&mut self, operation: &'a str, mean: f64, peak: f64, depth: u32) {
        let entry = self.rates.entry(operation).or_default();
        entry.0 += mean;
        entry.1 += peak;
        if depth > 64 {
            return;
        }
        if let Some(found) = self.design().operations.get(operation) {
            self.visit_steps(&found.steps, mean, peak, depth);
        }
    }

    fn visit_steps(&mut self, steps: &'a [Step], mean: f64, peak: f64, depth: u32) {
        for step in steps {
            match step {
                Step::Do(step) => {
                    let share = f64::from(step.count) * (1.0 - step.cache.unwrap_or(0.0));
                    self.visit(&step.operation, mean * share, peak * share, depth + 1);
                }
                Step::Parallel(steps) => self.visit_steps(steps, mean, peak, depth),
                Step::Choose(choices) => {
                    for choice in choices {
                        self.visit_steps(&choice.steps, mean * choice.share, peak * choice.share, depth);
                    }
                }
                Step::Think { .. } => {}
            }
        }
    }

    pub(super) fn rate(&self, operation: &str) -> (f64, f64) {
        self.rates.get(operation).copied().unwrap_or_default()
    }

    pub(super) fn participant(&self, operation: &str) -> Option<&'a Participant> {
        self.design().participants.get(participant_of(operation))
    }

    pub(super) fn operation(&self, name: &str) -> Option<&'a Operation> {
        self.design().operations.get(name)
    }

    /// How long the caller waits for a step: its time-out, else the shortest patience of those who get there, else 30 s.
    pub(super) fn wait(&self, caller: &str, step: &Do) -> (Time, &'static str) {
        if let Some(timeout) = step.timeout {
            return (timeout, "the time-out");
        }
        let workloads = self.design().workloads.iter().filter(|w| self.reaches(&w.to, caller, 0));
        match workloads.filter_map(|w| w.patience).min() {
            Some(patience) => (patience, "the user's patience"),
            None => (USUAL_WAIT, "the usual 30 s"),
        }
    }

    fn reaches(&self, from: &str, to: &str, depth: u32) -> bool {
        if from == to {
            return true;
        }
        let Some(operation) = self.operation(from).filter(|_| depth < 64) else { return false };
        let mut found = false;
        each_do(&operation.steps, &mut |step| found |= self.reaches(&step.operation, to, depth + 1));
        found
    }

    /// The channel a step would be on: that of a variant, else one with the defaults.
    pub(super) fn channel(&self, step: &Do) -> (Option<&'a str>, Channel) {
        let name = self.scenario.variants.iter().find_map(|v| v.events.get(&step.id)).map(String::as_str);
        let found = name.and_then(|n| self.design().channels.get(n)).cloned();
        (name, found.unwrap_or_default())
    }

    /// Steps of an operation of which the business needs nothing.
    pub(super) fn needing_nothing(&self, caller: &str) -> usize {
        let mut count = 0;
        if let Some(operation) = self.operation(caller) {
            each_do(&operation.steps, &mut |step| count += usize::from(step.needs == Some(Needs::Nothing)));
        }
        count
    }

    /// Mean time of an operation alone, calls included, nanoseconds.
    pub(super) fn mean_alone(&self, operation: &str) -> f64 {
        self.mean_of(operation, 0)
    }

    fn mean_of(&self, operation: &str, depth: u32) -> f64 {
        let Some(found) = self.operation(operation).filter(|_| depth < 64) else { return 0.0 };
        found.work.mean() + if found.reply_early { 0.0 } else { self.mean_of_steps(&found.steps, depth) }
    }

    fn mean_of_steps(&self, steps: &[Step], depth: u32) -> f64 {
        let one = |step: &Step| match step {
            Step::Do(step) => {
                f64::from(step.count) * (1.0 - step.cache.unwrap_or(0.0)) * self.mean_of(&step.operation, depth + 1)
            }
            Step::Parallel(steps) => {
                let each = steps.iter().map(|s| self.mean_of_steps(std::slice::from_ref(s), depth));
                each.fold(0.0, f64::max)
            }
            Step::Choose(choices) => choices.iter().map(|c| c.share * self.mean_of_steps(&c.steps, depth)).sum(),
            Step::Think { time, count } => f64::from(*count) * time.mean(),
        };
        steps.iter().map(one).sum()
    }

    /// 99th percentile of an operation alone: no queueing, no trouble, nanoseconds.
    pub(super) fn p99_alone(&self, operation: &str) -> f64 {
        let Some(found) = self.operation(operation) else { return 0.0 };
        if found.steps.is_empty() {
            return found.work.quantile(0.99);
        }
        let alone = alone(self.design(), operation);
        let variant = Variant { name: "alone".into(), events: BTreeMap::new(), accept: Vec::new(), overridden: None };
        let program = Program::new(&alone, &variant);
        // One request a second and unlimited workers: nobody meets anybody.
        let duration = ALONE * 1_000_000_000;
        let setup = Setup { seed: 1, replication: 0, warm_up: 0, duration, events: 50_000_000, keep: 0 };
        let tally = simulate(&program, setup, &AtomicBool::new(false));
        tally.ok().and_then(|t| t.sources[0].response.percentile(0.99)).unwrap_or(0.0)
    }

    /// Requests per second that a participant can do of an operation; `None` is unlimited.
    pub(super) fn capacity(&self, operation: &str) -> Option<f64> {
        let servers = f64::from(self.participant(operation)?.servers()?);
        let work = self.operation(operation)?.work.mean();
        (work > 0.0).then(|| servers * 1e9 / work)
    }

    /// Share of a participant's workers that its own work takes; `None` where it has no limit.
    pub(super) fn utilisation(&self, operation: &str) -> Option<f64> {
        let name = participant_of(operation);
        let servers = f64::from(self.design().participants.get(name)?.servers()?);
        let of_it = self.design().operations.iter().filter(|(o, _)| participant_of(o) == name);
        let busy: f64 = of_it.map(|(o, found)| self.rate(o).0 * found.work.mean() / 1e9).sum();
        Some(busy / servers)
    }

    /// Highest ratio of peak to mean arrivals over the workloads that reach an operation.
    pub(super) fn burstiness(&self, operation: &str) -> f64 {
        let (mean, peak) = self.rate(operation);
        if mean > 0.0 { peak / mean } else { 1.0 }
    }
}

/// Requests per second of users who never have to wait in a line.
fn closed_rate(design: &Design, workload: &Workload) -> f64 {
    let Arrivals::Users { count, think } = &workload.arrivals else { return 0.0 };
    let work = design.operations.get(&workload.to).map_or(0.0, |o| o.work.mean());
    f64::from(*count) * 1e9 / (think.mean() + work).max(1.0)
}

/// A design in which an operation is alone: unlimited workers, nothing fails, one request a second.
fn alone(design: &Design, operation: &str) -> Design {
    let mut alone = design.clone();
    for participant in alone.participants.values_mut() {
        let network = std::mem::replace(&mut participant.network, Dist::Constant(0.0));
        *participant = Participant { network, ..Participant::default() };
    }
    alone.workloads = vec![Workload {
        name: "alone".into(),
        to: operation.into(),
        arrivals: Arrivals::Every(1_000_000_000),
        until: None,
        patience: None,
        priority: 0,
    }];
    alone
}

//! Figures of a scenario that gates and criteria look at.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use crate::engine::{Setup, simulate};
use crate::flow;
use crate::model::{Arrivals, Channel, Design, Do, Needs, Operation, Participant, Scenario, Time, Variant, Workload};
use crate::program::{Program, each_do, participant_of};

/// Waited for at most where neither a time-out nor a user's patience says so: 30 s.
const USUAL_WAIT: Time = 30_000_000_000;
/// Requests behind the 99th percentile of an operation alone, at least and at most; events spent on one.
const LEAST_ALONE: f64 = 1000.0;
const ALONE: f64 = 10_000.0;
const ALONE_EVENTS: f64 = 300_000.0;
/// Events spent on all of them.
const ALL_EVENTS: u64 = 5_000_000;

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
    pub(super) cancel: &'a AtomicBool,
    calls: Variant,
    /// Requests per second that reach each operation: mean and peak.
    rates: BTreeMap<&'a str, (f64, f64)>,
    /// Mean times alone, nanoseconds.
    times: BTreeMap<&'a str, f64>,
    /// Services that one request of an operation takes, calls included.
    services: BTreeMap<&'a str, f64>,
    /// Shortest patience of those who get to an operation.
    patience: BTreeMap<&'a str, Time>,
    /// 99th percentiles alone, as they were asked for.
    p99: RefCell<BTreeMap<String, f64>>,
    /// Events that may still be spent on them.
    left: Cell<u64>,
}

impl<'a> Figures<'a> {
    pub(super) fn new(scenario: &'a Scenario, sync: &'a SyncFigures, cancel: &'a AtomicBool) -> Figures<'a> {
        let design = &scenario.design;
        let order = flow::order(design);
        let calls = Variant::calls("calls");
        Figures {
            rates: flow::rates(design, &order, scenario.run.duration),
            services: flow::services(design, &order),
            patience: patience(design, &order),
            times: flow::times(design, &calls, &order),
            p99: RefCell::new(BTreeMap::new()),
            left: Cell::new(ALL_EVENTS),
            scenario,
            sync,
            cancel,
            calls,
        }
    }

    /// Figures of a scenario that differs a little: percentiles that were found already are taken over where they still hold.
    pub(super) fn of_changed(&self, scenario: &'a Scenario, same_work: bool) -> Figures<'a> {
        let changed = Figures::new(scenario, self.sync, self.cancel);
        changed.left.set(self.left.get());
        if same_work {
            changed.p99.borrow_mut().clone_from(&self.p99.borrow());
        }
        changed
    }

    fn design(&self) -> &'a Design {
        &self.scenario.design
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
        match (step.timeout, self.patience.get(caller)) {
            (Some(timeout), _) => (timeout, "the time-out"),
            (None, Some(patience)) => (*patience, "the user's patience"),
            (None, None) => (USUAL_WAIT, "the usual 30 s"),
        }
    }

    /// The channel a step would be on: that of a variant, else one with the defaults.
    pub(super) fn channel(&self, step: &Do) -> (Option<&'a str>, Channel) {
        let name = self.scenario.variants.iter().find_map(|v| v.events.get(&step.id)).map(String::as_str);
        let found = name.and_then(|n| self.design().channels.get(n)).cloned();
        (name, found.unwrap_or_default())
    }

    /// Steps of an operation of which the business needs nothing, without the one in question.
    fn others_needing_nothing(&self, caller: &str, id: &str) -> usize {
        let mut count = 0;
        if let Some(operation) = self.operation(caller) {
            each_do(&operation.steps, &mut |step| {
                count += usize::from(step.id != id && step.needs == Some(Needs::Nothing));
            });
        }
        count
    }

    /// Steps of an operation of which the business needs nothing, the one in question as it is given.
    pub(super) fn needing_nothing(&self, caller: &str, step: &Do) -> usize {
        self.others_needing_nothing(caller, &step.id) + usize::from(step.needs == Some(Needs::Nothing))
    }

    /// Mean time of an operation alone, calls included, nanoseconds.
    pub(super) fn mean_alone(&self, operation: &str) -> f64 {
        self.times.get(operation).copied().unwrap_or(0.0)
    }

    /// 99th percentile of an operation alone: no queueing, no trouble, nanoseconds.
    pub(super) fn p99_alone(&self, operation: &str) -> f64 {
        let Some(found) = self.operation(operation) else { return 0.0 };
        if found.steps.is_empty() || found.reply_early {
            return found.work.quantile(0.99);
        }
        if let Some(known) = self.p99.borrow().get(operation) {
            return *known;
        }
        // Three times the mean where there is too much to play: an exponential time has nearly five times.
        let guess = 3.0 * self.mean_alone(operation);
        let each = 3.0 * self.services.get(operation).copied().unwrap_or(1.0);
        let requests = (ALONE_EVENTS / each).min(ALONE);
        if self.left.get() == 0 || requests < LEAST_ALONE {
            return guess;
        }
        let alone = alone(self.design(), operation);
        let program = Program::new(&alone, &self.calls);
        // One request a second and unlimited workers: nobody meets anybody.
        let duration = requests as u64 * 1_000_000_000;
        let setup = Setup { duration, events: 4 * ALONE_EVENTS as u64, ..Setup::new(1, 0) };
        let found = match simulate(&program, setup, self.cancel) {
            Ok(tally) => {
                // Making the design ready counts, too.
                let spent = tally.events + 10 * self.design().operations.len() as u64;
                self.left.set(self.left.get().saturating_sub(spent));
                tally.sources[0].response.percentile(0.99).unwrap_or(0.0)
            }
            Err(_) => {
                self.left.set(self.left.get().saturating_sub(ALONE_EVENTS as u64));
                guess
            }
        };
        self.p99.borrow_mut().insert(operation.to_owned(), found);
        found
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

/// Shortest patience of the users who get to each operation.
fn patience<'a>(design: &'a Design, order: &[&'a str]) -> BTreeMap<&'a str, Time> {
    let mut all: BTreeMap<&str, Time> = BTreeMap::new();
    let reach = |all: &mut BTreeMap<&'a str, Time>, name: &'a str, patience: Time| {
        let entry = all.entry(name).or_insert(patience);
        *entry = patience.min(*entry);
    };
    for workload in &design.workloads {
        if let Some(patience) = workload.patience {
            reach(&mut all, &workload.to, patience);
        }
    }
    for name in order {
        let (Some(patience), Some(operation)) = (all.get(name).copied(), design.operations.get(*name)) else {
            continue;
        };
        each_do(&operation.steps, &mut |step| reach(&mut all, &step.operation, patience));
    }
    all
}

/// A design in which an operation is alone: unlimited workers, nothing fails, one request a second.
fn alone(design: &Design, operation: &str) -> Design {
    let mut alone = Design { channels: BTreeMap::new(), ..design.clone() };
    for participant in alone.participants.values_mut() {
        *participant = Participant { network: participant.network.clone(), ..Participant::default() };
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

//! What follows from a design without simulating it: how often each operation is asked for, how long it takes alone, how many
//! workers that takes. Operations are looked at once each, callers before callees, however many ways lead to one.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Arrivals, Design, Do, Hold, Needs, Step, Time, Variant, Workload};
use crate::program::{each_do, participant_of};

/// All operations, callers before callees.
pub(crate) fn order(design: &Design) -> Vec<&str> {
    let mut done: BTreeSet<&str> = BTreeSet::new();
    let mut after: Vec<&str> = Vec::new();
    let asked = design.workloads.iter().map(|w| w.to.as_str());
    for root in asked.chain(design.operations.keys().map(String::as_str)) {
        let mut path: Vec<(&str, bool)> = vec![(root, false)];
        while let Some((name, left)) = path.pop() {
            if left {
                after.push(name);
                continue;
            }
            if !done.insert(name) {
                continue;
            }
            path.push((name, true));
            let Some(operation) = design.operations.get(name) else { continue };
            each_do(&operation.steps, &mut |step| {
                if !done.contains(step.operation.as_str()) {
                    path.push((step.operation.as_str(), false));
                }
                if let Some(undo) = step.compensate.as_deref().filter(|undo| !done.contains(undo)) {
                    path.push((undo, false));
                }
            });
        }
    }
    after.reverse();
    after
}

/// Visits every `do` with how often it is reached for one handling (shares of choices, repetitions, cache misses).
pub(crate) fn each_weighted<'a>(steps: &'a [Step], weight: f64, visit: &mut dyn FnMut(&'a Do, f64)) {
    for step in steps {
        match step {
            Step::Do(step) => {
                visit(step, weight * f64::from(step.count) * (1.0 - step.cache.unwrap_or(0.0)));
            }
            Step::Parallel(steps) => each_weighted(steps, weight, visit),
            Step::Repeat { steps, count } => each_weighted(steps, weight * f64::from(*count), visit),
            Step::Choose(choices) => {
                choices.iter().for_each(|c| each_weighted(&c.steps, weight * c.share, visit));
            }
            Step::Think { .. } => {}
        }
    }
}

/// Mean and peak arrivals of a workload, per second.
pub(crate) fn arrivals(design: &Design, workload: &Workload, duration: Time) -> (f64, f64) {
    let mean = match &workload.arrivals {
        // Users who never have to wait in a line.
        Arrivals::Users { count, think } => {
            let work = design.operations.get(&workload.to).map_or(0.0, |o| o.work.mean());
            f64::from(*count) * 1e9 / (think.mean() + work).max(1.0)
        }
        other => other.mean_rate(duration).unwrap_or(0.0),
    };
    (mean, workload.arrivals.peak_rate(duration).unwrap_or(mean))
}

/// Requests per second that reach each operation: mean and peak.
pub(crate) fn rates<'a>(design: &'a Design, order: &[&'a str], duration: Time) -> BTreeMap<&'a str, (f64, f64)> {
    let mut rates: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for workload in &design.workloads {
        let (mean, peak) = arrivals(design, workload, duration);
        let entry = rates.entry(&workload.to).or_default();
        *entry = (entry.0 + mean, entry.1 + peak);
    }
    for name in order {
        let (mean, peak) = rates.get(name).copied().unwrap_or_default();
        let Some(operation) = design.operations.get(*name) else { continue };
        each_weighted(&operation.steps, 1.0, &mut |step, weight| {
            let entry = rates.entry(&step.operation).or_default();
            *entry = (entry.0 + mean * weight, entry.1 + peak * weight);
        });
    }
    rates
}

/// Services that one request of each operation takes, those of all below it included.
pub(crate) fn services<'a>(design: &'a Design, order: &[&'a str]) -> BTreeMap<&'a str, f64> {
    let mut known: BTreeMap<&str, f64> = BTreeMap::new();
    for name in order.iter().rev() {
        let Some(operation) = design.operations.get(*name) else { continue };
        let mut services = 1.0;
        each_weighted(&operation.steps, 1.0, &mut |step, weight| {
            services += weight * known.get(step.operation.as_str()).copied().unwrap_or(1.0);
        });
        known.insert(name, services);
    }
    known
}

/// Whether a step is an event in a variant.
pub(crate) fn is_event(variant: &Variant, step: &Do) -> bool {
    variant.events.contains_key(&step.id)
}

/// Whether the caller waits for a step's outcome in a variant.
pub(crate) fn is_awaited(variant: &Variant, step: &Do) -> bool {
    !is_event(variant, step) || (step.needs.is_some_and(Needs::waits) && !variant.accept.contains(&step.id))
}

/// Mean time of each operation, nanoseconds, steps that are waited for included, without any queueing.
pub(crate) fn times<'a>(design: &'a Design, variant: &Variant, order: &[&'a str]) -> BTreeMap<&'a str, f64> {
    let mut known: BTreeMap<&str, f64> = BTreeMap::new();
    for name in order.iter().rev() {
        let Some(operation) = design.operations.get(*name) else { continue };
        let waits = if operation.reply_early { 0.0 } else { waits(design, variant, &operation.steps, &known) };
        known.insert(name, operation.work.mean() + waits);
    }
    known
}

/// Mean wait of some steps, one after the other.
fn waits(design: &Design, variant: &Variant, steps: &[Step], known: &BTreeMap<&str, f64>) -> f64 {
    let one = |step: &Step| match step {
        Step::Do(step) => {
            let misses = f64::from(step.count) * (1.0 - step.cache.unwrap_or(0.0));
            let callee = known.get(step.operation.as_str()).copied().unwrap_or(0.0);
            let each = match variant.events.get(&step.id).and_then(|c| design.channels.get(c)) {
                None => {
                    let callees = design.participants.get(participant_of(&step.operation)).map(|p| &p.network);
                    callee + step.network.as_ref().or(callees).map_or(0.0, |network| 2.0 * network.mean())
                }
                Some(channel) if is_awaited(variant, step) => channel.publish.mean() + channel.deliver.mean() + callee,
                Some(channel) => channel.publish.mean(),
            };
            misses * each
        }
        Step::Parallel(steps) => {
            steps.iter().map(|s| waits(design, variant, std::slice::from_ref(s), known)).fold(0.0, f64::max)
        }
        Step::Repeat { steps, count } => f64::from(*count) * waits(design, variant, steps, known),
        Step::Choose(choices) => choices.iter().map(|c| c.share * waits(design, variant, &c.steps, known)).sum(),
        Step::Think { time, count } => f64::from(*count) * time.mean(),
    };
    steps.iter().map(one).sum()
}

/// The load at which the first participant has no free worker left, per second, and who that is. A bound from mean times without
/// queueing or failures (utilisation law, Denning and Buzen 1978); `None` where nobody has a limit.
pub(crate) fn saturation(design: &Design, variant: &Variant, duration: Time) -> Option<(f64, String)> {
    let order = order(design);
    let rates = rates(design, &order, duration);
    let times = times(design, variant, &order);
    let load: f64 = design.workloads.iter().map(|w| arrivals(design, w, duration).0).sum();
    let mut taken: BTreeMap<&str, f64> = BTreeMap::new();
    for name in &order {
        let (Some(operation), Some(p)) = (design.operations.get(*name), design.participants.get(participant_of(name)))
        else {
            continue;
        };
        let held = match p.hold {
            Hold::Async => operation.work.mean(),
            // After an early reply the worker stays for the steps.
            Hold::Worker if operation.reply_early => {
                operation.work.mean() + waits(design, variant, &operation.steps, &times)
            }
            Hold::Worker => times.get(name).copied().unwrap_or(0.0),
        };
        *taken.entry(participant_of(name)).or_default() += rates.get(name).map_or(0.0, |r| r.0) * held / 1e9;
    }
    let limits = taken.iter().filter_map(|(name, busy)| {
        let servers = f64::from(design.participants.get(*name)?.servers()?);
        (*busy > 0.0).then(|| (load * servers / busy, (*name).to_owned()))
    });
    limits.min_by(|a, b| a.0.total_cmp(&b.0))
}

/// What an answer depends on in a variant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Dependencies {
    /// Participants that have to be up for the answer.
    pub(crate) answer: BTreeSet<String>,
    /// Longest chain of calls that are waited for, the one of the user included.
    pub(crate) hops: usize,
    /// Effects (changes and notifications) reached through calls, and all of them.
    pub(crate) traced: (usize, usize),
}

/// Follows calls and events from the workloads.
pub(crate) fn dependencies(design: &Design, variant: &Variant) -> Dependencies {
    let mut found = Dependencies::default();
    // By operation: longest chain of awaited calls to it, and whether it is in the trace of the request.
    let mut depth: BTreeMap<&str, (Option<usize>, bool)> = BTreeMap::new();
    for workload in &design.workloads {
        depth.insert(&workload.to, (Some(1), true));
    }
    for name in order(design) {
        let Some((chain, traced)) = depth.get(name).copied() else { continue };
        let Some(operation) = design.operations.get(name) else { continue };
        if let Some(chain) = chain {
            found.answer.insert(participant_of(name).to_owned());
            found.hops = found.hops.max(chain);
        }
        each_do(&operation.steps, &mut |step| {
            let waits = is_awaited(variant, step) && !operation.reply_early;
            let through = traced && !is_event(variant, step);
            if step.intent != Some(crate::model::Intent::Read) {
                found.traced.1 += 1;
                found.traced.0 += usize::from(through);
            }
            let entry = depth.entry(&step.operation).or_insert((None, false));
            let longer = chain.filter(|_| waits).map(|c| c + 1);
            *entry = (entry.0.max(longer), entry.1 || through);
        });
    }
    found
}

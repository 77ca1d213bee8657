//! What an operation does, read off many of its handlings: which steps, in what order, how often.

use std::collections::BTreeMap;

use flowglass_model::NodeId;

use super::handlings::{Act, Asked, Attempt, Call, Handling};
use super::sample::Sample;

/// A step that at least this share of handlings has, all have.
const ALWAYS: f64 = 0.98;
/// Steps that overlap in more than this share of the handlings that have both are parallel.
const PARALLEL: f64 = 0.5;
/// Successes from which on the shape is read off successes alone (a failure ends a handling early).
const SUCCESSES: usize = 5;
/// Repetitions of one call in one handling that are told apart.
const REPEATS: u32 = 50;
/// Failures that time out at one value tell of a time-out.
const TIMED_OUT: usize = 3;
/// By this share calls that gave up after the same time may differ.
const SPREAD: f64 = 0.1;

/// Whom a step is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    Call(Asked),
    Publish(NodeId),
}

/// A step of an operation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    pub(super) target: Target,
    /// Times in a row.
    pub(super) count: u32,
    /// Handlings that have it, of those that could.
    pub(super) n: usize,
    pub(super) of: usize,
    /// Most tries of one call.
    pub(super) attempts: u32,
    /// Between tries, nanoseconds.
    pub(super) backoff: Option<f64>,
    /// Failed tries that gave up after one and the same time: that time, nanoseconds, and how many.
    pub(super) timeout: Option<(f64, usize)>,
    /// Its failure was survived.
    pub(super) fallback: bool,
    /// One way to the callee.
    pub(super) network: Sample,
}

impl Step {
    pub(super) fn share(&self) -> f64 {
        if self.of == 0 { 0.0 } else { self.n as f64 / self.of as f64 }
    }

    /// Whom it asks, where the way there is not its own.
    pub(super) fn without_network(&self) -> Option<&NodeId> {
        match &self.target {
            Target::Call(asked) if self.network.is_empty() => Some(&asked.0),
            _ => None,
        }
    }

    pub(super) fn always(&self) -> bool {
        self.share() >= ALWAYS
    }
}

/// Steps that belong together.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Group {
    /// One after the other.
    One(Step),
    /// At the same time.
    Parallel(Vec<Step>),
    /// One or another, never two.
    Either(Vec<Step>),
}

impl Group {
    pub(super) fn steps(&self) -> &[Step] {
        match self {
            Group::One(step) => std::slice::from_ref(step),
            Group::Parallel(steps) | Group::Either(steps) => steps,
        }
    }

    pub(super) fn steps_mut(&mut self) -> &mut [Step] {
        match self {
            Group::One(step) => std::slice::from_mut(step),
            Group::Parallel(steps) | Group::Either(steps) => steps,
        }
    }
}

/// The n-th act of one target in a handling.
type Slot = (Target, u32);

fn slots(handling: &Handling) -> Vec<(Slot, &Act)> {
    let mut seen: BTreeMap<Target, u32> = BTreeMap::new();
    let mut out = Vec::new();
    for act in &handling.acts {
        let target = match act {
            Act::Call(call) => Target::Call(call.asked.clone()),
            Act::Publish { topic, .. } => Target::Publish(topic.clone()),
        };
        let n = seen.entry(target.clone()).or_default();
        if *n < REPEATS {
            out.push(((target, *n), act));
        }
        *n += 1;
    }
    out
}

/// The steps of an operation in their usual order.
pub(super) fn steps(handlings: &[&Handling]) -> Vec<Group> {
    let successes: Vec<&Handling> = handlings.iter().copied().filter(|h| !h.failed).collect();
    let whole = if successes.len() >= SUCCESSES { &successes } else { handlings };
    let rows: Vec<Vec<(Slot, &Act)>> = whole.iter().map(|h| slots(h)).collect();
    let mut place: BTreeMap<&Slot, (usize, f64)> = BTreeMap::new();
    for row in &rows {
        for (i, (slot, _)) in row.iter().enumerate() {
            let entry = place.entry(slot).or_default();
            entry.0 += 1;
            entry.1 += i as f64;
        }
    }
    let mut order: Vec<(&Slot, usize, f64)> = place.iter().map(|(s, (n, sum))| (*s, *n, sum / *n as f64)).collect();
    order.sort_by(|a, b| a.2.total_cmp(&b.2).then_with(|| a.0.cmp(b.0)));

    let mut out: Vec<(Vec<&Slot>, Vec<Step>, Kind)> = Vec::new();
    for (slot, n, _) in order {
        let step = step(slot, n, whole.len(), handlings);
        let Some((members, steps, kind)) = out.last_mut() else {
            out.push((vec![slot], vec![step], Kind::Alone));
            continue;
        };
        let relation = relation(&rows, members, slot, steps, &step);
        let fits = members.len() == 1 || *kind == relation;
        if relation != Kind::Alone && fits {
            members.push(slot);
            steps.push(step);
            *kind = relation;
            continue;
        }
        // The same call once more, right after: a loop.
        if let ([one], Kind::Alone) = (steps.as_mut_slice(), *kind)
            && one.target == step.target
            && one.always()
            && step.always()
        {
            one.count += 1;
            continue;
        }
        out.push((vec![slot], vec![step], Kind::Alone));
    }
    out.into_iter()
        .map(|(_, mut steps, kind)| match kind {
            Kind::Parallel => Group::Parallel(steps),
            Kind::Either => Group::Either(steps),
            Kind::Alone => Group::One(steps.remove(0)),
        })
        .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Alone,
    Parallel,
    Either,
}

/// How a step stands to those right before it.
fn relation(rows: &[Vec<(Slot, &Act)>], before: &[&Slot], slot: &Slot, steps: &[Step], step: &Step) -> Kind {
    let is_publish = |s: &Step| matches!(s.target, Target::Publish(_));
    let mut both = 0;
    let mut overlapping = 0;
    for row in rows {
        let Some((_, this)) = row.iter().find(|(s, _)| s == slot) else { continue };
        let others = row.iter().filter(|(s, _)| before.contains(&s));
        let mut seen = false;
        let mut overlaps = false;
        for (_, other) in others {
            seen = true;
            overlaps |= this.start() < other.end() && other.start() < this.end();
        }
        both += usize::from(seen);
        overlapping += usize::from(overlaps);
    }
    let shares: f64 = steps.iter().map(Step::share).sum::<f64>() + step.share();
    if both == 0 {
        let alternatives = shares <= 1.0 + 1e-9 && !step.always() && steps.iter().all(|s| !s.always());
        return if alternatives { Kind::Either } else { Kind::Alone };
    }
    let calls = !is_publish(step) && !steps.iter().any(is_publish);
    if calls && overlapping as f64 > PARALLEL * both as f64 { Kind::Parallel } else { Kind::Alone }
}

fn step(slot: &Slot, n: usize, of: usize, handlings: &[&Handling]) -> Step {
    let mut step = Step {
        target: slot.0.clone(),
        count: 1,
        n,
        of,
        attempts: 1,
        backoff: None,
        timeout: None,
        fallback: false,
        network: Sample::default(),
    };
    let Target::Call(asked) = &slot.0 else { return step };
    let calls: Vec<(&Handling, &Call)> = handlings
        .iter()
        .flat_map(|h| h.acts.iter().map(move |a| (*h, a)))
        .filter_map(|(h, act)| match act {
            Act::Call(call) if call.asked == *asked => Some((h, call)),
            _ => None,
        })
        .collect();
    step.attempts = calls.iter().map(|(_, c)| c.attempts.len()).max().unwrap_or(1) as u32;
    let waits = calls.iter().flat_map(|(_, c)| c.attempts.windows(2)).map(|w| (w[1].start - w[0].end).max(0)).collect();
    let waits = Sample::new(waits);
    step.backoff = (!waits.is_empty()).then(|| waits.quantile(0.5));
    step.timeout = timeout(calls.iter().flat_map(|(_, c)| &c.attempts));
    let failed: Vec<&&Handling> = calls.iter().filter(|(_, c)| c.failed()).map(|(h, _)| h).collect();
    let survived = failed.iter().filter(|h| !h.failed).count();
    step.fallback = survived >= 3 && survived * 2 > failed.len();
    step
}

/// Whether a handling lasted as long as a caller waits (one of `limits`, nanoseconds) and is told by that caller only: how long the
/// work took is then not known.
pub(super) fn given_up(handling: &Handling, limits: &[f64]) -> bool {
    let at = |limit: &f64| (handling.own as f64 - limit).abs() <= SPREAD * limit;
    handling.told_by_caller && handling.failed && limits.iter().any(at)
}

/// Failed tries that all took the same time, above nearly all that succeeded, whose callee was still at work or was never
/// heard: the caller's time-out.
fn timeout<'a>(attempts: impl Iterator<Item = &'a Attempt>) -> Option<(f64, usize)> {
    let (failed, good): (Vec<&Attempt>, Vec<&Attempt>) = attempts.partition(|a| a.failed);
    let unanswered = |a: &&&Attempt| a.handled.is_none_or(|(_, duration)| duration >= a.duration());
    let gave_up = Sample::new(failed.iter().filter(unanswered).map(|a| a.duration()).collect());
    let (low, middle, high) = (gave_up.quantile(0.1), gave_up.quantile(0.5), gave_up.quantile(0.9));
    if gave_up.n() < TIMED_OUT || (high - low) > SPREAD * middle {
        return None;
    }
    let good = Sample::new(good.iter().map(|a| a.duration()).collect());
    (good.quantile(0.99) <= middle * 1.05).then_some((middle, gave_up.n()))
}

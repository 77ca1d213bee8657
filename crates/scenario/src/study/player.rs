//! Plays a few variants at one setting of an input after the other, all under the same chances.

use std::sync::atomic::AtomicBool;

use super::{Progress, Stage, window};
use crate::experiment::{RunError, RunOptions, Sampled, sample};
use crate::model::{Indifference, Scenario, Targets, Variant};
use crate::outcome::Figure;

/// How much a study may simulate.
#[derive(Debug, Clone, PartialEq)]
pub struct Effort {
    /// Seed of all randomness.
    pub seed: u64,
    /// Replications at each setting.
    pub replications: u32,
    /// Requests of a replication.
    pub requests: f64,
    /// Threads; 0 takes as many as the machine has.
    pub threads: usize,
}

impl Effort {
    /// A few seconds' worth.
    pub fn of(scenario: &Scenario) -> Effort {
        Effort { seed: scenario.run.seed, replications: 4, requests: 3000.0, threads: 0 }
    }
}

/// Events that one setting may take for one replication of a variant.
const MOST_EVENTS: u64 = 20_000_000;

pub(super) struct Player<'a> {
    pub(super) effort: &'a Effort,
    pub(super) stage: Stage,
    pub(super) done: u32,
    pub(super) planned: u32,
    pub(super) progress: &'a (dyn Fn(Progress) + Sync),
    pub(super) cancel: &'a AtomicBool,
}

impl Player<'_> {
    /// Plays variants of a scenario over a stretch of it.
    pub(super) fn play(&mut self, scenario: &Scenario, variants: &[Variant]) -> Result<Vec<Sampled>, RunError> {
        let short = window::shortened(scenario, self.effort.requests);
        // Variants with overrides were changed with the scenario.
        let variants: Vec<Variant> = variants
            .iter()
            .map(|v| short.variants.iter().find(|s| s.name == v.name && s.events == v.events).unwrap_or(v).clone())
            .collect();
        let options = RunOptions {
            seed: self.effort.seed,
            replications: self.effort.replications,
            variants: Vec::new(),
            precision: None,
            threads: self.effort.threads,
            max_events: MOST_EVENTS,
        };
        let mut events = 0;
        let played = sample(&short, &variants, &options, &mut events, &|_| {}, self.cancel)?;
        self.done += 1;
        self.planned = self.planned.max(self.done);
        (self.progress)(Progress { stage: self.stage, done: self.done, planned: self.planned });
        Ok(played)
    }
}

/// Figures of a variant at one setting.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Setting {
    /// 95th percentile of the response time, milliseconds.
    pub response_p95_ms: Figure,
    /// 95th percentile of the settled time, milliseconds.
    pub settled_p95_ms: Figure,
    /// Share of requests answered well of which every effect came.
    pub success: Figure,
}

impl Setting {
    pub(super) fn of(s: &Sampled) -> Setting {
        let figure = |unsteady: bool, values: Vec<f64>| {
            if unsteady {
                Figure::none(values.len(), "no steady state: the backlog grows")
            } else {
                Figure::of(&values)
            }
        };
        Setting {
            response_p95_ms: figure(s.unsteady[0], s.replicates.iter().map(|r| r.response_p95).collect()),
            settled_p95_ms: figure(s.unsteady[1], s.replicates.iter().map(|r| r.settled_p95).collect()),
            success: figure(false, s.replicates.iter().map(|r| r.success).collect()),
        }
    }
}

/// Targets that a variant misses.
pub(super) fn missed(targets: &Targets, s: &Sampled) -> [bool; 3] {
    let late = |found: Option<f64>, target: Option<u64>| {
        target.zip(found).is_some_and(|(target, found)| found > target as f64 / 1e6)
    };
    [
        late(s.response_p95(), targets.response_p95),
        late(s.settled_p95(), targets.settled_p95),
        targets.success.zip(s.success()).is_some_and(|(target, found)| found < target),
    ]
}

/// The same, where it is clear: the 95 % interval over the replications has the target on one side.
pub(super) fn clearly_missed(targets: &Targets, s: &Sampled) -> [Option<bool>; 3] {
    let clear =
        |target: Option<f64>, endless: bool, of: fn(&crate::experiment::Replicate) -> f64, more_is_late: bool| {
            let target = target?;
            if endless {
                return Some(true);
            }
            let figure = Figure::of(&s.replicates.iter().map(of).collect::<Vec<_>>());
            let (value, half) = (figure.value?, figure.ci95.unwrap_or(0.0));
            ((value - target).abs() >= half).then_some((value > target) == more_is_late)
        };
    let ms = |t: Option<u64>| t.map(|t| t as f64 / 1e6);
    [
        clear(ms(targets.response_p95), s.unsteady[0], |r| r.response_p95, true),
        clear(ms(targets.settled_p95), s.unsteady[1], |r| r.settled_p95, true),
        clear(targets.success, false, |r| r.success, false),
    ]
}

/// Which of two does better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Better {
    First,
    Second,
    /// Nothing between them matters.
    Neither,
    /// More replications would be needed.
    Unclear,
}

/// Compares two variants: fewer missed targets, then more success, faster answers, sooner done; each only where the difference
/// matters and is clear.
pub(super) fn better(targets: &Targets, declared: &Indifference, a: &Sampled, b: &Sampled) -> Better {
    let count = |s: &Sampled| missed(targets, s).iter().filter(|m| **m).count();
    match count(a).cmp(&count(b)) {
        std::cmp::Ordering::Less => return Better::First,
        std::cmp::Ordering::Greater => return Better::Second,
        std::cmp::Ordering::Equal => {}
    }
    let mut unclear = false;
    let pairs = || a.replicates.iter().zip(&b.replicates);
    let metrics = [
        (pairs().map(|(a, b)| a.success - b.success).collect::<Vec<f64>>(), declared.share, false),
        (
            pairs().map(|(a, b)| b.response_p95 - a.response_p95).collect(),
            declared.response_ms,
            a.unsteady[0] != b.unsteady[0],
        ),
        (
            pairs().map(|(a, b)| b.settled_p95 - a.settled_p95).collect(),
            declared.settled_ms,
            a.unsteady[1] != b.unsteady[1],
        ),
    ];
    for (index, (values, matters, one_endless)) in metrics.into_iter().enumerate() {
        if one_endless {
            return if b.unsteady[index - 1] { Better::First } else { Better::Second };
        }
        let figure = Figure::of(&values);
        let (value, half) = (figure.value.unwrap_or(0.0), figure.ci95.unwrap_or(0.0));
        if value.abs() + half <= matters {
            continue;
        }
        if value.abs() - half > matters || (value.abs() > matters && half < value.abs()) {
            return if value > 0.0 { Better::First } else { Better::Second };
        }
        unclear = true;
    }
    if unclear { Better::Unclear } else { Better::Neither }
}

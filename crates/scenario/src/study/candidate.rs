//! An assignment of steps to calls and events, and what it is worth.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::front::{Costs, tolerances};
use super::search::with_channels;
use super::{input, window};
use crate::experiment::Sampled;
use crate::flow;
use crate::model::{Scenario, Variant};

/// One assignment with what it does.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Candidate {
    /// The variant of the file that has the same events, if there is one.
    pub name: Option<String>,
    /// Step to channel.
    pub events: BTreeMap<String, String>,
    /// 95th percentile of the response time, milliseconds; `None` without a steady state.
    pub response_p95_ms: Option<f64>,
    /// 95th percentile of the settled time, milliseconds; likewise.
    pub settled_p95_ms: Option<f64>,
    /// Share of requests answered well of which every effect came, in the stretch that was played.
    pub success: f64,
    /// Load at which the first participant has no free worker, per second; `None` without a limit.
    pub peak_load_per_s: Option<f64>,
    /// Channels to run.
    pub channels: usize,
    /// Consumer groups to run and to watch.
    pub consumers: usize,
    /// Targets that it misses.
    pub missed: Vec<&'static str>,
}

impl Candidate {
    pub(super) fn new(scenario: &Scenario, events: BTreeMap<String, String>, sampled: &Sampled) -> Candidate {
        let variant = Variant::of("candidate", events.clone());
        let design = &with_channels(scenario, events.values().map(String::as_str)).design;
        let finite = |v: Option<f64>| v.filter(|v| v.is_finite());
        let same = scenario.variants.iter().find(|v| v.overridden.is_none() && v.events == events);
        let channels: BTreeSet<&String> = events.values().collect();
        let groups = input::steps(design).into_iter().filter_map(|(_, s)| Some((events.get(&s.id)?, &s.operation)));
        let mut candidate = Candidate {
            name: same.map(|v| v.name.clone()),
            response_p95_ms: finite(sampled.response_p95()),
            settled_p95_ms: finite(sampled.settled_p95()),
            success: sampled.success().unwrap_or(0.0),
            peak_load_per_s: flow::saturation(design, &variant, scenario.run.duration).map(|s| s.0),
            channels: channels.len(),
            consumers: groups.collect::<BTreeSet<_>>().len(),
            missed: Vec::new(),
            events,
        };
        let targets = &scenario.targets;
        let late =
            |found: Option<f64>, target: Option<u64>| target.is_some_and(|t| found.is_none_or(|f| f > t as f64 / 1e6));
        let missed = [
            (late(candidate.response_p95_ms, targets.response_p95), "response_p95"),
            (late(candidate.settled_p95_ms, targets.settled_p95), "settled_p95"),
            (targets.success.is_some_and(|t| candidate.success < t), "success"),
        ];
        candidate.missed = missed.into_iter().filter(|m| m.0).map(|m| m.1).collect();
        candidate
    }
}

/// Fewest missed targets, then most successes, the fastest answers, the fewest events.
pub(super) fn by_merit(a: &Candidate, b: &Candidate) -> std::cmp::Ordering {
    let response = |c: &Candidate| c.response_p95_ms.unwrap_or(f64::INFINITY);
    a.missed
        .len()
        .cmp(&b.missed.len())
        .then(b.success.total_cmp(&a.success))
        .then(response(a).total_cmp(&response(b)))
        .then(a.events.len().cmp(&b.events.len()))
}

/// What a candidate costs, for the Pareto front.
pub(super) fn costs(scenario: &Scenario, c: &Candidate) -> Costs {
    let load = window::rate(&scenario.design, scenario.run.duration);
    // Room beyond four times the load of today is worth nothing.
    let room = (load * 4.0 - c.peak_load_per_s.unwrap_or(f64::INFINITY)).max(0.0);
    let slow = |v: Option<f64>| v.unwrap_or(f64::INFINITY);
    let parts = (c.channels + c.consumers) as f64;
    Costs { values: [slow(c.response_p95_ms), slow(c.settled_p95_ms), 1.0 - c.success, room, parts] }
}

/// Differences of costs that do not matter.
pub(super) fn tolerances_of(scenario: &Scenario) -> [f64; 5] {
    tolerances(&scenario.indifference, window::rate(&scenario.design, scenario.run.duration))
}

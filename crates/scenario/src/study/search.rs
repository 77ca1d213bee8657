//! The best mixture of calls and events, searched for.
//!
//! Every step that a gate decides is what the gate says. The others may be either: up to twelve of them all assignments are played,
//! beyond that those that a walk from the verdict of the criteria meets. All see the same chances. What is left is the Pareto front of
//! response time, settled time, success under the given outages, the load that can be carried, and what has to be run for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;

use serde::Serialize;

use super::candidate::{Candidate, by_merit, costs, tolerances_of};
use super::front::{Costs, front};
use super::{Progress, Stage, input, window};
use crate::decide::{Decision, Style};
use crate::experiment::{RunError, RunOptions, Sampled, sample};
use crate::flow;
use crate::model::{Arrivals, Needs, Scenario, Variant};

/// How hard to search.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchOptions {
    /// Seed of all randomness.
    pub seed: u64,
    /// Replications of each candidate that is looked at closely.
    pub replications: u32,
    /// Requests of a replication.
    pub requests: f64,
    /// Simulated events to spend, about.
    pub events: u64,
    /// Threads; 0 takes as many as the machine has.
    pub threads: usize,
}

impl SearchOptions {
    /// What the scenario's seed and a few seconds allow.
    pub fn of(scenario: &Scenario) -> SearchOptions {
        SearchOptions { seed: scenario.run.seed, replications: 3, requests: 4000.0, events: 6_000_000, threads: 0 }
    }

    fn run(&self, replications: u32) -> RunOptions {
        RunOptions {
            seed: self.seed,
            replications,
            variants: Vec::new(),
            precision: None,
            threads: self.threads,
            max_events: self.events.max(1_000_000),
        }
    }
}

/// What the search found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Search {
    /// Steps that may be either.
    pub free: Vec<String>,
    /// Assignments there are (at most 2^63).
    pub assignments: u64,
    /// Those that were played.
    pub simulated: usize,
    /// Whether these are all.
    pub exhaustive: bool,
    /// Length of a replication, seconds; quiet stretches of the run are left out.
    pub window_s: f64,
    /// Replications of those looked at closely.
    pub replications: u32,
    /// Nothing is better than these in everything; the fastest answers first.
    pub front: Vec<Candidate>,
    /// The recommended one.
    pub recommended: Candidate,
    /// No free step an event.
    pub all_calls: Candidate,
    /// Every step as its own verdict says.
    pub by_verdict: Candidate,
    /// Why it is recommended.
    pub reason: String,
    /// What others on the front do better.
    pub given_up: Vec<String>,
    /// Simulated events.
    pub simulated_events: u64,
}

/// Free steps up to which every assignment is played.
const EXHAUSTIVE: usize = 12;
/// Assignments that are looked at closely.
const CLOSE: usize = 48;
/// Assignments that a walk looks at.
const WALK: usize = 400;
/// Candidates simulated at once: their time lines are held in memory together.
const AT_ONCE: usize = 64;

/// Which free steps are events.
type Assignment = BTreeSet<usize>;

struct Searching<'a> {
    scenario: &'a Scenario,
    /// Free steps with the channel each would be on.
    free: Vec<(String, String)>,
    /// Events that a gate decided.
    fixed: BTreeMap<String, String>,
    options: &'a SearchOptions,
    events: u64,
    progress: &'a (dyn Fn(Progress) + Sync),
    cancel: &'a AtomicBool,
}

/// Searches for the best mixture. `decision` holds the gates and the verdicts of the steps.
///
/// # Errors
/// When it was cancelled, or a candidate took too many events.
pub fn search(
    scenario: &Scenario,
    decision: &Decision,
    options: &SearchOptions,
    progress: &(dyn Fn(Progress) + Sync),
    cancel: &AtomicBool,
) -> Result<Search, RunError> {
    let mut s = Searching::new(scenario, decision, options, progress, cancel);
    let verdict: Assignment = s.chosen(&decision.recommended_variant.events);
    let (few, all): (Assignment, Assignment) = (Assignment::new(), (0..s.free.len()).collect());
    let assignments = 1u64.checked_shl(s.free.len() as u32).unwrap_or(u64::MAX).min(i64::MAX as u64);
    let exhaustive = s.free.len() <= EXHAUSTIVE;
    let mut met: BTreeSet<Assignment> = [few.clone(), all, verdict.clone()].into();
    let each = events_of_a_request(scenario);
    let mut simulated = 0;
    if exhaustive {
        met = (0..1usize << s.free.len()).map(|mask| s.of_mask(mask)).collect();
    }
    if !exhaustive || met.len() > CLOSE {
        let most = if exhaustive { met.len() } else { WALK };
        let requests = (0.5 * options.events as f64 / (most as f64 * each)).clamp(200.0, options.requests);
        let quick = quick(scenario, requests);
        let seen = if exhaustive { s.play(&quick, 1, met.clone())? } else { s.walk(&quick, met)? };
        simulated = seen.len();
        let mut forced = vec![verdict.clone(), few.clone()];
        forced.extend(scenario.variants.iter().map(|v| s.chosen(&v.events)));
        met = s.best(seen, &forced);
    }
    let spent = s.events;
    let requests = (options.events.saturating_sub(spent) as f64
        / (met.len() as f64 * each * f64::from(options.replications)))
    .clamp(500.0, options.requests);
    let short = whole_or_short(scenario, requests, options, met.len() as f64 * each);
    simulated = simulated.max(met.len());
    let played = s.play(&short, options.replications, met)?;
    Ok(s.result(&short, played, &verdict, Counts { assignments, simulated, exhaustive }))
}

struct Counts {
    assignments: u64,
    simulated: usize,
    exhaustive: bool,
}

/// Events that a request takes, about: an arrival and a few for every service.
fn events_of_a_request(scenario: &Scenario) -> f64 {
    let design = &scenario.design;
    let rates = flow::rates(design, &flow::order(design), scenario.run.duration);
    let load: f64 = design.workloads.iter().map(|w| flow::arrivals(design, w, scenario.run.duration).0).sum();
    let services: f64 = rates.values().map(|r| r.0).sum();
    if load > 0.0 { 2.0 + 3.0 * services / load } else { 5.0 }
}

/// The whole run where that is affordable (shares of failures then mean what the file says), else a stretch of it.
fn whole_or_short(scenario: &Scenario, requests: f64, options: &SearchOptions, each: f64) -> Scenario {
    let all = window::rate(&scenario.design, scenario.run.duration) * scenario.run.duration as f64 / 1e9;
    let affordable = options.events as f64 / (each * f64::from(options.replications));
    if all <= affordable { scenario.clone() } else { window::shortened(scenario, requests) }
}

/// A first look: without planned trouble where that would take long.
fn quick(scenario: &Scenario, requests: f64) -> Scenario {
    let short = window::shortened(scenario, requests);
    let rate = window::rate(&short.design, short.run.duration);
    if rate * short.run.duration as f64 / 1e9 <= 3.0 * requests {
        return short;
    }
    let mut calm = scenario.clone();
    calm.design.participants.values_mut().for_each(|p| p.outages.clear());
    calm.design.channels.values_mut().for_each(|c| c.broker.outages.clear());
    for workload in &mut calm.design.workloads {
        workload.until = None;
        if let Arrivals::Rates(_) = workload.arrivals {
            workload.arrivals = Arrivals::Poisson(workload.arrivals.mean_rate(scenario.run.duration).unwrap_or(0.0));
        }
    }
    window::shortened(&calm, requests)
}

impl<'a> Searching<'a> {
    fn new(
        scenario: &'a Scenario,
        decision: &Decision,
        options: &'a SearchOptions,
        progress: &'a (dyn Fn(Progress) + Sync),
        cancel: &'a AtomicBool,
    ) -> Searching<'a> {
        let mut free = Vec::new();
        let mut fixed = BTreeMap::new();
        // Only where a workload gets to does an assignment make a difference.
        let rates = flow::rates(&scenario.design, &flow::order(&scenario.design), scenario.run.duration);
        let styles: BTreeMap<&str, _> = decision.interactions.iter().map(|i| (i.name.as_str(), i)).collect();
        for (caller, step) in input::steps(&scenario.design) {
            let Some(it) = styles.get(step.id.as_str()) else { continue };
            let channel = channel_of(scenario, caller, &step.id);
            let idle = rates.get(caller).is_none_or(|r| r.0 <= 0.0);
            // Of a step whose needs nobody named, the rule decides: unknown is not the same as nothing.
            let may_be_either = it.gates.is_empty() && step.needs == Some(Needs::Nothing);
            match may_be_either && !idle {
                true => free.push((step.id.clone(), channel)),
                false if it.style == Style::EventDriven => drop(fixed.insert(step.id.clone(), channel)),
                false => {}
            }
        }
        Searching { scenario, free, fixed, options, events: 0, progress, cancel }
    }

    fn of_mask(&self, mask: usize) -> Assignment {
        (0..self.free.len()).filter(|i| mask >> i & 1 == 1).collect()
    }

    /// The free steps among some events.
    fn chosen(&self, events: &BTreeMap<String, String>) -> Assignment {
        (0..self.free.len()).filter(|i| events.contains_key(&self.free[*i].0)).collect()
    }

    fn events_of(&self, assignment: &Assignment) -> BTreeMap<String, String> {
        let mut events = self.fixed.clone();
        events.extend(assignment.iter().map(|i| self.free[*i].clone()));
        events
    }

    fn play(
        &mut self,
        scenario: &Scenario,
        replications: u32,
        all: BTreeSet<Assignment>,
    ) -> Result<Vec<(Assignment, Sampled)>, RunError> {
        let scenario = with_channels(scenario, self.free.iter().chain(&self.fixed_pairs()).map(|f| f.1.as_str()));
        let all: Vec<Assignment> = all.into_iter().collect();
        let mut played = Vec::with_capacity(all.len());
        for chunk in all.chunks(AT_ONCE) {
            let variants: Vec<Variant> = chunk.iter().map(|a| Variant::of("candidate", self.events_of(a))).collect();
            let done = played.len() as u32;
            let progress = |p: crate::experiment::Progress| {
                let ready = done + p.done / replications.max(1);
                (self.progress)(Progress { stage: Stage::Search, done: ready, planned: all.len() as u32 });
            };
            let options = self.options.run(replications);
            let sampled = sample(&scenario, &variants, &options, &mut self.events, &progress, self.cancel)?;
            played.extend(chunk.iter().cloned().zip(sampled));
        }
        Ok(played)
    }

    fn fixed_pairs(&self) -> Vec<(String, String)> {
        self.fixed.iter().map(|(a, b)| (a.clone(), b.clone())).collect()
    }

    /// From the best that is known, one step after the other is turned over, as long as that helps.
    fn walk(
        &mut self,
        scenario: &Scenario,
        start: BTreeSet<Assignment>,
    ) -> Result<Vec<(Assignment, Sampled)>, RunError> {
        let mut seen = self.play(scenario, 1, start)?;
        let mut known: BTreeSet<Assignment> = seen.iter().map(|s| s.0.clone()).collect();
        let mut at: Option<Assignment> = None;
        while seen.len() < WALK {
            let costs: Vec<Candidate> = seen.iter().map(|(a, s)| self.candidate(a, s)).collect();
            let best = (0..seen.len()).min_by(|a, b| by_merit(&costs[*a], &costs[*b]).then(a.cmp(b)));
            let Some(best) = best.map(|i| seen[i].0.clone()) else { break };
            if at.as_ref() == Some(&best) {
                break;
            }
            let neighbours: BTreeSet<Assignment> = (0..self.free.len())
                .map(|i| {
                    let mut next = best.clone();
                    if !next.remove(&i) {
                        next.insert(i);
                    }
                    next
                })
                .filter(|a| !known.contains(a))
                .take(WALK - seen.len())
                .collect();
            known.extend(neighbours.iter().cloned());
            seen.extend(self.play(scenario, 1, neighbours)?);
            at = Some(best);
        }
        Ok(seen)
    }

    /// Those worth a closer look: the front of a first look, the best first, and some that are always shown.
    fn best(&self, seen: Vec<(Assignment, Sampled)>, forced: &[Assignment]) -> BTreeSet<Assignment> {
        let candidates: Vec<Candidate> = seen.iter().map(|(a, s)| self.candidate(a, s)).collect();
        let costs: Vec<Costs> = candidates.iter().map(|c| costs(self.scenario, c)).collect();
        let on = front(&costs, &tolerances_of(self.scenario));
        let mut order: Vec<usize> = (0..seen.len()).collect();
        order.sort_by(|a, b| on[*b].cmp(&on[*a]).then(by_merit(&candidates[*a], &candidates[*b])).then(a.cmp(b)));
        let best = order.into_iter().take(CLOSE).map(|i| seen[i].0.clone());
        best.chain(forced.iter().cloned()).collect()
    }

    fn candidate(&self, assignment: &Assignment, sampled: &Sampled) -> Candidate {
        Candidate::new(self.scenario, self.events_of(assignment), sampled)
    }

    fn result(
        self,
        short: &Scenario,
        played: Vec<(Assignment, Sampled)>,
        verdict: &Assignment,
        counts: Counts,
    ) -> Search {
        let candidates: Vec<Candidate> = played.iter().map(|(a, s)| self.candidate(a, s)).collect();
        let costs: Vec<Costs> = candidates.iter().map(|c| costs(self.scenario, c)).collect();
        let tolerances = tolerances_of(self.scenario);
        let on = front(&costs, &tolerances);
        let index = |wanted: &Assignment| played.iter().position(|(a, _)| a == wanted).unwrap_or(0);
        let (rule, calls) = (index(verdict), index(&Assignment::new()));
        let fewest = candidates.iter().map(|c| c.missed.len()).min().unwrap_or(0);
        let beaten = (0..candidates.len()).any(|i| costs[i].dominates(&costs[rule], &tolerances));
        let chosen = if candidates[rule].missed.len() == fewest && !beaten {
            rule
        } else {
            let apart = |i: &usize| played[*i].0.symmetric_difference(verdict).count();
            let good = (0..candidates.len()).filter(|i| on[*i] && candidates[*i].missed.len() == fewest);
            let good = good
                .filter(|i| candidates[rule].missed.len() > fewest || costs[*i].dominates(&costs[rule], &tolerances));
            let nearest = good.min_by(|a, b| apart(a).cmp(&apart(b)).then(by_merit(&candidates[*a], &candidates[*b])));
            nearest.unwrap_or(rule)
        };
        let mut ends: Vec<Candidate> =
            (0..candidates.len()).filter(|i| on[*i]).map(|i| candidates[i].clone()).collect();
        ends.sort_by(|a, b| {
            let key = |c: &Candidate| c.response_p95_ms.unwrap_or(f64::INFINITY);
            key(a).total_cmp(&key(b)).then(a.events.len().cmp(&b.events.len()))
        });
        let recommended = candidates[chosen].clone();
        Search {
            free: self.free.iter().map(|f| f.0.clone()).collect(),
            assignments: counts.assignments,
            simulated: counts.simulated,
            exhaustive: counts.exhaustive,
            window_s: short.run.duration as f64 / 1e9,
            replications: self.options.replications,
            reason: super::words::reason(self.scenario, &recommended, &candidates[rule], &candidates[calls]),
            given_up: super::words::given_up(&self.scenario.indifference, &recommended, &ends),
            front: ends,
            all_calls: candidates[calls].clone(),
            by_verdict: candidates[rule].clone(),
            recommended,
            simulated_events: self.events,
        }
    }
}

/// The channel a step is on in a variant of the file, else one of its operation.
pub(crate) fn channel_of(scenario: &Scenario, caller: &str, id: &str) -> String {
    let known = scenario.variants.iter().find_map(|v| v.events.get(id));
    known.cloned().unwrap_or_else(|| format!("{caller}.done"))
}

/// The scenario with channels of these names; those that are not there have the defaults.
pub(crate) fn with_channels<'c>(scenario: &Scenario, names: impl Iterator<Item = &'c str>) -> Scenario {
    let mut scenario = scenario.clone();
    for name in names {
        scenario.design.channels.entry(name.to_owned()).or_default();
    }
    scenario
}

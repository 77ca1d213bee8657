//! A scenario as forms and drawings show it.

use std::collections::{BTreeMap, BTreeSet};

use flowglass_scenario::model::{
    Arrivals, Design, Do, EventCapability, Intent, Needs, OutageMode, Participant, Scenario, Source, Step,
};

use super::words::input_words;
use crate::api::{
    DesignInput, DesignOutage, DesignParticipant, DesignStep, DesignVariant, DesignWorkload, ScenarioDesign,
};

/// See [`ScenarioDesign`].
pub(super) fn design(scenario: &Scenario) -> ScenarioDesign {
    let mut walk = Walk { scenario, seen: BTreeSet::new(), steps: Vec::new(), met: Vec::new() };
    for workload in &scenario.design.workloads {
        walk.operation(&workload.to);
    }
    for operation in scenario.design.operations.keys() {
        walk.operation(operation);
    }
    let Walk { steps, mut met, .. } = walk;
    met.extend(scenario.design.participants.keys().cloned());
    let mut once = BTreeSet::new();
    met.retain(|name| once.insert(name.clone()));
    let ms = |t: u64| t as f64 / 1e6;
    ScenarioDesign {
        title: scenario.title.clone(),
        workloads: scenario.design.workloads.iter().map(|w| workload(w, scenario.run.duration)).collect(),
        participants: met
            .iter()
            .filter_map(|name| Some(participant(name, scenario.design.participants.get(name)?, scenario, &steps)))
            .collect(),
        channels: scenario.design.channels.keys().cloned().collect(),
        variants: scenario
            .variants
            .iter()
            .map(|v| DesignVariant {
                name: v.name.clone(),
                events: v.events.clone(),
                overrides: v.overridden.is_some() || !v.accept.is_empty(),
            })
            .collect(),
        variants_named: scenario.variants_named,
        target_response_ms: scenario.targets.response_p95.map(ms),
        target_settled_ms: scenario.targets.settled_p95.map(ms),
        target_success: scenario.targets.success,
        duration_ms: ms(scenario.run.duration),
        replications: scenario.run.replications,
        seed: scenario.run.seed as f64,
        inputs: input_list(scenario),
        warnings: scenario.warnings.clone(),
        steps,
    }
}

/// The participant of an operation.
pub(super) fn participant_of(operation: &str) -> &str {
    operation.split_once('.').map_or(operation, |(participant, _)| participant)
}

/// Every `do` of some steps, with its place below `path`.
pub(super) fn each_do<'a>(steps: &'a [Step], path: &[String], visit: &mut dyn FnMut(&'a Do, Vec<String>)) {
    for (index, step) in steps.iter().enumerate() {
        let at = |more: &[&str]| {
            let own = path.iter().cloned().chain([index.to_string()]);
            own.chain(more.iter().map(|m| (*m).to_owned())).collect::<Vec<_>>()
        };
        match step {
            Step::Do(found) => visit(found, at(&[])),
            Step::Parallel(inner) => each_do(inner, &at(&["parallel"]), visit),
            Step::Choose(choices) => {
                for (branch, choice) in choices.iter().enumerate() {
                    each_do(&choice.steps, &at(&["choose", &branch.to_string(), "steps"]), visit);
                }
            }
            // A `count` beside `parallel` or `choose`: what is repeated stands at the same place.
            Step::Repeat { steps, .. } => {
                let mut inner = |found, mut inside: Vec<String>| {
                    inside.splice(path.len()..=path.len(), [index.to_string()]);
                    visit(found, inside);
                };
                each_do(steps, path, &mut inner);
            }
            Step::Think { .. } => {}
        }
    }
}

/// Follows a request through the design.
struct Walk<'s> {
    scenario: &'s Scenario,
    seen: BTreeSet<String>,
    steps: Vec<DesignStep>,
    /// Participants in the order met.
    met: Vec<String>,
}

impl Walk<'_> {
    fn operation(&mut self, name: &str) {
        if !self.seen.insert(name.to_owned()) {
            return;
        }
        self.met.push(participant_of(name).to_owned());
        let scenario = self.scenario;
        let Some(operation) = scenario.design.operations.get(name) else { return };
        let mut next = Vec::new();
        let root = ["operations".to_owned(), name.to_owned(), "steps".to_owned()];
        each_do(&operation.steps, &root, &mut |found, path| {
            next.push(found.operation.clone());
            self.steps.push(step(scenario, name, found, path));
        });
        next.iter().for_each(|callee| self.operation(callee));
    }
}

fn step(scenario: &Scenario, caller: &str, found: &Do, path: Vec<String>) -> DesignStep {
    let known = scenario.variants.iter().find_map(|v| v.events.get(&found.id)).cloned();
    let ms = |t: Option<u64>| t.map(|t| t as f64 / 1e6);
    DesignStep {
        id: found.id.clone(),
        caller: participant_of(caller).to_owned(),
        callee: participant_of(&found.operation).to_owned(),
        operation: found.operation.clone(),
        path,
        work_ms: scenario.design.operations.get(&found.operation).map_or(0.0, |o| o.work.mean() / 1e6),
        intent: found.intent.map(|i| intent_word(i).to_owned()),
        needs: found.needs.map(|n| needs_word(n).to_owned()),
        within_ms: ms(found.within),
        timeout_ms: ms(found.timeout),
        attempts: found.retry.attempts,
        idempotent: found.idempotent,
        ordered: found.order_by_key,
        sensitive: found.sensitive,
        channel: known.or_else(|| sibling_channel(scenario, caller)).unwrap_or_else(|| format!("{caller}.done")),
        obstacle: obstacle(&scenario.design, caller, found),
    }
}

/// The channel that other steps of an operation go to.
fn sibling_channel(scenario: &Scenario, caller: &str) -> Option<String> {
    let operation = scenario.design.operations.get(caller)?;
    let mut ids = Vec::new();
    each_do(&operation.steps, &[], &mut |found, _| ids.push(found.id.clone()));
    scenario.variants.iter().flat_map(|v| &v.events).find(|(id, _)| ids.contains(id)).map(|(_, c)| c.clone())
}

fn obstacle(design: &Design, caller: &str, step: &Do) -> Option<String> {
    let capability = |operation: &str| design.participants.get(participant_of(operation)).map(|p| p.events);
    let (from, to) = (participant_of(caller), participant_of(&step.operation));
    if matches!(capability(caller), Some(EventCapability::None | EventCapability::Consume)) {
        return Some(format!("{from} cannot publish events: it needs an adapter"));
    }
    if matches!(capability(&step.operation), Some(EventCapability::None | EventCapability::Publish)) {
        return Some(format!("{to} cannot consume events: it needs an adapter"));
    }
    match step.needs {
        Some(Needs::Answer) => Some(format!("{from} needs the answer of {to} before it goes on")),
        Some(Needs::Success) => Some(format!("what follows is only right if {to} succeeded")),
        _ if step.intent == Some(Intent::Read) => Some(format!("{to} is read at the moment of need")),
        _ => None,
    }
}

fn workload(w: &flowglass_scenario::model::Workload, duration: u64) -> DesignWorkload {
    let kind = match w.arrivals {
        Arrivals::Poisson(_) => "poisson",
        Arrivals::Every(_) => "every",
        Arrivals::Renewal(_) => "renewal",
        Arrivals::Batches { .. } => "batches",
        Arrivals::Users { .. } => "users",
        Arrivals::OnOff { .. } => "on_off",
        Arrivals::Rates(_) => "rates",
        Arrivals::Times(_) => "times",
    };
    DesignWorkload {
        name: w.name.clone(),
        to: w.to.clone(),
        kind: kind.into(),
        rate: w.arrivals.mean_rate(duration),
        peak: w.arrivals.peak_rate(duration),
        patience_ms: w.patience.map(|t| t as f64 / 1e6),
    }
}

fn participant(name: &str, p: &Participant, scenario: &Scenario, steps: &[DesignStep]) -> DesignParticipant {
    let own: Vec<_> = scenario.design.operations.iter().filter(|(o, _)| participant_of(o) == name).collect();
    let work = own.iter().map(|(_, o)| o.work.mean() / 1e6).sum::<f64>() / own.len().max(1) as f64;
    let asked = scenario.design.workloads.iter().any(|w| participant_of(&w.to) == name);
    let guess = if asked {
        "experience"
    } else if steps.iter().any(|s| s.caller == name) {
        "process"
    } else {
        "system"
    };
    DesignParticipant {
        name: name.to_owned(),
        // Nobody's layer is `event`: channels stand there.
        layer: p.layer.clone().filter(|l| l != "event").unwrap_or_else(|| guess.into()),
        guessed: p.layer.is_none(),
        workers: p.workers,
        replicas: p.replicas,
        events: match p.events {
            EventCapability::Both => "both",
            EventCapability::Publish => "publish",
            EventCapability::Consume => "consume",
            EventCapability::None => "none",
        }
        .into(),
        work_ms: work,
        fails: p.fails,
        outages: p
            .outages
            .iter()
            .map(|o| DesignOutage { at_ms: o.at as f64 / 1e6, for_ms: o.lasts as f64 / 1e6, mode: mode_words(o.mode) })
            .collect(),
    }
}

fn mode_words(mode: OutageMode) -> String {
    match mode {
        OutageMode::Refuse => "refuses calls".into(),
        OutageMode::Silent => "does not answer".into(),
        OutageMode::Pause => "lets calls wait".into(),
        OutageMode::Slow(times) => format!("takes {times} times as long"),
        OutageMode::Errors(share) => format!("fails {:.0} % of its work", share * 100.0),
    }
}

fn intent_word(intent: Intent) -> &'static str {
    match intent {
        Intent::Read => "read",
        Intent::Write => "write",
        Intent::Notify => "notify",
    }
}

fn needs_word(needs: Needs) -> &'static str {
    match needs {
        Needs::Answer => "answer",
        Needs::Success => "success",
        Needs::Nothing => "nothing",
    }
}

fn input_list(scenario: &Scenario) -> Vec<DesignInput> {
    let mut all: BTreeMap<&str, &str> = scenario.assumed.iter().map(|path| (path.as_str(), "assumed")).collect();
    for (path, source) in &scenario.sources {
        let word = match source {
            Source::Measured => "measured",
            Source::Declared => "declared",
            Source::Assumed => "assumed",
        };
        all.insert(path, word);
    }
    let input = |(path, source): (&str, &str)| DesignInput {
        path: path.to_owned(),
        what: input_words(path),
        source: source.to_owned(),
    };
    all.into_iter().map(input).collect()
}

//! Should this be a call or an event? Gates decide alone, criteria are weighed, what is unknown is said.
//!
//! The gates G1–G7 and criteria W1–W22 and how they combine are those of the decision criteria of the project's brief: rules of
//! thumb of the field with their sources (Azure and AWS architecture guidance, Hohpe's coupling facets, MuleSoft's layers). An
//! interaction is judged by itself; a scenario's verdict is the set of its interactions, so that "hybrid" is the usual outcome.

mod criteria;
mod figures;
mod gates;
mod words;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::{Do, Scenario};
use crate::program::each_do;

pub use figures::SyncFigures;

/// Criteria there are (W1 to W22).
const CRITERIA: f64 = 22.0;

/// How an interaction should be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Style {
    /// A synchronous call.
    ApiLed,
    /// An event.
    EventDriven,
}

/// How a scenario should be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// All calls.
    ApiLed,
    /// All events.
    EventDriven,
    /// Some of each.
    Hybrid,
}

/// A gate that holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gate {
    /// `G1` to `G7`.
    pub id: &'static str,
    /// Why it holds, with the figures of this scenario.
    pub because: String,
    /// What it forces.
    #[serde(skip)]
    pub forces: Style,
    /// The way around it.
    #[serde(skip)]
    pub escape: Option<&'static str>,
}

/// A criterion whose points are known.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reason {
    /// `W1` to `W22`.
    pub criterion: &'static str,
    /// −2 to +2; above 0 speaks for events.
    pub points: f64,
    /// The figures behind it.
    pub evidence: String,
}

/// The judgement of one interaction.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Interaction {
    /// Step id, or `caller.operation → callee.operation`.
    pub name: String,
    /// How it should be built.
    pub style: Style,
    /// Gates that hold.
    pub gates: Vec<Gate>,
    /// Sum of the known points.
    pub score: f64,
    /// Known criteria.
    pub reasons: Vec<Reason>,
    /// What an event needs to be safe here.
    pub conditions: Vec<String>,
    /// Why the requirements contradict each other, if they do.
    pub contradiction: Option<String>,
    /// The way around the gate that decided.
    pub escape: Option<String>,
    /// Known criteria as a share of all.
    pub coverage: f64,
    /// `strong`, `fair` or `weak`.
    pub evidence: &'static str,
    /// Inputs whose change by a fifth or less would flip the style.
    pub fragile: Vec<String>,
    /// What to declare or measure, most telling first.
    pub unknown: Vec<&'static str>,
}

/// The variant that follows from the judgements.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recommended {
    /// That of the file with the same events, else `recommended`.
    pub name: String,
    /// Step to channel.
    pub events: BTreeMap<String, String>,
}

/// The judgement of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decision {
    /// The set of its interactions.
    pub verdict: Verdict,
    /// Every step with a `do`.
    pub interactions: Vec<Interaction>,
    /// The variant that follows.
    pub recommended_variant: Recommended,
    /// JSON Pointers of inputs that nobody measured or declared.
    pub assumed: Vec<String>,
    /// What is odd, in words.
    pub warnings: Vec<String>,
}

/// Judges every step of a scenario. `sync` holds what the all-call variant was found to do, where it was simulated or observed.
pub fn decide(scenario: &Scenario, sync: &SyncFigures) -> Decision {
    let figures = figures::Figures::new(scenario, sync);
    let mut interactions = Vec::new();
    for (caller, operation) in &scenario.design.operations {
        each_do(&operation.steps, &mut |step| interactions.push(judge(&figures, caller, step)));
    }
    let events = interactions.iter().any(|i| i.style == Style::EventDriven);
    let calls = interactions.iter().any(|i| i.style == Style::ApiLed);
    let verdict = match (calls, events) {
        (_, false) => Verdict::ApiLed,
        (false, true) => Verdict::EventDriven,
        (true, true) => Verdict::Hybrid,
    };
    Decision {
        verdict,
        recommended_variant: recommend(scenario, &interactions),
        interactions,
        assumed: scenario.assumed.clone(),
        warnings: scenario.warnings.clone(),
    }
}

fn judge(figures: &figures::Figures<'_>, caller: &str, step: &Do) -> Interaction {
    let gates = gates::gates(figures, caller, step);
    let reasons = criteria::reasons(figures, caller, step);
    let score: f64 = reasons.iter().map(|r| r.points).sum();
    let for_call = gates.iter().find(|g| g.forces == Style::ApiLed);
    let for_event = gates.iter().find(|g| g.forces == Style::EventDriven);
    let style = match (for_call, for_event) {
        (Some(_), _) => Style::ApiLed,
        (None, Some(_)) => Style::EventDriven,
        (None, None) if score > 0.0 => Style::EventDriven,
        (None, None) => Style::ApiLed,
    };
    let contradiction = for_call.zip(for_event).map(|(call, event)| words::contradiction(call, event));
    let decisive = for_call.or(for_event);
    let coverage = reasons.len() as f64 / CRITERIA;
    let evidence = match coverage {
        _ if !gates.is_empty() => "strong",
        c if c >= 0.7 => "strong",
        c if c >= 0.5 => "fair",
        _ => "weak",
    };
    Interaction {
        name: step.id.clone(),
        style,
        conditions: if style == Style::EventDriven { words::conditions(figures, caller, step) } else { Vec::new() },
        contradiction,
        escape: decisive.and_then(|g| g.escape).map(str::to_owned),
        fragile: if gates.is_empty() { criteria::fragile(figures, caller, step, score) } else { Vec::new() },
        unknown: words::unknown(&reasons),
        gates,
        score,
        reasons,
        coverage: (coverage * 1000.0).round() / 1000.0,
        evidence,
    }
}

/// Steps that should be events, on the channel that a variant of the file already gives them, else on one of their operation.
fn recommend(scenario: &Scenario, interactions: &[Interaction]) -> Recommended {
    let mut events = BTreeMap::new();
    for (caller, operation) in &scenario.design.operations {
        each_do(&operation.steps, &mut |step| {
            let is_event = interactions.iter().any(|i| i.name == step.id && i.style == Style::EventDriven);
            if is_event {
                let known = scenario.variants.iter().find_map(|v| v.events.get(&step.id)).cloned();
                events.insert(step.id.clone(), known.unwrap_or_else(|| format!("{caller}.done")));
            }
        });
    }
    let same = scenario.variants.iter().find(|v| v.events.keys().eq(events.keys()));
    Recommended { name: same.map_or_else(|| "recommended".to_owned(), |v| v.name.clone()), events }
}

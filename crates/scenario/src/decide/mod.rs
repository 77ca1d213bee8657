//! Should this be a call or an event? Gates decide alone, criteria are weighed, what is unknown is said.
//!
//! The gates G1–G7 and criteria W1–W22 and how they combine are those of the decision criteria of the project's brief: rules of
//! thumb of the field with their sources (Azure and AWS architecture guidance, Hohpe's coupling facets, MuleSoft's layers). An
//! interaction is judged by itself; a scenario's verdict is the set of its interactions, so that "hybrid" is the usual outcome.

mod criteria;
mod figures;
mod flips;
mod gates;
mod observed;
mod questions;
mod words;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};

use crate::model::{Do, Scenario};
use crate::program::each_do;

pub use figures::SyncFigures;
pub use flips::Flip;
pub use observed::{Evidence, observed};
pub use questions::{Answer, Question};

/// The criteria there are.
pub const CRITERIA: [&str; 22] = [
    "W1", "W2", "W3", "W4", "W5", "W6", "W7", "W8", "W9", "W10", "W11", "W12", "W13", "W14", "W15", "W16", "W17",
    "W18", "W19", "W20", "W21", "W22",
];

/// Interactions for which flips and questions are worked out; of more, only the judgements. Each takes a few looks at the whole
/// design, so that of a huge one fewer are examined.
const MOST_EXAMINED: usize = 300;
const MOST_LOOKED_AT: usize = 50_000;

/// What is known of a criterion besides the file: observed in a workspace, or declared in the window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// `W1` to `W22`.
    pub criterion: String,
    /// −2 to +2; above 0 speaks for events.
    pub points: f64,
    /// What was seen or said, with its n.
    pub evidence: String,
}

/// Facts by step id.
pub type Facts = BTreeMap<String, Vec<Fact>>;

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
    /// Operation that asks.
    pub caller: String,
    /// Operation that is asked.
    pub callee: String,
    /// The strongest reason for the style.
    pub reason_for: String,
    /// The strongest reason against it.
    pub reason_against: String,
    /// How far one input has to move to flip the style, the nearest first.
    pub flips: Vec<Flip>,
    /// Those of them that need a fifth or less, in words.
    pub fragile: Vec<String>,
    /// Questions of this step that can still change its style, most telling first.
    pub unknown: Vec<String>,
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
    /// Where the verdict is a mixture (or all events): what that shape is called.
    pub shape: Option<&'static str>,
    /// The strongest reason for the verdict.
    pub reason_for: String,
    /// The strongest reason against it.
    pub reason_against: String,
    /// `strong`, `fair` or `weak`: that of the weakest interaction.
    pub evidence: &'static str,
    /// What can still change the verdict, most telling first.
    pub questions: Vec<Question>,
    /// JSON Pointers of inputs that nobody measured or declared.
    pub assumed: Vec<String>,
    /// What is odd, in words.
    pub warnings: Vec<String>,
}

/// Judges every step of a scenario. `sync` holds what the all-call variant was found to do, where it was simulated or observed.
pub fn decide(scenario: &Scenario, sync: &SyncFigures) -> Decision {
    decide_with(scenario, sync, &Facts::new(), &AtomicBool::new(false))
}

/// Judges every step, with what is known besides the file. Once `cancel` is set, percentiles of work are guessed and flips and
/// questions left out.
pub fn decide_with(scenario: &Scenario, sync: &SyncFigures, facts: &Facts, cancel: &AtomicBool) -> Decision {
    let figures = figures::Figures::new(scenario, sync, cancel);
    let mut interactions = Vec::new();
    let mut questions = Vec::new();
    let mut styles = Vec::new();
    let examined = MOST_EXAMINED.min(MOST_LOOKED_AT / scenario.design.operations.len().max(1));
    for (caller, operation) in &scenario.design.operations {
        each_do(&operation.steps, &mut |step| {
            let known = facts.get(&step.id).map_or(&[][..], Vec::as_slice);
            let mut it = judge(&figures, caller, step, known);
            if interactions.len() < examined && !cancel.load(std::sync::atomic::Ordering::Relaxed) {
                it.flips = flips::flips(&figures, caller, step, known, &it);
                it.fragile = flips::fragile(&it);
                let asked = questions::questions(&figures, caller, step, known, &it);
                it.unknown = asked.iter().map(|q| q.text.clone()).collect();
                questions.extend(asked);
            }
            styles.push((it.style, step.needs));
            interactions.push(it);
        });
    }
    let verdict = verdict_of(interactions.iter().map(|i| i.style));
    let (reason_for, reason_against) = reasons_of(verdict, &interactions);
    let strength = |i: &Interaction| ["weak", "fair", "strong"].iter().position(|w| *w == i.evidence).unwrap_or(0);
    Decision {
        verdict,
        recommended_variant: recommend(scenario, &interactions),
        shape: words::shape(&styles),
        reason_for,
        reason_against,
        evidence: interactions.iter().min_by_key(|i| strength(i)).map_or("weak", |i| i.evidence),
        questions: questions::most_telling_first(questions),
        interactions,
        assumed: scenario.assumed.clone(),
        warnings: scenario.warnings.clone(),
    }
}

/// The set of the styles of interactions.
fn verdict_of(styles: impl Iterator<Item = Style>) -> Verdict {
    let (mut calls, mut events) = (false, false);
    styles.for_each(|style| if style == Style::EventDriven { events = true } else { calls = true });
    match (calls, events) {
        (_, false) => Verdict::ApiLed,
        (false, true) => Verdict::EventDriven,
        (true, true) => Verdict::Hybrid,
    }
}

/// The clearest reason for a verdict and the clearest against it, from the interactions.
fn reasons_of(verdict: Verdict, all: &[Interaction]) -> (String, String) {
    let clearest = |style: Option<Style>| {
        let of = all.iter().filter(|i| style.is_none_or(|s| i.style == s));
        of.max_by(|a, b| a.gates.len().cmp(&b.gates.len()).then(a.score.abs().total_cmp(&b.score.abs())))
    };
    let doubted = all.iter().max_by(|a, b| {
        let doubt = |i: &&Interaction| (i.contradiction.is_some(), i.gates.is_empty(), !i.fragile.is_empty());
        doubt(a).cmp(&doubt(b)).then(b.score.abs().total_cmp(&a.score.abs()))
    });
    let Some(doubted) = doubted else {
        let nothing = "no participant asks another one: there is nothing to decide".to_owned();
        return (nothing, "a design without interactions says nothing of its surroundings".to_owned());
    };
    let told = |i: Option<&Interaction>| i.map(|i| format!("{}: {}", i.name, i.reason_for)).unwrap_or_default();
    let reason_for = match verdict {
        Verdict::Hybrid => {
            format!("{}; {}", told(clearest(Some(Style::ApiLed))), told(clearest(Some(Style::EventDriven))))
        }
        _ => told(clearest(None)),
    };
    (reason_for, format!("{}: {}", doubted.name, doubted.reason_against))
}

fn judge(figures: &figures::Figures<'_>, caller: &str, step: &Do, known: &[Fact]) -> Interaction {
    let gates = gates::gates(figures, caller, step);
    let reasons = criteria::reasons(figures, caller, step, known);
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
    let coverage = reasons.len() as f64 / CRITERIA.len() as f64;
    let evidence = match coverage {
        _ if !gates.is_empty() => "strong",
        c if c >= 0.7 => "strong",
        c if c >= 0.5 => "fair",
        _ => "weak",
    };
    let mut it = Interaction {
        name: step.id.clone(),
        caller: caller.to_owned(),
        callee: step.operation.clone(),
        style,
        conditions: if style == Style::EventDriven { words::conditions(figures, caller, step) } else { Vec::new() },
        contradiction,
        escape: decisive.and_then(|g| g.escape).map(str::to_owned),
        reason_for: String::new(),
        reason_against: String::new(),
        flips: Vec::new(),
        fragile: Vec::new(),
        unknown: Vec::new(),
        gates,
        score,
        reasons,
        coverage: (coverage * 1000.0).round() / 1000.0,
        evidence,
    };
    it.reason_for = words::reason_for(&it);
    it.reason_against = words::reason_against(figures, &it, caller, step);
    it
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

//! Which inputs the difference between two variants hangs on: each is moved alone, by a fifth, under the same chances.

use std::sync::atomic::AtomicBool;

use serde::Serialize;

use super::player::{Better, Effort, Player, better};
use super::{Input, Progress, Stage, inputs};
use crate::experiment::{RunError, Sampled};
use crate::model::{Indifference, Scenario, Source, Variant};

/// How far inputs are moved.
const BY: f64 = 0.2;
/// Inputs at most: of more, those that take the most time.
const MOST: usize = 40;

/// Differences `b − a` and the inputs they hang on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tornado {
    /// One variant.
    pub a: String,
    /// The other.
    pub b: String,
    /// The difference as things are.
    pub now: Gap,
    /// Inputs, those first that turn the comparison over, then by how much they move it.
    pub bars: Vec<Bar>,
}

/// What lies between two variants, `b − a`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Gap {
    /// Of the 95th percentile of the response time, milliseconds; `None` without a steady state.
    pub response_p95_ms: Option<f64>,
    /// Of the 95th percentile of the settled time, milliseconds; likewise.
    pub settled_p95_ms: Option<f64>,
    /// Of the share that succeeds entirely.
    pub success: Option<f64>,
}

/// An input at a fifth less and a fifth more.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bar {
    /// The input.
    pub input: Input,
    /// In words.
    pub label: String,
    /// JSON Pointer of it.
    pub path: String,
    /// `measured`, `declared` or `assumed`.
    pub source: &'static str,
    /// Its value today, as people write it.
    pub today: String,
    /// The lower value, and the difference there.
    pub low: (String, Gap),
    /// The higher value, and the difference there.
    pub high: (String, Gap),
    /// Whether another variant does better at one of the two.
    pub flips: bool,
}

/// Moves every input of a scenario.
///
/// # Errors
/// When it was cancelled, or a setting took too many events.
pub fn tornado(
    scenario: &Scenario,
    pair: [&Variant; 2],
    effort: &Effort,
    progress: &(dyn Fn(Progress) + Sync),
    cancel: &AtomicBool,
) -> Result<Tornado, RunError> {
    let chosen = chosen(scenario);
    let planned = 1 + 2 * chosen.len() as u32;
    let mut player = Player { effort, stage: Stage::Tornado, done: 0, planned, progress, cancel };
    let variants = pair.map(Variant::clone);
    let mut at = |scenario: &Scenario| -> Result<(Gap, Better), RunError> {
        let played = player.play(scenario, &variants)?;
        let [a, b] = played.as_slice() else { return Err(RunError::Nothing("two variants are compared")) };
        Ok((gap(a, b), better(&scenario.targets, &scenario.indifference, a, b)))
    };
    let (now, first) = at(scenario)?;
    let mut bars = Vec::new();
    for input in chosen {
        let Some(today) = input.value(scenario) else { continue };
        let (low, high) = ends(&input, today);
        let (at_low, at_high) = (at(&input.at(scenario, low))?, at(&input.at(scenario, high))?);
        let turned = |end: Better| end != first && end != Better::Unclear && first != Better::Unclear;
        bars.push(Bar {
            label: input.label(),
            path: input.path(),
            source: source(scenario, &input.path()),
            today: input.shown(today),
            flips: turned(at_low.1) || turned(at_high.1),
            low: (input.shown(low), at_low.0),
            high: (input.shown(high), at_high.0),
            input,
        });
    }
    bars.sort_by(|a, b| {
        let moved = |bar: &Bar| spread(bar, &scenario.indifference);
        b.flips.cmp(&a.flips).then(moved(b).total_cmp(&moved(a))).then(a.path.cmp(&b.path))
    });
    Ok(Tornado { a: pair[0].name.clone(), b: pair[1].name.clone(), now, bars })
}

/// The inputs of a scenario; of very many, those that workers, work and load are made of come first.
fn chosen(scenario: &Scenario) -> Vec<Input> {
    let mut all = inputs(scenario);
    let rank = |input: &Input| match input {
        Input::Load | Input::Burst => 0,
        Input::Outage(_) | Input::Workers(_) => 1,
        Input::Work(_) | Input::Timeout(_) => 2,
        _ => 3,
    };
    all.sort_by_key(rank);
    all.truncate(MOST);
    all
}

fn ends(input: &Input, today: f64) -> (f64, f64) {
    match input {
        // A worker less and a worker more at least.
        Input::Workers(_) => {
            let step = (today * BY).round().max(1.0);
            ((today - step).max(1.0), today + step)
        }
        Input::Fails(_) | Input::Cache(_) => (today * (1.0 - BY), (today * (1.0 + BY)).min(1.0)),
        Input::Burst => ((today * (1.0 - BY)).max(1.0), today * (1.0 + BY)),
        _ => (today * (1.0 - BY), today * (1.0 + BY)),
    }
}

fn gap(a: &Sampled, b: &Sampled) -> Gap {
    let between = |a: Option<f64>, b: Option<f64>| Some(b? - a?).filter(|d| d.is_finite());
    Gap {
        response_p95_ms: between(a.response_p95(), b.response_p95()),
        settled_p95_ms: between(a.settled_p95(), b.settled_p95()),
        success: between(a.success(), b.success()),
    }
}

/// How much a bar moves the difference, in multiples of what does not matter.
fn spread(bar: &Bar, declared: &Indifference) -> f64 {
    let of = |low: Option<f64>, high: Option<f64>, matters: f64| match (low, high) {
        (Some(low), Some(high)) => (high - low).abs() / matters.max(1e-9),
        (None, None) => 0.0,
        _ => f64::INFINITY, // One of the two has no end.
    };
    let (low, high) = (&bar.low.1, &bar.high.1);
    of(low.response_p95_ms, high.response_p95_ms, declared.response_ms)
        .max(of(low.settled_p95_ms, high.settled_p95_ms, declared.settled_ms))
        .max(of(low.success, high.success, declared.share))
}

fn source(scenario: &Scenario, path: &str) -> &'static str {
    match scenario.sources.get(path) {
        Some(Source::Measured) => "measured",
        Some(Source::Assumed) => "assumed",
        Some(Source::Declared) => "declared",
        None if scenario.assumed.iter().any(|a| a == path || path.starts_with(&format!("{a}/"))) => "assumed",
        None => "declared",
    }
}

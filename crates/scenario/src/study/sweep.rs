//! What the variants do at other loads.

use std::sync::atomic::AtomicBool;

use serde::Serialize;

use super::player::{Effort, Player, Setting};
use super::{Input, Progress, Stage};
use crate::experiment::RunError;
use crate::flow;
use crate::model::Scenario;
use crate::outcome::Named;

/// Response and settled times over the load.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sweep {
    /// What is swept.
    pub input: Input,
    /// Its value today.
    pub today: f64,
    /// Unit of the values.
    pub unit: &'static str,
    /// From low to high.
    pub points: Vec<SweepPoint>,
}

/// The variants at one value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SweepPoint {
    /// The value.
    pub value: f64,
    /// Variants in the order of the file.
    pub variants: Named<Setting>,
}

/// Points of a sweep.
const POINTS: u32 = 9;

/// Sweeps the load from a quarter of today's to where the last variant is full, at least twice and at most eight times today's.
///
/// # Errors
/// When it was cancelled, or a point took too many events.
pub fn load_sweep(
    scenario: &Scenario,
    effort: &Effort,
    progress: &(dyn Fn(Progress) + Sync),
    cancel: &AtomicBool,
) -> Result<Sweep, RunError> {
    let today = Input::Load.value(scenario).unwrap_or(0.0);
    let full = scenario
        .variants
        .iter()
        .filter_map(|v| flow::saturation(scenario.design_of(v), v, scenario.run.duration).map(|s| s.0));
    let most = full.fold(2.0 * today, f64::max).min(8.0 * today);
    let values = (0..POINTS).map(|i| today / 4.0 + (most - today / 4.0) * f64::from(i) / f64::from(POINTS - 1));
    sweep(scenario, &Input::Load, &values.collect::<Vec<_>>(), effort, progress, cancel)
}

/// Plays all variants at each of some values of an input.
///
/// # Errors
/// When it was cancelled, or a point took too many events.
pub fn sweep(
    scenario: &Scenario,
    input: &Input,
    values: &[f64],
    effort: &Effort,
    progress: &(dyn Fn(Progress) + Sync),
    cancel: &AtomicBool,
) -> Result<Sweep, RunError> {
    let mut player = Player { effort, stage: Stage::Sweep, done: 0, planned: values.len() as u32, progress, cancel };
    let mut points = Vec::new();
    for value in values {
        let played = player.play(&input.at(scenario, *value), &scenario.variants)?;
        let names = scenario.variants.iter().map(|v| v.name.clone());
        points.push(SweepPoint { value: *value, variants: names.zip(played.iter().map(Setting::of)).collect() });
    }
    Ok(Sweep { input: input.clone(), today: input.value(scenario).unwrap_or(0.0), unit: input.unit(), points })
}

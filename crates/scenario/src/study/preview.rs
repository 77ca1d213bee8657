//! A quick look, while a slider moves.

use std::sync::atomic::AtomicBool;

use super::window;
use crate::experiment::{self, RunError, RunOptions};
use crate::model::Scenario;
use crate::outcome::Outcome;

/// Requests of all replications of a variant together, and replications at most.
const REQUESTS: f64 = 50_000.0;
const REPLICATIONS: u32 = 5;

/// Simulates all variants over 5 × 10,000 requests: the same outcome as of a whole run, with wider intervals. Where planned trouble
/// needs a longer stretch, there are fewer replications of it instead; a tenth of the stretch is the warm-up.
///
/// # Errors
/// As [`experiment::run`].
pub fn preview(
    scenario: &Scenario,
    options: &RunOptions,
    progress: &(dyn Fn(experiment::Progress) + Sync),
    cancel: &AtomicBool,
) -> Result<Outcome, RunError> {
    let mut short = window::shortened(scenario, REQUESTS / f64::from(REPLICATIONS));
    let warm_up = short.run.duration / 10;
    short.run.warm_up = Some(scenario.run.warm_up.map_or(warm_up, |given| given.min(warm_up)));
    let requests = window::rate(&short.design, short.run.duration) * short.run.duration as f64 / 1e9;
    let affordable = (REQUESTS / requests.max(1.0)).floor().clamp(1.0, f64::from(REPLICATIONS));
    let options = RunOptions { replications: affordable as u32, precision: None, ..options.clone() };
    experiment::run(&short, &options, progress, cancel)
}

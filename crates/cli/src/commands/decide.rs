//! `flowglass decide`.

use std::sync::atomic::AtomicBool;

use flowglass_studio::scenario::decide::{SyncFigures, decide};
use flowglass_studio::scenario::experiment::{RunOptions, run as simulate};
use flowglass_studio::scenario::model::{Scenario, Variant};

use super::scenario;
use crate::args::DecideArgs;
use crate::output::print_json;

/// Repetitions that tell whether calls alone reach the targets.
const REPLICATIONS: u32 = 5;

/// Prints for each step whether it should be a call or an event.
pub(crate) fn run(args: &DecideArgs) -> anyhow::Result<()> {
    let scenario = scenario::read(&args.scenario)?;
    let sync = all_calls(&scenario)?;
    print_json(&decide(&scenario, &sync))
}

/// What the design does when every step is a call; asked only where a target needs it.
fn all_calls(scenario: &Scenario) -> anyhow::Result<SyncFigures> {
    if scenario.targets.response_p95.is_none() && scenario.targets.success.is_none() {
        return Ok(SyncFigures::default());
    }
    let mut calls = scenario.clone();
    let variant = Variant { name: "calls".into(), events: Default::default(), accept: Vec::new(), overridden: None };
    calls.variants = vec![variant];
    let mut options = RunOptions::of(&calls);
    options.replications = options.replications.min(REPLICATIONS);
    let outcome = simulate(&calls, &options, &|_| {}, &AtomicBool::new(false))?;
    Ok(outcome.sync_figures("calls"))
}

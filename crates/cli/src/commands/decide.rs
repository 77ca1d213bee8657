//! `flowglass decide`.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use flowglass_studio::design::export::{asyncapi, openapi};
use flowglass_studio::scenario::experiment::{self, RunError, RunOptions};
use flowglass_studio::scenario::export::{self, Record};
use flowglass_studio::scenario::model::Scenario;
use flowglass_studio::scenario::study::{Progress, Stage, Study, StudyOptions, study};

use super::scenario;
use super::simulate::{self, Teller};
use crate::args::{DecideArgs, DecideFormat};
use crate::output::print;

/// Prints for each step whether it should be a call or an event, the best mixture, and with `--study` what it hangs on; or what
/// follows from it in another format.
pub(crate) async fn run(args: DecideArgs) -> anyhow::Result<()> {
    let scenario = scenario::read(&args.scenario)?;
    let format = args.format;
    let mut options = StudyOptions::of(&scenario);
    options.threads = args.threads.unwrap_or(0);
    options.facts = scenario::observed(&scenario, args.workspace.as_deref())?;
    if !args.study && !matches!(format, DecideFormat::Markdown | DecideFormat::Html) {
        options.effort = None;
    }
    if args.quick {
        (options.search, options.effort) = (None, None);
    }
    if let Some(search) = &mut options.search {
        search.threads = options.threads;
    }
    if let Some(effort) = &mut options.effort {
        effort.threads = options.threads;
    }
    let work = move |cancel: Arc<AtomicBool>| told(scenario, &options, format, &cancel);
    print(&super::until_stopped(work).await??)
}

/// The text to print.
fn told(
    scenario: Scenario,
    options: &StudyOptions,
    format: DecideFormat,
    cancel: &AtomicBool,
) -> anyhow::Result<String> {
    let teller = Teller::new();
    let progress = |p: Progress| teller.tell(|| format!("{}: {} of {}", words(p.stage), p.done, p.planned));
    let mut found = study(&scenario, options, None, &progress, cancel)?;
    if found.stopped {
        tracing::warn!("stopped early: what was not reached is missing");
    }
    let recommended = export::recommended(&scenario, &found.decision.recommended_variant);
    Ok(match format {
        DecideFormat::Json => serde_json::to_string(&found)?,
        DecideFormat::Mermaid => export::mermaid(&scenario, &recommended),
        DecideFormat::Asyncapi => serde_json::to_string_pretty(&asyncapi(&export::events(&scenario, &recommended)))?,
        DecideFormat::Openapi => serde_json::to_string_pretty(&openapi(&export::calls(&scenario, &recommended)))?,
        DecideFormat::Markdown | DecideFormat::Html => record(&scenario, &mut found, options, format, &teller, cancel)?,
    })
}

/// The decision record, with the variants simulated as the file says.
fn record(
    scenario: &Scenario,
    study: &mut Study,
    options: &StudyOptions,
    format: DecideFormat,
    teller: &Teller,
    cancel: &AtomicBool,
) -> anyhow::Result<String> {
    let run = RunOptions { threads: options.threads, ..RunOptions::of(scenario) };
    let outcome = match experiment::run(scenario, &run, &|p| teller.tell(|| simulate::words(p)), cancel) {
        Ok(outcome) => Some(outcome),
        Err(RunError::Cancelled) => None,
        Err(error) => return Err(error.into()),
    };
    study.comparison = flowglass_studio::scenario::study::comparison(scenario, outcome.as_ref());
    let record = Record { scenario, study, outcome: outcome.as_ref(), date: None };
    Ok(if format == DecideFormat::Html { export::html(&record) } else { export::markdown(&record) })
}

fn words(stage: Stage) -> &'static str {
    match stage {
        Stage::Calls => "simulating all calls",
        Stage::Search => "searching for the best mixture",
        Stage::BreakEven => "looking for break-evens",
        Stage::Tornado => "moving inputs",
        Stage::Sweep => "sweeping the load",
    }
}

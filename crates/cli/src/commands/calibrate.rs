//! `flowglass calibrate`.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, anyhow};
use flowglass_studio::model::filter::{Filter, View};
use flowglass_studio::store::JourneyFilter;

use super::{StopSignals, open, range};
use crate::args::CalibrateArgs;
use crate::output::{print, print_json};

/// Makes a scenario file of what was observed.
pub(crate) async fn run(args: CalibrateArgs, config: Option<&Path>) -> anyhow::Result<()> {
    let text = args.filter.as_deref().unwrap_or_default();
    let filter = Filter::parse(text, View::Journeys).map_err(|problem| anyhow!("--filter: {problem}"))?;
    let (since, until) = range(&args.range)?;
    let workspace = open(&args.workspace.workspace, config)?;
    let places = workspace.places(&filter)?;
    let noise = workspace.settings().config.noise.clone();
    let question = JourneyFilter { since, until, filter, places, noise, limit: args.limit, ..JourneyFilter::default() };
    let title = args.title.clone().unwrap_or_else(|| "As observed".to_owned());
    let cancel = Arc::new(AtomicBool::new(false));
    let mut signals = StopSignals::new()?;
    let work = tokio::task::spawn_blocking({
        let cancel = Arc::clone(&cancel);
        move || workspace.observed(&title, &question, &cancel)
    });
    tokio::pin!(work);
    let observed = tokio::select! {
        done = &mut work => done,
        () = signals.next() => {
            cancel.store(true, Ordering::Relaxed);
            work.await
        }
    }??;
    for note in &observed.calibration.notes {
        tracing::warn!("{note}");
    }
    if let Some(validation) = &observed.validation {
        eprintln!("grade {:?}: {}", validation.grade, validation.why);
    }
    match &args.output {
        Some(path) => {
            // Never over somebody's edited scenario.
            let mut file = std::fs::File::create_new(path)
                .with_context(|| format!("{}: cannot be made (is it there already?)", path.display()))?;
            file.write_all(observed.calibration.yaml.as_bytes()).with_context(|| path.display().to_string())?;
        }
        None if !args.json => return print(&observed.calibration.yaml),
        None => {}
    }
    if args.json { print_json(&observed) } else { Ok(()) }
}

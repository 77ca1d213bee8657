//! `flowglass simulate`.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::bail;
use flowglass_studio::scenario::experiment::{Progress, RunOptions, run as simulate};
use flowglass_studio::scenario::study;

use super::scenario;
use crate::args::SimulateArgs;
use crate::output::print_json;

/// How often progress is told on stderr.
const TELL: Duration = Duration::from_secs(2);

/// Simulates the variants of a scenario and prints what became of them.
pub(crate) async fn run(args: SimulateArgs) -> anyhow::Result<()> {
    let scenario = scenario::read(&args.scenario)?;
    let mut options = RunOptions::of(&scenario);
    options.seed = args.seed.unwrap_or(options.seed);
    options.replications = args.replications.unwrap_or(options.replications);
    options.threads = args.threads.unwrap_or(0);
    options.variants = args.variant;
    if let Some(precision) = args.precision {
        if !(precision > 0.0 && precision < 1.0) {
            bail!("--precision {precision}: write a share such as 0.05 (5 %)");
        }
        options.precision = Some(precision);
    }
    let begun = Instant::now();
    let work = move |cancel: Arc<AtomicBool>| {
        let teller = Teller::new();
        let searching = |p: study::Progress| {
            teller.tell(|| format!("searching for the best mixture: {} of {}", p.done, p.planned));
        };
        let scenario = study::with_best_hybrid(&scenario, options.threads, &searching, &cancel)?;
        simulate(&scenario, &options, &|p| teller.tell(|| words(p)), &cancel)
    };
    let mut outcome = super::until_stopped(work).await??;
    outcome.wall_ms = begun.elapsed().as_secs_f64() * 1e3;
    print_json(&outcome)
}

/// How far a run is.
pub(super) fn words(progress: Progress) -> String {
    let stage = if progress.warming_up { "finding the warm-up" } else { "simulating" };
    let (done, planned, millions) = (progress.done, progress.planned, progress.events / 1_000_000);
    format!("{stage}: {done} of {planned} runs, {millions} million events")
}

/// Tells progress on stderr, now and then.
pub(crate) struct Teller(Mutex<Instant>);

impl Teller {
    pub(crate) fn new() -> Teller {
        Teller(Mutex::new(Instant::now()))
    }

    pub(crate) fn tell(&self, words: impl FnOnce() -> String) {
        let Ok(mut last) = self.0.try_lock() else { return };
        if last.elapsed() >= TELL {
            *last = Instant::now();
            eprintln!("{}", words());
        }
    }
}

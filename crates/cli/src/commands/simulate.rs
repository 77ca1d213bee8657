//! `flowglass simulate`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::bail;
use flowglass_studio::scenario::experiment::{Progress, RunOptions, run as simulate};

use super::{StopSignals, scenario};
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
    let cancel = Arc::new(AtomicBool::new(false));
    let mut signals = StopSignals::new()?;
    let begun = Instant::now();
    let work = tokio::task::spawn_blocking({
        let cancel = Arc::clone(&cancel);
        move || {
            let told = std::sync::Mutex::new(Instant::now());
            let progress = |p: Progress| tell(&told, p);
            simulate(&scenario, &options, &progress, &cancel)
        }
    });
    tokio::pin!(work);
    let outcome = tokio::select! {
        done = &mut work => done,
        () = signals.next() => {
            cancel.store(true, Ordering::Relaxed);
            work.await
        }
    };
    let mut outcome = outcome??;
    outcome.wall_ms = begun.elapsed().as_secs_f64() * 1e3;
    print_json(&outcome)
}

fn tell(told: &std::sync::Mutex<Instant>, progress: Progress) {
    let Ok(mut last) = told.try_lock() else { return };
    if last.elapsed() < TELL {
        return;
    }
    *last = Instant::now();
    let stage = if progress.warming_up { "finding the warm-up" } else { "simulating" };
    eprintln!(
        "{stage}: {} of {} runs, {} million events",
        progress.done,
        progress.planned,
        progress.events / 1_000_000
    );
}

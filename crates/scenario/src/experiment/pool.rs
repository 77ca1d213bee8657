//! Replications on several threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use super::conservation;
use super::observe::Timeline;
use super::{Observed, Plan, Progress, RunError, Summary};
use crate::engine::{self, Setup, Stopped};

/// Runs jobs by index on threads and gives their results in order of the index. Jobs are begun in order; after the first one that
/// fails, no new one is begun.
pub(super) fn in_order<T: Send>(
    jobs: usize,
    threads: usize,
    job: &(dyn Fn(usize) -> Result<T, Stopped> + Sync),
) -> Vec<Option<Result<T, Stopped>>> {
    let slots: Vec<Mutex<Option<Result<T, Stopped>>>> = (0..jobs).map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let work = || {
        while !failed.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= jobs {
                return;
            }
            let result = job(index);
            failed.fetch_or(result.is_err(), Ordering::Relaxed);
            if let Ok(mut slot) = slots[index].lock() {
                *slot = Some(result);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(jobs).max(1) {
            scope.spawn(work);
        }
        work();
    });
    slots.into_iter().map(|slot| slot.into_inner().unwrap_or(None)).collect()
}

/// Runs all replications up to a number that are not there yet. False where it was cancelled.
pub(super) fn replicate(
    plan: &Plan<'_>,
    target: u32,
    observed: &mut Observed,
    progress: &(dyn Fn(Progress) + Sync),
    cancel: &AtomicBool,
) -> Result<bool, RunError> {
    let variants = plan.entries.len();
    let before = observed.summaries.first().map_or(0, Vec::len);
    let jobs = (target as usize).saturating_sub(before) * variants;
    let events = AtomicU64::new(observed.events);
    let done = AtomicUsize::new(before * variants);
    let job = |index: usize| -> Result<(Summary, Timeline, Option<String>), Stopped> {
        let (replication, variant) = (before + index / variants, index % variants);
        let entry = &plan.entries[variant];
        let setup = Setup {
            seed: plan.seed,
            replication: replication as u32,
            warm_up: plan.warm_up,
            duration: plan.duration,
            events: plan.max_events,
            keep: 0,
        };
        let tally = engine::simulate(&entry.program, setup, cancel)?;
        let wrong = conservation::check(&tally, &entry.program, plan.duration).err();
        let summary = Summary::new(&tally, &entry.watch, plan.duration);
        let timeline = Timeline::new(&tally.series);
        let events = events.fetch_add(tally.events, Ordering::Relaxed) + tally.events;
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        progress(Progress { warming_up: false, done: done as u32, planned: target * variants as u32, events });
        Ok((summary, timeline, wrong))
    };
    let mut complete = true;
    for (index, result) in in_order(jobs, plan.threads, &job).into_iter().enumerate() {
        let variant = index % variants;
        match result {
            Some(Ok((_, _, Some(what)))) => {
                return Err(RunError::Miscounted { variant: plan.entries[variant].variant.name.clone(), what });
            }
            Some(Ok((summary, timeline, None))) => {
                observed.events += summary.events;
                observed.timelines[variant].add(&timeline);
                observed.summaries[variant].push(Some(summary));
            }
            Some(Err(Stopped::TooMuch)) => {
                let variant = plan.entries[variant].variant.name.clone();
                return Err(RunError::TooMuch { variant, limit: plan.max_events });
            }
            Some(Err(Stopped::Cancelled)) | None => {
                complete = false;
                observed.summaries[variant].push(None);
            }
        }
    }
    Ok(complete)
}

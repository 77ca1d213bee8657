//! Replications on several threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use super::conservation;
use super::observe::Timeline;
use super::{Observed, Plan, Progress, RunError, Summary};
use crate::engine::{self, Setup, Stopped};
use crate::tally::Histogram;

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

/// What a finished replication leaves.
struct Done {
    summary: Summary,
    timeline: Timeline,
    curves: Vec<[Histogram; 2]>,
    /// What does not add up.
    wrong: Option<String>,
}

/// Adds up times by workload; whole numbers, so that the order does not matter.
fn add_curves(sums: &mut Vec<[Histogram; 2]>, more: Vec<[Histogram; 2]>) {
    if sums.is_empty() {
        *sums = more;
        return;
    }
    for (sum, more) in sums.iter_mut().zip(&more) {
        sum.iter_mut().zip(more).for_each(|(a, b)| a.merge(b));
    }
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
    let job = |index: usize| -> Result<Done, Stopped> {
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
        let curves = tally.sources.into_iter().map(|s| [s.response, s.settled]).collect();
        let events = events.fetch_add(summary.events, Ordering::Relaxed) + summary.events;
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        progress(Progress { warming_up: false, done: done as u32, planned: target * variants as u32, events });
        Ok(Done { summary, timeline, curves, wrong })
    };
    let mut complete = true;
    for (index, result) in in_order(jobs, plan.threads, &job).into_iter().enumerate() {
        let variant = index % variants;
        match result {
            Some(Ok(Done { wrong: Some(what), .. })) => {
                return Err(RunError::Miscounted { variant: plan.entries[variant].variant.name.clone(), what });
            }
            Some(Ok(Done { summary, timeline, curves, wrong: None })) => {
                observed.events += summary.events;
                observed.timelines[variant].add(&timeline);
                add_curves(&mut observed.curves[variant], curves);
                observed.summaries[variant].push(Some(summary));
            }
            Some(Err(stopped @ (Stopped::TooMuch | Stopped::TooManyOpen))) => {
                return Err(plan.stopped(variant, stopped));
            }
            Some(Err(Stopped::Cancelled)) | None => {
                complete = false;
                observed.summaries[variant].push(None);
            }
        }
    }
    Ok(complete)
}

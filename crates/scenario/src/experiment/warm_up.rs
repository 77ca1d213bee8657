//! How long a system takes to fill: MSER-5 on the series averaged over pilot replications and variants.
//!
//! White (1997), White, Cobb and Spratt (2000): the best cut is the one after which the mean is known best. On the averaged series,
//! and one cut for all, so that all variants are measured over the same requests.

use std::sync::atomic::AtomicBool;

use super::{Plan, Progress, RunError, pool};
use crate::engine::{self, Setup, Stopped};
use crate::model::{Arrivals, Design, Time};
use crate::program::Program;

/// Pilot replications of each variant.
const PILOTS: usize = 10;
/// Requests of a workload that a pilot looks at, before it is made longer.
const REQUESTS: f64 = 10_000.0;
/// Observations in a batch.
const BATCH: usize = 5;
/// Batches below which nothing is found.
const LEAST: usize = 20;
/// A pilot is made longer up to so many times.
const LONGEST: u32 = 4;

/// Finds the common warm-up.
pub(super) fn find(
    plan: &Plan<'_>,
    warnings: &mut Vec<String>,
    progress: &(dyn Fn(Progress) + Sync),
    cancel: &AtomicBool,
) -> Result<Time, RunError> {
    let designs: Vec<Option<Design>> = plan.entries.iter().map(|e| undisturbed(e.design)).collect();
    if designs.iter().any(Option::is_none) {
        return Ok(0); // Only recorded arrivals: before the first one nothing happens.
    }
    let programs: Vec<Program> =
        plan.entries.iter().zip(designs.iter().flatten()).map(|(e, d)| Program::new(d, e.variant)).collect();
    let first = pilot_length(designs.iter().flatten(), plan.duration);
    let mut factor = 1;
    loop {
        let length = first.saturating_mul(u64::from(factor));
        let series = pilot(plan, &programs, length, progress, cancel)?;
        match series.iter().map(|s| s.cut(length)).try_fold(0, |all, cut| cut.map(|c| c.max(all))) {
            Some(cut) => return Ok(cut),
            None if factor < LONGEST => factor *= 2,
            None => {
                warnings.push(
                    "no end of the warm-up was found (the load may be too high for a steady state); a tenth of the duration is left out"
                        .to_owned(),
                );
                return Ok(plan.duration / 10);
            }
        }
    }
}

/// The design as it is before anything planned happens. `None` where nobody would ask.
fn undisturbed(design: &Design) -> Option<Design> {
    let mut design = design.clone();
    design.participants.values_mut().for_each(|p| p.outages.clear());
    design.channels.values_mut().for_each(|c| c.broker.outages.clear());
    design.workloads.retain(|w| !matches!(w.arrivals, Arrivals::Times(_)));
    for workload in &mut design.workloads {
        workload.until = None;
        if let Arrivals::Rates(steps) = &workload.arrivals {
            workload.arrivals = Arrivals::Poisson(steps.first().map_or(0.0, |s| s.1));
        }
    }
    (!design.workloads.is_empty()).then_some(design)
}

/// Long enough for the slowest workload, and never longer than the run.
fn pilot_length<'a>(designs: impl Iterator<Item = &'a Design>, duration: Time) -> Time {
    let mut length: Time = 1_000_000_000;
    for workload in designs.flat_map(|d| &d.workloads) {
        let rate = match &workload.arrivals {
            Arrivals::Users { count, think } => f64::from(*count) * 1e9 / think.mean().max(1e6),
            other => other.mean_rate(duration).unwrap_or(0.0),
        };
        if rate > 0.0 {
            length = length.max((REQUESTS / rate * 1e9) as Time);
        }
    }
    length.min(duration)
}

/// Times of requests in the order of their arrival, averaged.
struct Averaged {
    sums: Vec<(f64, u32)>,
    /// Requests that arrived, on average.
    arrived: f64,
}

fn pilot(
    plan: &Plan<'_>,
    programs: &[Program],
    length: Time,
    progress: &(dyn Fn(Progress) + Sync),
    cancel: &AtomicBool,
) -> Result<Vec<Averaged>, RunError> {
    let jobs = programs.len() * PILOTS;
    let done = std::sync::atomic::AtomicU32::new(0);
    let job = |index: usize| {
        let setup = Setup {
            seed: plan.seed,
            replication: 0x8000_0000 | (index / programs.len()) as u32,
            warm_up: 0,
            duration: length,
            events: plan.max_events,
            keep: 4 * REQUESTS as usize,
        };
        let tally = engine::simulate(&programs[index % programs.len()], setup, cancel)?;
        let done = 1 + done.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        progress(Progress { warming_up: true, done, planned: jobs as u32, events: tally.events });
        Ok(tally.sources)
    };
    let mut series: Vec<Averaged> = Vec::new();
    for (index, result) in pool::in_order(jobs, plan.threads, &job).into_iter().enumerate() {
        let sources = match result {
            Some(Ok(sources)) => sources,
            Some(Err(stopped @ (Stopped::TooMuch | Stopped::TooManyOpen))) => {
                return Err(plan.stopped(index % programs.len(), stopped));
            }
            Some(Err(Stopped::Cancelled)) | None => return Err(RunError::Cancelled),
        };
        series.resize_with(sources.len() * 2, || Averaged { sums: Vec::new(), arrived: 0.0 });
        for (source, tally) in sources.iter().enumerate() {
            for (kind, times) in [&tally.first, &tally.first_settled].into_iter().enumerate() {
                let averaged = &mut series[source * 2 + kind];
                averaged.arrived += tally.arrivals as f64 / jobs as f64;
                averaged.add(times);
            }
        }
    }
    Ok(series)
}

impl Averaged {
    fn add(&mut self, times: &[Time]) {
        if self.sums.len() < times.len() {
            self.sums.resize(times.len(), (0.0, 0));
        }
        for (sum, time) in self.sums.iter_mut().zip(times).filter(|(_, t)| **t != Time::MAX) {
            sum.0 += *time as f64;
            sum.1 += 1;
        }
    }

    /// Instant of the cut; 0 where there is too little to find one, `None` where it lies beyond the middle.
    fn cut(&self, length: Time) -> Option<Time> {
        let values: Vec<f64> = self.sums.iter().filter(|s| s.1 > 0).map(|s| s.0 / f64::from(s.1)).collect();
        let batches: Vec<f64> = values.chunks_exact(BATCH).map(|c| c.iter().sum::<f64>() / BATCH as f64).collect();
        if batches.len() < LEAST {
            return Some(0);
        }
        let cut = mser(&batches);
        if cut > batches.len() / 2 {
            return None;
        }
        Some((cut as f64 * BATCH as f64 / self.arrived.max(1.0) * length as f64) as Time)
    }
}

/// How many batches are to be left out: the least sum of squares around the rest's mean, over the square of how many are left.
/// The last few are no candidates, where the measure is a matter of luck.
fn mser(batches: &[f64]) -> usize {
    let n = batches.len();
    let (mut sum, mut squares) = (0.0, 0.0);
    let mut best = (f64::INFINITY, 0);
    let centre = batches.iter().sum::<f64>() / n as f64;
    for d in (0..n).rev() {
        let value = batches[d] - centre;
        sum += value;
        squares += value * value;
        let left = (n - d) as f64;
        if n - d < (n / 20).max(5) {
            continue;
        }
        let measure = (squares - sum * sum / left).max(0.0) / (left * left);
        if measure <= best.0 {
            best = (measure, d);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noise from a fixed recipe, between −1 and 1.
    fn noise(i: usize) -> f64 {
        crate::keyed::unit(crate::keyed::below(5, i as u64), crate::keyed::Purpose::Work) * 2.0 - 1.0
    }

    #[test]
    fn the_filling_is_left_out() {
        let batches: Vec<f64> = (0..1000).map(|i| if i < 200 { i as f64 / 20.0 } else { 10.0 } + noise(i)).collect();
        let cut = mser(&batches);
        assert!((150..=230).contains(&cut), "{cut}");
        let steady: Vec<f64> = (0..1000).map(noise).collect();
        assert!(mser(&steady) < 100);
        let growing: Vec<f64> = (0..1000).map(|i| i as f64 + noise(i)).collect();
        assert!(mser(&growing) > 500, "no steady state is no cut in the first half");
        assert_eq!(mser(&[3.0; 40]), 0, "constant from the start");
    }
}

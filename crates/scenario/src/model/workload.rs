//! Who asks, and when.

use super::Time;
use crate::Dist;

/// Requests of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// Its name.
    pub name: String,
    /// Operation asked for.
    pub to: String,
    /// When.
    pub arrivals: Arrivals,
    /// No arrivals from then on; counted from the end of the warm-up.
    pub until: Option<Time>,
    /// The user leaves after this long without an answer; the work already begun goes on.
    pub patience: Option<Time>,
    /// 0 is the highest.
    pub priority: u32,
}

/// When requests arrive.
#[derive(Debug, Clone, PartialEq)]
pub enum Arrivals {
    /// Poisson, per second.
    Poisson(f64),
    /// One each; the first after one interval.
    Every(Time),
    /// Independent gaps.
    Renewal(Dist),
    /// Several at once.
    Batches {
        /// Batches per second (Poisson).
        poisson: f64,
        /// How many each.
        size: BatchSize,
    },
    /// A fixed number of users: think, ask, wait for the answer, think again.
    Users {
        /// How many.
        count: u32,
        /// How long they think.
        think: Dist,
    },
    /// Poisson while busy, nothing while idle.
    OnOff {
        /// Per second while busy.
        rate: f64,
        /// Length of busy periods.
        busy: Dist,
        /// Length of idle periods.
        idle: Dist,
    },
    /// Poisson with a rate that steps: from each instant (after the warm-up) on, so many per second. The first holds before.
    Rates(Vec<(Time, f64)>),
    /// Recorded instants after the warm-up, growing.
    Times(Vec<Time>),
}

/// Requests in a batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BatchSize {
    /// Always so many.
    Fixed(u32),
    /// Geometric from 1 on, with this mean.
    Geometric(f64),
}

impl Arrivals {
    /// Users of a closed workload; 0 for others.
    pub fn users(&self) -> u64 {
        match self {
            Arrivals::Users { count, .. } => u64::from(*count),
            _ => 0,
        }
    }

    /// Mean rate per second, where it does not depend on the answers.
    pub fn mean_rate(&self, duration: Time) -> Option<f64> {
        Some(match self {
            Arrivals::Poisson(rate) => *rate,
            Arrivals::Every(gap) => 1e9 / *gap as f64,
            Arrivals::Renewal(gap) => 1e9 / gap.mean(),
            Arrivals::Batches { poisson, size } => {
                poisson
                    * match size {
                        BatchSize::Fixed(n) => f64::from(*n),
                        BatchSize::Geometric(mean) => *mean,
                    }
            }
            Arrivals::Users { .. } => return None,
            Arrivals::OnOff { rate, busy, idle } => rate * busy.mean() / (busy.mean() + idle.mean()),
            Arrivals::Rates(steps) => {
                let ends = steps.iter().skip(1).map(|s| s.0.min(duration)).chain([duration]);
                let asked: f64 =
                    steps.iter().zip(ends).map(|((from, rate), to)| rate * to.saturating_sub(*from) as f64).sum();
                asked / duration as f64
            }
            Arrivals::Times(times) => times.len() as f64 * 1e9 / duration as f64,
        })
    }

    /// Highest rate per second, where it is known.
    pub fn peak_rate(&self, duration: Time) -> Option<f64> {
        match self {
            Arrivals::OnOff { rate, .. } => Some(*rate),
            Arrivals::Rates(steps) => steps.iter().filter(|s| s.0 < duration).map(|s| s.1).max_by(f64::total_cmp),
            other => other.mean_rate(duration),
        }
    }
}

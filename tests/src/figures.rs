//! Times, their quantiles, and how busy the machine was when they were taken.

use std::time::Duration;

/// Times of one thing measured several times, milliseconds.
#[derive(Debug, Clone, Default)]
pub struct Times(Vec<f64>);

impl Times {
    /// Adds one.
    pub fn add(&mut self, took: Duration) {
        self.0.push(took.as_secs_f64() * 1e3);
    }

    /// Adds several, milliseconds.
    pub fn extend(&mut self, ms: impl IntoIterator<Item = f64>) {
        self.0.extend(ms);
    }

    /// All of them, in the order they came.
    #[must_use]
    pub fn all(&self) -> &[f64] {
        &self.0
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The first one: nothing is remembered yet.
    #[must_use]
    pub fn first(&self) -> f64 {
        self.0.first().copied().unwrap_or_default()
    }

    /// The value that this share of all does not exceed (nearest rank).
    #[must_use]
    pub fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (sorted.len() as f64 * share).ceil() as usize;
        sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied().unwrap_or_default()
    }

    /// The middle one.
    #[must_use]
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }
}

/// Median of a few numbers.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    Times(values.to_vec()).median()
}

/// How busy the machine is: processes that run or wait to run, over one minute and over the number of processors.
#[must_use]
pub fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("load {} on {cores} cores", text.split(' ').next().unwrap_or("unknown"))
}

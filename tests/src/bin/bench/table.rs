//! Figures in lines that people read.

use std::time::Duration;

/// Times of one thing measured several times, milliseconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Times(Vec<f64>);

impl Times {
    pub(crate) fn add(&mut self, took: Duration) {
        self.0.push(took.as_secs_f64() * 1e3);
    }

    pub(crate) fn extend(&mut self, ms: impl IntoIterator<Item = f64>) {
        self.0.extend(ms);
    }

    /// The first one: nothing is remembered yet.
    pub(crate) fn first(&self) -> f64 {
        self.0.first().copied().unwrap_or_default()
    }

    /// The value that this share of all does not exceed (nearest rank).
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (sorted.len() as f64 * share).ceil() as usize;
        sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied().unwrap_or_default()
    }

    pub(crate) fn median(&self) -> f64 {
        self.quantile(0.5)
    }
}

/// Median of a few numbers.
pub(crate) fn median(values: &[f64]) -> f64 {
    Times(values.to_vec()).median()
}

/// A heading and its columns.
pub(crate) fn heading(title: &str, columns: &[&str]) {
    println!("\n{title}\n{:<46}{}", "", columns.iter().map(|c| format!("{c:>11}")).collect::<String>());
}

/// One line: first, median and worst, and a mark where the median misses the aim.
pub(crate) fn line(label: &str, times: &Times, aim: f64) {
    let missed = if times.median() > aim { format!("  over {aim:.0}") } else { String::new() };
    println!("{label:<46}{:>11.1}{:>11.1}{:>11.1}{missed}", times.first(), times.median(), times.quantile(1.0));
}

/// How busy the machine is: processes that run or wait to run, over one minute and over the number of processors.
pub(crate) fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("load {} on {cores} cores", text.split(' ').next().unwrap_or("unknown"))
}

//! How requests arrive: at what rate, and whether evenly, at random or in bursts.

use flowglass_model::Nanos;

use super::sample::{digits, duration, variance};

const SECOND: i64 = 1_000_000_000;
/// Index of dispersion above which a Poisson stream would hide bursts.
const BURSTY: f64 = 2.0;
/// Steps that a varying rate is written in at most.
const STEPS: i64 = 20;
/// Requests from which on bursts are told from chance.
const JUDGED: usize = 100;

/// A stream of arrivals.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Arrivals {
    pub(super) n: usize,
    /// Per second.
    pub(super) rate: f64,
    /// Variance over mean of the numbers in windows of 1, 10 and 60 s; 1 for a Poisson stream, above for bursts. Unknown where
    /// fewer than ten windows fit.
    pub(super) dispersion: [Option<f64>; 3],
    /// Rates by step from the first arrival on, where they vary.
    pub(super) steps: Vec<(i64, f64)>,
}

impl Arrivals {
    /// Judges arrivals at ascending instants of a period.
    pub(super) fn new(times: &[Nanos], period: (Nanos, Nanos)) -> Arrivals {
        let length = (period.1 - period.0).max(1);
        let rate = times.len() as f64 / (length as f64 / SECOND as f64);
        let dispersion = [1, 10, 60].map(|s| dispersion(times, period, s * SECOND));
        let bursty = times.len() >= JUDGED && dispersion.iter().flatten().any(|d| *d > BURSTY);
        let steps = if bursty { steps(times, period) } else { Vec::new() };
        Arrivals { n: times.len(), rate, dispersion, steps }
    }

    /// As the scenario file writes it.
    pub(super) fn text(&self) -> String {
        if self.steps.is_empty() {
            return format!("{{ poisson: {} }}", rate(self.rate));
        }
        let steps: Vec<String> = self.steps.iter().map(|(at, r)| format!("[{}, {}]", seconds(*at), rate(*r))).collect();
        format!("{{ rates: [{}] }}", steps.join(", "))
    }

    /// How even they are, in words.
    pub(super) fn words(&self) -> &'static str {
        match self.dispersion.iter().flatten().copied().reduce(f64::max) {
            _ if !self.steps.is_empty() => "the rate varies, so it is taken step by step",
            None => "too short a time to tell bursts from chance",
            Some(d) if d < 0.5 => "more even than chance; taken as random, which queues a little more",
            Some(_) => "as random as independent users are",
        }
    }
}

/// A rate as the file writes it.
pub(super) fn rate(per_second: f64) -> String {
    if per_second < 0.05 {
        return format!("{}/min", digits(per_second * 60.0, 4));
    }
    format!("{}/s", digits(per_second, 4))
}

fn seconds(nanoseconds: i64) -> String {
    if nanoseconds == 0 { "0s".to_owned() } else { duration(nanoseconds as f64) }
}

fn windows(times: &[Nanos], period: (Nanos, Nanos), width: i64) -> Vec<u64> {
    let whole = (period.1 - period.0) / width;
    let mut counts = vec![0; whole.max(0) as usize];
    for t in times {
        if let Some(count) = counts.get_mut(((t - period.0) / width) as usize) {
            *count += 1;
        }
    }
    counts
}

fn dispersion(times: &[Nanos], period: (Nanos, Nanos), width: i64) -> Option<f64> {
    let counts = windows(times, period, width);
    if counts.len() < 10 {
        return None;
    }
    let n = counts.len() as f64;
    let mean = counts.iter().sum::<u64>() as f64 / n;
    let variance = variance(counts.iter().map(|c| *c as f64), mean);
    (mean > 0.0).then(|| variance / mean)
}

fn steps(times: &[Nanos], period: (Nanos, Nanos)) -> Vec<(i64, f64)> {
    let width = ((period.1 - period.0) / STEPS).max(SECOND);
    let counts = windows(times, period, width);
    let rate = |count: &u64| *count as f64 / (width as f64 / SECOND as f64);
    counts.iter().enumerate().map(|(i, count)| (i as i64 * width, rate(count))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_told_from_an_even_stream() {
        let even: Vec<i64> = (0..1000).map(|i| i * SECOND / 10).collect();
        let found = Arrivals::new(&even, (0, 100 * SECOND));
        assert_eq!(
            (found.text().as_str(), found.words()),
            ("{ poisson: 10/s }", "more even than chance; taken as random, which queues a little more")
        );
        let burst: Vec<i64> =
            (0..1000).map(|i| if i < 100 { i * SECOND } else { 50 * SECOND + i * 1_000_000 }).collect();
        let mut burst = burst;
        burst.sort_unstable();
        let found = Arrivals::new(&burst, (0, 100 * SECOND));
        assert_eq!(found.steps.len(), 20);
        assert!(found.text().starts_with("{ rates: [[0s, "), "{}", found.text());
    }
}

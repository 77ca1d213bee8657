//! Samples of durations and what is said of them.

/// Observations below which a distribution is not drawn from the data itself.
const OWN_SHAPE: usize = 20;
/// Shares at which a distribution is written down; dense at the end, where response times are decided.
const SHARES: [f64; 13] = [0.0, 0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 1.0];

/// Durations, nanoseconds, ascending.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sample {
    values: Vec<i64>,
}

impl Sample {
    pub(crate) fn new(mut values: Vec<i64>) -> Sample {
        values.sort_unstable();
        Sample { values }
    }

    pub(crate) fn n(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Mean, nanoseconds; 0 without observations.
    pub(crate) fn mean(&self) -> f64 {
        if self.values.is_empty() {
            return 0.0;
        }
        self.values.iter().map(|v| *v as f64).sum::<f64>() / self.values.len() as f64
    }

    /// Quantile between order statistics (Hyndman and Fan 1996, definition 7), nanoseconds; 0 without observations.
    pub(crate) fn quantile(&self, p: f64) -> f64 {
        let Some(last) = self.values.len().checked_sub(1) else { return 0.0 };
        let at = p * last as f64;
        let (low, part) = (at.floor() as usize, at - at.floor());
        let high = (low + 1).min(last);
        self.values[low] as f64 * (1.0 - part) + self.values[high] as f64 * part
    }

    /// Those up to a limit.
    pub(super) fn below(&self, limit: f64) -> Vec<i64> {
        self.values.iter().copied().filter(|v| *v as f64 <= limit).collect()
    }

    /// The same with some more observations of which only is known that they were longer than a limit, nanoseconds: those that
    /// callers did not wait for. They are written down as a tenth longer, so that callers give up again.
    pub(super) fn dist_given_up(&self, limit: f64, more: usize) -> String {
        let answered = self.n() as f64 / (self.n() + more) as f64;
        let beyond = duration(limit * 1.1);
        // Few that were given up among very many leave little room below 1.
        let exact = |share: f64| digits(share, 12);
        let own = if self.n() > 1 { self.points() } else { vec![(0.0, self.mean()), (1.0, self.mean())] };
        let mut points: Vec<(String, String)> = Vec::new();
        for (p, v) in own {
            let share = if p < 1.0 { digits(p * answered, 6) } else { exact(answered) };
            // What was answered stays below what was not.
            let value = duration(v.min(limit));
            if points.last().is_none_or(|last| last.0 != share) {
                points.push((share, value));
            }
        }
        // A step: nothing lies between the last that was answered and the first that was not.
        let next = exact(answered + (1.0 - answered) * 0.001);
        if points.last().is_some_and(|last| last.0 != next) {
            points.push((next, beyond.clone()));
        }
        points.push(("1".to_owned(), beyond));
        let written: Vec<String> = points.iter().map(|(p, v)| format!("[{p}, {v}]")).collect();
        format!("{{ quantiles: [{}] }}", written.join(", "))
    }

    /// The distribution as the scenario file writes it: drawn from the data where there is enough of it, else its mean and an
    /// assumed shape.
    pub(super) fn dist(&self) -> String {
        let mean = self.mean();
        if mean < 1_000.0 {
            return "0ms".to_owned();
        }
        if self.values.len() < OWN_SHAPE {
            return format!("{{ lognormal: {{ mean: {}, scv: {} }} }}", duration(mean), scv_text(self.scv()));
        }
        let written: Vec<String> = self.points().iter().map(|(p, v)| format!("[{p}, {}]", duration(*v))).collect();
        format!("{{ quantiles: [{}] }}", written.join(", "))
    }

    /// Shares and the quantiles there, between which straight lines have the mean of the data.
    fn points(&self) -> Vec<(f64, f64)> {
        let mut points: Vec<(f64, f64)> = SHARES.iter().map(|p| (*p, self.quantile(*p))).collect();
        // With few observations the outermost points say nothing of their own.
        points.retain(|(p, _)| *p == 0.0 || *p == 1.0 || p.min(1.0 - p) * self.values.len() as f64 >= 1.0);
        keep_mean(&mut points, self.mean());
        points
    }

    /// Standard deviation over mean; 1 where two observations are missing.
    pub(crate) fn variation(&self) -> f64 {
        self.scv().sqrt()
    }

    /// Whether the shape is that of the data.
    pub(crate) fn has_shape(&self) -> bool {
        self.values.len() >= OWN_SHAPE
    }

    /// Variance over squared mean; 1 where two observations are missing.
    fn scv(&self) -> f64 {
        let (n, mean) = (self.values.len(), self.mean());
        if n < 2 || mean <= 0.0 {
            return 1.0;
        }
        let variance = variance(self.values.iter().map(|v| *v as f64), mean);
        (variance / (mean * mean)).clamp(0.0001, 100.0)
    }
}

/// Variance of a sample about its mean.
pub(super) fn variance(values: impl ExactSizeIterator<Item = f64>, mean: f64) -> f64 {
    let n = values.len();
    values.map(|v| (v - mean) * (v - mean)).sum::<f64>() / n.saturating_sub(1).max(1) as f64
}

/// Straight lines between quantiles lie above a convex tail: the inner points are moved by one factor so that the mean is that of
/// the data. The smallest and largest stay, and the order holds.
fn keep_mean(points: &mut [(f64, f64)], mean: f64) {
    let Some(last) = points.len().checked_sub(1) else { return };
    for _ in 0..4 {
        let area: f64 = points.windows(2).map(|w| (w[1].0 - w[0].0) * (w[0].1 + w[1].1) / 2.0).sum();
        if area <= 0.0 {
            return;
        }
        let factor = mean / area;
        for i in 1..last {
            points[i].1 = (points[i].1 * factor).clamp(points[i - 1].1, points[last].1);
        }
    }
}

fn scv_text(scv: f64) -> String {
    format!("{}", (scv * 1000.0).round().max(1.0) / 1000.0)
}

/// A duration as the file writes it, four digits of it.
pub(super) fn duration(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        n if n >= 60e9 => (n / 1e9, "s"),
        n if n >= 1e9 => (n / 1e9, "s"),
        n if n >= 1e6 => (n / 1e6, "ms"),
        n => (n / 1e3, "us"),
    };
    format!("{}{unit}", digits(value, 4))
}

/// A number with so many significant digits, without zeros behind.
pub(super) fn digits(value: f64, significant: i32) -> String {
    if value == 0.0 || !value.is_finite() {
        return "0".to_owned();
    }
    let mut magnitude = 0;
    let mut rest = value.abs();
    while rest >= 10.0 {
        (rest, magnitude) = (rest / 10.0, magnitude + 1);
    }
    while rest < 1.0 {
        (rest, magnitude) = (rest * 10.0, magnitude - 1);
    }
    let places = (significant - 1 - magnitude).max(0) as usize;
    let text = format!("{value:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_order_statistics() {
        let sample = Sample::new(vec![30, 10, 20, 40]);
        assert_eq!((sample.quantile(0.0), sample.quantile(0.5), sample.quantile(1.0)), (10.0, 25.0, 40.0));
        assert_eq!(sample.mean(), 25.0);
        assert_eq!(Sample::default().quantile(0.5), 0.0);
    }

    #[test]
    fn the_mean_of_what_is_written_is_that_of_the_data() {
        // A long tail: the mean of straight lines between quantiles would be too high.
        let values: Vec<i64> = (1..=2000).map(|i| (20e6 / (1.0 - f64::from(i) / 2001.0).sqrt()) as i64).collect();
        let sample = Sample::new(values);
        let mut points: Vec<(f64, f64)> = SHARES.iter().map(|p| (*p, sample.quantile(*p))).collect();
        keep_mean(&mut points, sample.mean());
        let mean: f64 = points.windows(2).map(|w| (w[1].0 - w[0].0) * (w[0].1 + w[1].1) / 2.0).sum();
        assert!((mean / sample.mean() - 1.0).abs() < 0.005, "{mean} {}", sample.mean());
        assert!(points.windows(2).all(|w| w[0].1 <= w[1].1));
    }

    #[test]
    fn shares_grow_however_few_were_given_up() {
        for (n, more) in [(0, 3), (1, 3), (30, 3), (100_000, 3), (1_000_000, 3)] {
            let text = Sample::new((1..=n).map(|i| i * 1_000).collect()).dist_given_up(2e9, more);
            let shares: Vec<f64> = text.split('[').filter_map(|pair| pair.split_once(", ")?.0.parse().ok()).collect();
            assert!(shares.len() >= 3 && shares.windows(2).all(|w| w[0] < w[1]), "{n}: {text}");
            assert_eq!(shares.last(), Some(&1.0));
        }
    }

    #[test]
    fn durations_are_written_as_the_file_wants_them() {
        for (value, text) in [(1.5e9, "1.5s"), (8e6, "8ms"), (250e3, "250us"), (12_345_678.0, "12.35ms"), (90e9, "90s")]
        {
            assert_eq!(duration(value), text);
        }
    }
}

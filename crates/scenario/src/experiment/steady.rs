//! Whether what waits grows without end.

use crate::math::student_quantile;
use crate::model::Time;
use crate::tally::Series;

/// A stretch of the window, nanoseconds from its begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) from: Time,
    pub(crate) to: Time,
}

/// A judgement needs this share of the window, and so many steps.
const LEAST_SHARE: f64 = 0.25;
const LEAST_STEPS: usize = 10;
/// Growth below this share of the flow is not an overload: a load of 95 % that has just begun fills its queue more slowly.
const LEAST_GROWTH: f64 = 0.02;

/// Slopes of what waits at a place, per second: over the stretch and over its second half. `None` where it is too short.
pub(crate) fn slopes(series: &Series, place: usize, segment: Segment, duration: Time) -> Option<[f64; 2]> {
    if ((segment.to - segment.from) as f64) < LEAST_SHARE * duration as f64 {
        return None;
    }
    let backlog = series.backlogs.get(place)?;
    let first = segment.from.div_ceil(series.step) as usize;
    let last = ((segment.to / series.step) as usize).min(backlog.len());
    let part = backlog.get(first..last)?;
    if part.len() < LEAST_STEPS {
        return None;
    }
    let per_second = 1e9 / series.step as f64;
    Some([slope(part) * per_second, slope(&part[part.len() / 2..]) * per_second])
}

/// Least-squares slope per step.
fn slope(values: &[u32]) -> f64 {
    let n = values.len() as f64;
    let middle = (n - 1.0) / 2.0;
    let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
    let (mut cross, mut square) = (0.0, 0.0);
    for (i, value) in values.iter().enumerate() {
        let x = i as f64 - middle;
        cross += x * (f64::from(*value) - mean);
        square += x * x;
    }
    if square == 0.0 { 0.0 } else { cross / square }
}

/// Growth per second of what waits, where it has no end: it is more than 2 % of the flow, more than the queue of a stable system
/// would wander (a random walk of arrivals and departures, three standard deviations), goes on through the second half of the
/// stretch, and shows in the replications together.
///
/// `flow` is what arrives, per second; `length` the stretch in seconds.
pub(crate) fn growth(slopes: &[[f64; 2]], flow: f64, length: f64) -> Option<f64> {
    let n = slopes.len() as f64;
    if slopes.is_empty() || flow <= 0.0 {
        return None;
    }
    let mean = slopes.iter().map(|s| s[0]).sum::<f64>() / n;
    let late = slopes.iter().map(|s| s[1]).sum::<f64>() / n;
    let wander = 3.0 * (2.0 * flow * length / n).sqrt();
    if mean < LEAST_GROWTH * flow || mean * length < wander || late < mean / 2.0 {
        return None;
    }
    if slopes.len() > 4 {
        let variance = slopes.iter().map(|s| (s[0] - mean) * (s[0] - mean)).sum::<f64>() / (n - 1.0);
        if mean < student_quantile(0.999, n - 1.0) * (variance / n).sqrt() {
            return None;
        }
    }
    Some(mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_slope() {
        let series =
            Series { step: 500_000_000, backlogs: vec![(0..100).map(|i| 7 + 3 * i).collect()], ..Series::default() };
        let all = Segment { from: 0, to: 50_000_000_000 };
        assert_eq!(slopes(&series, 0, all, all.to), Some([6.0, 6.0]));
        let late = Segment { from: 45_000_000_000, to: 50_000_000_000 };
        assert_eq!(slopes(&series, 0, late, all.to), None, "too short to judge");
    }

    #[test]
    fn growth_needs_to_be_large_lasting_and_common() {
        assert_eq!(growth(&[[5.0, 5.0]; 20], 100.0, 100.0), Some(5.0));
        assert_eq!(growth(&[[1.0, 1.0]; 20], 100.0, 100.0), None, "too little");
        assert_eq!(growth(&[[5.0, 0.1]; 20], 100.0, 100.0), None, "it fills, then stays");
        assert_eq!(growth(&[[5.0, 5.0]], 100.0, 10.0), None, "one short run may wander so far");
        let alone: Vec<[f64; 2]> = (0..20).map(|i| if i == 0 { [100.0, 100.0] } else { [0.0, 0.0] }).collect();
        assert_eq!(growth(&alone, 100.0, 100.0), None, "one replication of twenty");
    }
}

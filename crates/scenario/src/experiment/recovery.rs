//! How long after an outage good answers are back.

use crate::model::Time;
use crate::tally::Series;

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Recovery {
    /// Milliseconds after the end of the outage.
    After(f64),
    /// Not within the window.
    Never,
    /// There were no good answers before the outage to compare with.
    NothingBefore,
}

/// Length of the mean of good answers, nanoseconds.
const MEAN: f64 = 5e9;
/// How long that mean has to stay good.
const STAY: f64 = 10e9;
/// Share of the rate before that counts as good.
const SHARE: f64 = 0.95;

/// The first instant after an outage from which five-second means of good answers stay at 95 % of the rate before, or above, for
/// ten seconds. Answers come by chance: a mean counts as good while it is less than two standard deviations of a Poisson count
/// below that line, else a steady flow of few answers would never have recovered.
pub(crate) fn recovery(series: &Series, begin: Time, end: Time) -> Recovery {
    let step = series.step as f64;
    let good = |i: usize| f64::from(series.steps[i][1]);
    let begun = (begin / series.step) as usize;
    let before = begun.min(series.steps.len());
    let answered: f64 = (0..before).map(good).sum();
    if answered == 0.0 {
        return Recovery::NothingBefore;
    }
    let wide = ((MEAN / step).ceil() as usize).max(1);
    let stays = ((STAY / step).ceil() as usize).max(1);
    let usual = answered / before as f64 * wide as f64;
    let line = SHARE * usual - 2.0 * usual.sqrt();
    let first = end.div_ceil(series.step) as usize;
    let starts = first..(series.steps.len() + 1).saturating_sub(wide.max(stays));
    for start in starts {
        let last = start + stays.max(wide) - wide;
        if (start..=last).all(|i| (i..i + wide).map(good).sum::<f64>() >= line.max(1.0)) {
            return Recovery::After((start as f64 * step - end as f64).max(0.0) / 1e6);
        }
    }
    Recovery::Never
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(good: impl Iterator<Item = u32>) -> Series {
        Series { step: 1_000_000_000, steps: good.map(|n| [n, n, 0]).collect(), ..Series::default() }
    }

    #[test]
    fn recovery_counts_from_the_end_of_the_outage() {
        let second = 1_000_000_000;
        let back_after_seven = series((0..120).map(|t| if (30..47).contains(&t) { 0 } else { 1000 }));
        assert_eq!(recovery(&back_after_seven, 30 * second, 40 * second), Recovery::After(7000.0));
        let at_once = series((0..120).map(|_| 1000));
        assert_eq!(recovery(&at_once, 30 * second, 40 * second), Recovery::After(0.0));
        let never = series((0..120).map(|t| if t < 30 { 1000 } else { 500 }));
        assert_eq!(recovery(&never, 30 * second, 40 * second), Recovery::Never);
        assert_eq!(recovery(&at_once, 0, 10 * second), Recovery::NothingBefore);
        let relapse = series((0..120).map(|t| if (30..40).contains(&t) || (46..60).contains(&t) { 0 } else { 1000 }));
        assert_eq!(recovery(&relapse, 30 * second, 40 * second), Recovery::After(20_000.0));
    }
}

//! A figure: a mean over replications with its 95 % interval.

use serde::Serialize;

use crate::math::student_quantile;

/// A mean over replications.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// The mean; `None` where there is none.
    pub value: Option<f64>,
    /// Half-width of the 95 % interval (Student); `None` for one replication.
    pub ci95: Option<f64>,
    /// Replications it rests on.
    pub n: usize,
    /// Why there is no value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Figure {
    /// A figure that does not exist, and why.
    pub fn none(n: usize, why: impl Into<String>) -> Figure {
        Figure { value: None, ci95: None, n, why: Some(why.into()) }
    }

    pub(crate) fn of(values: &[f64]) -> Figure {
        let (mean, half) = mean_and_half_width(values);
        Figure { value: Some(mean), ci95: half, n: values.len(), why: None }
    }
}

/// What one replication has to say about a figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Sample {
    Value(f64),
    /// Nothing of the kind happened.
    Nothing,
    /// There were `0` observations where `1` are needed.
    TooFew(u64, u64),
    /// It is not defined.
    Undefined(&'static str),
}

impl Sample {
    /// A share or a mean; nothing where there is nothing to divide by.
    pub(crate) fn ratio(part: f64, whole: u64) -> Sample {
        if whole == 0 { Sample::Nothing } else { Sample::Value(part / whole as f64) }
    }
}

/// Folds what replications say, in their order.
pub(crate) fn fold(samples: impl Iterator<Item = Sample>) -> Figure {
    let mut values = Vec::new();
    let mut fewest: Option<(u64, u64)> = None;
    let mut seen = 0;
    for sample in samples {
        seen += 1;
        match sample {
            Sample::Value(value) => values.push(value),
            Sample::Nothing => {}
            Sample::TooFew(have, need) => fewest = Some(fewest.map_or((have, need), |f| (f.0.min(have), need))),
            Sample::Undefined(why) => return Figure::none(seen, why),
        }
    }
    match fewest {
        Some((have, need)) => Figure::none(seen, format!("too few: {have} in a replication, {need} are needed")),
        None if values.is_empty() => Figure::none(seen, "nothing of the kind happened"),
        None => Figure::of(&values),
    }
}

/// Mean and, for two and more, the half-width of its 95 % interval.
pub(crate) fn mean_and_half_width(values: &[f64]) -> (f64, Option<f64>) {
    let n = values.len() as f64;
    let first = values.first().copied().unwrap_or(0.0);
    // Around the first value, so that equal values have exactly themselves as their mean.
    let mean = first + values.iter().map(|v| v - first).sum::<f64>() / n.max(1.0);
    if values.len() < 2 {
        return (mean, None);
    }
    let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0);
    if variance == 0.0 {
        return (mean, Some(0.0));
    }
    (mean, Some(t975(values.len() - 1) * (variance / n).sqrt()))
}

/// Student's t for a two-sided 95 % interval.
pub(crate) fn t975(df: usize) -> f64 {
    use std::sync::OnceLock;
    static TABLE: OnceLock<Vec<f64>> = OnceLock::new();
    let table = TABLE.get_or_init(|| (1..=400).map(|df| student_quantile(0.975, f64::from(df))).collect());
    df.checked_sub(1).and_then(|i| table.get(i)).copied().unwrap_or_else(|| student_quantile(0.975, df as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_students() {
        let (mean, half) = mean_and_half_width(&[1.0, 2.0, 3.0, 4.0]);
        assert_eq!(mean, 2.5);
        // t(0.975, 3) = 3.1824, s = 1.29099.
        assert!((half.unwrap() - 3.182_446 * 1.290_994 / 2.0).abs() < 1e-5);
        assert_eq!(mean_and_half_width(&[7.1; 20]), (7.1, Some(0.0)));
        assert_eq!(mean_and_half_width(&[7.1]), (7.1, None));
    }

    #[test]
    fn what_does_not_exist_says_why() {
        let few = fold([Sample::Value(1.0), Sample::TooFew(480, 500), Sample::TooFew(490, 500)].into_iter());
        assert_eq!(few.value, None);
        assert_eq!(few.why.as_deref(), Some("too few: 480 in a replication, 500 are needed"));
        assert_eq!(fold([Sample::Nothing].into_iter()).value, None);
        let some = fold([Sample::Nothing, Sample::Value(3.0)].into_iter());
        assert_eq!((some.value, some.ci95, some.n), (Some(3.0), None, 1));
    }
}

//! The statistics of comparing two groups, and of looking at many things at once.

/// Logarithms of factorials up to some number.
pub(crate) struct Factorials(Vec<f64>);

impl Factorials {
    /// For tables of `n` journeys in all.
    pub(crate) fn new(n: u32) -> Factorials {
        let mut logs = Vec::with_capacity(n as usize + 1);
        let mut sum = 0.0;
        logs.push(sum);
        for k in 1..=n {
            sum += f64::from(k).ln();
            logs.push(sum);
        }
        Factorials(logs)
    }

    fn of(&self, n: u32) -> f64 {
        self.0.get(n as usize).copied().unwrap_or_default()
    }

    fn choose(&self, n: u32, k: u32) -> f64 {
        self.of(n) - self.of(k) - self.of(n - k)
    }

    /// Fisher's exact test (R. A. Fisher, *The Design of Experiments*, 1935): how probable it is that a trait which `has + others`
    /// journeys of `group + rest` carry falls upon a group as unevenly as this by chance. Two-sided, by doubling the smaller tail.
    pub(crate) fn fisher(&self, has: u32, group: u32, others: u32, rest: u32) -> f64 {
        let carriers = has + others;
        let all = self.choose(group + rest, carriers);
        let point = |k: u32| (self.choose(group, k) + self.choose(rest, carriers - k) - all).exp();
        let (least, most) = (carriers.saturating_sub(rest), carriers.min(group));
        let upper: f64 = (has..=most).map(point).sum();
        let lower: f64 = (least..=has).map(point).sum();
        (2.0 * upper.min(lower)).min(1.0)
    }
}

/// The rank-sum test of H. B. Mann and D. R. Whitney (1947), by its normal approximation with correction for ties and for
/// continuity: how probable it is that one group's values lie as high or low among all as these do. `true` marks the group.
pub(crate) fn rank_sum(values: &mut [(i64, bool)]) -> f64 {
    values.sort_unstable();
    let n = values.len() as f64;
    let group = values.iter().filter(|(_, of)| *of).count() as f64;
    let rest = n - group;
    if group == 0.0 || rest == 0.0 {
        return 1.0;
    }
    let (mut ranks, mut ties, mut at) = (0.0, 0.0, 0.0);
    for same in values.chunk_by(|a, b| a.0 == b.0) {
        let t = same.len() as f64;
        let of_group = same.iter().filter(|(_, of)| *of).count() as f64;
        ranks += of_group * (at + (t + 1.0) / 2.0);
        ties += t * t * t - t;
        at += t;
    }
    let u = ranks - group * (group + 1.0) / 2.0;
    let variance = group * rest / 12.0 * ((n + 1.0) - ties / (n * (n - 1.0)));
    if variance <= 0.0 {
        return 1.0;
    }
    let z = ((u - group * rest / 2.0).abs() - 0.5).max(0.0) / variance.sqrt();
    complementary_error(z / std::f64::consts::SQRT_2)
}

/// The cut of values that tells the group best from the rest: the largest difference of the shares at or above it (W. J. Youden's
/// index, 1950), with the numbers at or above it. `values` are sorted; `group` and `rest` may be larger than they have members.
pub(crate) fn best_cut(values: &[(i64, bool)], group: u32, rest: u32) -> (i64, u32, u32) {
    let (mut best, mut best_by) = ((0, 0, 0), f64::NEG_INFINITY);
    let (mut above, mut others) = (0u32, 0u32);
    for same in values.chunk_by(|a, b| a.0 == b.0).rev() {
        let of_group = same.iter().filter(|(_, of)| *of).count() as u32;
        above += of_group;
        others += same.len() as u32 - of_group;
        let by = f64::from(above) / f64::from(group.max(1)) - f64::from(others) / f64::from(rest.max(1));
        if by > best_by {
            (best, best_by) = ((same.first().map_or(0, |(value, _)| *value), above, others), by);
        }
    }
    best
}

/// Probabilities corrected for the number of looks: the step-up procedure of Y. Benjamini and Y. Hochberg (1995), as adjusted
/// values. Of what is kept below 5 % at most one in twenty is expected to be chance.
pub(crate) fn adjusted(probabilities: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|a, b| probabilities[*b].total_cmp(&probabilities[*a]));
    let (looks, mut least) = (probabilities.len() as f64, 1.0f64);
    let mut out = vec![1.0; probabilities.len()];
    for (behind, at) in order.into_iter().enumerate() {
        let rank = looks - behind as f64;
        least = least.min(probabilities[at] * looks / rank);
        out[at] = least;
    }
    out
}

/// erfc for `x` of 0 and more, to 1.2 × 10⁻⁷ of its value (W. H. Press and others, *Numerical Recipes*, section 6.2: a Chebyshev fit).
fn complementary_error(x: f64) -> f64 {
    const FIT: [f64; 10] = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let t = 1.0 / (1.0 + 0.5 * x);
    let sum = FIT.iter().rev().fold(0.0, |sum, c| sum * t + c);
    t * (-x * x + sum).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exact_test_agrees_with_tables() {
        let factorials = Factorials::new(100);
        // Fisher's tea: 3 of 4 right, one-sided 17/70.
        assert!((factorials.fisher(3, 4, 1, 4) - 2.0 * 17.0 / 70.0).abs() < 1e-9);
        assert!(factorials.fisher(20, 20, 0, 80) < 1e-15);
        assert!((factorials.fisher(2, 20, 8, 80) - 1.0).abs() < 1e-9);
        assert!((factorials.fisher(0, 4, 0, 4) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn ranks_tell_groups_apart_and_ties_do_not() {
        let mut apart: Vec<(i64, bool)> = (0..40).map(|n| (n, n >= 30)).collect();
        // z = (300 - 150 - 0.5) / sqrt(10 * 30 * 41 / 12) = 4.669..., two-sided 3.0e-6.
        assert!((rank_sum(&mut apart) / 3.02e-6 - 1.0).abs() < 0.02);
        assert_eq!(best_cut(&apart, 10, 30), (30, 10, 0));
        let mut tied: Vec<(i64, bool)> = (0..40).map(|n| (7, n >= 30)).collect();
        assert_eq!(rank_sum(&mut tied), 1.0);
        let mut mixed: Vec<(i64, bool)> = (0..40).map(|n| (n, n % 4 == 0)).collect();
        assert!(rank_sum(&mut mixed) > 0.5);
    }

    #[test]
    fn looking_at_many_is_paid_for() {
        // Benjamini and Hochberg's own example (1995, section 3.2) keeps four of fifteen at 5 %.
        let p = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
            0.7590, 1.0,
        ];
        let kept = adjusted(&p).into_iter().filter(|q| *q <= 0.05).count();
        assert_eq!(kept, 4);
        assert!(adjusted(&p).windows(2).all(|w| w[0] <= w[1]));
        assert!(adjusted(&[]).is_empty());
    }
}

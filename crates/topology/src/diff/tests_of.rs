//! The tests of significance, and their correction for being many.

use std::collections::BTreeMap;

use flowglass_model::Sketch;

/// Terms smaller than this, relative to the largest, add nothing.
const NOTHING: f64 = 1e-18;

/// How likely all of `count` occurrences lie on the side with this share of everything.
pub(super) fn all_on_one_side(count: i64, share: f64) -> f64 {
    libm::pow(share.clamp(0.0, 1.0), count.max(0) as f64)
}

/// Fisher's exact test, two-sided, on two shares `(hits, of)`: the probability of all tables that are as unlikely as the one
/// seen, or more, given the sums. Terms are built from the likeliest one outwards, relative to it, so no factorial is needed.
pub(super) fn more_often(a: (i64, i64), b: (i64, i64)) -> f64 {
    let (of_a, of_b, hits) = (a.1.max(0), b.1.max(0), a.0.max(0) + b.0.max(0));
    let all = of_a + of_b;
    let (low, high) = ((hits - of_b).max(0), hits.min(of_a));
    if low >= high {
        return 1.0;
    }
    let mode = (((hits + 1) as f64 * (of_a + 1) as f64 / (all + 2) as f64) as i64).clamp(low, high);
    // P(k + 1) / P(k) of the hypergeometric distribution.
    let step = |k: i64| (hits - k) as f64 * (of_a - k) as f64 / ((k + 1) as f64 * (of_b - hits + k + 1) as f64);
    let mut terms: BTreeMap<i64, f64> = BTreeMap::from([(mode, 1.0)]);
    let mut term = 1.0;
    for k in mode..high {
        term *= step(k);
        if term < NOTHING {
            break;
        }
        terms.insert(k + 1, term);
    }
    term = 1.0;
    for k in (low..mode).rev() {
        term /= step(k);
        if term < NOTHING {
            break;
        }
        terms.insert(k, term);
    }
    let Some(seen) = terms.get(&a.0) else { return 0.0 };
    let total: f64 = terms.values().sum();
    let as_unlikely: f64 = terms.values().filter(|t| **t <= seen * (1.0 + 1e-7)).sum();
    (as_unlikely / total).min(1.0)
}

/// The rank test of Mann, Whitney and Wilcoxon, two-sided, by its normal approximation with the correction for ties and for
/// continuity. Values that share a bucket are ties: their order is unknown, which makes the test only more careful.
pub(super) fn ranks(a: &Sketch, b: &Sketch) -> f64 {
    let joint = joint(a, b);
    let (n, m) = (a.count() as f64, b.count() as f64);
    let all = n + m;
    let (mut below, mut rank_sum, mut ties) = (0.0, 0.0, 0.0);
    for (of_a, of_b) in joint.values() {
        let here = (of_a + of_b) as f64;
        rank_sum += *of_a as f64 * (below + (here + 1.0) / 2.0);
        ties += here * (here * here - 1.0);
        below += here;
    }
    let u = rank_sum - n * (n + 1.0) / 2.0;
    let variance = n * m / 12.0 * ((all + 1.0) - ties / (all * (all - 1.0)));
    if variance <= 0.0 {
        return 1.0;
    }
    let z = ((u - n * m / 2.0).abs() - 0.5).max(0.0) / libm::sqrt(variance);
    libm::erfc(z / std::f64::consts::SQRT_2)
}

/// Whether the shares of values above the common `q`-quantile differ: Fisher's exact test.
pub(super) fn tail(a: &Sketch, b: &Sketch, q: f64) -> f64 {
    let joint = joint(a, b);
    let all = a.count() + b.count();
    let most_above = all - (q * all as f64) as i64;
    let (mut above_a, mut above_b) = (0, 0);
    for (of_a, of_b) in joint.values().rev() {
        // Ties at the limit stay together; where they are all there is above, they count.
        let above = above_a + above_b;
        if above > 0 && above + of_a + of_b > most_above {
            break;
        }
        above_a += of_a;
        above_b += of_b;
    }
    more_often((above_a, a.count()), (above_b, b.count()))
}

/// Counts of both by bucket, by growing value.
fn joint(a: &Sketch, b: &Sketch) -> BTreeMap<i32, (i64, i64)> {
    let mut out: BTreeMap<i32, (i64, i64)> = BTreeMap::new();
    a.buckets().for_each(|(bucket, count)| out.entry(bucket).or_default().0 += count.max(0));
    b.buckets().for_each(|(bucket, count)| out.entry(bucket).or_default().1 += count.max(0));
    out
}

/// The probabilities corrected for how many there are: what is told at `q` holds a share of `q` false ones at most (Benjamini and
/// Hochberg, Journal of the Royal Statistical Society B 57, 1995).
pub(super) fn adjusted(chances: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..chances.len()).collect();
    order.sort_by(|a, b| chances[*b].total_cmp(&chances[*a]));
    let mut out = vec![1.0; chances.len()];
    let mut least = 1.0f64;
    for (from_last, index) in order.into_iter().enumerate() {
        let rank = chances.len() - from_last;
        least = least.min(chances[index] * chances.len() as f64 / rank as f64);
        out[index] = least;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(got: f64, want: f64) {
        assert!((got - want).abs() <= want * 1e-3 + 1e-12, "{got} instead of {want}");
    }

    /// Worked by hand: tables small enough to count.
    #[test]
    fn shares_by_fisher() {
        // 8 of 10 against 1 of 6: tables with the same sums as unlikely or more: (18 + 10 + 15 + 210 + 270 + …) / 11440.
        near(more_often((8, 10), (1, 6)), 0.034_965);
        near(more_often((3, 10), (3, 10)), 1.0);
        near(more_often((0, 5), (0, 9)), 1.0);
        near(more_often((5, 5), (0, 5)), 2.0 / 252.0);
        assert_eq!(more_often((0, 1_000_000), (10_000, 1_000_000)), 0.0);
    }

    #[test]
    fn times_by_ranks() {
        let of = |values: &[i64]| {
            let mut sketch = Sketch::default();
            values.iter().for_each(|v| sketch.add(v * 1_000_000, 1));
            sketch
        };
        // All of one below all of the other: U = 0, mean 50, variance 175, z = 49.5 / 13.23.
        let (low, high) = (of(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), of(&[11, 12, 13, 14, 15, 16, 17, 18, 19, 20]));
        near(ranks(&low, &high), 0.000_182_7);
        assert_eq!(ranks(&low, &low), 1.0);
        assert_eq!(ranks(&of(&[5; 20]), &of(&[5; 20])), 1.0, "nothing but ties");
        let mut slow_end = of(&[5; 80]);
        slow_end.merge(&of(&[90; 20]));
        assert!(tail(&of(&[5; 100]), &slow_end, 0.95) < 1e-5, "a fifth takes longer");
        assert_eq!(tail(&of(&[5; 100]), &of(&[5; 80]), 0.95), 1.0);
    }

    #[test]
    fn many_tests_are_corrected() {
        let got = adjusted(&[0.01, 0.04, 0.03, 0.005]);
        for (got, want) in got.iter().zip([0.02, 0.04, 0.04, 0.02]) {
            near(*got, want);
        }
    }
}

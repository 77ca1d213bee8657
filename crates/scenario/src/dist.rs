//! Distributions of durations, sampled by inversion: one number in, one duration out, and more in never gives less out.

use crate::math::{exp, gamma_p, gamma_quantile, ln, ln_1p, ln_of_share, normal_quantile};

/// A distribution of durations, in nanoseconds.
#[derive(Debug, Clone, PartialEq)]
pub enum Dist {
    /// Always the same.
    Constant(f64),
    /// Exponential, with this mean.
    Exp(f64),
    /// Gamma with this mean and squared coefficient of variation (variance / mean²); Erlang-k is `scv = 1/k`.
    Gamma {
        /// Mean.
        mean: f64,
        /// Variance over squared mean, above 0.
        scv: f64,
    },
    /// Log-normal.
    Lognormal {
        /// Mean.
        mean: f64,
        /// Variance over squared mean, above 0.
        scv: f64,
    },
    /// Hyperexponential of two phases with balanced means (each phase carries half of the mean).
    Hyperexp {
        /// Mean.
        mean: f64,
        /// Variance over squared mean, at least 1.
        scv: f64,
    },
    /// Uniform between two bounds.
    Uniform {
        /// Least.
        min: f64,
        /// Most.
        max: f64,
    },
    /// Linear between points `(share, duration)`, both growing; never below the first or above the last.
    Quantiles(Vec<(f64, f64)>),
    /// Another distribution, moved up.
    Shifted {
        /// By how much.
        by: f64,
        /// What is moved.
        then: Box<Dist>,
    },
}

impl Dist {
    /// Mean, nanoseconds.
    pub fn mean(&self) -> f64 {
        match self {
            Dist::Constant(value) => *value,
            Dist::Exp(mean) | Dist::Gamma { mean, .. } | Dist::Lognormal { mean, .. } | Dist::Hyperexp { mean, .. } => {
                *mean
            }
            Dist::Uniform { min, max } => (min + max) / 2.0,
            Dist::Quantiles(points) => {
                let inside: f64 = points.windows(2).map(|w| (w[1].0 - w[0].0) * (w[0].1 + w[1].1) / 2.0).sum();
                let below = points.first().map_or(0.0, |p| p.0 * p.1);
                let above = points.last().map_or(0.0, |p| (1.0 - p.0) * p.1);
                below + inside + above
            }
            Dist::Shifted { by, then } => by + then.mean(),
        }
    }

    /// Quantile, nanoseconds.
    pub fn quantile(&self, p: f64) -> f64 {
        Sampler::new(self).value(p)
    }

    /// The same shape with every duration so many times as long.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Dist {
        match self {
            Dist::Constant(value) => Dist::Constant(value * factor),
            Dist::Exp(mean) => Dist::Exp(mean * factor),
            Dist::Gamma { mean, scv } => Dist::Gamma { mean: mean * factor, scv: *scv },
            Dist::Lognormal { mean, scv } => Dist::Lognormal { mean: mean * factor, scv: *scv },
            Dist::Hyperexp { mean, scv } => Dist::Hyperexp { mean: mean * factor, scv: *scv },
            Dist::Uniform { min, max } => Dist::Uniform { min: min * factor, max: max * factor },
            Dist::Quantiles(points) => Dist::Quantiles(points.iter().map(|(p, v)| (*p, v * factor)).collect()),
            Dist::Shifted { by, then } => Dist::Shifted { by: by * factor, then: Box::new(then.scaled(factor)) },
        }
    }

    /// Whether it is always zero.
    pub fn is_zero(&self) -> bool {
        matches!(self, Dist::Constant(v) if *v == 0.0)
    }
}

/// A distribution made ready for sampling.
#[derive(Debug, Clone)]
pub(crate) enum Sampler {
    Constant(u64),
    Exp(f64),
    Gamma { shape: f64, scale: f64 },
    Lognormal { mu: f64, sigma: f64 },
    Hyperexp { p: f64, first: f64, second: f64 },
    Uniform { min: f64, width: f64 },
    Quantiles(Vec<(f64, f64)>),
    Shifted { by: f64, then: Box<Sampler> },
}

impl Sampler {
    pub(crate) fn new(dist: &Dist) -> Sampler {
        match dist {
            Dist::Constant(value) => Sampler::Constant(round(*value)),
            Dist::Exp(mean) => Sampler::Exp(*mean),
            Dist::Gamma { mean, scv } if *scv == 1.0 => Sampler::Exp(*mean),
            Dist::Gamma { mean, scv } => Sampler::Gamma { shape: 1.0 / scv, scale: mean * scv },
            Dist::Lognormal { mean, scv } => {
                let variance = ln_1p(*scv);
                Sampler::Lognormal { mu: ln(*mean) - variance / 2.0, sigma: variance.sqrt() }
            }
            Dist::Hyperexp { mean, scv } => {
                let p = 0.5 * (1.0 + ((scv - 1.0) / (scv + 1.0)).sqrt());
                Sampler::Hyperexp { p, first: mean / (2.0 * p), second: mean / (2.0 * (1.0 - p)) }
            }
            Dist::Uniform { min, max } => Sampler::Uniform { min: *min, width: max - min },
            Dist::Quantiles(points) => Sampler::Quantiles(points.clone()),
            Dist::Shifted { by, then } => Sampler::Shifted { by: *by, then: Box::new(Sampler::new(then)) },
        }
    }

    /// The duration at `u`, rounded half up to whole nanoseconds, never negative.
    #[inline]
    pub(crate) fn sample(&self, u: f64) -> u64 {
        match self {
            Sampler::Constant(value) => *value,
            Sampler::Exp(mean) => round(-mean * ln_of_share(1.0 - u)),
            other => round(other.value(u)),
        }
    }

    /// Whether every sample is zero.
    pub(crate) fn is_zero(&self) -> bool {
        matches!(self, Sampler::Constant(0))
    }

    fn value(&self, u: f64) -> f64 {
        match self {
            Sampler::Constant(value) => *value as f64,
            Sampler::Exp(mean) => -mean * ln_of_share(1.0 - u),
            Sampler::Gamma { shape, scale } => scale * gamma_quantile(*shape, u),
            Sampler::Lognormal { mu, sigma } => exp(mu + sigma * normal_quantile(u)),
            Sampler::Hyperexp { p, first, second } => hyperexp_quantile(*p, *first, *second, u),
            Sampler::Uniform { min, width } => min + width * u,
            Sampler::Quantiles(points) => interpolate(points, u),
            Sampler::Shifted { by, then } => by + then.value(u),
        }
    }
}

#[inline]
fn round(nanoseconds: f64) -> u64 {
    // A conversion saturates: below zero is zero, beyond u64 is its end.
    (nanoseconds + 0.5) as u64
}

/// Solves `p e^(−x/a) + (1−p) e^(−x/b) = 1 − u` by Newton's method from below, where the left side is convex and so never overshot.
fn hyperexp_quantile(p: f64, a: f64, b: f64, u: f64) -> f64 {
    let rest = 1.0 - u;
    let mut x = 0.0;
    for _ in 0..200 {
        let (one, two) = (p * exp(-x / a), (1.0 - p) * exp(-x / b));
        let step = (one + two - rest) / (one / a + two / b);
        x += step;
        if step <= x * 1e-12 {
            break;
        }
    }
    x
}

fn interpolate(points: &[(f64, f64)], u: f64) -> f64 {
    let after = points.partition_point(|p| p.0 < u);
    let (Some(high), Some(low)) = (points.get(after), after.checked_sub(1).and_then(|i| points.get(i))) else {
        return points.get(after).or(points.last()).map_or(0.0, |p| p.1);
    };
    low.1 + (high.1 - low.1) * (u - low.0) / (high.0 - low.0)
}

/// Share of a gamma distribution that lies below a value; used by closed-form checks.
pub fn gamma_share_below(mean: f64, scv: f64, value: f64) -> f64 {
    gamma_p(1.0 / scv, value / (mean * scv))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(dist: &Dist) -> (f64, f64) {
        let sampler = Sampler::new(dist);
        let n = 200_000;
        let values: Vec<f64> = (0..n).map(|i| sampler.sample((f64::from(i) + 0.5) / f64::from(n)) as f64).collect();
        let mean = values.iter().sum::<f64>() / f64::from(n);
        let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / f64::from(n);
        (mean, variance / (mean * mean))
    }

    #[test]
    fn means_and_variations_are_those_asked_for() {
        let m = 1e7;
        for (dist, scv) in [
            (Dist::Exp(m), 1.0),
            (Dist::Gamma { mean: m, scv: 0.25 }, 0.25),
            (Dist::Gamma { mean: m, scv: 3.0 }, 3.0),
            (Dist::Lognormal { mean: m, scv: 0.5 }, 0.5),
            (Dist::Hyperexp { mean: m, scv: 4.0 }, 4.0),
            (Dist::Uniform { min: 0.0, max: 2.0 * m }, 1.0 / 3.0),
            (Dist::Constant(m), 0.0),
        ] {
            let (mean, variation) = moments(&dist);
            assert!((mean / m - 1.0).abs() < 0.003, "{dist:?}: mean {mean}");
            assert!((dist.mean() - m).abs() < 1e-6 * m);
            assert!((variation - scv).abs() < 0.05 * scv.max(0.02), "{dist:?}: scv {variation}");
        }
    }

    #[test]
    fn samples_grow_with_their_number() {
        for dist in [
            Dist::Gamma { mean: 1e6, scv: 2.0 },
            Dist::Hyperexp { mean: 1e6, scv: 9.0 },
            Dist::Lognormal { mean: 1e6, scv: 1.0 },
            Dist::Quantiles(vec![(0.0, 1e6), (0.5, 2e6), (1.0, 9e6)]),
            Dist::Shifted { by: 1e5, then: Box::new(Dist::Exp(1e6)) },
        ] {
            let sampler = Sampler::new(&dist);
            let all: Vec<u64> = (1..2000).map(|i| sampler.sample(f64::from(i) / 2000.0)).collect();
            assert!(all.windows(2).all(|w| w[0] <= w[1]), "{dist:?}");
        }
        assert_eq!(Dist::Quantiles(vec![(0.5, 8.0), (0.9, 16.0)]).quantile(0.2), 8.0);
        assert_eq!(Dist::Quantiles(vec![(0.5, 8.0), (0.9, 16.0)]).quantile(0.7), 12.0);
    }
}

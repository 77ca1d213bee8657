//! Seeded choices: every decision is a pure function of (seed, request, what is decided), never of
//! time or of the order in which tasks happen to run.

use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::landscape::ServiceTime;

/// A stream of random numbers that belongs to one decision.
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The dice of the decision named `what` about request `key` under `seed`.
    #[must_use]
    pub fn new(seed: u64, key: u64, what: &str) -> Self {
        let mut bytes = [0_u8; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&key.to_le_bytes());
        bytes[16..24].copy_from_slice(&fnv1a(what).to_le_bytes());
        Self(ChaCha8Rng::from_seed(bytes))
    }

    /// A number in `[0, 1)`.
    pub fn unit(&mut self) -> f64 {
        self.0.random()
    }

    /// True with probability `share`.
    pub fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// A whole number in `[low, high)`; `low` where the range is empty.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        if high <= low {
            return low;
        }
        self.0.random_range(low..high)
    }

    /// The index of one of `weights`, chosen in proportion to them.
    pub fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f64>();
        for (index, weight) in weights.iter().enumerate() {
            if left < *weight {
                return index;
            }
            left -= weight;
        }
        weights.len().saturating_sub(1)
    }

    /// An exponentially distributed waiting time with `rate` events per second.
    pub fn waiting_time(&mut self, rate: f64) -> Duration {
        Duration::from_secs_f64(-(1.0 - self.unit()).ln() / rate)
    }

    /// One service time: `offset + median * exp(sigma * N(0,1))`, by Box and Muller's transform.
    pub fn service_time(&mut self, of: &ServiceTime) -> Duration {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * self.unit()).cos();
        let ms = of.offset_ms + of.median_ms * (of.sigma * normal).exp();
        Duration::from_secs_f64(ms / 1000.0)
    }
}

/// FNV-1a, 64 bits: a stable hash of a decision's name (the standard library's may change).
#[must_use]
pub fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_decision_repeats_and_others_differ() {
        let draw = |seed, key, what: &str| Dice::new(seed, key, what).unit().to_bits();
        assert_eq!(draw(7, 3, "charge"), draw(7, 3, "charge"));
        assert_ne!(draw(7, 3, "charge"), draw(8, 3, "charge"));
        assert_ne!(draw(7, 3, "charge"), draw(7, 4, "charge"));
        assert_ne!(draw(7, 3, "charge"), draw(7, 3, "capture"));
    }

    #[test]
    fn service_times_follow_their_parameters() {
        let of = ServiceTime { offset_ms: 20.0, median_ms: 30.0, sigma: 0.4 };
        let mut dice = Dice::new(1, 0, "times");
        let mut times: Vec<f64> = (0..20_000).map(|_| dice.service_time(&of).as_secs_f64() * 1000.0).collect();
        times.sort_by(f64::total_cmp);
        assert!(times[0] >= 20.0, "never below the offset: {}", times[0]);
        let median = times[times.len() / 2];
        assert!((median - 50.0).abs() < 1.0, "median {median}");
        let mean = times.iter().sum::<f64>() / times.len() as f64;
        assert!((mean - of.mean_ms()).abs() < 0.5, "mean {mean} against {}", of.mean_ms());
    }

    #[test]
    fn arrivals_come_at_the_rate_asked_for() {
        let mut dice = Dice::new(2, 0, "arrivals");
        let total: f64 = (0..20_000).map(|_| dice.waiting_time(4.0).as_secs_f64()).sum();
        let rate = 20_000.0 / total;
        assert!((rate - 4.0).abs() < 0.1, "rate {rate}");
    }

    #[test]
    fn weights_are_respected() {
        let mut dice = Dice::new(3, 0, "weights");
        let mut hits = [0_u32; 3];
        for _ in 0..10_000 {
            hits[dice.weighted(&[1.0, 0.0, 3.0])] += 1;
        }
        assert_eq!(hits[1], 0);
        assert!((2_300..2_700).contains(&hits[0]), "{hits:?}");
    }
}

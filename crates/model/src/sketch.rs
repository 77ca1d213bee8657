//! A mergeable quantile sketch with a bounded relative error.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// Ratio between neighbouring bucket bounds: (1 + a) / (1 - a) with a = 0.5 %.
const GAMMA: f64 = 1.005 / 0.995;
/// Values nearer to zero than this (nanoseconds) count as zero.
const ZERO: f64 = 1.0;

/// Logarithmic histogram of durations in nanoseconds, negative ones included (clock skew, a consumer that starts before the
/// publisher is done). A quantile is off by at most 0.5 % of its value: DDSketch (Masson, Rim and Lee, VLDB 2019, section 2).
/// Unlike the original it forgets: a value once added can be removed again when a late span corrects it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sketch {
    /// Bucket index (0 = zero, positive and negative logarithmic indices shifted by one) and count, by growing index: thousands of
    /// sketches are added up for one picture, and a list is read and added several times as fast as a tree.
    buckets: Vec<(i32, i64)>,
}

fn index(value: f64) -> i32 {
    // Taken once: the compiler does not work out logarithms.
    static LOG_GAMMA: LazyLock<f64> = LazyLock::new(|| GAMMA.ln());
    let magnitude = value.abs();
    if magnitude < ZERO {
        return 0;
    }
    let i = (magnitude.ln() / *LOG_GAMMA).ceil() as i32 + 1;
    if value < 0.0 { -i } else { i }
}

fn midpoint(index: i32) -> f64 {
    if index == 0 {
        return 0.0;
    }
    let bound = GAMMA.powi(index.abs() - 1);
    let value = 2.0 * bound / (GAMMA + 1.0);
    if index < 0 { -value } else { value }
}

impl Sketch {
    /// Counts a value (`count` may be negative to take it back).
    pub fn add(&mut self, nanos: i64, count: i64) {
        self.add_to(Sketch::bucket(nanos), count);
    }

    /// The bucket of a value, for those who count it in several sketches.
    pub fn bucket(nanos: i64) -> i32 {
        index(nanos as f64)
    }

    /// Counts a value by its [`Sketch::bucket`].
    pub fn add_to(&mut self, bucket: i32, count: i64) {
        match self.buckets.binary_search_by_key(&bucket, |(i, _)| *i) {
            Ok(at) => {
                self.buckets[at].1 += count;
                if self.buckets[at].1 == 0 {
                    self.buckets.remove(at);
                }
            }
            Err(_) if count == 0 => {}
            Err(at) => self.buckets.insert(at, (bucket, count)),
        }
    }

    /// Adds all values of another sketch.
    pub fn merge(&mut self, other: &Sketch) {
        let (mut at, mut missing, mut emptied) = (0, Vec::new(), false);
        for (i, n) in &other.buckets {
            // Both grow: what is looked for lies behind what was found last.
            match self.buckets[at..].binary_search_by_key(i, |(i, _)| *i) {
                Ok(next) => {
                    at += next;
                    self.buckets[at].1 += n;
                    emptied |= self.buckets[at].1 == 0;
                }
                Err(next) => {
                    at += next;
                    missing.push((*i, *n));
                }
            }
        }
        if !missing.is_empty() {
            let known = std::mem::take(&mut self.buckets);
            self.buckets.reserve(known.len() + missing.len());
            let mut missing = missing.into_iter().peekable();
            for bucket in known {
                while let Some(before) = missing.next_if(|(i, _)| *i < bucket.0) {
                    self.buckets.push(before);
                }
                self.buckets.push(bucket);
            }
            self.buckets.extend(missing);
        }
        if emptied {
            self.buckets.retain(|(_, n)| *n != 0);
        }
    }

    /// Number of values.
    pub fn count(&self) -> i64 {
        self.buckets.iter().map(|(_, n)| n).sum()
    }

    /// Buckets with how many values they hold, by growing value. The same number is the same stretch of values in every sketch.
    pub fn buckets(&self) -> impl Iterator<Item = (i32, i64)> + '_ {
        self.buckets.iter().copied()
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// The `q`-quantile (0 to 1, nearest rank) in nanoseconds; `None` when empty.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let total = self.count();
        if total <= 0 {
            return None;
        }
        let rank = ((q * total as f64) as i64).clamp(0, total - 1);
        let mut seen = 0;
        for (i, n) in &self.buckets {
            seen += n;
            if seen > rank {
                return Some(midpoint(*i));
            }
        }
        None
    }

    /// Compact bytes: pairs of zig-zag varints (difference of index, count).
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.buckets.len() * 3);
        let mut previous = 0i64;
        for (i, n) in &self.buckets {
            put(&mut out, i64::from(*i) - previous);
            put(&mut out, *n);
            previous = i64::from(*i);
        }
        out
    }

    /// Reads [`Sketch::to_bytes`]; what cannot be read is left out.
    pub fn from_bytes(bytes: &[u8]) -> Sketch {
        // Two bytes a bucket at least.
        let mut buckets: Vec<(i32, i64)> = Vec::with_capacity(bytes.len() / 2);
        let (mut at, mut previous, mut sorted) = (0, 0i64, true);
        while let Some(diff) = take(bytes, &mut at) {
            let Some(n) = take(bytes, &mut at) else { break };
            previous = previous.saturating_add(diff);
            if let Ok(i) = i32::try_from(previous) {
                sorted &= buckets.last().is_none_or(|(last, _)| *last < i);
                buckets.push((i, n));
            }
        }
        if !sorted {
            // Nobody of ours writes it so; of what stands twice the last counts.
            buckets.reverse();
            buckets.sort_by_key(|(i, _)| *i);
            buckets.dedup_by_key(|(i, _)| *i);
        }
        Sketch { buckets }
    }
}

fn put(out: &mut Vec<u8>, value: i64) {
    let mut z = ((value << 1) ^ (value >> 63)) as u64;
    while z >= 0x80 {
        out.push((z as u8) | 0x80);
        z >>= 7;
    }
    out.push(z as u8);
}

fn take(bytes: &[u8], at: &mut usize) -> Option<i64> {
    let (mut z, mut shift) = (0u64, 0);
    loop {
        let b = *bytes.get(*at)?;
        *at += 1;
        z |= u64::from(b & 0x7f) << shift;
        if b < 0x80 {
            return Some(((z >> 1) as i64) ^ -((z & 1) as i64));
        }
        shift += 7;
        if shift > 63 {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_stay_within_half_a_percent_and_forget() {
        let mut s = Sketch::default();
        for v in 1..=10_000i64 {
            s.add(v * 1_000, 1);
        }
        for (q, want) in [(0.5, 5_001e3), (0.95, 9_501e3), (0.0, 1e3)] {
            let got = s.quantile(q).unwrap();
            assert!((got - want).abs() / want < 0.0051, "q{q}: {got} instead of {want}");
        }
        let mut twice = s.clone();
        twice.merge(&s);
        assert_eq!(twice.count(), 20_000);
        assert_eq!(Sketch::from_bytes(&s.to_bytes()), s);
        for v in 1..=10_000i64 {
            s.add(v * 1_000, -1);
        }
        assert!(s.is_empty());
    }

    #[test]
    fn merging_adds_bucket_by_bucket_whatever_each_has() {
        let of = |values: &[(i64, i64)]| {
            let mut s = Sketch::default();
            values.iter().for_each(|(v, n)| s.add(*v, *n));
            s
        };
        let parts = [vec![(5, 1), (900, 2)], vec![(1, 1), (900, -2), (70_000, 4)], vec![(-30, 2), (5, 3)], vec![]];
        let mut merged = Sketch::default();
        parts.iter().for_each(|part| merged.merge(&of(part)));
        assert_eq!(merged, of(&parts.concat()));
        assert_eq!(merged.buckets().map(|(_, n)| n).collect::<Vec<_>>(), [2, 1, 4, 4]);
        assert!(merged.buckets().is_sorted());
    }

    #[test]
    fn bytes_out_of_order_are_read_in_order() {
        let mut bytes = Vec::new();
        for n in [7, 1, -3, 2, 3, 5] {
            put(&mut bytes, n);
        }
        assert_eq!(Sketch::from_bytes(&bytes).buckets().collect::<Vec<_>>(), [(4, 2), (7, 5)]);
    }

    #[test]
    fn negative_values_are_kept() {
        let mut s = Sketch::default();
        for v in [-5_000_000, -1_000_000, 0, 3_000_000] {
            s.add(v, 1);
        }
        let p0 = s.quantile(0.0).unwrap();
        assert!((p0 + 5e6).abs() < 5e4, "{p0}");
        assert_eq!(s.quantile(0.5), Some(0.0));
    }
}

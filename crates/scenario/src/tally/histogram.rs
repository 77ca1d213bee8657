//! Times in buckets of less than 1 % width, with the mean of each bucket: constant memory, exact for constants.

/// Buckets of one octave: 2⁷, so that a bucket is at most 0.8 % wide.
const SUB: usize = 128;
/// Times that wait for their buckets.
const FRESH: usize = 32;

/// A histogram of times, nanoseconds. Two histograms add up exactly, in any order.
#[derive(Debug, Clone, Default)]
#[repr(C)]
pub(crate) struct Histogram {
    /// Recorded, not in a bucket yet: with many histograms, a bucket is far away, and several at once are fetched together.
    fresh: Vec<u64>,
    /// How many of them are exactly zero: most waits are, and cost no bucket.
    zeros: u64,
    count: u64,
    /// Count and sum of each bucket side by side (recording touches one line of the cache), from the first octave met to the last.
    buckets: Vec<(u64, u64)>,
    /// Where the first bucket stands among all there could be.
    from: usize,
    sum: u128,
    max: u64,
}

impl Histogram {
    /// Takes a time. Before anything is read, `settle` has to be called.
    #[inline]
    pub(crate) fn record(&mut self, value: u64) {
        if value == 0 {
            self.count += 1;
            self.zeros += 1;
            return;
        }
        self.fresh.push(value);
        if self.fresh.len() >= FRESH {
            self.settle();
        }
    }

    /// Puts what is fresh into its buckets. What they have in common is added up first: the loop over the buckets then does little
    /// else than wait for memory, for several of them at once.
    pub(crate) fn settle(&mut self) {
        let mut range = (u64::MAX, 0);
        for value in &self.fresh {
            range = (range.0.min(*value), range.1.max(*value));
            self.sum += u128::from(*value);
        }
        if self.fresh.is_empty() {
            return;
        }
        self.count += self.fresh.len() as u64;
        self.max = self.max.max(range.1);
        self.cover(bucket_of(range.0), bucket_of(range.1));
        let from = self.from;
        for value in &self.fresh {
            let bucket = &mut self.buckets[bucket_of(*value) - from];
            bucket.0 += 1;
            bucket.1 = bucket.1.saturating_add(*value);
        }
        self.fresh.clear();
    }

    /// Makes room for the octaves of two buckets and all between.
    fn cover(&mut self, first: usize, last: usize) {
        let (first, end) = (first / SUB * SUB, (last / SUB + 1) * SUB);
        if self.buckets.is_empty() {
            self.from = first;
        }
        if first < self.from {
            self.buckets.splice(0..0, std::iter::repeat_n((0, 0), self.from - first));
            self.from = first;
        }
        if end > self.from + self.buckets.len() {
            self.buckets.resize(end - self.from, (0, 0));
        }
    }

    /// How many.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Mean, nanoseconds.
    pub(crate) fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / self.count as f64)
    }

    /// Largest, nanoseconds.
    pub(crate) fn max(&self) -> Option<f64> {
        (self.count > 0).then_some(self.max as f64)
    }

    /// Nearest-rank percentiles of growing shares, nanoseconds: the mean of the bucket in which that rank lies; 0 where nothing was
    /// recorded.
    pub(crate) fn percentiles<const N: usize>(&self, shares: [f64; N]) -> [f64; N] {
        debug_assert!(self.fresh.is_empty(), "settled before it is read");
        let mut found = [0.0; N];
        let mut ranks =
            shares.map(|p| ((p * self.count as f64).ceil() as u64).clamp(1, self.count.max(1))).into_iter().enumerate();
        let Some(mut rank) = ranks.next() else { return found };
        let mut below = self.zeros;
        while below >= rank.1 {
            match ranks.next() {
                Some(next) => rank = next,
                None => return found,
            }
        }
        for (count, sum) in &self.buckets {
            below += *count;
            while below >= rank.1 {
                found[rank.0] = *sum as f64 / *count as f64;
                match ranks.next() {
                    Some(next) => rank = next,
                    None => return found,
                }
            }
        }
        found
    }

    /// The empirical distribution function in so many points at most: nanoseconds and the share that is not above them.
    pub(crate) fn curve(&self, points: usize) -> Vec<(f64, f64)> {
        let mut all = Vec::new();
        if self.count == 0 {
            return all;
        }
        let whole = self.count as f64;
        let mut below = self.zeros;
        let mut told = 0;
        if self.zeros > 0 {
            all.push((0.0, self.zeros as f64 / whole));
            told = (self.zeros as u128 * points as u128 / self.count as u128) as usize;
        }
        for (count, sum) in self.buckets.iter().filter(|bucket| bucket.0 > 0) {
            below += *count;
            let reached = (below as u128 * points as u128 / self.count as u128) as usize;
            if reached > told || (below == self.count) {
                told = reached;
                all.push((*sum as f64 / *count as f64, below as f64 / whole));
            }
        }
        all
    }

    /// One nearest-rank percentile, nanoseconds.
    pub(crate) fn percentile(&self, share: f64) -> Option<f64> {
        (self.count > 0).then(|| self.percentiles([share])[0])
    }

    /// Adds all of another one.
    pub(crate) fn merge(&mut self, other: &Histogram) {
        debug_assert!(other.fresh.is_empty(), "settled before it is read");
        if let Some(last) = other.buckets.len().checked_sub(1) {
            self.cover(other.from, other.from + last);
            for (mine, more) in self.buckets[other.from - self.from..].iter_mut().zip(&other.buckets) {
                mine.0 += more.0;
                mine.1 = mine.1.saturating_add(more.1);
            }
        }
        self.count += other.count;
        self.zeros += other.zeros;
        self.sum += other.sum;
        self.max = self.max.max(other.max);
    }
}

/// The bucket of a value: values below 128 have one each, then each octave has 128.
#[inline]
fn bucket_of(value: u64) -> usize {
    let octave = (64 - (value >> 7).leading_zeros()) as usize;
    let shift = octave.saturating_sub(1);
    octave * SUB + (((value >> shift) as usize) & (SUB - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_exact_and_others_within_a_percent() {
        let mut constant = Histogram::default();
        (0..1000).for_each(|_| constant.record(7_000_001));
        constant.settle();
        assert_eq!(constant.percentiles([0.5, 0.99]), [7_000_001.0; 2]);
        assert_eq!(constant.mean(), Some(7_000_001.0));
        let mut even = Histogram::default();
        (1..=100_000u64).for_each(|i| even.record(i * 1000));
        even.settle();
        let shares = [0.01, 0.5, 0.95, 0.99];
        for (p, value) in shares.into_iter().zip(even.percentiles(shares)) {
            assert!((value / (p * 1e8) - 1.0).abs() < 0.008, "{p}: {value}");
        }
        assert_eq!(even.max(), Some(1e8));
        assert_eq!(Histogram::default().percentiles([0.5]), [0.0]);
        let mut half = Histogram::default();
        (0..100u64).for_each(|i| half.record(if i < 50 { 0 } else { i }));
        half.settle();
        assert_eq!(half.percentiles([0.25, 0.5, 0.51, 1.0]), [0.0, 0.0, 50.0, 99.0]);
        let mut both = half.clone();
        both.merge(&constant);
        assert_eq!((both.count(), both.max()), (1100, Some(7_000_001.0)));
        assert_eq!(both.percentiles([0.01, 0.5]), [0.0, 7_000_001.0]);
    }

    #[test]
    fn buckets_grow_with_values() {
        let mut last = 0;
        for value in (0..100_000u64).chain((0..57).map(|s| 1u64 << s).filter(|v| *v > 100_000)) {
            let now = bucket_of(value);
            assert!(now >= last, "{value}");
            last = now;
        }
    }
}

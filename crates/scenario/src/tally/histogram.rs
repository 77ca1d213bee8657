//! Times in buckets of less than 1 % width, with the mean of each bucket: constant memory, exact for constants.

/// Buckets of one octave: 2⁷, so that a bucket is at most 0.8 % wide.
const SUB: usize = 128;

/// A histogram of times, nanoseconds. Two histograms add up exactly, in any order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Histogram {
    /// One page for each octave that was met.
    pages: Vec<Option<Box<Page>>>,
    count: u64,
    sum: u128,
    max: u64,
}

#[derive(Debug, Clone)]
struct Page {
    counts: [u32; SUB],
    sums: [u64; SUB],
}

impl Histogram {
    /// Takes a time.
    #[inline]
    pub(crate) fn record(&mut self, value: u64) {
        let (page, slot) = place(value);
        if page >= self.pages.len() {
            self.pages.resize(page + 1, None);
        }
        let page = self.pages[page].get_or_insert_with(|| Box::new(Page { counts: [0; SUB], sums: [0; SUB] }));
        page.counts[slot] += 1;
        page.sums[slot] = page.sums[slot].saturating_add(value);
        self.count += 1;
        self.sum += u128::from(value);
        self.max = self.max.max(value);
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

    /// Nearest-rank percentile, nanoseconds: the mean of the bucket in which that rank lies.
    pub(crate) fn percentile(&self, p: f64) -> Option<f64> {
        if self.count == 0 {
            return None;
        }
        let rank = ((p * self.count as f64).ceil() as u64).clamp(1, self.count);
        let mut below = 0;
        for page in self.pages.iter().flatten() {
            for (count, sum) in page.counts.iter().zip(&page.sums) {
                below += u64::from(*count);
                if below >= rank {
                    return Some(*sum as f64 / f64::from(*count));
                }
            }
        }
        self.max()
    }

    /// Upper ends of buckets with the share at or below them, for drawing a distribution.
    pub(crate) fn shares(&self) -> Vec<(f64, f64)> {
        let mut below = 0;
        let mut out = Vec::new();
        for page in self.pages.iter().flatten() {
            for (count, sum) in page.counts.iter().zip(&page.sums).filter(|(c, _)| **c > 0) {
                below += u64::from(*count);
                out.push((*sum as f64 / f64::from(*count), below as f64 / self.count as f64));
            }
        }
        out
    }
}

/// Page and slot of a value: values below 128 have a slot each, then each octave has 128.
#[inline]
fn place(value: u64) -> (usize, usize) {
    let octave = (64 - (value >> 7).leading_zeros()) as usize;
    let shift = octave.saturating_sub(1);
    (octave, ((value >> shift) as usize) & (SUB - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_exact_and_others_within_a_percent() {
        let mut constant = Histogram::default();
        (0..1000).for_each(|_| constant.record(7_000_001));
        assert_eq!(constant.percentile(0.99), Some(7_000_001.0));
        assert_eq!(constant.mean(), Some(7_000_001.0));
        let mut even = Histogram::default();
        (1..=100_000u64).for_each(|i| even.record(i * 1000));
        for p in [0.01, 0.5, 0.95, 0.99] {
            let value = even.percentile(p).unwrap();
            assert!((value / (p * 1e8) - 1.0).abs() < 0.008, "{p}: {value}");
        }
        assert_eq!(even.max(), Some(1e8));
        assert_eq!(Histogram::default().percentile(0.5), None);
    }

    #[test]
    fn places_grow_with_values() {
        let mut last = (0, 0);
        for value in (0..100_000u64).chain((0..57).map(|s| 1u64 << s).filter(|v| *v > 100_000)) {
            let now = place(value);
            assert!(now >= last, "{value}");
            last = now;
        }
    }
}

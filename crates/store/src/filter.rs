//! Bloom filters over whole values: they say in which chunks a search need not look.
//!
//! A filter is filled at full size and folded in half as long as it stays sparse: its size then follows what it holds.
//! (Bloom 1970; folding works because bit positions are taken modulo a power of two.)

use crate::hash::hash64;

/// Bits set per value.
const PROBES: u64 = 6;
/// Size before folding, bits.
const BITS: usize = 1 << 18;
/// Smallest size, bits.
const LEAST: usize = 1 << 9;
/// Size of the filter of a block of messages, bits.
const BLOCK: usize = 1 << 16;

/// A set of values that may claim to hold what it does not, never the opposite.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    words: Vec<u64>,
}

impl Filter {
    /// An empty filter that will be folded.
    pub(crate) fn new() -> Filter {
        Filter { words: vec![0; BITS / 64] }
    }

    /// An empty filter for a block of messages, never folded.
    pub(crate) fn block() -> Filter {
        Filter { words: vec![0; BLOCK / 64] }
    }

    /// Adds a value.
    pub(crate) fn add(&mut self, value: &[u8]) {
        let mask = self.words.len() as u64 * 64 - 1;
        let (mut at, step) = probes(value);
        for _ in 0..PROBES {
            let bit = at & mask;
            self.words[(bit >> 6) as usize] |= 1 << (bit & 63);
            at = at.wrapping_add(step);
        }
    }

    /// Folds while at most a quarter of the bits are set (so at most half afterwards), and gives the bytes.
    pub(crate) fn folded(mut self) -> Vec<u8> {
        while self.words.len() * 64 > LEAST {
            let set: u64 = self.words.iter().map(|w| u64::from(w.count_ones())).sum();
            if set * 4 > self.words.len() as u64 * 64 {
                break;
            }
            let upper = self.words.split_off(self.words.len() / 2);
            self.words.iter_mut().zip(upper).for_each(|(low, high)| *low |= high);
        }
        self.bytes()
    }

    /// The bytes as they are.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.words.iter().flat_map(|w| w.to_le_bytes()).collect()
    }

    /// Reads [`Filter::bytes`]; a filter of impossible size becomes one that may hold anything.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Filter {
        if !bytes.len().is_power_of_two() || bytes.len() < 8 {
            return Filter { words: vec![u64::MAX] };
        }
        let word = |b: &[u8]| u64::from_le_bytes(std::array::from_fn(|i| b[i]));
        Filter { words: bytes.chunks_exact(8).map(word).collect() }
    }

    /// Whether the filter of these bytes may hold the value.
    pub(crate) fn may_hold(bytes: &[u8], value: &[u8]) -> bool {
        if !bytes.len().is_power_of_two() {
            return true;
        }
        let mask = bytes.len() as u64 * 8 - 1;
        let (at, step) = probes(value);
        // Words are little-endian, so bit n of the filter is bit n % 8 of byte n / 8.
        (0..PROBES).all(|i| {
            let bit = at.wrapping_add(step.wrapping_mul(i)) & mask;
            bytes[(bit >> 3) as usize] & (1 << (bit & 7)) != 0
        })
    }
}

fn probes(value: &[u8]) -> (u64, u64) {
    let hash = hash64(value);
    (hash, (hash >> 32) | 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_loses_no_value_and_rarely_invents_one() {
        for values in [3u32, 500, 20_000] {
            let mut filter = Filter::new();
            (0..values).for_each(|v| filter.add(format!("order-{v}").as_bytes()));
            let bytes = filter.folded();
            assert!((0..values).all(|v| Filter::may_hold(&bytes, format!("order-{v}").as_bytes())));
            let invented = (0..10_000).filter(|v| Filter::may_hold(&bytes, format!("other-{v}").as_bytes())).count();
            assert!(invented < 300, "{values} values in {} bytes: {invented} of 10,000 invented", bytes.len());
        }
    }
}

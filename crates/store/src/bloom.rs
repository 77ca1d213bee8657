//! Bloom filters over whole values, as earlier versions wrote them (Bloom 1970): still read, never written.

use crate::hash::hash64;

/// Bits set per value.
const PROBES: u64 = 6;

/// Whether the filter of these bytes may hold the value; one of impossible size may hold anything.
pub(crate) fn may_hold(bytes: &[u8], value: &[u8]) -> bool {
    if !bytes.len().is_power_of_two() {
        return true;
    }
    let mask = bytes.len() as u64 * 8 - 1;
    let hash = hash64(value);
    let step = (hash >> 32) | 1;
    // Words are little-endian, so bit n of the filter is bit n % 8 of byte n / 8.
    (0..PROBES).all(|i| {
        let bit = hash.wrapping_add(step.wrapping_mul(i)) & mask;
        bytes[(bit >> 3) as usize] & (1 << (bit & 7)) != 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_before_is_still_found() {
        let mut bytes = [0_u8; 64];
        let hash = hash64(b"o-1");
        for i in 0..PROBES {
            let bit = hash.wrapping_add(((hash >> 32) | 1).wrapping_mul(i)) % 512;
            bytes[(bit / 8) as usize] |= 1 << (bit % 8);
        }
        assert!(may_hold(&bytes, b"o-1") && may_hold(&[1, 2, 3], b"o-1"));
        let invented = (2..2_000).filter(|n| may_hold(&bytes, format!("o-{n}").as_bytes())).count();
        assert!(invented < 10, "{invented}");
    }
}

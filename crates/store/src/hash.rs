//! A hash that is the same in every version and on every machine: what it gives is stored.

/// 64 bits of the bytes, well mixed; not meant against adversaries. Eight bytes a step: rotate, exclusive or, multiply; the
/// end is the finaliser of MurmurHash3 (`fmix64`).
pub(crate) fn hash64(bytes: &[u8]) -> u64 {
    const K: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut hash = bytes.len() as u64 ^ 0x5851_f42d_4c95_7f2d;
    let mut step = |word: u64| hash = (hash.rotate_left(27) ^ word).wrapping_mul(K);
    let mut words = bytes.chunks_exact(8);
    for word in words.by_ref() {
        step(u64::from_le_bytes(std::array::from_fn(|i| word[i])));
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        step(rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)));
    }
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

/// The hash of several parts, none of which can run into its neighbour; as an SQLite integer.
pub(crate) fn hash_parts(parts: &[&[u8]]) -> i64 {
    let mut bytes = Vec::with_capacity(parts.iter().map(|p| p.len() + 8).sum());
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part);
    }
    hash64(&bytes) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_hashes_never_change() {
        // Computed by a second implementation.
        assert_eq!(hash64(b""), 0x264304d1257f9540);
        assert_eq!(hash64(b"orders.placed"), 0x6bfe90dedabc0be9);
        assert_ne!(hash_parts(&[b"ab", b"c"]), hash_parts(&[b"a", b"bc"]));
    }
}

//! Which values a part of the data may hold: sets of hashes, kept so that a search reads a sixty-fourth of them.
//!
//! A set is cut into slices by the first bits of its hashes. A slice is a sorted list of what is left of them, scaled to so many
//! places that one in 2^[`RARE`] values is taken for another, as Golomb-Rice coded differences: about `RARE + 1.5` bits a value
//! (Putze, Sanders and Singler, *Cache-, Hash- and Space-Efficient Bloom Filters*, 2007, call it a compressed hash set).

use crate::hash::hash64;

/// Slices of a set.
pub(crate) const SLICES: usize = 64;
/// A value that is not there is taken for one that is once in `2^RARE` times.
const RARE: u32 = 11;

/// What is kept of a value: its slice is the first bits.
fn short(value: &[u8]) -> u32 {
    (hash64(value) >> 32) as u32
}

/// The slice that a value belongs to.
pub(crate) fn slice_of(value: &[u8]) -> usize {
    (short(value) >> 26) as usize
}

/// The place of a hash among the places of a slice of `count` values.
fn place(hash: u32, count: usize) -> u64 {
    (u64::from(hash << 6) * ((count as u64) << RARE)) >> 32
}

/// A set being filled.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    hashes: Vec<u32>,
}

impl Filter {
    /// Adds a value.
    pub(crate) fn add(&mut self, value: &[u8]) {
        self.hashes.push(short(value));
    }

    fn sorted(mut self) -> Vec<u32> {
        self.hashes.sort_unstable();
        self.hashes.dedup();
        self.hashes
    }

    /// The set as bytes that [`Filter::open`] goes on with.
    pub(crate) fn bytes(self) -> Vec<u8> {
        self.sorted().into_iter().flat_map(u32::to_le_bytes).collect()
    }

    /// A set to which more values come.
    pub(crate) fn open(bytes: &[u8]) -> Filter {
        let hash = |b: &[u8]| u32::from_le_bytes(std::array::from_fn(|i| b[i]));
        Filter { hashes: bytes.chunks_exact(4).map(hash).collect() }
    }

    /// The set, finished: slice by slice.
    pub(crate) fn slices(self) -> Vec<Vec<u8>> {
        let hashes = self.sorted();
        let mut rest = hashes.as_slice();
        (0..SLICES as u32)
            .map(|slice| {
                let (own, others) = rest.split_at(rest.partition_point(|hash| hash >> 26 <= slice));
                rest = others;
                packed(own)
            })
            .collect()
    }
}

/// One slice of the bytes of a set to which more values come, finished.
pub(crate) fn slice(bytes: &[u8], slice: usize) -> Vec<u8> {
    let mut filter = Filter::open(bytes);
    filter.hashes.retain(|hash| (hash >> 26) as usize == slice);
    packed(&filter.sorted())
}

/// A slice: how many values (LEB128), then the differences between their places: the part above `RARE` bits as so many ones and a
/// zero, then the lower bits.
fn packed(hashes: &[u32]) -> Vec<u8> {
    let mut out = Vec::with_capacity(2 + hashes.len() * (RARE as usize + 2) / 8 + 8);
    put_length(&mut out, hashes.len());
    let (mut bits, mut held, mut before) = (0_u64, 0, 0);
    let mut put = |value: u64, count: u32| {
        bits |= value << held;
        held += count;
        while held >= 8 {
            out.push(bits as u8);
            bits >>= 8;
            held -= 8;
        }
    };
    for hash in hashes {
        let at = place(*hash, hashes.len());
        let step = at - before;
        before = at;
        for _ in 0..step >> RARE {
            put(1, 1);
        }
        put((step & ((1 << RARE) - 1)) << 1, RARE + 1);
    }
    put(0, 7);
    out
}

/// Whether a slice may hold a value that belongs to it; one that cannot be read may hold anything.
pub(crate) fn slice_may_hold(slice: &[u8], value: &[u8]) -> bool {
    holds(slice, short(value))
}

fn holds(mut slice: &[u8], hash: u32) -> bool {
    let Some(count) = take_length(&mut slice) else { return true };
    // A value has at least `RARE` bits: of so many this cannot be the list.
    if count > slice.len() * 8 / RARE as usize {
        return true;
    }
    let wanted = place(hash, count);
    let (mut bits, mut held, mut at) = (0_u64, 0_u32, 0);
    let mut rest = slice.iter();
    let mut fill = |bits: &mut u64, held: &mut u32| {
        while *held <= 56 {
            let Some(byte) = rest.next() else { break };
            *bits |= u64::from(*byte) << *held;
            *held += 8;
        }
    };
    for _ in 0..count {
        fill(&mut bits, &mut held);
        let mut ones = bits.trailing_ones();
        at += u64::from(ones) << RARE;
        // More ones than fit in: the places between two values are many.
        while ones == held && held > 0 {
            (bits, held) = (0, 0);
            fill(&mut bits, &mut held);
            ones = bits.trailing_ones();
            at += u64::from(ones) << RARE;
        }
        (bits, held) = (bits.checked_shr(ones + 1).unwrap_or(0), held.saturating_sub(ones + 1));
        fill(&mut bits, &mut held);
        if held < RARE {
            return true;
        }
        at += bits & ((1 << RARE) - 1);
        (bits, held) = (bits >> RARE, held - RARE);
        if at >= wanted {
            return at == wanted;
        }
    }
    false
}

/// Appends a length (LEB128).
pub(crate) fn put_length(out: &mut Vec<u8>, length: usize) {
    let mut length = length as u64;
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
}

/// Takes a length off the front; `None` when there is none.
pub(crate) fn take_length(bytes: &mut &[u8]) -> Option<usize> {
    let mut length = 0_u64;
    for shift in (0..35).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        length |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return usize::try_from(length).ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(slices: &[Vec<u8>], value: &str) -> bool {
        slice_may_hold(&slices[slice_of(value.as_bytes())], value.as_bytes())
    }

    #[test]
    fn no_value_is_lost_and_few_are_invented() {
        for values in [0_u32, 1, 3, 500, 20_000, 200_000] {
            let mut filter = Filter::default();
            (0..values).for_each(|v| filter.add(format!("order-{v}").as_bytes()));
            // Values come twice, and in parts.
            let mut filter = Filter::open(&filter.bytes());
            (0..values / 2).for_each(|v| filter.add(format!("order-{v}").as_bytes()));
            let slices = filter.slices();
            assert!((0..values).all(|v| found(&slices, &format!("order-{v}"))), "{values}");
            let invented = (0..40_000).filter(|v| found(&slices, &format!("other-{v}"))).count();
            assert!(invented < 60, "{values} values: {invented} of 40,000 invented");
            let bytes: usize = slices.iter().map(Vec::len).sum();
            assert!(bytes * 8 <= values as usize * 13 + 64 * 40, "{values} values in {bytes} bytes");
        }
    }

    #[test]
    fn damage_finds_too_much_never_too_little() {
        let mut filter = Filter::default();
        (0..9_000_u32).for_each(|v| filter.add(format!("order-{v}").as_bytes()));
        let slices = filter.slices();
        for v in 0..9_000_u32 {
            let value = format!("order-{v}");
            let whole = &slices[slice_of(value.as_bytes())];
            assert!(slice_may_hold(&whole[..whole.len() / 2], value.as_bytes()), "{value}");
        }
        assert!(slice_may_hold(&[], b"x") && slice_may_hold(&[0xff; 9], b"x"));
    }

    #[test]
    fn values_far_apart_are_found() {
        // A thousand at one end, one at the other: a thousand ones in a row.
        let crowd: Vec<u32> = (0..1_000).chain([(1 << 26) - 1]).collect();
        let slice = packed(&crowd);
        assert!(crowd.iter().all(|hash| holds(&slice, *hash)));
        assert!((1..60).all(|n| !holds(&slice, n * 1_000_000)));
    }
}

//! Random numbers without state: each is a function of what it is for.
//!
//! The number behind a draw is mixed from the seed, the replication, the name of the step, the request, the attempt and the
//! purpose. So an additional draw in one variant shifts nothing in another (common random numbers across structures that
//! differ), and the order in which events happen never matters.

/// What a draw is for; two purposes never share a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Purpose {
    Work = 0x9e37_79b9_7f4a_7c15,
    Failure = 0xd1b5_4a32_d192_ed03,
    Poison = 0xaef1_7502_108e_f2d9,
    Choice = 0x8cb9_2ba7_2f3d_8dd7,
    Cache = 0xdb4f_0b91_75ae_2165,
    NetworkThere = 0xe95b_2b5f_3b7c_1d3b,
    NetworkBack = 0xbbe0_56a1_1f6d_7a29,
    Backoff = 0xa076_1d64_78bd_642f,
    Arrival = 0xe703_7ed1_a0b4_28db,
    Size = 0x8ebc_6af0_9c88_c6e3,
    Think = 0x5899_65cc_7537_4cc3,
    Publish = 0x1d8e_4e27_c47d_124f,
    Deliver = 0xeb44_acca_b455_d165,
    AckLoss = 0x4be9_8134_a5d3_b1c1,
    Up = 0x2d35_8dcc_aa6c_78a5,
    Down = 0x8bb8_4b93_962e_acc9,
    DualWrite = 0x4d5a_2da5_1de1_aa47,
    Outbox = 0x9d39_247e_3377_6d41,
    Order = 0x2af7_3980_05aa_a5c7,
    On = 0x44db_0150_2462_3547,
    Off = 0x9c15_f73e_62a7_6ae2,
    Error = 0x7583_4465_489c_0c89,
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every input bit changes every output bit with probability near a half.
#[inline]
pub(crate) const fn mix(mut x: u64) -> u64 {
    x ^= x >> 30;
    x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^= x >> 27;
    x = x.wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// The key of something below `key`: a step, an attempt, a message.
#[inline]
pub(crate) const fn below(key: u64, what: u64) -> u64 {
    mix(key.wrapping_add(what.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_add(0x6a09_e667_f3bc_c909))
}

/// A number above 0 and below 1 for a purpose under a key.
#[inline]
pub(crate) fn unit(key: u64, purpose: Purpose) -> f64 {
    let bits = mix(key ^ purpose as u64) >> 11;
    (bits as f64 + 0.5) * (1.0 / (1u64 << 53) as f64)
}

/// Hash of a name (FNV-1a, mixed): names and not indices are keys, so that a scenario may be rearranged.
pub(crate) fn name(text: &str) -> u64 {
    let hash =
        text.bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3));
    mix(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Chi-square of 256 cells over one million numbers under neighbouring keys: with 255 degrees of freedom a value outside
    /// 180..340 is one in a thousand.
    #[test]
    fn neighbouring_keys_give_even_numbers() {
        for step in [1, 2, 1 << 20] {
            let root = below(name("seed"), 7);
            let mut cells = [0u32; 256];
            for i in 0..1_000_000u64 {
                cells[(unit(below(root, i * step), Purpose::Work) * 256.0) as usize] += 1;
            }
            let expected = 1_000_000.0 / 256.0;
            let chi: f64 =
                cells.iter().map(|c| (f64::from(*c) - expected) * (f64::from(*c) - expected) / expected).sum();
            assert!((180.0..340.0).contains(&chi), "step {step}: {chi}");
        }
    }

    /// Numbers of neighbours, and of two purposes under one key, are uncorrelated: below 4 standard errors.
    #[test]
    fn neighbours_and_purposes_are_independent() {
        let n = 200_000;
        let pairs: [fn(u64) -> (f64, f64); 2] = [
            |i| (unit(below(1, i), Purpose::Work), unit(below(1, i + 1), Purpose::Work)),
            |i| (unit(below(1, i), Purpose::Work), unit(below(1, i), Purpose::Failure)),
        ];
        for pair in pairs {
            let covariance: f64 = (0..n).map(pair).map(|(a, b)| (a - 0.5) * (b - 0.5)).sum::<f64>() / n as f64;
            assert!((covariance * 12.0).abs() < 4.0 / (n as f64).sqrt(), "{covariance}");
        }
    }
}

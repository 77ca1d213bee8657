//! Mathematics that gives the same bits on every system.
//!
//! Only `+ − × ÷ √` are the same everywhere; the logarithm of the standard library differs from that of `libm` in the last bit
//! for several inputs in a hundred, and one bit is enough to swap two events. So everything else comes from the `libm` crate.

/// Natural logarithm.
#[inline]
pub(crate) fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// Natural logarithm of a share, `0 < x ≤ 1`, within two units in the last place: the inner loop's. Half as long as [`ln`].
///
/// `x = 2^k · c · (1 + r)` with `c` in the middle of one of 128 cells, so `ln x = k ln 2 + ln c + ln(1 + r)` with `|r| < 2⁻⁸`, where
/// six terms of the series of `ln(1 + r)` are enough. One cell has 1 in its middle, so nothing cancels near 1.
#[inline]
pub(crate) fn ln_of_share(x: f64) -> f64 {
    let offset = x.to_bits().wrapping_sub(CELLS_FROM);
    let cell = (offset >> CELL_BITS) as usize % CELLS;
    let exponent = (offset.cast_signed() >> 52) as f64;
    let reduced = f64::from_bits(x.to_bits().wrapping_sub(offset & (0xfff << 52)));
    let (inverse, log) = CELL_LOGS[cell];
    let r = (reduced - middle_of(cell)) * inverse;
    let r2 = r * r;
    let small = r2 * (r * (1.0 / 3.0) - 0.5) + r2 * r2 * ((r * 0.2 - 0.25) - r2 * (1.0 / 6.0));
    (exponent * std::f64::consts::LN_2 + log) + (r + small)
}

const CELLS: usize = 128;
const CELL_BITS: u32 = 52 - CELLS.ilog2();
/// Where the first cell begins: so that the 45th has 1 in its middle.
const CELLS_FROM: u64 = 1.0_f64.to_bits() - (44 << CELL_BITS) - (1 << (CELL_BITS - 1));
/// One over the middle of each cell, and its logarithm.
static CELL_LOGS: [(f64, f64); CELLS] = {
    let mut cells = [(0.0, 0.0); CELLS];
    let mut cell = 0;
    while cell < CELLS {
        let middle = middle_of(cell);
        cells[cell] = (1.0 / middle, ln_by_series(middle));
        cell += 1;
    }
    cells
};

#[inline]
const fn middle_of(cell: usize) -> f64 {
    f64::from_bits(CELLS_FROM + ((cell as u64) << CELL_BITS) + (1 << (CELL_BITS - 1)))
}

/// Natural logarithm near 1 by the series of the inverse hyperbolic tangent, `2 artanh((x − 1) / (x + 1))`.
const fn ln_by_series(x: f64) -> f64 {
    let s = (x - 1.0) / (x + 1.0);
    let (mut sum, mut n) = (0.0, 41.0);
    while n > 0.0 {
        sum = sum * s * s + 1.0 / n;
        n -= 2.0;
    }
    2.0 * s * sum
}

/// `ln(1 + x)`, exact for small `x`.
#[inline]
pub(crate) fn ln_1p(x: f64) -> f64 {
    libm::log1p(x)
}

/// `e^x`.
#[inline]
pub(crate) fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// Cumulative distribution of the standard normal.
pub(crate) fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
}

/// Quantile of the standard normal for `0 < p < 1`: the rational approximation of P. J. Acklam (relative error below 1.2e-9),
/// sharpened by one step of Halley's method.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 5] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
    ];
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 4] =
        [7.784_695_709_041_462e-3, 3.224_671_290_700_398e-1, 2.445_134_137_142_996, 3.754_408_661_907_416];
    let tail = |q: f64| {
        (((((C[0] * q + C[1]) * q + C[2]) * q + C[3]) * q + C[4]) * q + C[5])
            / ((((D[0] * q + D[1]) * q + D[2]) * q + D[3]) * q + 1.0)
    };
    let start = if p < 0.024_25 {
        tail((-2.0 * ln(p)).sqrt())
    } else if p > 1.0 - 0.024_25 {
        -tail((-2.0 * ln_1p(-p)).sqrt())
    } else {
        let q = p - 0.5;
        let r = q * q;
        (((((A[0] * r + A[1]) * r + A[2]) * r + A[3]) * r + A[4]) * r + A[5]) * q
            / (((((B[0] * r + B[1]) * r + B[2]) * r + B[3]) * r + B[4]) * r + 1.0)
    };
    let error = normal_cdf(start) - p;
    let step = error * (2.0 * std::f64::consts::PI).sqrt() * exp(start * start / 2.0);
    start - step / (1.0 + start * step / 2.0)
}

/// Regularised lower incomplete gamma function `P(a, x)`: series below `a + 1`, continued fraction (Lentz) above.
pub(crate) fn gamma_p(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let front = exp(a * ln(x) - x - libm::lgamma(a));
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        for _ in 0..1000 {
            n += 1.0;
            term *= x / n;
            sum += term;
            if term < sum * 1e-16 {
                break;
            }
        }
        return front * sum;
    }
    let tiny = 1e-300;
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / tiny;
    let mut d = 1.0 / b;
    let mut fraction = d;
    for i in 1..1000 {
        let i = f64::from(i);
        let an = -i * (i - a);
        b += 2.0;
        d = an * d + b;
        d = 1.0 / if d.abs() < tiny { tiny } else { d };
        c = b + an / c;
        if c.abs() < tiny {
            c = tiny;
        }
        let delta = d * c;
        fraction *= delta;
        if (delta - 1.0).abs() < 1e-16 {
            break;
        }
    }
    1.0 - front * fraction
}

/// Quantile of the gamma distribution with shape `a` and scale 1, for `0 < p < 1`: Newton's method kept inside a bracket.
pub(crate) fn gamma_quantile(a: f64, p: f64) -> f64 {
    let wilson_hilferty = {
        let z = 1.0 - 1.0 / (9.0 * a) + normal_quantile(p) / (3.0 * a.sqrt());
        a * z * z * z
    };
    // For small shapes the left tail behaves like x^a.
    let power = exp((ln(p) + libm::lgamma(a + 1.0)) / a);
    let mut x = if a < 1.0 || wilson_hilferty <= 0.0 { power } else { wilson_hilferty };
    let (mut low, mut high) = (0.0, f64::INFINITY);
    for _ in 0..100 {
        let error = gamma_p(a, x) - p;
        if error > 0.0 {
            high = x
        } else {
            low = x
        }
        let density = exp((a - 1.0) * ln(x) - x - libm::lgamma(a));
        let mut next = x - error / density;
        if !(next > low && next < high) {
            next = if high.is_finite() { (low + high) / 2.0 } else { x * 2.0 + 1e-300 };
        }
        if (next - x).abs() <= 1e-12 * x {
            return next;
        }
        x = next;
    }
    x
}

/// Regularised incomplete beta function by its continued fraction.
fn beta_i(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta_i(b, a, 1.0 - x);
    }
    let front = exp(libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b) + a * ln(x) + b * ln_1p(-x)) / a;
    let tiny = 1e-300;
    let guard = |v: f64| if v.abs() < tiny { tiny } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / guard(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for m in 1..500 {
        let m = f64::from(m);
        for numerator in [
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
        ] {
            d = 1.0 / guard(1.0 + numerator * d);
            c = guard(1.0 + numerator / c);
            fraction *= d * c;
        }
        if (d * c - 1.0).abs() < 1e-15 {
            break;
        }
    }
    front * fraction
}

/// Cumulative distribution of Student's t with `df` degrees of freedom.
pub(crate) fn student_cdf(t: f64, df: f64) -> f64 {
    let half = 0.5 * beta_i(df / 2.0, 0.5, df / (df + t * t));
    if t > 0.0 { 1.0 - half } else { half }
}

/// Quantile of Student's t with `df ≥ 1` degrees of freedom, for `0.5 ≤ p < 1`, by bisection.
pub(crate) fn student_quantile(p: f64, df: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1e5);
    for _ in 0..200 {
        let middle = (low + high) / 2.0;
        if student_cdf(middle, df) < p { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_logarithm_is_as_good_as_the_usual_one() {
        let near = |x: f64| {
            let (quick, usual) = (ln_of_share(x), ln(x));
            assert!((quick - usual).abs() <= 4.0 * f64::EPSILON * usual.abs(), "{x:e}: {quick:e} {usual:e}");
        };
        (1..=200_000).for_each(|i| near(f64::from(i) / 200_000.0));
        (1..=53).for_each(|i| near(1.0 - 1.0 / (1u64 << i) as f64));
        (1..=60).for_each(|i| near(1.0 / (1u64 << i) as f64));
        assert_eq!(ln_of_share(1.0), 0.0);
    }

    #[test]
    fn known_values() {
        for (p, z) in
            [(0.5, 0.0), (0.975, 1.959_963_984_540_054), (0.001, -3.090_232_306_167_814), (0.9, 1.281_551_565_544_6)]
        {
            assert!((normal_quantile(p) - z).abs() < 1e-9, "{p}");
        }
        // P(1, x) = 1 - e^-x; P(2, x) = 1 - e^-x (1 + x).
        assert!((gamma_p(1.0, 2.0) - 0.864_664_716_763_387_3).abs() < 1e-12);
        assert!((gamma_p(2.0, 5.0) - 0.959_572_318_005_487_2).abs() < 1e-12);
        for a in [0.25, 0.5, 1.0, 2.0, 7.5, 40.0] {
            for p in [0.001, 0.1, 0.5, 0.9, 0.999] {
                assert!((gamma_p(a, gamma_quantile(a, p)) - p).abs() < 1e-9, "{a} {p}");
            }
        }
        // Tables of Student's t: 0.975 with 1, 9, 19 and 199 degrees of freedom.
        for (df, t) in [(1.0, 12.706_204_736), (9.0, 2.262_157_163), (19.0, 2.093_024_054), (199.0, 1.971_956_544)] {
            assert!((student_quantile(0.975, df) - t).abs() < 1e-6, "{df}");
        }
    }
}

//! Durations, rates, shares and sizes as people write them.

/// Units of durations, in nanoseconds.
const UNITS: [(&str, f64); 9] = [
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("min", 60e9),
    ("m", 60e9),
    ("h", 3600e9),
    ("d", 86_400e9),
];

/// Longest duration: 10 years. Beyond, sums could leave 64 bits.
const LONGEST: f64 = 10.0 * 365.0 * 86_400e9;

/// A duration, nanoseconds: `250us`, `8ms`, `1.5s`, `1m30s`. The error says what is missing.
pub(crate) fn duration(text: &str) -> Result<f64, String> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err("a duration is missing".into());
    }
    if rest.starts_with('-') {
        return Err(format!("`{text}` is negative"));
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let Ok(number) = rest[..digits].parse::<f64>() else {
            return Err(format!("`{text}` is no duration; write a number with a unit, such as `8ms` or `1.5s`"));
        };
        rest = rest[digits..].trim_start();
        let unit = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let name = rest[..unit].trim();
        if name.is_empty() {
            return Err(format!("`{text}` has no unit; write `{text}ms` or `{text}s`"));
        }
        let Some((_, factor)) = UNITS.iter().find(|(known, _)| *known == name) else {
            return Err(format!("`{name}` is no unit of time; use ns, us, ms, s, m, h or d"));
        };
        total += number * factor;
        rest = &rest[unit..];
    }
    if total > LONGEST {
        return Err(format!("`{text}` is longer than ten years"));
    }
    Ok(total)
}

/// A rate, per second: `132/s`, `5/min`.
pub(crate) fn rate(text: &str) -> Result<f64, String> {
    let wrong = || format!("`{text}` is no rate; write a number per time, such as `132/s` or `5/min`");
    let (number, unit) = text.split_once('/').ok_or_else(wrong)?;
    let number: f64 = number.trim().parse().map_err(|_| wrong())?;
    let (_, factor) = UNITS.iter().find(|(known, _)| *known == unit.trim()).ok_or_else(wrong)?;
    let rate = number * 1e9 / factor;
    if !rate.is_finite() || rate < 0.0 {
        return Err(format!("`{text}` is below zero or without end"));
    }
    if rate > 1e9 {
        return Err(format!("`{text}` is more than one in a nanosecond"));
    }
    Ok(rate)
}

/// A share: `0.2%` or `0.002`.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    let value = match text.trim().strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|p| p / 100.0),
        None => text.trim().parse::<f64>(),
    };
    match value {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        Ok(_) => Err(format!("`{text}` is not between 0 and 1 (or 0% and 100%)")),
        Err(_) => Err(format!("`{text}` is no share; write `0.2%` or `0.002`")),
    }
}

/// A size, bytes: `512B`, `4kB`, `1MB`, `64KiB`.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    const SIZES: [(&str, f64); 8] = [
        ("KiB", 1024.0),
        ("MiB", 1_048_576.0),
        ("GiB", 1_073_741_824.0),
        ("kB", 1e3),
        ("KB", 1e3),
        ("MB", 1e6),
        ("GB", 1e9),
        ("B", 1.0),
    ];
    let found = SIZES.iter().find_map(|(unit, factor)| Some((text.trim().strip_suffix(unit)?, factor)));
    let (number, factor) = found.ok_or_else(|| format!("`{text}` is no size; write `512B`, `4kB` or `1MB`"))?;
    match number.trim().parse::<f64>() {
        Ok(n) if n >= 0.0 && n * factor < 1e15 => Ok((n * factor + 0.5) as u64),
        _ => Err(format!("`{text}` is no size; write `512B`, `4kB` or `1MB`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read() {
        for (text, value) in [
            ("250us", 250e3),
            ("8ms", 8e6),
            ("1.5s", 1.5e9),
            ("10m", 600e9),
            ("1h", 3600e9),
            ("1m30s", 90e9),
            ("0ms", 0.0),
        ] {
            assert_eq!(duration(text), Ok(value), "{text}");
        }
        assert_eq!(rate("132/s"), Ok(132.0));
        assert_eq!(rate("30/min"), Ok(0.5));
        assert_eq!(share("0.2%"), Ok(0.002));
        assert_eq!(share("1"), Ok(1.0));
        assert_eq!(size("4kB"), Ok(4000));
        assert_eq!(size("1 MiB"), Ok(1 << 20));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, words) in [
            ("5", "no unit"),
            ("5 parsec", "no unit of time"),
            ("-3s", "negative"),
            ("soon", "no duration"),
            ("20y", "no unit of time"),
            ("9999d", "ten years"),
        ] {
            assert!(duration(text).unwrap_err().contains(words), "{text}");
        }
        assert!(rate("5").is_err() && rate("5/fortnight").is_err() && rate("-1/s").is_err());
        assert!(share("1.5").is_err() && share("101%").is_err() && share("x").is_err());
        assert!(size("4").is_err());
    }
}

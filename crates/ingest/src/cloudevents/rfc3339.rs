//! RFC 3339 instants to nanoseconds. Years 1678 to 2262, as the type has them.

use flowglass_model::Nanos;

/// The instant of an RFC 3339 text (`2026-11-23T08:54:16.377211Z`, any offset, any number of decimals); `None` when it is
/// none. A leap second counts as the second after.
pub fn parse(text: &str) -> Option<Nanos> {
    let text = text.trim();
    let b = text.as_bytes();
    if b.len() < 20 || !matches!(b[10], b'T' | b't' | b' ') || b[4] != b'-' || b[7] != b'-' {
        return None;
    }
    if b[13] != b':' || b[16] != b':' {
        return None;
    }
    let (year, month, day) = (number(b, 0, 4)?, number(b, 5, 7)?, number(b, 8, 10)?);
    let (hour, minute, second) = (number(b, 11, 13)?, number(b, 14, 16)?, number(b, 17, 19)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut at = 19;
    let mut nanos = 0i64;
    if b[at] == b'.' {
        let digits = b[at + 1..].iter().take_while(|c| c.is_ascii_digit()).count();
        if digits == 0 {
            return None;
        }
        for i in 0..9 {
            let digit = if i < digits { i64::from(b[at + 1 + i] - b'0') } else { 0 };
            nanos = nanos * 10 + digit;
        }
        at += 1 + digits;
    }
    let offset = match b.get(at)? {
        b'Z' | b'z' if b.len() == at + 1 => 0,
        sign @ (b'+' | b'-') if b.len() == at + 6 && b[at + 3] == b':' => {
            let minutes = number(b, at + 1, at + 3)? * 60 + number(b, at + 4, at + 6)?;
            if *sign == b'+' { minutes } else { -minutes }
        }
        _ => return None,
    };
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset * 60;
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos)
}

fn number(bytes: &[u8], from: usize, to: usize) -> Option<i64> {
    bytes.get(from..to)?.iter().try_fold(0i64, |n, c| c.is_ascii_digit().then(|| n * 10 + i64::from(c - b'0')))
}

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar, counting years from March so that the leap day ends one.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn instants() {
        for (text, want) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2026-11-23T08:54:16.377211Z", Some(1_795_424_056_377_211_000)),
            ("2026-11-23T09:54:16.377211+01:00", Some(1_795_424_056_377_211_000)),
            ("2000-02-29T00:00:00.1234567891Z", Some(951_782_400_123_456_789)),
            ("1969-12-31T23:59:59.5Z", Some(-500_000_000)),
            ("2026-11-23", None),
            ("2026-13-23T08:54:16Z", None),
            ("2026-11-23T08:54:16", None),
            ("2026-11-23T08:54:16.Z", None),
            ("9999-01-01T00:00:00Z", None),
            ("23/11/2026 08:54:16 +00:00", None),
        ] {
            assert_eq!(parse(text), want, "{text}");
        }
    }
}

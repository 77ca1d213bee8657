//! Instants as text (RFC 3339).

use flowglass_model::Nanos;
use jiff::Timestamp;

fn timestamp(nanos: Nanos) -> Timestamp {
    // Every i64 of nanoseconds (years 1677 to 2262) is a timestamp.
    Timestamp::from_nanosecond(i128::from(nanos)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// RFC 3339 in UTC with nanoseconds, as the command-line contract wants it.
pub fn rfc3339(nanos: Nanos) -> String {
    format!("{:.9}", timestamp(nanos))
}

/// An instant as people write it in arguments: RFC 3339, or an age (`90s`, `15m`, `6h`, `2d`, `1w`) before `now`.
pub fn parse_instant(text: &str, now: Nanos) -> Result<Nanos, String> {
    let text = text.trim();
    if let Some(age) = parse_age(text) {
        return Ok(now.saturating_sub(age));
    }
    let stamp: Timestamp = text
        .parse()
        .map_err(|_| format!("`{text}` is no time; write RFC 3339 (2026-03-10T14:31:00Z) or an age (15m, 2d)"))?;
    i64::try_from(stamp.as_nanosecond()).map_err(|_| format!("`{text}` lies outside the years 1678 to 2262"))
}

fn parse_age(text: &str) -> Option<i64> {
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic())?);
    let seconds: i64 = match unit {
        "ms" => return number.parse::<i64>().ok()?.checked_mul(1_000_000),
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    number.parse::<i64>().ok().filter(|n| *n >= 0)?.checked_mul(seconds)?.checked_mul(1_000_000_000)
}

/// `14:02:11 UTC`.
pub(crate) fn clock_time(nanos: Nanos) -> String {
    format!("{} UTC", timestamp(nanos).strftime("%H:%M:%S"))
}

/// `20261123-184512`, for names of files; UTC.
pub(crate) fn file_stamp(nanos: Nanos) -> String {
    timestamp(nanos).strftime("%Y%m%d-%H%M%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_go_both_ways() {
        let t = 1_795_423_890_980_723_273;
        assert_eq!(rfc3339(t), "2026-11-23T08:51:30.980723273Z");
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(parse_instant(&rfc3339(t), 0), Ok(t));
        assert_eq!(parse_instant("2026-11-23T09:51:30.980723273+01:00", 0), Ok(t));
        assert_eq!(parse_instant("15m", t), Ok(t - 900_000_000_000));
        assert_eq!(parse_instant("2d", t), Ok(t - 172_800_000_000_000));
        for bad in ["", "yesterday", "15x", "-3m", "2026-13-01T00:00:00Z"] {
            assert!(parse_instant(bad, t).is_err(), "{bad}");
        }
        assert_eq!(clock_time(t), "08:51:30 UTC");
    }
}

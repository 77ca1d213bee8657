//! Words and figures that reports share, and making foreign text harmless.

use crate::api::{Item, JourneyView, to_nanos};
use crate::time::rfc3339;

/// `2026-03-10 14:31:02.123 UTC`.
pub(super) fn instant(ms: f64) -> String {
    let text = rfc3339(to_nanos(ms));
    format!("{} {} UTC", &text[..10], &text[11..23])
}

/// `14:31:02.123`.
pub(super) fn clock(ms: f64) -> String {
    rfc3339(to_nanos(ms))[11..23].to_owned()
}

/// `412 µs`, `8.2 ms`, `1.40 s`, `3 min 20 s`, `2 h 5 min`; `–` when unknown.
pub(super) fn duration(ms: Option<f64>) -> String {
    let Some(ms) = ms else { return "–".into() };
    match ms.abs() {
        m if m < 1.0 => format!("{:.0} µs", ms * 1e3),
        m if m < 100.0 => format!("{ms:.1} ms"),
        m if m < 1e3 => format!("{ms:.0} ms"),
        m if m < 6e4 => format!("{:.2} s", ms / 1e3),
        m if m < 3.6e6 => format!("{} min {} s", (m / 6e4) as u64, (m / 1e3) as u64 % 60),
        m => format!("{} h {} min", (m / 3.6e6) as u64, (m / 6e4) as u64 % 60),
    }
}

/// Why a message waited, in words.
pub(super) fn wait(kind: &str) -> &'static str {
    match kind {
        "redelivery" => "for the next delivery",
        _ => "for its first handling",
    }
}

/// State of a journey in words.
pub(super) fn state(state: &str) -> &'static str {
    match state {
        "ok" => "Succeeded",
        "degraded" => "Succeeded after retries",
        "failed" => "Failed",
        "in-progress" => "In progress",
        _ => "Incomplete",
    }
}

/// `orderId o-17 · customerId c-3`.
pub(super) fn keys(journey: &JourneyView) -> Vec<(&str, &str)> {
    journey.row.keys.iter().map(|k| (k.name.as_str(), k.value.as_str())).collect()
}

/// What to call a journey: its key, else its operation.
pub(super) fn title(journey: &JourneyView) -> String {
    match journey.row.keys.first() {
        Some(key) => format!("{} · {} {}", journey.row.root, key.name, key.value),
        None => journey.row.root.clone(),
    }
}

/// First start and last end of a journey's items, milliseconds.
pub(super) fn extent(items: &[Item]) -> (f64, f64) {
    let first = items.iter().map(|i| i.start_at).fold(f64::MAX, f64::min);
    let last = items.iter().map(|i| i.start_at + i.duration_ms).fold(f64::MIN, f64::max);
    if first > last { (0.0, 0.0) } else { (first, last) }
}

/// The item of a `uid`.
pub(super) fn item<'a>(journey: &'a JourneyView, uid: &str) -> Option<&'a Item> {
    journey.items.iter().find(|i| i.uid == uid)
}

/// A text of several lines, without what would turn the direction of writing or act on whoever shows it.
pub(super) fn lines(text: &str) -> String {
    text.split_inclusive(['\n', '\t'])
        .flat_map(|part| {
            let end = part.len() - usize::from(part.ends_with(['\n', '\t']));
            [plain(&part[..end]), part[end..].to_owned()]
        })
        .collect()
}

/// A text on one line, without what would turn the direction of writing (Unicode UAX 9) or is no character to look at.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}' => '\u{fffd}',
            c if c.is_control() => ' ',
            c => c,
        })
        .collect()
}

/// At most this many characters of a text.
pub(super) fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_in_words() {
        for (ms, want) in [
            (0.4121, "412 µs"),
            (8.21, "8.2 ms"),
            (412.4, "412 ms"),
            (1_400.0, "1.40 s"),
            (200_000.0, "3 min 20 s"),
            (7_500_000.0, "2 h 5 min"),
        ] {
            assert_eq!(duration(Some(ms)), want);
        }
        assert_eq!(duration(None), "–");
    }

    #[test]
    fn direction_marks_do_not_pass() {
        assert_eq!(plain("a\u{202e}b\nc"), "a\u{fffd}b c");
        assert_eq!(lines("a\u{202e}\tb\u{1b}[2J\nc\r\n"), "a\u{fffd}\tb [2J\nc \n");
    }
}

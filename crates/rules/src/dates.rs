//! Dates that are neither RFC 3339 nor ISO 8601, found in payloads.
//!
//! Whole values only, and only what can hardly be anything else: a day, a month and a year in a written order
//! (`02/11/2026`, `2.11.2026 09:30`, `2026/11/02`, `2 Nov 2026`, `Mon, 02 Nov 2026 09:30:00 GMT`). Two digits for a year count where
//! the field's name speaks of a date. ISO 8601 without an offset, and a blank in place of the `T`, pass: RFC 3339 allows the
//! blank (section 5.6), ISO 8601 the rest. Numbers are never dates here: an epoch cannot be told from any other number.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Longest text that is looked at; a date is shorter.
const LONGEST: usize = 48;

/// A date found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Where it stands: `lines.0.shipDate` is told as `lines.shipDate`.
    pub(crate) field: String,
    /// As written.
    pub(crate) value: String,
}

/// The first such date in a JSON text; `None` when it has none or is no JSON.
pub(crate) fn in_json(bytes: &[u8]) -> Option<Found> {
    if !bytes.iter().find(|b| !b.is_ascii_whitespace()).is_some_and(|b| matches!(b, b'{' | b'[' | b'"')) {
        return None;
    }
    let mut walk = Walk { path: Vec::new(), found: None };
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    // What stands before an error counts.
    drop(Here(&mut walk).deserialize(&mut reader));
    walk.found
}

struct Walk {
    path: Vec<String>,
    found: Option<Found>,
}

struct Here<'w>(&'w mut Walk);

impl<'de> DeserializeSeed<'de> for Here<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Here<'_> {
    type Value = ();
    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        let field = self.0.path.last().map_or("", String::as_str);
        if self.0.found.is_none() && is_local_date(text, field) {
            self.0.found = Some(Found { field: self.0.path.join("."), value: text.trim().to_owned() });
        }
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Here(&mut *self.0))?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if self.0.found.is_some() {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            self.0.path.push(key);
            map.next_value_seed(Here(&mut *self.0))?;
            self.0.path.pop();
        }
        Ok(())
    }
}

/// Whether a text is a date in a form of one place or channel.
pub(crate) fn is_local_date(text: &str, field: &str) -> bool {
    // JavaScript adds the name of the zone.
    let text = text.trim().split(" (").next().unwrap_or_default();
    if !(6..=LONGEST).contains(&text.len()) || !text.is_ascii() || !text.bytes().any(|b| b.is_ascii_digit()) {
        return false;
    }
    if field.to_ascii_lowercase().contains("version") {
        return false;
    }
    in_digits(text, field) || with_month_name(text)
}

/// `02/11/2026`, `2.11.2026 09:30`, `02-11-2026`, `2026/11/02`, `02.11.26`.
fn in_digits(text: &str, field: &str) -> bool {
    let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '/' | '-')).unwrap_or(text.len());
    let (date, rest) = text.split_at(end);
    let Some(separator) = date.find(['.', '/', '-']).and_then(|i| date[i..].chars().next()) else { return false };
    let parts: Vec<&str> = date.split(separator).collect();
    let [a, b, c] = parts.as_slice() else { return false };
    let number = |t: &str| t.parse::<u32>().ok();
    let (Some(x), Some(y), Some(z)) = (number(a), number(b), number(c)) else { return false };
    let short = |t: &str| matches!(t.len(), 1 | 2);
    let day_and_month = |d: u32, m: u32| (1..=31).contains(&d) && (1..=12).contains(&m);
    let year = |y: u32| (1900..=2199).contains(&y);
    let written = match (a.len(), b.len(), c.len()) {
        (_, _, 4) => short(a) && short(b) && year(z) && (day_and_month(x, y) || day_and_month(y, x)),
        (4, ..) => separator != '-' && short(b) && short(c) && year(x) && day_and_month(z, y),
        (2, 2, 2) => separator != '-' && speaks_of_dates(field) && (day_and_month(x, y) || day_and_month(y, x)),
        _ => false,
    };
    written && (rest.is_empty() || is_time(rest))
}

fn speaks_of_dates(field: &str) -> bool {
    let lower = field.to_ascii_lowercase();
    ["date", "time", "day", "birth", "expir", "until", "since", "valid"].iter().any(|w| lower.contains(w))
        || field.ends_with("At")
        || field.ends_with("On")
        || lower.ends_with("_at")
        || lower.ends_with("_on")
}

/// ` 09:30`, `T09:30:00+01:00`, `, 9:30 PM`.
fn is_time(rest: &str) -> bool {
    let rest = rest.trim_start_matches([' ', 'T', ',']);
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    matches!(digits, 1 | 2) && rest[digits..].starts_with([':', '.', 'h'])
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const LONG_MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// `2 Nov 2026`, `November 2, 2026 9:30 PM`, `Mon, 02 Nov 2026 09:30:00 GMT`, `02-Nov-2026`.
fn with_month_name(text: &str) -> bool {
    let (mut day, mut month, mut year) = (false, false, false);
    let lower = text.to_ascii_lowercase();
    if !lower.bytes().any(|b| b.is_ascii_alphabetic()) {
        return false;
    }
    for word in
        lower.split([' ', ',', '/']).flat_map(|w| if w.contains(':') { vec![w] } else { w.split('-').collect() })
    {
        let word = word.trim_end_matches('.');
        let ordinal = word.trim_end_matches(['s', 't', 'n', 'd', 'r', 'h']);
        if word.is_empty() || word.contains(':') || matches!(word, "am" | "pm" | "gmt" | "utc" | "z" | "at" | "of") {
            continue;
        }
        if MONTHS.contains(&word) || LONG_MONTHS.contains(&word) || word == "sept" {
            month = true;
        } else if word.len() >= 3
            && DAYS.iter().any(|d| word.starts_with(d))
            && word.bytes().all(|b| b.is_ascii_alphabetic())
        {
            // A weekday.
        } else if word.len() == 4 && word.parse::<u32>().is_ok_and(|y| (1900..=2199).contains(&y)) {
            year = true;
        } else if ordinal.len() <= 2 && ordinal.parse::<u32>().is_ok_and(|d| (1..=31).contains(&d)) {
            day = true;
        } else if !(word.starts_with("gmt") || word.starts_with('+') || word == "0000") {
            return false;
        }
    }
    day && month && year
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_one_place_are_told_from_those_of_the_standard() {
        for text in [
            "02/11/2026 09:30",
            "23.11.2026 08:54",
            "2.11.2026",
            "02-11-2026",
            "11/28/2026",
            "2026/11/02",
            "2026.11.02 09:30:00",
            "02/11/2026T09:30:00Z",
            "2 Nov 2026",
            "November 2, 2026",
            "Nov 2nd, 2026 9:30 PM",
            "02-Nov-2026",
            "Mon, 02 Nov 2026 09:30:00 GMT",
            "Mon Nov 02 2026 09:30:00 GMT+0100 (Central European Standard Time)",
        ] {
            assert!(is_local_date(text, "postingDate"), "{text}");
        }
        for text in [
            "2026-11-02T09:30:00Z",
            "2026-11-02T09:30:00.123456+01:00",
            "2026-11-02",
            "2026-11-02 09:30:00",
            "20261102",
            "2026-W45-1",
            "10.12.2026.1",
            "1.2.3",
            "192.168.10.20",
            "4111/1111/1111",
            "32/13/2026",
            "ORD-000012",
            "02/11/2026 and more",
            "9:30",
            "May",
            "3 May",
            "order 2 of Nov 2026",
            "1795424055825",
        ] {
            assert!(!is_local_date(text, "postingDate"), "{text}");
        }
        assert!(is_local_date("02.11.26", "validUntil"));
        assert!(!is_local_date("02.11.26", "position"));
        assert!(!is_local_date("1.2.2026", "apiVersion"));
    }

    #[test]
    fn fields_are_told_by_their_path() {
        let found = in_json(br#"{"id":"a","lines":[{"no":1},{"shipDate":"02/11/2026"}],"x":"3/4/2026"}"#).unwrap();
        assert_eq!((found.field.as_str(), found.value.as_str()), ("lines.shipDate", "02/11/2026"));
        assert_eq!(in_json(b"02/11/2026"), None);
        assert_eq!(in_json(b"\x00\x01"), None);
        assert_eq!(in_json(br#"{"at":"2026-11-02T09:30:00Z"}"#), None);
        assert!(in_json(br#"{"at":"02.11.2026", broken"#).is_some());
    }
}

//! How long what came in is kept. Figures of the map stay whatever goes.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Nanos;

/// Size that a workspace is kept below unless settings say otherwise, bytes.
const USUAL: u64 = 20_000_000_000;
/// Smallest size that can be asked for, bytes: figures and indexes alone need some room.
const SMALLEST: u64 = 50_000_000;
/// Shortest age, nanoseconds: what is younger may still be growing.
const SHORTEST: Nanos = HOUR;
const HOUR: Nanos = 3_600_000_000_000;
const UNLIMITED: &str = "unlimited";

/// A size on disk: `20 GB`, `500 MB`, or `unlimited`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Size(pub Option<u64>);

/// How old something may become: `12 hours`, `7 days`, `2 weeks`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Age(pub Nanos);

/// What is kept. Healthy journeys go before failed ones; those that are bookmarked, noted or compared are never taken by a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionConfig {
    /// What the workspace may take on disk.
    pub size: Size,
    /// Journeys at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journeys: Option<u64>,
    /// Age of healthy journeys, with everything that belongs to them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<Age>,
    /// Age of failed, degraded and unfinished journeys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_age: Option<Age>,
    /// Age of events that belong to no journey.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events_age: Option<Age>,
    /// Age of log records that belong to no journey.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logs_age: Option<Age>,
}

impl Default for RetentionConfig {
    fn default() -> RetentionConfig {
        let size = Size(Some(USUAL));
        RetentionConfig { size, journeys: None, age: None, failed_age: None, events_age: None, logs_age: None }
    }
}

impl RetentionConfig {
    /// What is wrong with it: the name of the value, and why in words.
    pub fn problem(&self) -> Option<(&'static str, String)> {
        if let (Some(healthy), Some(failed)) = (self.age, self.failed_age)
            && failed < healthy
        {
            let words = format!(
                "failed journeys would go after {failed}, before healthy ones ({healthy}); give failed_age at least {healthy}"
            );
            return Some(("failed_age", words));
        }
        if self.journeys == Some(0) {
            return Some(("journeys", "no journey would be kept; give a number above 0, or leave it out".to_owned()));
        }
        None
    }

    /// The rule in one sentence.
    pub fn words(&self) -> String {
        let mut out = vec![match self.size.0 {
            Some(_) => format!("at most {} on disk", self.size),
            None => "any size on disk".to_owned(),
        }];
        out.extend(self.journeys.map(|n| format!("at most {n} journeys")));
        for (what, age) in [
            ("healthy journeys", self.age),
            ("failed ones", self.failed_age),
            ("events without a journey", self.events_age),
            ("log records without a journey", self.logs_age),
        ] {
            out.extend(age.map(|age| format!("{what} for {age}")));
        }
        out.join(", ")
    }
}

/// A number and the word behind it.
fn split(text: &str) -> Option<(f64, String)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok()?;
    Some((number, text[end..].trim().to_ascii_lowercase()))
}

impl TryFrom<String> for Size {
    type Error = String;

    fn try_from(text: String) -> Result<Size, String> {
        if text.trim().eq_ignore_ascii_case(UNLIMITED) {
            return Ok(Size(None));
        }
        let wrong = || format!("`{text}` is no size; write one like \"20 GB\" or \"500 MB\", or \"{UNLIMITED}\"");
        let (number, unit) = split(&text).ok_or_else(wrong)?;
        let unit = match unit.as_str() {
            "mb" => 1e6,
            "gb" => 1e9,
            "tb" => 1e12,
            _ => return Err(wrong()),
        };
        let bytes = (number * unit) as u64;
        if bytes < SMALLEST {
            return Err(format!("`{text}` is too small; a workspace needs at least {}", Size(Some(SMALLEST))));
        }
        Ok(Size(Some(bytes)))
    }
}

impl TryFrom<String> for Age {
    type Error = String;

    fn try_from(text: String) -> Result<Age, String> {
        let wrong = || format!("`{text}` is no age; write one like \"12 hours\", \"7 days\" or \"2 weeks\"");
        let (number, unit) = split(&text).ok_or_else(wrong)?;
        let unit = match unit.as_str() {
            "h" | "hour" | "hours" => HOUR,
            "d" | "day" | "days" => 24 * HOUR,
            "w" | "week" | "weeks" => 7 * 24 * HOUR,
            _ => return Err(wrong()),
        };
        let age = number * unit as f64;
        if age < SHORTEST as f64 {
            return Err(format!("`{text}` is too short; what is younger than {} may still be growing", Age(SHORTEST)));
        }
        // Two hundred years; beyond, times cannot be written.
        if age > 200.0 * 365.0 * 24.0 * HOUR as f64 {
            return Err(format!("`{text}` is too long; leave it out to keep everything"));
        }
        Ok(Age(age as Nanos))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(bytes) = self.0 else { return f.write_str(UNLIMITED) };
        let (unit, word) =
            [(1e12, "TB"), (1e9, "GB")].into_iter().find(|(u, _)| bytes as f64 >= *u).unwrap_or((1e6, "MB"));
        write!(f, "{} {word}", bytes as f64 / unit)
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, word) = if self.0 % (24 * HOUR) == 0 { (24 * HOUR, "day") } else { (HOUR, "hour") };
        let number = self.0 as f64 / unit as f64;
        write!(f, "{number} {word}{}", if number == 1.0 { "" } else { "s" })
    }
}

impl From<Size> for String {
    fn from(size: Size) -> String {
        size.to_string()
    }
}

impl From<Age> for String {
    fn from(age: Age) -> String {
        age.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_ages_are_read_as_people_write_them() {
        let size = |text: &str| Size::try_from(text.to_owned()).map(|s| (s.0, s.to_string()));
        assert_eq!(size("20 GB"), Ok((Some(20_000_000_000), "20 GB".to_owned())));
        assert_eq!(size("1.5tb"), Ok((Some(1_500_000_000_000), "1.5 TB".to_owned())));
        assert_eq!(size("Unlimited"), Ok((None, "unlimited".to_owned())));
        for wrong in ["", "20", "GB", "-5 GB", "20 GBs", "1 MB", "1e9 GB", "NaN GB"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        let age = |text: &str| Age::try_from(text.to_owned()).map(|a| (a.0 / HOUR, a.to_string()));
        assert_eq!(age("7 days"), Ok((168, "7 days".to_owned())));
        assert_eq!(age("1d"), Ok((24, "1 day".to_owned())));
        assert_eq!(age("36 hours"), Ok((36, "36 hours".to_owned())));
        assert_eq!(age("2 weeks"), Ok((336, "14 days".to_owned())));
        for wrong in ["", "7", "days", "5 minutes", "0.5 h", "-1 d", "99999999 days"] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_usual_rule_says_what_it_keeps() {
        let rule = RetentionConfig::default();
        assert_eq!(rule.words(), "at most 20 GB on disk");
        assert_eq!(rule.problem(), None);
        let day = |n: i64| Some(Age(n * 24 * HOUR));
        let rule = RetentionConfig { size: Size(None), journeys: Some(500), age: day(7), failed_age: day(30), ..rule };
        assert_eq!(
            rule.words(),
            "any size on disk, at most 500 journeys, healthy journeys for 7 days, failed ones for 30 days"
        );
        let rule = RetentionConfig { failed_age: day(2), ..rule };
        assert_eq!(rule.problem().map(|(name, _)| name), Some("failed_age"));
    }
}

//! What was removed, how much, when and why: kept in the workspace as one JSON text.

use flowglass_model::{Nanos, RetentionConfig};
use flowglass_store::Extent;
use serde::{Deserialize, Serialize};

/// Workspace key of the record.
pub(crate) const META_REMOVED: &str = "removed";
/// Days and reasons told one by one; older ones are only in the sum.
const TOLD: usize = 60;
const DAY: Nanos = 86_400_000_000_000;

/// Why something went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Why {
    /// Older than its age.
    Age,
    /// More journeys than are kept.
    Count,
    /// More bytes than are kept.
    Size,
}

impl Why {
    /// Why, in words, by the rule that was in force.
    fn words(self, rule: &RetentionConfig) -> String {
        match self {
            Why::Age => {
                let rule =
                    RetentionConfig { size: flowglass_model::Size(None), journeys: None, ..rule.clone() }.words();
                format!("too old: {}", rule.split_once(", ").map_or("", |(_, ages)| ages))
            }
            Why::Count => format!("more than {} journeys", rule.journeys.unwrap_or_default()),
            Why::Size => format!("more than {} on disk", rule.size),
        }
    }
}

/// What went on one day for one reason, or all together.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Removal {
    /// When the first of it went.
    pub since: Nanos,
    /// When the last of it went.
    pub until: Nanos,
    /// Why, in words.
    pub why: String,
    /// Journeys.
    pub journeys: u64,
    /// Spans.
    pub spans: u64,
    /// Events.
    pub events: u64,
    /// Log records.
    pub logs: u64,
    /// Start of the newest journey, or time of the newest of what belonged to none.
    pub newest: Option<Nanos>,
}

impl Removal {
    fn add(&mut self, gone: &Extent, now: Nanos) {
        self.until = now;
        self.journeys += gone.journeys;
        self.spans += gone.spans;
        self.events += gone.events;
        self.logs += gone.logs;
        self.newest = self.newest.max(gone.last);
    }
}

/// All that was removed by rule.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Removed {
    /// All together; its reason is the last one.
    pub total: Removal,
    /// By day and reason, the newest first.
    pub days: Vec<Removal>,
}

impl Removed {
    /// Reads what [`Removed::text`] wrote; a text that nobody can read tells of nothing.
    pub(crate) fn parse(text: Option<&str>) -> Removed {
        text.and_then(|t| serde_json::from_str(t).ok()).unwrap_or_default()
    }

    /// As the workspace keeps it.
    pub(crate) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether anything was removed.
    pub fn is_any(&self) -> bool {
        !self.days.is_empty()
    }

    /// Adds what went.
    pub(crate) fn add(&mut self, gone: &Extent, why: Why, rule: &RetentionConfig, now: Nanos) {
        if gone.journeys + gone.spans + gone.events + gone.logs == 0 {
            return;
        }
        let words = why.words(rule);
        if !self.is_any() {
            self.total.since = now;
        }
        self.total.add(gone, now);
        self.total.why.clone_from(&words);
        let today = |r: &&mut Removal| r.why == words && r.since.div_euclid(DAY) == now.div_euclid(DAY);
        if let Some(known) = self.days.iter_mut().find(today) {
            known.add(gone, now);
            return;
        }
        let mut new = Removal { since: now, why: words, ..Removal::default() };
        new.add(gone, now);
        self.days.insert(0, new);
        self.days.truncate(TOLD);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_is_told_by_day_and_reason() {
        let rule = RetentionConfig { journeys: Some(5), ..RetentionConfig::default() };
        let gone = |journeys: u64, last: Nanos| Extent {
            journeys,
            spans: journeys * 7,
            last: Some(last),
            ..Extent::default()
        };
        let mut removed = Removed::default();
        removed.add(&Extent::default(), Why::Size, &rule, 1);
        assert!(!removed.is_any());
        removed.add(&gone(2, 10), Why::Size, &rule, 100);
        removed.add(&gone(1, 5), Why::Size, &rule, 200);
        removed.add(&gone(1, 11), Why::Count, &rule, 300);
        removed.add(&gone(4, 12), Why::Size, &rule, DAY + 1);
        let told: Vec<(&str, u64, Nanos)> =
            removed.days.iter().map(|d| (d.why.as_str(), d.journeys, d.until)).collect();
        assert_eq!(
            told,
            [
                ("more than 20 GB on disk", 4, DAY + 1),
                ("more than 5 journeys", 1, 300),
                ("more than 20 GB on disk", 3, 200)
            ]
        );
        assert_eq!((removed.total.journeys, removed.total.spans, removed.total.newest), (8, 56, Some(12)));
        assert_eq!((removed.total.since, removed.total.until), (100, DAY + 1));
        assert_eq!(Removed::parse(Some(&removed.text())), removed);
        assert_eq!(Removed::parse(Some("broken")), Removed::default());
    }
}

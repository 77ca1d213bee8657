//! A finding has a life: found, looked at, gone. What was found is kept in the workspace as one JSON text.

use flowglass_model::Nanos;
use flowglass_rules::Finding;
use serde::{Deserialize, Serialize};

/// Workspace key of what was found.
pub(crate) const META_FINDINGS: &str = "findings";
/// Findings remembered at most; those whose last offence is longest ago are forgotten first.
const REMEMBERED: usize = 2_000;

/// A finding as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Known {
    /// Rule.
    pub(crate) rule: String,
    /// What it is called.
    pub(crate) title: String,
    /// Subject as the contract writes it.
    pub(crate) subject: String,
    /// When it was first found.
    pub(crate) found: Nanos,
    /// Its last offence.
    pub(crate) last: Nanos,
    /// Somebody looked since.
    pub(crate) looked: bool,
}

/// Reads what [`text`] wrote; a text that nobody can read remembers nothing.
pub(crate) fn parse(text: Option<&str>) -> Vec<Known> {
    text.and_then(|t| serde_json::from_str(t).ok()).unwrap_or_default()
}

/// What is remembered, as the workspace keeps it.
pub(crate) fn text(known: &[Known]) -> String {
    serde_json::to_string(known).unwrap_or_else(|_| "[]".to_owned())
}

/// Remembers what was found just now. The first findings ever are no news: nobody has looked before. Returns whether
/// anything changed.
pub(crate) fn remember(known: &mut Vec<Known>, findings: &[Finding], now: Nanos) -> bool {
    let before = known.clone();
    let first_look = known.is_empty();
    for finding in findings {
        let subject = finding.subject_text();
        match known.iter_mut().find(|k| k.rule == finding.rule && k.subject == subject) {
            Some(k) => k.last = k.last.max(finding.last),
            None => known.push(Known {
                rule: finding.rule.clone(),
                title: finding.title.clone(),
                subject,
                found: now,
                last: finding.last,
                looked: first_look,
            }),
        }
    }
    known.sort_by(|a, b| b.last.cmp(&a.last).then_with(|| (&a.rule, &a.subject).cmp(&(&b.rule, &b.subject))));
    known.truncate(REMEMBERED);
    *known != before
}

/// Those that are no more: known, not found now, and the range reaches beyond their last offence.
pub(crate) fn resolved<'k>(known: &'k [Known], findings: &[Finding], until: Option<Nanos>) -> Vec<&'k Known> {
    let there = |k: &Known| findings.iter().any(|f| f.rule == k.rule && f.subject_text() == k.subject);
    known.iter().filter(|k| !there(k) && until.is_none_or(|until| k.last < until)).collect()
}

//! Changes in words.

use flowglass_model::{EdgeStats, InteractionKind};
use flowglass_topology::diff::{Change, Subject, What};

use super::{Differences, Told};
use crate::time::rfc3339;

/// A row of the report.
pub(super) struct Row {
    pub(super) what: &'static str,
    pub(super) place: String,
    pub(super) before: String,
    pub(super) after: String,
    pub(super) chance: String,
}

impl Row {
    pub(super) const HEAD: [&'static str; 5] = ["What", "Where", "Before", "After", "Chance"];

    pub(super) fn cells(&self) -> [&str; 5] {
        [self.what, &self.place, &self.before, &self.after, &self.chance]
    }
}

pub(super) fn rows<'a>(all: &'a Differences, changes: &'a [Change]) -> impl Iterator<Item = Row> + 'a {
    changes.iter().map(|change| Row {
        what: what(change),
        place: place(all, &change.subject),
        before: figures(change.before.as_ref(), change),
        after: figures(change.after.as_ref(), change),
        chance: chance(change.chance),
    })
}

fn what(change: &Change) -> &'static str {
    match (change.what, change.median) {
        (What::Added, _) => "new",
        (What::Gone, _) => "gone",
        (What::Slower, true) => "slower",
        (What::Slower, false) => "slower, slow end",
        (What::Faster, true) => "faster",
        (What::Faster, false) => "faster, slow end",
        (What::MoreErrors, _) => "more errors",
        (What::FewerErrors, _) => "fewer errors",
    }
}

fn place(all: &Differences, subject: &Subject) -> String {
    match subject {
        Subject::Node(id) => all.name(id).to_owned(),
        Subject::Operation { participant, operation } => format!("{} {operation}", all.name(participant)),
        Subject::Edge { source, target, kind } => {
            let verb = match kind {
                InteractionKind::Call => "calls",
                InteractionKind::Publish => "publishes to",
                InteractionKind::Consume => "is consumed by",
                InteractionKind::Access => "uses",
            };
            format!("{} {verb} {}", all.name(source), all.name(target))
        }
    }
}

fn figures(stats: Option<&EdgeStats>, change: &Change) -> String {
    let Some(stats) = stats else { return "–".into() };
    match change.what {
        What::Added | What::Gone => format!("{} times", stats.count),
        What::MoreErrors | What::FewerErrors => {
            let share = stats.errors as f64 / stats.count.max(1) as f64;
            format!("{:.2} % ({} of {})", share * 100.0, stats.errors, stats.count)
        }
        What::Slower | What::Faster => {
            format!("{} / {} ({} times)", ms(stats.p50_ms), ms(stats.p95_ms), stats.count)
        }
    }
}

fn ms(value: Option<f64>) -> String {
    match value {
        None => "–".into(),
        Some(v) if v.abs() >= 1_000.0 => format!("{:.2} s", v / 1_000.0),
        Some(v) if v.abs() >= 100.0 => format!("{v:.0} ms"),
        Some(v) => format!("{v:.1} ms"),
    }
}

/// How likely it is without any change.
pub(crate) fn chance(p: f64) -> String {
    match p {
        p if p < 1e-6 => "< 0.0001 %".into(),
        p if p < 0.01 => format!("{:.4} %", p * 100.0),
        p => format!("{:.0} %", p * 100.0),
    }
}

/// What a side is, in words.
pub(super) fn side(told: &Told) -> String {
    let range = match (told.since, told.until) {
        (None, None) => "everything".to_owned(),
        (Some(since), None) => format!("from {} on", rfc3339(since)),
        (None, Some(until)) => format!("before {}", rfc3339(until)),
        (Some(since), Some(until)) => format!("{} to {}", rfc3339(since), rfc3339(until)),
    };
    format!("{}, {range}", told.workspace)
}

/// What was done, and what the columns mean.
pub(super) fn method(all: &Differences) -> [String; 2] {
    let (d, limits) = (&all.difference, &all.limits);
    [
        format!(
            "{} figures were tested, {} more lie on both sides with too few occurrences. A change is told when it is unlikely to \
             be chance (all tests corrected together: {} % of what is told may be) and large enough: times by {} % and {} ms, \
             shares of errors by {} percentage points.",
            d.tested,
            d.too_few,
            limits.chance * 100.0,
            limits.times * 100.0,
            limits.least_ms,
            limits.errors * 100.0,
        ),
        "Times are median / 95th percentile. Chance is how likely a difference like this is when nothing has changed."
            .into(),
    ]
}

/// Versions as `1.0 (20 spans), 1.1 (3 spans)`.
pub(super) fn versions(all: &[(String, u64)]) -> String {
    all.iter().map(|(version, n)| format!("{version} ({n} spans)")).collect::<Vec<_>>().join(", ")
}

//! Two ranges of time held against each other: what is new, gone, slower, faster, and fails more or less often.
//!
//! Nothing is told for its size alone. Every figure that can be compared is tested, all tests together are corrected for being
//! many (Benjamini and Hochberg, 1995), and of what is left only changes large enough to matter are told:
//!
//! - *new* and *gone*: how likely all occurrences lie on one side when both sides are alike, by the sides' shares of all traffic
//!   (exact binomial test);
//! - *times*: the rank test of Mann, Whitney and Wilcoxon for the whole distribution, told by the median; for the slow end the
//!   shares above the common 95th percentile (Fisher's exact test);
//! - *errors*: Fisher's exact test on the shares of failed ones.
//!
//! The tests take occurrences for independent of each other. Within a burst they are not: a change that rests on one bad minute
//! is told as sure as one that lasts, so compare ranges of some length.

mod gather;
mod tests_of;

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::{EdgeStats, InteractionKind, NodeId, SeriesSum};

use crate::Folding;
use crate::fold::Figures;
use gather::{Gathered, gather};
use tests_of::{adjusted, all_on_one_side, more_often, ranks};

/// Fewer occurrences than this on a side are not held against the other's times and errors.
pub const LEAST: i64 = 8;

/// From which size on a change matters, and how often a told one may be chance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Share of what is told that may be chance (false discovery rate).
    pub chance: f64,
    /// Change of a time, as a share of what it was.
    pub times: f64,
    /// Change of a time, milliseconds; both limits must be passed.
    pub least_ms: f64,
    /// Change of the share of errors, from 0 to 1.
    pub errors: f64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { chance: 0.05, times: 0.1, least_ms: 1.0, errors: 0.005 }
    }
}

/// One of the two things compared.
pub struct Side<'a> {
    /// Names of participants; of the whole workspace, not of the range alone.
    pub folding: &'a Folding,
    /// Figures of the range, without noise.
    pub series: &'a [SeriesSum],
}

/// What a change is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A participant.
    Node(NodeId),
    /// An interaction.
    Edge {
        /// Caller, producer or topic.
        source: NodeId,
        /// Callee, topic, consumer or backend.
        target: NodeId,
        /// How.
        kind: InteractionKind,
    },
    /// What a participant handles.
    Operation {
        /// Who.
        participant: NodeId,
        /// `POST /charge`.
        operation: String,
    },
}

/// What has changed. The order is the one they are told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Fails more often.
    MoreErrors,
    /// Takes longer.
    Slower,
    /// Was not there before.
    Added,
    /// Is not there any more.
    Gone,
    /// Fails less often.
    FewerErrors,
    /// Takes less time.
    Faster,
}

impl What {
    /// The word on the command line and in files.
    pub fn as_str(self) -> &'static str {
        match self {
            What::MoreErrors => "more-errors",
            What::Slower => "slower",
            What::Added => "added",
            What::Gone => "gone",
            What::FewerErrors => "fewer-errors",
            What::Faster => "faster",
        }
    }
}

/// A figure that has changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Of what.
    pub subject: Subject,
    /// How.
    pub what: What,
    /// Figures before; `None` where there was nothing.
    pub before: Option<EdgeStats>,
    /// Figures after; `None` where there is nothing.
    pub after: Option<EdgeStats>,
    /// The median moved (else only the slow end did); false for other changes than times.
    pub median: bool,
    /// How likely a difference like this, or a greater one, is when nothing has changed; corrected for the number of tests.
    pub chance: f64,
}

/// Versions of a service that emitted spans, with how many, where they are not the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionChange {
    /// The service.
    pub participant: NodeId,
    /// Before, by version.
    pub before: Vec<(String, u64)>,
    /// After, by version.
    pub after: Vec<(String, u64)>,
}

/// Everything that has changed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Difference {
    /// What is unlikely to be chance, worst first.
    pub changes: Vec<Change>,
    /// New and gone, but so rare that it may be chance.
    pub unsure: Vec<Change>,
    /// Services with other versions.
    pub versions: Vec<VersionChange>,
    /// Tests made.
    pub tested: usize,
    /// Interactions and operations on both sides with too few occurrences to be tested.
    pub too_few: usize,
    /// Occurrences on each side: calls, publications, deliveries and accesses.
    pub occurrences: (u64, u64),
}

/// A test that was made.
struct Tested {
    change: Change,
    /// Whether it is large enough to be told.
    matters: bool,
}

/// Compares what was before with what came after.
pub fn difference(before: &Side<'_>, after: &Side<'_>, limits: &Limits) -> Difference {
    let (a, b) = (gather(before), gather(after));
    let mut tested: Vec<Tested> = Vec::new();
    let mut out =
        Difference { occurrences: (a.occurrences.max(0) as u64, b.occurrences.max(0) as u64), ..Difference::default() };
    let subjects: BTreeSet<&Subject> = a.figures.keys().chain(b.figures.keys()).collect();
    for subject in subjects {
        match (a.figures.get(subject), b.figures.get(subject)) {
            (Some(a), Some(b)) => compare(subject, a, b, limits, &mut tested, &mut out.too_few),
            (Some(only), None) => tested.push(one_sided(subject, only, What::Gone, &a, &b)),
            (None, Some(only)) => tested.push(one_sided(subject, only, What::Added, &b, &a)),
            (None, None) => {}
        }
    }
    out.tested = tested.len();
    let corrected = adjusted(&tested.iter().map(|t| t.change.chance).collect::<Vec<_>>());
    for (mut t, chance) in tested.into_iter().zip(corrected) {
        t.change.chance = chance;
        let sure = chance <= limits.chance;
        match t.change.what {
            What::Added | What::Gone if !sure => out.unsure.push(t.change),
            _ if sure && t.matters => out.changes.push(t.change),
            _ => {}
        }
    }
    leave_out_implied(&mut out.changes);
    leave_out_implied(&mut out.unsure);
    // One row says it for both where the median and the slow end moved the same way.
    let medians: BTreeSet<(Subject, What)> =
        out.changes.iter().filter(|c| c.median).map(|c| (c.subject.clone(), c.what)).collect();
    out.changes.retain(|c| c.median || !medians.contains(&(c.subject.clone(), c.what)));
    out.changes.sort_by(|a, b| (a.what, &a.subject).cmp(&(b.what, &b.subject)));
    out.versions = versions(&a, &b);
    out
}

/// A participant that is new or gone takes its operations with it: they are not told again.
fn leave_out_implied(changes: &mut Vec<Change>) {
    let whole = |c: &Change| match &c.subject {
        Subject::Node(id) => Some((id.clone(), c.what)),
        _ => None,
    };
    let told: BTreeSet<(NodeId, What)> = changes.iter().filter_map(whole).collect();
    changes.retain(|c| match &c.subject {
        Subject::Operation { participant, .. } => !told.contains(&(participant.clone(), c.what)),
        _ => true,
    });
}

/// What is on one side only; `here` is that side.
fn one_sided(subject: &Subject, figures: &Figures, what: What, here: &Gathered, there: &Gathered) -> Tested {
    let all = (here.occurrences + there.occurrences).max(1) as f64;
    let chance = all_on_one_side(figures.count, here.occurrences as f64 / all);
    let stats = Some(figures.stats());
    let (before, after) = if what == What::Gone { (stats, None) } else { (None, stats) };
    Tested { change: Change { subject: subject.clone(), what, before, after, median: false, chance }, matters: true }
}

/// What is on both sides. Participants are told by what they handle.
fn compare(
    subject: &Subject,
    a: &Figures,
    b: &Figures,
    limits: &Limits,
    tested: &mut Vec<Tested>,
    too_few: &mut usize,
) {
    if matches!(subject, Subject::Node(_)) {
        return;
    }
    if a.count < LEAST || b.count < LEAST {
        *too_few += 1;
        return;
    }
    let (before, after) = (a.stats(), b.stats());
    let mut add = |what, median, chance, matters| {
        let change =
            Change { subject: subject.clone(), what, before: Some(before), after: Some(after), median, chance };
        tested.push(Tested { change, matters });
    };
    if a.errors + b.errors > 0 {
        let (was, is) = (a.errors as f64 / a.count as f64, b.errors as f64 / b.count as f64);
        let what = if is > was { What::MoreErrors } else { What::FewerErrors };
        let chance = more_often((a.errors, a.count), (b.errors, b.count));
        add(what, false, chance, (is - was).abs() >= limits.errors);
    }
    if a.sketch.count() < LEAST || b.sketch.count() < LEAST {
        return;
    }
    let times = |was: Option<f64>, is: Option<f64>| {
        let (was, is) = (was.unwrap_or_default(), is.unwrap_or_default());
        let what = if is > was { What::Slower } else { What::Faster };
        let moved = (is - was).abs();
        (what, moved >= limits.least_ms && moved >= limits.times * was.abs())
    };
    let (what, matters) = times(before.p50_ms, after.p50_ms);
    let median = ranks(&a.sketch, &b.sketch);
    add(what, true, median, matters);
    let (what_of_tail, matters) = times(before.p95_ms, after.p95_ms);
    let tail = tests_of::tail(&a.sketch, &b.sketch, 0.95);
    add(what_of_tail, false, tail, matters);
}

fn versions(a: &Gathered, b: &Gathered) -> Vec<VersionChange> {
    let none = BTreeMap::new();
    let services: BTreeSet<&NodeId> = a.versions.keys().chain(b.versions.keys()).collect();
    let listed = |all: &BTreeMap<String, i64>| -> Vec<(String, u64)> {
        all.iter().map(|(version, count)| (version.clone(), count.unsigned_abs())).collect()
    };
    let mut out = Vec::new();
    for participant in services {
        let (before, after) =
            (a.versions.get(participant).unwrap_or(&none), b.versions.get(participant).unwrap_or(&none));
        // A service that is new or gone has not changed its version.
        if !before.is_empty() && !after.is_empty() && !before.keys().eq(after.keys()) {
            let participant = participant.clone();
            out.push(VersionChange { participant, before: listed(before), after: listed(after) });
        }
    }
    out
}

//! The report for programs.

use std::collections::BTreeMap;

use flowglass_model::EdgeStats;
use flowglass_topology::diff::{Change, Subject};
use serde::Serialize;

use super::{Differences, Told};
use crate::time::rfc3339;

#[derive(Serialize)]
struct Report<'a> {
    before: SideOut<'a>,
    after: SideOut<'a>,
    limits: LimitsOut,
    tested: usize,
    too_few: usize,
    changes: Vec<ChangeOut<'a>>,
    unsure: Vec<ChangeOut<'a>>,
    versions: Vec<VersionsOut<'a>>,
}

#[derive(Serialize)]
struct SideOut<'a> {
    workspace: &'a str,
    since: Option<String>,
    until: Option<String>,
    interactions: u64,
}

#[derive(Serialize)]
struct LimitsOut {
    chance: f64,
    times: f64,
    least_ms: f64,
    errors: f64,
}

#[derive(Serialize)]
struct ChangeOut<'a> {
    what: &'static str,
    subject: String,
    kind: &'static str,
    operation: Option<&'a str>,
    before: Option<StatsOut>,
    after: Option<StatsOut>,
    median: bool,
    chance: f64,
}

#[derive(Serialize)]
struct StatsOut {
    count: u64,
    errors: u64,
    p50_ms: Option<f64>,
    p95_ms: Option<f64>,
}

#[derive(Serialize)]
struct VersionsOut<'a> {
    participant: &'a str,
    before: BTreeMap<&'a str, u64>,
    after: BTreeMap<&'a str, u64>,
}

pub(super) fn report(all: &Differences) -> String {
    let (d, limits) = (&all.difference, all.limits);
    let [before, after] = &all.sides;
    let report = Report {
        before: side(before, d.occurrences.0),
        after: side(after, d.occurrences.1),
        limits: LimitsOut {
            chance: limits.chance,
            times: limits.times,
            least_ms: limits.least_ms,
            errors: limits.errors,
        },
        tested: d.tested,
        too_few: d.too_few,
        changes: d.changes.iter().map(change).collect(),
        unsure: d.unsure.iter().map(change).collect(),
        versions: d
            .versions
            .iter()
            .map(|v| VersionsOut {
                participant: v.participant.as_str(),
                before: v.before.iter().map(|(version, n)| (version.as_str(), *n)).collect(),
                after: v.after.iter().map(|(version, n)| (version.as_str(), *n)).collect(),
            })
            .collect(),
    };
    serde_json::to_string(&report).unwrap_or_default()
}

fn side(told: &Told, interactions: u64) -> SideOut<'_> {
    SideOut { workspace: &told.workspace, since: told.since.map(rfc3339), until: told.until.map(rfc3339), interactions }
}

fn change(change: &Change) -> ChangeOut<'_> {
    let (subject, kind, operation) = match &change.subject {
        Subject::Node(id) => (id.to_string(), "participant", None),
        Subject::Edge { source, target, kind } => (format!("{source} → {target}"), kind.as_str(), None),
        Subject::Operation { participant, operation } => {
            (participant.to_string(), "operation", Some(operation.as_str()))
        }
    };
    ChangeOut {
        what: change.what.as_str(),
        subject,
        kind,
        operation,
        before: change.before.as_ref().map(stats),
        after: change.after.as_ref().map(stats),
        median: change.median,
        chance: change.chance,
    }
}

fn stats(stats: &EdgeStats) -> StatsOut {
    StatsOut { count: stats.count, errors: stats.errors, p50_ms: stats.p50_ms, p95_ms: stats.p95_ms }
}

//! Deviations for programs.

use flowglass_design::{Deviation, Evidence};
use serde::Serialize;

use super::DriftList;

#[derive(Serialize)]
struct ListOut<'a> {
    design: &'a str,
    matched: usize,
    observed: usize,
    not_judged: &'a [&'static str],
    notes: &'a [String],
    deviations: Vec<DeviationOut<'a>>,
    settled: Vec<SettledOut<'a>>,
}

#[derive(Serialize)]
struct DeviationOut<'a> {
    kind: &'static str,
    subject: &'a str,
    count: u64,
    participants: Vec<&'a str>,
    explanation: &'a str,
    evidence: Vec<EvidenceOut<'a>>,
    matches: Vec<MatchOut<'a>>,
    kept: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum EvidenceOut<'a> {
    Span { trace_id: String, span_id: String },
    Event { event_id: &'a str },
}

#[derive(Serialize)]
struct MatchOut<'a> {
    observed: &'a str,
    designed: &'a str,
    how: &'static str,
}

#[derive(Serialize)]
struct SettledOut<'a> {
    kind: &'a str,
    subject: &'a str,
}

pub(super) fn list(list: &DriftList<'_>) -> String {
    let drift = list.drift;
    let out = ListOut {
        design: list.design,
        matched: drift.matched.0,
        observed: drift.matched.1,
        not_judged: &drift.silent,
        notes: list.notes,
        deviations: drift.deviations.iter().map(deviation).collect(),
        settled: drift.settled.iter().map(|(kind, subject)| SettledOut { kind, subject }).collect(),
    };
    serde_json::to_string(&out).unwrap_or_default()
}

fn deviation(d: &Deviation) -> DeviationOut<'_> {
    let matches =
        d.matches.iter().map(|m| MatchOut { observed: m.observed.as_str(), designed: &m.designed, how: m.how.words() });
    DeviationOut {
        kind: d.kind.as_str(),
        subject: &d.subject,
        count: d.count,
        participants: d.nodes.iter().map(|n| n.as_str()).collect(),
        explanation: &d.saw,
        evidence: d.evidence.iter().map(place).collect(),
        matches: matches.collect(),
        kept: d.kept.as_deref(),
    }
}

fn place(evidence: &Evidence) -> EvidenceOut<'_> {
    match evidence {
        Evidence::Span { trace, span, .. } => {
            EvidenceOut::Span { trace_id: trace.to_string(), span_id: span.to_string() }
        }
        Evidence::Event { id, .. } => EvidenceOut::Event { event_id: id },
    }
}

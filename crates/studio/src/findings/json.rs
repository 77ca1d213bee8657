//! The contract's list of findings.

use flowglass_rules::{Evidence, Finding};
use serde_json::{Value, json};

use super::{FindingsList, explanation};
use crate::time::rfc3339;
use crate::words::sure;

pub(super) fn list(list: &FindingsList<'_>) -> String {
    Value::Array(list.findings.iter().map(|f| finding(f)).collect()).to_string()
}

pub(super) fn evidence(evidence: &Evidence) -> Value {
    match evidence {
        Evidence::Span { trace, span } => json!({ "trace_id": trace.to_string(), "span_id": span.to_string() }),
        Evidence::Event { id, .. } => json!({ "event_id": id }),
    }
}

fn finding(f: &Finding) -> Value {
    let ids = |ids: &[flowglass_model::NodeId]| ids.iter().map(|id| id.as_str().to_owned()).collect::<Vec<_>>();
    let waived = f.waiver.as_ref().map(|w| json!({ "reason": w.reason, "expires": w.expires.map(|d| d.to_string()) }));
    json!({
        "rule": f.rule,
        "severity": f.severity.as_str(),
        "subject": f.subject_text(),
        "count": f.count,
        "participants": ids(&f.participants),
        "evidence": f.evidence.iter().map(|(_, e)| evidence(e)).collect::<Vec<_>>(),
        "layer_guessed": f.layer_guessed,
        "explanation": explanation(f),
        "advice": f.advice,
        "title": f.title,
        "sure": sure(f.sure),
        "estimated": f.estimated,
        "first": rfc3339(f.first),
        "last": rfc3339(f.last),
        "waived": waived,
    })
}

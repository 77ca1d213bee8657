//! SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format): what code scanning reads.

use std::collections::BTreeMap;

use flowglass_model::Severity;
use flowglass_rules::Finding;
use serde_json::{Value, json};

use super::{FindingsList, explanation, json as contract};

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

pub(super) fn log(list: &FindingsList<'_>) -> String {
    let mut rules: BTreeMap<&str, &Finding> = BTreeMap::new();
    for f in &list.findings {
        rules.entry(&f.rule).or_insert(f);
    }
    let index = |id: &str| rules.keys().position(|r| *r == id);
    let descriptors: Vec<Value> = rules.values().map(|f| descriptor(f)).collect();
    let results: Vec<Value> = list.findings.iter().map(|f| result(f, index(&f.rule), list.workspace)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "Flowglass",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": descriptors,
            } },
            "results": results,
        }],
    })
    .to_string()
}

fn descriptor(f: &Finding) -> Value {
    json!({
        "id": f.rule,
        "shortDescription": { "text": f.title },
        "fullDescription": { "text": f.why },
        "help": { "text": f.advice },
        "defaultConfiguration": { "level": level(f.severity) },
        "properties": { "tags": [f.area] },
    })
}

fn result(f: &Finding, rule: Option<usize>, workspace: &str) -> Value {
    let places: Vec<Value> = f
        .participants
        .iter()
        .map(|id| json!({ "name": id.name(), "fullyQualifiedName": id.as_str(), "kind": "module" }))
        .collect();
    let mut result = json!({
        "ruleId": f.rule,
        "ruleIndex": rule,
        "level": level(f.severity),
        "message": { "text": format!("{}: {} {}", f.subject_text(), explanation(f), f.advice) },
        "occurrenceCount": f.count,
        "locations": [{
            "physicalLocation": { "artifactLocation": { "uri": workspace } },
            "logicalLocations": places,
        }],
        // The same finding of two runs is the same alert.
        "partialFingerprints": { "subject/v1": format!("{}:{}", f.rule, f.subject_text()) },
        "properties": { "evidence": f.evidence.iter().map(|(_, e)| contract::evidence(e)).collect::<Vec<_>>() },
    });
    if let (Some(waiver), Some(fields)) = (&f.waiver, result.as_object_mut()) {
        fields.insert("suppressions".into(), json!([{ "kind": "external", "justification": waiver.reason }]));
    }
    result
}

//! OpenAPI 3.1 of a variant's calls: a skeleton to fill in.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::asyncapi::title;
use super::key;
use crate::flow;
use crate::model::{Do, Intent, Needs, Scenario, Variant};
use crate::program::participant_of;

/// How an operation is asked for, over all who call it.
#[derive(Default)]
struct Asked<'a> {
    callers: Vec<&'a str>,
    intent: Option<Intent>,
    needs: Option<Needs>,
    idempotent: Option<bool>,
    sensitive: bool,
}

/// The document: every operation that is called (by users or by others), with the method its intent suggests, and 202 where the
/// caller does not wait for the outcome.
pub fn openapi(scenario: &Scenario, variant: &Variant) -> Value {
    let design = scenario.design_of(variant);
    let mut asked: BTreeMap<&str, Asked<'_>> = BTreeMap::new();
    for workload in &design.workloads {
        asked.entry(&workload.to).or_default().callers.push(&workload.name);
    }
    for (caller, step) in crate::study::steps(design) {
        if flow::is_event(variant, step) {
            continue;
        }
        let entry = asked.entry(&step.operation).or_default();
        entry.callers.push(participant_of(caller));
        entry.note(step);
    }
    let mut paths = Map::new();
    for (operation, asked) in &asked {
        let Some(spec) = design.operations.get(*operation) else { continue };
        let participant = participant_of(operation);
        let name = operation.get(participant.len() + 1..).unwrap_or(operation);
        let layer = design.participants.get(participant).and_then(|p| p.layer.clone());
        let later = accepts(variant, spec.reply_early, &spec.steps);
        let path = format!("/{}/{}", key(participant), key(name));
        let (method, item) = item(operation, asked, layer, later);
        let entry = paths.entry(path).or_insert_with(|| json!({}));
        if let Value::Object(entry) = entry {
            entry.insert(method.to_owned(), item);
        }
    }
    let tags: Vec<Value> = design.participants.keys().map(|name| json!({ "name": name })).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": title(scenario), "version": "0.1.0",
            "description": format!("Calls of the variant {} of a Flowglass scenario. A skeleton: fill in the schemas.", variant.name),
        },
        "servers": [{ "url": "/" }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": {
                "Problem": {
                    "type": "object", "description": "RFC 9457",
                    "properties": { "type": { "type": "string" }, "title": { "type": "string" }, "status": { "type": "integer" }, "detail": { "type": "string" } },
                },
            },
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
    })
}

impl<'a> Asked<'a> {
    fn note(&mut self, step: &'a Do) {
        self.intent = self.intent.or(step.intent);
        self.needs = self.needs.or(step.needs);
        self.idempotent = self.idempotent.or(step.idempotent);
        self.sensitive |= step.sensitive == Some(true);
    }
}

/// Whether the answer comes before the outcome.
fn accepts(variant: &Variant, early: bool, steps: &[crate::model::Step]) -> bool {
    let mut later = early;
    crate::program::each_do(steps, &mut |step| later |= variant.accept.contains(&step.id));
    later
}

fn item(operation: &str, asked: &Asked<'_>, layer: Option<String>, later: bool) -> (&'static str, Value) {
    let read = asked.intent == Some(Intent::Read);
    let method = match (read, asked.idempotent) {
        (true, _) => "get",
        (false, Some(true)) => "put",
        _ => "post",
    };
    let problem = |text: &str| json!({ "description": text, "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } } });
    let mut responses = Map::new();
    if later {
        let headers = json!({
            "Location": { "description": "Where the outcome can be asked for", "schema": { "type": "string", "format": "uri-reference" } },
            "Retry-After": { "schema": { "type": "integer" } },
        });
        responses.insert(
            "202".to_owned(),
            json!({ "description": "Accepted; the outcome comes later", "headers": headers }),
        );
    } else if read || asked.needs == Some(Needs::Answer) {
        let content = json!({ "application/json": { "schema": { "type": "object" } } });
        responses.insert("200".to_owned(), json!({ "description": "Answered", "content": content }));
    } else {
        responses.insert("204".to_owned(), json!({ "description": "Done" }));
    }
    responses.insert("503".to_owned(), problem("Refused or away"));
    responses.insert("504".to_owned(), problem("One below did not answer in time"));
    let callers: Vec<&str> =
        asked.callers.iter().copied().collect::<std::collections::BTreeSet<_>>().into_iter().collect();
    let mut item = json!({
        "operationId": key(operation),
        "tags": [participant_of(operation)],
        "summary": operation,
        "description": format!("Asked by {}.", callers.join(", ")),
        "responses": responses,
    });
    if let Value::Object(item) = &mut item {
        if !read {
            let body =
                json!({ "required": true, "content": { "application/json": { "schema": { "type": "object" } } } });
            item.insert("requestBody".to_owned(), body);
        }
        // System APIs are never open; neither is what carries data that not everybody may see.
        if asked.sensitive || layer.as_deref() == Some("system") {
            item.insert("security".to_owned(), json!([{ "token": [] }]));
        }
        if let Some(layer) = layer {
            item.insert("x-layer".to_owned(), json!(layer));
        }
    }
    (method, item)
}

//! OpenAPI 3.1: operations over HTTP, a skeleton to fill in.

use flowglass_model::{Answer, ApiOperation, ApiSkeleton};
use serde_json::{Map, Value, json};

use super::{info, keyed, optional, parameters};

/// The document.
pub fn openapi(skeleton: &ApiSkeleton) -> Value {
    let ids = keyed(skeleton.operations.iter().filter_map(|o| o.id.as_deref()));
    let mut paths = Map::new();
    for o in &skeleton.operations {
        let entry = paths.entry(o.path.clone()).or_insert_with(|| json!({}));
        if let Value::Object(entry) = entry {
            let id = o.id.as_deref().and_then(|id| ids.get(id));
            entry.insert(o.method.clone(), operation(o, id.map(String::as_str)));
        }
    }
    let mut out = Map::from_iter([("openapi".to_owned(), json!("3.1.0")), ("info".to_owned(), info(&skeleton.info))]);
    if !skeleton.servers.is_empty() {
        out.insert("servers".into(), skeleton.servers.iter().map(|url| json!({ "url": url })).collect());
    }
    if !skeleton.tags.is_empty() {
        out.insert("tags".into(), skeleton.tags.iter().map(|name| json!({ "name": name })).collect());
    }
    out.insert("paths".into(), Value::Object(paths));
    let mut components = json!({ "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } } });
    let fails = |o: &ApiOperation| o.answers.iter().any(|a| matches!(a, Answer::Refused | Answer::TooLate));
    if let (true, Value::Object(components)) = (skeleton.operations.iter().any(fails), &mut components) {
        components.insert("schemas".into(), json!({ "Problem": problem() }));
    }
    out.insert("components".into(), components);
    Value::Object(out)
}

fn operation(o: &ApiOperation, id: Option<&str>) -> Value {
    let mut out = Map::new();
    optional(&mut out, "operationId", id);
    if let Some(tag) = &o.tag {
        out.insert("tags".into(), json!([tag]));
    }
    optional(&mut out, "summary", o.summary.as_deref());
    optional(&mut out, "description", o.description.as_deref());
    let parameters: Vec<Value> = parameters(&o.path)
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    if !parameters.is_empty() {
        out.insert("parameters".into(), Value::Array(parameters));
    }
    if o.body {
        out.insert("requestBody".into(), json!({ "required": true, "content": any_json() }));
    }
    let responses: Map<String, Value> =
        o.answers.iter().map(|a| response(*a)).map(|(status, value)| (status.to_owned(), value)).collect();
    out.insert("responses".into(), Value::Object(responses));
    if o.secured {
        out.insert("security".into(), json!([{ "token": [] }]));
    }
    out.extend(o.own.clone());
    Value::Object(out)
}

fn any_json() -> Value {
    json!({ "application/json": { "schema": { "type": "object" } } })
}

/// Status and response of an answer.
fn response(answer: Answer) -> (&'static str, Value) {
    let problem = |text: &str| json!({ "description": text, "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } } });
    match answer {
        Answer::Open => ("default", json!({ "description": "Fill in" })),
        Answer::Answered => ("200", json!({ "description": "Answered", "content": any_json() })),
        Answer::Accepted => {
            let headers = json!({
                "Location": { "description": "Where the outcome can be asked for", "schema": { "type": "string", "format": "uri-reference" } },
                "Retry-After": { "schema": { "type": "integer" } },
            });
            ("202", json!({ "description": "Accepted; the outcome comes later", "headers": headers }))
        }
        Answer::Done => ("204", json!({ "description": "Done" })),
        Answer::Refused => ("503", problem("Refused or away")),
        Answer::TooLate => ("504", problem("One below did not answer in time")),
    }
}

fn problem() -> Value {
    let text = json!({ "type": "string" });
    json!({
        "type": "object", "description": "RFC 9457",
        "properties": { "type": text, "title": text, "status": { "type": "integer" }, "detail": text },
    })
}

//! OpenAPI 3.1: what a participant offers, a skeleton to fill in.

use flowglass_model::{DesignedParticipant, Layer};
use serde_json::{Map, Value, json};

use super::info;

/// Methods that a path item has a place for.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Method and path of an operation that OpenAPI can say.
pub(super) fn http(operation: &str) -> Option<(String, &str)> {
    let (method, path) = operation.split_once(' ')?;
    let method = method.to_ascii_lowercase();
    (METHODS.contains(&method.as_str())
        && path.starts_with('/')
        && method.to_ascii_uppercase() == operation[..method.len()])
        .then_some((method, path))
}

pub(super) fn has(p: &DesignedParticipant) -> bool {
    p.operations.keys().any(|o| http(o).is_some())
}

pub(super) fn document(name: &str, p: &DesignedParticipant) -> Value {
    let mut paths = Map::new();
    for (operation, about) in &p.operations {
        let Some((method, path)) = http(operation) else { continue };
        let mut item = json!({ "responses": { "default": { "description": "Fill in" } } });
        if let Value::Object(item) = &mut item {
            if !about.is_empty() {
                item.insert("summary".into(), json!(about));
            }
            let parameters = parameters(path);
            if !parameters.is_empty() {
                item.insert("parameters".into(), Value::Array(parameters));
            }
            // System APIs are never open.
            if p.layer == Some(Layer::System) {
                item.insert("security".into(), json!([{ "token": [] }]));
            }
        }
        let entry = paths.entry(path.to_owned()).or_insert_with(|| json!({}));
        if let Value::Object(entry) = entry {
            entry.insert(method, item);
        }
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": info(name, p),
        "paths": paths,
        "components": { "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } } },
    });
    if let (false, Value::Object(document)) = (p.servers.is_empty(), &mut document) {
        document.insert("servers".into(), p.servers.iter().map(|url| json!({ "url": url })).collect());
    }
    document
}

/// The parameters that a path names.
fn parameters(path: &str) -> Vec<Value> {
    let named = path.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name);
    named.map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })).collect()
}

//! Schemas that stand by themselves: what they refer to is taken along, once each, so that circles survive.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::refs::{Library, Placed};

/// Schemas taken along at most.
const MOST: usize = 2_000;

/// The schema with everything it refers to below `$defs`. What cannot be found allows anything, and is counted.
pub(super) fn standing_alone<'a>(from: Placed<'a>, library: &Library<'a>) -> (Value, usize) {
    let Some(start) = library.follow(from) else { return (json!({}), 1) };
    let mut taking = Taking { library, names: BTreeMap::new(), open: Vec::new(), missing: 0 };
    let mut schema = taking.copied(&start);
    let mut definitions = Map::new();
    while let Some((name, placed)) = taking.open.pop() {
        let copy = taking.copied(&placed);
        definitions.insert(name, copy);
    }
    if !definitions.is_empty() {
        match &mut schema {
            Value::Object(map) => map.insert("$defs".into(), Value::Object(definitions)),
            _ => None,
        };
    }
    (schema, taking.missing)
}

struct Taking<'a, 'l> {
    library: &'l Library<'a>,
    /// Names below `$defs`, by where the schema stands.
    names: BTreeMap<(String, String), String>,
    open: Vec<(String, Placed<'a>)>,
    missing: usize,
}

impl<'a> Taking<'a, '_> {
    fn copied(&mut self, from: &Placed<'a>) -> Value {
        match from.value {
            Value::Object(map) if map.get("$ref").is_some_and(Value::is_string) => self.reference(from),
            Value::Object(map) => {
                let mut out = Map::new();
                for (key, value) in map {
                    match key.as_str() {
                        // Data, not schemas; extensions say nothing of payloads.
                        "example" | "examples" | "default" | "const" | "enum" => {
                            out.insert(key.clone(), value.clone());
                        }
                        key if key.starts_with("x-") => {}
                        // The words of JSON Schema since 2019-09: one place for all.
                        "$id" | "$schema" | "nullable" => {}
                        _ => {
                            out.insert(key.clone(), self.copied(&from.child(value)));
                        }
                    }
                }
                if map.get("nullable") == Some(&Value::Bool(true)) {
                    nullable(&mut out);
                }
                Value::Object(out)
            }
            Value::Array(items) => Value::Array(items.iter().map(|item| self.copied(&from.child(item))).collect()),
            other => other.clone(),
        }
    }

    fn reference(&mut self, from: &Placed<'a>) -> Value {
        let target = self.library.follow(from.clone()).filter(|_| self.names.len() < MOST);
        let Some(target) = target else {
            self.missing += 1;
            return json!({});
        };
        let pointer = target.pointer.clone().unwrap_or_default();
        let place = (target.path.clone(), pointer.clone());
        let name = match self.names.get(&place) {
            Some(name) => name.clone(),
            None => {
                let base =
                    pointer.rsplit('/').next().filter(|p| !p.is_empty()).unwrap_or("schema").replace(['~', '/'], "_");
                let taken = |name: &str| self.names.values().any(|n| n == name);
                let mut name = base.clone();
                let mut number = 1;
                while taken(&name) {
                    number += 1;
                    name = format!("{base}_{number}");
                }
                self.names.insert(place, name.clone());
                self.open.push((name.clone(), target));
                name
            }
        };
        json!({ "$ref": format!("#/$defs/{name}") })
    }
}

/// OpenAPI 3.0's way of saying that null is allowed.
fn nullable(schema: &mut Map<String, Value>) {
    if let Some(Value::String(kind)) = schema.get("type") {
        let kinds = json!([kind, "null"]);
        schema.insert("type".into(), kinds);
    }
}

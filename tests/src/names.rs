//! How the sample landscape's truth names things, and how the map does.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::graph::{Edge, Graph, Tally};

/// The text of a field.
fn text<'v>(value: &'v Value, field: &str) -> Result<&'v str> {
    value[field].as_str().with_context(|| format!("no `{field}` in {value}"))
}

fn list<'v>(value: &'v Value, field: &str) -> &'v [Value] {
    value[field].as_array().map_or(&[], Vec::as_slice)
}

/// The map that a truth file of `flowglass-demo` stands for: node ids with their layers, edges with their figures.
///
/// # Errors
/// If the file says something else than it used to.
pub fn truth_graph(truth: &Value) -> Result<Graph> {
    let parameters = &truth["parameters"];
    let mut ids: BTreeMap<&str, String> = BTreeMap::new();
    let mut layers = BTreeMap::new();
    for of in list(parameters, "services") {
        ids.insert(text(of, "name")?, text(of, "id")?.to_owned());
        layers.insert(text(of, "id")?.to_owned(), text(of, "layer")?.to_owned());
    }
    for of in list(parameters, "backends").iter().chain(list(parameters, "subjects")) {
        ids.insert(text(of, "name")?, text(of, "id")?.to_owned());
    }
    // Several callers of one kind are one node: which kind is for the map to tell, so only where they enter counts.
    for of in list(parameters, "callers") {
        ids.insert(text(of, "name")?, "consumer".to_owned());
    }
    let mut edges: BTreeMap<Edge, Tally> = BTreeMap::new();
    for of in list(&truth["counts"], "edges") {
        let id = |field| -> Result<String> {
            let name = text(of, field)?;
            ids.get(name).cloned().with_context(|| format!("the truth names no {name}"))
        };
        let edge = Edge::new(&id("source")?, &id("target")?, text(of, "kind")?);
        edges
            .entry(edge)
            .or_default()
            .add(Tally { count: of["count"].as_u64().unwrap_or(0), errors: of["errors"].as_u64().unwrap_or(0) });
    }
    Ok(Graph { layers, edges })
}

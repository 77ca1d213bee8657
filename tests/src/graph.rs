//! Maps as plain data, to be compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// Who, to whom, what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    source: String,
    target: String,
    kind: String,
}

impl Edge {
    /// An edge, its ends in the form in which they are compared: callers without a span are one `consumer`, and what is done at an
    /// external system is an access, whichever of the two words stands there.
    #[must_use]
    pub fn new(source: &str, target: &str, kind: &str) -> Edge {
        let source = if source.starts_with("consumer") { "consumer" } else { source };
        let kind = if kind == "call" && target.starts_with("external:") { "access" } else { kind };
        Edge { source: source.to_owned(), target: target.to_owned(), kind: kind.to_owned() }
    }
}

impl fmt::Display for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -{}-> {}", self.source, self.kind, self.target)
    }
}

/// How often, and how often in vain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Occurrences.
    pub count: u64,
    /// Failed ones.
    pub errors: u64,
}

impl Tally {
    /// Adds another.
    pub fn add(&mut self, other: Tally) {
        self.count += other.count;
        self.errors += other.errors;
    }
}

/// What is compared of a map.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// Layers of the services, by node id.
    pub layers: BTreeMap<String, String>,
    /// Figures of the edges.
    pub edges: BTreeMap<Edge, Tally>,
}

impl Graph {
    /// Reads what `flowglass topology` prints.
    ///
    /// # Errors
    /// If that does not have the shape of the contract.
    pub fn read(topology: &Value) -> Result<Graph> {
        let mut graph = Graph::default();
        for node in topology["nodes"].as_array().context("a map has nodes")? {
            if node["kind"] == "service" {
                let id = node["id"].as_str().context("a node has an id")?;
                graph.layers.insert(id.to_owned(), node["layer"].as_str().unwrap_or_default().to_owned());
            }
        }
        for edge in topology["edges"].as_array().context("a map has edges")? {
            let of = |field: &str| edge[field].as_str().with_context(|| format!("no `{field}` in {edge}"));
            let tally = Tally {
                count: edge["count"].as_u64().context("an edge has a count")?,
                errors: edge["errors"].as_u64().context("an edge has errors")?,
            };
            graph.edges.entry(Edge::new(of("source")?, of("target")?, of("kind")?)).or_default().add(tally);
        }
        Ok(graph)
    }

    /// Keeps only edges of these kinds.
    #[must_use]
    pub fn of_kinds(&self, kinds: &[&str]) -> Graph {
        let edges = self.edges.iter().filter(|(edge, _)| kinds.contains(&edge.kind.as_str()));
        Graph { layers: self.layers.clone(), edges: edges.map(|(e, t)| (e.clone(), *t)).collect() }
    }

    /// Checks that this is exactly the `expected` map. Whether a handling counts as failed is compared for all kinds.
    ///
    /// # Errors
    /// With every difference.
    pub fn must_be(&self, expected: &Graph) -> Result<()> {
        let mut wrong = differences("layer of", &self.layers, &expected.layers, |layer| layer.clone());
        wrong.extend(differences("edge", &self.edges, &expected.edges, |t| {
            format!("{} ({} failed)", t.count, t.errors)
        }));
        if wrong.is_empty() {
            return Ok(());
        }
        bail!("the map is not what was sent, {} differences:\n  {}", wrong.len(), wrong.join("\n  "))
    }
}

fn differences<K: Ord + fmt::Display, V: PartialEq>(
    what: &str,
    found: &BTreeMap<K, V>,
    expected: &BTreeMap<K, V>,
    words: impl Fn(&V) -> String,
) -> Vec<String> {
    let keys: BTreeSet<&K> = found.keys().chain(expected.keys()).collect();
    let mut wrong = Vec::new();
    for key in keys {
        match (found.get(key), expected.get(key)) {
            (Some(found), Some(expected)) if found == expected => {}
            (Some(found), Some(expected)) => {
                wrong.push(format!("{what} {key}: {}, expected {}", words(found), words(expected)));
            }
            (Some(found), None) => wrong.push(format!("{what} {key}: {}, expected none", words(found))),
            (None, Some(expected)) => wrong.push(format!("{what} {key}: missing, expected {}", words(expected))),
            (None, None) => {}
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_difference_is_told() {
        let map = |count: u64, kind: &str| {
            json!({
                "nodes": [{"id": "service:a", "kind": "service", "layer": "system"}],
                "edges": [{"source": "service:a", "target": "service:b", "kind": kind, "count": count, "errors": 0}],
            })
        };
        let graph = |value| Graph::read(&value).expect("a map");
        assert!(graph(map(1, "call")).must_be(&graph(map(1, "call"))).is_ok());
        let told = graph(map(1, "call")).must_be(&graph(map(2, "call"))).expect_err("different").to_string();
        assert!(told.contains("service:a -call-> service:b: 1 (0 failed), expected 2 (0 failed)"), "{told}");
        let told = graph(map(1, "call")).must_be(&graph(map(1, "publish"))).expect_err("different").to_string();
        assert!(told.contains("2 differences"), "{told}");
    }
}

//! `flowglass layout`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use anyhow::{Context as _, bail};
use flowglass_studio::model::{Layer, NodeId, NodeKind};
use flowglass_studio::topology::{LayoutEdge, LayoutInput, LayoutMode, LayoutNode, card_size, layout};
use serde::Deserialize;

use crate::args::LayoutArgs;
use crate::output::print_json;

/// Largest side of a card, pixels: beyond, sums of sizes lose their meaning.
const LARGEST: f64 = 1e6;

#[derive(Deserialize)]
struct Graph {
    nodes: Vec<Node>,
    #[serde(default)]
    edges: Vec<Edge>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    layer: String,
    width: Option<f64>,
    height: Option<f64>,
}

#[derive(Deserialize)]
struct Edge {
    source: String,
    target: String,
}

/// Prints where the cards of a graph stand.
pub(crate) fn run(args: &LayoutArgs) -> anyhow::Result<()> {
    let file = args.graph.display();
    let text = std::fs::read_to_string(&args.graph).with_context(|| file.to_string())?;
    // serde_json's errors say line and column.
    let graph: Graph = serde_json::from_str(&text).with_context(|| format!("{file} is no graph"))?;
    let (width, height) = card_size(NodeKind::Service);
    let mut ids = BTreeSet::new();
    let mut nodes = Vec::with_capacity(graph.nodes.len());
    for (i, node) in graph.nodes.iter().enumerate() {
        let Some(layer) = Layer::parse(&node.layer) else {
            let known = Layer::ALL.map(Layer::as_str).join(", ");
            bail!("{file}: nodes[{i}].layer: `{}` is no layer; it is one of {known}", node.layer);
        };
        if !ids.insert(node.id.as_str()) {
            bail!("{file}: nodes[{i}].id: `{}` is there twice; ids must differ", node.id);
        }
        let (width, height) = (node.width.unwrap_or(width), node.height.unwrap_or(height));
        if !(width > 0.0 && width <= LARGEST && height > 0.0 && height <= LARGEST) {
            bail!("{file}: nodes[{i}]: width and height must be above 0 and at most {LARGEST}");
        }
        nodes.push(LayoutNode { id: NodeId::from(node.id.as_str()), layer, width, height });
    }
    for (i, edge) in graph.edges.iter().enumerate() {
        for (end, id) in [("source", &edge.source), ("target", &edge.target)] {
            if !ids.contains(id.as_str()) {
                bail!("{file}: edges[{i}].{end}: there is no node `{id}`");
            }
        }
    }
    let edge = |e: &Edge| LayoutEdge { source: e.source.as_str().into(), target: e.target.as_str().into(), weight: 1 };
    let edges: Vec<LayoutEdge> = graph.edges.iter().map(edge).collect();
    let started = Instant::now();
    let input = LayoutInput { nodes: &nodes, edges: &edges, previous: &BTreeMap::new(), mode: LayoutMode::Relayout };
    let placed = layout(&input);
    let ms = started.elapsed().as_secs_f64() * 1_000.0;
    let positions: BTreeMap<&str, [f64; 2]> =
        placed.positions.iter().map(|(id, at)| (id.as_str(), [at.x, at.y])).collect();
    eprintln!("{{\"ms\":{ms:.3}}}");
    print_json(&positions)
}

//! `flowglass topology`.

use std::path::Path;

use anyhow::bail;
use flowglass_studio::model::{Graph, Nanos, NodeId};
use flowglass_studio::render::{Caption, Theme, mermaid, svg};
use flowglass_studio::topology::{LayoutMode, Positions, layout_of};
use flowglass_studio::{layer_source, node_kind, rfc3339, workspace_name};
use serde::Serialize;

use super::{open, range};
use crate::args::{MapFormat, TopologyArgs};
use crate::output::{print, print_json};

/// Prints the map of a range.
pub(crate) fn run(args: &TopologyArgs, config: Option<&Path>) -> anyhow::Result<()> {
    let _span = tracing::info_span!("command", otel.name = "topology").entered();
    if args.json && args.format != MapFormat::Json {
        bail!("--json and another --format were both given; leave one of them out");
    }
    let (since, until) = range(&args.range)?;
    let workspace = open(&args.workspace.workspace, config)?;
    let environment = args.environment.as_deref();
    match args.format {
        MapFormat::Json => {
            let graph = workspace.graph(since, until, environment)?;
            let drawing = layout_of(&graph, &Positions::new(), LayoutMode::Relayout);
            print_json(&TopologyOut::new(&graph, &drawing.positions))
        }
        MapFormat::Mermaid => print(&mermaid(&workspace.map(since, until, environment)?, &Caption::default())),
        MapFormat::Svg => {
            let caption = Caption { title: workspace_name(workspace.path()), range: range_words(since, until) };
            print(&svg(&workspace.map(since, until, environment)?, &caption, Theme::Light))
        }
    }
}

fn range_words(since: Option<Nanos>, until: Option<Nanos>) -> String {
    match (since.map(rfc3339), until.map(rfc3339)) {
        (None, None) => String::new(),
        (Some(since), None) => format!("since {since}"),
        (None, Some(until)) => format!("until {until}"),
        (Some(since), Some(until)) => format!("{since} – {until}"),
    }
}

#[derive(Serialize)]
struct TopologyOut<'a> {
    nodes: Vec<NodeOut<'a>>,
    edges: Vec<EdgeOut<'a>>,
}

#[derive(Serialize)]
struct NodeOut<'a> {
    id: &'a str,
    name: &'a str,
    kind: &'static str,
    environment: Option<&'a str>,
    layer: &'static str,
    layer_reason: &'a str,
    layer_source: &'static str,
    x: f64,
    y: f64,
}

#[derive(Serialize)]
struct EdgeOut<'a> {
    source: &'a str,
    target: &'a str,
    kind: &'static str,
    count: u64,
    errors: u64,
    p50_ms: Option<f64>,
    p95_ms: Option<f64>,
}

impl<'a> TopologyOut<'a> {
    fn new(graph: &'a Graph, positions: &Positions) -> Self {
        let at = |id: &NodeId| positions.get(id).map_or((0.0, 0.0), |p| (p.x, p.y));
        let nodes = graph.nodes.iter().map(|n| NodeOut {
            id: n.id.as_str(),
            name: &n.name,
            kind: node_kind(n.kind),
            environment: n.environment.as_deref(),
            layer: n.layer.as_str(),
            layer_reason: &n.layer_reason,
            layer_source: layer_source(n.layer_source),
            x: at(&n.id).0,
            y: at(&n.id).1,
        });
        let edges = graph.edges.iter().map(|e| EdgeOut {
            source: e.source.as_str(),
            target: e.target.as_str(),
            kind: e.kind.as_str(),
            count: e.stats.count,
            errors: e.stats.errors,
            p50_ms: e.stats.p50_ms,
            p95_ms: e.stats.p95_ms,
        });
        TopologyOut { nodes: nodes.collect(), edges: edges.collect() }
    }
}

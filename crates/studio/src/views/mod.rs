//! The map as windows show it: figures, sparklines, positions that stay, and differences between revisions.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use flowglass_model::{EdgeStats, Graph, GraphNode, InteractionKind, Layer, NodeId, NodeKind, SeriesKey, SeriesSum};
use flowglass_topology::{Folding, LayoutEdge, LayoutInput, LayoutMode, LayoutNode, Placed, card_size, layout};

use crate::api::{Band, Edge, Figures, Nearest, Node, Point, TopologyView, UnresolvedGroup};
use crate::studio::lock;
use crate::words;

/// Bars of a sparkline.
pub(crate) const SPARK_BUCKETS: usize = 24;
/// Revisions a window may ask the difference to.
const REVISIONS_KEPT: usize = 16;

/// A series with its counts and errors over equal parts of the range.
pub(crate) type SparkedSeries = (SeriesSum, Vec<(i64, i64)>);

/// Positions of the session and the last views handed out.
#[derive(Default)]
pub(crate) struct Views(Mutex<State>);

#[derive(Default)]
struct State {
    positions: BTreeMap<NodeId, Placed>,
    revision: u32,
    recent: VecDeque<(u32, String, TopologyView)>,
}

/// The map that a detail is taken from.
pub(crate) struct Scene<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) series: &'a [SparkedSeries],
    pub(crate) folding: &'a Folding,
    /// Seconds of the range that have data, for rates.
    pub(crate) seconds: Option<f64>,
}

/// Everything a view is made of.
pub(crate) struct Material<'a> {
    pub(crate) scene: Scene<'a>,
    pub(crate) nearest: Nearest,
    pub(crate) relayout: bool,
    /// What the view depends on besides data: differences exist only between views of the same scope.
    pub(crate) scope: String,
    pub(crate) known: Option<u32>,
}

impl Views {
    /// Nodes and edges as they stand on the map; no revision, for details.
    pub(crate) fn once(&self, scene: &Scene<'_>) -> TopologyView {
        full_view(scene, Nearest::default(), false, &mut lock(&self.0).positions)
    }

    /// The view of this material, or what changed of it since a revision the caller knows.
    pub(crate) fn view(&self, material: &Material<'_>) -> TopologyView {
        let mut state = lock(&self.0);
        let mut view = full_view(&material.scene, material.nearest, material.relayout, &mut state.positions);
        let known = material.known.and_then(|revision| {
            state.recent.iter().find(|(r, scope, _)| *r == revision && *scope == material.scope).map(|(_, _, v)| v)
        });
        let answer = known.map(|old| difference(old, &view));
        if let Some(difference) = &answer
            && difference.nodes.is_empty()
            && difference.edges.is_empty()
            && difference.removed_nodes.is_empty()
            && difference.removed_edges.is_empty()
        {
            return TopologyView { revision: material.known.unwrap_or_default(), ..difference.clone() };
        }
        state.revision += 1;
        view.revision = state.revision;
        let answer = answer.map(|d| TopologyView { revision: view.revision, ..d });
        let revision = view.revision;
        state.recent.push_back((revision, material.scope.clone(), view.clone()));
        if state.recent.len() > REVISIONS_KEPT {
            state.recent.pop_front();
        }
        answer.unwrap_or(view)
    }
}

fn difference(old: &TopologyView, new: &TopologyView) -> TopologyView {
    let old_nodes: BTreeMap<&str, &Node> = old.nodes.iter().map(|n| (n.id.as_str(), n)).collect();
    let old_edges: BTreeMap<&str, &Edge> = old.edges.iter().map(|e| (e.id.as_str(), e)).collect();
    let gone = |old: Vec<&str>, new: &dyn Fn(&str) -> bool| -> Vec<String> {
        old.into_iter().filter(|id| !new(id)).map(str::to_owned).collect()
    };
    TopologyView {
        full: false,
        nodes: new.nodes.iter().filter(|n| old_nodes.get(n.id.as_str()) != Some(n)).cloned().collect(),
        edges: new.edges.iter().filter(|e| old_edges.get(e.id.as_str()) != Some(e)).cloned().collect(),
        removed_nodes: gone(old_nodes.keys().copied().collect(), &|id| new.nodes.iter().any(|n| n.id == id)),
        removed_edges: gone(old_edges.keys().copied().collect(), &|id| new.edges.iter().any(|e| e.id == id)),
        ..new.clone()
    }
}

fn full_view(
    scene: &Scene<'_>,
    nearest: Nearest,
    relayout: bool,
    positions: &mut BTreeMap<NodeId, Placed>,
) -> TopologyView {
    let graph = scene.graph;
    let nodes: Vec<LayoutNode> = graph
        .nodes
        .iter()
        .map(|n| {
            let (width, height) = card_size(n.kind);
            LayoutNode { id: n.id.clone(), layer: n.layer, width, height }
        })
        .collect();
    let edges: Vec<LayoutEdge> = graph
        .edges
        .iter()
        .map(|e| LayoutEdge { source: e.source.clone(), target: e.target.clone(), weight: 1 })
        .collect();
    let placed = graph.nodes.iter().filter(|n| positions.contains_key(&n.id)).count();
    // While a map fills for the first time it may settle anew; once most of it stands, nobody moves.
    let filling = graph.nodes.len() >= 8 && placed * 2 <= graph.nodes.len();
    let mode = if relayout || filling { LayoutMode::Relayout } else { LayoutMode::Keep };
    let drawing = layout(&LayoutInput { nodes: &nodes, edges: &edges, previous: positions, mode });
    if mode == LayoutMode::Relayout {
        // Places of participants that are gone belong to the old drawing: they would pull columns apart.
        positions.clear();
    }
    positions.extend(drawing.positions.iter().map(|(id, p)| (id.clone(), *p)));

    let (left, top) = (drawing.bounds.x, drawing.bounds.y);
    let mut sparks = sparks(scene.series, scene.folding);
    let view_nodes = graph
        .nodes
        .iter()
        .map(|n| {
            let at = drawing.positions.get(&n.id).map_or((0.0, 0.0), |p| (p.x - left, p.y - top));
            node(scene, n, sparks.remove(&n.id), at)
        })
        .collect();
    let view_edges = graph
        .edges
        .iter()
        .zip(&drawing.waypoints)
        .map(|(e, points)| Edge {
            id: edge_id(&e.source, &e.target, e.kind),
            source: e.source.to_string(),
            target: e.target.to_string(),
            kind: e.kind.as_str().into(),
            figures: figures(&e.stats, scene.seconds),
            health: health(&e.stats).into(),
            waypoints: points.iter().map(|p| Point { x: p.x - left, y: p.y - top }).collect(),
        })
        .collect();
    let bands = drawing
        .bands
        .iter()
        .map(|b| Band {
            layer: b.layer.as_str().into(),
            title: words::layer_title(b.layer).into(),
            x: b.x - left,
            width: b.width,
            count: b.count as u32,
        })
        .collect();
    TopologyView {
        revision: 0,
        full: true,
        nodes: view_nodes,
        edges: view_edges,
        removed_nodes: Vec::new(),
        removed_edges: Vec::new(),
        bands,
        width: drawing.bounds.width,
        height: drawing.bounds.height,
        unresolved: unresolved(graph),
        quiet: Vec::new(),
        noise: 0,
        nearest,
    }
}

/// The id of an edge on the wire.
pub(crate) fn edge_id(source: &NodeId, target: &NodeId, kind: InteractionKind) -> String {
    format!("{source} → {target} {}", kind.as_str())
}

fn node(scene: &Scene<'_>, n: &GraphNode, spark: Option<Spark>, (x, y): (f64, f64)) -> Node {
    let (width, height) = card_size(n.kind);
    let consumers = (n.kind == NodeKind::Topic).then(|| {
        let edges = scene.graph.edges.iter();
        edges.filter(|e| e.source == n.id && e.kind == InteractionKind::Consume).count() as u32
    });
    let (spark, spark_errors) = spark.unwrap_or_else(|| (vec![0.0; SPARK_BUCKETS], vec![0.0; SPARK_BUCKETS]));
    Node {
        id: n.id.to_string(),
        name: n.name.clone(),
        kind: words::node_kind(n.kind).into(),
        system: n.id.system().map(str::to_owned),
        namespace: n.id.namespace().map(str::to_owned),
        environment: n.environment.clone(),
        layer: n.layer.as_str().into(),
        layer_reason: n.layer_reason.clone(),
        layer_source: words::layer_source(n.layer_source).into(),
        domain: n.domain.clone(),
        owner: n.owner.clone(),
        figures: figures(&n.stats, scene.seconds),
        health: health(&n.stats).into(),
        instrumented: n.instrumented,
        consumers,
        spark,
        spark_errors,
        x,
        y,
        width,
        height,
    }
}

/// Occurrences and failures over the parts of the range.
type Spark = (Vec<f64>, Vec<f64>);

/// Sparklines by the node that is shown: services by what they handled, topics by what was published, backends and external
/// systems by what was asked of them, consumers by what they asked.
fn sparks(series: &[SparkedSeries], folding: &Folding) -> BTreeMap<NodeId, Spark> {
    let mut out: BTreeMap<NodeId, Spark> = BTreeMap::new();
    for (sum, parts) in series {
        let raw = match &sum.key {
            SeriesKey::Operation { participant, .. } => participant,
            SeriesKey::Edge { source, .. } if source.kind() == NodeKind::Consumer => source,
            SeriesKey::Edge { kind: InteractionKind::Consume, .. } => continue,
            SeriesKey::Edge { target, .. } if target.kind() != NodeKind::Service => target,
            _ => continue,
        };
        let Some(node) = folding.node(raw) else { continue };
        let (counts, errors) = out.entry(node).or_insert_with(|| (vec![0.0; SPARK_BUCKETS], vec![0.0; SPARK_BUCKETS]));
        for (i, (count, failed)) in parts.iter().enumerate().take(SPARK_BUCKETS) {
            counts[i] += *count as f64;
            errors[i] += *failed as f64;
        }
    }
    out
}

/// Counts and times with a rate.
pub(crate) fn figures(stats: &EdgeStats, seconds: Option<f64>) -> Figures {
    Figures {
        count: stats.count,
        errors: stats.errors,
        rate: seconds.map(|s| stats.count as f64 / s),
        p50_ms: stats.p50_ms,
        p95_ms: stats.p95_ms,
    }
}

/// Health in one word: failing from 5 % of failures, degraded from 1 %.
pub(crate) fn health(stats: &EdgeStats) -> &'static str {
    let share = stats.errors as f64 / stats.count.max(1) as f64;
    match () {
        () if stats.count == 0 => "quiet",
        () if share >= 0.05 => "failing",
        () if share >= 0.01 => "degraded",
        () => "healthy",
    }
}

fn unresolved(graph: &Graph) -> Vec<UnresolvedGroup> {
    let mut groups: BTreeMap<_, (u64, Vec<(u64, String)>)> = BTreeMap::new();
    for u in &graph.unresolved {
        let group = groups.entry(u.reason).or_default();
        group.0 += u.count;
        group.1.push((u.count, u.participant.name().to_owned()));
    }
    let mut out: Vec<UnresolvedGroup> = groups
        .into_iter()
        .map(|(reason, (count, mut participants))| {
            participants.sort_by(|a, b| b.cmp(a));
            let (code, meaning, advice) = words::unresolved(reason);
            UnresolvedGroup {
                reason: code.into(),
                meaning: meaning.into(),
                advice: advice.into(),
                count,
                participants: participants.into_iter().map(|(_, name)| name).collect(),
            }
        })
        .collect();
    out.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.reason.cmp(&b.reason)));
    out
}

/// The layer of a node of a graph; what is not on it counts as a process.
pub(crate) fn layer_of(graph: &Graph, id: &NodeId) -> Layer {
    graph.nodes.iter().find(|n| n.id == *id).map_or(Layer::Process, |n| n.layer)
}

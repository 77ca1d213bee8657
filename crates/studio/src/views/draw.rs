//! One scene as a view: places, figures, bands.

use std::collections::BTreeMap;
use std::sync::Arc;

use flowglass_model::{Graph, GraphNode, InteractionKind, NodeId, NodeKind};
use flowglass_topology::{Layout, LayoutMode, card_size, layout_of};

use super::figures::{Spark, figures, health, sparks, sum, worst};
use super::groups::{Grouped, fold};
use super::{Scene, Shape, Standing, Wishes};
use crate::api::{Band, Edge, Member, Nearest, Node, Point, TopologyView, UnresolvedGroup};
use crate::words;

/// Everything that is shown of a scene, with revision 0. Cards keep their places.
pub(super) fn full_view(scene: &Scene, wishes: &Wishes, standing: &mut Standing) -> TopologyView {
    let grouped = fold(&scene.graph, wishes.folded.as_deref(), &wishes.keep);
    let drawing = place(&grouped.graph, wishes.relayout, standing);
    let (left, top) = *standing.origin.get_or_insert((drawing.bounds.x, drawing.bounds.y));
    let mut sparks = sparks(&scene.series, &scene.folding, &scene.noise);
    let nodes = grouped.graph.nodes.iter().map(|n| {
        let at = drawing.positions.get(&n.id).map_or((0.0, 0.0), |p| (p.x - left, p.y - top));
        node(scene, &grouped, n, &mut sparks, at)
    });
    let nodes = nodes.collect();
    let edges = grouped.graph.edges.iter().zip(&drawing.waypoints).map(|(e, points)| Edge {
        id: edge_id(&e.source, &e.target, e.kind),
        source: e.source.to_string(),
        target: e.target.to_string(),
        kind: e.kind.as_str().into(),
        figures: figures(&e.stats, scene.seconds),
        health: health(&e.stats).into(),
        waypoints: points.iter().map(|p| Point { x: tenths(p.x - left), y: tenths(p.y - top) }).collect(),
    });
    let bands = drawing.bands.iter().map(|b| Band {
        layer: b.layer.as_str().into(),
        title: words::layer_title(b.layer).into(),
        x: b.x - left,
        width: b.width,
        count: b.count as u32,
    });
    TopologyView {
        revision: 0,
        full: true,
        nodes,
        edges: edges.collect(),
        removed_nodes: Vec::new(),
        removed_edges: Vec::new(),
        bands: bands.collect(),
        width: drawing.bounds.width,
        height: drawing.bounds.height,
        unresolved: unresolved(&scene.graph),
        quiet: Vec::new(),
        noise: scene.noise.requests,
        hidden: scene.noise.hidden.iter().map(|id| scene.folding.title(id).to_owned()).collect(),
        domains: grouped.domains,
        nearest: Nearest::default(),
    }
}

/// Nobody sees less than a tenth of a pixel, and large maps have 100,000 points to send.
fn tenths(pixels: f64) -> f64 {
    (pixels * 10.0).round() / 10.0
}

/// Places the cards: who stood somewhere stays there. The same participants and interactions give the drawing that is there already.
fn place(graph: &Graph, relayout: bool, standing: &mut Standing) -> Arc<Layout> {
    let shape = Shape::of(graph);
    if let Some((known, drawing)) = &standing.drawn
        && !relayout
        && *known == shape
    {
        return drawing.clone();
    }
    let placed = graph.nodes.iter().filter(|n| standing.positions.contains_key(&n.id)).count();
    // While a map fills for the first time it may settle anew; once most of it stands, nobody moves.
    let filling = graph.nodes.len() >= 8 && placed * 2 <= graph.nodes.len();
    let mode = if relayout || filling { LayoutMode::Relayout } else { LayoutMode::Keep };
    let drawing = Arc::new(layout_of(graph, &standing.positions, mode));
    if mode == LayoutMode::Relayout {
        // Places of participants that are gone belong to the old drawing: they would pull columns apart.
        standing.positions.clear();
        standing.origin = None;
    }
    standing.positions.extend(drawing.positions.iter().map(|(id, p)| (id.clone(), *p)));
    standing.drawn = Some((shape, drawing.clone()));
    drawing
}

/// The id of an edge on the wire.
pub(crate) fn edge_id(source: &NodeId, target: &NodeId, kind: InteractionKind) -> String {
    format!("{source} → {target} {}", kind.as_str())
}

fn node(
    scene: &Scene,
    grouped: &Grouped,
    n: &GraphNode,
    sparks: &mut BTreeMap<NodeId, Spark>,
    (x, y): (f64, f64),
) -> Node {
    let (width, height) = card_size(n.kind);
    let consumers = (n.kind == NodeKind::Topic).then(|| {
        let edges = grouped.graph.edges.iter();
        edges.filter(|e| e.source == n.id && e.kind == InteractionKind::Consume).count() as u32
    });
    let members = grouped.members.get(&n.id).map_or(&[][..], Vec::as_slice);
    let (mut spark, mut spark_errors) = match members {
        [] => sparks.remove(&n.id).unwrap_or_default(),
        some => sum(some.iter().filter_map(|m| sparks.remove(&m.id))),
    };
    spark.resize(scene.parts, 0.0);
    spark_errors.resize(scene.parts, 0.0);
    let (kind, health) = match members {
        [] => (words::node_kind(n.kind), health(&n.stats)),
        some => ("group", worst(some.iter().map(|m| &m.stats))),
    };
    Node {
        id: n.id.to_string(),
        name: n.name.clone(),
        kind: kind.into(),
        system: n.id.system().map(str::to_owned),
        namespace: n.id.namespace().map(str::to_owned),
        environment: n.environment.clone(),
        layer: n.layer.as_str().into(),
        layer_reason: n.layer_reason.clone(),
        layer_source: words::layer_source(n.layer_source).into(),
        domain: n.domain.clone(),
        owner: n.owner.clone(),
        figures: figures(&n.stats, scene.seconds),
        health: health.into(),
        instrumented: n.instrumented,
        consumers,
        members: members.iter().map(|m| member(m, scene.seconds)).collect(),
        spark,
        spark_errors,
        x,
        y,
        width,
        height,
    }
}

fn member(n: &GraphNode, seconds: Option<f64>) -> Member {
    Member {
        id: n.id.to_string(),
        name: n.name.clone(),
        kind: words::node_kind(n.kind).into(),
        health: health(&n.stats).into(),
        figures: figures(&n.stats, seconds),
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
            let words = words::unresolved(reason);
            UnresolvedGroup {
                reason: words.code.into(),
                meaning: words.meaning.into(),
                advice: words.advice.into(),
                snippet: words.snippet.map(str::to_owned),
                count,
                participants: participants.into_iter().map(|(_, name)| name).collect(),
            }
        })
        .collect();
    out.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.reason.cmp(&b.reason)));
    out
}

//! Layered layout, left (core systems) to right (users and automations).
//!
//! Sugiyama's method with the layers given: columns are the integration layers (wide layers wrap into up to three sub-columns),
//! order within a column is chosen for few crossings, heights for straight edges, and edges that pass a column run between its cards.
//!
//! The layout is a pure function of its input and does not depend on the order in which nodes and edges are listed. It never panics:
//! unknown ends, self loops, repeated nodes and sizes that are not numbers are tolerated.

mod columns;
mod coords;
mod full;
mod keep;
mod net;
mod order;
mod proper;
mod route;
mod search;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use flowglass_model::{Graph, Layer, NodeId, NodeKind};

/// A card to be placed.
#[derive(Debug, Clone, PartialEq)]
pub struct LayoutNode {
    /// Identity.
    pub id: NodeId,
    /// Decides the column.
    pub layer: Layer,
    /// Width of the card, pixels at 100 %.
    pub width: f64,
    /// Height of the card, pixels at 100 %.
    pub height: f64,
}

/// An edge to be drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutEdge {
    /// Caller, producer or topic.
    pub source: NodeId,
    /// Callee, topic, consumer or backend.
    pub target: NodeId,
    /// How much its crossings count; 0 is read as 1. The same for all edges is fine.
    pub weight: u32,
}

/// Where a card stands, and the layer it had when it was placed there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placed {
    /// The layer it was placed in; a node whose layer changed is placed anew.
    pub layer: Layer,
    /// Horizontal centre, pixels at 100 %.
    pub x: f64,
    /// Vertical centre, pixels at 100 %; may be negative after cards were added above.
    pub y: f64,
}

/// Where nodes stand, by id.
pub type Positions = BTreeMap<NodeId, Placed>;

/// What happens to nodes that have a previous position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LayoutMode {
    /// Live: they keep it exactly; new nodes take the free slot of their column that is nearest to their neighbours.
    #[default]
    Keep,
    /// On request: everything is computed afresh, starting from the previous order and moving as little as possible.
    Relayout,
}

/// What to lay out.
#[derive(Debug, Clone, Copy)]
pub struct LayoutInput<'a> {
    /// The cards; of nodes with the same id the first in (layer, width, height) order counts.
    pub nodes: &'a [LayoutNode],
    /// The edges; those with an unknown end and self loops get no waypoints and have no influence.
    pub edges: &'a [LayoutEdge],
    /// [`Layout::positions`] of an earlier call. May hold nodes that are gone: they still tell where the columns are, their slots are free.
    pub previous: &'a Positions,
    /// What happens to nodes with a previous position.
    pub mode: LayoutMode,
}

/// A point of a route, pixels at 100 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// To the right.
    pub x: f64,
    /// Downwards.
    pub y: f64,
}

/// A layer's vertical band.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// Which layer.
    pub layer: Layer,
    /// Left edge of its cards, pixels at 100 %.
    pub x: f64,
    /// Width from the left edge of its left-most to the right edge of its right-most card, pixels at 100 %.
    pub width: f64,
    /// Centres of its sub-columns, left to right; one or more, also when the layer is empty (the space stays reserved).
    pub columns: Vec<f64>,
    /// Number of nodes in it.
    pub count: usize,
}

/// A rectangle, pixels at 100 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// The result.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// Centre of every node; whole pixels for nodes placed by this call.
    pub positions: Positions,
    /// For each edge of the input, in its order, the points between its ends, from source to target. Two points per column passed: between
    /// them the route is level, so that it stays between the cards. Empty: nothing stands in between.
    pub waypoints: Vec<Vec<Point>>,
    /// One band per layer in the order of [`Layer::ALL`].
    pub bands: [Band; 6],
    /// What encloses all cards, bands and routes.
    pub bounds: Bounds,
    /// Crossings of the routed edges between neighbouring columns; edges within a column are not counted, the weight of an edge is 1.
    pub crossings: u64,
}

/// Usual size of a card (width, height), pixels at 100 %.
pub fn card_size(kind: NodeKind) -> (f64, f64) {
    match kind {
        NodeKind::Service => (168.0, 72.0),
        NodeKind::Topic => (144.0, 26.0),
        NodeKind::Backend | NodeKind::External | NodeKind::Consumer => (144.0, 48.0),
    }
}

/// Lays the graph out.
///
/// With [`LayoutMode::Keep`] a previous position is kept exactly, unless the node changed its layer or a card that has grown would now cover
/// another one (then the later id is placed anew). Previous positions that contradict the order of the layers are no layout of this function:
/// everything is computed afresh.
pub fn layout(input: &LayoutInput<'_>) -> Layout {
    let net = net::Net::new(input.nodes, input.edges);
    let kept = match input.mode {
        LayoutMode::Keep => keep::place(&net, input.previous),
        LayoutMode::Relayout => None,
    };
    let arrangement = kept.unwrap_or_else(|| full::place(&net, input.previous));
    finish(&net, &arrangement)
}

/// Lays a map out: cards of their usual sizes, every interaction as important as the other.
pub fn layout_of(graph: &Graph, previous: &Positions, mode: LayoutMode) -> Layout {
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
    layout(&LayoutInput { nodes: &nodes, edges: &edges, previous, mode })
}

/// Columns and centres: all that the two ways of placing have to find.
struct Arrangement {
    /// Centres of the sub-columns per layer, left to right.
    columns: columns::Columns,
    /// Centre of each node of the net.
    at: Vec<Point>,
}

fn finish(net: &net::Net, arrangement: &Arrangement) -> Layout {
    let routes = route::route(net, arrangement);
    let waypoints = net
        .edge_links
        .iter()
        .map(|el| match el {
            None => Vec::new(),
            Some(el) if el.reversed => routes.points[el.link].iter().rev().copied().collect(),
            Some(el) => routes.points[el.link].clone(),
        })
        .collect();
    let bands = columns::bands(net, arrangement);
    let bounds = bounds(net, arrangement, &bands, &routes.points);
    let positions = net.nodes.iter().zip(&arrangement.at);
    let positions = positions.map(|(n, p)| (n.id.clone(), Placed { layer: n.layer, x: p.x, y: p.y })).collect();
    Layout { positions, waypoints, bands, bounds, crossings: routes.crossings }
}

fn bounds(net: &net::Net, arrangement: &Arrangement, bands: &[Band; 6], routes: &[Vec<Point>]) -> Bounds {
    let (mut left, mut right) = (f64::INFINITY, f64::NEG_INFINITY);
    for band in bands {
        left = left.min(band.x);
        right = right.max(band.x + band.width);
    }
    let (mut top, mut bottom) = (f64::INFINITY, f64::NEG_INFINITY);
    for (node, p) in net.nodes.iter().zip(&arrangement.at) {
        left = left.min(p.x - node.width / 2.0);
        right = right.max(p.x + node.width / 2.0);
        top = top.min(p.y - node.height / 2.0);
        bottom = bottom.max(p.y + node.height / 2.0);
    }
    for p in routes.iter().flatten() {
        top = top.min(p.y);
        bottom = bottom.max(p.y);
    }
    if net.nodes.is_empty() {
        (top, bottom) = (0.0, 0.0);
    }
    Bounds { x: left, y: top, width: right - left, height: bottom - top }
}

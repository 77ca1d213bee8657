//! The input in a form that does not depend on the order it came in.

use std::collections::BTreeMap;

use flowglass_model::{Layer, NodeId};

use super::{LayoutEdge, LayoutNode};

/// A pair of nodes joined by edges in either direction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    /// The end in the lower layer; within a layer the target, so that callees stand left of their callers.
    pub(super) left: usize,
    /// The other end.
    pub(super) right: usize,
    /// How much its crossings count.
    pub(super) weight: u64,
}

/// How an edge of the input is drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct EdgeLink {
    /// Its link.
    pub(super) link: usize,
    /// Whether it runs from right to left.
    pub(super) reversed: bool,
}

/// Nodes sorted by id, links sorted by ends.
pub(super) struct Net {
    pub(super) nodes: Vec<LayoutNode>,
    pub(super) links: Vec<Link>,
    /// Per edge of the input.
    pub(super) edge_links: Vec<Option<EdgeLink>>,
}

/// Larger than any screen needs, small enough that sums stay exact to the pixel.
const MAX_CARD: f64 = 10_000.0;
/// Bounded so that the products of two bundles' weights fit.
const MAX_WEIGHT: u32 = 1_000;

impl Net {
    pub(super) fn new(nodes: &[LayoutNode], edges: &[LayoutEdge]) -> Net {
        let mut nodes: Vec<LayoutNode> = nodes.iter().map(sane).collect();
        nodes.sort_by(|a, b| {
            let key = |n: &LayoutNode| (n.layer, n.width.to_bits(), n.height.to_bits());
            a.id.cmp(&b.id).then_with(|| key(a).cmp(&key(b)))
        });
        nodes.dedup_by(|later, first| later.id == first.id);

        let index: BTreeMap<&NodeId, usize> = nodes.iter().enumerate().map(|(i, n)| (&n.id, i)).collect();
        // A pair within one layer may be joined both ways: the first by id counts as left.
        let mut ends: BTreeMap<(usize, usize), (usize, u64)> = BTreeMap::new();
        let mut pairs = Vec::with_capacity(edges.len());
        for edge in edges {
            let (Some(&s), Some(&t)) = (index.get(&edge.source), index.get(&edge.target)) else {
                pairs.push(None);
                continue;
            };
            if s == t {
                pairs.push(None);
                continue;
            }
            let left = if nodes[t].layer <= nodes[s].layer { t } else { s };
            let weight = u64::from(edge.weight.clamp(1, MAX_WEIGHT));
            let pair = (s.min(t), s.max(t));
            let entry = ends.entry(pair).or_insert((left, weight));
            *entry = (entry.0.min(left), entry.1.max(weight));
            pairs.push(Some((pair, s)));
        }

        let mut links = Vec::with_capacity(ends.len());
        let mut link_of = BTreeMap::new();
        for (&(a, b), &(left, weight)) in &ends {
            link_of.insert((a, b), links.len());
            links.push(Link { left, right: if left == a { b } else { a }, weight });
        }
        let edge_links = pairs
            .into_iter()
            .map(|p| p.map(|(pair, source)| (link_of[&pair], source)))
            .map(|p| p.map(|(link, source)| EdgeLink { link, reversed: source != links[link].left }))
            .collect();
        Net { nodes, links, edge_links }
    }

    /// Indices of the nodes of a layer, by id.
    pub(super) fn in_layer(&self, layer: Layer) -> impl Iterator<Item = usize> + '_ {
        self.nodes.iter().enumerate().filter(move |(_, n)| n.layer == layer).map(|(i, _)| i)
    }

    /// Neighbours of every node, by index.
    pub(super) fn neighbours(&self) -> Vec<Vec<(usize, f64)>> {
        let mut out = vec![Vec::new(); self.nodes.len()];
        for link in &self.links {
            let w = link.weight as f64;
            out[link.left].push((link.right, w));
            out[link.right].push((link.left, w));
        }
        out
    }
}

fn sane(node: &LayoutNode) -> LayoutNode {
    let size = |v: f64| if v.is_finite() { v.clamp(1.0, MAX_CARD) } else { 1.0 };
    LayoutNode { id: node.id.clone(), layer: node.layer, width: size(node.width), height: size(node.height) }
}

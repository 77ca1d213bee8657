//! The proper layered graph: every edge joins neighbouring ranks, long ones by way of passages (dummy vertices).

use std::collections::BTreeMap;

use super::columns::slot;
use super::net::Net;

/// Ranks: the sub-columns of all layers that have nodes, left to right.
pub(super) struct Ranks {
    /// Rank of each node.
    pub(super) of: Vec<usize>,
    /// Layer (as a slot) of each rank.
    pub(super) layer: Vec<usize>,
}

impl Ranks {
    /// From the column of each node within its layer.
    pub(super) fn new(net: &Net, column_of: &[usize]) -> Ranks {
        let mut index: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for (n, node) in net.nodes.iter().enumerate() {
            index.insert((slot(node.layer), column_of[n]), 0);
        }
        for (rank, entry) in index.values_mut().enumerate() {
            *entry = rank;
        }
        let of = net.nodes.iter().enumerate().map(|(n, node)| index[&(slot(node.layer), column_of[n])]).collect();
        Ranks { of, layer: index.keys().map(|k| k.0).collect() }
    }
}

/// Vertices 0..n are the nodes of the net; the rest are passages.
pub(super) struct Proper {
    /// Number of real nodes.
    pub(super) nodes: usize,
    /// Vertices per rank, in the order they were made (nodes by id, then passages).
    pub(super) ranks: Vec<Vec<usize>>,
    /// Neighbours in the rank to the left, with weights.
    pub(super) left: Vec<Vec<(usize, u64)>>,
    /// Neighbours in the rank to the right, with weights.
    pub(super) right: Vec<Vec<(usize, u64)>>,
    /// Neighbours in the same rank, with weights.
    pub(super) flat: Vec<Vec<(usize, u64)>>,
    /// For passages, the two nodes it leads between and how far along it stands (0..1); for a bundle any one of its links.
    pub(super) along: Vec<(usize, usize, f64)>,
}

/// Whom a passage serves. Within the layer of one of its ends, all edges of that end share one: they fan out on the far side of the layer.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Passage {
    Node(usize),
    Link(usize),
}

impl Proper {
    pub(super) fn new(net: &Net, ranks: &Ranks) -> Proper {
        let n = net.nodes.len();
        let mut vertex_rank = ranks.of.clone();
        let mut along = vec![(0, 0, 0.0); n];
        let mut flat = vec![Vec::new(); n];
        let mut passages: BTreeMap<(usize, Passage), usize> = BTreeMap::new();
        let mut segments: BTreeMap<(usize, usize), u64> = BTreeMap::new();
        for (i, link) in net.links.iter().enumerate() {
            let (mut a, mut b) = (link.left, link.right);
            if ranks.of[a] > ranks.of[b] {
                (a, b) = (b, a);
            }
            let (ra, rb) = (ranks.of[a], ranks.of[b]);
            if ra == rb {
                flat[a].push((b, link.weight));
                flat[b].push((a, link.weight));
                continue;
            }
            let mut from = a;
            for rank in ra + 1..rb {
                let passage = match ranks.layer[rank] {
                    l if l == ranks.layer[ra] => Passage::Node(a),
                    l if l == ranks.layer[rb] => Passage::Node(b),
                    _ => Passage::Link(i),
                };
                let next = vertex_rank.len();
                let to = *passages.entry((rank, passage)).or_insert(next);
                if to == next {
                    vertex_rank.push(rank);
                    along.push((a, b, (rank - ra) as f64 / (rb - ra) as f64));
                }
                *segments.entry((from, to)).or_default() += link.weight;
                from = to;
            }
            *segments.entry((from, b)).or_default() += link.weight;
        }

        let vertices = vertex_rank.len();
        flat.resize(vertices, Vec::new());
        let (mut left, mut right) = (vec![Vec::new(); vertices], vec![Vec::new(); vertices]);
        for (&(a, b), &w) in &segments {
            right[a].push((b, w));
            left[b].push((a, w));
        }
        let mut by_rank = vec![Vec::new(); ranks.layer.len()];
        for (v, &rank) in vertex_rank.iter().enumerate() {
            by_rank[rank].push(v);
        }
        Proper { nodes: n, ranks: by_rank, left, right, flat, along }
    }

    /// Number of vertices.
    pub(super) fn len(&self) -> usize {
        self.left.len()
    }

    /// Number of edge pieces between neighbouring ranks.
    pub(super) fn segments(&self) -> usize {
        self.right.iter().map(Vec::len).sum()
    }

    /// Orders every rank by a height wished for each node; passages stand on the line between their ends.
    pub(super) fn order_by(&self, wish: &[f64]) -> Vec<Vec<usize>> {
        let key = |v: usize| {
            if v < self.nodes {
                return wish[v];
            }
            let (a, b, t) = self.along[v];
            wish[a] + (wish[b] - wish[a]) * t
        };
        let mut order = self.ranks.clone();
        for rank in &mut order {
            rank.sort_by(|&a, &b| key(a).total_cmp(&key(b)).then(a.cmp(&b)));
        }
        order
    }
}

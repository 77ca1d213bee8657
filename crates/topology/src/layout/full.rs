//! The full layout, from nothing or starting from what people see.

use std::collections::BTreeMap;

use flowglass_model::{Layer, NodeId};

use super::columns::{self, slot};
use super::net::Net;
use super::order::Order;
use super::proper::{Proper, Ranks};
use super::search::{best_order, improve};
use super::{Arrangement, Placed, Point, coords};

/// Free space above the top card of a layout from nothing.
const TOP: f64 = 24.0;

/// Places all nodes. Previous positions, where there are any, are where it starts from.
pub(super) fn place(net: &Net, previous: &BTreeMap<NodeId, Placed>) -> Arrangement {
    let known: Vec<Option<Placed>> = net.nodes.iter().map(|n| usable(previous.get(&n.id), n.layer)).collect();
    let again = known.iter().any(Option::is_some);
    let mut count = [1; 6];
    for layer in Layer::ALL {
        count[slot(layer)] = columns::columns_for(net.in_layer(layer).count());
    }
    let wrapped = count.iter().any(|&c| c > 1);

    let mut wish = if again { familiar_heights(net, &known) } else { vec![0.0; net.nodes.len()] };
    let mut column_of = vec![0; net.nodes.len()];
    if wrapped {
        let ranks = Ranks::new(net, &column_of);
        let graph = Proper::new(net, &ranks);
        let mut order = graph.order_by(&wish);
        if !again {
            // Only rows are wanted of it: one start will do.
            order = improve(&graph, Order::new(order, graph.len())).0.ranks;
        }
        wish_places(&graph, &order, &mut wish, again);
        column_of = wrap(net, &order, &count, &known);
    }
    let ranks = Ranks::new(net, &column_of);
    let graph = Proper::new(net, &ranks);
    let start = Order::new(graph.order_by(&wish), graph.len());
    let mut order = best_order(&graph, start, again).ranks;
    if !again {
        lone_last(&graph, &mut order);
    }
    let anchors: Vec<Option<f64>> = known.iter().map(|k| k.map(|p| p.y)).collect();
    let y = coords::heights(net, &graph, &order, &anchors);
    let columns = columns::fresh(net, &column_of, &count);
    let top = net.nodes.iter().zip(&y).map(|(n, y)| y - n.height / 2.0).fold(f64::INFINITY, f64::min);
    let shift = if again || net.nodes.is_empty() { 0.0 } else { TOP - top };
    let centre = |n: usize| Point { x: columns[slot(net.nodes[n].layer)][column_of[n]], y: (y[n] + shift).round() };
    let at = (0..net.nodes.len()).map(centre).collect();
    Arrangement { columns, at }
}

/// A previous position of a node that still has the layer it was placed in.
pub(super) fn usable(placed: Option<&Placed>, layer: Layer) -> Option<Placed> {
    placed.copied().filter(|p| p.layer == layer && p.x.is_finite() && p.y.is_finite())
}

/// Cards without any edge go below the others of their column, out of the way.
fn lone_last(graph: &Proper, order: &mut [Vec<usize>]) {
    let lone = |v: usize| graph.left[v].is_empty() && graph.right[v].is_empty() && graph.flat[v].is_empty();
    for rank in order {
        rank.sort_by_key(|&v| lone(v));
    }
}

/// Previous heights; for new nodes the mean of their neighbours' heights, spreading outwards from the known ones.
fn familiar_heights(net: &Net, known: &[Option<Placed>]) -> Vec<f64> {
    let neighbours = net.neighbours();
    let mut height: Vec<Option<f64>> = known.iter().map(|k| k.map(|p| p.y)).collect();
    loop {
        let mut found = Vec::new();
        for (n, list) in neighbours.iter().enumerate().filter(|(n, _)| height[*n].is_none()) {
            let (mut sum, mut pull) = (0.0, 0.0);
            for &(u, w) in list {
                if let Some(y) = height[u] {
                    sum += y * w;
                    pull += w;
                }
            }
            if pull > 0.0 {
                found.push((n, sum / pull));
            }
        }
        if found.is_empty() {
            break;
        }
        for (n, y) in found {
            height[n] = Some(y);
        }
    }
    let lowest = height.iter().flatten().copied().fold(0.0, f64::max);
    height.into_iter().map(|y| y.unwrap_or(lowest + 1.0)).collect()
}

/// Turns the order found for unwrapped layers into heights comparable between layers of different length.
fn wish_places(graph: &Proper, order: &[Vec<usize>], wish: &mut [f64], again: bool) {
    if again {
        return;
    }
    for rank in order {
        let length = rank.len() as f64;
        for (i, &v) in rank.iter().enumerate().filter(|(_, v)| **v < graph.nodes) {
            wish[v] = (i as f64 + 0.5) / length;
        }
    }
}

/// Column of each node in its layer. Neighbours in the order share a row, so that heights keep their meaning; in a row those with more edges
/// to the left stand left. A node that stood in a layer with the same number of columns stays in its own.
fn wrap(net: &Net, order: &[Vec<usize>], count: &[usize; 6], known: &[Option<Placed>]) -> Vec<usize> {
    let mut lean = vec![0i64; net.nodes.len()];
    for link in &net.links {
        lean[link.left] += 1;
        lean[link.right] -= 1;
    }
    let mut column_of = vec![0; net.nodes.len()];
    for layer in Layer::ALL {
        let columns = count[slot(layer)];
        if columns == 1 {
            continue;
        }
        let in_order: Vec<usize> =
            order.iter().flatten().copied().filter(|&v| v < net.nodes.len() && net.nodes[v].layer == layer).collect();
        let mut xs: Vec<f64> = in_order.iter().filter_map(|&n| known[n].map(|p| p.x)).collect();
        xs.sort_by(f64::total_cmp);
        xs.dedup();
        if xs.len() == columns {
            stay_in_columns(&in_order, known, &xs, &mut column_of);
            continue;
        }
        for row in in_order.chunks(columns) {
            let mut row = row.to_vec();
            row.sort_by_key(|&n| (lean[n], n));
            for (c, &n) in row.iter().enumerate() {
                column_of[n] = c;
            }
        }
    }
    column_of
}

fn stay_in_columns(nodes: &[usize], known: &[Option<Placed>], xs: &[f64], column_of: &mut [usize]) {
    let mut filled = vec![0; xs.len()];
    for &n in nodes {
        if let Some(p) = known[n] {
            column_of[n] = columns::nearest(xs, p.x);
            filled[column_of[n]] += 1;
        }
    }
    for &n in nodes.iter().filter(|&&n| known[n].is_none()) {
        let emptiest = (0..xs.len()).min_by_key(|&c| (filled[c], c)).unwrap_or_default();
        column_of[n] = emptiest;
        filled[emptiest] += 1;
    }
}

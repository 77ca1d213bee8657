//! Live placing: whoever has a place keeps it, whoever is new takes the nearest free slot of its column.

use std::collections::BTreeMap;

use flowglass_model::NodeId;

use super::columns::{self, slot};
use super::full::usable;
use super::net::Net;
use super::{Arrangement, Placed, Point};

/// Least free space between a new card and the cards above and below.
const GAP: f64 = 20.0;
/// Cards of neighbouring columns may come this close.
const SIDE_GAP: f64 = 8.0;

/// Places the new nodes around the kept ones; `None` when there is nothing to keep or it contradicts the order of the layers.
pub(super) fn place(net: &Net, previous: &BTreeMap<NodeId, Placed>) -> Option<Arrangement> {
    let columns = columns::from_previous(net, previous)?;
    let mut at = kept(net, previous);
    if !layers_in_order(net, &columns, &at) {
        return None;
    }
    let neighbours = net.neighbours();
    let mut waiting: Vec<usize> = (0..net.nodes.len()).filter(|&n| at[n].is_none()).collect();
    while !waiting.is_empty() {
        // Whoever has most neighbours in place goes first: its wish is best founded.
        let placed = |n: usize| neighbours[n].iter().filter(|(u, _)| at[*u].is_some()).count();
        let next = (0..waiting.len()).max_by_key(|&i| (placed(waiting[i]), std::cmp::Reverse(waiting[i])))?;
        let n = waiting.remove(next);
        let wish = wished_height(&neighbours[n], &at);
        at[n] = Some(free_slot(net, &at, n, &columns[slot(net.nodes[n].layer)], wish));
    }
    Some(Arrangement { columns, at: at.into_iter().collect::<Option<Vec<Point>>>()? })
}

/// Previous positions of nodes that still have their layer; of two cards that would overlap the first by id stays.
fn kept(net: &Net, previous: &BTreeMap<NodeId, Placed>) -> Vec<Option<Point>> {
    let mut at: Vec<Option<Point>> = vec![None; net.nodes.len()];
    for (n, node) in net.nodes.iter().enumerate() {
        let Some(p) = usable(previous.get(&node.id), node.layer) else { continue };
        let point = Point { x: p.x, y: p.y };
        let free = (0..n).all(|m| at[m].is_none_or(|q| !overlap(net, n, point, m, q)));
        at[n] = free.then_some(point);
    }
    at
}

fn overlap(net: &Net, a: usize, p: Point, b: usize, q: Point) -> bool {
    let (a, b) = (&net.nodes[a], &net.nodes[b]);
    (p.x - q.x).abs() < (a.width + b.width) / 2.0 && (p.y - q.y).abs() < (a.height + b.height) / 2.0
}

/// Whether all columns of a layer stand left of all columns of the next.
fn layers_in_order(net: &Net, columns: &columns::Columns, at: &[Option<Point>]) -> bool {
    let mut spans: Vec<(f64, f64)> = columns
        .iter()
        .map(|xs| xs.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, r), x| (l.min(*x), r.max(*x))))
        .collect();
    for (node, p) in net.nodes.iter().zip(at) {
        if let Some(p) = p {
            let span = &mut spans[slot(node.layer)];
            *span = (span.0.min(p.x), span.1.max(p.x));
        }
    }
    spans.windows(2).all(|w| w[0].1 < w[1].0)
}

/// Mean height of the neighbours in place; without any, the middle of everything in place.
fn wished_height(neighbours: &[(usize, f64)], at: &[Option<Point>]) -> f64 {
    let (mut sum, mut pull) = (0.0, 0.0);
    for &(u, w) in neighbours {
        if let Some(p) = at[u] {
            sum += p.y * w;
            pull += w;
        }
    }
    if pull == 0.0 {
        for p in at.iter().flatten() {
            sum += p.y;
            pull += 1.0;
        }
    }
    if pull == 0.0 { 0.0 } else { (sum / pull).round() }
}

/// The free slot nearest to the wished height, over all columns of the layer.
fn free_slot(net: &Net, at: &[Option<Point>], n: usize, xs: &[f64], wish: f64) -> Point {
    let node = &net.nodes[n];
    let mut best: Option<Point> = None;
    for &x in xs {
        let mut taken: Vec<(f64, f64)> = Vec::new();
        for (m, q) in at.iter().enumerate() {
            let Some(q) = q else { continue };
            let other = &net.nodes[m];
            if (q.x - x).abs() < (node.width + other.width) / 2.0 + SIDE_GAP {
                let reach = (node.height + other.height) / 2.0 + GAP;
                // Whole pixels, rounded away from the neighbour.
                taken.push(((q.y - reach).floor(), (q.y + reach).ceil()));
            }
        }
        let y = nearest_free(taken, wish);
        if best.is_none_or(|b| (y - wish).abs() < (b.y - wish).abs()) {
            best = Some(Point { x, y });
        }
    }
    best.unwrap_or(Point { x: 0.0, y: wish })
}

/// The height nearest to `wish` that lies in none of the open intervals; upwards and downwards there is always room.
fn nearest_free(mut taken: Vec<(f64, f64)>, wish: f64) -> f64 {
    taken.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut down = wish;
    for &(top, bottom) in &taken {
        if top < down && down < bottom {
            down = bottom;
        }
    }
    let mut up = wish;
    taken.sort_by(|a, b| b.1.total_cmp(&a.1));
    for &(top, bottom) in &taken {
        if top < up && up < bottom {
            up = top;
        }
    }
    if down - wish <= wish - up { down } else { up }
}

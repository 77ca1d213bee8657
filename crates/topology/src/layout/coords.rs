//! Heights: edges as straight as the order within the columns and the distances between cards allow.
//!
//! Both phases solve one rank at a time exactly, all others fixed: with the distances taken off, "as near as possible to the wished heights,
//! in this order" is an isotonic regression (pool adjacent violators). Squares first, which centre a card among its neighbours; then
//! absolute values, which make edges straight that are nearly so.

use super::net::Net;
use super::proper::Proper;

/// Free space between two cards of a column.
pub(super) const CARD_GAP: f64 = 28.0;
/// Between a card and a passing edge: half a [`CARD_GAP`], so that one edge fits between two cards without moving them.
pub(super) const PASSAGE_GAP: f64 = 12.0;
/// Between two edges that pass a column.
const BUNDLE_GAP: f64 = 6.0;

const SQUARE_ROUNDS: usize = 60;
const STRAIGHT_ROUNDS: usize = 8;
/// A piece of a long edge pulls harder than an edge between two cards (Gansner et al. 1993 use 8, 2, 1).
const INNER_PULL: f64 = 4.0;
const OUTER_PULL: f64 = 2.0;
/// An edge within a column only asks its ends to stay near each other.
const FLAT_PULL: f64 = 0.25;
/// How much a previous height counts against an edge between two cards.
const ANCHOR_PULL: f64 = 2.0;

/// A wished height and how much it counts.
#[derive(Debug, Clone, Copy)]
struct Wish {
    at: f64,
    pull: f64,
}

/// Heights of all vertices for the given order. `anchors` are previous heights of nodes.
pub(super) fn heights(net: &Net, graph: &Proper, order: &[Vec<usize>], anchors: &[Option<f64>]) -> Vec<f64> {
    let offsets: Vec<Vec<f64>> = order.iter().map(|rank| offsets(net, graph, rank)).collect();
    let mut y = start(graph, order, &offsets, anchors);
    let count = order.len();
    for round in 0..SQUARE_ROUNDS + STRAIGHT_ROUNDS {
        let straight = round >= SQUARE_ROUNDS;
        for i in 0..count {
            let r = if round % 2 == 0 { i } else { count - 1 - i };
            let wishes: Vec<Vec<Wish>> = order[r]
                .iter()
                .zip(&offsets[r])
                .map(|(&v, offset)| wishes(graph, &y, anchors, v, *offset, straight))
                .collect();
            let base = if straight { fit_absolute(wishes) } else { fit_squares(&wishes) };
            for ((&v, offset), z) in order[r].iter().zip(&offsets[r]).zip(base) {
                y[v] = z + offset;
            }
        }
    }
    y
}

/// Distance of each vertex from the first one of its rank when all stand as close as they may.
fn offsets(net: &Net, graph: &Proper, rank: &[usize]) -> Vec<f64> {
    let half = |v: usize| if v < graph.nodes { net.nodes[v].height / 2.0 } else { 0.0 };
    let cards: f64 = rank.iter().map(|&v| 2.0 * half(v)).sum();
    let passages = rank.iter().filter(|&&v| v >= graph.nodes).count() as f64;
    // Where thousands of edges pass, cards would be lost among them: they get half as much room as the cards.
    let bundle = BUNDLE_GAP.min(cards / 2.0 / passages.max(1.0));
    let mut out = Vec::with_capacity(rank.len());
    let mut at = 0.0;
    for (i, &v) in rank.iter().enumerate() {
        if i > 0 {
            let u = rank[i - 1];
            // Between cards whole pixels, so that rounding the heights cannot eat into the gap.
            at += match (u < graph.nodes, v < graph.nodes) {
                (true, true) => (half(u) + CARD_GAP + half(v)).ceil(),
                (false, false) => bundle,
                _ => (half(u) + PASSAGE_GAP + half(v)).ceil(),
            };
        }
        out.push(at);
    }
    out
}

/// Every rank packed around one middle line; with anchors, around the anchored heights.
fn start(graph: &Proper, order: &[Vec<usize>], offsets: &[Vec<f64>], anchors: &[Option<f64>]) -> Vec<f64> {
    let known: Vec<f64> = anchors.iter().flatten().copied().collect();
    let middle = if known.is_empty() { 0.0 } else { known.iter().sum::<f64>() / known.len() as f64 };
    let mut y = vec![0.0; graph.len()];
    for (rank, offset) in order.iter().zip(offsets) {
        let shift = middle - offset.last().copied().unwrap_or_default() / 2.0;
        for (&v, o) in rank.iter().zip(offset) {
            y[v] = shift + o;
        }
    }
    y
}

fn wishes(graph: &Proper, y: &[f64], anchors: &[Option<f64>], v: usize, offset: f64, straight: bool) -> Vec<Wish> {
    let real = |u: usize| u < graph.nodes;
    let mut out = Vec::new();
    for &(u, w) in graph.left[v].iter().chain(&graph.right[v]) {
        let pull = match (real(u), real(v)) {
            (true, true) => 1.0,
            (false, false) => INNER_PULL,
            _ => OUTER_PULL,
        };
        // A bundle or a heavy edge pulls harder, but a hundred calls must not outweigh a hundred straight lines.
        out.push(Wish { at: y[u] - offset, pull: pull * w.min(4) as f64 });
    }
    if !straight {
        out.extend(graph.flat[v].iter().map(|&(u, _)| Wish { at: y[u] - offset, pull: FLAT_PULL }));
    }
    if let Some(Some(at)) = anchors.get(v) {
        out.push(Wish { at: at - offset, pull: ANCHOR_PULL });
    }
    // Without any wish a vertex stays; with some this only decides ties.
    out.push(Wish { at: y[v] - offset, pull: if straight { 0.01 } else { 0.001 } });
    out
}

/// The non-decreasing sequence with the least sum of weighted squares.
fn fit_squares(wishes: &[Vec<Wish>]) -> Vec<f64> {
    // (sum of pull * at, sum of pull, members)
    let mut blocks: Vec<(f64, f64, usize)> = Vec::with_capacity(wishes.len());
    for list in wishes {
        let mut block = list.iter().fold((0.0, 0.0, 1), |b, w| (b.0 + w.pull * w.at, b.1 + w.pull, 1));
        while let Some(&top) = blocks.last() {
            if top.0 / top.1 <= block.0 / block.1 {
                break;
            }
            block = (block.0 + top.0, block.1 + top.1, block.2 + top.2);
            blocks.pop();
        }
        blocks.push(block);
    }
    blocks.iter().flat_map(|b| std::iter::repeat_n(b.0 / b.1, b.2)).collect()
}

/// The non-decreasing sequence with the least sum of weighted distances.
fn fit_absolute(wishes: Vec<Vec<Wish>>) -> Vec<f64> {
    let mut blocks: Vec<(Vec<Wish>, f64, usize)> = Vec::with_capacity(wishes.len());
    for mut list in wishes {
        list.sort_by(|a, b| a.at.total_cmp(&b.at));
        let mut at = median(&list);
        let mut members = 1;
        while blocks.last().is_some_and(|top| top.1 > at) {
            let Some((top, _, n)) = blocks.pop() else { break };
            list = merge(top, list);
            at = median(&list);
            members += n;
        }
        blocks.push((list, at, members));
    }
    blocks.iter().flat_map(|b| std::iter::repeat_n(b.1, b.2)).collect()
}

/// Weighted median of wishes in ascending order.
fn median(list: &[Wish]) -> f64 {
    let half = list.iter().map(|w| w.pull).sum::<f64>() / 2.0;
    let mut sum = 0.0;
    for w in list {
        sum += w.pull;
        if sum >= half {
            return w.at;
        }
    }
    list.last().map_or(0.0, |w| w.at)
}

fn merge(a: Vec<Wish>, b: Vec<Wish>) -> Vec<Wish> {
    let mut out = Vec::with_capacity(a.len() + b.len());
    let (mut a, mut b) = (a.into_iter().peekable(), b.into_iter().peekable());
    while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
        out.extend(if x.at <= y.at { a.next() } else { b.next() });
    }
    out.extend(a);
    out.extend(b);
    out
}

/// Sorted heights moved apart to `gap`, within `low..=high`, as near as possible to where they were. The room must suffice.
pub(super) fn spread(wished: &[f64], gap: f64, low: f64, high: f64) -> Vec<f64> {
    let wishes: Vec<Vec<Wish>> =
        wished.iter().enumerate().map(|(i, at)| vec![Wish { at: at - gap * i as f64, pull: 1.0 }]).collect();
    let last = high - gap * wished.len().saturating_sub(1) as f64;
    let fitted = fit_squares(&wishes);
    fitted.iter().enumerate().map(|(i, z)| z.min(last).max(low) + gap * i as f64).collect()
}

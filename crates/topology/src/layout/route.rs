//! Routes of edges that pass columns: through the gaps between the cards, by the shortest way.
//!
//! A pure function of the positions, so that no edge moves while the cards stay where they are.

use super::columns::{nearest, slot};
use super::coords::spread;
use super::net::Net;
use super::order::count_inversions;
use super::proper::Ranks;
use super::{Arrangement, Point};

/// Distance kept from a card, and between routes of one gap where there is room.
const CLEARANCE: f64 = 8.0;
/// Gaps looked at above and below the straight line.
const GAPS_AROUND: usize = 3;

/// Routes of all links.
pub(super) struct Routes {
    /// Per link, from its left to its right end; two points per column passed.
    pub(super) points: Vec<Vec<Point>>,
    /// Crossings between neighbouring columns.
    pub(super) crossings: u64,
}

/// A column as an obstacle.
struct Column {
    left: f64,
    right: f64,
    /// Free intervals, top to bottom; the first and the last are unbounded.
    gaps: Vec<(f64, f64)>,
}

/// One link's way through one column.
#[derive(Clone, Copy)]
struct Pass {
    link: usize,
    gap: usize,
    y: f64,
    /// Sum of the heights before and behind: of two passes at the same height the one that bends upwards goes above.
    lean: f64,
}

pub(super) fn route(net: &Net, arrangement: &Arrangement) -> Routes {
    let column_of: Vec<usize> = (0..net.nodes.len())
        .map(|n| nearest(&arrangement.columns[slot(net.nodes[n].layer)], arrangement.at[n].x))
        .collect();
    let ranks = Ranks::new(net, &column_of);
    let columns = obstacles(net, arrangement, &ranks);
    let mut passes: Vec<Vec<Pass>> = columns.iter().map(|_| Vec::new()).collect();
    for (i, link) in net.links.iter().enumerate() {
        let (a, b) = left_to_right(&ranks, link.left, link.right);
        let (ra, rb) = (ranks.of[a], ranks.of[b]);
        if rb < ra + 2 {
            continue;
        }
        let from = Point { x: columns[ra].right, y: arrangement.at[a].y };
        let to = Point { x: columns[rb].left, y: arrangement.at[b].y };
        let way = shortest(&columns[ra + 1..rb], from, to);
        for (k, &(gap, y)) in way.iter().enumerate() {
            let before = if k == 0 { from.y } else { way[k - 1].1 };
            let after = way.get(k + 1).map_or(to.y, |w| w.1);
            passes[ra + 1 + k].push(Pass { link: i, gap, y, lean: before + after });
        }
    }
    let mut heights: Vec<Vec<f64>> = vec![Vec::new(); net.links.len()];
    for (column, list) in columns.iter().zip(&mut passes) {
        settle(column, list);
    }
    for list in &passes {
        for pass in list {
            heights[pass.link].push(pass.y);
        }
    }
    let crossings = crossings(net, arrangement, &ranks, &heights);
    let mut points = Vec::with_capacity(net.links.len());
    for (link, ys) in net.links.iter().zip(&heights) {
        let (a, _) = left_to_right(&ranks, link.left, link.right);
        let first = ranks.of[a] + 1;
        let mut way: Vec<Point> = Vec::with_capacity(2 * ys.len());
        for (column, &y) in columns[first..].iter().zip(ys) {
            way.extend([Point { x: column.left, y }, Point { x: column.right, y }]);
        }
        if a != link.left {
            way.reverse();
        }
        points.push(way);
    }
    Routes { points, crossings }
}

fn left_to_right(ranks: &Ranks, a: usize, b: usize) -> (usize, usize) {
    if ranks.of[a] <= ranks.of[b] { (a, b) } else { (b, a) }
}

fn obstacles(net: &Net, arrangement: &Arrangement, ranks: &Ranks) -> Vec<Column> {
    let mut cards: Vec<Vec<usize>> = vec![Vec::new(); ranks.layer.len()];
    for n in 0..net.nodes.len() {
        cards[ranks.of[n]].push(n);
    }
    cards.iter_mut().map(|list| obstacle(net, arrangement, list)).collect()
}

fn obstacle(net: &Net, arrangement: &Arrangement, cards: &mut [usize]) -> Column {
    cards.sort_by(|&a, &b| arrangement.at[a].y.total_cmp(&arrangement.at[b].y).then(a.cmp(&b)));
    let mut column = Column { left: f64::INFINITY, right: f64::NEG_INFINITY, gaps: Vec::new() };
    let mut edge = f64::NEG_INFINITY;
    for &n in cards.iter() {
        let (node, p) = (&net.nodes[n], arrangement.at[n]);
        column.left = column.left.min(p.x - node.width / 2.0);
        column.right = column.right.max(p.x + node.width / 2.0);
        let (top, bottom) = (p.y - node.height / 2.0, p.y + node.height / 2.0);
        // In a tight gap the middle is still better than a card.
        let clearance = CLEARANCE.min((top - edge) / 2.0);
        if top > edge {
            column.gaps.push((if edge.is_finite() { edge + clearance } else { edge }, top - clearance));
        }
        edge = edge.max(bottom);
    }
    column.gaps.push((edge + CLEARANCE, f64::INFINITY));
    column
}

/// The shortest way through the columns: gap and height for each.
fn shortest(columns: &[Column], from: Point, to: Point) -> Vec<(usize, f64)> {
    // Per column its candidates: (gap, height, length so far, index of the candidate before).
    let mut stages: Vec<Vec<(usize, f64, f64, usize)>> = Vec::with_capacity(columns.len());
    for column in columns {
        let mut stage = Vec::new();
        let edge = stages.len().checked_sub(1).map(|k| columns[k].right);
        for (gap, y) in candidates(column, from, to) {
            let mut best = (f64::INFINITY, 0);
            match (stages.last(), edge) {
                (Some(before), Some(edge)) => {
                    for (i, c) in before.iter().enumerate() {
                        let length = c.2 + distance(column.left - edge, y - c.1);
                        if length < best.0 {
                            best = (length, i);
                        }
                    }
                }
                _ => best = (distance(column.left - from.x, y - from.y), 0),
            }
            stage.push((gap, y, best.0, best.1));
        }
        stages.push(stage);
    }
    let Some((last, stage)) = columns.last().zip(stages.last()) else { return Vec::new() };
    let mut at = 0;
    let mut least = f64::INFINITY;
    for (i, c) in stage.iter().enumerate() {
        let length = c.2 + distance(to.x - last.right, to.y - c.1);
        if length < least {
            (least, at) = (length, i);
        }
    }
    let mut way = Vec::with_capacity(stages.len());
    for stage in stages.iter().rev() {
        let (gap, y, _, before) = stage[at];
        way.push((gap, y));
        at = before;
    }
    way.reverse();
    way
}

fn distance(dx: f64, dy: f64) -> f64 {
    (dx * dx + dy * dy).sqrt()
}

/// Heights worth considering: in the gaps around the straight line, where the line, the start or the end would be, as near as the gap allows.
fn candidates(column: &Column, from: Point, to: Point) -> Vec<(usize, f64)> {
    let middle = (column.left + column.right) / 2.0;
    let share = if to.x > from.x { ((middle - from.x) / (to.x - from.x)).clamp(0.0, 1.0) } else { 0.5 };
    let line = from.y + (to.y - from.y) * share;
    let at = column.gaps.partition_point(|g| g.1 < line).min(column.gaps.len() - 1);
    let around = at.saturating_sub(GAPS_AROUND)..(at + GAPS_AROUND + 1).min(column.gaps.len());
    let mut out = Vec::new();
    for gap in around {
        let (low, high) = column.gaps[gap];
        for wish in [line, from.y, to.y] {
            let y = wish.min(high).max(low);
            if !out.contains(&(gap, y)) {
                out.push((gap, y));
            }
        }
    }
    out
}

/// Moves the routes of each gap apart.
fn settle(column: &Column, passes: &mut [Pass]) {
    passes.sort_by(|a, b| {
        let by_height = a.gap.cmp(&b.gap).then(a.y.total_cmp(&b.y));
        by_height.then(a.lean.total_cmp(&b.lean)).then(a.link.cmp(&b.link))
    });
    for group in passes.chunk_by_mut(|a, b| a.gap == b.gap) {
        let (low, high) = column.gaps[group[0].gap];
        let room = (high - low).max(0.0) / (group.len() - 1).max(1) as f64;
        let wished: Vec<f64> = group.iter().map(|p| p.y).collect();
        for (pass, y) in group.iter_mut().zip(spread(&wished, CLEARANCE.min(room), low, high)) {
            pass.y = y;
        }
    }
}

/// Crossings between neighbouring columns, from the heights at which each link meets them.
fn crossings(net: &Net, arrangement: &Arrangement, ranks: &Ranks, heights: &[Vec<f64>]) -> u64 {
    let mut pieces: Vec<Vec<(f64, f64)>> = vec![Vec::new(); ranks.layer.len()];
    for (link, ys) in net.links.iter().zip(heights) {
        let (a, b) = left_to_right(ranks, link.left, link.right);
        if ranks.of[a] == ranks.of[b] {
            continue;
        }
        let mut before = arrangement.at[a].y;
        for (k, &y) in ys.iter().chain([&arrangement.at[b].y]).enumerate() {
            pieces[ranks.of[a] + k].push((before, y));
            before = y;
        }
    }
    pieces.iter_mut().map(|list| crossings_of(list)).sum()
}

/// Pairs of pieces that cross; those that meet in an end do not.
fn crossings_of(pieces: &mut [(f64, f64)]) -> u64 {
    pieces.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut ends: Vec<f64> = pieces.iter().map(|p| p.1).collect();
    ends.sort_by(f64::total_cmp);
    ends.dedup();
    let place = |y: f64| ends.partition_point(|e| *e < y);
    count_inversions(pieces.iter().map(|p| (place(p.1), 1)), ends.len())
}

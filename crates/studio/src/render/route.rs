//! Lines between cards: calls as curves, events as level and upright pieces. The window draws by the same rules.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::api::{Edge, Node, Point};

/// Space left between a card and the tip of an arrow.
const GAP: f64 = 3.0;
/// Distance of two lines at one side of a card.
const PORT_GAP: f64 = 13.0;
/// Distance of the upright of an event route from its topic, and of two such uprights.
const LANE: (f64, f64) = (18.0, 8.0);
/// Radius of corners.
const CORNER: f64 = 6.0;

/// A drawn line.
pub(super) struct Route {
    /// SVG path.
    pub(super) path: String,
    /// Where its arrow ends, and whether it points to the right.
    pub(super) head: (Point, bool),
    /// The middle, for a label.
    pub(super) middle: Point,
}

/// Whether an interaction is drawn as an event route.
pub(super) fn is_event(kind: &str) -> bool {
    matches!(kind, "publish" | "consume")
}

/// Lines of all edges with two known ends, in the order of the edges.
pub(super) fn routes<'a>(nodes: &[Node], edges: &'a [Edge]) -> Vec<(&'a Edge, Route)> {
    let boxes: BTreeMap<&str, &Node> = nodes.iter().map(|n| (n.id.as_str(), n)).collect();
    let ends: Vec<(&Edge, &Node, &Node)> = edges
        .iter()
        .filter_map(|e| Some((e, *boxes.get(e.source.as_str())?, *boxes.get(e.target.as_str())?)))
        .collect();
    let heights = heights(&ends);
    let lanes = lanes(&ends);
    ends.iter()
        .map(|(edge, source, target)| {
            let (out, into) = sides(source, target, &edge.waypoints);
            let at = |n: &Node, side: f64, end: &str| Point {
                x: n.x + side * (n.width / 2.0 + GAP),
                y: heights.get(&(edge.id.as_str(), end == "source")).copied().unwrap_or(n.y),
            };
            let (start, end) = (at(source, out, "source"), at(target, into, "target"));
            let points: Vec<Point> = [start].into_iter().chain(edge.waypoints.iter().copied()).chain([end]).collect();
            let lane = lanes.get(edge.id.as_str()).copied().unwrap_or(LANE.0);
            let path = if is_event(&edge.kind) {
                rounded(&angled(&points, (out, into), lane))
            } else {
                curved(&points, (out, into))
            };
            let a = points[(points.len() - 1) / 2];
            let b = points[points.len() / 2];
            let middle = Point { x: f64::midpoint(a.x, b.x), y: f64::midpoint(a.y, b.y) };
            (*edge, Route { path, head: (end, into < 0.0), middle })
        })
        .collect()
}

/// On which side of its cards a line leaves and arrives: 1 right, -1 left.
fn sides(source: &Node, target: &Node, waypoints: &[Point]) -> (f64, f64) {
    let first = waypoints.first().map_or(target.x, |p| p.x);
    let last = waypoints.last().map_or(source.x, |p| p.x);
    let same_column = (source.x - target.x).abs() < f64::midpoint(source.width, target.width);
    if waypoints.is_empty() && same_column {
        return (1.0, 1.0);
    }
    let side = |right: bool| if right { 1.0 } else { -1.0 };
    (side(first >= source.x), side(last >= target.x))
}

type Ends<'a> = [(&'a Edge, &'a Node, &'a Node)];

/// Heights at which lines leave (`true`) and arrive, by edge: spread over the side of the card in the order of where they go.
fn heights<'a>(ends: &Ends<'a>) -> BTreeMap<(&'a str, bool), f64> {
    let mut by_side: BTreeMap<(&str, bool), Vec<(f64, &'a str, bool, &Node)>> = BTreeMap::new();
    for (edge, source, target) in ends {
        let (out, into) = sides(source, target, &edge.waypoints);
        let toward_source = edge.waypoints.last().map_or(source.y, |p| p.y);
        let toward_target = edge.waypoints.first().map_or(target.y, |p| p.y);
        by_side.entry((&source.id, out > 0.0)).or_default().push((toward_target, &edge.id, true, source));
        by_side.entry((&target.id, into > 0.0)).or_default().push((toward_source, &edge.id, false, target));
    }
    let mut out = BTreeMap::new();
    for mut ports in by_side.into_values() {
        ports.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(b.1)));
        let both = ports.iter().any(|p| p.2) && ports.iter().any(|p| !p.2);
        let many = ports.len() as f64 - 1.0;
        for (i, (_, edge, leaves, card)) in ports.iter().enumerate() {
            let y = if card.kind == "topic" {
                card.y
                    + if !both {
                        0.0
                    } else if *leaves {
                        5.0
                    } else {
                        -5.0
                    }
            } else {
                let step = if many > 0.0 { PORT_GAP.min((card.height - 20.0) / many) } else { 0.0 };
                card.y + (i as f64 - many / 2.0) * step
            };
            out.insert((*edge, *leaves), y);
        }
    }
    out
}

/// Distance of an event route's upright from its topic: one lane per topic and direction.
fn lanes<'a>(ends: &Ends<'a>) -> BTreeMap<&'a str, f64> {
    let mut trunks: BTreeMap<(i64, String), (f64, Vec<&'a str>)> = BTreeMap::new();
    for (edge, source, target) in ends.iter().filter(|(e, ..)| is_event(&e.kind)) {
        let (out, into) = sides(source, target, &edge.waypoints);
        let (topic, side) = if edge.kind == "publish" { (target, into) } else { (source, out) };
        let gap = ((topic.x + side * topic.width / 2.0) / 24.0).round() as i64;
        let key = (gap, format!("{} {} {side}", topic.id, edge.kind));
        trunks.entry(key).or_insert((topic.y, Vec::new())).1.push(&edge.id);
    }
    let mut by_gap: BTreeMap<i64, Vec<(f64, Vec<&'a str>)>> = BTreeMap::new();
    for ((gap, _), trunk) in trunks {
        by_gap.entry(gap).or_default().push(trunk);
    }
    let mut out = BTreeMap::new();
    for mut side in by_gap.into_values() {
        side.sort_by(|a, b| a.0.total_cmp(&b.0));
        let step = LANE.1.min(56.0 / side.len() as f64);
        for (i, (_, edges)) in side.into_iter().enumerate() {
            out.extend(edges.into_iter().map(|edge| (edge, LANE.0 + i as f64 * step)));
        }
    }
    out
}

/// A smooth line through all points, level at each of them.
fn curved(points: &[Point], (out, into): (f64, f64)) -> String {
    let mut d = format!("M{:.1} {:.1}", points[0].x, points[0].y);
    for pair in points.windows(2) {
        let (p, q) = (pair[0], pair[1]);
        let around = points.len() == 2 && (out - into).abs() < 0.5;
        let bend = if around { 44.0 } else { ((q.x - p.x).abs() * 0.5).max(12.0) };
        let dir = if q.x >= p.x { 1.0 } else { -1.0 };
        let (a, b) = if around { (out, into) } else { (dir, -dir) };
        let (a, b) = (p.x + a * bend, q.x + b * bend);
        let _ = write!(d, "C{a:.1} {:.1} {b:.1} {:.1} {:.1} {:.1}", p.y, q.y, q.x, q.y);
    }
    d
}

/// Level and upright pieces.
fn angled(points: &[Point], (out, into): (f64, f64), lane: f64) -> Vec<Point> {
    let mut corners = vec![points[0]];
    for (i, pair) in points.windows(2).enumerate() {
        let (p, q) = (pair[0], pair[1]);
        let x = if points.len() == 2 && (out - into).abs() < 0.5 {
            Some(if out > 0.0 { p.x.max(q.x) + lane } else { p.x.min(q.x) - lane })
        } else if (p.y - q.y).abs() > 0.5 {
            let dir = if q.x >= p.x { 1.0 } else { -1.0 };
            let width = (q.x - p.x).abs();
            let offset = lane.min(width * 0.7);
            Some(p.x + dir * if i == 0 { width - offset } else { offset })
        } else {
            None
        };
        corners.extend(x.into_iter().flat_map(|x| [Point { x, y: p.y }, Point { x, y: q.y }]));
        corners.push(q);
    }
    corners
}

fn rounded(corners: &[Point]) -> String {
    let mut d = format!("M{:.1} {:.1}", corners[0].x, corners[0].y);
    for three in corners.windows(3) {
        let (p, c, q) = (three[0], three[1], three[2]);
        let before = (c.x - p.x).hypot(c.y - p.y);
        let after = (q.x - c.x).hypot(q.y - c.y);
        let r = CORNER.min(before / 2.0).min(after / 2.0);
        if r < 0.5 {
            let _ = write!(d, "L{:.1} {:.1}", c.x, c.y);
            continue;
        }
        let toward = |o: Point, length: f64| (c.x + (o.x - c.x) / length * r, c.y + (o.y - c.y) / length * r);
        let ((ax, ay), (bx, by)) = (toward(p, before), toward(q, after));
        let _ = write!(d, "L{ax:.1} {ay:.1}Q{:.1} {:.1} {bx:.1} {by:.1}", c.x, c.y);
    }
    if let Some(last) = corners.last() {
        let _ = write!(d, "L{:.1} {:.1}", last.x, last.y);
    }
    d
}

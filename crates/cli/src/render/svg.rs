//! A static picture of the map: bands, cards, edges. Self-contained: nothing is fetched, nothing runs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use flowglass_studio::layer_title;
use flowglass_studio::model::{Graph, GraphEdge, GraphNode, InteractionKind, Layer, LayerSource, NodeId, NodeKind};
use flowglass_studio::topology::{
    Layout, LayoutEdge, LayoutInput, LayoutMode, LayoutNode, Placed, Point, card_size, layout,
};

use super::grouped;

/// Space around the drawing, pixels.
const MARGIN: f64 = 24.0;
/// Space above the cards for the headings, pixels.
const HEAD: f64 = 40.0;
/// Sides of cards nearer than this stand in one column: cards of one column differ in width. Pixels.
const SAME_COLUMN: f64 = 40.0;
/// Width of a character of a card's name, pixels at 12 px; wide enough for most fonts.
const CHARACTER: f64 = 6.8;

// The light theme of the window.
const PAGE: &str = "#F3F4F7";
const BAND: &str = "#FAFBFC";
const BAND_LINE: &str = "#E4E8EE";
const CARD: &str = "#FFFFFF";
const LINE: &str = "#C9D0DA";
const TEXT: &str = "#171B22";
const TEXT_SOFT: &str = "#5A6575";
const SYNC: &str = "#76839A";
const EVENT: &str = "#7D5A00";
const ERROR: &str = "#C4162A";

fn colour(layer: Layer) -> &'static str {
    match layer {
        Layer::Backend => "#566274",
        Layer::System => "#0B57B5",
        Layer::Event => EVENT,
        Layer::Process => "#8A2F86",
        Layer::Experience => "#00756A",
        Layer::Consumer => "#3C4656",
    }
}

/// The map as an SVG document.
pub(crate) fn svg(graph: &Graph) -> String {
    let drawing = place(graph);
    let (left, top) = (MARGIN - drawing.bounds.x, MARGIN + HEAD - drawing.bounds.y);
    let (width, height) = (drawing.bounds.width + 2.0 * MARGIN, drawing.bounds.height + 2.0 * MARGIN + HEAD);
    let mut out = String::new();
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         font-family=\"Inter, system-ui, sans-serif\" font-size=\"12\" role=\"img\">"
    );
    let _ = writeln!(
        out,
        "<title>Topology: {} participants, {} interactions</title>",
        graph.nodes.len(),
        graph.edges.len()
    );
    out.push_str("<defs>");
    for (name, fill) in [("sync", SYNC), ("event", EVENT), ("error", ERROR)] {
        let _ = write!(
            out,
            "<marker id=\"{name}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
             orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"{fill}\"/></marker>"
        );
    }
    out.push_str("</defs>\n");
    let _ = writeln!(out, "<rect width=\"100%\" height=\"100%\" fill=\"{PAGE}\"/>");
    let _ = writeln!(out, "<g transform=\"translate({left:.1} {top:.1})\">");
    bands(&mut out, &drawing);
    let nodes: BTreeMap<&NodeId, &GraphNode> = graph.nodes.iter().map(|n| (&n.id, n)).collect();
    for (edge, waypoints) in graph.edges.iter().zip(&drawing.waypoints) {
        if let (Some(source), Some(target)) = (nodes.get(&edge.source), nodes.get(&edge.target)) {
            draw_edge(&mut out, edge, source, target, waypoints, &drawing);
        }
    }
    for node in &graph.nodes {
        draw_card(&mut out, node, &drawing);
    }
    out.push_str("</g>\n</svg>\n");
    out
}

/// Routes and bands for the positions that the graph has.
fn place(graph: &Graph) -> Layout {
    let card = |n: &GraphNode| {
        let (width, height) = card_size(n.kind);
        LayoutNode { id: n.id.clone(), layer: n.layer, width, height }
    };
    let nodes: Vec<LayoutNode> = graph.nodes.iter().map(card).collect();
    let edge = |e: &GraphEdge| LayoutEdge { source: e.source.clone(), target: e.target.clone(), weight: 1 };
    let edges: Vec<LayoutEdge> = graph.edges.iter().map(edge).collect();
    let previous: BTreeMap<NodeId, Placed> =
        graph.nodes.iter().map(|n| (n.id.clone(), Placed { layer: n.layer, x: n.x, y: n.y })).collect();
    layout(&LayoutInput { nodes: &nodes, edges: &edges, previous: &previous, mode: LayoutMode::Keep })
}

fn bands(out: &mut String, drawing: &Layout) {
    for band in drawing.bands.iter().filter(|b| b.count > 0) {
        let (x, width) = (band.x - 12.0, band.width + 24.0);
        let (y, height) = (drawing.bounds.y - HEAD, drawing.bounds.height + HEAD + 12.0);
        let _ = writeln!(
            out,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"8\" fill=\"{BAND}\" stroke=\"{BAND_LINE}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-weight=\"600\" fill=\"{TEXT_SOFT}\">{}</text>",
            band.x + band.width / 2.0,
            y + 22.0,
            escaped(layer_title(band.layer))
        );
    }
}

fn draw_edge(
    out: &mut String,
    edge: &GraphEdge,
    source: &GraphNode,
    target: &GraphNode,
    waypoints: &[Point],
    drawing: &Layout,
) {
    let (from, to) = (at(drawing, source), at(drawing, target));
    let first = waypoints.first().map_or(to.x, |p| p.x);
    let last = waypoints.last().map_or(from.x, |p| p.x);
    let path = path(port(source, from, first), waypoints, port(target, to, last));
    let failing = edge.stats.errors * 20 >= edge.stats.count && edge.stats.errors > 0;
    let is_event = matches!(edge.kind, InteractionKind::Publish | InteractionKind::Consume);
    let (name, stroke) = match (failing, is_event) {
        (true, _) => ("error", ERROR),
        (false, true) => ("event", EVENT),
        (false, false) => ("sync", SYNC),
    };
    let dashes = if is_event { " stroke-dasharray=\"5 4\"" } else { "" };
    let _ = writeln!(
        out,
        "<path d=\"{path}\" fill=\"none\" stroke=\"{stroke}\" stroke-width=\"1.4\"{dashes} marker-end=\"url(#{name})\">\
         <title>{} → {}: {} {}, {} errors</title></path>",
        escaped(&source.name),
        escaped(&target.name),
        edge.kind.as_str(),
        grouped(edge.stats.count),
        grouped(edge.stats.errors)
    );
}

fn at(drawing: &Layout, node: &GraphNode) -> Point {
    drawing.positions.get(&node.id).map_or(Point { x: node.x, y: node.y }, |p| Point { x: p.x, y: p.y })
}

/// The middle of the side of a card that faces `towards`; its right side for what stands in the same column.
fn port(node: &GraphNode, centre: Point, towards: f64) -> Point {
    let half = card_size(node.kind).0 / 2.0;
    Point { x: if towards < centre.x { centre.x - half } else { centre.x + half }, y: centre.y }
}

/// A smooth line through all points, level at each of them.
fn path(from: Point, through: &[Point], to: Point) -> String {
    let mut out = format!("M{:.1} {:.1}", from.x, from.y);
    let mut last = from;
    for next in through.iter().copied().chain([to]) {
        if (next.x - last.x).abs() < SAME_COLUMN {
            // Out to the right and back.
            let bend = last.x.max(next.x) + 36.0;
            let _ = write!(out, "C{bend:.1} {:.1} {bend:.1} {:.1} {:.1} {:.1}", last.y, next.y, next.x, next.y);
        } else {
            let middle = f64::midpoint(last.x, next.x);
            let _ = write!(out, "C{middle:.1} {:.1} {middle:.1} {:.1} {:.1} {:.1}", last.y, next.y, next.x, next.y);
        }
        last = next;
    }
    out
}

fn draw_card(out: &mut String, node: &GraphNode, drawing: &Layout) {
    let (width, height) = card_size(node.kind);
    let centre = at(drawing, node);
    let (x, y) = (centre.x - width / 2.0, centre.y - height / 2.0);
    let radius = if node.kind == NodeKind::Topic { height / 2.0 } else { 6.0 };
    // A guessed layer looks guessed. (What is no service stands where it does by its kind.)
    let guessed = node.kind == NodeKind::Service && node.layer_source == LayerSource::Inferred;
    let dashes = if guessed { " stroke-dasharray=\"4 3\"" } else { "" };
    let _ = writeln!(
        out,
        "<g><title>{}</title><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.0}\" height=\"{height:.0}\" rx=\"{radius:.0}\" \
         fill=\"{CARD}\" stroke=\"{}\"{dashes}/>",
        escaped(node.id.as_str()),
        if node.kind == NodeKind::Topic { EVENT } else { LINE },
    );
    let inset = if node.kind == NodeKind::Topic { 14.0 } else { 12.0 };
    if node.kind != NodeKind::Topic {
        let _ = write!(
            out,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"3\" height=\"{:.0}\" rx=\"1.5\" fill=\"{}\"/>",
            x + 4.0,
            y + 8.0,
            height - 16.0,
            colour(node.layer)
        );
    }
    let name = shortened(&node.name, ((width - inset - 8.0) / CHARACTER) as usize);
    let two_lines = height >= 48.0;
    let baseline = if two_lines { centre.y - 3.0 } else { centre.y + 4.0 };
    let _ = write!(
        out,
        "<text x=\"{:.1}\" y=\"{baseline:.1}\" font-weight=\"600\" fill=\"{TEXT}\">{}</text>",
        x + inset,
        escaped(&name)
    );
    if two_lines {
        let fill = if node.stats.errors > 0 { ERROR } else { TEXT_SOFT };
        let _ = write!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"11\" fill=\"{fill}\">{}</text>",
            x + inset,
            centre.y + 14.0,
            escaped(&figures(node))
        );
    }
    out.push_str("</g>\n");
}

fn figures(node: &GraphNode) -> String {
    match (node.stats.count, node.stats.errors) {
        (0, _) => String::new(),
        (count, 0) => grouped(count),
        (count, errors) => format!("{}, {} failed", grouped(count), grouped(errors)),
    }
}

fn shortened(text: &str, characters: usize) -> String {
    if text.chars().count() <= characters {
        return text.to_owned();
    }
    text.chars().take(characters.saturating_sub(1)).chain(['…']).collect()
}

/// Text for XML: markup characters as entities, characters that XML 1.0 forbids (section 2.2) as blanks.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

//! A static picture of the map. Self-contained: nothing is fetched, nothing runs.

use std::fmt::Write as _;

use super::cards::card;
use super::frame::{bands, heading, legend};
use super::lines::lines;
use super::{Caption, Theme};
use crate::api::TopologyView;

/// Space around the drawing, pixels.
const MARGIN: f64 = 24.0;
/// Space above the cards for the headings of the bands.
const BAND_HEAD: f64 = 40.0;
/// Space for title and range.
const TITLE: f64 = 52.0;
/// Space for the legend.
const LEGEND: f64 = 36.0;
/// Widest legend, pixels.
const LEGEND_WIDTH: f64 = 1_040.0;

/// A rectangle of the drawing.
struct Area {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

/// The map as an SVG document.
pub fn svg(view: &TopologyView, caption: &Caption, theme: Theme) -> String {
    let c = theme.colours();
    let area = area(view);
    let title = if caption.title.is_empty() { 0.0 } else { TITLE };
    let width = (area.right - area.left + 2.0 * MARGIN).max(LEGEND_WIDTH + 2.0 * MARGIN);
    let height = area.bottom - area.top + 2.0 * MARGIN + BAND_HEAD + title + LEGEND;
    let (dx, dy) = (MARGIN - area.left, MARGIN + title + BAND_HEAD - area.top);
    let mut out = String::new();
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         font-family=\"Inter, system-ui, sans-serif\" font-size=\"12\" role=\"img\">"
    );
    let _ =
        writeln!(out, "<title>Topology: {} participants, {} interactions</title>", view.nodes.len(), view.edges.len());
    let _ = writeln!(out, "<rect width=\"100%\" height=\"100%\" fill=\"{}\"/>", c.page);
    if title > 0.0 {
        heading(&mut out, caption, view, MARGIN, MARGIN + 16.0, c);
    }
    let _ = writeln!(out, "<g transform=\"translate({dx:.1} {dy:.1})\">");
    bands(&mut out, view, area.top - BAND_HEAD, area.bottom + 12.0, c);
    lines(&mut out, view, c);
    for node in &view.nodes {
        card(&mut out, node, c);
    }
    out.push_str("</g>\n");
    legend(&mut out, MARGIN, height - MARGIN, c);
    out.push_str("</svg>\n");
    out
}

/// What encloses all cards, bends of lines and bands.
fn area(view: &TopologyView) -> Area {
    let mut area = Area { left: f64::MAX, top: f64::MAX, right: f64::MIN, bottom: f64::MIN };
    let mut take = |x0: f64, y0: f64, x1: f64, y1: f64| {
        area = Area {
            left: area.left.min(x0),
            top: area.top.min(y0),
            right: area.right.max(x1),
            bottom: area.bottom.max(y1),
        };
    };
    for n in &view.nodes {
        let below = if n.consumers == Some(0) { 18.0 } else { 0.0 };
        let (w, h) = (n.width / 2.0, n.height / 2.0);
        take(n.x - w, n.y - h, n.x + w, n.y + h + below);
    }
    for p in view.edges.iter().flat_map(|e| &e.waypoints) {
        take(p.x, p.y, p.x, p.y);
    }
    if area.left > area.right {
        return Area { left: 0.0, top: 0.0, right: 0.0, bottom: 0.0 };
    }
    for band in view.bands.iter().filter(|b| b.count > 0) {
        area.left = area.left.min(band.x - 12.0);
        area.right = area.right.max(band.x + band.width + 12.0);
    }
    area
}

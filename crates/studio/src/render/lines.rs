//! Interactions of the picture.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::route::{is_event, routes};
use super::theme::Colours;
use super::{escaped, grouped, rate};
use crate::api::{Edge, TopologyView};

/// All lines with their arrows; what fails lies on top.
pub(super) fn lines(out: &mut String, view: &TopologyView, c: &Colours) {
    let names: BTreeMap<&str, &str> = view.nodes.iter().map(|n| (n.id.as_str(), n.name.as_str())).collect();
    let mut drawn = routes(&view.nodes, &view.edges);
    drawn.sort_by_key(|(edge, _)| edge.health == "failing");
    for (edge, route) in &drawn {
        let event = is_event(&edge.kind);
        let (line, head) = match (edge.health.as_str(), event) {
            ("failing", _) => (c.error, c.error),
            (_, true) => (c.event, c.event),
            _ => (c.sync_soft, c.sync),
        };
        let width = if event { 1.4 } else { width_of(edge.figures.rate) };
        let dashes = if event { " stroke-dasharray=\"6 4\"" } else { "" };
        let name = |id: &str| escaped(names.get(id).unwrap_or(&id));
        let _ = write!(
            out,
            "<g><title>{} → {}: {} {}, {} errors</title><path d=\"{}\" fill=\"none\" stroke=\"{line}\" stroke-width=\"{width:.1}\"{dashes}/>",
            name(&edge.source),
            name(&edge.target),
            edge.kind,
            grouped(edge.figures.count),
            grouped(edge.figures.errors),
            route.path,
        );
        let (tip, right) = route.head;
        let back = tip.x + if right { -7.0 } else { 7.0 };
        let _ = writeln!(
            out,
            "<path d=\"M{:.1} {:.1}L{back:.1} {:.1}L{back:.1} {:.1}Z\" fill=\"{head}\"/></g>",
            tip.x,
            tip.y,
            tip.y - 3.9,
            tip.y + 3.9
        );
    }
    for (edge, route) in drawn.iter().filter(|(e, _)| e.health == "failing" && !is_event(&e.kind)) {
        pill(out, &errors(edge), route.middle.x, route.middle.y, c);
    }
}

/// Stroke width of a call: 1 px and more with the square root of its rate.
fn width_of(rate: Option<f64>) -> f64 {
    (1.0 + rate.unwrap_or(0.0).max(0.0).sqrt() / 4.2).min(8.0)
}

fn errors(edge: &Edge) -> String {
    let f = &edge.figures;
    match f.rate {
        Some(per_second) if f.count > 0 => rate(per_second * f.errors as f64 / f.count as f64).replace('/', " err/"),
        _ => format!("{} errors", grouped(f.errors)),
    }
}

fn pill(out: &mut String, text: &str, x: f64, y: f64, c: &Colours) {
    let width = 16.0 + text.chars().count() as f64 * 6.4;
    let _ = writeln!(
        out,
        "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"20\" rx=\"10\" fill=\"{}\" stroke=\"{}\"/>\
         <text x=\"{x:.1}\" y=\"{:.1}\" font-size=\"11\" font-weight=\"500\" text-anchor=\"middle\" fill=\"{}\">{}</text>",
        x - width / 2.0,
        y - 10.0,
        c.error_back,
        c.error_line,
        y + 4.0,
        c.error,
        escaped(text)
    );
}

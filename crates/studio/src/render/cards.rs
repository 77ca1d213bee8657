//! Participants of the picture.

use std::fmt::Write as _;

use super::theme::Colours;
use super::{duration, escaped, grouped, percent, rate, shortened};
use crate::api::Node;

/// Width of a character of a card's name, pixels at 12 px; wide enough for most fonts.
const CHARACTER: f64 = 6.7;

/// One card.
pub(super) fn card(out: &mut String, node: &Node, c: &Colours) {
    let (x, y) = (node.x - node.width / 2.0, node.y - node.height / 2.0);
    let topic = node.kind == "topic";
    let tall = matches!(node.kind.as_str(), "service" | "group");
    let line = match node.health.as_str() {
        "failing" => c.error_line,
        "degraded" if !topic => c.warn_line,
        _ if topic => c.event_line,
        _ => c.line,
    };
    // A guessed layer looks guessed, and so does what sends nothing itself.
    let guessed = node.kind == "service" && (node.layer_source == "inferred" || !node.instrumented);
    let (line, dashes) = if guessed { (c.dashed, " stroke-dasharray=\"4 3\"") } else { (line, "") };
    let radius = if topic { node.height / 2.0 } else { 8.0 };
    let _ = write!(
        out,
        "<g><title>{}</title><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.0}\" height=\"{:.0}\" rx=\"{radius:.0}\" fill=\"{}\" \
         stroke=\"{line}\"{dashes}/>",
        escaped(&node.id),
        node.width,
        node.height,
        if topic { c.event_back } else { c.card },
    );
    if tall {
        let _ = write!(
            out,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"3\" height=\"{:.0}\" rx=\"1.5\" fill=\"{}\"/>",
            x - 1.0,
            y + 10.0,
            node.height - 20.0,
            c.layer(&node.layer)
        );
    }
    let middle = if tall {
        y + 15.0
    } else if topic {
        node.y
    } else {
        node.y - 8.0
    };
    glyph(out, if topic { "event" } else { &node.layer }, x + 15.0, middle, c);
    let marked = tall || node.health == "failing" || node.health == "degraded";
    let room = node.width - 26.0 - if marked { 24.0 } else { 8.0 };
    let _ = write!(
        out,
        "<text x=\"{:.1}\" y=\"{:.1}\" font-weight=\"500\" fill=\"{}\">{}</text>",
        x + 26.0,
        middle + 4.2,
        c.text,
        escaped(&shortened(&node.name, (room / CHARACTER) as usize))
    );
    if marked {
        health(out, &node.health, x + node.width - 15.0, middle, c);
    }
    if tall {
        metrics(out, node, x, y, c);
        sparkline(out, node, x + 9.0, y + 44.0, c);
    } else if !topic {
        second_line(out, node, x + 9.0, node.y + 13.0, c);
    }
    if topic && node.consumers == Some(0) {
        no_consumer(out, node, c);
    }
    out.push_str("</g>\n");
}

/// Shape and colour of a layer.
pub(super) fn glyph(out: &mut String, layer: &str, x: f64, y: f64, c: &Colours) {
    let fill = c.layer(layer);
    let d = match layer {
        "system" => "M-4.8-4.8h9.6v9.6h-9.6z",
        "process" => "M0-5.4 4.8-2.7v5.4L0 5.4-4.8 2.7v-5.4z",
        "experience" => "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z",
        "consumer" => "M0-4.8 5.4 4.6H-5.4z",
        "event" => "M0-5.2 5.2 0 0 5.2-5.2 0z",
        _ => "M-5-4H5v2H-5zM-5-1H5v2H-5zM-5 2H5v2H-5z",
    };
    let _ = write!(out, "<path d=\"{d}\" transform=\"translate({x:.1} {y:.1})\" fill=\"{fill}\"/>");
}

/// Health as a mark: octagon with cross, triangle, ring.
pub(super) fn health(out: &mut String, health: &str, x: f64, y: f64, c: &Colours) {
    let at = format!("transform=\"translate({x:.1} {y:.1})\"");
    let _ = match health {
        "failing" => write!(
            out,
            "<g {at}><path d=\"M-2.3-5.5h4.6l3.2 3.2v4.6l-3.2 3.2h-4.6l-3.2-3.2v-4.6z\" fill=\"{}\"/>\
             <path d=\"m-1.9-1.9 3.8 3.8m0-3.8-3.8 3.8\" stroke=\"{}\" stroke-width=\"1.5\"/></g>",
            c.error, c.card
        ),
        "degraded" => write!(
            out,
            "<g {at}><path d=\"M0-5.4 5.6 4.8H-5.6z\" fill=\"{}\"/><path d=\"M0-2v3.2M0 3v.3\" stroke=\"{}\" stroke-width=\"1.5\"/></g>",
            c.warn, c.card
        ),
        "quiet" => {
            write!(out, "<g {at} fill=\"none\" stroke=\"{}\"><circle r=\"4.8\"/><path d=\"M-2 0h4\"/></g>", c.meta)
        }
        _ => write!(
            out,
            "<g {at} fill=\"none\" stroke=\"{}\"><circle r=\"4.8\"/><path d=\"m-2.1.2 1.4 1.4 2.8-3\"/></g>",
            c.ok
        ),
    };
}

fn tone(node: &Node, c: &Colours) -> &'static str {
    match node.health.as_str() {
        "failing" => c.error,
        "degraded" => c.warn,
        _ => c.soft,
    }
}

fn metrics(out: &mut String, node: &Node, x: f64, y: f64, c: &Colours) {
    let f = &node.figures;
    let first = f.rate.map_or_else(|| grouped(f.count), rate);
    let cells = [
        (x + 9.0, "start", c.soft, first),
        (node.x, "middle", tone(node, c), percent(f.errors, f.count)),
        (x + node.width - 9.0, "end", c.soft, f.p95_ms.map_or_else(String::new, duration)),
    ];
    for (x, anchor, fill, text) in cells {
        let _ = write!(
            out,
            "<text x=\"{x:.1}\" y=\"{:.1}\" font-size=\"11\" text-anchor=\"{anchor}\" fill=\"{fill}\">{}</text>",
            y + 36.0,
            escaped(&text)
        );
    }
}

fn second_line(out: &mut String, node: &Node, x: f64, y: f64, c: &Colours) {
    let f = &node.figures;
    let bad = node.health == "failing" || node.health == "degraded";
    let more = if bad { Some(percent(f.errors, f.count)) } else { f.p95_ms.map(duration) };
    let text = [Some(f.rate.map_or_else(|| grouped(f.count), rate)), more].into_iter().flatten().collect::<Vec<_>>();
    let _ = write!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"11\" fill=\"{}\">{}</text>",
        tone(node, c),
        escaped(&text.join(" · "))
    );
}

fn no_consumer(out: &mut String, node: &Node, c: &Colours) {
    let _ = write!(
        out,
        "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"11\" text-anchor=\"middle\" fill=\"{}\">no consumer</text>",
        node.x,
        node.y + node.height / 2.0 + 13.0,
        c.warn
    );
}

fn sparkline(out: &mut String, node: &Node, x: f64, y: f64, c: &Colours) {
    let (width, height) = (node.width - 18.0, 20.0);
    let most = node.spark.iter().copied().fold(1e-9_f64, f64::max) * 1.15;
    let mut draw = |values: &[f64], stroke: &str, opacity: &str| {
        if values.len() < 2 {
            return;
        }
        let step = width / (values.len() - 1) as f64;
        let points: Vec<String> = values
            .iter()
            .enumerate()
            .map(|(i, v)| format!("{:.1} {:.1}", x + i as f64 * step, y + height - v.min(most) / most * height))
            .collect();
        let line = points.join("L");
        let floor = y + height;
        let _ = write!(
            out,
            "<path d=\"M{x:.1} {floor:.1}L{line}L{:.1} {floor:.1}Z\" fill=\"{stroke}\" fill-opacity=\"{opacity}\"/>\
             <path d=\"M{line}\" fill=\"none\" stroke=\"{stroke}\" stroke-width=\"1.1\"/>",
            x + width
        );
    };
    draw(&node.spark, c.sync, "0.16");
    if node.spark_errors.iter().any(|v| *v > 0.0) {
        draw(&node.spark_errors, c.error, "0.3");
    }
}

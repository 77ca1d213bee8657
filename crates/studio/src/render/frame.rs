//! What stands around the map: heading, bands, legend.

use std::fmt::Write as _;

use super::cards::{glyph, health};
use super::theme::Colours;
use super::{Caption, escaped};
use crate::api::TopologyView;

/// Width of a character of a heading, pixels.
const HEADING_CHARACTER: f64 = 7.4;

/// Bands of the layers that have participants, with headings, between two heights.
pub(super) fn bands(out: &mut String, view: &TopologyView, top: f64, bottom: f64, c: &Colours) {
    for band in view.bands.iter().filter(|b| b.count > 0) {
        let (x, width) = (band.x - 12.0, band.width + 24.0);
        let (fill, line) = if band.layer == "event" { ("none", "none") } else { (c.band, c.band_line) };
        let _ = write!(
            out,
            "<rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{:.1}\" rx=\"8\" fill=\"{fill}\" stroke=\"{line}\"/>",
            bottom - top
        );
        glyph(out, &band.layer, x + 16.0, top + 18.0, c);
        let _ = write!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" font-weight=\"600\" fill=\"{}\">{}</text>",
            x + 28.0,
            top + 22.0,
            c.text,
            escaped(&band.title)
        );
        // A narrow band has no room for its number beside a long heading.
        if 28.0 + band.title.chars().count() as f64 * HEADING_CHARACTER + 30.0 < width {
            let _ = write!(
                out,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"{}\">{}</text>",
                x + width - 12.0,
                top + 22.0,
                c.meta,
                band.count
            );
        }
        out.push('\n');
    }
}

/// Title and range.
pub(super) fn heading(out: &mut String, caption: &Caption, view: &TopologyView, x: f64, y: f64, c: &Colours) {
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"16\" font-weight=\"600\" fill=\"{}\">{}</text>",
        c.text,
        escaped(&caption.title)
    );
    let about = [
        caption.range.clone(),
        format!("{} participants", view.nodes.len()),
        format!("{} interactions", view.edges.len()),
    ];
    let about: Vec<String> = about.into_iter().filter(|part| !part.is_empty()).collect();
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{:.1}\" fill=\"{}\">{}</text>",
        y + 20.0,
        c.soft,
        escaped(&about.join(" · "))
    );
}

/// What the marks mean; returns the width it takes.
pub(super) fn legend(out: &mut String, x: f64, y: f64, c: &Colours) -> f64 {
    let mut at = x;
    let word = |out: &mut String, at: &mut f64, mark: f64, text: &str| {
        let _ = write!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"11\" fill=\"{}\">{}</text>",
            *at + mark + 6.0,
            y + 4.0,
            c.soft,
            escaped(text)
        );
        *at += mark + 6.0 + text.chars().count() as f64 * 6.0 + 18.0;
    };
    let _ = write!(out, "<path d=\"M{at:.1} {y:.1}h26\" stroke=\"{}\" stroke-width=\"3\"/>", c.sync);
    word(out, &mut at, 26.0, "Call, width = rate");
    let _ = write!(
        out,
        "<path d=\"M{at:.1} {y:.1}h26\" stroke=\"{}\" stroke-width=\"1.4\" stroke-dasharray=\"6 4\"/>",
        c.event
    );
    word(out, &mut at, 26.0, "Event");
    for (mark, text) in [
        ("failing", "Failing, 5 % and more"),
        ("degraded", "Degraded, 1 %"),
        ("healthy", "Healthy"),
        ("quiet", "Nothing in range"),
    ] {
        health(out, mark, at + 6.0, y, c);
        word(out, &mut at, 12.0, text);
    }
    let _ = write!(
        out,
        "<rect x=\"{at:.1}\" y=\"{:.1}\" width=\"16\" height=\"11\" rx=\"3\" fill=\"none\" stroke=\"{}\" stroke-dasharray=\"3 2\"/>",
        y - 5.5,
        c.dashed
    );
    word(out, &mut at, 16.0, "Layer guessed, or no telemetry of its own");
    word(out, &mut at, 0.0, "Card: rate, errors, p95");
    out.push('\n');
    at - x
}

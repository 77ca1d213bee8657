//! Pictures as SVG, in the colours of the page around them.

use std::fmt::Write as _;

use super::document::escaped;

/// Colours of the variants, in their order.
const COLOURS: [&str; 4] = ["var(--a)", "var(--b)", "var(--c)", "var(--d)"];
/// Marks of lines, so that colour alone never tells.
const DASHES: [&str; 4] = ["none", "6 3", "2 3", "8 3 2 3"];

/// A line of a chart: points that exist.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 760.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 110.0;

/// A panel of lines over a shared x; `limit` is drawn as a target, `marks` are named values of x.
pub(super) fn lines(title: &str, x_unit: &str, lines: &[Line], limit: Option<f64>, marks: &[(f64, &str)]) -> String {
    let height = 220.0;
    let points = || lines.iter().flat_map(|l| &l.points);
    let span = |of: fn(&(f64, f64)) -> f64| points().map(of).filter(|v| v.is_finite()).fold(0.0, f64::max);
    let (x_most, y_most) = (span(|p| p.0).max(1e-9), (span(|p| p.1) * 1.05).max(limit.unwrap_or(0.0) * 1.1).max(1e-9));
    let x = |v: f64| LEFT + (WIDTH - LEFT - RIGHT) * (v / x_most);
    let y = |v: f64| 24.0 + (height - 54.0) * (1.0 - v / y_most);
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\"><title>{}</title>", escaped(title));
    let _ = write!(svg, "<text x=\"{LEFT}\" y=\"14\">{}</text>", escaped(title));
    for share in [0.0, 0.5, 1.0] {
        let (at_x, at_y) = (x(x_most * share), y(y_most * share));
        let _ = write!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{at_y:.1}\" y2=\"{at_y:.1}\" stroke=\"var(--line)\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text><text x=\"{at_x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}{x_unit}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            at_y + 4.0,
            short(y_most * share),
            height - 10.0,
            short(x_most * share)
        );
    }
    if let Some(limit) = limit {
        let at = y(limit);
        let _ = write!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"var(--bad)\" stroke-dasharray=\"4 4\"/><text x=\"{:.1}\" y=\"{:.1}\">target</text>",
            WIDTH - RIGHT,
            WIDTH - RIGHT + 4.0,
            at + 4.0
        );
    }
    for (value, name) in marks.iter().filter(|m| m.0 <= x_most) {
        let at = x(*value);
        let _ = write!(
            svg,
            "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"24\" y2=\"{:.1}\" stroke=\"var(--faint)\" stroke-dasharray=\"2 4\"/><text x=\"{at:.1}\" y=\"34\" text-anchor=\"middle\">{name}</text>",
            height - 30.0
        );
    }
    let mut last_label = f64::INFINITY;
    let mut ends: Vec<(f64, usize)> =
        lines.iter().enumerate().filter_map(|(i, l)| Some((y(l.points.last()?.1), i))).collect();
    ends.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (at, i) in ends {
        let line = &lines[i];
        let path: Vec<String> = line.points.iter().map(|p| format!("{:.1},{:.1}", x(p.0), y(p.1))).collect();
        let (colour, dash) = (COLOURS[i % 4], DASHES[i % 4]);
        let _ = write!(
            svg,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dash}\" points=\"{}\"/>",
            path.join(" ")
        );
        // Names do not stand on each other.
        last_label = at.min(last_label - 14.0);
        let end = line.points.last().map_or(LEFT, |p| x(p.0));
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" style=\"fill:{colour}\">{}</text>",
            end + 6.0,
            last_label + 4.0,
            escaped(&line.name)
        );
    }
    svg.push_str("</svg>");
    svg
}

/// Bars to 100 %, one for each variant, with the parts named below.
pub(super) fn shares(title: &str, rows: &[(String, Vec<(String, f64)>)]) -> String {
    let height = 30.0 + rows.len() as f64 * 46.0;
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\"><title>{}</title>", escaped(title));
    let _ = write!(svg, "<text x=\"0\" y=\"14\">{}</text>", escaped(title));
    for (i, (name, parts)) in rows.iter().enumerate() {
        let top = 26.0 + i as f64 * 46.0;
        let _ = write!(svg, "<text x=\"0\" y=\"{:.1}\">{}</text>", top + 14.0, escaped(name));
        let (mut at, width) = (140.0, WIDTH - 150.0);
        for (part, share) in parts.iter().filter(|p| p.1 > 0.0) {
            let good = matches!(part.as_str(), "completed" | "degraded" | "compensated");
            let colour = if good { "var(--c)" } else { "var(--bad)" };
            let strength = if matches!(part.as_str(), "completed" | "failed_clean") { 0.9 } else { 0.55 };
            let _ = write!(
                svg,
                "<rect x=\"{at:.2}\" y=\"{top:.1}\" width=\"{:.2}\" height=\"18\" fill=\"{colour}\" fill-opacity=\"{strength}\" stroke=\"var(--paper)\"/>",
                width * share
            );
            at += width * share;
        }
        let words = parts
            .iter()
            .filter(|p| p.1 > 0.0)
            .map(|(part, share)| format!("{} {}", part.replace('_', " "), percent(*share)));
        let _ = write!(
            svg,
            "<text x=\"140\" y=\"{:.1}\">{}</text>",
            top + 32.0,
            escaped(&words.collect::<Vec<_>>().join(" · "))
        );
    }
    svg.push_str("</svg>");
    svg
}

fn percent(share: f64) -> String {
    crate::study::percent(share)
}

/// A number in few digits.
fn short(value: f64) -> String {
    match value.abs() {
        v if v >= 10_000.0 => format!("{:.0}k", value / 1000.0),
        v if v >= 100.0 || v == 0.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

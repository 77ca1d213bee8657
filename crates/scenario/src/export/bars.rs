//! Intervals and bars as SVG: the forest of differences, and the tornado.

use std::fmt::Write as _;

use super::document::escaped;

const WIDTH: f64 = 760.0;
/// Where labels end and where values begin.
const LEFT: f64 = 300.0;
const RIGHT: f64 = 600.0;
const ROW: f64 = 22.0;
const TOP: f64 = 40.0;

/// A difference with its interval, in units of what matters; above 0 is better.
pub(super) struct Interval {
    pub(super) label: String,
    pub(super) low: f64,
    pub(super) value: f64,
    pub(super) high: f64,
    /// The difference in its own unit, and what it means.
    pub(super) words: String,
}

/// Differences under each other. Within the band in the middle they do not matter; far ends are drawn together, so that small and
/// large differences show in one picture.
pub(super) fn forest(title: &str, rows: &[Interval]) -> String {
    let height = TOP + rows.len() as f64 * ROW + 8.0;
    let middle = (LEFT + RIGHT) / 2.0;
    let x = |v: f64| middle + (RIGHT - LEFT) / 2.0 * v / (3.0 + v.abs());
    let mut svg = opened(title, height);
    let _ = write!(
        svg,
        "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"var(--line)\" fill-opacity=\"0.5\"/><text x=\"{LEFT}\" y=\"{:.1}\">worse</text><text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">does not matter</text><text x=\"{RIGHT}\" y=\"{:.1}\" text-anchor=\"end\">better</text>",
        x(-1.0),
        TOP - 4.0,
        x(1.0) - x(-1.0),
        height - TOP,
        TOP - 8.0,
        TOP - 8.0,
        TOP - 8.0
    );
    for (i, row) in rows.iter().enumerate() {
        let at = TOP + ROW * (i as f64 + 0.5);
        let colour = match (row.low > 1.0, row.high < -1.0) {
            (true, _) => "var(--c)",
            (_, true) => "var(--bad)",
            _ => "var(--faint)",
        };
        let _ = write!(
            svg,
            "<text x=\"0\" y=\"{:.1}\">{}</text><line x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"{colour}\" stroke-width=\"2\"/><circle cx=\"{:.1}\" cy=\"{at:.1}\" r=\"4\" fill=\"{colour}\"/><text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            at + 4.0,
            escaped(&row.label),
            x(row.low),
            x(row.high),
            x(row.value),
            RIGHT + 10.0,
            at + 4.0,
            escaped(&row.words)
        );
    }
    svg.push_str("</svg>");
    svg
}

/// What an input makes of a difference at a fifth less and a fifth more.
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) low: f64,
    pub(super) high: f64,
    /// Another variant does better at one end.
    pub(super) flips: bool,
}

/// Bars around the difference of today; zero is where neither variant is ahead.
pub(super) fn tornado(title: &str, now: f64, bars: &[Bar]) -> String {
    let height = TOP + bars.len() as f64 * ROW + 8.0;
    let all = || bars.iter().flat_map(|b| [b.low, b.high]).chain([now, 0.0]);
    let (least, most) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    let x = |v: f64| LEFT + (RIGHT - LEFT) * (v - least) / (most - least).max(1e-9);
    let mut svg = opened(title, height);
    let mut mark = |at: f64, y: f64, name: &str, dash: &str| {
        let _ = write!(
            svg,
            "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{:.1}\" y2=\"{height:.1}\" stroke=\"var(--faint)\" stroke-dasharray=\"{dash}\"/><text x=\"{at:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{name}</text>",
            TOP - 4.0
        );
    };
    mark(x(0.0), TOP - 8.0, "no difference", "2 4");
    mark(x(now), TOP - 8.0 - if (x(now) - x(0.0)).abs() < 90.0 { 13.0 } else { 0.0 }, "today", "none");
    for (i, bar) in bars.iter().enumerate() {
        let top = TOP + ROW * i as f64;
        let (from, to) = (x(bar.low.min(bar.high)), x(bar.low.max(bar.high)));
        let colour = if bar.flips { "var(--bad)" } else { "var(--a)" };
        let ends = format!("{} … {}", crate::study::ms(Some(bar.low)), crate::study::ms(Some(bar.high)));
        let _ = write!(
            svg,
            "<text x=\"0\" y=\"{:.1}\">{}</text><rect x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"14\" fill=\"{colour}\" fill-opacity=\"0.8\"/><text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            top + 15.0,
            escaped(&bar.label),
            top + 4.0,
            (to - from).max(1.0),
            RIGHT + 10.0,
            top + 15.0,
            escaped(&ends)
        );
    }
    svg.push_str("</svg>");
    svg
}

fn opened(title: &str, height: f64) -> String {
    let title = escaped(title);
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\"><title>{title}</title><text x=\"0\" y=\"14\">{title}</text>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn better_lies_right_of_worse_and_names_are_escaped() {
        let row = |value: f64| Interval {
            label: "a<b".into(),
            low: value - 1.0,
            value,
            high: value + 1.0,
            words: String::new(),
        };
        let svg = forest("Differences", &[row(-5.0), row(5.0)]);
        let centres: Vec<f64> =
            svg.split("cx=\"").skip(1).filter_map(|rest| rest.split('"').next()?.parse().ok()).collect();
        assert!(centres[0] < 450.0 && centres[1] > 450.0, "{centres:?}");
        assert!(svg.contains("a&lt;b") && svg.contains("var(--bad)") && svg.contains("var(--c)"), "{svg}");
    }

    #[test]
    fn a_bar_reaches_from_one_end_to_the_other() {
        let bar = Bar { label: "load".into(), low: 30.0, high: -10.0, flips: true };
        let svg = tornado("Tornado", 10.0, &[bar]);
        assert!(svg.contains("x=\"300.0\"") && svg.contains("width=\"300.0\""), "{svg}");
    }
}

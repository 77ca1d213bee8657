//! The report: one page that needs nothing else, in the colours that the reader prefers.

use std::fmt::Write as _;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::verdict::{Criterion, Sample, warm_up};

/// Width and height of a plot, and the room for its scales, pixels.
const SIZE: (f64, f64) = (760.0, 220.0);
const MARGIN: (f64, f64) = (64.0, 24.0);
/// Lines of the vertical scale, roughly.
const LINES: f64 = 4.0;

/// A line of a plot: its name, its colour's class, and how it is read.
type Line = (&'static str, &'static str, fn(&Sample) -> f64);

/// A plot: its title and unit, and its lines.
struct Plot {
    title: &'static str,
    unit: &'static str,
    lines: &'static [Line],
}

const PLOTS: [Plot; 7] = [
    Plot {
        title: "Memory",
        unit: "MB",
        lines: &[
            ("program", "a", |s| s.program),
            ("program without pages of files", "c", |s| s.anonymous),
            ("page, after garbage collection", "b", |s| s.page),
        ],
    },
    Plot { title: "Open handles of the program", unit: "", lines: &[("handles", "a", |s| s.handles)] },
    Plot { title: "Workspace with its write-ahead log", unit: "MB", lines: &[("size", "a", |s| s.file)] },
    Plot { title: "Spans stored", unit: "spans/s", lines: &[("acknowledged", "a", |s| s.rate)] },
    Plot {
        title: "Requests refused or without an answer, all sent again",
        unit: "requests/s",
        lines: &[("refused", "b", |s| s.refused)],
    },
    Plot {
        title: "Time until an answer",
        unit: "ms",
        lines: &[
            ("questions, median", "a", |s| s.answer_p50),
            ("questions, 99 %", "b", |s| s.answer_p99),
            ("storing 500 spans, median", "c", |s| s.stored_p50),
            ("storing 500 spans, 99 %", "d", |s| s.stored_p99),
        ],
    },
    Plot { title: "From frame to frame, 95 %", unit: "ms", lines: &[("views", "a", |s| s.frames)] },
];

/// All that the report says.
pub(crate) struct Report<'a> {
    /// What was run: words and figures.
    pub(crate) facts: &'a [(String, String)],
    /// What must hold.
    pub(crate) criteria: &'a [Criterion],
    /// Answer times by question: name, number, median, 99 %, milliseconds.
    pub(crate) questions: &'a [(String, usize, f64, f64)],
    /// Frames by view: name, number, 95 %, milliseconds.
    pub(crate) views: &'a [(String, usize, f64)],
    /// Kills: seconds from the start, and who.
    pub(crate) kills: &'a [(f64, String)],
    /// What was sampled.
    pub(crate) samples: &'a [Sample],
}

impl Report<'_> {
    /// The page.
    pub(crate) fn html(&self) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width";
                    meta name="color-scheme" content="light dark";
                    title { "Flowglass soak" }
                    style { (PreEscaped(include_str!("report.css"))) }
                }
                body {
                    h1 { "Soak: " (self.verdict()) }
                    dl { @for (name, value) in self.facts { div { dt { (name) } dd { (value) } } } }
                    table {
                        caption { "What must hold" }
                        tbody {
                            @for of in self.criteria {
                                tr {
                                    td class=(if of.holds { "holds" } else { "fails" }) { (word(of)) }
                                    th scope="row" { (of.name) }
                                    td { (of.told) }
                                }
                            }
                        }
                    }
                    @for plot in &PLOTS { (self.plot(plot)) }
                    p.note { "Shaded: the first part, which does not count for growth. Dashed: a kill (its victim is told when pointed at)." }
                    (self.tables())
                }
            }
        };
        page.into_string()
    }

    /// Whether all holds, in words.
    pub(crate) fn verdict(&self) -> String {
        match self.criteria.iter().filter(|c| !c.holds).count() {
            _ if self.criteria.is_empty() => "nothing was judged".to_owned(),
            0 => "all holds".to_owned(),
            failed => format!("{failed} of {} criteria failed", self.criteria.len()),
        }
    }

    fn tables(&self) -> Markup {
        html! {
            table {
                caption { "Questions" }
                thead { tr { th scope="col" { "question" } th scope="col" { "times" } th scope="col" { "median, ms" } th scope="col" { "99 %, ms" } } }
                tbody {
                    @for (name, count, p50, p99) in self.questions {
                        tr { th scope="row" { (name) } td.n { (count) } td.n { (format!("{p50:.1}")) } td.n { (format!("{p99:.1}")) } }
                    }
                }
            }
            table {
                caption { "Views" }
                thead { tr { th scope="col" { "view" } th scope="col" { "frames" } th scope="col" { "95 %, ms" } } }
                tbody {
                    @for (name, count, p95) in self.views {
                        tr { th scope="row" { (name) } td.n { (count) } td.n { (format!("{p95:.1}")) } }
                    }
                }
            }
        }
    }

    fn plot(&self, plot: &Plot) -> Markup {
        let (width, height) = SIZE;
        let end = self.samples.last().map_or(1.0, |s| s.at.max(1.0));
        let values = plot.lines.iter().flat_map(|(_, _, of)| self.samples.iter().map(of));
        let most = values.filter(|v| v.is_finite()).fold(0.0, f64::max);
        let step = step(most);
        let top = (most / step).ceil().max(1.0) * step;
        let x = |at: f64| MARGIN.0 + at / end * (width - MARGIN.0 - 8.0);
        let y = |value: f64| height - MARGIN.1 - value / top * (height - MARGIN.1 - 12.0);
        let rows = (0..=(top / step).round() as u32).map(|n| f64::from(n) * step);
        let minute = (end / 60.0 / 6.0).ceil().max(1.0) * 60.0;
        let columns = (0..=(end / minute) as u32).map(|n| f64::from(n) * minute);
        let warm = warm_up(end);
        html! {
            figure {
                figcaption {
                    b { (plot.title) } @if !plot.unit.is_empty() { ", " (plot.unit) }
                    @if plot.lines.len() > 1 {
                        @for (name, class, _) in plot.lines { span class={ "key " (class) } { (name) } }
                    }
                }
                svg viewBox=(format!("0 0 {width} {height}")) role="img" aria-label=(plot.title) {
                    rect.warm x=(n(x(0.0))) y="12" width=(n(x(warm) - x(0.0))) height=(n(y(0.0) - 12.0)) {}
                    @for value in rows {
                        line.grid x1=(n(x(0.0))) x2=(n(x(end))) y1=(n(y(value))) y2=(n(y(value))) {}
                        text.scale x=(n(MARGIN.0 - 6.0)) y=(n(y(value) + 4.0)) text-anchor="end" { (short(value)) }
                    }
                    @for at in columns {
                        text.scale x=(n(x(at))) y=(n(height - 6.0)) text-anchor="middle" { (short(at / 60.0)) " min" }
                    }
                    @for (at, who) in self.kills {
                        line.kill x1=(n(x(*at))) x2=(n(x(*at))) y1="12" y2=(n(y(0.0))) { title { (who) } }
                    }
                    @for (_, class, of) in plot.lines {
                        path class=(class) d=(path(self.samples.iter().map(|s| (s.at, of(s))), x, y)) {}
                    }
                }
            }
        }
    }
}

/// The word for a criterion.
pub(crate) fn word(of: &Criterion) -> &'static str {
    if of.holds { "holds" } else { "FAILS" }
}

/// The steps of a line; what was not seen is bridged.
fn path(points: impl Iterator<Item = (f64, f64)>, x: impl Fn(f64) -> f64, y: impl Fn(f64) -> f64) -> String {
    let mut steps = String::new();
    for (at, value) in points.filter(|(_, value)| value.is_finite()) {
        let word = if steps.is_empty() { 'M' } else { 'L' };
        let _ = write!(steps, "{word}{} {}", n(x(at)), n(y(value)));
    }
    steps
}

/// A step of 1, 2 or 5 times a power of ten, so that about four of them reach `most`.
fn step(most: f64) -> f64 {
    if most <= 0.0 {
        return 1.0;
    }
    let rough = most / LINES;
    let power = 10_f64.powf(rough.log10().floor());
    let lead = rough / power;
    power
        * if lead <= 1.0 {
            1.0
        } else if lead <= 2.0 {
            2.0
        } else if lead <= 5.0 {
            5.0
        } else {
            10.0
        }
}

/// A place in a drawing.
fn n(value: f64) -> String {
    format!("{value:.1}")
}

/// A figure of a scale: no zeroes behind the point, thousands as k.
fn short(value: f64) -> String {
    if value >= 10_000.0 {
        return format!("{} k", value / 1_000.0);
    }
    format!("{}", (value * 100.0).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::criterion;
    use crate::verdict::tests::run;

    fn page(criteria: &[Criterion], samples: &[Sample]) -> String {
        let facts = [("Asked".to_owned(), "<20,000 spans/s>".to_owned())];
        let questions = [("map".to_owned(), 12, 10.04, 90.0)];
        let views = [("map, 15 min".to_owned(), 900, 16.7)];
        let kills = [(20.0, "broker".to_owned())];
        Report { facts: &facts, criteria, questions: &questions, views: &views, kills: &kills, samples }.html()
    }

    #[test]
    fn the_page_needs_nothing_else_and_says_what_failed() {
        let criteria = [criterion("Nothing is lost", true, "1 of 1"), criterion("Memory", false, "300 MB, 400 MB")];
        let page = page(&criteria, &run(60, |_| 300.0));
        assert!(page.contains("1 of 2 criteria failed") && page.contains("FAILS") && page.contains("300 MB, 400 MB"));
        assert_eq!(page.matches("<svg").count(), PLOTS.len());
        for loaded in ["http:", "https:", "<script", "<link", "src=", "url(", "@import"] {
            assert!(!page.contains(loaded), "{loaded}");
        }
        assert!(page.contains("&lt;20,000 spans/s&gt;") && page.contains("prefers-color-scheme: dark"));
    }

    #[test]
    fn a_run_without_samples_still_has_a_page() {
        let page = page(&[], &[]);
        assert!(page.contains("nothing was judged") && !page.contains("NaN") && !page.contains("inf"));
    }

    #[test]
    fn scales_have_round_steps() {
        assert_eq!([0.0, 3.0, 7.0, 480.0, 21_000.0].map(step), [1.0, 1.0, 2.0, 200.0, 10_000.0]);
        assert_eq!([0.0, 2.5, 9_000.0, 20_000.0].map(short), ["0", "2.5", "9000", "20 k"]);
        assert_eq!(path([(0.0, 1.0), (1.0, f64::NAN), (2.0, 3.0)].into_iter(), |x| x, |y| y), "M0.0 1.0L2.0 3.0");
    }
}

//! What was sampled, and what follows from it.

use std::time::Duration;

use flowglass_tests::figures::median;

/// How much memory may grow after the first part, as a share.
const GROWTH: f64 = 0.05;
/// The first part: so long, or a third of a shorter run.
const WARM_UP: Duration = Duration::from_secs(600);
/// Handles may differ by so many: connections come and go with those who are killed.
const HANDLES: f64 = 16.0;
/// Frames of a view may take so many times as long as those of an empty page.
const FRAMES: f64 = 1.5;
/// With fewer samples than this after the first part nothing is said about growth.
const ENOUGH: usize = 8;

/// One look at everything. What was not seen in this interval is not a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sample {
    /// Seconds from the start.
    pub(crate) at: f64,
    /// Memory of the program (proportional set size), MB.
    pub(crate) program: f64,
    /// Anonymous memory of the program, MB: without pages of files.
    pub(crate) anonymous: f64,
    /// Memory of the page after garbage collection, MB.
    pub(crate) page: f64,
    /// Open handles of the program.
    pub(crate) handles: f64,
    /// The workspace with its write-ahead log, MB.
    pub(crate) file: f64,
    /// Spans a second that were acknowledged.
    pub(crate) rate: f64,
    /// Requests that were refused or had no answer, a second.
    pub(crate) refused: f64,
    /// Milliseconds until a request was acknowledged, median.
    pub(crate) stored_p50: f64,
    /// The same, 99 %.
    pub(crate) stored_p99: f64,
    /// Milliseconds until a question was answered, median.
    pub(crate) answer_p50: f64,
    /// The same, 99 %.
    pub(crate) answer_p99: f64,
    /// Milliseconds from frame to frame, 95 %.
    pub(crate) frames: f64,
    /// Kills so far.
    pub(crate) kills: f64,
}

/// A column: its heading, and how it is read.
pub(crate) type Column = (&'static str, fn(&Sample) -> f64);

/// The columns of the table, in order.
pub(crate) const COLUMNS: [Column; 14] = [
    ("seconds", |s| s.at),
    ("program_mb", |s| s.program),
    ("anonymous_mb", |s| s.anonymous),
    ("page_mb", |s| s.page),
    ("handles", |s| s.handles),
    ("file_mb", |s| s.file),
    ("spans_per_second", |s| s.rate),
    ("refused_per_second", |s| s.refused),
    ("stored_p50_ms", |s| s.stored_p50),
    ("stored_p99_ms", |s| s.stored_p99),
    ("answer_p50_ms", |s| s.answer_p50),
    ("answer_p99_ms", |s| s.answer_p99),
    ("frame_p95_ms", |s| s.frames),
    ("kills", |s| s.kills),
];

/// All samples as comma-separated values (RFC 4180); what was not seen is left empty.
pub(crate) fn csv(samples: &[Sample]) -> String {
    let mut text = COLUMNS.map(|(name, _)| name).join(",") + "\r\n";
    for sample in samples {
        let cells =
            COLUMNS.map(|(_, of)| of(sample)).map(|v| if v.is_finite() { format!("{v:.1}") } else { String::new() });
        text += &(cells.join(",") + "\r\n");
    }
    text
}

/// Something that must hold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Criterion {
    /// What.
    pub(crate) name: String,
    /// Whether it holds.
    pub(crate) holds: bool,
    /// By which figures.
    pub(crate) told: String,
}

/// A criterion.
pub(crate) fn criterion(name: &str, holds: bool, told: impl Into<String>) -> Criterion {
    Criterion { name: name.to_owned(), holds, told: told.into() }
}

/// When the first part of a run of this length is over, seconds.
pub(crate) fn warm_up(length: f64) -> f64 {
    WARM_UP.as_secs_f64().min(length / 3.0)
}

/// Medians of the first and last quarter of what comes after the first part: single peaks do not count. None: too few samples.
pub(crate) fn windows(samples: &[Sample], of: fn(&Sample) -> f64) -> Option<(f64, f64)> {
    let begin = warm_up(samples.last()?.at);
    let values: Vec<f64> = samples.iter().filter(|s| s.at >= begin).map(of).filter(|v| v.is_finite()).collect();
    if values.len() < ENOUGH {
        return None;
    }
    let quarter = values.len() / 4;
    Some((median(&values[..quarter]), median(&values[values.len() - quarter..])))
}

/// Whether memory stays what it is after the first part.
pub(crate) fn memory(name: &str, samples: &[Sample], of: fn(&Sample) -> f64) -> Criterion {
    let Some((first, last)) = windows(samples, of) else { return criterion(name, false, "too short to tell") };
    let growth = last / first - 1.0;
    criterion(name, growth < GROWTH, format!("{first:.0} MB, at the end {last:.0} MB: {:+.1} %", growth * 100.0))
}

/// Whether handles stay what they are.
pub(crate) fn handles(samples: &[Sample]) -> Criterion {
    let name = "Open handles stay the same";
    let Some((first, last)) = windows(samples, |s| s.handles) else {
        return criterion(name, false, "too short to tell");
    };
    let most = samples.iter().map(|s| s.handles).fold(0.0, f64::max);
    criterion(name, last <= first + HANDLES, format!("{first:.0}, at the end {last:.0}, most {most:.0}"))
}

/// Whether views are as smooth as an empty page in the same browser.
pub(crate) fn frames(views: &[(String, usize, f64)], empty: f64) -> Criterion {
    let name = "Each view draws as smoothly as an empty page";
    let Some((worst, _, most)) = views.iter().max_by(|a, b| a.2.total_cmp(&b.2)).filter(|_| empty > 0.0) else {
        return criterion(name, false, "nothing was looked at");
    };
    let over = views.iter().filter(|(_, _, p95)| p95 / empty > FRAMES).count();
    let told = format!(
        "p95 of an empty page {empty:.1} ms; the worst, {worst}, {most:.1} ms, {:.2} times; {over} of {} over {FRAMES}",
        most / empty,
        views.len()
    );
    criterion(name, over == 0 && views.iter().all(|(_, frames, _)| *frames > 0), told)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Samples every five seconds; memory of the program and handles by the second.
    pub(crate) fn run(seconds: u32, program: fn(f64) -> f64) -> Vec<Sample> {
        let of = |at: f64| Sample {
            at,
            program: program(at),
            anonymous: program(at) - 30.0,
            page: if at % 10.0 < 1.0 { 200.0 } else { f64::NAN },
            handles: 60.0 + at % 3.0,
            file: at * 2.0,
            rate: 20_000.0,
            refused: 0.0,
            stored_p50: 20.0,
            stored_p99: 80.0,
            answer_p50: 12.0,
            answer_p99: 70.0,
            frames: 16.7,
            kills: (at / 30.0).floor(),
        };
        (0..=seconds / 5).map(|n| of(f64::from(n) * 5.0)).collect()
    }

    #[test]
    fn memory_that_grows_only_in_the_first_part_holds() {
        let fills = |at: f64| 300.0 + at.min(600.0) / 4.0;
        assert!(memory("m", &run(3_600, fills), |s| s.program).holds);
        assert!(!memory("m", &run(3_600, |at| 300.0 + at / 60.0), |s| s.program).holds);
        // Short runs leave out their first third.
        assert!(memory("m", &run(180, |at| 300.0 + at.min(60.0)), |s| s.program).holds);
        assert!(!memory("m", &run(30, |_| 300.0), |s| s.program).holds, "nothing follows from a few samples");
    }

    #[test]
    fn a_peak_is_no_growth_and_a_gap_is_no_figure() {
        let peak = |at: f64| if at > 3_580.0 { 900.0 } else { 300.0 };
        assert!(memory("m", &run(3_600, peak), |s| s.program).holds);
        assert_eq!(windows(&run(3_600, peak), |s| s.page), Some((200.0, 200.0)));
    }

    #[test]
    fn handles_that_leak_are_found() {
        let mut samples = run(600, |_| 300.0);
        assert!(handles(&samples).holds);
        samples.iter_mut().for_each(|s| s.handles += s.at / 10.0);
        assert!(!handles(&samples).holds);
    }

    #[test]
    fn frames_are_a_ratio_and_no_frames_are_no_success() {
        let views = |count: usize, p95: f64| [("map".to_owned(), 900, 16.7), ("events".to_owned(), count, p95)];
        assert!(frames(&views(900, 17.0), 16.7).holds);
        let slow = frames(&views(900, 34.0), 16.7);
        assert!(!slow.holds && slow.told.contains("events, 34.0 ms, 2.04 times; 1 of 2"), "{}", slow.told);
        assert!(
            !frames(&views(0, 0.0), 16.7).holds && !frames(&views(900, 17.0), 0.0).holds && !frames(&[], 16.7).holds
        );
    }

    #[test]
    fn the_table_has_a_line_for_each_sample_and_leaves_gaps_empty() {
        let text = csv(&run(10, |_| 300.0));
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(lines.len(), 5, "{text}");
        assert!(
            lines[0].starts_with("seconds,program_mb,anonymous_mb,page_mb")
                && lines[2].starts_with("5.0,300.0,270.0,,62.0"),
            "{text}"
        );
    }
}

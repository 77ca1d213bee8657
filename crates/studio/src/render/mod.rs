//! The map as a picture (SVG) and as text for other programs to draw (Mermaid). The command line and the window share it.

mod cards;
mod frame;
mod lines;
mod mermaid;
mod route;
mod svg;
#[cfg(test)]
mod tests;
mod theme;

pub(crate) use mermaid::escaped as mermaid_text;
pub use mermaid::mermaid;
pub use svg::svg;
pub use theme::Theme;

/// What stands around the map.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caption {
    /// Heading; empty is none.
    pub title: String,
    /// Time range in words; empty is none.
    pub range: String,
}

/// `1,234`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Occurrences per second in the unit that gives a readable figure: `118/s`, `0.4/s`, `12/min`, `3/h`.
fn rate(per_second: f64) -> String {
    let short = |n: f64| {
        let text = if n >= 10.0 { format!("{n:.0}") } else { format!("{n:.1}") };
        text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
    };
    match per_second {
        n if n <= 0.0 => "0/s".into(),
        n if n >= 10_000.0 => format!("{}k/s", short(n / 1000.0)),
        n if n >= 0.1 => format!("{}/s", short(n)),
        n if n * 60.0 >= 0.95 => format!("{}/min", short(n * 60.0)),
        n if n * 3600.0 >= 0.95 => format!("{}/h", short(n * 3600.0)),
        _ => "<1/h".into(),
    }
}

/// `48 ms`, `1.2 s`, `5 min`.
pub(crate) fn duration(ms: f64) -> String {
    match ms {
        n if n < 10.0 => format!("{n:.1} ms"),
        n if n < 999.5 => format!("{n:.0} ms"),
        n if n < 59_950.0 => format!("{:.1} s", n / 1000.0),
        n => format!("{:.0} min", n / 60_000.0),
    }
}

/// `31.4 %`; a share that is not nothing is never 0.0.
fn percent(part: u64, whole: u64) -> String {
    let share = 100.0 * part as f64 / whole.max(1) as f64;
    if part > 0 && share < 0.05 { "<0.1 %".into() } else { format!("{share:.1} %") }
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

/// At most so many characters; the end, which tells siblings apart, is kept.
fn shortened(text: &str, characters: usize) -> String {
    let all: Vec<char> = text.chars().collect();
    if all.len() <= characters || characters < 4 {
        return text.to_owned();
    }
    let tail = (characters - 1) * 58 / 100;
    all[..characters - 1 - tail].iter().chain(['…'].iter()).chain(&all[all.len() - tail..]).collect()
}

//! Figures in lines that people read.

pub(crate) use flowglass_tests::figures::{Times, load, median};

/// A heading and its columns.
pub(crate) fn heading(title: &str, columns: &[&str]) {
    println!("\n{title}\n{:<46}{}", "", columns.iter().map(|c| format!("{c:>11}")).collect::<String>());
}

/// One line: first, median and worst, and a mark where the median misses the aim.
pub(crate) fn line(label: &str, times: &Times, aim: f64) {
    let missed = if times.median() > aim { format!("  over {aim:.0}") } else { String::new() };
    println!("{label:<46}{:>11.1}{:>11.1}{:>11.1}{missed}", times.first(), times.median(), times.quantile(1.0));
}

//! The last lines of the program's own log, for bug reports: kept in memory, never written by itself.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::Mutex;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, filter};

use crate::studio::{lock, system_clock};
use crate::time::rfc3339;

/// Lines kept.
const LINES: usize = 2000;
/// Longest line, bytes.
const LONGEST: usize = 1000;

static RECENT: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// Keeps what flowglass itself says from `info` on, and warnings of its libraries.
pub(crate) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
    Ring.with_filter(filter::filter_fn(|m| {
        *m.level() <= Level::WARN || (*m.level() <= Level::INFO && m.target().starts_with("flowglass"))
    }))
}

/// The lines kept, oldest first.
pub(crate) fn lines() -> Vec<String> {
    lock(&RECENT).iter().cloned().collect()
}

struct Ring;

impl<S: Subscriber> Layer<S> for Ring {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let meta = event.metadata();
        let mut line = Line(format!("{} {:5} {}:", rfc3339(system_clock()), meta.level(), meta.target()));
        event.record(&mut line);
        keep(line.0);
    }
}

fn keep(line: String) {
    let mut line = line.replace('\n', " ");
    if line.len() > LONGEST {
        line.truncate((0..=LONGEST).rev().find(|at| line.is_char_boundary(*at)).unwrap_or_default());
        line.push('…');
    }
    let mut recent = lock(&RECENT);
    if recent.len() == LINES {
        recent.pop_front();
    }
    recent.push_back(line);
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a String cannot fail.
        let _ = match field.name() {
            "message" => write!(self.0, " {value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[test]
    fn the_last_lines_are_kept_and_no_more() {
        let subscriber = tracing_subscriber::registry().with(layer());
        tracing::subscriber::with_default(subscriber, || {
            for n in 0..LINES + 5 {
                tracing::info!(n, "ring test {}", "é".repeat(LONGEST));
            }
            tracing::debug!("ring test too fine");
        });
        let kept = lines();
        assert_eq!(kept.len(), LINES);
        assert!(kept[0].contains("INFO") && kept[0].contains("ring test"), "{}", kept[0]);
        assert!(kept.iter().all(|l| l.len() < LONGEST + 10 && !l.contains("too fine")));
    }
}

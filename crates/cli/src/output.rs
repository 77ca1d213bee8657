//! What goes to stdout: the shapes of the command-line contract, in its order.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write as _};

use flowglass_studio::model::{JourneyStatus, JourneySummary, Nanos};
use flowglass_studio::{journey_state, rfc3339};
use serde::Serialize;

/// Writes a text to stdout. Whoever stops reading early (`| head`) has what they wanted.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    let written = write!(out, "{text}{newline}").and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(anyhow::Error::new(error).context("stdout cannot be written")),
        Ok(()) => Ok(()),
    }
}

/// Writes a value as one line of JSON.
pub(crate) fn print_json<T: Serialize>(value: &T) -> anyhow::Result<()> {
    print(&serde_json::to_string(value)?)
}

/// A text without line breaks and without runs of blanks.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Milliseconds of nanoseconds.
pub(crate) fn ms(nanos: i64) -> f64 {
    nanos as f64 / 1e6
}

/// `stats`.
#[derive(Serialize)]
pub(crate) struct StatsOut {
    pub(crate) spans: u64,
    pub(crate) traces: u64,
    pub(crate) events: u64,
    pub(crate) logs: u64,
    pub(crate) rejected: u64,
    pub(crate) dropped: u64,
    pub(crate) bytes: u64,
    pub(crate) oldest: Option<String>,
    pub(crate) newest: Option<String>,
    pub(crate) retention: RetentionOut,
}

/// What is kept, and what was removed by rule.
#[derive(Serialize)]
pub(crate) struct RetentionOut {
    pub(crate) keeps: String,
    pub(crate) free_bytes: u64,
    pub(crate) removed: Vec<RemovedOut>,
}

/// What was removed on a day for a reason.
#[derive(Serialize)]
pub(crate) struct RemovedOut {
    pub(crate) since: Option<String>,
    pub(crate) until: Option<String>,
    pub(crate) why: String,
    pub(crate) journeys: u64,
    pub(crate) spans: u64,
    pub(crate) events: u64,
    pub(crate) logs: u64,
    pub(crate) newest: Option<String>,
}

/// `backup` and `compact`.
#[derive(Serialize)]
pub(crate) struct CopiedOut<'a> {
    pub(crate) file: &'a str,
    pub(crate) before: u64,
    pub(crate) after: u64,
}

/// `import`.
#[derive(Serialize)]
pub(crate) struct ImportOut<'a> {
    pub(crate) files: u64,
    pub(crate) spans: u64,
    pub(crate) events: u64,
    pub(crate) logs: u64,
    pub(crate) known: u64,
    pub(crate) rejected: Vec<RejectedOut<'a>>,
    pub(crate) rejected_total: u64,
}

/// A place of a file that could not be taken.
#[derive(Serialize)]
pub(crate) struct RejectedOut<'a> {
    pub(crate) file: &'a str,
    pub(crate) at: &'a str,
    pub(crate) reason: &'a str,
}

/// A row of `journeys`.
#[derive(Serialize)]
pub(crate) struct JourneyRowOut<'a> {
    id: String,
    root: &'a str,
    start: String,
    response_ms: Option<f64>,
    settled_ms: Option<f64>,
    status: &'static str,
    state: &'static str,
    participants: Vec<&'a str>,
    spans: u64,
    events: u64,
    keys: BTreeMap<&'a str, String>,
}

impl<'a> From<&'a JourneySummary> for JourneyRowOut<'a> {
    fn from(summary: &'a JourneySummary) -> Self {
        JourneyRowOut {
            id: summary.id.to_string(),
            root: &summary.root,
            start: rfc3339(summary.start),
            response_ms: summary.response.map(ms),
            settled_ms: summary.settled.map(ms),
            status: journey_status(summary.state.status()),
            state: journey_state(summary.state),
            participants: summary.participants.iter().map(|p| p.as_str()).collect(),
            spans: summary.spans,
            events: summary.events,
            keys: keys(&summary.keys),
        }
    }
}

/// The contract's word for a status.
pub(crate) fn journey_status(status: JourneyStatus) -> &'static str {
    match status {
        JourneyStatus::Ok => "ok",
        JourneyStatus::Failed => "failed",
        JourneyStatus::Incomplete => "incomplete",
    }
}

/// Keys by name; several values of one name are joined by commas.
fn keys(pairs: &[(String, String)]) -> BTreeMap<&str, String> {
    let mut out: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in pairs {
        let text = out.entry(name).or_default();
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(value);
    }
    out
}

/// An instant, or null.
pub(crate) fn instant(nanos: Option<Nanos>) -> Option<String> {
    nanos.map(rfc3339)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_become_one_line() {
        assert_eq!(one_line("a\n  b\tc \r\n"), "a b c");
    }

    #[test]
    fn several_values_of_a_key_are_all_told() {
        let pairs = [("orderId".to_owned(), "o-1".to_owned()), ("orderId".to_owned(), "o-2".to_owned())];
        assert_eq!(keys(&pairs)["orderId"], "o-1, o-2");
    }
}

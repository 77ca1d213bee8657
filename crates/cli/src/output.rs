//! What goes to stdout: the shapes of the command-line contract, in its order.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{ErrorKind, Write as _};

use flowglass_studio::model::{JourneyStatus, JourneySummary, Nanos};
use flowglass_studio::{journey_state, rfc3339};
use serde::Serialize;

/// Writes a text to stdout. Whoever stops reading early (`| head`) has what they wanted.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let text = harmless(text);
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
    harmless(&text.split_whitespace().collect::<Vec<_>>().join(" ")).into_owned()
}

/// A text that does nothing to the terminal that shows it. Names and payloads come from whoever sends: what would move the
/// cursor, colour, set the title (ECMA-48 control functions) or turn the direction of writing (Unicode UAX 9) is shown as
/// JSON writes it, which leaves JSON what it was.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    let acts = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}')
    };
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() == Some(&'\n') => out.push(c),
            c if acts(c) => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
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
    pub(crate) figures: FiguresOut,
    pub(crate) removed: Vec<RemovedOut>,
}

/// Room of figures of the map, and since when they are there in steps of 10 s and 10 min, where older ones were thinned.
#[derive(Serialize)]
pub(crate) struct FiguresOut {
    pub(crate) bytes: u64,
    pub(crate) steps_of_10s_since: Option<String>,
    pub(crate) steps_of_10min_since: Option<String>,
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
    fn nothing_that_is_shown_acts_on_the_terminal() {
        let name = "\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m\u{202e}gpj\r.exe\u{7f}";
        assert_eq!(harmless(name), "\\u001b[2J\\u001b]0;title\\u0007\\u009b31m\\u202egpj\\u000d.exe\\u007f");
        let json = serde_json::to_string(&serde_json::json!({ "name": name })).unwrap();
        let shown = harmless(&json);
        assert!(!shown.contains(|c: char| c.is_control() || c == '\u{202e}'), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap()["name"], name);
        assert_eq!(harmless("ä\tb\r\n☃"), "ä\tb\r\n☃");
    }

    #[test]
    fn several_values_of_a_key_are_all_told() {
        let pairs = [("orderId".to_owned(), "o-1".to_owned()), ("orderId".to_owned(), "o-2".to_owned())];
        assert_eq!(keys(&pairs)["orderId"], "o-1, o-2");
    }
}

//! What a failing span logged: the line that says more than its status does.

use flowglass_model::{ItemKind, ItemStatus, Journey, LogRecord, Nanos};

use crate::scrub::scrub;
use crate::workspace::{Workspace, WorkspaceError};

/// The first severity of errors (OpenTelemetry logs data model, SeverityNumber).
const ERROR: u8 = 17;
/// Characters of a line that are quoted.
const QUOTED: usize = 200;

impl Workspace {
    /// Adds what the failing span logged about it, without credentials and shortened, where that tells more than the cause does.
    pub(crate) fn explain(&self, journey: &mut Journey) -> Result<(), WorkspaceError> {
        let Some(failure) = &mut journey.failure else { return Ok(()) };
        // Span ids repeat in other traces: of several the one that failed is meant.
        let named = journey.items.iter().filter(|i| i.kind == ItemKind::Span && i.id == failure.first);
        let failed = named.max_by_key(|i| (i.participant == failure.participant, i.status == ItemStatus::Error));
        let Some((trace, item)) = failed.and_then(|i| Some((i.trace_id?, i))) else { return Ok(()) };
        let logs = self.read(|r| r.logs_of_trace(trace))?;
        let of_span: Vec<&LogRecord> = logs
            .iter()
            .filter(|l| l.severity >= ERROR && l.span_id.is_some_and(|s| s.to_string() == item.id))
            .collect();
        failure.logged = best(&of_span, item.start + item.duration).and_then(line).filter(|l| tells(l, &failure.cause));
        Ok(())
    }
}

/// The gravest line, of several the last one before the span ended.
fn best<'l>(logs: &[&'l LogRecord], end: Nanos) -> Option<&'l LogRecord> {
    logs.iter().max_by_key(|l| (l.severity, l.time <= end, l.time)).copied()
}

/// Its first line that says anything, without credentials, shortened.
fn line(log: &LogRecord) -> Option<String> {
    let body = scrub(&log.body.to_string());
    let line = body.lines().map(str::trim).find(|l| !l.is_empty())?;
    Some(match line.char_indices().nth(QUOTED) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    })
}

/// Whether a line says what the cause does not.
fn tells(line: &str, cause: &str) -> bool {
    let plain =
        |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let (line, cause) = (plain(line), plain(cause));
    !line.is_empty() && !cause.contains(&line) && line != "error"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_repeats_the_cause_tells_nothing() {
        let cause = "payments POST /charge returned 500: acquirer timed out";
        assert!(!tells("Acquirer timed out!", cause) && !tells(" ", cause));
        assert!(tells("pool exhausted: 10 of 10 connections in use", cause));
    }
}

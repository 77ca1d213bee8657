//! Whether a workspace is sound; saving what is left of one that is not, and saying so.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use flowglass_store::{Access, Checked, GoOn, Lost, Progress, Repaired, Stats, Unit, Writer, check, repair};
use serde_json::{Value, json};
use tokio::sync::broadcast;

use crate::pipeline::Pipeline;
use crate::restitching::Restitching;
use crate::time::rfc3339;
use crate::{Workspace, WorkspaceError};

/// Traces named in words at most.
const NAMED: usize = 5;

/// What a check found, and what was done about it.
#[derive(Debug)]
pub struct CheckReport {
    path: PathBuf,
    checked: Checked,
    /// What was saved, and what a check of the new file found.
    saved: Option<(Repaired, Checked)>,
}

/// Checks a workspace file; with `save` what can be read of a damaged one is written into a new file beside it, its journeys
/// told anew. The file itself is never changed, and the new one gets its name when it is whole. `None` when it was told to stop;
/// then there is no new file.
///
/// Errors: what makes the file unusable (missing, of another kind, newer), or why the new one could not be written.
pub fn check_workspace(path: &Path, save: bool, go_on: &mut GoOn<'_>) -> Result<Option<CheckReport>, WorkspaceError> {
    let Some(checked) = check(path, go_on)? else { return Ok(None) };
    if !save || checked.is_sound() {
        return Ok(Some(CheckReport { path: path.to_owned(), checked, saved: None }));
    }
    let mut verified = None;
    let repaired = repair(path, &free_name(path), go_on, |repaired, part, go_on| {
        if repaired.retell && !retell(part, go_on)? {
            return Ok(false);
        }
        verified = check(part, go_on)?;
        Ok::<_, WorkspaceError>(verified.is_some())
    })?;
    Ok(repaired.zip(verified).map(|saved| CheckReport { path: path.to_owned(), checked, saved: Some(saved) }))
}

/// Tells the journeys of a saved file anew; false when it was told to stop.
fn retell(part: &Path, go_on: &mut GoOn<'_>) -> Result<bool, WorkspaceError> {
    let joins = Workspace::open(part, None)?.settings().config.joins.clone();
    let mut pipeline = Pipeline::new(Writer::open(part, Access::Open)?, broadcast::channel(1).0).joining(joins);
    let told = Restitching::finish(&mut pipeline, &mut |done, of| {
        go_on(Progress { part: "journeys told anew", done, of, unit: Unit::Rows })
    });
    Ok(told?)
}

/// `shop.flowglass` → `shop.repaired.flowglass`, or with a number where that is there.
fn free_name(path: &Path) -> PathBuf {
    let part = |text: Option<&std::ffi::OsStr>| text.map(|t| t.to_string_lossy().into_owned());
    let stem = part(path.file_stem()).unwrap_or_default();
    let ending = part(path.extension()).map(|e| format!(".{e}")).unwrap_or_default();
    let names = std::iter::once(String::new()).chain((2..).map(|n| format!("-{n}")));
    let mut free = names.map(|n| path.with_file_name(format!("{stem}.repaired{n}{ending}"))).filter(|p| !p.exists());
    free.next().unwrap_or_default()
}

fn amounts(stats: &Stats, journeys: u64) -> String {
    let Stats { spans, traces, events, logs, .. } = stats;
    format!("{spans} spans in {traces} traces, {events} events, {logs} log records, {journeys} journeys")
}

fn lost_in_words(lost: &Lost) -> String {
    let mut out = match lost.count {
        Some(count) => format!("{count} {}", lost.what),
        None => format!("an unknown number of {}", lost.what),
    };
    match (lost.first, lost.last) {
        (Some(first), Some(last)) if first == last => _ = write!(out, ", of {}", rfc3339(first)),
        (Some(first), Some(last)) => _ = write!(out, ", of {} to {}", rfc3339(first), rfc3339(last)),
        _ => {}
    }
    if !lost.traces.is_empty() {
        let named: Vec<String> = lost.traces.iter().take(NAMED).map(ToString::to_string).collect();
        let more = if lost.traces.len() > NAMED { ", …" } else { "" };
        _ = write!(out, ", of traces {}{more}", named.join(", "));
    }
    out
}

fn lost_json(lost: &Lost) -> Value {
    let traces: Vec<String> = lost.traces.iter().map(ToString::to_string).collect();
    let (first, last) = (lost.first.map(rfc3339), lost.last.map(rfc3339));
    json!({ "what": lost.what, "count": lost.count, "first": first, "last": last, "traces": traces })
}

fn problems_json(checked: &Checked) -> Vec<Value> {
    checked.problems.iter().map(|p| json!({ "part": p.part, "detail": p.detail })).collect()
}

impl CheckReport {
    /// Why the file is not sound, in one line; nothing when it is.
    pub fn verdict(&self) -> Option<String> {
        if self.checked.is_sound() {
            return None;
        }
        let count = self.checked.problems.len() as u64 + self.checked.more;
        let word = if count == 1 { "problem" } else { "problems" };
        let next = match &self.saved {
            Some((repaired, _)) => format!("what could be saved is in {}", repaired.path.display()),
            None => "keep a copy, and save what can be saved with --repair".to_owned(),
        };
        Some(format!("{}: the workspace is damaged ({count} {word}); {next}", self.path.display()))
    }

    /// The report for people.
    pub fn text(&self) -> String {
        let c = &self.checked;
        let mut out = format!("{}: {}\n", self.path.display(), if c.is_sound() { "sound" } else { "damaged" });
        _ = writeln!(out, "  holds {}", amounts(&c.stats, c.journeys));
        _ = writeln!(
            out,
            "  read {} parts with spans and log records ({} without a checksum) and {} payloads ({} without a checksum: \
             small ones, and those of earlier versions)",
            c.chunks, c.chunks_without_checksum, c.payloads, c.payloads_without_checksum
        );
        _ = writeln!(out, "  journeys, figures and indexes have no checksums; they were held against each other");
        for problem in &c.problems {
            _ = writeln!(out, "  damaged: {}: {}", problem.part, problem.detail);
        }
        if c.more > 0 {
            _ = writeln!(out, "  and {} more problems", c.more);
        }
        let Some((repaired, verified)) = &self.saved else { return out };
        let state = if verified.is_sound() { "sound" } else { "not sound" };
        _ = writeln!(out, "{}: new, {state}", repaired.path.display());
        _ = writeln!(out, "  holds {}", amounts(&verified.stats, verified.journeys));
        for (page, held) in &repaired.pages {
            _ = writeln!(out, "  page {page} cannot be read; it held {held}");
        }
        for lost in &repaired.lost {
            _ = writeln!(out, "  lost: {}", lost_in_words(lost));
        }
        if repaired.lost.is_empty() {
            _ = writeln!(out, "  nothing was lost");
        }
        for problem in &verified.problems {
            _ = writeln!(out, "  wrong: {}: {}", problem.part, problem.detail);
        }
        out
    }

    /// The report for programs.
    pub fn json(&self) -> Value {
        let c = &self.checked;
        let s = &c.stats;
        let repaired = self.saved.as_ref().map(|(repaired, verified)| {
            json!({
                "file": repaired.path,
                "sound": verified.is_sound(),
                "spans": verified.stats.spans,
                "events": verified.stats.events,
                "logs": verified.stats.logs,
                "journeys": verified.journeys,
                "lost": repaired.lost.iter().map(lost_json).collect::<Vec<_>>(),
                "pages": repaired.pages.iter().map(|(page, held)| json!({ "page": page, "held": held })).collect::<Vec<_>>(),
                "problems": problems_json(verified),
            })
        });
        json!({
            "file": self.path,
            "sound": c.is_sound(),
            "format": c.format,
            "spans": s.spans,
            "traces": s.traces,
            "events": s.events,
            "logs": s.logs,
            "journeys": c.journeys,
            "chunks": c.chunks,
            "chunks_without_checksum": c.chunks_without_checksum,
            "payloads": c.payloads,
            "payloads_without_checksum": c.payloads_without_checksum,
            "problems": problems_json(c),
            "more_problems": c.more,
            "repaired": repaired,
        })
    }
}

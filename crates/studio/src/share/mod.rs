//! What was found, for others: a case file, a report, ticket text, a diagram, data.
//!
//! [`export`] collects everything recorded of some journeys ([`collect`]), takes out what must not leave this machine
//! ([`redact`]) and writes one of the [`Format`]s from what is left: no format sees what was taken out.

mod case_file;
mod collect;
mod html;
mod markdown;
mod mermaid;
mod redact;
mod table;
mod text;

use std::collections::BTreeMap;
use std::str::FromStr;

use flowglass_model::{Nanos, Owner, TraceId};

use crate::api::JourneyView;
use crate::notes::Note;
use crate::otlp_json;
use crate::workspace::{Workspace, WorkspaceError};
pub use case_file::is_case_file;
use collect::collect;
pub(crate) use html::page;
pub(crate) use redact::redact_message;

/// Journeys of one export at most.
pub const JOURNEYS_MAX: usize = 500;
/// Spans of one export at most.
const SPANS_MAX: usize = 200_000;

/// In which form journeys leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A small workspace with everything recorded of them, and the notes.
    Case,
    /// A report of one self-contained page.
    Html,
    /// Text for a ticket.
    Markdown,
    /// OTLP/JSON with events beside it, which imports again.
    Otlp,
    /// A Mermaid sequence diagram.
    Mermaid,
    /// Spans and events as a table (RFC 4180).
    Csv,
}

impl Format {
    /// All, in the order in which they are offered.
    pub const ALL: [Format; 6] =
        [Format::Case, Format::Html, Format::Markdown, Format::Otlp, Format::Mermaid, Format::Csv];

    /// Ending of a file's name.
    pub fn ending(self) -> &'static str {
        match self {
            Format::Case => "flowglass",
            Format::Html => "html",
            Format::Markdown => "md",
            Format::Otlp => "json",
            Format::Mermaid => "mmd",
            Format::Csv => "csv",
        }
    }

    /// Media type of such a file.
    pub fn media_type(self) -> &'static str {
        match self {
            Format::Case => "application/vnd.sqlite3",
            Format::Html => "text/html",
            Format::Markdown => "text/markdown",
            Format::Otlp => "application/json",
            Format::Mermaid => "text/vnd.mermaid",
            Format::Csv => "text/csv",
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(ending: &str) -> Result<Format, String> {
        Format::ALL.into_iter().find(|f| f.ending() == ending).ok_or_else(|| {
            let known = Format::ALL.map(|f| format!(".{}", f.ending())).join(", ");
            format!("`.{ending}` is no form of export; a file ends in one of {known}")
        })
    }
}

/// What is wanted of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Journeys, by the id of any trace in them.
    pub journeys: Vec<TraceId>,
    /// The form.
    pub format: Format,
    /// Leave what redaction rules hide, and what looks like a credential, as it is stored.
    pub unredacted: bool,
    /// When: named in reports.
    pub now: Nanos,
}

/// An export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The file.
    pub bytes: Vec<u8>,
    /// Journeys in it.
    pub journeys: usize,
    /// Values that were taken out.
    pub redacted: u64,
}

/// Why nothing was exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The workspace.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// More than one file should hold.
    #[error("{0}")]
    TooMuch(String),
    /// The file could not be made.
    #[error("the file could not be made: {0}")]
    File(String),
}

/// Everything an export may tell, redacted unless asked otherwise.
pub(crate) struct Story {
    /// Journeys as the window shows them, in the order asked for.
    journeys: Vec<JourneyView>,
    /// All that was recorded of them.
    records: flowglass_model::Batch,
    /// Who runs what failed, by participant.
    owners: BTreeMap<String, Owner>,
    /// Notes on them.
    notes: Vec<Note>,
    /// Values that were taken out; `None` when nothing was looked for.
    redacted: Option<u64>,
    /// When it was told.
    now: Nanos,
}

/// Exports journeys. Blocking: call it from a blocking thread.
///
/// # Errors
/// When a journey is not there, when it is more than one file should hold, when a case file cannot be written.
pub fn export(workspace: &Workspace, wish: &Wish) -> Result<Exported, ExportError> {
    let mut story = collect(workspace, wish)?;
    if !wish.unredacted {
        redact::redact(&mut story, &workspace.settings().config);
    }
    let bytes = match wish.format {
        Format::Case => case_file::case_file(&story, &workspace.settings())?,
        Format::Html => html::report(&story).into_bytes(),
        Format::Markdown => markdown::ticket(&story).into_bytes(),
        Format::Otlp => otlp_json::document(&story.records).into_bytes(),
        Format::Mermaid => mermaid::sequences(&story).into_bytes(),
        Format::Csv => table::csv(&story).map_err(ExportError::File)?,
    };
    Ok(Exported { bytes, journeys: story.journeys.len(), redacted: story.redacted.unwrap_or(0) })
}

//! Designs: read from files, kept as text beside the workspace, held against what was observed.

mod files;
mod hold;
mod json;
mod markdown;

use std::path::{Path, PathBuf};

use flowglass_design::{DeviationKind, Drift};

pub use files::{DesignFileError, Fetch, read_designs};
pub use hold::{Held, hold, observed_design};
pub(crate) use markdown::title as deviation_title;

/// Where the design of a workspace is kept: `NAME.design.yaml` beside it.
pub fn design_path(workspace: &Path) -> PathBuf {
    workspace.with_extension("design.yaml")
}

/// A form of the list of deviations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DriftFormat {
    /// For programs.
    Json,
    /// For people.
    Markdown,
}

/// The list of deviations, with what its forms need to know.
pub struct DriftList<'a> {
    /// The deviations.
    pub drift: &'a Drift,
    /// What the design is called.
    pub design: &'a str,
    /// What is odd about the design: schemas that cannot be used.
    pub notes: &'a [String],
}

impl DriftList<'_> {
    /// The list in a form; ends without a line break.
    pub fn render(&self, format: DriftFormat) -> String {
        match format {
            DriftFormat::Json => json::list(self),
            DriftFormat::Markdown => markdown::report(self),
        }
    }

    /// Open deviations of these kinds; all kinds where none is named.
    pub fn open(&self, kinds: &[DeviationKind]) -> usize {
        let wanted = |d: &&flowglass_design::Deviation| kinds.is_empty() || kinds.contains(&d.kind);
        self.drift.deviations.iter().filter(|d| d.kept.is_none()).filter(wanted).count()
    }
}

//! A case file: a workspace of its own with what a story tells.

use std::path::Path;

use flowglass_store::{Access, Reader, StoreError, Writer};
use tokio::sync::broadcast;

use super::{ExportError, Story};
use crate::workspace::{META_CONFIG_COPY, Settings};
use crate::{Pipeline, notes};

/// Workspace key of a case file: when it was made, of which journeys, and how many values were taken out.
const META_CASE: &str = "case";

/// Writes the workspace and reads its file. The settings in force go with it, so that names, layers and owners are the same.
pub(super) fn case_file(story: &Story, settings: &Settings) -> Result<Vec<u8>, ExportError> {
    let failed = |e: &dyn std::fmt::Display| ExportError::File(e.to_string());
    // Only this user may look into it; it goes when it is dropped.
    let folder = tempfile::Builder::new().prefix("flowglass-case-").tempdir().map_err(|e| failed(&e))?;
    let path = folder.path().join("case.flowglass");
    write(&path, story, settings).map_err(|e| failed(&e))?;
    std::fs::read(&path).map_err(|e| failed(&e))
}

/// Closing the writer folds its write-ahead log into the file.
fn write(path: &Path, story: &Story, settings: &Settings) -> Result<(), StoreError> {
    let mut pipeline = Pipeline::new(Writer::open(path, Access::Create)?, broadcast::channel(1).0)
        .joining(settings.config.joins.clone());
    pipeline.write(vec![story.records.clone()])?;
    let journeys: Vec<&str> = story.journeys.iter().map(|j| j.row.id.as_str()).collect();
    let case = serde_json::json!({ "made": story.now, "journeys": journeys, "redacted": story.redacted });
    let mut tx = pipeline.writer.begin()?;
    tx.set_meta(META_CONFIG_COPY, &settings.text)?;
    tx.set_meta(notes::META_NOTES, &notes::text(&story.notes))?;
    tx.set_meta(META_CASE, &case.to_string())?;
    tx.commit()
}

/// Whether a file is a case file, as far as it can be read.
pub fn is_case_file(path: &Path) -> bool {
    Reader::open(path).and_then(|r| r.meta(META_CASE)).is_ok_and(|case| case.is_some())
}

//! The design beside the workspace: its text, where it comes from and where it goes.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flowglass_design::export::{Exported, Format, export, mermaid};
use flowglass_design::{read, write};
use flowglass_model::Design;
use tokio_util::sync::CancellationToken;

use super::design_shape::shape;
use super::{bad_request, bounds, not_found};
use crate::Studio;
use crate::api::*;
use crate::designs::{Fetch, design_path, observed_design, read_designs};
use crate::studio::{lock, workspace_name};

fn path(studio: &Studio) -> PathBuf {
    design_path(studio.workspace().path())
}

fn failed(path: &Path, error: &std::io::Error) -> ApiError {
    ApiError { code: "io".into(), message: format!("{}: {error}", path.display()) }
}

/// The text of the design, if there is one.
fn text_of(path: &Path) -> Result<Option<String>, ApiError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(path, &error)),
    }
}

/// Writes the text beside its place first: a design is there as a whole or as it was. Somebody else's change is not lost.
fn keep(path: &Path, text: Option<&str>, base: Option<&str>) -> Result<(), ApiError> {
    if text_of(path)?.as_deref() != base {
        let message = format!(
            "{} was changed by somebody else meanwhile; nothing was written. Look at it again and repeat the change.",
            path.display()
        );
        return Err(ApiError { code: "conflict".into(), message });
    }
    let Some(text) = text else {
        return if base.is_some() { std::fs::remove_file(path).map_err(|e| failed(path, &e)) } else { Ok(()) };
    };
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|e| failed(path, &e))?;
    file.write_all(text.as_bytes()).map_err(|e| failed(path, &e))?;
    file.persist(path).map_err(|e| failed(path, &e.error))?;
    Ok(())
}

fn view(path: &Path, text: Option<String>, notes: Vec<String>) -> DesignText {
    let (design, problem) = match text.as_deref().map(read) {
        None => (None, None),
        Some(Ok(design)) => (Some(design), None),
        Some(Err(problem)) => (None, Some(DesignProblem { line: problem.line as u32, message: problem.message })),
    };
    DesignText { path: path.display().to_string(), text, shape: design.as_ref().map(shape), problem, notes }
}

/// See [`DesignText`].
pub(crate) async fn design(studio: &Studio, _: Nothing) -> Result<DesignText, ApiError> {
    let path = path(studio);
    let text = text_of(&path)?;
    Ok(view(&path, text, Vec::new()))
}

/// See [`SaveDesignRequest`].
pub(crate) async fn design_save(studio: &Studio, request: SaveDesignRequest) -> Result<DesignText, ApiError> {
    let path = path(studio);
    // Nothing is no design: then there is no file either.
    let text = Some(request.text).filter(|text| !text.trim().is_empty());
    if request.save {
        keep(&path, text.as_deref(), request.base.as_deref())?;
    }
    Ok(view(&path, text, Vec::new()))
}

/// See [`ObserveDesignRequest`].
pub(crate) async fn design_observe(studio: &Studio, request: ObserveDesignRequest) -> Result<DesignText, ApiError> {
    let (since, until) = bounds(request.range);
    let design = studio.ask(move |workspace| observed_design(workspace, since, until)).await?;
    Ok(view(&path(studio), Some(write(&design)), Vec::new()))
}

/// See [`ImportDesignRequest`]. A second import stops the first.
pub(crate) async fn design_import(studio: &Studio, request: ImportDesignRequest) -> Result<DesignText, ApiError> {
    let stop = studio.0.stop.child_token();
    reading(studio, Some(stop.clone()));
    let fetch = if request.allow_remote { Fetch::Allowed } else { Fetch::Named };
    let hear = |text| studio.publish(Update::Reading { text });
    let read = tokio::select! {
        read = read_designs(&request.paths, fetch, &hear) => read.map_err(|e| bad_request(e.to_string()))?,
        () = stop.cancelled() => {
            return Err(ApiError { code: "cancelled".into(), message: "Reading was stopped; nothing was changed.".into() });
        }
    };
    let notes = read.notes.into_iter().map(|(path, note)| format!("{path}: {note}")).collect();
    Ok(view(&path(studio), Some(write(&read.design)), notes))
}

/// Stops what [`design_import`] reads.
pub(crate) async fn design_import_stop(studio: &Studio, _: Nothing) -> Result<Nothing, ApiError> {
    reading(studio, None);
    Ok(Nothing {})
}

/// Stops what is being read and remembers how to stop what is read next.
fn reading(studio: &Studio, next: Option<CancellationToken>) {
    if let Some(stop) = std::mem::replace(&mut *lock(&studio.0.desk.reading), next) {
        stop.cancel();
    }
}

/// The design that can be used; `Err` says what to do.
pub(super) fn usable(studio: &Studio) -> Result<Design, ApiError> {
    let path = path(studio);
    let Some(text) = text_of(&path)? else { return Err(not_found("a design")) };
    read(&text).map_err(|problem| bad_request(format!("{}: {problem}", path.display())))
}

/// See [`DesignExportRequest`].
pub(crate) async fn design_export(studio: &Studio, request: DesignExportRequest) -> Result<FileContents, ApiError> {
    let design = usable(studio)?;
    let name = workspace_name(studio.workspace().path());
    let file = |ending: &str, media_type: &str, bytes: &[u8]| FileContents {
        name: format!("{name}{ending}"),
        media_type: media_type.into(),
        base64: BASE64_STANDARD.encode(bytes),
    };
    let format = match request.format.as_str() {
        "yaml" => {
            let text = text_of(&path(studio))?.unwrap_or_default();
            return Ok(file(".design.yaml", "application/yaml", text.as_bytes()));
        }
        "mermaid" => return Ok(file(".mmd", "text/plain", mermaid(&design).as_bytes())),
        "asyncapi" => Format::AsyncApi,
        "openapi" => Format::OpenApi,
        "backstage" => Format::Backstage,
        other => {
            return Err(bad_request(format!(
                "`{other}` is no format; it is yaml, asyncapi, openapi, backstage or mermaid"
            )));
        }
    };
    let bytes = zipped(&export(&design, format)).map_err(|e| ApiError { code: "io".into(), message: e.to_string() })?;
    Ok(file(&format!("-{}.zip", request.format), "application/zip", &bytes))
}

fn zipped(files: &[Exported]) -> zip::result::ZipResult<Vec<u8>> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for file in files {
        zip.start_file(file.path.as_str(), zip::write::SimpleFileOptions::default())?;
        zip.write_all(file.text.as_bytes())?;
    }
    Ok(zip.finish()?.into_inner())
}

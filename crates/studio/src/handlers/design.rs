//! The design beside the workspace, and where the running system differs from it.

use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flowglass_design::export::{Exported, Format, export, mermaid};
use flowglass_design::{Deviation, Evidence, accept, read, write};
use flowglass_model::{Design, KeptDeviation};

use super::findings::People;
use super::{bad_request, bounds, not_found};
use crate::Studio;
use crate::api::*;
use crate::designs::{
    DriftFormat, DriftList, Fetch, Held, design_path, deviation_title, hold, observed_design, read_designs,
};
use crate::studio::workspace_name;
use crate::views::edge_id;

/// Between two words about the progress.
const TELL_EVERY: Duration = Duration::from_millis(250);

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
fn keep(path: &Path, text: &str, base: Option<&str>) -> Result<(), ApiError> {
    if text_of(path)?.as_deref() != base {
        let message = format!(
            "{} was changed by somebody else meanwhile; nothing was written. Look at it again and repeat the change.",
            path.display()
        );
        return Err(ApiError { code: "conflict".into(), message });
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|e| failed(path, &e))?;
    file.write_all(text.as_bytes()).map_err(|e| failed(path, &e))?;
    file.persist(path).map_err(|e| failed(path, &e.error))?;
    Ok(())
}

fn view(path: &Path, text: Option<String>, notes: Vec<String>) -> DesignText {
    let parsed = text.as_deref().map(read);
    let (design, problem) = match parsed {
        None => (Design::default(), None),
        Some(Ok(design)) => (design, None),
        Some(Err(problem)) => (Design::default(), Some(problem.to_string())),
    };
    let comments = text.as_deref().is_some_and(|t| t.lines().any(|line| line.trim_start().starts_with('#')));
    DesignText {
        path: path.display().to_string(),
        text,
        problem,
        participants: design.participants.len() as u32,
        channels: design.channels.len() as u32,
        notes,
        comments,
    }
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
    let checked = view(&path, Some(request.text.clone()), Vec::new());
    if request.save && checked.problem.is_none() {
        keep(&path, &request.text, request.base.as_deref())?;
    }
    Ok(checked)
}

/// See [`ObserveDesignRequest`].
pub(crate) async fn design_observe(studio: &Studio, request: ObserveDesignRequest) -> Result<DesignText, ApiError> {
    let path = path(studio);
    let (since, until) = bounds(request.range);
    let design = studio.ask(move |workspace| observed_design(workspace, since, until)).await?;
    let text = write(&design);
    keep(&path, &text, request.base.as_deref())?;
    Ok(view(&path, Some(text), Vec::new()))
}

/// See [`ImportDesignRequest`].
pub(crate) async fn design_import(studio: &Studio, request: ImportDesignRequest) -> Result<DesignText, ApiError> {
    let path = path(studio);
    let read = read_designs(&request.paths, Fetch::Nothing).await.map_err(|e| bad_request(e.to_string()))?;
    let text = write(&read.design);
    keep(&path, &text, request.base.as_deref())?;
    let notes = read.notes.into_iter().map(|(path, note)| format!("{path}: {note}")).collect();
    Ok(view(&path, Some(text), notes))
}

/// The design that can be used; `Err` says what to do.
fn usable(studio: &Studio) -> Result<(PathBuf, String, Design), ApiError> {
    let path = path(studio);
    let Some(text) = text_of(&path)? else { return Err(not_found("a design")) };
    let design = read(&text).map_err(|problem| bad_request(format!("{}: {problem}", path.display())))?;
    Ok((path, text, design))
}

/// See [`DesignExportRequest`].
pub(crate) async fn design_export(studio: &Studio, request: DesignExportRequest) -> Result<FileContents, ApiError> {
    let (_, text, design) = usable(studio)?;
    let name = workspace_name(studio.workspace().path());
    let file = |ending: &str, media_type: &str, bytes: &[u8]| FileContents {
        name: format!("{name}{ending}"),
        media_type: media_type.into(),
        base64: BASE64_STANDARD.encode(bytes),
    };
    let format = match request.format.as_str() {
        "yaml" => return Ok(file(".design.yaml", "application/yaml", text.as_bytes())),
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

async fn held(studio: &Studio, design: Design, range: Range) -> Result<Held, ApiError> {
    let (since, until) = bounds(range);
    let teller = studio.clone();
    let held = studio.ask(move |workspace| {
        let mut told = Instant::now();
        let mut hear = |progress: crate::Progress| {
            if told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                let text = format!("{} spans, {} events read", progress.spans, progress.messages);
                teller.publish(Update::Judging { text, share: progress.share });
            }
            ControlFlow::Continue(())
        };
        hold(workspace, &design, since, until, &mut hear)
    });
    held.await?.ok_or_else(|| ApiError { code: "cancelled".into(), message: "Reading was stopped.".into() })
}

/// See [`DriftView`].
pub(crate) async fn drift(studio: &Studio, request: DriftRequest) -> Result<DriftView, ApiError> {
    let nothing = |problem: Option<String>| DriftView {
        designed: false,
        problem,
        title: String::new(),
        matched: 0,
        observed: 0,
        silent: Vec::new(),
        notes: Vec::new(),
        deviations: Vec::new(),
        settled: Vec::new(),
        spans: 0,
        messages: 0,
    };
    let design = match usable(studio) {
        Ok((_, _, design)) => design,
        Err(error) if error.code == "not-found" => return Ok(nothing(None)),
        Err(error) if error.code == "bad-request" => return Ok(nothing(Some(error.message))),
        Err(error) => return Err(error),
    };
    let title = design.title.clone();
    let held = held(studio, design, request.range).await?;
    let who = People::new(&held.graph);
    let drift = &held.drift;
    Ok(DriftView {
        designed: true,
        problem: None,
        title,
        matched: drift.matched.0 as u32,
        observed: drift.matched.1 as u32,
        silent: drift.silent.iter().map(|s| (*s).to_owned()).collect(),
        notes: held.notes.clone(),
        deviations: drift.deviations.iter().map(|d| deviation(d, &who)).collect(),
        settled: drift.settled.iter().map(|(kind, subject)| format!("{kind} {subject}")).collect(),
        spans: held.spans,
        messages: held.messages,
    })
}

fn id_of(d: &Deviation) -> String {
    format!("{}|{}", d.kind.as_str(), d.subject)
}

fn deviation(d: &Deviation, who: &People<'_>) -> DeviationView {
    let evidence = |e: &Evidence| match e {
        Evidence::Span { at, trace, span } => FindingEvidence {
            at: to_ms(*at),
            trace: Some(trace.to_string()),
            span: Some(span.to_string()),
            event: None,
            row: None,
        },
        Evidence::Event { at, id, row } => {
            FindingEvidence { at: to_ms(*at), trace: None, span: None, event: Some(id.clone()), row: Some(*row) }
        }
    };
    DeviationView {
        id: id_of(d),
        kind: d.kind.as_str().into(),
        title: deviation_title(d.kind).into(),
        subject: d.subject.clone(),
        saw: d.saw.clone(),
        who: d.nodes.iter().map(|id| who.of(id)).collect(),
        edge: d.edge.as_ref().map(|(source, target, kind)| edge_id(source, target, *kind)),
        count: d.count,
        evidence: d.evidence.iter().map(evidence).collect(),
        matches: d
            .matches
            .iter()
            .map(|m| MatchView {
                observed: m.observed.name().into(),
                designed: m.designed.clone(),
                how: m.how.words().into(),
            })
            .collect(),
        kept: d.kept.clone(),
        acceptable: !d.edits.is_empty(),
    }
}

/// See [`DeviationRequest`].
pub(crate) async fn drift_accept(studio: &Studio, request: DeviationRequest) -> Result<DesignText, ApiError> {
    let (path, base, mut design) = usable(studio)?;
    let held = held(studio, design.clone(), request.range).await?;
    let found = held.drift.deviations.iter().find(|d| id_of(d) == request.id);
    let found = found.ok_or_else(|| not_found("this deviation"))?;
    accept(&mut design, found).map_err(bad_request)?;
    let text = write(&design);
    keep(&path, &text, Some(&base))?;
    Ok(view(&path, Some(text), Vec::new()))
}

/// See [`KeepDeviationRequest`].
pub(crate) async fn drift_keep(studio: &Studio, request: KeepDeviationRequest) -> Result<DesignText, ApiError> {
    let (path, base, mut design) = usable(studio)?;
    design.kept.retain(|k| !(k.kind == request.kind && k.subject == request.subject));
    if let Some(reason) = request.reason {
        if reason.trim().is_empty() {
            return Err(bad_request("Say why it is kept: others will ask."));
        }
        let reason = reason.trim().to_owned();
        design.kept.push(KeptDeviation { kind: request.kind, subject: request.subject, reason });
        design.kept.sort();
    }
    let text = write(&design);
    keep(&path, &text, Some(&base))?;
    Ok(view(&path, Some(text), Vec::new()))
}

/// See [`DriftExportRequest`].
pub(crate) async fn drift_export(studio: &Studio, request: DriftExportRequest) -> Result<FileContents, ApiError> {
    let (format, ending, media_type) = match request.format.as_str() {
        "markdown" => (DriftFormat::Markdown, "md", "text/markdown"),
        "json" => (DriftFormat::Json, "json", "application/json"),
        other => return Err(bad_request(format!("`{other}` is no format; it is markdown or json"))),
    };
    let (_, _, design) = usable(studio)?;
    let title = design.title.clone();
    let held = held(studio, design, request.range).await?;
    let text = DriftList { drift: &held.drift, design: &title, notes: &held.notes }.render(format);
    let name = workspace_name(studio.workspace().path());
    Ok(FileContents {
        name: format!("{name}-drift.{ending}"),
        media_type: media_type.into(),
        base64: BASE64_STANDARD.encode(text),
    })
}

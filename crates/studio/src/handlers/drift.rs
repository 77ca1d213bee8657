//! Where the running system differs from the design.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flowglass_design::{Deviation, Evidence, accept, changes};
use flowglass_model::{Design, KeptDeviation};

use super::design::usable;
use super::findings::People;
use super::{bad_request, bounds, not_found};
use crate::Studio;
use crate::api::*;
use crate::designs::{DriftFormat, DriftList, Held, deviation_title, hold};
use crate::studio::workspace_name;
use crate::views::edge_id;

/// Between two words about the progress.
const TELL_EVERY: Duration = Duration::from_millis(250);

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
        Ok(design) => design,
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
pub(crate) async fn drift_accept(studio: &Studio, request: DeviationRequest) -> Result<DesignEdits, ApiError> {
    let design = usable(studio)?;
    let held = held(studio, design.clone(), request.range).await?;
    let found = held.drift.deviations.iter().find(|d| id_of(d) == request.id);
    let found = found.ok_or_else(|| not_found("this deviation"))?;
    let mut after = design.clone();
    accept(&mut after, found).map_err(bad_request)?;
    Ok(edits(&design, &after))
}

/// See [`KeepDeviationRequest`].
pub(crate) async fn drift_keep(studio: &Studio, request: KeepDeviationRequest) -> Result<DesignEdits, ApiError> {
    let design = usable(studio)?;
    let mut after = design.clone();
    after.kept.retain(|k| !(k.kind == request.kind && k.subject == request.subject));
    if let Some(reason) = request.reason {
        if reason.trim().is_empty() {
            return Err(bad_request("Say why it is kept: others will ask."));
        }
        let reason = reason.trim().to_owned();
        after.kept.push(KeptDeviation { kind: request.kind, subject: request.subject, reason });
    }
    Ok(edits(&design, &after))
}

/// What leads from one design to another, for whoever holds the text.
fn edits(before: &Design, after: &Design) -> DesignEdits {
    let edits = changes(before, after).into_iter().map(|c| DesignEdit { path: c.path, value: c.value });
    DesignEdits { edits: edits.collect() }
}

/// See [`DriftExportRequest`].
pub(crate) async fn drift_export(studio: &Studio, request: DriftExportRequest) -> Result<FileContents, ApiError> {
    let (format, ending, media_type) = match request.format.as_str() {
        "markdown" => (DriftFormat::Markdown, "md", "text/markdown"),
        "json" => (DriftFormat::Json, "json", "application/json"),
        other => return Err(bad_request(format!("`{other}` is no format; it is markdown or json"))),
    };
    let design = usable(studio)?;
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

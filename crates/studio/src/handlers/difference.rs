//! Two ranges held against each other.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use std::collections::BTreeMap;

use flowglass_model::{EdgeStats, Graph, Nanos, NodeId, SeriesKey};
use flowglass_topology::diff::{Change, Limits, Subject};

use super::findings::People;
use super::{bad_request, bounds};
use crate::Studio;
use crate::api::*;
use crate::differences::{DifferenceFormat, Differences, Part, chance};
use crate::studio::workspace_name;
use crate::views::edge_id;
use crate::workspace::{Workspace, WorkspaceError};

/// See [`ChangesView`].
pub(crate) async fn difference(studio: &Studio, request: DifferenceRequest) -> Result<ChangesView, ApiError> {
    let view = studio.ask(move |workspace| {
        let all = between(workspace, request.before, request.after)?;
        Ok::<_, WorkspaceError>(view(&all, &workspace.graph(None, None, None)?))
    });
    Ok(view.await?)
}

/// See [`DifferenceExportRequest`].
pub(crate) async fn difference_export(
    studio: &Studio,
    request: DifferenceExportRequest,
) -> Result<FileContents, ApiError> {
    let (format, ending, media_type) = match request.format.as_str() {
        "markdown" => (DifferenceFormat::Markdown, "md", "text/markdown"),
        "html" => (DifferenceFormat::Html, "html", "text/html"),
        "json" => (DifferenceFormat::Json, "json", "application/json"),
        other => return Err(bad_request(format!("`{other}` is no format; it is markdown, html or json"))),
    };
    let name = workspace_name(studio.workspace().path());
    let text = studio.ask(move |w| Ok::<_, WorkspaceError>(between(w, request.before, request.after)?.render(format)));
    Ok(FileContents {
        name: format!("{name}-changes.{ending}"),
        media_type: media_type.into(),
        base64: BASE64_STANDARD.encode(text.await?),
    })
}

fn between(workspace: &Workspace, before: Range, after: Range) -> Result<Differences, WorkspaceError> {
    let part = |range: Range| {
        let (since, until) = bounds(range);
        Part { workspace: workspace.clone(), since, until }
    };
    Differences::between(&part(before), &part(after), Limits::default())
}

fn view(all: &Differences, graph: &Graph) -> ChangesView {
    let d = &all.difference;
    let who = People::new(graph);
    let versions = |listed: &[(String, u64)]| listed.iter().map(|(version, _)| version.clone()).collect();
    ChangesView {
        changes: d.changes.iter().map(|c| row(c, &who)).collect(),
        unsure: d.unsure.iter().map(|c| row(c, &who)).collect(),
        versions: d
            .versions
            .iter()
            .map(|v| DifferenceVersions {
                who: who.of(&v.participant),
                before: versions(&v.before),
                after: versions(&v.after),
            })
            .collect(),
        tested: d.tested as u32,
        too_few: d.too_few as u32,
        before: d.occurrences.0,
        after: d.occurrences.1,
    }
}

fn row(change: &Change, who: &People<'_>) -> DifferenceRow {
    let what = change.what.as_str();
    let (subject, kind, edge, operation) = match &change.subject {
        Subject::Node(id) => (vec![who.of(id)], "participant", None, None),
        Subject::Edge { source, target, kind } => {
            (vec![who.of(source), who.of(target)], kind.as_str(), Some(edge_id(source, target, *kind)), None)
        }
        Subject::Operation { participant, operation } => {
            (vec![who.of(participant)], "operation", None, Some(operation.clone()))
        }
    };
    let ids: Vec<&str> = subject.iter().map(|s| s.id.as_str()).collect();
    DifferenceRow {
        id: format!("{what} {kind} {} {} {}", ids.join(" → "), operation.as_deref().unwrap_or_default(), change.median),
        what: what.into(),
        kind: kind.into(),
        subject,
        edge,
        operation,
        before: change.before.map(figures),
        after: change.after.map(figures),
        median: change.median,
        chance: chance(change.chance),
    }
}

fn figures(stats: EdgeStats) -> DifferenceFigures {
    DifferenceFigures { count: stats.count, errors: stats.errors, p50_ms: stats.p50_ms, p95_ms: stats.p95_ms }
}

/// See [`VersionArrivals`].
pub(crate) async fn versions(studio: &Studio, request: VersionsRequest) -> Result<VersionArrivals, ApiError> {
    let (since, until) = bounds(request.range);
    let answer = studio.ask(move |workspace| {
        let sums = workspace.read(|r| r.series(None, None))?;
        let folding = flowglass_topology::Folding::new(&sums, &workspace.settings().config);
        let mut seen: BTreeMap<NodeId, BTreeMap<Nanos, String>> = BTreeMap::new();
        for sum in sums.iter().filter(|sum| sum.count > 0) {
            if let SeriesKey::Version { participant, version } = &sum.key
                && let Some(id) = folding.node(participant)
            {
                // Two that came at once: both are told.
                let of = seen.entry(id).or_default();
                of.entry(sum.first).and_modify(|v| *v = format!("{v}, {version}")).or_insert_with(|| version.clone());
            }
        }
        let graph = workspace.graph(None, None, None)?;
        let who = People::new(&graph);
        let mut changes: Vec<VersionArrival> = Vec::new();
        for (id, of) in &seen {
            for ((_, before), (at, version)) in of.iter().zip(of.iter().skip(1)) {
                if since.is_none_or(|s| *at >= s) && until.is_none_or(|u| *at < u) {
                    let (version, before) = (version.clone(), before.clone());
                    changes.push(VersionArrival { who: who.of(id), version, before, at: to_ms(*at) });
                }
            }
        }
        changes.sort_by(|a, b| a.at.total_cmp(&b.at));
        Ok::<_, WorkspaceError>(VersionArrivals { changes })
    });
    Ok(answer.await?)
}

//! A participant or an interaction in detail.

use std::collections::BTreeSet;

use flowglass_model::{EdgeStats, Graph, InteractionKind, JourneyState, Nanos, NodeId, NodeKind, SeriesKey, SpanFacts};
use flowglass_store::{JourneyFilter, Reader, SeriesFilter, StoreError};

use super::app::bars;
use super::journeys::journey_row;
use super::scene::scene;
use super::{around, bounds, not_found};
use crate::api::{
    ApiError, Bucket, Connection, EdgeDetail, EdgeRequest, FailureRow, Nearest, NodeDetail, NodeRequest, Operation,
    Range, to_ms,
};
use crate::views::{Scene, Views, Wishes, edge_id, figures, layer_of};
use crate::workspace::{Workspace, WorkspaceError};
use crate::{Studio, words};

/// Bars of the small charts.
const TIMELINE_BUCKETS: usize = 60;
/// Journeys looked into for failures.
const JOURNEYS_READ: usize = 12;
/// Failures told; a window shows eight.
const FAILURES: usize = 8;
/// Journeys looked into for versions and instances.
const VERSIONS_READ: usize = 4;

/// See [`NodeDetail`].
pub(crate) async fn node(studio: &Studio, request: NodeRequest) -> Result<NodeDetail, ApiError> {
    let inner = studio.0.clone();
    let now = studio.now();
    let id = NodeId::from(request.id.as_str());
    let (since, until) = bounds(request.range);
    let proof = |name: String| {
        let id = id.clone();
        studio.ask(move |workspace| workspace.read(|r| evidence(r, &id, &name, since, until)))
    };
    // A service's spans name it themselves, so its journeys are read beside its figures; others go by what the map calls them.
    let beside = async {
        match id.kind() {
            NodeKind::Service => Some(proof(String::new()).await),
            _ => None,
        }
    };
    let of = id.clone();
    let (detail, proven) =
        tokio::join!(studio.ask(move |workspace| known_of(workspace, &inner.views, &of, request.range, now)), beside);
    let mut detail = detail?.ok_or_else(|| not_found(&format!("`{id}`")))?;
    let proven = match proven {
        Some(proven) => proven?,
        None => proof(detail.node.name.clone()).await?,
    };
    (detail.failures, detail.versions, detail.instances) = proven;
    Ok(detail)
}

/// What figures and settings tell of a participant.
fn known_of(
    workspace: &Workspace,
    views: &Views,
    id: &NodeId,
    range: Range,
    now: Nanos,
) -> Result<Option<NodeDetail>, WorkspaceError> {
    let scene = scene(workspace, range, None, now)?;
    let view = views.once(&scene, &Wishes::open());
    let Some(node) = view.nodes.into_iter().find(|n| n.id == id.as_str()) else { return Ok(None) };
    let (since, until) = bounds(range);
    let filter = match id.kind() {
        NodeKind::Service => SeriesFilter::OperationsOf(id.clone()),
        _ => busiest_edge(&scene.graph, id).unwrap_or_else(|| SeriesFilter::OperationsOf(id.clone())),
    };
    let timeline = timeline(workspace, &filter, since, until)?;
    let connections = connections(&scene, id);
    let is_end = |end: &NodeId| scene.folding.node(end).as_ref() == Some(id);
    let nearest = match connections.is_empty() {
        true => nearest(workspace, (since, until), &|_, source, target| is_end(source) || is_end(target))?,
        false => Nearest::default(),
    };
    let settings = workspace.settings();
    let owner = settings.config.owner_of(id);
    Ok(Some(NodeDetail {
        versions: Vec::new(),
        instances: 0,
        contact: owner.and_then(|o| o.contact.clone()),
        runbook: owner.and_then(|o| o.runbook.clone()),
        timeline,
        operations: operations(&scene, id),
        connections,
        failures: Vec::new(),
        node,
        nearest,
    }))
}

/// Where the nearest traffic of wanted interactions outside of a range lies.
fn nearest(
    workspace: &Workspace,
    (since, until): (Option<Nanos>, Option<Nanos>),
    wanted: &dyn Fn(InteractionKind, &NodeId, &NodeId) -> bool,
) -> Result<Nearest, WorkspaceError> {
    let of_edge = |key: &SeriesKey| key.as_edge().is_some_and(|(kind, source, target)| wanted(kind, source, target));
    Ok(around(workspace.read(|r| r.nearest_series(since, until, &of_edge))?))
}

/// Bars of the small charts; one that has only begun is left out.
fn timeline(
    workspace: &Workspace,
    filter: &SeriesFilter,
    since: Option<Nanos>,
    until: Option<Nanos>,
) -> Result<Vec<Bucket>, WorkspaceError> {
    let stats = workspace.stats()?;
    let Some(grid) = workspace.grid((since, until), &stats, TIMELINE_BUCKETS)? else {
        return Ok(Vec::new());
    };
    let grid = grid.finished(stats.newest);
    Ok(bars(workspace.read(|r| r.timeline(filter, Some(grid.since), Some(grid.until), grid.parts))?))
}

fn busiest_edge(graph: &Graph, id: &NodeId) -> Option<SeriesFilter> {
    let edge = graph.edges.iter().filter(|e| e.source == *id || e.target == *id).max_by_key(|e| e.stats.count)?;
    Some(SeriesFilter::Edge { source: edge.source.clone(), target: edge.target.clone(), kind: edge.kind })
}

fn operations(scene: &Scene, id: &NodeId) -> Vec<Operation> {
    let mut out: Vec<Operation> = scene
        .series
        .iter()
        .filter_map(|(sum, _)| match &sum.key {
            SeriesKey::Operation { participant, operation }
                if scene.folding.node(participant).as_ref() == Some(id) && sum.count > 0 =>
            {
                Some(Operation {
                    name: operation.clone(),
                    figures: figures(
                        &EdgeStats {
                            count: sum.count as u64,
                            errors: sum.errors.max(0) as u64,
                            p50_ms: sum.sketch.quantile(0.5).map(|n| n / 1e6),
                            p95_ms: sum.sketch.quantile(0.95).map(|n| n / 1e6),
                        },
                        scene.seconds,
                    ),
                    noise: scene.noise.has(&sum.key),
                })
            }
            _ => None,
        })
        .collect();
    out.sort_by(|a, b| b.figures.count.cmp(&a.figures.count).then_with(|| a.name.cmp(&b.name)));
    out
}

fn connections(scene: &Scene, id: &NodeId) -> Vec<Connection> {
    let graph = &scene.graph;
    let mut out: Vec<Connection> = graph
        .edges
        .iter()
        .filter(|e| e.source == *id || e.target == *id)
        .map(|e| {
            let incoming = e.target == *id;
            let other = if incoming { &e.source } else { &e.target };
            let named = graph.nodes.iter().find(|n| n.id == *other);
            Connection {
                edge: edge_id(&e.source, &e.target, e.kind),
                node: other.to_string(),
                name: named.map_or_else(|| other.name().to_owned(), |n| n.name.clone()),
                layer: layer_of(graph, other).as_str().into(),
                kind: words::node_kind(other.kind()).into(),
                interaction: e.kind.as_str().into(),
                incoming,
                figures: figures(&e.stats, scene.seconds),
            }
        })
        .collect();
    out.sort_by(|a, b| b.figures.count.cmp(&a.figures.count).then_with(|| a.edge.cmp(&b.edge)));
    out
}

/// Newest failures, versions and instances of a participant, from its newest journeys.
fn evidence(
    reader: &Reader,
    id: &NodeId,
    name: &str,
    since: Option<i64>,
    until: Option<i64>,
) -> Result<(Vec<FailureRow>, Vec<String>, u32), StoreError> {
    let mut filter = JourneyFilter {
        since,
        until,
        participant: Some(id.to_string()),
        state: Some(vec![JourneyState::Failed, JourneyState::Degraded]),
        limit: JOURNEYS_READ,
        rows_only: true,
        ..JourneyFilter::default()
    };
    let mut failures = Vec::new();
    for journey in reader.journeys(&filter)?.rows {
        // The newest come first: what is behind those would not be shown.
        if failures.len() >= FAILURES {
            break;
        }
        for trace in reader.traces_of_journey(journey.id)?.into_iter().take(20) {
            let facts = match id.kind() {
                NodeKind::Service => reader.facts_of_service(trace, id)?,
                _ => reader.trace_facts(trace)?,
            };
            failures.extend(facts.iter().filter(|f| concerns(f, id, name) && f.is_error()).map(|f| FailureRow {
                at: to_ms(f.start),
                title: failure_title(f),
                detail: f.error.as_ref().and_then(|e| e.message.clone().or_else(|| e.kind.clone())),
                journey: Some(journey.id.to_string()),
                span_id: Some(f.span_id.to_string()),
            }));
        }
    }
    failures.sort_by(|a, b| b.at.total_cmp(&a.at));
    failures.truncate(FAILURES);

    (filter.state, filter.limit) = (None, VERSIONS_READ);
    let (mut versions, mut instances) = (BTreeSet::new(), BTreeSet::new());
    for journey in reader.journeys(&filter)?.rows {
        for trace in reader.traces_of_journey(journey.id)?.into_iter().take(8) {
            for resource in reader.resources_of_trace(trace)?.iter().filter(|r| r.node_id() == *id) {
                versions.extend(resource.version.clone());
                instances.extend(resource.instance.clone());
            }
        }
    }
    Ok((failures, versions.into_iter().collect(), instances.len() as u32))
}

/// Whether a span is work of this participant: its own, or a call to it where it sends nothing itself.
fn concerns(facts: &SpanFacts, id: &NodeId, name: &str) -> bool {
    use flowglass_model::Role;
    if id.kind() == NodeKind::Service {
        return facts.service == *id;
    }
    match &facts.role {
        Role::Access { backend } => backend == id,
        Role::Client { peer } => peer.host.as_deref() == Some(name) || peer.service.as_deref() == Some(name),
        Role::Send { topic, .. } | Role::Process { topic, .. } | Role::Receive { topic, .. } => {
            topic.body() == id.body()
        }
        _ => false,
    }
}

fn failure_title(facts: &SpanFacts) -> String {
    match facts.http_status {
        Some(status) => format!("{} returned {status}", facts.operation),
        None => format!("{} failed", facts.operation),
    }
}

/// See [`EdgeDetail`].
pub(crate) async fn edge(studio: &Studio, request: EdgeRequest) -> Result<EdgeDetail, ApiError> {
    let inner = studio.0.clone();
    let now = studio.now();
    let what = format!("{} → {}", request.source, request.target);
    let detail = studio.ask(move |workspace| {
        let scene = scene(workspace, request.range, None, now)?;
        let view = inner.views.once(&scene, &Wishes::open());
        let wanted =
            |e: &&crate::api::Edge| e.source == request.source && e.target == request.target && e.kind == request.kind;
        let Some(edge) = view.edges.iter().find(wanted).cloned() else { return Ok(None) };
        let name = |id: &str| view.nodes.iter().find(|n| n.id == id).map_or(id.to_owned(), |n| n.name.clone());
        let (since, until) = bounds(request.range);
        let (source, target) = (NodeId::from(request.source.as_str()), NodeId::from(request.target.as_str()));
        let kind = [InteractionKind::Call, InteractionKind::Publish, InteractionKind::Consume, InteractionKind::Access]
            .into_iter()
            .find(|k| k.as_str() == request.kind)
            .unwrap_or(InteractionKind::Call);
        let filter = SeriesFilter::Edge { source: source.clone(), target: target.clone(), kind };
        let timeline = timeline(workspace, &filter, since, until)?;
        let page = workspace.read(|r| {
            let filter_both = JourneyFilter {
                since,
                until,
                participant: Some(if target.kind() == NodeKind::Service { &target } else { &source }.to_string()),
                limit: 200,
                rows_only: true,
                ..JourneyFilter::default()
            };
            r.journeys(&filter_both)
        })?;
        let services: Vec<&NodeId> = [&source, &target].into_iter().filter(|n| n.kind() == NodeKind::Service).collect();
        let journeys: Vec<_> = page
            .rows
            .into_iter()
            .filter(|j| services.iter().all(|s| j.participants.contains(s)))
            .take(20)
            .map(|j| journey_row(j, &scene.graph))
            .collect();
        let is = |end: &NodeId, wanted: &NodeId| scene.folding.node(end).as_ref() == Some(wanted);
        let nearest = match journeys.is_empty() {
            true => {
                nearest(workspace, (since, until), &|of, from, to| of == kind && is(from, &source) && is(to, &target))?
            }
            false => Nearest::default(),
        };
        Ok(Some(EdgeDetail {
            nearest,
            source_name: name(&request.source),
            target_name: name(&request.target),
            edge,
            timeline,
            journeys,
        }))
    });
    detail.await?.ok_or_else(|| not_found(&format!("`{what}`")))
}

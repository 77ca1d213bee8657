//! Kinds of journeys, and journeys as points.

use std::collections::HashSet;

use flowglass_journey::kinds::{Kind, KindFigures, Shape, kinds as kinds_of};
use flowglass_model::filter::{Field, Filter, Pattern, Term, Test, View};
use flowglass_model::{Graph, JourneySummary, Nanos, NodeId, NodeKind};
use flowglass_store::JourneyFilter;

use super::query::{parsed, places};
use super::{bad_request, bounds, seconds_with_data};
use crate::api::{
    ApiError, KindFiguresView, KindView, KindsRequest, KindsView, Percentiles, Range, Scatter, ScatterPoint,
    ScatterRequest, ShapeView, to_ms,
};
use crate::views::layer_of;
use crate::workspace::{Workspace, WorkspaceError};
use crate::{Studio, words};

/// Newest journeys looked at.
const READ: usize = 20_000;
/// Parts over time.
const PARTS: usize = 24;
/// Shapes told of each kind.
const SHAPES: usize = 12;
/// Points that do not cover each other: cells over time and over the logarithm of the duration.
const CELLS: (usize, usize) = (200, 80);

/// See [`KindsView`].
pub(crate) async fn kinds(studio: &Studio, request: KindsRequest) -> Result<KindsView, ApiError> {
    let filter = parsed(request.filter.as_deref(), View::Journeys)?;
    let answer = studio.ask(move |workspace| {
        let (rows, total) = journeys(workspace, request.range, filter, request.noise)?;
        let graph = workspace.graph(None, None, None)?;
        let Some((since, until)) = extent(&rows, request.range) else {
            return Ok(KindsView { kinds: vec![], total, read: 0, from_at: None, to_at: None });
        };
        let read = rows.len() as u64;
        // When not all were looked at, the rest of the range says nothing of them.
        let seconds = match read < total {
            true => (until - since) as f64 / 1e9,
            false => seconds_with_data(workspace, request.range)?.unwrap_or(1.0),
        };
        let kinds = kinds_of(&rows, since, until, PARTS);
        let part = seconds.min((until - since) as f64 / 1e9) / PARTS as f64;
        let kinds = kinds.into_iter().map(|kind| kind_view(kind, &graph, seconds, part)).collect();
        Ok(KindsView { kinds, total, read, from_at: Some(to_ms(since)), to_at: Some(to_ms(until)) })
    });
    Ok(answer.await?)
}

/// See [`Scatter`].
pub(crate) async fn scatter(studio: &Studio, request: ScatterRequest) -> Result<Scatter, ApiError> {
    let filter = parsed(request.filter.as_deref(), View::Journeys)?;
    let by: fn(&JourneySummary) -> Option<i64> = match request.by.as_str() {
        "settled" => |j| j.settled,
        "response" => |j| j.response,
        other => {
            return Err(bad_request(format!("`{other}` is no duration of a journey; ask for settled or response")));
        }
    };
    let answer = studio.ask(move |workspace| {
        let (rows, total) = journeys(workspace, request.range, filter, request.noise)?;
        let read = rows.len() as u64;
        let open = rows.iter().filter(|j| by(j).is_none()).count() as u64;
        let Some((since, until)) = extent(&rows, request.range) else {
            return Ok(Scatter { points: vec![], total, read, open });
        };
        let times = rows.iter().filter_map(by).map(|n| (n.max(1) as f64).ln());
        let (low, high) = times.fold((f64::MAX, f64::MIN), |(low, high), t| (low.min(t), high.max(t)));
        let cell = |share: f64, cells: usize| ((share * cells as f64) as usize).min(cells - 1);
        let mut taken = HashSet::new();
        let mut points = Vec::new();
        for j in &rows {
            let Some(nanos) = by(j) else { continue };
            let x = cell((j.start - since) as f64 / (until - since) as f64, CELLS.0);
            let y = cell(((nanos.max(1) as f64).ln() - low) / (high - low).max(1e-9), CELLS.1);
            if taken.insert((x, y, words::journey_state(j.state))) {
                points.push(ScatterPoint {
                    id: j.id.to_string(),
                    at: to_ms(j.start),
                    ms: nanos as f64 / 1e6,
                    state: words::journey_state(j.state).into(),
                    root: j.root.clone(),
                });
            }
        }
        points.reverse();
        Ok(Scatter { points, total, read, open })
    });
    Ok(answer.await?)
}

/// The newest journeys that match, and how many do.
fn journeys(
    workspace: &Workspace,
    range: Range,
    filter: Filter,
    noise: bool,
) -> Result<(Vec<JourneySummary>, u64), WorkspaceError> {
    let (since, until) = bounds(range);
    let places = places(workspace, &filter)?;
    let noise = if noise { Vec::new() } else { workspace.settings().config.noise.clone() };
    let question = JourneyFilter { since, until, filter, places, noise, limit: READ, ..JourneyFilter::default() };
    let page = workspace.journeys(&question)?;
    Ok((page.rows, page.total))
}

/// The time that the journeys span, within the range asked for.
fn extent(rows: &[JourneySummary], range: Range) -> Option<(Nanos, Nanos)> {
    let starts = || rows.iter().map(|j| j.start);
    let (first, last) = (starts().min()?, starts().max()?);
    let (since, until) = bounds(range);
    Some((since.map_or(first, |t| t.max(first)), until.map_or(last + 1, |t| t.min(last + 1))))
}

fn figures(f: &KindFigures, seconds: f64) -> KindFiguresView {
    let times = |t: Option<[i64; 3]>| {
        t.map(|[p50, p95, p99]| {
            let ms = |n: i64| n as f64 / 1e6;
            Percentiles { p50_ms: ms(p50), p95_ms: ms(p95), p99_ms: ms(p99) }
        })
    };
    KindFiguresView {
        count: f.count,
        rate: f.count as f64 / seconds.max(1e-3),
        failed: f.failed,
        degraded: f.degraded,
        response: times(f.response),
        settled: times(f.settled),
    }
}

fn kind_view(kind: Kind, graph: &Graph, seconds: f64, part: f64) -> KindView {
    let service = kind.service.name().to_owned();
    let operation = kind.root.strip_prefix(&service).map_or(kind.root.as_str(), str::trim).to_owned();
    let root = Filter { terms: vec![is(Field::Operation, &kind.root)] };
    let shape = |shape: &Shape| {
        let mut filter = root.clone();
        filter.terms.extend(shape.with.iter().map(took_part));
        filter.terms.extend(shape.without.iter().map(|who| Term { negated: true, ..took_part(who) }));
        ShapeView {
            with: shape.with.iter().map(|n| n.name().to_owned()).collect(),
            without: shape.without.iter().map(|n| n.name().to_owned()).collect(),
            filter: filter.to_string(),
            figures: figures(&shape.figures, seconds),
        }
    };
    KindView {
        layer: layer_of(graph, &kind.service).as_str().into(),
        service,
        operation,
        filter: root.to_string(),
        figures: figures(&kind.figures, seconds),
        over_time: kind.over_time.iter().map(|f| figures(f, part)).collect(),
        shapes: kind.shapes.iter().take(SHAPES).map(shape).collect(),
        more_shapes: kind.shapes.len().saturating_sub(SHAPES) as u32,
    }
}

fn is(field: Field, value: &str) -> Term {
    Term { negated: false, test: Test::Is(field, vec![Pattern::whole(value)]), at: 0..0 }
}

fn took_part(who: &NodeId) -> Term {
    match who.kind() {
        NodeKind::Topic => is(Field::Subject, who.name()),
        _ => is(Field::Service, who.name()),
    }
}

/// The expression that finds journeys that began as this one did.
pub(super) fn began_like(j: &JourneySummary) -> Filter {
    Filter { terms: vec![is(Field::Operation, &j.root)] }
}

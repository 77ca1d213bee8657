use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::{Graph, InteractionKind, NodeId, NodeKind, SeriesKey, Sketch};

use super::events::{consumers_of, group_services};
use super::{around, bounds, seconds_with_data};
use crate::Studio;
use crate::api::{ApiError, ConsumerRow, DestinationRow, Destinations, DestinationsRequest, Range, to_ms};
use crate::stitch::is_dead_letter;
use crate::views::SPARK_BUCKETS;
use crate::workspace::{Workspace, WorkspaceError};

/// See [`Destinations`].
pub(crate) async fn destinations(studio: &Studio, request: DestinationsRequest) -> Result<Destinations, ApiError> {
    let answer = studio.ask(move |workspace| {
        let (since, until) = bounds(request.range);
        let rows = rows_of(workspace, request.range)?;
        let seconds = seconds_with_data(workspace, request.range)?;
        let seen: BTreeSet<&str> = rows.iter().filter(|r| !r.spans_only).map(|r| r.system.as_str()).collect();
        let spans_only: BTreeSet<String> =
            rows.iter().filter(|r| !seen.contains(r.system.as_str())).map(|r| r.system.clone()).collect();
        let rate = seconds.map(|s| rows.iter().map(|r| r.publications).sum::<u64>() as f64 / s);
        let nearest = match rows.is_empty() {
            true => around(workspace.read(|r| r.nearest_series(since, until, &is_messaging))?),
            false => Default::default(),
        };
        Ok(Destinations { rows, spans_only_systems: spans_only.into_iter().collect(), rate, nearest })
    });
    Ok(answer.await?)
}

/// Destinations of a range, by stream, then name.
pub(super) fn rows_of(workspace: &Workspace, range: Range) -> Result<Vec<DestinationRow>, WorkspaceError> {
    let (since, until) = bounds(range);
    let stored = workspace.read(|r| r.destinations(since, until))?;
    let series = workspace.sparked(since, until, SPARK_BUCKETS)?;
    let graph = workspace.graph(since, until, None)?;
    let seconds = seconds_with_data(workspace, range)?;
    let services = group_services(workspace)?;
    let mut rows = Vec::new();
    for topic in graph.nodes.iter().filter(|n| n.kind == NodeKind::Topic) {
        let body = topic.id.body();
        let known = stored.iter().find(|d| format!("{}/{}", d.system, d.destination) == body);
        let published = graph.edges.iter().filter(|e| e.kind == InteractionKind::Publish && e.target == topic.id);
        let by_spans: u64 = published.map(|e| e.stats.count).sum();
        let publications = known.map_or(by_spans, |k| k.publications.max(by_spans));
        rows.push(DestinationRow {
            id: body.to_owned(),
            node: topic.id.to_string(),
            system: topic.id.system().unwrap_or_default().to_owned(),
            name: topic.name.clone(),
            stream: known.and_then(|k| k.streams.first().cloned()),
            publications,
            rate: seconds.map(|s| publications as f64 / s),
            consumers: consumers(body, known, &series, &graph, &services),
            redeliveries: known.map_or(0, |k| k.consumers.iter().map(|c| c.redeliveries).sum()),
            dead_lettered: known.map_or(0, |k| k.consumers.iter().map(|c| c.terms).sum()),
            is_dead_letter: is_dead_letter(&topic.name),
            spans_only: known.is_none(),
            spark: spark(body, &series),
            last_at: known.and_then(|k| k.last).map(to_ms),
        });
    }
    rows.sort_by(|a, b| (&a.stream, &a.name).cmp(&(&b.stream, &b.name)));
    Ok(rows)
}

/// Whether a figure is about a destination.
fn is_messaging(key: &SeriesKey) -> bool {
    match key {
        SeriesKey::Edge { kind, .. } => matches!(kind, InteractionKind::Publish | InteractionKind::Consume),
        SeriesKey::Delivered { .. } => true,
        _ => false,
    }
}

fn spark(body: &str, series: &[crate::views::SparkedSeries]) -> Vec<f64> {
    let mut out = vec![0.0; SPARK_BUCKETS];
    for (sum, parts) in series {
        let SeriesKey::Edge { kind: InteractionKind::Publish, target, .. } = &sum.key else { continue };
        if target.body() == body {
            out.iter_mut().zip(parts).for_each(|(slot, (count, _))| *slot += *count as f64);
        }
    }
    out
}

fn consumers(
    body: &str,
    known: Option<&flowglass_store::DestinationRow>,
    series: &[crate::views::SparkedSeries],
    graph: &Graph,
    services: &BTreeMap<(String, String), NodeId>,
) -> Vec<ConsumerRow> {
    let name = body.split_once('/').map_or(body, |(_, n)| n);
    let times = |service: &NodeId| {
        let mut sketch = Sketch::default();
        for (sum, _) in series {
            if let SeriesKey::Operation { participant, operation } = &sum.key
                && participant == service
                && operation.contains(name)
            {
                sketch.merge(&sum.sketch);
            }
        }
        (sketch.quantile(0.5).map(|n| n / 1e6), sketch.quantile(0.95).map(|n| n / 1e6))
    };
    let mut rows: Vec<ConsumerRow> = Vec::new();
    for c in known.map(|k| k.consumers.as_slice()).unwrap_or_default() {
        let participant = services.get(&(body.to_owned(), c.consumer.clone()));
        let (p50_ms, p95_ms) = participant.map(&times).unwrap_or_default();
        rows.push(ConsumerRow {
            name: c.consumer.clone(),
            participant: participant.map(|p| p.to_string()),
            deliveries: c.deliveries,
            redeliveries: c.redeliveries,
            naks: c.naks,
            p50_ms,
            p95_ms,
        });
    }
    for edge in consumers_of(graph, body) {
        if rows.iter().any(|r| r.participant.as_deref() == Some(edge.target.as_str()) || r.name == edge.target.name()) {
            continue;
        }
        let (p50_ms, p95_ms) = times(&edge.target);
        rows.push(ConsumerRow {
            name: edge.target.name().to_owned(),
            participant: Some(edge.target.to_string()),
            deliveries: edge.stats.count,
            redeliveries: 0,
            naks: 0,
            p50_ms,
            p95_ms,
        });
    }
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    rows
}

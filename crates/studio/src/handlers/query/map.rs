use flowglass_model::filter::{Comparison, Field, Filter, Place, Test, View, participant_is};
use flowglass_model::{EdgeStats, Graph, GraphEdge, GraphNode, NodeId, SeriesKey, SeriesSum};
use flowglass_topology::Folding;

use super::parsed;
use crate::Studio;
use crate::api::{ApiError, MapMatches, MapMatchesRequest};
use crate::handlers::bounds;
use crate::views::{edge_id, health};

/// See [`MapMatches`].
pub(crate) async fn map_matches(studio: &Studio, request: MapMatchesRequest) -> Result<MapMatches, ApiError> {
    let filter = parsed(Some(&request.filter), View::Map)?;
    let answer = studio.ask(move |workspace| {
        let (since, until) = bounds(request.range);
        let graph = workspace.graph(since, until, request.environment.as_deref())?;
        let sums = workspace.read(|r| r.series(since, until))?;
        let folding = Folding::new(&sums, &workspace.settings().config);
        Ok(matches(&filter, &graph, &sums, &folding))
    });
    Ok(answer.await?)
}

/// Participants that pass, and interactions that pass: an interaction is of a participant when either end is.
fn matches(filter: &Filter, graph: &Graph, sums: &[SeriesSum], folding: &Folding) -> MapMatches {
    let node = |id: &NodeId| graph.nodes.iter().find(|n| n.id == *id);
    let node_passes = |n: &&GraphNode| filter.holds(|_, test| node_has(test, n, sums, folding));
    let edge_has = |e: &GraphEdge, test: &Test| {
        of_figures(test, &e.stats).unwrap_or_else(|| {
            [&e.source, &e.target].into_iter().filter_map(node).any(|n| node_has(test, n, sums, folding))
        })
    };
    let edge_passes = |e: &&GraphEdge| filter.holds(|_, test| edge_has(e, test));
    MapMatches {
        nodes: graph.nodes.iter().filter(node_passes).map(|n| n.id.to_string()).collect(),
        edges: graph.edges.iter().filter(edge_passes).map(|e| edge_id(&e.source, &e.target, e.kind)).collect(),
    }
}

/// What figures alone decide: state and 95th percentile.
fn of_figures(test: &Test, stats: &EdgeStats) -> Option<bool> {
    match test {
        Test::Is(Field::State, values) => {
            let state = match health(stats) {
                "failing" => "failed",
                "degraded" => "degraded",
                "healthy" => "ok",
                _ => return Some(false),
            };
            Some(values.iter().any(|v| v.matches(state)))
        }
        Test::Compare(Field::Duration, comparison, to) => Some(slower(*comparison, *to, stats)),
        _ => None,
    }
}

fn slower(comparison: Comparison, to: i64, stats: &EdgeStats) -> bool {
    stats.p95_ms.is_some_and(|ms| comparison.holds((ms * 1e6) as i64, to))
}

fn node_has(test: &Test, n: &GraphNode, sums: &[SeriesSum], folding: &Folding) -> bool {
    if let Some(decided) = of_figures(test, &n.stats) {
        return decided;
    }
    match test {
        Test::Words(word) => {
            word.occurs_in(&n.name)
                || word.occurs_in(n.id.as_str())
                || n.domain.as_deref().is_some_and(|d| word.occurs_in(d))
                || n.owner.as_deref().is_some_and(|o| word.occurs_in(o))
        }
        Test::Is(Field::Operation, values) => sums.iter().any(|sum| match &sum.key {
            SeriesKey::Operation { participant, operation } => {
                values.iter().any(|v| v.matches_folded(operation)) && folding.node(participant).as_ref() == Some(&n.id)
            }
            _ => false,
        }),
        Test::Is(field, values) => {
            let place = Place {
                layer: Some(n.layer),
                domain: n.domain.clone(),
                owner: n.owner.clone(),
                alias: Some(n.name.clone()),
            };
            participant_is(field, values, &n.id, Some(&place)).unwrap_or(false)
        }
        Test::Compare(..) => false,
    }
}

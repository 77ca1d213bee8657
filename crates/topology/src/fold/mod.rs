//! Summed series to the map.

mod consumers;
mod figures;
mod identity;
mod noise;

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::{
    Config, EdgeStats, Graph, GraphEdge, GraphNode, InteractionKind, NodeId, NodeKind, SeriesKey, SeriesSum,
    Unresolved, UnresolvedReason,
};

use crate::layers::{Classified, classify};
pub(crate) use figures::Figures;

pub use identity::Folding;
pub use noise::{Noise, folded_by};

type EdgeKey = (NodeId, NodeId, InteractionKind);

/// The map of a range: participants merged and named as the configuration says, with layers and figures. With an environment, only
/// those that live in it, and those without one that are connected to them. Does not depend on the order of the series.
pub fn graph(sums: &[SeriesSum], config: &Config, environment: Option<&str>) -> Graph {
    graph_of(&Folding::new(sums, config), sums, config, environment)
}

/// The same with names that are known already: those of more series than are drawn, where some are left out as noise.
pub fn graph_of(folding: &Folding, sums: &[SeriesSum], config: &Config, environment: Option<&str>) -> Graph {
    let mut edges = edges(sums, folding);
    for extra in consumers::deliveries_without_spans(sums, folding) {
        edges.entry(extra.key).or_default().count += extra.count;
    }
    let handled = handled(sums, folding);
    let unresolved = unresolved(sums, folding);
    let mut nodes: BTreeSet<NodeId> = edges.keys().flat_map(|(s, t, _)| [s.clone(), t.clone()]).collect();
    nodes.extend(handled.keys().cloned());
    nodes.extend(unresolved.iter().map(|u| u.participant.clone()));
    if let Some(environment) = environment {
        keep_environment(environment, &mut nodes, &mut edges);
    }
    let edges: Vec<GraphEdge> = edges
        .into_iter()
        .map(|((source, target, kind), figures)| GraphEdge { source, target, kind, stats: figures.stats() })
        .collect();
    let unresolved = unresolved.into_iter().filter(|u| nodes.contains(&u.participant)).collect();
    let ids: Vec<NodeId> = nodes.into_iter().collect();
    let layers = classify(&ids, &edges, &declared(sums, folding), config);
    let touching = touching(sums, folding);
    let nodes = ids
        .into_iter()
        .filter_map(|id| layers.get(&id).map(|c| node(&id, c, &handled, &touching, folding, config)))
        .collect();
    Graph { nodes, edges, unresolved }
}

fn edges(sums: &[SeriesSum], folding: &Folding) -> BTreeMap<EdgeKey, Figures> {
    let mut out: BTreeMap<EdgeKey, Figures> = BTreeMap::new();
    for sum in sums {
        let Some((kind, source, target)) = sum.key.as_edge() else { continue };
        let (Some(source), Some(target)) = (folding.node(source), folding.node(target)) else { continue };
        out.entry((source, target, kind)).or_default().add(sum);
    }
    out.retain(|_, figures| figures.count > 0);
    out
}

/// What each participant handled, by its operations.
fn handled(sums: &[SeriesSum], folding: &Folding) -> BTreeMap<NodeId, Figures> {
    let mut out: BTreeMap<NodeId, Figures> = BTreeMap::new();
    for sum in sums {
        let SeriesKey::Operation { participant, .. } = &sum.key else { continue };
        if let Some(id) = folding.node(participant) {
            out.entry(id).or_default().add(sum);
        }
    }
    out.retain(|_, figures| figures.count > 0);
    out
}

/// What was exchanged with each participant, by its edges; of services only what came in.
fn touching(sums: &[SeriesSum], folding: &Folding) -> BTreeMap<NodeId, Figures> {
    let mut out: BTreeMap<NodeId, Figures> = BTreeMap::new();
    for sum in sums {
        let Some((_, source, target)) = sum.key.as_edge() else { continue };
        let (Some(source), Some(target)) = (folding.node(source), folding.node(target)) else { continue };
        if source.kind() != NodeKind::Service && source != target {
            out.entry(source).or_default().add(sum);
        }
        out.entry(target).or_default().add(sum);
    }
    out
}

fn declared(sums: &[SeriesSum], folding: &Folding) -> BTreeMap<NodeId, String> {
    let mut counted: BTreeMap<NodeId, BTreeMap<&str, i64>> = BTreeMap::new();
    for sum in sums {
        let SeriesKey::Declared { participant, layer } = &sum.key else { continue };
        if let Some(id) = folding.node(participant) {
            *counted.entry(id).or_default().entry(layer).or_default() += sum.count;
        }
    }
    let mut out = BTreeMap::new();
    for (id, words) in counted {
        if let Some((word, _)) = words.into_iter().max_by_key(|(word, n)| (*n, std::cmp::Reverse(*word))) {
            out.insert(id, word.to_owned());
        }
    }
    out
}

fn unresolved(sums: &[SeriesSum], folding: &Folding) -> Vec<Unresolved> {
    let mut counted: BTreeMap<(NodeId, UnresolvedReason), i64> = BTreeMap::new();
    for sum in sums {
        let (participant, reason) = match &sum.key {
            SeriesKey::Unresolved { participant, reason } => (participant, *reason),
            SeriesKey::Edge { source, target, .. } if folding.node(target).is_none() => {
                (source, UnresolvedReason::PeerIsAddress)
            }
            _ => continue,
        };
        if let Some(id) = folding.node(participant) {
            *counted.entry((id, reason)).or_default() += sum.count;
        }
    }
    counted
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|((participant, reason), count)| Unresolved { participant, reason, count: count.unsigned_abs() })
        .collect()
}

/// Keeps what lives in an environment, and what has none but is connected to that.
fn keep_environment(environment: &str, nodes: &mut BTreeSet<NodeId>, edges: &mut BTreeMap<EdgeKey, Figures>) {
    let inside = |id: &NodeId| id.environment() == Some(environment);
    let fits = |id: &NodeId| inside(id) || id.environment().is_none();
    edges.retain(|(s, t, _), _| fits(s) && fits(t) && (inside(s) || inside(t)));
    let connected: BTreeSet<NodeId> = edges.keys().flat_map(|(s, t, _)| [s.clone(), t.clone()]).collect();
    nodes.retain(|id| inside(id) || connected.contains(id));
}

fn node(
    id: &NodeId,
    layer: &Classified,
    handled: &BTreeMap<NodeId, Figures>,
    touching: &BTreeMap<NodeId, Figures>,
    folding: &Folding,
    config: &Config,
) -> GraphNode {
    let figures = handled.get(id).or_else(|| touching.get(id));
    GraphNode {
        id: id.clone(),
        name: folding.title(id).to_owned(),
        kind: id.kind(),
        environment: id.environment().map(str::to_owned),
        layer: layer.layer,
        layer_reason: layer.reason.clone(),
        layer_source: layer.source,
        domain: config.domain_of(id).or(id.namespace()).map(str::to_owned),
        owner: config.owner_of(id).map(|o| o.owner.clone()),
        stats: figures.map_or_else(EdgeStats::default, Figures::stats),
        instrumented: folding.is_instrumented(id),
    }
}

//! Domains folded into one card per layer.

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::{EdgeStats, Graph, GraphEdge, GraphNode, InteractionKind, Layer, NodeId, NodeKind};

use super::figures::is_failing;
use crate::api::Domain;

/// Above this many participants every domain is folded, unless the reader says otherwise.
const ALL_OPEN: usize = 300;
/// A card for fewer would only hide a name.
const LEAST: usize = 2;

/// A map on which some domains are folded.
pub(crate) struct Grouped {
    /// The map to draw.
    pub(crate) graph: Graph,
    /// Who is behind a card, by its id.
    pub(crate) members: BTreeMap<NodeId, Vec<GraphNode>>,
    /// All domains of the map.
    pub(crate) domains: Vec<Domain>,
}

/// Folds the `wanted` domains (`None`: all of them, once the map is too large to read). Participants in `keep`, the ends of failing
/// interactions and topics are never folded away.
pub(crate) fn fold(graph: &Graph, wanted: Option<&[String]>, keep: &[String]) -> Grouped {
    let folds = |domain: &str| match wanted {
        Some(list) => list.iter().any(|d| d == domain),
        None => graph.nodes.len() > ALL_OPEN,
    };
    let open: BTreeSet<&NodeId> = graph
        .edges
        .iter()
        .filter(|e| is_failing(&e.stats))
        .flat_map(|e| [&e.source, &e.target])
        .chain(graph.nodes.iter().filter(|n| is_failing(&n.stats)).map(|n| &n.id))
        .collect();
    let mut counted: BTreeMap<&str, u32> = BTreeMap::new();
    let mut members: BTreeMap<NodeId, Vec<GraphNode>> = BTreeMap::new();
    for node in graph.nodes.iter().filter(|n| n.kind != NodeKind::Topic) {
        let Some(domain) = node.domain.as_deref() else { continue };
        *counted.entry(domain).or_default() += 1;
        if folds(domain) && !open.contains(&node.id) && !keep.iter().any(|id| id == node.id.as_str()) {
            members.entry(group_id(node.layer, domain)).or_default().push(node.clone());
        }
    }
    members.retain(|_, list| list.len() >= LEAST);
    let domains = counted
        .into_iter()
        .filter(|(_, nodes)| *nodes as usize >= LEAST)
        .map(|(name, nodes)| Domain { name: name.to_owned(), nodes, folded: folds(name) })
        .collect();
    Grouped { graph: folded(graph, &members), members, domains }
}

fn group_id(layer: Layer, domain: &str) -> NodeId {
    NodeId::from(format!("group:{}/{domain}", layer.as_str()))
}

fn folded(graph: &Graph, members: &BTreeMap<NodeId, Vec<GraphNode>>) -> Graph {
    if members.is_empty() {
        return graph.clone();
    }
    let card: BTreeMap<&NodeId, &NodeId> =
        members.iter().flat_map(|(group, list)| list.iter().map(move |n| (&n.id, group))).collect();
    let shown = |id: &NodeId| card.get(id).map_or_else(|| id.clone(), |group| (*group).clone());
    let mut nodes: Vec<GraphNode> = graph.nodes.iter().filter(|n| !card.contains_key(&n.id)).cloned().collect();
    nodes.extend(members.iter().filter_map(|(id, list)| group(id, list)));
    nodes.sort_by(|a, b| a.id.cmp(&b.id));
    let mut edges: BTreeMap<(NodeId, NodeId, InteractionKind), (EdgeStats, u32)> = BTreeMap::new();
    for edge in &graph.edges {
        let (source, target) = (shown(&edge.source), shown(&edge.target));
        if source == target && edge.source != edge.target {
            continue;
        }
        let slot = edges.entry((source, target, edge.kind)).or_default();
        slot.0 = if slot.1 == 0 { edge.stats } else { added(&slot.0, &edge.stats) };
        slot.1 += 1;
    }
    let edges = edges
        .into_iter()
        .map(|((source, target, kind), (stats, _))| GraphEdge { source, target, kind, stats })
        .collect();
    Graph { nodes, edges, unresolved: graph.unresolved.clone() }
}

/// Counts add up; percentiles of different participants do not.
fn added(a: &EdgeStats, b: &EdgeStats) -> EdgeStats {
    EdgeStats { count: a.count + b.count, errors: a.errors + b.errors, p50_ms: None, p95_ms: None }
}

fn group(id: &NodeId, members: &[GraphNode]) -> Option<GraphNode> {
    let first = members.first()?;
    let stats = members[1..].iter().fold(first.stats, |sum, n| added(&sum, &n.stats));
    let one = |of: fn(&GraphNode) -> &Option<String>| {
        members.iter().all(|n| of(n) == of(first)).then(|| of(first).clone()).flatten()
    };
    Some(GraphNode {
        id: id.clone(),
        name: first.domain.clone().unwrap_or_default(),
        kind: NodeKind::Service,
        environment: one(|n| &n.environment),
        layer: first.layer,
        layer_reason: format!("{} participants of this domain and layer", members.len()),
        layer_source: first.layer_source,
        domain: first.domain.clone(),
        owner: one(|n| &n.owner),
        stats,
        instrumented: true,
    })
}

#[cfg(test)]
mod tests {
    use flowglass_model::LayerSource;

    use super::*;

    fn node(name: &str, layer: Layer, domain: &str, count: u64, errors: u64) -> GraphNode {
        let id = NodeId::from(format!("service:{domain}/{name}"));
        GraphNode {
            name: name.into(),
            kind: id.kind(),
            environment: None,
            layer,
            layer_reason: String::new(),
            layer_source: LayerSource::Name,
            domain: Some(domain.into()),
            owner: None,
            stats: EdgeStats { count, errors, p50_ms: Some(1.0), p95_ms: Some(2.0) },
            instrumented: true,
            id,
        }
    }

    fn sample() -> Graph {
        let edge = |source: &str, target: &str, errors| GraphEdge {
            source: source.into(),
            target: target.into(),
            kind: InteractionKind::Call,
            stats: EdgeStats { count: 10, errors, p50_ms: Some(1.0), p95_ms: Some(2.0) },
        };
        Graph {
            nodes: vec![
                node("a", Layer::System, "pay", 10, 0),
                node("b", Layer::System, "pay", 20, 0),
                node("c", Layer::System, "pay", 5, 5),
                node("d", Layer::Process, "pay", 7, 0),
                node("w", Layer::Experience, "web", 1, 0),
            ],
            edges: vec![
                edge("service:pay/a", "service:pay/b", 0),
                edge("service:pay/d", "service:pay/a", 0),
                edge("service:pay/d", "service:pay/b", 0),
                edge("service:pay/d", "service:pay/c", 0),
            ],
            unresolved: Vec::new(),
        }
    }

    #[test]
    fn a_domain_becomes_one_card_per_layer_and_failures_stay_out() {
        let all = sample();
        let grouped = fold(&all, Some(&["pay".into()]), &[]);
        let names: Vec<&str> = grouped.graph.nodes.iter().map(|n| n.id.as_str()).collect();
        assert_eq!(names, ["group:system/pay", "service:pay/c", "service:pay/d", "service:web/w"]);
        let card = &grouped.graph.nodes[0];
        assert_eq!((card.stats.count, card.stats.errors, card.stats.p95_ms), (30, 0, None));
        let edges: Vec<(&str, &str, u64)> =
            grouped.graph.edges.iter().map(|e| (e.source.as_str(), e.target.as_str(), e.stats.count)).collect();
        assert_eq!(edges, [("service:pay/d", "group:system/pay", 20), ("service:pay/d", "service:pay/c", 10)]);
        assert_eq!(grouped.domains, [Domain { name: "pay".into(), nodes: 4, folded: true }]);
    }

    #[test]
    fn what_is_kept_is_pulled_out_and_nothing_is_folded_unasked() {
        let all = sample();
        let kept = fold(&all, Some(&["pay".into()]), &["service:pay/a".into()]);
        assert!(kept.members.is_empty(), "one left makes no card");
        assert_eq!(fold(&all, None, &[]).graph, all);
        assert_eq!(fold(&all, Some(&[]), &[]).graph, all);
    }
}

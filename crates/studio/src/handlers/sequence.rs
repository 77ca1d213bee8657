//! A journey as messages between participants, with their places on the map.

use std::collections::{BTreeMap, HashMap};

use flowglass_journey::sequence::sequence as sequence_of;
use flowglass_model::{Graph, InteractionKind, JourneyItem, Layer, NodeId, Role, SpanFacts};
use flowglass_topology::Folding;

use super::journeys::{fallback_layer, uids};
use super::trace_id;
use crate::api::{ApiError, Lifeline, SequenceRequest, SequenceStep, SequenceView, to_ms};
use crate::views::edge_id;
use crate::{Studio, words};

/// See [`SequenceView`].
pub(crate) async fn sequence(studio: &Studio, request: SequenceRequest) -> Result<SequenceView, ApiError> {
    let id = trace_id(&request.id)?;
    let answer = studio.ask(move |workspace| {
        let graph = workspace.graph(None, None, None)?;
        let sums = workspace.read(|r| r.series(None, None))?;
        let folding = Folding::new(&sums, &workspace.settings().config);
        let layers: BTreeMap<&NodeId, Layer> = graph.nodes.iter().map(|n| (&n.id, n.layer)).collect();
        let layer = |n: &NodeId| layers.get(n).copied().unwrap_or(fallback_layer(n));
        let (journey, rows) = workspace.journey(id, &layer)?;
        let facts = workspace.read(|r| {
            let mut facts = HashMap::new();
            for trace in &journey.traces {
                let spans = r.trace_facts(*trace)?;
                facts.extend(spans.into_iter().map(|f| ((f.trace_id, f.span_id.to_string()), f)));
            }
            Ok(facts)
        })?;
        let reaches = |item: &JourneyItem| {
            let id = other_side(facts.get(&(item.trace_id?, item.id.clone()))?)?;
            let layer = layer(&id);
            Some((id, layer))
        };
        let drawn = sequence_of(&journey, &reaches);
        let uids = uids(&journey, &rows);
        let lifelines: Vec<Lifeline> = drawn
            .lifelines
            .iter()
            .map(|(id, layer)| Lifeline {
                id: id.to_string(),
                name: id.name().to_owned(),
                layer: layer.as_str().into(),
                node: on_map(id, &graph, &folding).map(|n| n.to_string()),
            })
            .collect();
        let steps = drawn.steps.iter().map(|step| {
            let item = &journey.items[step.item];
            let node = |n: usize| drawn.lifelines.get(n).and_then(|(id, _)| on_map(id, &graph, &folding));
            SequenceStep {
                kind: step.kind.as_str().into(),
                from: step.from.map(|n| n as u32),
                to: step.to as u32,
                offset_ms: to_ms(step.at - journey.summary.start),
                duration_ms: item.duration as f64 / 1e6,
                uid: uids[step.item].clone(),
                name: item.name.clone(),
                status: words::item_status(item.status).into(),
                badge: item.badge.clone(),
                delivery: item.delivery,
                retry: item.retry,
                edge: step.from.and_then(node).zip(node(step.to)).and_then(|(from, to)| edge(&from, &to, &graph)),
            }
        });
        Ok(SequenceView { steps: steps.collect(), lifelines })
    });
    Ok(answer.await?)
}

/// What a span without anybody's answer speaks to.
fn other_side(facts: &SpanFacts) -> Option<NodeId> {
    match &facts.role {
        Role::Access { backend } => Some(backend.clone()),
        Role::Send { topic, .. } | Role::Receive { topic, .. } | Role::Process { topic, .. } => Some(topic.clone()),
        Role::Client { peer } => peer.host.as_deref().map(|host| NodeId::external(host, facts.service.environment())),
        _ => None,
    }
}

/// The node of the map that stands for a participant. Messages know no environment: the one topic of that name is meant.
fn on_map(id: &NodeId, graph: &Graph, folding: &Folding) -> Option<NodeId> {
    let shown = folding.node(id).unwrap_or_else(|| id.clone());
    let exact = graph.nodes.iter().find(|n| n.id == shown);
    let node = exact.or_else(|| graph.nodes.iter().find(|n| n.id.without_environment() == shown.without_environment()));
    node.map(|n| n.id.clone())
}

/// The interaction between two nodes, whichever way the message of it went.
fn edge(from: &NodeId, to: &NodeId, graph: &Graph) -> Option<String> {
    let between = |a: &NodeId, b: &NodeId| graph.edges.iter().find(|e| e.source == *a && e.target == *b);
    let found = between(from, to).or_else(|| between(to, from).filter(|e| e.kind != InteractionKind::Publish))?;
    Some(edge_id(&found.source, &found.target, found.kind))
}

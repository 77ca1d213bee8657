//! Layers from the place in the graph: guesses.

use std::collections::BTreeSet;

use flowglass_model::{GraphEdge, InteractionKind, Layer, LayerSource, NodeId, NodeKind};
use petgraph::Direction::{Incoming, Outgoing};
use petgraph::graphmap::DiGraphMap;

use super::Classified;

/// What surrounds each participant: who interacts with whom, and how.
pub(super) struct Places<'a>(DiGraphMap<&'a NodeId, BTreeSet<InteractionKind>>);

impl<'a> Places<'a> {
    pub(super) fn new(edges: &'a [GraphEdge]) -> Self {
        let mut graph: DiGraphMap<&NodeId, BTreeSet<InteractionKind>> = DiGraphMap::new();
        for edge in edges.iter().filter(|e| e.source != e.target) {
            match graph.edge_weight_mut(&edge.source, &edge.target) {
                Some(kinds) => {
                    kinds.insert(edge.kind);
                }
                None => {
                    graph.add_edge(&edge.source, &edge.target, BTreeSet::from([edge.kind]));
                }
            }
        }
        Places(graph)
    }

    pub(super) fn infer(&self, id: &NodeId) -> Classified {
        let (layer, reason) = match id.kind() {
            NodeKind::Backend => (Layer::Backend, "a database or other backend, seen from its callers"),
            NodeKind::External => (Layer::Backend, "a system outside, seen from its callers"),
            NodeKind::Consumer => (Layer::Consumer, "it starts requests and is called by nobody"),
            NodeKind::Topic => (Layer::Event, "a topic"),
            NodeKind::Service => self.service(id),
        };
        Classified { layer, reason: reason.to_owned(), source: LayerSource::Inferred }
    }

    fn service(&self, id: &NodeId) -> (Layer, &'static str) {
        let into = |kind| self.0.edges_directed(id, Incoming).filter(move |(.., k)| k.contains(&kind)).map(|e| e.0);
        let callers: Vec<&NodeId> = into(InteractionKind::Call).collect();
        if callers.is_empty() && into(InteractionKind::Consume).next().is_some() {
            return (Layer::Event, "entered only by messages");
        }
        let uses = |kind| self.0.neighbors_directed(id, Outgoing).any(|n| n.kind() == kind);
        let calls_service = self
            .0
            .edges_directed(id, Outgoing)
            .any(|(_, to, kinds)| to.kind() == NodeKind::Service && kinds.contains(&InteractionKind::Call));
        if (uses(NodeKind::Backend) || uses(NodeKind::External)) && !calls_service {
            return (Layer::System, "it uses backends and calls no other service");
        }
        if !callers.is_empty() && callers.iter().all(|c| c.kind() == NodeKind::Consumer) {
            return (Layer::Experience, "called only by users and automations");
        }
        (Layer::Process, "it stands between other services")
    }
}

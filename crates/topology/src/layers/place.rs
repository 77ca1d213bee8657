//! Layers from the place in the graph: guesses.

use std::collections::BTreeMap;

use flowglass_model::{GraphEdge, InteractionKind, Layer, LayerSource, NodeId, NodeKind};

use super::Classified;

#[derive(Default)]
struct Place {
    called_by_consumer: bool,
    called_by_other: bool,
    consumes: bool,
    calls_service: bool,
    uses_backend: bool,
}

/// What surrounds each service.
pub(super) struct Places<'a>(BTreeMap<&'a NodeId, Place>);

impl<'a> Places<'a> {
    pub(super) fn new(edges: &'a [GraphEdge]) -> Self {
        let mut places: BTreeMap<&NodeId, Place> = BTreeMap::new();
        for edge in edges.iter().filter(|e| e.source != e.target) {
            let target = places.entry(&edge.target).or_default();
            match edge.kind {
                InteractionKind::Call if edge.source.kind() == NodeKind::Consumer => target.called_by_consumer = true,
                InteractionKind::Call => target.called_by_other = true,
                InteractionKind::Consume => target.consumes = true,
                InteractionKind::Publish | InteractionKind::Access => {}
            }
            let source = places.entry(&edge.source).or_default();
            match edge.target.kind() {
                NodeKind::Service => source.calls_service |= edge.kind == InteractionKind::Call,
                NodeKind::Backend | NodeKind::External => source.uses_backend = true,
                NodeKind::Topic | NodeKind::Consumer => {}
            }
        }
        Places(places)
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
        let nowhere = Place::default();
        let place = self.0.get(id).unwrap_or(&nowhere);
        let called = place.called_by_consumer || place.called_by_other;
        if place.consumes && !called {
            return (Layer::Event, "entered only by messages");
        }
        if place.uses_backend && !place.calls_service {
            return (Layer::System, "it uses backends and calls no other service");
        }
        if place.called_by_consumer && !place.called_by_other {
            return (Layer::Experience, "called only by users and automations");
        }
        (Layer::Process, "it stands between other services")
    }
}

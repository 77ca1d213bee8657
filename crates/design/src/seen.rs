//! What spans show of who asked whom for what, with places to look at.

use std::collections::BTreeMap;

use flowglass_model::{Graph, InteractionKind, Nanos, NodeId, Role, SpanFacts, SpanId, TraceId};

use crate::payload::Broken;

/// Places kept of one thing.
const KEPT: usize = 5;

/// A place to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// A span.
    Span {
        /// When it began.
        at: Nanos,
        /// Its trace.
        trace: TraceId,
        /// Itself.
        span: SpanId,
    },
    /// An event.
    Event {
        /// When it was published.
        at: Nanos,
        /// Its id.
        id: String,
        /// Its row in the workspace.
        row: i64,
    },
}

/// How often something was seen, and where.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sightings {
    /// How often.
    pub count: u64,
    /// The first places.
    pub evidence: Vec<Evidence>,
}

impl Sightings {
    fn add(&mut self, facts: &SpanFacts) {
        self.count += 1;
        if self.evidence.len() < KEPT {
            self.evidence.push(Evidence::Span { at: facts.start, trace: facts.trace_id, span: facts.span_id });
        }
    }
}

/// What is held against a design.
pub struct Seen<'a> {
    /// The map of the range.
    pub graph: &'a Graph,
    /// Hosts and who answered there.
    pub addresses: &'a [(String, NodeId)],
    /// What was found in spans.
    pub observer: &'a Observer<'a>,
    /// Payloads that broke their schema, by channel.
    pub payloads: &'a BTreeMap<String, Broken>,
}

/// Names a participant by its id as spans have it; `None` for what is not drawn.
type Shown<'a> = dyn Fn(&NodeId) -> Option<NodeId> + 'a;
/// Whether an operation of a participant is noise.
type IsNoise<'a> = dyn Fn(&NodeId, &str) -> bool + 'a;

/// Reads traces one by one.
pub struct Observer<'a> {
    shown: Box<Shown<'a>>,
    is_noise: Box<IsNoise<'a>>,
    /// Interactions.
    pub edges: BTreeMap<(NodeId, NodeId, InteractionKind), Sightings>,
    /// What participants were asked for.
    pub operations: BTreeMap<(NodeId, String), Sightings>,
    /// The same by who asked.
    pub calls: BTreeMap<(NodeId, NodeId, String), Sightings>,
}

impl<'a> Observer<'a> {
    /// Begins. `shown` gives the participant on the map behind an id of a span.
    pub fn new(shown: Box<Shown<'a>>, is_noise: Box<IsNoise<'a>>) -> Observer<'a> {
        let (edges, operations, calls) = Default::default();
        Observer { shown, is_noise, edges, operations, calls }
    }

    /// Looks at a trace: all of its spans.
    pub fn trace(&mut self, spans: &[&SpanFacts]) {
        let by_id: BTreeMap<SpanId, &SpanFacts> = spans.iter().map(|s| (s.span_id, *s)).collect();
        let mut answered: Vec<SpanId> = Vec::new();
        for span in spans {
            if let (Role::Server { .. }, Some(parent)) = (&span.role, span.parent) {
                answered.push(parent);
            }
        }
        for span in spans {
            let Some(service) = (self.shown)(&span.service) else { continue };
            match &span.role {
                Role::Server { caller } => self.asked(span, &service, caller, &by_id),
                Role::Client { peer } if !answered.contains(&span.span_id) => {
                    let environment = span.service.environment();
                    let named = peer.service.as_deref().map(|name| {
                        let name = flowglass_model::ServiceName { namespace: None, name: name.to_owned() };
                        NodeId::service(&name, environment)
                    });
                    let host = peer.host.as_deref().map(|host| NodeId::external(host, environment));
                    let callees: Vec<NodeId> =
                        [named, host].into_iter().flatten().filter_map(|id| (self.shown)(&id)).collect();
                    for callee in callees {
                        self.edge(&service, &callee, InteractionKind::Call, span);
                    }
                }
                Role::Access { backend } => {
                    if let Some(backend) = (self.shown)(backend) {
                        self.edge(&service, &backend, InteractionKind::Access, span);
                    }
                }
                Role::Send { topic, .. } => {
                    if let Some(topic) = (self.shown)(topic) {
                        self.edge(&service, &topic, InteractionKind::Publish, span);
                    }
                }
                Role::Process { topic, .. } | Role::Receive { topic, .. } => {
                    if let Some(topic) = (self.shown)(topic) {
                        self.edge(&topic, &service, InteractionKind::Consume, span);
                    }
                }
                _ => {}
            }
        }
    }

    fn asked(&mut self, span: &SpanFacts, callee: &NodeId, kind: &str, by_id: &BTreeMap<SpanId, &SpanFacts>) {
        if (self.is_noise)(&span.service, &span.operation) {
            return;
        }
        let operation = span.operation.to_string();
        self.operations.entry((callee.clone(), operation.clone())).or_default().add(span);
        let parent = span.parent.and_then(|p| by_id.get(&p));
        let caller = match parent {
            Some(parent) => (self.shown)(&parent.service),
            None => (self.shown)(&NodeId::consumer(kind, span.service.environment())),
        };
        if let Some(caller) = caller.filter(|c| c != callee) {
            self.edge(&caller, callee, InteractionKind::Call, parent.copied().unwrap_or(span));
            self.calls.entry((caller, callee.clone(), operation)).or_default().add(span);
        }
    }

    fn edge(&mut self, source: &NodeId, target: &NodeId, kind: InteractionKind, span: &SpanFacts) {
        self.edges.entry((source.clone(), target.clone(), kind)).or_default().add(span);
    }
}

//! What one span adds to the series: a pure function of the facts around it.

use std::net::IpAddr;

use flowglass_model::{
    InteractionKind, LinkHow, Nanos, NodeId, Peer, Role, SeriesKey, SpanFacts, SpanKind, TraceJoin, UnresolvedReason,
};

use super::changes::{Change, Changes, Figure};
use super::gather::first_above;
use super::messaging;
use super::world::{At, World, rank};

/// Collects the changes and joins of spans.
pub(super) struct Contribution<'c> {
    changes: &'c mut Changes,
    count: i64,
    pub(super) joins: Vec<TraceJoin>,
}

impl<'c> Contribution<'c> {
    /// Collects into `changes`, `count` times what is told (+1, or -1 to take it back).
    pub(super) fn new(changes: &'c mut Changes, count: i64) -> Contribution<'c> {
        Contribution { changes, count, joins: Vec::new() }
    }

    /// The same collector that counts nothing while `tell` runs: joins are all it learns.
    pub(super) fn uncounted(&mut self, tell: impl FnOnce(&mut Self)) {
        let count = std::mem::replace(&mut self.count, 0);
        tell(self);
        self.count = count;
    }

    pub(super) fn add(&mut self, key: SeriesKey, at: Nanos, error: bool, duration: Option<i64>) {
        self.changes.add(Figure::Other(key), Change { at, error, duration, count: self.count });
    }

    pub(super) fn edge(
        &mut self,
        kind: InteractionKind,
        (source, target): (&NodeId, &NodeId),
        at: Nanos,
        error: bool,
        duration: Option<i64>,
    ) {
        let figure = Figure::Edge(kind, source.clone(), target.clone());
        self.changes.add(figure, Change { at, error, duration, count: self.count });
    }

    pub(super) fn unresolved(&mut self, facts: &SpanFacts, reason: UnresolvedReason) {
        self.add(SeriesKey::Unresolved { participant: facts.service.clone(), reason }, facts.start, false, None);
    }

    /// A figure counts a span: when it started, how long it took, whether it failed.
    fn happened(&mut self, figure: Figure, facts: &SpanFacts) {
        let (error, duration) = (facts.is_error(), Some(facts.duration()));
        self.changes.add(figure, Change { at: facts.start, error, duration, count: self.count });
    }

    /// A request or message was handled.
    pub(super) fn handled(&mut self, facts: &SpanFacts) {
        self.happened(Figure::Operation(facts.service.clone(), facts.operation.clone()), facts);
        if facts.service.name().starts_with("unknown_service") {
            self.unresolved(facts, UnresolvedReason::ServiceUnnamed);
        }
    }

    pub(super) fn join(&mut self, parent: &SpanFacts, child: &SpanFacts, how: LinkHow) {
        self.join_ids((parent.trace_id, parent.span_id), child, how);
    }

    pub(super) fn join_ids(
        &mut self,
        (parent_trace, parent_span): (flowglass_model::TraceId, flowglass_model::SpanId),
        child: &SpanFacts,
        how: LinkHow,
    ) {
        if parent_trace == child.trace_id {
            return;
        }
        let (child_trace, child_span) = (child.trace_id, child.span_id);
        self.joins.push(TraceJoin { parent_trace, parent_span, child_trace, child_span, how });
    }
}

/// Adds what a span contributes.
pub(super) fn contribute(world: World<'_>, at: At, out: &mut Contribution<'_>) {
    let facts = world.span(at);
    match &facts.role {
        Role::Server { caller } => server(world, at, caller, out),
        Role::Client { peer } => {
            foreign_entry(world, at, out);
            client(world, at, peer, out);
        }
        Role::Access { backend } => {
            foreign_entry(world, at, out);
            access(world, at, backend, out);
        }
        Role::Send { .. } => {
            foreign_entry(world, at, out);
            messaging::send(world, at, out);
        }
        Role::Process { .. } => messaging::process(world, at, out),
        Role::Receive { .. } => messaging::receive(world, at, out),
        Role::Internal => {
            let entered = foreign_entry(world, at, out);
            messaging::linked_consume(world, at, entered, out);
        }
        Role::Settle => {}
    }
}

/// Where a request came from.
enum Caller {
    /// Nobody: the span is the root.
    Root,
    /// The service's own local work.
    InProcess,
    /// A span that is not known.
    Missing,
    /// A span of another service, or the service's own outgoing call.
    Span(At),
}

/// Walks up through local work of the same service (D2 of the fact sheet on service graphs: a parent of kind INTERNAL must not
/// cost the edge).
fn caller_of(world: World<'_>, at: At) -> Caller {
    let service = &world.span(at).service;
    let mut current = at;
    for _ in 0..10_000 {
        let Some(parent) = world.parent(current) else {
            return match (world.span(current).parent, current == at) {
                (Some(_), _) => Caller::Missing,
                (None, true) => Caller::Root,
                (None, false) => Caller::InProcess,
            };
        };
        let above = world.span(parent);
        if above.service != *service {
            return Caller::Span(parent);
        }
        match above.role {
            Role::Internal => current = parent,
            Role::Client { .. } | Role::Send { .. } => return Caller::Span(parent),
            _ => return Caller::InProcess,
        }
    }
    Caller::InProcess
}

/// The outgoing call at or above a span, inside its service.
fn client_at(world: World<'_>, at: At) -> Option<At> {
    let found = if world.span(at).role == Role::Internal { world.local_ancestor(at)? } else { at };
    matches!(world.span(found).role, Role::Client { .. }).then_some(found)
}

fn server(world: World<'_>, at: At, kind: &str, out: &mut Contribution<'_>) {
    let facts = world.span(at);
    let mut entered = None;
    match caller_of(world, at) {
        Caller::Root => {
            let consumer = NodeId::consumer(kind, facts.service.environment());
            let figure = Figure::Entry(consumer, facts.service.clone(), facts.operation.clone());
            out.happened(figure, facts);
        }
        Caller::Missing => out.unresolved(facts, UnresolvedReason::CallerMissing),
        Caller::Span(caller) => {
            entered = Some(caller);
            enter(world, at, caller, out);
        }
        Caller::InProcess => {
            messaging::linked_consume(world, at, None, out);
            return;
        }
    }
    out.handled(facts);
    messaging::linked_consume(world, at, entered, out);
}

/// The edge by which a span of another service reached this one.
fn enter(world: World<'_>, at: At, caller: At, out: &mut Contribution<'_>) {
    let (facts, from) = (world.span(at), world.span(caller));
    if let Role::Send { topic, .. } = &from.role {
        if messaging::unnamed(topic) {
            return;
        }
        let waited = Some(facts.start.saturating_sub(messaging::published(world, caller)));
        out.edge(InteractionKind::Consume, (topic, &facts.service), facts.start, facts.is_error(), waited);
        return;
    }
    let client = client_at(world, caller).map(|c| world.span(c));
    let duration = client.unwrap_or(facts).duration();
    out.edge(InteractionKind::Call, (&from.service, &facts.service), facts.start, facts.is_error(), Some(duration));
    if let Some(address) = client.and_then(|c| address(&c.role))
        && from.service != facts.service
    {
        out.add(SeriesKey::Address { address, participant: facts.service.clone() }, facts.start, false, None);
    }
}

/// `host:port` or `host` of a callee, as the caller names it.
fn address(role: &Role) -> Option<String> {
    let Role::Client { peer } = role else { return None };
    let host = peer.host.as_deref().filter(|h| !h.is_empty())?;
    Some(match peer.port {
        Some(port) if host.contains(':') && !host.starts_with('[') => format!("[{host}]:{port}"),
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// A span without server semantics whose parent lives in another service: its server span is not instrumented. One call brings
/// one edge, however many such spans stand below it. Returns the caller when it counted.
fn foreign_entry(world: World<'_>, at: At, out: &mut Contribution<'_>) -> Option<At> {
    let facts = world.span(at);
    let caller = world.parent(at)?;
    if world.span(caller).service == facts.service {
        return None;
    }
    let siblings = || world.children(caller).filter(|c| world.span(*c).service == facts.service).map(|c| world.span(c));
    let handled = |f: &SpanFacts| matches!(f.role, Role::Server { .. } | Role::Process { .. } | Role::Receive { .. });
    // A server span further down walks up to the same caller.
    let below = world.first_below(at);
    let mut inside = below.iter().map(|b| world.span(*b)).filter(|b| b.service == facts.service);
    if siblings().any(handled) || facts.role == Role::Internal && inside.any(|b| matches!(b.role, Role::Server { .. }))
    {
        return None;
    }
    let consumes = |f: &SpanFacts| f.kind == SpanKind::Consumer;
    let counts = match siblings().any(consumes) {
        true => consumes(facts),
        false => siblings().filter(|f| f.role != Role::Settle).map(rank).min() == Some(rank(facts)),
    };
    if !counts {
        return None;
    }
    enter(world, at, caller, out);
    out.handled(facts);
    Some(caller)
}

fn client(world: World<'_>, at: At, peer: &Peer, out: &mut Contribution<'_>) {
    let facts = world.span(at);
    let below = world.first_below(at);
    let wraps = below.iter().map(|b| world.span(*b)).any(|b| {
        b.service != facts.service
            || matches!(b.role, Role::Client { .. } | Role::Access { .. } | Role::Send { .. } | Role::Server { .. })
    });
    let transport = world.local_ancestor(at).is_some_and(|above| {
        matches!(world.span(above).role, Role::Access { .. } | Role::Send { .. } | Role::Receive { .. } | Role::Settle)
    });
    if wraps || transport {
        return;
    }
    let environment = facts.service.environment();
    let name = peer.service.as_deref().filter(|s| !s.is_empty());
    // A bare address means nothing to people: the name is then all there is.
    let bare = |p: &Peer| p.host.as_deref().is_some_and(|h| h.parse::<IpAddr>().is_ok() || h == "localhost");
    let target = match (address(&facts.role), name) {
        (Some(address), Some(name)) if !bare(peer) => {
            let participant = NodeId::external(name, environment);
            out.add(SeriesKey::Address { address: address.clone(), participant }, facts.start, false, None);
            address
        }
        (_, Some(name)) => name.to_owned(),
        (Some(address), None) => address,
        (None, None) => return out.unresolved(facts, UnresolvedReason::PeerUnnamed),
    };
    let target = NodeId::external(&target, environment);
    let failed = facts.is_error() && !facts.is_client_error();
    out.edge(InteractionKind::Call, (&facts.service, &target), facts.start, failed, Some(facts.duration()));
}

fn access(world: World<'_>, at: At, backend: &NodeId, out: &mut Contribution<'_>) {
    let facts = world.span(at);
    // An object mapper over an instrumented driver gives two spans for one access: the inner one counts.
    let wraps =
        world.first_below(at).iter().map(|b| world.span(*b)).any(|b| {
            b.service == facts.service && matches!(&b.role, Role::Access { backend: inner } if inner == backend)
        });
    if wraps {
        return;
    }
    let duration = Some(facts.duration());
    out.edge(InteractionKind::Access, (&facts.service, backend), facts.start, facts.is_error(), duration);
}

/// The send span that a handler stands below, if any.
pub(super) fn sender_above(world: World<'_>, at: At) -> Option<At> {
    first_above(world, at).filter(|a| matches!(world.span(*a).role, Role::Send { .. }))
}

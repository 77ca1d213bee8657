//! What is known around a span: parents, children, links, message ids; before or after the batch in hand.

use flowglass_model::{NodeId, Role, SpanFacts, SpanId, SpanKind, TraceId};
use rustc_hash::{FxHashMap, FxHashSet};

use super::cache::{Cache, Trace};

/// A span in memory: its trace and its place in it.
pub(super) type At = (TraceId, usize);

/// Message identity: topic body (`nats/orders.placed`) and id.
pub(super) type MessageKey = (String, String);

/// Relations between traces that were asked for; see [`super::gather`].
#[derive(Default)]
pub(super) struct Relations {
    /// Traces with a send, receive or process span of a message.
    pub(super) by_message: FxHashMap<MessageKey, Vec<TraceId>>,
    /// Traces with a span that links to a span.
    pub(super) back_links: FxHashMap<(TraceId, SpanId), Vec<TraceId>>,
}

/// A view of all that is known, either before the batch in hand or with it. Only what was gathered may be asked for.
#[derive(Clone, Copy)]
pub(super) struct World<'a> {
    pub(super) cache: &'a Cache,
    pub(super) relations: &'a Relations,
    /// Without the spans of the batch in hand.
    pub(super) before: bool,
}

/// Whether two topic nodes are the same topic: one of them may not know its environment.
pub(super) fn same_topic(a: &NodeId, b: &NodeId) -> bool {
    a == b
        || a.body() == b.body()
            && (a.environment().is_none() || b.environment().is_none() || a.environment() == b.environment())
}

/// The message id of a messaging role.
pub(super) fn message_id(role: &Role) -> Option<&str> {
    match role {
        Role::Send { message_id, .. } | Role::Receive { message_id, .. } | Role::Process { message_id, .. } => {
            message_id.as_deref()
        }
        _ => None,
    }
}

/// The topic of a messaging role.
pub(super) fn topic(role: &Role) -> Option<&NodeId> {
    match role {
        Role::Send { topic, .. } | Role::Receive { topic, .. } | Role::Process { topic, .. } => Some(topic),
        _ => None,
    }
}

/// Message identity of a span, if it has one.
pub(super) fn message_key(facts: &SpanFacts) -> Option<MessageKey> {
    Some((topic(&facts.role)?.body().to_owned(), message_id(&facts.role)?.to_owned()))
}

/// A fixed order of spans that does not depend on arrival.
pub(super) fn rank(f: &SpanFacts) -> (i64, TraceId, SpanId, SpanKind) {
    (f.start, f.trace_id, f.span_id, f.kind)
}

impl<'a> World<'a> {
    fn trace(&self, id: TraceId) -> Option<&'a Trace> {
        self.cache.get(id)
    }

    fn visible(&self, trace: &Trace, index: usize) -> bool {
        !self.before || index < trace.settled()
    }

    /// Whether a span is part of this view.
    pub(super) fn sees(&self, at: At) -> bool {
        self.trace(at.0).is_some_and(|trace| self.visible(trace, at.1))
    }

    /// Facts of a span.
    pub(super) fn span(&self, at: At) -> &'a SpanFacts {
        &self.trace(at.0).expect("a handle only exists for a loaded trace").spans()[at.1]
    }

    /// All spans of a trace.
    pub(super) fn spans_of(&self, id: TraceId) -> impl Iterator<Item = At> + use<'a> {
        let world = *self;
        let trace = self.trace(id);
        (0..trace.map_or(0, |t| t.spans().len()))
            .filter(move |i| trace.is_some_and(|t| world.visible(t, *i)))
            .map(move |i| (id, i))
    }

    /// Spans with this id; more than one where client and server share it.
    pub(super) fn named(&self, id: TraceId, span: SpanId) -> impl Iterator<Item = At> + use<'a> {
        let world = *self;
        let trace = self.trace(id);
        let places = trace.into_iter().flat_map(move |t| t.with_id(span).filter(move |i| world.visible(t, *i)));
        places.map(move |i| (id, i))
    }

    /// Spans that name `at`'s id as parent, and a server span that shares its id.
    pub(super) fn below_id(&self, at: At) -> impl Iterator<Item = At> + use<'a> {
        let world = *self;
        let trace = self.trace(at.0);
        let me = self.span(at);
        let shares = trace.is_some_and(|t| t.shares_ids());
        let shared = (shares.then(|| self.named(at.0, me.span_id)).into_iter().flatten())
            .filter(move |other| *other != at && world.span(*other).kind == SpanKind::Server);
        let below =
            trace.into_iter().flat_map(move |t| t.with_parent(me.span_id).filter(move |i| world.visible(t, *i)));
        below.filter(move |i| *i != at.1).map(move |i| (at.0, i)).chain(shared)
    }

    /// The parent span, if it is known. A server span that shares its id with a client span (Zipkin) is that one's child.
    pub(super) fn parent(&self, at: At) -> Option<At> {
        let me = self.span(at);
        if self.trace(at.0).is_some_and(|t| !t.shares_ids()) {
            return self.named(at.0, me.parent?).find(|o| *o != at);
        }
        if me.kind == SpanKind::Server {
            let twin = self.named(at.0, me.span_id).find(|o| *o != at && self.span(*o).kind == SpanKind::Client);
            if twin.is_some() {
                return twin;
            }
        }
        self.named(at.0, me.parent?).filter(|o| *o != at).min_by_key(|o| {
            let other = self.span(*o);
            (other.service != me.service, other.kind != SpanKind::Server, other.kind)
        })
    }

    /// Children.
    pub(super) fn children(&self, at: At) -> impl Iterator<Item = At> + use<'a> {
        let world = *self;
        let plain = self.trace(at.0).is_some_and(|t| !t.shares_ids());
        self.below_id(at).filter(move |c| plain || world.parent(*c) == Some(at))
    }

    /// The nearest ancestor that is not local work, walking up inside the service; `None` when the way leads out of it.
    pub(super) fn local_ancestor(&self, at: At) -> Option<At> {
        let service = &self.span(at).service;
        let mut seen = FxHashSet::default();
        let mut current = at;
        while seen.insert(current) {
            current = self.parent(current)?;
            let span = self.span(current);
            if span.service != *service {
                return None;
            }
            if span.role != Role::Internal {
                return Some(current);
            }
        }
        None
    }

    /// The first spans below that are not local work of the same service.
    pub(super) fn first_below(&self, at: At) -> Vec<At> {
        let service = &self.span(at).service;
        let local = |child: At| {
            let span = self.span(child);
            span.service == *service && span.role == Role::Internal
        };
        let (mut open, mut out): (Vec<At>, Vec<At>) = self.children(at).partition(|c| local(*c));
        if open.is_empty() {
            return out;
        }
        let mut seen: FxHashSet<At> = out.iter().chain(&open).copied().chain([at]).collect();
        while let Some(next) = open.pop() {
            for child in self.children(next) {
                if seen.insert(child) {
                    if local(child) { open.push(child) } else { out.push(child) }
                }
            }
        }
        out
    }

    /// Spans this one links to, as far as they are known, each once, in a fixed order.
    pub(super) fn linked(&self, at: At) -> Vec<At> {
        let mut out: Vec<At> =
            self.span(at).links.iter().flat_map(|(t, s)| self.named(*t, *s)).filter(|o| *o != at).collect();
        out.sort_unstable_by_key(|o| rank(self.span(*o)));
        out.dedup();
        out
    }

    /// Spans that link to a span.
    pub(super) fn linking(&self, trace: TraceId, span: SpanId) -> Vec<At> {
        let traces = self.relations.back_links.get(&(trace, span));
        debug_assert!(traces.is_some(), "links to a span were not gathered");
        let all = traces.into_iter().flatten().flat_map(|t| self.spans_of(*t));
        all.filter(|o| self.span(*o).links.contains(&(trace, span))).collect()
    }

    /// Messaging spans with the message identity of a topic and id.
    pub(super) fn with_message(&self, topic_node: &NodeId, id: &str) -> Vec<At> {
        let traces = self.relations.by_message.get(&(topic_node.body().to_owned(), id.to_owned()));
        debug_assert!(traces.is_some(), "spans of a message were not gathered");
        let all = traces.into_iter().flatten().flat_map(|t| self.spans_of(*t));
        all.filter(|o| {
            let role = &self.span(*o).role;
            message_id(role) == Some(id) && topic(role).is_some_and(|t| same_topic(t, topic_node))
        })
        .collect()
    }
}

//! The journey as a tree: what led to what, each span and event once.

mod join;

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::{LinkHow, NodeId, Role, SpanFacts, SpanId, SpanKind, TraceId};

use self::join::Builder;
use crate::index::{Children, Index, is_handler};
use crate::{EventFacts, Input, select};

/// Spans and events that belong, joined. Nodes are numbered: spans first (by start, then id), then events (by time, then id).
pub(crate) struct Tree<'a> {
    /// The spans.
    pub(crate) spans: Vec<&'a SpanFacts>,
    /// The events.
    pub(crate) events: Vec<&'a EventFacts>,
    /// What a node hangs below; never a cycle.
    pub(crate) parent: Vec<Option<usize>>,
    /// What hangs below a node, in order.
    pub(crate) children: Children,
    /// The parent each span names, where it belongs to the journey.
    pub(crate) span_parent: Vec<Option<usize>>,
    /// For a handler: the event it handled (number of the event, not of its node).
    pub(crate) event_of: Vec<Option<usize>>,
    /// For a handler: the span that sent its message, as far as known.
    pub(crate) sender_of: Vec<Option<usize>>,
    /// For a span that names no parent: what it seems to follow, as an id says that both carry.
    pub(crate) follows: Vec<Option<usize>>,
    /// Every join, sorted: cause, effect, how.
    pub(crate) links: Vec<(usize, usize, LinkHow)>,
    /// Parents named but not seen, sorted.
    pub(crate) missing: Vec<SpanId>,
    /// The span it all started with: the first root of the first trace, else what stands topmost.
    pub(crate) top: Option<usize>,
    /// Whether that span's own parent never arrived (or there is no span at all).
    pub(crate) entry_missing: bool,
    /// Topic ids by name, in the environment where spans name one and one only.
    topics: BTreeMap<String, NodeId>,
}

type Context = (TraceId, SpanId);

impl<'a> Tree<'a> {
    /// Selects and joins.
    pub(crate) fn new<S>(input: &Input<'a, S>, index: &'a Index<'a>) -> Tree<'a> {
        let selected = select::spans(index, input.root, input.joins);
        let mut chosen: Vec<usize> = (0..selected.len()).filter(|i| selected[*i]).collect();
        chosen.sort_unstable_by_key(|i| {
            let s = index.spans[*i];
            (s.start, s.span_id, s.kind, s.trace_id)
        });
        let mut number = vec![None; selected.len()];
        for (n, i) in chosen.iter().enumerate() {
            number[*i] = Some(n);
        }
        let spans: Vec<&SpanFacts> = chosen.iter().map(|i| index.spans[*i]).collect();
        let span_parent = chosen.iter().map(|i| index.parent[*i].and_then(|p| number[p])).collect();
        // A handler in another trace hangs on its message: what its own service wraps around it belongs to nobody's journey.
        let joined: BTreeSet<Context> = input.joins.iter().map(|j| (j.child_trace, j.child_span)).collect();
        let foreign = |s: &SpanFacts| s.trace_id != input.root && joined.contains(&(s.trace_id, s.span_id));
        let lost = chosen.iter().filter(|i| index.parent_missing(**i) && !foreign(index.spans[**i]));
        let mut missing: Vec<SpanId> = lost.filter_map(|i| index.spans[*i].parent).collect();
        missing.sort_unstable();
        missing.dedup();
        let tree = Tree {
            event_of: vec![None; spans.len()],
            sender_of: vec![None; spans.len()],
            follows: vec![None; spans.len()],
            spans,
            events: select::events(index, input.root, &selected, input.partial, input.events),
            parent: Vec::new(),
            children: Children::new(&[]),
            span_parent,
            links: Vec::new(),
            missing,
            top: None,
            entry_missing: true,
            topics: BTreeMap::new(),
        };
        let mut tree = Builder { index, number, tree }.joined(input.joins);
        tree.find_top(index, input.root);
        tree.find_topics();
        tree
    }

    /// Nodes: spans, then events.
    pub(crate) fn len(&self) -> usize {
        self.spans.len() + self.events.len()
    }

    /// The span of a node.
    pub(crate) fn span(&self, node: usize) -> Option<&'a SpanFacts> {
        self.spans.get(node).copied()
    }

    /// The node of an event.
    pub(crate) fn event_node(&self, event: usize) -> usize {
        self.spans.len() + event
    }

    /// Whether a node is not waited for by what it hangs below: an event, or the handling of a message sent elsewhere.
    pub(crate) fn is_async(&self, node: usize) -> bool {
        let Some(span) = self.span(node) else { return true };
        if !is_handler(span) {
            // What follows without a context is waited for only where it answers a call.
            let calls = |p: usize| self.span(p).is_some_and(|s| s.kind == SpanKind::Client);
            return self.follows[node].is_some_and(|p| !(span.kind == SpanKind::Server && calls(p)));
        }
        match self.parent[node].and_then(|p| self.span(p)) {
            Some(p) => p.service != span.service || matches!(p.role, Role::Send { .. }),
            None => true,
        }
    }

    /// The topic of an event, in the environment its senders and handlers name.
    pub(crate) fn topic(&self, event: usize) -> NodeId {
        let topic = &self.events[event].topic;
        self.topics.get(topic.body()).unwrap_or(topic).clone()
    }

    fn find_top(&mut self, index: &Index<'_>, root: TraceId) {
        let rank = |n: usize| {
            let s = self.spans[n];
            let orphan = s.parent.is_some_and(|p| index.find(s.trace_id, p).is_empty());
            (s.trace_id != root, self.parent[n].is_some_and(|p| p < self.spans.len()), orphan, n)
        };
        self.top = (0..self.spans.len()).min_by_key(|n| rank(*n));
        self.entry_missing = self.top.is_none_or(|t| {
            let s = self.spans[t];
            s.trace_id != root || (s.parent.is_some_and(|p| p != s.span_id) && self.span_parent[t].is_none())
        });
    }

    fn find_topics(&mut self) {
        let mut seen: BTreeMap<String, Option<NodeId>> = BTreeMap::new();
        for span in &self.spans {
            if let Role::Send { topic, .. } | Role::Receive { topic, .. } | Role::Process { topic, .. } = &span.role {
                let slot = seen.entry(topic.body().to_owned()).or_insert_with(|| Some(topic.clone()));
                if slot.as_ref().is_some_and(|t| t != topic) {
                    *slot = None;
                }
            }
        }
        self.topics = seen.into_iter().filter_map(|(body, topic)| Some((body, topic?))).collect();
    }
}

/// The lower-case word of a span kind.
pub(crate) fn kind_word(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Internal => "internal",
        SpanKind::Server => "server",
        SpanKind::Client => "client",
        SpanKind::Producer => "producer",
        SpanKind::Consumer => "consumer",
    }
}

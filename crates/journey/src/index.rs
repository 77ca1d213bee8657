//! Spans in a fixed order, found by id, with their parents resolved.

use std::borrow::Borrow;

use flowglass_model::{Role, SpanFacts, SpanId, SpanKind, TraceId};

/// Children of every node in a parent array, ascending.
pub(crate) struct Children {
    offsets: Vec<usize>,
    list: Vec<usize>,
}

impl Children {
    /// Groups the nodes of `parent` by parent in linear time.
    pub(crate) fn new(parent: &[Option<usize>]) -> Children {
        let mut offsets = vec![0; parent.len() + 1];
        for p in parent.iter().flatten() {
            offsets[p + 1] += 1;
        }
        for i in 1..offsets.len() {
            offsets[i] += offsets[i - 1];
        }
        let mut next = offsets.clone();
        let mut list = vec![0; offsets[parent.len()]];
        for (child, p) in parent.iter().enumerate() {
            if let Some(p) = *p {
                list[next[p]] = child;
                next[p] += 1;
            }
        }
        Children { offsets, list }
    }

    /// The children of a node.
    pub(crate) fn of(&self, node: usize) -> &[usize] {
        &self.list[self.offsets[node]..self.offsets[node + 1]]
    }
}

/// All spans handed over, unique, by trace, span, kind.
pub(crate) struct Index<'a> {
    /// The spans.
    pub(crate) spans: Vec<&'a SpanFacts>,
    /// Where each one's parent is.
    pub(crate) parent: Vec<Option<usize>>,
}

impl<'a> Index<'a> {
    /// Sorts, drops repeats, resolves parents. O(n log n).
    pub(crate) fn new<S: Borrow<SpanFacts>>(spans: &'a [S]) -> Index<'a> {
        let mut sorted: Vec<&SpanFacts> = spans.iter().map(Borrow::borrow).collect();
        sorted.sort_by(|a, b| a.key().cmp(&b.key()).then(a.start.cmp(&b.start)).then(a.end.cmp(&b.end)));
        sorted.dedup_by_key(|s| s.key());
        let mut index = Index { spans: sorted, parent: Vec::new() };
        index.parent = (0..index.spans.len()).map(|i| index.resolve_parent(i)).collect();
        index
    }

    /// Positions of the spans with this id: one, or two where client and server share it (Zipkin).
    pub(crate) fn find(&self, trace: TraceId, span: SpanId) -> std::ops::Range<usize> {
        let from = self.spans.partition_point(|s| (s.trace_id, s.span_id) < (trace, span));
        let len = self.spans[from..].iter().take_while(|s| (s.trace_id, s.span_id) == (trace, span)).count();
        from..from + len
    }

    /// The span of this id that sent a message, else the first of the id.
    pub(crate) fn find_sender(&self, trace: TraceId, span: SpanId) -> Option<usize> {
        let found = self.find(trace, span);
        found.clone().find(|i| matches!(self.spans[*i].role, Role::Send { .. })).or(found.clone().next())
    }

    /// The span of this id that handles a message, else the last of the id (client sorts after server, consumer last).
    pub(crate) fn find_handler(&self, trace: TraceId, span: SpanId) -> Option<usize> {
        let found = self.find(trace, span);
        found.clone().find(|i| is_handler(self.spans[*i])).or(found.clone().last())
    }

    /// Whether a span names a parent that is not here.
    pub(crate) fn parent_missing(&self, i: usize) -> bool {
        self.parent[i].is_none() && self.spans[i].parent.is_some_and(|p| p != self.spans[i].span_id)
    }

    fn resolve_parent(&self, i: usize) -> Option<usize> {
        let span = self.spans[i];
        let incoming = matches!(span.kind, SpanKind::Server | SpanKind::Consumer);
        let is_outgoing = |c: &usize| matches!(self.spans[*c].kind, SpanKind::Client | SpanKind::Producer);
        // A server that shares the client's span id (Zipkin) hangs below that client; its parent id is the client's own.
        if incoming && let Some(client) = self.find(span.trace_id, span.span_id).find(|c| *c != i && is_outgoing(c)) {
            return Some(client);
        }
        let parent = span.parent.filter(|p| *p != span.span_id)?;
        let found = self.find(span.trace_id, parent);
        if found.len() <= 1 {
            return found.clone().next();
        }
        if incoming && let Some(client) = found.clone().find(is_outgoing) {
            return Some(client);
        }
        let local = found.clone().filter(|c| self.spans[*c].service == span.service);
        local.clone().find(|c| !is_outgoing(c)).or(local.clone().next()).or(found.clone().next())
    }
}

/// Whether a span receives or processes a message.
pub(crate) fn is_handler(span: &SpanFacts) -> bool {
    matches!(span.role, Role::Receive { .. } | Role::Process { .. })
}

/// Topic without environment, and message id, of a span that handles or sends a message.
pub(crate) fn message_of(span: &SpanFacts) -> Option<(&str, Option<&str>)> {
    match &span.role {
        Role::Send { topic, message_id, .. }
        | Role::Receive { topic, message_id, .. }
        | Role::Process { topic, message_id, .. } => Some((topic.body(), message_id.as_deref())),
        _ => None,
    }
}

/// The message's identity inside its destination, if the span names it.
pub(crate) fn message_key(span: &SpanFacts) -> Option<(&str, &str)> {
    message_of(span).and_then(|(topic, id)| Some((topic, id?)))
}

/// The values of a sorted list of pairs whose key equals `key`.
pub(crate) fn equal_range<'l, K: Ord, V>(sorted: &'l [(K, V)], key: &K) -> &'l [(K, V)] {
    let from = sorted.partition_point(|(k, _)| k < key);
    let to = sorted.partition_point(|(k, _)| k <= key);
    &sorted[from..to]
}

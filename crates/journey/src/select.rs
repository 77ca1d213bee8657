//! Which of the spans and events at hand belong to the journey.
//!
//! Everything of the first trace does. Of a joined trace, the span that handles a message of this journey does, with what
//! stands below it; a span that handles somebody else's message is a *gate*: it, and what stands below, belongs only when
//! its own message does. The rules only ever add, so that the order of arrival cannot change the outcome.

use flowglass_model::{MessageContext, Role, SpanId, TraceId, TraceJoin};

use crate::EventFacts;
use crate::index::{Children, Index, equal_range, is_handler, message_key};

type Context = (TraceId, SpanId);

struct Selection<'i, 'a> {
    index: &'i Index<'a>,
    root: TraceId,
    children: Children,
    /// Sender's context to handler, sorted.
    edges: Vec<(Context, usize)>,
    /// Message identity to handler, sorted.
    by_message: Vec<((&'a str, &'a str), usize)>,
    gate: Vec<bool>,
    selected: Vec<bool>,
    /// Handlers reached through their own message.
    opened: Vec<bool>,
    work: Vec<usize>,
}

/// Tells for each span of the index whether it belongs.
pub(crate) fn spans(index: &Index<'_>, root: TraceId, joins: &[TraceJoin]) -> Vec<bool> {
    if index.spans.iter().all(|s| s.trace_id == root) {
        return vec![true; index.spans.len()];
    }
    let n = index.spans.len();
    let edges = edges(index, joins);
    let mut by_message: Vec<_> = (0..n)
        .filter(|i| is_handler(index.spans[*i]))
        .filter_map(|i| Some((message_key(index.spans[i])?, i)))
        .collect();
    by_message.sort_unstable();
    let gate = gates(index, root, &edges);
    let mut s = Selection {
        index,
        root,
        children: Children::new(&index.parent),
        edges,
        by_message,
        gate,
        selected: vec![false; n],
        opened: vec![false; n],
        work: Vec::new(),
    };
    s.start();
    s.run();
    while s.complete_traces() {
        s.run();
    }
    s.selected
}

fn edges(index: &Index<'_>, joins: &[TraceJoin]) -> Vec<(Context, usize)> {
    let mut edges: Vec<(Context, usize)> = joins
        .iter()
        .filter_map(|j| Some(((j.parent_trace, j.parent_span), index.find_handler(j.child_trace, j.child_span)?)))
        .collect();
    for (i, span) in index.spans.iter().enumerate() {
        if is_handler(span) {
            edges.extend(span.links.iter().map(|link| (*link, i)));
        }
    }
    edges.sort_unstable();
    edges.dedup();
    edges
}

fn gates(index: &Index<'_>, root: TraceId, edges: &[(Context, usize)]) -> Vec<bool> {
    let mut messages = vec![0u32; index.spans.len()];
    for ((trace, _), i) in edges {
        if *trace != index.spans[*i].trace_id {
            messages[*i] += 1;
        }
    }
    let fetches_many = |i: usize| match &index.spans[i].role {
        Role::Receive { batch, .. } => messages[i] > 1 || batch.is_some_and(|b| b > 1),
        _ => false,
    };
    (0..index.spans.len())
        .map(|i| {
            if index.spans[i].trace_id == root {
                return false;
            }
            // In a batch the id on the process span tells which message it is about, or nothing does: then it cannot be told.
            let in_batch =
                matches!(index.spans[i].role, Role::Process { .. }) && index.parent[i].is_some_and(fetches_many);
            messages[i] > 0 || in_batch
        })
        .collect()
}

impl Selection<'_, '_> {
    fn start(&mut self) {
        for i in 0..self.index.spans.len() {
            if self.index.spans[i].trace_id == self.root {
                self.select(i);
            }
        }
        self.open_orphans(self.root);
    }

    fn select(&mut self, i: usize) {
        if !self.selected[i] {
            self.selected[i] = true;
            self.work.push(i);
        }
    }

    fn open(&mut self, handler: usize) {
        self.opened[handler] = true;
        self.select(handler);
        // The fetch that brought the message belongs as well, though it may have brought others too.
        if let Some(p) = self.index.parent[handler]
            && matches!(self.index.spans[p].role, Role::Receive { .. })
        {
            self.opened[p] = true;
            self.select(p);
        }
    }

    /// Handlers of messages whose sender's span never arrived, in a trace that belongs as a whole.
    fn open_orphans(&mut self, trace: TraceId) {
        let from = self.edges.partition_point(|((t, _), _)| *t < trace);
        let to = self.edges.partition_point(|((t, _), _)| *t <= trace);
        for at in from..to {
            let ((_, span), handler) = self.edges[at];
            if self.index.find(trace, span).is_empty() {
                self.open(handler);
            }
        }
    }

    fn run(&mut self) {
        while let Some(i) = self.work.pop() {
            let span = self.index.spans[i];
            let sends = matches!(span.role, Role::Send { .. });
            for at in 0..self.children.of(i).len() {
                let child = self.children.of(i)[at];
                if !self.gate[child] || sends {
                    self.select(child);
                }
            }
            let handlers: Vec<usize> =
                equal_range(&self.edges, &(span.trace_id, span.span_id)).iter().map(|(_, h)| *h).collect();
            for h in handlers {
                self.open(h);
            }
            if !sends {
                continue;
            }
            if let Some(key) = message_key(span) {
                let handlers: Vec<usize> = equal_range(&self.by_message, &key).iter().map(|(_, h)| *h).collect();
                for h in handlers {
                    self.open(h);
                }
            }
        }
    }

    /// A trace that starts with a handler of ours and handles nobody else's message belongs as a whole, spans whose parents
    /// are missing included. Says whether that added anything.
    fn complete_traces(&mut self) -> bool {
        let spans = &self.index.spans;
        let mut from = 0;
        while from < spans.len() {
            let trace = spans[from].trace_id;
            let len = spans[from..].iter().take_while(|s| s.trace_id == trace).count();
            let range = from..from + len;
            from += len;
            let ours = range.clone().any(|i| self.opened[i] && self.index.parent[i].is_none());
            let foreign = range.clone().any(|i| self.gate[i] && !self.selected[i]);
            if trace == self.root || !ours || foreign {
                continue;
            }
            range.for_each(|i| self.select(i));
            self.open_orphans(trace);
        }
        !self.work.is_empty()
    }
}

/// The events that belong, by time, then id; one for each source and id.
pub(crate) fn events<'a>(
    index: &Index<'a>,
    root: TraceId,
    selected: &[bool],
    partial: &[TraceId],
    events: &'a [EventFacts],
) -> Vec<&'a EventFacts> {
    let mut named: Vec<_> = index.spans.iter().enumerate().filter_map(|(i, s)| Some((message_key(s)?, i))).collect();
    named.sort_unstable();
    let whole = |trace: TraceId| partial.binary_search(&trace).is_err() && is_whole(index, root, selected, trace);
    let mut kept: Vec<&EventFacts> =
        events.iter().filter(|e| event_belongs(index, &whole, selected, &named, e)).collect();
    kept.sort_by(|a, b| {
        (a.event_id.as_ref(), &a.source, &a.topic, a.time, a.row).cmp(&(
            b.event_id.as_ref(),
            &b.source,
            &b.topic,
            b.time,
            b.row,
        ))
    });
    kept.dedup_by(|b, a| {
        a.row == b.row
            || (a.event_id.is_some() && a.event_id == b.event_id && a.source == b.source && a.topic == b.topic)
    });
    kept.sort_by_cached_key(|e| (e.time, event_id(e), e.row));
    kept
}

/// Id of an event as an item: its own, else the store's number.
pub(crate) fn event_id(event: &EventFacts) -> String {
    event.event_id.clone().unwrap_or_else(|| event.row.to_string())
}

/// Whether a trace belongs as a whole.
fn is_whole(index: &Index<'_>, root: TraceId, selected: &[bool], trace: TraceId) -> bool {
    let from = index.spans.partition_point(|s| s.trace_id < trace);
    let to = index.spans.partition_point(|s| s.trace_id <= trace);
    trace == root || (from < to && selected[from..to].iter().all(|s| *s))
}

fn event_belongs(
    index: &Index<'_>,
    whole: &dyn Fn(TraceId) -> bool,
    selected: &[bool],
    named: &[((&str, &str), usize)],
    event: &EventFacts,
) -> bool {
    let from_here = |c: MessageContext| {
        let found = index.find(c.trace_id, c.span_id);
        if found.is_empty() { whole(c.trace_id).then_some(true) } else { Some(found.clone().any(|i| selected[i])) }
    };
    if let Some(known) = event.hop.and_then(from_here) {
        return known;
    }
    if event.origin.and_then(from_here) == Some(true) {
        return true;
    }
    let by_id = event.event_id.as_deref().map(|id| equal_range(named, &(event.topic.body(), id))).unwrap_or_default();
    if !by_id.is_empty() {
        return by_id.iter().any(|(_, i)| selected[*i]);
    }
    // Nothing at hand speaks for or against it: it came with a span that never arrived. It is taken where it names no context
    // at all (the caller knows why it belongs), and left out where it names a trace that does not belong as a whole.
    event.hop.is_none() && event.origin.is_none()
}

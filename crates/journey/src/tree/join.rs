//! Joining: which span and which event each span and event of a journey hangs below, and every other join there is.

use flowglass_model::{CORRELATION_KEYS, LinkHow, Role, Sure, TraceJoin};

use super::{Context, Tree};
use crate::index::{Children, Index, equal_range, is_handler, message_key, message_of};

/// Events found by context and topic, by id and topic, by storage.
struct EventIndex<'a> {
    by_hop: Vec<((Context, &'a str), usize)>,
    by_id: Vec<((&'a str, &'a str), usize)>,
    by_sequence: Vec<((Option<&'a str>, u64), usize)>,
}

/// A tree while it is being joined.
pub(super) struct Builder<'a> {
    /// All spans there are.
    pub(super) index: &'a Index<'a>,
    /// Number of a span of the index in the tree.
    pub(super) number: Vec<Option<usize>>,
    /// The tree so far.
    pub(super) tree: Tree<'a>,
}

impl<'a> Builder<'a> {
    /// The tree with all its joins, the ones handed over among them.
    pub(super) fn joined(mut self, joins: &[TraceJoin]) -> Tree<'a> {
        let senders = self.join_spans(joins);
        let events = self.index_events();
        self.join_producers(&senders);
        self.join_carried();
        for handler in 0..self.tree.spans.len() {
            if is_handler(self.tree.spans[handler]) {
                self.join_handler(handler, &events, &senders);
            }
        }
        self.place_fetches();
        let spans = self.tree.spans.len();
        let mut parent: Vec<Option<usize>> = (0..spans).map(|n| self.span_place(n)).collect();
        parent.extend(self.event_places());
        cut_cycles(&mut parent);
        self.tree.children = Children::new(&parent);
        self.tree.parent = parent;
        self.tree.links.sort_unstable();
        self.tree.links.dedup();
        self.tree
    }

    fn link(&mut self, from: usize, to: usize, how: LinkHow) {
        if from != to {
            self.tree.links.push((from, to, how));
        }
    }

    fn sender_at(&self, (trace, span): Context) -> Option<usize> {
        self.index.find_sender(trace, span).and_then(|i| self.number[i])
    }

    /// Parents, span links and the joins handed over; gives senders by message identity.
    fn join_spans(&mut self, joins: &[TraceJoin]) -> Vec<((&'a str, &'a str), usize)> {
        let mut senders = Vec::new();
        for n in 0..self.tree.spans.len() {
            let span = self.tree.spans[n];
            if let Some(p) = self.tree.span_parent[n] {
                self.link(p, n, LinkHow::Parent);
            }
            for target in &span.links {
                if let Some(from) = self.sender_at(*target) {
                    self.link(from, n, LinkHow::SpanLink);
                    self.note_sender(n, from);
                }
            }
            if matches!(span.role, Role::Send { .. })
                && let Some(key) = message_key(span)
            {
                senders.push((key, n));
            }
        }
        for join in joins {
            let child = self.index.find_handler(join.child_trace, join.child_span).and_then(|i| self.number[i]);
            if let (Some(from), Some(to)) = (self.sender_at((join.parent_trace, join.parent_span)), child) {
                self.link(from, to, join.how);
                if join.how.sure() == Sure::Certain {
                    self.note_sender(to, from);
                } else {
                    self.note_other(to, from);
                }
            }
        }
        senders.sort_unstable();
        senders
    }

    /// What is joined without a context: a handler to what published its message, all else to what it seems to follow.
    fn note_other(&mut self, to: usize, from: usize) {
        let sends = matches!(self.tree.spans[from].role, Role::Send { .. });
        if is_handler(self.tree.spans[to]) && sends {
            self.note_sender(to, from);
        } else if self.tree.span_parent[to].is_none() {
            let slot = &mut self.tree.follows[to];
            *slot = Some(slot.map_or(from, |f| f.min(from)));
        }
    }

    /// The earliest of several senders stands for all (a batch of the journey's own messages).
    fn note_sender(&mut self, handler: usize, sender: usize) {
        let slot = &mut self.tree.sender_of[handler];
        *slot = Some(slot.map_or(sender, |s| s.min(sender)));
    }

    fn index_events(&self) -> EventIndex<'a> {
        let mut events = EventIndex { by_hop: Vec::new(), by_id: Vec::new(), by_sequence: Vec::new() };
        for (e, event) in self.tree.events.iter().enumerate() {
            let topic = event.topic.body();
            for context in [event.hop, event.hop.is_none().then_some(event.origin).flatten()].into_iter().flatten() {
                events.by_hop.push((((context.trace_id, context.span_id), topic), e));
            }
            if let Some(id) = event.event_id.as_deref() {
                events.by_id.push(((topic, id), e));
            }
            if let Some(sequence) = event.sequence {
                events.by_sequence.push(((event.stream.as_deref(), sequence), e));
            }
        }
        events.by_hop.sort_unstable();
        events.by_id.sort_unstable();
        events.by_sequence.sort_unstable();
        events
    }

    /// Sender to event: hop, then origin beside it, then message id where no hop told.
    fn join_producers(&mut self, senders: &[((&'a str, &'a str), usize)]) {
        for e in 0..self.tree.events.len() {
            let event = self.tree.events[e];
            let node = self.tree.event_node(e);
            let hop = event.hop.and_then(|c| self.sender_at((c.trace_id, c.span_id)));
            if let Some(from) = hop {
                self.link(from, node, event.hop_format.how());
            }
            if let Some(from) =
                event.origin.filter(|o| event.hop != Some(*o)).and_then(|c| self.sender_at((c.trace_id, c.span_id)))
            {
                self.link(from, node, LinkHow::Origin);
            }
            let Some(id) = event.event_id.as_deref() else { continue };
            for (_, from) in equal_range(senders, &(event.topic.body(), id)) {
                if hop != Some(*from) {
                    self.link(*from, node, LinkHow::MessageId);
                }
            }
        }
    }

    /// The event that caused an event, and what carried its correlation id before an event that nothing else explains.
    fn join_carried(&mut self) {
        let mut known: Vec<bool> = vec![false; self.tree.events.len()];
        let spans = self.tree.spans.len();
        self.tree.links.iter().filter(|(_, to, _)| *to >= spans).for_each(|(_, to, _)| known[to - spans] = true);
        let mut by_id: Vec<(&str, usize)> = self
            .tree
            .events
            .iter()
            .enumerate()
            .filter_map(|(e, event)| Some((event.event_id.as_deref()?, e)))
            .collect();
        by_id.sort_unstable();
        for (e, known) in known.into_iter().enumerate() {
            let event = self.tree.events[e];
            let node = self.tree.event_node(e);
            let named = event.causation_id.as_deref().map(|id| equal_range(&by_id, &id)).unwrap_or_default();
            let causes: Vec<usize> = named.iter().map(|(_, cause)| *cause).filter(|cause| *cause != e).collect();
            for cause in &causes {
                self.link(self.tree.event_node(*cause), node, LinkHow::Causation);
            }
            let Some(id) = event.correlation_id.as_deref().filter(|_| !known && causes.is_empty()) else { continue };
            let carries = |n: &usize| {
                let span = self.tree.spans[*n];
                span.keys.iter().any(|(name, v)| v == id && CORRELATION_KEYS.contains(&name.as_str()))
            };
            let rank = |n: &usize| (self.tree.spans[*n].start <= event.time, self.tree.spans[*n].start, *n);
            if let Some(from) = (0..spans).filter(carries).max_by_key(rank) {
                self.link(from, node, LinkHow::CorrelationId);
            }
        }
    }

    /// Event (or, where none is known, sender) to handler.
    fn join_handler(&mut self, n: usize, events: &EventIndex<'a>, senders: &[((&'a str, &'a str), usize)]) {
        let span = self.tree.spans[n];
        if let Some(p) = self.tree.span_parent[n]
            && (matches!(self.tree.spans[p].role, Role::Send { .. }) || self.tree.spans[p].service != span.service)
        {
            self.note_sender(n, p);
        }
        if let Some((e, how)) = self.event_handled(n, events) {
            self.tree.event_of[n] = Some(e);
            self.link(self.tree.event_node(e), n, how);
        }
        let Some(key) = message_key(span) else { return };
        let sent = equal_range(senders, &key);
        if self.tree.sender_of[n].is_none()
            && let Some((_, sender)) = sent.first()
        {
            self.note_sender(n, *sender);
            if self.tree.event_of[n].is_none() {
                self.link(*sender, n, LinkHow::MessageId);
            }
        }
    }

    /// A fetch that names no message itself stands where the first message it brought came from.
    fn place_fetches(&mut self) {
        for n in 0..self.tree.spans.len() {
            let tree = &mut self.tree;
            let Some(fetch) = tree.span_parent[n].filter(|_| is_handler(tree.spans[n])) else { continue };
            let placed = tree.event_of[fetch].is_some() || tree.sender_of[fetch].is_some();
            if placed || !matches!(tree.spans[fetch].role, Role::Receive { .. }) {
                continue;
            }
            tree.event_of[fetch] = tree.event_of[n];
            tree.sender_of[fetch] = tree.sender_of[n];
        }
    }

    /// Precedence: the exact context (when ids do not contradict), the message id, the place it was stored.
    fn event_handled(&self, n: usize, events: &EventIndex<'a>) -> Option<(usize, LinkHow)> {
        let span = self.tree.spans[n];
        let (topic, id) = message_of(span)?;
        let named = span.parent.map(|p| (span.trace_id, p));
        let mut candidates: Vec<usize> = named
            .into_iter()
            .chain(span.links.iter().copied())
            .flat_map(|context| equal_range(&events.by_hop, &(context, topic)).iter().map(|(_, e)| *e))
            .collect();
        candidates.sort_unstable();
        candidates.dedup();
        let same_id = |e: &usize| id.is_some() && self.tree.events[*e].event_id.as_deref() == id;
        if let Some(e) = candidates.iter().find(|e| same_id(e)) {
            return Some((*e, self.tree.events[*e].hop_format.how()));
        }
        if let Some((_, e)) = id.and_then(|id| equal_range(&events.by_id, &(topic, id)).first()) {
            return Some((*e, LinkHow::MessageId));
        }
        if let Role::Process { sequence: Some((stream, sequence)), .. } = &span.role {
            let stored = equal_range(&events.by_sequence, &(stream.as_deref(), *sequence));
            if let Some((_, e)) = stored.iter().find(|(_, e)| self.tree.events[*e].topic.body() == topic) {
                return Some((*e, LinkHow::Sequence));
            }
        }
        // Only the context speaks: enough when one message was sent in it, and always for a fetch of several.
        let fetch = matches!(span.role, Role::Receive { .. });
        let told = candidates.len() == 1 && (id.is_none() || self.sent_once(candidates[0]));
        let how = |e: usize| self.tree.events[e].hop_format.how();
        (told || (fetch && !candidates.is_empty())).then(|| (candidates[0], how(candidates[0])))
    }

    /// Whether the hop of an event is a span that sent just this message, so that a different id is only another name.
    fn sent_once(&self, event: usize) -> bool {
        let hop = self.tree.events[event].hop.and_then(|c| self.sender_at((c.trace_id, c.span_id)));
        hop.is_some_and(|n| matches!(self.tree.spans[n].role, Role::Send { .. }))
    }

    /// A handler hangs below its event, else its sender, unless work of its own service surrounds it.
    fn span_place(&self, n: usize) -> Option<usize> {
        let tree = &self.tree;
        let parent = tree.span_parent[n];
        if !is_handler(tree.spans[n]) {
            return parent.or(tree.follows[n]);
        }
        let local = parent.filter(|p| {
            let p = tree.spans[*p];
            p.service == tree.spans[n].service && !matches!(p.role, Role::Send { .. })
        });
        let event = tree.event_of[n];
        let carried = event.is_some_and(|e| {
            let hop = tree.events[e].hop;
            hop.is_some_and(|c| c.trace_id == tree.spans[n].trace_id && Some(c.span_id) == tree.spans[n].parent)
        });
        if local.is_some() && !carried {
            return local;
        }
        event.map(|e| tree.event_node(e)).or(tree.sender_of[n].filter(|s| *s != n)).or(parent).or(tree.follows[n])
    }

    /// An event hangs below what sent it last: hop, else message id, else origin; else below the event that caused it, else
    /// below what carries its correlation id.
    fn event_places(&self) -> impl Iterator<Item = Option<usize>> {
        let spans = self.tree.spans.len();
        let mut best: Vec<Option<(u8, usize)>> = vec![None; self.tree.events.len()];
        for (from, to, how) in &self.tree.links {
            let rank = match how {
                LinkHow::Traceparent | LinkHow::B3 => 0,
                LinkHow::MessageId => 1,
                LinkHow::Origin => 2,
                LinkHow::Causation => 3,
                LinkHow::CorrelationId => 4,
                _ => continue,
            };
            if *to < spans || (*from >= spans && *how != LinkHow::Causation) {
                continue;
            }
            let slot = &mut best[to - spans];
            *slot = Some(slot.map_or((rank, *from), |b| b.min((rank, *from))));
        }
        best.into_iter().map(|b| b.map(|(_, from)| from))
    }
}

/// Cuts each cycle above its lowest-numbered member. The outcome depends on the numbering alone.
fn cut_cycles(parent: &mut [Option<usize>]) {
    let mut walk_of = vec![usize::MAX; parent.len()];
    for start in 0..parent.len() {
        let mut at = start;
        while walk_of[at] == usize::MAX {
            walk_of[at] = start;
            match parent[at] {
                Some(p) => at = p,
                None => break,
            }
        }
        if walk_of[at] != start || parent[at].is_none() {
            continue;
        }
        let mut lowest = at;
        let mut member = at;
        while let Some(p) = parent[member].filter(|p| *p != at) {
            member = p;
            lowest = lowest.min(member);
        }
        parent[lowest] = None;
    }
}

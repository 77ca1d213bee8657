//! Finds handlings among spans: parents and children, clients and servers, messages and their sending.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use flowglass_model::{Nanos, NodeId, Peer, Role, SpanFacts, SpanId, SpanKind, TraceId};

use super::Seen;
use super::handlings::{Act, Asked, Attempt, Call, Cause, Handling};

/// Two calls count as one after the other when they overlap by less than this: clocks of one process tick finely, and timers
/// of tracers do not (1 ms).
const TOUCHING: i64 = 1_000_000;

/// Spans by what is asked of them.
pub(super) struct Index<'a> {
    spans: &'a [Seen],
    children: HashMap<(TraceId, SpanId), Vec<usize>>,
    by_id: HashMap<(TraceId, SpanId), Vec<usize>>,
    /// Sends by topic and message id.
    sends: HashMap<(&'a str, &'a str), usize>,
    /// What calls to a peer that show a callee turned out to be.
    known: HashMap<(Peer, Arc<str>), Asked>,
}

impl<'a> Index<'a> {
    pub(super) fn new(spans: &'a [Seen]) -> Index<'a> {
        let mut index = Index {
            spans,
            children: HashMap::new(),
            by_id: HashMap::new(),
            sends: HashMap::new(),
            known: HashMap::new(),
        };
        let mut order: Vec<usize> = (0..spans.len()).collect();
        order.sort_by_key(|i| (spans[*i].facts.start, spans[*i].facts.key()));
        for i in order {
            let s = &spans[i].facts;
            index.by_id.entry((s.trace_id, s.span_id)).or_default().push(i);
            if let Role::Send { topic, message_id: Some(id), .. } = &s.role {
                index.sends.insert((topic.body(), id), i);
            }
            if let Some(parent) = s.parent.filter(|p| *p != s.span_id) {
                index.children.entry((s.trace_id, parent)).or_default().push(i);
            }
        }
        let mut known: BTreeMap<(Peer, Arc<str>), BTreeMap<Asked, usize>> = BTreeMap::new();
        for (i, seen) in spans.iter().enumerate() {
            if let (Role::Client { peer }, Some(server)) = (&seen.facts.role, index.server_of(i)) {
                let place = known.entry((peer.clone(), Arc::clone(&seen.facts.operation))).or_default();
                *place.entry(asked_of(&spans[server].facts)).or_default() += 1;
            }
        }
        let most = |(key, found): (_, BTreeMap<Asked, usize>)| {
            let best = found.into_iter().max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0)));
            best.map(|(asked, _)| (key, asked))
        };
        index.known = known.into_iter().filter_map(most).collect();
        index
    }

    pub(super) fn parent(&self, span: &SpanFacts) -> Option<usize> {
        let incoming = matches!(span.kind, SpanKind::Server | SpanKind::Consumer);
        let at = |id| self.by_id.get(&(span.trace_id, id)).map(Vec::as_slice).unwrap_or_default();
        let outgoing = |i: &&usize| matches!(self.spans[**i].facts.kind, SpanKind::Client | SpanKind::Producer);
        // Zipkin: client and server share one span id.
        if incoming && let Some(i) = at(span.span_id).iter().find(outgoing) {
            return Some(*i);
        }
        let found = at(span.parent?);
        found.iter().find(|i| incoming == outgoing(i)).or(found.first()).copied()
    }

    /// The server span that answered a client span.
    fn server_of(&self, client: usize) -> Option<usize> {
        let c = &self.spans[client].facts;
        let is_server = |i: &&usize| matches!(self.spans[**i].facts.role, Role::Server { .. });
        let shared = self.by_id.get(&(c.trace_id, c.span_id)).and_then(|l| l.iter().find(is_server));
        shared.or_else(|| self.children.get(&(c.trace_id, c.span_id))?.iter().find(is_server)).copied()
    }

    fn children_of(&self, span: usize) -> &[usize] {
        let s = &self.spans[span].facts;
        self.children.get(&(s.trace_id, s.span_id)).map(Vec::as_slice).unwrap_or_default()
    }

    /// The handling of a span that received something.
    pub(super) fn handling(&self, i: usize) -> Option<Handling> {
        let seen = &self.spans[i];
        let s = &seen.facts;
        let cause = match &s.role {
            Role::Server { .. } => match self.parent(s).map(|p| &self.spans[p].facts) {
                None => Cause::Outside,
                Some(_) => Cause::Called,
            },
            Role::Process { topic, delivery, .. } => {
                let delay = self.sending(s).map(|sent| s.start - sent);
                Cause::Message { topic: topic.clone(), delay, delivery: delivery.unwrap_or(1).max(1), batch: 1 }
            }
            // Fetching with no processing span below is the handling itself, of a whole batch.
            Role::Receive { topic, batch, .. } if !self.processes_below(i) => {
                Cause::Message { topic: topic.clone(), delay: None, delivery: 1, batch: batch.unwrap_or(1).max(1) }
            }
            _ => return None,
        };
        let mut waited = Vec::new();
        let mut acts = Vec::new();
        self.follow(i, s, &mut waited, &mut acts);
        acts.sort_by_key(Act::start);
        let acts = with_retries(acts);
        // Backing off before another try is no work either.
        waited.extend(acts.iter().filter_map(|act| match act {
            Act::Call(call) if call.attempts.len() > 1 => Some((call.start(), call.end())),
            _ => None,
        }));
        let own = s.duration() - covered(&mut waited, s.start, s.end);
        let failed = s.is_error() && !s.is_client_error();
        let passed_on = acts.iter().any(|a| matches!(a, Act::Call(call) if call.failed()));
        Some(Handling {
            asked: asked_of(s),
            start: s.start,
            end: s.end,
            instance: seen.instance.clone(),
            own,
            failed,
            failed_itself: failed && !passed_on,
            told_by_caller: false,
            acts,
            cause,
        })
    }

    /// When the message that a span processes had been sent.
    fn sending(&self, s: &SpanFacts) -> Option<Nanos> {
        let is_send = |i: &usize| matches!(self.spans[*i].facts.role, Role::Send { create: false, .. });
        let linked = s.links.iter().filter_map(|l| self.by_id.get(l)?.iter().copied().find(is_send));
        let parent = self.parent(s).filter(is_send);
        let named = match &s.role {
            Role::Process { topic, message_id: Some(id), .. } => self.sends.get(&(topic.body(), id.as_str())).copied(),
            _ => None,
        };
        let sent = named.or(parent).or_else(|| linked.clone().next())?;
        Some(self.spans[sent].facts.end)
    }

    fn processes_below(&self, i: usize) -> bool {
        let service = &self.spans[i].facts.service;
        self.children_of(i).iter().any(|c| {
            let child = &self.spans[*c].facts;
            child.service == *service && matches!(child.role, Role::Process { .. } | Role::Receive { .. })
        })
    }

    /// Collects what the work of a handling waited for, and what it did. Local spans are its own work.
    fn follow(&self, at: usize, handling: &SpanFacts, waited: &mut Vec<(Nanos, Nanos)>, acts: &mut Vec<Act>) {
        for &c in self.children_of(at) {
            let child = &self.spans[c].facts;
            // What begins after the answer was not waited for.
            if child.start > handling.end {
                continue;
            }
            if child.service != handling.service {
                // A caller without a span of its own for the call.
                if matches!(child.role, Role::Server { .. })
                    && !matches!(self.spans[at].facts.role, Role::Client { .. })
                {
                    waited.push((child.start, child.end));
                    acts.push(called(asked_of(child), child, Some(child)));
                }
                continue;
            }
            match &child.role {
                Role::Internal | Role::Settle => self.follow(c, handling, waited, acts),
                Role::Client { .. } | Role::Access { .. } => {
                    waited.push((child.start, child.end));
                    if let Some(asked) = self.callee(c) {
                        acts.push(called(asked, child, self.server_of(c).map(|s| &*self.spans[s].facts)));
                    }
                }
                Role::Send { topic, create, .. } => {
                    waited.push((child.start, child.end));
                    // A `create` span is followed by the `send` of the same message.
                    let sent_below = *create
                        && self.children_of(c).iter().any(|s| matches!(self.spans[*s].facts.role, Role::Send { .. }));
                    if !sent_below {
                        acts.push(Act::Publish { topic: topic.clone(), start: child.start, end: child.end });
                    } else {
                        self.follow(c, handling, waited, acts);
                    }
                }
                Role::Server { .. } | Role::Receive { .. } | Role::Process { .. } => {}
            }
        }
    }

    /// Whom a client span asked.
    fn callee(&self, client: usize) -> Option<Asked> {
        if let Some(server) = self.server_of(client) {
            return Some(asked_of(&self.spans[server].facts));
        }
        let c = &self.spans[client].facts;
        match &c.role {
            Role::Access { backend } => Some((backend.clone(), Arc::clone(&c.operation))),
            Role::Client { peer } => {
                if let Some(known) = self.known.get(&(peer.clone(), Arc::clone(&c.operation))) {
                    return Some(known.clone());
                }
                let name = peer.service.as_deref().or(peer.host.as_deref())?;
                Some((NodeId::external(name, c.service.environment()), Arc::clone(&c.operation)))
            }
            _ => None,
        }
    }

    /// Handlings of participants that say nothing themselves (backends, systems outside), as their callers saw them.
    pub(super) fn others(&self) -> Vec<Handling> {
        let silent = |i: &usize| {
            let s = &self.spans[*i].facts;
            matches!(s.role, Role::Client { .. } | Role::Access { .. }) && self.server_of(*i).is_none()
        };
        let known: BTreeSet<&Asked> = self.known.values().collect();
        let handling = |i: usize| {
            let s = &self.spans[i].facts;
            // A lost call to somebody who is usually heard tells nothing of how long he works.
            let asked = self.callee(i).filter(|asked| !known.contains(asked))?;
            let failed = failed(s);
            Some(Handling {
                asked,
                start: s.start,
                end: s.end,
                instance: None,
                own: s.duration(),
                failed,
                failed_itself: failed,
                told_by_caller: true,
                acts: Vec::new(),
                cause: Cause::Called,
            })
        };
        (0..self.spans.len()).filter(silent).filter_map(handling).collect()
    }
}

/// A call as `span` tells of it, answered by `server` where that was seen.
fn called(asked: Asked, span: &SpanFacts, server: Option<&SpanFacts>) -> Act {
    let attempt = Attempt {
        start: span.start,
        end: span.end,
        failed: failed(span),
        handled: server.map(|s| (s.start, s.duration())),
        resend: span.resend > 0,
    };
    Act::Call(Call { asked, attempts: vec![attempt] })
}

fn failed(span: &SpanFacts) -> bool {
    span.is_error() && !span.is_client_error()
}

fn asked_of(span: &SpanFacts) -> Asked {
    (span.service.clone(), Arc::clone(&span.operation))
}

/// Length of the union of intervals inside `[start, end]`.
fn covered(intervals: &mut [(Nanos, Nanos)], start: Nanos, end: Nanos) -> i64 {
    intervals.sort_unstable();
    let mut total = 0;
    let mut reached = start;
    for (from, to) in intervals.iter() {
        let (from, to) = ((*from).max(reached), (*to).min(end));
        if to > from {
            total += to - from;
            reached = to;
        }
    }
    total
}

/// Calls of the same operation one after the other, the earlier one failed, are attempts of one call.
fn with_retries(acts: Vec<Act>) -> Vec<Act> {
    let mut out: Vec<Act> = Vec::with_capacity(acts.len());
    for act in acts {
        let Act::Call(call) = &act else {
            out.push(act);
            continue;
        };
        let Some(attempt) = call.attempts.first() else { continue };
        let before = out.iter_mut().rev().find_map(|earlier| match earlier {
            Act::Call(e) if e.asked == call.asked => Some(e),
            _ => None,
        });
        match before {
            Some(e) if (e.failed() || attempt.resend) && e.end() <= attempt.start + TOUCHING => {
                e.attempts.push(attempt.clone());
            }
            _ => out.push(act),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parallel_calls_are_taken_out_once() {
        assert_eq!(covered(&mut [(10, 40), (20, 60), (70, 200)], 0, 100), 80);
        assert_eq!(covered(&mut [], 0, 100), 0);
        assert_eq!(covered(&mut [(-50, -10), (120, 130)], 0, 100), 0);
    }
}

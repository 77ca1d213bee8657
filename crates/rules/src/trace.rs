//! One trace as handlings and calls.
//!
//! A *handling* is what a service does for one request or message: the span it was entered by and all of its own below. A *call*
//! goes from a handling to another participant. The way from spans to calls is that of the map (`topology`), so that what is
//! judged is what is drawn.

use std::net::IpAddr;

use flowglass_model::{Attributes, NodeId, Peer, Role, SpanFacts, SpanId, SpanKind};
use rustc_hash::FxHashMap;

use crate::landscape::{Landscape, Who};
use crate::tally::hash;

/// A span as rules look at it.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// What correlation knows of it.
    pub facts: &'a SpanFacts,
    /// Its attributes.
    pub attributes: &'a Attributes,
    /// W3C tracestate.
    pub trace_state: &'a str,
}

impl<'a> Seen<'a> {
    /// An attribute's text.
    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.attributes.iter().find(|(key, _)| key == name).and_then(|(_, value)| value.as_str())
    }
}

/// No such span.
const NONE: u32 = u32::MAX;

/// From one participant to another.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) caller: Who,
    pub(crate) callee: Who,
    /// The caller's span, if there is one.
    pub(crate) client: Option<usize>,
    /// The span that entered the callee, if it is known.
    pub(crate) server: Option<usize>,
    /// The handling it belongs to, by its first span.
    pub(crate) handling: usize,
    /// A backend's use, not a call of a service.
    pub(crate) access: bool,
    pub(crate) failed: bool,
    /// The first attempt of it, by number; itself for a first attempt.
    pub(crate) first: usize,
    /// What is called: the same for attempts of one thing.
    what: u64,
    /// Which one among the calls of the same in its handling.
    ordinal: u32,
}

impl Call {
    /// The span to look at.
    pub(crate) fn span(&self) -> usize {
        self.client.or(self.server).unwrap_or(self.handling)
    }
}

/// A trace taken apart.
pub(crate) struct Trace<'a> {
    pub(crate) spans: &'a [Seen<'a>],
    pub(crate) who: Vec<Option<Who>>,
    parent: Vec<u32>,
    children: Vec<Vec<u32>>,
    /// The first span of the handling each span belongs to.
    pub(crate) handling: Vec<usize>,
    /// In the order they began.
    pub(crate) calls: Vec<Call>,
    /// The call that led to a handling, by the handling's first span.
    entered_by: FxHashMap<usize, usize>,
    /// How many traces this one stands for.
    pub(crate) weight: f64,
}

impl<'a> Trace<'a> {
    pub(crate) fn new(spans: &'a [Seen<'a>], landscape: &mut Landscape) -> Trace<'a> {
        let who = spans.iter().map(|s| landscape.who(&s.facts.service)).collect();
        let parent = parents(spans);
        let mut children = vec![Vec::new(); spans.len()];
        for (i, p) in parent.iter().enumerate().filter(|(_, p)| **p != NONE) {
            children[*p as usize].push(i as u32);
        }
        let weight = spans.iter().find_map(|s| weight(s.trace_state)).unwrap_or(1.0);
        let mut trace = Trace {
            spans,
            who,
            parent,
            children,
            handling: Vec::new(),
            calls: Vec::new(),
            entered_by: FxHashMap::default(),
            weight,
        };
        trace.handling = (0..spans.len()).map(|i| trace.first_of_handling(i)).collect();
        trace.find_calls(landscape);
        trace
    }

    pub(crate) fn facts(&self, at: usize) -> &'a SpanFacts {
        self.spans[at].facts
    }

    pub(crate) fn parent(&self, at: usize) -> Option<usize> {
        Some(self.parent[at]).filter(|p| *p != NONE).map(|p| p as usize)
    }

    pub(crate) fn children(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        self.children[at].iter().map(|c| *c as usize)
    }

    /// First spans of handlings.
    pub(crate) fn handlings(&self) -> impl Iterator<Item = usize> + '_ {
        self.handling.iter().enumerate().filter(|(i, h)| i == *h).map(|(i, _)| i)
    }

    /// The call that led to a handling.
    pub(crate) fn call_into(&self, handling: usize) -> Option<&Call> {
        self.entered_by.get(&handling).map(|c| &self.calls[*c])
    }

    /// Whether a span is where its service was entered.
    fn is_entry(&self, at: usize) -> bool {
        let Some(parent) = self.parent(at) else { return true };
        let above = self.facts(parent);
        let request = matches!(self.facts(at).role, Role::Server { .. });
        self.facts(at).service != above.service
            || matches!(self.facts(at).role, Role::Process { .. })
            || (request && matches!(above.role, Role::Client { .. } | Role::Send { .. }))
    }

    fn first_of_handling(&self, at: usize) -> usize {
        let mut current = at;
        // Parents that name each other in a circle must not hang us.
        for _ in 0..=self.spans.len() {
            if self.is_entry(current) {
                return current;
            }
            current = self.parent(current).unwrap_or(current);
        }
        at
    }

    /// The nearest ancestor in the same service that is not local work.
    pub(crate) fn local_ancestor(&self, at: usize) -> Option<usize> {
        let mut current = at;
        for _ in 0..=self.spans.len() {
            current = self.parent(current)?;
            if self.facts(current).service != self.facts(at).service {
                return None;
            }
            if self.facts(current).role != Role::Internal {
                return Some(current);
            }
        }
        None
    }

    /// The first spans below that are not local work of the same service.
    pub(crate) fn first_below(&self, at: usize) -> Vec<usize> {
        let (mut open, mut out) = (vec![at], Vec::new());
        let mut steps = 0;
        while let Some(next) = open.pop() {
            steps += 1;
            if steps > self.spans.len() {
                break;
            }
            for child in self.children(next) {
                let facts = self.facts(child);
                let local = facts.service == self.facts(at).service && facts.role == Role::Internal;
                if local { open.push(child) } else { out.push(child) }
            }
        }
        out
    }

    fn find_calls(&mut self, landscape: &mut Landscape) {
        let mut calls = Vec::new();
        for at in 0..self.spans.len() {
            let found = match &self.facts(at).role {
                Role::Client { peer } => self.outgoing(at, peer, landscape),
                Role::Access { backend } => self.access(at, backend, landscape),
                _ => None,
            };
            calls.extend(self.incoming(at));
            calls.extend(found);
        }
        calls.sort_by_key(|c: &Call| {
            let facts = self.facts(c.span());
            (facts.start, facts.span_id, c.server)
        });
        self.calls = calls;
        self.find_retries();
        let into = self.calls.iter().enumerate().filter_map(|(i, c)| Some((c.server?, i)));
        self.entered_by = into.collect();
    }

    /// The call by which a span of another service reached this one.
    fn incoming(&self, at: usize) -> Option<Call> {
        let parent = self.parent(at)?;
        let facts = self.facts(at);
        let message = |role: &Role| matches!(role, Role::Process { .. } | Role::Receive { .. } | Role::Settle);
        if !self.is_entry(at) || message(&facts.role) || matches!(self.facts(parent).role, Role::Send { .. }) {
            return None;
        }
        // A service without server spans may have several spans below one call: the first stands for it.
        if !matches!(facts.role, Role::Server { .. }) {
            let siblings = || self.children(parent).filter(|c| self.facts(*c).service == facts.service);
            let server = |c: usize| matches!(self.facts(c).role, Role::Server { .. });
            let below = self.first_below(at).into_iter().any(|b| self.facts(b).service == facts.service && server(b));
            let rank = |c: usize| (self.facts(c).start, self.facts(c).span_id);
            if below || siblings().any(|c| server(c) || message(&self.facts(c).role)) {
                return None;
            }
            if siblings().map(rank).min() != Some(rank(at)) {
                return None;
            }
        }
        let is_client = |at: usize| matches!(self.facts(at).role, Role::Client { .. });
        let client = match self.facts(parent).role {
            Role::Internal => self.local_ancestor(parent).filter(|a| is_client(*a)),
            _ => Some(parent).filter(|p| is_client(*p)),
        };
        let failed = failed(facts) || client.is_some_and(|c| failed(self.facts(c)));
        let what = client.map_or_else(|| hash(&facts.operation), |c| self.what(c));
        self.call(self.who[parent]?, self.who[at]?, (client, Some(at)), client.unwrap_or(parent), failed, what)
    }

    /// A call whose other side sent no spans.
    fn outgoing(&self, at: usize, peer: &Peer, landscape: &mut Landscape) -> Option<Call> {
        let facts = self.facts(at);
        let wraps = self.first_below(at).into_iter().map(|b| self.facts(b)).any(|b| {
            b.service != facts.service
                || matches!(b.role, Role::Client { .. } | Role::Access { .. } | Role::Send { .. } | Role::Server { .. })
        });
        let transport = self.local_ancestor(at).is_some_and(|above| {
            let role = &self.facts(above).role;
            matches!(role, Role::Access { .. } | Role::Send { .. } | Role::Receive { .. } | Role::Settle)
        });
        if wraps || transport {
            return None;
        }
        let callee = landscape.who(&NodeId::external(&peer_name(peer)?, facts.service.environment()))?;
        self.call(self.who[at]?, callee, (Some(at), None), at, failed(facts), self.what(at))
    }

    fn access(&self, at: usize, backend: &NodeId, landscape: &mut Landscape) -> Option<Call> {
        let facts = self.facts(at);
        let same = |b: &SpanFacts| matches!(&b.role, Role::Access { backend: inner } if inner == backend);
        if self.first_below(at).into_iter().any(|b| self.facts(b).service == facts.service && same(self.facts(b))) {
            return None;
        }
        let callee = landscape.who(backend)?;
        let call = self.call(self.who[at]?, callee, (Some(at), None), at, facts.is_error(), self.what(at))?;
        Some(Call { access: true, ..call })
    }

    fn call(
        &self,
        caller: Who,
        callee: Who,
        (client, server): (Option<usize>, Option<usize>),
        from: usize,
        failed: bool,
        what: u64,
    ) -> Option<Call> {
        let handling = self.handling[from];
        let call = Call { caller, callee, client, server, handling, access: false, failed, first: 0, what, ordinal: 0 };
        Some(call)
    }

    /// What a caller's span asks for: attempts of one thing agree in it.
    fn what(&self, at: usize) -> u64 {
        let span = &self.spans[at];
        let target = span.text("url.full").or_else(|| span.text("url.path")).or_else(|| span.text("db.query.text"));
        hash(&(&*span.facts.operation, target))
    }

    /// Tells attempts from new calls: a call of the same after one that failed is another attempt.
    fn find_retries(&mut self) {
        let mut last: FxHashMap<(usize, Who, u64), usize> = FxHashMap::default();
        for i in 0..self.calls.len() {
            let key = (self.calls[i].handling, self.calls[i].callee, self.calls[i].what);
            let resend = self.calls[i].client.is_some_and(|c| self.facts(c).resend > 0);
            let before = last.get(&key).copied();
            let again = before.filter(|b| {
                let ended = self.facts(self.calls[*b].span()).end;
                resend || (self.calls[*b].failed && self.facts(self.calls[i].span()).start >= ended)
            });
            (self.calls[i].first, self.calls[i].ordinal) = match (again, before) {
                (Some(b), _) => (self.calls[b].first, self.calls[b].ordinal),
                (None, Some(b)) => (i, self.calls[b].ordinal + 1),
                (None, None) => (i, 0),
            };
            last.insert(key, i);
        }
    }

    /// What a call attempts, the same number for every attempt of it, however far up something was retried or delivered again.
    pub(crate) fn attempt(&self, call: &Call) -> u64 {
        self.attempt_below(call, 0)
    }

    fn attempt_below(&self, call: &Call, depth: usize) -> u64 {
        hash(&(self.handling_attempt_below(call.handling, depth), call.callee, call.what, call.ordinal))
    }

    /// What a handling attempts.
    pub(crate) fn handling_attempt(&self, handling: usize) -> u64 {
        self.handling_attempt_below(handling, 0)
    }

    fn handling_attempt_below(&self, handling: usize, depth: usize) -> u64 {
        let facts = self.facts(handling);
        let own = || hash(&(facts.trace_id, facts.span_id));
        if depth > 64 {
            return own();
        }
        if let Some(call) = self.call_into(handling) {
            return self.attempt_below(call, depth + 1);
        }
        match &facts.role {
            Role::Process { topic, message_id: Some(id), .. } => hash(&(topic.body(), &facts.service, id)),
            _ => own(),
        }
    }
}

/// Whether a caller would say that it failed: a client error is the caller's own fault, unless it says "not now".
pub(crate) fn failed(facts: &SpanFacts) -> bool {
    match facts.http_status {
        Some(408 | 425 | 429) => true,
        Some(status) if (400..500).contains(&status) => false,
        Some(status) if status >= 500 => true,
        _ => facts.is_error(),
    }
}

/// How the caller names the other side; the same choice as the map's.
fn peer_name(peer: &Peer) -> Option<String> {
    let name = peer.service.as_deref().filter(|s| !s.is_empty());
    let host = peer.host.as_deref().filter(|h| !h.is_empty());
    let bare = host.is_some_and(|h| h.parse::<IpAddr>().is_ok() || h == "localhost");
    let address = host.map(|host| match peer.port {
        Some(port) if host.contains(':') && !host.starts_with('[') => format!("[{host}]:{port}"),
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    });
    match (address, name) {
        (Some(address), Some(_)) if !bare => Some(address),
        (_, Some(name)) => Some(name.to_owned()),
        (address, None) => address,
    }
}

fn parents(spans: &[Seen<'_>]) -> Vec<u32> {
    let mut by_id: Vec<(SpanId, u32)> = spans.iter().enumerate().map(|(i, s)| (s.facts.span_id, i as u32)).collect();
    by_id.sort_unstable();
    let named = |id: SpanId| {
        let from = by_id.partition_point(|(other, _)| *other < id);
        by_id[from..].iter().take_while(move |(other, _)| *other == id).map(|(_, i)| *i)
    };
    let one = |i: usize| {
        let me = spans[i].facts;
        if me.kind == SpanKind::Server {
            // Zipkin's client and server share an id.
            let twin =
                named(me.span_id).find(|o| *o as usize != i && spans[*o as usize].facts.kind == SpanKind::Client);
            if let Some(twin) = twin {
                return Some(twin);
            }
        }
        named(me.parent?).filter(|o| *o as usize != i).min_by_key(|o| {
            let other = spans[*o as usize].facts;
            (other.service != me.service, other.kind != SpanKind::Server, other.kind)
        })
    };
    (0..spans.len()).map(|i| one(i).unwrap_or(NONE)).collect()
}

/// How many spans one stands for, as its tracestate tells: `ot=th:…` is a rejection threshold of 56 bits, `ot=p:…` (older) a
/// negative power of two (OpenTelemetry specification, TraceState: Probability Sampling).
fn weight(trace_state: &str) -> Option<f64> {
    let ot = trace_state.split(',').find_map(|member| member.trim().strip_prefix("ot="))?;
    let field = |name: &str| ot.split(';').find_map(|f| f.strip_prefix(name)?.strip_prefix(':'));
    if let Some(th) = field("th").filter(|th| (1..=14).contains(&th.len())) {
        let threshold = u64::from_str_radix(&format!("{th:0<14}"), 16).ok()?;
        let kept = 1.0 - threshold as f64 / (1_u64 << 56) as f64;
        return Some(1.0 / kept);
    }
    let power = field("p")?.parse::<i32>().ok().filter(|p| (0..=62).contains(p))?;
    Some(2_f64.powi(power))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sampling_tells_how_many_a_span_stands_for() {
        for (state, want) in [
            ("ot=th:8", Some(2.0)),
            ("vendor=1,ot=rv:6e6d1a75832a2f;th:c", Some(4.0)),
            ("ot=th:0", Some(1.0)),
            ("ot=p:3;r:5", Some(8.0)),
            ("", None),
            ("ot=th:zz", None),
        ] {
            assert_eq!(weight(state), want, "{state}");
        }
    }
}

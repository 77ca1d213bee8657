//! Made-up handlings whose truth is known.
#![allow(dead_code, reason = "each test uses its part")]

use std::sync::Arc;

use flowglass_model::{NodeId, Peer, Role, ServiceName, SpanFacts, SpanId, SpanKind, SpanStatus, TraceId};
use flowglass_scenario::Dist;
use flowglass_scenario::calibrate::Seen;

pub(crate) const MS: i64 = 1_000_000;

/// A landscape of made-up handlings: draws are a fixed sequence, so that every run sees the same.
pub(crate) struct Landscape {
    pub(crate) spans: Vec<Seen>,
    next: u64,
    state: u64,
}

impl Landscape {
    pub(crate) fn new() -> Landscape {
        Landscape { spans: Vec::new(), next: 1, state: 42 }
    }

    /// Uniform between 0 and 1 (splitmix64).
    pub(crate) fn draw(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Exponential, nanoseconds.
    pub(crate) fn exp(&mut self, mean_ms: f64) -> i64 {
        Dist::Exp(mean_ms * 1e6).quantile(self.draw()) as i64
    }

    pub(crate) fn trace(&mut self) -> TraceId {
        self.next += 1;
        TraceId::new((u128::from(self.next) << 64 | 7).to_be_bytes()).expect("not zero")
    }

    #[allow(clippy::too_many_arguments, reason = "a span has that many parts")]
    pub(crate) fn span(
        &mut self,
        trace: TraceId,
        parent: Option<SpanId>,
        service: &str,
        operation: &str,
        role: Role,
        from: i64,
        to: i64,
        ok: bool,
    ) -> SpanId {
        self.next += 1;
        let span_id = id(self.next);
        let kind = match role {
            Role::Server { .. } => SpanKind::Server,
            Role::Client { .. } | Role::Access { .. } => SpanKind::Client,
            Role::Send { .. } => SpanKind::Producer,
            Role::Process { .. } | Role::Receive { .. } => SpanKind::Consumer,
            _ => SpanKind::Internal,
        };
        let facts = SpanFacts {
            trace_id: trace,
            span_id,
            kind,
            parent,
            remote_parent: None,
            start: from,
            end: to,
            status: if ok { SpanStatus::Unset } else { SpanStatus::Error },
            http_status: None,
            grpc_status: None,
            error: None,
            service: NodeId::service(&ServiceName { namespace: None, name: service.into() }, None),
            operation: operation.into(),
            role,
            links: Vec::new(),
            keys: Vec::new(),
            resend: 0,
        };
        self.spans.push(Seen { facts: Arc::new(facts), instance: None });
        span_id
    }
}

pub(crate) fn id(n: u64) -> SpanId {
    SpanId::new(n.to_be_bytes()).expect("not zero")
}

pub(crate) fn server() -> Role {
    Role::Server { caller: "client".into() }
}

pub(crate) fn client() -> Role {
    Role::Client { peer: Peer { service: None, host: None, port: None } }
}

pub(crate) fn topic() -> NodeId {
    NodeId::topic("nats", "orders.placed", None)
}

/// Orders: web (5 ms) calls order (10 ms), which reads the customer (20 ms) in 60 % of cases and at the same time reserves stock
/// (30 ms), then charges (40 ms, 5 % fail and are tried once more after 50 ms), then publishes; mail (25 ms) handles that later.
pub(crate) fn orders(requests: usize, rates: &[(f64, usize)]) -> Landscape {
    let mut l = Landscape::new();
    let mut now = 1_700_000_000_000_000_000;
    let rate_at = |i: usize| {
        let mut left = i;
        rates
            .iter()
            .find(|(_, n)| {
                if left < *n {
                    true
                } else {
                    left -= n;
                    false
                }
            })
            .map_or(rates[0].0, |r| r.0)
    };
    for i in 0..requests {
        let gap = l.exp(1000.0 / rate_at(i));
        now += gap;
        order(&mut l, now, i);
    }
    l
}

fn order(l: &mut Landscape, start: i64, i: usize) {
    let trace = l.trace();
    let leg = 2 * MS;
    let web_own = l.exp(5.0);
    let t = start + web_own;
    // Written from the inside out: the ends are known only then.
    let order_from = t + leg;
    let mut at = order_from + l.exp(10.0);
    let (web, call, order) = (id(l.next + 1), id(l.next + 2), id(l.next + 3));
    l.next += 3;
    let asks_customer = l.draw() < 0.6;
    let stock = l.exp(30.0);
    let customer = l.exp(20.0);
    let mut joined = at + stock + 2 * leg;
    let c = l.span(trace, Some(order), "order", "POST /reservations", client(), at, joined, true);
    l.span(trace, Some(c), "stock", "POST /reservations", server(), at + leg, at + leg + stock, true);
    if asks_customer {
        let end = at + customer + 2 * leg;
        let c = l.span(trace, Some(order), "order", "GET /customers/{id}", client(), at + 1000, end, true);
        l.span(trace, Some(c), "crm", "GET /customers/{id}", server(), at + leg, at + leg + customer, true);
        joined = joined.max(end);
    }
    at = joined;
    let mut failed = false;
    for attempt in 0..2 {
        let work = l.exp(40.0);
        failed = l.draw() < 0.05;
        let end = at + work + 2 * leg;
        let c = l.span(trace, Some(order), "order", "POST /charge", client(), at, end, !failed);
        l.span(trace, Some(c), "payments", "POST /charge", server(), at + leg, at + leg + work, !failed);
        at = end;
        if !failed || attempt == 1 {
            break;
        }
        at += 50 * MS;
    }
    if !failed {
        let id = Some(format!("m{i}"));
        let sent = at + MS;
        let send = Role::Send { topic: topic(), message_id: id.clone(), create: false };
        let s = l.span(trace, Some(order), "order", "send orders.placed", send, at, sent, true);
        at = sent;
        let (mail, from) = (l.exp(25.0), sent + 3 * MS);
        let process = Role::Process { topic: topic(), group: None, message_id: id, delivery: Some(1), sequence: None };
        l.span(trace, Some(s), "mail", "process orders.placed", process, from, from + mail, true);
    }
    let own = |l: &mut Landscape, id, parent, service: &str, operation: &str, role, from, to| {
        l.span(trace, parent, service, operation, role, from, to, !failed);
        // The id that children were given before.
        let seen = l.spans.last_mut().expect("just pushed");
        Arc::make_mut(&mut seen.facts).span_id = id;
    };
    own(l, order, Some(call), "order", "POST /orders", server(), order_from, at);
    own(l, call, Some(web), "web", "POST /orders", client(), t, at + leg);
    own(l, web, None, "web", "POST /orders", server(), start, at + leg);
}

/// Two callers of one service, one near (2 ms one way) and one far (20 ms); each asks ten times a second.
pub(crate) fn near_and_far(requests: usize) -> Landscape {
    let mut l = Landscape::new();
    for i in 0..requests as i64 {
        let start = 1_700_000_000_000_000_000 + i * 50 * MS;
        let (caller, leg) = if i % 2 == 0 { ("near", 2 * MS) } else { ("far", 20 * MS) };
        let trace = l.trace();
        let work = l.exp(5.0);
        let end = start + MS + 2 * leg + work;
        let root = l.span(trace, None, caller, "GET /page", server(), start, end, true);
        let call = l.span(trace, Some(root), caller, "GET /stock", client(), start + MS, end, true);
        l.span(trace, Some(call), "stock", "GET /stock", server(), start + MS + leg, start + MS + leg + work, true);
    }
    l
}

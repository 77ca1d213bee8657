//! Builders for small journeys and a renderer that shows them as text. Times are milliseconds.

use std::fmt::Write as _;

use flowglass_journey::{DeliveryFacts, EventFacts, Input, build, summarise};
use flowglass_model::{
    Acknowledgement, ErrorFacts, ItemKind, ItemStatus, Journey, Layer, LinkHow, MessageContext, NodeId, Peer, Role,
    SpanFacts, SpanId, SpanKind, SpanStatus, TraceId, TraceJoin,
};

/// Trace `n`.
pub(crate) fn trace(n: u8) -> TraceId {
    TraceId::new([n; 16]).unwrap()
}

/// Span `n`.
pub(crate) fn id(n: u8) -> SpanId {
    SpanId::new([0, 0, 0, 0, 0, 0, 0, n]).unwrap()
}

/// A topic, as spans name it.
pub(crate) fn topic(name: &str) -> NodeId {
    NodeId::topic("nats", name, Some("test"))
}

const MS: i64 = 1_000_000;

/// A span under construction.
#[derive(Clone)]
pub(crate) struct S(pub(crate) SpanFacts);

impl S {
    pub(crate) fn new(t: u8, n: u8, kind: SpanKind, role: Role, service: &str, operation: &str, ms: (i64, i64)) -> S {
        S(SpanFacts {
            trace_id: trace(t),
            span_id: id(n),
            kind,
            parent: None,
            remote_parent: None,
            start: ms.0 * MS,
            end: ms.1 * MS,
            status: SpanStatus::Unset,
            http_status: None,
            grpc_status: None,
            error: None,
            service: NodeId::from(format!("service:{service}@test")),
            operation: operation.into(),
            role,
            links: Vec::new(),
            keys: Vec::new(),
            resend: 0,
        })
    }

    pub(crate) fn server(t: u8, n: u8, service: &str, operation: &str, ms: (i64, i64)) -> S {
        S::new(t, n, SpanKind::Server, Role::Server { caller: "client".into() }, service, operation, ms)
    }

    pub(crate) fn client(t: u8, n: u8, service: &str, operation: &str, ms: (i64, i64)) -> S {
        let peer = Peer { service: None, host: None, port: None };
        S::new(t, n, SpanKind::Client, Role::Client { peer }, service, operation, ms)
    }

    pub(crate) fn internal(t: u8, n: u8, service: &str, operation: &str, ms: (i64, i64)) -> S {
        S::new(t, n, SpanKind::Internal, Role::Internal, service, operation, ms)
    }

    pub(crate) fn send(t: u8, n: u8, service: &str, to: &str, message: Option<&str>, ms: (i64, i64)) -> S {
        let role = Role::Send { topic: topic(to), message_id: message.map(Into::into), create: false };
        S::new(t, n, SpanKind::Producer, role, service, &format!("publish {to}"), ms)
    }

    pub(crate) fn receive(t: u8, n: u8, service: &str, from: &str, batch: u32, ms: (i64, i64)) -> S {
        let role = Role::Receive {
            topic: topic(from),
            group: Some(format!("{service}-group")),
            message_id: None,
            batch: Some(batch),
        };
        S::new(t, n, SpanKind::Client, role, service, &format!("receive {from}"), ms)
    }

    pub(crate) fn process(t: u8, n: u8, service: &str, from: &str, message: Option<&str>, ms: (i64, i64)) -> S {
        let role = Role::Process {
            topic: topic(from),
            group: Some(format!("{service}-group")),
            message_id: message.map(Into::into),
            delivery: None,
            sequence: None,
        };
        S::new(t, n, SpanKind::Consumer, role, service, &format!("process {from}"), ms)
    }

    pub(crate) fn below(mut self, parent: u8) -> S {
        self.0.parent = Some(id(parent));
        self
    }

    pub(crate) fn link(mut self, t: u8, n: u8) -> S {
        self.0.links.push((trace(t), id(n)));
        self
    }

    pub(crate) fn http(mut self, status: u16) -> S {
        self.0.http_status = Some(status);
        self
    }

    pub(crate) fn error(mut self, kind: &str, message: &str) -> S {
        self.0.status = SpanStatus::Error;
        let text = |t: &str| (!t.is_empty()).then(|| t.to_owned());
        self.0.error = Some(ErrorFacts { message: text(message), kind: text(kind) });
        self
    }

    pub(crate) fn resend(mut self, count: u32) -> S {
        self.0.resend = count;
        self
    }

    pub(crate) fn key(mut self, name: &str, value: &str) -> S {
        self.0.keys.push((name.into(), value.into()));
        self
    }

    pub(crate) fn stored(mut self, at: u64) -> S {
        if let Role::Process { sequence, .. } = &mut self.0.role {
            *sequence = Some((Some("ORDERS".into()), at));
        }
        self
    }

    pub(crate) fn peer(mut self, name: &str) -> S {
        self.0.role = Role::Client { peer: Peer { service: None, host: Some(name.into()), port: None } };
        self
    }
}

/// An event on a topic, sent from a span.
pub(crate) fn event(row: i64, id: Option<&str>, to: &str, ms: i64, hop: Option<(u8, u8)>) -> EventFacts {
    EventFacts {
        row,
        event_id: id.map(Into::into),
        source: Some("/shop".into()),
        topic: NodeId::topic("nats", to, None),
        name: to.into(),
        time: ms * MS,
        hop: hop.map(|(t, n)| MessageContext { trace_id: trace(t), span_id: self::id(n) }),
        hop_format: Default::default(),
        origin: None,
        correlation_id: None,
        causation_id: None,
        stream: Some("ORDERS".into()),
        sequence: Some(row as u64),
        occurrences: 1,
        keys: Vec::new(),
        dead_lettered: false,
    }
}

/// A delivery of an event.
pub(crate) fn delivery(row: i64, consumer: &str, delivered: u32, ack: Option<Acknowledgement>) -> DeliveryFacts {
    DeliveryFacts {
        event: row,
        consumer: consumer.into(),
        consumer_sequence: u64::from(delivered),
        delivered,
        time: i64::from(delivered) * MS,
        acknowledgement: ack,
    }
}

/// A join between traces.
pub(crate) fn join(parent: (u8, u8), child: (u8, u8), how: LinkHow) -> TraceJoin {
    TraceJoin {
        parent_trace: trace(parent.0),
        parent_span: id(parent.1),
        child_trace: trace(child.0),
        child_span: id(child.1),
        how,
    }
}

/// The input of a journey of trace 1.
#[derive(Debug, Clone, Default)]
pub(crate) struct Case {
    pub(crate) spans: Vec<SpanFacts>,
    pub(crate) joins: Vec<TraceJoin>,
    pub(crate) events: Vec<EventFacts>,
    pub(crate) deliveries: Vec<DeliveryFacts>,
}

impl Case {
    pub(crate) fn new(spans: impl IntoIterator<Item = S>) -> Case {
        Case { spans: spans.into_iter().map(|s| s.0).collect(), ..Case::default() }
    }

    pub(crate) fn joins(mut self, joins: impl IntoIterator<Item = TraceJoin>) -> Case {
        self.joins.extend(joins);
        self
    }

    pub(crate) fn events(mut self, events: impl IntoIterator<Item = EventFacts>) -> Case {
        self.events.extend(events);
        self
    }

    pub(crate) fn deliveries(mut self, deliveries: impl IntoIterator<Item = DeliveryFacts>) -> Case {
        self.deliveries.extend(deliveries);
        self
    }

    pub(crate) fn build(&self) -> Journey {
        let input = Input {
            root: trace(1),
            spans: &self.spans,
            joins: &self.joins,
            partial: &[],
            events: &self.events,
            deliveries: &self.deliveries,
            layers: &|node| if node.as_str().starts_with("topic:") { Layer::Event } else { Layer::Process },
        };
        let journey = build(&input);
        assert_eq!(journey.summary, summarise(&input), "the list must say what the journey says");
        journey
    }

    /// The journey as text.
    pub(crate) fn text(&self) -> String {
        render(&self.build())
    }
}

fn short(id: &str) -> &str {
    match id.trim_start_matches('0') {
        "" => id,
        rest => rest,
    }
}

fn ms(nanos: i64) -> f64 {
    nanos as f64 / MS as f64
}

/// State, tree, links other than parents, critical path, failure.
pub(crate) fn render(journey: &Journey) -> String {
    let s = &journey.summary;
    let mut out = format!("{:?}: {}", s.state, s.root);
    if let Some(response) = s.response {
        write!(out, ", answered in {} ms", ms(response)).unwrap();
    }
    write!(out, ", settled after {} ms", ms(s.settled.unwrap_or(-MS))).unwrap();
    for (what, n) in [("errors", s.errors), ("retries", s.retries), ("dead-lettered", s.dead_lettered.into())] {
        if n > 0 {
            write!(out, ", {what} {n}").unwrap();
        }
    }
    out.push('\n');
    below(journey, None, &mut out);
    for link in journey.links.iter().filter(|l| l.how != LinkHow::Parent) {
        writeln!(out, "{} -{}-> {}", short(&link.from), link.how.as_str(), short(&link.to)).unwrap();
    }
    let path: Vec<String> =
        journey.critical_path.iter().map(|p| format!("{} {}", short(&p.id), ms(p.self_time))).collect();
    writeln!(out, "path: {}", path.join(", ")).unwrap();
    if !journey.missing.is_empty() {
        let missing: Vec<String> = journey.missing.iter().map(|m| short(&m.to_string()).to_owned()).collect();
        writeln!(out, "missing: {}", missing.join(", ")).unwrap();
    }
    if let Some(f) = &journey.failure {
        let chain: Vec<&str> = f.chain.iter().map(|c| short(c)).collect();
        writeln!(out, "failure of {}: {}\nchain: {}", f.participant.name(), f.cause, chain.join(" -> ")).unwrap();
    }
    out
}

fn below(journey: &Journey, parent: Option<&str>, out: &mut String) {
    for item in journey.items.iter().filter(|i| i.parent.as_deref() == parent) {
        let indent = "  ".repeat(item.depth as usize + 1);
        write!(out, "{indent}{} {} {} {}", short(&item.id), item.role, item.participant.name(), item.name).unwrap();
        match item.kind {
            ItemKind::Span => write!(out, " {}+{}", ms(item.start), ms(item.duration)).unwrap(),
            ItemKind::Event => write!(out, " {}", ms(item.start)).unwrap(),
        }
        if item.status == ItemStatus::Error {
            out.push_str(" ERROR");
        }
        for (word, n) in [("delivery", item.delivery), ("retry", item.retry)] {
            if let Some(n) = n {
                write!(out, " {word} {n}").unwrap();
            }
        }
        if let Some(badge) = &item.badge {
            write!(out, " [{badge}]").unwrap();
        }
        out.push('\n');
        below(journey, Some(&item.id), out);
    }
}

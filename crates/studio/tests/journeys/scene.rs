//! Small landscapes, span by span.

use std::sync::Arc;

use flowglass_studio::model::{
    Message, MessageContext, NodeId, Peer, Resource, Role, Scope, ServiceName, Span, SpanFacts, SpanId, SpanKind,
    SpanStatus, TraceId,
};

use crate::support::Piece;

/// 2026-03-10T14:31:00Z.
pub(crate) const T0: i64 = 1_773_153_060_000_000_000;
pub(crate) const MS: i64 = 1_000_000;

pub(crate) fn trace(n: u32) -> TraceId {
    TraceId::new((u128::from(n) + 1).to_be_bytes()).expect("not zero")
}

pub(crate) fn span_id(n: u32) -> SpanId {
    SpanId::new((u64::from(n) + 1).to_be_bytes()).expect("not zero")
}

/// A span in the making.
#[derive(Clone)]
pub(crate) struct S(SpanFacts);

impl S {
    pub(crate) fn new(of: u32, id: u32, service: &str, kind: SpanKind, role: Role, (at, ms): (i64, i64)) -> S {
        let name = ServiceName { namespace: None, name: service.to_owned() };
        S(SpanFacts {
            trace_id: trace(of),
            span_id: span_id(id),
            kind,
            parent: None,
            remote_parent: None,
            start: T0 + at * MS,
            end: T0 + (at + ms) * MS,
            status: SpanStatus::Unset,
            http_status: None,
            grpc_status: None,
            error: None,
            service: NodeId::service(&name, None),
            operation: Arc::from(format!("{service} works")),
            role,
            links: Vec::new(),
            keys: Vec::new(),
            resend: 0,
        })
    }

    pub(crate) fn server(of: u32, id: u32, service: &str, time: (i64, i64)) -> S {
        S::new(of, id, service, SpanKind::Server, Role::Server { caller: "client".into() }, time)
    }

    pub(crate) fn client(of: u32, id: u32, service: &str, time: (i64, i64)) -> S {
        let peer = Peer { service: None, host: None, port: None };
        S::new(of, id, service, SpanKind::Client, Role::Client { peer }, time)
    }

    pub(crate) fn internal(of: u32, id: u32, service: &str, time: (i64, i64)) -> S {
        S::new(of, id, service, SpanKind::Internal, Role::Internal, time)
    }

    pub(crate) fn send(of: u32, id: u32, service: &str, topic: &str, message: Option<&str>, time: (i64, i64)) -> S {
        let (topic, message_id) = (NodeId::from(format!("topic:{topic}")), message.map(str::to_owned));
        S::new(of, id, service, SpanKind::Producer, Role::Send { topic, message_id, create: false }, time)
    }

    pub(crate) fn receive(of: u32, id: u32, service: &str, topic: &str, time: (i64, i64)) -> S {
        let topic = NodeId::from(format!("topic:{topic}"));
        let role = Role::Receive { topic, group: Some(service.to_owned()), message_id: None, batch: None };
        S::new(of, id, service, SpanKind::Client, role, time)
    }

    pub(crate) fn process(of: u32, id: u32, service: &str, topic: &str, message: Option<&str>, time: (i64, i64)) -> S {
        let role = Role::Process {
            topic: NodeId::from(format!("topic:{topic}")),
            group: Some(service.to_owned()),
            message_id: message.map(str::to_owned),
            delivery: None,
            sequence: None,
        };
        S::new(of, id, service, SpanKind::Consumer, role, time)
    }

    pub(crate) fn below(mut self, id: u32) -> S {
        self.0.parent = Some(span_id(id));
        self
    }

    pub(crate) fn link(mut self, of: u32, id: u32) -> S {
        self.0.links.push((trace(of), span_id(id)));
        self
    }

    pub(crate) fn key(mut self, name: &str, value: &str) -> S {
        self.0.keys.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn piece(self) -> Piece {
        let service = ServiceName { namespace: None, name: self.0.service.name().to_owned() };
        let resource = Resource {
            service,
            environment: None,
            instance: None,
            version: None,
            declared_layer: None,
            attributes: Vec::new(),
            schema_url: String::new(),
        };
        Piece::Span(Span {
            name: self.0.operation.to_string(),
            facts: Arc::new(self.0),
            trace_state: String::new(),
            attributes: Vec::new(),
            events: Vec::new(),
            links: Vec::new(),
            dropped: 0,
            resource: Arc::new(resource),
            scope: Arc::new(Scope::default()),
        })
    }
}

pub(crate) fn message(system: &str, destination: &str, id: &str, at: i64, hop: Option<(u32, u32)>) -> Piece {
    Piece::Message(Message {
        system: system.into(),
        destination: destination.into(),
        time: T0 + at * MS,
        stream: None,
        sequence: None,
        event_id: Some(id.into()),
        source: Some(format!("/{system}")),
        event_type: None,
        key: None,
        hop: hop.map(|(t, s)| MessageContext { trace_id: trace(t), span_id: span_id(s) }),
        origin: None,
        correlation_id: None,
        hop_format: Default::default(),
        causation_id: None,
        reply: None,
        headers: Vec::new(),
        payload: Vec::new(),
        payload_size: 0,
        content_type: None,
        keys: Vec::new(),
        redacted: 0,
    })
}

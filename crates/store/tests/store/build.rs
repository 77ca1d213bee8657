//! Builders of model values, and a workspace in a scratch folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use flowglass_model::{
    Acknowledgement, Delivery, DeliveryKey, LogRecord, Message, MessageContext, Nanos, NodeId, Resource, Role, Scope,
    ServiceName, Settlement, Span, SpanEvent, SpanFacts, SpanId, SpanKind, SpanLink, SpanStatus, TraceId, Value,
};
use flowglass_store::{Access, Added, Checked, Reader, Repaired, StoreError, Tx, Writer, check, repair};

/// 2023-11-14, a multiple of 8 h, so that buckets are easy to count.
pub(crate) const T0: Nanos = 1_699_977_600_000_000_000;
pub(crate) const SECOND: i64 = 1_000_000_000;

/// A workspace that goes away with the test.
pub(crate) struct Scratch {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) path: PathBuf,
    pub(crate) writer: Writer,
}

impl Scratch {
    pub(crate) fn new() -> Scratch {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.flowglass");
        let writer = Writer::open(&path, Access::Create).unwrap();
        Scratch { folder, path, writer }
    }

    pub(crate) fn write<T>(&mut self, f: impl FnOnce(&mut Tx<'_>) -> T) -> T {
        let mut tx = self.writer.begin().unwrap();
        let out = f(&mut tx);
        tx.commit().unwrap();
        out
    }

    pub(crate) fn message(&mut self, m: &Message) -> Added {
        self.write(|tx| tx.add_messages(std::slice::from_ref(m)).unwrap()[0])
    }

    pub(crate) fn reader(&self) -> Reader {
        Reader::open(&self.path).unwrap()
    }
}

/// A check that nobody stops.
pub(crate) fn checked(path: &Path) -> Result<Checked, StoreError> {
    check(path, &mut |_| true).map(|found| found.expect("nobody stopped it"))
}

/// What is saved when nobody stops it, and nobody adds anything.
pub(crate) fn repaired(path: &Path, into: &Path) -> Result<Repaired, StoreError> {
    let saved = repair(path, into, &mut |_| true, |_, _, _| Ok::<_, StoreError>(true));
    saved.map(|saved| saved.expect("nobody stopped it"))
}

pub(crate) fn trace_id(n: u64) -> TraceId {
    TraceId::new((u128::from(n) << 64 | 1).to_be_bytes()).unwrap()
}

pub(crate) fn span_id(n: u64) -> SpanId {
    SpanId::new((n + 1).to_be_bytes()).unwrap()
}

pub(crate) fn resource(name: &str) -> Arc<Resource> {
    Arc::new(Resource {
        service: ServiceName { namespace: Some("orders".into()), name: name.into() },
        environment: Some("prod".into()),
        instance: None,
        version: Some("1.2".into()),
        declared_layer: None,
        attributes: vec![("service.name".into(), name.into())],
        schema_url: "https://opentelemetry.io/schemas/1.44.0".into(),
    })
}

/// A span with everything in it that a span can have.
pub(crate) fn span(trace: u64, id: u64, start: Nanos) -> Span {
    let resource = resource("order-prc-api");
    Span {
        facts: Arc::new(SpanFacts {
            trace_id: trace_id(trace),
            span_id: span_id(id),
            kind: SpanKind::Server,
            parent: Some(span_id(999_999)),
            remote_parent: Some(true),
            start,
            end: start + 5_000_000,
            status: SpanStatus::Error,
            http_status: Some(500),
            grpc_status: None,
            error: Some(flowglass_model::ErrorFacts { message: Some("no".into()), kind: None }),
            service: resource.node_id(),
            operation: Arc::from("POST /orders"),
            role: Role::Server { caller: "browser".into() },
            links: vec![],
            keys: vec![("orderId".into(), format!("o-{id}"))],
            resend: 1,
        }),
        name: "POST /orders".into(),
        trace_state: "a=b".into(),
        attributes: vec![
            ("order.body".into(), Value::from(format!(r#"{{"id":"json-{id}","lines":[{{"qty":{}}}]}}"#, id + 70_000))),
            (
                "all.sorts".into(),
                Value::Array(vec![Value::Null, Value::Bool(true), Value::Double(2.5), Value::Int(-7)]),
            ),
            ("bytes".into(), Value::Map(vec![("raw".into(), Value::Bytes(vec![0xde, 0xad]))])),
        ],
        events: vec![SpanEvent {
            time: start + 1,
            name: "exception".into(),
            attributes: vec![("k".into(), "v".into())],
        }],
        links: vec![SpanLink { trace_id: trace_id(77), span_id: span_id(78), attributes: vec![] }],
        dropped: 3,
        resource,
        scope: Arc::new(Scope { name: "scope".into(), version: "1".into(), attributes: vec![] }),
    }
}

/// A consumer's span for a message, with a link into the sender's trace.
pub(crate) fn process_span(trace: u64, id: u64, topic: &str, message_id: &str, sender: (u64, u64)) -> Span {
    let mut s = span(trace, id, T0);
    let facts = Arc::make_mut(&mut s.facts);
    facts.kind = SpanKind::Consumer;
    facts.links = vec![(trace_id(sender.0), span_id(sender.1))];
    facts.role = Role::Process {
        topic: NodeId::topic("nats", topic, Some("prod")),
        group: None,
        message_id: Some(message_id.into()),
        delivery: None,
        sequence: None,
    };
    s
}

pub(crate) fn log(trace: Option<u64>, body: &str, time: Nanos) -> LogRecord {
    LogRecord {
        time,
        trace_id: trace.map(trace_id),
        span_id: trace.map(span_id),
        severity: 17,
        severity_text: "ERROR".into(),
        body: body.into(),
        event_name: String::new(),
        attributes: vec![("order".into(), "log-key".into())],
        resource: resource("order-prc-api"),
        scope: Arc::default(),
    }
}

pub(crate) fn message(destination: &str, id: Option<&str>, time: Nanos) -> Message {
    Message {
        system: "nats".into(),
        destination: destination.into(),
        time,
        stream: None,
        sequence: None,
        event_id: id.map(Into::into),
        source: id.map(|_| "/orders".into()),
        event_type: Some("OrderPlaced".into()),
        key: Some("o-17".into()),
        hop: Some(MessageContext { trace_id: trace_id(1), span_id: span_id(1) }),
        origin: None,
        correlation_id: Some("corr-1".into()),
        hop_format: Default::default(),
        causation_id: None,
        reply: None,
        headers: vec![("X-Tenant".into(), "tenant-9".into())],
        payload: br#"{"orderId":"o-17","total":{"amount":1299}}"#.to_vec(),
        payload_size: 42,
        content_type: Some("application/json".into()),
        keys: vec![("orderId".into(), "o-17".into())],
        redacted: 0,
    }
}

pub(crate) fn stored(mut m: Message, stream: &str, sequence: u64) -> Message {
    m.stream = Some(stream.into());
    m.sequence = Some(sequence);
    m
}

pub(crate) fn key(consumer_sequence: u64) -> DeliveryKey {
    DeliveryKey { stream: "ORDERS".into(), consumer: "billing".into(), consumer_sequence }
}

pub(crate) fn delivery(consumer_sequence: u64, stream_sequence: u64, delivered: u32, time: Nanos) -> Delivery {
    Delivery {
        system: "nats".into(),
        key: key(consumer_sequence),
        destination: Some("orders.placed".into()),
        stream_sequence,
        delivered,
        time,
        event_id: None,
    }
}

pub(crate) fn settlement(consumer_sequence: u64, acknowledgement: Acknowledgement, time: Nanos) -> Settlement {
    Settlement {
        key: key(consumer_sequence),
        stream_sequence: 1,
        delivered: consumer_sequence as u32,
        time,
        acknowledgement,
    }
}

//! The text language.

use std::collections::BTreeMap;
use std::sync::Arc;

use flowglass_model::{
    Delivery, DeliveryKey, Message, MessageContext, Nanos, NodeId, Peer, Role, ServiceName, SpanFacts, SpanId,
    SpanKind, SpanStatus, TraceId,
};

/// What a text tells.
#[derive(Debug, Clone, Default)]
pub struct Story {
    /// Spans in the order of the lines.
    pub spans: Vec<SpanFacts>,
    /// Publications in the order of the lines.
    pub messages: Vec<Message>,
    /// Deliveries in the order of the lines.
    pub deliveries: Vec<Delivery>,
}

/// The trace id of a name: its bytes, filled with ones.
pub fn trace_id(name: &str) -> TraceId {
    let mut bytes = [1; 16];
    name.bytes().zip(&mut bytes).for_each(|(b, slot)| *slot = b);
    TraceId::new(bytes).expect("not all zero")
}

/// The span id of a name: its bytes, filled with ones.
pub fn span_id(name: &str) -> SpanId {
    let mut bytes = [1; 8];
    name.bytes().zip(&mut bytes).for_each(|(b, slot)| *slot = b);
    SpanId::new(bytes).expect("not all zero")
}

/// One line, taken apart.
struct Line<'a> {
    words: Vec<&'a str>,
    text: &'a str,
}

impl<'a> Line<'a> {
    fn value(&self, key: &str) -> Option<&'a str> {
        self.words.iter().find_map(|w| w.strip_prefix(key)?.strip_prefix('='))
    }

    fn marked(&self, mark: char) -> impl Iterator<Item = &'a str> {
        self.words.iter().filter_map(move |w| w.strip_prefix(mark))
    }

    fn has(&self, word: &str) -> bool {
        self.words.contains(&word)
    }

    fn number<T: std::str::FromStr>(&self, key: &str) -> Option<T> {
        let text = self.value(key)?;
        Some(text.parse().unwrap_or_else(|_| panic!("`{key}` is no number in `{}`", self.text)))
    }

    fn times(&self) -> (Nanos, Nanos) {
        let Some(text) = self.marked('@').next() else { return (0, 1_000_000) };
        let (start, end) = text.split_once("..").unwrap_or((text, text));
        let ms = |t: &str| t.parse::<i64>().unwrap_or_else(|_| panic!("bad time in `{}`", self.text)) * 1_000_000;
        (ms(start), ms(end))
    }

    fn environment(&self) -> Option<&'a str> {
        self.value("env")
    }

    fn topic(&self) -> NodeId {
        let text = self.value("topic").unwrap_or_else(|| panic!("no topic in `{}`", self.text));
        let (system, name) = text.split_once('/').unwrap_or((text, ""));
        NodeId::topic(system, name, self.environment())
    }
}

/// Reads a story. Panics on a line it does not understand, naming it.
pub fn story(text: &str) -> Story {
    let lines: Vec<Line<'_>> = text
        .lines()
        .map(|l| l.split('#').next().unwrap_or_default().trim())
        .filter(|l| !l.is_empty())
        .map(|text| Line { words: text.split_whitespace().collect(), text })
        .collect();
    let traces: BTreeMap<&str, TraceId> =
        lines.iter().map(|l| (l.words[0], trace_id(l.value("trace").unwrap_or("t")))).collect();
    let mut out = Story::default();
    for line in &lines {
        match line.words[0] {
            "message" => out.messages.push(message(line, &traces)),
            "delivery" => {
                let sequence = out.deliveries.len() as u64 + 1;
                out.deliveries.push(delivery(line, sequence));
            }
            _ => out.spans.push(span(line, &traces)),
        }
    }
    out
}

fn context(name: &str, traces: &BTreeMap<&str, TraceId>) -> (TraceId, SpanId) {
    (traces.get(name).copied().unwrap_or_else(|| trace_id("t")), span_id(name))
}

fn role(line: &Line<'_>, service: &NodeId) -> (Role, SpanKind) {
    let group = || line.value("group").map(str::to_owned);
    let message_id = || line.value("id").map(str::to_owned);
    match line.words[1] {
        "internal" => (Role::Internal, SpanKind::Internal),
        "consumer" => (Role::Internal, SpanKind::Consumer),
        "server" => (Role::Server { caller: line.value("caller").unwrap_or("client").to_owned() }, SpanKind::Server),
        "client" => {
            let address =
                line.value("peer").map(|p| p.rsplit_once(':').map_or((p, None), |(h, n)| (h, n.parse().ok())));
            let peer = Peer {
                service: line.value("service").map(str::to_owned),
                host: address.map(|(host, _)| host.to_owned()),
                port: address.and_then(|(_, port)| port),
            };
            (Role::Client { peer }, SpanKind::Client)
        }
        "access" => {
            let backend =
                NodeId::backend(line.value("db").unwrap_or("postgresql"), "db", Some("shop"), service.environment());
            (Role::Access { backend }, SpanKind::Client)
        }
        word @ ("send" | "create") => {
            let create = word == "create";
            (Role::Send { topic: line.topic(), message_id: message_id(), create }, SpanKind::Producer)
        }
        "receive" => {
            let batch = line.number("batch");
            (Role::Receive { topic: line.topic(), group: group(), message_id: message_id(), batch }, SpanKind::Client)
        }
        "process" => {
            let (topic, group, message_id) = (line.topic(), group(), message_id());
            (Role::Process { topic, group, message_id, delivery: None, sequence: None }, SpanKind::Consumer)
        }
        "settle" => (Role::Settle, SpanKind::Client),
        other => panic!("`{other}` is no role in `{}`", line.text),
    }
}

fn span(line: &Line<'_>, traces: &BTreeMap<&str, TraceId>) -> SpanFacts {
    let (namespace, name) =
        line.words[2].rsplit_once('/').map_or((None, line.words[2]), |(ns, n)| (Some(ns.to_owned()), n));
    let service = NodeId::service(&ServiceName { namespace, name: name.to_owned() }, line.environment());
    let (role, kind) = role(line, &service);
    let (start, end) = line.times();
    let operation = line.value("op").unwrap_or(line.words[1]).replace('_', " ");
    SpanFacts {
        trace_id: traces[line.words[0]],
        span_id: span_id(line.value("shares").unwrap_or(line.words[0])),
        kind,
        parent: line.marked('<').next().map(span_id),
        remote_parent: None,
        start,
        end,
        status: if line.has("err") { SpanStatus::Error } else { SpanStatus::Unset },
        http_status: line.number("http"),
        grpc_status: None,
        error: None,
        service,
        operation: Arc::from(operation),
        role,
        links: line.marked('~').map(|l| context(l, traces)).collect(),
        keys: Vec::new(),
        resend: line.number("resend").unwrap_or(0),
    }
}

fn message(line: &Line<'_>, traces: &BTreeMap<&str, TraceId>) -> Message {
    let (system, destination) = line.words[1].split_once('/').unwrap_or((line.words[1], ""));
    let found = |key| line.value(key).map(|name| context(name, traces));
    let context = |key| found(key).map(|(trace_id, span_id)| MessageContext { trace_id, span_id });
    Message {
        system: system.to_owned(),
        destination: destination.to_owned(),
        time: line.times().0,
        stream: None,
        sequence: None,
        event_id: line.value("id").map(str::to_owned),
        source: line.value("source").map(str::to_owned),
        event_type: None,
        key: None,
        hop: context("hop"),
        origin: context("origin"),
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
    }
}

fn delivery(line: &Line<'_>, sequence: u64) -> Delivery {
    let (system, destination) = line.words[1].split_once('/').unwrap_or((line.words[1], ""));
    Delivery {
        system: system.to_owned(),
        key: DeliveryKey { stream: "S".into(), consumer: line.words[2].to_owned(), consumer_sequence: sequence },
        destination: Some(destination.to_owned()),
        stream_sequence: sequence,
        delivered: 1,
        time: line.times().0,
        event_id: line.value("id").map(str::to_owned),
    }
}

//! Zipkin v2 JSON (openzipkin/zipkin-api `zipkin2-api.yaml`).

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::{Attributes, Batch, Rejected, Span, SpanEvent, SpanId, SpanKind, SpanStatus, TraceId, Value};
use serde::Deserialize;

use super::jaeger::{padded_span, padded_trace};
use crate::normalise::{self, Emitter, Options, RawSpan};
use crate::otlp::parts;

/// A span as Zipkin writes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ZipkinSpan {
    trace_id: String,
    id: String,
    parent_id: Option<String>,
    kind: Option<String>,
    name: Option<String>,
    /// Microseconds.
    timestamp: Option<f64>,
    /// Microseconds.
    duration: Option<f64>,
    #[serde(default)]
    shared: bool,
    local_endpoint: Option<Endpoint>,
    remote_endpoint: Option<Endpoint>,
    #[serde(default)]
    annotations: Vec<Annotation>,
    #[serde(default)]
    tags: BTreeMap<String, serde_json::Value>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Endpoint {
    service_name: Option<String>,
    ipv4: Option<String>,
    ipv6: Option<String>,
    port: Option<u16>,
}

#[derive(Debug, Clone, Deserialize)]
struct Annotation {
    timestamp: f64,
    value: String,
}

/// Reads a list of spans as it is posted to `/api/v2/spans`; an error in words when the body as a whole is no such list.
/// A span that cannot be read is refused alone.
pub fn spans(body: &[u8], options: &Options) -> Result<(Vec<Span>, Vec<Rejected>), String> {
    parts::json(body).map_err(|e| e.to_string())?;
    let items: Vec<&serde_json::value::RawValue> =
        serde_json::from_slice(body).map_err(|e| format!("not a list of Zipkin v2 spans: {e}"))?;
    let (mut good, mut rejected) = (Vec::with_capacity(items.len()), Vec::new());
    for (i, item) in items.into_iter().enumerate() {
        match serde_json::from_str(item.get()) {
            Ok(span) => good.push(span),
            Err(e) => rejected.push(Rejected {
                source: options.source.clone(),
                at: format!("[{i}]"),
                reason: format!("the span cannot be read: {e}"),
                count: 1,
            }),
        }
    }
    let mut batch = batch(good, options);
    batch.rejected.append(&mut rejected);
    Ok((batch.spans, batch.rejected))
}

/// Normalises spans that were sent together. Client and server of one call may share a span id (B3 propagation): the server
/// span then hangs below the client span of the same id.
pub(super) fn batch(spans: Vec<ZipkinSpan>, options: &Options) -> Batch {
    let clients: BTreeSet<(String, String)> = spans
        .iter()
        .filter(|s| s.kind.as_deref() == Some("CLIENT"))
        .map(|s| (s.trace_id.clone(), s.id.clone()))
        .collect();
    let mut emitters: BTreeMap<String, Emitter> = BTreeMap::new();
    let mut out = Batch::default();
    for span in spans {
        let service = span.local_endpoint.as_ref().and_then(|e| e.service_name.clone()).unwrap_or_default();
        let emitter = emitters.entry(service.clone()).or_insert_with(|| {
            let attributes = match service.is_empty() {
                true => Vec::new(),
                false => vec![("service.name".to_owned(), Value::String(service))],
            };
            let (resource, redacted) = normalise::resource(attributes, String::new());
            out.redacted += u64::from(redacted);
            Emitter::new(resource, normalise::scope(String::new(), String::new(), Vec::new()).0)
        });
        let is_shared = span.shared || clients.contains(&(span.trace_id.clone(), span.id.clone()));
        let at = format!("span {}", span.id);
        match raw(span, is_shared) {
            Ok(raw) => {
                let (span, redacted) = normalise::span(raw, emitter, options);
                out.redacted += u64::from(redacted);
                out.spans.push(span);
            }
            Err(reason) => out.rejected.push(Rejected { source: options.source.clone(), at, reason, count: 1 }),
        }
    }
    out
}

fn nanos(micros: f64) -> i64 {
    // `as` saturates, so a nonsensical time stays one and is shown as such.
    ((micros as i64) as i128 * 1_000).clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}

fn raw(span: ZipkinSpan, is_shared: bool) -> Result<RawSpan, String> {
    let trace_id: TraceId = padded_trace(&span.trace_id)?;
    let span_id: SpanId = padded_span(&span.id)?;
    let kind = match span.kind.as_deref() {
        Some("CLIENT") => SpanKind::Client,
        Some("SERVER") => SpanKind::Server,
        Some("PRODUCER") => SpanKind::Producer,
        Some("CONSUMER") => SpanKind::Consumer,
        _ => SpanKind::Internal,
    };
    let mut parent = span.parent_id.as_deref().filter(|p| p.bytes().any(|b| b != b'0')).map(padded_span).transpose()?;
    let shared_server = is_shared && kind == SpanKind::Server;
    if shared_server {
        parent = Some(span_id);
    }
    let error = span.tags.get("error").map(text);
    let mut attributes: Attributes =
        span.tags.iter().filter(|(k, _)| *k != "error").map(|(k, v)| (k.clone(), Value::String(text(v)))).collect();
    endpoint_attributes(&mut attributes, kind, span.remote_endpoint.as_ref());
    if kind == SpanKind::Producer || kind == SpanKind::Consumer {
        messaging_attributes(&mut attributes, span.remote_endpoint.as_ref());
    }
    if let Some(query) = span.tags.get("sql.query") {
        add(&mut attributes, "db.query.text", text(query));
        let system = span.remote_endpoint.as_ref().and_then(|e| e.service_name.as_deref()).unwrap_or("other_sql");
        add(&mut attributes, "db.system.name", system.to_owned());
    }
    if let Some(message) = error.as_ref().filter(|m| !m.is_empty() && *m != "true") {
        add(&mut attributes, "error.type", message.lines().next().unwrap_or_default().chars().take(200).collect());
    }
    let start = span.timestamp.map_or(0, nanos);
    Ok(RawSpan {
        trace_id,
        span_id,
        parent,
        remote_parent: shared_server.then_some(true),
        kind,
        name: span.name.unwrap_or_default(),
        start,
        end: start.saturating_add(span.duration.map_or(0, nanos)),
        status: if error.is_some() { SpanStatus::Error } else { SpanStatus::Unset },
        status_message: error.filter(|m| m != "true").unwrap_or_default(),
        trace_state: String::new(),
        attributes,
        events: span
            .annotations
            .into_iter()
            .map(|a| SpanEvent { time: nanos(a.timestamp), name: a.value, attributes: Vec::new() })
            .collect(),
        links: Vec::new(),
        dropped: 0,
    })
}

fn text(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn add(attributes: &mut Attributes, name: &str, value: String) {
    if !attributes.iter().any(|(k, _)| k == name) {
        attributes.push((name.to_owned(), Value::String(value)));
    }
}

/// The other side of a call. Its name is what the caller calls it; an address alone is not a name.
fn endpoint_attributes(attributes: &mut Attributes, kind: SpanKind, remote: Option<&Endpoint>) {
    let Some(remote) = remote else { return };
    let address = remote.ipv4.clone().or_else(|| remote.ipv6.clone());
    match kind {
        SpanKind::Server => {
            if let Some(address) = address {
                add(attributes, "client.address", address);
            }
        }
        SpanKind::Client => {
            if let Some(name) = remote.service_name.clone().filter(|n| !n.is_empty()) {
                add(attributes, "service.peer.name", name);
            }
            if let Some(address) = address {
                add(attributes, "server.address", address);
            }
            if let Some(port) = remote.port {
                add(attributes, "server.port", port.to_string());
            }
        }
        _ => {}
    }
}

/// Brave's tags for Kafka, RabbitMQ and JMS; the broker is the remote endpoint.
fn messaging_attributes(attributes: &mut Attributes, remote: Option<&Endpoint>) {
    let tag = |name: &str, attributes: &Attributes| {
        let found = attributes.iter().find(|(k, v)| k == name && v.as_str().is_some_and(|v| !v.is_empty()))?;
        Some(found.1.to_string())
    };
    let dialects = [
        ("kafka", ["kafka.topic", "kafka.topic", "kafka.topic"]),
        ("rabbitmq", ["rabbit.exchange", "rabbit.routing_key", "rabbit.queue"]),
        ("jms", ["jms.topic", "jms.queue", "jms.destination"]),
    ];
    for (system, names) in dialects {
        let Some(destination) = names.iter().find_map(|n| tag(n, attributes)) else { continue };
        add(attributes, "messaging.system", system.to_owned());
        add(attributes, "messaging.destination.name", destination);
        return;
    }
    if let Some(broker) = remote.and_then(|e| e.service_name.clone()) {
        add(attributes, "messaging.system", broker);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_id_becomes_a_parent() {
        let body = br#"[
          {"traceId":"00000000000000ab","id":"01","kind":"CLIENT","name":"get","timestamp":1000,"duration":20,
           "localEndpoint":{"serviceName":"web"},"remoteEndpoint":{"serviceName":"api","ipv4":"10.0.0.1","port":80},
           "tags":{"error":"boom","http.status_code":"500"}},
          {"traceId":"ab","id":"0000000000000001","kind":"SERVER","shared":true,"name":"get","timestamp":1005,"duration":10,
           "localEndpoint":{"serviceName":"api"},"annotations":[{"timestamp":1006,"value":"cache miss"}]},
          {"traceId":"ab","id":"zz"},
          {"id":"2"}]"#;
        let (spans, rejected) = spans(body, &Options::named("t")).unwrap();
        assert_eq!((spans.len(), rejected.len()), (2, 2));
        assert_eq!(spans[0].facts.trace_id, spans[1].facts.trace_id);
        assert_eq!((spans[0].facts.parent, spans[1].facts.parent), (None, Some(spans[0].facts.span_id)));
        assert_eq!((spans[0].facts.start, spans[0].facts.end), (1_000_000, 1_020_000));
        assert!(spans[0].facts.is_error() && !spans[1].facts.is_error());
        assert_eq!(spans[1].events[0].name, "cache miss");
        assert!(super::spans(b"{}", &Options::named("t")).is_err());
    }
}

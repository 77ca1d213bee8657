//! Our own test: a span or an event sent to a listener of ours as a sender would, stored and taken back.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use flowglass_model::Nanos;
use http::header::{self, HeaderMap, HeaderValue};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;
use serde_json::json;
use tonic::Code;

use crate::otlp::{Encoding, PROBE, SERVICES, decode_traces};
use crate::outgoing::{NoReply, Outgoing, Reply, grpc_frame, grpc_headers};
use crate::{Options, ProbeId, Sink, SubmitError};
use flowglass_model::{Batch, SourceKind};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// A span by OTLP/gRPC.
    OtlpGrpc,
    /// A span by OTLP/HTTP as protobuf.
    OtlpHttp,
    /// A span by OTLP/HTTP as JSON.
    OtlpJson,
    /// A structured CloudEvent.
    CloudEvent,
}

impl Probe {
    /// All of them.
    pub const ALL: [Probe; 4] = [Probe::OtlpGrpc, Probe::OtlpHttp, Probe::OtlpJson, Probe::CloudEvent];
}

/// Why a test failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeFailure {
    /// No answer.
    #[error("{0}")]
    NoAnswer(String),
    /// It was refused, or could not be stored.
    #[error("{0}")]
    Refused(String),
}

/// Sends a test to a listener of ours, over the network. Answers how long it took; nothing of it stays.
pub async fn send(probe: Probe, listener: SocketAddr, id: &ProbeId, now: Nanos) -> Result<Duration, ProbeFailure> {
    let address = reachable(listener);
    let grpc = probe == Probe::OtlpGrpc;
    let (path, kind, body) = match probe {
        Probe::OtlpGrpc => (SERVICES[0].0, "application/grpc", grpc_frame(&span(now).encode_to_vec(), false)),
        Probe::OtlpHttp => ("/v1/traces", "application/x-protobuf", span(now).encode_to_vec().into()),
        Probe::OtlpJson => ("/v1/traces", "application/json", span_as_json(now)),
        Probe::CloudEvent => ("/cloudevents", "application/cloudevents+json", event()),
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if grpc {
        headers = grpc_headers(headers, None);
    }
    if let Ok(id) = HeaderValue::from_str(id.reveal()) {
        headers.insert(PROBE, id);
    }
    let no_answer = |e: String| ProbeFailure::NoAnswer(e);
    let url = format!("http://{address}{path}").parse().map_err(|e| no_answer(format!("{address}: {e}")))?;
    let client = Outgoing::new(grpc, false).map_err(|e| no_answer(e.to_string()))?;
    let started = Instant::now();
    match client.post(&url, grpc, headers, body, PATIENCE).await {
        Err(NoReply(why)) => Err(ProbeFailure::NoAnswer(why)),
        Ok(reply) => refusal(&reply).map_or_else(|| Ok(started.elapsed()), |why| Err(ProbeFailure::Refused(why))),
    }
}

/// Has a span stored and taken back without the network.
pub async fn store(sink: &Sink, now: Nanos) -> Result<Duration, SubmitError> {
    let options = Options::named("self test");
    let batch = decode_traces(&span(now).encode_to_vec(), Encoding::Protobuf, &options).unwrap_or_else(|_| Batch::default());
    let started = Instant::now();
    sink.rehearse(batch, SourceKind::OtlpHttp).await.map(|_| started.elapsed())
}

fn refusal(reply: &Reply) -> Option<String> {
    match &reply.grpc {
        Some((Code::Ok, _)) => None,
        Some((code, message)) => Some(format!("{code:?}: {message}")),
        None if reply.status.is_success() => None,
        None => {
            let said = serde_json::from_str::<serde_json::Value>(&reply.text).ok();
            let said = said.and_then(|v| Some(v.get("message")?.as_str()?.to_owned()));
            Some(format!("{}: {}", reply.status, said.unwrap_or_else(|| "no reason was given".to_owned())))
        }
    }
}

/// An address to connect to for one that is listened on.
fn reachable(listener: SocketAddr) -> SocketAddr {
    let ip = match listener.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listener.port())
}

fn span(now: Nanos) -> ExportTraceServiceRequest {
    let name = AnyValue { value: Some(Value::StringValue("flowglass-self-test".to_owned())) };
    let attributes = vec![KeyValue { key: "service.name".to_owned(), value: Some(name), ..KeyValue::default() }];
    let span = Span {
        trace_id: rand::random::<[u8; 16]>().to_vec(),
        span_id: rand::random::<[u8; 8]>().to_vec(),
        name: "self test".to_owned(),
        kind: 2,
        start_time_unix_nano: now as u64,
        end_time_unix_nano: now as u64 + 1,
        ..Span::default()
    };
    let scope_spans = vec![ScopeSpans { spans: vec![span], ..ScopeSpans::default() }];
    let resource = Some(Resource { attributes, ..Resource::default() });
    ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }] }
}

fn span_as_json(now: Nanos) -> Bytes {
    let span = json!({
        "traceId": format!("{:032x}", rand::random::<u128>()), "spanId": format!("{:016x}", rand::random::<u64>()),
        "name": "self test", "kind": 2, "startTimeUnixNano": now.to_string(), "endTimeUnixNano": (now + 1).to_string(),
    });
    let name = json!({ "key": "service.name", "value": { "stringValue": "flowglass-self-test" } });
    let whole = json!({ "resourceSpans": [{ "resource": { "attributes": [name] }, "scopeSpans": [{ "spans": [span] }] }] });
    whole.to_string().into()
}

fn event() -> Bytes {
    let id = format!("{:032x}", rand::random::<u128>());
    let event = json!({ "specversion": "1.0", "id": id, "source": "/flowglass", "type": "flowglass.self-test", "data": {} });
    event.to_string().into()
}

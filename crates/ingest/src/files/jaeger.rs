//! Jaeger JSON as its query service and UI write it: traces with their spans and processes.

use std::collections::BTreeMap;

use flowglass_model::{Attributes, Batch, Rejected, SpanEvent, SpanId, SpanKind, SpanLink, SpanStatus, TraceId, Value};
use serde::Deserialize;

use crate::normalise::{self, Emitter, Options, RawSpan};
use crate::otlp::parts;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Trace {
    spans: Vec<JaegerSpan>,
    #[serde(default)]
    processes: BTreeMap<String, Process>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JaegerSpan {
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    span_id: String,
    #[serde(rename = "parentSpanID")]
    parent_span_id: Option<String>,
    #[serde(default)]
    operation_name: String,
    #[serde(default)]
    references: Option<Vec<Reference>>,
    /// Microseconds.
    #[serde(default)]
    start_time: i64,
    /// Microseconds.
    #[serde(default)]
    duration: i64,
    #[serde(default)]
    tags: Option<Vec<Tag>>,
    #[serde(default)]
    logs: Option<Vec<Log>>,
    #[serde(rename = "processID")]
    process_id: Option<String>,
    process: Option<Process>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    #[serde(default)]
    ref_type: String,
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    span_id: String,
}

#[derive(Deserialize)]
struct Tag {
    key: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    value: serde_json::Value,
}

#[derive(Deserialize)]
struct Log {
    /// Microseconds.
    timestamp: i64,
    #[serde(default)]
    fields: Option<Vec<Tag>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Process {
    #[serde(default)]
    service_name: String,
    #[serde(default)]
    tags: Option<Vec<Tag>>,
}

/// A trace id of at most 32 hex digits; Jaeger and Zipkin leave leading zeros out.
pub(super) fn padded_trace(text: &str) -> Result<TraceId, String> {
    if text.is_empty() || text.len() > 32 {
        return Err(format!("the trace id “{text}” has {} characters instead of 1 to 32", text.chars().count()));
    }
    format!("{text:0>32}").parse().map_err(|e| format!("the trace id “{text}” is bad: {e}"))
}

/// A span id of at most 16 hex digits.
pub(super) fn padded_span(text: &str) -> Result<SpanId, String> {
    if text.is_empty() || text.len() > 16 {
        return Err(format!("the span id “{text}” has {} characters instead of 1 to 16", text.chars().count()));
    }
    format!("{text:0>16}").parse().map_err(|e| format!("the span id “{text}” is bad: {e}"))
}

/// Reads a trace object (`{"traceID","spans","processes"}`); an error in words when it cannot be read as a whole.
pub fn trace(json: &[u8], options: &Options) -> Result<Batch, String> {
    parts::json(json).map_err(|e| e.to_string())?;
    let trace: Trace = serde_json::from_slice(json).map_err(|e| format!("the Jaeger trace cannot be read: {e}"))?;
    let mut out = Batch::default();
    let emitters: BTreeMap<&str, Emitter> =
        trace.processes.iter().map(|(id, process)| (id.as_str(), emitter(process, &mut out.redacted))).collect();
    for (i, span) in trace.spans.into_iter().enumerate() {
        let known = span.process_id.as_deref().and_then(|p| emitters.get(p)).cloned();
        take(span, known, format!("spans[{i}]"), options, &mut out);
    }
    Ok(out)
}

/// Reads a single span that carries its process, as Elasticsearch and the anonymizer write them.
pub(super) fn span(json: &[u8], options: &Options) -> Result<Batch, String> {
    let span: JaegerSpan = serde_json::from_slice(json).map_err(|e| format!("the Jaeger span cannot be read: {e}"))?;
    let mut out = Batch::default();
    take(span, None, String::new(), options, &mut out);
    Ok(out)
}

fn emitter(process: &Process, redacted: &mut u64) -> Emitter {
    let mut attributes = tags(process.tags.as_deref().unwrap_or_default());
    if !process.service_name.is_empty() {
        attributes.retain(|(k, _)| k != "service.name");
        attributes.push(("service.name".to_owned(), Value::String(process.service_name.clone())));
    }
    let (resource, count) = normalise::resource(attributes, String::new());
    *redacted += u64::from(count);
    Emitter::new(resource, normalise::scope(String::new(), String::new(), Vec::new()).0)
}

fn take(span: JaegerSpan, known: Option<Emitter>, at: String, options: &Options, out: &mut Batch) {
    let own = span.process.as_ref().map(|p| emitter(p, &mut out.redacted));
    let unnamed = || Emitter::new(normalise::resource(Vec::new(), String::new()).0, std::sync::Arc::default());
    let mut emitter = known.or(own).unwrap_or_else(unnamed);
    let mut attributes = tags(span.tags.as_deref().unwrap_or_default());
    let name = take_text(&mut attributes, &["otel.scope.name", "otel.library.name"]);
    let version = take_text(&mut attributes, &["otel.scope.version", "otel.library.version"]);
    if let Some(name) = name {
        emitter.scope = normalise::scope(name, version.unwrap_or_default(), Vec::new()).0;
    }
    match raw(span, attributes) {
        Ok(raw) => {
            let (span, redacted) = normalise::span(raw, &emitter, options);
            out.redacted += u64::from(redacted);
            out.spans.push(span);
        }
        Err(reason) => out.rejected.push(Rejected { source: options.source.clone(), at, reason, count: 1 }),
    }
}

fn raw(span: JaegerSpan, mut attributes: Attributes) -> Result<RawSpan, String> {
    let trace_id = padded_trace(&span.trace_id)?;
    let span_id = padded_span(&span.span_id)?;
    let mut parent = None;
    let mut links = Vec::new();
    for reference in span.references.unwrap_or_default() {
        let target = (padded_trace(&reference.trace_id)?, padded_span(&reference.span_id)?);
        if parent.is_none() && reference.ref_type == "CHILD_OF" && target.0 == trace_id {
            parent = Some(target.1);
        } else {
            links.push(SpanLink { trace_id: target.0, span_id: target.1, attributes: Vec::new() });
        }
    }
    if parent.is_none() {
        let old = span.parent_span_id.as_deref().filter(|p| p.bytes().any(|b| b != b'0'));
        parent = old.map(padded_span).transpose()?;
    }
    let kind = match take_text(&mut attributes, &["span.kind"]).unwrap_or_default().to_ascii_lowercase().as_str() {
        "client" => SpanKind::Client,
        "server" => SpanKind::Server,
        "producer" => SpanKind::Producer,
        "consumer" => SpanKind::Consumer,
        _ => SpanKind::Internal,
    };
    let failed = take_text(&mut attributes, &["error"]).is_some_and(|e| e != "false");
    let said = take_text(&mut attributes, &["otel.status_code"]);
    let status = match said.as_deref().map(str::to_ascii_uppercase).as_deref() {
        Some("ERROR") => SpanStatus::Error,
        Some("OK") => SpanStatus::Ok,
        _ if failed => SpanStatus::Error,
        _ => SpanStatus::Unset,
    };
    let start = span.start_time.saturating_mul(1_000);
    Ok(RawSpan {
        trace_id,
        span_id,
        parent,
        remote_parent: None,
        kind,
        name: span.operation_name,
        start,
        end: start.saturating_add(span.duration.saturating_mul(1_000)),
        status,
        status_message: take_text(&mut attributes, &["otel.status_description"]).unwrap_or_default(),
        trace_state: take_text(&mut attributes, &["w3c.tracestate"]).unwrap_or_default(),
        attributes,
        events: span.logs.unwrap_or_default().into_iter().map(event).collect(),
        links,
        dropped: 0,
    })
}

fn event(log: Log) -> SpanEvent {
    let mut attributes = tags(log.fields.as_deref().unwrap_or_default());
    let name = take_text(&mut attributes, &["event", "message"]).unwrap_or_else(|| "log".to_owned());
    // OpenTracing called exceptions so (its semantic conventions, "Log fields table").
    let name = if name == "error" { "exception".to_owned() } else { name };
    for (old, new) in
        [("error.kind", "exception.type"), ("message", "exception.message"), ("stack", "exception.stacktrace")]
    {
        if name == "exception" {
            attributes.iter_mut().filter(|(k, _)| k == old).for_each(|(k, _)| *k = new.to_owned());
        }
    }
    SpanEvent { time: log.timestamp.saturating_mul(1_000), name, attributes }
}

/// Takes the first of these tags out, as text.
fn take_text(attributes: &mut Attributes, names: &[&str]) -> Option<String> {
    let at = names.iter().find_map(|n| attributes.iter().position(|(k, _)| k == n))?;
    Some(attributes.remove(at).1.to_string())
}

fn tags(tags: &[Tag]) -> Attributes {
    tags.iter().map(|t| (t.key.clone(), value(t))).collect()
}

fn value(tag: &Tag) -> Value {
    use serde_json::Value as J;
    match (&tag.value, tag.kind.as_str()) {
        (J::String(s), "int64") => s.parse().map_or_else(|_| Value::String(s.clone()), Value::Int),
        (J::String(s), "float64") => s.parse().map_or_else(|_| Value::String(s.clone()), Value::Double),
        (J::String(s), "bool") => s.parse().map_or_else(|_| Value::String(s.clone()), Value::Bool),
        (J::String(s), _) => Value::String(s.clone()),
        (J::Bool(b), _) => Value::Bool(*b),
        (J::Number(n), _) => match n.as_i64() {
            Some(i) => Value::Int(i),
            None => Value::Double(n.as_f64().unwrap_or_default()),
        },
        (J::Null, _) => Value::Null,
        (other, _) => Value::String(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace() {
        let json = br#"{"traceID":"ab","spans":[
          {"traceID":"ab","spanID":"1","operationName":"GET /a","references":[],"startTime":1000,"duration":5,
           "tags":[{"key":"span.kind","type":"string","value":"server"},{"key":"error","type":"bool","value":true},
                   {"key":"http.status_code","type":"int64","value":500}],
           "logs":[{"timestamp":1001,"fields":[{"key":"event","type":"string","value":"error"},{"key":"message","type":"string","value":"boom"}]}],
           "processID":"p1","warnings":null},
          {"traceID":"ab","spanID":"2","operationName":"x","references":[{"refType":"CHILD_OF","traceID":"ab","spanID":"1"},
           {"refType":"FOLLOWS_FROM","traceID":"cd","spanID":"9"}],"startTime":1001,"duration":1,"tags":null,"logs":null,"processID":"p1"},
          {"traceID":"ab","spanID":"0","operationName":"bad","startTime":1,"duration":1}],
          "processes":{"p1":{"serviceName":"shop","tags":[{"key":"deployment.environment","type":"string","value":"prod"}]}}}"#;
        let batch = trace(json, &Options::named("t")).unwrap();
        assert_eq!((batch.spans.len(), batch.rejected.len()), (2, 1));
        let (server, inner) = (&batch.spans[0], &batch.spans[1]);
        assert_eq!(server.facts.service.as_str(), "service:shop@prod");
        assert!(server.facts.is_error() && server.facts.http_status == Some(500));
        assert_eq!((inner.facts.parent, inner.facts.links.len()), (Some(server.facts.span_id), 1));
        assert_eq!(server.events[0].attributes, [("exception.message".into(), Value::String("boom".into()))]);
        assert!(batch.rejected[0].reason.contains("all zero"), "{}", batch.rejected[0].reason);
    }
}

//! Spans and log records as OTLP/JSON (opentelemetry-proto, "JSON Protobuf Encoding").

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flowglass_ingest::files::records;
use flowglass_model::{Attributes, Batch, LogRecord, Resource, Scope, Span, SpanKind, SpanStatus, Value};
use serde_json::{Value as Json, json};

use crate::display::Redactor;

fn any_value(value: &Value) -> Json {
    match value {
        Value::Null => json!({}),
        Value::String(s) => json!({ "stringValue": s }),
        Value::Bool(b) => json!({ "boolValue": b }),
        Value::Int(i) => json!({ "intValue": i.to_string() }),
        Value::Double(d) if d.is_finite() => json!({ "doubleValue": d }),
        // Protobuf's JSON mapping: NaN, Infinity and -Infinity are text.
        Value::Double(d) if d.is_nan() => json!({ "doubleValue": "NaN" }),
        Value::Double(d) => json!({ "doubleValue": if *d > 0.0 { "Infinity" } else { "-Infinity" } }),
        Value::Bytes(b) => json!({ "bytesValue": BASE64_STANDARD.encode(b) }),
        Value::Array(a) => json!({ "arrayValue": { "values": a.iter().map(any_value).collect::<Vec<_>>() } }),
        Value::Map(m) => json!({ "kvlistValue": { "values": key_values(m) } }),
    }
}

fn key_values(attributes: &Attributes) -> Vec<Json> {
    attributes.iter().map(|(k, v)| json!({ "key": k, "value": any_value(v) })).collect()
}

/// The span in a `TracesData` document of its own, display rules applied.
pub(crate) fn span_json(span: &Span, redactor: &Redactor) -> Json {
    let hide = |attributes: &Attributes| -> Attributes {
        attributes.iter().map(|(k, v)| (k.clone(), redactor.value(k, v))).collect()
    };
    let mut shown = span.clone();
    shown.attributes = hide(&span.attributes);
    shown.events.iter_mut().for_each(|e| e.attributes = hide(&e.attributes));
    shown.links.iter_mut().for_each(|l| l.attributes = hide(&l.attributes));
    shown.resource = Arc::new(Resource { attributes: hide(&span.resource.attributes), ..(*span.resource).clone() });
    shown.scope = Arc::new(Scope { attributes: hide(&span.scope.attributes), ..(*span.scope).clone() });
    json!({ "resourceSpans": resource_spans(&[shown]) })
}

/// One document of all that a batch holds: `resourceSpans`, `resourceLogs`, and what OTLP has no place for beside them
/// ([`records`]). Importing it again brings the same.
pub(crate) fn document(batch: &Batch) -> String {
    let mut parts = vec![("resourceSpans", resource_spans(&batch.spans))];
    if !batch.logs.is_empty() {
        parts.push(("resourceLogs", resource_logs(&batch.logs)));
    }
    let own = records(batch);
    if !own.is_empty() {
        parts.push(("flowglassRecords", own));
    }
    let mut out = String::from("{");
    for (i, (name, items)) in parts.iter().enumerate() {
        out.push_str(if i == 0 { "\n" } else { ",\n" });
        out.push_str(&format!("\"{name}\":[\n"));
        for (j, item) in items.iter().enumerate() {
            out.push_str(if j == 0 { "" } else { ",\n" });
            out.push_str(&item.to_string());
        }
        out.push_str("\n]");
    }
    out + "\n}\n"
}

/// Neighbours of one resource and scope together, in order.
fn grouped<T>(
    items: &[T],
    of: impl Fn(&T) -> (&Resource, &Scope),
    wrap: impl Fn(&Resource, &Scope, &[T]) -> Json,
) -> Vec<Json> {
    let runs = items.chunk_by(|a, b| of(a) == of(b));
    runs.map(|run| {
        let (resource, scope) = of(&run[0]);
        wrap(resource, scope, run)
    })
    .collect()
}

fn scope_json(scope: &Scope) -> Json {
    json!({ "name": scope.name, "version": scope.version, "attributes": key_values(&scope.attributes) })
}

fn resource_spans(spans: &[Span]) -> Vec<Json> {
    grouped(
        spans,
        |s| (&*s.resource, &*s.scope),
        |resource, scope, spans| {
            json!({
                "resource": { "attributes": key_values(&resource.attributes) },
                "scopeSpans": [{ "scope": scope_json(scope), "spans": spans.iter().map(span_object).collect::<Vec<_>>() }],
                "schemaUrl": resource.schema_url,
            })
        },
    )
}

fn resource_logs(logs: &[LogRecord]) -> Vec<Json> {
    grouped(
        logs,
        |l| (&*l.resource, &*l.scope),
        |resource, scope, logs| {
            json!({
                "resource": { "attributes": key_values(&resource.attributes) },
                "scopeLogs": [{ "scope": scope_json(scope), "logRecords": logs.iter().map(log_object).collect::<Vec<_>>() }],
                "schemaUrl": resource.schema_url,
            })
        },
    )
}

fn span_object(span: &Span) -> Json {
    let f = &span.facts;
    let kind = match f.kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    };
    let status = match f.status {
        SpanStatus::Unset => 0,
        SpanStatus::Ok => 1,
        SpanStatus::Error => 2,
    };
    // Bits 8 and 9 (trace.proto, SpanFlags): whether it is known where the parent lives, and whether that is elsewhere.
    let flags = match f.remote_parent {
        None => 0,
        Some(false) => 0x100,
        Some(true) => 0x300,
    };
    let events = span.events.iter().map(
        |e| json!({ "timeUnixNano": e.time.to_string(), "name": e.name, "attributes": key_values(&e.attributes) }),
    );
    let links = span
        .links
        .iter()
        .map(|l| json!({ "traceId": l.trace_id, "spanId": l.span_id, "attributes": key_values(&l.attributes) }));
    json!({
        "traceId": f.trace_id,
        "spanId": f.span_id,
        "parentSpanId": f.parent.map(|p| p.to_string()).unwrap_or_default(),
        "traceState": span.trace_state,
        "flags": flags,
        "name": span.name,
        "kind": kind,
        "startTimeUnixNano": f.start.to_string(),
        "endTimeUnixNano": f.end.to_string(),
        "attributes": key_values(&span.attributes),
        "droppedAttributesCount": span.dropped,
        "events": events.collect::<Vec<_>>(),
        "links": links.collect::<Vec<_>>(),
        "status": {
            "code": status,
            "message": f.error.as_ref().and_then(|e| e.message.clone()).unwrap_or_default(),
        },
    })
}

fn log_object(log: &LogRecord) -> Json {
    json!({
        "timeUnixNano": log.time.to_string(),
        "traceId": log.trace_id.map(|t| t.to_string()).unwrap_or_default(),
        "spanId": log.span_id.map(|s| s.to_string()).unwrap_or_default(),
        "severityNumber": log.severity,
        "severityText": log.severity_text,
        "body": any_value(&log.body),
        "eventName": log.event_name,
        "attributes": key_values(&log.attributes),
    })
}

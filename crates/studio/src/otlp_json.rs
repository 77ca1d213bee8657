//! A span as OTLP/JSON (opentelemetry-proto, "JSON Protobuf Encoding"), for people to read and copy.

use flowglass_model::{Attributes, Span, SpanKind, SpanStatus, Value};
use serde_json::{Value as Json, json};

use crate::display::Redactor;

fn any_value(value: &Value) -> Json {
    match value {
        Value::Null => json!({}),
        Value::String(s) => json!({ "stringValue": s }),
        Value::Bool(b) => json!({ "boolValue": b }),
        Value::Int(i) => json!({ "intValue": i.to_string() }),
        Value::Double(d) => json!({ "doubleValue": d }),
        Value::Bytes(_) => json!({ "bytesValue": value.to_string().trim_matches('"') }),
        Value::Array(a) => json!({ "arrayValue": { "values": a.iter().map(any_value).collect::<Vec<_>>() } }),
        Value::Map(m) => {
            let values: Vec<Json> = m.iter().map(|(k, v)| json!({ "key": k, "value": any_value(v) })).collect();
            json!({ "kvlistValue": { "values": values } })
        }
    }
}

fn key_values(attributes: &Attributes, redactor: &Redactor) -> Vec<Json> {
    attributes.iter().map(|(k, v)| json!({ "key": k, "value": any_value(&redactor.value(k, v)) })).collect()
}

/// The span in a `TracesData` document of its own, display rules applied.
pub(crate) fn span_json(span: &Span, redactor: &Redactor) -> Json {
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
    let events: Vec<Json> = span
        .events
        .iter()
        .map(|e| {
            json!({
                "timeUnixNano": e.time.to_string(),
                "name": e.name,
                "attributes": key_values(&e.attributes, redactor),
            })
        })
        .collect();
    let links: Vec<Json> = span
        .links
        .iter()
        .map(|l| json!({ "traceId": l.trace_id, "spanId": l.span_id, "attributes": key_values(&l.attributes, redactor) }))
        .collect();
    json!({ "resourceSpans": [{
        "resource": { "attributes": key_values(&span.resource.attributes, redactor) },
        "scopeSpans": [{
            "scope": {
                "name": span.scope.name,
                "version": span.scope.version,
                "attributes": key_values(&span.scope.attributes, redactor),
            },
            "spans": [{
                "traceId": f.trace_id,
                "spanId": f.span_id,
                "parentSpanId": f.parent.map(|p| p.to_string()).unwrap_or_default(),
                "traceState": span.trace_state,
                "name": span.name,
                "kind": kind,
                "startTimeUnixNano": f.start.to_string(),
                "endTimeUnixNano": f.end.to_string(),
                "attributes": key_values(&span.attributes, redactor),
                "events": events,
                "links": links,
                "status": {
                    "code": status,
                    "message": f.error.as_ref().and_then(|e| e.message.clone()).unwrap_or_default(),
                },
            }],
        }],
        "schemaUrl": span.resource.schema_url,
    }] })
}

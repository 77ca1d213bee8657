//! OTLP/JSON in all its spellings.
//!
//! The mapping is protobuf's JSON with OTLP's exceptions (opentelemetry specification, OTLP, "JSON Protobuf Encoding"): ids
//! are hexadecimal, enums are numbers. Senders in the wild also write enum names, 64-bit numbers as numbers, snake_case names
//! and nulls; all are read. Each span is parsed alone, so that a bad one is refused alone.

use std::sync::Arc;

use flowglass_model::Batch;
use opentelemetry_proto::tonic::common::v1 as common;
use opentelemetry_proto::tonic::logs::v1 as proto_logs;
use opentelemetry_proto::tonic::resource::v1 as proto_resource;
use opentelemetry_proto::tonic::trace::v1 as trace;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;

use super::json_scalar::*;
use super::{DecodeError, parts};
use crate::Options;
use crate::normalise::{Collector, Emitter};

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Any {
    #[serde(alias = "string_value")]
    string_value: Option<String>,
    #[serde(alias = "bool_value")]
    bool_value: Option<bool>,
    #[serde(alias = "int_value")]
    int_value: Option<I64>,
    #[serde(alias = "double_value")]
    double_value: Option<F64>,
    #[serde(alias = "bytes_value")]
    bytes_value: Option<Base64>,
    #[serde(alias = "array_value")]
    array_value: Option<AnyList>,
    #[serde(alias = "kvlist_value")]
    kvlist_value: Option<KeyValueList>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct AnyList {
    #[serde(deserialize_with = "nullable")]
    values: Vec<Any>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct KeyValueList {
    #[serde(deserialize_with = "nullable")]
    values: Vec<KeyValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct KeyValue {
    #[serde(deserialize_with = "nullable")]
    key: String,
    value: Option<Any>,
}

impl Any {
    fn into_proto(self) -> common::AnyValue {
        use common::any_value::Value as V;
        let value = if let Some(s) = self.string_value {
            Some(V::StringValue(s))
        } else if let Some(b) = self.bool_value {
            Some(V::BoolValue(b))
        } else if let Some(i) = self.int_value {
            Some(V::IntValue(i.0))
        } else if let Some(d) = self.double_value {
            Some(V::DoubleValue(d.0))
        } else if let Some(b) = self.bytes_value {
            Some(V::BytesValue(b.0))
        } else if let Some(a) = self.array_value {
            Some(V::ArrayValue(common::ArrayValue { values: a.values.into_iter().map(Any::into_proto).collect() }))
        } else {
            self.kvlist_value.map(|m| V::KvlistValue(common::KeyValueList { values: attributes(m.values) }))
        };
        common::AnyValue { value }
    }
}

fn attributes(list: Vec<KeyValue>) -> Vec<common::KeyValue> {
    list.into_iter()
        .map(|kv| common::KeyValue { key: kv.key, value: kv.value.map(Any::into_proto), ..Default::default() })
        .collect()
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Resource {
    #[serde(deserialize_with = "nullable")]
    attributes: Vec<KeyValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Scope {
    #[serde(deserialize_with = "nullable")]
    name: String,
    #[serde(deserialize_with = "nullable")]
    version: String,
    #[serde(deserialize_with = "nullable")]
    attributes: Vec<KeyValue>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Span {
    #[serde(alias = "trace_id")]
    trace_id: Hex,
    #[serde(alias = "span_id")]
    span_id: Hex,
    #[serde(alias = "trace_state", deserialize_with = "nullable")]
    trace_state: String,
    #[serde(alias = "parent_span_id")]
    parent_span_id: Hex,
    flags: U32,
    #[serde(deserialize_with = "nullable")]
    name: String,
    kind: Kind,
    #[serde(alias = "start_time_unix_nano")]
    start_time_unix_nano: U64,
    #[serde(alias = "end_time_unix_nano")]
    end_time_unix_nano: U64,
    #[serde(deserialize_with = "nullable")]
    attributes: Vec<KeyValue>,
    #[serde(alias = "dropped_attributes_count")]
    dropped_attributes_count: U32,
    #[serde(deserialize_with = "nullable")]
    events: Vec<Event>,
    #[serde(alias = "dropped_events_count")]
    dropped_events_count: U32,
    #[serde(deserialize_with = "nullable")]
    links: Vec<Link>,
    #[serde(alias = "dropped_links_count")]
    dropped_links_count: U32,
    #[serde(deserialize_with = "nullable")]
    status: Status,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Event {
    #[serde(alias = "time_unix_nano")]
    time_unix_nano: U64,
    #[serde(deserialize_with = "nullable")]
    name: String,
    #[serde(deserialize_with = "nullable")]
    attributes: Vec<KeyValue>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Link {
    #[serde(alias = "trace_id")]
    trace_id: Hex,
    #[serde(alias = "span_id")]
    span_id: Hex,
    #[serde(deserialize_with = "nullable")]
    attributes: Vec<KeyValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    #[serde(deserialize_with = "nullable")]
    message: String,
    code: StatusCode,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct LogRecord {
    #[serde(alias = "time_unix_nano")]
    time_unix_nano: U64,
    #[serde(alias = "observed_time_unix_nano")]
    observed_time_unix_nano: U64,
    #[serde(alias = "severity_number")]
    severity_number: Severity,
    #[serde(alias = "severity_text", deserialize_with = "nullable")]
    severity_text: String,
    body: Option<Any>,
    #[serde(deserialize_with = "nullable")]
    attributes: Vec<KeyValue>,
    #[serde(alias = "trace_id")]
    trace_id: Hex,
    #[serde(alias = "span_id")]
    span_id: Hex,
    #[serde(alias = "event_name", deserialize_with = "nullable")]
    event_name: String,
}

impl Span {
    fn into_proto(self) -> trace::Span {
        trace::Span {
            trace_id: self.trace_id.0,
            span_id: self.span_id.0,
            trace_state: self.trace_state,
            parent_span_id: self.parent_span_id.0,
            flags: self.flags.0,
            name: self.name,
            kind: self.kind.0,
            start_time_unix_nano: self.start_time_unix_nano.0,
            end_time_unix_nano: self.end_time_unix_nano.0,
            attributes: attributes(self.attributes),
            dropped_attributes_count: self.dropped_attributes_count.0,
            events: self.events.into_iter().map(Event::into_proto).collect(),
            dropped_events_count: self.dropped_events_count.0,
            links: self.links.into_iter().map(Link::into_proto).collect(),
            dropped_links_count: self.dropped_links_count.0,
            status: Some(trace::Status { message: self.status.message, code: self.status.code.0 }),
        }
    }
}

impl Event {
    fn into_proto(self) -> trace::span::Event {
        trace::span::Event {
            time_unix_nano: self.time_unix_nano.0,
            name: self.name,
            attributes: attributes(self.attributes),
            ..Default::default()
        }
    }
}

impl Link {
    fn into_proto(self) -> trace::span::Link {
        trace::span::Link {
            trace_id: self.trace_id.0,
            span_id: self.span_id.0,
            attributes: attributes(self.attributes),
            ..Default::default()
        }
    }
}

impl LogRecord {
    fn into_proto(self) -> proto_logs::LogRecord {
        proto_logs::LogRecord {
            time_unix_nano: self.time_unix_nano.0,
            observed_time_unix_nano: self.observed_time_unix_nano.0,
            severity_number: self.severity_number.0,
            severity_text: self.severity_text,
            body: self.body.map(Any::into_proto),
            attributes: attributes(self.attributes),
            trace_id: self.trace_id.0,
            span_id: self.span_id.0,
            event_name: self.event_name,
            ..Default::default()
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    #[serde(
        borrow,
        default,
        alias = "resource_spans",
        alias = "resourceLogs",
        alias = "resource_logs",
        deserialize_with = "nullable"
    )]
    resource_spans: Vec<ResourceGroup<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceGroup<'a> {
    #[serde(borrow, default)]
    resource: Option<&'a RawValue>,
    #[serde(
        borrow,
        default,
        alias = "scope_spans",
        alias = "scopeLogs",
        alias = "scope_logs",
        alias = "instrumentationLibrarySpans",
        alias = "instrumentation_library_spans",
        deserialize_with = "nullable"
    )]
    scope_spans: Vec<ScopeGroup<'a>>,
    #[serde(default, alias = "schema_url", deserialize_with = "nullable")]
    schema_url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScopeGroup<'a> {
    #[serde(borrow, default, alias = "instrumentationLibrary", alias = "instrumentation_library")]
    scope: Option<&'a RawValue>,
    #[serde(borrow, default, alias = "logRecords", alias = "log_records", deserialize_with = "nullable")]
    spans: Vec<&'a RawValue>,
}

/// Parses one part alone; `null` is its default.
fn part<T: DeserializeOwned + Default>(raw: Option<&RawValue>) -> Result<T, String> {
    let Some(raw) = raw else { return Ok(T::default()) };
    serde_json::from_str::<Option<T>>(raw.get()).map(Option::unwrap_or_default).map_err(|e| e.to_string())
}

fn text(bytes: &[u8]) -> Result<&str, DecodeError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|e| DecodeError::Json { reason: format!("the text is not UTF-8 at byte {}", e.valid_up_to()) })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, DecodeError> {
    let text = text(bytes)?;
    // The derived readers would also take a list of fields in order, which no sender means.
    if text.trim_start().starts_with('[') {
        return Err(DecodeError::Json { reason: "expected an object, found a list at line 1".to_owned() });
    }
    serde_json::from_str(text).map_err(|e| DecodeError::Json { reason: e.to_string() })
}

fn walk(
    bytes: &[u8],
    options: &Options,
    names: [&str; 3],
    mut item: impl FnMut(&mut Collector, &RawValue, &Emitter, &dyn Fn() -> String),
) -> Result<Batch, DecodeError> {
    parts::json(bytes)?;
    let request: Request = parse(bytes)?;
    let mut out = Collector::new(options);
    for (r, group) in request.resource_spans.into_iter().enumerate() {
        let at_group = || format!("{}[{r}]", names[0]);
        let resource = match part::<Resource>(group.resource) {
            Ok(resource) => {
                proto_resource::Resource { attributes: attributes(resource.attributes), ..Default::default() }
            }
            Err(e) => {
                let lost = group.scope_spans.iter().map(|s| s.spans.len() as u64).sum();
                out.reject(at_group, format!("the resource cannot be read: {e}"), lost);
                continue;
            }
        };
        let resource = out.resource(Some(resource), group.schema_url);
        for (s, scoped) in group.scope_spans.into_iter().enumerate() {
            let at_scope = || format!("{}.{}[{s}]", at_group(), names[1]);
            let scope = match part::<Scope>(scoped.scope) {
                Ok(scope) => out.scope(Some(common::InstrumentationScope {
                    name: scope.name,
                    version: scope.version,
                    attributes: attributes(scope.attributes),
                    ..Default::default()
                })),
                Err(e) => {
                    out.reject(at_scope, format!("the scope cannot be read: {e}"), scoped.spans.len() as u64);
                    continue;
                }
            };
            let emitter = Emitter::new(Arc::clone(&resource), scope);
            for (i, raw) in scoped.spans.into_iter().enumerate() {
                item(&mut out, raw, &emitter, &|| format!("{}.{}[{i}]", at_scope(), names[2]));
            }
        }
    }
    Ok(out.finish())
}

/// Decodes and normalises a trace request.
pub(super) fn traces(bytes: &[u8], options: &Options) -> Result<Batch, DecodeError> {
    let names = ["resourceSpans", "scopeSpans", "spans"];
    walk(bytes, options, names, |out, raw, emitter, at| match serde_json::from_str::<Span>(raw.get()) {
        Ok(span) => out.span(span.into_proto(), emitter, at),
        Err(e) => out.reject(at, format!("the span cannot be read: {e}"), 1),
    })
}

/// Decodes and normalises a log request.
pub(super) fn logs(bytes: &[u8], options: &Options) -> Result<Batch, DecodeError> {
    let names = ["resourceLogs", "scopeLogs", "logRecords"];
    walk(bytes, options, names, |out, raw, emitter, at| match serde_json::from_str::<LogRecord>(raw.get()) {
        Ok(record) => out.log(record.into_proto(), emitter, at),
        Err(e) => out.reject(at, format!("the log record cannot be read: {e}"), 1),
    })
}

#[derive(Deserialize)]
struct MetricsRequest {
    #[serde(default, rename = "resourceMetrics", alias = "resource_metrics", deserialize_with = "nullable")]
    resources: Vec<MetricsResource>,
}

#[derive(Deserialize)]
struct MetricsResource {
    #[serde(default, rename = "scopeMetrics", alias = "scope_metrics", deserialize_with = "nullable")]
    scopes: Vec<MetricsScope>,
}

#[derive(Deserialize)]
struct MetricsScope {
    #[serde(default, deserialize_with = "nullable")]
    metrics: Vec<Metric>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Metric {
    gauge: Option<Points>,
    sum: Option<Points>,
    histogram: Option<Points>,
    #[serde(rename = "exponentialHistogram", alias = "exponential_histogram")]
    exponential_histogram: Option<Points>,
    summary: Option<Points>,
}

#[derive(Deserialize)]
struct Points {
    #[serde(default, rename = "dataPoints", alias = "data_points", deserialize_with = "nullable")]
    points: Vec<IgnoredAny>,
}

/// Counts the data points of a metrics request.
pub(super) fn data_points(bytes: &[u8]) -> Result<u64, DecodeError> {
    let request: MetricsRequest = parse(bytes)?;
    let metrics = request.resources.iter().flat_map(|r| &r.scopes).flat_map(|s| &s.metrics);
    let points = metrics.flat_map(|m| [&m.gauge, &m.sum, &m.histogram, &m.exponential_histogram, &m.summary]);
    Ok(points.flatten().map(|p| p.points.len() as u64).sum())
}

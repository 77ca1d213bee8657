//! From OTLP's protobuf types to the model. The JSON decoder builds the same types, so that both spellings take one way.

use std::sync::Arc;

use flowglass_model::{
    Attributes, Batch, LogRecord, Nanos, Rejected, Scope, Span, SpanEvent, SpanId, SpanKind, SpanLink, SpanStatus,
    TraceId, Value,
};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1 as logs;
use opentelemetry_proto::tonic::resource::v1::Resource as ProtoResource;
use opentelemetry_proto::tonic::trace::v1 as trace;

use super::{Emitter, Options, RawSpan};

/// Rejections described one by one per batch; further ones are only counted.
const MAX_DESCRIBED: usize = 100;

/// Collects the spans and log records of one request, and what was refused of it.
#[derive(Debug)]
pub struct Collector<'a> {
    options: &'a Options,
    batch: Batch,
    rejected: u64,
}

impl<'a> Collector<'a> {
    /// An empty collection for a source with these options.
    pub fn new(options: &'a Options) -> Collector<'a> {
        Collector { options, batch: Batch::default(), rejected: 0 }
    }

    /// What was collected.
    pub fn finish(self) -> Batch {
        self.batch
    }

    /// Makes room for `n` more spans.
    pub fn reserve(&mut self, n: usize) {
        self.batch.spans.reserve(n);
    }

    /// Who emits what follows.
    pub fn emitter(
        &mut self,
        resource: Option<ProtoResource>,
        schema_url: String,
        scope: Option<InstrumentationScope>,
    ) -> Emitter {
        let resource = self.resource(resource, schema_url);
        let scope = self.scope(scope);
        Emitter::new(resource, scope)
    }

    /// The resource of what follows.
    pub fn resource(&mut self, resource: Option<ProtoResource>, schema_url: String) -> Arc<flowglass_model::Resource> {
        let attributes = attributes_from_proto(resource.unwrap_or_default().attributes);
        let (resource, redacted) = super::resource(attributes, schema_url);
        self.batch.redacted += u64::from(redacted);
        resource
    }

    /// The scope of what follows.
    pub fn scope(&mut self, scope: Option<InstrumentationScope>) -> Arc<Scope> {
        let scope = scope.unwrap_or_default();
        let (scope, redacted) = super::scope(scope.name, scope.version, attributes_from_proto(scope.attributes));
        self.batch.redacted += u64::from(redacted);
        scope
    }

    /// Takes a span; `at` says where it stood, should it be refused.
    pub fn span(&mut self, mut span: trace::Span, emitter: &Emitter, at: impl FnOnce() -> String) {
        let attributes = attributes_from_proto(std::mem::take(&mut span.attributes));
        self.span_with(span, attributes, emitter, at);
    }

    /// Takes a span whose attributes were read apart from it.
    pub(crate) fn span_with(
        &mut self,
        span: trace::Span,
        attributes: Attributes,
        emitter: &Emitter,
        at: impl FnOnce() -> String,
    ) {
        match raw_span(span, attributes) {
            Ok(raw) => {
                let (span, redacted) = super::span(raw, emitter, self.options);
                self.batch.redacted += u64::from(redacted);
                self.batch.spans.push(span);
            }
            Err(reason) => self.reject(at, reason, 1),
        }
    }

    /// Takes a log record.
    pub fn log(&mut self, record: logs::LogRecord, emitter: &Emitter, at: impl FnOnce() -> String) {
        match log_record(record, emitter) {
            Ok(mut record) => {
                self.batch.redacted += u64::from(super::log(&mut record, self.options));
                self.batch.logs.push(record);
            }
            Err(reason) => self.reject(at, reason, 1),
        }
    }

    /// Refuses `count` items; what held none costs nothing. Beyond 100 descriptions per batch the rest is counted in the last one.
    pub fn reject(&mut self, at: impl FnOnce() -> String, reason: String, count: u64) {
        if count == 0 {
            return;
        }
        self.rejected += 1;
        let described = self.batch.rejected.len();
        if described == MAX_DESCRIBED {
            if let Some(last) = self.batch.rejected.last_mut() {
                last.count += count;
                last.reason = format!("{reason} (the last of {} places like this)", self.rejected);
            }
            return;
        }
        self.batch.rejected.push(Rejected { source: self.options.source.clone(), at: at(), reason, count });
    }
}

/// Normalised spans of a request, what was refused of it, and how many credential values were replaced.
pub fn spans_from_proto(request: ExportTraceServiceRequest, options: &Options) -> (Vec<Span>, Vec<Rejected>, u64) {
    let batch = batch_from_traces(request, options);
    (batch.spans, batch.rejected, batch.redacted)
}

/// Normalised log records of a request, what was refused of it, and how many credential values were replaced.
pub fn logs_from_proto(request: ExportLogsServiceRequest, options: &Options) -> (Vec<LogRecord>, Vec<Rejected>, u64) {
    let mut out = Collector::new(options);
    for (r, group) in request.resource_logs.into_iter().enumerate() {
        let resource = out.resource(group.resource, group.schema_url);
        for (s, scoped) in group.scope_logs.into_iter().enumerate() {
            let scope = out.scope(scoped.scope);
            let emitter = Emitter::new(Arc::clone(&resource), scope);
            for (i, record) in scoped.log_records.into_iter().enumerate() {
                out.log(record, &emitter, || format!("resourceLogs[{r}].scopeLogs[{s}].logRecords[{i}]"));
            }
        }
    }
    let batch = out.finish();
    (batch.logs, batch.rejected, batch.redacted)
}

/// The batch of a decoded trace request.
pub fn batch_from_traces(request: ExportTraceServiceRequest, options: &Options) -> Batch {
    let mut out = Collector::new(options);
    for (r, group) in request.resource_spans.into_iter().enumerate() {
        let resource = out.resource(group.resource, group.schema_url);
        for (s, scoped) in group.scope_spans.into_iter().enumerate() {
            let scope = out.scope(scoped.scope);
            let emitter = Emitter::new(Arc::clone(&resource), scope);
            out.reserve(scoped.spans.len());
            for (i, span) in scoped.spans.into_iter().enumerate() {
                out.span(span, &emitter, || format!("resourceSpans[{r}].scopeSpans[{s}].spans[{i}]"));
            }
        }
    }
    out.finish()
}

fn nanos(time: u64, what: &str) -> Result<Nanos, String> {
    i64::try_from(time).map_err(|_| format!("{what} {time} is after the year 2262; times are nanoseconds since 1970"))
}

fn raw_span(span: trace::Span, attributes: Attributes) -> Result<RawSpan, String> {
    let trace_id = TraceId::from_slice(&span.trace_id).map_err(|e| format!("trace id: {e}"))?;
    let span_id = SpanId::from_slice(&span.span_id).map_err(|e| format!("span id: {e}"))?;
    // Some senders write a root's parent as zeros instead of nothing.
    let parent = match span.parent_span_id.as_slice() {
        [] => None,
        bytes if bytes.len() == 8 && bytes.iter().all(|b| *b == 0) => None,
        bytes => Some(SpanId::from_slice(bytes).map_err(|e| format!("parent span id: {e}"))?),
    };
    let status = span.status.unwrap_or_default();
    let links_sent = span.links.len();
    let links: Vec<SpanLink> = span
        .links
        .into_iter()
        .filter_map(|l| {
            let trace_id = TraceId::from_slice(&l.trace_id).ok()?;
            let span_id = SpanId::from_slice(&l.span_id).ok()?;
            Some(SpanLink { trace_id, span_id, attributes: attributes_from_proto(l.attributes) })
        })
        .collect();
    let broken_links = u32::try_from(links_sent - links.len()).unwrap_or(u32::MAX);
    let events = span
        .events
        .into_iter()
        .map(|e| SpanEvent {
            // An event outside the range of time is kept at the end of it.
            time: i64::try_from(e.time_unix_nano).unwrap_or(i64::MAX),
            name: e.name,
            attributes: attributes_from_proto(e.attributes),
        })
        .collect();
    let dropped = span
        .dropped_attributes_count
        .saturating_add(span.dropped_events_count)
        .saturating_add(span.dropped_links_count)
        .saturating_add(broken_links);
    Ok(RawSpan {
        trace_id,
        span_id,
        parent,
        remote_parent: (span.flags & 0x100 != 0).then_some(span.flags & 0x200 != 0),
        kind: kind_from_proto(span.kind),
        name: span.name,
        start: nanos(span.start_time_unix_nano, "start time")?,
        end: nanos(span.end_time_unix_nano, "end time")?,
        status: match status.code {
            1 => SpanStatus::Ok,
            2 => SpanStatus::Error,
            _ => SpanStatus::Unset,
        },
        status_message: status.message,
        trace_state: span.trace_state,
        attributes,
        events,
        links,
        dropped,
    })
}

fn kind_from_proto(kind: i32) -> SpanKind {
    match trace::span::SpanKind::try_from(kind) {
        Ok(trace::span::SpanKind::Server) => SpanKind::Server,
        Ok(trace::span::SpanKind::Client) => SpanKind::Client,
        Ok(trace::span::SpanKind::Producer) => SpanKind::Producer,
        Ok(trace::span::SpanKind::Consumer) => SpanKind::Consumer,
        _ => SpanKind::Internal,
    }
}

fn log_record(record: logs::LogRecord, emitter: &Emitter) -> Result<LogRecord, String> {
    let time = if record.time_unix_nano != 0 { record.time_unix_nano } else { record.observed_time_unix_nano };
    Ok(LogRecord {
        time: nanos(time, "time")?,
        // Uncorrelated records carry no ids or zeros; both are fine.
        trace_id: TraceId::from_slice(&record.trace_id).ok(),
        span_id: SpanId::from_slice(&record.span_id).ok(),
        severity: u8::try_from(record.severity_number.clamp(0, 24)).unwrap_or(0),
        severity_text: record.severity_text,
        body: value_from_proto(record.body.unwrap_or_default()),
        event_name: record.event_name,
        attributes: attributes_from_proto(record.attributes),
        resource: Arc::clone(&emitter.resource),
        scope: Arc::clone(&emitter.scope),
    })
}

/// Attributes of the model from those of OTLP, in order.
pub fn attributes_from_proto(attributes: Vec<KeyValue>) -> Attributes {
    attributes.into_iter().map(|kv| (kv.key, kv.value.map_or(Value::Null, value_from_proto))).collect()
}

/// A value of the model from one of OTLP.
pub(crate) fn value_from_proto(value: AnyValue) -> Value {
    match value.value {
        // References into a profile's string table have no meaning outside profiles (common.proto).
        None | Some(any_value::Value::StringValueStrindex(_)) => Value::Null,
        Some(any_value::Value::StringValue(s)) => Value::String(s),
        Some(any_value::Value::BoolValue(b)) => Value::Bool(b),
        Some(any_value::Value::IntValue(i)) => Value::Int(i),
        Some(any_value::Value::DoubleValue(d)) => Value::Double(d),
        Some(any_value::Value::BytesValue(b)) => Value::Bytes(b),
        Some(any_value::Value::ArrayValue(a)) => Value::Array(a.values.into_iter().map(value_from_proto).collect()),
        Some(any_value::Value::KvlistValue(m)) => Value::Map(attributes_from_proto(m.values)),
    }
}

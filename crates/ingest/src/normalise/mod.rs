//! What every source does to a span or log record before it is stored: current attribute names, limits, redaction, facts.
//! Pure functions; the same for OTLP, Zipkin, Jaeger and files.

mod attributes;
mod by_name;
mod facts;
mod keys;
mod limits;
mod messaging;
mod names;
mod operation;
mod paths;
mod proto;

use std::borrow::Cow;
use std::sync::Arc;

use flowglass_model::{
    Attributes, LogRecord, Nanos, NodeId, Resource, Scope, ServiceName, Span, SpanEvent, SpanId, SpanKind, SpanLink,
    SpanStatus, TraceId, Value, semconv,
};

pub use attributes::{current_name, rename};
pub use keys::{BUSINESS_KEYS, business_key};
pub use limits::{MAX_ATTRIBUTES, MAX_NAME, MAX_VALUE};
pub use messaging::{TEMPORARY, topic_name};
pub use names::KeyNames;
pub(crate) use names::baggage;
pub use operation::{caller_kind, template_path};
pub(crate) use paths::fields;
pub(crate) use proto::value_from_proto;
pub use proto::{Collector, attributes_from_proto, batch_from_traces, logs_from_proto, spans_from_proto};

use crate::redact;

/// What of a payload is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PayloadPolicy {
    /// Everything.
    #[default]
    Keep,
    /// Headers and business keys only: bodies are dropped at the door.
    HeadersAndKeys,
}

/// How one source is taken in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// What rejections name as their source: listener, connection or file.
    pub source: String,
    /// Whether payloads are kept.
    pub payloads: PayloadPolicy,
    /// Names that carry business keys besides [`BUSINESS_KEYS`].
    pub business_keys: KeyNames,
}

impl Options {
    /// Defaults for a source of this name: everything is kept.
    pub fn named(source: impl Into<String>) -> Options {
        Options { source: source.into(), ..Options::default() }
    }

    /// The business key that an attribute, header or JSON field of this name carries, if any: one of [`BUSINESS_KEYS`], else
    /// one of the configured names (as configured).
    pub fn business_key(&self, name: &str) -> Option<Cow<'static, str>> {
        business_key(name).map(Cow::Borrowed).or_else(|| self.business_keys.find(name).map(Cow::Owned))
    }
}

/// A span as a sender described it, before normalisation.
#[derive(Debug, Clone, PartialEq)]
pub struct RawSpan {
    /// Trace.
    pub trace_id: TraceId,
    /// Span.
    pub span_id: SpanId,
    /// Parent, `None` for a root.
    pub parent: Option<SpanId>,
    /// Whether the parent lives in another process, if the sender said.
    pub remote_parent: Option<bool>,
    /// Kind.
    pub kind: SpanKind,
    /// Name.
    pub name: String,
    /// Start; 0 when the sender gave none.
    pub start: Nanos,
    /// End; 0 when the sender gave none.
    pub end: Nanos,
    /// Outcome.
    pub status: SpanStatus,
    /// Words for the outcome.
    pub status_message: String,
    /// W3C tracestate.
    pub trace_state: String,
    /// Attributes as sent.
    pub attributes: Attributes,
    /// Events as sent.
    pub events: Vec<SpanEvent>,
    /// Links as sent.
    pub links: Vec<SpanLink>,
    /// What the sender dropped.
    pub dropped: u32,
}

/// Who emits: resource and scope with the node of the service, worked out once for many spans.
#[derive(Debug, Clone)]
pub struct Emitter {
    /// The resource.
    pub resource: Arc<Resource>,
    /// The scope.
    pub scope: Arc<Scope>,
    /// The node of the service.
    pub node: NodeId,
}

impl Emitter {
    /// An emitter of this resource and scope.
    pub fn new(resource: Arc<Resource>, scope: Arc<Scope>) -> Emitter {
        let node = resource.node_id();
        Emitter { resource, scope, node }
    }
}

/// Attribute of ours that says what was repaired in a span.
pub const NOTE: &str = "flowglass.note";

/// A resource from its attributes; also the number of credential values replaced.
///
/// A missing `service.name` becomes `unknown_service`, as SDKs would have sent it (OpenTelemetry resource conventions).
pub fn resource(mut attributes: Attributes, schema_url: String) -> (Arc<Resource>, u32) {
    limits::attributes(&mut attributes);
    attributes::rename(&mut attributes, None);
    let redacted = redact::redact_attributes(&mut attributes);
    let text = |names: &[&str]| {
        names.iter().find_map(|n| {
            let value = &attributes.iter().find(|(k, _)| k == n)?.1;
            let text = value.to_string();
            let text = text.trim();
            (*value != Value::Null && !text.is_empty()).then(|| text.to_owned())
        })
    };
    let resource = Resource {
        service: ServiceName {
            namespace: text(&[semconv::SERVICE_NAMESPACE]),
            name: text(&[semconv::SERVICE_NAME]).unwrap_or_else(|| "unknown_service".to_owned()),
        },
        environment: text(&[semconv::DEPLOYMENT_ENVIRONMENT_NAME]),
        instance: text(&[semconv::SERVICE_INSTANCE_ID]),
        version: text(&[semconv::SERVICE_VERSION]),
        declared_layer: text(&["flowglass.layer", "integration.layer"]),
        attributes,
        schema_url,
    };
    (Arc::new(resource), redacted)
}

/// An instrumentation scope; also the number of credential values replaced.
pub fn scope(name: String, version: String, mut attributes: Attributes) -> (Arc<Scope>, u32) {
    limits::attributes(&mut attributes);
    let redacted = redact::redact_attributes(&mut attributes);
    (Arc::new(Scope { name: limits::name(name), version: limits::name(version), attributes }), redacted)
}

/// A normalised span with its facts; also the number of credential values replaced.
///
/// A span that ends before it starts (or has no end or no start) is kept with both times equal and an attribute [`NOTE`]
/// that says so: bad clocks are common and must not cost the edge.
pub fn span(mut raw: RawSpan, emitter: &Emitter, options: &Options) -> (Span, u32) {
    let mut redacted = 0;
    let mut dropped = raw.dropped;
    let repair = repair_times(&mut raw);
    raw.name = limits::name(raw.name);
    dropped += limits::list(&mut raw.events) + limits::list(&mut raw.links);

    dropped += limits::attributes(&mut raw.attributes);
    let mut names = by_name::of(&raw.attributes);
    if names.iter().any(|n| n.old) {
        attributes::rename(&mut raw.attributes, Some(raw.kind));
        names = by_name::of(&raw.attributes);
    }
    for ((_, value), name) in raw.attributes.iter_mut().zip(&names) {
        redacted += if name.credential { redact::hide(value) } else { redact::redact_value(value) };
    }
    for event in &mut raw.events {
        event.name = limits::name(std::mem::take(&mut event.name));
        dropped += limits::attributes(&mut event.attributes);
        redacted += redact::redact_attributes(&mut event.attributes);
    }
    for link in &mut raw.links {
        dropped += limits::attributes(&mut link.attributes);
        attributes::rename(&mut link.attributes, Some(raw.kind));
        redacted += redact::redact_attributes(&mut link.attributes);
    }
    let facts = facts::of(&mut raw, &names, emitter, options);
    if options.payloads == PayloadPolicy::HeadersAndKeys {
        raw.attributes.retain(|(k, _)| !attributes::is_payload(k));
        raw.events.iter_mut().for_each(|e| e.attributes.retain(|(k, _)| !attributes::is_payload(k)));
    }
    if let Some(note) = repair {
        raw.attributes.push((NOTE.to_owned(), Value::String(note)));
    }
    let span = Span {
        facts: Arc::new(facts),
        name: raw.name,
        trace_state: limits::name(raw.trace_state),
        attributes: raw.attributes,
        events: raw.events,
        links: raw.links,
        dropped,
        resource: Arc::clone(&emitter.resource),
        scope: Arc::clone(&emitter.scope),
    };
    (span, redacted)
}

fn repair_times(raw: &mut RawSpan) -> Option<String> {
    if raw.end >= raw.start && (raw.start != 0 || raw.end == 0) {
        return None;
    }
    if raw.start == 0 {
        raw.start = raw.end;
        return Some("came without a start time".to_owned());
    }
    let note = if raw.end == 0 {
        "came without an end time".to_owned()
    } else {
        format!("ended before it started (by {} ns)", i128::from(raw.start) - i128::from(raw.end))
    };
    raw.end = raw.start;
    Some(note)
}

/// Limits and redaction of a log record; returns the number of credential values replaced.
pub fn log(record: &mut LogRecord, options: &Options) -> u32 {
    limits::attributes(&mut record.attributes);
    attributes::rename(&mut record.attributes, None);
    limits::value(&mut record.body, 0);
    record.severity_text = limits::name(std::mem::take(&mut record.severity_text));
    record.event_name = limits::name(std::mem::take(&mut record.event_name));
    if options.payloads == PayloadPolicy::HeadersAndKeys {
        record.attributes.retain(|(k, _)| !attributes::is_payload(k));
    }
    redact::redact_attributes(&mut record.attributes) + redact::redact_value(&mut record.body)
}

//! Spans, as normalised at the door: old attribute names are already the new ones.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Nanos, NodeId, ServiceName, SpanId, TraceId, Value};

/// Attributes in the order they were sent; a key stands once.
pub type Attributes = Vec<(String, Value)>;

/// What identifies a span: ids alone do not (Zipkin shares one span id between client and server).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SpanKey {
    /// The trace.
    pub trace_id: TraceId,
    /// The span in it.
    pub span_id: SpanId,
    /// Its kind.
    pub kind: SpanKind,
}

/// OpenTelemetry span kind; `Unspecified` is treated as `Internal` (trace.proto allows it).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SpanKind {
    /// Work inside a service.
    Internal,
    /// Handling of a synchronous request.
    Server,
    /// An outgoing synchronous request (also a message receive or settle, semconv messaging spans).
    Client,
    /// Creation or sending of a message.
    Producer,
    /// Processing of a message.
    Consumer,
}

/// Outcome a span states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SpanStatus {
    /// Nothing said.
    Unset,
    /// Explicitly fine.
    Ok,
    /// Failed.
    Error,
}

/// Who emitted a span: the resource with its identity taken out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resource {
    /// `service.namespace` and `service.name`; `unknown_service` when no name was sent.
    pub service: ServiceName,
    /// `deployment.environment.name` (older: `deployment.environment`).
    pub environment: Option<String>,
    /// `service.instance.id`.
    pub instance: Option<String>,
    /// `service.version`.
    pub version: Option<String>,
    /// Layer declared by `flowglass.layer` or `integration.layer`, as sent.
    pub declared_layer: Option<String>,
    /// All resource attributes, identity included.
    pub attributes: Attributes,
    /// The semantic-convention schema the sender named.
    pub schema_url: String,
}

impl Resource {
    /// The node of this service on the map.
    pub fn node_id(&self) -> NodeId {
        NodeId::service(&self.service, self.environment.as_deref())
    }
}

/// Instrumentation scope.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Scope {
    /// Library name.
    pub name: String,
    /// Library version.
    pub version: String,
    /// Scope attributes.
    pub attributes: Attributes,
}

/// The other side of an outgoing call, as the caller names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Peer {
    /// `service.peer.name` (older `peer.service`).
    pub service: Option<String>,
    /// `server.address`, without port.
    pub host: Option<String>,
    /// `server.port`.
    pub port: Option<u16>,
}

/// What a span does, decided once at the door from kind and attributes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Role {
    /// Local work.
    Internal,
    /// Handles a request.
    Server {
        /// Kind of caller as far as the request tells (`browser`, `partner`, `mobile`, `scheduler`, `client`, …): used when no
        /// caller's span exists.
        caller: String,
    },
    /// Calls another service or an external system.
    Client {
        /// Who is called, if the span says so.
        peer: Peer,
    },
    /// Uses a database or another backend (one span, no server side).
    Access {
        /// The backend's node.
        backend: NodeId,
    },
    /// Creates or sends a message.
    Send {
        /// The topic's node.
        topic: NodeId,
        /// `messaging.message.id` or `cloudevents.event_id`.
        message_id: Option<String>,
        /// True for `create`: a send span of the same message may follow.
        create: bool,
    },
    /// Fetches messages from a broker (often a batch).
    Receive {
        /// The topic's node.
        topic: NodeId,
        /// `messaging.consumer.group.name` or subscription.
        group: Option<String>,
        /// `messaging.message.id`.
        message_id: Option<String>,
        /// `messaging.batch.message_count`.
        batch: Option<u32>,
    },
    /// Processes a message.
    Process {
        /// The topic's node.
        topic: NodeId,
        /// `messaging.consumer.group.name` or subscription.
        group: Option<String>,
        /// `messaging.message.id` or `cloudevents.event_id`.
        message_id: Option<String>,
        /// Which delivery of the message this is, from 1, where the instrumentation says.
        delivery: Option<u32>,
        /// Stream and sequence of the message where the instrumentation says.
        sequence: Option<(Option<String>, u64)>,
    },
    /// Acknowledges or rejects a message: no edge.
    Settle,
}

/// Why a span failed, as far as it says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ErrorFacts {
    /// Status description or exception message.
    pub message: Option<String>,
    /// `error.type` or exception type.
    pub kind: Option<String>,
}

/// What correlation needs of a span; kept in memory while its trace is young.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpanFacts {
    /// The trace.
    pub trace_id: TraceId,
    /// The span.
    pub span_id: SpanId,
    /// Kind as sent (`Unspecified` is `Internal`).
    pub kind: SpanKind,
    /// Parent, `None` for a root.
    pub parent: Option<SpanId>,
    /// Whether the parent lives in another process, when the sender said so (`Span.flags` bits 8 and 9, trace.proto).
    pub remote_parent: Option<bool>,
    /// Start, as sent (clocks may be skewed).
    pub start: Nanos,
    /// End, as sent, never before start.
    pub end: Nanos,
    /// Status.
    pub status: SpanStatus,
    /// HTTP status code of request or response.
    pub http_status: Option<u16>,
    /// gRPC status code.
    pub grpc_status: Option<u16>,
    /// Details when the status is an error.
    pub error: Option<ErrorFacts>,
    /// Node of the service that emitted it.
    pub service: NodeId,
    /// Operation: `METHOD route` for HTTP, else the span name.
    pub operation: Arc<str>,
    /// What it does.
    pub role: Role,
    /// Spans this one links to.
    pub links: Vec<(TraceId, SpanId)>,
    /// Business keys found in its attributes: name and value.
    pub keys: Vec<(String, String)>,
    /// `http.request.resend_count`: above 0 for a retry.
    pub resend: u32,
}

impl SpanFacts {
    /// The key that makes a span unique.
    pub fn key(&self) -> SpanKey {
        SpanKey { trace_id: self.trace_id, span_id: self.span_id, kind: self.kind }
    }

    /// Whether the span states an error.
    pub fn is_error(&self) -> bool {
        self.status == SpanStatus::Error
    }

    /// Whether its HTTP status is a client error (400 to 499): no failure of the callee.
    pub fn is_client_error(&self) -> bool {
        self.http_status.is_some_and(|s| (400..500).contains(&s))
    }

    /// Duration in nanoseconds.
    pub fn duration(&self) -> i64 {
        self.end.saturating_sub(self.start)
    }
}

/// Something that happened during a span.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpanEvent {
    /// When.
    pub time: Nanos,
    /// What.
    pub name: String,
    /// Details.
    pub attributes: Attributes,
}

/// A relation to a span that is not the parent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpanLink {
    /// Target trace.
    pub trace_id: TraceId,
    /// Target span.
    pub span_id: SpanId,
    /// Details (for batches the message id stands here).
    pub attributes: Attributes,
}

/// A span with all that was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Span {
    /// What correlation needs, shared with those who keep it.
    pub facts: Arc<SpanFacts>,
    /// The span name.
    pub name: String,
    /// W3C tracestate.
    pub trace_state: String,
    /// Attributes with current names; credentials already replaced.
    pub attributes: Attributes,
    /// Span events.
    pub events: Vec<SpanEvent>,
    /// Links with attributes.
    pub links: Vec<SpanLink>,
    /// Attributes, events and links the sender dropped.
    pub dropped: u32,
    /// The emitter.
    pub resource: Arc<Resource>,
    /// The instrumentation scope.
    pub scope: Arc<Scope>,
}

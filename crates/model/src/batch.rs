//! What sources deliver to the store.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    Advisory, Attributes, Delivery, Message, Nanos, Resource, Scope, Settlement, Span, SpanId, TraceId, Value,
};

/// Where data came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SourceKind {
    /// OTLP over gRPC.
    OtlpGrpc,
    /// OTLP over HTTP.
    OtlpHttp,
    /// CloudEvents over HTTP.
    CloudEvents,
    /// Zipkin v2 over HTTP.
    Zipkin,
    /// A NATS connection.
    Nats,
    /// A file.
    File,
}

/// Input that could not be taken, and why; never fatal, never silent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// Listener, connection or file.
    pub source: String,
    /// Where in it: `line 7`, `byte 1024`, `resourceSpans[0].scopeSpans[0].spans[3]`.
    pub at: String,
    /// Why, in words, with what to do.
    pub reason: String,
    /// How many items (spans, messages, records) were lost by it.
    pub count: u64,
}

/// A log record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogRecord {
    /// When it happened, else when it was observed.
    pub time: Nanos,
    /// Trace, if correlated.
    pub trace_id: Option<TraceId>,
    /// Span, if correlated.
    pub span_id: Option<SpanId>,
    /// OpenTelemetry severity number, 0 (unspecified) to 24.
    pub severity: u8,
    /// Severity as the sender wrote it.
    pub severity_text: String,
    /// Body.
    pub body: Value,
    /// `event_name` of the record.
    pub event_name: String,
    /// Attributes.
    pub attributes: Attributes,
    /// The emitter.
    pub resource: Arc<Resource>,
    /// The scope.
    pub scope: Arc<Scope>,
}

/// One decoded, normalised piece of input. It is written durably as a whole, or not at all.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Batch {
    /// Spans.
    pub spans: Vec<Span>,
    /// Publications.
    pub messages: Vec<Message>,
    /// Deliveries.
    pub deliveries: Vec<Delivery>,
    /// Acknowledgements.
    pub settlements: Vec<Settlement>,
    /// Broker notices.
    pub advisories: Vec<Advisory>,
    /// Log records.
    pub logs: Vec<LogRecord>,
    /// What was refused.
    pub rejected: Vec<Rejected>,
    /// Credential values replaced at the door in spans and logs.
    pub redacted: u64,
    /// Items that the source lost before they could be part of a batch (they came faster than they could be stored).
    pub dropped: u64,
}

impl Batch {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.len() == 0 && self.rejected.is_empty() && self.dropped == 0
    }

    /// Items to store (rejections not counted).
    pub fn len(&self) -> usize {
        self.spans.len()
            + self.messages.len()
            + self.deliveries.len()
            + self.settlements.len()
            + self.advisories.len()
            + self.logs.len()
    }

    /// Appends another batch.
    pub fn append(&mut self, mut other: Batch) {
        self.spans.append(&mut other.spans);
        self.messages.append(&mut other.messages);
        self.deliveries.append(&mut other.deliveries);
        self.settlements.append(&mut other.settlements);
        self.advisories.append(&mut other.advisories);
        self.logs.append(&mut other.logs);
        self.rejected.append(&mut other.rejected);
        self.redacted += other.redacted;
        self.dropped += other.dropped;
    }
}

/// What became of a batch: numbers of what was newly stored, and of what was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct IngestCounts {
    /// New spans.
    pub spans: u64,
    /// New events (a second publication of one event id is no new event).
    pub events: u64,
    /// New log records.
    pub logs: u64,
    /// New deliveries, acknowledgements and advisories.
    pub facts: u64,
    /// Items that were stored before.
    pub known: u64,
    /// Items refused.
    pub rejected: u64,
}

impl IngestCounts {
    /// Adds another outcome.
    pub fn add(&mut self, other: IngestCounts) {
        self.spans += other.spans;
        self.events += other.events;
        self.logs += other.logs;
        self.facts += other.facts;
        self.known += other.known;
        self.rejected += other.rejected;
    }
}

//! Events as brokers and HTTP senders deliver them.

use serde::{Deserialize, Serialize};

use crate::{LinkHow, Nanos, NodeId, SpanId, TraceId};

/// Trace context found on a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MessageContext {
    /// Trace.
    pub trace_id: TraceId,
    /// Span.
    pub span_id: SpanId,
}

/// The format in which a message carried the context of its last hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContextFormat {
    /// `traceparent` (W3C Trace Context).
    #[default]
    W3c,
    /// `b3` or `X-B3-…` (Zipkin).
    B3,
    /// `uber-trace-id` (Jaeger's own client libraries).
    Jaeger,
    /// `x-datadog-…` (Datadog).
    Datadog,
}

impl ContextFormat {
    /// All of them; the place of each is how it is stored.
    pub const ALL: [ContextFormat; 4] =
        [ContextFormat::W3c, ContextFormat::B3, ContextFormat::Jaeger, ContextFormat::Datadog];

    /// What a join by such a context is called.
    pub fn how(self) -> LinkHow {
        if self == ContextFormat::W3c { LinkHow::Traceparent } else { LinkHow::B3 }
    }
}

/// One publication of an event (one occurrence). Two publications with the same CloudEvents `source` and `id` are one event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Broker technology, as `messaging.system` names it (`nats`, `kafka`, `http`).
    pub system: String,
    /// Subject, topic or queue; for CloudEvents over HTTP the event type.
    pub destination: String,
    /// When it was published, as well as the source knows.
    pub time: Nanos,
    /// Stream (NATS) or partition (`partition-3`) that stored it.
    pub stream: Option<String>,
    /// Sequence in the stream, offset in the partition.
    pub sequence: Option<u64>,
    /// CloudEvents `id`, else the broker's message id.
    pub event_id: Option<String>,
    /// CloudEvents `source`.
    pub source: Option<String>,
    /// CloudEvents `type`.
    pub event_type: Option<String>,
    /// CloudEvents `subject`, else the broker's message key.
    pub key: Option<String>,
    /// Context of the last hop: the `traceparent` header, else that of another format.
    pub hop: Option<MessageContext>,
    /// The format that the last hop's context came in.
    #[serde(default)]
    pub hop_format: ContextFormat,
    /// Context the event started with: CloudEvents `traceparent`. Kept beside `hop`, never instead of it.
    pub origin: Option<MessageContext>,
    /// `correlationid`, `X-Correlation-ID`, `X-Request-ID`.
    pub correlation_id: Option<String>,
    /// CloudEvents `causationid`.
    pub causation_id: Option<String>,
    /// Reply subject, without JetStream acknowledgement subjects.
    pub reply: Option<String>,
    /// Headers in the order received; credentials already replaced.
    pub headers: Vec<(String, String)>,
    /// Payload bytes, CloudEvents data where structured; empty when the source keeps headers and keys only.
    pub payload: Vec<u8>,
    /// Size of the payload as received, bytes.
    pub payload_size: u64,
    /// Media type of the payload.
    pub content_type: Option<String>,
    /// Business keys found in payload and headers: name and value.
    pub keys: Vec<(String, String)>,
    /// Credential values replaced at the door.
    pub redacted: u32,
}

impl Message {
    /// The node of the destination; messages know no environment.
    pub fn topic(&self) -> NodeId {
        NodeId::topic(&self.system, &self.destination, None)
    }
}

/// What identifies one delivery.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DeliveryKey {
    /// Stream.
    pub stream: String,
    /// Consumer (durable) or group.
    pub consumer: String,
    /// Sequence of the delivery at this consumer.
    pub consumer_sequence: u64,
}

/// One delivery of a stored message to one consumer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Broker technology.
    pub system: String,
    /// Identity.
    pub key: DeliveryKey,
    /// Subject of the message; unknown when only its acknowledgement was seen.
    pub destination: Option<String>,
    /// Sequence of the message in the stream.
    pub stream_sequence: u64,
    /// From 1; above 1 it is a redelivery.
    pub delivered: u32,
    /// When it was seen.
    pub time: Nanos,
    /// Event id, where the delivered copy told it.
    pub event_id: Option<String>,
}

/// What a consumer said of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Acknowledgement {
    /// Still working (`+WPI`).
    Progress,
    /// Processed (`+ACK` or empty).
    Ack,
    /// Not processed, deliver again (`-NAK`).
    Nak,
    /// Never deliver again (`+TERM`).
    Term,
}

/// An acknowledgement seen on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// Which delivery.
    pub key: DeliveryKey,
    /// Sequence of the message in the stream.
    pub stream_sequence: u64,
    /// Delivery number, from 1.
    pub delivered: u32,
    /// When.
    pub time: Nanos,
    /// What was said.
    pub acknowledgement: Acknowledgement,
}

/// A broker's own notice about a message or consumer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advisory {
    /// Kind, the last part of the advisory's schema name (`max_deliver`, `nak`, `terminated`, …).
    pub kind: String,
    /// The broker's id of the advisory.
    pub id: String,
    /// Subject it came on.
    pub subject: String,
    /// When.
    pub time: Nanos,
    /// Stream concerned.
    pub stream: Option<String>,
    /// Consumer concerned.
    pub consumer: Option<String>,
    /// Message concerned.
    pub stream_sequence: Option<u64>,
    /// Deliveries so far.
    pub deliveries: Option<u32>,
    /// The advisory as received.
    pub body: String,
}

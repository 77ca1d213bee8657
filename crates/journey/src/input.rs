//! What a journey is made of, as the store hands it over.

use flowglass_model::{
    Acknowledgement, ContextFormat, Layer, MessageContext, Nanos, NodeId, SpanFacts, TraceId, TraceJoin,
};

/// Everything known about one journey. The order of the slices never matters, and repeats do no harm. Spans may be facts or
/// shared facts (`Arc<SpanFacts>`).
pub struct Input<'a, S = SpanFacts> {
    /// Identity of the journey: the trace it started with.
    pub root: TraceId,
    /// Spans of that trace and of every trace joined to it, unique by [`SpanFacts::key`]. Spans of a joined trace that handle
    /// messages of other journeys may be among them: they are left out here.
    pub spans: &'a [S],
    /// Joins that touch any of these traces, those with traces of other journeys included (they tell what does not belong).
    pub joins: &'a [TraceJoin],
    /// Traces of which only some spans are among these: the others belong to other journeys. Sorted.
    pub partial: &'a [TraceId],
    /// Events whose hop or origin lies in one of these traces, or whose id one of the spans names.
    pub events: &'a [EventFacts],
    /// Deliveries of these events.
    pub deliveries: &'a [DeliveryFacts],
    /// The layer of a participant. Only [`crate::build`] asks.
    pub layers: &'a dyn Fn(&NodeId) -> Layer,
}

/// What stitching needs of an event (all its publications together).
#[derive(Debug, Clone, PartialEq)]
pub struct EventFacts {
    /// The store's own number of it; unique. Stands as id where the event has none.
    pub row: i64,
    /// CloudEvents `id`, else the broker's message id.
    pub event_id: Option<String>,
    /// CloudEvents `source`.
    pub source: Option<String>,
    /// Where it was published ([`flowglass_model::Message::topic`]).
    pub topic: NodeId,
    /// Subject, topic or queue as people read it.
    pub name: String,
    /// First publication.
    pub time: Nanos,
    /// Context of the last hop (`traceparent` header).
    pub hop: Option<MessageContext>,
    /// The format that context came in.
    pub hop_format: ContextFormat,
    /// Context it started with (CloudEvents `traceparent`).
    pub origin: Option<MessageContext>,
    /// Correlation id it carries.
    pub correlation_id: Option<String>,
    /// Event id of what caused it.
    pub causation_id: Option<String>,
    /// Stream or partition that stored it.
    pub stream: Option<String>,
    /// Sequence in the stream or offset in the partition.
    pub sequence: Option<u64>,
    /// Publications of it, at least 1.
    pub occurrences: u32,
    /// Business keys found in it: name and value.
    pub keys: Vec<(String, String)>,
    /// Whether a consumer gave it up: deliveries used up, or published to a dead-letter destination.
    pub dead_lettered: bool,
}

/// What stitching needs of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryFacts {
    /// [`EventFacts::row`] of the event delivered.
    pub event: i64,
    /// Consumer (durable) or group.
    pub consumer: String,
    /// Sequence of this delivery at the consumer; with the consumer it makes the delivery unique.
    pub consumer_sequence: u64,
    /// From 1; above 1 it is a redelivery.
    pub delivered: u32,
    /// When it was seen.
    pub time: Nanos,
    /// What the consumer said of it last, if anything.
    pub acknowledgement: Option<Acknowledgement>,
}

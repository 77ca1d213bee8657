//! What the resolver asks of the store.

use flowglass_model::{MessageContext, Nanos, NodeId, SpanFacts, SpanId, TraceId};

/// What is stored, as far as the resolver needs it. Answers hold for the running transaction: messages and deliveries of the
/// batch in hand are already in it, its spans are not (see [`Resolver::add`](super::Resolver::add)).
pub trait FactSource {
    /// Why a question could not be answered.
    type Error;

    /// Facts of all stored spans of a trace.
    fn trace_facts(&mut self, trace: TraceId) -> Result<Vec<SpanFacts>, Self::Error>;

    /// Traces with a stored span that links to this span.
    fn traces_linking_to(&mut self, trace: TraceId, span: SpanId) -> Result<Vec<TraceId>, Self::Error>;

    /// Stored publications whose last hop is this span.
    fn messages_with_context(&mut self, trace: TraceId, span: SpanId) -> Result<Vec<MessageSighting>, Self::Error>;

    /// Traces with a stored send, receive or process span of this message id on this topic (`nats/orders.placed`, without
    /// environment).
    fn traces_with_message(&mut self, topic_body: &str, message_id: &str) -> Result<Vec<TraceId>, Self::Error>;

    /// Stored publications with this event id on this destination.
    fn messages_with_id(
        &mut self,
        system: &str,
        destination: &str,
        event_id: &str,
    ) -> Result<Vec<MessageSighting>, Self::Error>;

    /// The instant up to which the figures of a trace are closed (see [`Resolver::expire`](super::Resolver::expire)): spans of it
    /// that start at or before it are neither counted nor taken back.
    fn closed_until(&mut self, trace: TraceId) -> Result<Option<Nanos>, Self::Error>;

    /// What [`FactSource::set_unmatched`] kept under a key.
    fn unmatched(&mut self, key: &str) -> Result<Option<Unmatched>, Self::Error>;

    /// Keeps (or, with `None`, removes) what the resolver counted for publications without a span.
    fn set_unmatched(&mut self, key: &str, value: Option<&Unmatched>) -> Result<(), Self::Error>;
}

/// A stored publication, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageSighting {
    /// Broker technology.
    pub system: String,
    /// Subject, topic or queue.
    pub destination: String,
    /// Event or message id, if it has one.
    pub event_id: Option<String>,
    /// When it was published.
    pub time: Nanos,
    /// Context of the last hop.
    pub hop: Option<MessageContext>,
    /// CloudEvents `source`.
    pub source: Option<String>,
}

/// Publications counted although no send span was seen, so that they can be taken back when it arrives. (Also used as a mere
/// mark under other keys; the store need not understand it.)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmatched {
    /// How many.
    pub count: u64,
    /// Who they were counted for; the topic itself when nobody is known.
    pub source: NodeId,
    /// The topic they were counted at.
    pub topic: NodeId,
    /// When.
    pub at: Nanos,
}

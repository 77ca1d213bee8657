//! Words of the contract and of the window for what the model calls otherwise.

use flowglass_model::{
    Acknowledgement, ItemStatus, JourneyState, Layer, LayerSource, NodeKind, SpanKind, SpanStatus, Sure,
    UnresolvedReason,
};

/// Heading of a layer's band.
pub fn layer_title(layer: Layer) -> &'static str {
    match layer {
        Layer::Backend => "Backends",
        Layer::System => "System",
        Layer::Event => "Events",
        Layer::Process => "Process",
        Layer::Experience => "Experience",
        Layer::Consumer => "Users & automations",
    }
}

/// The contract's word for a kind of node.
pub fn node_kind(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Service => "service",
        NodeKind::Topic => "topic",
        NodeKind::Backend => "backend",
        NodeKind::External => "external",
        NodeKind::Consumer => "consumer",
    }
}

/// The contract's word for what decided a layer.
pub fn layer_source(source: LayerSource) -> &'static str {
    match source {
        LayerSource::User => "user",
        LayerSource::Declared => "declared",
        LayerSource::Name => "name",
        LayerSource::Inferred => "inferred",
    }
}

/// The contract's word for a state.
pub fn journey_state(state: JourneyState) -> &'static str {
    match state {
        JourneyState::Ok => "ok",
        JourneyState::Degraded => "degraded",
        JourneyState::Failed => "failed",
        JourneyState::InProgress => "in-progress",
        JourneyState::Incomplete => "incomplete",
    }
}

/// The inverse of [`journey_state`].
pub fn parse_journey_state(text: &str) -> Option<JourneyState> {
    [JourneyState::Ok, JourneyState::Degraded, JourneyState::Failed, JourneyState::InProgress, JourneyState::Incomplete]
        .into_iter()
        .find(|s| journey_state(*s) == text)
}

/// The contract's word for the status of an item.
pub fn item_status(status: ItemStatus) -> &'static str {
    match status {
        ItemStatus::Ok => "ok",
        ItemStatus::Error => "error",
        ItemStatus::Unset => "unset",
    }
}

/// The contract's word for the status of a span.
pub(crate) fn span_status(status: SpanStatus) -> &'static str {
    match status {
        SpanStatus::Ok => "ok",
        SpanStatus::Error => "error",
        SpanStatus::Unset => "unset",
    }
}

/// OpenTelemetry's word for a span kind, lower case.
pub(crate) fn span_kind(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Internal => "internal",
        SpanKind::Server => "server",
        SpanKind::Client => "client",
        SpanKind::Producer => "producer",
        SpanKind::Consumer => "consumer",
    }
}

/// The inverse of [`span_kind`].
pub(crate) fn parse_span_kind(text: &str) -> Option<SpanKind> {
    [SpanKind::Internal, SpanKind::Server, SpanKind::Client, SpanKind::Producer, SpanKind::Consumer]
        .into_iter()
        .find(|k| span_kind(*k) == text)
}

/// The contract's word for a strength.
pub fn sure(sure: Sure) -> &'static str {
    match sure {
        Sure::Certain => "certain",
        Sure::Strong => "strong",
        Sure::Weak => "weak",
    }
}

/// What a consumer said.
pub(crate) fn acknowledgement(ack: Acknowledgement) -> &'static str {
    match ack {
        Acknowledgement::Progress => "progress",
        Acknowledgement::Ack => "ack",
        Acknowledgement::Nak => "nak",
        Acknowledgement::Term => "term",
    }
}

/// Code, meaning and advice for spans that gave no edge.
pub(crate) fn unresolved(reason: UnresolvedReason) -> (&'static str, &'static str, &'static str) {
    match reason {
        UnresolvedReason::CallerMissing => (
            "caller-missing",
            "Requests that name a caller whose span never arrived",
            "Send the caller's traces here too. If they are sampled, keep the whole trace (parent-based sampling); if a gateway \
             passes trace context on without tracing itself, instrument it or let it start the trace.",
        ),
        UnresolvedReason::PeerUnnamed => (
            "peer-unnamed",
            "Outgoing calls that say neither whom they call nor reach an instrumented service",
            "Update the client's instrumentation so that it sets server.address, or set service.peer.name on the span.",
        ),
        UnresolvedReason::PeerIsAddress => (
            "peer-is-address",
            "Outgoing calls to a bare IP address that no known service answered",
            "Instrument the callee, call it by name, or give the address a name with an alias in the settings.",
        ),
        UnresolvedReason::DestinationUnnamed => (
            "destination-unnamed",
            "Messaging spans that name no destination",
            "Let the messaging instrumentation set messaging.destination.name.",
        ),
        UnresolvedReason::ServiceUnnamed => (
            "service-unnamed",
            "Spans of processes without a service name",
            "Set OTEL_SERVICE_NAME (Node: enable the env resource detector) and restart the process.",
        ),
        UnresolvedReason::Settle => {
            ("settle", "Acknowledgements of messages", "Nothing to do: settling a message is not an interaction.")
        }
    }
}

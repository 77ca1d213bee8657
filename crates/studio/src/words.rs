//! Words of the contract and of the window for what the model calls otherwise.

use flowglass_model::{
    Acknowledgement, GapKind, ItemStatus, JourneyState, Layer, LayerSource, MarkKind, NodeKind, SpanKind, SpanStatus,
    Sure, UnresolvedReason,
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

/// Why nothing happened for a while.
pub fn gap_kind(kind: GapKind) -> &'static str {
    match kind {
        GapKind::Queue => "queue",
        GapKind::Redelivery => "redelivery",
    }
}

/// What is remarkable about an item.
pub fn mark_kind(kind: MarkKind) -> &'static str {
    match kind {
        MarkKind::Retry => "retry",
        MarkKind::Redelivery => "redelivery",
        MarkKind::Duplicate => "duplicate",
        MarkKind::DeadLettered => "dead-lettered",
        MarkKind::Ack => "ack",
        MarkKind::Nak => "nak",
        MarkKind::Term => "term",
        MarkKind::ClientError => "client-error",
        MarkKind::Cancelled => "cancelled",
        MarkKind::ClockSkew => "clock-skew",
        MarkKind::Hub => "hub",
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

/// What is said of spans that gave no edge.
pub(crate) struct Unresolved {
    /// For programs.
    pub(crate) code: &'static str,
    /// What it means.
    pub(crate) meaning: &'static str,
    /// Who has to do what.
    pub(crate) advice: &'static str,
    /// What to set, ready to copy.
    pub(crate) snippet: Option<&'static str>,
}

/// Why spans gave no edge, and what to do about it.
pub(crate) fn unresolved(reason: UnresolvedReason) -> Unresolved {
    let words = |code, meaning, advice, snippet| Unresolved { code, meaning, advice, snippet };
    match reason {
        UnresolvedReason::CallerMissing => words(
            "caller-missing",
            "A request arrived here, but the caller's own span did not",
            "Whoever calls these services has to send its traces here too. If it samples, let it keep whole traces. If a gateway \
             passes trace context on without tracing itself, instrument the gateway.",
            Some("OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318\nOTEL_TRACES_SAMPLER=parentbased_always_on"),
        ),
        UnresolvedReason::PeerUnnamed => words(
            "peer-unnamed",
            "A call went out that does not say to whom, and nobody instrumented answered it",
            "The team of the calling service: update its client instrumentation so that spans say server.address, or name the \
             peer where the client is made.",
            Some("span.setAttribute(\"server.address\", \"payments.example.com\")"),
        ),
        UnresolvedReason::PeerIsAddress => words(
            "peer-is-address",
            "A call went out to a bare IP address that no known service answered",
            "Send the callee's traces here too, let the caller use a host name, or name the peer on the client's span.",
            Some("span.setAttribute(\"service.peer.name\", \"payments-sys-api\")"),
        ),
        UnresolvedReason::DestinationUnnamed => words(
            "destination-unnamed",
            "A message was sent or received without saying on which topic or queue",
            "The team of the service: let its messaging instrumentation name the destination on the span.",
            Some("span.setAttribute(\"messaging.destination.name\", \"orders.placed\")"),
        ),
        UnresolvedReason::ServiceUnnamed => words(
            "service-unnamed",
            "Spans of a process that does not say which service it is",
            "Whoever starts the process: set its service name and restart it. In Node.js also enable the env resource detector.",
            Some("OTEL_SERVICE_NAME=order-prc-api"),
        ),
        UnresolvedReason::Settle => words(
            "settle",
            "Acknowledgements of messages",
            "Nothing to do: the message itself is on the map, its acknowledgement is no interaction of its own.",
            None,
        ),
    }
}

/// A business key as people say it: `order 4711` for `orderId` 4711.
pub(crate) fn named_key(name: &str, value: &str) -> String {
    let word = name.strip_suffix("Id").filter(|w| !w.is_empty()).unwrap_or(name);
    format!("{word} {value}")
}

/// `once`, `twice`, `5 times`.
pub(crate) fn times(n: u64) -> String {
    match n {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        n => format!("{} times", grouped(n)),
    }
}

/// A number with its thousands apart: `1,896`.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// Milliseconds as people say them: `340 ms`, `2.1 s`, `22 min`, `3.5 h`, `2 days`.
pub(crate) fn rough_duration(ms: f64) -> String {
    match ms {
        ms if ms < 10.0 => format!("{ms:.1} ms"),
        ms if ms < 1_000.0 => format!("{ms:.0} ms"),
        ms if ms < 10_000.0 => format!("{:.1} s", ms / 1e3),
        ms if ms < 120_000.0 => format!("{:.0} s", ms / 1e3),
        ms if ms < 7_200_000.0 => format!("{:.0} min", ms / 6e4),
        ms if ms < 172_800_000.0 => format!("{:.1} h", ms / 3.6e6),
        ms => format!("{:.0} days", ms / 8.64e7),
    }
}

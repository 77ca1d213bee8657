//! What the store rolls up per time bucket, so that the map never reads spans again.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{InteractionKind, LinkHow, Nanos, NodeId, Sketch, SpanId, TraceId, UnresolvedReason};

/// Identity of one rolled-up figure.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SeriesKey {
    /// An edge between participants as spans and messages name them (aliases and merges come later).
    Edge {
        /// How they interact.
        kind: InteractionKind,
        /// Caller, producer or topic.
        source: NodeId,
        /// Callee, topic, consumer or backend.
        target: NodeId,
    },
    /// A call from a caller without spans (browser, partner, scheduler, prober), by operation: such an edge is the sum of these,
    /// so that health probes can be told from requests. Calls between services have no operation: they are [`SeriesKey::Edge`].
    Entry {
        /// `consumer:KIND`.
        source: NodeId,
        /// The service that was called.
        target: NodeId,
        /// `GET /healthz`.
        operation: String,
    },
    /// Requests or messages a participant handled, by operation.
    Operation {
        /// Who.
        participant: NodeId,
        /// `POST /charge`, `process orders.placed`.
        operation: String,
    },
    /// A callee's address as callers write it (`host:port`), with the service that answered there.
    Address {
        /// `host:port` or `host`.
        address: String,
        /// The service that answered.
        participant: NodeId,
    },
    /// Messages a consumer group processed, as spans tell.
    Group {
        /// The topic.
        topic: NodeId,
        /// Consumer group; empty where the span names none.
        group: String,
        /// The service.
        participant: NodeId,
    },
    /// Deliveries as the broker told them.
    Delivered {
        /// The topic (no environment).
        topic: NodeId,
        /// Consumer or group.
        consumer: String,
    },
    /// Spans that gave no edge.
    Unresolved {
        /// Who emitted them.
        participant: NodeId,
        /// Why there is no edge.
        reason: UnresolvedReason,
    },
    /// A layer a resource declared.
    Declared {
        /// Who.
        participant: NodeId,
        /// The declared word.
        layer: String,
    },
    /// Spans that a version of a service emitted.
    Version {
        /// The service.
        participant: NodeId,
        /// Its `service.version`.
        version: String,
    },
}

impl SeriesKey {
    /// The edge that this figure is (a part of), if it is one: how, source, target.
    pub fn as_edge(&self) -> Option<(InteractionKind, &NodeId, &NodeId)> {
        match self {
            SeriesKey::Edge { kind, source, target } => Some((*kind, source, target)),
            SeriesKey::Entry { source, target, .. } => Some((InteractionKind::Call, source, target)),
            _ => None,
        }
    }

    /// The service and its operation that this figure counts, if it counts by operation.
    pub fn operation(&self) -> Option<(&NodeId, &str)> {
        match self {
            SeriesKey::Operation { participant, operation } => Some((participant, operation)),
            SeriesKey::Entry { target, operation, .. } => Some((target, operation)),
            _ => None,
        }
    }
}

/// A change of one series: `count` occurrences more (or, negative, fewer).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delta {
    /// Which figure; changes of one figure may share the key.
    pub key: Arc<SeriesKey>,
    /// When the occurrence started; decides the bucket.
    pub at: Nanos,
    /// +1 for a new occurrence, -1 for one taken back.
    pub count: i64,
    /// Whether it failed.
    pub error: bool,
    /// Its duration, nanoseconds, where known.
    pub duration: Option<i64>,
}

/// A series summed over a time range.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesSum {
    /// Which figure.
    pub key: SeriesKey,
    /// Occurrences.
    pub count: i64,
    /// Failed ones.
    pub errors: i64,
    /// Durations.
    pub sketch: Sketch,
    /// Start of the first bucket with data in the range.
    pub first: Nanos,
    /// End of the last bucket with data in the range.
    pub last: Nanos,
}

/// A consumer's span in one trace that handles a message sent from another trace.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TraceJoin {
    /// Trace of the sender.
    pub parent_trace: TraceId,
    /// Sender's span.
    pub parent_span: SpanId,
    /// Trace of the handler.
    pub child_trace: TraceId,
    /// Handler's span.
    pub child_span: SpanId,
    /// What joined them.
    pub how: LinkHow,
}

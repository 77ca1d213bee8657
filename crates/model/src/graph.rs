//! The map: participants and interactions, as plain data.

use serde::{Deserialize, Serialize};

use crate::{InteractionKind, Layer, NodeId, NodeKind};

/// What decided a layer, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LayerSource {
    /// The user's own choice in the configuration.
    User,
    /// A resource attribute.
    Declared,
    /// A pattern in the name.
    Name,
    /// The place in the graph; a guess.
    Inferred,
}

/// Why a span gave no edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnresolvedReason {
    /// A request whose parent span never arrived: the caller is not instrumented, sampled away or late.
    CallerMissing,
    /// An outgoing call that names no peer and has no server span.
    PeerUnnamed,
    /// An outgoing call to a bare IP address that no known service answers.
    PeerIsAddress,
    /// A messaging span that names no destination.
    DestinationUnnamed,
    /// A span of a resource without `service.name`.
    ServiceUnnamed,
    /// A messaging span whose operation settles messages: no edge by design.
    Settle,
}

/// Spans that gave no edge, counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unresolved {
    /// Who emitted them.
    pub participant: NodeId,
    /// Why.
    pub reason: UnresolvedReason,
    /// How many.
    pub count: u64,
}

/// Counts and times of an edge or node over a range.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct EdgeStats {
    /// Occurrences.
    pub count: u64,
    /// Failed ones.
    pub errors: u64,
    /// Median, milliseconds.
    pub p50_ms: Option<f64>,
    /// 95th percentile, milliseconds.
    pub p95_ms: Option<f64>,
}

/// A participant on the map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GraphNode {
    /// Identity.
    pub id: NodeId,
    /// What people read.
    pub name: String,
    /// What it is.
    pub kind: NodeKind,
    /// Its environment.
    pub environment: Option<String>,
    /// Its layer.
    pub layer: Layer,
    /// Why it has that layer, as a sentence.
    pub layer_reason: String,
    /// What decided.
    pub layer_source: LayerSource,
    /// Business domain from the configuration, else the namespace.
    pub domain: Option<String>,
    /// Owner from the configuration.
    pub owner: Option<String>,
    /// What it handled (for services), or what was exchanged with it (others).
    pub stats: EdgeStats,
    /// Whether its own telemetry was seen.
    pub instrumented: bool,
}

/// An interaction on the map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GraphEdge {
    /// Caller, producer or topic.
    pub source: NodeId,
    /// Callee, topic, consumer or backend.
    pub target: NodeId,
    /// How.
    pub kind: InteractionKind,
    /// Figures.
    pub stats: EdgeStats,
}

/// The map over a time range.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Graph {
    /// Participants, sorted by id.
    pub nodes: Vec<GraphNode>,
    /// Interactions, sorted by source, target, kind.
    pub edges: Vec<GraphEdge>,
    /// Spans that gave no edge.
    pub unresolved: Vec<Unresolved>,
}

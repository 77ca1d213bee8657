//! The vocabulary of Flowglass: plain data that every other crate shares.
//!
//! Nothing here does I/O, reads a clock or knows a wire format. A *span*, *message*, *delivery* and *log record* are what
//! sources deliver ([`Batch`]); a *participant* is a node of the map ([`NodeId`]); a *series* is what the store rolls up per
//! time bucket ([`SeriesKey`]); a *graph* and a *journey* are what the pure crates make of them.

mod batch;
mod config;
mod design;
mod graph;
mod id;
mod joins;
mod journey;
mod message;
mod node;
mod noise;
mod payload;
mod retention;
mod rule;
mod series;
mod skeleton;
mod sketch;
mod span;
mod value;
mod version;

pub mod filter;
pub mod semconv;

pub use batch::{Batch, IngestCounts, LogRecord, Rejected, SourceKind};
pub use config::{
    Alias, Config, LayerPattern, LinkTemplate, Owner, ProtobufRule, RedactionRule, TraceStore, TraceStoreKind,
    name_rule_fits,
};
pub use design::{Design, DesignedChannel, DesignedMessage, DesignedParticipant, KeptDeviation};
pub use graph::{EdgeStats, Graph, GraphEdge, GraphNode, LayerSource, Unresolved, UnresolvedReason};
pub use id::{IdError, SpanId, TraceId};
pub use joins::{CORRELATION_KEYS, JoinsConfig, tells_apart};
pub use journey::{
    CriticalStep, Effect, Failure, Gap, GapKind, ItemKind, ItemStatus, Journey, JourneyItem, JourneyLink, JourneyState,
    JourneyStatus, JourneySummary, LinkHow, Mark, MarkKind, Relation, Sure,
};
pub use message::{
    Acknowledgement, Advisory, ContextFormat, Delivery, DeliveryKey, Message, MessageContext, Settlement,
};
pub use node::{InteractionKind, Layer, NodeId, NodeKind, ServiceName};
pub use noise::{default_noise, is_noise, noise_pattern_matches};
pub use payload::{payload_fields, scalar_text};
pub use retention::{Age, RetentionConfig, Size};
pub use rule::{
    Day, DependencyRule, Rule, RuleException, RulesConfig, RulesProblem, Selector, Severity, SeverityChoice, Thresholds,
};
pub use series::{Delta, SeriesKey, SeriesSum, TraceJoin};
pub use skeleton::{
    Answer, ApiOperation, ApiSkeleton, EventOperation, EventSkeleton, SkeletonChannel, SkeletonInfo, SkeletonMessage,
};
pub use sketch::Sketch;
pub use span::{
    Attributes, ErrorFacts, Peer, Resource, Role, Scope, Span, SpanEvent, SpanFacts, SpanKey, SpanKind, SpanLink,
    SpanStatus,
};
pub use value::Value;
pub use version::VersionTally;

/// An instant: nanoseconds since the Unix epoch (UTC). Negative before 1970; spans the years 1678 to 2262.
pub type Nanos = i64;

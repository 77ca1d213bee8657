//! The map.

use super::{Bucket, Figures, Nearest, Range, dto};

dto! {
    /// Asks for the map.
    #[derive(Default)]
    pub struct TopologyRequest {
        /// Time range.
        pub range: Range,
        /// Only this environment.
        pub environment: Option<String>,
        /// Revision the caller already shows (same range length and environment); the answer is then a difference to it.
        pub known_revision: Option<u32>,
        /// Lay out anew, moving as little as possible, instead of keeping every position.
        pub relayout: bool,
        /// Domains to fold into one card per layer; null folds all of them once the map has more than 300 participants.
        #[serde(default)]
        pub folded: Option<Vec<String>>,
        /// Participants that are never folded away, because they are selected.
        #[serde(default)]
        pub keep: Vec<String>,
    }

    /// A participant behind the card of a folded domain.
    pub struct Member {
        /// Node id.
        pub id: String,
        /// What people read.
        pub name: String,
        /// Its kind.
        pub kind: String,
        /// Its health.
        pub health: String,
        /// What it handled.
        pub figures: Figures,
    }

    /// A domain of the map.
    pub struct Domain {
        /// Its name.
        pub name: String,
        /// Participants of it, topics aside.
        pub nodes: u32,
        /// Whether it is folded. What fails, and what is selected, stands by itself all the same.
        pub folded: bool,
    }

    /// A participant.
    pub struct Node {
        /// Node id.
        pub id: String,
        /// What people read.
        pub name: String,
        /// `service`, `topic`, `backend`, `external`, `consumer`; `group` is a folded domain.
        pub kind: String,
        /// Technology of topics and backends.
        pub system: Option<String>,
        /// Namespace of a service.
        pub namespace: Option<String>,
        /// Environment.
        pub environment: Option<String>,
        /// `backend`, `system`, `event`, `process`, `experience`, `consumer`.
        pub layer: String,
        /// Why, as a sentence.
        pub layer_reason: String,
        /// `user`, `declared`, `name`, `inferred` (a guess: looks like one).
        pub layer_source: String,
        /// Domain.
        pub domain: Option<String>,
        /// Owner.
        pub owner: Option<String>,
        /// What it handled.
        pub figures: Figures,
        /// `healthy`, `failing` (5 % or more of what it handled failed), `degraded` (1 % or more), `quiet` (nothing in range).
        pub health: String,
        /// Whether its own telemetry was seen.
        pub instrumented: bool,
        /// For topics: how many services consume it (0: nobody).
        pub consumers: Option<u32>,
        /// Who is behind the card of a folded domain.
        pub members: Vec<Member>,
        /// Requests over equal parts of the range (about 24, 10 s at least), for the sparkline.
        pub spark: Vec<f64>,
        /// Errors over the same parts.
        pub spark_errors: Vec<f64>,
        /// Horizontal centre, pixels at 100 %.
        pub x: f64,
        /// Vertical centre, pixels at 100 %.
        pub y: f64,
        /// Width, pixels at 100 %.
        pub width: f64,
        /// Height, pixels at 100 %.
        pub height: f64,
    }

    /// An interaction.
    pub struct Edge {
        /// `source → target kind`, stable.
        pub id: String,
        /// Caller, producer or topic.
        pub source: String,
        /// Callee, topic, consumer or backend.
        pub target: String,
        /// `call`, `publish`, `consume`, `access`.
        pub kind: String,
        /// Figures.
        pub figures: Figures,
        /// `healthy`, `failing`, `degraded`.
        pub health: String,
        /// Bend points between the cards it passes, pixels at 100 %; empty for neighbours.
        pub waypoints: Vec<Point>,
    }

    /// A point, pixels at 100 %.
    #[derive(Copy)]
    pub struct Point {
        /// Horizontal.
        pub x: f64,
        /// Vertical.
        pub y: f64,
    }

    /// A layer's band.
    pub struct Band {
        /// Layer.
        pub layer: String,
        /// Heading.
        pub title: String,
        /// Left edge.
        pub x: f64,
        /// Width.
        pub width: f64,
        /// Participants in it.
        pub count: u32,
    }

    /// Spans that gave no edge.
    pub struct UnresolvedGroup {
        /// `caller-missing`, `peer-unnamed`, …
        pub reason: String,
        /// What that means, in words.
        pub meaning: String,
        /// Who has to change what.
        pub advice: String,
        /// What to set, ready to copy.
        pub snippet: Option<String>,
        /// Spans.
        pub count: u64,
        /// Who emits them, most first.
        pub participants: Vec<String>,
    }

    /// The map, or what changed of it.
    pub struct TopologyView {
        /// Revision of this view.
        pub revision: u32,
        /// True: `nodes` and `edges` are everything. False: they are what is new or changed since `knownRevision`.
        pub full: bool,
        /// Participants.
        pub nodes: Vec<Node>,
        /// Interactions.
        pub edges: Vec<Edge>,
        /// Node ids no longer on the map (differences only).
        pub removed_nodes: Vec<String>,
        /// Edge ids no longer on the map (differences only).
        pub removed_edges: Vec<String>,
        /// Bands, left to right.
        pub bands: Vec<Band>,
        /// Size of the drawing.
        pub width: f64,
        /// Size of the drawing.
        pub height: f64,
        /// Why spans are missing from the map.
        pub unresolved: Vec<UnresolvedGroup>,
        /// Participants that used to send and stopped.
        pub quiet: Vec<super::QuietSource>,
        /// Requests folded away as noise.
        pub noise: u64,
        /// Participants of which nothing but noise was seen; they are not on the map.
        pub hidden: Vec<String>,
        /// Domains with two participants or more.
        pub domains: Vec<Domain>,
        /// Where data is, when the range has none.
        pub nearest: Nearest,
    }

    /// Asks for a participant's figures.
    pub struct NodeRequest {
        /// Node id.
        pub id: String,
        /// Range.
        pub range: Range,
    }

    /// An operation of a participant.
    pub struct Operation {
        /// `POST /charge`.
        pub name: String,
        /// Figures.
        pub figures: Figures,
        /// Whether a rule takes it for noise (health checks, polls): it is then not in the participant's figures.
        pub noise: bool,
    }

    /// A neighbour.
    pub struct Connection {
        /// Edge id.
        pub edge: String,
        /// The other participant.
        pub node: String,
        /// Its name.
        pub name: String,
        /// Its layer.
        pub layer: String,
        /// Its kind.
        pub kind: String,
        /// `call`, `publish`, …
        pub interaction: String,
        /// True when the other one is the source.
        pub incoming: bool,
        /// Figures.
        pub figures: Figures,
    }

    /// A failure of a participant.
    pub struct FailureRow {
        /// When.
        pub at: f64,
        /// `POST /charge returned 500`.
        pub title: String,
        /// Cause, where known.
        pub detail: Option<String>,
        /// Journey to open.
        pub journey: Option<String>,
        /// Span to select in it.
        pub span_id: Option<String>,
    }

    /// A participant in detail.
    pub struct NodeDetail {
        /// The node.
        pub node: Node,
        /// Versions seen.
        pub versions: Vec<String>,
        /// Instances seen.
        pub instances: u32,
        /// Contact from the configuration.
        pub contact: Option<String>,
        /// Runbook from the configuration.
        pub runbook: Option<String>,
        /// Over the range.
        pub timeline: Vec<Bucket>,
        /// Operations, busiest first.
        pub operations: Vec<Operation>,
        /// Neighbours.
        pub connections: Vec<Connection>,
        /// Newest failures.
        pub failures: Vec<FailureRow>,
        /// Where its nearest traffic outside of the range lies, when it has none in it.
        pub nearest: Nearest,
    }

    /// Asks for an edge's figures.
    pub struct EdgeRequest {
        /// Source node id.
        pub source: String,
        /// Target node id.
        pub target: String,
        /// Kind.
        pub kind: String,
        /// Range.
        pub range: Range,
    }

    /// An edge in detail.
    pub struct EdgeDetail {
        /// The edge.
        pub edge: Edge,
        /// Name of the source.
        pub source_name: String,
        /// Name of the target.
        pub target_name: String,
        /// Over the range.
        pub timeline: Vec<Bucket>,
        /// Newest journeys over it.
        pub journeys: Vec<super::JourneyRow>,
        /// Where its nearest traffic outside of the range lies, when no journey in the range goes over it.
        pub nearest: Nearest,
    }

    /// Asks for all requests and events over time.
    pub struct TimelineRequest {
        /// Range; both ends wanted.
        pub range: Range,
        /// Bars wanted at most, 1 to 500: each lasts 10 s or a round multiple and begins at a round instant.
        pub buckets: u32,
        /// Only participants of this environment; null for all.
        pub environment: Option<String>,
    }

    /// Requests and publications over time.
    pub struct Timeline {
        /// Handled requests and messages, without noise.
        pub requests: Vec<Bucket>,
        /// Publications.
        pub events: Vec<Bucket>,
        /// How long a bar lasts, milliseconds.
        pub bucket_ms: f64,
    }
}

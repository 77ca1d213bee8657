//! Kinds of journeys, and journeys as points.

use super::{Range, dto};

dto! {
    /// Asks for the kinds of journeys of a range.
    #[derive(Default)]
    pub struct KindsRequest {
        /// Range.
        pub range: Range,
        /// Filter expression.
        #[serde(default)]
        pub filter: Option<String>,
        /// Health checks and polls too.
        #[serde(default)]
        pub noise: bool,
    }

    /// Percentiles.
    #[derive(Copy)]
    pub struct Percentiles {
        /// Median.
        pub p50_ms: f64,
        /// 95th percentile.
        pub p95_ms: f64,
        /// 99th percentile.
        pub p99_ms: f64,
    }

    /// Journeys at a glance.
    #[derive(Copy)]
    pub struct KindFiguresView {
        /// Journeys.
        pub count: u64,
        /// Per second over the part of the range that has data.
        pub rate: f64,
        /// Failed ones.
        pub failed: u64,
        /// Those that succeeded after failures.
        pub degraded: u64,
        /// What the caller waited.
        pub response: Option<Percentiles>,
        /// Until the last effect.
        pub settled: Option<Percentiles>,
    }

    /// Who took part in journeys of one kind.
    pub struct ShapeView {
        /// Names of those who take part beside the usual ones.
        pub with: Vec<String>,
        /// Names of the usual ones who do not.
        pub without: Vec<String>,
        /// Expression that finds these journeys.
        pub filter: String,
        /// Figures.
        pub figures: KindFiguresView,
    }

    /// Journeys that began with the same operation.
    pub struct KindView {
        /// Service of the first span.
        pub service: String,
        /// Layer of that service.
        pub layer: String,
        /// Operation of the first span.
        pub operation: String,
        /// Expression that finds these journeys.
        pub filter: String,
        /// Figures.
        pub figures: KindFiguresView,
        /// The same over time, in equal parts of the range.
        pub over_time: Vec<KindFiguresView>,
        /// By who took part, the most frequent first, at most 12.
        pub shapes: Vec<ShapeView>,
        /// Shapes beyond these.
        pub more_shapes: u32,
    }

    /// Kinds of journeys.
    pub struct KindsView {
        /// The most frequent first.
        pub kinds: Vec<KindView>,
        /// Journeys that match.
        pub total: u64,
        /// How many of them, the newest, were looked at.
        pub read: u64,
        /// Start of what `over_time` covers.
        pub from_at: Option<f64>,
        /// End of it.
        pub to_at: Option<f64>,
    }

    /// Asks for journeys as points.
    #[derive(Default)]
    pub struct ScatterRequest {
        /// Range.
        pub range: Range,
        /// Filter expression.
        #[serde(default)]
        pub filter: Option<String>,
        /// Health checks and polls too.
        #[serde(default)]
        pub noise: bool,
        /// Height of a point: `settled` or `response`.
        pub by: String,
    }

    /// A journey as a point.
    pub struct ScatterPoint {
        /// Journey.
        pub id: String,
        /// Start.
        pub at: f64,
        /// Settled or response time.
        pub ms: f64,
        /// State.
        pub state: String,
        /// What it began with.
        pub root: String,
    }

    /// Journeys as points: where several would cover each other, one of each state stands for them.
    pub struct Scatter {
        /// Oldest first.
        pub points: Vec<ScatterPoint>,
        /// Journeys that match.
        pub total: u64,
        /// How many of them, the newest, were looked at.
        pub read: u64,
        /// How many of those have no such time yet.
        pub open: u64,
    }
}

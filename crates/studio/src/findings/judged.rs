//! The last judgement, kept: asking again without news costs nothing.

use std::sync::{Arc, Mutex};

use flowglass_model::{Graph, Nanos};
use flowglass_rules::Report;
use tokio_util::sync::CancellationToken;

use crate::api::Range;

/// What a judgement depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Of {
    pub(crate) range: Range,
    /// Spans, events and facts stored by then.
    pub(crate) stored: (u64, u64),
    /// Version of the settings.
    pub(crate) settings: u32,
}

/// A judgement with the map it rests on.
pub(crate) struct Judgement {
    pub(crate) of: Of,
    pub(crate) report: Report,
    pub(crate) graph: Graph,
    pub(crate) in_force: usize,
    pub(crate) took_ms: f64,
    pub(crate) at: Nanos,
}

/// The last judgement, and the one under way.
#[derive(Default)]
pub(crate) struct Judged {
    pub(crate) last: Mutex<Option<Arc<Judgement>>>,
    pub(crate) under_way: Mutex<Option<CancellationToken>>,
    /// One at a time; held while what is remembered changes.
    pub(crate) one: tokio::sync::Mutex<()>,
}

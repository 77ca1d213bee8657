//! What the writer is told besides batches, and what keeps such requests from getting in each other's way.

use std::sync::Mutex;

use flowglass_model::{JoinsConfig, Nanos, RetentionConfig, TraceId};
use flowglass_store::{Extent, StoreError};
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;

/// A message to the writer.
pub enum Control {
    /// Keep a small text.
    Note(Note),
    /// Delete, step by step, between batches.
    Erase(EraseJob),
    /// Join journeys as people decided, step by step, between batches.
    Joins(JoinsConfig),
    /// Keep what this rule says from now on.
    Keep(RetentionConfig),
    /// It is this late: look for what the rule says must go.
    Tend(Nanos),
}

/// A small text the workspace keeps (path of the settings, marks, NATS connections without secrets).
pub struct Note {
    /// Under which name.
    pub key: &'static str,
    /// The text.
    pub value: String,
    /// Answered when it is durable.
    pub done: oneshot::Sender<Result<(), StoreError>>,
}

/// What to delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErasePlan {
    /// All that came in, and the marks. Settings and connections stay.
    Everything,
    /// Whole journeys, by the traces that name them; neighbours in time next to each other.
    Journeys(Vec<TraceId>),
    /// Journeys that start in a range, then events, deliveries and log records in it that belong to no stored trace.
    Range {
        /// The journeys.
        journeys: Vec<TraceId>,
        /// First instant.
        since: Option<Nanos>,
        /// First instant after it.
        until: Option<Nanos>,
    },
}

/// A deletion to be carried out.
pub struct EraseJob {
    /// What.
    pub plan: ErasePlan,
    /// Ends it after the step in hand.
    pub cancel: CancellationToken,
    /// Journeys done.
    pub progress: watch::Sender<usize>,
    /// Answered when it is over: what went, and whether that was all.
    pub done: oneshot::Sender<Result<(Extent, bool), StoreError>>,
}

/// One request at a time for what is read, changed and written back.
#[derive(Default)]
pub(crate) struct Desk {
    /// Held while marks change.
    pub(crate) marks: tokio::sync::Mutex<()>,
    /// The deletion under way.
    pub(crate) erasing: Mutex<Option<CancellationToken>>,
    /// The copy under way.
    pub(crate) copying: Mutex<Option<CancellationToken>>,
    /// The import of a design under way.
    pub(crate) reading: Mutex<Option<CancellationToken>>,
}

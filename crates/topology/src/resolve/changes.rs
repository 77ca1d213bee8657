//! Changes on their way out, by figure: a figure's name is looked at once, its changes are numbers.

use std::collections::hash_map::Entry;
use std::sync::Arc;

use flowglass_model::{Delta, InteractionKind, Nanos, NodeId, SeriesKey};
use rustc_hash::FxHashMap;

/// A figure, named by what is shared with the facts: naming one allocates nothing.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) enum Figure {
    /// [`SeriesKey::Edge`].
    Edge(InteractionKind, NodeId, NodeId),
    /// [`SeriesKey::Entry`].
    Entry(NodeId, NodeId, Arc<str>),
    /// [`SeriesKey::Operation`].
    Operation(NodeId, Arc<str>),
    /// Any other.
    Other(SeriesKey),
}

impl From<Figure> for SeriesKey {
    fn from(figure: Figure) -> SeriesKey {
        match figure {
            Figure::Edge(kind, source, target) => SeriesKey::Edge { kind, source, target },
            Figure::Entry(source, target, operation) => {
                SeriesKey::Entry { source, target, operation: operation.to_string() }
            }
            Figure::Operation(participant, operation) => {
                SeriesKey::Operation { participant, operation: operation.to_string() }
            }
            Figure::Other(key) => key,
        }
    }
}

/// A [`Delta`] without its figure. In the order of the fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Change {
    pub(super) at: Nanos,
    pub(super) error: bool,
    pub(super) duration: Option<i64>,
    pub(super) count: i64,
}

/// All changes of a batch.
#[derive(Default)]
pub(super) struct Changes {
    places: FxHashMap<Figure, usize>,
    changes: Vec<Vec<Change>>,
}

impl Changes {
    pub(super) fn add(&mut self, figure: Figure, change: Change) {
        let next = self.changes.len();
        let place = match self.places.entry(figure) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                self.changes.push(Vec::new());
                *new.insert(next)
            }
        };
        self.changes[place].push(change);
    }

    /// Adds up equal changes and leaves out what cancels; by figure, then by time.
    pub(super) fn net(mut self) -> Vec<Delta> {
        let mut figures: Vec<(SeriesKey, usize)> =
            self.places.into_iter().map(|(f, place)| (f.into(), place)).collect();
        figures.sort_unstable();
        let mut out = Vec::with_capacity(self.changes.iter().map(Vec::len).sum());
        // The same figure may have been named in two ways.
        for same in figures.chunk_by(|a, b| a.0 == b.0) {
            let mut changes: Vec<Change> =
                same.iter().flat_map(|(_, p)| std::mem::take(&mut self.changes[*p])).collect();
            changes.sort_unstable();
            let key = Arc::new(same[0].0.clone());
            for equal in changes.chunk_by(|a, b| (a.at, a.error, a.duration) == (b.at, b.error, b.duration)) {
                let count: i64 = equal.iter().map(|c| c.count).sum();
                if count != 0 {
                    let Change { at, error, duration, .. } = equal[0];
                    out.push(Delta { key: Arc::clone(&key), at, count, error, duration });
                }
            }
        }
        out
    }
}

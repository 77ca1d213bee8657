//! What the writer keeps in memory, by structure: the first question when a program grows.

use crate::Writer;

/// A structure in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// What it is, in two words.
    pub what: &'static str,
    /// How many entries it has.
    pub entries: usize,
    /// About how many bytes they take.
    pub bytes: usize,
}

impl Writer {
    /// What is kept between transactions, as exactly as it can be told without walking over all of it. The page cache of the
    /// database is not in it: its size is fixed.
    pub fn held(&self) -> Vec<Held> {
        let (rows, buckets) = self.state.rollups.size();
        let (chunks, bytes) = self.cache.lock().size();
        let hints = self.hints.as_ref().map_or(0, crate::hints::Hints::bytes);
        vec![
            Held { what: "rollup rows", entries: rows, bytes: rows * 96 + buckets * 16 },
            Held { what: "series", entries: self.state.rollups.series(), bytes: self.state.rollups.series() * 300 },
            Held { what: "writer's chunks", entries: chunks, bytes },
            Held { what: "hints", entries: 1, bytes: hints },
            Held { what: "numbered texts", entries: self.state.numbers.len(), bytes: self.state.numbers.len() * 100 },
        ]
    }
}

//! Decoded chunks, the last used ones, within a number of bytes.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::chunk::Chunk;

/// Chunks by id. A stored chunk never changes, so nothing here grows stale.
pub(crate) struct Cache {
    chunks: FxHashMap<i64, (Arc<Chunk>, u64)>,
    weight: usize,
    limit: usize,
    clock: u64,
}

impl Cache {
    /// An empty cache for at most `limit` bytes (one chunk always fits).
    pub(crate) fn new(limit: usize) -> Cache {
        Cache { chunks: FxHashMap::default(), weight: 0, limit, clock: 0 }
    }

    /// A chunk, if it is here.
    pub(crate) fn get(&mut self, id: i64) -> Option<Arc<Chunk>> {
        self.clock += 1;
        let (chunk, used) = self.chunks.get_mut(&id)?;
        *used = self.clock;
        Some(chunk.clone())
    }

    /// Adds a chunk; the ones not used for longest make room.
    pub(crate) fn put(&mut self, id: i64, chunk: Arc<Chunk>) {
        self.weight += chunk.weight();
        self.chunks.insert(id, (chunk, self.clock));
        while self.weight > self.limit && self.chunks.len() > 1 {
            let Some(oldest) = self.chunks.iter().min_by_key(|(_, (_, used))| *used).map(|(id, _)| *id) else { break };
            if let Some((chunk, _)) = self.chunks.remove(&oldest) {
                self.weight -= chunk.weight();
            }
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.chunks.clear();
        self.weight = 0;
    }
}

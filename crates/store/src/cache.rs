//! Decoded chunks, the last used ones, within a number of bytes.

use std::sync::Arc;

use flowglass_model::TraceId;
use rustc_hash::FxHashMap;

use crate::chunk::Chunk;

/// Words whose hits are remembered.
const WORDS: usize = 8;

/// What a word was found in: the traces of a chunk, and how many items were decoded for it.
pub(crate) type Hits = (Arc<[TraceId]>, usize);

/// Chunks by id. A stored chunk never changes, so nothing here grows stale.
pub(crate) struct Cache {
    chunks: FxHashMap<i64, (Arc<Chunk>, u64)>,
    weight: usize,
    limit: usize,
    clock: u64,
    /// By word and chunk: a live list asks for the same word every second.
    hits: FxHashMap<String, FxHashMap<i64, Hits>>,
}

impl Cache {
    /// An empty cache for at most `limit` bytes (one chunk always fits).
    pub(crate) fn new(limit: usize) -> Cache {
        Cache { chunks: FxHashMap::default(), weight: 0, limit, clock: 0, hits: FxHashMap::default() }
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

    /// What a word was found in before.
    pub(crate) fn hits(&self, word: &str, chunk: i64) -> Option<Hits> {
        self.hits.get(word)?.get(&chunk).cloned()
    }

    /// Remembers what a word was found in.
    pub(crate) fn put_hits(&mut self, word: &str, chunk: i64, hits: Hits) {
        if !self.hits.contains_key(word) {
            if self.hits.len() >= WORDS {
                self.hits.clear();
            }
            self.hits.insert(word.to_owned(), FxHashMap::default());
        }
        if let Some(of_word) = self.hits.get_mut(word) {
            of_word.insert(chunk, hits);
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.hits.clear();
        self.chunks.clear();
        self.weight = 0;
    }
}

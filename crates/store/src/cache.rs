//! Decoded chunks, the last used ones, within a number of bytes.

use std::sync::{Arc, Mutex, MutexGuard};

use flowglass_model::TraceId;
use rustc_hash::FxHashMap;

use crate::chunk::Chunk;

/// Words whose hits are remembered.
const WORDS: usize = 8;

/// Decoded chunks kept at most for those who read, bytes: people look at what is young, and look at it again.
const LIMIT: usize = 48 << 20;
/// The same for the writer, bytes: late spans mostly belong to traces that the resolver still knows.
const WRITING: usize = 16 << 20;

/// Chunks decoded for one workspace, shared by everybody who reads it: each reader with its own would hold the same again.
#[derive(Clone)]
pub struct ChunkCache(Arc<Mutex<Cache>>);

impl Default for ChunkCache {
    fn default() -> ChunkCache {
        ChunkCache(Arc::new(Mutex::new(Cache::new(LIMIT))))
    }
}

impl std::fmt::Debug for ChunkCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let cache = self.lock();
        f.debug_struct("ChunkCache").field("chunks", &cache.chunks.len()).field("bytes", &cache.weight).finish()
    }
}

impl ChunkCache {
    /// A cache for a writer.
    pub(crate) fn for_writing() -> ChunkCache {
        ChunkCache(Arc::new(Mutex::new(Cache::new(WRITING))))
    }

    /// The cache itself. What a reader that panicked left in it is whole: chunks are put there in one step.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Cache> {
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }
}

/// A part of the data that never changes once it is stored: a chunk, or a full block of publications, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    /// Spans or log records.
    Chunk(i64),
    /// Publications.
    Block(i64),
}

/// What a word was found in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hits {
    /// Traces that have it.
    pub(crate) traces: Arc<[TraceId]>,
    /// Hashes of publications that have it and name no trace: spans that handle them may still come.
    pub(crate) messages: Arc<[i64]>,
    /// How many items were decoded to tell.
    pub(crate) decoded: usize,
}

/// Chunks by id. A stored chunk never changes, so nothing here grows stale.
pub(crate) struct Cache {
    chunks: FxHashMap<i64, (Arc<Chunk>, u64)>,
    weight: usize,
    limit: usize,
    clock: u64,
    /// By word and part: a live list asks for the same word every second.
    hits: FxHashMap<String, FxHashMap<Part, Hits>>,
}

impl Cache {
    /// An empty cache for at most `limit` bytes (one chunk always fits).
    fn new(limit: usize) -> Cache {
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
        // Two readers may have decoded the same one.
        if let Some((before, _)) = self.chunks.insert(id, (chunk, self.clock)) {
            self.weight -= before.weight();
        }
        while self.weight > self.limit && self.chunks.len() > 1 {
            let Some(oldest) = self.chunks.iter().min_by_key(|(_, (_, used))| *used).map(|(id, _)| *id) else { break };
            if let Some((chunk, _)) = self.chunks.remove(&oldest) {
                self.weight -= chunk.weight();
            }
        }
    }

    /// Lets a chunk go that is stored no more.
    pub(crate) fn forget(&mut self, id: i64) {
        if let Some((chunk, _)) = self.chunks.remove(&id) {
            self.weight -= chunk.weight();
        }
    }

    /// Chunks, and the bytes they take.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.chunks.len(), self.weight)
    }

    /// What a word was found in before.
    pub(crate) fn hits(&self, word: &str, part: Part) -> Option<Hits> {
        self.hits.get(word)?.get(&part).cloned()
    }

    /// Remembers what a word was found in.
    pub(crate) fn put_hits(&mut self, word: &str, part: Part, hits: Hits) {
        if !self.hits.contains_key(word) {
            if self.hits.len() >= WORDS {
                self.hits.clear();
            }
            self.hits.insert(word.to_owned(), FxHashMap::default());
        }
        if let Some(of_word) = self.hits.get_mut(word) {
            of_word.insert(part, hits);
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.hits.clear();
        self.chunks.clear();
        self.weight = 0;
    }
}

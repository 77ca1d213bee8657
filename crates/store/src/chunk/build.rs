//! Chunks being filled.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flowglass_model::{LogRecord, Nanos, Resource, Scope, Span, SpanFacts, TraceId};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Serialize;

use super::read::ItemReader;
use super::write::{ItemWriter, Texts};
use super::{BYTES, Chunk, FORMAT, Header, ITEMS, LEVEL, RestRef, log_ref, positions, read};
use crate::fault::{Fault, Inner};
use crate::filter::Filter;
use crate::walk;

/// The emitters of a chunk, each once: told apart by address first, by content where the address is new.
struct Table<T> {
    by_address: FxHashMap<usize, u32>,
    by_content: FxHashMap<Vec<u8>, u32>,
    items: Vec<Arc<T>>,
    /// Keeps every address in `by_address` taken, so that none can come to mean something else.
    held: Vec<Arc<T>>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table { by_address: FxHashMap::default(), by_content: FxHashMap::default(), items: vec![], held: vec![] }
    }
}

impl<T: Serialize> Table<T> {
    /// The item's number, and the bytes it adds to the chunk.
    fn intern(&mut self, item: &Arc<T>) -> Inner<(u32, usize)> {
        let address = Arc::as_ptr(item) as usize;
        if let Some(index) = self.by_address.get(&address) {
            return Ok((*index, 0));
        }
        let content = postcard::to_stdvec(&**item).map_err(|e| Fault::decode("an emitter", e))?;
        let size = content.len();
        let next = self.items.len() as u32;
        let index = *self.by_content.entry(content).or_insert(next);
        let added = if index == next { size } else { 0 };
        if index == next {
            self.items.push(item.clone());
        }
        self.held.push(item.clone());
        self.by_address.insert(address, index);
        Ok((index, added))
    }
}

struct Pending {
    trace: [u8; 16],
    start: Nanos,
    at: u32,
    length: u32,
    resource: u32,
    scope: u32,
}

/// A chunk being filled.
pub(crate) struct Builder {
    pending: Vec<Pending>,
    bytes: Vec<u8>,
    texts: Texts,
    /// By emitter and kind of item: see [`ItemWriter::guesses`].
    guesses: FxHashMap<(usize, u8), Vec<u32>>,
    /// Numbers that the filter has.
    numbers: FxHashSet<i64>,
    emitters: usize,
    resources: Table<Resource>,
    scopes: Table<Scope>,
    filter: Filter,
}

/// A chunk ready to be stored.
pub(crate) struct Sealed {
    /// The chunk.
    pub(crate) body: Vec<u8>,
    /// Its filter, slice by slice.
    pub(crate) filter: Vec<Vec<u8>>,
    /// Number of items.
    pub(crate) items: usize,
    /// Earliest start or time.
    pub(crate) first: Nanos,
    /// Latest start or time.
    pub(crate) last: Nanos,
    /// Trace, position of its first item, number of items.
    pub(crate) traces: Vec<(TraceId, usize, usize)>,
}

/// The compressor and its buffers, kept from chunk to chunk: setting them up costs more than filling them. One from
/// [`Writer::packer`](crate::Writer::packer) packs spans on another thread than the writer's.
pub struct Packer {
    /// The file, for errors.
    pub(crate) path: PathBuf,
    compressor: zstd::bulk::Compressor<'static>,
    /// Room for the items of the next chunk.
    spare: Vec<u8>,
    raw: Vec<u8>,
    packed: Vec<u8>,
}

impl Packer {
    /// A compressor for chunks.
    pub(crate) fn new(path: &Path) -> io::Result<Packer> {
        let mut compressor = zstd::bulk::Compressor::new(LEVEL)?;
        compressor.include_checksum(true)?;
        Ok(Packer { path: path.to_owned(), compressor, spare: Vec::new(), raw: Vec::new(), packed: Vec::new() })
    }

    fn compress(&mut self) -> Inner<Vec<u8>> {
        self.packed.clear();
        self.packed.reserve(zstd::zstd_safe::compress_bound(self.raw.len()));
        let done = self.compressor.compress_to_buffer(&self.raw, &mut self.packed);
        done.map_err(|e| Fault::decode("a chunk", e))?;
        let mut body = Vec::with_capacity(self.packed.len() + 5);
        body.push(FORMAT);
        body.extend_from_slice(&(self.raw.len() as u32).to_le_bytes());
        body.extend_from_slice(&self.packed);
        Ok(body)
    }
}

impl Builder {
    /// An empty chunk that takes over the packer's spare room.
    pub(crate) fn new(packer: &mut Packer) -> Builder {
        let mut bytes = std::mem::take(&mut packer.spare);
        bytes.clear();
        Builder {
            pending: Vec::new(),
            bytes,
            texts: Texts::default(),
            guesses: FxHashMap::default(),
            numbers: FxHashSet::default(),
            emitters: 0,
            resources: Table::default(),
            scopes: Table::default(),
            filter: Filter::default(),
        }
    }

    /// Number of items.
    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }

    /// Whether it is time to seal.
    pub(crate) fn is_full(&self) -> bool {
        self.pending.len() >= ITEMS || self.bytes.len() + self.texts.bytes() + self.emitters >= BYTES
    }

    /// Whether another chunk of this many items and raw bytes fits in.
    pub(crate) fn has_room_for(&self, other: &Chunk) -> bool {
        self.pending.len() + other.len() <= ITEMS && self.bytes.len() + self.texts.bytes() + other.weight() <= BYTES
    }

    /// Adds a span.
    pub(crate) fn push_span(&mut self, span: &Span) -> Inner<()> {
        let Builder { filter, numbers, .. } = self;
        filter.add(span.facts.span_id.as_bytes());
        // Texts get into the filter where they are first written.
        walk::span_but_texts(span, numbers, &mut |v| filter.add(v.as_bytes()));
        let at = self.bytes.len();
        let like = (Arc::as_ptr(&span.resource) as usize, span.facts.kind as u8);
        let rest = RestRef {
            name: &span.name,
            trace_state: &span.trace_state,
            attributes: &span.attributes,
            events: &span.events,
            links: &span.links,
            dropped: span.dropped,
        };
        self.write(like, &(&*span.facts, rest))?;
        self.entry(*span.facts.trace_id.as_bytes(), span.facts.start, at, &span.resource, &span.scope)
    }

    /// Adds a log record.
    pub(crate) fn push_log(&mut self, log: &LogRecord) -> Inner<()> {
        let Builder { filter, numbers, .. } = self;
        if let Some(span) = log.span_id {
            filter.add(span.as_bytes());
        }
        walk::log_but_texts(log, numbers, &mut |v| filter.add(v.as_bytes()));
        let at = self.bytes.len();
        self.write((Arc::as_ptr(&log.resource) as usize, u8::MAX), &log_ref(log))?;
        let trace = log.trace_id.map_or([0; 16], |t| *t.as_bytes());
        self.entry(trace, log.time, at, &log.resource, &log.scope)
    }

    fn write(&mut self, like: (usize, u8), item: &impl Serialize) -> Inner<()> {
        let Builder { bytes, texts, filter, guesses, .. } = self;
        // An address taken over by another emitter only makes for wrong guesses.
        let guesses = guesses.entry(like).or_default();
        let mut writer = ItemWriter { out: bytes, texts, filter, guesses, written: 0 };
        item.serialize(&mut writer).map_err(|e| Fault::decode("an item", e))
    }

    fn entry(&mut self, trace: [u8; 16], start: Nanos, at: usize, r: &Arc<Resource>, s: &Arc<Scope>) -> Inner<()> {
        let (resource, more) = self.resources.intern(r)?;
        let (scope, and_more) = self.scopes.intern(s)?;
        self.emitters += more + and_more;
        if more > 0 {
            // Once per chunk: what the emitter says of itself is found like what the items say.
            let filter = &mut self.filter;
            walk::attributes(&r.attributes, &mut |v| filter.add(v.as_bytes()));
        }
        let length = (self.bytes.len() - at) as u32;
        self.pending.push(Pending { trace, start, at: at as u32, length, resource, scope });
        Ok(())
    }

    /// Traces of the items that wait here, with repeats.
    pub(crate) fn traces(&self) -> impl Iterator<Item = TraceId> {
        self.pending.iter().filter_map(|p| TraceId::new(p.trace))
    }

    /// Facts of the spans of a trace that wait here.
    pub(crate) fn facts_of(&self, trace: TraceId) -> Inner<Vec<SpanFacts>> {
        let of_trace = self.pending.iter().filter(|p| p.trace == *trace.as_bytes());
        let item = |p: &Pending| ItemReader { bytes: &self.bytes[p.at as usize..], texts: self.texts.parts() };
        of_trace.map(|p| read(&mut item(p), "a span")).collect()
    }

    /// Sorts, packs, compresses.
    pub(crate) fn seal(mut self, packer: &mut Packer) -> Inner<Sealed> {
        self.pending.sort_by_key(|p| (p.trace, p.start, p.at));
        let mut traces: Vec<([u8; 16], u32)> = Vec::new();
        for p in &self.pending {
            match traces.last_mut() {
                Some((trace, n)) if *trace == p.trace => *n += 1,
                _ => traces.push((p.trace, 1)),
            }
        }
        let header = Header {
            resources: self.resources.items.iter().map(|r| (**r).clone()).collect(),
            scopes: self.scopes.items.iter().map(|s| (**s).clone()).collect(),
            traces,
            lengths: self.pending.iter().map(|p| p.length).collect(),
            resource_of: self.pending.iter().map(|p| p.resource).collect(),
            scope_of: self.pending.iter().map(|p| p.scope).collect(),
            texts: self.texts.parts().0.to_vec(),
        };
        let mut room = std::mem::take(&mut packer.raw);
        room.clear();
        room.reserve(self.bytes.len() + self.texts.bytes() * 2 + self.emitters + self.pending.len() * 12 + 64);
        packer.raw = postcard::to_extend(&header, room).map_err(|e| Fault::decode("a chunk header", e))?;
        packer.raw.extend_from_slice(self.texts.parts().1.as_bytes());
        for p in &self.pending {
            packer.raw.extend_from_slice(&self.bytes[p.at as usize..][..p.length as usize]);
        }
        packer.spare = std::mem::take(&mut self.bytes);
        let body = packer.compress()?;
        let starts = || self.pending.iter().map(|p| p.start);
        Ok(Sealed {
            body,
            filter: self.filter.slices(),
            items: self.pending.len(),
            first: starts().min().unwrap_or_default(),
            last: starts().max().unwrap_or_default(),
            traces: positions(&header.traces),
        })
    }
}

//! Spans and log records, packed: sorted by trace, emitters once, compressed as a whole.
//!
//! A chunk is a format byte, the length of the raw bytes and a zstd frame. Raw: a [`Header`] and then the items one after
//! the other, each as `postcard` writes it. The header knows where each begins, so one trace is read without the others.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flowglass_model::{
    Attributes, LogRecord, Nanos, Resource, Scope, Span, SpanEvent, SpanFacts, SpanId, SpanLink, TraceId, Value,
};
use rustc_hash::FxHashMap;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::fault::{Fault, Inner};
use crate::filter::Filter;
use crate::walk;

/// First byte of a chunk: how the rest is written.
const FORMAT: u8 = 1;
/// Items at which a chunk is full.
const ITEMS: usize = 2_048;
/// Raw bytes at which a chunk is full.
const BYTES: usize = 2 << 20;
/// The fastest regular level: higher ones cost more time per span than all else together.
const LEVEL: i32 = 1;

/// What a chunk holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Spans.
    Spans = 0,
    /// Log records.
    Logs = 1,
}

#[derive(Serialize, Deserialize)]
struct Header {
    resources: Vec<Resource>,
    scopes: Vec<Scope>,
    /// Trace and number of neighbouring items; zeros where there is no trace.
    traces: Vec<([u8; 16], u32)>,
    lengths: Vec<u32>,
    resource_of: Vec<u32>,
    scope_of: Vec<u32>,
}

/// A span without facts and emitter, as written.
#[derive(Serialize)]
struct RestRef<'a> {
    name: &'a str,
    trace_state: &'a str,
    attributes: &'a Attributes,
    events: &'a [SpanEvent],
    links: &'a [SpanLink],
    dropped: u32,
}

/// The same, as read.
#[derive(Deserialize)]
struct Rest {
    name: String,
    trace_state: String,
    attributes: Attributes,
    events: Vec<SpanEvent>,
    links: Vec<SpanLink>,
    dropped: u32,
}

/// A log record without emitter, as written.
#[derive(Serialize)]
struct LogRef<'a> {
    time: Nanos,
    trace_id: Option<TraceId>,
    span_id: Option<SpanId>,
    severity: u8,
    severity_text: &'a str,
    body: &'a Value,
    event_name: &'a str,
    attributes: &'a Attributes,
}

/// The same, as read.
#[derive(Deserialize)]
struct Log {
    time: Nanos,
    trace_id: Option<TraceId>,
    span_id: Option<SpanId>,
    severity: u8,
    severity_text: String,
    body: Value,
    event_name: String,
    attributes: Attributes,
}

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
    emitters: usize,
    resources: Table<Resource>,
    scopes: Table<Scope>,
    filter: Filter,
}

/// A chunk ready to be stored.
pub(crate) struct Sealed {
    /// The chunk.
    pub(crate) body: Vec<u8>,
    /// Its filter.
    pub(crate) filter: Vec<u8>,
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
        let compressor = zstd::bulk::Compressor::new(LEVEL)?;
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
            emitters: 0,
            resources: Table::default(),
            scopes: Table::default(),
            filter: Filter::new(),
        }
    }

    /// Number of items.
    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }

    /// Whether it is time to seal.
    pub(crate) fn is_full(&self) -> bool {
        self.pending.len() >= ITEMS || self.bytes.len() + self.emitters >= BYTES
    }

    /// Whether another chunk of this many items and raw bytes fits in.
    pub(crate) fn has_room_for(&self, other: &Chunk) -> bool {
        self.pending.len() + other.len() <= ITEMS && self.bytes.len() + other.bytes.len() <= BYTES
    }

    /// Adds a span.
    pub(crate) fn push_span(&mut self, span: &Span) -> Inner<()> {
        let filter = &mut self.filter;
        filter.add(span.facts.span_id.as_bytes());
        walk::span(span, &mut |v| filter.add(v.as_bytes()));
        let at = self.bytes.len();
        self.write(&*span.facts)?;
        self.write(&RestRef {
            name: &span.name,
            trace_state: &span.trace_state,
            attributes: &span.attributes,
            events: &span.events,
            links: &span.links,
            dropped: span.dropped,
        })?;
        self.entry(*span.facts.trace_id.as_bytes(), span.facts.start, at, &span.resource, &span.scope)
    }

    /// Adds a log record.
    pub(crate) fn push_log(&mut self, log: &LogRecord) -> Inner<()> {
        let filter = &mut self.filter;
        if let Some(span) = log.span_id {
            filter.add(span.as_bytes());
        }
        walk::log(log, &mut |v| filter.add(v.as_bytes()));
        let at = self.bytes.len();
        self.write(&log_ref(log))?;
        let trace = log.trace_id.map_or([0; 16], |t| *t.as_bytes());
        self.entry(trace, log.time, at, &log.resource, &log.scope)
    }

    fn write(&mut self, item: &impl Serialize) -> Inner<()> {
        let bytes = std::mem::take(&mut self.bytes);
        self.bytes = postcard::to_extend(item, bytes).map_err(|e| Fault::decode("an item", e))?;
        Ok(())
    }

    fn entry(&mut self, trace: [u8; 16], start: Nanos, at: usize, r: &Arc<Resource>, s: &Arc<Scope>) -> Inner<()> {
        let (resource, more) = self.resources.intern(r)?;
        let (scope, and_more) = self.scopes.intern(s)?;
        self.emitters += more + and_more;
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
        of_trace.map(|p| read(&self.bytes[p.at as usize..], "a span").map(|(facts, _)| facts)).collect()
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
        };
        let mut room = std::mem::take(&mut packer.raw);
        room.clear();
        room.reserve(self.bytes.len() + self.emitters + self.pending.len() * 12 + 64);
        packer.raw = postcard::to_extend(&header, room).map_err(|e| Fault::decode("a chunk header", e))?;
        for p in &self.pending {
            packer.raw.extend_from_slice(&self.bytes[p.at as usize..][..p.length as usize]);
        }
        packer.spare = std::mem::take(&mut self.bytes);
        let body = packer.compress()?;
        let starts = || self.pending.iter().map(|p| p.start);
        Ok(Sealed {
            body,
            filter: self.filter.folded(),
            items: self.pending.len(),
            first: starts().min().unwrap_or_default(),
            last: starts().max().unwrap_or_default(),
            traces: positions(&header.traces),
        })
    }
}

fn positions(runs: &[([u8; 16], u32)]) -> Vec<(TraceId, usize, usize)> {
    let mut at = 0;
    let mut out = Vec::with_capacity(runs.len());
    for (trace, n) in runs {
        if let Some(trace) = TraceId::new(*trace) {
            out.push((trace, at, *n as usize));
        }
        at += *n as usize;
    }
    out
}

fn log_ref(log: &LogRecord) -> LogRef<'_> {
    LogRef {
        time: log.time,
        trace_id: log.trace_id,
        span_id: log.span_id,
        severity: log.severity,
        severity_text: &log.severity_text,
        body: &log.body,
        event_name: &log.event_name,
        attributes: &log.attributes,
    }
}

/// Bytes that two log records share only when they are the same in everything but the emitter.
pub(crate) fn log_bytes(log: &LogRecord) -> Inner<Vec<u8>> {
    postcard::to_stdvec(&log_ref(log)).map_err(|e| Fault::decode("a log record", e))
}

fn read<'a, T: DeserializeOwned>(bytes: &'a [u8], what: &'static str) -> Inner<(T, &'a [u8])> {
    postcard::take_from_bytes(bytes).map_err(|e| Fault::decode(what, e))
}

/// A chunk as read back; items are decoded when asked for.
pub(crate) struct Chunk {
    resources: Vec<Arc<Resource>>,
    scopes: Vec<Arc<Scope>>,
    traces: Vec<([u8; 16], u32)>,
    resource_of: Vec<u32>,
    scope_of: Vec<u32>,
    /// Where each item ends in `bytes`.
    ends: Vec<usize>,
    bytes: Vec<u8>,
}

impl Chunk {
    /// Reads [`Sealed::body`].
    pub(crate) fn decode(body: &[u8]) -> Inner<Chunk> {
        let bad = |why: &str| Fault::decode("a chunk", why);
        let (Some(&FORMAT), Some(size)) = (body.first(), body.get(1..5)) else {
            return Err(bad("unknown format"));
        };
        let size = u32::from_le_bytes([size[0], size[1], size[2], size[3]]) as usize;
        let raw = zstd::bulk::decompress(&body[5..], size).map_err(|e| Fault::decode("a chunk", e))?;
        let (header, rest) = read::<Header>(&raw, "a chunk header")?;
        let mut end = 0;
        let ends: Vec<usize> = header
            .lengths
            .iter()
            .map(|n| {
                end += *n as usize;
                end
            })
            .collect();
        let items = ends.len();
        if end != rest.len() || header.resource_of.len() != items || header.scope_of.len() != items {
            return Err(bad("its parts do not fit together"));
        }
        let skip = raw.len() - rest.len();
        let mut bytes = raw;
        bytes.drain(..skip);
        Ok(Chunk {
            resources: header.resources.into_iter().map(Arc::new).collect(),
            scopes: header.scopes.into_iter().map(Arc::new).collect(),
            traces: header.traces,
            resource_of: header.resource_of,
            scope_of: header.scope_of,
            ends,
            bytes,
        })
    }

    /// Number of items.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Memory it takes, bytes, roughly.
    pub(crate) fn weight(&self) -> usize {
        self.bytes.len() + self.ends.len() * 16 + self.traces.len() * 20 + self.resources.len() * 1_000
    }

    /// Traces with the position of their first item and their number of items.
    pub(crate) fn traces(&self) -> Vec<(TraceId, usize, usize)> {
        positions(&self.traces)
    }

    fn item(&self, index: usize) -> Inner<&[u8]> {
        let start = if index == 0 { Some(&0) } else { self.ends.get(index - 1) };
        let slice = start.zip(self.ends.get(index)).and_then(|(from, to)| self.bytes.get(*from..*to));
        slice.ok_or_else(|| Fault::decode("a chunk", format!("it has no item {index}")))
    }

    fn emitter(&self, index: usize) -> Inner<(Arc<Resource>, Arc<Scope>)> {
        let pick = |of: &[u32]| of.get(index).map(|i| *i as usize);
        let resource = pick(&self.resource_of).and_then(|i| self.resources.get(i));
        let scope = pick(&self.scope_of).and_then(|i| self.scopes.get(i));
        match (resource, scope) {
            (Some(r), Some(s)) => Ok((r.clone(), s.clone())),
            _ => Err(Fault::decode("a chunk", "an emitter is missing")),
        }
    }

    /// Facts of the span at a position.
    pub(crate) fn facts(&self, index: usize) -> Inner<SpanFacts> {
        Ok(read(self.item(index)?, "a span")?.0)
    }

    /// The span at a position.
    pub(crate) fn span(&self, index: usize) -> Inner<Span> {
        let (facts, rest) = read::<SpanFacts>(self.item(index)?, "a span")?;
        let (rest, _) = read::<Rest>(rest, "a span")?;
        let (resource, scope) = self.emitter(index)?;
        Ok(Span {
            facts: Arc::new(facts),
            name: rest.name,
            trace_state: rest.trace_state,
            attributes: rest.attributes,
            events: rest.events,
            links: rest.links,
            dropped: rest.dropped,
            resource,
            scope,
        })
    }

    /// The log record at a position.
    pub(crate) fn log(&self, index: usize) -> Inner<LogRecord> {
        let (log, _) = read::<Log>(self.item(index)?, "a log record")?;
        let (resource, scope) = self.emitter(index)?;
        Ok(LogRecord {
            time: log.time,
            trace_id: log.trace_id,
            span_id: log.span_id,
            severity: log.severity,
            severity_text: log.severity_text,
            body: log.body,
            event_name: log.event_name,
            attributes: log.attributes,
            resource,
            scope,
        })
    }
}

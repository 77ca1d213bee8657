//! Chunks as read back.

use std::sync::Arc;

use flowglass_model::{Attributes, LogRecord, Resource, Scope, Span, SpanFacts, TraceId, Value};

use super::read::ItemReader;
use super::write::slice;
use super::{FORMAT, Header, Log, Rest, positions, read};
use crate::compression;
use crate::fault::{Fault, Inner};

/// Texts looked for in the bytes of an item at most.
const NUMBERS: usize = 24;

/// A chunk as read back; items are decoded when asked for.
pub(crate) struct Chunk {
    resources: Vec<Arc<Resource>>,
    scopes: Vec<Arc<Scope>>,
    traces: Vec<([u8; 16], u32)>,
    resource_of: Vec<u32>,
    scope_of: Vec<u32>,
    /// Where each item ends in `bytes`.
    ends: Vec<usize>,
    /// Where each text ends, and all of them.
    texts: (Vec<u32>, String),
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
        let raw = compression::unpack(&body[5..], size).map_err(|e| Fault::decode("a chunk", e))?;
        let (header, rest): (Header, &[u8]) =
            postcard::take_from_bytes(&raw).map_err(|e| Fault::decode("a chunk header", e))?;
        let texts = header.texts.last().map_or(0, |end| *end as usize);
        let (texts, rest) = rest.split_at_checked(texts).ok_or_else(|| bad("its texts are cut off"))?;
        let texts = std::str::from_utf8(texts).map_err(|e| Fault::decode("a chunk", e))?.to_owned();
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
        // Else what was skipped, texts twice among it, would take room for as long as the chunk is kept.
        let bytes = raw[skip..].to_vec();
        Ok(Chunk {
            resources: header.resources.into_iter().map(Arc::new).collect(),
            scopes: header.scopes.into_iter().map(Arc::new).collect(),
            traces: header.traces,
            resource_of: header.resource_of,
            scope_of: header.scope_of,
            ends,
            texts: (header.texts, texts),
            bytes,
        })
    }

    /// Number of items.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Who emitted its items.
    pub(crate) fn resources(&self) -> &[Arc<Resource>] {
        &self.resources
    }

    /// All of its texts, one behind the other.
    pub(crate) fn all_texts(&self) -> &str {
        &self.texts.1
    }

    /// Memory it takes, bytes, roughly.
    pub(crate) fn weight(&self) -> usize {
        let emitters = self.resources.iter().map(|r| of_emitter(&r.attributes)).sum::<usize>()
            + self.scopes.iter().map(|s| of_emitter(&s.attributes)).sum::<usize>();
        size_of::<Chunk>()
            + self.bytes.capacity()
            + self.texts.1.capacity()
            + (self.texts.0.capacity() + self.resource_of.capacity() + self.scope_of.capacity()) * 4
            + self.ends.capacity() * size_of::<usize>()
            + self.traces.capacity() * size_of::<([u8; 16], u32)>()
            + emitters
    }

    /// Traces with the position of their first item and their number of items.
    pub(crate) fn traces(&self) -> Vec<(TraceId, usize, usize)> {
        positions(&self.traces)
    }

    fn item(&self, index: usize) -> Inner<ItemReader<'_>> {
        let start = if index == 0 { Some(&0) } else { self.ends.get(index - 1) };
        let slice = start.zip(self.ends.get(index)).and_then(|(from, to)| self.bytes.get(*from..*to));
        let bytes = slice.ok_or_else(|| Fault::decode("a chunk", format!("it has no item {index}")))?;
        Ok(ItemReader { bytes, texts: (&self.texts.0, &self.texts.1) })
    }

    /// Who emitted an item; decodes nothing.
    pub(crate) fn resource(&self, index: usize) -> Inner<&Arc<Resource>> {
        let resource = self.resource_of.get(index).and_then(|i| self.resources.get(*i as usize));
        resource.ok_or_else(|| Fault::decode("a chunk", "an emitter is missing"))
    }

    fn emitter(&self, index: usize) -> Inner<(Arc<Resource>, Arc<Scope>)> {
        let scope = self.scope_of.get(index).and_then(|i| self.scopes.get(*i as usize));
        let scope = scope.ok_or_else(|| Fault::decode("a chunk", "an emitter is missing"))?;
        Ok((self.resource(index)?.clone(), scope.clone()))
    }

    /// Which items can hold a value, by the chunk's own texts and without decoding an item.
    pub(crate) fn holders(&self, value: &str) -> Holders<'_> {
        // Numbers, truth values and bytes (as hex digits) are not among the texts.
        let no_text = matches!(value, "" | "true" | "false")
            || value.bytes().all(|b| b.is_ascii_hexdigit())
            || value.parse::<f64>().is_ok();
        // A JSON text may have escapes in the place of letters.
        let may_be = |text: &str| {
            let is_json = matches!(text.trim_start().as_bytes().first(), Some(b'{' | b'['));
            text == value || (is_json && (text.contains(value) || text.contains('\\')))
        };
        if no_text { self.any() } else { self.holding(may_be) }
    }

    /// All items: where its texts do not decide.
    pub(crate) fn any(&self) -> Holders<'_> {
        Holders { chunk: self, written: None }
    }

    /// Which items can hold one of the texts that pass.
    pub(crate) fn holding(&self, may_be: impl Fn(&str) -> bool) -> Holders<'_> {
        let passes = |number: &u32| slice(&self.texts.0, &self.texts.1, *number).is_some_and(&may_be);
        let written: Vec<_> = (0..self.texts.0.len() as u32).filter(passes).map(varint).collect();
        // With very many of them looking for each costs more than decoding.
        Holders { chunk: self, written: (written.len() <= NUMBERS).then_some(written) }
    }

    /// Facts of the span at a position.
    pub(crate) fn facts(&self, index: usize) -> Inner<SpanFacts> {
        read(&mut self.item(index)?, "a span")
    }

    /// The span at a position.
    pub(crate) fn span(&self, index: usize) -> Inner<Span> {
        let mut item = self.item(index)?;
        let facts: SpanFacts = read(&mut item, "a span")?;
        let rest: Rest = read(&mut item, "a span")?;
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
        let log: Log = read(&mut self.item(index)?, "a log record")?;
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

/// Memory an emitter takes, bytes, roughly: its own fields, and two short texts for each attribute.
fn of_emitter(attributes: &Attributes) -> usize {
    size_of::<Resource>() + 200 + attributes.capacity() * size_of::<(String, Value)>() + attributes.len() * 48
}

/// Reads everything of a chunk whose unpacked bytes are these, as spans and as log records; answers how many items could be
/// read. For those who try what made-up bytes do: packed they would be protected by a checksum.
///
/// # Errors
/// Why it is no chunk, in words.
pub fn probe_chunk(raw: &[u8]) -> Result<usize, String> {
    let words = |fault: Fault| format!("{fault:?}");
    let packed = compression::pack(raw).map_err(|e| e.to_string())?;
    let size = u32::try_from(raw.len()).map_err(|e| e.to_string())?;
    let body = [&[FORMAT], size.to_le_bytes().as_slice(), packed.as_slice()].concat();
    let chunk = Chunk::decode(&body).map_err(words)?;
    chunk.traces();
    let holders = chunk.holders("order");
    let read = |i: &usize| holders.may_hold(*i) | chunk.span(*i).is_ok() | chunk.log(*i).is_ok();
    Ok((0..chunk.len()).filter(read).count())
}

/// Items of a chunk that can hold a value.
pub(crate) struct Holders<'c> {
    chunk: &'c Chunk,
    /// The numbers of the texts that are or contain the value, as items have them; nothing where texts do not decide.
    written: Option<Vec<Vec<u8>>>,
}

impl Holders<'_> {
    /// False only where the value is not in the item.
    pub(crate) fn may_hold(&self, index: usize) -> bool {
        let Some(written) = &self.written else { return true };
        let Ok(item) = self.chunk.item(index) else { return true };
        written.iter().any(|number| match number.as_slice() {
            [only] => item.bytes.contains(only),
            [first, second] => item.bytes.windows(2).any(|at| at[0] == *first && at[1] == *second),
            more => item.bytes.windows(more.len()).any(|at| at[0] == more[0] && at == more),
        })
    }
}

/// A number as items have it: seven bits a byte, the lowest first (LEB128).
fn varint(mut number: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(5);
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
    out
}

//! Chunks on their way into the file: packed beside the writer, or in the transaction.

use flowglass_model::{Nanos, Role, Span, SpanFacts, SpanId, TraceId};
use rusqlite::params;

use crate::chunk::{Builder, Kind, Packer, Sealed};
use crate::db::{Db, message_hash};
use crate::fault::Inner;
use crate::filters;
use crate::hints::Hint;
use crate::{Result, Tx, Writer};

/// A chunk below this many items is packed again together with what comes next, as long as that is at least as much:
/// a quiet source fills chunks too, and an item is packed again a handful of times at most.
const SMALL: usize = 256;

/// Spans packed into chunks, to be stored by [`Tx::add_packed`].
pub struct Packed {
    full: Vec<Sealed>,
    /// The last chunk, open for what comes next.
    rest: Builder,
    spans: u64,
    first: Nanos,
    last: Nanos,
    /// Spans that are linked to, with the trace that links to them.
    links: Vec<(TraceId, SpanId, TraceId)>,
    /// Hashes of messages, with the trace that sent or handled them.
    messages: Vec<(i64, TraceId)>,
}

/// Packs spans in the order they came: that is the order they lie in memory, and getting at them is most of the work. Sealing
/// brings the spans of a trace together.
pub(crate) fn pack(packer: &mut Packer, spans: &[Span]) -> Inner<Packed> {
    let mut packed = Packed {
        full: Vec::new(),
        rest: Builder::new(packer),
        spans: spans.len() as u64,
        first: Nanos::MAX,
        last: Nanos::MIN,
        links: Vec::new(),
        messages: Vec::new(),
    };
    for span in spans {
        packed.rest.push_span(span)?;
        packed.first = packed.first.min(span.facts.start);
        packed.last = packed.last.max(span.facts.start);
        packed.note(&span.facts);
        if packed.rest.is_full() {
            let full = std::mem::replace(&mut packed.rest, Builder::new(packer));
            packed.full.push(full.seal(packer)?);
        }
    }
    Ok(packed)
}

impl Packed {
    /// What correlation looks up from the other side.
    fn note(&mut self, facts: &SpanFacts) {
        let links = facts.links.iter().filter(|(trace, _)| *trace != facts.trace_id);
        self.links.extend(links.map(|(trace, span)| (*trace, *span, facts.trace_id)));
        if let Role::Send { topic, message_id: Some(id), .. }
        | Role::Receive { topic, message_id: Some(id), .. }
        | Role::Process { topic, message_id: Some(id), .. } = &facts.role
        {
            self.messages.push((message_hash(topic.body(), id), facts.trace_id));
        }
    }
}

impl Packer {
    /// Packs spans that are to be stored, on any thread. Errors only when a span cannot be written as bytes.
    pub fn pack(&mut self, spans: &[Span]) -> Result<Packed> {
        pack(self, spans).map_err(|f| f.at(&self.path))
    }
}

impl Tx<'_> {
    pub(crate) fn take_packed(&mut self, packed: Packed) -> Inner<()> {
        for (trace, span, from) in &packed.links {
            self.hint(Hint::Link(*trace, *span));
            let mut put = (self.writer.conn)
                .prepare_cached("INSERT OR IGNORE INTO span_link(trace, span, from_trace) VALUES(?1, ?2, ?3)")?;
            put.execute(params![trace.as_bytes(), span.as_i64(), from.as_bytes()])?;
        }
        for (hash, trace) in &packed.messages {
            self.hint(Hint::SpanMessage(*hash));
            let mut put =
                self.writer.conn.prepare_cached("INSERT OR IGNORE INTO span_message(hash, trace) VALUES(?1, ?2)")?;
            put.execute(params![hash, trace.as_bytes()])?;
        }
        if packed.spans > 0 {
            let counters = &mut self.writer.state.counters;
            counters.stats.spans += packed.spans;
            counters.cover(packed.first, packed.last);
        }
        for sealed in &packed.full {
            self.store_sealed(sealed, Kind::Spans)?;
        }
        if packed.rest.len() == 0 {
            return Ok(());
        }
        if self.spans.len() > 0 {
            self.store_full(Kind::Spans)?;
        }
        packed.rest.traces().for_each(|t| self.hint(Hint::Trace(t)));
        self.spans = packed.rest;
        Ok(())
    }

    /// Stores the chunks that are not full.
    pub(crate) fn store_rest(&mut self) -> Inner<()> {
        for kind in [Kind::Spans, Kind::Logs] {
            let last = self.take(kind);
            if last.len() > 0 {
                self.store_last(last, kind)?;
            }
        }
        Ok(())
    }

    /// The chunk being filled; an empty one takes its place.
    pub(crate) fn take(&mut self, kind: Kind) -> Builder {
        let slot = if kind == Kind::Spans { &mut self.spans } else { &mut self.logs };
        std::mem::replace(slot, Builder::new(&mut self.writer.state.packer))
    }

    pub(crate) fn store_full(&mut self, kind: Kind) -> Inner<()> {
        let full = self.take(kind);
        self.store_chunk(full, kind)
    }

    /// Stores the last chunk of a transaction, with the small chunks before it packed into it.
    fn store_last(&mut self, mut builder: Builder, kind: Kind) -> Inner<()> {
        while let Some((id, items)) = self.newest_chunk(kind)? {
            // What was taken off a chunk must not come back by packing it again.
            if items >= SMALL || items > builder.len() || self.writer.state.unswept.contains(&id) {
                break;
            }
            let chunk = self.db().chunk(id)?;
            if !builder.has_room_for(&chunk) {
                break;
            }
            for index in 0..chunk.len() {
                match kind {
                    Kind::Spans => builder.push_span(&chunk.span(index)?)?,
                    Kind::Logs => builder.push_log(&chunk.log(index)?)?,
                }
            }
            let conn = &self.writer.conn;
            conn.prepare_cached("DELETE FROM chunk WHERE id = ?1")?.execute([id])?;
            filters::forget_chunk(conn, kind, id)?;
            self.writer.cache.lock().forget(id);
            self.forget_places(&chunk.traces(), kind, id)?;
        }
        self.store_chunk(builder, kind)
    }

    /// A trace left without any place is counted again when its new one is stored.
    pub(crate) fn forget_places(&mut self, traces: &[(TraceId, usize, usize)], kind: Kind, chunk: i64) -> Inner<()> {
        let Writer { conn, state, cache, .. } = &mut *self.writer;
        let db = Db { conn, cache };
        let mut remove =
            conn.prepare_cached("DELETE FROM trace_chunk WHERE trace = ?1 AND kind = ?2 AND chunk = ?3")?;
        for (trace, ..) in traces {
            remove.execute(params![trace.as_bytes(), kind as i64, chunk])?;
            if kind == Kind::Spans && !db.has_trace(*trace)? {
                state.counters.stats.traces = state.counters.stats.traces.saturating_sub(1);
            }
        }
        Ok(())
    }

    fn newest_chunk(&self, kind: Kind) -> Inner<Option<(i64, usize)>> {
        let mut statement =
            self.writer.conn.prepare_cached("SELECT id, items FROM chunk WHERE kind = ?1 ORDER BY id DESC LIMIT 1")?;
        let mut rows = statement.query([kind as i64])?;
        let Some(r) = rows.next()? else { return Ok(None) };
        Ok(Some((r.get(0)?, r.get::<_, i64>(1)? as usize)))
    }

    pub(crate) fn store_chunk(&mut self, builder: Builder, kind: Kind) -> Inner<()> {
        let sealed = builder.seal(&mut self.writer.state.packer)?;
        self.store_sealed(&sealed, kind)
    }

    fn store_sealed(&mut self, sealed: &Sealed, kind: Kind) -> Inner<()> {
        let Writer { conn, state, cache, hints, .. } = &mut *self.writer;
        let id = state.next_chunk;
        state.next_chunk += 1;
        conn.prepare_cached("INSERT INTO chunk(id, kind, items, first, last, body) VALUES(?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![id, kind as i64, sealed.items as i64, sealed.first, sealed.last, sealed.body])?;
        filters::put(conn, kind.into(), id, &sealed.filter)?;
        filters::group(conn, kind.into())?;
        let db = Db { conn, cache };
        let mut place = conn
            .prepare_cached("INSERT INTO trace_chunk(trace, kind, chunk, first, items) VALUES(?1, ?2, ?3, ?4, ?5)")?;
        for (trace, first, items) in &sealed.traces {
            if kind == Kind::Spans {
                let may_be_known = hints.as_ref().is_none_or(|h| h.may(Hint::Trace(*trace)));
                if !may_be_known || !db.has_trace(*trace)? {
                    state.counters.stats.traces += 1;
                }
                if let Some(hints) = hints {
                    hints.add(Hint::Trace(*trace));
                }
            }
            place.execute(params![trace.as_bytes(), kind as i64, id, *first as i64, *items as i64])?;
        }
        Ok(())
    }
}

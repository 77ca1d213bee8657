//! One transaction: everything that a group of batches brings, all or nothing.

use flowglass_model::{
    Advisory, Delivery, Delta, JourneySummary, LogRecord, Message, Nanos, Rejected, Role, Settlement, Span, SpanFacts,
    SpanId, TraceId, TraceJoin,
};
use rusqlite::params;
use rustc_hash::FxHashMap;

use crate::chunk::{Builder, Kind, Sealed, log_bytes};
use crate::db::{Db, message_hash};
use crate::fault::{Fault, Inner};
use crate::hash::{hash_parts, hash64};
use crate::message_rows::{self, Blocks};
use crate::{
    Added, EventRow, MessageRef, Result, StoreError, UnmatchedPublication, Writer, delivery_rows, events, journeys,
};

/// Rejections kept in words; older ones are only counted.
const REJECTED: i64 = 1_000;
/// A chunk below this many items is packed again together with what comes next, as long as that is at least as much:
/// a quiet source fills chunks too, and an item is packed again a handful of times at most.
const SMALL: usize = 256;

/// An open transaction. It sees what it wrote; others see it after [`Tx::commit`].
pub struct Tx<'w> {
    pub(crate) writer: &'w mut Writer,
    spans: Builder,
    logs: Builder,
    blocks: Blocks,
    committed: bool,
}

impl Drop for Tx<'_> {
    fn drop(&mut self) {
        if self.committed {
            return;
        }
        self.writer.state.stale = true;
        // Some errors (a full disk) have rolled back already; then there is nothing left to undo.
        if !self.writer.conn.is_autocommit()
            && let Err(error) = self.writer.conn.execute_batch("ROLLBACK")
        {
            tracing::error!(path = %self.writer.path.display(), %error, "a transaction could not be rolled back");
        }
    }
}

impl<'w> Tx<'w> {
    pub(crate) fn new(writer: &'w mut Writer) -> Tx<'w> {
        let (spans, logs) = (Builder::new(&mut writer.state.packer), Builder::new(&mut writer.state.packer));
        Tx { writer, spans, logs, blocks: Blocks::default(), committed: false }
    }

    pub(crate) fn db(&self) -> Db<'_> {
        Db { conn: &self.writer.conn, cache: &self.writer.cache }
    }

    pub(crate) fn told<T>(&self, result: Inner<T>) -> Result<T> {
        result.map_err(|f| f.at(&self.writer.path))
    }

    /// Facts of all stored spans of a trace, those of this transaction included; in no particular order.
    pub fn trace_facts(&self, trace: TraceId) -> Result<Vec<SpanFacts>> {
        self.told(self.db().trace_facts(trace).and_then(|mut facts| {
            facts.extend(self.spans.facts_of(trace)?);
            Ok(facts)
        }))
    }

    /// Traces with a span that links to this span.
    pub fn traces_linking_to(&self, trace: TraceId, span: SpanId) -> Result<Vec<TraceId>> {
        self.told(self.db().traces_linking_to(trace, span))
    }

    /// Stored publications whose hop is this span.
    pub fn messages_with_context(&self, trace: TraceId, span: SpanId) -> Result<Vec<MessageRef>> {
        self.told(self.db().messages_with_context(trace, span))
    }

    /// Traces with a send, receive or process span of a message; `topic_body` is `NodeId::body` of the topic
    /// (`nats/orders.placed`).
    pub fn traces_with_message(&self, topic_body: &str, message_id: &str) -> Result<Vec<TraceId>> {
        self.told(self.db().traces_with_message(topic_body, message_id))
    }

    /// Stored publications of an event id on a destination.
    pub fn messages_with_id(&self, system: &str, destination: &str, event_id: &str) -> Result<Vec<MessageRef>> {
        self.told(self.db().messages_with_id(system, destination, event_id))
    }

    /// What the resolver noted under a key.
    pub fn unmatched(&self, key: &str) -> Result<Option<UnmatchedPublication>> {
        self.told(self.db().unmatched(key))
    }

    /// Notes something for the resolver, or forgets it.
    pub fn set_unmatched(&mut self, key: &str, value: Option<&UnmatchedPublication>) -> Result<()> {
        let conn = &self.writer.conn;
        let done = || -> Inner<()> {
            match value {
                None => conn.prepare_cached("DELETE FROM unmatched WHERE key = ?1")?.execute([key])?,
                Some(u) => conn
                    .prepare_cached(
                        "INSERT OR REPLACE INTO unmatched(key, count, source, topic, at) VALUES(?1, ?2, ?3, ?4, ?5)",
                    )?
                    .execute(params![key, u.count as i64, u.source.as_str(), u.topic.as_str(), u.at])?,
            };
            Ok(())
        };
        self.told(done())
    }

    /// Adds spans that are new (trace id, span id and kind were not stored before; the resolver knows).
    pub fn add_spans(&mut self, spans: &[Span]) -> Result<()> {
        let done = spans.iter().try_for_each(|span| self.add_span(span));
        self.told(done)
    }

    fn add_span(&mut self, span: &Span) -> Inner<()> {
        self.spans.push_span(span)?;
        index_span(self.db(), &span.facts)?;
        let counters = &mut self.writer.state.counters;
        counters.stats.spans += 1;
        counters.cover(span.facts.start, span.facts.start);
        if self.spans.is_full() {
            self.store_full(Kind::Spans)?;
        }
        Ok(())
    }

    /// Adds publications; tells for each whether it is a new event, a repetition, or was stored before.
    pub fn add_messages(&mut self, messages: &[Message]) -> Result<Vec<Added>> {
        let mut out = Vec::with_capacity(messages.len());
        for message in messages {
            let added = message_rows::add(&self.writer.conn, &mut self.blocks, message);
            let added = self.told(added)?;
            let counters = &mut self.writer.state.counters;
            counters.stats.events += u64::from(added == Added::New);
            if added != Added::Known {
                counters.cover(message.time, message.time);
            }
            out.push(added);
        }
        Ok(out)
    }

    /// Adds deliveries; true for each that was not seen before (stream, consumer and consumer sequence).
    pub fn add_deliveries(&mut self, deliveries: &[Delivery]) -> Result<Vec<bool>> {
        self.told(deliveries.iter().map(|d| delivery_rows::add_delivery(&self.writer.conn, d)).collect())
    }

    /// Adds acknowledgements; true for each that is new.
    pub fn add_settlements(&mut self, settlements: &[Settlement]) -> Result<Vec<bool>> {
        self.told(settlements.iter().map(|s| delivery_rows::add_settlement(&self.writer.conn, s)).collect())
    }

    /// Adds broker notices; true for each that is new.
    pub fn add_advisories(&mut self, advisories: &[Advisory]) -> Result<Vec<bool>> {
        self.told(advisories.iter().map(|a| delivery_rows::add_advisory(&self.writer.conn, a)).collect())
    }

    /// Adds log records; false for each exact repeat.
    pub fn add_logs(&mut self, logs: &[LogRecord]) -> Result<Vec<bool>> {
        let mut emitters = FxHashMap::default();
        let added: Inner<Vec<bool>> = logs.iter().map(|log| self.add_log(log, &mut emitters)).collect();
        self.told(added)
    }

    fn add_log(&mut self, log: &LogRecord, emitters: &mut FxHashMap<(usize, usize), u64>) -> Inner<bool> {
        let addresses = (std::sync::Arc::as_ptr(&log.resource) as usize, std::sync::Arc::as_ptr(&log.scope) as usize);
        let emitter = match emitters.get(&addresses) {
            Some(hash) => *hash,
            None => {
                let bytes = postcard::to_stdvec(&(&*log.resource, &*log.scope));
                let hash = hash64(&bytes.map_err(|e| Fault::decode("an emitter", e))?);
                emitters.insert(addresses, hash);
                hash
            }
        };
        let hash = hash_parts(&[&log_bytes(log)?, &emitter.to_le_bytes()]);
        let mut note = self.writer.conn.prepare_cached("INSERT OR IGNORE INTO log_hash(hash) VALUES(?1)")?;
        let new = note.execute([hash])? > 0;
        drop(note);
        if !new {
            return Ok(false);
        }
        self.logs.push_log(log)?;
        let counters = &mut self.writer.state.counters;
        counters.stats.logs += 1;
        counters.cover(log.time, log.time);
        if self.logs.is_full() {
            self.store_full(Kind::Logs)?;
        }
        Ok(true)
    }

    /// Notes refused input: counted for ever, the newest 1,000 kept in words. `at` is when it was refused.
    pub fn add_rejected(&mut self, rejected: &[Rejected], at: Option<Nanos>) -> Result<()> {
        if rejected.is_empty() {
            return Ok(());
        }
        self.writer.state.counters.stats.rejected += rejected.iter().map(|r| r.count).sum::<u64>();
        let conn = &self.writer.conn;
        let done = || -> Inner<()> {
            let mut put = conn
                .prepare_cached("INSERT INTO rejected(time, source, at, reason, count) VALUES(?1, ?2, ?3, ?4, ?5)")?;
            // Of a flood only the end would stay anyway.
            for r in &rejected[rejected.len().saturating_sub(REJECTED as usize)..] {
                put.execute(params![at, r.source, r.at, r.reason, r.count as i64])?;
            }
            conn.prepare_cached("DELETE FROM rejected WHERE id <= (SELECT max(id) FROM rejected) - ?1")?
                .execute([REJECTED])?;
            Ok(())
        };
        self.told(done())
    }

    /// Counts items that were lost before they came here.
    pub fn add_dropped(&mut self, count: u64) -> Result<()> {
        self.writer.state.counters.stats.dropped += count;
        Ok(())
    }

    /// Adds changes to the rollups.
    pub fn apply(&mut self, deltas: &[Delta]) -> Result<()> {
        let Writer { conn, state, .. } = &mut *self.writer;
        let done = deltas.iter().try_for_each(|delta| state.rollups.apply(conn, delta));
        self.told(done)
    }

    /// Adds joins between traces; known ones are left as they are.
    pub fn add_joins(&mut self, joins: &[TraceJoin]) -> Result<()> {
        let conn = &self.writer.conn;
        let done = || -> Inner<()> {
            let mut put = conn.prepare_cached(
                "INSERT OR IGNORE INTO trace_join(child_trace, child_span, parent_trace, parent_span, how)
                 VALUES(?1, ?2, ?3, ?4, ?5)",
            )?;
            for j in joins {
                let (child, parent) = (j.child_trace.as_bytes(), j.parent_trace.as_bytes());
                put.execute(params![child, j.child_span.as_bytes(), parent, j.parent_span.as_bytes(), j.how.as_str()])?;
            }
            Ok(())
        };
        self.told(done())
    }

    /// Joins of a trace: as child, as parent.
    pub fn joins_of(&self, trace: TraceId) -> Result<(Vec<TraceJoin>, Vec<TraceJoin>)> {
        self.told(self.db().joins_of(trace))
    }

    /// Stores journeys. `members` are all (journey, trace) pairs of these journeys; they replace those stored before.
    pub fn put_journeys(&mut self, journeys: &[JourneySummary], members: &[(TraceId, TraceId)]) -> Result<()> {
        self.told(journeys::put(&self.writer.conn, journeys, members))
    }

    /// Removes journeys (two became one); their traces stay.
    pub fn delete_journeys(&mut self, journeys: &[TraceId]) -> Result<()> {
        self.told(journeys::delete(&self.writer.conn, journeys))
    }

    /// Journeys a trace belongs to, oldest first.
    pub fn journeys_of_trace(&self, trace: TraceId) -> Result<Vec<TraceId>> {
        self.told(self.db().journeys_of_trace(trace))
    }

    /// Traces of a journey, sorted by id.
    pub fn traces_of_journey(&self, journey: TraceId) -> Result<Vec<TraceId>> {
        self.told(self.db().traces_of_journey(journey))
    }

    /// Events with a publication whose hop or origin lies in one of these traces, by time.
    pub fn events_of_traces(&self, traces: &[TraceId]) -> Result<Vec<EventRow>> {
        self.told(events::of_traces(&self.writer.conn, traces))
    }

    /// Sets a meta value.
    pub fn set_meta(&mut self, key: &str, value: &str) -> Result<()> {
        let put =
            self.writer.conn.execute("INSERT OR REPLACE INTO meta(key, value) VALUES(?1, ?2)", params![key, value]);
        put.map(drop).map_err(|e| StoreError::sqlite(&self.writer.path, e))
    }

    /// A meta value.
    pub fn meta(&self, key: &str) -> Result<Option<String>> {
        self.told(self.db().meta(key))
    }

    /// Makes it durable: when this returns, neither a crash of the program nor of the machine takes it away. After an error
    /// nothing of the transaction is stored.
    pub fn commit(mut self) -> Result<()> {
        let done = self.finish();
        self.told(done)?;
        self.committed = true;
        let newest = self.writer.state.counters.stats.newest.unwrap_or_default();
        self.writer.state.rollups.trim(newest);
        Ok(())
    }

    /// Does all that a commit does but making it durable, then takes everything back: nothing of the transaction stays.
    pub fn rehearse(mut self) -> Result<()> {
        let done = self.flush();
        self.told(done)
    }

    fn finish(&mut self) -> Inner<()> {
        self.flush()?;
        self.writer.conn.execute_batch("COMMIT")?;
        Ok(())
    }

    fn flush(&mut self) -> Inner<()> {
        for kind in [Kind::Spans, Kind::Logs] {
            let last = self.take(kind);
            if last.len() > 0 {
                self.store_last(last, kind)?;
            }
        }
        let Writer { conn, state, .. } = &mut *self.writer;
        self.blocks.flush(conn)?;
        state.rollups.flush(conn)?;
        state.counters.save(conn)?;
        Ok(())
    }

    /// The chunk being filled; an empty one takes its place.
    fn take(&mut self, kind: Kind) -> Builder {
        let slot = if kind == Kind::Spans { &mut self.spans } else { &mut self.logs };
        std::mem::replace(slot, Builder::new(&mut self.writer.state.packer))
    }

    fn store_full(&mut self, kind: Kind) -> Inner<()> {
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
            conn.prepare_cached("DELETE FROM chunk_filter WHERE chunk = ?1")?.execute([id])?;
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
                state.counters.stats.traces -= 1;
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
        let Writer { conn, state, cache, .. } = &mut *self.writer;
        let sealed: Sealed = builder.seal(&mut state.packer)?;
        let id = state.next_chunk;
        state.next_chunk += 1;
        conn.prepare_cached("INSERT INTO chunk(id, kind, items, first, last, body) VALUES(?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![id, kind as i64, sealed.items as i64, sealed.first, sealed.last, sealed.body])?;
        conn.prepare_cached("INSERT INTO chunk_filter(chunk, kind, bits) VALUES(?1, ?2, ?3)")?.execute(params![
            id,
            kind as i64,
            sealed.filter
        ])?;
        let db = Db { conn, cache };
        let mut place = conn
            .prepare_cached("INSERT INTO trace_chunk(trace, kind, chunk, first, items) VALUES(?1, ?2, ?3, ?4, ?5)")?;
        for (trace, first, items) in &sealed.traces {
            if kind == Kind::Spans && !db.has_trace(*trace)? {
                state.counters.stats.traces += 1;
            }
            place.execute(params![trace.as_bytes(), kind as i64, id, *first as i64, *items as i64])?;
        }
        Ok(())
    }
}

/// What correlation looks up from the other side.
fn index_span(db: Db<'_>, facts: &SpanFacts) -> Inner<()> {
    for (trace, span) in facts.links.iter().filter(|(trace, _)| *trace != facts.trace_id) {
        let mut put =
            db.conn.prepare_cached("INSERT OR IGNORE INTO span_link(trace, span, from_trace) VALUES(?1, ?2, ?3)")?;
        put.execute(params![trace.as_bytes(), span.as_i64(), facts.trace_id.as_bytes()])?;
    }
    let (Role::Send { topic, message_id: Some(id), .. }
    | Role::Receive { topic, message_id: Some(id), .. }
    | Role::Process { topic, message_id: Some(id), .. }) = &facts.role
    else {
        return Ok(());
    };
    let mut put = db.conn.prepare_cached("INSERT OR IGNORE INTO span_message(hash, trace) VALUES(?1, ?2)")?;
    put.execute(params![message_hash(topic.body(), id), facts.trace_id.as_bytes()])?;
    Ok(())
}

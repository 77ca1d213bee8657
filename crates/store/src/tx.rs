//! One transaction: everything that a group of batches brings, all or nothing.

use flowglass_model::{
    Advisory, Delivery, Delta, JourneySummary, LogRecord, Message, Nanos, Rejected, Settlement, Span, SpanFacts,
    SpanId, TraceId, TraceJoin,
};
use rusqlite::params;
use rustc_hash::FxHashMap;

use crate::chunk::{Builder, Kind, log_bytes};
use crate::db::{Db, message_hash};
use crate::fault::{Fault, Inner};
use crate::hash::{hash_parts, hash64};
use crate::hints::Hint;
use crate::message_rows::{self, Blocks};
use crate::packing::{Packed, pack};
use crate::{
    Added, EventRow, MessageRef, Result, StoreError, UnmatchedPublication, Writer, delivery_rows, events, journeys,
};

/// Rejections kept in words; older ones are only counted.
const REJECTED: i64 = 1_000;

/// An open transaction. It sees what it wrote; others see it after [`Tx::commit`].
pub struct Tx<'w> {
    pub(crate) writer: &'w mut Writer,
    pub(crate) spans: Builder,
    pub(crate) logs: Builder,
    pub(crate) blocks: Blocks,
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

    /// Whether something may be stored; `false` is certain.
    pub(crate) fn may(&self, hint: Hint<'_>) -> bool {
        self.writer.hints.as_ref().is_none_or(|h| h.may(hint))
    }

    pub(crate) fn hint(&mut self, hint: Hint<'_>) {
        if let Some(hints) = &mut self.writer.hints {
            hints.add(hint);
        }
    }

    pub(crate) fn told<T>(&self, result: Inner<T>) -> Result<T> {
        result.map_err(|f| f.at(&self.writer.path))
    }

    /// Facts of all stored spans of a trace, those of this transaction included; in no particular order.
    pub fn trace_facts(&self, trace: TraceId) -> Result<Vec<SpanFacts>> {
        if !self.may(Hint::Trace(trace)) {
            return Ok(Vec::new());
        }
        self.told(self.db().trace_facts(trace).and_then(|mut facts| {
            facts.extend(self.spans.facts_of(trace)?);
            Ok(facts)
        }))
    }

    /// Traces with a span that links to this span.
    pub fn traces_linking_to(&self, trace: TraceId, span: SpanId) -> Result<Vec<TraceId>> {
        if !self.may(Hint::Link(trace, span)) {
            return Ok(Vec::new());
        }
        self.told(self.db().traces_linking_to(trace, span))
    }

    /// Stored publications whose hop is this span.
    pub fn messages_with_context(&self, trace: TraceId, span: SpanId) -> Result<Vec<MessageRef>> {
        if !self.may(Hint::Hop(trace, span)) {
            return Ok(Vec::new());
        }
        self.told(self.db().messages_with_context(trace, span))
    }

    /// Traces with a send, receive or process span of a message; `topic_body` is `NodeId::body` of the topic
    /// (`nats/orders.placed`).
    pub fn traces_with_message(&self, topic_body: &str, message_id: &str) -> Result<Vec<TraceId>> {
        if !self.may(Hint::SpanMessage(message_hash(topic_body, message_id))) {
            return Ok(Vec::new());
        }
        self.told(self.db().traces_with_message(topic_body, message_id))
    }

    /// Stored publications of an event id on a destination.
    pub fn messages_with_id(&self, system: &str, destination: &str, event_id: &str) -> Result<Vec<MessageRef>> {
        if !self.may(Hint::MessageId(destination, event_id)) {
            return Ok(Vec::new());
        }
        self.told(self.db().messages_with_id(system, destination, event_id))
    }

    /// What the resolver noted under a key.
    pub fn unmatched(&self, key: &str) -> Result<Option<UnmatchedPublication>> {
        if !self.may(Hint::Note(key)) {
            return Ok(None);
        }
        self.told(self.db().unmatched(key))
    }

    /// Notes something for the resolver, or forgets it.
    pub fn set_unmatched(&mut self, key: &str, value: Option<&UnmatchedPublication>) -> Result<()> {
        self.hint(Hint::Note(key));
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
        let packed = pack(&mut self.writer.state.packer, spans);
        let done = packed.and_then(|p| self.take_packed(p));
        self.told(done)
    }

    /// Adds spans that a [`Packer`](crate::Packer) packed meanwhile: the same as [`Tx::add_spans`] of them.
    pub fn add_packed(&mut self, packed: Packed) -> Result<()> {
        let done = self.take_packed(packed);
        self.told(done)
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
                if let Some(hints) = &mut self.writer.hints {
                    hints.add_message(message);
                }
                self.hint_carried(message);
            }
            out.push(added);
        }
        Ok(out)
    }

    /// Notes where a publication was stored, as a span that handled it tells: the earliest of this event id on the destination
    /// of which that is not known yet. Nothing happens where the place is taken.
    pub fn place_message(
        &mut self,
        (system, destination, event_id): (&str, &str, &str),
        stream: &str,
        sequence: u64,
    ) -> Result<()> {
        if !self.may(Hint::MessageId(destination, event_id)) {
            return Ok(());
        }
        let place = || -> Inner<()> {
            let mut put = self.writer.conn.prepare_cached(
                "UPDATE OR IGNORE message SET stream = ?4, sequence = ?5 WHERE id = (
                   SELECT id FROM message WHERE event_id = ?1 AND destination = ?2 AND system = ?3 AND sequence IS NULL
                     AND NOT EXISTS(SELECT 1 FROM message o WHERE o.stream = ?4 AND o.sequence = ?5 AND o.destination = ?2)
                   ORDER BY time, id LIMIT 1)",
            )?;
            put.execute(params![event_id, destination, system, stream, sequence as i64])?;
            Ok(())
        };
        self.told(place())
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
        let done = state.rollups.apply(conn, deltas);
        self.told(done)
    }

    /// Adds joins between traces; known ones are left as they are.
    pub fn add_joins(&mut self, joins: &[TraceJoin]) -> Result<()> {
        for join in joins {
            self.hint(Hint::Join(join.child_trace));
            self.hint(Hint::Join(join.parent_trace));
        }
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
        if !self.may(Hint::Join(trace)) {
            return Ok((Vec::new(), Vec::new()));
        }
        self.told(self.db().joins_of(trace))
    }

    /// Stores journeys. `members` are all (journey, trace) pairs of these journeys; they replace those stored before.
    pub fn put_journeys(&mut self, journeys: &[JourneySummary], members: &[(TraceId, TraceId)]) -> Result<()> {
        // Only joins ever gave a journey a second trace.
        let Writer { conn, state, hints, .. } = &mut *self.writer;
        let may_have_members = |journey| hints.as_ref().is_none_or(|h| h.may(Hint::Join(journey)));
        let done = journeys::put(conn, &mut state.numbers, journeys, members, &may_have_members);
        self.told(done)
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
        let asked: Vec<TraceId> = traces.iter().copied().filter(|t| self.may(Hint::Event(*t))).collect();
        self.told(events::of_traces(&self.writer.conn, &asked))
    }

    /// Events with a publication whose hop or origin is one of these spans, by time.
    pub fn events_of_spans(&self, spans: &[(TraceId, SpanId)]) -> Result<Vec<EventRow>> {
        let asked: Vec<(TraceId, SpanId)> = spans.iter().copied().filter(|(t, _)| self.may(Hint::Event(*t))).collect();
        self.told(events::of_spans(&self.writer.conn, &asked))
    }

    /// Events with these (destination, event id) pairs, by time.
    pub fn events_with_ids(&self, ids: &[(String, String)]) -> Result<Vec<EventRow>> {
        let may = |(destination, id): &&(String, String)| self.may(Hint::MessageId(destination, id));
        let asked: Vec<(String, String)> = ids.iter().filter(may).cloned().collect();
        self.told(events::with_ids(&self.writer.conn, &asked))
    }

    /// Stored publications at a place in a stream.
    pub fn messages_at(&self, stream: &str, sequence: u64) -> Result<Vec<MessageRef>> {
        self.told(self.db().messages_at(stream, sequence))
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
        self.store_rest()?;
        let Writer { conn, state, .. } = &mut *self.writer;
        self.blocks.flush(conn)?;
        state.rollups.flush(conn)?;
        state.counters.save(conn)?;
        Ok(())
    }
}

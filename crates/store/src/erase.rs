//! Letting go: whole traces, whole events, loose log records, or everything.
//!
//! Traces are first taken off their chunks, so that nothing finds them; then these chunks are written anew without them, under new numbers: a stored chunk never changes, and a number never comes back
//! (readers keep decoded chunks). The figures are not touched here; whoever erases applies what the resolver takes back.

use std::collections::BTreeSet;

use flowglass_model::{Delivery, LogRecord, Nanos, NodeId, Role, SpanFacts, TraceId, TraceJoin};
use rusqlite::{OptionalExtension, params};
use rustc_hash::FxHashSet;

use crate::belongings::loose_log_chunks;
use crate::chunk::{Builder, Chunk, Kind, log_bytes};
use crate::counters::Counters;
use crate::db::message_hash;
use crate::fault::{Fault, Inner};
use crate::hash::{hash_parts, hash64};
use crate::message_rows::BLOCK;
use crate::rollup::Rollups;
use crate::series::FINEST;
use crate::{Result, StoreError, Tx, Writer, events};

/// Under this key the workspace remembers the number of the next chunk, once chunks were deleted.
pub(crate) const META_NEXT_CHUNK: &str = "next_chunk";
/// Under this key the workspace remembers the highest row an event ever had, once events were deleted.
pub(crate) const META_EVENT_ROWS: &str = "event_rows";
/// Under this key the workspace remembers the chunks that traces were taken off, until they are written anew.
const META_UNSWEPT: &str = "unswept_chunks";
/// Chunks written anew, or gone through, at a time.
const SWEPT: usize = 4;
/// Tables that everything erased empties.
const TABLES: [&str; 18] = [
    "chunk",
    "chunk_filter",
    "trace_chunk",
    "log_hash",
    "span_link",
    "span_message",
    "trace_join",
    "unmatched",
    "rollup",
    "series",
    "message",
    "message_body",
    "message_filter",
    "delivery",
    "settlement",
    "advisory",
    "journey",
    "journey_member",
];

/// What went with some traces.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ErasedTraces {
    /// Spans.
    pub spans: u64,
    /// Log records.
    pub logs: u64,
    /// Layers that resources of these spans declared, by service.
    pub declared: Vec<(NodeId, String)>,
    /// Joins that these traces took part in.
    pub joins: Vec<TraceJoin>,
}

/// How far the log records were gone through. What is written anew meanwhile is not gone through again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sweep {
    after: i64,
    end: Option<i64>,
    /// Whether nothing is left to go through.
    pub done: bool,
}

impl Tx<'_> {
    /// Removes traces with their spans, log records and joins. Journeys and figures are left to the caller.
    pub fn erase_traces(&mut self, traces: &[TraceId]) -> Result<ErasedTraces> {
        let done = self.try_erase_traces(traces);
        self.told(done)
    }

    fn try_erase_traces(&mut self, traces: &[TraceId]) -> Inner<ErasedTraces> {
        let mut out = ErasedTraces::default();
        let mut declared = BTreeSet::new();
        for trace in traces {
            for (id, first, items) in self.let_go(*trace, Kind::Spans)? {
                let chunk = self.db().chunk(id)?;
                for index in first..first + items {
                    let span = chunk.span(index)?;
                    let layer = span.resource.declared_layer.clone();
                    declared.extend(layer.map(|layer| (span.facts.service.clone(), layer)));
                    self.forget_span(&span.facts)?;
                }
                out.spans += items as u64;
            }
            for (id, first, items) in self.let_go(*trace, Kind::Logs)? {
                let chunk = self.db().chunk(id)?;
                for index in first..first + items {
                    self.forget_log(&chunk.log(index)?)?;
                }
                out.logs += items as u64;
            }
            let (as_child, as_parent) = self.db().joins_of(*trace)?;
            out.joins.extend(as_child.into_iter().chain(as_parent));
            let sql = "DELETE FROM trace_join WHERE child_trace = ?1 OR parent_trace = ?1";
            self.writer.conn.prepare_cached(sql)?.execute([trace.as_bytes()])?;
        }
        out.declared = declared.into_iter().collect();
        let stats = &mut self.writer.state.counters.stats;
        stats.spans = stats.spans.saturating_sub(out.spans);
        stats.logs = stats.logs.saturating_sub(out.logs);
        self.keep_unswept()?;
        Ok(out)
    }

    /// Takes a trace off the chunks it lies in, and gives its places there. Nothing finds its items any more; [`Tx::sweep`]
    /// writes these chunks anew, each once, however many traces were taken off it.
    fn let_go(&mut self, trace: TraceId, kind: Kind) -> Inner<Vec<(i64, usize, usize)>> {
        let places = self.db().places(trace, kind)?;
        if places.is_empty() {
            return Ok(places);
        }
        let state = &mut self.writer.state;
        state.unswept.extend(places.iter().map(|(id, ..)| *id));
        if kind == Kind::Spans {
            state.counters.stats.traces = state.counters.stats.traces.saturating_sub(1);
        }
        let sql = "DELETE FROM trace_chunk WHERE trace = ?1 AND kind = ?2";
        self.writer.conn.prepare_cached(sql)?.execute(params![trace.as_bytes(), kind as i64])?;
        Ok(places)
    }

    /// Writes a few of the chunks anew that traces were taken off; whether there are more.
    pub fn sweep(&mut self) -> Result<bool> {
        let done = self.try_sweep();
        self.told(done)
    }

    fn try_sweep(&mut self) -> Inner<bool> {
        let due: Vec<i64> = self.writer.state.unswept.iter().take(SWEPT).copied().collect();
        for kind in [Kind::Spans, Kind::Logs] {
            let mut chunks = BTreeSet::new();
            for id in &due {
                let mut of_kind = self.writer.conn.prepare_cached("SELECT 1 FROM chunk WHERE id = ?1 AND kind = ?2")?;
                if of_kind.exists(params![id, kind as i64])? {
                    chunks.insert(*id);
                }
            }
            self.rewrite(kind, &chunks, &|_, _, _| Ok(false), &mut |_, _, _| Ok(()))?;
        }
        let unswept = &mut self.writer.state.unswept;
        due.iter().for_each(|id| drop(unswept.remove(id)));
        let more = !unswept.is_empty();
        self.keep_unswept()?;
        Ok(more)
    }

    /// Removes log records of `[since, until)` that belong to no trace with spans, a few chunks at a time, until the sweep is
    /// done. Gives their number.
    pub fn erase_loose_logs(&mut self, since: Option<Nanos>, until: Option<Nanos>, sweep: &mut Sweep) -> Result<u64> {
        let done = self.try_erase_loose_logs(since, until, sweep);
        self.told(done)
    }

    fn try_erase_loose_logs(&mut self, since: Option<Nanos>, until: Option<Nanos>, sweep: &mut Sweep) -> Inner<u64> {
        let mut logs = 0;
        let end = *sweep.end.get_or_insert(self.writer.state.next_chunk);
        let mut chunks = loose_log_chunks(self.db(), since, until)?;
        chunks.retain(|id| *id > sweep.after && *id < end);
        sweep.done = chunks.len() <= SWEPT;
        for id in chunks.into_iter().take(SWEPT) {
            sweep.after = id;
            let known: FxHashSet<TraceId> = {
                let db = self.db();
                let traces = db.chunk(id)?.traces().into_iter().map(|(trace, ..)| trace);
                traces.filter_map(|t| db.has_trace(t).map(|has| has.then_some(t)).transpose()).collect::<Inner<_>>()?
            };
            let is_gone = |chunk: &Chunk, index: usize, trace: Option<TraceId>| {
                let time = chunk.log(index)?.time;
                let inside = since.is_none_or(|s| time >= s) && until.is_none_or(|u| time < u);
                Ok(inside && trace.is_none_or(|t| !known.contains(&t)))
            };
            self.rewrite(Kind::Logs, &BTreeSet::from([id]), &is_gone, &mut |tx, chunk, index| {
                logs += 1;
                tx.forget_log(&chunk.log(index)?)
            })?;
        }
        let stats = &mut self.writer.state.counters.stats;
        stats.logs = stats.logs.saturating_sub(logs);
        Ok(logs)
    }

    /// Removes events with all their publications, and the deliveries, acknowledgements and notices that were about nothing
    /// else. Gives the deliveries.
    pub fn erase_events(&mut self, rows: &[i64]) -> Result<Vec<Delivery>> {
        let done = self.try_erase_events(rows);
        self.told(done)
    }

    fn try_erase_events(&mut self, rows: &[i64]) -> Inner<Vec<Delivery>> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        self.keep_event_rows()?;
        let mut gone = Vec::new();
        for event in rows {
            let conn = &self.writer.conn;
            let publications = events::occurrences(conn, *event)?;
            let deliveries = events::deliveries(conn, &publications)?;
            for (id, ..) in &publications {
                conn.prepare_cached("DELETE FROM message WHERE id = ?1")?.execute([id])?;
                conn.prepare_cached("DELETE FROM message_body WHERE id = ?1")?.execute([id])?;
                let unused = "DELETE FROM message_filter WHERE block = ?1
                    AND NOT EXISTS(SELECT 1 FROM message WHERE id >= ?1 * ?2 AND id < (?1 + 1) * ?2)";
                conn.prepare_cached(unused)?.execute([id / BLOCK, BLOCK])?;
            }
            for (_, _, m) in &publications {
                let (Some(stream), Some(sequence)) = (&m.stream, m.sequence) else { continue };
                let orphaned = "DELETE FROM advisory WHERE stream = ?1 AND stream_sequence = ?2
                    AND NOT EXISTS(SELECT 1 FROM message WHERE stream = ?1 AND sequence = ?2)";
                conn.prepare_cached(orphaned)?.execute(params![stream, sequence as i64])?;
            }
            for delivery in deliveries {
                if self.forget_delivery(&delivery)? {
                    gone.push(delivery);
                }
            }
            let stats = &mut self.writer.state.counters.stats;
            stats.events = stats.events.saturating_sub(u64::from(!publications.is_empty()));
        }
        Ok(gone)
    }

    /// Removes deliveries that no stored publication explains, with what was said of them. Gives those that were removed.
    pub fn erase_deliveries(&mut self, deliveries: Vec<Delivery>) -> Result<Vec<Delivery>> {
        let done =
            deliveries.into_iter().filter_map(|d| self.forget_delivery(&d).map(|gone| gone.then_some(d)).transpose());
        let done: Inner<Vec<Delivery>> = done.collect();
        self.told(done)
    }

    /// Removes a delivery unless a stored publication explains it; whether it did.
    fn forget_delivery(&self, d: &Delivery) -> Inner<bool> {
        let conn = &self.writer.conn;
        let mut explained = conn.prepare_cached(
            "SELECT EXISTS(SELECT 1 FROM message WHERE stream = ?1 AND sequence = ?2 AND (?3 IS NULL OR destination = ?3))
             OR EXISTS(SELECT 1 FROM message WHERE event_id = ?4 AND destination = ?3)",
        )?;
        let sequence = d.stream_sequence as i64;
        if explained.query_row(params![d.key.stream, sequence, d.destination, d.event_id], |r| r.get(0))? {
            return Ok(false);
        }
        let key = params![d.key.stream, d.key.consumer, d.key.consumer_sequence as i64];
        for table in ["delivery", "settlement"] {
            let sql = format!("DELETE FROM {table} WHERE stream = ?1 AND consumer = ?2 AND consumer_sequence = ?3");
            conn.prepare_cached(&sql)?.execute(key)?;
        }
        Ok(true)
    }

    /// Removes joins.
    pub fn remove_joins(&mut self, joins: &[TraceJoin]) -> Result<()> {
        let done = joins.iter().try_for_each(|j| -> Inner<()> {
            let sql = "DELETE FROM trace_join WHERE child_trace = ?1 AND child_span = ?2 AND parent_trace = ?3
                AND parent_span = ?4 AND how = ?5";
            let (child, parent) = (j.child_trace.as_bytes(), j.parent_trace.as_bytes());
            let (child_span, parent_span) = (j.child_span.as_bytes(), j.parent_span.as_bytes());
            let mut delete = self.writer.conn.prepare_cached(sql)?;
            delete.execute(params![child, child_span, parent, parent_span, j.how.as_str()])?;
            Ok(())
        });
        self.told(done)
    }

    /// Narrows to what is left: when each series has data, the time that everything covers. Due after erasing.
    pub fn tidy(&mut self) -> Result<()> {
        let Writer { conn, state, .. } = &mut *self.writer;
        let mut done = || -> Inner<()> {
            conn.execute("DELETE FROM series WHERE id NOT IN (SELECT series FROM rollup WHERE level = 0)", [])?;
            conn.execute(
                "UPDATE series SET first = b.low * ?1, last = (b.high + 1) * ?1, live = b.rows FROM (SELECT series,
                 min(bucket) AS low, max(bucket) AS high, count(*) AS rows FROM rollup WHERE level = 0 GROUP BY series) b
                 WHERE series.id = b.series",
                [FINEST],
            )?;
            state.rollups = Rollups::load(conn)?;
            let ends = "SELECT min(a), max(b) FROM (SELECT min(first) AS a, max(last) AS b FROM chunk
                UNION ALL SELECT min(time), max(time) FROM message)";
            let stats = &mut state.counters.stats;
            (stats.oldest, stats.newest) = conn.query_row(ends, [], |r| Ok((r.get(0)?, r.get(1)?)))?;
            conn.execute("DELETE FROM counter WHERE name IN ('oldest', 'newest')", [])?;
            Ok(())
        };
        let done = done();
        self.told(done)
    }

    /// Removes everything but the notes ([`Tx::set_meta`]).
    pub fn erase_everything(&mut self) -> Result<()> {
        let done = self.try_erase_everything();
        self.told(done)
    }

    fn try_erase_everything(&mut self) -> Inner<()> {
        self.keep_event_rows()?;
        self.keep_next_chunk()?;
        let Writer { conn, state, .. } = &mut *self.writer;
        for table in TABLES {
            conn.execute(&format!("DELETE FROM {table}"), [])?;
        }
        conn.execute_batch("DELETE FROM rejected; DELETE FROM counter;")?;
        state.rollups = Rollups::load(conn)?;
        state.counters = Counters::default();
        state.unswept.clear();
        self.keep_unswept()
    }

    /// Writes chunks anew without the items that are gone, those of traces taken off them included; what is left of small ones
    /// is put together. Calls `each` for what goes only now.
    fn rewrite(
        &mut self,
        kind: Kind,
        chunks: &BTreeSet<i64>,
        is_gone: &dyn Fn(&Chunk, usize, Option<TraceId>) -> Inner<bool>,
        each: &mut dyn FnMut(&mut Self, &Chunk, usize) -> Inner<()>,
    ) -> Inner<()> {
        let mut builder = Builder::new(&mut self.writer.state.packer);
        for id in chunks {
            let chunk = self.db().chunk(*id)?;
            let (mut owners, mut taken_off, mut live) = (vec![None; chunk.len()], vec![false; chunk.len()], Vec::new());
            for place in chunk.traces() {
                let (trace, first, items) = place;
                owners[first..first + items].fill(Some(trace));
                let sql = "SELECT 1 FROM trace_chunk WHERE trace = ?1 AND kind = ?2 AND chunk = ?3";
                let key = params![trace.as_bytes(), kind as i64, id];
                if self.writer.conn.prepare_cached(sql)?.exists(key)? {
                    live.push(place);
                } else {
                    taken_off[first..first + items].fill(true);
                }
            }
            let mut gone = taken_off.clone();
            for index in 0..chunk.len() {
                gone[index] = gone[index] || is_gone(&chunk, index, owners[index])?;
            }
            if !gone.contains(&true) {
                continue;
            }
            let conn = &self.writer.conn;
            conn.prepare_cached("DELETE FROM chunk WHERE id = ?1")?.execute([id])?;
            conn.prepare_cached("DELETE FROM chunk_filter WHERE chunk = ?1")?.execute([id])?;
            self.forget_places(&live, kind, *id)?;
            for index in 0..chunk.len() {
                match (gone[index], kind) {
                    (true, _) if taken_off[index] => {}
                    (true, _) => each(self, &chunk, index)?,
                    (false, Kind::Spans) => builder.push_span(&chunk.span(index)?)?,
                    (false, Kind::Logs) => builder.push_log(&chunk.log(index)?)?,
                }
                if builder.is_full() {
                    let full = std::mem::replace(&mut builder, Builder::new(&mut self.writer.state.packer));
                    self.store_chunk(full, kind)?;
                }
            }
        }
        if builder.len() > 0 {
            self.store_chunk(builder, kind)?;
        }
        self.keep_next_chunk()
    }

    /// Undoes what was noted of a span beside its chunk.
    fn forget_span(&mut self, facts: &SpanFacts) -> Inner<()> {
        let conn = &self.writer.conn;
        for (trace, span) in &facts.links {
            conn.prepare_cached("DELETE FROM span_link WHERE trace = ?1 AND span = ?2 AND from_trace = ?3")?
                .execute(params![trace.as_bytes(), span.as_i64(), facts.trace_id.as_bytes()])?;
        }
        if let Role::Send { topic, message_id: Some(id), .. }
        | Role::Receive { topic, message_id: Some(id), .. }
        | Role::Process { topic, message_id: Some(id), .. } = &facts.role
        {
            conn.prepare_cached("DELETE FROM span_message WHERE hash = ?1 AND trace = ?2")?
                .execute(params![message_hash(topic.body(), id), facts.trace_id.as_bytes()])?;
        }
        Ok(())
    }

    /// Forgets that a log record was here, so that it may come again.
    fn forget_log(&mut self, log: &LogRecord) -> Inner<()> {
        let emitter = postcard::to_stdvec(&(&*log.resource, &*log.scope));
        let emitter = hash64(&emitter.map_err(|e| Fault::decode("an emitter", e))?);
        let hash = hash_parts(&[&log_bytes(log)?, &emitter.to_le_bytes()]);
        self.writer.conn.prepare_cached("DELETE FROM log_hash WHERE hash = ?1")?.execute([hash])?;
        Ok(())
    }

    fn keep_next_chunk(&self) -> Inner<()> {
        let next = self.writer.state.next_chunk.to_string();
        let mut put = self.writer.conn.prepare_cached("INSERT OR REPLACE INTO meta(key, value) VALUES(?1, ?2)")?;
        put.execute([META_NEXT_CHUNK, &next])?;
        Ok(())
    }

    fn keep_unswept(&self) -> Inner<()> {
        let ids: Vec<String> = self.writer.state.unswept.iter().map(i64::to_string).collect();
        let mut put = self.writer.conn.prepare_cached("INSERT OR REPLACE INTO meta(key, value) VALUES(?1, ?2)")?;
        put.execute([META_UNSWEPT, &ids.join(" ")])?;
        Ok(())
    }

    fn keep_event_rows(&self) -> Inner<()> {
        let sql = "INSERT OR REPLACE INTO meta(key, value) SELECT ?1, max(
            coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?1), 0),
            coalesce((SELECT max(id) FROM message), 0))";
        self.writer.conn.prepare_cached(sql)?.execute([META_EVENT_ROWS])?;
        Ok(())
    }
}

/// The chunks that traces were taken off and that are still to be written anew.
pub(crate) fn unswept(conn: &rusqlite::Connection) -> Inner<BTreeSet<i64>> {
    let mut statement = conn.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
    let kept: Option<String> = statement.query_row([META_UNSWEPT], |r| r.get(0)).optional()?;
    Ok(kept.unwrap_or_default().split(' ').filter_map(|id| id.parse().ok()).collect())
}

impl Writer {
    /// Whether deleting was cut off before all chunks were written anew: then [`Tx::sweep`] is due.
    pub fn is_unswept(&self) -> bool {
        !self.state.unswept.is_empty()
    }

    /// Gives at most `pages` unused pages back to the file system; whether there are more.
    pub fn shrink(&mut self, pages: u32) -> Result<bool> {
        let done = || -> rusqlite::Result<bool> {
            let mut vacuum = self.conn.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
            let mut rows = vacuum.query([])?;
            while rows.next()?.is_some() {}
            drop(rows);
            let left: i64 = self.conn.query_row("PRAGMA freelist_count", [], |r| r.get(0))?;
            if left == 0 {
                // What readers keep from being folded in is folded in later; nobody waits for them.
                self.conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
            }
            Ok(left > 0)
        };
        done().map_err(|e| StoreError::sqlite(&self.path, e))
    }
}

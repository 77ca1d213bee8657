//! Letting go of whole traces and of loose log records. Events and everything at once: [`crate::erase_rows`].
//!
//! Traces are first taken off their chunks, so that nothing finds them; then these chunks are written anew without them, each
//! once, under new numbers: a stored chunk never changes, and a number never comes back (readers keep decoded chunks). The
//! figures are not touched here; whoever erases applies what the resolver takes back.

use std::collections::BTreeSet;

use flowglass_model::{Delta, LogRecord, Nanos, NodeId, Role, SpanFacts, TraceId, TraceJoin, VersionTally};
use rusqlite::{OptionalExtension, params};
use rustc_hash::FxHashSet;

use crate::belongings::loose_log_chunks;
use crate::chunk::{Builder, Chunk, Kind, log_bytes};
use crate::db::message_hash;
use crate::fault::{Fault, Inner};
use crate::hash::{hash_parts, hash64};
use crate::{Result, Tx, Writer, carried, filters};

/// Under this key the workspace remembers the number of the next chunk, once chunks were deleted.
pub(crate) const META_NEXT_CHUNK: &str = "next_chunk";
/// Under this key the workspace remembers the chunks that traces were taken off, until they are written anew.
pub(crate) const META_UNSWEPT: &str = "unswept_chunks";
/// Items of chunks written anew, or gone through, at a time; a larger chunk by itself.
const SWEPT: i64 = 8_000;

/// Whether an item of a chunk is to go: the chunk, the item's place in it, and its trace.
type IsGone<'a> = dyn Fn(&Chunk, usize, Option<TraceId>) -> Inner<bool> + 'a;

/// What went with some traces.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ErasedTraces {
    /// Spans.
    pub spans: u64,
    /// Log records.
    pub logs: u64,
    /// Layers that resources of these spans declared, by service.
    pub declared: Vec<(NodeId, String)>,
    /// What taking these spans back changes of the figures of versions.
    pub versions: Vec<Delta>,
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
        let mut versions = VersionTally::default();
        for trace in traces {
            let closed = self.try_closed_until(*trace)?;
            for (id, first, items) in self.let_go(*trace, Kind::Spans)? {
                let chunk = self.db().chunk(id)?;
                for index in first..first + items {
                    let span = chunk.span(index)?;
                    let layer = span.resource.declared_layer.clone();
                    declared.extend(layer.map(|layer| (span.facts.service.clone(), layer)));
                    if closed.is_none_or(|until| span.facts.start > until) {
                        versions.add(&span.resource, span.facts.start);
                    }
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
        out.versions = versions.deltas(-1);
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
        let due = self.at_a_time(self.writer.state.unswept.iter().copied())?;
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
        unswept.retain(|id| !due.contains(id));
        let more = !unswept.is_empty();
        self.keep_unswept()?;
        Ok(more)
    }

    /// As many of the first of some chunks as one step goes through.
    fn at_a_time(&self, chunks: impl Iterator<Item = i64>) -> Inner<Vec<i64>> {
        let mut items = self.writer.conn.prepare_cached("SELECT items FROM chunk WHERE id = ?1")?;
        let (mut out, mut sum) = (Vec::new(), 0);
        for id in chunks {
            sum += items.query_row([id], |r| r.get::<_, i64>(0)).optional()?.unwrap_or_default();
            if sum > SWEPT && !out.is_empty() {
                break;
            }
            out.push(id);
        }
        Ok(out)
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
        let due = self.at_a_time(chunks.iter().copied())?;
        sweep.done = due.len() == chunks.len();
        for id in due {
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

    /// Writes chunks anew without the items that are gone, those of traces taken off them included; what is left of small ones
    /// is put together. Calls `each` for what goes only now.
    fn rewrite(
        &mut self,
        kind: Kind,
        chunks: &BTreeSet<i64>,
        is_gone: &IsGone<'_>,
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
            filters::forget_chunk(conn, kind, *id)?;
            self.writer.cache.lock().forget(*id);
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
        filters::sweep(&self.writer.conn)?;
        self.keep_next_chunk()
    }

    /// Undoes what was noted of a span beside its chunk.
    fn forget_span(&mut self, facts: &SpanFacts) -> Inner<()> {
        let conn = &self.writer.conn;
        carried::forget_span(conn, facts)?;
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

    pub(crate) fn keep_next_chunk(&self) -> Inner<()> {
        let next = self.writer.state.next_chunk.to_string();
        let mut put = self.writer.conn.prepare_cached("INSERT OR REPLACE INTO meta(key, value) VALUES(?1, ?2)")?;
        put.execute([META_NEXT_CHUNK, &next])?;
        Ok(())
    }

    pub(crate) fn keep_unswept(&self) -> Inner<()> {
        let ids: Vec<String> = self.writer.state.unswept.iter().map(i64::to_string).collect();
        let mut put = self.writer.conn.prepare_cached("INSERT OR REPLACE INTO meta(key, value) VALUES(?1, ?2)")?;
        put.execute([META_UNSWEPT, &ids.join(" ")])?;
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
}

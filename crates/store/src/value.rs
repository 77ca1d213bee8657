//! Journeys that carry a whole value: filters say which chunks and blocks may hold it, only those are looked into.

use std::collections::BTreeSet;

use flowglass_model::{Nanos, TraceId};
use rusqlite::OptionalExtension;

use crate::cache::{Hits, Part};
use crate::chunk::Kind;
use crate::db::{Db, message_hash};
use crate::fault::Inner;
use crate::message_rows::{BLOCK, COLUMNS, blocks_with, fill_body, message_at};
use crate::{journeys, walk};

/// Journeys of one sort of data (spans, log records, publications) after which looking ends: a value that more of them share is no
/// id, a page shows a hundred, and the page after it begins where this one ended.
const ENOUGH: usize = 200;

/// A value being looked for.
struct Search<'a> {
    db: Db<'a>,
    value: &'a str,
    /// What it is remembered by: a word never begins so.
    key: String,
    /// Journeys that start here count.
    range: (Nanos, Nanos),
    journeys: BTreeSet<TraceId>,
    stopped: Option<Nanos>,
}

/// Journeys that carry a value somewhere as a whole and start in a range, from the newest data down; `stopped` is set to where
/// looking ended when that is not the end.
pub(crate) fn journeys_with(
    db: Db<'_>,
    value: &str,
    (since, until): (Option<Nanos>, Option<Nanos>),
    stopped: &mut Option<Nanos>,
) -> Inner<BTreeSet<TraceId>> {
    let range = (since.unwrap_or(Nanos::MIN), until.unwrap_or(Nanos::MAX));
    let key = format!("\0{value}");
    let mut search = Search { db, value, key, range, journeys: BTreeSet::new(), stopped: None };
    for kind in [Kind::Spans, Kind::Logs] {
        search.in_chunks(kind)?;
    }
    search.in_messages()?;
    *stopped = (*stopped).max(search.stopped);
    Ok(search.journeys)
}

impl Search<'_> {
    fn in_chunks(&mut self, kind: Kind) -> Inner<()> {
        let mut last = self.db.conn.prepare_cached("SELECT last FROM chunk WHERE id = ?1")?;
        let mut found = 0;
        for id in self.db.chunks_with(kind, self.value.as_bytes())? {
            let last: Nanos = last.query_row([id], |r| r.get(0)).optional()?.unwrap_or_default();
            if last < self.range.0 {
                continue;
            }
            if found >= ENOUGH {
                self.stopped = self.stopped.max(Some(last));
                break;
            }
            let hits = self.remembered(Part::Chunk(id), true, |s| s.chunk_hits(kind, id))?;
            for trace in hits.traces.iter() {
                found += self.take(*trace)?;
            }
        }
        Ok(())
    }

    fn in_messages(&mut self) -> Inner<()> {
        let newest: i64 = self.db.conn.query_row("SELECT coalesce(max(id), 0) FROM message", [], |r| r.get(0))?;
        let mut last = self.db.conn.prepare_cached("SELECT max(time) FROM message WHERE id >= ?1 AND id < ?2")?;
        let mut found = 0;
        for (from, to) in blocks_with(self.db.conn, self.value.as_bytes())? {
            if found >= ENOUGH {
                let last: Option<Nanos> = last.query_row([from, to], |r| r.get(0))?;
                self.stopped = self.stopped.max(last);
                break;
            }
            let hits = self.remembered(Part::Block(from / BLOCK), newest >= to, |s| s.block_hits(from, to))?;
            let mut traces = hits.traces.to_vec();
            for message in hits.messages.iter() {
                traces.extend(self.db.traces_with_message_hash(*message)?);
            }
            for trace in traces {
                found += self.take(trace)?;
            }
        }
        Ok(())
    }

    /// Adds the journeys of a trace that start in the range; answers how many are new.
    fn take(&mut self, trace: TraceId) -> Inner<usize> {
        let mut new = 0;
        for journey in self.db.journeys_of_trace(trace)? {
            let start = journeys::start_of(self.db.conn, journey)?;
            if start.is_some_and(|at| at >= self.range.0 && at < self.range.1) && self.journeys.insert(journey) {
                new += 1;
            }
        }
        Ok(new)
    }

    /// What was found in a part before, else what is found now; that is kept when the part is `full`.
    fn remembered(&self, part: Part, full: bool, look: impl FnOnce(&Self) -> Inner<Hits>) -> Inner<Hits> {
        // Bound to a name: a guard that lives on would lock the cache against its own filling.
        let known = self.db.cache.lock().hits(&self.key, part);
        if let Some(known) = known {
            return Ok(known);
        }
        let found = look(self)?;
        if full {
            self.db.cache.lock().put_hits(&self.key, part, found.clone());
        }
        Ok(found)
    }

    fn chunk_hits(&self, kind: Kind, id: i64) -> Inner<Hits> {
        let chunk = self.db.chunk(id)?;
        let holders = chunk.holders(self.value);
        let mut traces = Vec::new();
        for (trace, first, items) in chunk.traces() {
            for index in (first..first + items).filter(|index| holders.may_hold(*index)) {
                let mut same = false;
                let mut look = |v: &str| same |= v == self.value;
                match kind {
                    Kind::Spans => walk::span(&chunk.span(index)?, &mut look),
                    Kind::Logs => walk::log(&chunk.log(index)?, &mut look),
                }
                if same {
                    traces.push(trace);
                    break;
                }
            }
        }
        Ok(Hits { traces: traces.into(), messages: [].into(), decoded: 0 })
    }

    fn block_hits(&self, from: i64, to: i64) -> Inner<Hits> {
        let sql = format!("SELECT {COLUMNS} FROM message m WHERE m.id >= ?1 AND m.id < ?2");
        let mut statement = self.db.conn.prepare_cached(&sql)?;
        let mut rows = statement.query([from, to])?;
        let (mut traces, mut messages) = (Vec::new(), Vec::new());
        while let Some(r) = rows.next()? {
            let (id, _, mut message) = message_at(r)?;
            fill_body(self.db.conn, id, &mut message)?;
            let mut same = message.event_id.as_deref() == Some(self.value);
            walk::message(&message, &mut |v| same |= v == self.value);
            if !same {
                continue;
            }
            traces.extend(message.hop.into_iter().chain(message.origin).map(|context| context.trace_id));
            if let (Some(event), None) = (&message.event_id, message.hop) {
                messages.push(message_hash(message.topic().body(), event));
            }
        }
        Ok(Hits { traces: traces.into(), messages: messages.into(), decoded: 0 })
    }
}

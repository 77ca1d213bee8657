//! Journeys that carry a whole value: filters say which chunks and blocks may hold it, only those are looked into.

use std::collections::BTreeSet;

use flowglass_model::{LogRecord, Message, Nanos, Span, TraceId};
use rusqlite::OptionalExtension;

use crate::chunk::{Chunk, Holders, Kind};
use crate::db::Db;
use crate::fault::Inner;
use crate::message_rows::{BLOCK, blocks_with};
use crate::sought::{Sought, in_block, in_chunk};
use crate::{journeys, walk};

/// Journeys of one sort of data (spans, log records, publications) after which looking ends: a value that more of them share is no
/// id, a page shows a hundred, and the page after it begins where this one ended.
const ENOUGH: usize = 200;

/// A whole value.
struct Value<'a> {
    text: &'a str,
    /// What it is remembered by: a word never begins so.
    key: String,
}

/// A value being looked for.
struct Search<'a> {
    db: Db<'a>,
    value: Value<'a>,
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
    let value = Value { text: value, key: format!("\0{value}") };
    let mut search = Search { db, value, range, journeys: BTreeSet::new(), stopped: None };
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
        for id in self.db.chunks_with(kind, self.value.text.as_bytes())? {
            let last: Nanos = last.query_row([id], |r| r.get(0)).optional()?.unwrap_or_default();
            if last < self.range.0 {
                continue;
            }
            if found >= ENOUGH {
                self.stopped = self.stopped.max(Some(last));
                break;
            }
            let hits = in_chunk(self.db, &self.value, kind, id)?;
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
        for (from, to) in blocks_with(self.db.conn, self.value.text.as_bytes())? {
            if found >= ENOUGH {
                let last: Option<Nanos> = last.query_row([from, to], |r| r.get(0))?;
                self.stopped = self.stopped.max(last);
                break;
            }
            let traces = in_block(self.db, &self.value, from / BLOCK, newest)?;
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
}

impl Sought for Value<'_> {
    fn key(&self) -> &str {
        &self.key
    }

    fn holders<'c>(&self, chunk: &'c Chunk) -> Option<Holders<'c>> {
        Some(chunk.holders(self.text))
    }

    fn in_span(&self, span: &Span) -> bool {
        let mut same = false;
        walk::span(span, &mut |v| same |= v == self.text);
        same
    }

    fn in_log(&self, log: &LogRecord) -> bool {
        let mut same = false;
        walk::log(log, &mut |v| same |= v == self.text);
        same
    }

    fn in_message(&self, message: &Message) -> bool {
        let mut same = message.event_id.as_deref() == Some(self.text);
        walk::message(message, &mut |v| same |= v == self.text);
        same
    }
}

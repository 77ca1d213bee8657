//! Full text: journeys in whose spans, log records and messages a text stands.
//!
//! A chunk keeps each of its texts once, so a word is looked for in some hundred kilobytes instead of in every span; only a chunk
//! that has it is decoded. That needs no index (FTS5 over every attribute would be larger than the spans themselves) and is exact:
//! any part of any text is found.

use std::collections::BTreeSet;

use flowglass_model::filter::Pattern;
use flowglass_model::{Attributes, LogRecord, Message, Nanos, Span, TraceId, Value};
use rusqlite::params;

use crate::cache::{Hits, Part};
use crate::chunk::Kind;
use crate::db::{Db, message_hash};
use crate::fault::Inner;
use crate::message_rows::{BLOCK, COLUMNS, fill_body, message_at};

/// Chunks looked through for one question at most.
const CHUNKS: usize = 200;
/// Items decoded for one question at most.
const DECODED: usize = 60_000;
/// Messages looked at for one question at most.
const MESSAGES: i64 = 20_000;

/// Journeys that carry a word somewhere, case ignored, from the newest data of a range down; `stopped` is set to where looking
/// ended when that is not the end. Looking ends early once `enough` traces were found.
pub(crate) fn journeys_with(
    db: Db<'_>,
    word: &Pattern,
    range: (Option<Nanos>, Option<Nanos>),
    enough: usize,
    stopped: &mut Option<Nanos>,
) -> Inner<BTreeSet<TraceId>> {
    let mut search = Search { db, word: Word::new(word), range, enough, traces: BTreeSet::new(), stopped: None };
    for kind in [Kind::Spans, Kind::Logs] {
        search.in_chunks(kind)?;
    }
    search.in_messages()?;
    *stopped = (*stopped).max(search.stopped);
    let mut out = BTreeSet::new();
    for trace in search.traces {
        out.extend(db.journeys_of_trace(trace)?);
    }
    Ok(out)
}

/// A word being looked for.
struct Search<'a> {
    db: Db<'a>,
    word: Word,
    range: (Option<Nanos>, Option<Nanos>),
    enough: usize,
    traces: BTreeSet<TraceId>,
    stopped: Option<Nanos>,
}

/// A word to look for.
struct Word {
    pattern: Pattern,
    /// What it is remembered by.
    key: String,
    /// Its longest part in lower case: where that is missing the word is.
    part: String,
    /// The whole of it when it could be a number or a truth value, which stand in no text.
    plain: Option<String>,
}

impl Word {
    fn new(pattern: &Pattern) -> Word {
        let pattern = pattern.lower();
        let part = pattern.parts().iter().max_by_key(|p| p.len()).cloned().unwrap_or_default();
        let number = |v: &&str| matches!(*v, "true" | "false") || v.parse::<f64>().is_ok();
        let plain = pattern.exact().filter(number).map(str::to_owned);
        Word { part, plain, key: pattern.parts().join("\0"), pattern }
    }

    /// Whether it may stand in a long text or across the ends of several.
    fn may_be_in(&self, all: &str) -> bool {
        if self.part.is_ascii() {
            return all.to_ascii_lowercase().contains(&self.part);
        }
        all.to_lowercase().contains(&self.part)
    }

    fn in_text(&self, text: &str) -> bool {
        self.pattern.occurs_in(text)
    }

    fn in_value(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.in_text(text),
            Value::Array(items) => items.iter().any(|v| self.in_value(v)),
            Value::Map(items) => items.iter().any(|(_, v)| self.in_value(v)),
            Value::Int(_) | Value::Double(_) | Value::Bool(_) => {
                self.plain.as_deref().is_some_and(|plain| value.to_string() == plain)
            }
            Value::Null | Value::Bytes(_) => false,
        }
    }

    fn in_attributes(&self, attributes: &Attributes) -> bool {
        attributes.iter().any(|(_, value)| self.in_value(value))
    }

    fn in_span(&self, span: &Span) -> bool {
        self.in_text(&span.name)
            || self.in_attributes(&span.attributes)
            || self.in_attributes(&span.resource.attributes)
            || span.events.iter().any(|e| self.in_text(&e.name) || self.in_attributes(&e.attributes))
            || span.links.iter().any(|l| self.in_attributes(&l.attributes))
            || span.facts.error.as_ref().is_some_and(|e| e.message.as_deref().is_some_and(|m| self.in_text(m)))
    }

    fn in_log(&self, log: &LogRecord) -> bool {
        self.in_value(&log.body)
            || self.in_text(&log.event_name)
            || self.in_attributes(&log.attributes)
            || self.in_attributes(&log.resource.attributes)
    }

    fn in_message(&self, m: &Message) -> bool {
        let ids = [&m.event_id, &m.source, &m.event_type, &m.key, &m.correlation_id, &m.causation_id];
        self.in_text(&m.destination)
            || ids.into_iter().flatten().any(|text| self.in_text(text))
            || m.headers.iter().any(|(_, text)| self.in_text(text))
            || std::str::from_utf8(&m.payload).is_ok_and(|text| self.in_text(text))
    }
}

impl Search<'_> {
    fn stop(&mut self, at: Nanos) {
        self.stopped = self.stopped.max(Some(at));
    }

    fn in_chunks(&mut self, kind: Kind) -> Inner<()> {
        let db = self.db;
        let numbers: BTreeSet<i64> = match &self.word.plain {
            Some(plain) => db.chunks_with(kind, plain.as_bytes())?.into_iter().collect(),
            None => BTreeSet::new(),
        };
        let mut statement = db.conn.prepare_cached(
            "SELECT id, last FROM chunk WHERE kind = ?1 AND last >= ?2 AND first < ?3 ORDER BY last DESC, id DESC",
        )?;
        let (since, until) = (self.range.0.unwrap_or(Nanos::MIN), self.range.1.unwrap_or(Nanos::MAX));
        let mut rows = statement.query(params![kind as i64, since, until])?;
        let (mut chunks, mut decoded) = (0, 0);
        while let Some(r) = rows.next()? {
            let (id, last): (i64, Nanos) = (r.get(0)?, r.get(1)?);
            if chunks >= CHUNKS || decoded >= DECODED || self.traces.len() >= self.enough {
                self.stop(last);
                break;
            }
            chunks += 1;
            let part = Part::Chunk(id);
            // Bound to a name: a guard that lives through the match would lock the cache against its own filling.
            let known = db.cache.lock().hits(&self.word.key, part);
            let hits = match known {
                Some(known) => known,
                None => {
                    let found = chunk_hits(db, kind, &self.word, id, numbers.contains(&id))?;
                    db.cache.lock().put_hits(&self.word.key, part, found.clone());
                    found
                }
            };
            decoded += hits.decoded;
            self.traces.extend(hits.traces.iter());
        }
        Ok(())
    }

    /// Block by block of publications, as far back as their times say.
    fn in_messages(&mut self) -> Inner<()> {
        let db = self.db;
        let mut statement = db.conn.prepare_cached(
            "SELECT id, time FROM message WHERE time >= ?1 AND time < ?2 ORDER BY time DESC, id DESC LIMIT ?3",
        )?;
        let (since, until) = (self.range.0.unwrap_or(Nanos::MIN), self.range.1.unwrap_or(Nanos::MAX));
        let mut rows = statement.query(params![since, until, MESSAGES])?;
        let newest: i64 = db.conn.query_row("SELECT coalesce(max(id), 0) FROM message", [], |r| r.get(0))?;
        let (mut seen, mut done) = (0, BTreeSet::new());
        while let Some(r) = rows.next()? {
            let (id, time): (i64, Nanos) = (r.get(0)?, r.get(1)?);
            seen += 1;
            let block = id / BLOCK;
            if seen == MESSAGES || (self.traces.len() >= self.enough && !done.contains(&block)) {
                self.stop(time);
                break;
            }
            if done.insert(block) {
                self.in_block(block, newest)?;
            }
        }
        Ok(())
    }

    fn in_block(&mut self, block: i64, newest: i64) -> Inner<()> {
        let (db, part) = (self.db, Part::Block(block));
        let known = db.cache.lock().hits(&self.word.key, part);
        let hits = match known {
            Some(known) => known,
            None => {
                let found = block_hits(db, &self.word, block)?;
                // Others may still be added to the newest block.
                if newest >= (block + 1) * BLOCK {
                    db.cache.lock().put_hits(&self.word.key, part, found.clone());
                }
                found
            }
        };
        self.traces.extend(hits.traces.iter());
        for message in hits.messages.iter() {
            self.traces.extend(db.traces_with_message_hash(*message)?);
        }
        Ok(())
    }
}

/// Traces of a chunk that have the word.
fn chunk_hits(db: Db<'_>, kind: Kind, word: &Word, id: i64, has_number: bool) -> Inner<Hits> {
    let chunk = db.chunk(id)?;
    let emitted = chunk.resources().iter().any(|r| word.in_attributes(&r.attributes));
    let everywhere = emitted || has_number;
    if !everywhere && !word.may_be_in(chunk.all_texts()) {
        return Ok(Hits::default());
    }
    let holders = chunk.holding(|text| everywhere || word.in_text(text));
    let (mut traces, mut decoded) = (Vec::new(), 0);
    for (trace, first, items) in chunk.traces() {
        for index in (first..first + items).filter(|index| everywhere || holders.may_hold(*index)) {
            decoded += 1;
            let has = match kind {
                Kind::Spans => word.in_span(&chunk.span(index)?),
                Kind::Logs => word.in_log(&chunk.log(index)?),
            };
            if has {
                traces.push(trace);
                break;
            }
        }
    }
    Ok(Hits { traces: traces.into(), messages: [].into(), decoded })
}

/// Traces that publications of a block name, and those publications that name none, where they have the word.
fn block_hits(db: Db<'_>, word: &Word, block: i64) -> Inner<Hits> {
    let sql = format!("SELECT {COLUMNS} FROM message m WHERE m.id >= ?1 AND m.id < ?2");
    let mut statement = db.conn.prepare_cached(&sql)?;
    let mut rows = statement.query([block * BLOCK, (block + 1) * BLOCK])?;
    let (mut traces, mut messages) = (Vec::new(), Vec::new());
    while let Some(r) = rows.next()? {
        let (id, _, mut message) = message_at(r)?;
        fill_body(db.conn, id, &mut message)?;
        if !word.in_message(&message) {
            continue;
        }
        traces.extend(message.hop.into_iter().chain(message.origin).map(|context| context.trace_id));
        if let (Some(event), None) = (&message.event_id, message.hop) {
            messages.push(message_hash(message.topic().body(), event));
        }
    }
    Ok(Hits { traces: traces.into(), messages: messages.into(), decoded: 0 })
}

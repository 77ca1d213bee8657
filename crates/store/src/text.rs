//! Full text: journeys in whose spans, log records and messages a text stands.
//!
//! A chunk keeps each of its texts once, so a word is looked for in some hundred kilobytes instead of in every span; only a chunk
//! that has it is decoded. That needs no index (FTS5 over every attribute would be larger than the spans themselves) and is exact:
//! any part of any text is found.

use std::collections::BTreeSet;

use flowglass_model::filter::Pattern;
use flowglass_model::{Attributes, LogRecord, Message, Nanos, Span, TraceId, Value};
use rusqlite::params;

use crate::chunk::{Chunk, Holders, Kind};
use crate::db::Db;
use crate::fault::Inner;
use crate::message_rows::BLOCK;
use crate::sought::{Sought, in_block, in_chunk};

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
            let about = About { word: &self.word, has_number: numbers.contains(&id) };
            let hits = in_chunk(db, &about, kind, id)?;
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
                self.traces.extend(in_block(db, &About { word: &self.word, has_number: false }, block, newest)?);
            }
        }
        Ok(())
    }
}

/// A word, and whether it stands among the numbers of the chunk in hand, which no text tells.
struct About<'a> {
    word: &'a Word,
    has_number: bool,
}

impl Sought for About<'_> {
    fn key(&self) -> &str {
        &self.word.key
    }

    fn holders<'c>(&self, chunk: &'c Chunk) -> Option<Holders<'c>> {
        let emitted = chunk.resources().iter().any(|r| self.word.in_attributes(&r.attributes));
        if emitted || self.has_number {
            return Some(chunk.any());
        }
        self.word.may_be_in(chunk.all_texts()).then(|| chunk.holding(|text| self.word.in_text(text)))
    }

    fn in_span(&self, span: &Span) -> bool {
        self.word.in_span(span)
    }

    fn in_log(&self, log: &LogRecord) -> bool {
        self.word.in_log(log)
    }

    fn in_message(&self, message: &Message) -> bool {
        self.word.in_message(message)
    }
}

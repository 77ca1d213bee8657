//! Full text: journeys in whose spans, log records and messages a text stands.
//!
//! A chunk keeps each of its texts once, so a word is looked for in some hundred kilobytes instead of in every span; only a chunk
//! that has it is decoded. That needs no index (FTS5 over every attribute would be larger than the spans themselves) and is exact:
//! any part of any text is found.

use std::collections::BTreeSet;

use flowglass_model::filter::Pattern;
use flowglass_model::{Attributes, LogRecord, Message, Nanos, Span, TraceId, Value};
use rusqlite::params;

use crate::cache::Hits;
use crate::chunk::Kind;
use crate::db::Db;
use crate::fault::Inner;
use crate::message_rows::{COLUMNS, fill_body, message_at};

/// Chunks looked through for one question at most.
const CHUNKS: usize = 200;
/// Items decoded for one question at most.
const DECODED: usize = 60_000;
/// Messages looked at for one question at most.
const MESSAGES: i64 = 20_000;

/// Journeys that carry a word somewhere, case ignored, from the newest data of a range down; `stopped` is set to where looking
/// ended when that is not the end.
pub(crate) fn journeys_with(
    db: Db<'_>,
    word: &Pattern,
    range: (Option<Nanos>, Option<Nanos>),
    stopped: &mut Option<Nanos>,
) -> Inner<BTreeSet<TraceId>> {
    let word = Word::new(word);
    let mut traces = BTreeSet::new();
    for kind in [Kind::Spans, Kind::Logs] {
        in_chunks(db, kind, &word, range, stopped, &mut traces)?;
    }
    in_messages(db, &word, range, stopped, &mut traces)?;
    let mut out = BTreeSet::new();
    for trace in traces {
        out.extend(db.journeys_of_trace(trace)?);
    }
    Ok(out)
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

fn in_chunks(
    db: Db<'_>,
    kind: Kind,
    word: &Word,
    range: (Option<Nanos>, Option<Nanos>),
    stopped: &mut Option<Nanos>,
    out: &mut BTreeSet<TraceId>,
) -> Inner<()> {
    let numbers: BTreeSet<i64> = match &word.plain {
        Some(plain) => db.chunks_with(kind, plain.as_bytes())?.into_iter().collect(),
        None => BTreeSet::new(),
    };
    let mut statement = db.conn.prepare_cached(
        "SELECT id, last FROM chunk WHERE kind = ?1 AND last >= ?2 AND first < ?3 ORDER BY last DESC, id DESC",
    )?;
    let (since, until) = (range.0.unwrap_or(Nanos::MIN), range.1.unwrap_or(Nanos::MAX));
    let mut rows = statement.query(params![kind as i64, since, until])?;
    let (mut chunks, mut decoded) = (0, 0);
    while let Some(r) = rows.next()? {
        let (id, last): (i64, Nanos) = (r.get(0)?, r.get(1)?);
        if chunks >= CHUNKS || decoded >= DECODED {
            *stopped = Some(stopped.map_or(last, |s| s.max(last)));
            break;
        }
        chunks += 1;
        // Bound to a name: a guard that lives through the match would lock the cache against its own filling.
        let known = db.cache.borrow().hits(&word.key, id);
        let (traces, cost) = match known {
            Some(known) => known,
            None => {
                let found = hits(db, kind, word, id, numbers.contains(&id))?;
                db.cache.borrow_mut().put_hits(&word.key, id, found.clone());
                found
            }
        };
        decoded += cost;
        out.extend(traces.iter());
    }
    Ok(())
}

/// Traces of a chunk that have the word, and how many items had to be decoded to tell.
fn hits(db: Db<'_>, kind: Kind, word: &Word, id: i64, has_number: bool) -> Inner<Hits> {
    let chunk = db.chunk(id)?;
    let emitted = chunk.resources().iter().any(|r| word.in_attributes(&r.attributes));
    if !emitted && !has_number && !word.may_be_in(chunk.all_texts()) {
        return Ok(([].into(), 0));
    }
    let (mut traces, mut decoded) = (Vec::new(), 0);
    for (trace, first, items) in chunk.traces() {
        for index in first..first + items {
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
    Ok((traces.into(), decoded))
}

fn in_messages(
    db: Db<'_>,
    word: &Word,
    range: (Option<Nanos>, Option<Nanos>),
    stopped: &mut Option<Nanos>,
    out: &mut BTreeSet<TraceId>,
) -> Inner<()> {
    let sql = format!(
        "SELECT {COLUMNS} FROM message m WHERE m.time >= ?1 AND m.time < ?2 ORDER BY m.time DESC, m.id DESC LIMIT ?3"
    );
    let mut statement = db.conn.prepare_cached(&sql)?;
    let (since, until) = (range.0.unwrap_or(Nanos::MIN), range.1.unwrap_or(Nanos::MAX));
    let mut rows = statement.query(params![since, until, MESSAGES])?;
    let (mut seen, mut last) = (0, until);
    while let Some(r) = rows.next()? {
        let (id, _, mut message) = message_at(r)?;
        fill_body(db.conn, id, &mut message)?;
        (seen, last) = (seen + 1, message.time);
        if !word.in_message(&message) {
            continue;
        }
        out.extend(message.hop.into_iter().chain(message.origin).map(|context| context.trace_id));
        if let (Some(event), None) = (&message.event_id, message.hop) {
            out.extend(db.traces_with_message(message.topic().body(), event)?);
        }
    }
    if seen == MESSAGES {
        *stopped = Some(stopped.map_or(last, |s| s.max(last)));
    }
    Ok(())
}

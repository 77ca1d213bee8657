//! Ids by which traces and messages belong together though no trace context says so: correlation ids, and the causes that
//! messages name.

use flowglass_model::{CORRELATION_KEYS, Message, Role, SpanFacts, TraceId, tells_apart};
use rusqlite::{Connection, params};

use crate::db::{Db, message_hash, trace_at};
use crate::events;
use crate::fault::Inner;
use crate::hash::hash_parts;
use crate::hints::Hint;
use crate::{EventRow, Reader, Result, Tx};

/// An id that is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carried<'a> {
    /// A correlation id, by its value.
    Correlation(&'a str),
    /// The cause of a message, by its event id.
    Cause(&'a str),
}

impl Carried<'_> {
    fn hash(self) -> i64 {
        match self {
            Carried::Correlation(value) => hash_parts(&[b"correlation", value.as_bytes()]),
            Carried::Cause(id) => hash_parts(&[b"cause", id.as_bytes()]),
        }
    }

    /// Whether a message carries this very id (hashes may collide).
    fn is_in(self, m: &Message) -> bool {
        match self {
            Carried::Correlation(value) => m.correlation_id.as_deref() == Some(value),
            Carried::Cause(id) => m.causation_id.as_deref() == Some(id),
        }
    }
}

/// The correlation ids of a span: name and value.
pub fn correlation_ids(span: &SpanFacts) -> impl Iterator<Item = (&str, &str)> {
    let keys = span.keys.iter().filter(|(name, value)| CORRELATION_KEYS.contains(&name.as_str()) && tells_apart(value));
    keys.map(|(name, value)| (name.as_str(), value.as_str()))
}

/// What a message carries.
fn of_message(m: &Message) -> impl Iterator<Item = Carried<'_>> {
    let correlation = m.correlation_id.as_deref().filter(|id| tells_apart(id)).map(Carried::Correlation);
    correlation.into_iter().chain(m.causation_id.as_deref().filter(|id| !id.is_empty()).map(Carried::Cause))
}

/// Notes what a stored message carries.
pub(crate) fn note_message(conn: &Connection, row: i64, m: &Message) -> Inner<()> {
    for carried in of_message(m) {
        let sql = "INSERT OR IGNORE INTO message_carries(hash, message) VALUES(?1, ?2)";
        conn.prepare_cached(sql)?.execute(params![carried.hash(), row])?;
    }
    Ok(())
}

/// Forgets what a message carried.
pub(crate) fn forget_message(conn: &Connection, row: i64) -> Inner<()> {
    conn.prepare_cached("DELETE FROM message_carries WHERE message = ?1")?.execute([row])?;
    Ok(())
}

/// Forgets what a span carried.
pub(crate) fn forget_span(conn: &Connection, span: &SpanFacts) -> Inner<()> {
    for (_, value) in correlation_ids(span) {
        conn.prepare_cached("DELETE FROM trace_carries WHERE hash = ?1 AND trace = ?2")?
            .execute(params![Carried::Correlation(value).hash(), span.trace_id.as_bytes()])?;
    }
    Ok(())
}

/// Whether anything stored carries such an id at all.
pub(crate) fn is_any(conn: &Connection) -> Inner<bool> {
    let sql = "SELECT EXISTS(SELECT 1 FROM trace_carries) OR EXISTS(SELECT 1 FROM message_carries)";
    Ok(conn.prepare_cached(sql)?.query_row([], |r| r.get(0))?)
}

fn traces(conn: &Connection, carried: Carried<'_>, most: usize) -> Inner<Vec<TraceId>> {
    let mut statement = conn.prepare_cached("SELECT trace FROM trace_carries WHERE hash = ?1 LIMIT ?2")?;
    let rows = statement.query_map(params![carried.hash(), most as i64], |r| trace_at(r, 0))?;
    Ok(rows.collect::<std::result::Result<_, _>>()?)
}

fn count(conn: &Connection, carried: Carried<'_>, most: usize) -> Inner<usize> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM message_carries WHERE hash = ?1 LIMIT ?2)";
    let n: i64 = conn.prepare_cached(sql)?.query_row(params![carried.hash(), most as i64], |r| r.get(0))?;
    Ok(n as usize)
}

fn count_traces(conn: &Connection, carried: Carried<'_>, most: usize) -> Inner<usize> {
    let sql =
        "SELECT count(*) FROM (SELECT DISTINCT m.hop_trace FROM message_carries c JOIN message m ON m.id = c.message
         WHERE c.hash = ?1 AND m.hop_trace IS NOT NULL LIMIT ?2)";
    let n: i64 = conn.prepare_cached(sql)?.query_row(params![carried.hash(), most as i64], |r| r.get(0))?;
    Ok(n as usize)
}

fn messages(conn: &Connection, carried: Carried<'_>, most: usize) -> Inner<Vec<EventRow>> {
    let sql =
        "SELECT DISTINCT m.event FROM message_carries c JOIN message m ON m.id = c.message WHERE c.hash = ?1 LIMIT ?2";
    let mut statement = conn.prepare_cached(sql)?;
    let found = statement.query_map(params![carried.hash(), most as i64], |r| r.get::<_, i64>(0))?;
    let found: Vec<i64> = found.collect::<std::result::Result<_, _>>()?;
    let mut out = events::by_rows(conn, found.into_iter())?;
    out.retain(|row| carried.is_in(&row.message));
    Ok(out)
}

fn with_id(db: Db<'_>, id: &str) -> Inner<Vec<EventRow>> {
    let mut statement = db.conn.prepare_cached("SELECT DISTINCT event FROM message WHERE event_id = ?1 LIMIT 3")?;
    let found = statement.query_map([id], |r| r.get::<_, i64>(0))?;
    let found: Vec<i64> = found.collect::<std::result::Result<_, _>>()?;
    events::by_rows(db.conn, found.into_iter())
}

fn carriers(conn: &Connection) -> Inner<Vec<TraceId>> {
    let mut statement = conn.prepare_cached(
        "SELECT trace FROM trace_carries
         UNION SELECT m.hop_trace FROM message_carries c JOIN message m ON m.id = c.message WHERE m.hop_trace IS NOT NULL",
    )?;
    let rows = statement.query_map([], |r| trace_at(r, 0))?;
    Ok(rows.collect::<std::result::Result<_, _>>()?)
}

impl Tx<'_> {
    /// Whether anything stored carries such an id at all.
    pub fn carries_any(&self) -> bool {
        self.writer.state.carries
    }

    /// Notes the correlation ids of spans that are being written.
    pub fn carry(&mut self, span: &SpanFacts) -> Result<()> {
        for (_, value) in correlation_ids(span) {
            let hash = Carried::Correlation(value).hash();
            self.carries(hash);
            let done = || -> Inner<()> {
                let sql = "INSERT OR IGNORE INTO trace_carries(hash, trace) VALUES(?1, ?2)";
                let mut put = self.writer.conn.prepare_cached(sql)?;
                put.execute(params![hash, span.trace_id.as_bytes()])?;
                Ok(())
            };
            self.told(done())?;
        }
        Ok(())
    }

    /// Notes the message that a span being written names, for those who ask for it before the span is stored.
    pub fn name_message(&mut self, span: &SpanFacts) -> Result<()> {
        let (Role::Send { topic, message_id: Some(id), .. }
        | Role::Receive { topic, message_id: Some(id), .. }
        | Role::Process { topic, message_id: Some(id), .. }) = &span.role
        else {
            return Ok(());
        };
        let hash = message_hash(topic.body(), id);
        self.hint(Hint::SpanMessage(hash));
        let sql = "INSERT OR IGNORE INTO span_message(hash, trace) VALUES(?1, ?2)";
        let done = || -> Inner<()> {
            self.writer.conn.prepare_cached(sql)?.execute(params![hash, span.trace_id.as_bytes()])?;
            Ok(())
        };
        self.told(done())
    }

    fn carries(&mut self, hash: i64) {
        self.hint(Hint::Carried(hash));
        self.writer.state.carries = true;
    }

    /// Notes that a message that was stored carries something, for those who ask later in this transaction.
    pub(crate) fn hint_carried(&mut self, m: &Message) {
        of_message(m).for_each(|carried| self.carries(carried.hash()));
    }

    /// At most `most` traces with a span that carries an id.
    pub fn traces_carrying(&self, carried: Carried<'_>, most: usize) -> Result<Vec<TraceId>> {
        if !self.may(Hint::Carried(carried.hash())) {
            return Ok(Vec::new());
        }
        self.told(traces(&self.writer.conn, carried, most))
    }

    /// How many publications carry an id, counted up to `most`.
    pub fn count_carrying(&self, carried: Carried<'_>, most: usize) -> Result<usize> {
        if !self.may(Hint::Carried(carried.hash())) {
            return Ok(0);
        }
        self.told(count(&self.writer.conn, carried, most))
    }

    /// In how many traces publications were sent that carry an id, counted up to `most`.
    pub fn count_traces_sending(&self, carried: Carried<'_>, most: usize) -> Result<usize> {
        if !self.may(Hint::Carried(carried.hash())) {
            return Ok(0);
        }
        self.told(count_traces(&self.writer.conn, carried, most))
    }

    /// At most `most` events that carry an id, by time.
    pub fn events_carrying(&self, carried: Carried<'_>, most: usize) -> Result<Vec<EventRow>> {
        if !self.may(Hint::Carried(carried.hash())) {
            return Ok(Vec::new());
        }
        self.told(messages(&self.writer.conn, carried, most))
    }

    /// Up to three events with this id, wherever they were published.
    pub fn events_called(&self, id: &str) -> Result<Vec<EventRow>> {
        self.told(with_id(self.db(), id))
    }

    /// All traces that are joined to others by contexts.
    pub fn joined_traces(&self) -> Result<Vec<TraceId>> {
        let all = || -> Inner<Vec<TraceId>> {
            let sql = "SELECT child_trace FROM trace_join UNION SELECT parent_trace FROM trace_join";
            let mut statement = self.writer.conn.prepare_cached(sql)?;
            let rows = statement.query_map([], |r| trace_at(r, 0))?;
            Ok(rows.collect::<std::result::Result<_, _>>()?)
        };
        self.told(all())
    }

    /// Events by row, by time.
    pub fn events_at(&self, rows: &[i64]) -> Result<Vec<EventRow>> {
        self.told(events::by_rows(&self.writer.conn, rows.iter().copied()))
    }

    /// All traces that carry an id, or sent a message that does.
    pub fn carriers(&self) -> Result<Vec<TraceId>> {
        self.told(carriers(&self.writer.conn))
    }
}

impl Reader {
    /// Whether anything stored carries such an id at all.
    pub fn carries_any(&self) -> Result<bool> {
        self.ask(|db| is_any(db.conn))
    }

    /// At most `most` traces with a span that carries an id.
    pub fn traces_carrying(&self, carried: Carried<'_>, most: usize) -> Result<Vec<TraceId>> {
        self.ask(|db| traces(db.conn, carried, most))
    }

    /// How many publications carry an id, counted up to `most`.
    pub fn count_carrying(&self, carried: Carried<'_>, most: usize) -> Result<usize> {
        self.ask(|db| count(db.conn, carried, most))
    }

    /// In how many traces publications were sent that carry an id, counted up to `most`.
    pub fn count_traces_sending(&self, carried: Carried<'_>, most: usize) -> Result<usize> {
        self.ask(|db| count_traces(db.conn, carried, most))
    }

    /// At most `most` events that carry an id, by time.
    pub fn events_carrying(&self, carried: Carried<'_>, most: usize) -> Result<Vec<EventRow>> {
        self.ask(|db| messages(db.conn, carried, most))
    }

    /// Events by row, by time.
    pub fn events_at(&self, rows: &[i64]) -> Result<Vec<EventRow>> {
        self.ask(|db| events::by_rows(db.conn, rows.iter().copied()))
    }

    /// Up to three events with this id, wherever they were published.
    pub fn events_called(&self, id: &str) -> Result<Vec<EventRow>> {
        self.ask(|db| with_id(db, id))
    }
}

//! All of a range, for those who judge it: traces chunk by chunk, publications page by page, messages in trouble.
//!
//! A question each: whoever asks can say how far it is and stop in between, and no long reader keeps the write-ahead log from
//! being folded in.

use flowglass_model::{Advisory, Message, Nanos, Span, TraceId};
use rusqlite::{OptionalExtension, params};
use rustc_hash::FxHashMap;

use crate::chunk::Kind;
use crate::db::Db;
use crate::delivery_rows::{GAVE_UP, number};
use crate::fault::{Fault, Inner};
use crate::message_rows::{COLUMNS, fill_body, message_at};
use crate::{Reader, Result};

/// How long JetStream remembers message ids unless told otherwise (`duplicate_window`), nanoseconds.
const DUPLICATE_WINDOW: i64 = 120_000_000_000;
/// The header by which a publisher asks JetStream to drop repeats.
const MESSAGE_ID: &str = "nats-msg-id";

/// The chunks of spans that a range touches.
#[derive(Debug, Clone, Default)]
pub struct Scan {
    chunks: Vec<(i64, u64)>,
    /// Traces that lie in several chunks: the one in which they are told.
    told_in: FxHashMap<TraceId, i64>,
}

impl Scan {
    /// Chunks to be read.
    pub fn len(&self) -> usize {
        self.chunks.len()
    }

    /// Whether there is nothing to be read.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Spans in them, those outside the range included.
    pub fn spans(&self) -> u64 {
        self.chunks.iter().map(|(_, items)| items).sum()
    }
}

/// A publication with headers and payload, and what is known of its repeats.
#[derive(Debug, Clone, PartialEq)]
pub struct Sighting {
    /// Its row.
    pub id: i64,
    /// The row of its event.
    pub event: i64,
    /// Itself.
    pub message: Message,
    /// Whether it is the first of its event on its destination.
    pub first: bool,
    /// Whether the broker will have dropped it: an earlier one carries the same message id, not long before.
    pub dropped: bool,
}

/// What became of a message at a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TroubleKind {
    /// The broker gave up on it, or the consumer refused it for good.
    GivenUp,
    /// It was delivered more than once.
    Redelivered,
}

/// A message in trouble at one consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TroubleRow {
    /// What became of it.
    pub kind: TroubleKind,
    /// Broker technology.
    pub system: String,
    /// Subject, topic or queue.
    pub destination: String,
    /// Consumer, where known.
    pub consumer: Option<String>,
    /// Stream that stores it.
    pub stream: String,
    /// Its sequence there.
    pub sequence: u64,
    /// Row and id of the event, where the publication is stored and known by its place.
    pub event: Option<(i64, Option<String>)>,
    /// When it was last told.
    pub at: Nanos,
}

impl Reader {
    /// What has to be read to see every trace with a span in `[since, until)`.
    pub fn scan(&self, since: Option<Nanos>, until: Option<Nanos>) -> Result<Scan> {
        self.ask(|db| scan(db, since.unwrap_or(Nanos::MIN), until.unwrap_or(Nanos::MAX)))
    }

    /// Tells the traces of one chunk of a scan, each with all of its spans, wherever they lie. A chunk that was deleted meanwhile
    /// has none.
    pub fn scan_chunk(&self, scan: &Scan, index: usize, tell: &mut dyn FnMut(&[Span])) -> Result<()> {
        let Some((id, _)) = scan.chunks.get(index) else { return Ok(()) };
        self.ask(|db| traces(db, scan, *id, tell))
    }

    /// Publications in `[since, until)` with a row above `after`, at most `limit`, in the order of their rows.
    pub fn sightings(
        &self,
        since: Option<Nanos>,
        until: Option<Nanos>,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Sighting>> {
        self.ask(|db| sightings(db, (since.unwrap_or(Nanos::MIN), until.unwrap_or(Nanos::MAX)), after, limit))
    }

    /// Messages given up or delivered more than once in `[since, until)`.
    pub fn troubles(&self, since: Option<Nanos>, until: Option<Nanos>) -> Result<Vec<TroubleRow>> {
        self.ask(|db| troubles(db, since.unwrap_or(Nanos::MIN), until.unwrap_or(Nanos::MAX)))
    }
}

fn scan(db: Db<'_>, since: Nanos, until: Nanos) -> Inner<Scan> {
    let mut statement = db
        .conn
        .prepare_cached("SELECT id, items FROM chunk WHERE kind = ?1 AND last >= ?2 AND first < ?3 ORDER BY id")?;
    let chunks = statement.query_map(params![Kind::Spans as i64, since, until], |r| {
        Ok((r.get::<_, i64>(0)?, r.get::<_, i64>(1)? as u64))
    })?;
    let chunks: Vec<(i64, u64)> = chunks.collect::<std::result::Result<_, _>>()?;
    let mut statement = db.conn.prepare_cached(
        "SELECT t.trace, min(t.chunk) FROM trace_chunk t JOIN chunk c ON c.id = t.chunk AND c.last >= ?2 AND c.first < ?3
         WHERE t.kind = ?1 AND t.trace IN
           (SELECT trace FROM trace_chunk WHERE kind = ?1 GROUP BY trace HAVING count(*) > 1)
         GROUP BY t.trace",
    )?;
    let split = statement.query_map(params![Kind::Spans as i64, since, until], |r| {
        Ok((crate::db::trace_at(r, 0)?, r.get::<_, i64>(1)?))
    })?;
    Ok(Scan { chunks, told_in: split.collect::<std::result::Result<_, _>>()? })
}

fn traces(db: Db<'_>, scan: &Scan, id: i64, tell: &mut dyn FnMut(&[Span])) -> Inner<()> {
    let there = db.conn.prepare_cached("SELECT 1 FROM chunk WHERE id = ?1")?.exists([id])?;
    if !there {
        return Ok(());
    }
    let chunk = db.chunk(id)?;
    for (trace, first, items) in chunk.traces() {
        match scan.told_in.get(&trace) {
            Some(told_in) if *told_in == id => tell(&db.trace(trace)?),
            Some(_) => {}
            None => {
                let spans = (first..first + items).map(|i| chunk.span(i)).collect::<Inner<Vec<Span>>>()?;
                tell(&spans);
            }
        }
    }
    Ok(())
}

fn sightings(db: Db<'_>, (since, until): (Nanos, Nanos), after: i64, limit: usize) -> Inner<Vec<Sighting>> {
    let sql = format!(
        "SELECT {COLUMNS}, NOT EXISTS(SELECT 1 FROM message o WHERE o.event = m.event AND o.destination = m.destination
           AND o.id < m.id)
         FROM message m WHERE m.id > ?1 AND m.time >= ?2 AND m.time < ?3 ORDER BY m.id LIMIT ?4"
    );
    let mut statement = db.conn.prepare_cached(&sql)?;
    let mut rows = statement.query(params![after, since, until, limit as i64])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        let (id, event, mut message) = message_at(r)?;
        fill_body(db.conn, id, &mut message)?;
        let first: bool = r.get(16)?;
        let dropped = !first && repeats(db, id, event, &message)?;
        out.push(Sighting { id, event, message, first, dropped });
    }
    Ok(out)
}

fn message_id(message: &Message) -> Option<&str> {
    let header = message.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(MESSAGE_ID));
    header.map(|(_, value)| value.as_str())
}

/// Whether an earlier publication of the event carries the same message id.
fn repeats(db: Db<'_>, id: i64, event: i64, message: &Message) -> Inner<bool> {
    let Some(own) = message_id(message) else { return Ok(false) };
    for (other, _, mut earlier) in crate::events::occurrences(db.conn, event)? {
        if other == id || (message.time - earlier.time).abs() > DUPLICATE_WINDOW {
            continue;
        }
        fill_body(db.conn, other, &mut earlier)?;
        if message_id(&earlier) == Some(own) && earlier.destination == message.destination {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What is known of a message by its place: system, destination, event.
type Known = (String, String, Option<(i64, Option<String>)>);

fn known(db: Db<'_>, stream: &str, sequence: u64) -> Inner<Option<Known>> {
    let mut message = db.conn.prepare_cached(
        "SELECT system, destination, event, event_id FROM message WHERE stream = ?1 AND sequence = ?2 LIMIT 1",
    )?;
    let stored = message.query_row(params![stream, sequence as i64], |r| {
        Ok((r.get(0)?, r.get(1)?, Some((r.get::<_, i64>(2)?, r.get(3)?))))
    });
    if let Some(stored) = stored.optional()? {
        return Ok(Some(stored));
    }
    let mut delivery = db.conn.prepare_cached(
        "SELECT system, destination, event_id FROM delivery WHERE stream = ?1 AND stream_sequence = ?2
         AND destination IS NOT NULL LIMIT 1",
    )?;
    let told = delivery.query_row(params![stream, sequence as i64], |r| {
        Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?, r.get::<_, Option<String>>(2)?))
    });
    let Some((system, destination, event_id)) = told.optional()? else { return Ok(None) };
    let mut event =
        db.conn.prepare_cached("SELECT event FROM message WHERE event_id = ?1 AND destination = ?2 LIMIT 1")?;
    let row = match &event_id {
        Some(id) => event.query_row(params![id, destination], |r| r.get::<_, i64>(0)).optional()?,
        None => None,
    };
    Ok(Some((system, destination, row.map(|row| (row, event_id)))))
}

fn troubles(db: Db<'_>, since: Nanos, until: Nanos) -> Inner<Vec<TroubleRow>> {
    let mut found: Vec<(TroubleKind, String, Option<String>, u64, Nanos)> = Vec::new();
    let mut refused = db.conn.prepare_cached(
        "SELECT stream, consumer, stream_sequence, max(time) FROM settlement
         WHERE acknowledgement = ?1 AND time >= ?2 AND time < ?3 GROUP BY 1, 2, 3",
    )?;
    let mut rows = refused.query(params![number(flowglass_model::Acknowledgement::Term), since, until])?;
    while let Some(r) = rows.next()? {
        found.push((TroubleKind::GivenUp, r.get(0)?, Some(r.get(1)?), r.get::<_, i64>(2)? as u64, r.get(3)?));
    }
    let mut given_up = db.conn.prepare_cached(&format!(
        "SELECT body, time FROM advisory WHERE kind IN {GAVE_UP} AND time >= ?1 AND time < ?2 ORDER BY time"
    ))?;
    let mut rows = given_up.query(params![since, until])?;
    while let Some(r) = rows.next()? {
        let bytes = r.get_ref(0)?.as_blob().unwrap_or_default();
        let advisory: Advisory = postcard::from_bytes(bytes).map_err(|e| Fault::decode("an advisory", e))?;
        let (Some(stream), Some(sequence)) = (advisory.stream, advisory.stream_sequence) else { continue };
        found.push((TroubleKind::GivenUp, stream, advisory.consumer, sequence, r.get(1)?));
    }
    let mut again = db.conn.prepare_cached(
        "SELECT stream, consumer, stream_sequence, max(time) FROM delivery
         WHERE delivered > 1 AND time >= ?1 AND time < ?2 GROUP BY 1, 2, 3",
    )?;
    let mut rows = again.query(params![since, until])?;
    while let Some(r) = rows.next()? {
        found.push((TroubleKind::Redelivered, r.get(0)?, Some(r.get(1)?), r.get::<_, i64>(2)? as u64, r.get(3)?));
    }
    let mut out = Vec::new();
    for (kind, stream, consumer, sequence, at) in found {
        let Some((system, destination, event)) = known(db, &stream, sequence)? else { continue };
        out.push(TroubleRow { kind, system, destination, consumer, stream, sequence, event, at });
    }
    Ok(out)
}

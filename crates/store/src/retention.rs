//! What may have to go, oldest first, a page at a time; and how much room things take.

use flowglass_model::{Delivery, JourneyState, Nanos, TraceId};
use rusqlite::{Connection, params};

use crate::chunk::Kind;
use crate::db::{Db, trace_at};
use crate::delivery_rows::delivery_at;
use crate::fault::Inner;
use crate::journeys::state_at;
use crate::{Figures, Reader, Result, StoreError, Tx, Writer};

/// A journey as rules for keeping look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Which.
    pub id: TraceId,
    /// When it started.
    pub start: Nanos,
    /// When the last of it was over, as far as is stored.
    pub end: Nanos,
    /// How it ended.
    pub state: JourneyState,
    /// Whether a broker gave up on a message of it.
    pub dead_lettered: bool,
}

/// How much room things take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Space {
    /// Bytes in use, figures and indexes included.
    pub used: u64,
    /// Bytes of the file that nothing uses: they are written again first, or given back.
    pub free: u64,
    /// Journeys.
    pub journeys: u64,
    /// Figures of the map.
    pub figures: Figures,
}

/// A place in a list by time: the instant and what tells rows of one instant apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LooseAt {
    time: Nanos,
    key: (String, String, i64),
}

impl LooseAt {
    /// Before everything.
    pub fn beginning() -> LooseAt {
        LooseAt { time: Nanos::MIN, key: Default::default() }
    }
}

/// Rows of a list that belong to nothing that is stored, of those that were looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Loose<T> {
    /// What belongs to nothing.
    pub found: Vec<T>,
    /// Where to look on; `None` at the end.
    pub next: Option<LooseAt>,
}

fn space(conn: &Connection) -> Inner<Space> {
    let pragma = |name: &str| conn.query_row(&format!("PRAGMA {name}"), [], |r| r.get::<_, i64>(0)).map(|n| n as u64);
    let (size, pages, free) = (pragma("page_size")?, pragma("page_count")?, pragma("freelist_count")?);
    let journeys: i64 = conn.query_row("SELECT coalesce(sum(count), 0) FROM journey_kind", [], |r| r.get(0))?;
    let figures = Figures::load(conn)?;
    Ok(Space { used: (pages - free.min(pages)) * size, free: free * size, journeys: journeys.max(0) as u64, figures })
}

fn stored(db: Db<'_>, after: Option<(Nanos, TraceId)>, limit: usize) -> Inner<Vec<Stored>> {
    let mut statement = db.conn.prepare_cached(
        "SELECT id, start, state, max(coalesce(response, 0), coalesce(settled, 0)), dead_lettered
         FROM journey INDEXED BY journey_start WHERE (start, id) > (?1, ?2) ORDER BY start, id LIMIT ?3",
    )?;
    let (start, id) = after.map_or((Nanos::MIN, [0; 16]), |(start, id)| (start, *id.as_bytes()));
    let mut rows = statement.query(params![start, id, limit as i64])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        let start: Nanos = r.get(1)?;
        let end = start.saturating_add(r.get(3)?);
        out.push(Stored { id: trace_at(r, 0)?, start, end, state: state_at(r, 2)?, dead_lettered: r.get(4)? });
    }
    Ok(out)
}

/// Questions of whoever is about to remove something; between transactions.
impl Writer {
    /// At most `limit` journeys after a place (start, id), oldest first.
    pub fn stored_journeys(&self, after: Option<(Nanos, TraceId)>, limit: usize) -> Result<Vec<Stored>> {
        stored(self.db(), after, limit).map_err(|f| f.at(&self.path))
    }

    /// A meta value.
    pub fn meta(&self, key: &str) -> Result<Option<String>> {
        self.db().meta(key).map_err(|f| f.at(&self.path))
    }

    fn db(&self) -> Db<'_> {
        Db { conn: &self.conn, cache: &self.cache }
    }

    /// Looks at `looked` events that were first published before an instant, oldest first: rows of those that name no trace that
    /// is stored.
    pub fn loose_events_from(&self, from: &LooseAt, until: Nanos, looked: usize) -> Result<Loose<i64>> {
        let done = || -> Inner<Loose<i64>> {
            let conn = &self.conn;
            let mut page = conn.prepare_cached(
                "SELECT id, time FROM message WHERE (time, id) > (?1, ?2) AND time < ?3 ORDER BY time, id LIMIT ?4",
            )?;
            let mut owned = conn.prepare_cached(
                "SELECT 1 FROM message o WHERE o.event = ?1 AND (
                   EXISTS(SELECT 1 FROM trace_chunk t WHERE t.trace = o.hop_trace AND t.kind = 0)
                   OR EXISTS(SELECT 1 FROM trace_chunk t WHERE t.trace = o.origin_trace AND t.kind = 0))",
            )?;
            let mut first = conn.prepare_cached("SELECT 1 FROM message WHERE id = ?1 AND event = id")?;
            let mut rows = page.query(params![from.time, from.key.2, until, looked as i64])?;
            let (mut found, mut last, mut seen) = (Vec::new(), None, 0);
            while let Some(r) = rows.next()? {
                let id: i64 = r.get(0)?;
                last = Some(LooseAt { time: r.get(1)?, key: (String::new(), String::new(), id) });
                seen += 1;
                if first.exists([id])? && !owned.exists([id])? {
                    found.push(id);
                }
            }
            Ok(Loose { found, next: last.filter(|_| seen == looked) })
        };
        done().map_err(|f| f.at(&self.path))
    }

    /// The first of events and log records, whatever they belong to.
    pub fn oldest_loose(&self) -> Result<Option<Nanos>> {
        let sql = "SELECT min(t) FROM (SELECT min(time) AS t FROM message UNION ALL SELECT min(first) FROM chunk WHERE kind = ?1)";
        let done = || -> Inner<Option<Nanos>> {
            Ok(self.conn.prepare_cached(sql)?.query_row([Kind::Logs as i64], |r| r.get(0))?)
        };
        done().map_err(|f| f.at(&self.path))
    }
}

impl Tx<'_> {
    /// Looks at `looked` deliveries before an instant, oldest first. Whether a stored publication explains them is for
    /// [`Tx::erase_deliveries`] to tell.
    pub fn loose_deliveries_from(&self, from: &LooseAt, until: Nanos, looked: usize) -> Result<Loose<Delivery>> {
        let done = || -> Inner<Loose<Delivery>> {
            let mut page = self.writer.conn.prepare_cached(
                "SELECT stream, consumer, consumer_sequence, system, destination, stream_sequence, delivered, time, event_id
                 FROM delivery WHERE (time, stream, consumer, consumer_sequence) > (?1, ?2, ?3, ?4) AND time < ?5
                 ORDER BY time, stream, consumer, consumer_sequence LIMIT ?6",
            )?;
            let key = params![from.time, from.key.0, from.key.1, from.key.2, until, looked as i64];
            let all: Vec<Delivery> = page.query_map(key, delivery_at)?.collect::<rusqlite::Result<_>>()?;
            let next = all.last().filter(|_| all.len() == looked).map(|d| LooseAt {
                time: d.time,
                key: (d.key.stream.clone(), d.key.consumer.clone(), d.key.consumer_sequence as i64),
            });
            Ok(Loose { found: all, next })
        };
        self.told(done())
    }
}

impl Reader {
    /// At most `limit` journeys after a place (start, id), oldest first.
    pub fn stored_journeys(&self, after: Option<(Nanos, TraceId)>, limit: usize) -> Result<Vec<Stored>> {
        self.ask(|db| stored(db, after, limit))
    }

    /// How much room things take.
    pub fn space(&self) -> Result<Space> {
        self.ask(|db| space(db.conn))
    }
}

impl Writer {
    /// How much room things take.
    pub fn space(&self) -> Result<Space> {
        space(&self.conn).map_err(|f| f.at(&self.path))
    }

    /// Whether the file can be made smaller without being written anew: files made by another tool may not.
    pub fn can_shrink(&self) -> Result<bool> {
        let mode = self.conn.query_row("PRAGMA auto_vacuum", [], |r| r.get::<_, i64>(0));
        mode.map(|mode| mode != 0).map_err(|e| StoreError::sqlite(&self.path, e))
    }
}

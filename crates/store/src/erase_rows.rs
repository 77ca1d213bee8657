//! Letting go of rows: whole events with what brokers told of them, or everything; and what is due afterwards.

use std::collections::BTreeMap;

use flowglass_model::Delivery;
use rusqlite::{Connection, params};

use crate::counters::Counters;
use crate::fault::Inner;
use crate::message_rows::BLOCK;
use crate::names::Numbers;
use crate::rollup::Rollups;
use crate::series::{FINEST, LEVELS};
use crate::thinned::Thinned;
use crate::{Result, StoreError, Tx, Writer, carried, events, filters};

/// Under this key the workspace remembers the highest row an event ever had, once events were deleted.
pub(crate) const META_EVENT_ROWS: &str = "event_rows";
/// Tables that everything erased empties.
const TABLES: [&str; 27] = [
    "chunk",
    "chunk_filter",
    "trace_chunk",
    "log_hash",
    "span_link",
    "span_message",
    "trace_carries",
    "message_carries",
    "trace_join",
    "closed_trace",
    "unmatched",
    "rollup",
    "series",
    "message",
    "message_body",
    "message_filter",
    "value_filter",
    "value_slice",
    "delivery",
    "settlement",
    "advisory",
    "journey",
    "journey_member",
    "journey_root",
    "journey_kind",
    "journey_shape",
    "name",
];

impl Tx<'_> {
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
                carried::forget_message(conn, *id)?;
                let mut left = conn.prepare_cached("SELECT 1 FROM message WHERE id >= ?1 AND id < ?2")?;
                let block = id / BLOCK;
                if !left.exists([block * BLOCK, (block + 1) * BLOCK])? {
                    filters::forget_block(conn, block)?;
                }
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
        filters::sweep(&self.writer.conn)?;
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

    /// Narrows to what is left: when each series has data, the time that everything covers. Due after erasing.
    pub fn tidy(&mut self) -> Result<()> {
        let Writer { conn, state, .. } = &mut *self.writer;
        let mut done = || -> Inner<()> {
            conn.execute("DELETE FROM series WHERE id NOT IN (SELECT series FROM rollup)", [])?;
            narrow_series(conn)?;
            state.rollups = Rollups::load(conn)?;
            // Where figures outlived their spans, they are what is covered.
            let ends = "SELECT min(a), max(b) FROM (SELECT min(first) AS a, max(last) AS b FROM chunk
                UNION ALL SELECT min(time), max(time) FROM message
                UNION ALL SELECT min(first), max(last) FROM series WHERE EXISTS(SELECT 1 FROM closed_trace))";
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
        state.numbers = Numbers::load(conn)?;
        state.counters = Counters::default();
        state.unswept.clear();
        self.keep_unswept()
    }

    fn keep_event_rows(&self) -> Inner<()> {
        let sql = "INSERT OR REPLACE INTO meta(key, value) SELECT ?1, max(
            coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?1), 0),
            coalesce((SELECT max(id) FROM message), 0))";
        self.writer.conn.prepare_cached(sql)?.execute([META_EVENT_ROWS])?;
        Ok(())
    }
}

/// What is left of a series: rows, and by level the first and the end, in buckets of the finest.
#[derive(Default)]
struct Left {
    rows: i64,
    ranges: BTreeMap<usize, (i64, i64)>,
}

/// Says anew of each series when it has figures, and how many. Coarse buckets begin before what they hold and end after it, so
/// nothing gets wider than it was.
fn narrow_series(conn: &Connection) -> Inner<()> {
    let thinned = Thinned::load(conn)?;
    let mut of = conn.prepare_cached(
        "SELECT series, level, min(bucket), max(bucket) + 1, count(*) FROM rollup GROUP BY series, level",
    )?;
    let mut found: BTreeMap<i64, Left> = BTreeMap::new();
    let mut rows = of.query([])?;
    while let Some(r) = rows.next()? {
        let left = found.entry(r.get(0)?).or_default();
        let level = r.get::<_, i64>(1)? as usize;
        let Some(size) = LEVELS.get(level) else { continue };
        left.ranges
            .insert(level, (r.get::<_, i64>(2)?.saturating_mul(*size), r.get::<_, i64>(3)?.saturating_mul(*size)));
        left.rows += r.get::<_, i64>(4)?;
    }
    let mut put =
        conn.prepare_cached("UPDATE series SET first = max(first, ?2), last = min(last, ?3), live = ?4 WHERE id = ?1")?;
    for (series, Left { rows, ranges }) in found {
        // A finer level tells better when it began, where it has all of that time.
        let mut first = i64::MIN;
        for (level, (low, _)) in ranges.iter().rev() {
            if first == i64::MIN || thinned.has(*level, first) {
                first = *low;
            }
        }
        let last = ranges.values().next().map_or(i64::MAX, |(_, high)| *high);
        put.execute(params![series, first.saturating_mul(FINEST), last.saturating_mul(FINEST), rows])?;
    }
    Ok(())
}

impl Writer {
    /// Gives at most `pages` unused pages back to the file system; whether there are more.
    pub fn shrink(&mut self, pages: u32) -> Result<bool> {
        let done = || -> rusqlite::Result<bool> {
            let free = || self.conn.query_row("PRAGMA freelist_count", [], |r| r.get::<_, i64>(0));
            let before = free()?;
            let mut vacuum = self.conn.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
            let mut rows = vacuum.query([])?;
            while rows.next()?.is_some() {}
            drop(rows);
            let left = free()?;
            // A file that another tool made keeps its unused pages, for what comes next.
            let left = if left < before { left } else { 0 };
            if left == 0 {
                // What readers keep from being folded in is folded in later; nobody waits for them.
                self.conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
            }
            Ok(left > 0)
        };
        done().map_err(|e| StoreError::sqlite(&self.path, e))
    }
}

//! Traces whose figures outlive their spans: what comes late for them, or once more, is stored and not counted.
//!
//! Kept are the traces of the last two to three eras of a million; what comes later than that counts like anything new.

use flowglass_model::{Nanos, TraceId};
use rusqlite::{Connection, OptionalExtension, params};

use crate::fault::Inner;
use crate::hash::hash64;
use crate::hints::Hint;
use crate::{Result, Tx, journeys};

/// Under this key the workspace keeps the era in hand and how many traces it has.
const META_ERA: &str = "closed_era";
/// Traces of an era.
const ERA: i64 = 1_000_000;
/// Eras that are looked at.
const ERAS: i64 = 3;
/// Rows of older eras let go with each step.
const STEP: usize = 4_000;

/// The era in hand.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Era {
    number: i64,
    traces: i64,
}

impl Era {
    /// Reads it.
    pub(crate) fn load(conn: &Connection) -> Inner<Era> {
        let mut kept = conn.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
        let text: Option<String> = kept.query_row([META_ERA], |r| r.get(0)).optional()?;
        let text = text.unwrap_or_default();
        let mut numbers = text.split(' ').map(|n| n.parse().unwrap_or_default());
        Ok(Era { number: numbers.next().unwrap_or_default(), traces: numbers.next().unwrap_or_default() })
    }
}

fn hash_of(trace: TraceId) -> i64 {
    hash64(trace.as_bytes()) as i64
}

impl Tx<'_> {
    /// The instant up to which the figures of a trace are closed.
    pub fn closed_until(&self, trace: TraceId) -> Result<Option<Nanos>> {
        let done = self.try_closed_until(trace);
        self.told(done)
    }

    pub(crate) fn try_closed_until(&self, trace: TraceId) -> Inner<Option<Nanos>> {
        let hash = hash_of(trace);
        if !self.may(Hint::Closed(hash)) {
            return Ok(None);
        }
        let mut of = self
            .writer
            .conn
            .prepare_cached("SELECT max(until) FROM closed_trace WHERE era IN (?1, ?1 - 1, ?1 - 2) AND hash = ?2")?;
        Ok(of.query_row([self.writer.state.era.number, hash], |r| r.get(0))?)
    }

    /// Closes the figures of traces up to an instant each.
    pub fn close_figures(&mut self, traces: &[(TraceId, Nanos)]) -> Result<()> {
        let done = self.try_close_figures(traces);
        self.told(done)
    }

    fn try_close_figures(&mut self, traces: &[(TraceId, Nanos)]) -> Inner<()> {
        traces.iter().for_each(|(trace, _)| self.hint(Hint::Closed(hash_of(*trace))));
        let writer = &mut *self.writer;
        let era = &mut writer.state.era;
        if era.traces >= ERA {
            *era = Era { number: era.number + 1, traces: 0 };
        }
        let mut put = writer.conn.prepare_cached(
            "INSERT INTO closed_trace(era, hash, until) VALUES(?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET until = max(until, excluded.until)",
        )?;
        // In the order of the table: neighbours share a page.
        let mut rows: Vec<(i64, Nanos)> = traces.iter().map(|(trace, until)| (hash_of(*trace), *until)).collect();
        rows.sort_unstable();
        for (hash, until) in &rows {
            put.execute(params![era.number, hash, until])?;
        }
        era.traces += rows.len() as i64;
        let old = "DELETE FROM closed_trace WHERE (era, hash) IN (
            SELECT era, hash FROM closed_trace WHERE era <= ?1 ORDER BY era, hash LIMIT ?2)";
        writer.conn.prepare_cached(old)?.execute(params![era.number - ERAS, STEP as i64])?;
        let kept = format!("{} {}", era.number, era.traces);
        let mut keep = writer.conn.prepare_cached("INSERT OR REPLACE INTO meta(key, value) VALUES(?1, ?2)")?;
        keep.execute([META_ERA, &kept])?;
        Ok(())
    }

    /// Removes journeys that expired: what others of their kind lack is still told by them.
    pub fn expire_journeys(&mut self, ids: &[TraceId]) -> Result<()> {
        let conn = &self.writer.conn;
        let done = || -> Inner<()> {
            let mut count = conn.prepare_cached(
                "UPDATE journey_kind SET gone = gone + 1
                 WHERE (root, shape) = (SELECT root, shape FROM journey WHERE id = ?1)",
            )?;
            for id in ids {
                count.execute([id.as_bytes()])?;
            }
            journeys::delete(conn, ids)
        };
        self.told(done())
    }
}

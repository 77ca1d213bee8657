//! The numbers of [`Stats`], kept as they change.

use flowglass_model::Nanos;
use rusqlite::{Connection, params};

use crate::Stats;
use crate::fault::{Fault, Inner};

/// What no counter ever reaches.
const MOST: u64 = 1 << 62;

/// Counts so far; `bytes` of [`Stats`] is not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counters {
    /// The numbers.
    pub(crate) stats: Stats,
}

impl Counters {
    /// Reads the table.
    pub(crate) fn load(conn: &Connection) -> Inner<Counters> {
        let mut stats = Stats::default();
        let mut statement = conn.prepare_cached("SELECT name, value FROM counter")?;
        let mut rows = statement.query([])?;
        while let Some(r) = rows.next()? {
            let value: i64 = r.get(1)?;
            // Below zero or near the end of all numbers: somebody made it up.
            let count = || match u64::try_from(value) {
                Ok(count) if count < MOST => Ok(count),
                _ => Err(Fault::decode("a counter", format!("{value} of something"))),
            };
            match r.get_ref(0)?.as_str().unwrap_or_default() {
                "spans" => stats.spans = count()?,
                "traces" => stats.traces = count()?,
                "events" => stats.events = count()?,
                "logs" => stats.logs = count()?,
                "rejected" => stats.rejected = count()?,
                "dropped" => stats.dropped = count()?,
                "oldest" => stats.oldest = Some(value),
                "newest" => stats.newest = Some(value),
                _ => {}
            }
        }
        Ok(Counters { stats })
    }

    /// Writes the table.
    pub(crate) fn save(&self, conn: &Connection) -> Inner<()> {
        let s = &self.stats;
        let numbers = [
            ("spans", Some(s.spans as i64)),
            ("traces", Some(s.traces as i64)),
            ("events", Some(s.events as i64)),
            ("logs", Some(s.logs as i64)),
            ("rejected", Some(s.rejected as i64)),
            ("dropped", Some(s.dropped as i64)),
            ("oldest", s.oldest),
            ("newest", s.newest),
        ];
        let mut put = conn.prepare_cached("INSERT OR REPLACE INTO counter(name, value) VALUES(?1, ?2)")?;
        for (name, value) in numbers {
            if let Some(value) = value {
                put.execute(params![name, value])?;
            }
        }
        Ok(())
    }

    /// Widens the covered time.
    pub(crate) fn cover(&mut self, first: Nanos, last: Nanos) {
        let s = &mut self.stats;
        s.oldest = Some(s.oldest.map_or(first, |t| t.min(first)));
        s.newest = Some(s.newest.map_or(last, |t| t.max(last)));
    }
}

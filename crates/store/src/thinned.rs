//! Figures of long ago in longer steps: rows of a finer level go, oldest first, and those of the coarser ones stay.

use flowglass_model::Nanos;
use rusqlite::{Connection, OptionalExtension, params};

use crate::fault::Inner;
use crate::series::{FINEST, LEVELS};
use crate::{Reader, Result, Tx, Writer};

/// Workspace keys: the first bucket (of its own level) that a level still has.
const META: [&str; LEVELS.len() - 1] = ["figures_from_0", "figures_from_1"];

/// The time behind the newest for which each level stays, in buckets of the finest one: a day of 10 s, 30 days of 10 min.
const STAYS: [i64; LEVELS.len() - 1] = [8_640, 259_200];

/// Room that a row takes beside its sketch, bytes: key, counts and its share of the pages' own data.
const ROW: u64 = 24;

/// Rows looked at to tell how much room one takes.
const SAMPLE: i64 = 2_000;

/// From which instant on each level has all its rows, in buckets of the finest one: a multiple of the next level's length, or
/// the beginning of time where none went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Thinned([i64; LEVELS.len()]);

impl Thinned {
    /// Nothing went.
    #[cfg(test)]
    pub(crate) const NONE: Thinned = Thinned([i64::MIN; LEVELS.len()]);

    /// As the workspace says.
    pub(crate) fn load(conn: &Connection) -> Inner<Thinned> {
        let mut from = [i64::MIN; LEVELS.len()];
        let mut meta = conn.prepare_cached("SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?1")?;
        for (level, key) in META.iter().enumerate() {
            let known: Option<i64> = meta.query_row([key], |r| r.get(0)).optional()?;
            from[level] = known.map_or(i64::MIN, |bucket| bucket.saturating_mul(LEVELS[level]));
        }
        Ok(Thinned(from))
    }

    /// Whether a level has its rows at a bucket of the finest one.
    pub(crate) fn has(&self, level: usize, bucket: i64) -> bool {
        bucket.div_euclid(LEVELS[level]).saturating_mul(LEVELS[level]) >= self.0[level]
    }

    /// The finest level that has its rows from an instant on.
    pub(crate) fn level_at(&self, since: Nanos) -> usize {
        let bucket = since.div_euclid(FINEST);
        (0..LEVELS.len()).find(|level| self.0[*level] <= bucket).unwrap_or(LEVELS.len() - 1)
    }

    /// A range of buckets of the finest level in parts, in order: the finest level that each has, from and to, still in buckets of
    /// the finest one. A coarse bucket belongs to the part it starts in.
    pub(crate) fn parts(&self, from: i64, to: i64) -> Vec<(usize, i64, i64)> {
        let mut out = Vec::new();
        let mut from = from;
        for level in (0..LEVELS.len()).rev() {
            let end = if level == 0 { to } else { to.min(self.0[level - 1]) };
            if from < end {
                let up = |bucket: i64| {
                    (bucket.div_euclid(LEVELS[level]) + i64::from(bucket.rem_euclid(LEVELS[level]) != 0))
                        .saturating_mul(LEVELS[level])
                };
                out.push((level, up(from), up(end)));
                from = end;
            }
        }
        out.retain(|(_, from, to)| from < to);
        out
    }
}

/// Room of figures of the map, and from when on they are there in which steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// About how many bytes they take.
    pub bytes: u64,
    /// Since when there are figures of 10 s each; `None` where none were thinned.
    pub fine_from: Option<Nanos>,
    /// Since when there are figures of 10 min each; `None` where none were thinned.
    pub middle_from: Option<Nanos>,
}

impl Figures {
    /// As the workspace says. How many bytes there are is told by how many rows there are and how long some of the newest are.
    pub(crate) fn load(conn: &Connection) -> Inner<Figures> {
        let rows: i64 =
            conn.prepare_cached("SELECT coalesce(sum(live), 0) FROM series")?.query_row([], |r| r.get(0))?;
        let mut sample = conn.prepare_cached(
            "SELECT coalesce(avg(length(sketch)), 0) FROM
             (SELECT sketch FROM rollup WHERE level = 0 ORDER BY level DESC, bucket DESC, series DESC LIMIT ?1)",
        )?;
        let sketch: f64 = sample.query_row([SAMPLE], |r| r.get(0))?;
        let Thinned([fine, middle, _]) = Thinned::load(conn)?;
        let instant = |bucket: i64| (bucket > i64::MIN).then(|| bucket.saturating_mul(FINEST));
        Ok(Figures {
            bytes: (rows.max(0) as f64 * (ROW as f64 + sketch)) as u64,
            fine_from: instant(fine),
            middle_from: instant(middle),
        })
    }
}

impl Reader {
    /// Length of the shortest steps in which there are figures from an instant on, nanoseconds.
    pub fn finest_step(&self, since: Nanos) -> Result<Nanos> {
        self.ask(|db| Ok(LEVELS[Thinned::load(db.conn)?.level_at(since)] * FINEST))
    }
}

impl Tx<'_> {
    /// Removes the oldest figures of the finest steps that may go, those of at most so many buckets; longer steps of the same time
    /// stay. `false` when nothing may go: a day of 10 s and 30 days of 10 min always stay.
    pub fn thin_figures(&mut self, buckets: usize) -> Result<bool> {
        let done = self.try_thin(buckets);
        self.told(done)
    }

    fn try_thin(&mut self, buckets: usize) -> Inner<bool> {
        let Writer { conn, state, .. } = &mut *self.writer;
        let Some(newest) = state.rollups.newest() else { return Ok(false) };
        for level in 0..META.len() {
            let oldest = "SELECT min(bucket) FROM rollup WHERE level = ?1";
            let oldest: Option<i64> = conn.prepare_cached(oldest)?.query_row([level as i64], |r| r.get(0))?;
            let Some(oldest) = oldest else { continue };
            // All of a bucket of the next level, so that what is left of a level begins where one of the next begins.
            let ratio = LEVELS[level + 1] / LEVELS[level];
            let end = (oldest.div_euclid(ratio) + 1) * ratio;
            if end.saturating_mul(LEVELS[level]) > newest - STAYS[level] {
                continue;
            }
            let known = Thinned::load(conn)?.0[level].div_euclid(LEVELS[level]);
            let put =
                "INSERT INTO meta(key, value) VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET value = excluded.value";
            conn.prepare_cached(put)?.execute(params![META[level], end.max(known).to_string()])?;
            state.rollups.thin(conn, level, oldest, end.min(oldest.saturating_add(buckets.max(1) as i64)))?;
            return Ok(true);
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_a_range_with_what_there_is() {
        let thinned = Thinned([5_760, 2_880, i64::MIN]);
        assert_eq!(Thinned::NONE.parts(-7, 9), [(0, -7, 9)]);
        assert_eq!(thinned.parts(6_000, 6_001), [(0, 6_000, 6_001)]);
        assert_eq!(thinned.parts(5_701, 5_800), [(0, 5_760, 5_800)], "a bucket of 10 min began before");
        assert_eq!(thinned.parts(2_881, 5_700), [(1, 2_940, 5_700)]);
        assert_eq!(thinned.parts(-5_760, 5_761), [(2, -5_760, 2_880), (1, 2_880, 5_760), (0, 5_760, 5_761)]);
        assert_eq!(thinned.parts(1, 2), []);
    }

    #[test]
    fn the_finest_level_of_an_instant() {
        let thinned = Thinned([5_760, 2_880, i64::MIN]);
        let levels = [0, 2_879, 2_880, 5_759, 5_760].map(|bucket| thinned.level_at(bucket * FINEST + 1));
        assert_eq!(levels, [2, 2, 1, 1, 0]);
        assert!(
            thinned.has(0, 5_760) && !thinned.has(0, 5_759) && thinned.has(1, 2_881) && thinned.has(2, i64::MIN / 2)
        );
    }
}

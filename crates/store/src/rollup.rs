//! Figures on their way in: added up in memory, written once per commit.

use std::sync::Arc;

use flowglass_model::{Delta, SeriesKey, Sketch};
use rusqlite::{Connection, OptionalExtension, params};
use rustc_hash::FxHashMap;

use crate::fault::Inner;
use crate::series::{self, FINEST, Known, LEVELS};
use crate::thinned::Thinned;

/// Rows kept in memory between commits; beyond, those the last commit did not touch are forgotten.
const ROWS: usize = 8_192;

/// Level, bucket, series: the order of the table.
type Place = (usize, i64, i64);

struct Row {
    count: i64,
    errors: i64,
    sketch: Sketch,
    stored: bool,
    dirty: bool,
}

/// The series table in memory, and the rollup rows in use.
pub(crate) struct Rollups {
    series: FxHashMap<SeriesKey, usize>,
    known: Vec<Known>,
    changed: Vec<usize>,
    rows: FxHashMap<Place, Row>,
    dirty: Vec<(Place, usize)>,
    thinned: Thinned,
}

impl Rollups {
    /// Reads the series table.
    pub(crate) fn load(conn: &Connection) -> Inner<Rollups> {
        let (keys, known): (Vec<_>, Vec<_>) = series::all(conn)?.into_iter().unzip();
        let series = keys.into_iter().enumerate().map(|(i, k)| (k, i)).collect();
        let thinned = Thinned::load(conn)?;
        Ok(Rollups { series, known, changed: vec![], rows: FxHashMap::default(), dirty: vec![], thinned })
    }

    /// Adds changes. Neighbours that share a key and a bucket are added up at little more than the price of one.
    pub(crate) fn apply(&mut self, conn: &Connection, deltas: &[Delta]) -> Inner<()> {
        for run in deltas.chunk_by(|a, b| Arc::ptr_eq(&a.key, &b.key)) {
            self.apply_run(conn, run)?;
        }
        Ok(())
    }

    /// Adds changes of one series.
    fn apply_run(&mut self, conn: &Connection, run: &[Delta]) -> Inner<()> {
        let buckets = || run.iter().map(|d| d.at.div_euclid(FINEST));
        let (Some(first), Some(last)) = (buckets().min(), buckets().max()) else { return Ok(()) };
        let index = self.series_of(conn, &run[0].key, (first, last))?;
        let id = self.known[index].id;
        let sketched = |d: &Delta| d.duration.map(Sketch::bucket);
        let changes: Vec<_> = run.iter().zip(buckets()).map(|(d, bucket)| (bucket, d, sketched(d))).collect();
        for (level, size) in LEVELS.iter().enumerate() {
            for part in changes.chunk_by(|a, b| a.0.div_euclid(*size) == b.0.div_euclid(*size)) {
                // Of a time long ago only longer steps are kept.
                if !self.thinned.has(level, part[0].0) {
                    continue;
                }
                let place = (level, part[0].0.div_euclid(*size), id);
                let row = row_at(&mut self.rows, &mut self.dirty, conn, (place, index))?;
                for (_, delta, duration) in part {
                    row.count += delta.count;
                    row.errors += if delta.error { delta.count } else { 0 };
                    if let Some(duration) = duration {
                        row.sketch.add_to(*duration, delta.count);
                    }
                }
            }
        }
        Ok(())
    }

    fn series_of(&mut self, conn: &Connection, key: &SeriesKey, buckets: (i64, i64)) -> Inner<usize> {
        let (first, last) = (buckets.0.saturating_mul(FINEST), buckets.1.saturating_add(1).saturating_mul(FINEST));
        if let Some(index) = self.series.get(key) {
            let known = &mut self.known[*index];
            if first < known.first || last > known.last {
                known.first = known.first.min(first);
                known.last = known.last.max(last);
                self.changed.push(*index);
            }
            return Ok(*index);
        }
        let (kind, a, b, c) = series::columns(key);
        conn.prepare_cached("INSERT INTO series(kind, a, b, c, first, last, live) VALUES(?1, ?2, ?3, ?4, ?5, ?6, 0)")?
            .execute(params![kind, a, b, c, first, last])?;
        let index = self.known.len();
        self.known.push(Known { id: conn.last_insert_rowid(), first, last, live: 0 });
        self.series.insert(key.clone(), index);
        Ok(index)
    }

    /// Writes what changed; rows that fell to nothing go.
    pub(crate) fn flush(&mut self, conn: &Connection) -> Inner<()> {
        let mut dirty = std::mem::take(&mut self.dirty);
        dirty.sort_unstable();
        let mut put = conn.prepare_cached(
            "INSERT OR REPLACE INTO rollup(level, bucket, series, count, errors, sketch) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        let mut remove = conn.prepare_cached("DELETE FROM rollup WHERE level = ?1 AND bucket = ?2 AND series = ?3")?;
        for (place, index) in dirty {
            let Some(row) = self.rows.get_mut(&place) else { continue };
            row.dirty = false;
            let (level, bucket, id) = (place.0 as i64, place.1, place.2);
            let empty = row.count == 0 && row.errors == 0 && row.sketch.is_empty();
            if !empty {
                put.execute(params![level, bucket, id, row.count, row.errors, row.sketch.to_bytes()])?;
            } else if row.stored {
                remove.execute(params![level, bucket, id])?;
            }
            if row.stored == empty {
                self.known[index].live += if empty { -1 } else { 1 };
                self.changed.push(index);
            }
            row.stored = !empty;
        }
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_unstable();
        changed.dedup();
        let mut update = conn.prepare_cached("UPDATE series SET first = ?2, last = ?3, live = ?4 WHERE id = ?1")?;
        for index in changed {
            let k = &self.known[index];
            update.execute(params![k.id, k.first, k.last, k.live])?;
        }
        Ok(())
    }

    /// Removes the rows of a level whose bucket lies in `[from, to)`. What was said of them before is written first.
    pub(crate) fn thin(&mut self, conn: &Connection, level: usize, from: i64, to: i64) -> Inner<()> {
        self.flush(conn)?;
        let place = params![level as i64, from, to];
        let of =
            "SELECT series, count(*) FROM rollup WHERE level = ?1 AND bucket >= ?2 AND bucket < ?3 GROUP BY series";
        let mut of = conn.prepare_cached(of)?;
        let gone: FxHashMap<i64, i64> =
            of.query_map(place, |r| Ok((r.get(0)?, r.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
        conn.prepare_cached("DELETE FROM rollup WHERE level = ?1 AND bucket >= ?2 AND bucket < ?3")?.execute(place)?;
        for (index, known) in self.known.iter_mut().enumerate() {
            if let Some(rows) = gone.get(&known.id) {
                known.live -= rows;
                self.changed.push(index);
            }
        }
        self.rows.retain(|(l, bucket, _), _| *l != level || *bucket < from || *bucket >= to);
        self.thinned = Thinned::load(conn)?;
        self.flush(conn)
    }

    /// Rows in memory, and the buckets of their sketches.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.rows.len(), self.rows.values().map(|row| row.sketch.buckets().count()).sum())
    }

    /// End of the newest figures, in buckets of the finest level.
    pub(crate) fn newest(&self) -> Option<i64> {
        self.known.iter().map(|known| known.last.div_euclid(FINEST)).max()
    }

    /// How many series there are.
    pub(crate) fn series(&self) -> usize {
        self.known.len()
    }

    /// Forgets rows of older commits when there are many.
    pub(crate) fn trim(&mut self, newest: i64) {
        if self.rows.len() > ROWS {
            let recent = newest.div_euclid(FINEST) - LEVELS[1];
            self.rows.retain(|(level, bucket, _), row| row.dirty || bucket * LEVELS[*level] >= recent - LEVELS[*level]);
        }
        if self.rows.len() > ROWS * 8 {
            self.rows.retain(|_, row| row.dirty);
        }
    }
}

/// The row of a place, to be written with the next flush.
fn row_at<'r>(
    rows: &'r mut FxHashMap<Place, Row>,
    dirty: &mut Vec<(Place, usize)>,
    conn: &Connection,
    (place, series): (Place, usize),
) -> Inner<&'r mut Row> {
    let row = match rows.entry(place) {
        std::collections::hash_map::Entry::Occupied(e) => e.into_mut(),
        std::collections::hash_map::Entry::Vacant(e) => e.insert(read(conn, place)?),
    };
    if !row.dirty {
        row.dirty = true;
        dirty.push((place, series));
    }
    Ok(row)
}

fn read(conn: &Connection, place: Place) -> Inner<Row> {
    let mut statement = conn
        .prepare_cached("SELECT count, errors, sketch FROM rollup WHERE level = ?1 AND bucket = ?2 AND series = ?3")?;
    let stored = statement
        .query_row(params![place.0 as i64, place.1, place.2], |r| {
            let sketch = Sketch::from_bytes(r.get_ref(2)?.as_blob().unwrap_or_default());
            Ok(Row { count: r.get(0)?, errors: r.get(1)?, sketch, stored: true, dirty: false })
        })
        .optional()?;
    Ok(stored.unwrap_or_else(|| Row { count: 0, errors: 0, sketch: Sketch::default(), stored: false, dirty: false }))
}

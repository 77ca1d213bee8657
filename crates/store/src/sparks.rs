//! Counts over time, all series at once: what small charts need.

use std::collections::BTreeMap;

use flowglass_model::{Nanos, SeriesKey};
use rusqlite::{Connection, params};
use rustc_hash::FxHashMap;

use crate::fault::Inner;
use crate::series::{FINEST, LEVELS, all, level_for};
use crate::thinned::Thinned;

/// Occurrences and failures of a series in equal parts of a range.
pub type Spark = Vec<(i64, i64)>;

/// Counts and errors of every series with data in `[since, until)`, in `parts` equal parts; an open end is where the data
/// ends. A bucket counts in the part it starts in.
pub(crate) fn sparks(
    conn: &Connection,
    since: Option<Nanos>,
    until: Option<Nanos>,
    parts: usize,
) -> Inner<BTreeMap<SeriesKey, Spark>> {
    let known = all(conn)?;
    let since = since.or_else(|| known.iter().map(|(_, k)| k.first).min());
    let until = until.or_else(|| known.iter().map(|(_, k)| k.last).max());
    let (Some(since), Some(until)) = (since, until) else { return Ok(BTreeMap::new()) };
    if until <= since || parts == 0 {
        return Ok(BTreeMap::new());
    }
    let width = ((i128::from(until) - i128::from(since)) as f64 / parts as f64).max(1.0);
    let level = level_for(width, since, Thinned::load(conn)?);
    let length = LEVELS[level] * FINEST;
    let up = |t: Nanos| t.div_euclid(length) + i64::from(t.rem_euclid(length) != 0);
    let from = if level == 0 { up(since) } else { since.div_euclid(length) };
    let mut statement = conn.prepare_cached(
        "SELECT series, bucket, count, errors FROM rollup WHERE level = ?1 AND bucket >= ?2 AND bucket < ?3",
    )?;
    let mut rows = statement.query(params![level as i64, from, up(until)])?;
    let mut by_id: FxHashMap<i64, Spark> = FxHashMap::default();
    while let Some(r) = rows.next()? {
        let offset = r.get::<_, i64>(1)?.saturating_mul(length).saturating_sub(since).max(0);
        let spark = by_id.entry(r.get(0)?).or_insert_with(|| vec![(0, 0); parts]);
        let Some(part) = spark.get_mut((offset as f64 / width) as usize) else { continue };
        part.0 += r.get::<_, i64>(2)?;
        part.1 += r.get::<_, i64>(3)?;
    }
    Ok(known.into_iter().filter_map(|(key, k)| Some((key, by_id.remove(&k.id)?))).collect())
}

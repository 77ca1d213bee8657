//! Coarser figures that are missing, added up from the finer ones.

use std::collections::BTreeMap;

use flowglass_model::Sketch;
use rusqlite::{Connection, params};

use crate::fault::Inner;
use crate::series::LEVELS;

/// Drops figures of nobody, and adds up what is missing of the coarser ones.
pub(super) fn complete(conn: &Connection) -> Inner<()> {
    conn.execute("DELETE FROM rollup WHERE series NOT IN (SELECT id FROM series)", [])?;
    for level in 1..LEVELS.len() {
        let ratio = LEVELS[level] / LEVELS[level - 1];
        let mut there = conn.prepare_cached("SELECT 1 FROM rollup WHERE level = ?1 AND bucket = ?2 AND series = ?3")?;
        let mut missing: BTreeMap<(i64, i64), (i64, i64, Sketch)> = BTreeMap::new();
        let mut finer =
            conn.prepare_cached("SELECT bucket, series, count, errors, sketch FROM rollup WHERE level = ?1")?;
        let mut rows = finer.query([level as i64 - 1])?;
        while let Some(r) = rows.next()? {
            let place = (r.get::<_, i64>(0)?.div_euclid(ratio), r.get::<_, i64>(1)?);
            if !missing.contains_key(&place) && there.exists(params![level as i64, place.0, place.1])? {
                continue;
            }
            let (count, errors, sketch) = missing.entry(place).or_default();
            *count += r.get::<_, i64>(2)?;
            *errors += r.get::<_, i64>(3)?;
            sketch.merge(&Sketch::from_bytes(r.get_ref(4)?.as_blob().unwrap_or_default()));
        }
        let mut put = conn.prepare_cached(
            "INSERT INTO rollup(level, bucket, series, count, errors, sketch) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        for ((bucket, series), (count, errors, sketch)) in missing {
            put.execute(params![level as i64, bucket, series, count, errors, sketch.to_bytes()])?;
        }
    }
    Ok(())
}

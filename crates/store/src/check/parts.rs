//! Chunks of spans and log records, held against what is said of them.

use rusqlite::params;

use super::filters::Filters;
use super::look::{Checked, is_damage, rows_of, words};
use crate::chunk::{Chunk, Kind};
use crate::compression::has_checksum;
use crate::db::Db;
use crate::erase;
use crate::fault::Inner;
use crate::filters::Parts;
use crate::progress::{Unit, Watch};

/// Every chunk: its checksum, its items, its header, its filter, where its traces lie.
pub(super) fn chunks(db: Db<'_>, watch: &Watch<'_>, out: &mut Checked) -> Inner<()> {
    watch.begin("spans and log records", rows_of(db.conn, "chunk")?, Unit::Rows)?;
    let unswept = erase::unswept(db.conn)?;
    let mut filters = [Filters::new(db.conn, Parts::Spans)?, Filters::new(db.conn, Parts::Logs)?];
    let mut heads = db.conn.prepare("SELECT id, kind, items, first, last FROM chunk ORDER BY id")?;
    let mut body = db.conn.prepare("SELECT body FROM chunk WHERE id = ?1")?;
    let mut rows = heads.query([])?;
    while let Some(r) = rows.next()? {
        let (id, kind, items) = (r.get::<_, i64>(0)?, r.get::<_, i64>(1)?, r.get::<_, i64>(2)?);
        let ends = (r.get::<_, i64>(3)?, r.get::<_, i64>(4)?);
        watch.step(1)?;
        out.chunks += 1;
        let read = body.query_row([id], |r| {
            let bytes = r.get_ref(0)?.as_blob()?;
            Ok((has_checksum(bytes.get(5..).unwrap_or_default()), Chunk::decode(bytes)))
        });
        let chunk = match read {
            Ok((checksum, chunk)) => {
                out.chunks_without_checksum += u64::from(!checksum);
                chunk
            }
            Err(e) if is_damage(&e) => Err(e.into()),
            Err(e) => return Err(e.into()),
        };
        let name = || format!("part {id} ({items} of them)");
        match chunk {
            Err(fault) => out.tell("spans and log records", format!("{} cannot be read: {}", name(), words(&fault))),
            Ok(chunk) => {
                if chunk.len() as i64 != items {
                    out.tell("spans and log records", format!("{} holds {}", name(), chunk.len()));
                }
                if let Some(why) = wrong_items(&chunk, kind, ends) {
                    out.tell("spans and log records", format!("{}: {why}", name()));
                }
                if !unswept.contains(&id) {
                    placed(db, &chunk, (id, kind), out)?;
                }
                filtered(&mut filters[usize::from(kind != Kind::Spans as i64)], &chunk, (id, kind), out)?;
            }
        }
    }
    Ok(())
}

/// What is wrong with the items of a chunk.
fn wrong_items(chunk: &Chunk, kind: i64, (first, last): (i64, i64)) -> Option<String> {
    for index in 0..chunk.len() {
        let time = if kind == Kind::Spans as i64 {
            chunk.span(index).map(|s| s.facts.start)
        } else {
            chunk.log(index).map(|l| l.time)
        };
        match time {
            Err(fault) => return Some(words(&fault)),
            Ok(time) if time < first || time > last => return Some("one of them is outside of its period".to_owned()),
            Ok(_) => {}
        }
    }
    None
}

/// Whether each trace of a chunk is noted where it lies.
fn placed(db: Db<'_>, chunk: &Chunk, (id, kind): (i64, i64), out: &mut Checked) -> Inner<()> {
    let mut place =
        db.conn.prepare_cached("SELECT first, items FROM trace_chunk WHERE trace = ?1 AND kind = ?2 AND chunk = ?3")?;
    let mut wrong = 0;
    for (trace, first, items) in chunk.traces() {
        let found =
            place.query_row(params![trace.as_bytes(), kind, id], |r| Ok((r.get::<_, i64>(0)?, r.get::<_, i64>(1)?)));
        match found {
            Ok(at) => wrong += u64::from(at != (first as i64, items as i64)),
            Err(rusqlite::Error::QueryReturnedNoRows) => wrong += 1,
            Err(e) if is_damage(&e) => wrong += 1,
            Err(e) => return Err(e.into()),
        }
    }
    if wrong > 0 {
        out.tell("where traces lie", format!("{wrong} traces of part {id} are not found there"));
    }
    Ok(())
}

/// Whether the filter of a chunk knows what the chunk holds.
fn filtered(filters: &mut Filters<'_>, chunk: &Chunk, (id, kind): (i64, i64), out: &mut Checked) -> Inner<()> {
    let filter = match filters.of(id) {
        Ok(filter) => filter,
        Err(e) if is_damage(&e) => {
            out.tell("search filters", format!("that of part {id} cannot be read: {e}"));
            return Ok(());
        }
        Err(e) => return Err(e.into()),
    };
    if filter.is_missing() {
        out.tell("search filters", format!("part {id} has none: nothing in it is found"));
        return Ok(());
    }
    let known = |index| -> Inner<bool> {
        if kind != Kind::Spans as i64 {
            let span = chunk.log(index)?.span_id;
            return Ok(span.is_none_or(|s| filter.may_hold(s.as_bytes())));
        }
        let span = chunk.span(index)?;
        let name = span.name.is_empty() || filter.may_hold(span.name.as_bytes());
        Ok(name && filter.may_hold(span.facts.span_id.as_bytes()))
    };
    if (0..chunk.len()).any(|index| known(index).is_ok_and(|known| !known)) {
        out.tell("search filters", format!("that of part {id} is wrong: some of it is not found"));
    }
    Ok(())
}

/// Whether all that is said of chunks is said of chunks that are there.
pub(super) fn places(db: Db<'_>, watch: &Watch<'_>, out: &mut Checked) -> Inner<()> {
    watch.begin("where traces lie", 0, Unit::Rows)?;
    let count = |sql: &str| db.conn.query_row(sql, [], |r| r.get::<_, i64>(0));
    let nowhere = count(
        "SELECT count(*) FROM trace_chunk t WHERE NOT EXISTS(SELECT 1 FROM chunk c WHERE c.id = t.chunk AND c.kind = t.kind)",
    )?;
    if nowhere > 0 {
        out.tell("where traces lie", format!("{nowhere} places are in parts that are not there"));
    }
    let mut orphans = count("SELECT count(*) FROM chunk_filter WHERE chunk NOT IN (SELECT id FROM chunk)")?;
    if db.conn.table_exists(None, "value_filter")? {
        orphans += count("SELECT count(*) FROM value_filter WHERE parts < 2 AND part NOT IN (SELECT id FROM chunk)")?;
    }
    if orphans > 0 {
        out.tell("search filters", format!("{orphans} belong to parts that are not there"));
    }
    Ok(())
}

//! Where filters stand: one row for each part of the data until [`GROUP`] of them are there, then slice by slice, so that a search
//! reads of each group only the slice of what it looks for.

use rusqlite::{Connection, params};

use crate::chunk::Kind;
use crate::fault::Inner;
use crate::filter::{self, Filter, SLICES, put_length, slice_may_hold, slice_of, take_length};
use crate::message_rows::BLOCK;

/// Parts whose slices stand together.
const GROUP: usize = 32;

/// What parts there are. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parts {
    /// Chunks of spans, by id.
    Spans = 0,
    /// Chunks of log records, by id.
    Logs = 1,
    /// Blocks of publications, by number.
    Messages = 2,
}

impl From<Kind> for Parts {
    fn from(kind: Kind) -> Parts {
        match kind {
            Kind::Spans => Parts::Spans,
            Kind::Logs => Parts::Logs,
        }
    }
}

/// The filter of a part: finished, or one to which values are still added.
const FINISHED: u8 = 1;
const OPEN: u8 = 0;

/// Keeps the filter of a part that is full.
pub(crate) fn put(conn: &Connection, parts: Parts, part: i64, slices: &[Vec<u8>]) -> Inner<()> {
    let mut bits = vec![FINISHED];
    for slice in slices {
        put_length(&mut bits, slice.len());
        bits.extend_from_slice(slice);
    }
    store(conn, parts, part, &bits)
}

/// Keeps the filter of a part that grows.
pub(crate) fn put_open(conn: &Connection, parts: Parts, part: i64, filter: Filter) -> Inner<()> {
    let mut bits = vec![OPEN];
    bits.extend(filter.bytes());
    store(conn, parts, part, &bits)
}

fn store(conn: &Connection, parts: Parts, part: i64, bits: &[u8]) -> Inner<()> {
    conn.prepare_cached("INSERT OR REPLACE INTO value_filter(parts, part, bits) VALUES(?1, ?2, ?3)")?
        .execute(params![parts as i64, part, bits])?;
    Ok(())
}

/// The filter of a part that grows; an empty one where there is none yet.
pub(crate) fn open(conn: &Connection, parts: Parts, part: i64) -> Inner<Filter> {
    let mut statement = conn.prepare_cached("SELECT bits FROM value_filter WHERE parts = ?1 AND part = ?2")?;
    let mut rows = statement.query(params![parts as i64, part])?;
    let Some(r) = rows.next()? else { return Ok(Filter::default()) };
    Ok(match r.get_ref(0)?.as_blob().unwrap_or_default() {
        [OPEN, bytes @ ..] => Filter::open(bytes),
        _ => Filter::default(),
    })
}

/// Forgets the filter of a chunk that is no more. In a group it stays until the group goes: what it finds is not there.
pub(crate) fn forget_chunk(conn: &Connection, kind: Kind, chunk: i64) -> Inner<()> {
    conn.prepare_cached("DELETE FROM chunk_filter WHERE chunk = ?1")?.execute([chunk])?;
    forget(conn, kind.into(), chunk)
}

/// Forgets the filter of a block of publications that is empty; in a group likewise.
pub(crate) fn forget_block(conn: &Connection, block: i64) -> Inner<()> {
    conn.prepare_cached("DELETE FROM message_filter WHERE block = ?1")?.execute([block])?;
    forget(conn, Parts::Messages, block)
}

fn forget(conn: &Connection, parts: Parts, part: i64) -> Inner<()> {
    conn.prepare_cached("DELETE FROM value_filter WHERE parts = ?1 AND part = ?2")?
        .execute(params![parts as i64, part])?;
    Ok(())
}

/// Forgets groups of which no part is left.
pub(crate) fn sweep(conn: &Connection) -> Inner<()> {
    let mut groups = conn.prepare_cached(
        "SELECT parts, first FROM value_slice g WHERE slice = 0 AND CASE parts
             WHEN ?1 THEN NOT EXISTS(SELECT 1 FROM message WHERE id >= g.first * ?2 AND id < (g.last + 1) * ?2)
             ELSE NOT EXISTS(SELECT 1 FROM chunk WHERE kind = g.parts AND id >= g.first AND id <= g.last) END",
    )?;
    let rows = groups.query_map([Parts::Messages as i64, BLOCK], |r| Ok((r.get(0)?, r.get(1)?)))?;
    let empty: Vec<(i64, i64)> = rows.collect::<Result<_, _>>()?;
    let mut delete = conn.prepare_cached("DELETE FROM value_slice WHERE parts = ?1 AND slice = ?2 AND first = ?3")?;
    for (parts, first) in empty {
        for slice in 0..SLICES as i64 {
            delete.execute([parts, slice, first])?;
        }
    }
    Ok(())
}

/// Puts the oldest filters together, slice by slice, once there are enough of them beside the newest.
pub(crate) fn group(conn: &Connection, parts: Parts) -> Inner<()> {
    let mut count = conn.prepare_cached("SELECT count(*) FROM value_filter WHERE parts = ?1")?;
    if count.query_row([parts as i64], |r| r.get::<_, i64>(0))? <= GROUP as i64 {
        return Ok(());
    }
    let mut slices: Vec<Vec<u8>> = vec![Vec::new(); SLICES];
    let mut ends = None;
    {
        let mut oldest =
            conn.prepare_cached("SELECT part, bits FROM value_filter WHERE parts = ?1 ORDER BY part LIMIT ?2")?;
        let mut rows = oldest.query(params![parts as i64, GROUP as i64])?;
        while let Some(r) = rows.next()? {
            let part: i64 = r.get(0)?;
            ends = Some((ends.map_or(part, |(first, _)| first), part));
            let bits = r.get_ref(1)?.as_blob().unwrap_or_default();
            let mut add = |slice: usize, own: &[u8]| {
                slices[slice].extend_from_slice(&part.to_le_bytes());
                put_length(&mut slices[slice], own.len());
                slices[slice].extend_from_slice(own);
            };
            slices_of(bits).iter().enumerate().for_each(|(slice, own)| add(slice, own));
        }
    }
    let Some((first, last)) = ends else { return Ok(()) };
    let mut put = conn.prepare_cached(
        "INSERT OR REPLACE INTO value_slice(parts, slice, first, last, bits) VALUES(?1, ?2, ?3, ?4, ?5)",
    )?;
    for (slice, bits) in slices.iter().enumerate() {
        put.execute(params![parts as i64, slice as i64, first, last, bits])?;
    }
    conn.prepare_cached("DELETE FROM value_filter WHERE parts = ?1 AND part <= ?2")?
        .execute(params![parts as i64, last])?;
    Ok(())
}

/// One slice of a finished filter; `None` when it cannot be read.
fn finished_slice(bits: &[u8], wanted: usize) -> Option<&[u8]> {
    let mut rest = bits.strip_prefix(&[FINISHED])?;
    for slice in 0.. {
        let length = take_length(&mut rest)?;
        let (own, others) = rest.split_at_checked(length)?;
        if slice == wanted {
            return Some(own);
        }
        rest = others;
    }
    None
}

/// Parts that may hold a value, newest first. Some may not be there any more.
pub(crate) fn parts_with(conn: &Connection, parts: Parts, value: &[u8]) -> Inner<Vec<i64>> {
    let mut found = Vec::new();
    each_part(conn, parts, slice_of(value), &mut |part, slice| {
        if slice_may_hold(slice, value) {
            found.push(part);
        }
    })?;
    let old = match parts {
        Parts::Messages => "SELECT block, bits FROM message_filter",
        _ => "SELECT chunk, bits FROM chunk_filter WHERE kind = ?1",
    };
    let mut statement = conn.prepare_cached(old)?;
    let mut rows = if parts == Parts::Messages { statement.query([])? } else { statement.query([parts as i64])? };
    while let Some(r) = rows.next()? {
        if crate::bloom::may_hold(r.get_ref(1)?.as_blob().unwrap_or_default(), value) {
            found.push(r.get(0)?);
        }
    }
    found.sort_unstable_by(|a, b| b.cmp(a));
    found.dedup();
    Ok(found)
}

/// Which of the values may be anywhere, where the others certainly are not: each slice is read once for all that belong to it.
pub(crate) fn may_hold(conn: &Connection, values: &[&[u8]], may: &mut [bool]) -> Inner<()> {
    for slice in 0..SLICES {
        for parts in [Parts::Spans, Parts::Logs, Parts::Messages] {
            let mut open: Vec<usize> =
                (0..values.len()).filter(|i| !may[*i] && slice_of(values[*i]) == slice).collect();
            if open.is_empty() {
                break;
            }
            each_part(conn, parts, slice, &mut |_, bits| {
                open.retain(|i| {
                    may[*i] |= slice_may_hold(bits, values[*i]);
                    !may[*i]
                });
            })?;
        }
    }
    for sql in ["SELECT bits FROM chunk_filter", "SELECT bits FROM message_filter"] {
        let mut statement = conn.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        while let Some(r) = rows.next()? {
            let bits = r.get_ref(0)?.as_blob().unwrap_or_default();
            let open = values.iter().zip(&mut *may).filter(|(_, may)| !**may);
            open.for_each(|(value, may)| *may = crate::bloom::may_hold(bits, value));
        }
    }
    Ok(())
}

/// Calls `f` with each part of a group and its slice.
pub(crate) fn each_in_group(mut rest: &[u8], f: &mut dyn FnMut(i64, &[u8])) {
    while let Some((part, after)) = rest.split_first_chunk::<8>() {
        rest = after;
        let length = take_length(&mut rest).unwrap_or(rest.len()).min(rest.len());
        let (own, others) = rest.split_at(length);
        f(i64::from_le_bytes(*part), own);
        rest = others;
    }
}

/// All slices of a stored filter.
pub(crate) fn slices_of(bits: &[u8]) -> Vec<Vec<u8>> {
    match bits {
        [OPEN, bytes @ ..] => Filter::open(bytes).slices(),
        // An unreadable slice is an empty one: it may hold anything.
        _ => (0..SLICES).map(|slice| finished_slice(bits, slice).unwrap_or_default().to_vec()).collect(),
    }
}

/// Calls `f` with each part and its slice of this number.
fn each_part(conn: &Connection, parts: Parts, slice: usize, f: &mut dyn FnMut(i64, &[u8])) -> Inner<()> {
    let mut statement = conn.prepare_cached("SELECT bits FROM value_slice WHERE parts = ?1 AND slice = ?2")?;
    let mut rows = statement.query(params![parts as i64, slice as i64])?;
    while let Some(r) = rows.next()? {
        each_in_group(r.get_ref(0)?.as_blob().unwrap_or_default(), f);
    }
    let mut statement = conn.prepare_cached("SELECT part, bits FROM value_filter WHERE parts = ?1")?;
    let mut rows = statement.query([parts as i64])?;
    while let Some(r) = rows.next()? {
        let (part, bits) = (r.get(0)?, r.get_ref(1)?.as_blob().unwrap_or_default());
        match bits {
            [OPEN, bytes @ ..] => f(part, &filter::slice(bytes, slice)),
            _ => f(part, finished_slice(bits, slice).unwrap_or_default()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(part: i64) -> impl Iterator<Item = String> {
        (0..300).map(move |n| format!("value-{}", part * 100 + n))
    }

    fn filter(part: i64) -> Filter {
        let mut filter = Filter::default();
        values(part).for_each(|v| filter.add(v.as_bytes()));
        filter
    }

    #[test]
    fn groups_find_what_single_filters_find() {
        let folder = tempfile::tempdir().unwrap();
        let conn = crate::schema::open_for_writing(&folder.path().join("filters.flowglass")).unwrap();
        let parts = Parts::Messages;
        for part in 1..=100 {
            // Some grow, some are finished; half of a growing one comes later.
            if part % 3 == 0 {
                put(&conn, parts, part, &filter(part).slices()).unwrap();
            } else {
                let mut grows = open(&conn, parts, part).unwrap();
                values(part).take(100).for_each(|v| grows.add(v.as_bytes()));
                put_open(&conn, parts, part, grows).unwrap();
                let mut grows = open(&conn, parts, part).unwrap();
                values(part).for_each(|v| grows.add(v.as_bytes()));
                put_open(&conn, parts, part, grows).unwrap();
            }
            group(&conn, parts).unwrap();
        }
        let count = |table: &str| -> i64 {
            conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get(0)).unwrap()
        };
        assert_eq!((count("value_filter"), count("value_slice")), (4, 3 * SLICES as i64));
        let mut invented = 0;
        for part in 1..=100 {
            // Parts begin a hundred values apart and hold three hundred: this one is in three of them.
            let wanted: Vec<i64> = [part, part - 1, part - 2].into_iter().filter(|p| *p >= 1).collect();
            let value = format!("value-{}", part * 100 + 50);
            let found = parts_with(&conn, parts, value.as_bytes()).unwrap();
            assert!(wanted.iter().all(|p| found.contains(p)), "{value}: {found:?}");
            invented += found.len() - wanted.len();
            assert!(found.windows(2).all(|pair| pair[0] > pair[1]), "newest first: {found:?}");
        }
        assert!(invented < 40, "{invented} of 10,000 invented");
        let asked: Vec<String> = (0..2_000).map(|n| format!("absent-{n}")).chain(values(7)).collect();
        let asked: Vec<&[u8]> = asked.iter().map(String::as_bytes).collect();
        let mut may = vec![false; asked.len()];
        may_hold(&conn, &asked, &mut may).unwrap();
        assert!(may[2_000..].iter().all(|m| *m) && may[..2_000].iter().filter(|m| **m).count() < 200);
        // No publication is there, so no group is needed any more.
        sweep(&conn).unwrap();
        assert_eq!(count("value_slice"), 0);
        forget_block(&conn, 100).unwrap();
        assert_eq!(count("value_filter"), 3);
    }
}

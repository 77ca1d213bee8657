//! What is stored anew rather than copied: spans and log records with all that is noted beside them, and what is found of events.

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::{LogRecord, Span, TraceId};
use rusqlite::Connection;
use rusqlite::types::Value;
use rustc_hash::FxHashSet;

use super::copy::{is_damaged, value_of};
use super::lost::Lost;
use super::tree::{Row, Source};
use crate::chunk::{Chunk, Kind};
use crate::erase::META_UNSWEPT;
use crate::fault::{Fault, Inner};
use crate::message_rows::{COLUMNS, fill_body, message_at};
use crate::names::Texts;
use crate::progress::Watch;
use crate::{StoreError, Writer, carried, journeys};

/// Items, or rows, of one transaction.
const STEP: usize = 16_000;

/// The head of a chunk.
#[derive(Clone, Copy)]
struct Head {
    kind: i64,
    items: u64,
    first: Option<i64>,
    last: Option<i64>,
}

/// Traces that each of some chunks holds, with the number of items.
type Places = BTreeMap<i64, BTreeMap<TraceId, u64>>;

/// Stores spans and log records anew; what is lost of both.
pub(super) fn chunks(source: &Source<'_>, writer: &mut Writer) -> Result<(Lost, Lost), Failed> {
    let (mut spans, mut logs) = (Lost::of("spans"), Lost::of("log records"));
    // Once, for what it says of its own pages.
    source.rows("trace_chunk", &mut |_| Ok(()))?;
    let taken_off = taken_off(source)?;
    let mut heads: BTreeMap<i64, Head> = BTreeMap::new();
    source.rows("chunk_kind", &mut |row| {
        if let (Some(id), Some(kind), Some(items)) = (row.points_to(), row.number(0), row.number(2)) {
            heads.insert(id, Head { kind, items: items as u64, first: row.number(3), last: row.number(4) });
        }
        Ok(())
    })?;
    let mut pending = Items::default();
    let mut kept = FxHashSet::default();
    let mut failed = None;
    let read = source.rows("chunk", &mut |row| {
        let Some((kind, items)) = row.number(1).zip(row.number(2)) else { return Ok(()) };
        heads.entry(row.id).or_insert(Head { kind, items: items as u64, first: row.number(3), last: row.number(4) });
        let body = row.bytes(5).filter(|_| !row.cut).map(Chunk::decode);
        let Some(Ok(chunk)) = body else { return Ok(()) };
        kept.insert(row.id);
        let left = taken_off.as_ref().filter(|(ids, _)| ids.contains(&row.id)).map(|(_, places)| places.get(&row.id));
        let stays = |t: Option<TraceId>| match (left, t) {
            (Some(left), Some(trace)) => left.is_some_and(|of| of.contains_key(&trace)),
            _ => true,
        };
        let broken = pending.take(&chunk, kind, &stays);
        let lost = if kind == Kind::Spans as i64 { &mut spans } else { &mut logs };
        lost.add(broken);
        if broken > 0 {
            lost.cover(row.number(3), row.number(4));
        }
        if pending.spans.len() + pending.logs.len() >= STEP {
            failed = store(writer, &std::mem::take(&mut pending)).err();
        }
        // The walk ends with the first error of the new file.
        if failed.is_some() { Err(Fault::decode("the new file", "it cannot be written")) } else { Ok(()) }
    });
    if let Some(error) = failed {
        return Err(Failed::There(error));
    }
    read?;
    store(writer, &pending).map_err(Failed::There)?;
    let gone: BTreeSet<i64> = heads.keys().copied().filter(|id| !kept.contains(id)).collect();
    let places = places_of(source, &|id| gone.contains(&id))?;
    for id in &gone {
        let head = heads[id];
        let lost = if head.kind == Kind::Spans as i64 { &mut spans } else { &mut logs };
        let named: u64 = places.get(id).map_or(0, |of| of.values().sum());
        let whole = head.kind == Kind::Logs as i64 || named == 0 || is_damaged(source, "trace_chunk");
        lost.add(if whole { head.items } else { named });
        lost.cover(head.first, head.last);
        places.get(id).into_iter().flat_map(BTreeMap::keys).for_each(|t| lost.trace(Some(*t)));
    }
    if is_damaged(source, "chunk") && is_damaged(source, "chunk_kind") {
        (spans.count, logs.count) = (None, None);
    }
    Ok((spans, logs))
}

/// Why storing anew ended.
pub(super) enum Failed {
    /// In the damaged file.
    Here(Fault),
    /// In the new one.
    There(StoreError),
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Failed {
        Failed::Here(fault)
    }
}

/// Chunks that traces were taken off, with those that are left; what was deleted must not come back. Nothing where no chunk is
/// concerned.
fn taken_off(source: &Source<'_>) -> Inner<Option<(BTreeSet<i64>, Places)>> {
    let noted = match value_of(source, "meta", META_UNSWEPT)? {
        Some(Value::Text(ids)) => ids.split(' ').filter_map(|id| id.parse().ok()).collect::<BTreeSet<i64>>(),
        // Nothing says which: every chunk is held against what says where its traces lie.
        None if is_damaged(source, "meta") && !is_damaged(source, "trace_chunk") => {
            let places = places_of(source, &|_| true)?;
            return Ok(Some((places.keys().copied().collect(), places)));
        }
        _ => return Ok(None),
    };
    let places = places_of(source, &|id| noted.contains(&id))?;
    Ok(Some((noted, places)))
}

fn places_of(source: &Source<'_>, wanted: &dyn Fn(i64) -> bool) -> Inner<Places> {
    let mut out = Places::new();
    source.rows("trace_chunk", &mut |row| {
        if let (Some(trace), Some(id), Some(items)) = (trace_at(&row, 0), row.number(2), row.number(4))
            && wanted(id)
        {
            out.entry(id).or_default().insert(trace, items as u64);
        }
        Ok(())
    })?;
    Ok(out)
}

fn trace_at(row: &Row, column: usize) -> Option<TraceId> {
    TraceId::new(row.bytes(column)?.try_into().ok()?)
}

/// Spans and log records on their way.
#[derive(Default)]
struct Items {
    spans: Vec<Span>,
    logs: Vec<LogRecord>,
}

impl Items {
    /// Takes what a chunk holds, but for traces that were taken off it; the number of items that cannot be read.
    fn take(&mut self, chunk: &Chunk, kind: i64, stays: &dyn Fn(Option<TraceId>) -> bool) -> u64 {
        let mut broken = 0;
        for index in 0..chunk.len() {
            if kind == Kind::Spans as i64 {
                let span = chunk.span(index);
                broken += u64::from(span.is_err());
                self.spans.extend(span.ok().filter(|s| stays(Some(s.facts.trace_id))));
            } else {
                let log = chunk.log(index);
                broken += u64::from(log.is_err());
                self.logs.extend(log.ok().filter(|l| stays(l.trace_id)));
            }
        }
        broken
    }
}

fn store(writer: &mut Writer, items: &Items) -> crate::Result<()> {
    let mut tx = writer.begin()?;
    items.spans.iter().try_for_each(|s| tx.carry(&s.facts))?;
    tx.add_spans(&items.spans)?;
    tx.add_logs(&items.logs)?;
    tx.commit()
}

/// Makes the filters of copied publications, and drops those that make no sense. Gives what is lost: whole publications,
/// payloads.
pub(super) fn messages(writer: &mut Writer, watch: &Watch<'_>) -> crate::Result<(Lost, Lost)> {
    let (mut gone, mut payloads) = (Lost::of("publications of events"), Lost::of("payloads of events"));
    let mut after = i64::MIN;
    loop {
        let mut tx = writer.begin()?;
        let step = || -> Inner<Vec<(i64, Option<i64>)>> {
            let sql = "SELECT id, time FROM message WHERE id > ?1 ORDER BY id LIMIT ?2";
            let mut statement = tx.writer.conn.prepare_cached(sql)?;
            let rows = statement.query_map((after, STEP as i64), |r| Ok((r.get(0)?, r.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        };
        let rows = tx.told(watch.turn_to("search filters of events").and_then(|()| step()))?;
        let Some((last, _)) = rows.last() else { break };
        after = *last;
        for (id, time) in rows {
            let done = one_message(&mut tx, id);
            match tx.told(done)? {
                Told::Whole => {}
                Told::NoPayload => {
                    payloads.add(1);
                    payloads.cover(time, time);
                }
                Told::Nothing => {
                    gone.add(1);
                    gone.cover(time, time);
                }
            }
        }
        tx.commit()?;
    }
    Ok((gone, payloads))
}

enum Told {
    Whole,
    NoPayload,
    Nothing,
}

fn one_message(tx: &mut crate::Tx<'_>, id: i64) -> Inner<Told> {
    let conn = &tx.writer.conn;
    let read = || -> Inner<_> {
        let mut statement = conn.prepare_cached(&format!("SELECT {COLUMNS} FROM message m WHERE m.id = ?1"))?;
        let mut rows = statement.query([id])?;
        rows.next()?.map(message_at).transpose()
    };
    let mut message = match read() {
        Ok(Some((.., message))) => message,
        Ok(None) => return Ok(Told::Whole),
        Err(Fault::Decode(..)) => {
            conn.prepare_cached("DELETE FROM message WHERE id = ?1")?.execute([id])?;
            return Ok(Told::Nothing);
        }
        Err(other) => return Err(other),
    };
    let has = conn.prepare_cached("SELECT 1 FROM message_body WHERE id = ?1")?.exists([id])?;
    let whole = match fill_body(conn, id, &mut message) {
        Ok(()) => has,
        Err(Fault::Decode(..)) => {
            conn.prepare_cached("DELETE FROM message_body WHERE id = ?1")?.execute([id])?;
            false
        }
        Err(other) => return Err(other),
    };
    carried::note_message(conn, id, &message)?;
    tx.blocks.add(conn, id, &message)?;
    Ok(if whole { Told::Whole } else { Told::NoPayload })
}

/// Drops copied journeys that cannot be told any more; their number.
pub(super) fn journeys(conn: &Connection) -> Inner<u64> {
    let texts = Texts::new(conn);
    let mut broken = Vec::new();
    let roots = "SELECT row FROM journey WHERE root NOT IN (SELECT id FROM journey_root)
        OR shape IS NOT NULL AND shape NOT IN (SELECT id FROM journey_shape)";
    let mut statement = conn.prepare(roots)?;
    broken.extend(statement.query_map([], |r| r.get::<_, i64>(0))?.collect::<Result<Vec<_>, _>>()?);
    let mut statement = conn.prepare(&format!("SELECT {}, row FROM journey NOT INDEXED", journeys::COLUMNS))?;
    let mut rows = statement.query([])?;
    while let Some(r) = rows.next()? {
        if journeys::read(r, &texts).is_err() {
            broken.push(r.get(10)?);
        }
    }
    broken.sort_unstable();
    broken.dedup();
    for row in &broken {
        conn.prepare_cached("DELETE FROM journey WHERE row = ?1")?.execute([row])?;
    }
    conn.execute("DELETE FROM journey_member WHERE journey NOT IN (SELECT id FROM journey)", [])?;
    Ok(broken.len() as u64)
}

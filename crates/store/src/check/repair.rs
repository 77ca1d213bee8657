//! Saving what is left of a damaged workspace into a new one.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::types::Value;

use super::copy::{self, TABLES, is_damaged, value_of};
use super::lost::Lost;
use super::rebuild::{self, Failed};
use super::tree::Source;
use super::{plain, rollups};
use crate::copy::{absent, clear, discard, settle};
use crate::fault::Inner;
use crate::lock::Lock;
use crate::progress::{GoOn, Watch, watched};
use crate::schema::beside;
use crate::{Access, Result, Stats, StoreError, Tx, Writer};

/// Under this key a saved workspace asks for its journeys to be told anew.
const META_RETELL: &str = "retell_journeys";

/// What was saved of a workspace, and what was not.
#[derive(Debug, Clone, PartialEq)]
pub struct Repaired {
    /// The new file.
    pub path: PathBuf,
    /// What it holds.
    pub stats: Stats,
    /// What could not be saved.
    pub lost: Vec<Lost>,
    /// Pages that cannot be read, with what they held.
    pub pages: Vec<(u32, &'static str)>,
    /// Whether journeys have to be told anew from their spans: [`Writer::is_to_retell`] of the new file says the same.
    pub retell: bool,
}

/// Writes what is left of a workspace into a new file; the old one is only read. `complete` adds to the new file what only those
/// above can tell, and answers whether to go on; then the file gets its name. `None` when it was told to stop. Until it is whole
/// the file has another name (`.part`), which goes when this ends otherwise; what a crash leaves of it goes with the next attempt.
///
/// Errors: [`StoreError::Io`] when the new file is there already or the old one cannot be read, [`StoreError::Held`] when
/// somebody writes to the old one, [`StoreError::Foreign`] when it is no database; no new file is left then.
pub fn repair<E: From<StoreError>>(
    path: &Path,
    into: &Path,
    go_on: &mut GoOn<'_>,
    complete: impl FnOnce(&Repaired, &Path, &mut GoOn<'_>) -> Result<bool, E>,
) -> Result<Option<Repaired>, E> {
    // A place that cannot be written has no lock, and no writer.
    let _held = match Lock::take(path) {
        Err(held @ StoreError::Held { .. }) => return Err(held.into()),
        lock => lock.ok(),
    };
    absent(into)?;
    let part = beside(into, ".part");
    let saved = whole(path, &part, go_on, complete).and_then(|saved| {
        if saved.is_some() {
            absent(into)?;
            settle(&part, into)?;
        }
        Ok(saved)
    });
    if !matches!(saved, Ok(Some(_))) {
        discard(&part, ());
    }
    // Nobody else writes a file of this name: the lock of the old one is held.
    let _ = fs::remove_file(beside(&part, ".lock"));
    Ok(saved?.map(|saved| Repaired { path: into.to_path_buf(), ..saved }))
}

/// Writes the new file under the name that it has until it is whole.
fn whole<E: From<StoreError>>(
    path: &Path,
    part: &Path,
    go_on: &mut GoOn<'_>,
    complete: impl FnOnce(&Repaired, &Path, &mut GoOn<'_>) -> Result<bool, E>,
) -> Result<Option<Repaired>, E> {
    let saved = watched(go_on, |watch| {
        let source = Source::open(path, watch)?;
        if !source.has("chunk") {
            let detail = "it has none of a workspace's tables".to_owned();
            return Err(StoreError::Foreign { path: path.to_path_buf(), detail });
        }
        clear(part).map_err(|e| StoreError::io(part, e))?;
        save(&source, path, part, watch)
    });
    let Some(saved) = saved.transpose()? else { return Ok(None) };
    Ok(complete(&saved, part, go_on)?.then_some(saved))
}

fn save(source: &Source<'_>, path: &Path, into: &Path, watch: &Watch<'_>) -> Result<Repaired> {
    let mut writer = Writer::open(into, Access::Create)?;
    watch.interrupts(&writer.conn);
    // Nobody relies on the new file before its last commit, which is waited for again.
    safely(&writer, false)?;
    let mut lost = Vec::new();
    for table in &TABLES {
        let tx = writer.begin()?;
        let done = copy::copy(source, &tx.writer.conn, table);
        // Reading the pages gives no errors of its own: this is about the new file.
        let told = tx.told(done)?;
        tx.commit()?;
        lost.extend(table.what.is_some().then_some(told));
    }
    let (spans, logs) = rebuild::chunks(source, &mut writer).map_err(|failed| match failed {
        Failed::Here(fault) => fault.at(path),
        Failed::There(error) => error,
    })?;
    let (unreadable, payloads) = rebuild::messages(&mut writer, watch)?;
    if let Some(publications) = lost.iter_mut().find(|l| l.what == unreadable.what) {
        publications.count = publications.count.zip(unreadable.count).map(|(a, b)| a + b);
        publications.cover(unreadable.first, unreadable.last);
    }
    lost.splice(0..0, [spans, logs, payloads]);
    safely(&writer, true)?;
    let mut tx = writer.begin()?;
    let done = watch.turn_to("journeys, figures and counters").and_then(|()| finish(source, &mut tx, &mut lost));
    let retell = tx.told(done)?;
    tx.tidy()?;
    tx.commit()?;
    let stats = writer.state.counters.stats;
    drop(writer);
    let bytes = fs::metadata(into).map_err(|e| StoreError::io(into, e))?.len();
    source.look_at_rest().map_err(|fault| fault.at(path))?;
    let pages = source.damaged.borrow().iter().map(|(page, of)| (*page, plain(of))).collect();
    lost.retain(Lost::is_any);
    Ok(Repaired { path: into.to_path_buf(), stats: Stats { bytes, ..stats }, lost, pages, retell })
}

fn safely(writer: &Writer, on: bool) -> Result<()> {
    let set = writer.conn.execute_batch(if on { "PRAGMA synchronous = FULL" } else { "PRAGMA synchronous = OFF" });
    set.map_err(|e| StoreError::sqlite(&writer.path, e))
}

/// Journeys, figures and counters; whether journeys have to be told anew.
fn finish(source: &Source<'_>, tx: &mut Tx<'_>, lost: &mut Vec<Lost>) -> Inner<bool> {
    let conn = &tx.writer.conn;
    conn.execute("DELETE FROM message_body WHERE id NOT IN (SELECT id FROM message)", [])?;
    // The first publication gave an event its number; the first that is left gives it now.
    conn.execute(
        "UPDATE message SET event = (SELECT min(o.id) FROM message o WHERE o.event = message.event)
         WHERE event NOT IN (SELECT id FROM message)",
        [],
    )?;
    let width = copy::width(conn, "journey")?;
    let mut cut = 0;
    source.rows("journey", &mut |row| {
        let values = copy::whole(&row, width);
        if row.cut || values.len() != width || !copy::put(conn, "journey", "", &values)? {
            cut += 1;
        }
        Ok(())
    })?;
    let broken = rebuild::journeys(conn)?;
    // What journeys are made of, seen to be damaged while it was read.
    for name in ["span_link", "span_message", "trace_carries", "message_carries", "journey_kind"] {
        source.rows(name, &mut |_| Ok(()))?;
    }
    let parts = ["journey", "journey_member", "trace_join", "name", "unmatched"];
    let retell = cut + broken > 0 || parts.iter().any(|name| is_damaged(source, name)) || lost.iter().any(Lost::is_any);
    rollups::complete(conn)?;
    figures(source, conn, lost)?;

    let number = |table: &str, key: &str| -> Inner<Option<u64>> {
        Ok(match value_of(source, table, key)? {
            Some(Value::Integer(number)) => Some(number as u64),
            _ => None,
        })
    };
    let events: i64 = conn.query_row("SELECT count(*) FROM message WHERE event = id", [], |r| r.get(0))?;
    let known = [
        ("spans", number("counter", "spans")?),
        ("log records", number("counter", "logs")?),
        ("events", number("counter", "events")?),
    ];
    let refused: i64 = conn.query_row("SELECT coalesce(sum(count), 0) FROM rejected", [], |r| r.get(0))?;
    let (rejected, dropped) = (number("counter", "rejected")?, number("counter", "dropped")?);
    let next = match value_of(source, "meta", crate::erase::META_NEXT_CHUNK)? {
        Some(Value::Text(next)) => next.parse().unwrap_or_default(),
        _ => 0,
    };
    let state = &mut tx.writer.state;
    let stats = &mut state.counters.stats;
    (stats.events, stats.rejected) = (events as u64, rejected.unwrap_or(refused as u64));
    stats.dropped = dropped.unwrap_or_default();
    state.next_chunk = state.next_chunk.max(next);
    // What the counters know is certain, whatever the pages still tell.
    let stats = state.counters.stats;
    for (what, before) in known {
        let Some(before) = before else { continue };
        let saved = match what {
            "spans" => stats.spans,
            "log records" => stats.logs,
            _ => stats.events,
        };
        match lost.iter_mut().find(|l| l.what == what) {
            Some(lost) => lost.count = Some(before.saturating_sub(saved)),
            None => lost.push(Lost { count: Some(before.saturating_sub(saved)), ..Lost::of("events") }),
        }
    }
    tx.writer.state.unswept.clear();
    tx.keep_unswept()?;
    tx.keep_next_chunk()?;
    if retell {
        let sql = "INSERT OR REPLACE INTO meta(key, value) VALUES(?1, '1')";
        tx.writer.conn.execute(sql, [META_RETELL])?;
    }
    Ok(retell)
}

/// How many figures are missing: each series knows how many it has.
fn figures(source: &Source<'_>, conn: &rusqlite::Connection, lost: &mut [Lost]) -> Inner<()> {
    let Some(lost) = lost.iter_mut().find(|l| l.what == "figures of the map") else { return Ok(()) };
    let (mut live, mut complete) = (0, true);
    source.rows("series", &mut |row| {
        live += row.number(7).unwrap_or_default();
        complete &= !row.cut;
        Ok(())
    })?;
    if complete && !is_damaged(source, "series") {
        // Up to the sixth format a series counted its finest figures alone.
        let counted = if source.format() < 7 { "WHERE level = 0" } else { "" };
        let saved: i64 = conn.query_row(&format!("SELECT count(*) FROM rollup {counted}"), [], |r| r.get(0))?;
        lost.count = Some(live.saturating_sub(saved).max(0) as u64);
    }
    Ok(())
}

impl Writer {
    /// Whether the workspace was saved from a damaged file and its journeys are still to be told anew.
    pub fn is_to_retell(&self) -> Result<bool> {
        let mut statement =
            self.conn.prepare("SELECT 1 FROM meta WHERE key = ?1").map_err(|e| StoreError::sqlite(&self.path, e))?;
        statement.exists([META_RETELL]).map_err(|e| StoreError::sqlite(&self.path, e))
    }
}

impl Tx<'_> {
    /// Notes that journeys were told anew.
    pub fn retold(&mut self) -> Result<()> {
        let done = self.writer.conn.execute("DELETE FROM meta WHERE key = ?1", [META_RETELL]);
        done.map(drop).map_err(|e| StoreError::sqlite(&self.writer.path, e))
    }

    /// All traces with spans.
    pub fn all_traces(&self) -> Result<Vec<flowglass_model::TraceId>> {
        let all = || -> Inner<Vec<_>> {
            let sql = "SELECT DISTINCT trace FROM trace_chunk WHERE kind = 0";
            let mut statement = self.writer.conn.prepare_cached(sql)?;
            let rows = statement.query_map([], |r| crate::db::trace_at(r, 0))?;
            Ok(rows.collect::<std::result::Result<_, _>>()?)
        };
        self.told(all())
    }
}

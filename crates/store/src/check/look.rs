//! Holding a workspace against what it should agree with.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::Connection;

use super::filters::{Filter, Filters};
use super::{parts, plain};
use crate::cache::ChunkCache;
use crate::compression::has_checksum;
use crate::counters::Counters;
use crate::db::Db;
use crate::fault::{Fault, Inner};
use crate::filters::Parts;
use crate::message_rows::{BLOCK, COLUMNS, fill_body, message_at};
use crate::names::Texts;
use crate::progress::{GoOn, Unit, Watch, watched};
use crate::{Result, Stats, StoreError, erase, journeys, schema, stranger};

/// Problems told one by one; the rest is counted.
const TOLD: usize = 200;

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is concerned: `spans and log records`, `events`, `figures of the map`, …
    pub part: &'static str,
    /// What is wrong with it.
    pub detail: String,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Checked {
    /// Format number of the file.
    pub format: i64,
    /// What the counters say it holds.
    pub stats: Stats,
    /// Journeys.
    pub journeys: u64,
    /// Chunks of spans and log records that were read.
    pub chunks: u64,
    /// Payloads that were read.
    pub payloads: u64,
    /// Chunks without a checksum of their own (written by earlier versions): damage that still decodes is not seen.
    pub chunks_without_checksum: u64,
    /// Payloads without a checksum (small ones, or written by earlier versions).
    pub payloads_without_checksum: u64,
    /// What is wrong; at most 200.
    pub problems: Vec<Problem>,
    /// Problems beyond these.
    pub more: u64,
}

impl Checked {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    pub(super) fn tell(&mut self, part: &'static str, detail: impl Into<String>) {
        if self.problems.len() < TOLD {
            self.problems.push(Problem { part, detail: detail.into() });
        } else {
            self.more += 1;
        }
    }
}

/// One part of the check.
type Step = fn(Db<'_>, &Watch<'_>, &mut Checked) -> Inner<()>;

/// Checks a workspace; works while another process writes, and changes nothing. Files of older versions stay as they are. `None`
/// when it was told to stop.
///
/// Errors: [`StoreError::Missing`], [`StoreError::Foreign`], [`StoreError::Newer`], [`StoreError::Io`]: what cannot be used at
/// all. Damage is no error but what is looked for.
pub fn check(path: &Path, go_on: &mut GoOn<'_>) -> Result<Option<Checked>> {
    watched(go_on, |watch| look(path, watch)).transpose()
}

fn look(path: &Path, watch: &Watch<'_>) -> Result<Checked> {
    let mut out = Checked::default();
    let opened = schema::peek(path).and_then(|()| schema::open_as_is(path));
    let (conn, format) = match opened {
        Err(StoreError::Corrupt { detail, .. }) => {
            out.tell("the file", format!("it cannot be opened: {detail}"));
            return Ok(out);
        }
        other => other?,
    };
    watch.interrupts(&conn);
    out.format = format;
    // One state of the file from here on.
    let state = conn.unchecked_transaction().map_err(|e| StoreError::sqlite(path, e))?;
    let cache = ChunkCache::default();
    let db = Db { conn: &conn, cache: &cache };
    match stranger::is_ours(&conn, format, path) {
        // Nothing that a stranger brought along is asked.
        Err(StoreError::Foreign { detail, .. }) => {
            out.tell("the list of tables", detail);
            return Ok(out);
        }
        Err(StoreError::Corrupt { detail, .. }) => out.tell("the list of tables", detail),
        _ => {}
    }
    let steps: [(&'static str, Step); 7] = [
        ("the file", engine),
        ("spans and log records", parts::chunks),
        ("where traces lie", parts::places),
        ("events", events),
        ("journeys", journeys_of),
        ("figures of the map", figures),
        ("counters", counters),
    ];
    for (part, step) in steps {
        match step(db, watch, &mut out) {
            Ok(()) => {}
            Err(Fault::Sqlite(e)) if !is_damage(&e) => return Err(StoreError::sqlite(path, e)),
            Err(fault) => out.tell(part, format!("cannot be read whole: {}", words(&fault))),
        }
    }
    state.finish().map_err(|e| StoreError::sqlite(path, e))?;
    Ok(out)
}

/// Whether an error of the engine tells of damage rather than of the machine.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode as C;
    match error.sqlite_error_code() {
        Some(C::DatabaseCorrupt | C::NotADatabase | C::TypeMismatch) => true,
        Some(_) => false,
        // A column of another type than its table says.
        None => true,
    }
}

pub(super) fn words(fault: &Fault) -> String {
    match fault {
        Fault::Sqlite(error) => error.to_string(),
        Fault::Decode(what, why) => format!("{what}: {why}"),
    }
}

/// Rows of a table, for the progress.
pub(super) fn rows_of(conn: &Connection, table: &str) -> Inner<u64> {
    Ok(conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get::<_, i64>(0))? as u64)
}

/// The engine's own check of pages, tables and indexes.
fn engine(db: Db<'_>, watch: &Watch<'_>, out: &mut Checked) -> Inner<()> {
    watch.begin("pages and indexes", 0, Unit::Rows)?;
    let mut names: BTreeMap<u32, String> = BTreeMap::from([(1, "sqlite_schema".to_owned())]);
    let mut statement = db.conn.prepare("SELECT rootpage, name FROM sqlite_schema WHERE rootpage > 0")?;
    for row in statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))? {
        let (root, name) = row?;
        names.insert(root, name);
    }
    let mut statement = db.conn.prepare(&format!("PRAGMA integrity_check({TOLD})"))?;
    let mut rows = statement.query([])?;
    while let Some(r) = rows.next()? {
        let text: String = r.get(0)?;
        for line in text.lines().filter(|line| *line != "ok" && !line.starts_with("*** in database")) {
            out.tell(part_of(line, &names), line);
        }
    }
    Ok(())
}

/// What a line of the engine's check is about: `Tree 12 page 45: …`, `row 7 missing from index x`, `… in table x`.
fn part_of(line: &str, names: &BTreeMap<u32, String>) -> &'static str {
    let root = line.strip_prefix("Tree ").and_then(|rest| rest.split(' ').next()?.parse().ok());
    if let Some(name) = root.and_then(|root: u32| names.get(&root)) {
        return plain(name);
    }
    let word = line.split([' ', '.', ',']).find(|word| names.values().any(|name| name == word));
    word.map_or("the file", plain)
}

/// Every publication: its columns, its payload, its filter, its event.
fn events(db: Db<'_>, watch: &Watch<'_>, out: &mut Checked) -> Inner<()> {
    watch.begin("events", rows_of(db.conn, "message")?, Unit::Rows)?;
    let mut filters = Filters::new(db.conn, Parts::Messages)?;
    // Of the block that was looked at last, and whether its filter was found wrong.
    let mut of_block: (i64, Option<Filter>) = (-1, None);
    let mut head = db.conn.prepare("SELECT substr(body, 1, 8) FROM message_body WHERE id = ?1")?;
    let mut statement = db.conn.prepare(&format!("SELECT {COLUMNS} FROM message m NOT INDEXED ORDER BY m.id"))?;
    let mut rows = statement.query([])?;
    while let Some(r) = rows.next()? {
        watch.step(1)?;
        let id: i64 = r.get(0)?;
        let mut message = match message_at(r) {
            Ok((.., message)) => message,
            Err(fault) => {
                out.tell("events", format!("publication {id} cannot be read: {}", words(&fault)));
                continue;
            }
        };
        match head.query_row([id], |r| r.get::<_, Vec<u8>>(0)) {
            Ok(head) => {
                out.payloads += 1;
                let checked = head.first() == Some(&1) && has_checksum(&head[1..]);
                out.payloads_without_checksum += u64::from(!checked);
            }
            Err(rusqlite::Error::QueryReturnedNoRows) => {
                out.tell("payloads and headers of events", format!("publication {id} has none"));
            }
            Err(e) => {
                out.tell("payloads and headers of events", format!("those of publication {id} cannot be read: {e}"))
            }
        }
        if let Err(fault) = fill_body(db.conn, id, &mut message) {
            let detail = format!("those of publication {id} cannot be read: {}", words(&fault));
            out.tell("payloads and headers of events", detail);
        }
        let block = id / BLOCK;
        if of_block.0 != block {
            // What cannot be read holds nothing.
            of_block = (block, Some(filters.of(block).unwrap_or_default()));
        }
        let value = message.event_id.as_deref().unwrap_or_default();
        let wrong = |f: &Filter| f.is_missing() || !(value.is_empty() || f.may_hold(value.as_bytes()));
        if of_block.1.as_ref().is_some_and(wrong) {
            out.tell(
                "search filters",
                format!("that of publications {} to {} is missing or wrong", block * BLOCK, (block + 1) * BLOCK - 1),
            );
            of_block.1 = None;
        }
    }
    let sql = "SELECT count(*) FROM message WHERE event NOT IN (SELECT id FROM message)";
    let orphans: i64 = db.conn.query_row(sql, [], |r| r.get(0))?;
    if orphans > 0 {
        out.tell("events", format!("{orphans} publications belong to events that are not there"));
    }
    Ok(())
}

/// Every journey: its summary, its members, how many of its kind there are.
fn journeys_of(db: Db<'_>, watch: &Watch<'_>, out: &mut Checked) -> Inner<()> {
    if out.format < schema::FORMAT {
        return Ok(());
    }
    watch.begin("journeys", rows_of(db.conn, "journey")?, Unit::Rows)?;
    let texts = Texts::new(db.conn);
    let sql = format!("SELECT {} FROM journey NOT INDEXED ORDER BY row", journeys::COLUMNS);
    let mut statement = db.conn.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(r) = rows.next()? {
        watch.step(1)?;
        out.journeys += 1;
        if let Err(fault) = journeys::read(r, &texts) {
            out.tell("journeys", format!("one cannot be read: {}", words(&fault)));
        }
    }
    let wrong = [
        ("SELECT count(*) FROM journey_member WHERE journey NOT IN (SELECT id FROM journey)", "members belong to journeys that are not there"),
        ("SELECT count(*) FROM journey WHERE root NOT IN (SELECT id FROM journey_root)", "began with what is not there"),
        (
            "SELECT count(*) FROM (SELECT root, shape, count(*) AS n FROM journey WHERE shape IS NOT NULL GROUP BY root, shape) j
             LEFT JOIN journey_kind k ON k.root = j.root AND k.shape = j.shape WHERE k.count IS NOT j.n",
            "kinds are not counted right",
        ),
    ];
    tell_counts(db.conn, "journeys", &wrong, out)
}

/// Figures: whose they are, how many there are, whether coarse and fine ones agree.
fn figures(db: Db<'_>, watch: &Watch<'_>, out: &mut Checked) -> Inner<()> {
    watch.begin("figures of the map", 0, Unit::Rows)?;
    let mut wrong = vec![(
        "SELECT count(*) FROM rollup WHERE series NOT IN (SELECT id FROM series)".to_owned(),
        "figures belong to nobody",
    )];
    // Older versions counted otherwise.
    if out.format == schema::FORMAT {
        let sql = "SELECT count(*) FROM (SELECT s.id, s.live, count(r.bucket) AS n FROM series s LEFT JOIN rollup r
             ON r.series = s.id GROUP BY s.id) WHERE live IS NOT n";
        wrong.push((sql.to_owned(), "series have fewer or more figures than they should"));
    }
    for (level, ratio) in [(1, 60), (2, 48)] {
        // Coarse figures may tell of a time whose fine ones are gone, never the other way round.
        let sql = format!(
            "SELECT count(*) FROM (SELECT (bucket - (bucket % {ratio} + {ratio}) % {ratio}) / {ratio} AS b, series AS s,
             sum(count) AS n FROM rollup WHERE level = {finer} GROUP BY b, s) f LEFT JOIN rollup r ON r.level = {level}
             AND r.bucket = f.b AND r.series = f.s WHERE f.n != 0 AND coalesce(r.count, 0) < f.n",
            finer = level - 1
        );
        wrong.push((sql, "coarse figures are less than the fine ones they are made of"));
    }
    let wrong: Vec<(&str, &str)> = wrong.iter().map(|(sql, why)| (sql.as_str(), *why)).collect();
    tell_counts(db.conn, "figures of the map", &wrong, out)
}

fn tell_counts(conn: &Connection, part: &'static str, wrong: &[(&str, &str)], out: &mut Checked) -> Inner<()> {
    for (sql, why) in wrong {
        let count: i64 = conn.query_row(sql, [], |r| r.get(0))?;
        if count > 0 {
            out.tell(part, format!("{count} {why}"));
        }
    }
    Ok(())
}

/// Whether the counters say what is there.
fn counters(db: Db<'_>, watch: &Watch<'_>, out: &mut Checked) -> Inner<()> {
    watch.begin("counters", 0, Unit::Rows)?;
    let stats = Counters::load(db.conn)?.stats;
    out.stats = stats;
    let count = |sql: &str| db.conn.query_row(sql, [], |r| r.get::<_, i64>(0));
    let mut found = vec![
        ("spans", stats.spans, count("SELECT coalesce(sum(items), 0) FROM trace_chunk WHERE kind = 0")?),
        ("traces", stats.traces, count("SELECT count(DISTINCT trace) FROM trace_chunk WHERE kind = 0")?),
        ("events", stats.events, count("SELECT count(*) FROM message WHERE event = id")?),
    ];
    if erase::unswept(db.conn)?.is_empty() {
        found.push(("log records", stats.logs, count("SELECT coalesce(sum(items), 0) FROM chunk WHERE kind = 1")?));
    }
    for (what, said, there) in found {
        if said as i64 != there {
            out.tell("counters", format!("{said} {what} are counted and {there} are there"));
        }
    }
    Ok(())
}

//! Files that somebody else made: what a workspace may hold, and what opening one may do.
//!
//! A SQLite file brings its own triggers, views and expressions, which run as soon as somebody asks it anything
//! (<https://www.sqlite.org/security.html>, "Untrusted SQLite Database Files"). Here only those of a workspace run: the list
//! of tables has to be exactly the one that this program writes, and the engine is told to trust none of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;

use crate::{Result, StoreError, schema};

/// Bytes of the largest value, text or row, and of everything that unpacks from one. A file to import may have 256 MiB in one
/// item.
pub(crate) const LARGEST: usize = 512 << 20;

/// Lets a connection run nothing that a file brings: no function with effects, no view, no writing to the list of tables.
pub(crate) fn guard(conn: &Connection) -> rusqlite::Result<()> {
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
    ] {
        conn.set_db_config(setting, on)?;
    }
    for (limit, value) in [
        (Limit::SQLITE_LIMIT_LENGTH, LARGEST as i32),
        (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 8),
        (Limit::SQLITE_LIMIT_ATTACHED, 2),
    ] {
        conn.set_limit(limit, value)?;
    }
    // Damaged pages are found where they are read instead of where they lead to.
    conn.execute_batch("PRAGMA cell_size_check = ON")
}

/// Kind, name and words of everything in the list of tables.
type Tables = BTreeMap<(String, String), String>;

/// Whether a file has the tables, indexes and triggers of a workspace of this format, and nothing else.
///
/// # Errors
/// [`StoreError::Foreign`] that names what does not belong, [`StoreError::Corrupt`] that names what is missing.
pub(crate) fn is_ours(conn: &Connection, format: i64, path: &Path) -> Result<()> {
    let fault = |e| StoreError::sqlite(path, e);
    let found = tables(conn).map_err(fault)?;
    let ours = expected(format).map_err(fault)?;
    let foreign = |detail: String| Err(StoreError::Foreign { path: path.to_path_buf(), detail });
    for (item, words) in &found {
        let (kind, name) = item;
        match ours.get(item) {
            None => return foreign(format!("it has a {kind} “{}” that no workspace has", shown(name))),
            Some(own) if own != words => {
                return foreign(format!("its {kind} “{}” is not the one of a workspace", shown(name)));
            }
            Some(_) => {}
        }
    }
    match ours.keys().find(|item| !found.contains_key(*item)) {
        Some((kind, name)) => {
            let detail = format!("the {kind} “{name}” is missing");
            Err(StoreError::Corrupt { path: path.to_path_buf(), detail })
        }
        None => Ok(()),
    }
}

/// A name that somebody chose, short and without what would act on a terminal.
fn shown(name: &str) -> String {
    name.chars().take(60).flat_map(char::escape_debug).collect()
}

fn tables(conn: &Connection) -> rusqlite::Result<Tables> {
    // What `ANALYZE` of other tools leaves only tells the planner how many rows there are.
    let mut statement = conn.prepare(
        "SELECT type, name, coalesce(sql, '') FROM sqlite_schema WHERE name NOT IN ('sqlite_stat1', 'sqlite_stat4')",
    )?;
    let rows = statement.query_map([], |r| {
        // Versions of SQLite write quotes and blanks differently when a table is changed.
        let words: String = r.get(2)?;
        let words = words.replace('"', "").split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(((r.get(0)?, r.get(1)?), words))
    })?;
    rows.collect()
}

/// What a workspace of a format holds, learnt by making one.
fn expected(format: i64) -> rusqlite::Result<Arc<Tables>> {
    static KNOWN: Mutex<BTreeMap<i64, Arc<Tables>>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(tables) = known.get(&format) {
        return Ok(tables.clone());
    }
    let conn = Connection::open_in_memory()?;
    schema::make_format(&conn, format)?;
    let made = Arc::new(tables(&conn)?);
    known.insert(format, made.clone());
    Ok(made)
}

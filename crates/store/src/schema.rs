//! The tables, and how a file becomes (or proves to be) a workspace.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::{Result, StoreError, stranger};

/// `FLOW`: marks the file as ours (`PRAGMA application_id`).
const APPLICATION_ID: i64 = 0x464c_4f57;

/// Migrations in order; the format number of a file is how many of them it has seen. Never edit one, add one.
const MIGRATIONS: [&str; 7] = [
    include_str!("schema_1.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
    include_str!("schema_5.sql"),
    include_str!("schema_6.sql"),
    include_str!("schema_7.sql"),
];

/// Format written by this version.
pub(crate) const FORMAT: i64 = MIGRATIONS.len() as i64;

/// What the first table fixes: it can only be changed by rewriting the whole file.
const FIXED: &str = "PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL;";

/// How long a statement waits for another connection's lock before it gives up.
const BUSY: Duration = Duration::from_secs(10);

/// Statements kept prepared per connection; above the number of different ones in this crate.
const STATEMENTS: usize = 128;

/// Looks at a file's first bytes, so that nobody's other file is ever opened by the database engine, let alone locked.
pub(crate) fn peek(path: &Path) -> Result<()> {
    let mut head = Vec::new();
    let file = File::open(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => StoreError::Missing { path: path.to_path_buf() },
        _ => StoreError::io(path, e),
    })?;
    if file.metadata().is_ok_and(|m| m.is_dir()) {
        return Err(StoreError::Foreign { path: path.to_path_buf(), detail: "it is a folder".to_owned() });
    }
    file.take(100).read_to_end(&mut head).map_err(|e| StoreError::io(path, e))?;
    if head.is_empty() {
        return Ok(());
    }
    if !head.starts_with(b"SQLite format 3\0") {
        return Err(StoreError::Foreign { path: path.to_path_buf(), detail: "it is no SQLite database".to_owned() });
    }
    whole(path, &head)
}

/// A file shorter than its own header says has lost its end, unless the rest still stands in the write-ahead log.
fn whole(path: &Path, head: &[u8]) -> Result<()> {
    let number = |at: usize| head.get(at..at + 4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]));
    let page = match head.get(16..18).map(|b| u16::from_be_bytes([b[0], b[1]])) {
        Some(1) => 65_536,
        Some(size) => u64::from(size),
        None => 0,
    };
    let pages = number(28).map_or(0, u64::from);
    // The log before the file: a writer that closes meanwhile completes the file before it removes the log.
    let log = fs::metadata(beside(path, "-wal")).map_or(0, |m| m.len());
    let length = fs::metadata(path).map_err(|e| StoreError::io(path, e))?.len();
    if head.len() < 100 || (log == 0 && pages * page > length) {
        let detail = format!("it should have {} bytes and has {length}", pages * page);
        return Err(StoreError::Corrupt { path: path.to_path_buf(), detail });
    }
    Ok(())
}

/// The name of a file that stands beside another.
pub(crate) fn beside(path: &Path, suffix: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Opens for writing; a fresh file becomes a workspace, an older one is brought up to date in one transaction.
pub(crate) fn open_for_writing(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let fault = |e| StoreError::sqlite(path, e);
    let conn = Connection::open_with_flags(path, flags).map_err(|e| cannot_open(path, e))?;
    conn.busy_timeout(BUSY).map_err(fault)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    stranger::guard(&conn).map_err(fault)?;
    let format = own_format(&conn, path)?;
    if format == 0 {
        conn.execute_batch(FIXED).map_err(fault)?;
    }
    // FULL: in WAL mode only this makes an acknowledged commit survive a power cut. No memory mapping: a file that shrinks
    // under a mapping kills the process instead of giving an error.
    conn.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536; PRAGMA mmap_size = 0;
         PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864; PRAGMA temp_store = MEMORY;",
    )
    .map_err(fault)?;
    // Else a statement is compiled again whenever a value is bound that its plan could depend on: half of all time.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(fault)?;
    migrate(&conn, format).map_err(fault)?;
    Ok(conn)
}

/// Opens for reading only, in whatever format it is; creates nothing. Gives the format, too.
pub(crate) fn open_as_is(path: &Path) -> Result<(Connection, i64)> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = |name: &Path, flags| {
        let conn = Connection::open_with_flags(name, flags).map_err(|e| cannot_open(path, e))?;
        stranger::guard(&conn).map_err(|e| StoreError::sqlite(path, e))?;
        Ok::<_, StoreError>(conn)
    };
    let conn = open(path, flags)?;
    let conn = match format_of(&conn, path) {
        Ok(_) => conn,
        // A workspace in a folder that may not be written, closed properly: nobody can be writing, so no shared memory
        // file is needed to read it.
        Err(StoreError::Engine { .. } | StoreError::Io { .. } | StoreError::ReadOnly { .. })
            if !beside(path, "-wal").exists() =>
        {
            let uri = format!("file:{}?immutable=1", escaped(path));
            open(Path::new(&uri), flags | OpenFlags::SQLITE_OPEN_URI)?
        }
        Err(other) => return Err(other),
    };
    let format = format_of(&conn, path)?;
    if format == 0 {
        return Err(StoreError::Foreign { path: path.to_path_buf(), detail: "it is empty".to_owned() });
    }
    Ok((conn, format))
}

/// Opens for reading only; creates nothing.
pub(crate) fn open_for_reading(path: &Path) -> Result<Connection> {
    let (conn, _) = open_as_is(path)?;
    if own_format(&conn, path)? < FORMAT {
        // Written by an older version: it is brought up to date by a connection of its own.
        open_for_writing(path)?;
    }
    let fault = |e| StoreError::sqlite(path, e);
    conn.busy_timeout(BUSY).map_err(fault)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(fault)?;
    conn.execute_batch("PRAGMA cache_size = -8192; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;")
        .map_err(fault)?;
    Ok(conn)
}

fn escaped(path: &Path) -> String {
    path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}

fn cannot_open(path: &Path, error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::CannotOpen) => match File::options().append(true).create(false).open(path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => StoreError::io(path, e),
            _ => StoreError::ReadOnly { path: path.to_path_buf() },
        },
        _ => StoreError::sqlite(path, error),
    }
}

/// The format number of a file that holds what a workspace holds and nothing else; 0 for one without any table.
fn own_format(conn: &Connection, path: &Path) -> Result<i64> {
    let fault = |e| StoreError::sqlite(path, e);
    // One state: somebody may be bringing the file up to date just now.
    let state = conn.unchecked_transaction().map_err(fault)?;
    let format = format_of(conn, path)?;
    if format > 0 {
        stranger::is_ours(conn, format, path)?;
    }
    state.finish().map_err(fault)?;
    Ok(format)
}

/// The format number of a file; 0 for one without any table.
fn format_of(conn: &Connection, path: &Path) -> Result<i64> {
    let fault = |e| StoreError::sqlite(path, e);
    let number = |sql: &str| conn.query_row(sql, [], |r| r.get::<_, i64>(0)).map_err(fault);
    let (id, format) = (number("PRAGMA application_id")?, number("PRAGMA user_version")?);
    if id == APPLICATION_ID {
        if format > FORMAT {
            return Err(StoreError::Newer { path: path.to_path_buf(), found: format, known: FORMAT });
        }
        return Ok(format);
    }
    if id == 0 && format == 0 && number("SELECT count(*) FROM sqlite_schema")? == 0 {
        return Ok(0);
    }
    Err(StoreError::Foreign { path: path.to_path_buf(), detail: "it is another program's SQLite database".to_owned() })
}

/// Makes the tables of a workspace in an empty database.
pub(crate) fn make(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(FIXED)?;
    migrate(conn, 0)
}

/// Makes the tables of a workspace as the version that wrote this format made them.
pub(crate) fn make_format(conn: &Connection, format: i64) -> rusqlite::Result<()> {
    let steps = usize::try_from(format).unwrap_or_default();
    MIGRATIONS.iter().take(steps).try_for_each(|step| conn.execute_batch(step))
}

fn migrate(conn: &Connection, from: i64) -> rusqlite::Result<()> {
    if from >= FORMAT {
        return Ok(());
    }
    let steps: String = MIGRATIONS.iter().skip(from as usize).copied().collect();
    let done = conn.execute_batch(&format!(
        "BEGIN IMMEDIATE; {steps} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT}; COMMIT;"
    ));
    if done.is_err() && !conn.is_autocommit() {
        conn.execute_batch("ROLLBACK")?;
    }
    done
}

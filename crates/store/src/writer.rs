//! The one writer of a workspace.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::cache::ChunkCache;
use crate::chunk::Packer;
use crate::closed::Era;
use crate::counters::Counters;
use crate::erase::{META_NEXT_CHUNK, unswept};
use crate::fault::{Fault, Inner};
use crate::hints::Hints;
use crate::lock::Lock;
use crate::names::Numbers;
use crate::rollup::Rollups;
use crate::tx::Tx;
use crate::{Access, Result, StoreError, carried, schema};

/// The only writer of a workspace: it holds the file's lock until it is dropped.
pub struct Writer {
    pub(crate) conn: Connection,
    pub(crate) path: PathBuf,
    pub(crate) cache: ChunkCache,
    pub(crate) state: State,
    /// What is certainly not stored; read when the first transaction begins.
    pub(crate) hints: Option<Hints>,
    _lock: Lock,
}

/// What the writer keeps in memory of the stored tables.
pub(crate) struct State {
    pub(crate) rollups: Rollups,
    pub(crate) counters: Counters,
    pub(crate) numbers: Numbers,
    pub(crate) next_chunk: i64,
    pub(crate) packer: Packer,
    /// Chunks that traces were taken off and that are still to be written anew.
    pub(crate) unswept: std::collections::BTreeSet<i64>,
    /// Of the traces whose figures are closed.
    pub(crate) era: Era,
    /// Whether any span or message carries an id that joins without a context.
    pub(crate) carries: bool,
    /// A transaction was rolled back: memory no longer says what the file says.
    pub(crate) stale: bool,
}

impl State {
    fn load(conn: &Connection, path: &Path) -> Inner<State> {
        // A number never comes back, even when the newest chunks were erased: readers keep what they decoded.
        let next_chunk = conn.query_row(
            "SELECT max(coalesce((SELECT max(id) FROM chunk), 0) + 1,
             coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?1), 1))",
            [META_NEXT_CHUNK],
            |r| r.get(0),
        )?;
        let packer = Packer::new(path).map_err(|e| Fault::decode("a chunk", e))?;
        Ok(State {
            rollups: Rollups::load(conn)?,
            counters: Counters::load(conn)?,
            numbers: Numbers::load(conn)?,
            next_chunk,
            packer,
            unswept: unswept(conn)?,
            era: Era::load(conn)?,
            carries: carried::is_any(conn)?,
            stale: false,
        })
    }
}

impl Writer {
    /// Opens a workspace for writing, and makes it with [`Access::Create`].
    ///
    /// Errors: [`StoreError::Missing`], [`StoreError::Held`] (another writer, named), [`StoreError::Newer`],
    /// [`StoreError::Foreign`], [`StoreError::Corrupt`], [`StoreError::ReadOnly`]; the file is then as it was.
    pub fn open(path: &Path, access: Access) -> Result<Writer> {
        match schema::peek(path) {
            Err(StoreError::Missing { .. }) if access == Access::Create => {}
            other => other?,
        }
        let lock = Lock::take(path)?;
        let conn = schema::open_for_writing(path)?;
        let state = State::load(&conn, path).map_err(|f| f.at(path))?;
        let cache = ChunkCache::for_writing();
        Ok(Writer { conn, path: path.to_path_buf(), cache, state, hints: None, _lock: lock })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A packer for another thread: see [`Tx::add_packed`].
    pub fn packer(&self) -> Result<Packer> {
        Packer::new(&self.path).map_err(|e| StoreError::io(&self.path, e))
    }

    /// Starts a transaction. Dropped without [`Tx::commit`], it leaves no trace.
    pub fn begin(&mut self) -> Result<Tx<'_>> {
        if self.state.stale {
            self.state = State::load(&self.conn, &self.path).map_err(|f| f.at(&self.path))?;
            self.cache.lock().clear();
        }
        if self.hints.is_none() {
            let hints = Hints::load(&self.conn, self.state.counters.stats.traces);
            self.hints = Some(hints.map_err(|f| f.at(&self.path))?);
        }
        self.conn.execute_batch("BEGIN IMMEDIATE").map_err(|e| StoreError::sqlite(&self.path, e))?;
        Ok(Tx::new(self))
    }

    /// Refuses to let the file grow beyond this size, bytes, with [`StoreError::Full`], until it is opened again.
    pub fn limit_bytes(&mut self, bytes: u64) -> Result<()> {
        let size: u64 = self.pragma("page_size")?;
        let pages = (bytes / size.max(1)).max(1);
        let set = self.conn.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()));
        set.map_err(|e| StoreError::sqlite(&self.path, e))
    }

    fn pragma(&self, name: &str) -> Result<u64> {
        let value = self.conn.query_row(&format!("PRAGMA {name}"), [], |r| r.get::<_, i64>(0));
        value.map(|v| v as u64).map_err(|e| StoreError::sqlite(&self.path, e))
    }
}

impl Drop for Writer {
    /// Folds the write-ahead log into the file, so that a closed workspace is one file. When a reader is in the way the log
    /// stays beside it, with nothing lost, until the next writer closes.
    fn drop(&mut self) {
        if let Err(error) = self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
            tracing::debug!(%error, "the write-ahead log was not folded in");
        }
    }
}

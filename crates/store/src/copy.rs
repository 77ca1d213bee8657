//! Copies of a whole workspace: beside whoever writes it, and in its own place without the room that nothing uses.
//!
//! Both are SQLite's `VACUUM INTO`: one snapshot, in which everything is read and written anew, so that a copy is as small as can
//! be and damage is found by making it. The write-ahead log cannot be folded in while a copy is made.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use crate::lock::Lock;
use crate::progress::{GoOn, Progress, Unit, watched};
use crate::schema::{self, beside};
use crate::{Reader, Result, StoreError};

/// What SQLite may leave beside a file.
const BESIDE: [&str; 4] = ["", "-journal", "-wal", "-shm"];

/// Sizes around a copy, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Of the file that was copied, with its write-ahead log.
    pub before: u64,
    /// Of the copy.
    pub after: u64,
}

impl Reader {
    /// Writes a copy of everything that was committed before this call into a new file, while others go on writing; `None` when
    /// it was told to stop, and then nothing is left of it. The copy appears under its name only when it is whole and on disk.
    ///
    /// Errors: [`StoreError::Io`] when there is a file of this name, [`StoreError::Held`] when another copy of this name is being
    /// written, [`StoreError::Full`], [`StoreError::Corrupt`].
    pub fn copy_to(&self, to: &Path, go_on: &mut GoOn<'_>) -> Result<Option<Copied>> {
        let part = Part::of(to)?;
        let (before, about) = (self.stats()?.bytes, self.space()?.used);
        // A connection of its own: asking for something else meanwhile must not wait.
        let mut conn = schema::open_for_reading(self.path())?;
        if !write(&mut conn, to, &part.path, about, go_on)? {
            return Ok(None);
        }
        absent(to).map_err(|error| discard(&part.path, error))?;
        settle(&part.path, to)?;
        Ok(Some(Copied { before, after: length(to)? }))
    }
}

/// Writes a workspace anew, in its own place, without the room that nothing uses; `None` when it was told to stop, and then it
/// is as it was. A crash leaves the old file or the new one.
///
/// Errors: [`StoreError::Held`] and [`StoreError::Open`] when somebody has it open.
pub fn compact(path: &Path, go_on: &mut GoOn<'_>) -> Result<Option<Copied>> {
    schema::peek(path)?;
    let _lock = Lock::take(path)?;
    let reader = Reader::open(path)?;
    let (before, about) = (reader.stats()?.bytes, reader.space()?.used);
    drop(reader);
    let mut conn = schema::open_for_writing(path)?;
    let part = beside(path, ".part");
    alone(&conn, path)?;
    if !write(&mut conn, path, &part, about, go_on)? {
        return Ok(None);
    }
    drop(conn);
    if let Err(error) = whole(&part) {
        return Err(discard(&part, error));
    }
    settle(&part, path)?;
    Ok(Some(Copied { before, after: length(path)? }))
}

/// Leaves write-ahead logging, which only works while nobody else has the file open.
fn alone(conn: &Connection, path: &Path) -> Result<()> {
    let waits = conn.busy_timeout(Duration::from_millis(500));
    let mode = waits.and_then(|()| conn.query_row("PRAGMA journal_mode = DELETE", [], |r| r.get::<_, String>(0)));
    match mode.map_err(|e| StoreError::sqlite(path, e)) {
        Ok(mode) if mode == "delete" => Ok(()),
        Ok(_) | Err(StoreError::Busy { .. }) => Err(StoreError::Open { path: path.to_path_buf() }),
        Err(other) => Err(other),
    }
}

/// Writes the copy under a name of its own; false, with nothing left, when it was told to stop.
fn write(conn: &mut Connection, to: &Path, part: &Path, about: u64, go_on: &mut GoOn<'_>) -> Result<bool> {
    let Some(name) = part.to_str() else {
        let odd = io::Error::new(io::ErrorKind::InvalidInput, "the name is no text (UTF-8); choose another one");
        return Err(StoreError::Io { path: to.to_path_buf(), source: odd });
    };
    clear(part).map_err(|e| StoreError::io(to, e))?;
    let mut told = |progress: Progress| {
        let written = fs::metadata(part).map_or(0, |m| m.len());
        go_on(Progress { done: written.min(about), of: about, ..progress })
    };
    let outcome = watched(&mut told, move |watch| {
        watch.interrupts(conn);
        watch.begin("written", about, Unit::Bytes).map_err(|fault| fault.at(to))?;
        conn.execute("VACUUM INTO ?1", [name]).map_err(|e| StoreError::sqlite(to, e))
    });
    match outcome {
        Some(Ok(_)) => Ok(true),
        Some(Err(error)) => Err(discard(part, error)),
        None => Ok(discard(part, false)),
    }
}

/// Removes what a crash left of an earlier attempt.
pub(crate) fn clear(part: &Path) -> io::Result<()> {
    let gone = |name: PathBuf| match fs::remove_file(name) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    };
    BESIDE.iter().try_for_each(|suffix| gone(beside(part, suffix)))
}

/// Removes what was written; gives back why.
pub(crate) fn discard<T>(part: &Path, why: T) -> T {
    if let Err(error) = clear(part) {
        tracing::debug!(%error, "{} is left behind", part.display());
    }
    why
}

/// The name under which a file is written until it is whole, for this process alone until the guard goes.
pub(crate) struct Part {
    pub(crate) path: PathBuf,
    lock: Option<Lock>,
}

impl Part {
    /// Of a file that must not be there yet. Errors: [`StoreError::Io`] when it is, [`StoreError::Held`] when another process
    /// writes a file of this name now.
    pub(crate) fn of(to: &Path) -> Result<Part> {
        absent(to)?;
        let path = beside(to, ".part");
        let lock = Lock::take(&path)?;
        Ok(Part { path, lock: Some(lock) })
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let name = beside(&self.path, ".lock");
        // Still locked, where the system lets that be removed.
        let removed = fs::remove_file(&name);
        drop(self.lock.take());
        if removed.is_err() {
            let _ = fs::remove_file(name);
        }
    }
}

/// Whether a name is free. Errors when it is not.
pub(crate) fn absent(to: &Path) -> Result<()> {
    if !to.exists() {
        return Ok(());
    }
    let taken = io::Error::new(io::ErrorKind::AlreadyExists, "there is a file already; choose another name");
    Err(StoreError::Io { path: to.to_path_buf(), source: taken })
}

/// Whether a copy can be read from end to end.
fn whole(part: &Path) -> Result<()> {
    let conn = schema::open_for_reading(part)?;
    let said = conn.query_row("PRAGMA quick_check(1)", [], |r| r.get::<_, String>(0));
    match said.map_err(|e| StoreError::sqlite(part, e))?.as_str() {
        "ok" => Ok(()),
        detail => Err(StoreError::Corrupt { path: part.to_path_buf(), detail: detail.to_owned() }),
    }
}

/// Puts a finished file on disk and under its name: whoever sees the name sees all of it.
pub(crate) fn settle(part: &Path, to: &Path) -> Result<()> {
    let done = File::options().write(true).open(part).and_then(|f| f.sync_all()).and_then(|()| fs::rename(part, to));
    done.map_err(|e| discard(part, StoreError::io(to, e)))?;
    folder_synced(to);
    Ok(())
}

/// A new name survives a power cut only when its folder is on disk, too; not every system lets a folder be opened.
fn folder_synced(of: &Path) {
    let folder =
        of.parent().filter(|p| !p.as_os_str().is_empty()).map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    if let Err(error) = File::open(&folder).and_then(|f| f.sync_all()) {
        tracing::debug!(%error, "{} was not synced", folder.display());
    }
}

fn length(path: &Path) -> Result<u64> {
    fs::metadata(path).map(|m| m.len()).map_err(|e| StoreError::io(path, e))
}

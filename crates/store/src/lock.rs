//! One writer per workspace, enforced by the operating system.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::schema::beside;
use crate::{Result, StoreError};

/// The lock of a workspace; given back when dropped or when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock `<workspace>.lock`. The file stays when the lock is given back: removing it would let two
    /// processes lock two files of one name.
    pub(crate) fn take(workspace: &Path) -> Result<Lock> {
        let path = beside(workspace, ".lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|e| StoreError::io(workspace, e))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Held { path: workspace.to_path_buf(), holder: holder(&mut file) });
            }
            Err(TryLockError::Error(e)) => return Err(StoreError::io(&path, e)),
        }
        let told = file
            .set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| writeln!(file, "{} (process {})", program(), std::process::id()));
        told.map_err(|e| StoreError::io(workspace, e))?;
        Ok(Lock { _file: file })
    }
}

fn program() -> String {
    let path = std::env::current_exe().ok();
    path.and_then(|p| p.file_name().map(|n| n.to_string_lossy().into_owned())).unwrap_or_else(|| "flowglass".to_owned())
}

/// Some systems don't let a locked file be read: then the holder stays unnamed.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    match file.take(200).read_to_string(&mut text) {
        Ok(_) if !text.trim().is_empty() => text.trim().to_owned(),
        _ => "another process".to_owned(),
    }
}

//! What can go wrong with a workspace, in words a person can act on.

use std::io;
use std::path::{Path, PathBuf};

/// Why a workspace could not be opened, read or written. Whatever was committed before stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such file; nothing was created.
    #[error("{path}: there is no workspace here; check the path, or start something that creates it (serve, import)", path = path.display())]
    Missing {
        /// The file asked for.
        path: PathBuf,
    },
    /// Another process writes to this workspace.
    #[error("{path}: already open for writing by {holder}; close that first, or use another workspace", path = path.display())]
    Held {
        /// The workspace.
        path: PathBuf,
        /// Program and process id of the holder.
        holder: String,
    },
    /// Somebody reads it, and what was asked for needs it alone.
    #[error("{path}: open in another program; close the windows and commands that show it, then try again", path = path.display())]
    Open {
        /// The workspace.
        path: PathBuf,
    },
    /// Written by a newer version.
    #[error("{path}: written by a newer Flowglass (format {found}, this one knows up to {known}); update Flowglass to open it", path = path.display())]
    Newer {
        /// The workspace.
        path: PathBuf,
        /// Format of the file.
        found: i64,
        /// Newest format known here.
        known: i64,
    },
    /// Not a workspace at all.
    #[error("{path}: not a Flowglass workspace ({detail}); nothing was changed, choose another file", path = path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is instead, as far as can be told.
        detail: String,
    },
    /// The file is damaged.
    #[error("{path}: the workspace is damaged ({detail}); keep a copy of it and restore it from a backup", path = path.display())]
    Corrupt {
        /// The workspace.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// No room left.
    #[error("{path}: no space left to write; nothing of this batch was stored, what was stored before is intact: free some space and try again", path = path.display())]
    Full {
        /// The workspace.
        path: PathBuf,
    },
    /// The file or its folder may not be written.
    #[error("{path}: the file or its folder is read-only; choose a place you may write to, or change its permissions", path = path.display())]
    ReadOnly {
        /// The workspace.
        path: PathBuf,
    },
    /// Another connection held the file for too long.
    #[error("{path}: busy for too long with another program's work; try again", path = path.display())]
    Busy {
        /// The workspace.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file concerned.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Anything else the database engine said.
    #[error("{path}: the database engine says: {detail}", path = path.display())]
    Engine {
        /// The workspace.
        path: PathBuf,
        /// Its words.
        detail: String,
    },
}

/// Shorthand of this crate.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

impl StoreError {
    /// A stable word for this kind of error, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            StoreError::Missing { .. } => "workspace-missing",
            StoreError::Held { .. } => "workspace-held",
            StoreError::Open { .. } => "workspace-open",
            StoreError::Newer { .. } => "workspace-newer",
            StoreError::Foreign { .. } => "workspace-foreign",
            StoreError::Corrupt { .. } => "workspace-corrupt",
            StoreError::Full { .. } => "workspace-full",
            StoreError::ReadOnly { .. } => "workspace-read-only",
            StoreError::Busy { .. } => "workspace-busy",
            StoreError::Io { .. } => "workspace-io",
            StoreError::Engine { .. } => "workspace-engine",
        }
    }

    /// Whether the same may succeed later without anything being lost: there is room again, the disk answers again.
    pub fn is_passing(&self) -> bool {
        matches!(self, StoreError::Full { .. } | StoreError::Busy { .. } | StoreError::Io { .. })
    }

    /// The variant for an operating-system error.
    pub(crate) fn io(path: &Path, source: io::Error) -> StoreError {
        let path = path.to_path_buf();
        match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly { path },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full { path },
            _ => StoreError::Io { path, source },
        }
    }

    /// The variant for a database error.
    pub(crate) fn sqlite(path: &Path, error: rusqlite::Error) -> StoreError {
        use rusqlite::ErrorCode as C;
        let owned = path.to_path_buf();
        let detail = error.to_string();
        match error.sqlite_error_code() {
            Some(C::DiskFull) => StoreError::Full { path: owned },
            Some(C::DatabaseBusy | C::DatabaseLocked | C::FileLockingProtocolFailed) => {
                StoreError::Busy { path: owned }
            }
            Some(C::ReadOnly | C::PermissionDenied) => StoreError::ReadOnly { path: owned },
            Some(C::NotADatabase) => StoreError::Foreign { path: owned, detail: "it is no SQLite database".to_owned() },
            Some(C::SystemIoFailure) => StoreError::Io { path: owned, source: io::Error::other(detail) },
            Some(C::DatabaseCorrupt) => StoreError::Corrupt { path: owned, detail },
            _ => StoreError::Engine { path: owned, detail },
        }
    }

    /// Stored bytes that do not decode.
    pub(crate) fn undecodable(path: &Path, what: &str, why: impl std::fmt::Display) -> StoreError {
        StoreError::Corrupt { path: path.to_path_buf(), detail: format!("{what} cannot be read: {why}") }
    }
}

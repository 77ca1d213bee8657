//! Errors inside the crate: they learn which file they are about at the public edge.

use std::fmt::Display;
use std::path::Path;

use crate::StoreError;

/// What went wrong, before the path is known.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The database engine.
    Sqlite(rusqlite::Error),
    /// Stored bytes that do not decode.
    Decode(&'static str, String),
}

/// Shorthand inside the crate.
pub(crate) type Inner<T> = std::result::Result<T, Fault>;

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Fault {
        Fault::Sqlite(error)
    }
}

impl Fault {
    /// Bytes of `what` that do not decode.
    pub(crate) fn decode(what: &'static str, why: impl Display) -> Fault {
        Fault::Decode(what, why.to_string())
    }

    /// The public error for this file.
    pub(crate) fn at(self, path: &Path) -> StoreError {
        match self {
            Fault::Sqlite(error) => StoreError::sqlite(path, error),
            Fault::Decode(what, why) => StoreError::undecodable(path, what, why),
        }
    }
}

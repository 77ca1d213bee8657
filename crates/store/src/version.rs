//! Which database engine is inside.

/// Version of SQLite, as it says itself: `3.50.4`.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

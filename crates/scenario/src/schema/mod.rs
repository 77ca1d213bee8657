//! The JSON Schema of scenario files, for editors that complete from it.

/// JSON Schema (2020-12) of `scenario/1`.
pub const SCENARIO: &str = include_str!("scenario.json");

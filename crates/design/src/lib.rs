//! A design: read from the formats architects keep it in, held against what was observed, and written again.
//!
//! Pure: texts and data in, texts and data out. What a text refers to is asked for ([`Imported::wanted`]); who asks decides
//! whether it may be fetched.

mod changes;
mod drift;
pub mod export;
mod formats;
mod matching;
mod observed;
mod own;
mod payload;
mod seen;
mod yaml;

pub use changes::{TextChange, changes};
pub use drift::{Deviation, DeviationKind, Drift, Edit, accept, drift};
pub use formats::{File, Imported, import};
pub use matching::{How, Match, Matching};
pub use observed::observed;
pub use own::{SCHEMA, read, write};
pub use payload::Payloads;
pub use seen::{Evidence, Observer, Seen, Sightings};
pub use yaml::LONGEST;

/// What is wrong with a text, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct Problem {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong and what could stand there.
    pub message: String,
}

impl Problem {
    pub(crate) fn at(line: usize, message: impl Into<String>) -> Problem {
        Problem { line, message: message.into() }
    }
}

/// The value that a text in YAML stands for, for those who check it against a schema.
///
/// # Errors
/// When it is no YAML, or not one document.
pub fn value_of(text: &str) -> Result<serde_json::Value, Problem> {
    match yaml::parse(text)?.as_slice() {
        [document] => Ok(document.value.clone()),
        _ => Err(Problem::at(1, "this holds no document, or several")),
    }
}

//! Reading scenario files: `scenario/1`, YAML or JSON.
//!
//! Whatever is wrong is told with line, column, what could stand there and the nearest known spelling. Reading never panics and
//! never takes longer than the size limits allow.

mod channels;
mod operations;
mod participants;
mod read;
mod scenario;
mod tree;
mod units;
mod variants;
mod workloads;

pub use scenario::read_scenario;

use self::tree::At;

/// A duration as a scenario file writes it (`250us`, `8ms`, `1m30s`), nanoseconds; `None` for anything else.
pub fn duration(text: &str) -> Option<crate::model::Time> {
    units::duration(text).ok().map(|ns| (ns + 0.5) as crate::model::Time)
}

/// Something wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
    /// What is wrong and what could stand there.
    pub message: String,
}

impl Problem {
    fn new(at: At, message: String) -> Problem {
        Problem { line: at.line, column: at.column, message }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

/// Reads the instants of recorded arrivals: the argument is the name that the scenario gives, the answer nanoseconds after the
/// first of them, or why not. A pure reader is handed in, so that this crate opens no files.
pub type TimesReader<'a> = &'a dyn Fn(&str) -> Result<Vec<crate::model::Time>, String>;

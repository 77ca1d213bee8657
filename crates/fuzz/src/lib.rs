//! Everything that reads what strangers wrote, as plain functions of bytes ([`TARGETS`]).
//!
//! Whatever the bytes are, a target returns: a panic, an input that takes long, or one that takes much memory is a failure.
//! What a target has to say of them beyond that (what is read again is the same, …) it asserts. Tests replay a small corpus
//! and a fixed number of random inputs; [`session`] goes on for as long as wanted, and libFuzzer can call the same functions.

mod corpus;
mod memory;
mod mutate;
mod session;
mod targets;

pub use corpus::{Seed, corpus, folder};
pub use mutate::Mutator;
pub use session::{Failure, Report, Until, replay, session};
pub use targets::{TARGETS, target};

/// One thing that reads bytes.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, and that of its folder of the corpus.
    pub name: &'static str,
    /// Reads them.
    pub run: fn(&[u8]),
    /// Files of the project that are good inputs, by path from its root.
    pub seeds: &'static [&'static str],
    /// Pieces that mean something in its language.
    pub words: &'static [&'static str],
    /// Random inputs in a test, so that all targets take about the same time.
    pub runs: u32,
}

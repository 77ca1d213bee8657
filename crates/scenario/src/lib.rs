//! A design as data, simulated call by call and event by event, and decided with evidence.
//!
//! Pure: text and data in, data out. Same seed, same bytes, whatever the machine or the number of threads.

pub mod calibrate;
pub mod decide;
mod dist;
mod engine;
pub mod exemplars;
pub mod experiment;
pub mod export;
pub mod file;
mod flow;
mod keyed;
mod math;
pub mod model;
pub mod outcome;
mod program;
pub mod schema;
pub mod study;
mod tally;

pub use dist::{Dist, gamma_share_below};

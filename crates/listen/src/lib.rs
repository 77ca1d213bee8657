//! Connections within bounds: how many at a time, how long each may be silent, and who goes when there is no place left.
//!
//! Whoever can reach a port can open connections and say nothing. A listener has a fixed number of [`Places`]; when all are
//! taken, the connection that has been silent longest goes for the one that comes, and never one with a request under way. A
//! thousand silent connections, or ten thousand, therefore keep nobody out.

mod handles;
mod limits;
mod places;
mod serve;

pub use handles::handles;
pub use limits::Limits;
pub use places::{Busy, Place, Places, Visitor};
pub use serve::{Ended, PREFACE, converse, first_bytes};

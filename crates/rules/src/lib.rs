//! The rules of an architecture, held against what was seen.
//!
//! A [`Survey`] is shown every trace and every publication of a range, in any order, and tells at the end which rules were broken,
//! by whom, how often and how sure that is ([`Finding`]); and who needs whom ([`Needs`]). Nothing here does I/O or reads a clock.
//!
//! One offence breaks one rule, and an attempt repeated (a retry, a redelivery) is the same offence.

mod book;
mod catalogue;
mod dates;
mod explain;
mod finding;
mod impact;
mod judge;
mod landscape;
mod survey;
mod tally;
mod trace;

pub use book::Rulebook;
pub use catalogue::{RuleText, rule_text};
pub use finding::{EVIDENCE, Evidence, Finding, PARTS, Waiver};
pub use impact::{Hit, Impact, Needs, SinglePoint, Waiting};
pub use judge::messages::Published;
pub use judge::troubles::{Fate, Trouble};
pub use landscape::{Landscape, Shown};
pub use survey::{Checked, Report, Subject, Survey};
pub use tally::Period;
pub use trace::Seen;

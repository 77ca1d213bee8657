//! Spans, events and deliveries stitched into one business journey: pure, without I/O or a clock.
//!
//! A journey is the trace it started with and what the messages sent in it caused in other traces. [`summarise`] gives what a
//! list shows, [`build`] the whole story. Order of arrival and repeats never change either. Nothing stored is corrected: a
//! skewed clock is allowed for where times are compared, and shown as sent.

mod assemble;
pub mod common;
pub mod compare;
mod conversation;
mod critical;
mod failure;
mod index;
mod input;
mod keys;
pub mod kinds;
mod marks;
mod outcome;
mod related;
mod sections;
mod select;
mod sentence;
pub mod sequence;
mod settled;
mod tree;

pub use assemble::{build, summarise};

pub use conversation::{Part, converse, infer, units};
pub use input::{DeliveryFacts, EventFacts, Input};
pub use keys::{Proposal, Sighting, propose};
pub use related::{SHARED_BY, relate};
pub use sections::{Section, Sections};

//! Fetching traces from where others keep them: Jaeger's and Tempo's HTTP query APIs, by address or pasted link.
//!
//! What is asked for is read from the link ([`Ask`]); what is answered takes the way of an imported file, so that limits, redaction
//! and refusals are the same. Only reads; redirects are not followed; credentials go to the host of the link and nowhere else.

mod client;
mod link;
mod run;
mod tempo;

pub use client::{PullAuth, fetch};
pub use link::{Ask, LinkError, Wanted};
pub use run::{PullConfig, PullError, pull};

/// Traces fetched at most, whatever is asked for.
pub const TRACES_MAX: usize = 1_000;
/// Traces fetched when nothing else is asked for.
pub const TRACES: usize = 100;

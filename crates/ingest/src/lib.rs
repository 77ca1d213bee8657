//! Sources: everything that comes in becomes a normalised [`Batch`](flowglass_model::Batch) and goes through a bounded
//! [`Sink`].
//!
//! A batch is decoded once and normalised once ([`normalise`]: old attribute names become current ones, the role of each span
//! is decided, credentials are replaced). Nothing here knows SQL or the graph. Bad input is data: it becomes
//! [`Rejected`](flowglass_model::Rejected), never a panic, and never costs the good parts beside it.

pub mod cloudevents;
pub mod files;
pub mod forward;
pub mod nats;
pub mod normalise;
pub mod otlp;
pub mod pull;
pub mod redact;
pub mod secrets;
pub mod selftest;

mod outgoing;
mod pause;
mod sink;
mod stats;

pub use normalise::{BUSINESS_KEYS, KeyNames, Options, PayloadPolicy, business_key};
pub use otlp::{BindError, Port, ReceiverConfig, Receivers, bind};
pub use sink::{Sink, Submission, SubmitError, approximate_bytes};
pub use stats::{IngestStats, ListenerCounts, ListenerStats, ProbeId, Refusal, Refusals};

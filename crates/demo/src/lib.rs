//! A sample integration landscape: an order business whose every participant is an OpenTelemetry
//! resource of its own, exporting real OTLP through the official SDK and real events through NATS
//! JetStream (or CloudEvents over HTTP where no broker can be started).
//!
//! The landscape is one process that plays all participants. What a participant does is simulated
//! (it sleeps for a sampled service time); what it says about it is real telemetry. Every choice
//! depends only on the seed and the number of the request, so counts repeat.
//!
//! - [`landscape`]: who takes part, with which parameters (plain tables)
//! - [`dice`]: seeded choices and service times
//! - [`telemetry`]: tracer and logger providers, one pair per participant
//! - [`semconv`]: attributes in the stable and in the legacy spelling of the semantic conventions
//! - [`scope`]: what a participant can do: work, call, access a backend, publish, log
//! - [`event`]: CloudEvents in binary and structured mode
//! - [`bus`]: events over NATS JetStream or HTTP; [`broker`]: a `nats-server` of our own
//! - [`story`]: which interactions come and what goes wrong in them
//! - [`flows`]: the interactions and the experience APIs; [`workers`]: the event consumers
//!   (the process and system APIs are in the private module `services`)
//! - [`truth`]: what was really done, counted by the code that did it
//! - [`run`]: arrivals, draining, the life of one run

pub mod broker;
pub mod bus;
pub mod dice;
pub mod event;
mod exporter;
pub mod flows;
pub mod landscape;
pub mod run;
pub mod scope;
pub mod semconv;
mod services;
pub mod story;
pub mod telemetry;
pub mod truth;
pub mod workers;

pub use run::{EventTransport, Options, Stop, run};

//! Running sources: listeners, NATS connections, imports.

mod imports;
mod nats;
mod receiver;
mod snippets;

pub use imports::ImportOutcome;
pub(crate) use imports::Imports;
pub(crate) use nats::NatsLinks;
pub(crate) use receiver::{Receiver, ReceiverRole};
pub(crate) use snippets::snippets;

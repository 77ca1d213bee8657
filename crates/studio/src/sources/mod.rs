//! Running sources: listeners, NATS connections, imports.

mod access;
mod forwarding;
mod imports;
mod listeners;
mod nats;
mod pulling;
mod receiver;
mod selftest;
mod snippets;

pub(crate) use forwarding::{Forwarding, META_FORWARD, remembered as remembered_forward, target as forward_target};
pub use imports::ImportOutcome;
pub(crate) use imports::Imports;
pub(crate) use listeners::{Asked, Listeners, META_LISTENERS};
pub(crate) use nats::NatsLinks;
pub(crate) use receiver::is_remote;
pub(crate) use selftest::self_test;
pub(crate) use snippets::{Place, Senders, places, set_ups};

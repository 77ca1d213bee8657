//! NATS: core subjects and JetStream streams, live and from what streams keep.
//!
//! **Looking changes nothing**: no consumer is created on any stream and nothing is acknowledged. Live data comes from core
//! subscriptions; history is read with Direct Get (in batches where the server can) or message get, which leave no trace in a stream. What was acknowledged on
//! an Interest or WorkQueue stream is gone and cannot be read any more. Only [`Publisher`] changes something, when somebody asks.
//!
//! A `>` subscriber sees every delivery to a consumer again under the original subject; only the reply subject
//! (`$JS.ACK.…`) tells it from a publication. The stream sequence of a live publication is learnt from the broker's answer to
//! the publisher or from the first delivery of it, so that the same message read from the stream later is the same message.

mod ack;
mod advisory;
mod api;
mod batch;
mod config;
mod connect;
mod consumers;
mod headers;
mod history;
mod live;
mod publish;
mod run;
mod search;
mod session;
mod status;
mod subject;
mod withheld;

pub use ack::{AckSubject, acknowledgement};
pub use advisory::advisory;
pub use config::{Backfill, NatsAuth, NatsConfig, NatsConfigError, NatsTls, is_subject};
pub use consumers::NatsConsumer;
pub use headers::parse as parse_headers;
pub use publish::{Outgoing, PUBLISH_MAX, Published, Publisher};
pub use run::run;
pub use search::search;
pub use status::{NatsCounts, NatsGap, NatsServer, NatsState, NatsStatus, NatsStream};
pub use subject::{covers, matches};

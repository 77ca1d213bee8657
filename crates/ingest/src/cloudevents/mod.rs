//! CloudEvents 1.0 (0.3 is understood) in their three forms: binary, structured and batched.
//!
//! The same reading serves HTTP (`http-protocol-binding.md`), NATS (`nats-protocol-binding.md`), Kafka records and files:
//! [`build`] turns what a broker or sender delivered into a [`Message`] and looks for an event in it.

mod context;
mod draft;
mod event;
mod http;
mod rfc3339;

pub use context::{b3, jaeger_context, traceparent};
pub(crate) use draft::percent_decode;
pub use draft::{Draft, MAX_PAYLOAD, build};
pub use event::{CloudEventError, Event, is_event, structured};
pub use http::from_http;
pub use rfc3339::parse as parse_time;

#[cfg(doc)]
use flowglass_model::Message;

//! Files: whatever the `import` command names, recognised by content, read in bounded memory.
//!
//! A reader on a thread of its own takes a file apart and hands batches to the [`Sink`](crate::Sink) through a short queue.
//! What cannot be read becomes a rejection with file and place; it never costs the good parts around it.

mod detect;
mod import;
mod jaeger;
mod json;
mod out;
mod own;
mod protobuf;
mod read;
mod records;
mod source;
mod walk;
pub mod zipkin;

pub use import::{ImportError, ImportReport, Progress, import, import_bytes};
pub use jaeger::trace as jaeger_trace;
pub use own::records;

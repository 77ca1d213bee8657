//! Spans and log records, packed: sorted by trace, emitters once, compressed as a whole.
//!
//! A chunk is a format byte, the length of the raw bytes and a zstd frame. Raw: a [`Header`] as `postcard` writes it, the
//! texts of all items (each once) and then the items one after the other, as [`write`] does it. The header knows where each
//! begins, so one trace is read without the others.

mod build;
mod read;
mod stored;
mod write;

use flowglass_model::{Attributes, LogRecord, Nanos, Resource, Scope, SpanEvent, SpanId, SpanLink, TraceId, Value};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::fault::{Fault, Inner};
use read::ItemReader;

pub use build::Packer;
pub(crate) use build::{Builder, Sealed};
pub use stored::probe_chunk;
pub(crate) use stored::{Chunk, Holders};

/// First byte of a chunk: how the rest is written.
const FORMAT: u8 = 2;
/// Items at which a chunk is full: what is committed together under load, so that most traces lie in one chunk.
const ITEMS: usize = 8_192;
/// Raw bytes at which a chunk is full.
const BYTES: usize = 4 << 20;
/// The fastest regular level: higher ones cost more time per span than all else together.
const LEVEL: i32 = 1;

/// What a chunk holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Spans.
    Spans = 0,
    /// Log records.
    Logs = 1,
}

#[derive(Serialize, Deserialize)]
struct Header {
    resources: Vec<Resource>,
    scopes: Vec<Scope>,
    /// Trace and number of neighbouring items; zeros where there is no trace.
    traces: Vec<([u8; 16], u32)>,
    lengths: Vec<u32>,
    resource_of: Vec<u32>,
    scope_of: Vec<u32>,
    /// Where each text ends.
    texts: Vec<u32>,
}

/// A span without facts and emitter, as written.
#[derive(Serialize)]
struct RestRef<'a> {
    name: &'a str,
    trace_state: &'a str,
    attributes: &'a Attributes,
    events: &'a [SpanEvent],
    links: &'a [SpanLink],
    dropped: u32,
}

/// The same, as read.
#[derive(Deserialize)]
struct Rest {
    name: String,
    trace_state: String,
    attributes: Attributes,
    events: Vec<SpanEvent>,
    links: Vec<SpanLink>,
    dropped: u32,
}

/// A log record without emitter, as written.
#[derive(Serialize)]
struct LogRef<'a> {
    time: Nanos,
    trace_id: Option<TraceId>,
    span_id: Option<SpanId>,
    severity: u8,
    severity_text: &'a str,
    body: &'a Value,
    event_name: &'a str,
    attributes: &'a Attributes,
}

/// The same, as read.
#[derive(Deserialize)]
struct Log {
    time: Nanos,
    trace_id: Option<TraceId>,
    span_id: Option<SpanId>,
    severity: u8,
    severity_text: String,
    body: Value,
    event_name: String,
    attributes: Attributes,
}

fn positions(runs: &[([u8; 16], u32)]) -> Vec<(TraceId, usize, usize)> {
    let mut at = 0;
    let mut out = Vec::with_capacity(runs.len());
    for (trace, n) in runs {
        if let Some(trace) = TraceId::new(*trace) {
            out.push((trace, at, *n as usize));
        }
        at += *n as usize;
    }
    out
}

fn log_ref(log: &LogRecord) -> LogRef<'_> {
    LogRef {
        time: log.time,
        trace_id: log.trace_id,
        span_id: log.span_id,
        severity: log.severity,
        severity_text: &log.severity_text,
        body: &log.body,
        event_name: &log.event_name,
        attributes: &log.attributes,
    }
}

/// Bytes that two log records share only when they are the same in everything but the emitter.
pub(crate) fn log_bytes(log: &LogRecord) -> Inner<Vec<u8>> {
    postcard::to_stdvec(&log_ref(log)).map_err(|e| Fault::decode("a log record", e))
}

fn read<T: DeserializeOwned>(reader: &mut ItemReader<'_>, what: &'static str) -> Inner<T> {
    T::deserialize(reader).map_err(|e| Fault::decode(what, e))
}

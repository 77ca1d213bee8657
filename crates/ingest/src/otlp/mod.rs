//! The OpenTelemetry protocol: decoding (protobuf and JSON, pure) and the receivers (gRPC and HTTP on each port).

mod access;
mod bind;
mod body;
mod grpc;
mod http;
mod json;
mod json_scalar;
pub(crate) mod parts;
mod processes;
mod refused;
mod request;
mod sender;
mod server;
mod silent;
mod span_wire;
mod wire;

pub use access::{TOKEN_LENGTH, is_loopback, new_token};

pub(crate) use access::bearer;
pub use bind::{BindError, ReceiverConfig, bind, free_address};
pub use processes::Holder;
pub use request::Port;
pub use server::Receivers;
pub use silent::{SilentConnection, SilentConnections};

pub(crate) use body::Compression;
pub(crate) use grpc::SERVICES;
pub(crate) use request::{PROBE, Signal};

use flowglass_model::Batch;

use crate::Options;

/// How a request is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Binary protobuf.
    Protobuf,
    /// OTLP/JSON.
    Json,
}

/// Why a request as a whole could not be read. Single bad spans are no such error: they come back in
/// [`Batch::rejected`](flowglass_model::Batch).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes are not protobuf of the expected message.
    #[error("not an OTLP protobuf message: {reason} at byte {at}")]
    Protobuf {
        /// Offset of the field that could not be read, from the start of the message it stands in.
        at: usize,
        /// What was wrong.
        reason: &'static str,
    },
    /// The text is not JSON of the expected shape.
    #[error("not OTLP/JSON: {reason}")]
    Json {
        /// What was wrong, with line and column.
        reason: String,
    },
    /// It would become far more in memory than it is: mostly empty parts.
    #[error(
        "{bytes} bytes that are made of more than {most} parts: no telemetry is, mostly empty ones are refused; send smaller batches if it is meant"
    )]
    TooManyParts {
        /// Its size.
        bytes: usize,
        /// Parts that this size may have.
        most: usize,
    },
}

/// Decodes and normalises an `ExportTraceServiceRequest` (or `TracesData`, which is written the same way). A span that cannot
/// be read or stored is refused alone.
pub fn decode_traces(bytes: &[u8], encoding: Encoding, options: &Options) -> Result<Batch, DecodeError> {
    match encoding {
        Encoding::Protobuf => wire::traces(bytes, options),
        Encoding::Json => json::traces(bytes, options),
    }
}

/// Decodes and normalises an `ExportLogsServiceRequest` (or `LogsData`).
pub fn decode_logs(bytes: &[u8], encoding: Encoding, options: &Options) -> Result<Batch, DecodeError> {
    match encoding {
        Encoding::Protobuf => wire::logs(bytes, options),
        Encoding::Json => json::logs(bytes, options),
    }
}

/// Counts the data points of an `ExportMetricsServiceRequest`: metrics are not kept, but the sender is told how many went.
pub fn count_data_points(bytes: &[u8], encoding: Encoding) -> Result<u64, DecodeError> {
    match encoding {
        Encoding::Protobuf => wire::data_points(bytes),
        Encoding::Json => json::data_points(bytes),
    }
}

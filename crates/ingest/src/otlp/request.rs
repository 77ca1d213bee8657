//! What both transports do with an export request: decode, hand to the sink, answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use flowglass_model::{Batch, Nanos, SourceKind};
use http::StatusCode;
use tonic::Code;

use super::body::{Budget, Compression, Room, decompress};
use super::{DecodeError, Encoding, count_data_points, decode_logs, decode_traces};
use crate::{IngestStats, ListenerCounts, ListenerStats, Options, Refusal, Sink, SubmitError};

/// Bodies above this many bytes are decoded on a thread of their own, so that they do not hold up other connections.
const LARGE: usize = 64 * 1024;
/// Seconds a sender is asked to wait when there is no room.
pub(super) const RETRY_SECONDS: u32 = 1;

/// What kind of telemetry a request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    Traces,
    Logs,
    Metrics,
}

/// Why a request is refused, in the words of both transports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) code: Code,
    pub(super) message: String,
    /// Whether the same request may succeed after [`RETRY_SECONDS`].
    pub(super) retry: bool,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: Code, message: impl Into<String>) -> Problem {
        Problem { status, code, message: message.into(), retry: false }
    }

    /// The request cannot be understood; sending it again is of no use.
    pub(super) fn bad(message: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, Code::InvalidArgument, message)
    }

    /// Above the limit. Not OUT_OF_RANGE, which OTLP clients retry for ever.
    pub(super) fn too_large(max: usize) -> Problem {
        let message = format!("the request is larger than {max} bytes; send smaller batches");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, Code::InvalidArgument, message)
    }

    /// No room now.
    pub(super) fn busy() -> Problem {
        let message = "more data is arriving than can be stored; try again in a moment";
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, Code::ResourceExhausted, message);
        Problem { retry: true, ..problem }
    }

    /// The body did not arrive.
    pub(super) fn slow() -> Problem {
        Problem::new(StatusCode::REQUEST_TIMEOUT, Code::DeadlineExceeded, "the body did not arrive within 30 seconds")
    }
}

impl From<DecodeError> for Problem {
    fn from(e: DecodeError) -> Problem {
        Problem::bad(e.to_string())
    }
}

impl From<SubmitError> for Problem {
    fn from(e: SubmitError) -> Problem {
        let message = e.to_string();
        match e {
            SubmitError::Busy => Problem::busy(),
            SubmitError::Failed { retryable: false, .. } => {
                Problem::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, message)
            }
            SubmitError::Closed | SubmitError::Failed { .. } => {
                let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, message);
                Problem { retry: true, ..problem }
            }
        }
    }
}

/// What a successful answer says was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Partial {
    pub(super) rejected: u64,
    pub(super) message: String,
}

/// Which of the two ports a request came in on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Port {
    Grpc,
    Http,
}

/// What handlers share.
#[derive(Debug, Clone)]
pub(super) struct Receiver {
    pub(super) port: Port,
    pub(super) options: Arc<Options>,
    pub(super) max_body: usize,
    pub(super) budget: Budget,
    pub(super) sink: Sink,
    pub(super) stats: Arc<IngestStats>,
}

/// A body as received, still compressed, with the room it takes.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) bytes: Bytes,
    pub(super) compression: Option<Compression>,
    pub(super) room: Room,
}

/// Address of the sender, put into each request by the server.
#[derive(Debug, Clone, Copy)]
pub(super) struct PeerAddress(pub(super) SocketAddr);

impl Receiver {
    pub(super) fn counters(&self) -> &ListenerStats {
        match self.port {
            Port::Grpc => &self.stats.otlp_grpc,
            Port::Http => &self.stats.otlp_http,
        }
    }

    /// Counts and remembers a refused request.
    pub(super) fn refuse(&self, peer: Option<PeerAddress>, what: String, reason: &str) {
        self.counters().error();
        self.remember(peer, what, reason);
    }

    fn remember(&self, peer: Option<PeerAddress>, what: String, reason: &str) {
        let peer = peer.map_or_else(String::new, |p| p.0.to_string());
        tracing::debug!(%peer, %what, %reason, "refused");
        self.stats.refusals.push(Refusal { time: now(), peer, what, reason: reason.to_owned() });
    }

    /// Decompresses, decodes and normalises by `decode`, off the event loop when large.
    pub(super) async fn decode<T: Send + 'static>(
        &self,
        received: Received,
        decode: impl FnOnce(&[u8], &Options) -> Result<T, Problem> + Send + 'static,
    ) -> Result<(T, Room), Problem> {
        let Received { bytes, compression, mut room } = received;
        let (options, max) = (Arc::clone(&self.options), self.max_body);
        let large = bytes.len() > LARGE || compression.is_some();
        let work = move || {
            let value = match compression {
                Some(how) => decode(&decompress(how, &bytes, max, &mut room)?, &options)?,
                None => decode(&bytes, &options)?,
            };
            Ok((value, room))
        };
        if !large {
            return work();
        }
        let unexpected = |e| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, format!("decoding: {e}"));
        tokio::task::spawn_blocking(work).await.map_err(unexpected)?
    }

    /// Takes an export request of OTLP to the store.
    pub(super) async fn export(
        &self,
        signal: Signal,
        encoding: Encoding,
        received: Received,
        source: SourceKind,
        peer: Option<PeerAddress>,
    ) -> Result<Partial, Problem> {
        if signal == Signal::Metrics {
            let count = move |b: &[u8], _: &Options| Ok(count_data_points(b, encoding)?);
            let (points, _room) = self.decode(received, count).await?;
            self.counters().rejected(points);
            let message = "metrics are not kept; set OTEL_METRICS_EXPORTER=none to stop sending them";
            return Ok(Partial {
                rejected: points,
                message: if points > 0 { message.to_owned() } else { String::new() },
            });
        }
        let work = move |b: &[u8], options: &Options| {
            Ok(match signal {
                Signal::Logs => decode_logs(b, encoding, options)?,
                _ => decode_traces(b, encoding, options)?,
            })
        };
        let (mut batch, _room) = self.decode(received, work).await?;
        let now = now();
        // A record without any time happened when it came.
        batch.logs.iter_mut().filter(|l| l.time == 0).for_each(|l| l.time = now);
        self.store(batch, source, peer, if signal == Signal::Logs { "log records" } else { "spans" }).await
    }

    /// Submits a batch and says what of it was refused.
    pub(super) async fn store(
        &self,
        batch: Batch,
        source: SourceKind,
        peer: Option<PeerAddress>,
        noun: &str,
    ) -> Result<Partial, Problem> {
        let counts = ListenerCounts::of(&batch);
        let partial = partial(&batch, counts.rejected, noun);
        if !batch.is_empty() {
            self.sink.try_submit(batch, source).await?;
        }
        self.counters().accepted(&counts);
        if partial.rejected > 0 {
            self.remember(peer, format!("{} {noun}", partial.rejected), &partial.message);
        }
        Ok(partial)
    }
}

/// The first three reasons, in one sentence.
fn partial(batch: &Batch, rejected: u64, noun: &str) -> Partial {
    if rejected == 0 {
        return Partial::default();
    }
    let first = batch.rejected.iter().take(3).map(|r| format!("{}: {}", r.at, r.reason)).collect::<Vec<_>>().join("; ");
    let more = batch.rejected.len().saturating_sub(3);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    Partial { rejected, message: format!("{rejected} {noun} refused: {first}{more}") }
}

/// The time by this machine's clock.
pub(super) fn now() -> Nanos {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Nanos::try_from(since.as_nanos()).unwrap_or(Nanos::MAX)
}

//! What both transports do with an export request: decode, hand to the sink, answer.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use flowglass_listen::Limits;
use flowglass_model::{Batch, Nanos, SourceKind};
use http::{HeaderMap, HeaderName, StatusCode};
use tokio::sync::Semaphore;
use tonic::Code;

use super::body::{Budget, Compression, Room, decompress};
use super::refused::Tally;
use super::sender::Sender;
use super::{DecodeError, Encoding, count_data_points, decode_logs, decode_traces};
use crate::forward::{ForwardSlot, Passed};
use crate::secrets::Secret;
use crate::{IngestStats, ListenerCounts, ListenerStats, Options, Refusal, Sink, SubmitError};

/// Bodies above this many bytes are decoded on a thread of their own, so that they do not hold up other connections.
const LARGE: usize = 64 * 1024;
/// Seconds a sender is asked to wait when there is no room.
pub(super) const RETRY_SECONDS: u32 = 1;

/// What kind of telemetry a request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
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
        Problem::new(StatusCode::REQUEST_TIMEOUT, Code::DeadlineExceeded, "the body stopped coming, or came too slowly")
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
            // With `RetryInfo` clients keep what they have and send it again (OTLP specification, "Failures").
            SubmitError::Full(_) => {
                let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, Code::ResourceExhausted, message);
                Problem { retry: true, ..problem }
            }
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

/// Which of the two ports something came in on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// The one named for gRPC.
    Grpc,
    /// The one named for HTTP.
    Http,
}

impl Port {
    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Port::Grpc => "OTLP gRPC",
            Port::Http => "OTLP HTTP",
        }
    }
}

/// What handlers share.
#[derive(Debug, Clone)]
pub(super) struct Receiver {
    pub(super) port: Port,
    pub(super) options: Arc<Options>,
    pub(super) max_body: usize,
    pub(super) limits: Arc<Limits>,
    pub(super) budget: Budget,
    /// Large bodies that are decoded at a time: each may need many times its own size for a moment.
    pub(super) decoders: Arc<Semaphore>,
    pub(super) sink: Sink,
    pub(super) stats: Arc<IngestStats>,
    /// What senders on other machines must pass.
    pub(super) token: Option<Secret>,
    pub(super) forward: ForwardSlot,
    pub(super) refused: Arc<Tally>,
}

/// A body as received, still compressed, with the room it takes.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) bytes: Bytes,
    pub(super) compression: Option<Compression>,
    pub(super) room: Room,
    /// Headers to pass on with it.
    pub(super) headers: HeaderMap,
    /// Whether this is our own test: it is stored and taken back, counted nowhere and not passed on.
    pub(super) probe: bool,
}

/// Names the probe in a request of our own test.
pub(crate) const PROBE: HeaderName = HeaderName::from_static("flowglass-probe");

impl Receiver {
    pub(super) fn counters(&self) -> &ListenerStats {
        self.stats.of(self.port)
    }

    /// Whether a request is our own test: it names the probe of this run.
    pub(super) fn is_probe(&self, headers: &HeaderMap) -> bool {
        headers.get(PROBE).is_some_and(|id| self.stats.probe.is(id.as_bytes()))
    }

    /// Counts and remembers a refused request.
    pub(super) async fn refuse(&self, sender: &Sender, what: String, problem: &Problem) {
        self.refused.count(&what, problem);
        sender.refused(&what, problem).await;
        self.remember(sender, what, problem);
    }

    /// Remembers a refused request or connection that is not counted in the workspace.
    pub(super) fn remember(&self, sender: &Sender, what: String, problem: &Problem) {
        self.counters().error();
        self.push_refusal(sender, what, &problem.message);
    }

    fn push_refusal(&self, sender: &Sender, what: String, reason: &str) {
        let peer = sender.peer().to_string();
        tracing::debug!(%peer, %what, %reason, "refused");
        self.stats.refusals.push(Refusal { time: now(), peer, what, reason: reason.to_owned() });
    }

    /// Decompresses, decodes and normalises by `decode`, off the event loop when large.
    pub(super) async fn decode<T: Send + 'static>(
        &self,
        received: Received,
        decode: impl FnOnce(&[u8], &Options) -> Result<T, Problem> + Send + 'static,
    ) -> Result<(T, Room), Problem> {
        let Received { bytes, compression, mut room, .. } = received;
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
        // Never closed: an error would only mean that nobody counts.
        let _turn = self.decoders.clone().acquire_owned().await.ok();
        let unexpected = |e| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, format!("decoding: {e}"));
        tokio::task::spawn_blocking(work).await.map_err(unexpected)?
    }

    /// Takes an export request of OTLP to the store, and what was taken on to whom it is forwarded.
    pub(super) async fn export(
        &self,
        signal: Signal,
        encoding: Encoding,
        mut received: Received,
        source: SourceKind,
        sender: &Sender,
    ) -> Result<Partial, Problem> {
        let forward = if received.probe { None } else { self.forward.get() };
        let passed = forward.as_ref().map(|_| Passed {
            signal,
            encoding,
            compression: received.compression,
            bytes: received.bytes.clone(),
            headers: std::mem::take(&mut received.headers),
        });
        let partial = if signal == Signal::Metrics {
            self.metrics(encoding, received, sender).await?
        } else {
            self.keep(signal, encoding, received, source, sender).await?
        };
        if let (Some(forward), Some(passed)) = (forward, passed) {
            forward.offer(passed);
        }
        Ok(partial)
    }

    /// Metrics are counted and told to be of no use here.
    async fn metrics(&self, encoding: Encoding, received: Received, sender: &Sender) -> Result<Partial, Problem> {
        let count = move |b: &[u8], _: &Options| Ok(count_data_points(b, encoding)?);
        let (points, _room) = self.decode(received, count).await?;
        self.counters().rejected(points);
        let reason = "only metrics came, which are not kept";
        let advice = "Turn the traces exporter on (OTEL_TRACES_EXPORTER=otlp) and metrics off (OTEL_METRICS_EXPORTER=none). \
                      Many exporters use a connection for each signal: then this one says nothing about the others.";
        sender.nothing(Some("metrics".to_owned()), reason, advice).await;
        let message = "metrics are not kept; set OTEL_METRICS_EXPORTER=none to stop sending them";
        Ok(Partial { rejected: points, message: if points > 0 { message.to_owned() } else { String::new() } })
    }

    async fn keep(
        &self,
        signal: Signal,
        encoding: Encoding,
        received: Received,
        source: SourceKind,
        sender: &Sender,
    ) -> Result<Partial, Problem> {
        let work = move |b: &[u8], options: &Options| {
            Ok(match signal {
                Signal::Logs => decode_logs(b, encoding, options)?,
                _ => decode_traces(b, encoding, options)?,
            })
        };
        let probe = received.probe;
        let (mut batch, _room) = self.decode(received, work).await?;
        let now = now();
        // A record without any time happened when it came.
        batch.logs.iter_mut().filter(|l| l.time == 0).for_each(|l| l.time = now);
        let noun = if signal == Signal::Logs { "log records" } else { "spans" };
        self.store(batch, source, sender, noun, probe).await
    }

    /// Submits a batch and says what of it was refused.
    pub(super) async fn store(
        &self,
        batch: Batch,
        source: SourceKind,
        sender: &Sender,
        noun: &str,
        probe: bool,
    ) -> Result<Partial, Problem> {
        if probe {
            return self.rehearse(batch, source, sender).await;
        }
        let counts = ListenerCounts::of(&batch);
        let partial = partial(&batch, counts.rejected, noun);
        if !batch.is_empty() {
            self.sink.try_submit(batch, source).await?;
        }
        self.counters().accepted(&counts);
        if partial.rejected > 0 {
            self.push_refusal(sender, format!("{} {noun}", partial.rejected), &partial.message);
        }
        if counts.spans + counts.logs + counts.events > 0 {
            sender.brought();
        } else if partial.rejected > 0 {
            let advice = "The request could be read, but nothing of it could be kept: mend what the exporter sends.";
            sender.nothing(Some(noun.to_owned()), &partial.message, advice).await;
        } else {
            let advice = "The exporter reaches this port. It has nothing to send yet, or it is a health check.";
            sender.nothing(Some(noun.to_owned()), "an empty request came", advice).await;
        }
        Ok(partial)
    }

    /// Stores our own test and takes it back.
    async fn rehearse(&self, batch: Batch, source: SourceKind, sender: &Sender) -> Result<Partial, Problem> {
        sender.brought();
        let stored = self.sink.rehearse(batch, source).await?;
        if stored.spans + stored.events == 1 {
            return Ok(Partial::default());
        }
        let message = format!("the test was not stored as one item: {stored:?}");
        Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, message))
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

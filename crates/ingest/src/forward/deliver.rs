//! One request on its way to the other side, with repetition.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use tonic::Code;

use super::{Figures, Limits, Passed, Protocol, Target, Waiting, headers};
use crate::otlp::{Compression, Encoding, Signal};
use crate::outgoing::{NoReply, Outgoing, Reply, grpc_frame, grpc_headers};

/// Largest body that is unpacked for a receiver which does not know its compression.
const UNPACKED: usize = 64 << 20;

/// Takes requests to one receiver.
pub(super) struct Courier {
    target: Target,
    name: String,
    limits: Limits,
    figures: Arc<Figures>,
    client: Outgoing,
    /// The other side did not know a compression: bodies are unpacked from then on.
    plain: AtomicBool,
}

/// What came of one attempt.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Sent,
    /// May succeed later; not before the wait that was asked for.
    Again(String, Option<Duration>),
    /// The same request without compression may succeed.
    Unpack,
    /// The other side does not know the signal.
    Unwanted,
    Lost(String),
}

impl Courier {
    pub(super) fn new(target: Target, name: String, limits: Limits, figures: Arc<Figures>) -> io::Result<Courier> {
        let client = Outgoing::new(target.protocol() == Protocol::Grpc, target.is_tls())?;
        Ok(Courier { target, name, limits, figures, client, plain: AtomicBool::new(false) })
    }

    /// Passes a request on, however often it takes within the time it has.
    pub(super) async fn pass_on(&self, waiting: Waiting) {
        let Waiting { mut request, since, _room } = waiting;
        let mut wait = self.limits.first_wait;
        loop {
            if self.plain.load(Relaxed) {
                unpack(&mut request);
            }
            match self.attempt(&request).await {
                Outcome::Sent => return self.figures.pass(),
                Outcome::Unwanted => {
                    self.figures.unwanted[request.signal as usize].store(true, Relaxed);
                    return;
                }
                Outcome::Lost(why) => return self.figures.lose(why),
                Outcome::Unpack => self.plain.store(true, Relaxed),
                Outcome::Again(why, asked) => {
                    if since.elapsed() + wait > self.limits.give_up {
                        return self.figures.lose(why);
                    }
                    self.figures.fail(format!("{why}; it is tried again"));
                    // Not all at the same moment.
                    let spread = wait.mul_f64(0.75 + 0.5 * rand::random::<f64>());
                    tokio::time::sleep(spread.max(asked.unwrap_or_default().min(self.limits.longest_wait))).await;
                    wait = (wait * 2).min(self.limits.longest_wait);
                }
            }
        }
    }

    async fn attempt(&self, request: &Passed) -> Outcome {
        let url = match self.target.endpoint(request.signal) {
            Ok(url) => url,
            Err(e) => return Outcome::Lost(e.to_string()),
        };
        let mut headers = request.headers.clone();
        headers::goes_through(&mut headers, &self.name);
        let grpc = self.target.protocol() == Protocol::Grpc;
        let (headers, body) = if grpc {
            if request.encoding == Encoding::Json {
                let why = "OTLP as JSON cannot be passed on by gRPC: forward to the other side's HTTP port (http://host:4318)";
                return Outcome::Lost(why.to_owned());
            }
            (
                grpc_headers(headers, request.compression.map(Compression::name)),
                grpc_frame(&request.bytes, request.compression.is_some()),
            )
        } else {
            (http_headers(headers, request), request.bytes.clone())
        };
        match self.client.post(&url, grpc, headers, body, self.limits.patience).await {
            Err(NoReply(why)) => Outcome::Again(why, None),
            Ok(reply) => outcome(&reply, request.signal, request.compression.is_some(), &self.target),
        }
    }
}

fn unpack(request: &mut Passed) {
    let Some(how) = request.compression else { return };
    if let Some(plain) = how.undo(&request.bytes, UNPACKED) {
        request.bytes = Bytes::from(plain);
        request.compression = None;
    }
}

fn http_headers(mut headers: HeaderMap, request: &Passed) -> HeaderMap {
    let kind = match request.encoding {
        Encoding::Protobuf => "application/x-protobuf",
        Encoding::Json => "application/json",
    };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Some(how) = request.compression {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(how.name()));
    }
    headers
}

/// What an answer means (OTLP specification, "Failures" of gRPC and HTTP).
fn outcome(reply: &Reply, signal: Signal, compressed: bool, target: &Target) -> Outcome {
    let side_signal = signal != Signal::Traces;
    if let Some((code, message)) = &reply.grpc {
        let why = || format!("{target} answered {code:?}: {}", short(message));
        return match code {
            Code::Ok => Outcome::Sent,
            Code::Unimplemented if compressed => Outcome::Unpack,
            Code::Unimplemented if side_signal => Outcome::Unwanted,
            Code::Cancelled
            | Code::DeadlineExceeded
            | Code::ResourceExhausted
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unavailable
            | Code::DataLoss => Outcome::Again(why(), None),
            _ => Outcome::Lost(why()),
        };
    }
    let why = || format!("{target} answered {}: {}", reply.status, short(&reply.text));
    match reply.status.as_u16() {
        200..300 => Outcome::Sent,
        415 if compressed => Outcome::Unpack,
        404 | 405 | 501 if side_signal => Outcome::Unwanted,
        429 | 502 | 503 | 504 => {
            let asked = reply.headers.get(header::RETRY_AFTER).and_then(|v| v.to_str().ok()?.trim().parse().ok());
            Outcome::Again(why(), asked.map(Duration::from_secs))
        }
        _ => Outcome::Lost(why()),
    }
}

/// The beginning of a text from outside, on one line.
fn short(text: &str) -> String {
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().filter(|c| !c.is_control()).collect();
    match text.char_indices().nth(160) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None if text.is_empty() => "nothing more".to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, grpc: Option<Code>) -> Reply {
        Reply {
            status: http::StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            grpc: grpc.map(|c| (c, "said".to_owned())),
            text: "said".to_owned(),
        }
    }

    #[test]
    fn answers_are_understood() {
        let target = Target::parse("http://h:4318").unwrap();
        let of = |r: Reply, signal, compressed| outcome(&r, signal, compressed, &target);
        assert_eq!(of(reply(200, None), Signal::Traces, false), Outcome::Sent);
        assert_eq!(of(reply(200, Some(Code::Ok)), Signal::Logs, false), Outcome::Sent);
        assert_eq!(of(reply(415, None), Signal::Traces, true), Outcome::Unpack);
        assert_eq!(of(reply(200, Some(Code::Unimplemented)), Signal::Traces, true), Outcome::Unpack);
        assert_eq!(of(reply(200, Some(Code::Unimplemented)), Signal::Metrics, false), Outcome::Unwanted);
        assert_eq!(of(reply(404, None), Signal::Logs, false), Outcome::Unwanted);
        for again in [reply(503, None), reply(429, None), reply(200, Some(Code::Unavailable))] {
            assert!(matches!(of(again, Signal::Traces, false), Outcome::Again(..)));
        }
        for lost in [reply(400, None), reply(404, None), reply(200, Some(Code::Unauthenticated))] {
            assert!(matches!(of(lost, Signal::Traces, false), Outcome::Lost(why) if why.contains("said")));
        }
    }
}

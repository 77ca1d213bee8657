//! The other end of one connection: what it asked for, and what came of it.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, OnceCell};

use super::processes::peer_program;
use super::request::{Port, Problem, now};
use super::silent::SilentConnection;
use crate::IngestStats;

/// Bytes at the start of a connection that are looked at.
pub(super) const SNIFFED: usize = 24;
/// Nanoseconds between two looks through the table of processes.
const LOOK_EVERY: i64 = 100_000_000;

/// One connection. Cheap to clone; put into each request by the server.
#[derive(Debug, Clone)]
pub(super) struct Sender(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    peer: SocketAddr,
    local: SocketAddr,
    port: Port,
    stats: Arc<IngestStats>,
    state: Mutex<State>,
    program: OnceCell<Option<String>>,
    begun: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// What it sent first.
    first: Vec<u8>,
    /// The last request that began.
    asked: Option<String>,
    /// Whether anything of it is kept (or it was our own test).
    brought: bool,
    /// Its entry among the silent ones.
    noted: Option<u64>,
}

impl Sender {
    pub(super) fn new(peer: SocketAddr, local: SocketAddr, port: Port, stats: Arc<IngestStats>) -> Sender {
        let (state, program, begun) = (Mutex::default(), OnceCell::new(), Notify::new());
        Sender(Arc::new(Inner { peer, local, port, stats, state, program, begun }))
    }

    pub(super) fn peer(&self) -> SocketAddr {
        self.0.peer
    }

    pub(super) fn ip(&self) -> IpAddr {
        self.0.peer.ip()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the connection began with.
    pub(super) fn began_with(&self, first: &[u8]) {
        self.state().first = first.to_vec();
    }

    /// A request begins.
    pub(super) fn asks(&self, what: String) {
        self.state().asked = Some(what);
        self.0.begun.notify_one();
    }

    /// Waits for the first request.
    pub(super) async fn first_request(&self) {
        if self.state().asked.is_none() {
            self.0.begun.notified().await;
        }
    }

    /// Something of it is kept.
    pub(super) fn brought(&self) {
        let mut state = self.state();
        state.brought = true;
        if let Some(number) = state.noted.take() {
            self.0.stats.silent.forget(number);
        }
    }

    /// Nothing came of a request, so far.
    pub(super) async fn nothing(&self, what: Option<String>, reason: &str, advice: &str) {
        if self.state().brought {
            return;
        }
        let program = self.program().await;
        let entry = SilentConnection {
            time: now(),
            listener: self.0.port,
            peer: self.0.peer,
            program,
            what,
            reason: reason.to_owned(),
            advice: advice.to_owned(),
            times: 1,
        };
        let mut state = self.state();
        if !state.brought {
            state.noted = Some(self.0.stats.silent.note(state.noted, entry));
        }
    }

    /// Nothing came of a request that was refused.
    pub(super) async fn refused(&self, what: &str, problem: &Problem) {
        self.nothing(Some(what.to_owned()), &problem.message, advice(problem)).await;
    }

    /// The connection is at its end.
    pub(super) async fn ended(&self) {
        let (first, asked) = {
            let state = self.state();
            if state.brought || state.noted.is_some() {
                return;
            }
            (state.first.clone(), state.asked.clone())
        };
        if let Some(what) = asked {
            let reason = format!("the connection broke off in the middle of {what}");
            let advice = "The sender gave up or was stopped; a proxy in between may cut long requests off.";
            return self.nothing(Some(what), &reason, advice).await;
        }
        let (reason, advice) = in_words(&first);
        self.nothing(None, &reason, advice).await;
    }

    /// The program at the other end; asked once, and not for every connection of a flood.
    async fn program(&self) -> Option<String> {
        static LAST: AtomicI64 = AtomicI64::new(0);
        let look = || async {
            let (now, last) = (now(), LAST.load(Relaxed));
            if now - last < LOOK_EVERY || LAST.compare_exchange(last, now, Relaxed, Relaxed).is_err() {
                return None;
            }
            let (peer, local) = (self.0.peer, self.0.local);
            tokio::task::spawn_blocking(move || peer_program(peer, local)).await.ok().flatten()
        };
        self.0.program.get_or_init(look).await.clone()
    }
}

/// What to change at the sender of a refused request.
fn advice(problem: &Problem) -> &'static str {
    match problem.status.as_u16() {
        401 => "Give the sender OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20TOKEN with the token of Settings, Sources.",
        403 => "Send from a page of this machine (http://localhost), or from the server side of the application.",
        404 if problem.code == tonic::Code::Unimplemented => {
            "Only the OTLP services for traces, logs and metrics are here: point an OTLP exporter at this port."
        }
        404 => {
            "Set OTEL_EXPORTER_OTLP_ENDPOINT to the address without a path: exporters add /v1/traces themselves. \
             OTEL_EXPORTER_OTLP_TRACES_ENDPOINT needs the whole path."
        }
        405 => "Exporters send POST. A browser or a health check asks with GET: that is no data.",
        408 => "The body stopped coming. Look for a proxy in between, or for a sender that was paused.",
        413 => "Send smaller batches: OTEL_BSP_MAX_EXPORT_BATCH_SIZE=512 and OTEL_BLRP_MAX_EXPORT_BATCH_SIZE=512.",
        415 if problem.message.contains("encoding") => "Set OTEL_EXPORTER_OTLP_COMPRESSION to gzip or none.",
        415 => "Set OTEL_EXPORTER_OTLP_PROTOCOL to http/protobuf or grpc.",
        400 => "Use an OTLP exporter, with OTEL_EXPORTER_OTLP_PROTOCOL set to grpc or http/protobuf.",
        429 => "Nothing to do: exporters send it again. If it goes on, send less or larger batches.",
        _ => "See what keeps the workspace from being written; exporters send it again meanwhile.",
    }
}

/// Why a connection without a readable request brought nothing, and what to do.
fn in_words(first: &[u8]) -> (String, &'static str) {
    if first.is_empty() {
        let advice = "A health check or a port scan does this. A sender that does it waits for an answer first: it is no OTLP \
                      exporter.";
        return ("it was opened and closed without a byte".to_owned(), advice);
    }
    if first.starts_with(b"PROXY ") || first.starts_with(b"\r\n\r\n\0\r\nQUIT\n") {
        return ("it began with the PROXY protocol".to_owned(), "Turn the PROXY protocol off at the load balancer.");
    }
    if is_http(first) {
        let advice = "Use an OTLP exporter, with OTEL_EXPORTER_OTLP_PROTOCOL set to grpc or http/protobuf.";
        return ("it began an HTTP request that could not be read or was never finished".to_owned(), advice);
    }
    let shown: String = String::from_utf8_lossy(first).chars().map(|c| if c.is_control() { '·' } else { c }).collect();
    let advice = "This port takes OTLP by gRPC and HTTP, Zipkin and CloudEvents by HTTP. NATS servers are added by their address.";
    (format!("it spoke another protocol: it began with “{}”", shown.trim_end()), advice)
}

/// Whether a connection begins as HTTP/1 or HTTP/2 does, as far as it is there.
fn is_http(first: &[u8]) -> bool {
    const METHODS: [&[u8]; 10] =
        [b"POST ", b"GET ", b"PUT ", b"HEAD ", b"OPTIONS ", b"DELETE ", b"PATCH ", b"CONNECT ", b"TRACE ", b"PRI * HTTP/2"];
    METHODS.iter().any(|m| first.starts_with(&m[..m.len().min(first.len())]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_are_told_apart() {
        for (first, words) in [
            (&b""[..], "without a byte"),
            (b"PROXY TCP4 1.2.3.4", "PROXY protocol"),
            (b"POST /v1/traces HTTP/1.1", "HTTP request"),
            (b"PRI * HTTP/2.0\r\n", "HTTP request"),
            (b"PO", "HTTP request"),
            (b"CONNECT {\"verbose\":false}", "HTTP request"),
            (b"*1\r\n$4\r\nPING\r\n", "“*1··$4··PING··”"),
            (b"\x00\x00\x00\x1f\x00\x12", "another protocol"),
        ] {
            let (reason, advice) = in_words(first);
            assert!(reason.contains(words) && !advice.is_empty(), "{reason}");
        }
    }
}

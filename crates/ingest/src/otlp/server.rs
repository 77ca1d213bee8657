//! Serving the ports: each takes gRPC and HTTP, HTTP/1.1 and HTTP/2 with prior knowledge.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures::FutureExt as _;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::access::is_loopback;
use super::bind::ReceiverConfig;
use super::body::Budget;
use super::http::router;
use super::refused::Tally;
use super::request::{Port, Problem, Receiver};
use super::sender::{SNIFFED, Sender};
use crate::{IngestStats, Sink};

/// Connections served at a time per port; further ones wait in the system's queue.
const MAX_CONNECTIONS: usize = 1024;
/// How long a connection may stay open without sending its first byte: a program of this machine, and one of another.
const FIRST_BYTE: Duration = Duration::from_secs(300);
const FIRST_BYTE_FROM_AFAR: Duration = Duration::from_secs(10);
/// How long a connection that has just begun may take to send its first request when the port is closed.
const LAST_REQUEST: Duration = Duration::from_millis(500);
/// First byte of a TLS handshake record (RFC 8446, 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// Bound listeners that do not serve yet. Dropping them frees the ports.
#[derive(Debug)]
pub struct Receivers {
    pub(super) grpc: Option<(SocketAddr, TcpListener)>,
    pub(super) http: Option<(SocketAddr, TcpListener)>,
    pub(super) config: ReceiverConfig,
    pub(super) closed: CancellationToken,
}

impl Receivers {
    /// Where the gRPC port listens, with the port number that was picked.
    pub fn grpc_addr(&self) -> Option<SocketAddr> {
        self.grpc.as_ref().map(|(a, _)| *a)
    }

    /// Where the HTTP port listens.
    pub fn http_addr(&self) -> Option<SocketAddr> {
        self.http.as_ref().map(|(a, _)| *a)
    }

    /// Cancelled as soon as the ports are free again, which is before requests in progress are finished.
    pub fn closed(&self) -> CancellationToken {
        self.closed.clone()
    }

    /// Serves until `shutdown`: then no new connections, requests in progress finish within the grace period, and it returns.
    pub async fn serve(self, sink: Sink, stats: Arc<IngestStats>, shutdown: CancellationToken) {
        let budget = Budget::new(self.config.max_in_flight);
        let options = Arc::new(self.config.options);
        let closed = [CancellationToken::new(), CancellationToken::new()];
        let port = |port: Port, listener: Option<(SocketAddr, TcpListener)>, closed: &CancellationToken| {
            let receiver = Receiver {
                port,
                options: Arc::clone(&options),
                max_body: self.config.max_body,
                budget: budget.clone(),
                sink: sink.clone(),
                stats: Arc::clone(&stats),
                token: self.config.token.clone(),
                forward: self.config.forward.clone(),
                refused: Arc::new(Tally::default()),
            };
            accept(listener, receiver, self.config.grace, shutdown.clone(), closed.clone())
        };
        let all_closed = async {
            closed[0].cancelled().await;
            closed[1].cancelled().await;
            self.closed.cancel();
        };
        tokio::join!(
            port(Port::Grpc, self.grpc, &closed[0]),
            port(Port::Http, self.http, &closed[1]),
            all_closed
        );
    }
}

async fn accept(
    listener: Option<(SocketAddr, TcpListener)>,
    receiver: Receiver,
    grace: Duration,
    shutdown: CancellationToken,
    closed: CancellationToken,
) {
    let Some((addr, listener)) = listener else { return closed.cancel() };
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let (connections, end) = (TaskTracker::new(), CancellationToken::new());
    let counted = CancellationToken::new();
    let counting = {
        let (receiver, end) = (receiver.clone(), counted.clone());
        tokio::spawn(async move { receiver.refused.run(receiver.port, receiver.sink.clone(), end).await })
    };
    let app = router(receiver.clone());
    let serve = |stream: TcpStream, peer: SocketAddr, place| {
        let sender = Sender::new(peer, stream.local_addr().unwrap_or(addr), receiver.port, receiver.stats.clone());
        let task = connection(stream, sender, app.clone(), receiver.clone(), shutdown.clone());
        let end = end.clone();
        connections.spawn(async move {
            let _place = place;
            tokio::select! { () = task => {}, () = end.cancelled() => {} }
        });
    };
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await.ok();
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            () = shutdown.cancelled() => break,
            next = next => next,
        };
        match accepted {
            Ok((stream, peer)) => serve(stream, peer, place),
            Err(e) => {
                // Out of file descriptors, or the peer went away: neither ends the listener.
                tracing::warn!(%addr, error = %e, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    // Who was connected by the system already would otherwise be cut off.
    while let Some(Ok((stream, peer))) = listener.accept().now_or_never() {
        serve(stream, peer, None);
    }
    drop(listener);
    closed.cancel();
    connections.close();
    if tokio::time::timeout(grace, connections.wait()).await.is_err() {
        tracing::warn!(%addr, "requests did not finish in time and were cut off");
        end.cancel();
        connections.wait().await;
    }
    counted.cancel();
    let _ = counting.await;
}

async fn connection(
    stream: TcpStream,
    sender: Sender,
    app: Router,
    receiver: Receiver,
    shutdown: CancellationToken,
) {
    let mut first = [0; SNIFFED];
    let patience = if is_loopback(sender.ip()) { FIRST_BYTE } else { FIRST_BYTE_FROM_AFAR };
    let peeked = tokio::select! {
        peeked = tokio::time::timeout(patience, stream.peek(&mut first)) => peeked,
        () = async { shutdown.cancelled().await; tokio::time::sleep(LAST_REQUEST).await } => return,
    };
    let Ok(Ok(begun)) = peeked else { return sender.ended().await };
    sender.began_with(&first[..begun]);
    if begun == 0 {
        return sender.ended().await;
    }
    if first[0] == TLS_HANDSHAKE {
        let reason = "TLS on a plain port: use http:// (or insecure=true) in the exporter's endpoint";
        let problem = Problem::bad(reason);
        receiver.remember(&sender, "connection".to_owned(), &problem);
        let advice = "Write http:// instead of https:// in OTEL_EXPORTER_OTLP_ENDPOINT. For gRPC also \
                      OTEL_EXPORTER_OTLP_INSECURE=true, in a Collector tls: insecure: true, in .NET and Java nothing more.";
        return sender.nothing(None, reason, advice).await;
    }
    if let Err(e) = stream.set_nodelay(true) {
        tracing::debug!(error = %e, "no TCP_NODELAY");
    }
    let service = TowerToHyperService::new(app.layer(axum::Extension(sender.clone())));
    let server = server();
    let serving = server.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(serving);
    // A first request that is on its way is still taken.
    let told = async {
        shutdown.cancelled().await;
        let _ = tokio::time::timeout(LAST_REQUEST, sender.first_request()).await;
    };
    let done = tokio::select! {
        done = serving.as_mut() => done,
        () = told => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(e) = done {
        tracing::debug!(peer = %sender.peer(), error = %e, "connection ended");
    }
    sender.ended().await;
}

fn server() -> auto::Builder<TokioExecutor> {
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(60));
    // Batches are large and the way is short: bigger windows than the 64 KiB of the standard.
    server
        .http2()
        .timer(TokioTimer::new())
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20)
        .max_concurrent_streams(100)
        .max_header_list_size(64 << 10);
    server
}

//! Binding the ports and serving them: each takes gRPC and HTTP, HTTP/1.1 and HTTP/2 with prior knowledge.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::body::Budget;
use super::holder;
use super::http::router;
use super::request::{PeerAddress, Port, Receiver};
use crate::{IngestStats, Options, Sink};

/// Connections served at a time per port; further ones wait in the system's queue.
const MAX_CONNECTIONS: usize = 1024;
/// How long a connection may stay open without sending its first byte.
const FIRST_BYTE: Duration = Duration::from_secs(300);
/// First byte of a TLS handshake record (RFC 8446, 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// What to listen on, and within which bounds.
#[derive(Debug, Clone)]
pub struct ReceiverConfig {
    /// Address of the port named for gRPC; `None` turns it off, port 0 picks a free one.
    pub grpc: Option<SocketAddr>,
    /// Address of the port named for HTTP; likewise.
    pub http: Option<SocketAddr>,
    /// Whether addresses that other machines can reach are allowed. There is no authentication, so they are not by default.
    pub allow_remote: bool,
    /// Largest body in bytes, before and after decompression.
    pub max_body: usize,
    /// Bytes of bodies in memory at a time, all requests of both ports together; beyond it senders are asked to wait.
    pub max_in_flight: usize,
    /// How long requests in progress may take to finish at shutdown.
    pub grace: Duration,
    /// How what arrives is taken in.
    pub options: Options,
}

impl Default for ReceiverConfig {
    /// `127.0.0.1:4317` and `127.0.0.1:4318` (the ports OTLP has registered), 64 MiB per body, 512 MiB together, 10 s grace.
    fn default() -> Self {
        ReceiverConfig {
            grpc: Some(SocketAddr::from(([127, 0, 0, 1], 4317))),
            http: Some(SocketAddr::from(([127, 0, 0, 1], 4318))),
            allow_remote: false,
            max_body: 64 << 20,
            max_in_flight: 512 << 20,
            grace: Duration::from_secs(10),
            options: Options::named("otlp"),
        }
    }
}

/// Why a listener could not be bound.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Other machines could reach it.
    #[error("{addr} can be reached from other machines, and anyone could send there: use a loopback address such as 127.0.0.1:{}", addr.port())]
    NotLoopback {
        /// The address asked for.
        addr: SocketAddr,
    },
    /// Something listens there already.
    #[error("cannot listen on {addr}: it is held by {holder}; stop that, or choose another port (0 picks a free one)")]
    InUse {
        /// The address asked for.
        addr: SocketAddr,
        /// Who might hold it.
        holder: String,
    },
    /// Both listeners were given one address.
    #[error(
        "the gRPC and the HTTP listener were both given {addr}: each port takes both protocols, so turn one of them off"
    )]
    Same {
        /// The address asked for.
        addr: SocketAddr,
    },
    /// Anything else (no permission, no such interface).
    #[error("cannot listen on {addr}: {reason}")]
    Other {
        /// The address asked for.
        addr: SocketAddr,
        /// What the system says.
        reason: io::Error,
    },
}

/// Bound listeners that do not serve yet. Dropping them frees the ports.
#[derive(Debug)]
pub struct Receivers {
    grpc: Option<(SocketAddr, TcpListener)>,
    http: Option<(SocketAddr, TcpListener)>,
    config: ReceiverConfig,
}

/// Binds what `config` asks for; all of it or nothing.
pub async fn bind(config: ReceiverConfig) -> Result<Receivers, BindError> {
    if let (Some(grpc), Some(http)) = (config.grpc, config.http)
        && grpc == http
        && grpc.port() != 0
    {
        return Err(BindError::Same { addr: grpc });
    }
    let grpc = listen(config.grpc, config.allow_remote).await?;
    let http = listen(config.http, config.allow_remote).await?;
    Ok(Receivers { grpc, http, config })
}

async fn listen(addr: Option<SocketAddr>, allow_remote: bool) -> Result<Option<(SocketAddr, TcpListener)>, BindError> {
    let Some(addr) = addr else { return Ok(None) };
    if !allow_remote && !addr.ip().is_loopback() {
        return Err(BindError::NotLoopback { addr });
    }
    let bound = async {
        let listener = TcpListener::bind(addr).await?;
        Ok((listener.local_addr()?, listener))
    };
    bound.await.map(Some).map_err(|reason: io::Error| match reason.kind() {
        io::ErrorKind::AddrInUse => BindError::InUse { addr, holder: holder::of(addr) },
        _ => BindError::Other { addr, reason },
    })
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

    /// Serves until `shutdown`: then no new connections, requests in progress finish within the grace period, and it returns.
    pub async fn serve(self, sink: Sink, stats: Arc<IngestStats>, shutdown: CancellationToken) {
        let budget = Budget::new(self.config.max_in_flight);
        let options = Arc::new(self.config.options);
        let (max_body, grace) = (self.config.max_body, self.config.grace);
        let port = |port: Port, listener: Option<(SocketAddr, TcpListener)>| {
            let receiver = Receiver {
                port,
                options: Arc::clone(&options),
                max_body,
                budget: budget.clone(),
                sink: sink.clone(),
                stats: Arc::clone(&stats),
            };
            accept(listener, receiver, grace, shutdown.clone())
        };
        tokio::join!(port(Port::Grpc, self.grpc), port(Port::Http, self.http));
    }
}

async fn accept(
    listener: Option<(SocketAddr, TcpListener)>,
    receiver: Receiver,
    grace: Duration,
    shutdown: CancellationToken,
) {
    let Some((addr, listener)) = listener else { return };
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let connections = TaskTracker::new();
    let end = CancellationToken::new();
    let app = router(receiver.clone());
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await;
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            () = shutdown.cancelled() => break,
            next = next => next,
        };
        match accepted {
            Ok((stream, peer)) => {
                let task = connection(stream, PeerAddress(peer), app.clone(), receiver.clone(), shutdown.clone());
                let end = end.clone();
                connections.spawn(async move {
                    let _place = place;
                    tokio::select! { () = task => {}, () = end.cancelled() => {} }
                });
            }
            Err(e) => {
                // Out of file descriptors, or the peer went away: neither ends the listener.
                tracing::warn!(%addr, error = %e, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(grace, connections.wait()).await.is_err() {
        tracing::warn!(%addr, "requests did not finish in time and were cut off");
        end.cancel();
        connections.wait().await;
    }
}

async fn connection(
    stream: TcpStream,
    peer: PeerAddress,
    app: Router,
    receiver: Receiver,
    shutdown: CancellationToken,
) {
    let mut first = [0];
    let peeked = tokio::select! {
        () = shutdown.cancelled() => return,
        peeked = tokio::time::timeout(FIRST_BYTE, stream.peek(&mut first)) => peeked,
    };
    match peeked {
        Ok(Ok(1)) if first[0] == TLS_HANDSHAKE => {
            let reason = "TLS on a plain port: use http:// (or insecure=true) in the exporter's endpoint";
            receiver.refuse(Some(peer), "connection".to_owned(), reason);
            return;
        }
        Ok(Ok(1)) => {}
        _ => return,
    }
    if let Err(e) = stream.set_nodelay(true) {
        tracing::debug!(error = %e, "no TCP_NODELAY");
    }
    let service = TowerToHyperService::new(app.layer(axum::Extension(peer)));
    let server = server();
    let serving = server.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(serving);
    let done = tokio::select! {
        done = serving.as_mut() => done,
        () = shutdown.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(e) = done {
        tracing::debug!(peer = %peer.0, error = %e, "connection ended");
    }
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

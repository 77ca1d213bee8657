//! Serving the ports: each takes gRPC and HTTP, HTTP/1.1 and HTTP/2 with prior knowledge.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use flowglass_listen::{Ended, Place, Places, converse, first_bytes};
use futures::FutureExt as _;
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
        let limits = Arc::new(self.config.limits);
        let decoders = std::thread::available_parallelism().map_or(2, |n| n.get().max(2));
        let decoders = Arc::new(Semaphore::new(decoders));
        let closed = [CancellationToken::new(), CancellationToken::new()];
        let port = |port: Port, listener: Option<(SocketAddr, TcpListener)>, closed: &CancellationToken| {
            let receiver = Receiver {
                port,
                options: Arc::clone(&options),
                max_body: self.config.max_body,
                limits: Arc::clone(&limits),
                decoders: Arc::clone(&decoders),
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
        tokio::join!(port(Port::Grpc, self.grpc, &closed[0]), port(Port::Http, self.http, &closed[1]), all_closed);
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
    // Each port at most a quarter of what may be open: the workspace needs files, too.
    let places = Places::new(receiver.limits.connections.min(flowglass_listen::handles() / 4));
    let (connections, end) = (TaskTracker::new(), CancellationToken::new());
    let counted = CancellationToken::new();
    let counting = {
        let (receiver, end) = (receiver.clone(), counted.clone());
        tokio::spawn(async move { receiver.refused.run(receiver.port, receiver.sink.clone(), end).await })
    };
    let app = router(receiver.clone());
    let serve = |stream: TcpStream, peer: SocketAddr, place: Place| {
        let sender = Sender::new(peer, stream.local_addr().unwrap_or(addr), receiver.port, receiver.stats.clone());
        let task = connection(stream, sender, place, app.clone(), receiver.clone(), shutdown.clone());
        let end = end.clone();
        connections.spawn(async move {
            tokio::select! { () = task => {}, () = end.cancelled() => {} }
        });
    };
    loop {
        let next = async {
            let (stream, peer) = listener.accept().await?;
            Ok::<_, std::io::Error>((stream, peer, places.take(is_loopback(peer.ip())).await))
        };
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            next = next => next,
        };
        match accepted {
            Ok((stream, peer, place)) => serve(stream, peer, place),
            Err(e) => {
                // Out of file descriptors, or the peer went away: neither ends the listener.
                tracing::warn!(%addr, error = %e, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    // Who was connected by the system already would otherwise be cut off.
    while let Some(Ok((stream, peer))) = listener.accept().now_or_never() {
        serve(stream, peer, places.take_anyway(is_loopback(peer.ip())));
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
    place: Place,
    app: Router,
    receiver: Receiver,
    shutdown: CancellationToken,
) {
    let (mut first, near) = ([0; SNIFFED], is_loopback(sender.ip()));
    let peeked = tokio::select! {
        peeked = first_bytes(&stream, near, &receiver.limits, &place, &mut first) => peeked,
        () = async { shutdown.cancelled().await; tokio::time::sleep(LAST_REQUEST).await } => return,
    };
    let begun = match peeked {
        Ok(begun) => begun,
        Err(ended) => {
            drop(place);
            return at_the_end(&ended, &sender).await;
        }
    };
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
    let app = app.layer(axum::Extension(sender.clone())).layer(axum::Extension(place.visitor()));
    // A first request that is on its way is still taken.
    let told = async {
        shutdown.cancelled().await;
        let _ = tokio::time::timeout(LAST_REQUEST, sender.first_request()).await;
    };
    let service = TowerToHyperService::new(app);
    let ended = converse(stream, &first[..begun], service, &receiver.limits, &place, told).await;
    // Before the words are looked for, so that whoever waits has it.
    drop(place);
    at_the_end(&ended, &sender).await;
}

/// What is said of a connection that is over.
async fn at_the_end(ended: &Ended, sender: &Sender) {
    match ended {
        Ended::MadeRoom => {
            let reason = "it was closed to make room: all connections were taken, and it had been silent longest";
            let advice =
                "Something opens connections and leaves them: look for a client that makes a new one for each request.";
            return sender.nothing(None, reason, advice).await;
        }
        Ended::Failed(e) => tracing::debug!(peer = %sender.peer(), error = %e, "connection ended"),
        Ended::Late | Ended::Done => {}
    }
    sender.ended().await;
}

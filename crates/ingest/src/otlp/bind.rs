//! Binding the ports.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use flowglass_listen::Limits;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::access::is_loopback;
use super::processes::Holder;
use super::server::Receivers;
use crate::Options;
use crate::forward::ForwardSlot;
use crate::secrets::Secret;

/// What to listen on, and within which bounds.
#[derive(Debug, Clone)]
pub struct ReceiverConfig {
    /// Address of the port named for gRPC; `None` turns it off, port 0 picks a free one.
    pub grpc: Option<SocketAddr>,
    /// Address of the port named for HTTP; likewise.
    pub http: Option<SocketAddr>,
    /// What senders on other machines must pass as `Authorization: Bearer …`. Without one, addresses that other machines can
    /// reach are refused. Senders on this machine need none.
    pub token: Option<Secret>,
    /// Where accepted OTLP requests are passed on to.
    pub forward: ForwardSlot,
    /// Largest body in bytes, before and after decompression.
    pub max_body: usize,
    /// Bytes of bodies in memory at a time, all requests of both ports together; beyond it senders are asked to wait.
    pub max_in_flight: usize,
    /// How many connections there may be on each port, and how long they may be silent.
    pub limits: Limits,
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
            token: None,
            forward: ForwardSlot::default(),
            max_body: 64 << 20,
            max_in_flight: 512 << 20,
            limits: Limits::default(),
            grace: Duration::from_secs(10),
            options: Options::named("otlp"),
        }
    }
}

/// Why a listener could not be bound.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Other machines could reach it.
    #[error("{addr} can be reached from other machines, and anyone could send there: use a loopback address such as 127.0.0.1:{}, or give a token", addr.port())]
    NotLoopback {
        /// The address asked for.
        addr: SocketAddr,
    },
    /// Something listens there already.
    #[error("cannot listen on {addr}: it is held by {}; stop that, or choose another port (0 picks a free one)", holder.words)]
    InUse {
        /// The address asked for.
        addr: SocketAddr,
        /// Who might hold it.
        holder: Holder,
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

/// Binds what `config` asks for; all of it or nothing.
pub async fn bind(config: ReceiverConfig) -> Result<Receivers, BindError> {
    if let (Some(grpc), Some(http)) = (config.grpc, config.http)
        && grpc == http
        && grpc.port() != 0
    {
        return Err(BindError::Same { addr: grpc });
    }
    let grpc = listen(config.grpc, config.token.is_some()).await?;
    let http = listen(config.http, config.token.is_some()).await?;
    Ok(Receivers { grpc, http, config, closed: CancellationToken::new() })
}

async fn listen(addr: Option<SocketAddr>, remote: bool) -> Result<Option<(SocketAddr, TcpListener)>, BindError> {
    let Some(addr) = addr else { return Ok(None) };
    if !remote && !is_loopback(addr.ip()) {
        return Err(BindError::NotLoopback { addr });
    }
    let bound = async {
        let listener = TcpListener::bind(addr).await?;
        Ok((listener.local_addr()?, listener))
    };
    bound.await.map(Some).map_err(|reason: io::Error| match reason.kind() {
        io::ErrorKind::AddrInUse => BindError::InUse { addr, holder: Holder::of(addr) },
        _ => BindError::Other { addr, reason },
    })
}

/// A free address near one that is taken: the same host, the port a ten thousand higher (4317 becomes 14317) or the next free
/// one after that. Nothing in `taken` is offered. `None` if none of a hundred is free.
pub fn free_address(near: SocketAddr, taken: &[SocketAddr]) -> Option<SocketAddr> {
    let first = if near.port() < 50_000 { near.port() + 10_000 } else { near.port() - 10_000 };
    (first..first.saturating_add(100))
        .map(|port| SocketAddr::new(near.ip(), port))
        .find(|addr| taken.iter().all(|t| t.port() != addr.port()) && std::net::TcpListener::bind(addr).is_ok())
}

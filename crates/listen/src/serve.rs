//! One connection, from its first byte to its end.

use std::convert::Infallible;
use std::future::Future;
use std::io;

use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::{Limits, Place};

/// What a connection that speaks HTTP/2 begins with (RFC 9113, 3.4).
pub const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How a connection ended.
#[derive(Debug)]
pub enum Ended {
    /// In good order.
    Done,
    /// It had to make room for another one.
    MadeRoom,
    /// Nothing was asked for in time.
    Late,
    /// Something went wrong on the way.
    Failed(Box<dyn std::error::Error + Send + Sync>),
}

/// Looks at what a connection begins with, without taking it. `Ok(0)` when the other side closed it.
///
/// # Errors
/// [`Ended`] when nothing came in time, or it had to make room.
pub async fn first_bytes(
    stream: &TcpStream,
    near: bool,
    limits: &Limits,
    place: &Place,
    into: &mut [u8],
) -> Result<usize, Ended> {
    let patience = if near { limits.first_byte } else { limits.first_byte_from_afar };
    tokio::select! {
        peeked = tokio::time::timeout(patience, stream.peek(into)) => match peeked {
            Ok(Ok(n)) => Ok(n),
            Ok(Err(e)) => Err(Ended::Failed(e.into())),
            Err(_) => Err(Ended::Late),
        },
        () = place.told_to_leave() => Err(Ended::MadeRoom),
    }
}

/// Serves HTTP/1.1 and HTTP/2 on a connection that began with `first`, until it ends, has to make room, or `stop`: then
/// requests under way are finished.
pub async fn converse<S, B>(
    stream: TcpStream,
    first: &[u8],
    service: S,
    limits: &Limits,
    place: &Place,
    stop: impl Future<Output = ()>,
) -> Ended
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    // The other side may have gone already; then serving says so.
    let _: io::Result<()> = stream.set_nodelay(true);
    let server = limits.http();
    let serving = server.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(serving);
    let mut stop = std::pin::pin!(stop);
    // Clients of HTTP/2 connect before they have anything to ask for: those are left to the pings.
    let mut late = std::pin::pin!(async {
        if first == PREFACE {
            return std::future::pending().await;
        }
        tokio::time::sleep(limits.head).await;
        if place.has_asked() {
            std::future::pending().await
        }
    });
    let mut stopping = false;
    loop {
        tokio::select! {
            done = serving.as_mut() => return done.map_or_else(Ended::Failed, |()| Ended::Done),
            () = &mut stop, if !stopping => {
                stopping = true;
                serving.as_mut().graceful_shutdown();
            }
            () = &mut late => return Ended::Late,
            () = place.told_to_leave() => return Ended::MadeRoom,
        }
    }
}

//! Serving the UI's connections, within bounds: a page of a browser needs few, and whoever is signed in keeps them.

use std::time::Duration;

use axum::{Extension, Router};
use flowglass_listen::{Ended, Limits, Place, Places, converse, first_bytes};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Connections at a time: a browser opens at most six to one address, an update stream among them.
const CONNECTIONS: usize = 128;
/// A browser that connects ahead of need closes after a minute or two.
const FIRST_BYTE: Duration = Duration::from_secs(120);

/// Serves until `stop`, then until requests under way are finished.
pub(super) async fn until(stop: CancellationToken, listener: TcpListener, app: Router) {
    let limits = Limits { connections: CONNECTIONS, first_byte: FIRST_BYTE, ..Limits::default() };
    let places = Places::new(limits.connections.min(flowglass_listen::handles() / 8));
    let connections = TaskTracker::new();
    loop {
        let next = async {
            let (stream, _) = listener.accept().await?;
            // The listener is on loopback: everybody is near.
            Ok::<_, std::io::Error>((stream, places.take(true).await))
        };
        let next = tokio::select! {
            () = stop.cancelled() => break,
            next = next => next,
        };
        match next {
            Ok((stream, place)) => {
                let (app, limits, stop) = (app.clone(), limits.clone(), stop.clone());
                connections.spawn(async move { connection(stream, place, app, &limits, stop).await });
            }
            Err(error) => {
                // Out of file descriptors, or the browser went away: neither ends the listener.
                tracing::warn!(%error, "a connection to the UI could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn connection(stream: TcpStream, place: Place, app: Router, limits: &Limits, stop: CancellationToken) {
    let mut first = [0; flowglass_listen::PREFACE.len()];
    let begun = tokio::select! {
        begun = first_bytes(&stream, true, limits, &place, &mut first) => begun,
        () = stop.cancelled() => return,
    };
    let Ok(begun) = begun else { return };
    let service = TowerToHyperService::new(app.layer(Extension(place.visitor())));
    let ended = converse(stream, &first[..begun], service, limits, &place, stop.cancelled()).await;
    if let Ended::Failed(error) = ended {
        tracing::debug!(%error, "a connection to the UI ended");
    }
}

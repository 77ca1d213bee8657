//! The window's UI for a browser on this machine.
//!
//! A one-time token in the link becomes a session cookie; every request is checked for Host and Origin, so that no other
//! web page can reach it through the browser.

mod api;
mod assets;
mod guard;
mod serve;
mod session;

pub(crate) use session::Session;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::routing::{get, post};
use flowglass_studio::Host;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// What handlers share.
#[derive(Clone)]
struct Ui {
    host: Host,
    session: Arc<Session>,
    stop: CancellationToken,
    address: SocketAddr,
}

/// A bound listener that does not serve yet.
pub(crate) struct BoundUi {
    listener: TcpListener,
    address: SocketAddr,
}

impl BoundUi {
    /// Binds a loopback address; port 0 picks a free one.
    pub(crate) async fn bind(address: SocketAddr) -> anyhow::Result<BoundUi> {
        let bound = async {
            let listener = TcpListener::bind(address).await?;
            Ok::<_, std::io::Error>(BoundUi { address: listener.local_addr()?, listener })
        };
        bound.await.with_context(|| {
            format!(
                "--ui cannot listen on {address}, another program (perhaps another `flowglass serve`) might hold it; stop \
                 that or choose another port, 0 picks a free one"
            )
        })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop`; requests under way may finish.
    pub(crate) fn serve(self, host: Host, session: Session, stop: CancellationToken) -> JoinHandle<()> {
        let ui = Ui { host, session: Arc::new(session), stop: stop.clone(), address: self.address };
        tokio::spawn(serve::until(stop, self.listener, router(ui)))
    }
}

fn router(ui: Ui) -> Router {
    Router::new()
        .route("/api/request/{name}", post(api::request))
        .route("/api/updates", get(api::updates))
        .route("/api/import", post(api::import))
        .fallback(get(assets::asset))
        .layer(axum::middleware::from_fn_with_state(ui.clone(), guard::check))
        .layer(axum::middleware::map_response(guard::secure))
        .with_state(ui)
}

//! OTLP listeners.

use std::net::SocketAddr;
use std::sync::Arc;

use flowglass_ingest::{IngestStats, ListenerStats, ReceiverConfig, Sink, bind};
use flowglass_model::Nanos;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::{ReceiverView, to_ms};

/// Which listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReceiverRole {
    OtlpGrpc,
    OtlpHttp,
}

/// A listener, bound or not.
pub(crate) struct Receiver {
    pub(crate) role: ReceiverRole,
    /// Where it listens; `None` when it is off or could not be bound.
    pub(crate) address: Option<SocketAddr>,
    /// Why it could not be bound, with what to do.
    pub(crate) problem: Option<String>,
}

impl Receiver {
    /// Binds and serves until `stop`. A failure becomes the receiver's `problem`.
    pub(crate) async fn start(
        role: ReceiverRole,
        address: Option<SocketAddr>,
        sink: &Sink,
        stats: &Arc<IngestStats>,
        stop: &CancellationToken,
        tasks: &TaskTracker,
    ) -> Receiver {
        let Some(address) = address else { return Receiver { role, address: None, problem: None } };
        let config = match role {
            ReceiverRole::OtlpGrpc => ReceiverConfig { grpc: Some(address), http: None, ..ReceiverConfig::default() },
            ReceiverRole::OtlpHttp => ReceiverConfig { grpc: None, http: Some(address), ..ReceiverConfig::default() },
        };
        match bind(config).await {
            Ok(receivers) => {
                let address = receivers.grpc_addr().or(receivers.http_addr());
                let (sink, stats, stop) = (sink.clone(), stats.clone(), stop.clone());
                tasks.spawn(async move { receivers.serve(sink, stats, stop).await });
                Receiver { role, address, problem: None }
            }
            Err(error) => Receiver { role, address: None, problem: Some(error.to_string()) },
        }
    }

    /// The counters of this listener.
    fn stats<'a>(&self, all: &'a IngestStats) -> &'a ListenerStats {
        match self.role {
            ReceiverRole::OtlpGrpc => &all.otlp_grpc,
            ReceiverRole::OtlpHttp => &all.otlp_http,
        }
    }

    /// Requests taken so far.
    pub(crate) fn requests(&self, all: &IngestStats) -> u64 {
        self.stats(all).counts().requests
    }

    /// As the window shows it.
    pub(crate) fn view(&self, all: &IngestStats, last: Option<Nanos>) -> ReceiverView {
        let counts = self.stats(all).counts();
        let (id, title) = match self.role {
            ReceiverRole::OtlpGrpc => ("otlp-grpc", "OTLP gRPC"),
            ReceiverRole::OtlpHttp => ("otlp-http", "OTLP HTTP"),
        };
        let state = match (&self.problem, self.address) {
            (Some(_), _) => "failed",
            (None, Some(_)) => "listening",
            (None, None) => "off",
        };
        ReceiverView {
            id: id.into(),
            title: title.into(),
            address: self.address.map(|a| a.to_string()),
            state: state.into(),
            problem: self.problem.clone(),
            holder: None,
            offer: None,
            remote: false,
            requests: counts.requests,
            spans: counts.spans,
            events: counts.events,
            logs: counts.logs,
            refused: counts.errors,
            bytes: counts.bytes,
            last_at: last.map(to_ms),
        }
    }
}

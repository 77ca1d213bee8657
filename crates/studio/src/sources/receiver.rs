//! An OTLP listener: bound, rebound while it runs, or not bound and why.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use flowglass_ingest::forward::ForwardSlot;
use flowglass_ingest::otlp::{free_address, is_loopback};
use flowglass_ingest::secrets::Secret;
use flowglass_ingest::{BindError, IngestStats, KeyNames, ListenerStats, Options, Port, ReceiverConfig, Sink, bind};
use flowglass_model::Nanos;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::{ReceiverView, to_ms};
use crate::studio::lock;

/// A listener.
pub(crate) struct Receiver {
    pub(crate) port: Port,
    state: Mutex<State>,
    /// One change at a time.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    running: Option<Running>,
    problem: Option<Problem>,
}

#[derive(Clone)]
struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    closed: CancellationToken,
}

/// Why it does not listen.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    /// In words, with what to do.
    pub(crate) words: String,
    /// Who holds the port, where the system tells.
    pub(crate) holder: Option<String>,
    /// A free address to use instead.
    pub(crate) offer: Option<SocketAddr>,
}

/// What a listener needs to run.
pub(crate) struct Intake<'a> {
    pub(crate) sink: &'a Sink,
    pub(crate) stats: &'a Arc<IngestStats>,
    pub(crate) keys: &'a KeyNames,
    pub(crate) stop: &'a CancellationToken,
    pub(crate) tasks: &'a TaskTracker,
    pub(crate) forward: &'a ForwardSlot,
    /// What senders on other machines must pass.
    pub(crate) token: Option<Secret>,
    /// Addresses not to be offered: those of the other listener.
    pub(crate) taken: Vec<SocketAddr>,
}

impl Receiver {
    /// One that is off.
    pub(crate) fn off(port: Port) -> Receiver {
        Receiver { port, state: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// `otlp-grpc` or `otlp-http`.
    pub(crate) fn id(&self) -> &'static str {
        match self.port {
            Port::Grpc => "otlp-grpc",
            Port::Http => "otlp-http",
        }
    }

    /// Listens on an address from now on, or not at all. What was listened on before is given up when the new address is bound;
    /// requests in progress there are finished. When the new address cannot be had, it goes on with the old one, and without an
    /// old one the problem stays to be seen.
    pub(crate) async fn listen(&self, address: Option<SocketAddr>, intake: Intake<'_>) -> Result<(), Problem> {
        let _turn = self.turn.lock().await;
        let old = lock(&self.state).running.clone();
        let Some(address) = address else {
            close(old.as_ref()).await;
            *lock(&self.state) = State::default();
            return Ok(());
        };
        if old.as_ref().is_some_and(|o| o.address == address) {
            return Ok(());
        }
        // The same port on another interface can only be had when the old one is free.
        let in_the_way = old.as_ref().filter(|o| o.address.port() == address.port());
        if in_the_way.is_some() {
            close(in_the_way).await;
        }
        let problem = match self.bind(address, &intake).await {
            Ok(running) => {
                if in_the_way.is_none() {
                    close(old.as_ref()).await;
                }
                *lock(&self.state) = State { running: Some(running), problem: None };
                return Ok(());
            }
            Err(problem) => problem,
        };
        if let Some(old) = in_the_way {
            let back = self.bind(old.address, &intake).await;
            let mut state = lock(&self.state);
            match back {
                Ok(running) => state.running = Some(running),
                Err(problem) => *state = State { running: None, problem: Some(problem) },
            }
        } else if old.is_none() {
            lock(&self.state).problem = Some(problem.clone());
        }
        Err(problem)
    }

    async fn bind(&self, address: SocketAddr, intake: &Intake<'_>) -> Result<Running, Problem> {
        let (grpc, http) = match self.port {
            Port::Grpc => (Some(address), None),
            Port::Http => (None, Some(address)),
        };
        let options = Options { business_keys: intake.keys.clone(), ..Options::named("otlp") };
        let (token, forward) = (intake.token.clone(), intake.forward.clone());
        let config = ReceiverConfig { grpc, http, token, forward, options, ..ReceiverConfig::default() };
        let receivers = bind(config).await.map_err(|e| problem(&e, address, &intake.taken))?;
        let address = receivers.grpc_addr().or(receivers.http_addr()).unwrap_or(address);
        let (stop, closed) = (intake.stop.child_token(), receivers.closed());
        let (sink, stats, end) = (intake.sink.clone(), intake.stats.clone(), stop.clone());
        intake.tasks.spawn(async move { receivers.serve(sink, stats, end).await });
        Ok(Running { address, stop, closed })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        lock(&self.state).running.as_ref().map(|r| r.address)
    }

    /// Why it does not listen, if it should.
    pub(crate) fn problem(&self) -> Option<Problem> {
        lock(&self.state).problem.clone()
    }

    /// Remembers why it does not listen.
    pub(crate) fn fail(&self, words: String) {
        lock(&self.state).problem = Some(Problem { words, holder: None, offer: None });
    }

    fn stats<'a>(&self, all: &'a IngestStats) -> &'a ListenerStats {
        all.of(self.port)
    }

    /// Requests taken so far.
    pub(crate) fn requests(&self, all: &IngestStats) -> u64 {
        self.stats(all).counts().requests
    }

    /// As the window shows it.
    pub(crate) fn view(&self, all: &IngestStats, last: Option<Nanos>) -> ReceiverView {
        let counts = self.stats(all).counts();
        let (address, problem) = (self.address(), self.problem());
        let state = match (&problem, address) {
            (_, Some(_)) => "listening",
            (Some(_), None) => "failed",
            (None, None) => "off",
        };
        ReceiverView {
            id: self.id().into(),
            title: self.port.title().into(),
            address: address.map(|a| a.to_string()),
            state: state.into(),
            problem: problem.as_ref().map(|p| p.words.clone()),
            holder: problem.as_ref().and_then(|p| p.holder.clone()),
            offer: problem.as_ref().and_then(|p| p.offer).map(|a| a.to_string()),
            remote: address.is_some_and(is_remote),
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

/// Whether other machines can reach an address.
pub(crate) fn is_remote(address: SocketAddr) -> bool {
    !is_loopback(address.ip())
}

/// An address with the wildcard replaced by the loopback: what programs of this machine connect to.
pub(crate) fn from_here(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => SocketAddr::from(([127, 0, 0, 1], address.port())),
        IpAddr::V6(ip) if ip.is_unspecified() => SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, address.port())),
        _ => address,
    }
}

async fn close(running: Option<&Running>) {
    if let Some(running) = running {
        running.stop.cancel();
        running.closed.cancelled().await;
    }
}

fn problem(error: &BindError, address: SocketAddr, taken: &[SocketAddr]) -> Problem {
    let words = error.to_string();
    match error {
        BindError::InUse { holder, .. } => {
            let (holder, offer) = (holder.program.clone(), free_address(address, taken));
            Problem { words, holder, offer }
        }
        _ => Problem { words, holder: None, offer: None },
    }
}

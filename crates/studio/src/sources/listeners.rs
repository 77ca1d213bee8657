//! Both OTLP listeners: started where the workspace was listened for last, rebound from the window.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use flowglass_ingest::forward::ForwardSlot;
use flowglass_ingest::secrets::Secret;
use flowglass_ingest::{IngestStats, KeyNames, Port, Sink};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::access::Access;
use super::receiver::{Intake, Problem, Receiver, is_remote};
use crate::Studio;
use crate::workspace::Workspace;

/// Workspace note: addresses chosen in the window, by listener; null is off.
pub(crate) const META_LISTENERS: &str = "listeners";

/// Where to listen, as asked for at the start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) port: Port,
    pub(crate) address: Option<SocketAddr>,
    /// Asked for by name: what the workspace remembers does not count.
    pub(crate) named: bool,
}

/// Both listeners.
pub(crate) struct Listeners {
    all: [Receiver; 2],
    pub(crate) access: Access,
    pub(crate) forward: ForwardSlot,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Listeners {
    /// None listens yet.
    pub(crate) fn new(token: Option<Secret>, stop: CancellationToken) -> Listeners {
        Listeners {
            all: [Receiver::off(Port::Grpc), Receiver::off(Port::Http)],
            access: Access::new(token),
            forward: ForwardSlot::default(),
            stop,
            tasks: TaskTracker::new(),
        }
    }

    /// Starts listening. With `strict` the first failure is an error, else a state to show.
    pub(crate) async fn start(
        &self,
        asked: [Asked; 2],
        workspace: &Workspace,
        strict: bool,
        sink: &Sink,
        stats: &Arc<IngestStats>,
        keys: &KeyNames,
    ) -> Result<(), String> {
        let remembered = read(workspace);
        for Asked { port, address, named } in asked {
            let receiver = self.of(port);
            let usual = SocketAddr::from(([127, 0, 0, 1], usual_port(port)));
            let mut address = address;
            if !named
                && address == Some(usual)
                && let Some(chosen) = remembered.get(receiver.id())
            {
                address = *chosen;
            }
            let (mut token, mut closed) = (None, None);
            if let Some(remote) = address.filter(|a| is_remote(*a)) {
                match self.token_at_start(strict).await {
                    Ok(known) => token = Some(known),
                    Err(why) if named => return Err(format!("{remote} can be reached from other machines: {why}")),
                    Err(why) => {
                        let words = format!("{remote} is not listened on: {why}. Only this machine can send.");
                        tracing::warn!("{words}");
                        closed = Some(words);
                        address = Some(SocketAddr::from(([127, 0, 0, 1], remote.port())));
                    }
                }
            }
            let intake = self.intake(port, sink, stats, keys, token);
            if let Err(problem) = receiver.listen(address, intake).await
                && strict
            {
                self.stop.cancel();
                return Err(problem.words);
            }
            if let Some(words) = closed {
                receiver.fail(words);
            }
        }
        Ok(())
    }

    /// The token of senders on other machines. A command line must have been given one: nobody is there to read a new one.
    async fn token_at_start(&self, strict: bool) -> Result<Secret, String> {
        match self.access.known() {
            Some(token) => Ok(token),
            None if strict => {
                Err("name the file of the token that senders must pass, with --token-file FILE".to_owned())
            }
            None => self.access.obtain().await,
        }
    }

    fn intake<'a>(
        &'a self,
        port: Port,
        sink: &'a Sink,
        stats: &'a Arc<IngestStats>,
        keys: &'a KeyNames,
        token: Option<Secret>,
    ) -> Intake<'a> {
        let others = self.all.iter().filter(|r| r.port != port);
        let taken = others.filter_map(|r| r.address().or(Some(SocketAddr::from(([127, 0, 0, 1], usual_port(r.port))))));
        Intake {
            sink,
            stats,
            keys,
            stop: &self.stop,
            tasks: &self.tasks,
            forward: &self.forward,
            token,
            taken: taken.collect(),
        }
    }

    /// Listens somewhere else from now on, also after the next start.
    pub(crate) async fn set(
        &self,
        studio: &Studio,
        port: Port,
        address: Option<SocketAddr>,
        token: Option<Secret>,
    ) -> Result<(), Problem> {
        let Some(sink) = studio.sink() else { return Ok(()) };
        let intake = self.intake(port, &sink, &studio.0.ingest_stats, &studio.0.configuration.keys, token);
        self.of(port).listen(address, intake).await?;
        let mut chosen = studio.ask(|w| Ok(read(w))).await.unwrap_or_default();
        chosen.insert(self.of(port).id().to_owned(), self.of(port).address());
        if let Ok(text) = serde_json::to_string(&chosen)
            && let Err(error) = studio.note(META_LISTENERS, text).await
        {
            tracing::warn!(%error, "the address could not be remembered for the next start");
        }
        Ok(())
    }

    /// One of them.
    pub(crate) fn of(&self, port: Port) -> &Receiver {
        &self.all[usize::from(port == Port::Http)]
    }

    /// Both, in the order of the window.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Receiver> {
        self.all.iter()
    }

    /// Where is listened.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.iter().filter_map(Receiver::address).collect()
    }

    /// Waits until requests in progress are finished, once the studio stops.
    pub(crate) async fn finished(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// The port that OTLP has registered.
fn usual_port(port: Port) -> u16 {
    match port {
        Port::Grpc => 4317,
        Port::Http => 4318,
    }
}

fn read(workspace: &Workspace) -> BTreeMap<String, Option<SocketAddr>> {
    let text = workspace.read(|r| r.meta(META_LISTENERS)).ok().flatten();
    text.and_then(|t| serde_json::from_str(&t).ok()).unwrap_or_default()
}

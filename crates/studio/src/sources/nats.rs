//! NATS connections of a studio.

use std::collections::{BTreeMap, VecDeque};
use std::mem::Discriminant;
use std::sync::Mutex;

use flowglass_ingest::nats::{NatsConfig, NatsState, NatsStatus, NatsStream, matches, run};
use flowglass_ingest::secrets::Secrets;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::Studio;
use crate::api::{NatsStreamView, NatsView, RedriveConnection, Update};
use crate::nats_saved::ReadUpTo;
use crate::studio::lock;
use crate::time::clock_time;

/// All connections, by id.
#[derive(Default)]
pub(crate) struct NatsLinks(Mutex<BTreeMap<String, Link>>);

struct Link {
    config: NatsConfig,
    /// Made in the window: started again next time.
    remembered: bool,
    status: watch::Receiver<NatsStatus>,
    stop: CancellationToken,
}

impl NatsLinks {
    /// Starts a connection; one to the same address is replaced. Answers its id.
    pub(crate) fn start(&self, studio: &Studio, config: NatsConfig, remembered: bool) -> Option<String> {
        let sink = studio.sink()?;
        let stop = studio.0.stop.child_token();
        let (sender, status) = watch::channel(NatsStatus::default());
        let id = config.url.clone();
        let link = Link { config: config.clone(), remembered, status: status.clone(), stop: stop.clone() };
        if let Some(old) = lock(&self.0).insert(id.clone(), link) {
            old.stop.cancel();
        }
        let clock = studio.0.clock;
        let options = studio.normalise(&config.name);
        studio.0.tasks.spawn(async move {
            if let Err(error) = run(config, Secrets::system(), sink, options, clock, sender, stop).await {
                tracing::error!(%error, "a NATS connection was not started");
            }
        });
        let (studio, mut status) = (studio.clone(), status);
        studio.0.tasks.clone().spawn(async move {
            let mut shown = notable(&status.borrow());
            while status.changed().await.is_ok() {
                let now = notable(&status.borrow());
                if now != shown {
                    shown = now;
                    studio.publish(Update::Sources {});
                }
            }
        });
        Some(id)
    }

    /// Ends a connection. Answers whether there was one.
    pub(crate) fn end(&self, id: &str) -> bool {
        match lock(&self.0).remove(id) {
            Some(link) => {
                link.stop.cancel();
                true
            }
            None => false,
        }
    }

    /// Connections to start again next time, and how far every connection has read its streams.
    pub(crate) fn to_remember(&self) -> (Vec<NatsConfig>, ReadUpTo) {
        let links = lock(&self.0);
        let connections = links.values().filter(|l| l.remembered).map(|l| l.config.clone()).collect();
        let read = links.iter().map(|(url, link)| {
            let streams =
                link.status.borrow().streams.iter().filter_map(|s| Some((s.name.clone(), s.covered_to?))).collect();
            (url.clone(), streams)
        });
        (connections, read.filter(|(_, streams): &(_, BTreeMap<_, _>)| !streams.is_empty()).collect())
    }

    /// Connections with streams that can be looked through: id, name and how many streams.
    pub(crate) fn searchable(&self) -> Vec<(String, String, usize)> {
        let one = |(id, l): (&String, &Link)| {
            let streams = l.status.borrow().streams.iter().filter(|s| !s.mirror).count();
            let name = if l.config.name.is_empty() { id.clone() } else { l.config.name.clone() };
            (streams > 0).then(|| (id.clone(), name, streams))
        };
        lock(&self.0).iter().filter_map(one).collect()
    }

    /// What a connection was made with.
    pub(crate) fn config(&self, id: &str) -> Option<NatsConfig> {
        lock(&self.0).get(id).map(|l| l.config.clone())
    }

    /// Allows or forbids publishing over a connection. Answers whether there is one.
    pub(crate) fn set_read_only(&self, id: &str, read_only: bool) -> bool {
        lock(&self.0).get_mut(id).map(|l| l.config.read_only = read_only).is_some()
    }

    /// Connections that messages could be published over.
    pub(crate) fn for_publishing(&self) -> Vec<RedriveConnection> {
        let one = |(id, l): (&String, &Link)| RedriveConnection {
            id: id.clone(),
            url: l.config.url.clone(),
            read_only: l.config.read_only,
        };
        lock(&self.0).iter().map(one).collect()
    }

    /// The connection whose server has a stream, else the first.
    pub(crate) fn with_stream(&self, stream: Option<&str>) -> Option<String> {
        let links = lock(&self.0);
        let has = |l: &Link| l.status.borrow().streams.iter().any(|s| Some(s.name.as_str()) == stream);
        let fits = links.iter().find(|(_, l)| has(l)).or_else(|| links.iter().next());
        fits.map(|(id, _)| id.clone())
    }

    /// The stream that takes a subject, with what its consumers have to do.
    pub(crate) fn stream_of(&self, subject: &str) -> Option<NatsStream> {
        let takes = |s: &&NatsStream| s.subjects.iter().any(|pattern| matches(pattern, subject));
        lock(&self.0).values().find_map(|l| l.status.borrow().streams.iter().find(takes).cloned())
    }

    /// Whether there is any connection.
    pub(crate) fn is_empty(&self) -> bool {
        lock(&self.0).is_empty()
    }

    /// What keeps connections from working.
    pub(crate) fn problems(&self) -> Vec<String> {
        lock(&self.0).values().filter_map(|link| problem(&link.status.borrow())).collect()
    }

    /// Addresses for the rail.
    pub(crate) fn short_addresses(&self) -> Vec<String> {
        lock(&self.0)
            .keys()
            .map(|url| {
                let host = url.split("://").last().unwrap_or(url);
                host.strip_prefix("127.0.0.1").or(host.strip_prefix("localhost")).unwrap_or(host).to_owned()
            })
            .collect()
    }

    /// All connections as the window shows them.
    pub(crate) fn views(&self) -> Vec<NatsView> {
        lock(&self.0).iter().map(|(id, link)| view(id, &link.config, &link.status.borrow())).collect()
    }
}

/// What people should see at once when it changes; counters are asked for.
fn notable(status: &NatsStatus) -> (Discriminant<NatsState>, VecDeque<String>, usize) {
    (std::mem::discriminant(&status.state), status.problems.clone(), status.gaps.len())
}

fn problem(status: &NatsStatus) -> Option<String> {
    match &status.state {
        NatsState::Connecting { reason, .. } => {
            Some(format!("NATS {} cannot be reached: {reason}. Trying again.", status.url))
        }
        NatsState::Lost { since, reason } => {
            Some(format!("NATS {} was lost at {}: {reason}. Trying again.", status.url, clock_time(*since)))
        }
        NatsState::Starting | NatsState::Connected { .. } => None,
    }
}

fn view(id: &str, config: &NatsConfig, status: &NatsStatus) -> NatsView {
    let state = match status.state {
        NatsState::Starting | NatsState::Connecting { .. } => "connecting",
        NatsState::Connected { .. } => "connected",
        NatsState::Lost { .. } => "lost",
    };
    NatsView {
        id: id.into(),
        url: config.url.clone(),
        state: state.into(),
        problem: problem(status),
        server: status.server.as_ref().map(|s| {
            let jetstream = if s.jetstream { "JetStream" } else { "no JetStream" };
            // A server without a name of its own calls itself by its key, which tells nobody anything.
            let name = if s.name.len() == 56 && s.name.starts_with('N') { "nats-server" } else { &s.name };
            format!("{name} {}, {jetstream}", s.version)
        }),
        read_only: config.read_only,
        subjects: config.subjects.clone(),
        streams: status
            .streams
            .iter()
            .map(|s| NatsStreamView {
                name: s.name.clone(),
                messages: s.messages,
                retention: s.retention.clone(),
                read: s.backfilled_to.unwrap_or(0),
                note: s.note.clone(),
            })
            .collect(),
        messages: status.counts.publications + status.counts.backfilled,
        deliveries: status.counts.deliveries,
        dropped: status.counts.dropped,
        gaps: status
            .gaps
            .iter()
            .map(|g| format!("{} to {}: nothing was received", clock_time(g.from), clock_time(g.to)))
            .collect(),
        refused: status.problems.iter().cloned().collect(),
    }
}

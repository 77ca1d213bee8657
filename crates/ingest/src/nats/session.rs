//! One connection from connect to loss: subscriptions, the list of streams, reading what they keep.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use async_nats::{Event, ServerError};
use flowglass_model::Nanos;
use futures::StreamExt as _;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::api::{Api, ApiError, INBOX, Refusal};
use super::connect::Connected;
use super::consumers::consumers;
use super::history::{self, History};
use super::live::Raw;
use super::run::{Input, Shared};
use super::status::{NatsGap, NatsServer, NatsState, NatsStream};
use super::subject::{covers, matches, overlaps, widest};
use super::withheld::{USER_INFO, withheld};
use super::{Backfill, NatsConfig, headers};

/// How often the list of streams is asked for.
const POLL: Duration = Duration::from_secs(3);
/// Bytes of messages that wait to be read, at most.
const MAX_WAITING: usize = 128 * 1024 * 1024;
/// Streams whose consumers are looked at, at most.
const STREAMS_WITH_CONSUMERS: usize = 64;
/// What to watch besides the subjects asked for.
const OF_JETSTREAM: [&str; 2] = ["$JS.ACK.>", "$JS.EVENT.ADVISORY.>"];

/// What a session leaves for the next one.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Up to where each stream was seen, live or by reading.
    covered: BTreeMap<String, u64>,
    /// Whether there was a session before: what it saw live may be read again.
    pub(super) reconnect: bool,
    /// When something was last heard, if the connection was lost.
    pub(super) lost_since: Option<Nanos>,
}

/// Runs a session until the connection is lost (returns why) or it is cancelled (returns `None`).
pub(super) async fn run(
    connected: Connected,
    config: &NatsConfig,
    shared: &Arc<Shared>,
    memory: &mut Memory,
    cancel: &CancellationToken,
) -> Option<String> {
    let Connected { client, mut events, refused, warning } = connected;
    let mut session = Session {
        api: Api::new(client, config.domain.clone(), refused),
        config,
        shared,
        memory,
        tasks: JoinSet::new(),
        subscribed: Vec::new(),
        denied: Vec::new(),
        withheld: Vec::new(),
        streams: Vec::new(),
        before: BTreeMap::new(),
        reading: BTreeMap::new(),
        previous: BTreeMap::new(),
        lists_streams: true,
        lists_consumers: true,
    };
    if let Err(reason) = session.start().await {
        return Some(reason);
    }
    if let Some(warning) = warning {
        shared.problem(warning);
    }
    let mut poll = tokio::time::interval(POLL);
    poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    poll.tick().await;
    loop {
        tokio::select! {
            () = cancel.cancelled() => return None,
            event = events.recv() => match event {
                None | Some(Event::Closed) => return Some("the connection was closed".to_owned()),
                Some(Event::Disconnected) => return Some("the connection broke".to_owned()),
                Some(Event::SlowConsumer(_)) => { shared.dropped.fetch_add(1, Relaxed); }
                Some(Event::ServerError(error)) => session.server_error(&error).await,
                Some(_) => {}
            },
            Some(done) = session.tasks.join_next(), if !session.tasks.is_empty() => {
                if let Ok(Some((stream, outcome))) = done { session.read_done(&stream, outcome) }
            }
            _ = poll.tick() => session.poll().await,
        }
    }
}

/// Outcome of reading a stream; subscriptions give none.
type Done = Option<(String, Result<u64, String>)>;

struct Session<'a> {
    api: Api,
    config: &'a NatsConfig,
    shared: &'a Arc<Shared>,
    memory: &'a mut Memory,
    tasks: JoinSet<Done>,
    subscribed: Vec<String>,
    denied: Vec<String>,
    /// Subjects that the server leaves out of what it sends us.
    withheld: Vec<String>,
    streams: Vec<NatsStream>,
    /// Last sequences before the subscriptions stood: what came later may have been seen live.
    before: BTreeMap<String, u64>,
    /// Streams being read, up to where.
    reading: BTreeMap<String, u64>,
    /// Last sequences of the poll before: what was stored by then has certainly been handed over.
    previous: BTreeMap<String, u64>,
    lists_streams: bool,
    lists_consumers: bool,
}

impl Session<'_> {
    async fn start(&mut self) -> Result<(), String> {
        let before = history::streams(&self.api, &self.config.streams).await;
        if let Ok(streams) = &before {
            self.before = streams.iter().map(|s| (s.name.clone(), s.last_sequence)).collect();
        }
        self.withheld = withheld(&self.api).await;
        let mut wanted = self.config.subjects.clone();
        wanted.extend(OF_JETSTREAM.map(str::to_owned));
        self.subscribe(&widest(&wanted)).await?;
        let info = self.api.client().server_info();
        let now = (self.shared.now)();
        let gap = self.memory.lost_since.take().map(|from| NatsGap { from, to: now });
        self.shared.status.send_modify(|s| {
            s.server = Some(NatsServer { name: info.server_name, version: info.version, jetstream: before.is_ok() });
            s.state = NatsState::Connected { since: now };
            if let Some(gap) = gap {
                s.gap(gap);
            }
        });
        self.shared.heard(now);
        for subject in self.withheld.iter().filter(|w| wanted.iter().any(|s| overlaps(s, w))) {
            self.shared.problem(Refusal::Subscribe(subject.clone()).words());
        }
        // What a server without JetStream cannot do will not come; anything else is tried again.
        self.lists_streams = info.jetstream || self.config.domain.is_some();
        if let (true, Err(reason @ ApiError::NoJetStream(_))) = (self.lists_streams, &before) {
            self.shared.not_read(reason);
        }
        self.poll().await;
        Ok(())
    }

    /// Subscribes and waits until the server has taken it. Permission is refused later, by an event.
    async fn subscribe(&mut self, subjects: &[String]) -> Result<(), String> {
        for subject in subjects {
            let index = self.subscribed.len();
            let subscriber = self.api.client().subscribe(subject.clone()).await.map_err(|e| e.to_string())?;
            self.subscribed.push(subject.clone());
            let earlier = self.subscribed[..index].to_vec();
            self.tasks.spawn(forward(subscriber, earlier, Arc::clone(self.shared)));
        }
        self.api.round_trip().await
    }

    async fn server_error(&mut self, error: &ServerError) {
        let ServerError::Other(text) = error else {
            return self.shared.problem(format!("the server says: {error}"));
        };
        let Some(refusal) = Refusal::parse(text) else {
            return self.shared.problem(format!("the server says: {text}"));
        };
        let echo = matches!(&refusal, Refusal::Publish(_)) && refusal.is_of_echo();
        if echo || refusal == Refusal::Publish(USER_INFO.to_owned()) {
            return; // The one would only have told when to go on, the other of other refusals.
        }
        if matches!(&refusal, Refusal::Publish(subject) if subject.contains(".CONSUMER.LIST.")) {
            return; // Backlogs are an extra; without them everything else is there.
        }
        self.shared.problem(refusal.words());
        if let Refusal::Subscribe(subject) = refusal {
            self.denied.push(subject.clone());
            if subject == ">" {
                self.subscribe_instead().await;
            }
        }
    }

    /// When `>` is refused: the subjects of the streams and what JetStream says about them.
    async fn subscribe_instead(&mut self) {
        let mut wanted: Vec<String> = OF_JETSTREAM.map(str::to_owned).into();
        wanted.extend(self.streams.iter().flat_map(|s| s.subjects.clone()));
        if wanted.len() == OF_JETSTREAM.len() {
            self.shared.problem("no subject is watched: name the subjects that this user may subscribe to".to_owned());
        }
        if let Err(reason) = self.subscribe(&widest(&wanted)).await {
            self.shared.problem(reason);
        }
    }

    /// Whether live subscriptions see all that a stream stores.
    fn sees(&self, stream: &NatsStream) -> bool {
        let granted = |s: &&String| !self.denied.contains(s);
        !stream.mirror
            && !stream.subjects.is_empty()
            && !stream.subjects.iter().any(|inner| self.withheld.iter().any(|w| overlaps(w, inner)))
            && stream.subjects.iter().all(|inner| self.subscribed.iter().filter(granted).any(|s| covers(s, inner)))
    }

    /// Asks for the streams and reads what is missing of them.
    async fn poll(&mut self) {
        if !self.lists_streams {
            // The connection itself is alive when the server answers at all.
            if self.api.round_trip().await.is_ok() {
                self.shared.heard((self.shared.now)());
            }
            return;
        }
        match history::streams(&self.api, &self.config.streams).await {
            Ok(streams) => self.streams = streams,
            // The server itself says what it refuses.
            Err(ApiError::Refused(_)) => return self.lists_streams = false,
            Err(reason) => return self.shared.not_read(&reason),
        }
        self.shared.heard((self.shared.now)());
        self.look_at_consumers().await;
        self.shared.streams(&self.streams);
        for stream in self.streams.clone() {
            if self.is_wanted(&stream) {
                self.catch_up(stream);
            }
        }
    }

    /// Asks what consumers have still to do; not again once the server refuses.
    async fn look_at_consumers(&mut self) {
        for stream in self.streams.iter_mut().take(STREAMS_WITH_CONSUMERS) {
            if !self.lists_consumers {
                return;
            }
            match consumers(&self.api, &stream.name).await {
                Ok(all) => stream.consumers = Some(all),
                Err(ApiError::Refused(_)) => self.lists_consumers = false,
                // A stream that went meanwhile; the next list says so.
                Err(_) => {}
            }
        }
    }

    /// Mirrors, key-value buckets and object stores are read only when they are named.
    fn is_wanted(&self, stream: &NatsStream) -> bool {
        let special = stream.mirror || stream.name.starts_with("KV_") || stream.name.starts_with("OBJ_");
        self.config.backfill != Backfill::None
            && self.config.wants_stream(&stream.name)
            && (!special || !self.config.streams.is_empty())
    }

    fn catch_up(&mut self, stream: NatsStream) {
        let name = stream.name.clone();
        if self.reading.contains_key(&name) {
            return;
        }
        let last = stream.last_sequence;
        let known = self.memory.covered.get(&name).or_else(|| self.config.resume.get(&name)).copied();
        if known.is_some_and(|k| k > last) {
            self.memory.covered.remove(&name);
            self.shared.problem(format!("the stream {name} starts anew: its sequences went back to {last}"));
            return;
        }
        let first_look = !self.previous.contains_key(&name);
        if !first_look && self.sees(&stream) {
            // What was stored by the poll before has been handed over by now.
            if let Some(sequence) = self.previous.insert(name.clone(), last) {
                self.memory.covered.insert(name.clone(), sequence);
                self.shared.covered(&name, sequence);
            }
            return;
        }
        self.previous.insert(name.clone(), last);
        if known == Some(last) {
            self.shared.covered(&name, last);
            self.memory.covered.insert(name, last);
            return;
        }
        let overlap = match self.memory.reconnect {
            true => 0,
            false => self.before.get(&name).map_or(1, |s| s + 1),
        };
        self.reading.insert(name.clone(), last);
        let (api, shared, backfill) = (self.api.clone(), Arc::clone(self.shared), self.config.backfill);
        self.tasks.spawn(async move {
            let outcome = async {
                let from = match known {
                    Some(sequence) => (sequence + 1).max(stream.first_sequence),
                    None => history::start(&api, &stream, backfill).await?,
                };
                history::read(&api, &stream, from, last, overlap, &shared.history).await.map(|()| last)
            };
            let outcome = outcome.await;
            Some((name, outcome))
        });
    }

    fn read_done(&mut self, stream: &str, outcome: Result<u64, String>) {
        self.reading.remove(stream);
        match outcome {
            Ok(sequence) => {
                self.memory.covered.insert(stream.to_owned(), sequence);
            }
            Err(reason) => {
                // Reading goes on at the next poll from where it was known to.
                self.previous.remove(stream);
                self.shared.problem(format!("the stream {stream} cannot be read: {reason}"));
            }
        }
    }
}

/// Hands messages of a subscription over. Never waits: what does not fit is dropped and counted, so that the client's own
/// buffer stays empty. A message that an earlier subscription brings too is left to that one.
async fn forward(mut subscriber: async_nats::Subscriber, earlier: Vec<String>, shared: Arc<Shared>) -> Done {
    while let Some(message) = subscriber.next().await {
        if is_noise(&message.subject)
            || message.status.is_some()
            || earlier.iter().any(|s| matches(s, &message.subject))
        {
            continue;
        }
        let time = (shared.now)();
        shared.heard(time);
        let size = message.length;
        if shared.waiting.fetch_add(size, Relaxed) > MAX_WAITING {
            shared.waiting.fetch_sub(size, Relaxed);
            shared.dropped.fetch_add(1, Relaxed);
            continue;
        }
        let raw = Raw {
            subject: message.subject.to_string(),
            reply: message.reply.map(|r| r.to_string()),
            headers: headers::list(message.headers.as_ref()),
            payload: message.payload.to_vec(),
            time,
        };
        if shared.live.try_send(Input::Message { raw: Box::new(raw), size }).is_err() {
            shared.waiting.fetch_sub(size, Relaxed);
            shared.dropped.fetch_add(1, Relaxed);
        }
    }
    None
}

/// Whether a subject carries nothing that is kept: answers to us, requests to the broker, its records of them.
fn is_noise(subject: &str) -> bool {
    const KEPT: [&str; 2] = ["$JS.ACK.", "$JS.EVENT.ADVISORY."];
    subject.starts_with(INBOX)
        || subject == "$JS.EVENT.ADVISORY.API"
        || (subject.starts_with('$') && KEPT.iter().all(|k| !subject.starts_with(k)))
}

/// The name under which reading hands messages over; kept here so that the pump needs to know one type only.
pub(super) type HistoryReceiver = mpsc::Receiver<History>;

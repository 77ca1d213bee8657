//! A connection for as long as it is wanted: connects again and again, and stores what sessions bring.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use flowglass_model::{Batch, IngestCounts, Nanos, SourceKind};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::api::ApiError;
use super::connect::connect;
use super::history::History;
use super::live::{Live, Raw};
use super::session::{self, HistoryReceiver, Memory};
use super::status::{NatsState, NatsStatus, NatsStream};
use super::{NatsConfig, NatsConfigError};
use crate::normalise::Options;
use crate::pause::Pause;
use crate::secrets::Secrets;
use crate::sink::{Sink, SubmitError};

/// Live messages that wait to be read, at most.
const LIVE: usize = 20_000;
/// Messages read from streams that wait, at most.
const HISTORY: usize = 256;
/// A batch is submitted when it holds this many items, or at the next tick.
const BATCH: usize = 500;
/// Reading stops while a batch of this many items cannot be submitted.
const MAX_BATCH: usize = 8_000;
/// How often batches are submitted.
const TICK: Duration = Duration::from_millis(100);
/// How the problem begins when streams cannot be listed.
const NOT_READ: &str = "streams are not read: ";
/// Pauses between attempts to connect, milliseconds; the last one repeats.
const PAUSES: [u64; 6] = [250, 500, 1_000, 2_000, 4_000, 8_000];

/// From sessions to the pump.
#[derive(Debug)]
pub(super) enum Input {
    /// A live message, and its size as it was counted.
    Message { raw: Box<Raw>, size: usize },
    /// The streams as they are now.
    Streams(Vec<NatsStream>),
    /// Up to this sequence everything has been handed over live.
    Covered { stream: String, sequence: u64 },
}

/// What session and pump share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) now: fn() -> Nanos,
    pub(super) status: watch::Sender<NatsStatus>,
    pub(super) live: mpsc::Sender<Input>,
    pub(super) history: mpsc::Sender<History>,
    pub(super) dropped: AtomicU64,
    pub(super) waiting: AtomicUsize,
    last_heard: AtomicI64,
}

impl Shared {
    /// Remembers when something was heard of the server.
    pub(super) fn heard(&self, time: Nanos) {
        self.last_heard.fetch_max(time, Relaxed);
    }

    pub(super) fn problem(&self, words: String) {
        self.status.send_modify(|s| s.problem(words));
    }

    /// Shows why streams cannot be listed, until they are.
    pub(super) fn not_read(&self, reason: &ApiError) {
        self.status.send_modify(|s| {
            // The first reason tells most: later requests are only left unanswered.
            if !s.problems.iter().any(|p| p.starts_with(NOT_READ)) {
                s.problem(format!("{NOT_READ}{reason}"));
            }
        });
    }

    /// Shows the streams; how far each was read stays.
    pub(super) fn streams(&self, streams: &[NatsStream]) {
        self.status.send_modify(|status| {
            status.problems.retain(|p| !p.starts_with(NOT_READ));
            if let Some(server) = &mut status.server {
                server.jetstream = true;
            }
            let old = std::mem::replace(&mut status.streams, streams.to_vec());
            for stream in &mut status.streams {
                if let Some(known) = old.iter().find(|s| s.name == stream.name) {
                    (stream.backfilled_to, stream.covered_to) = (known.backfilled_to, known.covered_to);
                }
            }
        });
        // Lost only when thousands of messages wait; the next list follows.
        let _ = self.live.try_send(Input::Streams(streams.to_vec()));
    }

    pub(super) fn covered(&self, stream: &str, sequence: u64) {
        let _ = self.live.try_send(Input::Covered { stream: stream.to_owned(), sequence });
    }
}

/// Watches a NATS connection until it is cancelled. An unreachable server is no error: it is tried again for ever, and shown
/// in the status. `now` gives the time of live messages.
///
/// # Errors
/// When the configuration cannot be used at all ([`NatsConfig::check`]).
pub async fn run(
    config: NatsConfig,
    secrets: Secrets,
    sink: Sink,
    options: Options,
    now: fn() -> Nanos,
    status: watch::Sender<NatsStatus>,
    cancel: CancellationToken,
) -> Result<(), NatsConfigError> {
    config.check()?;
    let (live, live_queue) = mpsc::channel(LIVE);
    let (history, history_queue) = mpsc::channel(HISTORY);
    status.send_modify(|s| (s.name, s.url) = (config.name.clone(), config.url.clone()));
    let shared = Arc::new(Shared {
        now,
        status: status.clone(),
        live,
        history,
        dropped: AtomicU64::new(0),
        waiting: AtomicUsize::new(0),
        last_heard: AtomicI64::new(0),
    });
    let options = Options { payloads: config.payloads, ..options };
    let stop = CancellationToken::new();
    let pump = tokio::spawn(
        Pump {
            live: Live::new(options),
            shared: Arc::clone(&shared),
            sink,
            covered: Vec::new(),
            submitted: Vec::new(),
            items: 0,
            told: 0,
            under_way: None,
            closed: false,
        }
        .run(live_queue, history_queue, stop.clone()),
    );
    sessions(&config, &secrets, &shared, &cancel).await;
    stop.cancel();
    // The pump's own failure would be a bug; it must not take the caller along.
    let _ = pump.await;
    Ok(())
}

async fn sessions(config: &NatsConfig, secrets: &Secrets, shared: &Arc<Shared>, cancel: &CancellationToken) {
    let mut memory = Memory::default();
    let mut attempts = 0u32;
    while !cancel.is_cancelled() {
        let connected = tokio::select! {
            () = cancel.cancelled() => return,
            connected = connect(config, secrets) => connected,
        };
        let reason = match connected {
            Ok(connected) => {
                let ended = session::run(connected, config, shared, &mut memory, cancel).await;
                let Some(reason) = ended else { return };
                if matches!(shared.status.borrow().state, NatsState::Connected { .. }) {
                    attempts = 0;
                }
                reason
            }
            Err(reason) => reason,
        };
        let last_heard = shared.last_heard.load(Relaxed);
        if last_heard != 0 && memory.lost_since.is_none() {
            memory.lost_since = Some(last_heard);
            memory.reconnect = true;
        }
        attempts = attempts.saturating_add(1);
        shared.status.send_modify(|s| {
            s.state = match memory.lost_since {
                Some(since) => NatsState::Lost { since, reason },
                None => NatsState::Connecting { attempts, reason },
            }
        });
        let pause = PAUSES[(attempts as usize - 1).min(PAUSES.len() - 1)];
        tokio::select! {
            () = cancel.cancelled() => return,
            () = tokio::time::sleep(Duration::from_millis(pause)) => {}
        }
    }
}

/// Where a stream is read to, and whether by reading (true) or live.
type Covered = (String, u64, bool);

/// Collects facts into batches and submits one at a time.
struct Pump {
    live: Live,
    shared: Arc<Shared>,
    sink: Sink,
    covered: Vec<Covered>,
    submitted: Vec<Covered>,
    /// Items under way.
    items: u64,
    /// Losses that batches told of.
    told: u64,
    under_way: Option<BoxFuture<'static, Result<IngestCounts, SubmitError>>>,
    closed: bool,
}

impl Pump {
    async fn run(mut self, mut live: mpsc::Receiver<Input>, mut history: HistoryReceiver, stop: CancellationToken) {
        let mut tick = tokio::time::interval(TICK);
        while !self.closed {
            let room = self.live.batch.len() < MAX_BATCH;
            tokio::select! {
                outcome = finished(&mut self.under_way) => {
                    self.under_way = None;
                    self.settle(outcome);
                }
                Some(input) = live.recv(), if room => self.take(input),
                Some(read) = history.recv(), if room => self.take_history(read),
                _ = tick.tick() => {
                    self.live.release(Some((self.shared.now)()));
                    self.submit();
                    self.show();
                }
                () = stop.cancelled() => break,
            }
            if self.live.batch.len() >= BATCH {
                self.submit();
            }
        }
        live.close();
        while let Ok(input) = live.try_recv() {
            self.take(input);
        }
        history.close();
        while let Ok(read) = history.try_recv() {
            self.take_history(read);
        }
        self.live.release(None);
        self.tell_losses();
        while !self.closed && (self.under_way.is_some() || !self.live.batch.is_empty()) {
            if let Some(under_way) = self.under_way.take() {
                let outcome = under_way.await;
                self.settle(outcome);
            }
            self.submit();
        }
        self.show();
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Message { raw, size } => {
                self.shared.waiting.fetch_sub(size, Relaxed);
                self.live.take(*raw);
            }
            Input::Streams(streams) => self.live.set_streams(&streams),
            Input::Covered { stream, sequence } => self.covered.push((stream, sequence, false)),
        }
    }

    fn take_history(&mut self, read: History) {
        match read {
            History::Message(stored) => self.live.take_stored(*stored),
            History::Covered { stream, sequence } => self.covered.push((stream, sequence, true)),
        }
    }

    fn submit(&mut self) {
        if self.under_way.is_some() || self.closed {
            return;
        }
        self.tell_losses();
        if self.live.batch.is_empty() {
            let covered = std::mem::take(&mut self.covered);
            return self.show_covered(covered);
        }
        let batch = std::mem::take(&mut self.live.batch);
        self.items = batch.len() as u64;
        self.submitted = std::mem::take(&mut self.covered);
        self.under_way = Some(store(self.sink.clone(), batch).boxed());
    }

    /// Puts what was lost since the last batch into the next one.
    fn tell_losses(&mut self) {
        let lost = self.shared.dropped.load(Relaxed);
        self.live.batch.dropped += lost - self.told;
        self.told = lost;
    }

    fn settle(&mut self, outcome: Result<IngestCounts, SubmitError>) {
        let covered = std::mem::take(&mut self.submitted);
        match outcome {
            Ok(_) => self.show_covered(covered),
            Err(SubmitError::Closed) => self.closed = true,
            Err(error) => {
                self.live.counts.refused += self.items;
                self.shared.problem(error.to_string());
            }
        }
    }

    fn show_covered(&self, covered: Vec<Covered>) {
        if covered.is_empty() {
            return;
        }
        self.shared.status.send_modify(|status| {
            for (name, sequence, read) in covered {
                let Some(stream) = status.streams.iter_mut().find(|s| s.name == name) else { continue };
                stream.covered_to = stream.covered_to.max(Some(sequence));
                if read {
                    stream.backfilled_to = stream.backfilled_to.max(Some(sequence));
                }
            }
        });
    }

    fn show(&self) {
        let mut counts = self.live.counts;
        counts.dropped = self.shared.dropped.load(Relaxed);
        self.shared.status.send_if_modified(|s| {
            let changed = s.counts != counts;
            s.counts = counts;
            changed
        });
    }
}

/// The outcome of what is under way; never, when nothing is.
async fn finished(
    under_way: &mut Option<BoxFuture<'static, Result<IngestCounts, SubmitError>>>,
) -> Result<IngestCounts, SubmitError> {
    match under_way {
        Some(under_way) => under_way.await,
        None => std::future::pending().await,
    }
}

/// Submits a batch, again and again while that can help.
async fn store(sink: Sink, batch: Batch) -> Result<IngestCounts, SubmitError> {
    let mut pause = Duration::from_millis(200);
    let (mut tries, mut without_room) = (0, Pause::default());
    while tries < 6 {
        match sink.submit(batch.clone(), SourceKind::Nats).await {
            // However long there is no room: a stream waits, and is read on from here.
            Err(SubmitError::Full(_)) => {
                tokio::time::sleep(without_room.next()).await;
                continue;
            }
            Err(SubmitError::Busy | SubmitError::Failed { retryable: true, .. }) => tokio::time::sleep(pause).await,
            other => return other,
        }
        pause *= 2;
        tries += 1;
    }
    sink.submit(batch, SourceKind::Nats).await
}

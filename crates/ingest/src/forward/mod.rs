//! Passing accepted OTLP requests on, unchanged, to the Jaeger, Aspire dashboard or Collector that is in use already.
//!
//! Ingest never waits for it: what does not fit the bounded queue is lost for the other side, and counted. CloudEvents and
//! Zipkin spans are not passed on.

mod deliver;
mod headers;
mod target;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use http::HeaderMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::otlp::{Compression, Encoding, Signal};
use deliver::Courier;

pub(crate) use headers::passed_on;
pub use target::{Protocol, Target, TargetError};

/// The queue's bytes are counted in units of this many.
const UNIT: usize = 1024;

/// Bounds of forwarding.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Requests that may wait.
    pub requests: usize,
    /// Bytes of bodies that may wait.
    pub bytes: usize,
    /// Requests under way at a time.
    pub at_once: usize,
    /// Wait before the first repetition; doubled each time.
    pub first_wait: Duration,
    /// Longest wait between repetitions.
    pub longest_wait: Duration,
    /// How long one request may take.
    pub patience: Duration,
    /// After this long a request that could not be passed on is lost.
    pub give_up: Duration,
    /// How long the rest may take at the end.
    pub last: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            requests: 2_000,
            bytes: 64 << 20,
            at_once: 4,
            first_wait: Duration::from_millis(250),
            longest_wait: Duration::from_secs(5),
            patience: Duration::from_secs(10),
            give_up: Duration::from_secs(120),
            last: Duration::from_secs(3),
        }
    }
}

/// How passing on goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForwardState {
    /// Nothing waits.
    Idle,
    /// Something is under way.
    Sending,
    /// The last attempt failed; it goes on trying.
    Failing,
}

/// How passing on goes, with figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForwardStatus {
    /// Address, as it was given.
    pub url: String,
    /// How it is spoken to.
    pub protocol: Protocol,
    /// State.
    pub state: ForwardState,
    /// Requests passed on.
    pub sent: u64,
    /// Requests lost: the queue was full, or the other side did not take them.
    pub lost: u64,
    /// Requests that wait or are under way.
    pub waiting: u64,
    /// The last failure, with what to do; kept until something was passed on again.
    pub problem: Option<String>,
    /// What the other side does not take at all, in words.
    pub note: Option<String>,
}

/// An accepted request.
#[derive(Debug)]
pub(crate) struct Passed {
    pub(crate) signal: Signal,
    pub(crate) encoding: Encoding,
    pub(crate) compression: Option<Compression>,
    /// As received, without a gRPC frame.
    pub(crate) bytes: Bytes,
    pub(crate) headers: HeaderMap,
}

struct Waiting {
    request: Passed,
    since: Instant,
    _room: OwnedSemaphorePermit,
}

/// Passes requests on. Cheap to clone; ends with its last clone or its stop token.
#[derive(Debug, Clone)]
pub struct Forward(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    target: Target,
    /// Names this program in a header, so that a ring of forwarders is seen.
    name: String,
    queue: mpsc::Sender<Waiting>,
    room: Arc<Semaphore>,
    figures: Arc<Figures>,
}

#[derive(Debug)]
struct Figures {
    sent: AtomicU64,
    lost: AtomicU64,
    waiting: AtomicU64,
    problem: Mutex<Option<String>>,
    /// By signal: whether the other side said that it does not know it.
    unwanted: [AtomicBool; 3],
    changed: watch::Sender<ForwardState>,
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.request.fmt(f)
    }
}

impl Forward {
    /// Starts passing on to `target`; the second value does the work, until `stop` or until the last clone is gone. Fails when
    /// the certificates of this system cannot be read.
    pub fn start(
        target: Target,
        limits: Limits,
        stop: CancellationToken,
    ) -> std::io::Result<(Forward, impl Future<Output = ()> + Send + use<>)> {
        let (queue, waiting) = mpsc::channel(limits.requests.max(1));
        let room = Arc::new(Semaphore::new((limits.bytes / UNIT).max(1)));
        let figures = Arc::new(Figures {
            sent: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            waiting: AtomicU64::new(0),
            problem: Mutex::new(None),
            unwanted: Default::default(),
            changed: watch::Sender::new(ForwardState::Idle),
        });
        let name = format!("{:016x}", rand::random::<u64>());
        let courier = Courier::new(target.clone(), name.clone(), limits.clone(), Arc::clone(&figures))?;
        let forward = Forward(Arc::new(Shared { target, name, queue, room, figures: Arc::clone(&figures) }));
        Ok((forward, run(courier, waiting, figures, limits, stop)))
    }

    /// Hands a request over. Never waits; what does not fit is lost, and counted.
    pub(crate) fn offer(&self, request: Passed) {
        let Shared { name, queue, room, figures, .. } = &*self.0;
        if headers::went_through(&request.headers, name) || figures.unwanted[request.signal as usize].load(Relaxed) {
            return;
        }
        let units = (request.bytes.len() / UNIT + 1) as u32;
        let handed = room.clone().try_acquire_many_owned(units).ok().and_then(|room| {
            let permit = queue.try_reserve().ok()?;
            figures.waiting.fetch_add(1, Relaxed);
            permit.send(Waiting { request, since: Instant::now(), _room: room });
            Some(())
        });
        if handed.is_none() {
            figures.lose("it does not keep up: the queue of what is to be passed on is full".to_owned());
        }
    }

    /// Where it goes.
    pub fn target(&self) -> &Target {
        &self.0.target
    }

    /// How it goes.
    pub fn status(&self) -> ForwardStatus {
        let Shared { target, figures, .. } = &*self.0;
        let unwanted: Vec<&str> = ["traces", "logs", "metrics"]
            .into_iter()
            .zip(&figures.unwanted)
            .filter_map(|(name, no)| no.load(Relaxed).then_some(name))
            .collect();
        ForwardStatus {
            url: target.to_string(),
            protocol: target.protocol(),
            state: *figures.changed.borrow(),
            sent: figures.sent.load(Relaxed),
            lost: figures.lost.load(Relaxed),
            waiting: figures.waiting.load(Relaxed),
            problem: figures.problem().clone(),
            note: (!unwanted.is_empty()).then(|| format!("it takes no {}: they are not passed on", unwanted.join(" and no "))),
        }
    }

    /// Changes of the state.
    pub fn changes(&self) -> watch::Receiver<ForwardState> {
        self.0.figures.changed.subscribe()
    }
}

impl Figures {
    fn problem(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, state: ForwardState) {
        self.changed.send_if_modified(|s| std::mem::replace(s, state) != state);
    }

    fn lose(&self, why: String) {
        self.lost.fetch_add(1, Relaxed);
        self.fail(why);
    }

    fn fail(&self, why: String) {
        *self.problem() = Some(why);
        self.set(ForwardState::Failing);
    }

    fn pass(&self) {
        self.sent.fetch_add(1, Relaxed);
        *self.problem() = None;
        self.set(ForwardState::Sending);
    }
}

async fn run(
    courier: Courier,
    mut queue: mpsc::Receiver<Waiting>,
    figures: Arc<Figures>,
    limits: Limits,
    stop: CancellationToken,
) {
    let mut under_way = FuturesUnordered::new();
    let done = |figures: &Figures| {
        let left = figures.waiting.fetch_sub(1, Relaxed) - 1;
        if left == 0 && figures.problem().is_none() {
            figures.set(ForwardState::Idle);
        }
    };
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(()) = under_way.next() => done(&figures),
            next = queue.recv(), if under_way.len() < limits.at_once.max(1) => match next {
                Some(waiting) => under_way.push(courier.pass_on(waiting)),
                None => break,
            },
        }
    }
    // The rest gets a moment.
    queue.close();
    let rest = async {
        loop {
            tokio::select! {
                Some(()) = under_way.next() => done(&figures),
                next = queue.recv(), if under_way.len() < limits.at_once.max(1) => match next {
                    Some(waiting) => under_way.push(courier.pass_on(waiting)),
                    None if under_way.is_empty() => return,
                    None => { while under_way.next().await.is_some() { done(&figures); } return; }
                },
            }
        }
    };
    if tokio::time::timeout(limits.last, rest).await.is_err() {
        let left = figures.waiting.swap(0, Relaxed);
        figures.lost.fetch_add(left, Relaxed);
        tracing::warn!(requests = left, "requests were not passed on before the end");
    }
}

/// Where receivers look for whom to pass requests on to; changes at run time. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct ForwardSlot(Arc<RwLock<Option<Forward>>>);

impl ForwardSlot {
    /// Whom requests are passed on to now.
    pub fn get(&self) -> Option<Forward> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets whom they are passed on to from now on; answers who it was before.
    pub fn set(&self, forward: Option<Forward>) -> Option<Forward> {
        std::mem::replace(&mut *self.0.write().unwrap_or_else(PoisonError::into_inner), forward)
    }
}

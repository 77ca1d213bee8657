//! Long work on a thread of its own, beside somebody who is told how far it is and may stop it.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, InterruptHandle, ffi};

use crate::fault::{Fault, Inner};

/// Between two words about the progress within a part of the work; each part begins with one.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// What progress is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes of a file.
    Bytes,
    /// Whatever the part consists of.
    Rows,
}

/// How far long work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub part: &'static str,
    /// How much of it.
    pub done: u64,
    /// Of about how much; 0 where that is not known.
    pub of: u64,
    /// Both in this.
    pub unit: Unit,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Progress { part, done, of, unit } = *self;
        match (of, unit) {
            (0, _) => write!(f, "{part}"),
            (_, Unit::Bytes) => write!(f, "{part}: {:.0} of about {:.0} MB", done as f64 / 1e6, of as f64 / 1e6),
            (_, Unit::Rows) => write!(f, "{part}: {done} of {of}"),
        }
    }
}

/// Told how far long work is; answers whether to go on.
pub type GoOn<'a> = dyn FnMut(Progress) -> bool + 'a;

/// What worker and watcher share.
struct Shared {
    part: Mutex<(&'static str, u64, Unit)>,
    done: AtomicU64,
    stopped: AtomicBool,
    interrupts: Mutex<Vec<InterruptHandle>>,
}

impl Shared {
    fn progress(&self) -> Progress {
        let (part, of, unit) = *self.part.lock().unwrap_or_else(PoisonError::into_inner);
        let done = self.done.load(Relaxed);
        Progress { part, done: if of == 0 { done } else { done.min(of) }, of, unit }
    }
}

/// The worker's side: tells, and hears when to stop.
pub(crate) struct Watch<'s> {
    shared: &'s Shared,
    ask: Sender<()>,
    answer: Receiver<()>,
}

impl Watch<'_> {
    /// Statements of this connection end when the work is stopped.
    pub(crate) fn interrupts(&self, conn: &Connection) {
        let mut all = self.shared.interrupts.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(conn.get_interrupt_handle());
    }

    /// Begins a part of so much (0: not known) and waits for the word to go on.
    pub(crate) fn begin(&self, part: &'static str, of: u64, unit: Unit) -> Inner<()> {
        self.shared.done.store(0, Relaxed);
        *self.shared.part.lock().unwrap_or_else(PoisonError::into_inner) = (part, of, unit);
        self.heard()
    }

    /// The same amount goes on under another name.
    pub(crate) fn turn_to(&self, part: &'static str) -> Inner<()> {
        self.shared.part.lock().unwrap_or_else(PoisonError::into_inner).0 = part;
        self.heard()
    }

    /// So much more is done.
    pub(crate) fn step(&self, by: u64) -> Inner<()> {
        self.shared.done.fetch_add(by, Relaxed);
        if self.shared.stopped.load(Relaxed) { Err(interrupted()) } else { Ok(()) }
    }

    fn heard(&self) -> Inner<()> {
        // Nobody hears any more once the watcher panicked: then this thread is only waited for.
        if self.ask.send(()).is_err() || self.answer.recv().is_err() {
            return Err(interrupted());
        }
        self.step(0)
    }
}

/// What the engine says of a statement that was stopped.
fn interrupted() -> Fault {
    Fault::Sqlite(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_INTERRUPT), None))
}

/// Does long work on a thread of its own; `None` when it was told to stop, whatever had become of it by then.
pub(crate) fn watched<T: Send>(go_on: &mut GoOn<'_>, work: impl FnOnce(&Watch<'_>) -> T + Send) -> Option<T> {
    let shared = Shared {
        part: Mutex::new(("", 0, Unit::Rows)),
        done: AtomicU64::new(0),
        stopped: AtomicBool::new(false),
        interrupts: Mutex::default(),
    };
    let (ask, asked) = channel();
    let (tell, answer) = channel();
    std::thread::scope(|scope| {
        let shared = &shared;
        // Its end closes `ask`, which ends the loop.
        let worker = scope.spawn(move || work(&Watch { shared, ask, answer }));
        loop {
            let waits = match asked.recv_timeout(TELL_EVERY) {
                Ok(()) => true,
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            if !shared.stopped.load(Relaxed) && !go_on(shared.progress()) {
                shared.stopped.store(true, Relaxed);
            }
            if shared.stopped.load(Relaxed) {
                // Again and again: between two statements there is nothing to interrupt.
                let handles = shared.interrupts.lock().unwrap_or_else(PoisonError::into_inner);
                handles.iter().for_each(InterruptHandle::interrupt);
            }
            if waits {
                // A worker that ended meanwhile is told by the end of its channel.
                let _ = tell.send(());
            }
        }
        let outcome = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (!shared.stopped.load(Relaxed)).then_some(outcome)
    })
}

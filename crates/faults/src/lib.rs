//! A disk that fails on order, for tests of what is stored: SQLite's file interface over the usual one, which counts what is
//! asked of it and lets the n-th operation fail, or forgets what was not yet synced as a power cut does.
//!
//! It stands in for the default one in the whole process, but only files below the folder of a [`Disk`] are concerned.

mod image;
mod vfs;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use image::Images;

/// How an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// This operation and all after it, with an I/O error: the disk is gone.
    Eio,
    /// Only this operation, with an I/O error.
    EioOnce,
    /// The first write from this operation on, and all writes after it: no space left, until [`Disk::heal`].
    Full,
    /// The first write from this operation on ends half-way, with an I/O error.
    ShortWrite,
    /// The first sync from this operation on fails, and what it was to make durable never becomes so (as on Linux, where a
    /// later sync does not try again).
    Fsync,
    /// The machine stops here: nothing works any more; see [`Disk::cut`].
    PowerCut,
}

impl Fault {
    /// All of them.
    pub const ALL: [Fault; 6] =
        [Fault::Eio, Fault::EioOnce, Fault::Full, Fault::ShortWrite, Fault::Fsync, Fault::PowerCut];
}

/// What is asked of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Read,
    Write,
    Sync,
    Other,
}

/// What becomes of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Work,
    Fail,
    Full,
    Half,
    /// A sync that fails and forgets.
    Forget,
}

#[derive(Default)]
pub(crate) struct State {
    folder: Option<PathBuf>,
    operations: u64,
    planned: Option<(u64, Fault)>,
    struck: bool,
    over: bool,
    pub(crate) images: Images,
}

static STATE: Mutex<Option<State>> = Mutex::new(None);
/// One disk at a time.
static TURN: Mutex<()> = Mutex::new(());

fn state() -> MutexGuard<'static, Option<State>> {
    STATE.lock().unwrap_or_else(|e| e.into_inner())
}

/// Does something with the state when the file is concerned.
pub(crate) fn with<T>(path: &Path, work: impl FnOnce(&mut State) -> T) -> Option<T> {
    let mut guard = state();
    let state = guard.as_mut()?;
    state.folder.as_ref().is_some_and(|folder| path.starts_with(folder)).then(|| work(state))
}

impl State {
    /// Counts an operation and says what becomes of it.
    pub(crate) fn ask(&mut self, asked: Asked) -> Answer {
        self.operations += 1;
        let Some((at, fault)) = self.planned else { return Answer::Work };
        if self.operations < at || self.over {
            return Answer::Work;
        }
        let (answer, once) = match (fault, asked) {
            (Fault::Eio | Fault::PowerCut, _) => (Answer::Fail, false),
            (Fault::EioOnce, _) => (Answer::Fail, true),
            (Fault::Full, Asked::Write) => (Answer::Full, false),
            (Fault::ShortWrite, Asked::Write) => (Answer::Half, true),
            (Fault::Fsync, Asked::Sync) => (Answer::Forget, true),
            _ => return Answer::Work,
        };
        self.struck = true;
        self.over = once;
        answer
    }
}

/// The files below a folder, on a disk that can be told to fail; works as usual until then. While one is there, another has to
/// wait.
pub struct Disk {
    _turn: MutexGuard<'static, ()>,
}

impl Disk {
    /// Stands in for the disk that holds this folder.
    pub fn below(folder: &Path) -> Disk {
        let turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
        vfs::register();
        *state() = Some(State { folder: Some(folder.to_owned()), ..State::default() });
        Disk { _turn: turn }
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(state().get_or_insert_default())
    }

    /// Lets the `at`-th operation from now on fail (the first is 1). What lies there is durable; nobody may have it open.
    pub fn fail(&self, at: u64, fault: Fault) {
        self.with(|s| {
            s.images = Images::default();
            (s.operations, s.planned, s.struck, s.over) = (0, Some((at, fault)), false, false);
        });
    }

    /// Operations since the last [`Disk::fail`], or since the beginning.
    pub fn operations(&self) -> u64 {
        self.with(|s| s.operations)
    }

    /// Whether an operation failed.
    pub fn struck(&self) -> bool {
        self.with(|s| s.struck)
    }

    /// Whether there is no space left.
    pub fn is_full(&self) -> bool {
        self.with(|s| s.struck && matches!(s.planned, Some((_, Fault::Full))))
    }

    /// Lets everything work again from now on.
    pub fn heal(&self) {
        self.with(|s| s.planned = None);
    }

    /// Leaves of the files what a power cut leaves: all that was synced, and of what was written since then some, by the seed;
    /// each write may also be there in part. Nobody may have them open. Everything works afterwards.
    pub fn cut(&self, seed: u64) -> std::io::Result<()> {
        self.with(|s| {
            s.planned = None;
            s.images.leave(seed)
        })
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        *state() = None;
    }
}

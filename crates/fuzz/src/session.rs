//! Letting a target read many inputs, and noticing when it should not have.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

use crate::{Mutator, Seed, Target, corpus, folder, memory};

/// An input that takes longer hangs.
const HANGS: Duration = Duration::from_secs(20);
/// More memory than an input of at most some hundred kilobytes may take, bytes.
const MEMORY: u64 = 512 << 20;

/// When a session ends.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// After so many inputs.
    Runs(u32),
    /// After so long.
    Time(Duration),
}

/// What a session did.
#[derive(Debug, Clone)]
pub struct Report {
    /// Inputs that were read.
    pub runs: u64,
    /// The slowest of them.
    pub slowest: Duration,
    /// Memory that was taken beyond what there was before, bytes; `None` where the system does not tell.
    pub memory: Option<u64>,
}

/// An input that a target did not survive.
#[derive(Debug)]
pub struct Failure {
    /// What happened.
    pub why: String,
    /// The input.
    pub input: Vec<u8>,
}

thread_local! {
    /// Whether this thread lets a target read: what panics here either comes out of it, or was dealt with inside.
    static READS: Cell<bool> = const { Cell::new(false) };
}

/// Panics of other threads of this process.
static PANICS: AtomicU64 = AtomicU64::new(0);
/// The words of the last one.
static WORDS: Mutex<String> = Mutex::new(String::new());

fn watch_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            PANICS.fetch_add(u64::from(!READS.get()), Relaxed);
            *WORDS.lock().unwrap_or_else(PoisonError::into_inner) = panic.to_string();
        }));
    });
}

/// Lets a target read one input.
fn read(target: &Target, input: &[u8]) -> Result<Duration, String> {
    let (before, started) = (PANICS.load(Relaxed), Instant::now());
    READS.set(true);
    let done = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    READS.set(false);
    if done.is_err() || PANICS.load(Relaxed) != before {
        return Err(WORDS.lock().unwrap_or_else(PoisonError::into_inner).clone());
    }
    Ok(started.elapsed())
}

/// Lets a target read its corpus.
///
/// # Errors
/// The first input that it does not survive; its words name the file.
pub fn replay(target: &Target) -> Result<usize, Failure> {
    watch_panics();
    let seeds = seeds(target)?;
    for seed in &seeds {
        read(target, &seed.bytes)
            .map_err(|why| Failure { why: format!("{}: {why}", seed.path), input: seed.bytes.clone() })?;
    }
    Ok(seeds.len())
}

fn seeds(target: &Target) -> Result<Vec<Seed>, Failure> {
    corpus(target).map_err(|e| Failure { why: format!("the corpus cannot be read: {e}"), input: Vec::new() })
}

/// Lets a target read random inputs. With `kept`, the input that is being read stands in that file, for the case that it ends
/// the whole process (a stack that is used up, memory that is refused), and one that hangs ends it too, with status 3.
///
/// # Errors
/// The first input that it does not survive; it is put into the corpus when there is a `kept`.
pub fn session(target: &Target, seed: u64, until: Until, kept: Option<&Path>) -> Result<Report, Failure> {
    watch_panics();
    let seeds = seeds(target)?;
    let mut mutator = Mutator::new(target, &seeds, seed);
    let mut report = Report { runs: 0, slowest: Duration::ZERO, memory: None };
    memory::forget();
    let before = memory::most();
    let begun = Instant::now();
    let watched = kept.map(|_| Watch::start());
    let going = |runs: u64| match until {
        Until::Runs(most) => runs < u64::from(most),
        Until::Time(time) => begun.elapsed() < time,
    };
    while going(report.runs) {
        let input = mutator.next_input();
        if let Some(file) = kept {
            let _ = std::fs::write(file, &input);
        }
        if let Some(watch) = &watched {
            watch.begins();
        }
        let read = read(target, &input);
        if let Some(watch) = &watched {
            watch.ends();
        }
        report.runs += 1;
        let taken = memory::most().zip(before).map(|(now, before)| now.saturating_sub(before));
        report.memory = report.memory.max(taken);
        let why = match read {
            Ok(took) => {
                report.slowest = report.slowest.max(took);
                taken.filter(|bytes| *bytes > MEMORY).map(|bytes| format!("it took {} MiB of memory", bytes >> 20))
            }
            Err(why) => Some(why),
        };
        if let Some(why) = why {
            let why = format!("input {} of seed {seed}: {why}", report.runs);
            if kept.is_some() {
                keep(target, &input);
            }
            return Err(Failure { why, input });
        }
    }
    Ok(report)
}

/// Puts an input into the corpus, named by its content.
fn keep(target: &Target, input: &[u8]) -> Option<PathBuf> {
    let hash = input.iter().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3));
    std::fs::create_dir_all(folder(target)).ok()?;
    let path = folder(target).join(format!("found-{hash:016x}"));
    std::fs::write(&path, input).ok()?;
    Some(path)
}

/// Ends the process when an input is read for too long.
struct Watch(Arc<Mutex<Option<Instant>>>);

impl Watch {
    fn start() -> Watch {
        let since: Arc<Mutex<Option<Instant>>> = Arc::default();
        let watched = Arc::downgrade(&since);
        std::thread::spawn(move || {
            while let Some(since) = watched.upgrade() {
                let begun = *since.lock().unwrap_or_else(PoisonError::into_inner);
                if begun.is_some_and(|begun| begun.elapsed() > HANGS) {
                    eprintln!("an input hangs; it stands in the file of the input that is being read");
                    std::process::exit(3);
                }
                drop(since);
                std::thread::sleep(Duration::from_millis(200));
            }
        });
        Watch(since)
    }

    fn begins(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn ends(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

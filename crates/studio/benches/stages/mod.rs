//! Where the time goes: adds up how long the pipeline's `stage` spans lasted, by name.

use std::cell::RefCell;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Metadata, Subscriber};

/// Times by stage, in the order first seen.
type Times = Vec<(String, Duration)>;

thread_local! {
    /// Stages that this thread is in.
    static OPEN: RefCell<Vec<Instant>> = const { RefCell::new(Vec::new()) };
}

#[derive(Default)]
struct Stages {
    /// A span's id is the place of its name here, plus one.
    times: Arc<Mutex<Times>>,
}

#[derive(Default)]
struct Name(String);

impl Visit for Name {
    fn record_str(&mut self, _: &Field, value: &str) {
        value.clone_into(&mut self.0);
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

impl Stages {
    fn times(&self) -> std::sync::MutexGuard<'_, Times> {
        self.times.lock().expect("no stage panics while it is counted")
    }
}

impl Subscriber for Stages {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.name() == "stage"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut name = Name::default();
        span.record(&mut name);
        let mut times = self.times();
        let known = times.iter().position(|(n, _)| *n == name.0);
        let at = known.unwrap_or_else(|| {
            times.push((name.0, Duration::ZERO));
            times.len() - 1
        });
        Id::from_u64(at as u64 + 1)
    }

    fn enter(&self, _: &Id) {
        OPEN.with_borrow_mut(|open| open.push(Instant::now()));
    }

    fn exit(&self, span: &Id) {
        if let Some(started) = OPEN.with_borrow_mut(Vec::pop) {
            self.times()[span.into_u64() as usize - 1].1 += started.elapsed();
        }
    }

    fn record(&self, _: &Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
}

/// Does the work and says how long each stage lasted in sum, on all threads.
pub(crate) fn measured(work: impl FnOnce()) -> Times {
    let stages = Stages::default();
    let times = Arc::clone(&stages.times);
    // For all threads: the pipeline packs on one of its own.
    tracing::subscriber::set_global_default(stages).expect("nothing else listens in a benchmark");
    work();
    let times = times.lock().expect("no stage panics while it is counted");
    times.clone()
}

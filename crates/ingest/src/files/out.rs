//! Where readers put what they find: batches of bounded size, rejections of bounded number.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use flowglass_model::{Batch, Rejected};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::records::Evidence;
use crate::normalise::Options;
use crate::sink::approximate_bytes;

/// Items per batch.
const ITEMS: usize = 2_000;
/// Bytes per batch, approximately.
const BYTES: usize = 4 * 1024 * 1024;
/// Rejections described per file; further ones are counted in the last one.
const DESCRIBED: usize = 1_000;
/// After this many unknown records and none known, a file is given up.
const HOPELESS: u64 = 2_000;

/// Reading must stop: cancelled, nobody takes batches any more, or hopeless.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stop;

/// A batch on its way, and how much of the file was read by then.
pub(super) struct Step {
    pub(super) batch: Batch,
    pub(super) bytes_read: u64,
}

/// Collects what a reader finds in one file.
pub(super) struct Out {
    pub(super) options: Options,
    pub(super) evidence: Evidence,
    batch: Batch,
    bytes: usize,
    queue: mpsc::Sender<Step>,
    read: Arc<AtomicU64>,
    cancel: CancellationToken,
    /// Whether something of a known format was found.
    pub(super) recognised: bool,
    /// Records of no known format met before the first known one.
    unknown: Vec<(String, String)>,
    unknown_count: u64,
    described: usize,
}

impl Out {
    pub(super) fn new(
        options: Options,
        evidence: Evidence,
        queue: mpsc::Sender<Step>,
        read: Arc<AtomicU64>,
        cancel: CancellationToken,
    ) -> Out {
        Out {
            options,
            evidence,
            batch: Batch::default(),
            bytes: 0,
            queue,
            read,
            cancel,
            recognised: false,
            unknown: Vec::new(),
            unknown_count: 0,
            described: 0,
        }
    }

    /// Something of a known format stands here: what was unknown before are bad records of a good file.
    pub(super) fn recognise(&mut self) {
        if self.recognised {
            return;
        }
        self.recognised = true;
        let described = self.unknown.len() as u64;
        for (at, reason) in std::mem::take(&mut self.unknown) {
            self.reject(at, reason, 1);
        }
        if self.unknown_count > described {
            self.reject(
                "the beginning".to_owned(),
                "more records that could not be read".to_owned(),
                self.unknown_count - described,
            );
        }
    }

    /// Takes what was decoded; `at` says where its rejections belong.
    pub(super) fn add(&mut self, mut batch: Batch, at: &str) -> Result<(), Stop> {
        self.recognise();
        for rejected in std::mem::take(&mut batch.rejected) {
            let place = match (at.is_empty(), rejected.at.is_empty()) {
                (true, _) => rejected.at,
                (false, true) => at.to_owned(),
                (false, false) => format!("{at}, {}", rejected.at),
            };
            self.reject(place, rejected.reason, rejected.count);
        }
        self.bytes += approximate_bytes(&batch);
        self.batch.append(batch);
        if self.batch.len() >= ITEMS || self.bytes >= BYTES {
            return self.flush();
        }
        if self.cancel.is_cancelled() { Err(Stop) } else { Ok(()) }
    }

    /// Refuses `count` items of a known format.
    pub(super) fn reject(&mut self, at: String, reason: String, count: u64) {
        if self.described == DESCRIBED {
            if let Some(last) = self.batch.rejected.last_mut() {
                last.count += count;
                return;
            }
            // The described ones are on their way already: one more carries the counts of this batch.
        } else {
            self.described += 1;
        }
        self.batch.rejected.push(Rejected { source: self.options.source.clone(), at, reason, count });
    }

    /// Refuses a record that is of no known format; such records count one by one only in a file that holds known ones too.
    pub(super) fn unknown(&mut self, at: String, reason: String) -> Result<(), Stop> {
        if self.recognised {
            self.reject(at, reason, 1);
            return if self.cancel.is_cancelled() { Err(Stop) } else { Ok(()) };
        }
        self.unknown_count += 1;
        if self.unknown.len() < DESCRIBED {
            self.unknown.push((at, reason));
        }
        if self.unknown_count >= HOPELESS || self.cancel.is_cancelled() { Err(Stop) } else { Ok(()) }
    }

    /// The first unknown record, for the one rejection of a file without any known one.
    pub(super) fn first_unknown(&self) -> Option<&(String, String)> {
        self.unknown.first()
    }

    /// Hands over what was collected.
    pub(super) fn flush(&mut self) -> Result<(), Stop> {
        if self.cancel.is_cancelled() {
            return Err(Stop);
        }
        if self.batch.is_empty() {
            return Ok(());
        }
        let batch = std::mem::take(&mut self.batch);
        self.bytes = 0;
        let step = Step { batch, bytes_read: self.read.load(Relaxed) };
        self.queue.blocking_send(step).map_err(|_| Stop)
    }
}

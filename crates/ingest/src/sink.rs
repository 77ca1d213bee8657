//! The bounded way from every source to whoever keeps the data.
//!
//! Bounded twice: by the number of waiting batches and by their approximate size, so that neither many small nor few huge
//! requests can fill the memory. A submitter is answered after its batch is durable.

use std::sync::Arc;

use flowglass_model::{Attributes, Batch, IngestCounts, SourceKind, Value};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// Semaphore permits are counted in units of this many bytes.
const UNIT: usize = 1024;

/// Why a batch was not stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// Too much is waiting already; the sender should try again after a moment.
    #[error("too much data is waiting to be stored; try again in a moment")]
    Busy,
    /// Nobody keeps data any more: the studio is shutting down.
    #[error("the workspace is being closed")]
    Closed,
    /// There is no room on the disk; sending the same batch again helps as soon as there is.
    #[error("{0}")]
    Full(String),
    /// It could not be written.
    #[error("the data could not be stored: {reason}")]
    Failed {
        /// What went wrong, in words.
        reason: String,
        /// Whether sending the same batch again can help.
        retryable: bool,
    },
}

impl SubmitError {
    /// Whether the same batch may be stored later, when there is room or the disk answers again.
    pub fn is_passing(&self) -> bool {
        matches!(self, SubmitError::Busy | SubmitError::Full(_) | SubmitError::Failed { retryable: true, .. })
    }
}

/// A batch on its way to the store, and where to answer.
#[derive(Debug)]
pub struct Submission {
    /// What to store.
    pub batch: Batch,
    /// Where it came in.
    pub source: SourceKind,
    /// Whether it is to be written and taken back at once: a test of the way, of which nothing may stay.
    pub rehearsal: bool,
    /// Takes the outcome once the batch is durable (or is known not to be).
    pub done: oneshot::Sender<Result<IngestCounts, SubmitError>>,
    /// Room in the queue; given back when the submission is dropped.
    room: OwnedSemaphorePermit,
}

impl Submission {
    /// Approximate size in bytes as it was counted against the bound.
    pub fn approximate_bytes(&self) -> usize {
        self.room.num_permits() * UNIT
    }
}

/// Hands batches to whoever keeps them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sink {
    queue: mpsc::Sender<Submission>,
    room: Arc<Semaphore>,
    units: u32,
}

impl Sink {
    /// A sink and the queue it fills: at most `submissions` batches and about `bytes` bytes wait at any time. A single batch
    /// above `bytes` is let through when nothing else waits.
    pub fn channel(submissions: usize, bytes: usize) -> (Sink, mpsc::Receiver<Submission>) {
        let units = u32::try_from((bytes / UNIT).max(1)).unwrap_or(u32::MAX).min(Semaphore::MAX_PERMITS as u32);
        let (queue, receiver) = mpsc::channel(submissions.max(1));
        (Sink { queue, room: Arc::new(Semaphore::new(units as usize)), units }, receiver)
    }

    fn units_of(&self, batch: &Batch) -> u32 {
        u32::try_from(approximate_bytes(batch) / UNIT + 1).unwrap_or(u32::MAX).min(self.units)
    }

    /// Waits for room, then for the durable commit. Never [`SubmitError::Busy`].
    pub async fn submit(&self, batch: Batch, source: SourceKind) -> Result<IngestCounts, SubmitError> {
        let units = self.units_of(&batch);
        let room = self.room.clone().acquire_many_owned(units).await.map_err(|_| SubmitError::Closed)?;
        let (done, outcome) = oneshot::channel();
        let submission = Submission { batch, source, rehearsal: false, done, room };
        self.queue.send(submission).await.map_err(|_| SubmitError::Closed)?;
        outcome.await.unwrap_or(Err(SubmitError::Closed))
    }

    /// Like [`Sink::submit`], but answers [`SubmitError::Busy`] at once when there is no room.
    pub async fn try_submit(&self, batch: Batch, source: SourceKind) -> Result<IngestCounts, SubmitError> {
        self.hand_in(batch, source, false).await
    }

    /// Like [`Sink::try_submit`], but what was written is taken back before it is answered: nothing of it stays.
    pub async fn rehearse(&self, batch: Batch, source: SourceKind) -> Result<IngestCounts, SubmitError> {
        self.hand_in(batch, source, true).await
    }

    async fn hand_in(&self, batch: Batch, source: SourceKind, rehearsal: bool) -> Result<IngestCounts, SubmitError> {
        let units = self.units_of(&batch);
        let room = self.room.clone().try_acquire_many_owned(units).map_err(|_| SubmitError::Busy)?;
        let (done, outcome) = oneshot::channel();
        let submission = Submission { batch, source, rehearsal, done, room };
        self.queue.try_send(submission).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => SubmitError::Busy,
            mpsc::error::TrySendError::Closed(_) => SubmitError::Closed,
        })?;
        outcome.await.unwrap_or(Err(SubmitError::Closed))
    }
}

/// About how much memory a batch holds, in bytes.
pub fn approximate_bytes(batch: &Batch) -> usize {
    let spans = batch.spans.iter().map(|s| {
        400 + s.name.len()
            + attributes_bytes(&s.attributes)
            + s.events.iter().map(|e| 64 + e.name.len() + attributes_bytes(&e.attributes)).sum::<usize>()
            + s.links.iter().map(|l| 64 + attributes_bytes(&l.attributes)).sum::<usize>()
    });
    let logs = batch.logs.iter().map(|l| 150 + value_bytes(&l.body) + attributes_bytes(&l.attributes));
    let messages = batch
        .messages
        .iter()
        .map(|m| 400 + m.payload.len() + m.headers.iter().map(|(k, v)| 48 + k.len() + v.len()).sum::<usize>());
    let facts = batch.deliveries.len() * 200
        + batch.settlements.len() * 150
        + batch.advisories.iter().map(|a| 300 + a.body.len()).sum::<usize>()
        + batch.rejected.iter().map(|r| 72 + r.reason.len() + r.at.len()).sum::<usize>();
    spans.chain(logs).chain(messages).sum::<usize>() + facts
}

fn attributes_bytes(attributes: &Attributes) -> usize {
    attributes.iter().map(|(k, v)| k.len() + value_bytes(v)).sum()
}

fn value_bytes(value: &Value) -> usize {
    56 + match value {
        Value::String(s) => s.len(),
        Value::Bytes(b) => b.len(),
        Value::Array(a) => a.iter().map(value_bytes).sum(),
        Value::Map(m) => attributes_bytes(m),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(text: usize) -> Batch {
        let log = flowglass_model::LogRecord {
            time: 1,
            trace_id: None,
            span_id: None,
            severity: 0,
            severity_text: String::new(),
            body: Value::String("x".repeat(text)),
            event_name: String::new(),
            attributes: Vec::new(),
            resource: crate::normalise::resource(Vec::new(), String::new()).0,
            scope: Arc::default(),
        };
        Batch { logs: vec![log], ..Batch::default() }
    }

    #[tokio::test]
    async fn a_full_queue_is_busy_by_number_and_by_bytes() {
        let (sink, mut queue) = Sink::channel(2, 10 * UNIT);
        let big = tokio::spawn({
            let sink = sink.clone();
            async move { sink.try_submit(batch(9 * UNIT), SourceKind::OtlpGrpc).await }
        });
        {
            let first = queue.recv().await.unwrap();
            assert_eq!(sink.try_submit(batch(9 * UNIT), SourceKind::OtlpGrpc).await, Err(SubmitError::Busy));
            first.done.send(Ok(IngestCounts { logs: 1, ..Default::default() })).unwrap();
        }
        assert_eq!(big.await.unwrap().unwrap().logs, 1);

        let small: Vec<_> = (0..2)
            .map(|_| {
                let sink = sink.clone();
                tokio::spawn(async move { sink.try_submit(batch(1), SourceKind::OtlpGrpc).await })
            })
            .collect();
        while sink.queue.capacity() > 0 {
            assert!(small.iter().all(|s| !s.is_finished()), "both wait for their answers");
            tokio::task::yield_now().await;
        }
        assert_eq!(sink.try_submit(batch(1), SourceKind::OtlpGrpc).await, Err(SubmitError::Busy));
        drop(queue);
        for s in small {
            assert_eq!(s.await.unwrap(), Err(SubmitError::Closed));
        }
        assert_eq!(sink.submit(batch(1), SourceKind::OtlpGrpc).await, Err(SubmitError::Closed));
    }
}

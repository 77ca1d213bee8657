//! The one writer: takes batches from every source, derives what they change, commits, answers.
//!
//! Batches that wait together are committed together (group commit): a sender is answered when its data is durable, and the
//! price of `fsync` is shared.

use std::collections::BTreeSet;
use std::sync::Arc;

use flowglass_ingest::{Submission, SubmitError};
use flowglass_model::{
    Batch, Delivery, IngestCounts, JoinsConfig, Message, Nanos, NodeId, Span, SpanFacts, VersionTally,
};
use flowglass_store::{Added, Packer, StoreError, Tx, Writer};
use flowglass_topology::Resolver;
use tokio::sync::{broadcast, mpsc};

use crate::control::{Control, Note};
use crate::erasing::Erasing;
use crate::memory;
use crate::restitching::Restitching;
use crate::retention::{Expiring, Retention};
use crate::room::Room;
use crate::stitch::{Web, Writing};
use crate::touched::{Told, Touched, place, touch, touch_carried, touch_delivered, touch_message, update_journeys};
use crate::tx_source::TxSource;

/// Spans whose facts stay in memory; older traces are read again when a late span comes.
const RESIDENT_SPANS: usize = 200_000;
/// Items committed together at most.
const GROUP_ITEMS: usize = 20_000;
/// Spans from which on it pays to pack them on a second thread.
const PACKED_BESIDE: usize = 256;

/// What a commit brought, for live views.
#[derive(Debug, Clone, Default)]
pub struct Committed {
    /// First instant of the new data.
    pub first: Option<Nanos>,
    /// Last instant of the new data.
    pub last: Option<Nanos>,
    /// What was new.
    pub counts: IngestCounts,
    /// Credential values replaced at the door.
    pub redacted: u64,
    /// Whether journeys were joined anew, and nothing else came.
    pub rejoined: bool,
    /// Whether something was removed by rule, and nothing else came.
    pub expired: bool,
}

enum Work {
    Submission(Submission),
    Control(Control),
    Nothing,
    End,
}

/// Owns the writing connection and everything derivation needs.
pub struct Pipeline {
    pub(crate) writer: Writer,
    /// Packs spans beside the writer; made when there is enough to do.
    packer: Option<Packer>,
    pub(crate) resolver: Resolver,
    /// How traces without a common context become one journey.
    pub(crate) joining: Arc<JoinsConfig>,
    pub(crate) committed: broadcast::Sender<Committed>,
    pub(crate) retention: Retention,
    room: Arc<Room>,
}

impl Pipeline {
    /// A pipeline over a workspace; every commit is announced on `committed`.
    pub fn new(writer: Writer, committed: broadcast::Sender<Committed>) -> Pipeline {
        let (resolver, joining) = (Resolver::new(RESIDENT_SPANS), Arc::default());
        let room = Arc::new(Room::new(writer.path(), 0));
        Pipeline { writer, packer: None, resolver, joining, committed, retention: Retention::default(), room }
    }

    /// The same, taking nothing more once the disk has less room.
    pub(crate) fn within(self, room: Arc<Room>) -> Pipeline {
        Pipeline { room, ..self }
    }

    /// The same, with joins as settings say.
    pub fn joining(self, joining: JoinsConfig) -> Pipeline {
        Pipeline { joining: Arc::new(joining), ..self }
    }

    /// Writes until the queue is closed. Meant for a thread of its own; `control` may change workspace notes meanwhile.
    pub fn run(mut self, mut queue: mpsc::Receiver<Submission>, mut control: mpsc::Receiver<Control>) {
        let wait = async |queue: &mut mpsc::Receiver<Submission>, control: &mut mpsc::Receiver<Control>, busy: bool| {
            tokio::select! {
                biased;
                Some(message) = control.recv() => Work::Control(message),
                submission = queue.recv() => submission.map_or(Work::End, Work::Submission),
                () = std::future::ready(()), if busy => Work::Nothing,
            }
        };
        let mut erasing = self.writer.is_unswept().then(Erasing::unfinished);
        let mut restitching = Restitching::due(&mut self);
        let mut expiring: Option<Expiring> = None;
        loop {
            // One step of deleting between two groups: whoever sends waits for a step at most.
            erasing = erasing.and_then(|job| job.step(&mut self));
            restitching = restitching.and_then(|job| job.step(&mut self));
            // What people asked for goes first.
            if erasing.is_none() {
                expiring = expiring.and_then(|job| job.step(&mut self));
            }
            let busy = erasing.is_some() || restitching.is_some() || expiring.is_some();
            let first = match futures::executor::block_on(wait(&mut queue, &mut control, busy)) {
                Work::End => return,
                Work::Nothing => continue,
                Work::Control(Control::Note(note)) => {
                    self.take_note(note);
                    continue;
                }
                Work::Control(Control::Erase(job)) => {
                    erasing = Some(Erasing::new(job));
                    continue;
                }
                Work::Control(Control::Joins(joins)) => {
                    self.joining = Arc::new(joins);
                    restitching = Restitching::due(&mut self);
                    continue;
                }
                Work::Control(Control::Keep(rule)) => {
                    self.retention = Retention::of(rule);
                    // The steps done stay done; the rest is decided anew.
                    expiring = None;
                    continue;
                }
                Work::Control(Control::Tend(now)) => {
                    memory::tell(&self.resolver, &self.writer);
                    expiring = expiring.or_else(|| self.expiring(now));
                    continue;
                }
                Work::Submission(first) => first,
            };
            let mut items = first.batch.len();
            let mut group = vec![first];
            while items < GROUP_ITEMS {
                let Ok(next) = queue.try_recv() else { break };
                items += next.batch.len();
                group.push(next);
            }
            self.commit_group(group);
        }
    }

    fn take_note(&mut self, note: Note) {
        let written = self.writer.begin().and_then(|mut tx| {
            tx.set_meta(note.key, &note.value)?;
            tx.commit()
        });
        // Whoever asked may be gone; the note is kept all the same.
        let _ = note.done.send(written);
    }

    fn commit_group(&mut self, group: Vec<Submission>) {
        let (rehearsals, mut group): (Vec<_>, Vec<_>) = group.into_iter().partition(|s| s.rehearsal);
        rehearsals.into_iter().for_each(|s| self.rehearse(s));
        if group.is_empty() {
            return;
        }
        if let Some(shortage) = self.room.shortage() {
            for submission in group {
                let _ = submission.done.send(Err(SubmitError::Full(shortage.clone())));
            }
            return;
        }
        let batches: Vec<Batch> = group.iter_mut().map(|s| std::mem::take(&mut s.batch)).collect();
        let written = self.write(batches);
        self.room.note(written.as_ref().map(drop));
        match written {
            Ok((counts, committed)) => {
                for (submission, count) in group.into_iter().zip(counts) {
                    // A sender that went away does not need its answer.
                    let _ = submission.done.send(Ok(count));
                }
                let _ = self.committed.send(committed);
            }
            Err(error) => {
                self.resolver.forget_all();
                tracing::error!(%error, "a batch could not be stored");
                for submission in group {
                    let _ = submission.done.send(Err(refused(&error)));
                }
            }
        }
    }

    /// Writes our own test and takes it back.
    fn rehearse(&mut self, mut submission: Submission) {
        let batches = vec![std::mem::take(&mut submission.batch)];
        let outcome =
            self.put(batches, |tx| tx.rehearse()).map(|(counts, _)| counts.into_iter().next().unwrap_or_default());
        // What the resolver learnt of it is taken back, too.
        self.resolver.forget_all();
        let _ = submission.done.send(outcome.map_err(|e| refused(&e)));
    }

    /// Writes batches in one transaction and says what became of each.
    pub fn write(&mut self, batches: Vec<Batch>) -> Result<(Vec<IngestCounts>, Committed), StoreError> {
        self.put(batches, |tx| tx.commit())
    }

    fn put(
        &mut self,
        mut batches: Vec<Batch>,
        end: impl FnOnce(Tx<'_>) -> Result<(), StoreError>,
    ) -> Result<(Vec<IngestCounts>, Committed), StoreError> {
        let _span = tracing::info_span!("commit", batches = batches.len()).entered();
        let mut committed = Committed::default();
        batches.iter().for_each(|b| extend_range(&mut committed, b));
        let owners: Vec<usize> =
            batches.iter().enumerate().flat_map(|(i, b)| std::iter::repeat_n(i, b.spans.len())).collect();
        let mut spans: Vec<Span> = batches.iter_mut().flat_map(|b| std::mem::take(&mut b.spans)).collect();
        let batches = batches.as_slice();
        if self.packer.is_none() && spans.len() >= PACKED_BESIDE {
            self.packer = Some(self.writer.packer()?);
        }
        let mut tx = self.writer.begin()?;
        let mut counts = vec![IngestCounts::default(); batches.len()];

        let new_messages = add_messages(&mut tx, batches, &mut counts)?;
        let new_deliveries = add_broker_facts(&mut tx, batches, &mut counts)?;
        add_logs(&mut tx, batches, &mut counts)?;

        let facts: Vec<&SpanFacts> = spans.iter().map(|s| &*s.facts).collect();
        let unseen = stage("unseen", || self.resolver.unseen(&facts, &mut TxSource(&mut tx)))?;
        for batch in &owners {
            counts[*batch].known += 1;
        }
        for index in &unseen {
            let count = &mut counts[owners[*index]];
            count.spans += 1;
            count.known -= 1;
        }
        let mut unseen = unseen.into_iter().peekable();
        let mut at = 0..;
        spans.retain(|_| unseen.next_if_eq(&at.next().unwrap_or_default()).is_some());
        let declared: BTreeSet<(NodeId, String)> =
            spans.iter().filter_map(|s| Some((s.facts.service.clone(), s.resource.declared_layer.clone()?))).collect();
        let declared: Vec<(NodeId, String)> = declared.into_iter().collect();
        let mut versions = VersionTally::default();
        let mut closed = (None, None);
        for s in &spans {
            if closed.0 != Some(s.facts.trace_id) {
                closed = (Some(s.facts.trace_id), tx.closed_until(s.facts.trace_id)?);
            }
            if closed.1.is_none_or(|until| s.facts.start > until) {
                versions.add(&s.resource, s.facts.start);
            }
        }
        let facts: Vec<Arc<SpanFacts>> = spans.iter().map(|s| Arc::clone(&s.facts)).collect();
        let beside = self.packer.as_mut().filter(|_| spans.len() >= PACKED_BESIDE);
        let (resolver, joining) = (&mut self.resolver, &self.joining);
        let packed = std::thread::scope(|scope| {
            // Moved there: letting go of so many small pieces takes time, too.
            let packing = beside.map(|packer| {
                let spans = std::mem::take(&mut spans);
                scope.spawn(move || stage("pack (beside)", || packer.pack(&spans)))
            });
            let derived = stage("resolve", || {
                resolver.add(&facts, &new_messages, &new_deliveries, &declared, &mut TxSource(&mut tx))
            })?;
            stage("rollup", || tx.apply(&derived.deltas).and_then(|()| tx.apply(&versions.deltas(1))))?;
            tx.add_joins(&derived.joins)?;
            let mut touched = Touched::new();
            for trace in &derived.touched {
                touched.entry(*trace).or_default();
            }
            facts.iter().for_each(|f| touch(&mut touched, f.trace_id, f.span_id));
            for join in &derived.joins {
                touch(&mut touched, join.parent_trace, join.parent_span);
                touch(&mut touched, join.child_trace, join.child_span);
            }
            facts.iter().try_for_each(|f| place(&mut tx, f))?;
            facts.iter().try_for_each(|f| tx.carry(f))?;
            if tx.carries_any() {
                facts.iter().try_for_each(|f| tx.name_message(f))?;
                touch_carried(
                    &mut Web::new(Writing { resolver, tx: &mut tx }, Arc::clone(joining)),
                    &new_messages,
                    &mut touched,
                )?;
            }
            for message in &new_messages {
                let told = Told { hop: message.hop, origin: message.origin, event_id: message.event_id.as_deref() };
                touch_message(resolver, &mut tx, message.topic().body(), &told, &mut touched)?;
            }
            touch_delivered(resolver, &mut tx, batches, &mut touched)?;
            stage("journeys", || update_journeys(resolver, &mut tx, &touched, joining))?;
            stage("wait for pack", || packing.map(joined).transpose())
        })?;
        stage("chunk rows", || match packed {
            Some(packed) => tx.add_packed(packed),
            None => tx.add_spans(&spans),
        })?;

        for (batch, count) in batches.iter().zip(&mut counts) {
            tx.add_rejected(&batch.rejected, committed.last)?;
            tx.add_dropped(batch.dropped)?;
            count.rejected += batch.rejected.iter().map(|r| r.count).sum::<u64>();
            committed.counts.add(*count);
            committed.redacted += batch.redacted + batch.messages.iter().map(|m| u64::from(m.redacted)).sum::<u64>();
        }
        stage("commit", || end(tx))?;
        Ok((counts, committed))
    }
}

/// What a sender is told of an error.
fn refused(error: &StoreError) -> SubmitError {
    match error {
        StoreError::Full { .. } => SubmitError::Full(error.to_string()),
        _ => SubmitError::Failed { reason: error.to_string(), retryable: error.is_passing() },
    }
}

/// Runs a part of the work under its name, for those who want to know where the time goes.
fn stage<T>(name: &'static str, work: impl FnOnce() -> T) -> T {
    tracing::trace_span!("stage", name).in_scope(work)
}

/// What another thread did. A panic there is one here.
fn joined<T>(thread: std::thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn add_messages<'a>(
    tx: &mut Tx<'_>,
    batches: &'a [Batch],
    counts: &mut [IngestCounts],
) -> Result<Vec<&'a Message>, StoreError> {
    let mut new = Vec::new();
    for (batch, count) in batches.iter().zip(counts) {
        for (message, added) in batch.messages.iter().zip(tx.add_messages(&batch.messages)?) {
            match added {
                Added::New => count.events += 1,
                Added::Occurrence => {}
                Added::Known => {
                    count.known += 1;
                    continue;
                }
            }
            new.push(message);
        }
    }
    Ok(new)
}

fn add_broker_facts<'a>(
    tx: &mut Tx<'_>,
    batches: &'a [Batch],
    counts: &mut [IngestCounts],
) -> Result<Vec<&'a Delivery>, StoreError> {
    let mut new_deliveries = Vec::new();
    for (batch, count) in batches.iter().zip(counts) {
        let mut tally = |new: bool| if new { count.facts += 1 } else { count.known += 1 };
        for (delivery, new) in batch.deliveries.iter().zip(tx.add_deliveries(&batch.deliveries)?) {
            tally(new);
            if new {
                new_deliveries.push(delivery);
            }
        }
        tx.add_settlements(&batch.settlements)?.into_iter().for_each(&mut tally);
        tx.add_advisories(&batch.advisories)?.into_iter().for_each(&mut tally);
    }
    Ok(new_deliveries)
}

fn add_logs(tx: &mut Tx<'_>, batches: &[Batch], counts: &mut [IngestCounts]) -> Result<(), StoreError> {
    for (batch, count) in batches.iter().zip(counts) {
        for new in tx.add_logs(&batch.logs)? {
            if new { count.logs += 1 } else { count.known += 1 }
        }
    }
    Ok(())
}

fn extend_range(committed: &mut Committed, batch: &Batch) {
    let times = batch
        .spans
        .iter()
        .flat_map(|s| [s.facts.start, s.facts.end])
        .chain(batch.messages.iter().map(|m| m.time))
        .chain(batch.logs.iter().map(|l| l.time));
    for time in times {
        committed.first = Some(committed.first.map_or(time, |f| f.min(time)));
        committed.last = Some(committed.last.map_or(time, |l| l.max(time)));
    }
}

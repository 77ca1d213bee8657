//! Deleting in the writer: whole journeys at a time, each step one transaction that leaves a consistent workspace, short enough
//! that senders hardly notice.

use std::sync::Arc;
use std::time::{Duration, Instant};

use flowglass_model::{Message, Nanos, TraceId};
use flowglass_store::{Extent, StoreError, Sweep};
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::control::{EraseJob, ErasePlan};
use crate::going::{Going, all_of};
use crate::marks::META_MARKS;
use crate::pipeline::Pipeline;
use crate::retention::{META_COMPARED, META_REMOVED};
use crate::stitch::{Web, Writing};
use crate::touched::update_journeys;
use crate::tx_source::TxSource;

/// Journeys of the first step; later ones follow the clock.
const FIRST_STEP: usize = 8;
/// Journeys of a step at most.
const LARGEST_STEP: usize = 2_000;
/// A step below this length is followed by a larger one.
const SHORT: Duration = Duration::from_millis(30);
/// A step above this length is followed by a smaller one.
const LONG: Duration = Duration::from_millis(70);
/// Events or deliveries of a step.
const LOOSE: usize = 500;
/// Pages given back to the file system in a step.
const PAGES: u32 = 500;

/// What comes next.
enum Phase {
    Journeys,
    Sweep,
    Events,
    Deliveries,
    Logs(Sweep),
    Tidy,
    Shrink,
}

/// A deletion under way.
pub(crate) struct Erasing {
    job: EraseJob,
    phase: Phase,
    next: usize,
    step: usize,
    gone: Extent,
}

impl Erasing {
    /// A deletion at its beginning.
    pub(crate) fn new(job: EraseJob) -> Erasing {
        Erasing { job, phase: Phase::Journeys, next: 0, step: FIRST_STEP, gone: Extent::default() }
    }

    /// What a deletion that was cut off left to do: whatever was taken off chunks goes from the file, too.
    pub(crate) fn unfinished() -> Erasing {
        let (plan, cancel) = (ErasePlan::Journeys(Vec::new()), CancellationToken::new());
        Erasing::new(EraseJob { plan, cancel, progress: watch::channel(0).0, done: oneshot::channel().0 })
    }

    /// Does one step; `None` when it is over and answered.
    pub(crate) fn step(mut self, pipeline: &mut Pipeline) -> Option<Erasing> {
        let cancelled = self.job.cancel.is_cancelled();
        if cancelled && !matches!(self.phase, Phase::Sweep | Phase::Tidy | Phase::Shrink) {
            self.phase = Phase::Sweep;
        }
        let started = Instant::now();
        match self.advance(pipeline) {
            Ok(Some(phase)) => {
                let took = started.elapsed();
                match took {
                    _ if took < SHORT => self.step = (self.step * 2).min(LARGEST_STEP),
                    _ if took > LONG => self.step = (self.step / 2).max(1),
                    _ => {}
                }
                self.phase = phase;
                Some(self)
            }
            Ok(None) => {
                // Whoever asked may be gone; the data is gone all the same.
                let _ = self.job.done.send(Ok((self.gone, !cancelled)));
                None
            }
            Err(error) => {
                pipeline.resolver.forget_all();
                tracing::error!(%error, "deleting stopped");
                let _ = self.job.done.send(Err(error));
                None
            }
        }
    }

    fn advance(&mut self, pipeline: &mut Pipeline) -> Result<Option<Phase>, StoreError> {
        let (since, until) = match &self.job.plan {
            ErasePlan::Range { since, until, .. } => (*since, *until),
            _ => (None, None),
        };
        let next = match &mut self.phase {
            Phase::Journeys => return self.journeys(pipeline).map(Some),
            Phase::Sweep => {
                let mut tx = pipeline.writer.begin()?;
                let more = tx.sweep()?;
                tx.commit()?;
                match &self.job.plan {
                    _ if more => Phase::Sweep,
                    ErasePlan::Range { .. } if !self.job.cancel.is_cancelled() => Phase::Events,
                    _ => Phase::Tidy,
                }
            }
            Phase::Events => {
                let gone = erase_loose_events(pipeline, since, until)?;
                self.gone.events += gone;
                if gone == 0 { Phase::Deliveries } else { Phase::Events }
            }
            Phase::Deliveries => {
                if erase_loose_deliveries(pipeline, since, until)? == 0 {
                    Phase::Logs(Sweep::default())
                } else {
                    Phase::Deliveries
                }
            }
            Phase::Logs(sweep) => {
                let mut tx = pipeline.writer.begin()?;
                self.gone.logs += tx.erase_loose_logs(since, until, sweep)?;
                tx.commit()?;
                if sweep.done { Phase::Tidy } else { Phase::Logs(*sweep) }
            }
            Phase::Tidy => {
                let mut tx = pipeline.writer.begin()?;
                tx.tidy()?;
                tx.commit()?;
                Phase::Shrink
            }
            Phase::Shrink if pipeline.writer.shrink(PAGES)? => Phase::Shrink,
            Phase::Shrink => return Ok(None),
        };
        Ok(Some(next))
    }

    fn journeys(&mut self, pipeline: &mut Pipeline) -> Result<Phase, StoreError> {
        let journeys = match &self.job.plan {
            ErasePlan::Everything => {
                self.gone = erase_everything(pipeline)?;
                return Ok(Phase::Shrink);
            }
            ErasePlan::Journeys(journeys) | ErasePlan::Range { journeys, .. } => journeys,
        };
        let end = (self.next + self.step).min(journeys.len());
        if self.next < end {
            self.gone.add(&erase_journeys(pipeline, &journeys[self.next..end])?);
            self.next = end;
            // Nobody may be looking.
            let _ = self.job.progress.send(end);
        }
        Ok(if end < journeys.len() { Phase::Journeys } else { Phase::Sweep })
    }
}

fn erase_journeys(pipeline: &mut Pipeline, journeys: &[TraceId]) -> Result<Extent, StoreError> {
    let Pipeline { writer, resolver, joining, .. } = pipeline;
    let mut tx = writer.begin()?;
    let going = Going::of(journeys, resolver, &mut tx, joining)?;
    let messages: Vec<&Message> = going.messages.iter().collect();
    let retraction = resolver.retract(&going.traces, &messages, &mut TxSource(&mut tx))?;
    let erased = tx.erase_traces(&going.traces)?;
    let deliveries = tx.erase_events(&going.events)?;
    let back = resolver.retracted(retraction, &deliveries, &erased.declared, &mut TxSource(&mut tx))?;
    tx.apply(&back.deltas)?;
    tx.apply(&erased.versions)?;
    tx.remove_joins(&back.lost)?;
    tx.add_joins(&back.gained)?;
    tx.delete_journeys(journeys)?;
    let (journeys, events) = (journeys.len() as u64, going.events.len() as u64);
    let touched = going.left(erased.joins.iter().chain(&back.lost).chain(&back.gained));
    let touched = all_of(resolver, &mut tx, touched)?;
    update_journeys(resolver, &mut tx, &touched, joining)?;
    tx.commit()?;
    Ok(Extent { journeys, events, spans: erased.spans, logs: erased.logs, ..Extent::default() })
}

fn erase_loose_events(pipeline: &mut Pipeline, since: Option<Nanos>, until: Option<Nanos>) -> Result<u64, StoreError> {
    let Pipeline { writer, resolver, joining, .. } = pipeline;
    let mut tx = writer.begin()?;
    let events = tx.loose_events(since, until, LOOSE)?;
    let mut web = Web::new(Writing { resolver, tx: &mut tx }, Arc::clone(joining));
    let around = web.around_events(&events)?;
    drop(web);
    let messages = tx.publications_of(&events)?;
    let messages: Vec<&Message> = messages.iter().collect();
    let retraction = resolver.retract(&[], &messages, &mut TxSource(&mut tx))?;
    let deliveries = tx.erase_events(&events)?;
    let back = resolver.retracted(retraction, &deliveries, &[], &mut TxSource(&mut tx))?;
    tx.apply(&back.deltas)?;
    let touched = all_of(resolver, &mut tx, around)?;
    update_journeys(resolver, &mut tx, &touched, joining)?;
    tx.commit()?;
    Ok(events.len() as u64)
}

fn erase_loose_deliveries(
    pipeline: &mut Pipeline,
    since: Option<Nanos>,
    until: Option<Nanos>,
) -> Result<usize, StoreError> {
    let Pipeline { writer, resolver, .. } = pipeline;
    let mut tx = writer.begin()?;
    let found = tx.loose_deliveries(since, until, LOOSE)?;
    let gone = tx.erase_deliveries(found)?;
    let retraction = resolver.retract(&[], &[], &mut TxSource(&mut tx))?;
    let back = resolver.retracted(retraction, &gone, &[], &mut TxSource(&mut tx))?;
    tx.apply(&back.deltas)?;
    tx.commit()?;
    Ok(gone.len())
}

fn erase_everything(pipeline: &mut Pipeline) -> Result<Extent, StoreError> {
    let mut tx = pipeline.writer.begin()?;
    let gone = tx.whole_extent()?;
    tx.erase_everything()?;
    tx.set_meta(META_MARKS, "[]")?;
    tx.set_meta(META_REMOVED, "")?;
    tx.set_meta(META_COMPARED, "")?;
    tx.commit()?;
    pipeline.resolver.forget_all();
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use flowglass_ingest::otlp::{Encoding, decode_traces};
    use flowglass_model::{Batch, SeriesKey};
    use flowglass_store::{Access, Reader, Writer};
    use tokio::sync::broadcast;

    use super::*;

    fn batch(traces: std::ops::RangeInclusive<u64>) -> Batch {
        let spans: Vec<_> = traces
            .map(|n| {
                serde_json::json!({ "traceId": format!("{n:032x}"), "spanId": format!("{n:016x}"), "name": "GET /", "kind": 2,
                    "startTimeUnixNano": (n * 1_000_000_000).to_string(), "endTimeUnixNano": (n * 1_000_000_000 + 5).to_string(),
                    "attributes": [{ "key": "http.request.method", "value": { "stringValue": "GET" } }] })
            })
            .collect();
        let document = serde_json::json!({ "resourceSpans": [{
            "resource": { "attributes": [{ "key": "service.name", "value": { "stringValue": "shop" } }] },
            "scopeSpans": [{ "spans": spans }] }] });
        let options = flowglass_ingest::Options::default();
        decode_traces(document.to_string().as_bytes(), Encoding::Json, &options).unwrap()
    }

    fn pipeline(path: &Path) -> Pipeline {
        Pipeline::new(Writer::open(path, Access::Create).unwrap(), broadcast::channel(16).0)
    }

    /// Spans, journeys and handled requests; they agree in every consistent workspace of these batches.
    fn agreed(path: &Path) -> u64 {
        let reader = Reader::open(path).unwrap();
        let handled = |k: &SeriesKey| matches!(k, SeriesKey::Operation { .. });
        let series = reader.series(None, None).unwrap();
        let requests: i64 = series.iter().filter(|s| handled(&s.key)).map(|s| s.count).sum();
        let spans = reader.stats().unwrap().spans;
        assert_eq!((requests as u64, reader.journeys_started(None, None).unwrap().len() as u64), (spans, spans));
        spans
    }

    #[test]
    fn cancelled_or_cut_off_it_leaves_whole_journeys() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.flowglass");
        let mut writing = pipeline(&path);
        writing.write(vec![batch(1..=100)]).unwrap();
        let journeys = Reader::open(&path).unwrap().journeys_started(None, None).unwrap();
        let job = |cancel: &CancellationToken| {
            let (done, over) = oneshot::channel();
            let plan = ErasePlan::Journeys(journeys.clone());
            (Erasing::new(EraseJob { plan, cancel: cancel.clone(), progress: watch::channel(0).0, done }), over)
        };
        // Cut off after a step, as by a crash: the next start finds a whole workspace.
        let (cut_off, _) = job(&CancellationToken::new());
        assert!(cut_off.step(&mut writing).is_some());
        drop(writing);
        assert_eq!(agreed(&path), 100 - FIRST_STEP as u64);

        let mut writing = pipeline(&path);
        let cancel = CancellationToken::new();
        let (job, mut over) = job(&cancel);
        let mut next = job.step(&mut writing);
        // What comes in meanwhile stays.
        writing.write(vec![batch(200..=210)]).unwrap();
        cancel.cancel();
        while let Some(erasing) = next {
            next = erasing.step(&mut writing);
        }
        let (gone, complete) = over.try_recv().unwrap().unwrap();
        assert!(!complete && gone.spans < 100, "{gone:?}");
        assert_eq!(agreed(&path), 111 - FIRST_STEP as u64 - gone.spans);
    }
}

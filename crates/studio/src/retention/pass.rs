//! Removing by rule in the writer: one short transaction between two commits, each of which leaves a consistent workspace and says
//! what went.

use std::time::{Duration, Instant};

use flowglass_model::{Nanos, RetentionConfig, TraceId};
use flowglass_store::{Extent, LooseAt, Space, StoreError, Sweep};

use super::expire::{expire_events, expire_journeys};
use super::kept;
use super::plan::{Kind, Pass, figures_over};
use super::record::{META_REMOVED, Removed, Why};
use crate::pipeline::{Committed, Pipeline};

/// Journeys of the first step; later ones follow the clock.
const FIRST_STEP: usize = 8;
/// Journeys of a step at most.
const LARGEST_STEP: usize = 2_000;
/// Journeys looked at in a step.
const PAGE: usize = 4_000;
/// Events or deliveries looked at in a step.
const LOOSE: usize = 500;
/// Pages given back to the file system in a step.
const PAGES: u32 = 500;
/// A step below this length is followed by a larger one.
const SHORT: Duration = Duration::from_millis(15);
/// A step above this length is followed by a smaller one.
const LONG: Duration = Duration::from_millis(30);

/// What comes next.
#[derive(Debug)]
enum Stage {
    Journeys(Kind, Option<(Nanos, TraceId)>),
    Sweep,
    Events(LooseAt),
    Deliveries(LooseAt),
    Logs(Sweep),
    /// Whether some were thinned.
    Figures(bool),
    Shrink,
}

/// A removal under way.
pub(crate) struct Expiring {
    pass: Pass,
    rule: RetentionConfig,
    now: Nanos,
    used: u64,
    oldest: Option<Nanos>,
    stage: Stage,
    step: usize,
    removed: Option<Removed>,
    any: bool,
}

impl Expiring {
    /// A removal at its beginning.
    pub(crate) fn new(rule: RetentionConfig, space: &Space, now: Nanos) -> Expiring {
        Expiring {
            pass: Pass::new(rule.clone(), space, now),
            rule,
            now,
            used: space.used,
            oldest: None,
            stage: Stage::Journeys(Kind::Healthy, None),
            step: FIRST_STEP,
            removed: None,
            any: false,
        }
    }

    /// What the next step does.
    #[cfg(test)]
    pub(super) fn stage_name(&self) -> &'static str {
        match self.stage {
            Stage::Journeys(..) => "journeys",
            Stage::Sweep => "sweep",
            Stage::Shrink => "shrink",
            _ => "other",
        }
    }

    /// Does one step; `None` when it is over.
    pub(crate) fn step(mut self, pipeline: &mut Pipeline) -> Option<Expiring> {
        let started = Instant::now();
        match self.advance(pipeline) {
            Ok(true) => {
                let took = started.elapsed();
                if took < SHORT {
                    self.step = (self.step * 2).min(LARGEST_STEP);
                } else if took > LONG {
                    self.step = (self.step / 2).max(1);
                }
                Some(self)
            }
            Ok(false) => {
                if self.any {
                    // Nobody may be looking.
                    let _ = pipeline.committed.send(Committed { expired: true, ..Committed::default() });
                }
                None
            }
            Err(error) => {
                pipeline.resolver.forget_all();
                tracing::error!(%error, "removing what is too old or too much stopped; it is tried again");
                None
            }
        }
    }

    /// Whether there is more to do.
    fn advance(&mut self, pipeline: &mut Pipeline) -> Result<bool, StoreError> {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Shrink) {
            Stage::Journeys(kind, after) => self.journeys(pipeline, kind, after)?,
            Stage::Sweep => {
                if pipeline.writer.is_unswept() {
                    let mut tx = pipeline.writer.begin()?;
                    tx.sweep()?;
                    tx.commit()?;
                    Stage::Sweep
                } else {
                    self.oldest = pipeline.writer.oldest_loose()?;
                    Stage::Events(LooseAt::beginning())
                }
            }
            Stage::Events(from) => self.events(pipeline, from)?,
            Stage::Deliveries(from) => self.deliveries(pipeline, from)?,
            Stage::Logs(sweep) => self.logs(pipeline, sweep)?,
            Stage::Figures(begun) => self.figures(pipeline, begun)?,
            // Nothing went: there is nothing to give back.
            Stage::Shrink if self.any && pipeline.writer.shrink(PAGES)? => Stage::Shrink,
            Stage::Shrink => return Ok(false),
        };
        Ok(true)
    }

    fn journeys(
        &mut self,
        pipeline: &mut Pipeline,
        kind: Kind,
        after: Option<(Nanos, TraceId)>,
    ) -> Result<Stage, StoreError> {
        let kept = kept(|key| pipeline.writer.meta(key))?;
        let page = pipeline.writer.stored_journeys(after, PAGE)?;
        let chosen = self.pass.choose(kind, &page, &kept, self.step);
        for (why, ids) in by_reason(&chosen.gone) {
            let last = ids.last().and_then(|last| page.iter().find(|j| j.id == *last)).map(|j| j.start);
            let mut removed = self.removed(pipeline)?;
            expire_journeys(pipeline, &ids, |gone| {
                removed.add(&Extent { last, ..*gone }, why, &self.rule, self.now);
                (META_REMOVED, removed.text())
            })?;
            self.removed = Some(removed);
            self.any = true;
        }
        let next = chosen.looked.checked_sub(1).and_then(|last| page.get(last)).map(|j| (j.start, j.id)).or(after);
        let done = chosen.over || (chosen.looked == page.len() && page.len() < PAGE);
        Ok(match kind {
            _ if !done => Stage::Journeys(kind, next),
            Kind::Healthy => Stage::Journeys(Kind::Failed, None),
            Kind::Failed => Stage::Sweep,
        })
    }

    fn events(&mut self, pipeline: &mut Pipeline, from: LooseAt) -> Result<Stage, StoreError> {
        let Some((until, why)) = self.pass.events_until(self.used, self.oldest) else {
            return Ok(Stage::Logs(Sweep::default()));
        };
        let loose = pipeline.writer.loose_events_from(&from, until, LOOSE)?;
        if !loose.found.is_empty() {
            let mut removed = self.removed(pipeline)?;
            let gone = Extent { events: loose.found.len() as u64, last: Some(until), ..Extent::default() };
            removed.add(&gone, why, &self.rule, self.now);
            expire_events(pipeline, &loose.found, (META_REMOVED, removed.text()))?;
            self.removed = Some(removed);
            self.any = true;
        }
        Ok(loose.next.map_or_else(|| Stage::Deliveries(LooseAt::beginning()), Stage::Events))
    }

    fn deliveries(&mut self, pipeline: &mut Pipeline, from: LooseAt) -> Result<Stage, StoreError> {
        let Some((until, _)) = self.pass.events_until(self.used, self.oldest) else {
            return Ok(Stage::Logs(Sweep::default()));
        };
        let mut tx = pipeline.writer.begin()?;
        let loose = tx.loose_deliveries_from(&from, until, LOOSE)?;
        self.any |= !tx.erase_deliveries(loose.found)?.is_empty();
        tx.commit()?;
        Ok(loose.next.map_or_else(|| Stage::Logs(Sweep::default()), Stage::Deliveries))
    }

    fn logs(&mut self, pipeline: &mut Pipeline, mut sweep: Sweep) -> Result<Stage, StoreError> {
        let Some((until, why)) = self.pass.logs_until(self.used, self.oldest) else { return Ok(Stage::Figures(false)) };
        let mut removed = self.removed(pipeline)?;
        let since = pipeline.retention.logs_gone;
        let mut tx = pipeline.writer.begin()?;
        let logs = tx.erase_loose_logs(since, Some(until), &mut sweep)?;
        if logs > 0 {
            removed.add(&Extent { logs, last: Some(until), ..Extent::default() }, why, &self.rule, self.now);
            tx.set_meta(META_REMOVED, &removed.text())?;
            self.any = true;
        }
        tx.commit()?;
        self.removed = Some(removed);
        if !sweep.done {
            return Ok(Stage::Logs(sweep));
        }
        pipeline.retention.logs_gone = Some(until);
        Ok(Stage::Figures(false))
    }

    /// Figures of long ago in longer steps, when all of them take too much.
    fn figures(&mut self, pipeline: &mut Pipeline, begun: bool) -> Result<Stage, StoreError> {
        if !figures_over(&self.rule, &pipeline.writer.space()?, begun) {
            return Ok(Stage::Shrink);
        }
        let mut tx = pipeline.writer.begin()?;
        let thinned = tx.thin_figures(self.step)?;
        tx.commit()?;
        self.any |= thinned;
        Ok(if thinned { Stage::Figures(true) } else { Stage::Shrink })
    }

    /// What was removed so far.
    fn removed(&mut self, pipeline: &mut Pipeline) -> Result<Removed, StoreError> {
        if let Some(known) = self.removed.take() {
            return Ok(known);
        }
        Ok(Removed::parse(pipeline.writer.meta(META_REMOVED)?.as_deref()))
    }
}

fn by_reason(gone: &[(TraceId, Why)]) -> Vec<(Why, Vec<TraceId>)> {
    let mut out: Vec<(Why, Vec<TraceId>)> = Vec::new();
    for (id, why) in gone {
        match out.iter_mut().find(|(known, _)| known == why) {
            Some((_, ids)) => ids.push(*id),
            None => out.push((*why, vec![*id])),
        }
    }
    out
}

#[cfg(test)]
#[path = "pass_tests.rs"]
mod tests;

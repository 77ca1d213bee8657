//! Joining journeys anew after people decided otherwise: some hundred traces at a time, so that senders hardly notice.

use std::collections::BTreeSet;
use std::sync::Arc;

use flowglass_model::{JoinsConfig, TraceId};
use flowglass_store::StoreError;

use crate::pipeline::{Committed, Pipeline};
use crate::stitch::{SPAN, Web, Writing};
use crate::touched::{Touched, update_journeys};

/// Under this key the workspace keeps what its journeys are joined by.
const META_JOINS: &str = "joins";
/// Traces of one step.
const STEP: usize = 400;

/// Journeys to be joined anew.
pub(crate) struct Restitching {
    rest: Vec<TraceId>,
}

impl Restitching {
    /// What is to be done when journeys are joined otherwise than settings say; nothing when they agree, or cannot be read.
    pub(crate) fn due(pipeline: &mut Pipeline) -> Option<Restitching> {
        match concerned(pipeline) {
            Ok(rest) => rest.map(|rest| Restitching { rest: rest.into_iter().collect() }),
            Err(error) => {
                tracing::error!(%error, "journeys are not joined anew");
                None
            }
        }
    }

    /// Tells all journeys anew that a saved workspace lacks; whoever waits for it learns of errors. Told how many traces of how many
    /// are done, and answers whether to go on; false when it did not.
    pub(crate) fn finish(pipeline: &mut Pipeline, go_on: &mut dyn FnMut(u64, u64) -> bool) -> Result<bool, StoreError> {
        let mut rest: Vec<TraceId> = concerned(pipeline)?.unwrap_or_default().into_iter().collect();
        let all = rest.len();
        while !rest.is_empty() {
            if !go_on((all - rest.len()) as u64, all as u64) {
                return Ok(false);
            }
            let now = rest.split_off(rest.len().saturating_sub(STEP));
            join(pipeline, &now, rest.is_empty())?;
        }
        Ok(true)
    }

    /// Does one step; `None` when it is over.
    pub(crate) fn step(mut self, pipeline: &mut Pipeline) -> Option<Restitching> {
        let now = self.rest.split_off(self.rest.len().saturating_sub(STEP));
        match join(pipeline, &now, self.rest.is_empty()) {
            Ok(()) if self.rest.is_empty() => {
                // Nobody may be looking.
                let _ = pipeline.committed.send(Committed { rejoined: true, ..Committed::default() });
                None
            }
            Ok(()) => Some(self),
            Err(error) => {
                pipeline.resolver.forget_all();
                tracing::error!(%error, "joining journeys anew stopped");
                None
            }
        }
    }
}

/// Traces whose joins may differ; `None` when nothing was decided otherwise.
fn concerned(pipeline: &mut Pipeline) -> Result<Option<BTreeSet<TraceId>>, StoreError> {
    let Pipeline { writer, joining, .. } = pipeline;
    let retell = writer.is_to_retell()?;
    let tx = writer.begin()?;
    if retell {
        return Ok(Some(tx.all_traces()?.into_iter().collect()));
    }
    let kept = tx.meta(META_JOINS)?.and_then(|text| serde_json::from_str::<JoinsConfig>(&text).ok());
    let before = kept.unwrap_or_default();
    if before == **joining {
        return Ok(None);
    }
    let mut out: BTreeSet<TraceId> = tx.carriers()?.into_iter().collect();
    let changed = before.never.symmetric_difference(&joining.never);
    let changed: BTreeSet<&String> = changed.chain(before.always.symmetric_difference(&joining.always)).collect();
    let spans = changed.iter().filter_map(|entry| entry.strip_prefix(SPAN)?.strip_prefix('=')?.split('/').next());
    let mut places: BTreeSet<TraceId> = spans.filter_map(|trace| trace.parse().ok()).collect();
    if before.traces_per_span != joining.traces_per_span {
        places.extend(tx.joined_traces()?);
    }
    for trace in &places {
        let (as_child, as_parent) = tx.joins_of(*trace)?;
        out.extend(as_child.iter().chain(&as_parent).flat_map(|j| [j.parent_trace, j.child_trace]));
    }
    out.extend(places);
    Ok(Some(out))
}

fn join(pipeline: &mut Pipeline, traces: &[TraceId], last: bool) -> Result<(), StoreError> {
    let Pipeline { writer, resolver, joining, .. } = pipeline;
    let mut tx = writer.begin()?;
    let mut web = Web::new(Writing { resolver, tx: &mut tx }, Arc::clone(joining));
    let touched: Touched = traces.iter().map(|t| Ok((*t, web.all_of(*t)?))).collect::<Result<_, StoreError>>()?;
    drop(web);
    update_journeys(resolver, &mut tx, &touched, joining)?;
    if last {
        tx.retold()?;
        tx.set_meta(META_JOINS, &serde_json::to_string(&**joining).unwrap_or_default())?;
    }
    tx.commit()
}

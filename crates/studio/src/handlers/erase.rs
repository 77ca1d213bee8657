//! Deleting: how much it would be, and doing it.

use std::time::Duration;

use flowglass_model::TraceId;
use flowglass_model::filter::{Filter, View};
use flowglass_store::{Extent, JourneyFilter};
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::query::{parsed, places};
use super::{bad_request, bounds, not_found, trace_id};
use crate::Studio;
use crate::api::*;
use crate::control::{Control, EraseJob, ErasePlan};
use crate::going::traces_below;
use crate::stitch::Web;
use crate::studio::lock;
use crate::workspace::{Workspace, WorkspaceError};

/// Between two words about the progress.
const TELL_EVERY: Duration = Duration::from_millis(250);

/// See [`EraseRequest`].
pub(crate) async fn erase(studio: &Studio, request: EraseRequest) -> Result<EraseReport, ApiError> {
    let dry_run = request.dry_run;
    if dry_run && request.roughly && request.what != "everything" {
        return roughly(studio, request).await;
    }
    let planned = match request.what.as_str() {
        "everything" => studio.ask(everything).await?,
        "range" => studio.ask(move |w| range(w, request.range)).await?,
        "journeys" => {
            let ids = request.journeys.iter().map(|id| trace_id(id)).collect::<Result<Vec<_>, _>>()?;
            if ids.is_empty() {
                return Err(bad_request("choose at least one journey to delete"));
            }
            let planned = studio.ask(move |w| journeys(w, &ids)).await?;
            if planned.1.journeys == 0 {
                return Err(not_found("this journey"));
            }
            planned
        }
        "matching" => {
            let filter = parsed(request.filter.as_deref(), View::Journeys)?;
            studio.ask(move |w| journeys(w, &matching(w, request.range, filter)?)).await?
        }
        other => return Err(bad_request(format!("`{other}` is nothing that can be deleted"))),
    };
    if dry_run { Ok(report(planned.1, false)) } else { carry_out(studio, planned).await }
}

/// About how much it would be, told within the time in which people expect an answer: a range by what its parts say of themselves,
/// journeys by some of them.
async fn roughly(studio: &Studio, request: EraseRequest) -> Result<EraseReport, ApiError> {
    let ids = match request.what.as_str() {
        "journeys" => Some(request.journeys.iter().map(|id| trace_id(id)).collect::<Result<Vec<_>, _>>()?),
        _ => None,
    };
    let filter = parsed(request.filter.as_deref().filter(|_| request.what == "matching"), View::Journeys)?;
    let extent = studio.ask(move |w| match (request.what.as_str(), ids) {
        (_, Some(ids)) => w.read(|r| r.extent_roughly(&ids)),
        ("matching", _) => {
            let ids = matching(w, request.range, filter)?;
            w.read(|r| r.extent_roughly(&ids))
        }
        _ => {
            let (since, until) = bounds(request.range);
            w.read(|r| r.range_extent_roughly(since, until))
        }
    });
    Ok(EraseReport { about: true, ..report(extent.await?, false) })
}

/// Stops the deletion under way, if there is one.
pub(crate) async fn erase_cancel(studio: &Studio, _: Nothing) -> Result<Nothing, ApiError> {
    if let Some(cancel) = &*lock(&studio.0.desk.erasing) {
        cancel.cancel();
    }
    Ok(Nothing {})
}

fn report(extent: Extent, done: bool) -> EraseReport {
    EraseReport {
        journeys: extent.journeys,
        spans: extent.spans,
        events: extent.events,
        logs: extent.logs,
        first_at: extent.first.map(to_ms),
        last_at: extent.last.map(to_ms),
        about: false,
        done,
    }
}

type Planned = (ErasePlan, Extent);

fn everything(workspace: &Workspace) -> Result<Planned, WorkspaceError> {
    Ok((ErasePlan::Everything, workspace.read(|r| r.whole_extent())?))
}

fn journeys(workspace: &Workspace, ids: &[TraceId]) -> Result<Planned, WorkspaceError> {
    let joining = workspace.joining();
    workspace.read(|r| {
        let mut roots = Vec::new();
        for id in ids {
            // An id may be any trace of the journey; what somebody else deleted meanwhile is no error.
            roots.extend(r.journeys_of_trace(*id)?.into_iter().next());
        }
        let mut journeys = Vec::new();
        for root in roots {
            journeys.extend(r.journey_summary(root)?.map(|j| (j.start, j.id)));
        }
        journeys.sort_unstable();
        journeys.dedup();
        let journeys: Vec<_> = journeys.into_iter().map(|(_, id)| id).collect();
        let (traces, _) = traces_below(&journeys, &mut Web::new(r, joining.clone()))?;
        let extent = r.extent(&journeys, &traces)?;
        Ok((ErasePlan::Journeys(journeys), extent))
    })
}

/// Ids of the journeys that a filter means, as the list shows them.
fn matching(workspace: &Workspace, range: Range, filter: Filter) -> Result<Vec<TraceId>, WorkspaceError> {
    let (since, until) = bounds(range);
    let places = places(workspace, &filter)?;
    let noise = workspace.settings().config.noise.clone();
    let limit = usize::MAX;
    let page =
        workspace.journeys(&JourneyFilter { since, until, filter, places, noise, limit, ..Default::default() })?;
    Ok(page.rows.into_iter().map(|j| j.id).collect())
}

fn range(workspace: &Workspace, range: Range) -> Result<Planned, WorkspaceError> {
    let ((since, until), joining) = (bounds(range), workspace.joining());
    workspace.read(|r| {
        let journeys = r.journeys_started(since, until)?;
        let (traces, _) = traces_below(&journeys, &mut Web::new(r, joining.clone()))?;
        let mut extent = r.extent(&journeys, &traces)?;
        extent.add(&r.loose_extent(since, until)?);
        Ok((ErasePlan::Range { journeys, since, until }, extent))
    })
}

/// Marks the deletion under way as over, whatever ended it.
struct Under<'a>(&'a Studio);

impl Drop for Under<'_> {
    fn drop(&mut self) {
        lock(&self.0.0.desk.erasing).take();
    }
}

async fn carry_out(studio: &Studio, (plan, extent): Planned) -> Result<EraseReport, ApiError> {
    let cancel = CancellationToken::new();
    {
        let mut under_way = lock(&studio.0.desk.erasing);
        if under_way.is_some() {
            return Err(bad_request("Something is being deleted already; wait for it or cancel it."));
        }
        *under_way = Some(cancel.clone());
    }
    let _under = Under(studio);
    let total = match &plan {
        ErasePlan::Everything => 0,
        ErasePlan::Journeys(journeys) | ErasePlan::Range { journeys, .. } => journeys.len(),
    };
    let marks_go = plan == ErasePlan::Everything;
    let (progress, seen) = watch::channel(0);
    let (done, mut over) = oneshot::channel();
    let control = lock(&studio.0.notes).clone();
    let stopping =
        || ApiError { code: "unavailable".into(), message: "Flowglass is closing; nothing was deleted.".into() };
    let control = control.ok_or_else(stopping)?;
    control.send(Control::Erase(EraseJob { plan, cancel, progress, done })).await.map_err(|_| stopping())?;
    drop(control);
    let mut clock = tokio::time::interval(TELL_EVERY);
    let answer = loop {
        tokio::select! {
            answer = &mut over => break answer,
            _ = clock.tick() => studio.publish(told(*seen.borrow(), total)),
        }
    };
    studio.publish(Update::Erased {});
    if marks_go {
        studio.publish(Update::Marks {});
    }
    let cut_off = || ApiError {
        code: "unavailable".into(),
        message: "Flowglass closed before all of it was deleted; what is gone stays gone.".into(),
    };
    let (gone, complete) = answer.map_err(|_| cut_off())?.map_err(WorkspaceError::from)?;
    Ok(report(Extent { first: extent.first, last: extent.last, ..gone }, complete))
}

fn told(done: usize, total: usize) -> Update {
    let (text, share) = match total {
        0 => ("Deleting".to_owned(), 0.5),
        _ if done >= total => ("Tidying up".to_owned(), 1.0),
        _ => (format!("{done} of {total} journeys deleted"), done as f64 / total as f64),
    };
    Update::Erasing { text, share }
}

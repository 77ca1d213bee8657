//! Two journeys side by side.

use std::collections::BTreeMap;

use flowglass_journey::compare::{Aligned, Change, compare as aligned};
use flowglass_model::filter::{Field, Pattern, Term, Test};
use flowglass_model::{Graph, Journey, JourneyState, JourneySummary, Layer, NodeId, TraceId};
use flowglass_store::{EventRow, JourneyFilter};

use super::journeys::{fallback_layer, journey_row, uids};
use super::kinds::began_like;
use super::{bad_request, trace_id};
use crate::api::{AlignedView, ApiError, ChangeCount, CompareRequest, Comparison, SideView, to_ms};
use crate::render::duration;
use crate::retention::{META_COMPARED, compared};
use crate::workspace::{Workspace, WorkspaceError};
use crate::{Studio, words};

/// Journeys that a usual one is chosen of.
const CHOICE: usize = 200;
/// Differences told in words.
const FINDINGS: usize = 4;

/// See [`Comparison`].
pub(crate) async fn compare(studio: &Studio, request: CompareRequest) -> Result<Comparison, ApiError> {
    let right = trace_id(&request.right)?;
    let left = request.left.as_deref().map(trace_id).transpose()?;
    let answer = studio.ask(move |workspace| {
        let graph = workspace.graph(None, None, None)?;
        let layers: BTreeMap<&NodeId, Layer> = graph.nodes.iter().map(|n| (&n.id, n.layer)).collect();
        let layer = |n: &NodeId| layers.get(n).copied().unwrap_or(fallback_layer(n));
        let right = workspace.journey(right, &layer)?;
        let (left, chosen) = match left {
            Some(left) => (left, None),
            None => match usual(workspace, &right.0.summary)? {
                Some((id, chosen)) => (id, Some(chosen)),
                None => return Ok(None),
            },
        };
        let left = workspace.journey(left, &layer)?;
        let ids = [right.0.summary.id, left.0.summary.id];
        let remembered = compared(workspace.read(|r| r.meta(META_COMPARED))?.as_deref(), &ids);
        Ok(Some((comparison(&left, &right, chosen, &graph), remembered)))
    });
    let none = || bad_request("no journey that went well began like this one; name one to compare with");
    let (comparison, remembered) = answer.await?.ok_or_else(none)?;
    if let Some(remembered) = remembered {
        // What people compared, no rule removes.
        studio.note(META_COMPARED, remembered).await?;
    }
    Ok(comparison)
}

/// Of the newest journeys that went well and began the same way the one with the median response time.
fn usual(workspace: &Workspace, of: &JourneySummary) -> Result<Option<(TraceId, String)>, WorkspaceError> {
    let mut filter = began_like(of);
    let ok = Test::Is(Field::State, vec![Pattern::whole("ok")]);
    filter.terms.push(Term { negated: false, test: ok, at: 0..0 });
    let question = JourneyFilter { filter, limit: CHOICE + 1, ..JourneyFilter::default() };
    let mut rows = workspace.journeys(&question)?.rows;
    rows.retain(|j| j.id != of.id && j.state == JourneyState::Ok);
    // Among those with as many participants as most have: a short cut taken is no measure.
    rows.sort_by_key(|j| j.participants.len());
    let most = rows.get(rows.len() / 2).map_or(0, |j| j.participants.len());
    rows.retain(|j| j.participants.len() == most);
    rows.sort_by_key(|j| (j.response.or(j.settled), j.id));
    let n = rows.len();
    let chosen = match n {
        1 => "the only one like it that went well".to_owned(),
        n => format!("the median of {n} like it that went well"),
    };
    Ok(rows.get(n / 2).map(|j| (j.id, chosen)))
}

fn comparison(
    (left, left_rows): &(Journey, Vec<EventRow>),
    (right, right_rows): &(Journey, Vec<EventRow>),
    chosen: Option<String>,
    graph: &Graph,
) -> Comparison {
    let steps = aligned(left, right);
    let (left_uids, right_uids) = (uids(left, left_rows), uids(right, right_rows));
    let mut counts: BTreeMap<Change, u32> = BTreeMap::new();
    for step in &steps {
        *counts.entry(step.change).or_default() += 1;
    }
    let row = |step: &Aligned| {
        let item = match (step.right, step.left) {
            (Some(r), _) => &right.items[r],
            (None, Some(l)) => &left.items[l],
            (None, None) => return None,
        };
        Some(AlignedView {
            change: step.change.as_str().into(),
            depth: step.depth,
            participant: item.participant.to_string(),
            participant_name: item.participant.name().to_owned(),
            layer: item.layer.as_str().into(),
            name: item.name.clone(),
            role: item.role.clone(),
            left: step.left.map(|i| side(left, i, &left_uids, step.left_own)),
            right: step.right.map(|i| side(right, i, &right_uids, step.right_own)),
        })
    };
    Comparison {
        left: journey_row(left.summary.clone(), graph),
        right: journey_row(right.summary.clone(), graph),
        chosen,
        changes: counts.into_iter().map(|(c, count)| ChangeCount { change: c.as_str().into(), count }).collect(),
        findings: findings(&steps, left, right),
        rows: steps.iter().filter_map(row).collect(),
    }
}

fn side(journey: &Journey, i: usize, uids: &[String], own: Option<i64>) -> SideView {
    let item = &journey.items[i];
    SideView {
        uid: uids[i].clone(),
        offset_ms: to_ms(item.start - journey.summary.start),
        duration_ms: item.duration as f64 / 1e6,
        own_ms: own.unwrap_or_default() as f64 / 1e6,
        status: words::item_status(item.status).into(),
        badge: item.badge.clone(),
    }
}

/// What differs most: the first failure, the largest own time gained, who is missing and who came in addition.
fn findings(steps: &[Aligned], left: &Journey, right: &Journey) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(failure) = right.failure.as_ref().filter(|_| left.failure.is_none()) {
        out.push(failure.cause.clone());
    }
    let gained = |step: &Aligned| step.right_own.unwrap_or_default() - step.left_own.unwrap_or_default();
    let mut slower: Vec<&Aligned> = steps.iter().filter(|s| s.change == Change::Slower).collect();
    slower.sort_by_key(|s| std::cmp::Reverse(gained(s)));
    out.extend(slower.iter().take(2).filter_map(|step| {
        let item = &right.items[step.right?];
        Some(format!(
            "{} {} took {} longer itself",
            item.participant.name(),
            item.name,
            duration(gained(step) as f64 / 1e6)
        ))
    }));
    let names = |change: Change, journey: &Journey, of: fn(&Aligned) -> Option<usize>| {
        let mut names: Vec<String> = Vec::new();
        for item in steps.iter().filter(|s| s.change == change).filter_map(of).map(|i| &journey.items[i]) {
            let name = item.participant.name().to_owned();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    };
    for (change, journey, words) in [(Change::Missing, left, "missing"), (Change::Added, right, "in addition")] {
        let of: fn(&Aligned) -> Option<usize> = if change == Change::Missing { |s| s.left } else { |s| s.right };
        let steps = steps.iter().filter(|s| s.change == change).count();
        if steps > 0 {
            let plural = if steps == 1 { "step" } else { "steps" };
            out.push(format!("{steps} {plural} {words}: {}", names(change, journey, of).join(", ")));
        }
    }
    out.truncate(FINDINGS);
    out
}

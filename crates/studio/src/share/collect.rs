//! Everything recorded of some journeys.

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::{Batch, Layer, NodeId, TraceId};

use super::{ExportError, JOURNEYS_MAX, SPANS_MAX, Story, Wish};
use crate::handlers::{fallback_layer, journey_view};
use crate::notes;
use crate::workspace::{Workspace, WorkspaceError};

/// Gathers journeys, the spans and log records of their traces, their events and the notes on them.
pub(super) fn collect(workspace: &Workspace, wish: &Wish) -> Result<Story, ExportError> {
    if wish.journeys.is_empty() {
        return Err(ExportError::TooMuch("no journey was named".into()));
    }
    let graph = workspace.graph(None, None, None)?;
    let layers: BTreeMap<&NodeId, Layer> = graph.nodes.iter().map(|n| (&n.id, n.layer)).collect();
    let layer = |n: &NodeId| layers.get(n).copied().unwrap_or_else(|| fallback_layer(n));
    let config = workspace.settings().config;
    let (mut seen, mut traces, mut events) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let (mut journeys, mut records) = (Vec::new(), Batch::default());
    for id in &wish.journeys {
        let (journey, rows) = workspace.journey(*id, &layer)?;
        if !seen.insert(journey.summary.id) {
            continue;
        }
        if seen.len() > JOURNEYS_MAX {
            return Err(ExportError::TooMuch(format!("more than {JOURNEYS_MAX} journeys; name fewer of them")));
        }
        for trace in &journey.traces {
            if traces.insert(*trace) {
                take_trace(workspace, *trace, &mut records)?;
            }
        }
        if records.spans.len() > SPANS_MAX {
            return Err(ExportError::TooMuch(format!("more than {SPANS_MAX} spans; name fewer journeys")));
        }
        events.extend(rows.iter().map(|r| r.row));
        journeys.push(journey_view(journey, &rows, &graph, &config, &layer));
    }
    let events: Vec<i64> = events.into_iter().collect();
    records.append(workspace.read(|r| r.recorded(&events))?);
    let about: BTreeSet<String> = journeys.iter().map(|j| notes::about_journey(&j.row.id)).collect();
    let notes = notes::parse(workspace.read(|r| r.meta(notes::META_NOTES))?.as_deref());
    let notes = notes.into_iter().filter(|n| about.contains(&n.about)).collect();
    let failed = journeys.iter().filter_map(|j| j.failure.as_ref()).map(|f| f.participant.clone());
    let owners = failed.filter_map(|p| Some((p.clone(), config.owner_of(&NodeId::from(p))?.clone()))).collect();
    Ok(Story { journeys, records, owners, notes, redacted: None, now: wish.now })
}

fn take_trace(workspace: &Workspace, trace: TraceId, out: &mut Batch) -> Result<(), WorkspaceError> {
    let (spans, logs) = workspace.read(|r| Ok((r.trace(trace)?, r.logs_of_trace(trace)?)))?;
    out.spans.extend(spans);
    out.logs.extend(logs);
    Ok(())
}

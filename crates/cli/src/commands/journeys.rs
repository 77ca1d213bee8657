//! `flowglass journeys`.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::path::Path;

use anyhow::anyhow;
use flowglass_studio::Workspace;
use flowglass_studio::model::{JourneyStatus, JourneySummary, Nanos};
use flowglass_studio::store::{FindHit, JourneyFilter};

use super::{open, range};
use crate::args::{JourneysArgs, StatusArg};
use crate::filter::{Filter, states_of};
use crate::output::{JourneyRowOut, print_json};

/// Rows asked for at a time while looking for those that match.
const PAGE: usize = 1_000;

/// Prints journeys, newest first.
pub(crate) fn run(args: &JourneysArgs, config: Option<&Path>) -> anyhow::Result<()> {
    let _span = tracing::info_span!("command", otel.name = "journeys").entered();
    let mut filter = match args.filter.as_deref() {
        Some(text) => Filter::parse(text).map_err(|reason| anyhow!("--filter: {reason}"))?,
        None => Filter::default(),
    };
    if let Some(status) = args.status {
        filter.restrict(&states_of(match status {
            StatusArg::Ok => JourneyStatus::Ok,
            StatusArg::Failed => JourneyStatus::Failed,
            StatusArg::Incomplete => JourneyStatus::Incomplete,
        }));
    }
    let range = range(&args.range)?;
    let workspace = open(&args.workspace.workspace, config)?;
    let rows = match args.find.as_deref().map(str::trim) {
        Some(text) => found(&workspace, text, &filter, args.limit)?,
        None => listed(&workspace, &filter, range, args.limit)?,
    };
    print_json(&rows.iter().map(JourneyRowOut::from).collect::<Vec<_>>())
}

/// Journeys that carry a value, whatever their time. Events that belong to no journey are not listed.
fn found(workspace: &Workspace, text: &str, filter: &Filter, limit: usize) -> anyhow::Result<Vec<JourneySummary>> {
    let mut ids = BTreeSet::new();
    for hit in workspace.find(text)? {
        if let FindHit::Trace(trace) = hit {
            ids.extend(workspace.read(|r| r.journeys_of_trace(trace))?);
        }
    }
    let mut rows = Vec::new();
    for id in ids {
        rows.extend(workspace.read(|r| r.journey_summary(id))?.filter(|s| filter.matches(s)));
    }
    rows.sort_by_key(|s| Reverse((s.start, s.id)));
    rows.truncate(limit);
    Ok(rows)
}

/// Journeys of a range. The store sorts and chooses by state and first word; the other terms are looked at here, page by page.
fn listed(
    workspace: &Workspace,
    filter: &Filter,
    (since, until): (Option<Nanos>, Option<Nanos>),
    limit: usize,
) -> anyhow::Result<Vec<JourneySummary>> {
    let narrow = !filter.services.is_empty() || !filter.words.is_empty();
    let page = if narrow { PAGE } else { limit };
    let mut question = JourneyFilter {
        since,
        until,
        state: filter.states.clone(),
        text: filter.words.first().cloned(),
        limit: page,
        ..JourneyFilter::default()
    };
    let mut rows = Vec::new();
    while rows.len() < limit {
        let answer = workspace.journeys(&question)?.rows;
        let complete = answer.len() < page;
        question.before = answer.last().map(|s| (s.start, s.id));
        rows.extend(answer.into_iter().filter(|s| filter.matches(s)));
        if complete || !narrow {
            break;
        }
    }
    rows.truncate(limit);
    Ok(rows)
}

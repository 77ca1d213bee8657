//! `flowglass journeys`.

use std::path::Path;

use anyhow::anyhow;
use flowglass_studio::api::{Range, Searched, to_nanos};
use flowglass_studio::model::filter::{Filter, Problem, View};
use flowglass_studio::model::{JourneyState, JourneyStatus, JourneySummary};
use flowglass_studio::store::{FindHit, JourneyFilter};
use flowglass_studio::{Workspace, rfc3339, system_clock};

use super::{open, range};
use crate::args::{JourneysArgs, StatusArg};
use crate::output::{JourneyRowOut, harmless, print_json};

/// Prints journeys, newest first.
pub(crate) fn run(args: &JourneysArgs, config: Option<&Path>) -> anyhow::Result<()> {
    let _span = tracing::info_span!("command", otel.name = "journeys").entered();
    let text = args.filter.as_deref().unwrap_or_default();
    let filter = Filter::parse(text, View::Journeys).map_err(|problem| anyhow!("{}", at_character(text, &problem)))?;
    let state = args.status.map(|status| {
        states_of(match status {
            StatusArg::Ok => JourneyStatus::Ok,
            StatusArg::Failed => JourneyStatus::Failed,
            StatusArg::Incomplete => JourneyStatus::Incomplete,
        })
    });
    let (since, until) = range(&args.range)?;
    let workspace = open(&args.workspace.workspace, config)?;
    let places = workspace.places(&filter)?;
    let now = Some(system_clock());
    let question =
        JourneyFilter { since, until, filter, places, state, limit: args.limit, now, ..JourneyFilter::default() };
    let rows = match args.find.as_deref().map(str::trim) {
        Some(text) => found(&workspace, text, &question)?,
        None => listed(&workspace, question)?,
    };
    if let Some(text) = args.find.as_deref().map(str::trim).filter(|text| rows.is_empty() && !text.is_empty()) {
        eprintln!("{}", harmless(&nothing(&workspace.searched(text, Range::default())?)));
    }
    print_json(&rows.iter().map(JourneyRowOut::from).collect::<Vec<_>>())
}

/// What is wrong with a filter, and where.
fn at_character(text: &str, problem: &Problem) -> String {
    let before = text.get(..problem.at.start).map_or(0, |t| t.chars().count());
    let part = text.get(problem.at.clone()).unwrap_or_default();
    format!("--filter: {problem} (at character {}: `{part}`)", before + 1)
}

/// A search without a hit: what was looked through, and what is spelled nearly so.
fn nothing(s: &Searched) -> String {
    let mut out = format!("nothing carries `{}` as a whole value", s.text);
    let time = |at: f64| rfc3339(to_nanos(at));
    match (s.from_at, s.to_at) {
        (Some(from), Some(to)) => out.push_str(&format!("; searched {} to {}", time(from), time(to))),
        _ => out.push_str("; the workspace is empty"),
    }
    out.push_str(&format!(", {} spans, {} events, {} log records", s.spans, s.events, s.logs));
    if s.lost > 0 {
        out.push_str(&format!(", {} refused or lost", s.lost));
    }
    if !s.gaps.is_empty() {
        let gaps = s.gaps.iter().filter_map(|g| Some(format!("{} to {}", time(g.since_at?), time(g.until_at?))));
        out.push_str(&format!("; nothing arrived from {}", gaps.collect::<Vec<_>>().join(", ")));
    }
    if let Some(share) = s.sampled.filter(|share| *share < 1.0) {
        out.push_str(&format!("; senders keep {:.0} % of their traces", share * 100.0));
    }
    match s.payloads.as_str() {
        "left-out" => out.push_str("; payloads are not kept"),
        "partly" => out.push_str("; some payloads are not kept"),
        _ => {}
    }
    if !s.keys.is_empty() {
        out.push_str(&format!("; known keys: {}", s.keys.join(", ")));
    }
    if !s.near.is_empty() {
        let near = s.near.iter().map(|n| n.text.as_str()).collect::<Vec<_>>().join(", ");
        out.push_str(&format!("; nearly so: {near}"));
    }
    out
}

/// States that the contract's coarser word stands for.
fn states_of(status: JourneyStatus) -> Vec<JourneyState> {
    let all = [
        JourneyState::Ok,
        JourneyState::Degraded,
        JourneyState::Failed,
        JourneyState::InProgress,
        JourneyState::Incomplete,
    ];
    all.into_iter().filter(|s| s.status() == status).collect()
}

/// Journeys that carry a value, whatever their time. Events that belong to no journey are not listed.
fn found(workspace: &Workspace, text: &str, question: &JourneyFilter) -> anyhow::Result<Vec<JourneySummary>> {
    let mut ids = std::collections::BTreeSet::new();
    for hit in workspace.find(text)? {
        if let FindHit::Trace(trace) = hit {
            ids.extend(workspace.read(|r| r.journeys_of_trace(trace))?);
        }
    }
    // The filter is asked for all times, and the journeys that carry the value are kept.
    let all = JourneyFilter { since: None, until: None, limit: usize::MAX, ..question.clone() };
    let mut rows = if all.filter.is_empty() && all.state.is_none() {
        let mut rows = Vec::new();
        for id in ids {
            rows.extend(workspace.read(|r| r.journey_summary(id))?);
        }
        workspace.judge(&mut rows, system_clock())?;
        rows.sort_by_key(|s| std::cmp::Reverse((s.start, s.id)));
        rows
    } else {
        listed(workspace, all)?.into_iter().filter(|s| ids.contains(&s.id)).collect()
    };
    rows.truncate(question.limit);
    Ok(rows)
}

/// Journeys of a range. Where looking stops because it would take a window too long, the command goes on.
fn listed(workspace: &Workspace, mut question: JourneyFilter) -> anyhow::Result<Vec<JourneySummary>> {
    let limit = question.limit;
    let mut rows: Vec<JourneySummary> = Vec::new();
    loop {
        let page = workspace.journeys(&question)?;
        let fresh = page.rows.into_iter().filter(|s| !rows.iter().any(|known| known.id == s.id));
        let fresh: Vec<JourneySummary> = fresh.collect();
        rows.extend(fresh);
        let Some((stopped, _)) = page.stopped.filter(|_| rows.len() < limit) else { break };
        if question.until == Some(stopped) {
            break;
        }
        question.until = Some(stopped);
        question.limit = limit.saturating_sub(rows.len());
    }
    rows.truncate(limit);
    Ok(rows)
}

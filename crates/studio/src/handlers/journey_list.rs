use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::filter::{Field, Filter, Pattern, Term, Test, View};
use flowglass_model::{Graph, JourneyState, Nanos};
use flowglass_store::{FindHit, JourneyFilter, JourneyPage};

use super::journeys::journey_row;
use super::query::{parsed, places};
use super::{around, bounds, event_row, trace_id};
use crate::api::{
    ApiError, Elsewhere, EventRow, HistogramBin, JourneysPage, JourneysRequest, Range, StateCount, to_ms,
};
use crate::workspace::{Workspace, WorkspaceError};
use crate::{Studio, words};

/// Bars of the histogram of settled times.
const BINS: usize = 24;
/// A word of a filter shorter than this is no id or key worth looking for outside of the range.
const ID_LENGTH: usize = 4;
/// Journeys that one id or key may lead to, newest first.
const SHOWN: usize = 500;
/// Hits outside of the range that are counted at most.
const FOUND: usize = 200;

/// See [`JourneysPage`].
pub(crate) async fn journeys(studio: &Studio, request: JourneysRequest) -> Result<JourneysPage, ApiError> {
    let filter = parsed(request.filter.as_deref(), View::Journeys)?;
    let after = request.after.as_deref().map(trace_id).transpose()?;
    let now = studio.now();
    let page = studio.ask(move |workspace| {
        let graph = workspace.graph(None, None, None)?;
        if let Some(find) = request.find.as_deref().map(str::trim).filter(|f| !f.is_empty()) {
            let mut page = found(workspace, &graph, find, now)?;
            if page.rows.is_empty() && page.loose_events.is_empty() {
                page.searched = Some(workspace.searched(find, Range::default())?);
            }
            return Ok(page);
        }
        let (since, until) = bounds(request.range);
        let before = match after {
            Some(id) => workspace.read(|r| r.journey_summary(id))?.map(|s| (s.start, s.id)),
            None => None,
        };
        let places = places(workspace, &filter)?;
        let noise = if request.noise { Vec::new() } else { workspace.settings().config.noise.clone() };
        let limit = request.limit.clamp(1, 500) as usize;
        let question = JourneyFilter {
            since,
            until,
            filter,
            places,
            noise,
            before,
            limit,
            now: Some(now),
            ..JourneyFilter::default()
        };
        let page = workspace.journeys(&question)?;
        let nearest = match page.rows.is_empty() {
            true => around(workspace.read(|r| r.nearest_journeys(&question))?),
            false => Default::default(),
        };
        let elsewhere = match after {
            None => elsewhere(workspace, &question)?,
            Some(_) => None,
        };
        let searched = match looked_for(&question.filter).filter(|_| page.rows.is_empty() && elsewhere.is_none()) {
            Some(text) => Some(workspace.searched(text, request.range)?),
            None => None,
        };
        Ok(JourneysPage { nearest, elsewhere, searched, ..journeys_page(page, &graph, Vec::new()) })
    });
    let mut page = page.await?;
    if let Some(searched) = &mut page.searched {
        searched.offers = super::elsewhere::offers(studio, &searched.text);
    }
    Ok(page)
}

/// Journeys outside of the range that a word or key of the filter names exactly.
fn elsewhere(workspace: &Workspace, question: &JourneyFilter) -> Result<Option<Elsewhere>, WorkspaceError> {
    if question.since.is_none() && question.until.is_none() {
        return Ok(None);
    }
    let inside = |start: i64| question.since.is_none_or(|t| start >= t) && question.until.is_none_or(|t| start < t);
    if let Some(text) = looked_for(&question.filter) {
        let mut starts = Vec::new();
        for hit in workspace.find_first(text, FOUND)? {
            if let FindHit::Trace(trace) = hit {
                starts.extend(workspace.read(|r| r.journey_summary(trace))?.map(|s| s.start));
            }
        }
        starts.retain(|start| !inside(*start));
        if let Some(newest) = starts.iter().max() {
            return Ok(Some(Elsewhere {
                text: text.to_owned(),
                count: starts.len() as u64,
                newest_at: to_ms(*newest),
            }));
        }
    }
    Ok(None)
}

/// The word, id or key that a filter looks for.
fn looked_for(filter: &Filter) -> Option<&str> {
    fn text(term: &Term) -> Option<&Pattern> {
        match &term.test {
            Test::Words(word) => Some(word),
            Test::Is(Field::Key(_) | Field::Id | Field::Trace | Field::Span, values) => values.first(),
            _ => None,
        }
    }
    let asked = filter.terms.iter().filter(|t| !t.negated);
    asked.filter_map(|t| text(t)?.exact()).find(|t| t.len() >= ID_LENGTH)
}

/// What a trace id, span id, event id or business key leads to, whatever the time range.
fn found(workspace: &Workspace, graph: &Graph, text: &str, now: Nanos) -> Result<JourneysPage, WorkspaceError> {
    let mut ids = Vec::new();
    let mut loose = Vec::new();
    for hit in workspace.find_first(text, SHOWN)? {
        match hit {
            FindHit::Trace(trace) => ids.extend(workspace.read(|r| r.journeys_of_trace(trace))?),
            FindHit::Event(row) => loose.push(row),
        }
    }
    let mut seen = BTreeSet::new();
    ids.retain(|id| seen.insert(*id));
    let mut rows = Vec::new();
    for id in ids.into_iter().take(SHOWN) {
        rows.extend(workspace.read(|r| r.journey_summary(id))?);
    }
    workspace.judge(&mut rows, now)?;
    rows.sort_by_key(|r| (std::cmp::Reverse(r.start), r.id));
    let mut loose_rows = Vec::new();
    for row in loose.into_iter().take(100) {
        loose_rows.extend(workspace.read(|r| r.event_row(row))?.map(|r| event_row(r, graph, None)));
    }
    let mut by_state: BTreeMap<JourneyState, u64> = BTreeMap::new();
    for row in &rows {
        *by_state.entry(row.state).or_default() += 1;
    }
    let settled = rows.iter().filter_map(|r| Some((r.settled?, r.state == JourneyState::Failed))).collect();
    let page = JourneyPage {
        total: rows.len() as u64,
        retried: rows.iter().filter(|r| r.retries > 0).count() as u64,
        dead_lettered: rows.iter().filter(|r| r.dead_lettered).count() as u64,
        rows,
        by_state: by_state.into_iter().collect(),
        settled,
        ..JourneyPage::default()
    };
    Ok(journeys_page(page, graph, loose_rows))
}

fn journeys_page(page: JourneyPage, graph: &Graph, loose_events: Vec<EventRow>) -> JourneysPage {
    let mut sorted: Vec<f64> = page.settled.iter().map(|(n, _)| *n as f64 / 1e6).collect();
    sorted.sort_by(f64::total_cmp);
    let quantile =
        |q: f64| sorted.get(((sorted.len() as f64 * q) as usize).min(sorted.len().saturating_sub(1))).copied();
    JourneysPage {
        total: page.total,
        by_state: page
            .by_state
            .iter()
            .map(|(state, count)| StateCount { state: words::journey_state(*state).into(), count: *count })
            .collect(),
        retried: page.retried,
        dead_lettered: page.dead_lettered,
        noise: page.noise,
        stopped_at: page.stopped.map(|(at, _)| to_ms(at)),
        elsewhere: None,
        histogram: histogram(&page.settled),
        p50_ms: quantile(0.5),
        p95_ms: quantile(0.95),
        rows: page.rows.into_iter().map(|r| journey_row(r, graph)).collect(),
        loose_events,
        nearest: Default::default(),
        searched: None,
    }
}

/// Settled times in bins of equal width on a logarithmic scale.
fn histogram(settled: &[(i64, bool)]) -> Vec<HistogramBin> {
    let ms = |n: i64| (n as f64 / 1e6).max(0.1);
    let (Some(low), Some(high)) = (
        settled.iter().map(|(n, _)| ms(*n)).min_by(f64::total_cmp),
        settled.iter().map(|(n, _)| ms(*n)).max_by(f64::total_cmp),
    ) else {
        return Vec::new();
    };
    let (low, high) = (low.log10().floor(), high.log10().ceil().max(low.log10().floor() + 1.0));
    let width = (high - low) / BINS as f64;
    let edge = |i: usize| 10f64.powf(low + width * i as f64);
    let mut bins: Vec<HistogramBin> =
        (0..BINS).map(|i| HistogramBin { from_ms: edge(i), to_ms: edge(i + 1), count: 0, failed: 0 }).collect();
    for (n, failed) in settled {
        let i = (((ms(*n).log10() - low) / width) as usize).min(BINS - 1);
        bins[i].count += 1;
        bins[i].failed += u64::from(*failed);
    }
    bins
}

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::filter::{Field, Test, View};
use flowglass_model::{
    Graph, ItemKind, Journey, JourneyItem, JourneyState, JourneySummary, Layer, LinkHow, NodeId, NodeKind,
};
use flowglass_store::{FindHit, JourneyFilter, JourneyPage};

use super::query::{parsed, places};
use super::{bounds, event_row, nearest, trace_id};
use crate::Studio;
use crate::api::{
    ApiError, BusinessKey, Elsewhere, EventRow, FailureView, HistogramBin, Item, JourneyRequest, JourneyRow,
    JourneyView, JourneysPage, JourneysRequest, Link, StateCount, to_ms,
};
use crate::views::layer_of;
use crate::words;
use crate::workspace::{Workspace, WorkspaceError};

/// Bars of the histogram of settled times.
const BINS: usize = 24;
/// A word of a filter shorter than this is no id or key worth looking for outside of the range.
const ID_LENGTH: usize = 4;
/// Hits outside of the range that are counted at most.
const FOUND: usize = 200;

/// See [`JourneysPage`].
pub(crate) async fn journeys(studio: &Studio, request: JourneysRequest) -> Result<JourneysPage, ApiError> {
    let filter = parsed(request.filter.as_deref(), View::Journeys)?;
    let after = request.after.as_deref().map(trace_id).transpose()?;
    let page = studio.ask(move |workspace| {
        let graph = workspace.graph(None, None, None)?;
        if let Some(find) = request.find.as_deref().map(str::trim).filter(|f| !f.is_empty()) {
            return found(workspace, &graph, find);
        }
        let (since, until) = bounds(request.range);
        let before = match after {
            Some(id) => workspace.read(|r| r.journey_summary(id))?.map(|s| (s.start, s.id)),
            None => None,
        };
        let places = places(workspace, &filter)?;
        let noise = if request.noise { Vec::new() } else { workspace.settings().config.noise.clone() };
        let limit = request.limit.clamp(1, 500) as usize;
        let question = JourneyFilter { since, until, filter, places, noise, before, limit, ..JourneyFilter::default() };
        let page = workspace.journeys(&question)?;
        let nearest = if page.rows.is_empty() { nearest(workspace, request.range)? } else { Default::default() };
        let elsewhere = match after {
            None => elsewhere(workspace, &question)?,
            Some(_) => None,
        };
        Ok(JourneysPage { nearest, elsewhere, ..journeys_page(page, &graph, Vec::new()) })
    });
    Ok(page.await?)
}

/// Journeys outside of the range that a word or key of the filter names exactly.
fn elsewhere(workspace: &Workspace, question: &JourneyFilter) -> Result<Option<Elsewhere>, WorkspaceError> {
    if question.since.is_none() && question.until.is_none() {
        return Ok(None);
    }
    let inside = |start: i64| question.since.is_none_or(|t| start >= t) && question.until.is_none_or(|t| start < t);
    for term in question.filter.terms.iter().filter(|t| !t.negated) {
        let text = match &term.test {
            Test::Words(word) => word.exact(),
            Test::Is(Field::Key(_) | Field::Id | Field::Trace | Field::Span, values) => {
                values.first().and_then(|v| v.exact())
            }
            _ => None,
        };
        let Some(text) = text.filter(|t| t.len() >= ID_LENGTH) else { continue };
        let mut starts = Vec::new();
        for hit in workspace.find(text)?.into_iter().take(FOUND) {
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

/// What a trace id, span id, event id or business key leads to, whatever the time range.
fn found(workspace: &Workspace, graph: &Graph, text: &str) -> Result<JourneysPage, WorkspaceError> {
    let mut ids = Vec::new();
    let mut loose = Vec::new();
    for hit in workspace.find(text)? {
        match hit {
            FindHit::Trace(trace) => ids.extend(workspace.read(|r| r.journeys_of_trace(trace))?),
            FindHit::Event(row) => loose.push(row),
        }
    }
    let mut seen = BTreeSet::new();
    ids.retain(|id| seen.insert(*id));
    let mut rows = Vec::new();
    for id in ids.into_iter().take(500) {
        rows.extend(workspace.read(|r| r.journey_summary(id))?);
    }
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

/// Keys with what people ask for first: the order or claim, then whose it is, then technical ids.
pub(crate) fn by_meaning(mut keys: Vec<(String, String)>) -> Vec<(String, String)> {
    keys.sort_by_key(|(name, _)| match name.as_str() {
        "correlationId" | "requestId" => 2,
        "customerId" => 1,
        _ => 0,
    });
    keys
}

/// A journey as lists show it.
pub(crate) fn journey_row(s: JourneySummary, graph: &Graph) -> JourneyRow {
    let service = s.root_participant.name().to_owned();
    let operation = s.root.strip_prefix(&service).map_or(s.root.as_str(), str::trim).to_owned();
    JourneyRow {
        id: s.id.to_string(),
        layer: layer_of(graph, &s.root_participant).as_str().into(),
        service,
        operation,
        root: s.root,
        start_at: to_ms(s.start),
        response_ms: s.response.map(|n| n as f64 / 1e6),
        settled_ms: s.settled.map(|n| n as f64 / 1e6),
        state: words::journey_state(s.state).into(),
        services: s.participants.iter().filter(|p| p.kind() == NodeKind::Service).count() as u32,
        spans: s.spans as u32,
        events: s.events as u32,
        retries: s.retries as u32,
        dead_lettered: s.dead_lettered,
        keys: by_meaning(s.keys).into_iter().map(|(name, value)| BusinessKey { name, value }).collect(),
        failure: s.failure,
    }
}

/// See [`JourneyView`].
pub(crate) async fn journey(studio: &Studio, request: JourneyRequest) -> Result<JourneyView, ApiError> {
    let id = trace_id(&request.id)?;
    let view = studio.ask(move |workspace| {
        let graph = workspace.graph(None, None, None)?;
        let layers: BTreeMap<&NodeId, Layer> = graph.nodes.iter().map(|n| (&n.id, n.layer)).collect();
        let (journey, rows) = workspace.journey(id, &|n| layers.get(n).copied().unwrap_or(fallback_layer(n)))?;
        Ok(journey_view(journey, &rows, &graph))
    });
    Ok(view.await?)
}

/// The layer of a participant that is not on the map under this very id (topics seen in messages know no environment).
pub(crate) fn fallback_layer(id: &NodeId) -> Layer {
    match id.kind() {
        NodeKind::Topic => Layer::Event,
        NodeKind::Backend | NodeKind::External => Layer::Backend,
        NodeKind::Consumer => Layer::Consumer,
        NodeKind::Service => Layer::Process,
    }
}

/// Items with unique ids, their parents resolved.
struct Items<'a> {
    journey: &'a Journey,
    uids: Vec<String>,
    by_id: BTreeMap<&'a str, Vec<usize>>,
}

impl<'a> Items<'a> {
    fn new(journey: &'a Journey, rows: &[flowglass_store::EventRow]) -> Items<'a> {
        let mut by_id: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let uids = journey
            .items
            .iter()
            .enumerate()
            .map(|(i, item)| {
                by_id.entry(&item.id).or_default().push(i);
                match (item.kind, event_row_of(item, rows)) {
                    (ItemKind::Event, Some(row)) => format!("event:{row}"),
                    (ItemKind::Event, None) => format!("event:{}", item.id),
                    (ItemKind::Span, _) => {
                        let trace = item.trace_id.map(|t| t.to_string()).unwrap_or_default();
                        format!("{trace}:{}:{}", item.id, item.role)
                    }
                }
            })
            .collect();
        Items { journey, uids, by_id }
    }

    /// The item with this id that a child most likely means: of its own trace, and not itself.
    fn resolve(&self, id: &str, child: Option<usize>) -> Option<usize> {
        let candidates = self.by_id.get(id)?;
        let fits = |i: &&usize| child != Some(**i);
        let same_trace =
            |i: &&usize| child.is_none_or(|c| self.journey.items[**i].trace_id == self.journey.items[c].trace_id);
        candidates.iter().filter(fits).find(same_trace).or_else(|| candidates.iter().find(fits)).copied()
    }

    fn uid(&self, id: &str) -> Option<String> {
        self.resolve(id, None).map(|i| self.uids[i].clone())
    }
}

fn event_row_of(item: &JourneyItem, rows: &[flowglass_store::EventRow]) -> Option<i64> {
    if item.kind != ItemKind::Event {
        return None;
    }
    let by_id = rows.iter().find(|r| {
        r.message.event_id.as_deref() == Some(&item.id) && r.message.topic().body() == item.participant.body()
    });
    by_id.map(|r| r.row).or_else(|| item.id.parse().ok())
}

fn journey_view(journey: Journey, rows: &[flowglass_store::EventRow], graph: &Graph) -> JourneyView {
    let items = Items::new(&journey, rows);
    let parents: Vec<Option<usize>> = journey
        .items
        .iter()
        .enumerate()
        .map(|(i, item)| item.parent.as_deref().and_then(|p| items.resolve(p, Some(i))))
        .collect();
    let critical: BTreeSet<&str> = journey.critical_path.iter().map(|s| s.id.as_str()).collect();
    let view = |&i: &usize| {
        let item = &journey.items[i];
        Item {
            uid: items.uids[i].clone(),
            item_type: if item.kind == ItemKind::Span { "span" } else { "event" }.into(),
            id: item.id.clone(),
            trace_id: item.trace_id.map(|t| t.to_string()),
            participant: item.participant.to_string(),
            participant_name: item.participant.name().to_owned(),
            layer: item.layer.as_str().into(),
            name: item.name.clone(),
            role: item.role.clone(),
            start_at: to_ms(item.start),
            duration_ms: item.duration as f64 / 1e6,
            status: words::item_status(item.status).into(),
            depth: item.depth,
            parent: parents[i].map(|p| items.uids[p].clone()),
            synchronous: synchronous(&journey.items, &parents, i),
            critical: critical.contains(item.id.as_str()),
            delivery: item.delivery,
            retry: item.retry,
            badge: item.badge.clone(),
            event_row: event_row_of(item, rows),
        }
    };
    let links = journey
        .links
        .iter()
        .filter(|l| l.how != LinkHow::Parent)
        .filter_map(|l| {
            Some(Link {
                from: items.uid(&l.from)?,
                to: items.uid(&l.to)?,
                how: l.how.as_str().into(),
                sure: words::sure(l.sure).into(),
            })
        })
        .collect();
    let errors = journey.summary.errors as u32;
    let failure = journey.failure.as_ref().and_then(|f| {
        Some(FailureView {
            first: items.uid(&f.first)?,
            participant: f.participant.to_string(),
            participant_name: f.participant.name().to_owned(),
            cause: f.cause.clone(),
            chain: f.chain.iter().filter_map(|id| items.uid(id)).collect(),
            later: errors.saturating_sub(1),
        })
    });
    JourneyView {
        items: tree_order(&journey.items, &parents).iter().map(view).collect(),
        links,
        failure,
        traces: journey.traces.iter().map(|t| t.to_string()).collect(),
        missing: journey.missing.len() as u32,
        skew_ms: skew_ms(&journey.items, &parents),
        row: journey_row(journey.summary.clone(), graph),
    }
}

/// The largest clock difference that calls prove: a request handled before it was sent, or answered after the answer came. A
/// lower bound; nothing is moved by it (a handling longer than its call proves nothing: the work may go on after the answer).
fn skew_ms(items: &[JourneyItem], parents: &[Option<usize>]) -> Option<f64> {
    let proven = |(i, parent): (usize, &Option<usize>)| {
        let (server, client) = (&items[i], &items[(*parent)?]);
        let pair = server.role == "server" && client.role == "client" && server.participant != client.participant;
        if !pair || server.duration > client.duration {
            return None;
        }
        let early = client.start - server.start;
        let late = (server.start + server.duration) - (client.start + client.duration);
        Some(early.max(late)).filter(|n| *n > 0)
    };
    parents.iter().enumerate().filter_map(proven).max().map(|n| n as f64 / 1e6)
}

/// Whether an item belongs to what the caller waits for: no event and no message handling above it.
fn synchronous(items: &[JourneyItem], parents: &[Option<usize>], of: usize) -> bool {
    let mut at = Some(of);
    for _ in 0..items.len() {
        let Some(i) = at else { return true };
        if items[i].kind == ItemKind::Event || items[i].role == "consumer" || items[i].delivery.is_some() {
            return false;
        }
        at = parents[i];
    }
    true
}

/// Parents before children, siblings by start; what hangs in a circle comes last.
fn tree_order(items: &[JourneyItem], parents: &[Option<usize>]) -> Vec<usize> {
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); items.len()];
    let mut open = Vec::new();
    for (i, parent) in parents.iter().enumerate() {
        match parent {
            Some(p) => children[*p].push(i),
            None => open.push(i),
        }
    }
    open.reverse();
    let mut seen = vec![false; items.len()];
    let mut order = Vec::with_capacity(items.len());
    while let Some(i) = open.pop() {
        if std::mem::replace(&mut seen[i], true) {
            continue;
        }
        order.push(i);
        open.extend(children[i].iter().rev());
    }
    order.extend((0..items.len()).filter(|i| !seen[*i]));
    order
}

#[cfg(test)]
mod tests {
    use flowglass_model::ItemStatus;

    use super::*;

    fn item(role: &str, service: &str, start: i64, duration: i64) -> JourneyItem {
        JourneyItem {
            kind: ItemKind::Span,
            id: format!("{service}{role}"),
            source: None,
            trace_id: None,
            participant: NodeId::from(format!("service:{service}")),
            layer: Layer::Process,
            name: String::new(),
            start,
            duration,
            status: ItemStatus::Unset,
            depth: 0,
            parent: None,
            role: role.into(),
            delivery: None,
            retry: None,
            badge: None,
        }
    }

    #[test]
    fn only_what_a_call_proves_counts_as_skew() {
        let ms = 1_000_000;
        let call = item("client", "web", 10 * ms, 20 * ms);
        for (server, want) in [
            (item("server", "api", 12 * ms, 10 * ms), None),
            (item("server", "api", 6 * ms, 10 * ms), Some(4.0)),
            (item("server", "api", 25 * ms, 10 * ms), Some(5.0)),
            (item("server", "api", 6 * ms, 90 * ms), None),
            (item("server", "web", 6 * ms, 10 * ms), None),
            (item("consumer", "api", 6 * ms, 10 * ms), None),
        ] {
            assert_eq!(skew_ms(&[call.clone(), server.clone()], &[None, Some(0)]), want, "{server:?}");
        }
    }
}

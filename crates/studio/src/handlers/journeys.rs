use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::{
    Config, Gap, Graph, ItemKind, Journey, JourneyItem, JourneySummary, Layer, LinkHow, Mark, NodeId, NodeKind,
    Relation,
};

use super::decide::decisions;
use super::trace_id;
use crate::Studio;
use crate::api::{
    ApiError, BusinessKey, FailureView, GapView, Item, JourneyRequest, JourneyRow, JourneyView, Link, MarkView,
    RelatedJourney, RelatedJourneys, TimeShare, to_ms,
};
use crate::views::layer_of;
use crate::words;
use crate::workspace::WorkspaceError;

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
    let clock = studio.now();
    let view = studio.ask(move |workspace| {
        let graph = workspace.graph(None, None, None)?;
        let layers: BTreeMap<&NodeId, Layer> = graph.nodes.iter().map(|n| (&n.id, n.layer)).collect();
        let layer = |n: &NodeId| layers.get(n).copied().unwrap_or(fallback_layer(n));
        let (mut journey, mut rows) = workspace.journey(id, &layer)?;
        let lacking = workspace.judge_journey(&mut journey, clock)?;
        let mut guessed = BTreeSet::new();
        if request.guesses {
            (journey, rows, guessed) = workspace.with_guesses(journey, rows, &layer)?;
        }
        let guessed: BTreeSet<String> = {
            let uids = uids(&journey, &rows);
            guessed.into_iter().filter_map(|n| uids.get(n).cloned()).collect()
        };
        let config = workspace.settings().config;
        let mut view = JourneyView { lacking, ..journey_view(journey, &rows, &graph, &config, &layer) };
        view.items.iter_mut().for_each(|item| item.guessed = guessed.contains(&item.uid));
        Ok(view)
    });
    Ok(view.await?)
}

/// See [`RelatedJourneys`].
pub(crate) async fn related_journeys(studio: &Studio, request: JourneyRequest) -> Result<RelatedJourneys, ApiError> {
    let id = trace_id(&request.id)?;
    let found = studio.ask(move |workspace| {
        let root = workspace.journey_of(id)?;
        let Some(own) = workspace.read(|r| r.journey_summary(root))? else {
            return Err(WorkspaceError::NotFound(root.to_string()));
        };
        let (related, hubs) = workspace.related(&own)?;
        Ok(RelatedJourneys {
            rows: related.iter().map(related_journey).collect(),
            hubs,
            joins: workspace.joins_of(root)?,
            decided: decisions(&workspace.joining()),
        })
    });
    Ok(found.await?)
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

/// The ids by which windows know the items of a journey.
pub(super) fn uids(journey: &Journey, rows: &[flowglass_store::EventRow]) -> Vec<String> {
    Items::new(journey, rows).uids
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

/// A journey as the window shows it.
pub(crate) fn journey_view(
    journey: Journey,
    rows: &[flowglass_store::EventRow],
    graph: &Graph,
    config: &Config,
    layer: &dyn Fn(&NodeId) -> Layer,
) -> JourneyView {
    let items = Items::new(&journey, rows);
    let parents: Vec<Option<usize>> = journey
        .items
        .iter()
        .enumerate()
        .map(|(i, item)| item.parent.as_deref().and_then(|p| items.resolve(p, Some(i))))
        .collect();
    let critical: BTreeSet<&str> = journey.critical_path.iter().map(|s| s.id.as_str()).collect();
    let settled: BTreeSet<&str> = journey.settled_path.iter().map(|s| s.id.as_str()).collect();
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
            settled_critical: settled.contains(item.id.as_str()),
            delivery: item.delivery,
            retry: item.retry,
            badge: item.badge.clone(),
            guessed: false,
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
        let owner = config.owner_of(&f.participant);
        Some(FailureView {
            for_customer: f.for_customer.clone(),
            owner: owner.map(|o| o.owner.clone()),
            contact: owner.and_then(|o| o.contact.clone()),
            runbook: owner.and_then(|o| o.runbook.clone()),
            first: items.uid(&f.first)?,
            participant: f.participant.to_string(),
            participant_name: f.participant.name().to_owned(),
            cause: f.cause.clone(),
            logged: f.logged.clone(),
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
        gaps: journey.gaps.iter().filter_map(|g| gap_view(g, &items)).collect(),
        time_by: journey.time_by.iter().map(|(who, n)| time_share(who.as_str(), who.name(), layer(who), *n)).collect(),
        time_by_layer: by_layer(&journey.time_by, layer),
        marks: journey.marks.iter().filter_map(|m| mark_view(m, &items)).collect(),
        lacking: Vec::new(),
        row: journey_row(journey.summary.clone(), graph),
    }
}

fn gap_view(gap: &Gap, items: &Items<'_>) -> Option<GapView> {
    Some(GapView {
        kind: words::gap_kind(gap.kind).into(),
        from: items.uid(&gap.from)?,
        to: items.uid(&gap.to)?,
        participant: gap.participant.to_string(),
        participant_name: gap.participant.name().to_owned(),
        start_at: to_ms(gap.start),
        duration_ms: gap.duration as f64 / 1e6,
        critical: gap.critical,
    })
}

fn related_journey(r: &Relation) -> RelatedJourney {
    RelatedJourney {
        id: r.journey.to_string(),
        how: r.how.as_str().into(),
        sure: words::sure(r.sure).into(),
        because: r.because.clone(),
    }
}

fn mark_view(mark: &Mark, items: &Items<'_>) -> Option<MarkView> {
    Some(MarkView { uid: items.uid(&mark.id)?, kind: words::mark_kind(mark.kind).into(), words: mark.words.clone() })
}

fn time_share(id: &str, name: &str, layer: Layer, nanos: i64) -> TimeShare {
    TimeShare { id: id.to_owned(), name: name.to_owned(), layer: layer.as_str().into(), ms: nanos as f64 / 1e6 }
}

fn by_layer(time_by: &[(NodeId, i64)], layer: &dyn Fn(&NodeId) -> Layer) -> Vec<TimeShare> {
    let mut sums: BTreeMap<&'static str, (Layer, i64)> = BTreeMap::new();
    for (who, nanos) in time_by {
        let layer = layer(who);
        sums.entry(layer.as_str()).or_insert((layer, 0)).1 += nanos;
    }
    let mut out: Vec<TimeShare> =
        sums.into_iter().map(|(id, (layer, n))| time_share(id, words::layer_title(layer), layer, n)).collect();
    out.sort_by(|a, b| b.ms.total_cmp(&a.ms));
    out
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

//! A stitched and judged journey, written down as the model has it.

use std::borrow::Borrow;

use flowglass_model::{
    Acknowledgement, CriticalStep, Effect, Failure, Gap, ItemKind, ItemStatus, Journey, JourneyItem, JourneyLink,
    JourneySummary, Layer, Mark, NodeId, Role, SpanFacts, SpanStatus, TraceId,
};

use crate::failure::{self, First};
use crate::index::Index;
use crate::outcome::Outcome;
use crate::select::event_id;
use crate::settled::Wait;
use crate::tree::{Tree, kind_word};
use crate::{Input, critical, marks, sentence, settled};

/// The list's view of a journey; runs for each touched journey as batches are written. O(n log n) in spans, joins and events.
///
/// [`flowglass_model::JourneyState::InProgress`] is given only where a refused message is to be delivered again: everything else
/// that may still come takes a clock.
pub fn summarise<S: Borrow<SpanFacts>>(input: &Input<'_, S>) -> JourneySummary {
    let index = Index::new(input.spans);
    let tree = Tree::new(input, &index);
    let outcome = Outcome::new(&tree, input.deliveries);
    let first = failure::first(&tree, &outcome);
    summary(input.root, &tree, &outcome, first.as_ref())
}

/// A journey in full: items, links, critical path, failure. Its summary equals [`summarise`] of the same input.
pub fn build<S: Borrow<SpanFacts>>(input: &Input<'_, S>) -> Journey {
    let index = Index::new(input.spans);
    let tree = Tree::new(input, &index);
    let outcome = Outcome::new(&tree, input.deliveries);
    let first = failure::first(&tree, &outcome);
    let mut traces: Vec<TraceId> = tree.spans.iter().map(|s| s.trace_id).collect();
    traces.sort_unstable_by_key(|t| (*t != input.root, *t));
    traces.dedup();
    let path = tree.top.map(|t| critical::path(&tree, t)).unwrap_or_default();
    let mut waits = settled::waits(&tree, &outcome);
    let settled_path = settled::path(&tree, &mut waits);
    let marks = marks::marks(&tree, &outcome, &waits);
    let step = |(n, self_time)| CriticalStep { id: id(&tree, n), self_time };
    Journey {
        summary: summary(input.root, &tree, &outcome, first.as_ref()),
        items: items(&tree, &outcome, input.layers),
        links: links(&tree),
        critical_path: path.into_iter().map(step).collect(),
        time_by: settled::by_participant(&tree, &settled_path, &waits),
        settled_path: settled_path.into_iter().map(step).collect(),
        gaps: waits.into_iter().map(|w| gap(&tree, w)).collect(),
        marks: marks.into_iter().map(|(n, kind, words)| Mark { id: id(&tree, n), kind, words }).collect(),
        failure: first.map(|f| Failure {
            first: id(&tree, f.node),
            participant: f.participant,
            cause: f.cause,
            chain: f.chain.iter().map(|n| id(&tree, *n)).collect(),
            for_customer: f.for_customer,
            logged: None,
        }),
        traces,
        missing: tree.missing,
    }
}

fn gap(tree: &Tree<'_>, wait: Wait) -> Gap {
    Gap {
        kind: wait.kind,
        from: id(tree, wait.from),
        to: id(tree, wait.to),
        participant: wait.participant,
        start: wait.start,
        duration: wait.duration,
        critical: wait.critical,
    }
}

/// The contract's id of a node.
fn id(tree: &Tree<'_>, node: usize) -> String {
    match tree.span(node) {
        Some(span) => span.span_id.to_string(),
        None => event_id(tree.events[node - tree.spans.len()]),
    }
}

fn summary(root: TraceId, tree: &Tree<'_>, outcome: &Outcome<'_>, first: Option<&First>) -> JourneySummary {
    let starts = tree.spans.iter().map(|s| s.start).chain(tree.events.iter().map(|e| e.time));
    let start = starts.min().unwrap_or_default();
    let end = tree.spans.iter().map(|s| s.end).chain(tree.events.iter().map(|e| e.time)).max();
    let top = tree.top.map(|t| tree.spans[t]);
    let (name, root_participant) = match (top, tree.events.first()) {
        (Some(span), _) => (format!("{} {}", span.service.name(), span.operation), span.service.clone()),
        (None, Some(event)) => (event.name.clone(), tree.topic(0)),
        (None, None) => (root.to_string(), NodeId::from("service:unknown_service")),
    };
    JourneySummary {
        id: root,
        root: name,
        root_participant,
        start,
        response: top.filter(|_| !tree.entry_missing).map(SpanFacts::duration),
        settled: end.map(|end| end.saturating_sub(start)),
        state: outcome.state,
        participants: participants(tree),
        spans: tree.spans.len() as u64,
        events: tree.events.len() as u64,
        errors: tree.spans.iter().filter(|s| s.is_error()).count() as u64,
        retries: outcome.retries,
        dead_lettered: outcome.dead_lettered,
        keys: keys(tree),
        failure: first.map(|f| f.cause.clone()),
        effects: effects(tree),
    }
}

/// Publications told by spans or events, and their handlings.
fn effects(tree: &Tree<'_>) -> Vec<Effect> {
    let mut out: Vec<Effect> = Vec::new();
    for span in &tree.spans {
        let (topic, handled_by) = match &span.role {
            Role::Send { topic, .. } => (topic, None),
            Role::Process { topic, .. } | Role::Receive { topic, .. } => (topic, Some(span.service.clone())),
            _ => continue,
        };
        out.push(Effect { topic: topic.in_environment(None), handled_by });
    }
    out.extend((0..tree.events.len()).map(|e| Effect { topic: tree.topic(e).in_environment(None), handled_by: None }));
    out.sort();
    out.dedup();
    out
}

/// Services, the topics and backends they used.
fn participants(tree: &Tree<'_>) -> Vec<NodeId> {
    let mut seen: Vec<&NodeId> = Vec::with_capacity(tree.spans.len());
    for span in &tree.spans {
        seen.push(&span.service);
        match &span.role {
            Role::Send { topic, .. } | Role::Receive { topic, .. } | Role::Process { topic, .. } => seen.push(topic),
            Role::Access { backend } => seen.push(backend),
            _ => {}
        }
    }
    seen.sort_unstable();
    seen.dedup();
    let mut all: Vec<NodeId> = seen.into_iter().cloned().chain((0..tree.events.len()).map(|e| tree.topic(e))).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn keys(tree: &Tree<'_>) -> Vec<(String, String)> {
    let spans = tree.spans.iter().flat_map(|s| &s.keys);
    let mut keys: Vec<&(String, String)> = spans.chain(tree.events.iter().flat_map(|e| &e.keys)).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter().cloned().collect()
}

fn links(tree: &Tree<'_>) -> Vec<JourneyLink> {
    let links = tree.links.iter().map(|(from, to, how)| (id(tree, *from), id(tree, *to), *how));
    let mut links: Vec<_> = links.filter(|(from, to, _)| from != to).collect();
    links.sort();
    links.dedup();
    links.into_iter().map(|(from, to, how)| JourneyLink { from, to, how, sure: how.sure() }).collect()
}

fn items(tree: &Tree<'_>, outcome: &Outcome<'_>, layers: &dyn Fn(&NodeId) -> Layer) -> Vec<JourneyItem> {
    let depths = depths(tree);
    let parent = |node: usize| tree.parent[node].map(|p| id(tree, p));
    let mut items: Vec<JourneyItem> = Vec::with_capacity(tree.len());
    for (n, span) in tree.spans.iter().enumerate() {
        items.push(JourneyItem {
            kind: ItemKind::Span,
            id: span.span_id.to_string(),
            source: None,
            trace_id: Some(span.trace_id),
            participant: span.service.clone(),
            layer: layers(&span.service),
            name: span.operation.to_string(),
            start: span.start,
            duration: span.duration(),
            status: status(span.status),
            depth: depths[n],
            parent: parent(n),
            role: kind_word(span.kind).to_owned(),
            delivery: None,
            retry: (span.resend > 0).then_some(span.resend),
            badge: badge(tree, n),
        });
    }
    for handling in &outcome.handlings {
        let item = &mut items[handling.span];
        item.delivery = handling.delivery;
        match outcome.acknowledgement(tree, handling) {
            Some(Acknowledgement::Nak) => item.badge = Some("nak".to_owned()),
            Some(Acknowledgement::Term) => item.badge = Some("term".to_owned()),
            _ => {}
        }
    }
    for (e, event) in tree.events.iter().enumerate() {
        let node = tree.event_node(e);
        let participant = tree.topic(e);
        items.push(JourneyItem {
            kind: ItemKind::Event,
            id: event_id(event),
            source: event.source.clone(),
            trace_id: event.hop.or(event.origin).map(|c| c.trace_id),
            layer: layers(&participant),
            participant,
            name: event.name.clone(),
            start: event.time,
            duration: 0,
            status: if event.dead_lettered { ItemStatus::Error } else { ItemStatus::Unset },
            depth: depths[node],
            parent: parent(node),
            role: "event".to_owned(),
            delivery: None,
            retry: None,
            badge: event.dead_lettered.then(|| "dead-lettered".to_owned()),
        });
    }
    items.sort_by(|a, b| (a.start, &a.id).cmp(&(b.start, &b.id)));
    items
}

fn status(status: SpanStatus) -> ItemStatus {
    match status {
        SpanStatus::Unset => ItemStatus::Unset,
        SpanStatus::Ok => ItemStatus::Ok,
        SpanStatus::Error => ItemStatus::Error,
    }
}

/// What stands on the bar of a span that did not go well.
fn badge(tree: &Tree<'_>, n: usize) -> Option<String> {
    let span = tree.spans[n];
    if let Some(status) = span.http_status.filter(|s| *s >= 400) {
        return Some(status.to_string());
    }
    if !span.is_error() {
        return None;
    }
    if sentence::timed_out(tree, n) {
        return Some("timeout".to_owned());
    }
    span.grpc_status.filter(|c| *c > 0).map(sentence::grpc_name)
}

/// Steps from the root above each node. Parents never form a cycle, so each node is reached once.
fn depths(tree: &Tree<'_>) -> Vec<u32> {
    let mut depths = vec![0; tree.len()];
    let mut work: Vec<usize> = (0..tree.len()).filter(|n| tree.parent[*n].is_none()).collect();
    while let Some(n) = work.pop() {
        for child in tree.children.of(n) {
            depths[*child] = depths[n] + 1;
            work.push(*child);
        }
    }
    depths
}

//! Publications and deliveries as spans tell them (semantic conventions for messaging spans: links are the default relation
//! between sender and handler, a parent is possible, a message id is what is left).

use flowglass_model::{InteractionKind, LinkHow, NodeId, Role, SeriesKey, SpanFacts, UnresolvedReason};

use super::contribution::{Contribution, sender_above};
use super::world::{At, World, message_id, rank, same_topic, topic};

fn is_create(facts: &SpanFacts) -> bool {
    matches!(facts.role, Role::Send { create: true, .. })
}

fn is_send(facts: &SpanFacts) -> bool {
    matches!(facts.role, Role::Send { create: false, .. })
}

fn same_topic_and_service(a: &SpanFacts, b: &SpanFacts) -> bool {
    a.service == b.service && matches!((topic(&a.role), topic(&b.role)), (Some(x), Some(y)) if same_topic(x, y))
}

/// Whether the span told no destination.
pub(super) fn unnamed(topic: &NodeId) -> bool {
    topic.body().split_once('/').is_none_or(|(_, name)| name.is_empty())
}

/// Ids do not contradict each other.
fn same_or_unknown(a: Option<&str>, b: Option<&str>) -> bool {
    a.is_none() || b.is_none() || a == b
}

fn unique(mut spans: Vec<At>) -> Vec<At> {
    spans.sort_unstable();
    spans.dedup();
    spans
}

/// Spans that send what a creation span created: around it in the trace, or linking to it, else with its message id.
fn sends_of(world: World<'_>, create: At) -> Vec<At> {
    let facts = world.span(create);
    let mut near: Vec<At> = world.local_ancestor(create).into_iter().collect();
    near.extend(world.first_below(create));
    near.extend(world.linking(create.0, facts.span_id));
    near.retain(|s| is_send(world.span(*s)) && same_topic_and_service(facts, world.span(*s)));
    if near.is_empty()
        && let (Some(id), Some(topic)) = (message_id(&facts.role), topic(&facts.role))
    {
        near = world.with_message(topic, id);
        near.retain(|s| is_send(world.span(*s)) && same_topic_and_service(facts, world.span(*s)));
    }
    unique(near)
}

/// Creation spans whose messages a send span sends (only where the trace or a link says so).
fn created_for(world: World<'_>, send: At) -> Vec<At> {
    let facts = world.span(send);
    let mut near: Vec<At> = world.local_ancestor(send).into_iter().collect();
    near.extend(world.first_below(send));
    near.extend(world.linked(send));
    near.retain(|s| is_create(world.span(*s)) && same_topic_and_service(facts, world.span(*s)));
    unique(near)
}

/// How many publications a send or creation span stands for: none where another span stands for them.
pub(super) fn publications(world: World<'_>, at: At) -> usize {
    let facts = world.span(at);
    if is_create(facts) {
        return usize::from(sends_of(world, at).is_empty());
    }
    if inner_sends(world, at).is_empty() { created_for(world, at).len().max(1) } else { 0 }
}

/// Send spans inside a send span of the same message (a framework over an instrumented client).
fn inner_sends(world: World<'_>, at: At) -> Vec<At> {
    let facts = world.span(at);
    let above = world.local_ancestor(at);
    let mut below = world.first_below(at);
    // A ring of parents (broken input) has no inner span.
    below.retain(|b| Some(*b) != above);
    below.retain(|b| {
        let b = world.span(*b);
        is_send(b) && same_topic_and_service(facts, b) && same_or_unknown(message_id(&facts.role), message_id(&b.role))
    });
    below
}

/// Whether a span with this message id stands for a publication of it: all do, but those beside which another one with the same
/// id does.
pub(super) fn stands_for(world: World<'_>, at: At, id: &str) -> bool {
    let beside = if is_create(world.span(at)) { sends_of(world, at) } else { inner_sends(world, at) };
    !beside.iter().any(|s| message_id(&world.span(*s).role) == Some(id))
}

/// When the publication was over.
pub(super) fn published(world: World<'_>, at: At) -> i64 {
    let facts = world.span(at);
    if !is_create(facts) {
        return facts.end;
    }
    sends_of(world, at).into_iter().map(|s| world.span(s).end).min().unwrap_or(facts.end)
}

pub(super) fn send(world: World<'_>, at: At, out: &mut Contribution<'_>) {
    let facts = world.span(at);
    let Role::Send { topic, .. } = &facts.role else { return };
    if unnamed(topic) {
        return out.unresolved(facts, UnresolvedReason::DestinationUnnamed);
    }
    for _ in 0..publications(world, at) {
        let duration = Some(facts.duration());
        out.edge(InteractionKind::Publish, (&facts.service, topic), facts.start, facts.is_error(), duration);
    }
}

/// Where a handled message came from.
struct Producers {
    spans: Vec<At>,
    how: Option<LinkHow>,
}

/// The send spans of what a process or receive span handled: by parent or link, else by message id.
fn producers(world: World<'_>, at: At) -> Producers {
    let facts = world.span(at);
    let id = message_id(&facts.role);
    let is_sender = |s: &At| matches!(world.span(*s).role, Role::Send { .. });
    let mut linked = world.linked(at);
    linked.retain(is_sender);
    let named: Vec<At> =
        linked.iter().copied().filter(|s| id.is_some() && message_id(&world.span(*s).role) == id).collect();
    if !named.is_empty() {
        return Producers { spans: named, how: Some(LinkHow::SpanLink) };
    }
    if !linked.is_empty() {
        return Producers { spans: linked, how: Some(LinkHow::SpanLink) };
    }
    if let Some(parent) = sender_above(world, at) {
        return Producers { spans: vec![parent], how: Some(LinkHow::Parent) };
    }
    if let (Some(id), Some(topic)) = (id, topic(&facts.role)) {
        let mut sent = world.with_message(topic, id);
        sent.retain(is_sender);
        sent.sort_unstable_by_key(|s| rank(world.span(*s)));
        if !sent.is_empty() {
            return Producers { spans: sent, how: Some(LinkHow::MessageId) };
        }
    }
    // A receive span with one link above: what it received is what is processed.
    let received = world.local_ancestor(at).filter(|r| matches!(world.span(*r).role, Role::Receive { .. }));
    if let Some(receive) = received
        && world.span(receive).links.len() == 1
    {
        let mut sent = world.linked(receive);
        sent.retain(is_sender);
        return Producers { spans: sent, how: Some(LinkHow::SpanLink) };
    }
    Producers { spans: Vec::new(), how: None }
}

/// When the one message was published: of several publications of it, the last before it was handled.
fn published_before(world: World<'_>, senders: &[At], handled: i64) -> Option<i64> {
    let ends = senders.iter().map(|s| published(world, *s));
    ends.clone().filter(|e| *e <= handled).max().or_else(|| ends.min())
}

fn joins(world: World<'_>, at: At, found: &Producers, out: &mut Contribution<'_>) {
    let facts = world.span(at);
    for link in &facts.links {
        out.join_ids(*link, facts, LinkHow::SpanLink);
    }
    if found.how == Some(LinkHow::MessageId) && facts.links.is_empty() {
        for sender in &found.spans {
            out.join(world.span(*sender), facts, LinkHow::MessageId);
        }
    }
}

/// Whether a process span lies inside another one of the same message (a framework over an instrumented client).
fn is_inner(world: World<'_>, at: At) -> bool {
    let facts = world.span(at);
    world.local_ancestor(at).map(|a| world.span(a)).is_some_and(|above| {
        matches!(above.role, Role::Process { .. })
            && same_topic_and_service(above, facts)
            && same_or_unknown(message_id(&above.role), message_id(&facts.role))
    })
}

pub(super) fn process(world: World<'_>, at: At, out: &mut Contribution<'_>) {
    let facts = world.span(at);
    let Role::Process { topic, group, message_id, .. } = &facts.role else { return };
    let found = producers(world, at);
    joins(world, at, &found, out);
    if is_inner(world, at) {
        return;
    }
    out.handled(facts);
    if unnamed(topic) {
        return out.unresolved(facts, UnresolvedReason::DestinationUnnamed);
    }
    // Without a message id, several linked senders mean a batch: one delivery each.
    let batch = message_id.is_none() && found.how == Some(LinkHow::SpanLink) && found.spans.len() > 1;
    if !batch {
        let waited = published_before(world, &found.spans, facts.start).map(|p| facts.start.saturating_sub(p));
        return delivery(facts, topic, group.as_deref(), facts.start, waited, out);
    }
    for sender in &found.spans {
        let waited = facts.start.saturating_sub(published(world, *sender));
        delivery(facts, topic, group.as_deref(), facts.start, Some(waited), out);
    }
}

fn delivery(
    facts: &SpanFacts,
    topic: &NodeId,
    group: Option<&str>,
    at: i64,
    waited: Option<i64>,
    out: &mut Contribution<'_>,
) {
    out.edge(InteractionKind::Consume, (topic, &facts.service), at, facts.is_error(), waited);
    let group = group.unwrap_or_default().to_owned();
    let key = SeriesKey::Group { topic: topic.clone(), group, participant: facts.service.clone() };
    out.add(key, at, false, None);
}

/// Whether what was received is processed in a span of its own.
fn is_processed(world: World<'_>, at: At) -> bool {
    let facts = world.span(at);
    let processes = |s: &SpanFacts| matches!(s.role, Role::Process { .. }) && s.service == facts.service;
    let any = |spans: Vec<At>| spans.into_iter().any(|s| processes(world.span(s)));
    if any(world.first_below(at)) || any(world.linking(at.0, facts.span_id)) {
        return true;
    }
    if facts.links.iter().any(|(t, s)| any(world.linking(*t, *s))) {
        return true;
    }
    match (topic(&facts.role), message_id(&facts.role)) {
        (Some(topic), Some(id)) => any(world.with_message(topic, id)),
        _ => false,
    }
}

pub(super) fn receive(world: World<'_>, at: At, out: &mut Contribution<'_>) {
    let facts = world.span(at);
    let Role::Receive { topic, group, batch, .. } = &facts.role else { return };
    let found = producers(world, at);
    joins(world, at, &found, out);
    if is_processed(world, at) {
        return;
    }
    let count = if facts.links.is_empty() { batch.unwrap_or(1) as usize } else { facts.links.len() };
    if count == 0 {
        return;
    }
    out.handled(facts);
    if unnamed(topic) {
        return out.unresolved(facts, UnresolvedReason::DestinationUnnamed);
    }
    // A receive span starts when the wait starts; the message is there when it ends.
    let one = published_before(world, &found.spans, facts.end).map(|p| facts.end.saturating_sub(p));
    for n in 0..count {
        let waited = match found.spans.get(n) {
            _ if count == 1 => one,
            Some(sender) if found.how == Some(LinkHow::SpanLink) => {
                Some(facts.end.saturating_sub(published(world, *sender)))
            }
            _ => None,
        };
        delivery(facts, topic, group.as_deref(), facts.start, waited, out);
    }
}

/// A span without messaging attributes that links to another service's send span handles that message.
pub(super) fn linked_consume(world: World<'_>, at: At, entered: Option<At>, out: &mut Contribution<'_>) {
    let facts = world.span(at);
    if facts.links.is_empty() {
        return;
    }
    let inside = world.local_ancestor(at).is_some_and(|above| {
        let above = world.span(above);
        matches!(above.role, Role::Process { .. } | Role::Receive { .. })
            || above.links.iter().any(|l| facts.links.contains(l))
    });
    if inside {
        return;
    }
    for sender in world.linked(at) {
        let from = world.span(sender);
        let Role::Send { topic, .. } = &from.role else { continue };
        out.join(from, facts, LinkHow::SpanLink);
        if from.service == facts.service || entered == Some(sender) || unnamed(topic) {
            continue;
        }
        let waited = facts.start.saturating_sub(published(world, sender));
        out.edge(InteractionKind::Consume, (topic, &facts.service), facts.start, facts.is_error(), Some(waited));
        if matches!(facts.role, Role::Internal) && entered.is_none() {
            out.handled(facts);
        }
    }
}

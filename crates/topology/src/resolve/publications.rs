//! Publications seen as messages: counted unless a send span stands for them, and taken back when such a span arrives later.

use flowglass_model::{
    InteractionKind, Message, MessageContext, Nanos, NodeId, Role, SeriesKey, ServiceName, SpanFacts, UnresolvedReason,
};
use std::collections::BTreeSet;

use super::changes::{Change, Changes, Figure};
use super::gather::Gatherer;
use super::messaging::stands_for;
use super::world::{At, World, message_id, rank, topic};
use super::{FactSource, MessageSighting, Unmatched};

/// Publications that are judged together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    /// All with one id on one destination.
    Id { system: String, destination: String, id: String },
    /// All without an id on one destination that one span sent.
    Hop { system: String, destination: String, hop: (flowglass_model::TraceId, flowglass_model::SpanId) },
}

fn body(system: &str, destination: &str) -> String {
    format!("{system}/{destination}")
}

impl Group {
    fn of(sighting: &MessageSighting) -> Option<Group> {
        let (system, destination) = (sighting.system.clone(), sighting.destination.clone());
        match (&sighting.event_id, sighting.hop) {
            (Some(id), _) => Some(Group::Id { system, destination, id: id.clone() }),
            (None, Some(hop)) => Some(Group::Hop { system, destination, hop: (hop.trace_id, hop.span_id) }),
            (None, None) => None,
        }
    }

    /// Of a send or creation span that knows its message's id and destination.
    fn of_send(facts: &SpanFacts) -> Option<Group> {
        let Role::Send { topic, message_id: Some(id), .. } = &facts.role else { return None };
        let (system, destination) = topic.body().split_once('/')?;
        Some(Group::Id { system: system.to_owned(), destination: destination.to_owned(), id: id.clone() })
    }

    fn topic(&self) -> NodeId {
        let (Group::Id { system, destination, .. } | Group::Hop { system, destination, .. }) = self;
        NodeId::topic(system, destination, None)
    }

    /// Under this key the store keeps what was counted.
    fn key(&self) -> String {
        match self {
            Group::Id { system, destination, id } => format!("{}\u{1f}{id}", body(system, destination)),
            Group::Hop { system, destination, hop: (trace, span) } => {
                format!("hop\u{1f}{trace}\u{1f}{span}\u{1f}{}", body(system, destination))
            }
        }
    }
}

/// Under this key the store remembers that publications wait for spans of a trace.
fn waiting_key(trace: flowglass_model::TraceId) -> String {
    format!("trace\u{1f}{trace}")
}

/// A node for a CloudEvents `source` (a URI reference): its last path segment names a service; a bare host is an external
/// system. `None` when nothing is left of it.
fn guessed_sender(source: &str) -> Option<NodeId> {
    let text = source.trim();
    let (rest, is_url) = match text.split_once("://") {
        Some((_, rest)) => (rest, true),
        None => (text, false),
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default().trim_matches('/');
    if rest.is_empty() {
        return None;
    }
    let last = rest.rsplit('/').next().unwrap_or(rest);
    let host_only = is_url && !rest.contains('/');
    if host_only {
        return Some(NodeId::external(last, None));
    }
    let last = last.rsplit(':').next().unwrap_or(last);
    let service = ServiceName { namespace: None, name: last.to_owned() };
    (!last.is_empty()).then(|| NodeId::service(&service, None))
}

/// Groups that messages belong to, and changes for those that belong to none (no id, no context: nothing to match). `sign` is
/// +1 for new messages, -1 for those that are taken back.
pub(super) fn of_messages(messages: &[&Message], sign: i64, groups: &mut BTreeSet<Group>, changes: &mut Changes) {
    for message in messages {
        let sighting = MessageSighting {
            system: message.system.clone(),
            destination: message.destination.clone(),
            event_id: message.event_id.clone(),
            time: message.time,
            hop: message.hop,
            source: message.source.clone(),
        };
        if let Some(group) = Group::of(&sighting) {
            groups.insert(group);
            continue;
        }
        let topic = message.topic();
        let sender = message.source.as_deref().and_then(guessed_sender);
        let one = Unmatched { count: 1, source: sender.unwrap_or_else(|| topic.clone()), topic, at: message.time };
        change(&one, sign, changes);
    }
}

/// Groups that a new span can settle.
pub(super) fn of_span<S: FactSource>(
    gatherer: &mut Gatherer<'_, S>,
    at: At,
    waiting: bool,
    groups: &mut BTreeSet<Group>,
) -> Result<(), S::Error> {
    let facts = gatherer.world().span(at);
    groups.extend(Group::of_send(facts));
    if waiting {
        let hop = MessageContext { trace_id: facts.trace_id, span_id: facts.span_id };
        of_hop(gatherer.source, hop, groups)?;
    }
    Ok(())
}

/// Groups of the messages that have this last hop.
pub(super) fn of_hop<S: FactSource>(
    source: &mut S,
    hop: MessageContext,
    groups: &mut BTreeSet<Group>,
) -> Result<(), S::Error> {
    groups.extend(source.messages_with_context(hop.trace_id, hop.span_id)?.iter().filter_map(Group::of));
    Ok(())
}

/// Whether publications wait for spans of this trace.
pub(super) fn waits_for<S: FactSource>(source: &mut S, trace: flowglass_model::TraceId) -> Result<bool, S::Error> {
    Ok(source.unmatched(&waiting_key(trace))?.is_some())
}

/// Groups of stored spans that stand for a publication only before, or only with, what is in hand: what joins a send span to its
/// creation or to a send span around it need not be of the message itself.
pub(super) fn of_others(before: World<'_>, with: World<'_>, others: &[At], groups: &mut BTreeSet<Group>) {
    for at in others {
        let facts = with.span(*at);
        if let Some(group) = Group::of_send(facts)
            && let Some(id) = message_id(&facts.role)
            && stands_for(before, *at, id) != stands_for(with, *at, id)
        {
            groups.insert(group);
        }
    }
}

/// Judges groups anew and returns the difference to what was counted before. `fresh` are those with a new message, or with a span
/// that came to stand for one or no longer does; more send spans of a message (`by_spans`) only ever match more of its
/// publications, and change nothing where all are matched.
pub(super) fn settle<S: FactSource>(
    gatherer: &mut Gatherer<'_, S>,
    fresh: &BTreeSet<Group>,
    by_spans: &BTreeSet<Group>,
    changes: &mut Changes,
) -> Result<(), S::Error> {
    let mut open: BTreeSet<Group> = fresh.union(by_spans).cloned().collect();
    let mut done: BTreeSet<Group> = BTreeSet::new();
    while let Some(group) = open.pop_first() {
        let key = group.key();
        let before = gatherer.source.unmatched(&key)?;
        if before.is_none() && by_spans.contains(&group) && !fresh.contains(&group) {
            done.insert(group);
            continue;
        }
        let judged = judge(gatherer, &group)?;
        for related in judged.related {
            if !done.contains(&related) && related != group {
                open.insert(related);
            }
        }
        done.insert(group);
        if let Some(now) = &judged.unmatched {
            for trace in judged.waits {
                gatherer.source.set_unmatched(&waiting_key(trace), Some(now))?;
            }
        }
        if judged.unmatched == before {
            continue;
        }
        before.iter().for_each(|b| change(b, -1, changes));
        judged.unmatched.iter().for_each(|n| change(n, 1, changes));
        gatherer.source.set_unmatched(&key, judged.unmatched.as_ref())?;
    }
    Ok(())
}

/// Notes no more of groups than what is left of them can be taken back for; what was counted stays counted.
pub(super) fn close<S: FactSource>(gatherer: &mut Gatherer<'_, S>, groups: &BTreeSet<Group>) -> Result<(), S::Error> {
    for group in groups {
        let key = group.key();
        let Some(before) = gatherer.source.unmatched(&key)? else { continue };
        let left = judge(gatherer, group)?.unmatched.map_or(0, |now| now.count);
        if left < before.count {
            let now = (left > 0).then_some(Unmatched { count: left, ..before });
            gatherer.source.set_unmatched(&key, now.as_ref())?;
        }
    }
    Ok(())
}

/// Forgets that publications wait for spans of a trace.
pub(super) fn wait_no_more<S: FactSource>(source: &mut S, trace: flowglass_model::TraceId) -> Result<(), S::Error> {
    if waits_for(source, trace)? { source.set_unmatched(&waiting_key(trace), None) } else { Ok(()) }
}

fn change(unmatched: &Unmatched, sign: i64, changes: &mut Changes) {
    let Unmatched { count, source, topic, at } = unmatched;
    let key = if source == topic {
        SeriesKey::Unresolved { participant: topic.clone(), reason: UnresolvedReason::CallerMissing }
    } else {
        SeriesKey::Edge { kind: InteractionKind::Publish, source: source.clone(), target: topic.clone() }
    };
    let count = sign * *count as i64;
    changes.add(Figure::Other(key), Change { at: *at, count, error: false, duration: None });
}

struct Judged {
    /// Publications without a span, if any.
    unmatched: Option<Unmatched>,
    /// Traces whose spans may change that.
    waits: BTreeSet<flowglass_model::TraceId>,
    /// Groups that share a send span with this one.
    related: Vec<Group>,
}

/// What is known of the last hop of a message.
enum Hop {
    None,
    /// Its span is not known.
    Unknown,
    /// It is a send span of this destination.
    Sender(At),
    /// It is a send span of another destination: a template, an exchange, a copy. That span stands for it.
    Elsewhere,
    /// It is some other span of the publisher.
    Inside(At),
}

fn hop_of(world: World<'_>, hop: Option<MessageContext>, topic_node: &NodeId) -> Hop {
    let Some(hop) = hop else { return Hop::None };
    let mut named: Vec<At> = world.named(hop.trace_id, hop.span_id).collect();
    named.sort_unstable_by_key(|a| world.span(*a).kind);
    let Some(first) = named.first() else { return Hop::Unknown };
    let sender = named.iter().find(|a| matches!(world.span(**a).role, Role::Send { .. }));
    match sender {
        Some(at) if topic(&world.span(*at).role).is_some_and(|t| t.body() == topic_node.body()) => Hop::Sender(*at),
        Some(_) => Hop::Elsewhere,
        None => Hop::Inside(*first),
    }
}

fn judge<S: FactSource>(gatherer: &mut Gatherer<'_, S>, group: &Group) -> Result<Judged, S::Error> {
    let topic_node = group.topic();
    let sightings = sightings(gatherer, group)?;
    for hop in sightings.iter().filter_map(|m| m.hop) {
        gatherer.cache.load(hop.trace_id, gatherer.source)?;
    }
    let mut senders: BTreeSet<At> = BTreeSet::new();
    if let Group::Id { id, .. } = group {
        gatherer.by_message((topic_node.body().to_owned(), id.clone()))?;
        let world = gatherer.world();
        let mut named = world.with_message(&topic_node, id);
        named.retain(|a| matches!(world.span(*a).role, Role::Send { .. }));
        for at in named {
            gatherer.needs(at)?;
            senders.insert(at);
        }
    }
    let mut judged = Judged { unmatched: None, waits: BTreeSet::new(), related: Vec::new() };
    let (mut matched, mut inside, mut publications) = (0usize, Vec::new(), Vec::new());
    if let Group::Id { id, .. } = group {
        matched += senders.iter().filter(|a| stands_for(gatherer.world(), **a, id)).count();
    }
    let mut hops: BTreeSet<At> = BTreeSet::new();
    for sighting in &sightings {
        match hop_of(gatherer.world(), sighting.hop, &topic_node) {
            Hop::Elsewhere => continue,
            Hop::Sender(at) => {
                hops.insert(at);
            }
            Hop::Inside(at) => inside.push(at),
            Hop::Unknown => judged.waits.extend(sighting.hop.map(|h| h.trace_id)),
            Hop::None => {}
        }
        publications.push(sighting);
    }
    for at in hops {
        let (stands, related) = stands_for_group(gatherer, at, group)?;
        judged.related.extend(related);
        if senders.insert(at) {
            matched += usize::from(stands);
        }
    }
    let Some(first) = publications.iter().map(|p| p.time).min() else { return Ok(judged) };
    let count = publications.len().saturating_sub(matched) as u64;
    if count > 0 {
        let (source, topic) = sender(gatherer.world(), &senders, &inside, &publications, topic_node);
        judged.unmatched = Some(Unmatched { count, source, topic, at: first });
    }
    Ok(judged)
}

fn sightings<S: FactSource>(gatherer: &mut Gatherer<'_, S>, group: &Group) -> Result<Vec<MessageSighting>, S::Error> {
    match group {
        Group::Id { system, destination, id } => gatherer.source.messages_with_id(system, destination, id),
        Group::Hop { hop: (trace, span), .. } => {
            let mut all = gatherer.source.messages_with_context(*trace, *span)?;
            all.retain(|m| Group::of(m).as_ref() == Some(group));
            Ok(all)
        }
    }
}

/// A send span without the message's id that is the last hop of messages stands for one of them: the one with its own id if
/// there is one, else the first in order. Also returns the other groups that depend on that choice.
fn stands_for_group<S: FactSource>(
    gatherer: &mut Gatherer<'_, S>,
    at: At,
    group: &Group,
) -> Result<(bool, Vec<Group>), S::Error> {
    let world = gatherer.world();
    let facts = world.span(at);
    let own = message_id(&facts.role).map(str::to_owned);
    let destination = topic(&facts.role).map(|t| t.body().to_owned());
    let all = gatherer.source.messages_with_context(facts.trace_id, facts.span_id)?;
    let here: BTreeSet<(Nanos, Group)> = all
        .iter()
        .filter(|m| destination.as_deref() == Some(&*body(&m.system, &m.destination)))
        .filter_map(|m| Some((m.time, Group::of(m)?)))
        .collect();
    let mut choice =
        here.iter().map(|(_, g)| g).filter(|g| matches!(g, Group::Id { id, .. } if Some(id) == own.as_ref()));
    let chosen = choice.next().or_else(|| here.iter().map(|(_, g)| g).next()).cloned();
    let related = here.into_iter().map(|(_, g)| g).filter(|g| g != group).collect();
    Ok((chosen.as_ref() == Some(group), related))
}

/// Who published what no span stands for: the service of the message's other publications, of the span in its context, or the
/// one its CloudEvents source names; nobody when there is no such hint.
fn sender(
    world: World<'_>,
    senders: &BTreeSet<At>,
    inside: &[At],
    publications: &[&MessageSighting],
    topic_node: NodeId,
) -> (NodeId, NodeId) {
    if let Some(at) = senders.iter().min_by_key(|a| rank(world.span(**a))) {
        let facts = world.span(*at);
        return (facts.service.clone(), topic(&facts.role).cloned().unwrap_or(topic_node));
    }
    if let Some(at) = inside.iter().min_by_key(|a| rank(world.span(**a))) {
        let service = world.span(*at).service.clone();
        let topic = topic_node.in_environment(service.environment());
        return (service, topic);
    }
    let guess = publications.iter().filter_map(|p| p.source.as_deref()).filter_map(guessed_sender).min();
    (guess.unwrap_or_else(|| topic_node.clone()), topic_node)
}

#[cfg(test)]
mod tests {
    use super::guessed_sender;

    #[test]
    fn a_cloudevents_source_names_a_service_or_a_host() {
        let name = |s| guessed_sender(s).map(|n| n.to_string());
        assert_eq!(name("/crm-sys-api").as_deref(), Some("service:crm-sys-api"));
        assert_eq!(name("urn:shop:orders").as_deref(), Some("service:orders"));
        assert_eq!(name("https://shop.example").as_deref(), Some("external:shop.example"));
        assert_eq!(name("https://shop.example/apis/orders/?x=1").as_deref(), Some("service:orders"));
        assert_eq!(name(" / "), None);
    }
}

//! Which spans a batch can change, and what must be read from the store to tell how.

use std::sync::Arc;

use flowglass_model::{Role, SpanFacts, SpanId, TraceId};
use rustc_hash::{FxHashMap, FxHashSet};

use super::FactSource;
use super::cache::Cache;
use super::world::{At, MessageKey, Relations, World, message_key};

/// A message id that stands in more traces than this names no single message (counters that start again, constants) and is
/// not used: following it would cost more than it tells.
const MAX_TRACES_PER_MESSAGE: usize = 200;

/// Reads relations between traces, once each, and loads the traces they lead to.
pub(super) struct Gatherer<'a, S> {
    pub(super) cache: &'a mut Cache,
    pub(super) relations: &'a mut Relations,
    pub(super) source: &'a mut S,
    new_links: FxHashMap<(TraceId, SpanId), Vec<TraceId>>,
    new_messages: FxHashMap<MessageKey, Vec<TraceId>>,
}

impl<'a, S: FactSource> Gatherer<'a, S> {
    /// `new_spans` are in the cache but not in the store.
    pub(super) fn new(
        cache: &'a mut Cache,
        relations: &'a mut Relations,
        source: &'a mut S,
        new_spans: &[Arc<SpanFacts>],
    ) -> Self {
        let mut new_links: FxHashMap<_, Vec<TraceId>> = FxHashMap::default();
        let mut new_messages: FxHashMap<_, Vec<TraceId>> = FxHashMap::default();
        for facts in new_spans {
            for link in &facts.links {
                new_links.entry(*link).or_default().push(facts.trace_id);
            }
            if let Some(key) = message_key(facts) {
                new_messages.entry(key).or_default().push(facts.trace_id);
            }
        }
        Gatherer { cache, relations, source, new_links, new_messages }
    }

    /// The present view, the batch in hand included.
    pub(super) fn world(&self) -> World<'_> {
        World { cache: self.cache, relations: self.relations, before: false }
    }

    fn load_all(&mut self, mut traces: Vec<TraceId>) -> Result<Vec<TraceId>, S::Error> {
        traces.sort_unstable();
        traces.dedup();
        for trace in &traces {
            self.cache.load(*trace, self.source)?;
        }
        Ok(traces)
    }

    /// Makes sure that it is known who links to a span.
    pub(super) fn back_links(&mut self, trace: TraceId, span: SpanId) -> Result<(), S::Error> {
        if self.relations.back_links.contains_key(&(trace, span)) {
            return Ok(());
        }
        let mut traces = self.source.traces_linking_to(trace, span)?;
        traces.extend(self.new_links.get(&(trace, span)).into_iter().flatten());
        let traces = self.load_all(traces)?;
        self.relations.back_links.insert((trace, span), traces);
        Ok(())
    }

    /// Makes sure that it is known which spans sent and handled a message.
    pub(super) fn by_message(&mut self, key: MessageKey) -> Result<(), S::Error> {
        if self.relations.by_message.contains_key(&key) {
            return Ok(());
        }
        let mut traces = self.source.traces_with_message(&key.0, &key.1)?;
        traces.extend(self.new_messages.get(&key).into_iter().flatten());
        traces.sort_unstable();
        traces.dedup();
        if traces.len() > MAX_TRACES_PER_MESSAGE {
            traces.clear();
        }
        let traces = self.load_all(traces)?;
        self.relations.by_message.insert(key, traces);
        Ok(())
    }

    fn relations_of(&mut self, at: At) -> Result<(), S::Error> {
        let facts = self.world().span(at);
        let (links, key, role) = (facts.links.clone(), message_key(facts), facts.role.clone());
        for (trace, _) in &links {
            self.cache.load(*trace, self.source)?;
        }
        if let Some(key) = key {
            self.by_message(key)?;
        }
        if matches!(role, Role::Send { .. } | Role::Receive { .. }) {
            self.back_links(at.0, self.world().span(at).span_id)?;
        }
        if matches!(role, Role::Send { .. } | Role::Receive { .. } | Role::Process { .. }) {
            for (trace, span) in links {
                self.back_links(trace, span)?;
            }
        }
        Ok(())
    }

    /// Reads everything that the contribution of a span looks at.
    pub(super) fn needs(&mut self, at: At) -> Result<(), S::Error> {
        self.relations_of(at)?;
        for near in self.senders_near(at) {
            self.relations_of(near)?;
        }
        // What was just read may have brought creations whose sending decides when the publication ended.
        for near in self.senders_near(at) {
            self.relations_of(near)?;
        }
        Ok(())
    }

    /// Send spans (and a receive span above) that a span's contribution may look at.
    fn senders_near(&self, at: At) -> Vec<At> {
        let world = self.world();
        let mut near = world.linked(at);
        near.extend(first_above(world, at));
        for receive in near.clone() {
            if matches!(world.span(receive).role, Role::Receive { .. }) {
                near.extend(world.linked(receive));
            }
        }
        if let Some((_, id)) = message_key(world.span(at))
            && let Some(topic) = super::world::topic(&world.span(at).role)
        {
            near.extend(world.with_message(topic, &id));
        }
        if matches!(world.span(at).role, Role::Send { .. }) {
            near.extend(world.first_below(at));
        }
        near.retain(|n| matches!(world.span(*n).role, Role::Send { .. } | Role::Receive { .. }));
        near
    }

    /// All spans whose contribution a new span can change, itself included.
    pub(super) fn affected(&mut self, new: At, out: &mut FxHashSet<At>) -> Result<(), S::Error> {
        let mut around = neighbourhood(self.world(), new);
        self.relations_of(new)?;
        let role = self.world().span(new).role.clone();
        match role {
            Role::Send { .. } => self.around_send(new, &mut around)?,
            Role::Process { .. } | Role::Receive { .. } => {
                let world = self.world();
                let facts = world.span(new);
                around.extend(facts.links.iter().flat_map(|(t, s)| world.linking(*t, *s)));
                around.extend(same_message(world, new));
                around.extend(world.linked(new));
                if matches!(role, Role::Receive { .. }) {
                    around.extend(world.linking(new.0, facts.span_id));
                }
            }
            _ => {}
        }
        // A span between a creation and its sending decides when the message was published, for all that handle it.
        let creates = |at: &At| matches!(self.world().span(*at).role, Role::Send { create: true, .. });
        if !matches!(role, Role::Send { .. }) && around.iter().any(creates) {
            self.handlers(around.clone(), &mut around)?;
        }
        out.extend(around);
        Ok(())
    }

    /// A send span also changes its creation (and the other way round) and whatever handles either.
    fn around_send(&mut self, new: At, around: &mut Vec<At>) -> Result<(), S::Error> {
        let world = self.world();
        let mut group: Vec<At> = around.clone();
        group.extend(world.linked(new));
        group.extend(world.linking(new.0, world.span(new).span_id));
        group.extend(same_message(world, new));
        self.handlers(group, around)
    }

    /// Send and creation spans of a group, with what is below them and what handles their messages.
    fn handlers(&mut self, mut group: Vec<At>, around: &mut Vec<At>) -> Result<(), S::Error> {
        let world = self.world();
        group.retain(|o| matches!(world.span(*o).role, Role::Send { .. }));
        group.sort_unstable();
        group.dedup();
        for send in group {
            self.relations_of(send)?;
            let world = self.world();
            let mut handlers = world.linking(send.0, world.span(send).span_id);
            handlers.extend(same_message(world, send));
            for receive in handlers.clone() {
                if matches!(world.span(receive).role, Role::Receive { .. }) {
                    handlers.extend(world.first_below(receive));
                }
            }
            around.push(send);
            around.extend(down(world, send));
            around.extend(handlers);
        }
        Ok(())
    }
}

fn same_message(world: World<'_>, at: At) -> Vec<At> {
    let role = &world.span(at).role;
    match (super::world::topic(role), super::world::message_id(role)) {
        (Some(topic), Some(id)) => world.with_message(topic, id),
        _ => Vec::new(),
    }
}

/// The first ancestor that is not local work, in whatever service.
pub(super) fn first_above(world: World<'_>, at: At) -> Option<At> {
    up(world, at).into_iter().last().filter(|a| world.span(*a).role != Role::Internal)
}

/// Ancestors through local work up to and with the first that is something else.
fn up(world: World<'_>, at: At) -> Vec<At> {
    let mut out = Vec::new();
    let mut seen = FxHashSet::from_iter([at]);
    let mut current = at;
    while let Some(parent) = world.parent(current) {
        if !seen.insert(parent) {
            break;
        }
        out.push(parent);
        if world.span(parent).role != Role::Internal {
            break;
        }
        current = parent;
    }
    out
}

/// Descendants through local work down to and with the first that are something else.
fn down(world: World<'_>, at: At) -> Vec<At> {
    let mut out = Vec::new();
    let mut seen = FxHashSet::from_iter([at]);
    let mut open = vec![at];
    while let Some(next) = open.pop() {
        for child in world.below_id(next) {
            if seen.insert(child) {
                out.push(child);
                if world.span(child).role == Role::Internal {
                    open.push(child);
                }
            }
        }
    }
    out
}

fn neighbourhood(world: World<'_>, new: At) -> Vec<At> {
    let facts = world.span(new);
    let mut out = vec![new];
    out.extend(world.named(new.0, facts.span_id));
    out.extend(up(world, new));
    out.extend(down(world, new));
    if let Some(parent) = world.parent(new)
        && world.span(parent).service != facts.service
    {
        out.extend(world.children(parent).filter(|c| world.span(*c).service == facts.service));
    }
    out
}

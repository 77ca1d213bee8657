//! Spans and messages to changes of series.
//!
//! What a span contributes is a pure function of the facts around it: its trace, the spans it links to or that link to it, and
//! those of the same message ([`contribution`], [`messaging`]). A batch can change the contributions of spans that are stored
//! already; [`gather`] finds them. Their contribution is computed twice, in the world before the batch and in the world with
//! it, and only the difference leaves. So the order of arrival does not matter, and nothing but facts has to be kept.
//! Publications seen as messages are added to that by [`publications`].
//!
//! Figures outlive the spans they were made of ([`expire`]): spans whose figures are closed still make joins, and count nothing.

mod cache;
mod changes;
mod contribution;
mod expire;
mod gather;
mod messaging;
mod publications;
mod retract;
mod source;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use flowglass_model::{Delivery, Delta, Message, Nanos, NodeId, SeriesKey, SpanFacts, TraceId, TraceJoin};
use rustc_hash::{FxHashMap, FxHashSet};

use cache::Cache;
use changes::{Change, Changes, Figure};
use contribution::Contribution;
use expire::Closed;
use gather::Gatherer;
use world::{At, Relations, World};

pub use expire::{Expired, Expiry};
pub use retract::{Retracted, Retraction};
pub use source::{FactSource, MessageSighting, Unmatched};

/// What a batch changes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Derived {
    /// Net changes of series: what was taken back and added again is left out. In a fixed order.
    pub deltas: Vec<Delta>,
    /// Handlers joined to senders in other traces; may repeat joins derived before. Sorted, without repeats.
    pub joins: Vec<TraceJoin>,
    /// Traces with new spans, those that new joins connect to them, and those that new messages belong to. Sorted.
    pub touched: Vec<TraceId>,
}

/// Turns what arrives into changes of series.
///
/// Per batch: store its messages and deliveries, ask [`Resolver::unseen`], then [`Resolver::add`], then store the new spans; all
/// in one transaction. The new spans must be reachable through the [`FactSource`] before the next call of either. When the
/// transaction fails, call [`Resolver::forget_all`].
pub struct Resolver {
    max_spans: usize,
    cache: Cache,
}

impl Resolver {
    /// A resolver that keeps the facts of about `max_spans` spans in memory; older traces are read again when needed.
    pub fn new(max_spans: usize) -> Self {
        Resolver { max_spans, cache: Cache::default() }
    }

    /// Indices of the spans that were not stored before; a key that repeats inside the slice is new once.
    pub fn unseen<S: FactSource>(&mut self, spans: &[&SpanFacts], source: &mut S) -> Result<Vec<usize>, S::Error> {
        self.cache.shrink(self.max_spans);
        let mut inside = FxHashSet::with_capacity_and_hasher(spans.len(), Default::default());
        let mut new = Vec::new();
        for (index, facts) in spans.iter().enumerate() {
            let key = facts.key();
            if !self.cache.load(facts.trace_id, source)?.has(&key) && inside.insert(key) {
                new.push(index);
            }
        }
        Ok(new)
    }

    /// Derives the changes of a batch: `new_spans` are not stored yet, `new_messages` and `new_deliveries` are (and were not
    /// before this transaction). `declared` are the layers that resources of the new spans declare, by service.
    ///
    /// Spans that turn out to be known are left out. On an error nothing may be believed: call [`Resolver::forget_all`].
    pub fn add<S: FactSource>(
        &mut self,
        new_spans: &[Arc<SpanFacts>],
        new_messages: &[&Message],
        new_deliveries: &[&Delivery],
        declared: &[(NodeId, String)],
        source: &mut S,
    ) -> Result<Derived, S::Error> {
        self.cache.shrink(self.max_spans);
        let mut new: Vec<At> = Vec::with_capacity(new_spans.len());
        for facts in new_spans {
            self.cache.load(facts.trace_id, source)?;
            new.extend(self.cache.insert(facts).map(|i| (facts.trace_id, i)));
        }
        let mut relations = Relations::default();
        let mut gatherer = Gatherer::new(&mut self.cache, &mut relations, source, new_spans);
        let mut changes = Changes::default();
        let affected = affected(&mut gatherer, &new)?;
        let closed = Closed::of(affected.iter().map(|at| at.0), gatherer.source)?;
        publish(&mut gatherer, &new, &affected, &closed, new_messages, &mut changes)?;

        let with = World { cache: &self.cache, relations: &relations, before: false };
        let before = World { before: true, ..with };
        let mut now = Contribution::new(&mut changes, 1);
        affected.iter().for_each(|at| closed.contribute(with, *at, &mut now));
        let now = now.joins;
        let mut then = Contribution::new(&mut changes, -1);
        for at in affected.iter().filter(|at| before.sees(**at)) {
            closed.contribute(before, *at, &mut then);
        }
        let then = then.joins;
        new_deliveries.iter().for_each(|d| delivered(d, 1, &mut changes));
        let news: Vec<&SpanFacts> = new.iter().map(|a| with.span(*a)).collect();
        let counted: Vec<&SpanFacts> = news.iter().copied().filter(|facts| !closed.holds(facts)).collect();
        declarations(&counted, declared, 1, &mut changes);

        let known: BTreeSet<_> = then.into_iter().map(|j| join_key(&j)).collect();
        let mut joins: BTreeMap<_, TraceJoin> = now.into_iter().map(|j| (join_key(&j), j)).collect();
        joins.retain(|key, _| !known.contains(key));
        let joins: Vec<TraceJoin> = joins.into_values().collect();
        let touched = touched(&self.cache, &news, &joins, new_messages);
        self.cache.settle(new.iter().map(|a| a.0));
        Ok(Derived { deltas: changes.net(), joins, touched })
    }

    /// All facts of a trace: stored ones and those of the last [`Resolver::add`].
    pub fn facts<S: FactSource>(&mut self, trace: TraceId, source: &mut S) -> Result<&[Arc<SpanFacts>], S::Error> {
        Ok(self.cache.load(trace, source)?.spans())
    }

    /// Traces and spans in memory.
    pub fn held(&self) -> (usize, usize) {
        self.cache.size()
    }

    /// Forgets everything kept in memory; to be called when a transaction was rolled back.
    pub fn forget_all(&mut self) {
        self.cache.clear();
    }
}

/// Publications that the batch brings, and those that its spans settle. `affected` is what [`affected`] found.
fn publish<S: FactSource>(
    gatherer: &mut Gatherer<'_, S>,
    new: &[At],
    affected: &[At],
    closed: &Closed,
    messages: &[&Message],
    changes: &mut Changes,
) -> Result<(), S::Error> {
    let open = |gatherer: &Gatherer<'_, S>, at: At| !closed.holds(gatherer.world().span(at));
    let (mut fresh, mut by_spans) = (BTreeSet::new(), BTreeSet::new());
    publications::of_messages(messages, 1, &mut fresh, changes);
    let mut waiting: FxHashMap<TraceId, bool> = FxHashMap::default();
    for at in new {
        // It comes again after its figures were closed: what it stood for is counted, and may be gone.
        if !open(gatherer, *at) {
            continue;
        }
        let waits = match waiting.get(&at.0) {
            Some(known) => *known,
            None => {
                let waits = publications::waits_for(gatherer.source, at.0)?;
                waiting.insert(at.0, waits);
                waits
            }
        };
        publications::of_span(gatherer, *at, waits, &mut by_spans)?;
    }
    let (before, with) = (World { before: true, ..gatherer.world() }, gatherer.world());
    let others: Vec<At> = affected.iter().copied().filter(|at| before.sees(*at) && open(gatherer, *at)).collect();
    publications::of_others(before, with, &others, &mut fresh);
    publications::settle(gatherer, &fresh, &by_spans, changes)
}

/// Spans whose contribution the batch can change, with everything read that their contribution looks at.
fn affected<S: FactSource>(gatherer: &mut Gatherer<'_, S>, new: &[At]) -> Result<Vec<At>, S::Error> {
    // A span of a trace that was never seen before and has no relation to others can only change spans of its trace: all of
    // them are new, and are here.
    let alone =
        |gatherer: &Gatherer<'_, S>, trace| gatherer.cache.get(trace).is_some_and(|t| t.is_new() && !t.correlates());
    let (mut sorted, others): (Vec<At>, Vec<At>) = new.iter().partition(|at| alone(gatherer, at.0));
    let mut found = FxHashSet::default();
    for at in others {
        gatherer.affected(at, &mut found)?;
    }
    let found: Vec<At> = found.into_iter().filter(|at| !alone(gatherer, at.0)).collect();
    for at in &found {
        if gatherer.cache.get(at.0).is_some_and(|t| t.correlates()) {
            gatherer.needs(*at)?;
        }
    }
    sorted.extend(found);
    sorted.sort_unstable();
    Ok(sorted)
}

/// `sign` is +1 for a new delivery, -1 for one that is taken back.
fn delivered(delivery: &Delivery, sign: i64, changes: &mut Changes) {
    let Some(destination) = &delivery.destination else { return };
    let topic = NodeId::topic(&delivery.system, destination, None);
    let key = SeriesKey::Delivered { topic, consumer: delivery.key.consumer.clone() };
    changes.add(Figure::Other(key), Change { at: delivery.time, count: sign, error: false, duration: None });
}

/// One declaration per new span of a service that declares a layer, so that the sum does not depend on how spans were batched.
/// Times are cut to the second: spans of one second become one change. `sign` is -1 for spans that are taken back.
fn declarations(news: &[&SpanFacts], declared: &[(NodeId, String)], sign: i64, changes: &mut Changes) {
    let declared: BTreeSet<&(NodeId, String)> = declared.iter().collect();
    for (participant, layer) in declared {
        let mut by_second: BTreeMap<Nanos, i64> = BTreeMap::new();
        for facts in news.iter().filter(|f| f.service == *participant) {
            *by_second.entry(facts.start.div_euclid(1_000_000_000) * 1_000_000_000).or_default() += sign;
        }
        let key = SeriesKey::Declared { participant: participant.clone(), layer: layer.clone() };
        for (at, count) in by_second {
            changes.add(Figure::Other(key.clone()), Change { at, count, error: false, duration: None });
        }
    }
}

type JoinKey = (TraceId, TraceId, flowglass_model::SpanId, flowglass_model::SpanId, flowglass_model::LinkHow);

fn join_key(j: &TraceJoin) -> JoinKey {
    (j.child_trace, j.parent_trace, j.child_span, j.parent_span, j.how)
}

fn touched(cache: &Cache, news: &[&SpanFacts], joins: &[TraceJoin], messages: &[&Message]) -> Vec<TraceId> {
    let mut out: BTreeSet<TraceId> = news.iter().map(|f| f.trace_id).collect();
    out.extend(joins.iter().flat_map(|j| [j.parent_trace, j.child_trace]));
    let contexts = messages.iter().flat_map(|m| [m.hop, m.origin]).flatten().map(|c| c.trace_id);
    out.extend(contexts.filter(|t| cache.get(*t).is_some_and(|t| !t.spans().is_empty())));
    out.into_iter().collect()
}

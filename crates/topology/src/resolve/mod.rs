//! Spans and messages to changes of series.
//!
//! What a span contributes is a pure function of the facts around it: its trace, the spans it links to or that link to it, and
//! those of the same message ([`contribution`], [`messaging`]). A batch can change the contributions of spans that are stored
//! already; [`gather`] finds them. Their contribution is computed twice, in the world before the batch and in the world with
//! it, and only the difference leaves. So the order of arrival does not matter, and nothing but facts has to be kept.
//! Publications seen as messages are added to that by [`publications`].

mod cache;
mod contribution;
mod gather;
mod messaging;
mod publications;
mod retract;
mod source;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::{Delivery, Delta, Message, Nanos, NodeId, SeriesKey, SpanFacts, TraceId, TraceJoin};
use rustc_hash::{FxHashMap, FxHashSet};

use cache::Cache;
use contribution::{Contribution, contribute};
use gather::Gatherer;
use world::{At, Relations, World};

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
        let mut inside = FxHashSet::default();
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
        new_spans: &[&SpanFacts],
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
        let mut deltas = Vec::new();
        publish(&mut gatherer, &new, new_messages, &mut deltas)?;
        let affected = affected(&mut gatherer, &new)?;

        let with = World { cache: &self.cache, relations: &relations, before: false };
        let before = World { before: true, ..with };
        let (mut now, mut then) = (Contribution::default(), Contribution::default());
        for at in affected {
            contribute(with, at, &mut now);
            if self.cache.get(at.0).is_some_and(|t| at.1 < t.settled()) {
                contribute(before, at, &mut then);
            }
        }
        deltas.append(&mut now.deltas);
        deltas.extend(then.deltas.into_iter().map(|d| Delta { count: -d.count, ..d }));
        deltas.extend(new_deliveries.iter().filter_map(|d| delivered(d)));
        let news: Vec<&SpanFacts> = new.iter().map(|a| with.span(*a)).collect();
        deltas.extend(declarations(&news, declared));

        let known: BTreeSet<_> = then.joins.into_iter().map(|j| join_key(&j)).collect();
        let mut joins: BTreeMap<_, TraceJoin> = now.joins.into_iter().map(|j| (join_key(&j), j)).collect();
        joins.retain(|key, _| !known.contains(key));
        let joins: Vec<TraceJoin> = joins.into_values().collect();
        let touched = touched(&self.cache, &news, &joins, new_messages);
        self.cache.settle(new.iter().map(|a| a.0));
        Ok(Derived { deltas: net(deltas), joins, touched })
    }

    /// All facts of a trace: stored ones and those of the last [`Resolver::add`].
    pub fn facts<S: FactSource>(&mut self, trace: TraceId, source: &mut S) -> Result<&[SpanFacts], S::Error> {
        Ok(self.cache.load(trace, source)?.spans())
    }

    /// Forgets everything kept in memory; to be called when a transaction was rolled back.
    pub fn forget_all(&mut self) {
        self.cache.clear();
    }
}

/// Publications that the batch brings, and those that its spans settle.
fn publish<S: FactSource>(
    gatherer: &mut Gatherer<'_, S>,
    new: &[At],
    messages: &[&Message],
    deltas: &mut Vec<Delta>,
) -> Result<(), S::Error> {
    let (mut fresh, mut by_spans) = (BTreeSet::new(), BTreeSet::new());
    publications::of_messages(messages, &mut fresh, deltas);
    let mut waiting: FxHashMap<TraceId, bool> = FxHashMap::default();
    for at in new {
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
    publications::settle(gatherer, &fresh, &by_spans, deltas)
}

/// Spans whose contribution the batch can change, with everything read that their contribution looks at.
fn affected<S: FactSource>(gatherer: &mut Gatherer<'_, S>, new: &[At]) -> Result<Vec<At>, S::Error> {
    let mut found = FxHashSet::default();
    for at in new {
        gatherer.affected(*at, &mut found)?;
    }
    let mut sorted: Vec<At> = found.into_iter().collect();
    sorted.sort_unstable();
    for at in &sorted {
        gatherer.needs(*at)?;
    }
    Ok(sorted)
}

fn delivered(delivery: &Delivery) -> Option<Delta> {
    let topic = NodeId::topic(&delivery.system, delivery.destination.as_deref()?, None);
    let key = SeriesKey::Delivered { topic, consumer: delivery.key.consumer.clone() };
    Some(Delta { key, at: delivery.time, count: 1, error: false, duration: None })
}

/// One declaration per new span of a service that declares a layer, so that the sum does not depend on how spans were batched.
/// Times are cut to the second: spans of one second become one change.
fn declarations(news: &[&SpanFacts], declared: &[(NodeId, String)]) -> Vec<Delta> {
    let declared: BTreeSet<&(NodeId, String)> = declared.iter().collect();
    let mut out = Vec::new();
    for (participant, layer) in declared {
        let mut by_second: BTreeMap<Nanos, i64> = BTreeMap::new();
        for facts in news.iter().filter(|f| f.service == *participant) {
            *by_second.entry(facts.start.div_euclid(1_000_000_000) * 1_000_000_000).or_default() += 1;
        }
        let key = SeriesKey::Declared { participant: participant.clone(), layer: layer.clone() };
        out.extend(by_second.into_iter().map(|(at, count)| Delta {
            key: key.clone(),
            at,
            count,
            error: false,
            duration: None,
        }));
    }
    out
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

/// Adds up equal changes and leaves out what cancels.
fn net(deltas: Vec<Delta>) -> Vec<Delta> {
    let mut sums: FxHashMap<(SeriesKey, Nanos, bool, Option<i64>), i64> = FxHashMap::default();
    for d in deltas {
        *sums.entry((d.key, d.at, d.error, d.duration)).or_default() += d.count;
    }
    let mut out: Vec<_> = sums.into_iter().filter(|(_, count)| *count != 0).collect();
    out.sort_unstable();
    out.into_iter().map(|((key, at, error, duration), count)| Delta { key, at, count, error, duration }).collect()
}

//! Taking back: the figures become what they would be had some traces and messages never come.
//!
//! A contribution is a pure function of the facts around a span, so what traces brought is the difference between the world with
//! them and the world without them: [`Resolver::add`] with the roles of "before" and "now" exchanged. Publications are judged
//! anew once the store has let go of everything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use flowglass_model::{Delivery, Delta, Message, NodeId, SpanFacts, TraceId, TraceJoin};

use super::changes::Changes;
use super::contribution::Contribution;
use super::expire::Closed;
use super::gather::Gatherer;
use super::publications::{self, Group};
use super::world::{At, Relations, World};
use super::{FactSource, JoinKey, Resolver, affected, declarations, delivered, join_key};

/// What is under way between [`Resolver::retract`] and [`Resolver::retracted`].
pub struct Retraction {
    changes: Changes,
    lost: Vec<TraceJoin>,
    gained: Vec<TraceJoin>,
    groups: BTreeSet<Group>,
    spans: Vec<Arc<SpanFacts>>,
    closed: Closed,
}

/// What taking back changes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Retracted {
    /// Net changes of series. In a fixed order.
    pub deltas: Vec<Delta>,
    /// Joins that nothing tells of any more.
    pub lost: Vec<TraceJoin>,
    /// Joins that are told of only now.
    pub gained: Vec<TraceJoin>,
}

impl Resolver {
    /// First half: computes what traces and publications brought, while the store still has them. The traces are taken back as a
    /// whole; on an error nothing may be believed: call [`Resolver::forget_all`].
    pub fn retract<S: FactSource>(
        &mut self,
        traces: &[TraceId],
        messages: &[&Message],
        source: &mut S,
    ) -> Result<Retraction, S::Error> {
        let mut gone: Vec<At> = Vec::new();
        for trace in traces {
            // All of its spans count as the batch in hand: the view before the batch is then the world without them.
            let spans = self.cache.unsettle(*trace, source)?;
            gone.extend((0..spans).map(|i| (*trace, i)));
        }
        let mut relations = Relations::default();
        let mut gatherer = Gatherer::new(&mut self.cache, &mut relations, source, &[]);
        let mut changes = Changes::default();
        let affected = affected(&mut gatherer, &gone)?;
        let groups = groups(&mut gatherer, &gone, &affected, messages, &mut changes)?;
        let closed = Closed::of(affected.iter().map(|at| at.0), source)?;

        let with = World { cache: &self.cache, relations: &relations, before: false };
        let without = World { before: true, ..with };
        let mut then = Contribution::new(&mut changes, -1);
        affected.iter().for_each(|at| closed.contribute(with, *at, &mut then));
        let then = keyed(then.joins);
        let mut now = Contribution::new(&mut changes, 1);
        for at in affected.iter().filter(|at| without.sees(**at)) {
            closed.contribute(without, *at, &mut now);
        }
        let now = keyed(now.joins);
        let facts = |at: &At| self.cache.get(at.0)?.spans().get(at.1).cloned();
        let spans = gone.iter().filter_map(facts).collect();
        Ok(Retraction { changes, closed, lost: only_in(&then, &now), gained: only_in(&now, &then), groups, spans })
    }

    /// Second half, after the store let go of spans, publications and deliveries (in the same transaction): judges the
    /// publications that are left. `declared` are the layers that resources of the spans taken back declared, by service.
    pub fn retracted<S: FactSource>(
        &mut self,
        retraction: Retraction,
        deliveries: &[Delivery],
        declared: &[(NodeId, String)],
        source: &mut S,
    ) -> Result<Retracted, S::Error> {
        let Retraction { mut changes, lost, gained, groups, spans, closed } = retraction;
        for facts in &spans {
            self.cache.forget(facts.trace_id);
        }
        let mut relations = Relations::default();
        let mut gatherer = Gatherer::new(&mut self.cache, &mut relations, source, &[]);
        publications::settle(&mut gatherer, &groups, &BTreeSet::new(), &mut changes)?;
        deliveries.iter().for_each(|d| delivered(d, -1, &mut changes));
        let spans: Vec<&SpanFacts> = spans.iter().map(|facts| &**facts).filter(|facts| !closed.holds(facts)).collect();
        declarations(&spans, declared, -1, &mut changes);
        Ok(Retracted { deltas: changes.net(), lost, gained })
    }
}

/// Joins, each once.
pub(super) type Keyed = BTreeMap<JoinKey, TraceJoin>;

/// Joins by what tells them apart.
pub(super) fn keyed(joins: Vec<TraceJoin>) -> Keyed {
    joins.into_iter().map(|j| (join_key(&j), j)).collect()
}

/// Joins that only the first has.
pub(super) fn only_in(these: &Keyed, those: &Keyed) -> Vec<TraceJoin> {
    these.iter().filter(|(key, _)| !those.contains_key(*key)).map(|(_, j)| j.clone()).collect()
}

/// Publications to be judged anew; those that nothing can be matched with are taken back at once.
pub(super) fn groups<S: FactSource>(
    gatherer: &mut Gatherer<'_, S>,
    gone: &[At],
    affected: &[At],
    messages: &[&Message],
    changes: &mut Changes,
) -> Result<BTreeSet<Group>, S::Error> {
    let mut groups = BTreeSet::new();
    publications::of_messages(messages, -1, &mut groups, changes);
    for at in gone {
        publications::of_span(gatherer, *at, true, &mut groups)?;
    }
    // A span stands for one of the messages it is the last hop of: without this one it may stand for another.
    for hop in messages.iter().filter_map(|m| m.hop) {
        publications::of_hop(gatherer.source, hop, &mut groups)?;
    }
    let (without, with) = (World { before: true, ..gatherer.world() }, gatherer.world());
    let stay: Vec<At> = affected.iter().copied().filter(|at| without.sees(*at)).collect();
    publications::of_others(without, with, &stay, &mut groups);
    Ok(groups)
}

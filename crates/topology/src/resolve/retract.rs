//! Taking back: the figures become what they would be had some traces and messages never come.
//!
//! A contribution is a pure function of the facts around a span, so what traces brought is the difference between the world with
//! them and the world without them: [`Resolver::add`] with the roles of "before" and "now" exchanged. Publications are judged
//! anew once the store has let go of everything.

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::{Delivery, Delta, Message, NodeId, SpanFacts, TraceId, TraceJoin};

use super::contribution::{Contribution, contribute};
use super::gather::Gatherer;
use super::publications::{self, Group};
use super::world::{At, Relations, World};
use super::{FactSource, JoinKey, Resolver, affected, declarations, delivered, join_key, net};

/// What is under way between [`Resolver::retract`] and [`Resolver::retracted`].
pub struct Retraction {
    deltas: Vec<Delta>,
    lost: Vec<TraceJoin>,
    gained: Vec<TraceJoin>,
    groups: BTreeSet<Group>,
    spans: Vec<SpanFacts>,
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
        let mut deltas = Vec::new();
        let groups = groups(&mut gatherer, &gone, messages, &mut deltas)?;
        let affected = affected(&mut gatherer, &gone)?;

        let with = World { cache: &self.cache, relations: &relations, before: false };
        let without = World { before: true, ..with };
        let (mut then, mut now) = (Contribution::default(), Contribution::default());
        for at in affected {
            contribute(with, at, &mut then);
            if self.cache.get(at.0).is_some_and(|t| at.1 < t.settled()) {
                contribute(without, at, &mut now);
            }
        }
        let spans = gone.iter().map(|at| with.span(*at).clone()).collect();
        deltas.extend(then.deltas);
        for delta in deltas.iter_mut() {
            delta.count = -delta.count;
        }
        deltas.append(&mut now.deltas);
        let (then, now) = (keyed(then.joins), keyed(now.joins));
        Ok(Retraction { deltas, lost: only_in(&then, &now), gained: only_in(&now, &then), groups, spans })
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
        let Retraction { mut deltas, lost, gained, groups, spans } = retraction;
        for facts in &spans {
            self.cache.forget(facts.trace_id);
        }
        let mut relations = Relations::default();
        let mut gatherer = Gatherer::new(&mut self.cache, &mut relations, source, &[]);
        publications::settle(&mut gatherer, &groups, &BTreeSet::new(), &mut deltas)?;
        let spans: Vec<&SpanFacts> = spans.iter().collect();
        let undone = deliveries.iter().filter_map(delivered).chain(declarations(&spans, declared));
        deltas.extend(undone.map(|d| Delta { count: -d.count, ..d }));
        Ok(Retracted { deltas: net(deltas), lost, gained })
    }
}

type Keyed = BTreeMap<JoinKey, TraceJoin>;

fn keyed(joins: Vec<TraceJoin>) -> Keyed {
    joins.into_iter().map(|j| (join_key(&j), j)).collect()
}

fn only_in(these: &Keyed, those: &Keyed) -> Vec<TraceJoin> {
    these.iter().filter(|(key, _)| !those.contains_key(*key)).map(|(_, j)| j.clone()).collect()
}

/// Publications to be judged anew, and (in `deltas`) those that nothing can be matched with.
fn groups<S: FactSource>(
    gatherer: &mut Gatherer<'_, S>,
    gone: &[At],
    messages: &[&Message],
    deltas: &mut Vec<Delta>,
) -> Result<BTreeSet<Group>, S::Error> {
    let mut groups = BTreeSet::new();
    publications::of_messages(messages, &mut groups, deltas);
    for at in gone {
        publications::of_span(gatherer, *at, true, &mut groups)?;
    }
    // A span stands for one of the messages it is the last hop of: without this one it may stand for another.
    for hop in messages.iter().filter_map(|m| m.hop) {
        publications::of_hop(gatherer.source, hop, &mut groups)?;
    }
    Ok(groups)
}

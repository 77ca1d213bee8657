//! `dead-lettered`, `redelivered`: what brokers told of single messages, and what handlers' spans tell where no broker did.

use flowglass_model::{Nanos, NodeId, Role, Rule};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Bench, key};
use crate::finding::Evidence;
use crate::tally::{Offence, hash};
use crate::trace::Trace;

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fate {
    /// Nobody will get it again.
    GivenUp,
    /// It was delivered more than once.
    Redelivered,
}

/// A message in trouble at one consumer, as a broker told it.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// What became of it.
    pub fate: Fate,
    /// Its topic, as messages name it.
    pub topic: NodeId,
    /// Consumer or group, where known.
    pub consumer: Option<String>,
    /// Stream that stores it.
    pub stream: String,
    /// Its place there.
    pub sequence: u64,
    /// The event, where known.
    pub event: Option<Evidence>,
    /// When.
    pub at: Nanos,
}

/// Troubles with the handlers' spans that tell of them.
pub(crate) struct Troubles {
    all: Vec<Trouble>,
    by_place: FxHashMap<(String, u64), Vec<usize>>,
    spans: FxHashMap<usize, (u32, Evidence)>,
    /// Redeliveries that only spans told of: topic, who, message, delivery, when, evidence.
    told_by_spans: FxHashMap<u64, (NodeId, u32, Nanos, Evidence, f64)>,
    /// Topics whose deliveries a broker told.
    topics: FxHashSet<String>,
}

impl Troubles {
    pub(crate) fn new(mut all: Vec<Trouble>, topics: FxHashSet<String>) -> Troubles {
        let place = |t: &Trouble| (t.stream.clone(), t.sequence, t.consumer.clone());
        let given_up: FxHashSet<_> = all.iter().filter(|t| t.fate == Fate::GivenUp).map(place).collect();
        // That a message was delivered again before it was given up is no second offence.
        all.retain(|t| t.fate == Fate::GivenUp || !given_up.contains(&place(t)));
        let mut by_place: FxHashMap<_, Vec<usize>> = FxHashMap::default();
        for (i, t) in all.iter().enumerate() {
            by_place.entry((t.stream.clone(), t.sequence)).or_default().push(i);
        }
        Troubles { all, by_place, spans: FxHashMap::default(), told_by_spans: FxHashMap::default(), topics }
    }

    /// Looks whether a handler's span tells of a message in trouble.
    pub(crate) fn span(&mut self, bench: &mut Bench<'_>, trace: &Trace<'_>, at: usize) {
        let facts = trace.facts(at);
        let Role::Process { topic, group, message_id, delivery, sequence } = &facts.role else { return };
        let evidence = Evidence::Span { trace: facts.trace_id, span: facts.span_id };
        let delivery = delivery.unwrap_or(1);
        if let Some((Some(stream), sequence)) = sequence {
            for i in self.by_place.get(&(stream.clone(), *sequence)).into_iter().flatten() {
                let consumer = &self.all[*i].consumer;
                if consumer.is_some() && group.is_some() && consumer != group {
                    continue;
                }
                // The last delivery says most.
                if self.spans.get(i).is_none_or(|(known, _)| *known <= delivery) {
                    self.spans.insert(*i, (delivery, evidence.clone()));
                }
            }
        }
        let Some(me) = trace.who[at] else { return };
        if delivery < 2 || self.topics.contains(topic.body()) || !bench.tally.period.has(facts.start) {
            return;
        }
        let message = hash(&(topic.body(), me, message_id.as_deref(), message_id.is_none().then_some(facts.span_id)));
        let told = self.told_by_spans.entry(message).or_insert((topic.clone(), me, facts.start, evidence.clone(), 1.0));
        if facts.start >= told.2 {
            *told = (topic.clone(), me, facts.start, evidence, trace.weight);
        }
    }

    pub(crate) fn finish(self, bench: &mut Bench<'_>) {
        let Troubles { all, spans, told_by_spans, .. } = self;
        for (i, trouble) in all.into_iter().enumerate() {
            let rule = match trouble.fate {
                Fate::GivenUp => Rule::DeadLettered,
                Fate::Redelivered => Rule::Redelivered,
            };
            let Some(topic) = bench.land.who(&trouble.topic).filter(|_| bench.is_on(rule)) else { continue };
            let consumer = trouble.consumer.as_ref().and_then(|c| bench.land.consumer(&trouble.topic, c));
            let evidence = spans.get(&i).map(|(_, e)| e.clone()).or(trouble.event);
            let attempt = hash(&(&trouble.stream, trouble.sequence, &trouble.consumer));
            let offence = Offence { at: trouble.at, evidence, weight: 1.0 };
            bench.tally.offence(key(rule, topic, consumer), attempt, offence, trouble.consumer.as_deref());
        }
        let mut told: Vec<_> = told_by_spans.into_iter().collect();
        told.sort_by_key(|(message, (.., at, _, _))| (*at, *message));
        for (message, (topic, who, at, evidence, weight)) in told {
            let Some(topic) = bench.land.who(&topic).filter(|_| bench.is_on(Rule::Redelivered)) else { continue };
            let offence = Offence { at, evidence: Some(evidence), weight };
            bench.tally.offence(key(Rule::Redelivered, topic, Some(who)), message, offence, None);
        }
    }
}

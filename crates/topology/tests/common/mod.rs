//! A store in memory, and a resolver in front of it.
#![allow(dead_code, reason = "each test file uses a part")]

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::Arc;

use flowglass_model::{
    Delivery, Delta, Message, Nanos, NodeId, Role, SeriesSum, SpanFacts, SpanId, SpanKey, TraceId, TraceJoin,
};
use flowglass_topology::{FactSource, MessageSighting, Resolver, Unmatched};

/// What a store answers, without a store.
#[derive(Default)]
pub(crate) struct Memory {
    spans: BTreeMap<SpanKey, SpanFacts>,
    messages: Vec<Message>,
    unmatched: BTreeMap<String, Unmatched>,
    closed: BTreeMap<TraceId, Nanos>,
}

fn sighting(m: &Message) -> MessageSighting {
    MessageSighting {
        system: m.system.clone(),
        destination: m.destination.clone(),
        event_id: m.event_id.clone(),
        time: m.time,
        hop: m.hop,
        source: m.source.clone(),
    }
}

impl FactSource for Memory {
    type Error = Infallible;

    fn trace_facts(&mut self, trace: TraceId) -> Result<Vec<SpanFacts>, Infallible> {
        Ok(self.spans.values().filter(|s| s.trace_id == trace).cloned().collect())
    }

    fn traces_linking_to(&mut self, trace: TraceId, span: SpanId) -> Result<Vec<TraceId>, Infallible> {
        Ok(self.spans.values().filter(|s| s.links.contains(&(trace, span))).map(|s| s.trace_id).collect())
    }

    fn messages_with_context(&mut self, trace: TraceId, span: SpanId) -> Result<Vec<MessageSighting>, Infallible> {
        let here = |m: &&Message| m.hop.is_some_and(|h| h.trace_id == trace && h.span_id == span);
        Ok(self.messages.iter().filter(here).map(sighting).collect())
    }

    fn traces_with_message(&mut self, topic_body: &str, id: &str) -> Result<Vec<TraceId>, Infallible> {
        let fits = |s: &&SpanFacts| match &s.role {
            Role::Send { topic, message_id, .. }
            | Role::Receive { topic, message_id, .. }
            | Role::Process { topic, message_id, .. } => {
                topic.body() == topic_body && message_id.as_deref() == Some(id)
            }
            _ => false,
        };
        Ok(self.spans.values().filter(fits).map(|s| s.trace_id).collect())
    }

    fn messages_with_id(
        &mut self,
        system: &str,
        destination: &str,
        id: &str,
    ) -> Result<Vec<MessageSighting>, Infallible> {
        let here =
            |m: &&Message| m.system == system && m.destination == destination && m.event_id.as_deref() == Some(id);
        Ok(self.messages.iter().filter(here).map(sighting).collect())
    }

    fn closed_until(&mut self, trace: TraceId) -> Result<Option<Nanos>, Infallible> {
        Ok(self.closed.get(&trace).copied())
    }

    fn unmatched(&mut self, key: &str) -> Result<Option<Unmatched>, Infallible> {
        Ok(self.unmatched.get(key).cloned())
    }

    fn set_unmatched(&mut self, key: &str, value: Option<&Unmatched>) -> Result<(), Infallible> {
        match value {
            Some(value) => self.unmatched.insert(key.to_owned(), value.clone()),
            None => self.unmatched.remove(key),
        };
        Ok(())
    }
}

/// Items of one batch.
#[derive(Default, Clone)]
pub(crate) struct Batch {
    pub(crate) spans: Vec<SpanFacts>,
    pub(crate) messages: Vec<Message>,
    pub(crate) deliveries: Vec<Delivery>,
}

/// Store, resolver and the sums they lead to.
pub(crate) struct Bench {
    pub(crate) store: Memory,
    pub(crate) resolver: Resolver,
    pub(crate) sums: BTreeMap<(flowglass_model::SeriesKey, i64, bool, Option<i64>), i64>,
    pub(crate) joins: Vec<TraceJoin>,
}

impl Bench {
    pub(crate) fn new(max_spans: usize) -> Self {
        Bench { store: Memory::default(), resolver: Resolver::new(max_spans), sums: BTreeMap::new(), joins: Vec::new() }
    }

    /// Feeds a batch as the writer does. Messages are taken to be new.
    pub(crate) fn feed(&mut self, batch: &Batch, declared: &[(NodeId, String)]) -> Vec<Delta> {
        self.store.messages.extend(batch.messages.iter().cloned());
        let all: Vec<&SpanFacts> = batch.spans.iter().collect();
        let new = self.resolver.unseen(&all, &mut self.store).unwrap();
        let new: Vec<Arc<SpanFacts>> = new.into_iter().map(|i| Arc::new(all[i].clone())).collect();
        let messages: Vec<&Message> = batch.messages.iter().collect();
        let deliveries: Vec<&Delivery> = batch.deliveries.iter().collect();
        let derived = self.resolver.add(&new, &messages, &deliveries, declared, &mut self.store).unwrap();
        for span in new {
            self.store.spans.insert(span.key(), (*span).clone());
        }
        self.sum(&derived.deltas);
        self.joins.extend(derived.joins.iter().cloned());
        derived.deltas
    }

    /// Takes traces and messages (by place) back, as the writer does.
    pub(crate) fn take_back(&mut self, traces: &BTreeSet<TraceId>, messages: &[usize]) {
        self.take_back_declared(traces, messages, &[]);
    }

    /// Lets traces and messages (by place) go, as the writer does when they expire.
    pub(crate) fn expire(&mut self, traces: &BTreeSet<TraceId>, messages: &[usize]) {
        let gone: Vec<Message> = messages.iter().map(|i| self.store.messages[*i].clone()).collect();
        let gone: Vec<&Message> = gone.iter().collect();
        let list: Vec<TraceId> = traces.iter().copied().collect();
        let expiry = self.resolver.expire(&list, &gone, &mut self.store).unwrap();
        self.store.spans.retain(|_, s| !traces.contains(&s.trace_id));
        let mut place = 0..;
        self.store.messages.retain(|_| !messages.contains(&place.next().unwrap()));
        let expired = self.resolver.expired(expiry, &mut self.store).unwrap();
        for (trace, until) in expired.closed {
            let known = self.store.closed.entry(trace).or_insert(until);
            *known = (*known).max(until);
        }
        self.joins.retain(|j| !expired.lost.contains(j));
        self.joins.extend(expired.gained);
    }

    /// The same for traces whose resources declare layers.
    pub(crate) fn take_back_declared(
        &mut self,
        traces: &BTreeSet<TraceId>,
        messages: &[usize],
        declared: &[(NodeId, String)],
    ) {
        let gone: Vec<Message> = messages.iter().map(|i| self.store.messages[*i].clone()).collect();
        let gone: Vec<&Message> = gone.iter().collect();
        let traces: Vec<TraceId> = traces.iter().copied().collect();
        let retraction = self.resolver.retract(&traces, &gone, &mut self.store).unwrap();
        self.store.spans.retain(|_, s| !traces.contains(&s.trace_id));
        let mut place = 0..;
        self.store.messages.retain(|_| !messages.contains(&place.next().unwrap()));
        let done = self.resolver.retracted(retraction, &[], declared, &mut self.store).unwrap();
        self.sum(&done.deltas);
    }

    fn sum(&mut self, deltas: &[Delta]) {
        for d in deltas {
            let key = ((*d.key).clone(), d.at, d.error, d.duration);
            let sum = self.sums.entry(key.clone()).or_default();
            *sum += d.count;
            if *sum == 0 {
                self.sums.remove(&key);
            }
        }
    }

    /// All that was derived so far, net.
    pub(crate) fn deltas(&self) -> Vec<Delta> {
        self.sums
            .iter()
            .map(|((key, at, error, duration), count)| Delta {
                key: Arc::new(key.clone()),
                at: *at,
                count: *count,
                error: *error,
                duration: *duration,
            })
            .collect()
    }

    /// The same as summed series.
    pub(crate) fn series(&self) -> Vec<SeriesSum> {
        series(&self.deltas())
    }
}

/// Sums deltas as the store does.
pub(crate) fn series(deltas: &[Delta]) -> Vec<SeriesSum> {
    let mut out: BTreeMap<flowglass_model::SeriesKey, SeriesSum> = BTreeMap::new();
    for d in deltas {
        let sum = out.entry((*d.key).clone()).or_insert_with(|| SeriesSum {
            key: (*d.key).clone(),
            count: 0,
            errors: 0,
            sketch: Default::default(),
            first: d.at,
            last: d.at,
        });
        sum.count += d.count;
        sum.errors += if d.error { d.count } else { 0 };
        if let Some(nanos) = d.duration {
            sum.sketch.add(nanos, d.count);
        }
    }
    out.into_values().collect()
}

/// Feeds a whole story as one batch.
pub(crate) fn told(text: &str) -> Bench {
    let story = flowglass_testkit::story(text);
    let mut bench = Bench::new(1_000);
    let batch = Batch { spans: story.spans, messages: story.messages, deliveries: story.deliveries };
    bench.feed(&batch, &[]);
    bench
}

//! Rules about publications: `read-over-event`, `missing-trace-context`, `event-without-consumer`, `duplicate-event`,
//! `dead-lettered` where only a dead-letter topic tells of it, and the dates in payloads.

use std::collections::BTreeMap;

use flowglass_model::{Message, Role, Rule, SpanId, TraceId};
use rustc_hash::FxHashMap;

use super::local_dates::{is_below_experience, told};
use super::{Bench, asks, key};
use crate::dates::in_json;
use crate::finding::Evidence;
use crate::landscape::Who;
use crate::tally::{Offence, Sum, hash};
use crate::trace::Trace;

/// Senders remembered by span, for topics with several.
const SENDERS: usize = 500_000;

/// A publication as rules look at it.
#[derive(Debug, Clone, Copy)]
pub struct Published<'a> {
    /// With headers and payload.
    pub message: &'a Message,
    /// The row of its event.
    pub row: i64,
    /// Whether it is the event's first publication.
    pub first: bool,
    /// Whether its broker will have dropped it as a repeat (same message id within the time the broker remembers).
    pub dropped: bool,
    /// Whether its topic keeps what nobody could process.
    pub dead_letter: bool,
}

/// Publications by topic.
#[derive(Default)]
pub(crate) struct Messages {
    topics: BTreeMap<Who, Sum>,
    /// The same as spans tell, for topics whose messages are not stored.
    sent: BTreeMap<Who, Sum>,
    dead: BTreeMap<Who, Sum>,
    senders: FxHashMap<(TraceId, SpanId), Who>,
    pub(crate) count: u64,
}

impl Messages {
    pub(crate) fn span(&mut self, bench: &mut Bench<'_>, stored: &dyn Fn(Who) -> bool, trace: &Trace<'_>, at: usize) {
        let facts = trace.facts(at);
        let Role::Send { topic, create, .. } = &facts.role else { return };
        let (Some(topic), Some(me)) = (bench.land.who(topic), trace.who[at]) else { return };
        if bench.land.publishers(topic).len() > 1 && self.senders.len() < SENDERS {
            self.senders.insert((facts.trace_id, facts.span_id), me);
        }
        let sends_below = *create && trace.children(at).any(|c| matches!(trace.facts(c).role, Role::Send { .. }));
        if sends_below || stored(topic) || !bench.tally.period.has(facts.start) {
            return;
        }
        let evidence = Evidence::Span { trace: facts.trace_id, span: facts.span_id };
        let offence = || Offence { at: facts.start, evidence: Some(evidence.clone()), weight: trace.weight };
        self.sent.entry(topic).or_default().add(offence(), bench.tally.period, None);
        let name = bench.land.get(topic).id.name();
        if is_question(name, None) && waits_for_reply(trace, at) && bench.is_on(Rule::ReadOverEvent) {
            let named = name.to_owned();
            bench.span(key(Rule::ReadOverEvent, me, Some(topic)), hash(&facts.span_id), trace, at, Some(&named));
        }
    }

    pub(crate) fn message(&mut self, bench: &mut Bench<'_>, published: Published<'_>) {
        let m = published.message;
        if !bench.tally.period.has(m.time) || is_plumbing(&m.destination) {
            return;
        }
        let Some(topic) = bench.land.who(&m.topic()) else { return };
        self.count += 1;
        let evidence = Evidence::Event { id: name_of(m), row: published.row };
        let offence = || Offence { at: m.time, evidence: Some(evidence.clone()), weight: 1.0 };
        let sender = self.sender(bench, m, topic);
        let about = |rule: Rule| match sender {
            Some(sender) => key(rule, sender, Some(topic)),
            None => key(rule, topic, None),
        };
        let event = hash(&(published.row, topic));
        if !published.first {
            if !published.dropped && bench.is_on(Rule::DuplicateEvent) {
                bench.tally.offence(about(Rule::DuplicateEvent), event, offence(), m.event_type.as_deref());
            }
            return;
        }
        self.topics.entry(topic).or_default().add(offence(), bench.tally.period, m.event_type.as_deref());
        if published.dead_letter {
            self.dead.entry(topic).or_default().add(offence(), bench.tally.period, m.event_type.as_deref());
            return;
        }
        let asked = m.reply.is_some() && m.sequence.is_none() && is_question(&m.destination, m.event_type.as_deref());
        if asked && bench.is_on(Rule::ReadOverEvent) {
            bench.tally.offence(about(Rule::ReadOverEvent), event, offence(), Some(&m.destination));
        }
        if m.hop.is_none() && m.origin.is_none() && !has_other_context(m) && bench.is_on(Rule::MissingTraceContext) {
            let traced = |who: &Who| bench.land.get(*who).instrumented;
            if sender.as_ref().is_some_and(traced) || bench.land.consumers(topic).iter().any(traced) {
                bench.tally.offence(about(Rule::MissingTraceContext), event, offence(), m.event_type.as_deref());
            }
        }
        if bench.is_on(Rule::NonRfc3339Date)
            && sender.is_none_or(|s| is_below_experience(bench.land, s))
            && let Some(found) = in_json(&m.payload)
        {
            bench.tally.offence(about(Rule::NonRfc3339Date), event, offence(), Some(&told(&found)));
        }
    }

    /// Who published: the span that the message names, else the only one who publishes there.
    fn sender(&self, bench: &Bench<'_>, m: &Message, topic: Who) -> Option<Who> {
        let hop = m.hop.and_then(|hop| self.senders.get(&(hop.trace_id, hop.span_id)).copied());
        let only = || match bench.land.publishers(topic) {
            [one] if *one != topic => Some(*one),
            _ => None,
        };
        hop.or_else(only)
    }

    /// Topics nobody consumes from, and dead letters that no broker told of.
    pub(crate) fn finish(self, bench: &mut Bench<'_>, given_up: impl Fn(&Bench<'_>, Who) -> bool) {
        let mut topics = self.topics;
        for (topic, sum) in self.sent {
            topics.entry(topic).or_insert(sum);
        }
        for (topic, sum) in topics {
            if bench.land.consumers(topic).is_empty() && bench.is_on(Rule::EventWithoutConsumer) {
                bench.tally.sums.insert(key(Rule::EventWithoutConsumer, topic, None), sum);
            }
        }
        for (topic, sum) in self.dead {
            if bench.is_on(Rule::DeadLettered) && !given_up(bench, topic) {
                bench.tally.sums.insert(key(Rule::DeadLettered, topic, None), sum);
            }
        }
    }
}

/// Subjects by which brokers and clients talk about messages.
fn is_plumbing(destination: &str) -> bool {
    destination.starts_with('$') || destination.starts_with("_INBOX.") || destination.starts_with("__")
}

fn name_of(m: &Message) -> String {
    let place = || m.stream.as_ref().zip(m.sequence).map(|(stream, sequence)| format!("{stream}:{sequence}"));
    m.event_id.clone().or_else(place).unwrap_or_else(|| m.time.to_string())
}

/// Other ways than W3C's to pass a trace on.
fn has_other_context(m: &Message) -> bool {
    let other = |name: &str| matches!(name, "b3" | "uber-trace-id" | "x-datadog-trace-id") || name.starts_with("x-b3-");
    m.headers.iter().any(|(name, _)| other(&name.to_ascii_lowercase()))
}

/// Whether a subject or event type is a question by its first or last word. What ends in a past tense happened: it asks nothing.
fn is_question(subject: &str, event_type: Option<&str>) -> bool {
    [Some(subject), event_type].into_iter().flatten().any(|name| {
        let words: Vec<&str> =
            name.split(['.', '-', '_', '/', ':']).filter(|w| !w.is_empty() && !is_version(w)).collect();
        let happened = words.last().is_some_and(|w| w.len() > 4 && w.ends_with("ed"));
        // `read` is a past tense too.
        let question = |w: Option<&&str>| w.is_some_and(|w| asks(w) && !w.eq_ignore_ascii_case("read"));
        !happened && (question(words.first()) || question(words.last()))
    })
}

fn is_version(word: &str) -> bool {
    word.strip_prefix('v').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether the sender takes a message from another topic in the same handling, after sending and before it is done: it waits.
fn waits_for_reply(trace: &Trace<'_>, send: usize) -> bool {
    let sent = trace.facts(send);
    let handling = trace.handling[send];
    let done = trace.facts(handling).end;
    let other = |role: &Role| match (role, &sent.role) {
        (Role::Receive { topic, .. } | Role::Process { topic, .. }, Role::Send { topic: to, .. }) => topic != to,
        _ => false,
    };
    handling != send
        && (0..trace.spans.len()).any(|i| {
            let facts = trace.facts(i);
            facts.service == sent.service && facts.start >= sent.start && facts.end <= done && other(&facts.role)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_told_from_facts() {
        for name in ["customer.get", "get.customer", "orders.query.v1", "price-lookup", "com.shop.stock.find.v2"] {
            assert!(is_question(name, None), "{name}");
        }
        for name in ["orders.placed", "list.updated", "message.read", "customer.created", "budget.set", "stock.targets"]
        {
            assert!(!is_question(name, None), "{name}");
        }
    }
}

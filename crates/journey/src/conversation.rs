//! Joins without a trace context: parts of traces that carry one correlation id, and the parts that one event caused.
//!
//! A correlation id says that things belong together, not which caused which. What is joined is therefore what one action can
//! have caused: the handling of a message that another part published, a request made while another was being answered, work
//! that began later. Two requests from outside that come one after the other with the same id stay two journeys.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::{LinkHow, Nanos, Role, SpanFacts, SpanId, SpanKind, TraceId, TraceJoin};

use crate::index::{Children, Index, is_handler, message_of};

/// How far the clocks of a caller and of what answers it may be apart for the one to be seen as the other's call, nanoseconds.
const CALL_CLOCKS: i64 = 500_000_000;
/// How much earlier than its publication a handling may seem to begin, clocks being what they are, nanoseconds.
const MESSAGE_CLOCKS: i64 = 5_000_000_000;

/// The spans that stand for units of work in a trace: for each span given, the handling or request at or above it. In a trace
/// that is about one thing only (`whole`) that is what stands topmost. Sorted, each once; spans that are not there have none.
pub fn units<S: Borrow<SpanFacts>>(spans: &[S], of: &BTreeSet<SpanId>, whole: bool) -> BTreeSet<SpanId> {
    let index = Index::new(spans);
    let Some(trace) = index.spans.first().map(|s| s.trace_id) else { return BTreeSet::new() };
    let mut out = BTreeSet::new();
    for id in of {
        let Some(start) = index.find(trace, *id).next() else { continue };
        let (mut at, mut nearest) = (start, None);
        for _ in 0..index.spans.len() {
            if nearest.is_none() && (is_handler(index.spans[at]) || matches!(index.spans[at].role, Role::Server { .. }))
            {
                nearest = Some(at);
            }
            let Some(parent) = index.parent[at] else { break };
            at = parent;
        }
        let unit = if whole { at } else { nearest.unwrap_or(start) };
        out.insert(index.spans[unit].span_id);
    }
    out
}

/// A part of a trace that carries an id.
pub struct Part<'a, S> {
    /// Its trace.
    pub trace: TraceId,
    /// The span it hangs on.
    pub head: SpanId,
    /// Whether nothing surer says what set it going.
    pub open: bool,
    /// All spans of its trace.
    pub spans: &'a [S],
}

struct Known<'a> {
    trace: TraceId,
    head: &'a SpanFacts,
    open: bool,
    spans: Vec<&'a SpanFacts>,
    /// Calls that nobody in its trace answered.
    calls: Vec<&'a SpanFacts>,
    end: Nanos,
}

impl<'a> Known<'a> {
    fn new<S: Borrow<SpanFacts>>(part: &Part<'a, S>) -> Option<Known<'a>> {
        let index = Index::new(part.spans);
        let head = index.find_handler(part.trace, part.head)?;
        let children = Children::new(&index.parent);
        let (mut below, mut seen, mut at) = (vec![head], BTreeSet::from([head]), 0);
        while at < below.len() {
            below.extend(children.of(below[at]).iter().copied().filter(|c| seen.insert(*c)));
            at += 1;
        }
        let answered = |i: usize| children.of(i).iter().any(|c| index.spans[*c].kind == SpanKind::Server);
        let calls = below.iter().filter(|i| matches!(index.spans[**i].role, Role::Client { .. }) && !answered(**i));
        Some(Known {
            trace: part.trace,
            head: index.spans[head],
            open: part.open,
            end: below.iter().map(|i| index.spans[*i].end).max()?,
            calls: calls.map(|i| index.spans[*i]).collect(),
            spans: below.iter().map(|i| index.spans[*i]).collect(),
        })
    }

    fn order(&self) -> (Nanos, TraceId, SpanId) {
        (self.head.start, self.trace, self.head.span_id)
    }
}

/// Joins the parts that carry one correlation id. Neither their order nor repeats matter. O(n²) in parts.
pub fn converse<S: Borrow<SpanFacts>>(parts: &[Part<'_, S>]) -> Vec<TraceJoin> {
    let mut known: Vec<Known<'_>> = parts.iter().filter_map(Known::new).collect();
    known.sort_by_key(Known::order);
    known.dedup_by_key(|k| (k.trace, k.head.span_id));
    let mut out = Vec::new();
    for part in known.iter().filter(|p| p.open) {
        let others = || known.iter().filter(|o| o.trace != part.trace);
        let before = || others().filter(|o| o.order() < part.order());
        let from = match &part.head.role {
            Role::Process { .. } | Role::Receive { .. } => {
                published(part, others()).or_else(|| before().next().map(|o| o.head))
            }
            Role::Server { .. } => {
                called(part, others()).or_else(|| before().rfind(|o| around(o, part)).map(|o| o.head))
            }
            _ => before().next().map(|o| o.head),
        };
        out.extend(from.map(|from| join(from, part.head, LinkHow::CorrelationId)));
    }
    out.sort();
    out.dedup();
    out
}

/// Whether a request came while another one, of another service, was being answered.
fn around(outer: &Known<'_>, inner: &Known<'_>) -> bool {
    outer.head.service != inner.head.service && outer.end >= inner.head.start
}

fn join(from: &SpanFacts, to: &SpanFacts, how: LinkHow) -> TraceJoin {
    let (parent_trace, parent_span) = (from.trace_id, from.span_id);
    TraceJoin { parent_trace, parent_span, child_trace: to.trace_id, child_span: to.span_id, how }
}

/// The last publication to the topic that a part handles.
fn published<'k, 'a: 'k>(part: &Known<'a>, others: impl Iterator<Item = &'k Known<'a>>) -> Option<&'a SpanFacts> {
    let (topic, _) = message_of(part.head)?;
    let latest = part.head.start.saturating_add(MESSAGE_CLOCKS);
    let sent = |s: &&&'a SpanFacts| {
        matches!(s.role, Role::Send { .. }) && message_of(s).is_some_and(|(t, _)| t == topic) && s.start <= latest
    };
    let sends = others.flat_map(|o| o.spans.iter().filter(sent));
    // Of those before it the last; only clocks that differ make one after it the sender.
    sends.copied().max_by_key(|s| {
        let before = s.start <= part.head.start;
        (before, if before { s.start } else { -s.start }, s.trace_id, s.span_id)
    })
}

/// The call that a request most likely answers: by another service, nowhere answered, and long enough.
fn called<'k, 'a: 'k>(part: &Known<'a>, others: impl Iterator<Item = &'k Known<'a>>) -> Option<&'a SpanFacts> {
    let answer = part.head;
    let fits = |c: &&&'a SpanFacts| {
        c.service != answer.service
            && c.duration() >= answer.duration()
            && answer.start >= c.start.saturating_sub(CALL_CLOCKS)
            && answer.end <= c.end.saturating_add(CALL_CLOCKS)
    };
    let calls = others.flat_map(|o| o.calls.iter().filter(fits));
    calls.copied().min_by_key(|c| (answer.start.abs_diff(c.start), c.trace_id, c.span_id))
}

/// Guessed joins from one journey to another that carries the same business key: a handling without a sender follows the last
/// publication to its topic within an hour.
pub fn infer<S: Borrow<SpanFacts>>(own: &[S], other: &[S]) -> Vec<TraceJoin> {
    let own: Vec<&SpanFacts> = own.iter().map(Borrow::borrow).collect();
    let here: BTreeSet<TraceId> = own.iter().map(|s| s.trace_id).collect();
    let mut sent: BTreeMap<&str, Vec<&SpanFacts>> = BTreeMap::new();
    for span in own.iter().filter(|s| matches!(s.role, Role::Send { .. })) {
        message_of(span).into_iter().for_each(|(topic, _)| sent.entry(topic).or_default().push(span));
    }
    let handlers =
        other.iter().map(Borrow::borrow).filter(|s| is_handler(s) && s.parent.is_none() && s.links.is_empty());
    let mut out = Vec::new();
    for handler in handlers.filter(|s| !here.contains(&s.trace_id)) {
        let Some((topic, _)) = message_of(handler) else { continue };
        let near = |s: &&&SpanFacts| crate::related::in_time(s.start, handler.start);
        let from = sent.get(topic).into_iter().flatten().filter(near).max_by_key(|s| (s.start, s.span_id));
        out.extend(from.map(|from| join(from, handler, LinkHow::Inferred)));
    }
    out.sort();
    out.dedup();
    out
}

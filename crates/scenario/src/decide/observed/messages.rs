//! What the messages of a step tell: how late they are, whether they are handled twice, whether they carry the trace.

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::{NodeId, NodeKind, Role, SpanFacts};

use super::{Evidence, Fact, Pair, fact, is};
use crate::calibrate::handlings::{Cause, Handled};
use crate::calibrate::sample::Sample;
use crate::decide::words::{percent, time};

/// Messages from which on anything is told.
const ENOUGH: usize = 20;
/// Messages handled twice from which on is told what that does.
const TWICE: usize = 3;
/// Share of messages with trace context that counts as all.
const TRACED: f64 = 0.95;

/// The facts of a pair's channel.
pub(super) fn facts(evidence: &Evidence<'_>, handled: &Handled, pair: &Pair<'_>) -> Vec<Fact> {
    let Some(channel) = pair.channel else { return Vec::new() };
    let processed: Vec<&SpanFacts> = evidence
        .spans
        .iter()
        .map(|seen| seen.facts.as_ref())
        .filter(|s| is(&s.service, pair.to) && matches!(&s.role, Role::Process { topic, .. } if is(topic, channel)))
        .collect();
    let all = [lag(handled, pair, channel), twice(evidence, &processed, pair), traced(evidence, &processed, channel)];
    all.into_iter().flatten().collect()
}

/// W4: how late the effect is, against how late it may be.
fn lag(handled: &Handled, pair: &Pair<'_>, channel: &str) -> Option<Fact> {
    let within = pair.step.within?;
    let of_topic = |topic: &NodeId| is(topic, channel);
    let late = handled.all.iter().filter(|h| is(&h.asked.0, pair.to)).filter_map(|h| match &h.cause {
        Cause::Message { topic, delay: Some(delay), .. } if of_topic(topic) => Some(delay + (h.end - h.start)),
        _ => None,
    });
    let late = Sample::new(late.collect());
    if late.n() < ENOUGH {
        return None;
    }
    let p99 = late.quantile(0.99);
    let points = match within as f64 / p99.max(1.0) {
        r if r >= 10.0 => 2.0,
        r if r >= 1.0 => 1.0,
        _ => -2.0,
    };
    let evidence = format!(
        "the effect may be {} late; 99 of 100 were there after {} (n = {})",
        time(within as f64),
        time(p99),
        late.n()
    );
    Some(fact("W4", points, evidence))
}

/// W14: whether a message that was handled twice had its effect twice.
fn twice(evidence: &Evidence<'_>, processed: &[&SpanFacts], pair: &Pair<'_>) -> Option<Fact> {
    let acts: BTreeSet<_> = evidence
        .spans
        .iter()
        .map(|seen| &seen.facts)
        .filter(|s| matches!(s.role, Role::Client { .. } | Role::Access { .. } | Role::Send { .. }))
        .filter_map(|s| Some((s.trace_id, s.parent?)))
        .collect();
    let mut by_message: BTreeMap<&str, Vec<&SpanFacts>> = BTreeMap::new();
    for span in processed.iter().filter(|s| !s.is_error()) {
        if let Role::Process { message_id: Some(id), .. } = &span.role {
            by_message.entry(id).or_default().push(span);
        }
    }
    let repeated: Vec<&Vec<&SpanFacts>> = by_message.values().filter(|of| of.len() > 1).collect();
    if repeated.len() < TWICE {
        return None;
    }
    let acted = |span: &&&SpanFacts| acts.contains(&(span.trace_id, span.span_id));
    let again = repeated.iter().filter(|of| of.iter().filter(acted).count() > 1).count();
    let points = if again > 0 { -1.0 } else { 0.0 };
    let evidence = format!(
        "of {} messages that {} handled more than once, {again} had their effect again",
        repeated.len(),
        pair.to
    );
    Some(fact("W14", points, evidence))
}

/// W20: whether messages can be followed, and whether anything catches those that fail for good.
fn traced(evidence: &Evidence<'_>, processed: &[&SpanFacts], channel: &str) -> Option<Fact> {
    if processed.len() < ENOUGH {
        return None;
    }
    let with = processed.iter().filter(|s| s.parent.is_some() || !s.links.is_empty()).count();
    let share = with as f64 / processed.len() as f64;
    let mentions = |name: &str| ["dlq", "dead-letter", "deadletter", "dead_letter"].iter().any(|w| name.contains(w));
    let caught = evidence
        .graph
        .nodes
        .iter()
        .any(|n| n.kind == NodeKind::Topic && mentions(&n.name.to_ascii_lowercase()) && n.name.contains(channel));
    let letters = if caught { "a dead-letter destination was seen" } else { "no dead-letter destination was seen" };
    // A destination for dead letters that got none is never seen: only the trace context gives points.
    let points = if share < TRACED { -1.0 } else { 0.0 };
    let evidence =
        format!("{} of the messages carry the trace context (n = {}); {letters}", percent(share), processed.len());
    Some(fact("W20", points, evidence))
}

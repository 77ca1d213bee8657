//! What the time up to the last effect went into, and where messages waited.
//!
//! Backwards from the span that ended last: the handling it belongs to, the wait for its message, what was done until that was
//! sent, and so on up to the entry. Clocks are taken as they are: a wait may be negative where they contradict each other.

use std::collections::BTreeMap;

use flowglass_model::{GapKind, NodeId, Role};

use crate::critical;
use crate::outcome::Outcome;
use crate::tree::Tree;

/// A wait: nodes instead of ids.
#[derive(Debug, Clone)]
pub(crate) struct Wait {
    /// Why.
    pub(crate) kind: GapKind,
    /// Publication or attempt before.
    pub(crate) from: usize,
    /// Handling.
    pub(crate) to: usize,
    /// Topic.
    pub(crate) participant: NodeId,
    /// Begin.
    pub(crate) start: i64,
    /// Nanoseconds.
    pub(crate) duration: i64,
    /// On the way to the last effect.
    pub(crate) critical: bool,
}

/// All waits, by start.
pub(crate) fn waits(tree: &Tree<'_>, outcome: &Outcome<'_>) -> Vec<Wait> {
    let before = attempts_before(outcome);
    let mut out: Vec<Wait> =
        outcome.handlings.iter().filter_map(|h| wait(tree, h.span, before.get(&h.span).copied())).collect();
    out.sort_by_key(|w| (w.start, w.to));
    out
}

/// For each attempt the one before it.
fn attempts_before(outcome: &Outcome<'_>) -> BTreeMap<usize, usize> {
    let pairs = outcome.handlings.windows(2);
    let same = |w: &&[crate::outcome::Handling]| !w[0].last && w[1].delivery.is_some_and(|d| d > 1);
    pairs.filter(same).map(|w| (w[1].span, w[0].span)).collect()
}

fn wait(tree: &Tree<'_>, handler: usize, before: Option<usize>) -> Option<Wait> {
    let span = tree.spans[handler];
    let (Role::Process { topic, .. } | Role::Receive { topic, .. }) = &span.role else { return None };
    let (kind, from, start) = match before {
        Some(attempt) => (GapKind::Redelivery, attempt, tree.spans[attempt].end),
        None => {
            let from = publication(tree, handler)?;
            let start = match tree.span(from) {
                Some(send) => send.end,
                None => tree.events[from - tree.spans.len()].time,
            };
            (GapKind::Queue, from, start)
        }
    };
    // A fetch begins before the message is there.
    let end = if matches!(span.role, Role::Receive { .. }) { span.end } else { span.start };
    let duration = end.saturating_sub(start);
    Some(Wait { kind, from, to: handler, participant: topic.clone(), start, duration, critical: false })
}

/// The span that sent a handler's message, else the event.
fn publication(tree: &Tree<'_>, handler: usize) -> Option<usize> {
    tree.sender_of[handler].filter(|s| *s != handler).or(tree.event_of[handler].map(|e| tree.event_node(e)))
}

/// Own time by span up to the last effect, in order of the spans; marks the waits on the way.
pub(crate) fn path(tree: &Tree<'_>, waits: &mut [Wait]) -> Vec<(usize, i64)> {
    let Some(last) = (0..tree.spans.len()).max_by_key(|n| (tree.spans[*n].end, usize::MAX - n)) else {
        return Vec::new();
    };
    let mut own: BTreeMap<usize, i64> = BTreeMap::new();
    let mut seen = vec![false; tree.spans.len()];
    let mut at = last;
    while !std::mem::replace(&mut seen[at], true) {
        // Up to the handling (or the entry) this was done for.
        let way = way_up(tree, at);
        let Some(begin) = way.last().copied() else { break };
        for (n, time) in critical::path_until(tree, begin, tree.spans[at].end, &way) {
            *own.entry(n).or_default() += time;
        }
        let from = match waits.iter_mut().find(|w| w.to == begin) {
            Some(wait) => {
                wait.critical = true;
                wait.from
            }
            None => match tree.follows[begin] {
                Some(from) => from,
                None => break,
            },
        };
        let Some(next) = before(tree, from) else { break };
        at = next;
    }
    own.into_iter().collect()
}

/// The span at or above a node.
fn before(tree: &Tree<'_>, node: usize) -> Option<usize> {
    if node < tree.spans.len() { Some(node) } else { tree.parent[node].filter(|p| *p < tree.spans.len()) }
}

/// A span and those above it, up to the one nobody waited for.
fn way_up(tree: &Tree<'_>, from: usize) -> Vec<usize> {
    let mut way = vec![from];
    let mut at = from;
    while !tree.is_async(at) {
        let Some(parent) = tree.parent[at].filter(|p| *p < tree.spans.len() && way.len() <= tree.spans.len()) else {
            break;
        };
        way.push(parent);
        at = parent;
    }
    way
}

/// Time up to the last effect by participant, the largest first.
pub(crate) fn by_participant(tree: &Tree<'_>, steps: &[(usize, i64)], waits: &[Wait]) -> Vec<(NodeId, i64)> {
    let mut sums: BTreeMap<&NodeId, i64> = BTreeMap::new();
    for (n, time) in steps {
        let span = tree.spans[*n];
        let who = if let Role::Access { backend } = &span.role { backend } else { &span.service };
        *sums.entry(who).or_default() += time;
    }
    for wait in waits.iter().filter(|w| w.critical) {
        *sums.entry(&wait.participant).or_default() += wait.duration.max(0);
    }
    let mut out: Vec<(NodeId, i64)> = sums.into_iter().map(|(who, time)| (who.clone(), time)).collect();
    out.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    out.retain(|(_, time)| *time > 0);
    out
}

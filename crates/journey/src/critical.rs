//! What the caller's waiting time went into.
//!
//! Backwards from the end of the entry span: the child that finished last was waited for, before it the one that finished last
//! before that one began, and so on. What no child explains is a span's own time. Work nobody waited for is left out.

use std::cmp::Reverse;

use flowglass_model::{Nanos, SpanFacts, SpanKind};

use crate::tree::Tree;

struct Frame {
    node: usize,
    /// What the clock of this span's service is ahead of the entry's, as far as its parents tell.
    ahead: i64,
    /// The part of the span that is on the path, in the entry's time.
    from: Nanos,
    to: Nanos,
}

/// A child the parent waited for, in the entry's time.
struct Wait {
    node: usize,
    ahead: i64,
    start: Nanos,
    end: Nanos,
}

/// Time by span: span number and own nanoseconds on the path, in order of the spans. The sum is the duration of `entry`.
pub(crate) fn path(tree: &Tree<'_>, entry: usize) -> Vec<(usize, i64)> {
    path_until(tree, entry, tree.spans[entry].end, &[])
}

/// The same up to an instant of `entry`'s clock; what is still going on then is looked into along `way` first.
pub(crate) fn path_until(tree: &Tree<'_>, entry: usize, until: Nanos, way: &[usize]) -> Vec<(usize, i64)> {
    let mut own: Vec<Option<i64>> = vec![None; tree.spans.len()];
    let span = tree.spans[entry];
    let mut work = vec![Frame { node: entry, ahead: 0, from: span.start, to: until.max(span.start) }];
    while let Some(frame) = work.pop() {
        let mut time = 0i64;
        let mut until = frame.to;
        for wait in waited_for(tree, &frame, way) {
            let start = wait.start.max(frame.from);
            if wait.end > until || start >= until || wait.end < start {
                continue;
            }
            time = time.saturating_add(until.saturating_sub(wait.end));
            until = start;
            work.push(Frame { node: wait.node, ahead: wait.ahead, from: start, to: wait.end });
        }
        time = time.saturating_add(until.saturating_sub(frame.from));
        let slot = own[frame.node].get_or_insert(0);
        *slot = slot.saturating_add(time);
    }
    own.into_iter().enumerate().filter_map(|(n, t)| Some((n, t?))).collect()
}

/// Synchronous children whose end the parent saw, last end first.
fn waited_for(tree: &Tree<'_>, frame: &Frame, way: &[usize]) -> Vec<Wait> {
    let parent = tree.spans[frame.node];
    let parent_end = parent.end.saturating_sub(frame.ahead);
    let on_way = |node: usize| way.contains(&node);
    let mut waits: Vec<Wait> = Vec::new();
    for node in tree.children.of(frame.node).iter().copied() {
        let Some(child) = tree.span(node).filter(|_| !tree.is_async(node)) else { continue };
        let ahead = lead(parent, frame.ahead, child);
        let (start, end) = (child.start.saturating_sub(ahead), child.end.saturating_sub(ahead));
        // A callee may work on after its caller gave up: the waiting was for it all the same.
        let called = parent.kind == SpanKind::Client && child.kind == SpanKind::Server;
        if called || end <= parent_end || on_way(node) {
            waits.push(Wait { node, ahead, start, end: end.min(frame.to) });
        }
    }
    waits.sort_by_key(|w| (Reverse(w.end), !on_way(w.node), w.start, w.node));
    waits
}

/// How far a child's clock is ahead: as far as its parent's, unless it runs in another service and does not fit into the parent
/// though it is short enough; then it is taken to stand in the middle (as Jaeger's clock-skew adjuster does). Nothing stored is
/// changed by this.
fn lead(parent: &SpanFacts, ahead: i64, child: &SpanFacts) -> i64 {
    if parent.service == child.service || (child.start >= parent.start && child.end <= parent.end) {
        return ahead;
    }
    let start = parent.start.saturating_sub(ahead);
    if child.duration() <= parent.duration() {
        return child.start.saturating_sub(start.saturating_add((parent.duration() - child.duration()) / 2));
    }
    // Longer than its parent: it cannot have begun before it.
    if child.start < parent.start { child.start.saturating_sub(start) } else { ahead }
}

//! What failed first, and how it spread.

use flowglass_model::{NodeId, Role, SpanKind};

use crate::outcome::{Outcome, is_fault};
use crate::sentence;
use crate::tree::Tree;

/// The first failure: nodes instead of ids.
pub(crate) struct First {
    /// The node.
    pub(crate) node: usize,
    /// Who failed.
    pub(crate) participant: NodeId,
    /// Why.
    pub(crate) cause: String,
    /// From the first failure to what the caller saw.
    pub(crate) chain: Vec<usize>,
    /// What it means to whoever waits for the outcome.
    pub(crate) for_customer: String,
}

/// Finds it: where the entry failed, what made it fail; else what made a message's handling fail for good; else the earliest
/// error that was coped with. 4xx answers alone are none.
pub(crate) fn first(tree: &Tree<'_>, outcome: &Outcome<'_>) -> Option<First> {
    let entry = tree.top.filter(|t| is_fault(tree.spans[*t]));
    let attempts: Vec<usize> = match entry {
        Some(entry) => vec![entry],
        None => lasting_attempts(tree, outcome),
    };
    let leaf = attempts.first().map(|target| descend(tree, *target));
    if let (None, Some(event)) = (leaf, outcome.given_up) {
        let node = tree.event_node(event);
        let cause = sentence::given_up(tree, outcome, event);
        let for_customer = sentence::for_customer(tree, node, false);
        return Some(First { node, participant: tree.topic(event), cause, chain: vec![node], for_customer });
    }
    let node = leaf.or_else(|| earliest_leaf(tree))?;
    let chain = chain(tree, node);
    let mut cause = sentence::cause(tree, node, &chain);
    if attempts.len() > 1 {
        cause.push_str(&format!("; {} attempts failed", attempts.len()));
    }
    let for_customer = sentence::for_customer(tree, node, entry.is_some());
    Some(First { node, participant: tree.spans[node].service.clone(), cause, chain, for_customer })
}

/// From a failed span down to the error that started it: at each step the child that failed first. Siblings are mostly timed by
/// one clock, so this holds where clocks differ.
fn descend(tree: &Tree<'_>, target: usize) -> usize {
    let mut at = target;
    while let Some(next) = failed_below(tree, at) {
        at = next;
    }
    at
}

/// The first to fail of the errors right below a span; internal spans that say nothing are looked through.
fn failed_below(tree: &Tree<'_>, node: usize) -> Option<usize> {
    let mut best: Option<usize> = None;
    let mut work: Vec<usize> = tree.children.of(node).to_vec();
    while let Some(n) = work.pop() {
        let Some(span) = tree.span(n).filter(|_| !tree.is_async(n)) else { continue };
        if is_fault(span) {
            let rank = |m: usize| (tree.spans[m].end, m);
            best = Some(best.map_or(n, |b| if rank(n) < rank(b) { n } else { b }));
        } else if span.kind == SpanKind::Internal {
            work.extend(tree.children.of(n));
        }
    }
    best
}

/// The failed attempts at the message that failed for good, in order: those that spans tell, else those at an event given up.
fn lasting_attempts(tree: &Tree<'_>, outcome: &Outcome<'_>) -> Vec<usize> {
    let failed = |n: &usize| is_fault(tree.spans[*n]);
    let told: Vec<usize> = outcome.lasting_attempts().iter().map(|h| h.span).filter(failed).collect();
    let Some(event) = outcome.given_up.filter(|_| told.is_empty()) else { return told };
    (0..tree.spans.len()).filter(|n| tree.event_of[*n] == Some(event)).filter(failed).collect()
}

fn earliest_leaf(tree: &Tree<'_>) -> Option<usize> {
    (0..tree.spans.len())
        .filter(|n| is_fault(tree.spans[*n]) && failed_below(tree, *n).is_none())
        .min_by_key(|n| (tree.spans[*n].end, *n))
}

/// Up through the errors that followed, as far as they were waited for.
fn chain(tree: &Tree<'_>, first: usize) -> Vec<usize> {
    let mut chain = vec![first];
    let mut at = first;
    while let Some(p) = tree.parent[at].filter(|_| !tree.is_async(at)) {
        let Some(span) = tree.span(p) else { break };
        if span.is_error() {
            chain.push(p);
        } else if span.kind != SpanKind::Internal || !matches!(span.role, Role::Internal) {
            break;
        }
        at = p;
    }
    chain
}

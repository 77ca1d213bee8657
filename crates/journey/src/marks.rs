//! What is remarkable about the items of a journey: retries, redeliveries, duplicates, what consumers said, clocks that differ.

use flowglass_model::{Acknowledgement, MarkKind, Role, SpanFacts, SpanKind};

use crate::outcome::{Handling, Outcome, group_of, is_fault};
use crate::sentence;
use crate::settled::Wait;
use crate::tree::Tree;

/// Contradictions of clocks below this are within what instrumentation itself takes, nanoseconds.
const SKEW: i64 = 1_000_000;

/// A remark: node, kind, words.
pub(crate) type Remark = (usize, MarkKind, String);

/// All remarks, by node and kind.
pub(crate) fn marks(tree: &Tree<'_>, outcome: &Outcome<'_>, waits: &[Wait]) -> Vec<Remark> {
    let mut out = Vec::new();
    calls(tree, &mut out);
    handlings(tree, outcome, waits, &mut out);
    for event in 0..tree.events.len() {
        if outcome.gave_up(tree, event) {
            out.push((tree.event_node(event), MarkKind::DeadLettered, sentence::given_up(tree, outcome, event)));
        }
    }
    clocks(tree, &mut out);
    out.sort();
    out.dedup();
    out
}

fn calls(tree: &Tree<'_>, out: &mut Vec<Remark>) {
    for (n, span) in tree.spans.iter().enumerate() {
        if span.resend > 0 {
            out.push((n, MarkKind::Retry, format!("retry {} of {}", span.resend, span.operation)));
        } else if let Some(failed) = repeated(tree, n) {
            let why = sentence::short(tree, failed).map(|w| format!(" after {w}")).unwrap_or_default();
            out.push((n, MarkKind::Retry, format!("{} called again{why}", span.operation)));
        }
        if sentence::cancelled(span) {
            out.push((n, MarkKind::Cancelled, "cancelled by its caller: no failure of its own".to_owned()));
        } else if span.is_error() && !is_fault(span) {
            let code = sentence::short(tree, n).unwrap_or_else(|| "a client error".to_owned());
            out.push((n, MarkKind::ClientError, format!("{code}: the caller's mistake, no failure of the callee")));
        }
    }
}

/// The failed call that this one repeats: the same operation of the same service, right before it below the same span.
fn repeated(tree: &Tree<'_>, n: usize) -> Option<usize> {
    let span = tree.spans[n];
    if !matches!(span.role, Role::Client { .. } | Role::Access { .. }) {
        return None;
    }
    let siblings = tree.children.of(tree.parent[n]?).iter().filter(|s| **s < n);
    let last = siblings.copied().rfind(|s| same_call(tree.spans[*s], span))?;
    (is_fault(tree.spans[last]) && tree.spans[last].end <= span.start).then_some(last)
}

fn same_call(a: &SpanFacts, b: &SpanFacts) -> bool {
    a.service == b.service && a.operation == b.operation && a.role == b.role
}

fn handlings(tree: &Tree<'_>, outcome: &Outcome<'_>, waits: &[Wait], out: &mut Vec<Remark>) {
    let mut well: Option<usize> = None;
    for handling in &outcome.handlings {
        let n = handling.span;
        let span = tree.spans[n];
        let consumer = group_of(span).unwrap_or_else(|| span.service.name());
        if let Some(delivery) = handling.delivery.filter(|d| *d > 1) {
            let wait = waits.iter().find(|w| w.to == n && w.duration >= 0);
            let after = wait.map(|w| format!(", {} after the one before", sentence::duration(w.duration)));
            let words = format!("delivery {delivery} to {consumer}{}", after.unwrap_or_default());
            out.push((n, MarkKind::Redelivery, words));
        } else if well.is_some() {
            out.push((n, MarkKind::Duplicate, duplicate(tree, n, consumer)));
        }
        if let Some(said) = outcome.acknowledgement(tree, handling) {
            out.extend(said_of(said).map(|(kind, words)| (n, kind, words.to_owned())));
        }
        well = next(tree, handling, well);
    }
}

/// The attempt that ended well so far, as long as it is about the same message.
fn next(tree: &Tree<'_>, handling: &Handling, well: Option<usize>) -> Option<usize> {
    if handling.last {
        return None;
    }
    well.or((!is_fault(tree.spans[handling.span])).then_some(handling.span))
}

fn duplicate(tree: &Tree<'_>, n: usize, consumer: &str) -> String {
    match effects(tree, n).as_slice() {
        [] => format!("{consumer} got this event again and did nothing more"),
        [one] => format!("{consumer} handled this event again: {one} was done a second time"),
        [one, more @ ..] => {
            format!("{consumer} handled this event again: {one} and {} more were done a second time", more.len())
        }
    }
}

/// What a handling changed elsewhere, as far as its calls tell: everything but plain reads.
fn effects(tree: &Tree<'_>, handler: usize) -> Vec<String> {
    let mut out = Vec::new();
    let mut work = vec![handler];
    while let Some(n) = work.pop() {
        for child in tree.children.of(n).iter().copied() {
            let Some(span) = tree.span(child).filter(|_| !tree.is_async(child)) else { continue };
            let word = span.operation.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
            let reads = matches!(word.as_str(), "GET" | "HEAD" | "OPTIONS" | "SELECT" | "FIND" | "QUERY" | "READ");
            let does = matches!(span.role, Role::Client { .. } | Role::Access { .. } | Role::Send { .. });
            if does && !reads && !span.is_error() {
                out.push(span.operation.to_string());
            }
            work.push(child);
        }
    }
    out
}

fn said_of(said: Acknowledgement) -> Option<(MarkKind, &'static str)> {
    match said {
        Acknowledgement::Ack => Some((MarkKind::Ack, "acknowledged")),
        Acknowledgement::Nak => Some((MarkKind::Nak, "refused, to be delivered again")),
        Acknowledgement::Term => Some((MarkKind::Term, "refused for good, not to be delivered again")),
        Acknowledgement::Progress => None,
    }
}

/// Where times contradict each other. Nothing is moved by it.
fn clocks(tree: &Tree<'_>, out: &mut Vec<Remark>) {
    for (n, span) in tree.spans.iter().enumerate() {
        let sender = tree.sender_of[n].filter(|s| *s != n).map(|s| tree.spans[s]);
        if let Some(send) = sender.filter(|s| s.service != span.service && span.start < s.start - SKEW) {
            let by = sentence::duration(send.start - span.start);
            let words = format!(
                "handled {by} before it was sent: the clocks of {} and {} differ",
                send.service.name(),
                span.service.name()
            );
            out.push((n, MarkKind::ClockSkew, words));
        }
        let caller = tree.span_parent[n].map(|p| tree.spans[p]);
        let Some(call) = caller.filter(|c| c.kind == SpanKind::Client && span.kind == SpanKind::Server) else {
            continue;
        };
        // A handling longer than its call proves nothing: the work may go on after the answer.
        if call.service == span.service || span.duration() > call.duration() {
            continue;
        }
        let (early, late) = (call.start.saturating_sub(span.start), span.end.saturating_sub(call.end));
        if early.max(late) > SKEW {
            let (by, word) = if early > late { (early, "behind") } else { (late, "ahead of") };
            let words = format!(
                "the clock of {} is at least {} {word} that of {}",
                span.service.name(),
                sentence::duration(by),
                call.service.name()
            );
            out.push((n, MarkKind::ClockSkew, words));
        }
    }
}

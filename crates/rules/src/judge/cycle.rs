//! `cycle`: services that call each other in a circle. Upward calls are told as such and close no circle.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use flowglass_model::{NodeKind, Rule};

use super::{Bench, key};
use crate::finding::Evidence;
use crate::landscape::{Landscape, Who};
use crate::tally::{Key, Offence, Sum};
use crate::trace::{Call, Trace};

/// Circles cut at most; a landscape with more has one to begin with.
const CIRCLES: usize = 50;

/// Calls between services, and those made while the callee already waits for its caller.
#[derive(Default)]
pub(crate) struct Cycle {
    edges: BTreeMap<(Who, Who), Sum>,
    inside: BTreeMap<(Who, Who), u64>,
}

/// A circle: the rarest call that closes it, everybody in it from the callee of that call on, whether one request goes all round.
pub(crate) struct Circle {
    pub(crate) key: Key,
    pub(crate) sum: Sum,
    pub(crate) round: Vec<Who>,
    pub(crate) in_one_request: bool,
}

impl Cycle {
    pub(crate) fn call(&mut self, bench: &Bench<'_>, trace: &Trace<'_>, number: usize, call: &Call) {
        let service = |w: Who| bench.land.get(w).id.kind() == NodeKind::Service;
        let counts = call.first == number && !call.access && call.caller != call.callee;
        if !counts || !service(call.caller) || !service(call.callee) || !bench.is_on(Rule::Cycle) {
            return;
        }
        let facts = trace.facts(call.span());
        if !bench.tally.period.has(facts.start) {
            return;
        }
        let evidence = Evidence::Span { trace: facts.trace_id, span: facts.span_id };
        let offence = Offence { at: facts.start, evidence: Some(evidence), weight: trace.weight };
        let operation = &trace.facts(call.server.unwrap_or(call.span())).operation;
        let edge = (call.caller, call.callee);
        self.edges.entry(edge).or_default().add(offence, bench.tally.period, Some(operation));
        if waits(trace, call) {
            *self.inside.entry(edge).or_default() += 1;
        }
    }

    /// Cuts every circle at its rarest call.
    pub(crate) fn finish(mut self) -> Vec<Circle> {
        let mut out = Vec::new();
        while out.len() < CIRCLES {
            let members = circles(self.edges.keys());
            let inside = |(a, b): &(Who, Who)| members.get(a).is_some_and(|c| members.get(b) == Some(c));
            let rarest = self.edges.iter().filter(|(e, _)| inside(e)).min_by_key(|(e, sum)| (sum.count, **e));
            let Some(edge) = rarest.map(|(e, _)| *e) else { break };
            let Some(sum) = self.edges.remove(&edge) else { break };
            let (caller, callee) = edge;
            let round = way(self.edges.keys(), callee, caller);
            let on_the_way = round.windows(2).map(|w| (w[0], w[1])).chain([edge]);
            let in_one_request = on_the_way.into_iter().any(|e| self.inside.contains_key(&e));
            out.push(Circle { key: key(Rule::Cycle, caller, Some(callee)), sum, round, in_one_request });
        }
        out
    }
}

/// Whether the callee is already at work further up, waiting for this call's caller.
fn waits(trace: &Trace<'_>, call: &Call) -> bool {
    let mut handling = call.handling;
    for _ in 0..64 {
        let Some(above) = trace.call_into(handling) else { return false };
        if above.caller == call.callee {
            return true;
        }
        handling = above.handling;
    }
    false
}

/// The circle (strongly connected component) of each participant that is in one, by its smallest member.
fn circles<'a>(edges: impl Iterator<Item = &'a (Who, Who)> + Clone) -> BTreeMap<Who, Who> {
    let mut forward: BTreeMap<Who, Vec<Who>> = BTreeMap::new();
    for (a, b) in edges {
        forward.entry(*a).or_default().push(*b);
    }
    let reach = |from: Who| -> BTreeSet<Who> {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(next) = open.pop() {
            open.extend(forward.get(&next).into_iter().flatten().filter(|n| seen.insert(**n)));
        }
        seen
    };
    let reached: BTreeMap<Who, BTreeSet<Who>> = forward.keys().map(|w| (*w, reach(*w))).collect();
    let back = |of: Who, to: Who| reached.get(&of).is_some_and(|r| r.contains(&to));
    let circle = |w: &Who| reached[w].iter().copied().filter(|o| back(*o, *w)).min();
    reached.keys().filter(|w| back(**w, **w)).filter_map(|w| Some((*w, circle(w)?))).collect()
}

/// The shortest way along calls, both ends included.
fn way<'a>(edges: impl Iterator<Item = &'a (Who, Who)> + Clone, from: Who, to: Who) -> Vec<Who> {
    let mut before: BTreeMap<Who, Who> = BTreeMap::new();
    let mut open = VecDeque::from([from]);
    while let Some(next) = open.pop_front() {
        if next == to {
            break;
        }
        for (_, b) in edges.clone().filter(|(a, _)| *a == next) {
            if *b != from && !before.contains_key(b) {
                before.insert(*b, next);
                open.push_back(*b);
            }
        }
    }
    let mut out = vec![to];
    while let Some(previous) = out.last().and_then(|w| before.get(w)) {
        out.push(*previous);
    }
    if out.last() != Some(&from) {
        out.push(from);
    }
    out.reverse();
    out
}

/// The circle in words: `a → b → a`.
pub(crate) fn told(land: &Landscape, circle: &Circle) -> String {
    let mut names: Vec<&str> = circle.round.iter().map(|w| land.name(*w)).collect();
    names.extend(names.first().copied());
    names.join(" → ")
}

//! Own rules: dependencies that must not be, and participants that may depend on a few others only.

use rustc_hash::FxHashMap;

use super::Bench;
use crate::book::Rulebook;
use crate::landscape::{Landscape, Who};
use crate::tally::{Which, hash};
use crate::trace::{Call, Trace};
use flowglass_model::Role;

/// Which rules a dependency breaks, found once for each pair.
#[derive(Default)]
pub(crate) struct Own {
    broken: FxHashMap<(Who, Who), Vec<usize>>,
}

impl Own {
    pub(crate) fn call(&mut self, bench: &mut Bench<'_>, trace: &Trace<'_>, call: &Call) {
        let named = trace.facts(call.server.unwrap_or(call.span())).operation.clone();
        self.judge(bench, (call.caller, call.callee), trace.attempt(call), trace, call.span(), &named);
    }

    /// A service depends on the topics it sends to and on those it takes messages from.
    pub(crate) fn message(&mut self, bench: &mut Bench<'_>, trace: &Trace<'_>, at: usize) {
        let facts = trace.facts(at);
        let topic = match &facts.role {
            Role::Send { topic, create: false, .. } | Role::Process { topic, .. } => topic,
            _ => return,
        };
        let (Some(me), Some(topic)) = (trace.who[at], bench.land.who(topic)) else { return };
        let attempt = match facts.role {
            Role::Process { .. } => trace.handling_attempt(at),
            _ => hash(&(facts.trace_id, facts.span_id)),
        };
        self.judge(bench, (me, topic), attempt, trace, at, &facts.operation);
    }

    fn judge(
        &mut self,
        bench: &mut Bench<'_>,
        (from, to): (Who, Who),
        attempt: u64,
        trace: &Trace<'_>,
        at: usize,
        named: &str,
    ) {
        if bench.book.own.is_empty() || from == to {
            return;
        }
        let broken = self.broken.entry((from, to)).or_insert_with(|| broken(bench.book, bench.land, from, to));
        for rule in broken.iter() {
            bench.span((Which::Own(*rule), from, Some(to)), attempt, trace, at, Some(named));
        }
    }
}

fn broken(book: &Rulebook, land: &Landscape, from: Who, to: Who) -> Vec<usize> {
    let (source, target) = (&land.get(from).id, &land.get(to).id);
    let places = land.places();
    let breaks = |rule: &crate::book::Own| {
        let mut of_source = rule.rows.iter().filter(|r| r.from.has(source, places)).peekable();
        match rule.allowed {
            true => of_source.peek().is_some() && !of_source.any(|r| r.to.has(target, places)),
            false => of_source.any(|r| r.to.has(target, places)),
        }
    };
    book.own.iter().enumerate().filter(|(_, rule)| breaks(rule)).map(|(i, _)| i).collect()
}

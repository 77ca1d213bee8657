//! `sync-write-fan-out`: a write that reaches several independent systems before its caller is answered.
//!
//! Whether a write is time-sensitive cannot be seen. What can: whether its failure makes the caller fail. A system whose
//! failures fail the caller is needed for the answer; one that was never seen to fail stays under suspicion.

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::{Layer, NodeKind, Role, Rule};
use rustc_hash::FxHashMap;

use super::{Bench, key, writes};
use crate::finding::Evidence;
use crate::landscape::{Landscape, Who};
use crate::tally::{Key, Offence, Period, Sum};
use crate::trace::{Call, Trace, failed};

/// Share of failures that fail the caller from which on a system is needed for the answer.
const NEEDED: f64 = 0.5;

/// How often a system failed for a caller, and the caller with it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Failures {
    pub(crate) of_callee: u64,
    pub(crate) of_both: u64,
}

impl Failures {
    /// Whether the caller fails with it, as far as was seen.
    pub(crate) fn needed(self) -> bool {
        self.of_callee > 0 && self.of_both as f64 >= NEEDED * self.of_callee as f64
    }
}

/// Writes by who handles them and which systems they reach.
#[derive(Default)]
pub(crate) struct FanOut {
    sets: BTreeMap<Who, BTreeMap<BTreeSet<Who>, Sum>>,
    failures: FxHashMap<(Who, Who), Failures>,
}

impl FanOut {
    pub(crate) fn judge(&mut self, bench: &Bench<'_>, trace: &Trace<'_>, handling: usize, calls: &[&Call]) {
        let facts = trace.facts(handling);
        let answered = matches!(facts.role, Role::Server { .. });
        let Some(me) = trace.who[handling].filter(|_| answered && writes(&facts.operation)) else { return };
        if !bench.is_on(Rule::SyncWriteFanOut) || !bench.tally.period.has(facts.start) {
            return;
        }
        let mut reached = BTreeSet::new();
        for call in calls.iter().filter(|c| !c.access && c.callee != me && is_system(bench.land, c.callee)) {
            let operation = &trace.facts(call.server.unwrap_or(call.span())).operation;
            let asked = call.client.map_or(operation, |c| &trace.facts(c).operation);
            if !writes(operation) && !writes(asked) {
                continue;
            }
            reached.insert(call.callee);
            if call.failed {
                let failures = self.failures.entry((me, call.callee)).or_default();
                failures.of_callee += 1;
                failures.of_both += u64::from(failed(facts));
            }
        }
        if reached.len() > bench.book.thresholds.fan_out_systems as usize {
            let evidence = Evidence::Span { trace: facts.trace_id, span: facts.span_id };
            let offence = Offence { at: facts.start, evidence: Some(evidence), weight: trace.weight };
            let sum = self.sets.entry(me).or_default().entry(reached).or_default();
            sum.add(offence, bench.tally.period, Some(&facts.operation));
        }
    }

    /// Offences, now that all failures are known: writes that reach more systems which their caller does not need.
    pub(crate) fn finish(self, limit: usize, land: &Landscape, _: Period) -> Vec<(Key, Sum, String)> {
        let mut out = Vec::new();
        for (me, sets) in self.sets {
            let needed = |who: &Who| self.failures.get(&(me, *who)).copied().unwrap_or_default().needed();
            let (mut all, mut systems, mut required) = (Sum::default(), BTreeSet::new(), BTreeSet::new());
            for (set, sum) in sets {
                let (need, free): (BTreeSet<Who>, BTreeSet<Who>) = set.into_iter().partition(needed);
                if free.len() > limit {
                    all.merge(sum);
                    systems.extend(free);
                    required.extend(need);
                }
            }
            if all.count == 0 {
                continue;
            }
            let names = |set: &BTreeSet<Who>| set.iter().map(|w| land.name(*w)).collect::<Vec<_>>().join(", ");
            let mut told = format!("writes to {} one after the other before the caller is answered", names(&systems));
            if !required.is_empty() {
                told.push_str(&format!("; {} is left out, because its failures fail the caller", names(&required)));
            }
            out.push((key(Rule::SyncWriteFanOut, me, None), all, told));
        }
        out
    }
}

fn is_system(land: &Landscape, who: Who) -> bool {
    let participant = land.get(who);
    participant.is(Layer::System) || participant.id.kind() == NodeKind::External
}

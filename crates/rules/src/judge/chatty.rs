//! `chatty-calls`: one handling that asks the same operation over and over (N+1). Attempts of one call count once.

use flowglass_model::Rule;
use rustc_hash::FxHashMap;

use super::{Bench, key};
use crate::landscape::Who;
use crate::trace::{Call, Trace};

/// The most calls seen in one handling, by caller and callee.
#[derive(Default)]
pub(crate) struct Chatty {
    pub(crate) most: FxHashMap<(Who, Who), u32>,
}

impl Chatty {
    pub(crate) fn judge(&mut self, bench: &mut Bench<'_>, trace: &Trace<'_>, handling: usize, calls: &[&Call]) {
        let (of_calls, of_accesses) = (bench.book.thresholds.chatty_calls, bench.book.thresholds.chatty_accesses);
        if calls.len() < of_calls.min(of_accesses) as usize || !bench.is_on(Rule::ChattyCalls) {
            return;
        }
        let mut counted: FxHashMap<(Who, bool, &str), u32> = FxHashMap::default();
        for call in calls {
            *counted.entry((call.callee, call.access, asked(trace, call))).or_default() += 1;
        }
        let mut chatty: Vec<_> = counted
            .into_iter()
            .filter(|((_, access, _), n)| *n >= if *access { of_accesses } else { of_calls })
            .collect();
        chatty.sort_unstable();
        for ((callee, _, operation), n) in chatty {
            let caller = calls.first().map_or(callee, |c| c.caller);
            let most = self.most.entry((caller, callee)).or_default();
            *most = (*most).max(n);
            let attempt = trace.handling_attempt(handling);
            bench.span(key(Rule::ChattyCalls, caller, Some(callee)), attempt, trace, handling, Some(operation));
        }
    }
}

/// The operation asked for: as the callee calls it, else the caller; of a backend the statement.
fn asked<'t>(trace: &Trace<'t>, call: &Call) -> &'t str {
    let client = call.client.map(|c| &trace.spans[c]);
    match call.server {
        Some(server) => &trace.facts(server).operation,
        None => {
            let statement = client.filter(|_| call.access).and_then(|c| c.text("db.query.text"));
            statement.unwrap_or_else(|| client.map_or("", |c| &c.facts.operation))
        }
    }
}

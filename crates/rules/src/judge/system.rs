//! `logic-in-system-layer`: a system API that puts several system APIs together.

use flowglass_model::{Layer, Rule};

use super::{Bench, key};
use crate::landscape::Who;
use crate::trace::{Call, Trace};

pub(crate) fn judge(bench: &mut Bench<'_>, trace: &Trace<'_>, handling: usize, calls: &[&Call]) {
    let Some(me) = trace.who[handling].filter(|w| bench.land.get(*w).is(Layer::System)) else { return };
    if !bench.is_on(Rule::LogicInSystemLayer) {
        return;
    }
    let mut systems: Vec<Who> = calls
        .iter()
        .filter(|c| !c.access && c.callee != me && bench.land.get(c.callee).is(Layer::System))
        .map(|c| c.callee)
        .collect();
    systems.sort_unstable();
    systems.dedup();
    if systems.len() < 2 {
        return;
    }
    let mut names: Vec<&str> = systems.iter().map(|w| bench.land.name(*w)).collect();
    names.sort_unstable();
    let named = format!("{} calls {}", trace.facts(handling).operation, names.join(" and "));
    let attempt = trace.handling_attempt(handling);
    bench.span(key(Rule::LogicInSystemLayer, me, None), attempt, trace, handling, Some(&named));
}

//! `layer-bypass` and `upward-call`: who may call whom.

use flowglass_model::{Layer, Rule};

use super::{Bench, key};
use crate::trace::{Call, Trace};

/// The layering rule a call breaks. An upward call is nothing else besides.
pub(crate) fn broken(bench: &Bench<'_>, call: &Call) -> Option<Rule> {
    if call.access || call.caller == call.callee {
        return None;
    }
    let (caller, callee) = (bench.land.get(call.caller), bench.land.get(call.callee));
    let (from, to) = (caller.rank()?, callee.rank()?);
    if from < to {
        return Some(Rule::UpwardCall);
    }
    (caller.is(Layer::Experience) && callee.is(Layer::System)).then_some(Rule::LayerBypass)
}

pub(crate) fn judge(bench: &mut Bench<'_>, trace: &Trace<'_>, call: &Call) {
    let Some(rule) = broken(bench, call).filter(|rule| bench.is_on(*rule)) else { return };
    let named = trace.facts(call.server.unwrap_or(call.span())).operation.clone();
    bench.span(key(rule, call.caller, Some(call.callee)), trace.attempt(call), trace, call.span(), Some(&named));
}

//! `non-rfc3339-date`: dates in payloads below the experience layer.
//!
//! A date counts where it comes from: a message once, however often it is published or delivered, and a call's payload once,
//! on the side that answers where both sides captured it.

use flowglass_model::{Layer, NodeKind, Role, Rule, Value};

use super::{Bench, key};
use crate::dates::{Found, in_json};
use crate::landscape::{Landscape, Who};
use crate::trace::{Seen, Trace};

/// Whether a participant stands below the experience layer.
pub(crate) fn is_below_experience(land: &Landscape, who: Who) -> bool {
    let participant = land.get(who);
    match participant.id.kind() {
        NodeKind::Service => !matches!(participant.layer, Layer::Experience | Layer::Consumer),
        NodeKind::Consumer => false,
        NodeKind::Topic | NodeKind::Backend | NodeKind::External => true,
    }
}

/// Judges the payloads that spans captured. `stored` says which topics' messages are looked at themselves.
pub(crate) fn judge(bench: &mut Bench<'_>, stored: &dyn Fn(Who) -> bool, trace: &Trace<'_>) {
    if !bench.is_on(Rule::NonRfc3339Date) {
        return;
    }
    for at in 0..trace.spans.len() {
        let span = &trace.spans[at];
        if !span.attributes.iter().any(|(key, _)| is_payload(key)) {
            continue;
        }
        let facts = span.facts;
        match &facts.role {
            Role::Process { .. } | Role::Receive { .. } | Role::Settle => continue,
            Role::Send { topic, .. } if bench.land.who(topic).is_some_and(stored) => continue,
            _ => {}
        }
        let call = matches!(facts.role, Role::Client { .. }).then(|| trace.calls.iter().find(|c| c.client == Some(at)));
        let call = call.flatten();
        if call.and_then(|c| c.server).is_some_and(|s| trace.spans[s].attributes.iter().any(|(k, _)| is_payload(k))) {
            continue;
        }
        let Some((attribute, found)) = first(span) else { continue };
        // What a client span tells of the answer comes from the other side.
        let answer = attribute.contains("response");
        let source = if answer { call.map(|c| c.callee).or(trace.who[at]) } else { trace.who[at] };
        let Some(source) = source.filter(|w| is_below_experience(bench.land, *w)) else { continue };
        let attempt = match call {
            Some(call) => trace.attempt(call),
            None => trace.handling_attempt(trace.handling[at]) ^ u64::from(trace.handling[at] != at),
        };
        let named = told(&found);
        bench.span(key(Rule::NonRfc3339Date, source, None), attempt, trace, at, Some(&named));
    }
}

/// How a date is told: field and value.
pub(crate) fn told(found: &Found) -> String {
    if found.field.is_empty() { found.value.clone() } else { found.field.clone() }
}

fn first<'a>(span: &Seen<'a>) -> Option<(&'a str, Found)> {
    span.attributes.iter().filter(|(key, _)| is_payload(key)).find_map(|(key, value)| {
        let found = match value {
            Value::String(text) => in_json(text.as_bytes()),
            Value::Bytes(bytes) => in_json(bytes),
            Value::Map(_) | Value::Array(_) => in_json(value.to_json().to_string().as_bytes()),
            _ => None,
        };
        Some((key.as_str(), found?))
    })
}

/// Whether an attribute holds a captured payload (`http.response.body.sample`, `messaging.message.body`, `rpc.request.payload`).
fn is_payload(key: &str) -> bool {
    (key.contains("body") || key.contains("payload")) && !key.ends_with(".size")
}

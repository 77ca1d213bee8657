//! `unauthorized-system-call`. Spans do not say what a service demands: a service is judged only where other requests to it do
//! carry credentials, and requests that it turned away are no offence.

use flowglass_model::{Layer, NodeId, Role, Rule, Value, is_noise};
use rustc_hash::FxHashMap;

use super::{Bench, key, method};
use crate::landscape::Who;
use crate::tally::{Key, Sum, Which};
use crate::trace::{Seen, Trace};

/// Requests of each system API with credentials, and all.
#[derive(Default)]
pub(crate) struct Credentials {
    pub(crate) seen: FxHashMap<Who, (u64, u64)>,
}

impl Credentials {
    pub(crate) fn judge(&mut self, bench: &mut Bench<'_>, noise: &[String], trace: &Trace<'_>, handling: usize) {
        let facts = trace.facts(handling);
        let Role::Server { caller } = &facts.role else { return };
        let Some(me) = trace.who[handling].filter(|w| bench.land.get(*w).is(Layer::System)) else { return };
        if method(&facts.operation) == Some("OPTIONS") || is_noise(noise, facts.service.name(), &facts.operation) {
            return;
        }
        let call = trace.call_into(handling);
        let client = call.and_then(|c| c.client);
        let carries = shown(&trace.spans[handling]) || client.is_some_and(|c| shown(&trace.spans[c]));
        let seen = self.seen.entry(me).or_default();
        seen.0 += u64::from(carries);
        seen.1 += 1;
        if carries || matches!(facts.http_status, Some(401 | 403 | 407)) || matches!(facts.grpc_status, Some(7 | 16)) {
            return;
        }
        let user = || NodeId::consumer(caller, facts.service.environment());
        let who = call.map(|c| c.caller).or_else(|| bench.land.who(&user()));
        let attempt = call.map_or_else(|| trace.handling_attempt(handling), |c| trace.attempt(c));
        let key = match who {
            Some(caller) => key(Rule::UnauthorizedSystemCall, caller, Some(me)),
            None => key(Rule::UnauthorizedSystemCall, me, None),
        };
        bench.span(key, attempt, trace, handling, Some(&facts.operation));
    }

    /// Whether a service is judged at all: somebody sends it credentials.
    pub(crate) fn drop_unjudged(&self, sums: &mut FxHashMap<Key, Sum>) {
        sums.retain(|(which, who, other), _| {
            *which != Which::BuiltIn(Rule::UnauthorizedSystemCall)
                || self.seen.get(&other.unwrap_or(*who)).is_some_and(|(with, _)| *with > 0)
        });
    }
}

/// Whether a span tells of credentials. Their values were replaced at the door; that they were there is what counts.
fn shown(span: &Seen<'_>) -> bool {
    span.attributes.iter().any(|(key, value)| is_credential(key) && !is_empty(value))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(all) => all.iter().all(is_empty),
        _ => false,
    }
}

fn is_credential(key: &str) -> bool {
    if matches!(key, "enduser.id" | "user.id" | "tls.client.subject" | "tls.client.certificate" | "oauth2.client_id") {
        return true;
    }
    let header = ["http.request.header.", "rpc.request.metadata.", "rpc.grpc.request.metadata."]
        .iter()
        .find_map(|prefix| key.strip_prefix(prefix));
    let Some(header) = header else { return false };
    let header = header.to_ascii_lowercase().replace('_', "-");
    let named = ["authorization", "proxy-authorization", "cookie", "dpop", "x-forwarded-client-cert", "x-client-cert"];
    named.contains(&header.as_str())
        || ["api-key", "apikey", "auth-token", "access-token", "security-token", "jwt-assertion", "subscription-key"]
            .iter()
            .any(|end| header.ends_with(end))
}

//! A failure in one sentence, made of evidence: status codes, exceptions, durations, broker facts.

use flowglass_model::{Acknowledgement, ErrorFacts, Peer, Role, SpanFacts, SpanKind, semconv};

use crate::outcome::Outcome;
use crate::tree::Tree;

/// Longest piece of a sender's own text that a sentence quotes, in characters.
const QUOTE: usize = 200;

/// Why the span failed, e.g. `payments-sys-api POST /charge returned 500: acquirer connect timeout`.
pub(crate) fn cause(tree: &Tree<'_>, node: usize, chain: &[usize]) -> String {
    let span = tree.spans[node];
    let text = described(span);
    let timeout = timed_out(tree, node);
    let said = outcome_words(span, timeout, text.is_some());
    let mut out = format!("{} {said}", subject(tree, node));
    match (text, refused_below(tree, node)) {
        (Some(text), _) => out.push_str(&format!(": {text}")),
        (None, Some(refused)) => out.push_str(&format!(" after {refused}")),
        (None, None) if said == "ended in error" => out.push_str(" (no description sent)"),
        _ => {}
    }
    if let Some(answer) = answer_of_service(tree, node, chain) {
        out.push_str(&answer);
    }
    out
}

/// Why an event without a failed span counts as failed.
pub(crate) fn given_up(tree: &Tree<'_>, outcome: &Outcome<'_>, event: usize) -> String {
    let facts = tree.events[event];
    let terminated = outcome.deliveries_of(facts.row).find(|d| d.acknowledgement == Some(Acknowledgement::Term));
    if let Some(d) = terminated {
        return format!("{} was terminated by {} at delivery {}", facts.name, d.consumer, d.delivered);
    }
    match outcome.deliveries_of(facts.row).max_by_key(|d| (d.delivered, &d.consumer)) {
        Some(d) => {
            let times = if d.delivered == 1 { "delivery" } else { "deliveries" };
            format!("{} was dead-lettered after {} {times} to {}", facts.name, d.delivered, d.consumer)
        }
        None => format!("{} was dead-lettered", facts.name),
    }
}

/// The sender's own words, where they say more than the status does.
fn described(span: &SpanFacts) -> Option<String> {
    let error = span.error.as_ref()?;
    let status = span.http_status.map(|s| s.to_string());
    let tells = |text: &&str| {
        !text.is_empty()
            && !["error", "_other", "unknown", "failed"].contains(&text.to_ascii_lowercase().as_str())
            && Some(*text) != status.as_deref()
    };
    let first_line = |text: &Option<String>| {
        let line = text.as_deref()?.lines().map(str::trim).find(|l| !l.is_empty())?;
        tells(&line).then(|| clip(line))
    };
    match (first_line(&error.message), first_line(&error.kind)) {
        (Some(message), Some(kind)) if !message.contains(&kind) && !is_number(&kind) => {
            Some(format!("{kind}: {message}"))
        }
        (Some(message), _) => Some(message),
        (None, Some(kind)) if !is_number(&kind) => Some(kind),
        _ => None,
    }
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

fn clip(text: &str) -> String {
    match text.char_indices().nth(QUOTE) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Whether anything shows that the span waited in vain: its error says so, gRPC does, or what it called took longer than it waited.
pub(crate) fn timed_out(tree: &Tree<'_>, node: usize) -> bool {
    let span = tree.spans[node];
    if span.grpc_status == Some(4) || span.error.as_ref().is_some_and(says_timeout) {
        return true;
    }
    let unanswered = span.kind == SpanKind::Client && span.is_error() && span.http_status.is_none();
    unanswered
        && tree.children.of(node).iter().filter_map(|c| tree.span(*c)).any(|callee| {
            callee.kind == SpanKind::Server && callee.service != span.service && callee.duration() > span.duration()
        })
}

fn says_timeout(error: &ErrorFacts) -> bool {
    [&error.kind, &error.message].into_iter().flatten().any(|text| {
        let text = text.to_ascii_lowercase();
        ["timeout", "timed out", "timed_out", "deadline exceeded", "deadline_exceeded", "deadlineexceeded", "etimedout"]
            .iter()
            .any(|word| text.contains(word))
    })
}

fn subject(tree: &Tree<'_>, node: usize) -> String {
    let span = tree.spans[node];
    let who = span.service.name();
    match &span.role {
        Role::Access { backend } => format!("{who} {} on {}", span.operation, backend.name()),
        Role::Client { peer } => match callee(tree, node).or_else(|| named(peer)) {
            Some(callee) => format!("{who} calling {callee} ({})", span.operation),
            None => format!("{who} calling {}", span.operation),
        },
        _ => format!("{who} {}", span.operation),
    }
}

/// The service that answered a call.
fn callee(tree: &Tree<'_>, node: usize) -> Option<String> {
    let answered = |s: &&SpanFacts| s.kind == SpanKind::Server;
    tree.children.of(node).iter().filter_map(|c| tree.span(*c)).find(answered).map(|s| s.service.name().to_owned())
}

/// The callee as the caller names it.
fn named(peer: &Peer) -> Option<String> {
    match (&peer.service, &peer.host, peer.port) {
        (Some(service), _, _) => Some(service.clone()),
        (None, Some(host), Some(port)) => Some(format!("{host}:{port}")),
        (None, Some(host), None) => Some(host.clone()),
        _ => None,
    }
}

fn outcome_words(span: &SpanFacts, timeout: bool, described: bool) -> String {
    let outgoing = matches!(span.role, Role::Client { .. } | Role::Access { .. });
    let verb = if outgoing { "got" } else { "returned" };
    if let Some(status) = span.http_status.filter(|s| *s >= 400) {
        return format!("{verb} {status}");
    }
    // Only of what waits for somebody else does the duration say how long it waited.
    if timeout && (outgoing || !described) {
        return format!("timed out after {}", duration(span.duration()));
    }
    if let Some(name) = span.grpc_status.filter(|c| *c > 0).map(grpc_name) {
        return format!("{verb} {name}");
    }
    if described { "failed".to_owned() } else { "ended in error".to_owned() }
}

/// The last answer of 400 to 499 that a silent failure had got.
fn refused_below(tree: &Tree<'_>, node: usize) -> Option<String> {
    let is_refused = |s: &SpanFacts| s.kind == SpanKind::Client && s.is_error() && s.is_client_error();
    let below = tree.children.of(node).iter().copied();
    let last = below.filter(|c| tree.span(*c).is_some_and(is_refused)).max_by_key(|c| (tree.spans[*c].end, *c))?;
    let refused = tree.spans[last];
    let peer = match &refused.role {
        Role::Client { peer } => callee(tree, last).or_else(|| named(peer)),
        _ => None,
    };
    let from = peer.map(|p| format!(" from {p}")).unwrap_or_default();
    Some(format!("{} got {}{from}", refused.operation, refused.http_status?))
}

/// Where a call failed: what the calling service then answered itself.
fn answer_of_service(tree: &Tree<'_>, node: usize, chain: &[usize]) -> Option<String> {
    let span = tree.spans[node];
    if span.kind != SpanKind::Client {
        return None;
    }
    let server = chain.iter().filter_map(|n| tree.span(*n)).find(|s| s.kind == SpanKind::Server)?;
    let status = server.http_status.filter(|_| server.service == span.service)?;
    Some(format!("; {} returned {status}", server.operation))
}

/// The sentence for whoever waits for the outcome: what it means, without names of services or codes.
pub(crate) fn for_customer(tree: &Tree<'_>, node: usize, answered: bool) -> String {
    let keys = tree.spans.iter().flat_map(|s| &s.keys).chain(tree.events.iter().flat_map(|e| &e.keys));
    let key = keys.filter(|(name, _)| !TECHNICAL.contains(&name.as_str())).min();
    let what = key.map_or_else(
        || "The request".to_owned(),
        |(name, value)| {
            let word = name.strip_suffix("Id").filter(|w| !w.is_empty()).unwrap_or(name);
            let mut letters = word.chars();
            let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
            format!("{first}{} {value}", letters.as_str())
        },
    );
    let outcome = if answered { "could not be completed" } else { "was accepted, but a later step failed" };
    let why = match tree.span(node) {
        _ if tree.span(node).is_some() && timed_out(tree, node) => "a system it depends on did not answer in time",
        Some(span) if matches!(span.http_status, Some(429 | 503)) || span.grpc_status == Some(8) => {
            "a system it depends on is overloaded or down for the moment"
        }
        Some(_) => "a system it depends on reported an error",
        None => "a step was given up after repeated attempts",
    };
    format!("{what} {outcome}: {why}.")
}

/// Keys that mean nothing to a customer, or name the customer.
const TECHNICAL: [&str; 3] = ["correlationId", "requestId", "customerId"];

/// Whether a call was given up by its caller (gRPC CANCELLED, 499 as nginx answers, an error that says so).
pub(crate) fn cancelled(span: &SpanFacts) -> bool {
    let says = |text: &String| {
        let text = text.to_ascii_lowercase();
        ["canceled", "cancelled", "aborterror", "client disconnected", "context canceled"]
            .iter()
            .any(|w| text.contains(w))
            && !text.contains("deadline")
    };
    span.is_error()
        && (span.grpc_status == Some(1)
            || span.http_status == Some(499)
            || (span.http_status.is_none_or(|s| s < 500)
                && span.error.as_ref().is_some_and(|e| [&e.kind, &e.message].into_iter().flatten().any(says))))
}

/// A failure in a word or two: `500`, `a time-out`, `gRPC UNAVAILABLE`.
pub(crate) fn short(tree: &Tree<'_>, node: usize) -> Option<String> {
    let span = tree.spans[node];
    if let Some(status) = span.http_status.filter(|s| *s >= 400) {
        return Some(status.to_string());
    }
    if timed_out(tree, node) {
        return Some("a time-out".to_owned());
    }
    span.grpc_status.filter(|c| *c > 0).map(grpc_name)
}

/// Nanoseconds as people read them.
pub(crate) fn duration(nanos: i64) -> String {
    let ms = nanos as f64 / 1e6;
    match ms {
        ms if ms >= 1000.0 => format!("{:.1} s", ms / 1000.0),
        ms if ms >= 10.0 => format!("{ms:.0} ms"),
        ms => format!("{ms:.1} ms"),
    }
}

/// The name of a gRPC status code (gRPC core documentation, status codes).
pub(crate) fn grpc_name(code: u16) -> String {
    semconv::GRPC_CODES
        .get(usize::from(code))
        .map_or_else(|| format!("gRPC status {code}"), |name| format!("gRPC {name}"))
}

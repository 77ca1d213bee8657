//! Words of a decision.

use super::figures::Figures;
use super::{Gate, Reason};
use crate::model::{Do, Intent};
use crate::program::participant_of;

/// A duration as people write it.
pub(super) fn time(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        n if n < 1e6 => (n / 1e3, "µs"),
        n if n < 1e9 => (n / 1e6, "ms"),
        n if n < 120e9 => (n / 1e9, "s"),
        n if n < 7200e9 => (n / 60e9, "min"),
        n => (n / 3600e9, "h"),
    };
    if value >= 100.0 || value.fract() < 0.05 { format!("{value:.0} {unit}") } else { format!("{value:.1} {unit}") }
}

/// A share in percent.
pub(super) fn percent(share: f64) -> String {
    let value = share * 100.0;
    let near_an_end = (99.0..100.0).contains(&value) || (value > 0.0 && value < 1.0);
    if near_an_end { format!("{value:.2} %") } else { format!("{value:.1} %") }
}

/// Why two gates cannot both be served.
pub(super) fn contradiction(call: &Gate, event: &Gate) -> String {
    let escape = call.escape.or(event.escape).unwrap_or("change one of the two requirements");
    format!("{}, but {}: both cannot be had. Way out: {escape}.", call.because, event.because)
}

/// What an event needs to be safe here.
pub(super) fn conditions(f: &Figures<'_>, caller: &str, step: &Do) -> Vec<String> {
    let (name, channel) = f.channel(step);
    let callee = participant_of(&step.operation);
    let mut all = Vec::new();
    match step.idempotent {
        Some(true) => {}
        Some(false) => all.push(format!("{callee} must recognise a repeated message: doing it twice does harm")),
        None => all.push(format!("{callee} must be idempotent, or recognise a repeated message")),
    }
    if step.order_by_key == Some(true) {
        all.push("messages of one key must go through one partition, in order".to_owned());
    }
    let most = channel.max_deliver.map_or("a limit of deliveries".to_owned(), |n| format!("at most {n} deliveries"));
    all.push(format!("{most}, then a dead-letter queue that somebody watches"));
    if step.sensitive == Some(true) {
        all.push("sensitive fields are left out or masked by the process layer before publishing".to_owned());
    }
    all.push("messages carry the trace context (traceparent)".to_owned());
    all.push("the schema of the message is a contract with versions".to_owned());
    let window = step
        .within
        .map_or("how late the effect may be".to_owned(), |w| format!("that the effect may be {} late", time(w as f64)));
    all.push(format!("it is written down {window}"));
    if step.intent != Some(Intent::Notify) {
        all.push(format!("{} publishes after its commit, by an outbox", participant_of(caller)));
    }
    if name.is_none() {
        all.push("a channel is chosen: so far its figures are assumed".to_owned());
    }
    all
}

/// What to declare or measure, most telling first.
pub(super) fn unknown(reasons: &[Reason]) -> Vec<&'static str> {
    // In the order of the points they can move.
    const ASK: [(&str, &str); 13] = [
        ("W4", "how late may its effect be (within)?"),
        ("W5", "how long may two systems disagree, and does anybody read right after writing?"),
        ("W1", "does the business need anything of it before going on (needs)?"),
        ("W3", "does it read, change or tell (intent)?"),
        ("W6", "what response time is wanted (targets.response_p95)?"),
        ("W7", "what share must succeed (targets.success)?"),
        ("W12", "does anybody ask again and again for no change?"),
        ("W2", "will more consumers come that nobody knows yet?"),
        ("W14", "does doing it twice do harm (idempotent)?"),
        ("W19", "may everybody see the payload (sensitive)?"),
        ("W15", "must the order of one key be kept (order_by_key)?"),
        ("W20", "are dead letters watched and messages traced?"),
        ("W18", "has the history itself a value (replay, audit)?"),
    ];
    ASK.iter().filter(|(id, _)| reasons.iter().all(|r| r.criterion != *id)).map(|(_, words)| *words).collect()
}

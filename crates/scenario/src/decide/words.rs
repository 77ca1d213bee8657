//! Words of a decision.

use super::figures::Figures;
use super::{Gate, Interaction, Style};
use crate::model::{Do, Intent, Needs};
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

/// The strongest reason for what was chosen.
pub(super) fn reason_for(it: &Interaction) -> String {
    if let Some(gate) = it.gates.iter().find(|g| g.forces == it.style) {
        return gate.because.clone();
    }
    let sign = if it.style == Style::EventDriven { 1.0 } else { -1.0 };
    let best =
        it.reasons.iter().filter(|r| r.points * sign > 0.0).max_by(|a, b| a.points.abs().total_cmp(&b.points.abs()));
    match best {
        Some(reason) => reason.evidence.clone(),
        None => "nothing that is known speaks for an event, and a call is simpler to build and to follow".to_owned(),
    }
}

/// The strongest reason against it. There always is one: what is chosen has a price.
pub(super) fn reason_against(f: &Figures<'_>, it: &Interaction, caller: &str, step: &Do) -> String {
    if let Some(gate) = it.gates.iter().find(|g| g.forces != it.style) {
        return gate.because.clone();
    }
    let sign = if it.style == Style::EventDriven { -1.0 } else { 1.0 };
    let best =
        it.reasons.iter().filter(|r| r.points * sign > 0.0).max_by(|a, b| a.points.abs().total_cmp(&b.points.abs()));
    if let Some(reason) = best {
        return reason.evidence.clone();
    }
    let (caller, callee) = (participant_of(caller), participant_of(&step.operation));
    if it.style == Style::ApiLed {
        return format!("{caller} waits for {callee}, and fails or slows down with it");
    }
    let lag = time(super::criteria::expected_lag(f, step));
    format!("the effect comes about {lag} after the answer, may come twice, and needs a broker that is watched")
}

/// What the mixture is called, where there is one (Azure and MuleSoft guidance name these shapes).
pub(super) fn shape(styles: &[(Style, Option<Needs>)]) -> Option<&'static str> {
    let events = || styles.iter().filter(|s| s.0 == Style::EventDriven);
    let has_primary = styles.iter().any(|s| s.0 == Style::ApiLed && s.1 == Some(Needs::Success));
    events().next()?;
    if events().any(|s| s.1.is_some_and(Needs::waits)) {
        return Some("accept with 202, work asynchronously, tell the outcome at a status resource");
    }
    Some(if has_primary {
        "a synchronous primary, then events after its commit (outbox)"
    } else if styles.iter().any(|s| s.0 == Style::ApiLed) {
        "calls where an answer is needed, events for the rest"
    } else {
        "an event that others react to on their own"
    })
}

//! What a messaging span says: direction, topic, message, delivery. Rules: OpenTelemetry messaging spans (Development), with
//! the dialects that came before them and that NATS libraries write.

use flowglass_model::{NodeId, Role, SpanKind, Value};

use super::facts::Seen;

/// The bucket of temporary and anonymous destinations: their names never repeat.
pub const TEMPORARY: &str = "(temporary)";

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Create,
    Send,
    Receive,
    Process,
    Settle,
}

/// The name of the topic node: the template where there is one, else the destination; temporary and anonymous destinations
/// share one bucket. Empty when the span names no destination.
pub fn topic_name<'a>(template: Option<&'a str>, name: Option<&'a str>, temporary: bool) -> &'a str {
    if temporary {
        return TEMPORARY;
    }
    let name = template.filter(|t| !t.is_empty()).or(name).unwrap_or_default();
    let generated = ["_INBOX.", "_INBOX_", "amq.gen-", "amq.rabbitmq.reply-to", "temp-queue://", "temp-topic://"];
    if generated.iter().any(|p| name.starts_with(p)) { TEMPORARY } else { name }
}

/// Whether a NATS subject is a subscription pattern (`*` or `>` as a token).
fn is_pattern(subject: &str) -> bool {
    subject.split('.').any(|t| t == "*" || t == ">")
}

fn direction(seen: &Seen, kind: SpanKind, span_name: &str) -> Option<Direction> {
    let word = |w: &str| {
        let w = w.trim();
        let is = |names: &[&str]| names.iter().any(|n| w.eq_ignore_ascii_case(n));
        if is(&["create"]) {
            Some(Direction::Create)
        } else if is(&["send", "publish", "produce", "enqueue", "request", "respond"]) {
            Some(Direction::Send)
        } else if is(&["receive", "poll", "fetch", "pull", "peek", "dequeue", "next"]) {
            Some(Direction::Receive)
        } else if is(&["process", "deliver", "consume", "handle", "subscribe", "notify"]) {
            Some(Direction::Process)
        } else if is(&["settle", "ack", "nack", "nak", "term", "complete", "abandon", "defer", "deadletter", "commit"])
        {
            Some(Direction::Settle)
        } else {
            None
        }
    };
    let stated =
        seen.text(seen.operation_type).and_then(word).or_else(|| seen.text(seen.operation_name).and_then(word));
    stated.or(match kind {
        SpanKind::Producer => Some(Direction::Send),
        SpanKind::Consumer => Some(Direction::Process),
        SpanKind::Client => span_name.split_whitespace().find_map(word),
        SpanKind::Internal | SpanKind::Server => None,
    })
}

/// The role of a messaging span; `None` when it says nothing of a direction.
pub(super) fn role(
    seen: &Seen,
    kind: SpanKind,
    span_name: &str,
    has_parent: bool,
    environment: Option<&str>,
) -> Option<Role> {
    let mut direction = direction(seen, kind, span_name)?;
    let system = seen.text(seen.messaging_system).unwrap_or("unknown");
    let nats = system.eq_ignore_ascii_case("nats") || system.eq_ignore_ascii_case("jetstream");
    let subject = subject(seen, nats);
    if nats && subject.is_some_and(|s| s.starts_with("$JS.ACK.") || s.starts_with("$JS.API.") || s == "$JS.FC") {
        // Acknowledgements and requests to the stream API are messages to the broker itself, not to a topic.
        return Some(Role::Settle);
    }
    // NATS.Net calls the handling of a pushed message `receive`, with kind CONSUMER and the producer as parent.
    if nats && direction == Direction::Receive && kind == SpanKind::Consumer && has_parent {
        direction = Direction::Process;
    }
    let temporary = seen.truth(seen.temporary) || seen.truth(seen.anonymous);
    let name = topic_name(seen.text(seen.template), subject, temporary);
    let topic = NodeId::topic(&system.to_ascii_lowercase(), name, environment);
    let message_id = || seen.owned(seen.message_id).or_else(|| seen.owned(seen.cloudevents_id));
    let group = || seen.owned(seen.group).or_else(|| seen.owned(seen.subscription));
    Some(match direction {
        Direction::Settle => Role::Settle,
        Direction::Create | Direction::Send => {
            Role::Send { topic, message_id: message_id(), create: direction == Direction::Create }
        }
        Direction::Receive => Role::Receive {
            topic,
            group: group(),
            message_id: message_id(),
            batch: seen.batch.and_then(Value::as_int).and_then(|n| u32::try_from(n).ok()),
        },
        Direction::Process => Role::Process {
            topic,
            group: group(),
            message_id: message_id(),
            delivery: seen.delivery.and_then(Value::as_int).and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0),
            sequence: sequence(seen),
        },
    })
}

/// The destination as it joins with publishers: for a NATS subscription pattern that is the subject of the message.
fn subject<'a>(seen: &Seen<'a>, nats: bool) -> Option<&'a str> {
    let name = seen.text(seen.destination);
    let actual = seen.text(seen.nats_subject).or_else(|| seen.text(seen.destination_publish));
    match name {
        Some(n) if nats && is_pattern(n) => actual.or(name),
        None => actual,
        _ => name,
    }
}

fn sequence(seen: &Seen) -> Option<(Option<String>, u64)> {
    let number = |v: Option<&Value>| v.and_then(Value::as_int).and_then(|n| u64::try_from(n).ok());
    if let Some(n) = number(seen.stream_sequence) {
        return Some((seen.owned(seen.stream_name), n));
    }
    let partition = seen.partition.filter(|p| **p != Value::Null)?;
    Some((Some(format!("partition-{partition}")), number(seen.offset)?))
}

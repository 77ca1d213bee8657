//! What is published again for a dead letter: pure, from what the workspace knows.

use flowglass_ingest::nats::Outgoing;
use flowglass_model::{Message, Nanos};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::stitch::is_dead_letter;

/// Workspace key of what was published again.
pub(crate) const META_REDRIVES: &str = "redrives";
/// Remembered at most.
pub(crate) const REDRIVES_MAX: usize = 2_000;
/// Header that says where a message was published again from (the stream and sequence, or the event id).
pub(crate) const HEADER: &str = "Flowglass-Redriven-From";

/// Headers that belong to the first publication: a stream would take the message for a repetition, or expect the state of then.
const NOT_AGAIN: [&str; 2] = ["nats-msg-id", "nats-rollup"];
/// Names under which dead letters tell the subject they were meant for (headers, or members of the payload).
const ORIGINAL_SUBJECT: [&str; 8] = [
    "originalsubject",
    "xoriginalsubject",
    "natsoriginalsubject",
    "originaltopic",
    "xoriginaltopic",
    "xdeadletteroriginalsubject",
    "deadlettersubject",
    "kafkadltoriginaltopic",
];

/// What was published again, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Redrive {
    /// When.
    pub(crate) at: Nanos,
    /// Over which connection.
    pub(crate) connection: String,
    /// The dead letter: its event id, else stream and sequence.
    pub(crate) from: String,
    /// Where to.
    pub(crate) subject: String,
    /// Payload bytes.
    pub(crate) bytes: u64,
    /// In words: `stored in ORDERS as 17`, or why not.
    pub(crate) outcome: String,
    /// Whether it went out.
    pub(crate) sent: bool,
}

/// Reads what was written before; a text that nobody can read holds none.
pub(crate) fn parse(text: Option<&str>) -> Vec<Redrive> {
    text.and_then(|t| serde_json::from_str(t).ok()).unwrap_or_default()
}

/// Where the message that is to be published again comes from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Source {
    /// The publication that the dead letter is about: stored here, and perhaps in its stream.
    Original(Box<Message>),
    /// The dead letter holds it as a member of its payload.
    Inside {
        /// Headers to send it with.
        headers: Vec<(String, String)>,
        /// The member.
        payload: Vec<u8>,
    },
    /// The dead letter itself.
    Itself,
}

/// What would be published.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Draft {
    /// Where it comes from.
    pub(crate) source: Source,
    /// Subject, as far as it can be told.
    pub(crate) subject: Option<String>,
}

/// What to publish for a dead letter. `find` gives stored publications of an event id.
pub(crate) fn draft<E>(dead: &Message, find: &mut dyn FnMut(&str) -> Result<Vec<Message>, E>) -> Result<Draft, E> {
    if !is_dead_letter(&dead.destination) {
        // The broker gave up on it, or a consumer ended it: it lies on its own subject.
        return Ok(Draft { source: Source::Itself, subject: Some(dead.destination.clone()) });
    }
    let json = serde_json::from_slice::<Json>(&dead.payload).ok();
    let told = told_subject(dead, json.as_ref());
    let inside = json.as_ref().and_then(|j| cloud_event_in(j, 0));
    let id = inside.and_then(|e| e["id"].as_str()).or(dead.event_id.as_deref());
    if let Some(id) = id {
        let originals = find(id)?;
        let fits = |m: &&Message| !is_dead_letter(&m.destination);
        let best = originals.iter().filter(fits).find(|m| told.as_ref() == Some(&m.destination));
        if let Some(original) = best.or_else(|| originals.iter().find(fits)) {
            let subject = Some(original.destination.clone());
            return Ok(Draft { source: Source::Original(Box::new(original.clone())), subject });
        }
    }
    let subject = told.or_else(|| without_dead(&dead.destination));
    let source = match inside {
        Some(event) => {
            let mut headers = dead.headers.clone();
            headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type") && !name.starts_with("ce-"));
            headers.push(("content-type".into(), "application/cloudevents+json".into()));
            Source::Inside { headers, payload: event.to_string().into_bytes() }
        }
        None => Source::Itself,
    };
    Ok(Draft { source, subject })
}

/// A structured CloudEvent below the top of a document.
fn cloud_event_in(json: &Json, depth: u32) -> Option<&Json> {
    let members = json.as_object()?;
    let is_event = ["id", "source", "type", "specversion"].iter().all(|m| members.get(*m).is_some_and(Json::is_string));
    if depth > 0 && is_event {
        return Some(json);
    }
    if depth > 4 {
        return None;
    }
    members.values().find_map(|v| cloud_event_in(v, depth + 1))
}

fn told_subject(dead: &Message, json: Option<&Json>) -> Option<String> {
    let plain = |name: &str| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let tells = |name: &str| ORIGINAL_SUBJECT.contains(&plain(name).as_str());
    let header = dead.headers.iter().find(|(name, _)| tells(name)).map(|(_, value)| value.clone());
    let member = || {
        let members = json?.as_object()?;
        members.iter().find(|(name, _)| tells(name)).and_then(|(_, value)| value.as_str().map(str::to_owned))
    };
    header.or_else(member).filter(|s| !s.is_empty())
}

/// `dlq.orders.placed` → `orders.placed`, `orders.placed.dlq` → `orders.placed`.
fn without_dead(subject: &str) -> Option<String> {
    let tokens: Vec<&str> = subject.split('.').filter(|t| !is_dead_letter(t)).collect();
    (!tokens.is_empty() && tokens.len() < subject.split('.').count()).then(|| tokens.join("."))
}

/// The message as it goes out: without headers that bind it to its first publication, with one that says where it is from.
pub(crate) fn outgoing(mut message: Outgoing, subject: String, from: &str) -> Outgoing {
    message.headers.retain(|(name, _)| {
        let name = name.to_ascii_lowercase();
        !NOT_AGAIN.contains(&name.as_str())
            && !name.starts_with("nats-expected-")
            && name != HEADER.to_ascii_lowercase()
    });
    message.headers.push((HEADER.to_owned(), from.to_owned()));
    Outgoing { subject, ..message }
}

/// Why what is stored of a message is not what was published, if so.
pub(crate) fn incomplete(message: &Message) -> Option<&'static str> {
    match () {
        () if message.redacted > 0 => Some("credentials in it were replaced before it was stored"),
        () if message.payload.len() as u64 != message.payload_size && message.payload.is_empty() => {
            Some("its payload was not kept")
        }
        () if (message.payload.len() as u64) < message.payload_size && message.event_type.is_none() => {
            Some("only the beginning of its payload was kept")
        }
        () => None,
    }
}

/// A text that two equal plans share: what was shown is what is sent.
pub(crate) fn fingerprint(connection: &str, messages: &[Outgoing]) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    connection.hash(&mut hasher);
    for m in messages {
        (&m.subject, &m.headers, &m.payload).hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(destination: &str, id: Option<&str>, payload: &str) -> Message {
        Message {
            system: "nats".into(),
            destination: destination.into(),
            time: 1,
            stream: None,
            sequence: None,
            event_id: id.map(Into::into),
            source: None,
            event_type: None,
            key: None,
            hop: None,
            origin: None,
            correlation_id: None,
            hop_format: Default::default(),
            causation_id: None,
            reply: None,
            headers: vec![("traceparent".into(), "t".into()), ("Nats-Msg-Id".into(), "7".into())],
            payload: payload.as_bytes().to_vec(),
            payload_size: payload.len() as u64,
            content_type: None,
            keys: Vec::new(),
            redacted: 0,
        }
    }

    fn drafted(dead: &Message, stored: &[Message]) -> Draft {
        let mut find =
            |id: &str| Ok::<_, ()>(stored.iter().filter(|m| m.event_id.as_deref() == Some(id)).cloned().collect());
        draft(dead, &mut find).unwrap()
    }

    const WRAPPED: &str =
        r#"{"original":{"id":"e1","source":"/s","type":"t","specversion":"1.0","data":{"n":1}},"reason":"no"}"#;

    #[test]
    fn a_message_given_up_goes_back_where_it_lies() {
        let dead = message("orders.placed", Some("e1"), "{}");
        let want = Draft { source: Source::Itself, subject: Some("orders.placed".into()) };
        assert_eq!(drafted(&dead, &[]), want);
    }

    #[test]
    fn the_original_wins_over_what_the_dead_letter_holds() {
        let dead = message("dlq.orders.placed", Some("d1"), WRAPPED);
        let original = message("orders.placed", Some("e1"), "{}");
        let draft = drafted(&dead, std::slice::from_ref(&original));
        assert_eq!(draft.subject.as_deref(), Some("orders.placed"));
        assert_eq!(draft.source, Source::Original(Box::new(original)));
        let draft = drafted(&dead, &[]);
        assert_eq!(draft.subject.as_deref(), Some("orders.placed"));
        let Source::Inside { payload, headers } = draft.source else { panic!("{draft:?}") };
        assert!(String::from_utf8(payload).unwrap().contains("\"e1\""));
        assert!(headers.iter().any(|(_, v)| v == "application/cloudevents+json"));
    }

    #[test]
    fn subjects_are_told_or_taken_from_the_name() {
        for (destination, header, want) in [
            ("orders.dlq", None, Some("orders")),
            ("dlq.a.b", None, Some("a.b")),
            ("dlq", None, None),
            ("dlq", Some("X-Original-Subject"), Some("told")),
        ] {
            let mut dead = message(destination, None, "text");
            dead.headers.extend(header.map(|h| (h.to_owned(), "told".to_owned())));
            assert_eq!(drafted(&dead, &[]).subject.as_deref(), want, "{destination}");
        }
    }

    #[test]
    fn what_goes_out_is_no_repetition() {
        let draft = Outgoing {
            subject: "x".into(),
            headers: vec![("Nats-Msg-Id".into(), "7".into()), ("a".into(), "b".into())],
            payload: b"p".to_vec(),
        };
        let out = outgoing(draft, "orders".into(), "DLQ 7");
        assert_eq!(out.headers, [("a".to_owned(), "b".to_owned()), (HEADER.to_owned(), "DLQ 7".to_owned())]);
        assert_ne!(fingerprint("c", std::slice::from_ref(&out)), fingerprint("d", &[out]));
    }

    #[test]
    fn what_was_replaced_cannot_go_out() {
        let mut m = message("a", None, "{}");
        assert_eq!(incomplete(&m), None);
        m.redacted = 1;
        assert!(incomplete(&m).is_some());
    }
}

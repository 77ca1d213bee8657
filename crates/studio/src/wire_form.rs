//! A stored message as it went over the wire, and as commands that send it again.

use flowglass_ingest::nats::Outgoing;
use flowglass_model::Message;
use serde_json::{Map, Value as Json};

/// A message as it was sent. A structured CloudEvent is stored taken apart: it is put together again.
pub(crate) fn as_sent(m: &Message) -> Outgoing {
    let structured = m.headers.iter().any(|(k, v)| {
        k.eq_ignore_ascii_case("content-type") && v.trim().to_ascii_lowercase().starts_with("application/cloudevents")
    });
    let was_json = m.headers.iter().any(|(k, _)| k == "ce-specversion") && m.payload_size > m.payload.len() as u64;
    if !structured && !was_json {
        return Outgoing { subject: m.destination.clone(), headers: m.headers.clone(), payload: m.payload.clone() };
    }
    let headers = m.headers.iter().filter(|(k, _)| !k.starts_with("ce-")).cloned().collect();
    let payload = cloud_event(m).map_or_else(|| m.payload.clone(), |e| e.to_string().into_bytes());
    Outgoing { subject: m.destination.clone(), headers, payload }
}

/// A message as a structured CloudEvent (CloudEvents 1.0, JSON event format); `None` when it is none and lacks what one needs.
pub(crate) fn cloud_event(m: &Message) -> Option<Json> {
    let mut event = Map::new();
    for (name, value) in &m.headers {
        let lower = name.to_ascii_lowercase();
        if let Some(name) = lower.strip_prefix("ce-").or_else(|| lower.strip_prefix("ce_")) {
            event.insert(name.to_owned(), Json::from(value.clone()));
        }
    }
    let mut set = |name: &str, value: &Option<String>| {
        if let Some(value) = value
            && !event.contains_key(name)
        {
            event.insert(name.to_owned(), Json::from(value.clone()));
        }
    };
    set("id", &m.event_id);
    set("source", &m.source);
    set("type", &m.event_type);
    set("subject", &m.key);
    set("datacontenttype", &m.content_type);
    if !["id", "source", "type"].iter().all(|name| event.contains_key(*name)) {
        return None;
    }
    event.entry("specversion").or_insert_with(|| "1.0".into());
    match (serde_json::from_slice::<Json>(&m.payload), std::str::from_utf8(&m.payload)) {
        _ if m.payload.is_empty() => {}
        (Ok(json), _) => {
            event.insert("data".into(), json);
        }
        (_, Ok(text)) => {
            event.insert("data".into(), text.into());
        }
        _ => {
            use base64::Engine as _;
            event.insert("data_base64".into(), base64::prelude::BASE64_STANDARD.encode(&m.payload).into());
        }
    }
    Some(Json::Object(event))
}

/// A word for a POSIX shell: in single quotes, in which nothing has a meaning. Where it is pasted into a terminal the keys count
/// before the quotes do: characters that are keys (interrupt, erase line, end of a bracketed paste) or that turn the direction
/// of writing are made by `printf`.
fn quoted(text: &str) -> String {
    let mut out = String::from("'");
    for c in text.chars() {
        match c {
            '\'' => out.push_str(r"'\''"),
            '\n' => out.push(c),
            c if c.is_control()
                || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}') =>
            {
                let bytes: String = c.encode_utf8(&mut [0; 4]).bytes().map(|b| format!("\\{b:03o}")).collect();
                out.push_str(&format!("'\"$(printf '{bytes}')\"'"));
            }
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}

/// The payload as the end of a command; bytes that are no text come through `base64`.
fn piped(payload: &[u8], command: String, from_stdin: &str) -> String {
    use base64::Engine as _;
    match std::str::from_utf8(payload) {
        Ok(text) if !text.contains('\0') => format!("{command} {}", quoted(text)),
        _ => {
            let encoded = base64::prelude::BASE64_STANDARD.encode(payload);
            format!("printf %s {encoded} | base64 -d | {command} {from_stdin}").trim_end().to_owned()
        }
    }
}

/// `nats pub` (the NATS command line).
pub(crate) fn nats_pub(m: &Outgoing) -> String {
    let headers: String = m.headers.iter().map(|(k, v)| format!(" -H {}", quoted(&format!("{k}:{v}")))).collect();
    match std::str::from_utf8(&m.payload) {
        // The command line fills in templates such as {{Count}} unless told not to; standard input is taken as it is.
        Ok(text) if !text.contains("{{") && !text.contains('\0') => {
            format!("nats pub{headers} {} {}", quoted(&m.subject), quoted(text))
        }
        Ok(text) if !text.contains('\0') => {
            format!("printf %s {} | nats pub{headers} {} --force-stdin", quoted(text), quoted(&m.subject))
        }
        _ => piped(&m.payload, format!("nats pub{headers} {}", quoted(&m.subject)), "--force-stdin"),
    }
}

/// `curl` that posts a CloudEvent to an address, structured.
pub(crate) fn curl(event: &Json, address: &str) -> String {
    format!(
        "curl -sS -X POST {} -H 'content-type: application/cloudevents+json' --data-binary {}",
        quoted(address),
        quoted(&event.to_string())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_pressed_by_pasting() {
        let m = Outgoing {
            subject: "a.b".into(),
            headers: vec![],
            payload: "\u{3}rm -rf ~\n\u{1b}[201~\u{202e}".as_bytes().to_vec(),
        };
        let command = nats_pub(&m);
        assert!(!command.contains(|c: char| (c.is_control() && c != '\n') || c == '\u{202e}'), "{command:?}");
        #[cfg(unix)]
        {
            let shown = command.replace("nats pub", "printf '%s|%s'");
            let said = std::process::Command::new("sh").args(["-c", &shown]).output().unwrap();
            assert_eq!(said.stdout, [b"a.b|", m.payload.as_slice()].concat(), "{shown}");
        }
    }

    #[test]
    fn nothing_in_a_message_has_a_meaning_in_a_shell() {
        let m = Outgoing {
            subject: "a.b".into(),
            headers: vec![("x".into(), "$(id)".into())],
            payload: b"it's `x` {{Count}}".to_vec(),
        };
        assert_eq!(nats_pub(&m), r"printf %s 'it'\''s `x` {{Count}}' | nats pub -H 'x:$(id)' 'a.b' --force-stdin");
        let m = Outgoing { payload: vec![0, 255], headers: vec![], ..m };
        assert_eq!(nats_pub(&m), "printf %s AP8= | base64 -d | nats pub 'a.b' --force-stdin");
        let event = serde_json::json!({ "id": "it's" });
        assert!(curl(&event, "http://h/e?a=1&b=2").contains(r#"'{"id":"it'\''s"}'"#));
    }
}

//! Redaction at the door: values of credentials are replaced before anything is stored; the key stays, so that a missing
//! credential can still be told from a hidden one. Ids are never touched.

mod names;
mod text;

use flowglass_model::{Attributes, Value};

pub use names::is_credential;
use text::{json_text, url_text};

/// What stands in place of a credential.
pub const REDACTED: &str = "[redacted]";

/// Whether a value was already hidden by the sender (`[REDACTED]`, `***`), or is empty and hides nothing.
fn is_hidden(text: &str) -> bool {
    let t = text.trim();
    t.is_empty()
        || t.bytes().all(|b| b == b'*')
        || ["[redacted]", "redacted", "<redacted>", "[filtered]", "[masked]"].iter().any(|h| t.eq_ignore_ascii_case(h))
}

/// Replaces a credential's value whatever its type, but for truth values and nothing.
pub(crate) fn hide(value: &mut Value) -> u32 {
    match value {
        Value::Null | Value::Bool(_) => 0,
        Value::String(s) if is_hidden(s) => 0,
        Value::Array(items) => items.iter_mut().map(hide).sum(),
        Value::Map(entries) => entries.iter_mut().map(|(_, v)| hide(v)).sum(),
        other => {
            *other = Value::String(REDACTED.to_owned());
            1
        }
    }
}

/// Replaces credentials in attributes: by name, in nested maps, in JSON text and in URLs. Returns how many.
pub fn redact_attributes(attributes: &mut Attributes) -> u32 {
    attributes.iter_mut().map(|(k, v)| if is_credential(k) { hide(v) } else { redact_value(v) }).sum()
}

/// Replaces credentials inside one value: nested maps, JSON text, URLs. Returns how many.
pub fn redact_value(value: &mut Value) -> u32 {
    match value {
        Value::String(text) => redact_text(text),
        Value::Array(items) => items.iter_mut().map(redact_value).sum(),
        Value::Map(entries) => redact_attributes(entries),
        _ => 0,
    }
}

/// Replaces credentials in a text that is JSON, a URL or a query string; other texts stay as they are. Returns how many.
pub fn redact_text(text: &mut String) -> u32 {
    let (new, count) = match text.as_bytes().iter().find(|b| !b.is_ascii_whitespace()) {
        Some(b'{' | b'[') => json_text(text),
        _ if !text.as_bytes().iter().fold(false, |found, b| found | (*b == b'=') | (*b == b'@')) => return 0,
        _ => url_text(text),
    };
    if let Some(new) = new {
        *text = new;
    }
    count
}

/// Replaces credentials in headers. Returns how many.
pub fn redact_headers(headers: &mut [(String, String)]) -> u32 {
    headers
        .iter_mut()
        .map(|(k, v)| match is_credential(k) {
            true if is_hidden(v) => 0,
            true => {
                *v = REDACTED.to_owned();
                1
            }
            false => redact_text(v),
        })
        .sum()
}

/// Replaces credentials in a JSON value by field name, at any depth. Returns how many.
pub fn redact_json(value: &mut serde_json::Value) -> u32 {
    use serde_json::Value as J;
    match value {
        J::Object(map) => {
            map.iter_mut().map(|(k, v)| if is_credential(k) { hide_json(v) } else { redact_json(v) }).sum()
        }
        J::Array(items) => items.iter_mut().map(redact_json).sum(),
        J::String(text) => redact_text(text),
        _ => 0,
    }
}

fn hide_json(value: &mut serde_json::Value) -> u32 {
    use serde_json::Value as J;
    match value {
        J::Null | J::Bool(_) => 0,
        J::String(s) if is_hidden(s) => 0,
        J::Array(items) => items.iter_mut().map(hide_json).sum(),
        J::Object(map) => map.iter_mut().map(|(_, v)| hide_json(v)).sum(),
        other => {
            *other = J::String(REDACTED.to_owned());
            1
        }
    }
}

/// Replaces credentials in a payload that is JSON text, byte for byte the same elsewhere. Returns how many.
pub fn redact_payload(payload: &mut Vec<u8>) -> u32 {
    let Ok(text) = std::str::from_utf8(payload) else { return 0 };
    let (new, count) = match text.as_bytes().iter().find(|b| !b.is_ascii_whitespace()) {
        Some(b'{' | b'[') => json_text(text),
        _ => return 0,
    };
    if let Some(new) = new {
        *payload = new.into_bytes();
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_keep_their_key_and_lose_the_value() {
        let mut a: Attributes = vec![
            ("http.request.header.authorization".into(), Value::Array(vec!["Bearer abc".into()])),
            ("http.request.header.cookie".into(), Value::Array(vec!["[REDACTED]".into()])),
            ("password".into(), "".into()),
            ("has_token".into(), Value::Bool(true)),
            ("body".into(), r#"{"user":"u","password":"p","n":12345678901234567890123}"#.into()),
            ("orderId".into(), "o-1".into()),
        ];
        assert_eq!(redact_attributes(&mut a), 2);
        assert_eq!(a[0].1, Value::Array(vec![REDACTED.into()]));
        assert_eq!(a[1].1, Value::Array(vec!["[REDACTED]".into()]));
        assert_eq!(a[2].1, Value::from(""));
        assert_eq!(a[4].1, Value::from(r#"{"user":"u","password":"[redacted]","n":12345678901234567890123}"#));
        assert_eq!(redact_attributes(&mut a), 0, "a second time finds nothing");
    }

    #[test]
    fn headers_and_json_values() {
        let mut h = vec![("Authorization".to_owned(), "Bearer x".to_owned()), ("Nats-Msg-Id".into(), "1".into())];
        assert_eq!(redact_headers(&mut h), 1);
        assert_eq!(h[0].1, REDACTED);
        let mut j =
            serde_json::json!({"a": [{"clientSecret": "x", "tokenId": 4}], "password": 1, "ok": {"token": null}});
        assert_eq!(redact_json(&mut j), 2);
        assert_eq!(
            j,
            serde_json::json!({"a": [{"clientSecret": REDACTED, "tokenId": 4}], "password": REDACTED, "ok": {"token": null}})
        );
    }
}

//! Structured events: JSON with the attributes beside the data (CloudEvents `json-format.md`).

use base64::Engine as _;
use serde_json::value::RawValue;

/// Why something is no CloudEvent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CloudEventError {
    /// The request says nothing of CloudEvents.
    #[error(
        "no CloudEvent: send content-type application/cloudevents+json or application/cloudevents-batch+json, or the \
         attributes as ce- headers (ce-id, ce-source, ce-type, ce-specversion)"
    )]
    NotAnEvent,
    /// The body is no JSON.
    #[error("{at}not valid JSON: {reason}")]
    Json {
        /// `event 3: ` in a batch, else empty.
        at: String,
        /// What the parser says, with line and column.
        reason: String,
    },
    /// A required attribute is missing or empty (CloudEvents 1.0, "REQUIRED Attributes").
    #[error("{at}the attribute {name} is missing")]
    Missing {
        /// `event 3: ` in a batch, else empty.
        at: String,
        /// The attribute.
        name: &'static str,
    },
    /// An attribute cannot be read.
    #[error("{at}the attribute {name} cannot be read: {reason}")]
    Attribute {
        /// `event 3: ` in a batch, else empty.
        at: String,
        /// The attribute.
        name: String,
        /// Why.
        reason: String,
    },
    /// A version of CloudEvents that is not known.
    #[error("{at}specversion {version} is not known; 1.0 and 0.3 are")]
    Version {
        /// `event 3: ` in a batch, else empty.
        at: String,
        /// What was sent.
        version: String,
    },
}

impl CloudEventError {
    /// The same error, naming the event of a batch (counted from 0).
    pub(super) fn in_batch(mut self, index: usize) -> CloudEventError {
        let place = format!("event {index}: ");
        match &mut self {
            CloudEventError::NotAnEvent => {}
            CloudEventError::Json { at, .. }
            | CloudEventError::Missing { at, .. }
            | CloudEventError::Attribute { at, .. }
            | CloudEventError::Version { at, .. } => *at = place,
        }
        self
    }
}

/// An event taken apart: attributes in the order sent (without the data) and the data as bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event {
    /// Attributes, extensions included, as text.
    pub attributes: Vec<(String, String)>,
    /// Data; `None` when the event has none.
    pub data: Option<Vec<u8>>,
}

impl Event {
    /// An attribute.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str())
    }

    /// Checks the version and the attributes an event must have.
    pub(super) fn check(self) -> Result<Event, CloudEventError> {
        let at = String::new;
        for name in ["specversion", "id", "source", "type"] {
            if self.get(name).is_none_or(str::is_empty) {
                return Err(CloudEventError::Missing { at: at(), name });
            }
        }
        match self.get("specversion") {
            Some("1.0" | "0.3") => Ok(self),
            other => Err(CloudEventError::Version { at: at(), version: other.unwrap_or_default().to_owned() }),
        }
    }
}

/// Whether JSON bytes look like a structured event: for messages that carry no content type (the NATS binding's own example
/// has none).
pub fn is_event(payload: &[u8]) -> bool {
    let start = payload.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(payload.len());
    payload.get(start) == Some(&b'{')
        && payload.windows(13).any(|w| w == b"\"specversion\"")
        && structured(payload).is_ok()
}

/// A member list that keeps the order and the text of each value.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> serde::Deserialize<'de> for Members<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry::<String, &'de RawValue>()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// Reads one structured event.
pub fn structured(json: &[u8]) -> Result<Event, CloudEventError> {
    let members: Members<'_> =
        serde_json::from_slice(json).map_err(|e| CloudEventError::Json { at: String::new(), reason: e.to_string() })?;
    let mut event = Event::default();
    let (mut data, mut encoded) = (None, None);
    for (name, value) in &members.0 {
        match name.as_str() {
            "data" => data = Some(value.get()),
            "data_base64" => encoded = Some(value.get()),
            _ => {
                if let Some(text) = attribute_text(value.get()) {
                    event.attributes.push((name.clone(), text));
                }
            }
        }
    }
    let mut event = event.check()?;
    event.data = match (data, encoded) {
        (_, Some(text)) => Some(decode(text, "data_base64")?),
        (Some(text), None) if event.get("datacontentencoding") == Some("base64") => Some(decode(text, "data")?),
        (Some(text), None) => plain_data(text, event.get("datacontenttype")),
        (None, None) => None,
    };
    Ok(event)
}

/// An attribute value as text; null attributes are absent ones (json-format.md, section 2.2).
fn attribute_text(json: &str) -> Option<String> {
    match json.as_bytes().first()? {
        b'n' => None,
        b'"' => serde_json::from_str(json).ok(),
        _ => Some(json.to_owned()),
    }
}

fn decode(json: &str, name: &str) -> Result<Vec<u8>, CloudEventError> {
    let bad = |reason: String| CloudEventError::Attribute { at: String::new(), name: name.to_owned(), reason };
    let text: String = serde_json::from_str(json).map_err(|_| bad("it is not a text".to_owned()))?;
    base64::engine::general_purpose::STANDARD.decode(text.trim()).map_err(|e| bad(format!("not base64: {e}")))
}

/// Data as JSON stays JSON; a string under a media type other than JSON is the data itself (json-format.md, section 3.1).
fn plain_data(json: &str, content_type: Option<&str>) -> Option<Vec<u8>> {
    let is_json = content_type.is_none_or(|t| {
        let t = t.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        t.ends_with("/json") || t.ends_with("+json")
    });
    if json == "null" {
        return None;
    }
    if !is_json && json.starts_with('"') {
        return serde_json::from_str::<String>(json).ok().map(String::into_bytes);
    }
    Some(json.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(extra: &str) -> Result<Event, CloudEventError> {
        structured(format!(r#"{{"specversion":"1.0","id":"1","source":"/s","type":"t"{extra}}}"#).as_bytes())
    }

    #[test]
    fn data_in_all_forms() {
        for (extra, want) in [
            ("", None),
            (r#","data":null"#, None),
            (r#","data":{"a":1.50}"#, Some(&br#"{"a":1.50}"#[..])),
            (r#","datacontenttype":"application/json","data":"x""#, Some(br#""x""#)),
            (r#","datacontenttype":"text/plain","data":"x\ny""#, Some(b"x\ny")),
            (r#","data_base64":"AQID""#, Some(&[1, 2, 3])),
            (r#","datacontentencoding":"base64","data":"AQID""#, Some(&[1, 2, 3])),
        ] {
            assert_eq!(event(extra).unwrap().data.as_deref(), want, "{extra}");
        }
        assert_eq!(event(r#","seq":7,"flag":true,"none":null"#).unwrap().get("seq"), Some("7"));
    }

    #[test]
    fn what_is_no_event_is_told() {
        for (json, want) in [
            (r#"{"specversion":"1.0","id":"1","source":"/s"}"#, "the attribute type is missing"),
            (
                r#"{"specversion":"2.0","id":"1","source":"/s","type":"t"}"#,
                "specversion 2.0 is not known; 1.0 and 0.3 are",
            ),
            (
                r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","data_base64":"&"}"#,
                "data_base64 cannot be read",
            ),
            ("{", "not valid JSON"),
            ("[]", "not valid JSON"),
        ] {
            let error = structured(json.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(want), "{json}: {error}");
        }
        assert!(!is_event(br#"{"orderId":1}"#));
        assert!(is_event(br#" {"specversion":"1.0","id":"1","source":"/s","type":"t"}"#));
    }
}

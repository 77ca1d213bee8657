//! CloudEvents over HTTP (`http-protocol-binding.md`): structured, batched, binary.

use flowglass_model::{Message, Nanos};
use http::HeaderMap;
use serde_json::value::RawValue;

use super::event::{CloudEventError, Event, structured};
use super::{Draft, build, parse_time};
use crate::normalise::Options;

/// Reads a request. `now` is used for events that carry no time. The destination of a message is its event type.
///
/// A batch is taken whole or not at all, so that a sender who repeats it after an error doubles nothing.
pub fn from_http(
    headers: &HeaderMap,
    body: &[u8],
    now: Nanos,
    options: &Options,
) -> Result<Vec<Message>, CloudEventError> {
    let content_type = text(headers, "content-type").unwrap_or_default().to_ascii_lowercase();
    let media = content_type.split(';').next().unwrap_or_default().trim();
    let request = kept_headers(headers);
    match media {
        "application/cloudevents-batch+json" => {
            batch(body)?.into_iter().map(|event| Ok(message(event, request.clone(), now, options))).collect()
        }
        "application/cloudevents+json" | "application/cloudevents" => {
            Ok(vec![message(structured(body)?, request, now, options)])
        }
        _ if headers.contains_key("ce-specversion") || headers.contains_key("ce-id") => {
            Ok(vec![message(binary(headers, body)?, request, now, options)])
        }
        _ => Err(CloudEventError::NotAnEvent),
    }
}

fn batch(body: &[u8]) -> Result<Vec<Event>, CloudEventError> {
    let items: Vec<&RawValue> =
        serde_json::from_slice(body).map_err(|e| CloudEventError::Json { at: String::new(), reason: e.to_string() })?;
    items
        .into_iter()
        .enumerate()
        .map(|(i, item)| structured(item.get().as_bytes()).map_err(|e| e.in_batch(i)))
        .collect()
}

fn binary(headers: &HeaderMap, body: &[u8]) -> Result<Event, CloudEventError> {
    let mut attributes: Vec<(String, String)> = headers
        .iter()
        .filter_map(|(k, v)| {
            let name = k.as_str().strip_prefix("ce-")?;
            Some((name.to_owned(), super::draft::percent_decode(&String::from_utf8_lossy(v.as_bytes()))))
        })
        .collect();
    attributes.sort();
    if let Some(media) = text(headers, "content-type") {
        attributes.push(("datacontenttype".to_owned(), media));
    }
    Event { attributes, data: (!body.is_empty()).then(|| body.to_vec()) }.check()
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned())
}

/// Request headers worth keeping: context, correlation, credentials (as redacted keys) and whatever a sender added; not those
/// of the transport.
fn kept_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    const TRANSPORT: [&str; 10] = [
        "host",
        "content-length",
        "content-encoding",
        "content-type",
        "accept",
        "accept-encoding",
        "connection",
        "transfer-encoding",
        "user-agent",
        "expect",
    ];
    let mut kept: Vec<(String, String)> = headers
        .iter()
        .filter(|(k, _)| !k.as_str().starts_with("ce-") && !TRANSPORT.contains(&k.as_str()))
        .map(|(k, v)| (k.as_str().to_owned(), String::from_utf8_lossy(v.as_bytes()).into_owned()))
        .collect();
    kept.sort();
    kept
}

fn message(event: Event, headers: Vec<(String, String)>, now: Nanos, options: &Options) -> Message {
    let time = event.get("time").and_then(parse_time).unwrap_or(now);
    let destination = event.get("type").unwrap_or_default().to_owned();
    let draft = Draft { system: "http".to_owned(), destination, time, headers, ..Draft::default() };
    build(draft.with_event(event), options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(headers: &[(&'static str, &str)], body: &str) -> Result<Vec<Message>, CloudEventError> {
        let map = headers.iter().map(|(k, v)| (http::HeaderName::from_static(k), v.parse().unwrap())).collect();
        from_http(&map, body.as_bytes(), 42, &Options::named("test"))
    }

    #[test]
    fn all_three_forms_give_the_same_event() {
        let json = r#"{"specversion":"1.0","id":"1","source":"/s","type":"order.placed","subject":"o-7",
            "time":"1970-01-01T00:00:01Z","datacontenttype":"application/json","data":{"orderId":"o-7"}}"#;
        let one = post(&[("content-type", "application/cloudevents+json; charset=utf-8")], json).unwrap();
        let many =
            post(&[("content-type", "application/cloudevents-batch+json")], &format!("[{json},{json}]")).unwrap();
        let binary = post(
            &[
                ("ce-specversion", "1.0"),
                ("ce-id", "1"),
                ("ce-source", "/s"),
                ("ce-type", "order.placed"),
                ("ce-subject", "o%2D7"),
                ("ce-time", "1970-01-01T00:00:01Z"),
                ("content-type", "application/json"),
            ],
            r#"{"orderId":"o-7"}"#,
        )
        .unwrap();
        assert_eq!((one.len(), many.len(), binary.len()), (1, 2, 1));
        for m in one.iter().chain(&many).chain(&binary) {
            assert_eq!((m.system.as_str(), m.destination.as_str(), m.time), ("http", "order.placed", 1_000_000_000));
            assert_eq!(
                (m.event_id.as_deref(), m.source.as_deref(), m.key.as_deref()),
                (Some("1"), Some("/s"), Some("o-7"))
            );
            assert_eq!(m.payload, br#"{"orderId":"o-7"}"#);
            assert_eq!(m.content_type.as_deref(), Some("application/json"));
            assert!(m.keys.iter().any(|(_, v)| v == "o-7"), "{:?}", m.keys);
            assert!(m.headers.iter().any(|(k, v)| k == "ce-id" && v == "1"), "{:?}", m.headers);
        }
    }

    #[test]
    fn the_request_carries_hop_and_credentials() {
        let hop = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let origin = "00-0af7651916cd43dd8448eb211c80319c-00000000000000aa-01";
        let json = format!(r#"{{"specversion":"1.0","id":"1","source":"/s","type":"t","traceparent":"{origin}"}}"#);
        let m = &post(
            &[("content-type", "application/cloudevents+json"), ("traceparent", hop), ("authorization", "Bearer abc")],
            &json,
        )
        .unwrap()[0];
        assert_eq!(m.hop.unwrap().span_id.to_string(), "b7ad6b7169203331");
        assert_eq!(m.origin.unwrap().span_id.to_string(), "00000000000000aa");
        assert_eq!((m.time, m.redacted), (42, 1));
        assert!(m.headers.iter().any(|(k, v)| k == "authorization" && !v.contains("abc")));
    }

    #[test]
    fn errors_name_the_place() {
        assert_eq!(post(&[("content-type", "application/json")], "{}"), Err(CloudEventError::NotAnEvent));
        let bad = r#"[{"specversion":"1.0","id":"1","source":"/s","type":"t"},{"id":"2"}]"#;
        let error = post(&[("content-type", "application/cloudevents-batch+json")], bad).unwrap_err().to_string();
        assert_eq!(error, "event 1: the attribute specversion is missing");
        assert_eq!(
            post(&[("ce-id", "1"), ("ce-specversion", "1.0"), ("ce-type", "t")], "").unwrap_err().to_string(),
            "the attribute source is missing"
        );
    }
}

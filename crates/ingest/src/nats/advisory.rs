//! JetStream's own notices.

use flowglass_model::{Advisory, Nanos};
use serde::Deserialize;

use crate::cloudevents::parse_time;

/// Bytes kept of an advisory.
const MAX_BODY: usize = 64 * 1024;

#[derive(Deserialize)]
struct Body {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    id: String,
    timestamp: Option<String>,
    stream: Option<String>,
    consumer: Option<String>,
    stream_seq: Option<u64>,
    deliveries: Option<u64>,
    action: Option<String>,
}

/// Reads an advisory; `time` is used when it carries none. `None` for what is no advisory, and for the audit trail of the
/// JetStream API (`api_audit`), which says nothing about messages.
///
/// Stream and consumer actions carry their action in the kind (`stream_action.create`).
pub fn advisory(subject: &str, payload: &[u8], time: Nanos) -> Option<Advisory> {
    let body: Body = serde_json::from_slice(payload).ok()?;
    let kind = body.kind.rsplit('.').next().unwrap_or_default();
    if kind == "api_audit" || kind.is_empty() {
        return None;
    }
    let text = String::from_utf8_lossy(payload);
    let mut end = text.len().min(MAX_BODY);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Some(Advisory {
        kind: body.action.map_or_else(|| kind.to_owned(), |action| format!("{kind}.{action}")),
        id: body.id,
        subject: subject.to_owned(),
        time: body.timestamp.as_deref().and_then(parse_time).unwrap_or(time),
        stream: body.stream,
        consumer: body.consumer,
        stream_sequence: body.stream_seq,
        deliveries: body.deliveries.map(|n| u32::try_from(n).unwrap_or(u32::MAX)),
        body: text[..end].to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advisories() {
        let max = br#"{"type":"io.nats.jetstream.advisory.v1.max_deliver","id":"a","timestamp":"1970-01-01T00:00:01Z",
            "stream":"ORDERS","consumer":"pay","stream_seq":7,"deliveries":5}"#;
        let a = advisory("$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.ORDERS.pay", max, 9).unwrap();
        assert_eq!(
            (a.kind.as_str(), a.time, a.stream_sequence, a.deliveries),
            ("max_deliver", 1_000_000_000, Some(7), Some(5))
        );
        let created =
            br#"{"type":"io.nats.jetstream.advisory.v1.stream_action","id":"b","stream":"S","action":"create"}"#;
        let a = advisory("$JS.EVENT.ADVISORY.STREAM.CREATED.S", created, 9).unwrap();
        assert_eq!((a.kind.as_str(), a.time), ("stream_action.create", 9));
        assert_eq!(advisory("x", br#"{"type":"io.nats.jetstream.advisory.v1.api_audit"}"#, 9), None);
        assert_eq!(advisory("x", b"not json", 9), None);
    }
}

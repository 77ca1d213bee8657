//! Records of messages, one JSON object each: `kcat -J`, recorded messages, deliveries, acknowledgements, advisories,
//! CloudEvents.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use base64::Engine as _;
use flowglass_model::{Batch, Message, Nanos};
use serde::Deserialize;
use serde_json::Value as Json;

use crate::cloudevents::{Draft, build, parse_time, structured};
use crate::nats::{AckSubject, acknowledgement, advisory};
use crate::normalise::Options;

/// Publications and deliveries remembered to recognise copies of each other.
const MAX_REMEMBERED: usize = 200_000;

/// Which recorded publications were seen, so that the payload of a delivery does not bring them again.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    /// Publications that no delivery has named yet, by content.
    published: Counts,
    /// Messages made from deliveries whose publication has not been seen, by content.
    delivered: Counts,
    /// Stream and sequence of messages known.
    named: BTreeSet<(String, u64)>,
}

#[derive(Debug, Default)]
struct Counts {
    counts: BTreeMap<u64, u32>,
    order: VecDeque<u64>,
}

impl Counts {
    fn add(&mut self, hash: u64) {
        if self.order.len() == MAX_REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.take(oldest);
        }
        self.order.push_back(hash);
        *self.counts.entry(hash).or_default() += 1;
    }

    fn take(&mut self, hash: u64) -> bool {
        let Some(count) = self.counts.get_mut(&hash) else { return false };
        *count -= 1;
        if *count == 0 {
            self.counts.remove(&hash);
        }
        true
    }
}

impl Evidence {
    /// Whether a publication is new; false when a delivery brought it already.
    fn publication(&mut self, hash: u64) -> bool {
        if self.delivered.take(hash) {
            return false;
        }
        self.published.add(hash);
        true
    }

    /// Whether the payload of a delivery is a message not seen otherwise.
    fn delivery(&mut self, hash: u64, stream: &str, sequence: u64) -> bool {
        if !self.named.insert((stream.to_owned(), sequence)) {
            return false;
        }
        if self.named.len() > MAX_REMEMBERED {
            self.named.pop_first();
        }
        if self.published.take(hash) {
            return false;
        }
        self.delivered.add(hash);
        true
    }
}

fn read<'a, T: Deserialize<'a>>(json: &'a [u8], what: &str) -> Result<T, String> {
    serde_json::from_slice(json).map_err(|e| format!("{what} cannot be read: {e}"))
}

fn one(message: Message) -> Batch {
    Batch { messages: vec![message], ..Batch::default() }
}

/// Headers as an object, as a list of pairs, or as a flat list of names and values (librdkafka's JSON).
fn headers(json: Option<Json>) -> Vec<(String, String)> {
    let text =
        |v: &Json| v.as_str().map_or_else(|| if v.is_null() { String::new() } else { v.to_string() }, str::to_owned);
    match json {
        Some(Json::Object(members)) => members
            .iter()
            .flat_map(|(k, v)| match v {
                Json::Array(values) => values.iter().map(|v| (k.clone(), text(v))).collect(),
                other => vec![(k.clone(), text(other))],
            })
            .collect(),
        Some(Json::Array(items)) if items.first().is_some_and(Json::is_array) => {
            let pair = |v: &Json| Some((text(v.get(0)?), v.get(1).map(text).unwrap_or_default()));
            items.iter().filter_map(pair).collect()
        }
        Some(Json::Array(items)) => items.chunks(2).filter_map(|p| Some((text(p.first()?), text(p.get(1)?)))).collect(),
        _ => Vec::new(),
    }
}

fn payload(plain: Option<Json>, encoded: Option<String>) -> Result<Vec<u8>, String> {
    match (plain, encoded) {
        (_, Some(text)) => base64::engine::general_purpose::STANDARD
            .decode(text.trim())
            .map_err(|e| format!("the payload is not base64: {e}")),
        (Some(Json::String(text)), None) => Ok(text.into_bytes()),
        (None | Some(Json::Null), None) => Ok(Vec::new()),
        (Some(other), None) => Ok(other.to_string().into_bytes()),
    }
}

#[derive(Deserialize)]
struct KcatRecord {
    topic: String,
    partition: i64,
    offset: u64,
    /// Milliseconds; -1 or missing when the broker has none.
    ts: Option<i64>,
    key: Option<Json>,
    headers: Option<Json>,
    payload: Option<Json>,
}

/// A line of `kcat -J`.
pub(super) fn kcat(json: &[u8], options: &Options) -> Result<Batch, String> {
    let record: KcatRecord = read(json, "the Kafka record")?;
    let draft = Draft {
        system: "kafka".to_owned(),
        destination: record.topic,
        time: record.ts.filter(|t| *t >= 0).unwrap_or(0).saturating_mul(1_000_000),
        stream: Some(format!("partition-{}", record.partition)),
        sequence: Some(record.offset),
        key: record.key.filter(|k| !k.is_null()).map(|k| k.as_str().map_or_else(|| k.to_string(), str::to_owned)),
        headers: headers(record.headers),
        payload: payload(record.payload, None)?,
        ..Draft::default()
    };
    Ok(one(build(draft, options)))
}

#[derive(Deserialize)]
struct Recorded {
    subject: String,
    reply: Option<String>,
    headers: Option<Json>,
    payload: Option<Json>,
    #[serde(alias = "payload_b64")]
    payload_base64: Option<String>,
    t: Option<Nanos>,
    time: Option<String>,
}

/// When a record was made.
fn instant(t: Option<Nanos>, time: Option<&str>) -> Result<Nanos, String> {
    match (t, time) {
        (Some(t), _) => Ok(t),
        (None, Some(text)) => parse_time(text).ok_or_else(|| format!("the time “{text}” is not RFC 3339")),
        (None, None) => Err("the record has no time: give `time` (RFC 3339) or `t` (Unix nanoseconds)".to_owned()),
    }
}

/// A recorded message. A `reply` of `$JS.ACK.…` marks a delivery, which is also evidence of the publication.
pub(super) fn message(json: &[u8], options: &Options, evidence: &mut Evidence) -> Result<Batch, String> {
    let record: Recorded = read(json, "the recorded message")?;
    let time = instant(record.t, record.time.as_deref())?;
    let payload = payload(record.payload, record.payload_base64)?;
    let mut out = Batch::default();
    if let Some(ack) = AckSubject::parse(&record.subject) {
        out.settlements.extend(acknowledgement(&payload).map(|said| ack.settlement(said, time)));
        return Ok(out);
    }
    if record.subject.starts_with("$JS.EVENT.ADVISORY.") {
        out.advisories.extend(advisory(&record.subject, &payload, time));
        return Ok(out);
    }
    if record.subject.starts_with('$') || record.subject.starts_with("_INBOX.") {
        return Ok(out);
    }
    let headers = headers(record.headers);
    let mut hasher = DefaultHasher::new();
    (&record.subject, &headers, &payload).hash(&mut hasher);
    let hash = hasher.finish();
    let ack = record.reply.as_deref().and_then(AckSubject::parse);
    let mut draft = Draft {
        system: "nats".to_owned(),
        destination: record.subject,
        time,
        reply: record.reply.filter(|_| ack.is_none()),
        headers,
        payload,
        ..Draft::default()
    };
    let Some(ack) = ack else {
        if evidence.publication(hash) {
            out.messages.push(build(draft, options));
        }
        return Ok(out);
    };
    draft.time = ack.stored;
    draft.stream = Some(ack.key.stream.clone());
    draft.sequence = Some(ack.stream_sequence);
    let message = build(draft, options);
    let is_new = evidence.delivery(hash, &ack.key.stream, ack.stream_sequence);
    out.deliveries.push(ack.delivery(Some(message.destination.clone()), time, message.event_id.clone()));
    if is_new {
        out.messages.push(message);
    }
    Ok(out)
}

#[derive(Deserialize)]
struct DeliveryRecord {
    t: Option<Nanos>,
    time: Option<String>,
    subject: Option<String>,
    stream: String,
    consumer: String,
    delivered: u32,
    sseq: u64,
    cseq: u64,
}

/// A delivery without its payload.
pub(super) fn delivery(json: &[u8]) -> Result<Batch, String> {
    let record: DeliveryRecord = read(json, "the delivery")?;
    let time = instant(record.t, record.time.as_deref())?;
    let delivery = flowglass_model::Delivery {
        system: "nats".to_owned(),
        key: flowglass_model::DeliveryKey {
            stream: record.stream,
            consumer: record.consumer,
            consumer_sequence: record.cseq,
        },
        destination: record.subject,
        stream_sequence: record.sseq,
        delivered: record.delivered,
        time,
        event_id: None,
    };
    Ok(Batch { deliveries: vec![delivery], ..Batch::default() })
}

#[derive(Deserialize)]
struct AckRecord {
    t: Option<Nanos>,
    time: Option<String>,
    ack: String,
    verb: Option<String>,
}

/// An acknowledgement: its subject and what was said.
pub(super) fn acknowledged(json: &[u8]) -> Result<Batch, String> {
    let record: AckRecord = read(json, "the acknowledgement")?;
    let time = instant(record.t, record.time.as_deref())?;
    let verb = record.verb.unwrap_or_default();
    let ack =
        AckSubject::parse(&record.ack).ok_or_else(|| format!("“{}” is no acknowledgement subject", record.ack))?;
    let said = acknowledgement(verb.as_bytes()).ok_or_else(|| format!("“{verb}” is no acknowledgement"))?;
    Ok(Batch { settlements: vec![ack.settlement(said, time)], ..Batch::default() })
}

/// A structured CloudEvent. One without a time counts as of the beginning of time, so that importing it again changes nothing.
pub(super) fn cloud_event(json: &[u8], options: &Options) -> Result<Batch, String> {
    let event = structured(json).map_err(|e| e.to_string())?;
    let draft = Draft {
        system: "http".to_owned(),
        destination: event.get("type").unwrap_or_default().to_owned(),
        time: event.get("time").and_then(parse_time).unwrap_or(0),
        ..Draft::default()
    };
    Ok(one(build(draft.with_event(event), options)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Options {
        Options::named("t")
    }

    #[test]
    fn kafka_records_with_headers_of_all_shapes() {
        for headers in [r#"["ce_id","e1","a","b"]"#, r#"[["ce_id","e1"],["a","b"]]"#, r#"{"ce_id":"e1","a":"b"}"#] {
            let json = format!(
                r#"{{"topic":"orders","partition":3,"offset":42,"tstype":"create","ts":1700000000123,"broker":1,"headers":{headers},"key":"k","payload":"{{\"orderId\":\"o-1\"}}"}}"#
            );
            let m = kcat(json.as_bytes(), &options()).unwrap().messages.remove(0);
            assert_eq!(
                (m.system.as_str(), m.destination.as_str(), m.stream.as_deref(), m.sequence),
                ("kafka", "orders", Some("partition-3"), Some(42))
            );
            assert_eq!(
                (m.time, m.key.as_deref(), m.event_id.as_deref()),
                (1_700_000_000_123_000_000, Some("k"), Some("e1"))
            );
            assert_eq!(m.keys.len(), 1);
        }
    }

    #[test]
    fn a_delivery_with_payload_is_evidence_once() {
        let publication =
            br#"{"t":5,"subject":"orders.placed","reply":"_INBOX.1","headers":{"ce-id":"e1"},"payload":"x"}"#;
        let delivery = |n: u32, cseq: u32| {
            format!(
                r#"{{"time":"1970-01-01T00:00:01Z","subject":"orders.placed","reply":"$JS.ACK.ORDERS.pay.{n}.7.{cseq}.6.0","headers":{{"ce-id":"e1"}},"payload_base64":"eA=="}}"#
            )
        };
        let mut evidence = Evidence::default();
        assert_eq!(message(publication, &options(), &mut evidence).unwrap().messages.len(), 1);
        let first = message(delivery(1, 1).as_bytes(), &options(), &mut evidence).unwrap();
        assert_eq!((first.messages.len(), first.deliveries[0].event_id.as_deref()), (0, Some("e1")));

        let mut evidence = Evidence::default();
        let alone = message(delivery(1, 1).as_bytes(), &options(), &mut evidence).unwrap();
        assert_eq!(
            (alone.messages[0].sequence, alone.messages[0].time, alone.deliveries[0].time),
            (Some(7), 6, 1_000_000_000)
        );
        assert_eq!(message(delivery(2, 2).as_bytes(), &options(), &mut evidence).unwrap().messages.len(), 0);
        assert_eq!(message(publication, &options(), &mut evidence).unwrap().messages.len(), 0);
    }

    #[test]
    fn bad_records_say_why() {
        let mut evidence = Evidence::default();
        let mut reason = |json: &str| message(json.as_bytes(), &options(), &mut evidence).unwrap_err();
        assert!(reason(r#"{"subject":"a","payload":"x"}"#).contains("has no time"));
        assert!(reason(r#"{"t":1,"subject":"a","payload_base64":"%"}"#).contains("not base64"));
        assert!(acknowledged(br#"{"t":1,"ack":"x","verb":""}"#).unwrap_err().contains("no acknowledgement subject"));
    }
}

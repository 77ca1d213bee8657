//! From what a broker or sender delivered to a message with identity, context and business keys.

use std::collections::BTreeSet;

use flowglass_model::{ContextFormat, Message, MessageContext, Nanos};
use serde_json::Value as Json;

use super::context::{b3, datadog_context, ids, jaeger_context, traceparent};
use super::event::{Event, is_event, structured};
use crate::normalise::{self, Options, PayloadPolicy};
use crate::redact;

/// Bytes of a payload that are kept; its size is recorded in full.
pub const MAX_PAYLOAD: usize = 1024 * 1024;
/// Business keys longer than this are no keys, bytes.
const MAX_KEY: usize = 256;
/// Business keys kept per message.
const MAX_KEYS: usize = 64;

/// A message as it came in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Draft {
    /// Broker technology (`nats`, `kafka`, `http`).
    pub system: String,
    /// Subject, topic or event type.
    pub destination: String,
    /// When it was published.
    pub time: Nanos,
    /// Stream or partition.
    pub stream: Option<String>,
    /// Sequence or offset.
    pub sequence: Option<u64>,
    /// The broker's message key.
    pub key: Option<String>,
    /// Reply subject.
    pub reply: Option<String>,
    /// Headers in the order received.
    pub headers: Vec<(String, String)>,
    /// Payload.
    pub payload: Vec<u8>,
    /// Media type, when known other than by a header.
    pub content_type: Option<String>,
    /// The event, when it has been taken apart already.
    pub event: Option<Event>,
}

impl Draft {
    /// The same message with an event that was read elsewhere: its data becomes the payload.
    pub fn with_event(mut self, mut event: Event) -> Draft {
        self.payload = event.data.take().unwrap_or_default();
        self.event = Some(event);
        self
    }
}

/// Makes the message: finds a CloudEvent (binary `ce-` headers, Kafka's `ce_`, or a structured payload, by content type or by
/// its members), trace context, ids and business keys; then replaces credentials and applies the payload policy.
pub fn build(mut draft: Draft, options: &Options) -> Message {
    let payload_size = draft.payload.len() as u64;
    let event = take_event(&mut draft);
    let (ce, from_headers) = match event {
        Some(event) => (event, false),
        None => (binary_attributes(&draft.headers), true),
    };
    let header = |name: &str| first(&draft.headers, name);
    let ce_text = |name: &str| ce.get(name).filter(|v| !v.is_empty()).map(str::to_owned);

    let (hop, hop_format) = hop(&draft.headers).unzip();
    let origin = ce.get("traceparent").and_then(traceparent);
    let correlation_id = ce_text("correlationid").or_else(|| {
        ["x-correlation-id", "correlation-id", "correlationid", "x-request-id", "request-id"]
            .into_iter()
            .find_map(|n| header(n).map(str::to_owned))
    });
    let causation_id = ce_text("causationid")
        .or_else(|| ["x-causation-id", "causation-id"].into_iter().find_map(|n| header(n).map(str::to_owned)));
    let event_id = ce_text("id").or_else(|| header("nats-msg-id").map(str::to_owned));
    let content_type = ce_text("datacontenttype")
        .or(draft.content_type)
        .or_else(|| header("content-type").map(str::to_owned))
        .filter(|t| !t.to_ascii_lowercase().starts_with("application/cloudevents"));
    let key = ce_text("subject").or(draft.key);
    let (source, event_type) = (ce_text("source"), ce_text("type"));

    if !from_headers {
        for (name, value) in ce.attributes {
            let name = format!("ce-{name}");
            if first(&draft.headers, &name).is_none() {
                draft.headers.push((name, value));
            }
        }
    }
    let keys = business_keys(&draft.headers, &draft.payload, options);
    let mut redacted = redact::redact_headers(&mut draft.headers);
    let mut payload = draft.payload;
    payload.truncate(MAX_PAYLOAD);
    match options.payloads {
        PayloadPolicy::Keep => redacted += redact::redact_payload(&mut payload),
        PayloadPolicy::HeadersAndKeys => payload = Vec::new(),
    }
    Message {
        system: draft.system,
        destination: draft.destination,
        time: draft.time,
        stream: draft.stream,
        sequence: draft.sequence,
        event_id,
        source,
        event_type,
        key,
        hop,
        hop_format: hop_format.unwrap_or_default(),
        origin,
        correlation_id,
        causation_id,
        reply: draft.reply,
        headers: draft.headers,
        payload,
        payload_size,
        content_type,
        keys,
        redacted,
    }
}

/// The event a payload holds, if it does; its data takes the payload's place.
fn take_event(draft: &mut Draft) -> Option<Event> {
    if let Some(event) = draft.event.take() {
        return Some(event);
    }
    let declared = first(&draft.headers, "content-type")
        .is_some_and(|t| t.trim().to_ascii_lowercase().starts_with("application/cloudevents"));
    if !declared && !is_event(&draft.payload) {
        return None;
    }
    let mut event = structured(&draft.payload).ok()?;
    draft.payload = event.data.take().unwrap_or_default();
    Some(event)
}

/// Attributes in `ce-` headers (HTTP, NATS) or `ce_` headers (Kafka), percent-decoded.
fn binary_attributes(headers: &[(String, String)]) -> Event {
    let attributes = headers
        .iter()
        .filter_map(|(k, v)| {
            let name = k.to_ascii_lowercase();
            let name = name.strip_prefix("ce-").or_else(|| name.strip_prefix("ce_"))?;
            Some((name.to_owned(), percent_decode(v)))
        })
        .collect();
    Event { attributes, data: None }
}

fn first<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(k, v)| k.eq_ignore_ascii_case(name) && !v.is_empty()).map(|(_, v)| v.as_str())
}

/// The context of the last hop and its format: the first valid `traceparent`, else B3, else Jaeger's own, else Datadog's.
fn hop(headers: &[(String, String)]) -> Option<(MessageContext, ContextFormat)> {
    let all =
        |name: &'static str| headers.iter().filter(move |(k, _)| k.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str());
    let of = |format| move |context| (context, format);
    let split = || ids(first(headers, "x-b3-traceid")?, first(headers, "x-b3-spanid")?);
    let datadog = || {
        let (trace, parent) = (first(headers, "x-datadog-trace-id")?, first(headers, "x-datadog-parent-id")?);
        datadog_context(trace, parent, first(headers, "x-datadog-tags").unwrap_or_default())
    };
    all("traceparent")
        .find_map(traceparent)
        .map(of(ContextFormat::W3c))
        .or_else(|| all("b3").find_map(b3).or_else(split).map(of(ContextFormat::B3)))
        .or_else(|| all("uber-trace-id").find_map(jaeger_context).map(of(ContextFormat::Jaeger)))
        .or_else(|| datadog().map(of(ContextFormat::Datadog)))
}

/// Business keys of headers, of baggage, of the first two levels of a JSON payload and, for configured names, of any path in
/// it; sorted; looked for before redaction, in names that are no credentials.
fn business_keys(headers: &[(String, String)], payload: &[u8], options: &Options) -> Vec<(String, String)> {
    let mut found = BTreeSet::new();
    for (name, value) in headers {
        if name.eq_ignore_ascii_case("baggage") {
            normalise::baggage(value).for_each(|(n, v)| add_key(&mut found, n, &v, options));
            continue;
        }
        add_key(&mut found, name.strip_prefix("ce-").unwrap_or(name), value, options);
    }
    let is_object = payload.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'{');
    if is_object && let Ok(Json::Object(members)) = serde_json::from_slice::<Json>(payload) {
        for (name, value) in &members {
            match value {
                Json::Object(inner) => inner.iter().for_each(|(n, v)| add_json(&mut found, n, v, options)),
                other => add_json(&mut found, name, other, options),
            }
        }
    }
    if !options.business_keys.is_empty() {
        normalise::fields(payload, &mut |path, value| {
            let field = path.rsplit('.').next().unwrap_or(path);
            if found.len() >= MAX_KEYS || value.is_empty() || value.len() > MAX_KEY || redact::is_credential(field) {
                return;
            }
            if let Some(key) = options.business_keys.find_field(path) {
                found.insert((key, value));
            }
        });
    }
    found.into_iter().take(MAX_KEYS).collect()
}

fn add_json(found: &mut BTreeSet<(String, String)>, name: &str, value: &Json, options: &Options) {
    match value {
        Json::String(text) => add_key(found, name, text, options),
        Json::Number(number) => add_key(found, name, &number.to_string(), options),
        _ => {}
    }
}

fn add_key(found: &mut BTreeSet<(String, String)>, name: &str, value: &str, options: &Options) {
    if value.is_empty() || value.len() > MAX_KEY || redact::is_credential(name) {
        return;
    }
    if let Some(key) = options.business_key(name) {
        found.insert((key.into_owned(), value.to_owned()));
    }
}

/// Percent-decoding of header values (http-protocol-binding.md, section 3.1.3.2); what is no valid UTF-8 afterwards stays as
/// it was.
pub(crate) fn percent_decode(value: &str) -> String {
    if !value.contains('%') {
        return value.to_owned();
    }
    let bytes = value.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let digit = |i: usize| bytes.get(i).and_then(|b| (*b as char).to_digit(16));
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(hi), Some(lo)) => {
                out.push((hi * 16 + lo) as u8);
                at += 3;
            }
            (b, ..) => {
                out.push(b);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nats(headers: &[(&str, &str)], payload: &[u8]) -> Draft {
        Draft {
            system: "nats".into(),
            destination: "orders.placed".into(),
            time: 5,
            headers: headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            payload: payload.to_vec(),
            ..Draft::default()
        }
    }

    #[test]
    fn binary_headers_are_decoded_and_kept() {
        let options = Options::named("t");
        let m = build(
            nats(
                &[
                    ("ce-id", "a%20b"),
                    ("CE-Source", "/erp"),
                    ("ce-type", "t"),
                    ("ce-specversion", "1.0"),
                    ("ce-correlationid", "c-1"),
                    ("ce-causationid", "e-0"),
                    ("X-Request-Id", "r-1"),
                    ("Nats-Msg-Id", "n-1"),
                    ("Authorization", "Bearer x"),
                ],
                br#"{"orderId":"o-1","customer":{"customerId":7},"password":"p"}"#,
            ),
            &options,
        );
        assert_eq!((m.event_id.as_deref(), m.source.as_deref()), (Some("a b"), Some("/erp")));
        assert_eq!((m.correlation_id.as_deref(), m.causation_id.as_deref()), (Some("c-1"), Some("e-0")));
        assert_eq!(m.redacted, 2);
        assert!(!String::from_utf8_lossy(&m.payload).contains("\"p\""));
        assert!(m.keys.iter().any(|(_, v)| v == "o-1") && m.keys.iter().any(|(_, v)| v == "7"), "{:?}", m.keys);
        assert!(m.headers.iter().any(|(k, v)| k == "ce-id" && v == "a%20b"), "headers stay as received");
    }

    #[test]
    fn structured_payloads_are_found_without_a_content_type() {
        let options = Options::named("t");
        let body = br#"{"specversion":"1.0","id":"9","source":"/crm","type":"u","data":{"email":"x"}}"#;
        for headers in [&[][..], &[("content-type", "application/cloudevents+json")][..]] {
            let m = build(nats(headers, body), &options);
            assert_eq!((m.event_id.as_deref(), m.payload.as_slice()), (Some("9"), &br#"{"email":"x"}"#[..]));
            assert_eq!((m.payload_size, m.content_type), (body.len() as u64, None));
        }
        let broken = build(nats(&[("content-type", "application/cloudevents+json")], b"{"), &options);
        assert_eq!((broken.event_id, broken.payload), (None, b"{".to_vec()));
    }

    #[test]
    fn context_and_identity_fall_back() {
        let options = Options::named("t");
        let zero = "00-00000000000000000000000000000000-b7ad6b7169203331-01";
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let m = build(nats(&[("traceparent", zero), ("TraceParent", good), ("Nats-Msg-Id", "m")], b""), &options);
        assert_eq!(
            (m.hop.map(|h| h.span_id.to_string()), m.event_id.as_deref()),
            (Some("b7ad6b7169203331".into()), Some("m"))
        );
        let m = build(nats(&[("uber-trace-id", "1:2:0:1")], b""), &options);
        assert_eq!(m.hop.unwrap().trace_id.to_string(), "00000000000000000000000000000001");
        assert_eq!(build(nats(&[("traceparent", zero)], b""), &options).hop, None);
    }

    #[test]
    fn names_of_ones_own_are_found_at_any_path_and_in_baggage() {
        let business_keys = normalise::KeyNames::new(["lot", "parcel.code", "lines.sku", "tenant"]);
        let options = Options { business_keys, ..Options::named("t") };
        let body = br#"{"lot":"L-1","shipment":{"parcel":{"code":"P-1","deep":{"lot":"L-2"}}},"lines":[{"sku":"S-1"},{"sku":2}],
            "code":"no","parcel":{"password":"x"}}"#;
        let m = build(nats(&[("Baggage", "tenant=acme%20x,user=u")], body), &options);
        let keys: Vec<_> = m.keys.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(keys, ["lines.sku=2", "lines.sku=S-1", "lot=L-1", "lot=L-2", "parcel.code=P-1", "tenant=acme x"]);
    }

    #[test]
    fn payloads_can_be_left_out_or_cut() {
        let options = Options { payloads: PayloadPolicy::HeadersAndKeys, ..Options::named("t") };
        let m = build(nats(&[], br#"{"orderId":"o-1"}"#), &options);
        assert_eq!((m.payload.len(), m.payload_size, m.keys.len()), (0, 17, 1));
        let m = build(nats(&[], &vec![b'x'; MAX_PAYLOAD + 9]), &Options::named("t"));
        assert_eq!((m.payload.len(), m.payload_size), (MAX_PAYLOAD, MAX_PAYLOAD as u64 + 9));
    }
}

//! Records of our own in exported files: what OTLP has no place for (publications, deliveries, acknowledgements, notices), beside
//! the spans as members of `flowglassRecords`. Readers of OTLP/JSON ignore members they do not know (OTLP specification, JSON
//! Protobuf Encoding).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flowglass_model::{Advisory, Batch, Delivery, Message, Settlement};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::cloudevents::MAX_PAYLOAD;
use crate::normalise::{Options, PayloadPolicy};
use crate::redact;

/// Member of a document that holds records.
pub(super) const RECORDS: &str = "flowglassRecords";
/// Member that makes an object a record.
pub(super) const RECORD: &str = "flowglassRecord";

#[derive(Serialize, Deserialize)]
struct Wrapped {
    #[serde(rename = "flowglassRecord")]
    record: Record,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Record {
    Message(Box<MessageRecord>),
    Delivery(Delivery),
    Settlement(Settlement),
    Advisory(Advisory),
}

/// A publication whose payload stands beside it, as text where it is text.
#[derive(Serialize, Deserialize)]
struct MessageRecord {
    message: Message,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

/// Publications, deliveries, acknowledgements and notices of a batch as JSON, one object each, which importing understands.
pub fn records(batch: &Batch) -> Vec<Json> {
    let messages = batch.messages.iter().map(|m| {
        let (text, base64) = match std::str::from_utf8(&m.payload) {
            Ok(text) => (Some(text.to_owned()).filter(|t| !t.is_empty()), None),
            Err(_) => (None, Some(BASE64_STANDARD.encode(&m.payload))),
        };
        let message = Message { payload: Vec::new(), ..m.clone() };
        Record::Message(Box::new(MessageRecord { message, text, base64 }))
    });
    messages
        .chain(batch.deliveries.iter().cloned().map(Record::Delivery))
        .chain(batch.settlements.iter().cloned().map(Record::Settlement))
        .chain(batch.advisories.iter().cloned().map(Record::Advisory))
        // Plain data with text keys always has a JSON form.
        .map(|record| serde_json::to_value(Wrapped { record }).unwrap_or_default())
        .collect()
}

/// What a record holds; credentials in it are replaced as at every door.
pub(super) fn record(json: &[u8], options: &Options) -> Result<Batch, String> {
    let wrapped: Wrapped = serde_json::from_slice(json).map_err(|e| format!("the record cannot be read: {e}"))?;
    let mut out = Batch::default();
    match wrapped.record {
        Record::Message(record) => out.messages.push(message(*record, options)?),
        Record::Delivery(delivery) => out.deliveries.push(delivery),
        Record::Settlement(settlement) => out.settlements.push(settlement),
        Record::Advisory(advisory) => out.advisories.push(advisory),
    }
    Ok(out)
}

fn message(record: MessageRecord, options: &Options) -> Result<Message, String> {
    let mut message = record.message;
    message.payload = match (record.text, record.base64) {
        (_, Some(encoded)) => BASE64_STANDARD.decode(encoded).map_err(|e| format!("the payload is not base64: {e}"))?,
        (text, None) => text.unwrap_or_default().into_bytes(),
    };
    message.payload.truncate(MAX_PAYLOAD);
    message.redacted += redact::redact_headers(&mut message.headers);
    match options.payloads {
        PayloadPolicy::Keep => message.redacted += redact::redact_payload(&mut message.payload),
        PayloadPolicy::HeadersAndKeys => message.payload = Vec::new(),
    }
    Ok(message)
}

//! AsyncAPI 3.0: channels, and who sends and receives on them.

use std::collections::BTreeMap;

use flowglass_model::{EventOperation, EventSkeleton, SkeletonChannel, SkeletonMessage};
use serde_json::{Map, Value, json};

use super::{info, keyed, optional, parameters};

/// The document. An operation is for all messages of its channel.
pub fn asyncapi(skeleton: &EventSkeleton) -> Value {
    let keys = keyed(skeleton.channels.iter().map(|c| c.name.as_str()));
    let channels: Map<String, Value> =
        skeleton.channels.iter().filter_map(|c| Some(keys.get(c.name.as_str())?).map(|key| channel(key, c))).collect();
    let names: Vec<String> = skeleton.operations.iter().map(|o| operation_name(o, &keys)).collect();
    let ids = keyed(names.iter().map(String::as_str));
    let operations: Map<String, Value> = (names.iter().zip(&skeleton.operations))
        .filter_map(|(name, o)| Some((ids.get(name.as_str())?.clone(), operation(o, &keys)?)))
        .collect();
    let mut out = Map::from_iter([("asyncapi".to_owned(), json!("3.0.0")), ("info".to_owned(), info(&skeleton.info))]);
    optional(&mut out, "defaultContentType", skeleton.content_type.as_deref());
    out.insert("channels".into(), Value::Object(channels));
    if !operations.is_empty() {
        out.insert("operations".into(), Value::Object(operations));
    }
    Value::Object(out)
}

/// `orders.send.placed`; without a name before it in a document of one participant.
fn operation_name(o: &EventOperation, keys: &BTreeMap<&str, String>) -> String {
    let action = if o.sends { "send" } else { "receive" };
    let channel = keys.get(o.channel.as_str()).map_or(o.channel.as_str(), String::as_str);
    if o.of.is_empty() { format!("{action}.{channel}") } else { format!("{}.{action}.{channel}", o.of) }
}

fn operation(o: &EventOperation, keys: &BTreeMap<&str, String>) -> Option<Value> {
    let link = |name: &str| keys.get(name).map(|key| json!({ "$ref": format!("#/channels/{key}") }));
    let mut out = Map::from_iter([
        ("action".to_owned(), json!(if o.sends { "send" } else { "receive" })),
        ("channel".to_owned(), link(&o.channel)?),
    ]);
    optional(&mut out, "summary", o.summary.as_deref());
    optional(&mut out, "description", o.description.as_deref());
    if let Some(tag) = &o.tag {
        out.insert("tags".into(), json!([{ "name": tag }]));
    }
    if let Some(channel) = o.reply.as_deref().and_then(link) {
        let address = json!({ "location": "$message.header#/replyTo" });
        out.insert("reply".into(), json!({ "address": address, "channel": channel }));
    }
    Some(Value::Object(out))
}

fn channel(key: &str, channel: &SkeletonChannel) -> (String, Value) {
    let mut out = Map::from_iter([("address".to_owned(), json!(channel.address))]);
    optional(&mut out, "description", channel.description.as_deref());
    let parameters: Map<String, Value> = channel
        .address
        .iter()
        .flat_map(|address| parameters(address))
        .map(|name| (name.to_owned(), json!({})))
        .collect();
    if !parameters.is_empty() {
        out.insert("parameters".into(), Value::Object(parameters));
    }
    let keys = keyed(channel.messages.iter().map(|m| m.name.as_str()));
    let messages: Map<String, Value> = channel
        .messages
        .iter()
        .filter_map(|m| {
            let own = keys.get(m.name.as_str())?;
            Some((own.clone(), message(m, &format!("#/channels/{key}/messages/{own}"))))
        })
        .collect();
    if !messages.is_empty() {
        out.insert("messages".into(), Value::Object(messages));
    }
    out.extend(channel.own.clone());
    (key.to_owned(), Value::Object(out))
}

fn message(message: &SkeletonMessage, place: &str) -> Value {
    let mut out = Map::from_iter([("name".to_owned(), json!(message.name))]);
    optional(&mut out, "summary", message.summary.as_deref());
    optional(&mut out, "contentType", message.content_type.as_deref());
    for (part, schema) in [("headers", &message.headers), ("payload", &message.payload)] {
        out.extend(schema.as_ref().map(|s| (part.to_owned(), rooted(s, &format!("{place}/{part}")))));
    }
    Value::Object(out)
}

/// A schema that stands inside of a document: what it refers to is found from the document's root.
fn rooted(value: &Value, base: &str) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(key, value)| match (key.as_str(), value.as_str().and_then(|v| v.strip_prefix('#'))) {
                    ("$ref", Some(inside)) => (key.clone(), json!(format!("{base}{inside}"))),
                    _ => (key.clone(), rooted(value, base)),
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(|item| rooted(item, base)).collect()),
        other => other.clone(),
    }
}

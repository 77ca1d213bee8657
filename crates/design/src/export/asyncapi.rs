//! AsyncAPI 3.0: what a participant publishes and consumes.

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::{Design, DesignedChannel, DesignedParticipant};
use serde_json::{Map, Value, json};

use super::{info, key};

pub(super) fn has(p: &DesignedParticipant) -> bool {
    !p.publishes.is_empty() || !p.consumes.is_empty()
}

/// Keys of addresses within one document.
fn keyed<'a>(addresses: impl Iterator<Item = &'a String>) -> BTreeMap<&'a str, String> {
    let mut taken = BTreeSet::new();
    let mut out = BTreeMap::new();
    for address in addresses {
        let base = key(address);
        let mut own = base.clone();
        let mut number = 1;
        while !taken.insert(own.clone()) {
            number += 1;
            own = format!("{base}-{number}");
        }
        out.insert(address.as_str(), own);
    }
    out
}

pub(super) fn document(design: &Design, name: &str, p: &DesignedParticipant) -> Value {
    let addresses: BTreeSet<&String> = p.publishes.iter().chain(&p.consumes).collect();
    let keys = keyed(addresses.into_iter());
    let mut operations = Map::new();
    for (list, action) in [(&p.publishes, "send"), (&p.consumes, "receive")] {
        for address in list {
            let Some(key) = keys.get(address.as_str()) else { continue };
            let channel = json!({ "$ref": format!("#/channels/{key}") });
            operations.insert(format!("{action}.{key}"), json!({ "action": action, "channel": channel }));
        }
    }
    json!({
        "asyncapi": "3.0.0",
        "info": info(name, p),
        "channels": channels(design, &keys),
        "operations": operations,
    })
}

/// Channels that nobody publishes to or consumes.
pub(super) fn unused(design: &Design) -> Option<Value> {
    let used = |address: &&String| {
        design.participants.values().any(|p| p.publishes.contains(*address) || p.consumes.contains(*address))
    };
    let rest: Vec<&String> = design.channels.keys().filter(|a| !used(a)).collect();
    let keys = keyed(rest.iter().copied());
    (!rest.is_empty()).then(|| {
        json!({
            "asyncapi": "3.0.0",
            "info": { "title": "Channels without users", "version": "0.1.0", "x-flowglass": { "only": "channels" } },
            "channels": channels(design, &keys),
        })
    })
}

fn channels(design: &Design, keys: &BTreeMap<&str, String>) -> Map<String, Value> {
    let none = DesignedChannel::default();
    keys.iter()
        .map(|(address, key)| {
            let channel = design.channels.get(*address).unwrap_or(&none);
            (key.clone(), channel_value(key, address, channel, design.channels.contains_key(*address)))
        })
        .collect()
}

fn channel_value(key_of: &str, address: &str, channel: &DesignedChannel, described: bool) -> Value {
    let mut out = Map::from_iter([("address".to_owned(), json!(address))]);
    if let Some(description) = &channel.description {
        out.insert("description".into(), json!(description));
    }
    let parameters = address.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name);
    let parameters: Map<String, Value> = parameters.map(|name| (name.to_owned(), json!({}))).collect();
    if !parameters.is_empty() {
        out.insert("parameters".into(), Value::Object(parameters));
    }
    let mut own = Map::new();
    own.extend(channel.system.as_ref().map(|s| ("system".to_owned(), json!(s))));
    own.extend(channel.owner.as_ref().map(|o| ("owner".to_owned(), json!(o))));
    if !channel.aliases.is_empty() {
        own.insert("aliases".into(), json!(channel.aliases));
    }
    if !described {
        own.insert("described".into(), json!(false));
    }
    if !own.is_empty() {
        out.insert("x-flowglass".into(), Value::Object(own));
    }
    let names = keyed(channel.messages.keys());
    let messages: Map<String, Value> = channel
        .messages
        .iter()
        .map(|(name, message)| {
            let mut out = Map::from_iter([("name".to_owned(), json!(name))]);
            out.extend(message.content_type.as_ref().map(|t| ("contentType".to_owned(), json!(t))));
            out.extend(message.schema.as_ref().map(|s| ("payload".to_owned(), rooted(s, key_of, name, &names))));
            (names.get(name.as_str()).cloned().unwrap_or_else(|| key(name)), Value::Object(out))
        })
        .collect();
    if !messages.is_empty() {
        out.insert("messages".into(), Value::Object(messages));
    }
    Value::Object(out)
}

/// A schema that stands inside of a document: what it refers to is found from the document's root.
fn rooted(schema: &Value, channel: &str, name: &str, names: &BTreeMap<&str, String>) -> Value {
    let message = names.get(name).cloned().unwrap_or_else(|| key(name));
    let base = format!("#/channels/{channel}/messages/{message}/payload");
    moved(schema, &base)
}

fn moved(value: &Value, base: &str) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(key, value)| match (key.as_str(), value.as_str().and_then(|v| v.strip_prefix('#'))) {
                    ("$ref", Some(inside)) => (key.clone(), json!(format!("{base}{inside}"))),
                    _ => (key.clone(), moved(value, base)),
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(|item| moved(item, base)).collect()),
        other => other.clone(),
    }
}

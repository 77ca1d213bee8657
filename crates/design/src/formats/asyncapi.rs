//! AsyncAPI 2 and 3: what one application publishes and consumes. Several documents meet at the addresses of their channels.

use std::collections::BTreeMap;

use flowglass_model::DesignedMessage;
use serde_json::Value;

use super::merge::{Merge, fill};
use super::openapi::{about, name_of};
use super::refs::{Library, Placed};
use super::schema::standing_alone;
use super::{fields, items, text};

/// A document being read.
struct Reading<'a, 'l, 'm> {
    path: &'l str,
    library: &'l Library<'a>,
    merge: &'m mut Merge,
    name: String,
    content_type: Option<&'a str>,
    system: Option<String>,
}

impl<'a, 'l, 'm> Reading<'a, 'l, 'm> {
    fn begin(
        path: &'l str,
        root: &'a Value,
        library: &'l Library<'a>,
        owner: Option<&str>,
        merge: &'m mut Merge,
    ) -> (Self, Placed<'a>) {
        merge.took(path, "AsyncAPI");
        let info = root.get("info").unwrap_or(&Value::Null);
        let name = name_of(path, info, owner);
        // A document of channels only has no participant.
        if info.get("x-flowglass").is_none_or(|own| text(own, "only") != Some("channels")) {
            about(&name, info, merge);
        }
        let top = Placed { path: path.to_owned(), root, value: root, pointer: None };
        let mut systems: Vec<String> = fields(root.get("servers"))
            .filter_map(|(_, server)| library.follow(top.child(server)))
            .filter_map(|server| text(server.value, "protocol").map(system))
            .collect();
        systems.dedup();
        // Servers of several technologies do not say which of them a channel lives on.
        let system = if systems.len() == 1 { systems.pop() } else { None };
        let content_type = text(root, "defaultContentType");
        (Reading { path, library, merge, name, content_type, system }, top)
    }

    fn channel(&mut self, address: &str, channel: &Placed<'a>) {
        let own = channel.value.get("x-flowglass").unwrap_or(&Value::Null);
        if own.get("described") == Some(&Value::Bool(false)) {
            return;
        }
        let system = text(own, "system").map(str::to_owned).or(self.system.clone());
        let description = text(channel.value, "description").map(str::to_owned);
        let into = self.merge.channel(address);
        fill(&mut into.system, system, false);
        fill(&mut into.description, description, false);
        fill(&mut into.owner, text(own, "owner").map(str::to_owned), false);
        into.aliases.extend(items(own.get("aliases")).filter_map(Value::as_str).map(str::to_owned));
    }

    fn uses(&mut self, address: String, sends: bool) {
        let service = self.merge.service(&self.name);
        let list = if sends { &mut service.publishes } else { &mut service.consumes };
        list.insert(address);
    }

    fn message(&mut self, address: &str, key: &str, message: Placed<'a>) {
        let Some(message) = self.library.follow(message) else {
            self.merge
                .note(self.path, format!("the message `{key}` of {address} stands in a file that is not at hand"));
            return;
        };
        let name = text(message.value, "name").unwrap_or(key).to_owned();
        let content_type = text(message.value, "contentType").or(self.content_type).map(str::to_owned);
        let payload = message.get("payload").map(|payload| match payload.value.get("schema") {
            // A payload with a format of its own (AsyncAPI 3).
            Some(schema) if payload.value.get("schemaFormat").is_some() => {
                (payload.child(schema), text(payload.value, "schemaFormat"))
            }
            _ => {
                let format = text(message.value, "schemaFormat");
                (payload, format)
            }
        });
        let schema = match payload {
            None => None,
            Some((_, Some(format))) if !is_json_schema(format) => {
                self.merge
                    .note(self.path, format!("the payload of `{name}` is described in {format}, which is not checked"));
                None
            }
            Some((payload, _)) => {
                let (schema, missing) = standing_alone(payload, self.library);
                if missing > 0 {
                    let what = format!("{missing} schemas of `{name}` are not at hand; any value passes for them");
                    self.merge.note(self.path, what);
                }
                Some(schema)
            }
        };
        self.merge.channel(address).messages.insert(name, DesignedMessage { content_type, schema });
    }
}

fn is_json_schema(format: &str) -> bool {
    ["application/schema+", "application/vnd.aai.asyncapi", "application/vnd.oai.openapi"]
        .iter()
        .any(|f| format.starts_with(f))
}

/// What semantic conventions call a protocol.
fn system(protocol: &str) -> String {
    match protocol.to_ascii_lowercase().trim_end_matches("-secure") {
        "amqp" | "amqps" | "amqp1" => "rabbitmq".into(),
        "mqtts" | "secure-mqtt" | "mqtt5" => "mqtt".into(),
        "googlepubsub" => "gcp_pubsub".into(),
        "https" => "http".into(),
        "wss" => "ws".into(),
        other => other.to_owned(),
    }
}

/// In version 2 the words are those of the other side: to what is under `publish` others publish, so the application consumes it.
pub(super) fn read_2<'a>(path: &str, root: &'a Value, library: &Library<'a>, owner: Option<&str>, merge: &mut Merge) {
    let (mut reading, top) = Reading::begin(path, root, library, owner, merge);
    for (address, channel) in fields(root.get("channels")) {
        let Some(channel) = library.follow(top.child(channel)) else { continue };
        reading.channel(address, &channel);
        for (word, publishes) in [("subscribe", true), ("publish", false)] {
            let Some(operation) = channel.get(word).and_then(|o| library.follow(o)) else { continue };
            let name = reading.name.clone();
            let service = reading.merge.service(&name);
            let list = if publishes { &mut service.publishes } else { &mut service.consumes };
            list.insert(address.clone());
            let Some(message) = operation.get("message") else { continue };
            match message.value.get("oneOf").and_then(Value::as_array) {
                Some(several) => {
                    for (number, one) in several.iter().enumerate() {
                        let key = last_of(one).unwrap_or_else(|| format!("{address} {}", number + 1));
                        reading.message(address, &key, message.child(one));
                    }
                }
                None => {
                    let key = last_of(message.value).unwrap_or_else(|| address.clone());
                    reading.message(address, &key, message);
                }
            }
        }
    }
}

/// The last part of a reference: what people call what it refers to.
fn last_of(value: &Value) -> Option<String> {
    value.get("$ref")?.as_str()?.rsplit(['/', '#']).find(|part| !part.is_empty()).map(str::to_owned)
}

pub(super) fn read_3<'a>(path: &str, root: &'a Value, library: &Library<'a>, owner: Option<&str>, merge: &mut Merge) {
    let (mut reading, top) = Reading::begin(path, root, library, owner, merge);
    let mut addresses: BTreeMap<*const Value, String> = BTreeMap::new();
    for (key, channel) in fields(root.get("channels")) {
        let Some(channel) = library.follow(top.child(channel)) else {
            reading.merge.note(path, format!("the channel `{key}` stands in a file that is not at hand"));
            continue;
        };
        // Without an address it is that of a request, known only when it comes.
        let Some(address) = text(channel.value, "address").map(str::to_owned) else { continue };
        addresses.insert(std::ptr::from_ref(channel.value), address.clone());
        reading.channel(&address, &channel);
        for (key, message) in fields(channel.value.get("messages")) {
            reading.message(&address, key, channel.child(message));
        }
    }
    let known = |channel: Option<Placed<'a>>| {
        let channel = channel.and_then(|c| library.follow(c))?;
        addresses.get(&std::ptr::from_ref(channel.value)).cloned()
    };
    for (key, operation) in fields(root.get("operations")) {
        let Some(operation) = library.follow(top.child(operation)) else { continue };
        let Some(address) = known(operation.get("channel")) else {
            reading.merge.note(path, format!("the operation `{key}` has no channel with an address; it is left out"));
            continue;
        };
        let sends = match text(operation.value, "action") {
            Some("send") => true,
            Some("receive") => false,
            _ => {
                reading.merge.note(path, format!("the operation `{key}` neither sends nor receives; it is left out"));
                continue;
            }
        };
        reading.uses(address, sends);
        // The answer goes the other way.
        let Some(reply) = operation.get("reply").and_then(|r| library.follow(r)) else { continue };
        match known(reply.get("channel")) {
            Some(address) => reading.uses(address, !sends),
            None => {
                let told = "is told by each request; that channel is left out";
                reading.merge.note(path, format!("where the answer to the operation `{key}` goes {told}"));
            }
        }
    }
}

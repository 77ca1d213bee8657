//! What the interface descriptions of a participant say.

use std::collections::BTreeSet;

use flowglass_model::{
    Answer, ApiOperation, ApiSkeleton, Design, DesignedChannel, DesignedParticipant, EventOperation, EventSkeleton,
    Layer, SkeletonChannel, SkeletonInfo, SkeletonMessage,
};
use serde_json::{Map, Value, json};

use super::own;

/// Methods that a path item has a place for.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Method and path of an operation that OpenAPI can say.
pub(super) fn http(operation: &str) -> Option<(String, &str)> {
    let (method, path) = operation.split_once(' ')?;
    let lower = method.to_ascii_lowercase();
    (METHODS.contains(&lower.as_str()) && path.starts_with('/') && lower.to_ascii_uppercase() == method)
        .then_some((lower, path))
}

pub(super) fn has_api(p: &DesignedParticipant) -> bool {
    p.operations.keys().any(|o| http(o).is_some())
}

pub(super) fn has_events(p: &DesignedParticipant) -> bool {
    !p.publishes.is_empty() || !p.consumes.is_empty()
}

fn info(name: &str, p: &DesignedParticipant) -> SkeletonInfo {
    SkeletonInfo {
        title: name.to_owned(),
        description: p.description.clone(),
        own: Map::from_iter([("x-flowglass".to_owned(), own(name, p))]),
    }
}

/// What a participant offers.
pub(super) fn api(name: &str, p: &DesignedParticipant) -> ApiSkeleton {
    let operations = p.operations.iter().filter_map(|(operation, about)| {
        let (method, path) = http(operation)?;
        Some(ApiOperation {
            method,
            path: path.to_owned(),
            summary: Some(about.clone()).filter(|a| !a.is_empty()),
            answers: vec![Answer::Open],
            // System APIs are never open.
            secured: p.layer == Some(Layer::System),
            ..ApiOperation::default()
        })
    });
    ApiSkeleton {
        info: info(name, p),
        servers: p.servers.iter().cloned().collect(),
        tags: Vec::new(),
        operations: operations.collect(),
    }
}

/// What a participant publishes and consumes.
pub(super) fn events(design: &Design, name: &str, p: &DesignedParticipant) -> EventSkeleton {
    let addresses: BTreeSet<&String> = p.publishes.iter().chain(&p.consumes).collect();
    let operation = |sends: bool| {
        move |address: &String| EventOperation { sends, channel: address.clone(), ..EventOperation::default() }
    };
    EventSkeleton {
        info: info(name, p),
        content_type: None,
        channels: addresses.into_iter().map(|address| channel(design, address)).collect(),
        operations: p.publishes.iter().map(operation(true)).chain(p.consumes.iter().map(operation(false))).collect(),
    }
}

/// Channels that nobody publishes to or consumes.
pub(super) fn unused(design: &Design) -> Option<EventSkeleton> {
    let used = |address: &&String| {
        design.participants.values().any(|p| p.publishes.contains(*address) || p.consumes.contains(*address))
    };
    let channels: Vec<SkeletonChannel> =
        design.channels.keys().filter(|a| !used(a)).map(|a| channel(design, a)).collect();
    (!channels.is_empty()).then(|| EventSkeleton {
        info: SkeletonInfo {
            title: "Channels without users".into(),
            description: None,
            own: Map::from_iter([("x-flowglass".to_owned(), json!({ "only": "channels" }))]),
        },
        channels,
        ..EventSkeleton::default()
    })
}

fn channel(design: &Design, address: &String) -> SkeletonChannel {
    let none = DesignedChannel::default();
    let described = design.channels.get(address);
    let channel = described.unwrap_or(&none);
    let mut own = Map::new();
    own.extend(channel.system.as_ref().map(|s| ("system".to_owned(), json!(s))));
    own.extend(channel.owner.as_ref().map(|o| ("owner".to_owned(), json!(o))));
    if !channel.aliases.is_empty() {
        own.insert("aliases".into(), json!(channel.aliases));
    }
    if described.is_none() {
        own.insert("described".into(), json!(false));
    }
    let own =
        if own.is_empty() { Map::new() } else { Map::from_iter([("x-flowglass".to_owned(), Value::Object(own))]) };
    let messages = channel.messages.iter().map(|(name, message)| SkeletonMessage {
        name: name.clone(),
        content_type: message.content_type.clone(),
        payload: message.schema.clone(),
        ..SkeletonMessage::default()
    });
    SkeletonChannel {
        name: address.clone(),
        address: Some(address.clone()),
        description: channel.description.clone(),
        messages: messages.collect(),
        own,
    }
}

//! A variant's events, ready to be written as AsyncAPI.

use std::collections::BTreeSet;

use flowglass_model::{EventOperation, EventSkeleton, SkeletonChannel, SkeletonMessage};
use serde_json::{Map, Value, json};

use super::info;
use crate::flow;
use crate::model::{Channel, Intent, Scenario, Variant};
use crate::program::participant_of;

const CLOUD_EVENT: &str = "application/cloudevents+json";

/// Each channel has one message; every publishing operation sends it, every consumer group receives it. Payload schemas are open: a
/// scenario knows sizes, not fields.
pub fn events(scenario: &Scenario, variant: &Variant) -> EventSkeleton {
    let design = scenario.design_of(variant);
    let mut out = EventSkeleton {
        info: info(
            scenario,
            &format!(
                "Events of the variant {} of a Flowglass scenario. A skeleton: fill in the payloads.",
                variant.name
            ),
        ),
        content_type: Some(CLOUD_EVENT.into()),
        ..EventSkeleton::default()
    };
    let mut known = BTreeSet::new();
    let mut told = BTreeSet::new();
    for (caller, step) in crate::study::steps(design) {
        let Some(channel) = variant.events.get(&step.id) else { continue };
        if known.insert(channel.clone()) {
            out.channels.push(channel_of(channel, caller, design.channels.get(channel)));
        }
        if told.insert((caller.to_owned(), channel, true)) {
            out.operations.push(EventOperation {
                of: caller.to_owned(),
                sends: true,
                channel: channel.clone(),
                summary: Some(format!("{} publishes what {caller} did", participant_of(caller))),
                tag: Some(participant_of(caller).to_owned()),
                ..EventOperation::default()
            });
        }
        let replies = format!("{channel}.replies");
        let awaited = flow::is_awaited(variant, step);
        if awaited && known.insert(replies.clone()) {
            out.channels.push(SkeletonChannel {
                name: replies.clone(),
                description: Some("The reply address is that of the request.".into()),
                messages: vec![message_of(&format!("reply to {channel}"), &step.operation)],
                ..SkeletonChannel::default()
            });
        }
        // Two steps may bring the same operation over the same channel under conditions of their own.
        let first = told.insert((step.operation.clone(), channel, false));
        out.operations.push(EventOperation {
            of: if first { step.operation.clone() } else { format!("{} {}", step.operation, step.id) },
            sends: false,
            channel: channel.clone(),
            summary: Some(format!("{} does {} ({})", participant_of(&step.operation), step.operation, step.id)),
            description: Some(conditions(step.idempotent, step.order_by_key, step.within, step.intent)),
            tag: Some(participant_of(&step.operation).to_owned()),
            reply: awaited.then_some(replies),
        });
    }
    out
}

fn channel_of(name: &str, caller: &str, spec: Option<&Channel>) -> SkeletonChannel {
    let wait = spec.map_or(30_000, |c| c.ack_wait / 1_000_000);
    let deliveries = match spec.and_then(|c| c.max_deliver) {
        None => "delivered again without a limit".to_owned(),
        Some(n) => format!("delivered {n} times at most, then dead-lettered"),
    };
    SkeletonChannel {
        name: name.to_owned(),
        address: Some(name.to_owned()),
        description: Some(format!("Steps of {caller}. Acknowledged after processing, within {wait} ms; {deliveries}.")),
        messages: vec![message_of(name, caller)],
        own: Map::from_iter([("x-max-message-bytes".to_owned(), json!(spec.map_or(1_000_000, |c| c.max_message)))]),
    }
}

fn message_of(channel: &str, source: &str) -> SkeletonMessage {
    SkeletonMessage {
        name: channel.to_owned(),
        summary: Some(format!("Told by {source}")),
        content_type: Some(CLOUD_EVENT.into()),
        headers: Some(json!({
            "type": "object",
            "properties": {
                "traceparent": { "type": "string", "description": "W3C Trace Context" },
                "ce-id": { "type": "string", "description": "The same for a repeated message: consumers recognise it" },
                "replyTo": { "type": "string" },
            },
        })),
        payload: Some(cloud_event()),
    }
}

/// What every CloudEvent 1.0 holds.
fn cloud_event() -> Value {
    json!({
        "type": "object",
        "required": ["specversion", "id", "source", "type"],
        "properties": {
            "specversion": { "type": "string", "const": "1.0" },
            "id": { "type": "string" },
            "source": { "type": "string" },
            "type": { "type": "string" },
            "subject": { "type": "string", "description": "Key within which order is kept" },
            "time": { "type": "string", "format": "date-time" },
            "data": { "type": "object" },
        },
    })
}

fn conditions(idempotent: Option<bool>, ordered: Option<bool>, within: Option<u64>, intent: Option<Intent>) -> String {
    let mut all = vec![match idempotent {
        Some(true) => "Doing it twice is the same as once.",
        _ => "It must recognise repeated messages.",
    }];
    if ordered == Some(true) {
        all.push("The order within one key is kept.");
    }
    if intent == Some(Intent::Notify) {
        all.push("It only tells.");
    }
    let window = within.map_or(String::new(), |w| format!(" Its effect may be {} ms late.", w / 1_000_000));
    format!("{}{window}", all.join(" "))
}

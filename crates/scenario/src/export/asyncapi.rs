//! AsyncAPI 3.0 of a variant's events: a skeleton to fill in.

use serde_json::{Map, Value, json};

use super::key;
use crate::flow;
use crate::model::{Intent, Scenario, Variant};
use crate::program::participant_of;

/// The document. Each channel has one message; every publishing operation sends it, every consumer group receives it. Payload schemas
/// are open: a scenario knows sizes, not fields.
pub fn asyncapi(scenario: &Scenario, variant: &Variant) -> Value {
    let design = scenario.design_of(variant);
    let mut channels = Map::new();
    let mut operations = Map::new();
    let mut messages = Map::new();
    for (caller, step) in crate::study::steps(design) {
        let Some(channel) = variant.events.get(&step.id) else { continue };
        let id = key(channel);
        let message = format!("{id}.message");
        let spec = design.channels.get(channel);
        channels.entry(id.clone()).or_insert_with(|| {
            let wait = spec.map_or(30_000, |c| c.ack_wait / 1_000_000);
            let deliveries = spec.and_then(|c| c.max_deliver);
            json!({
                "address": channel,
                "description": format!("Steps of {caller}. Acknowledged after processing, within {wait} ms; {}.",
                    deliveries.map_or("delivered again without a limit".to_owned(), |n| format!("delivered {n} times at most, then dead-lettered"))),
                "messages": { message.clone(): { "$ref": format!("#/components/messages/{message}") } },
                "x-max-message-bytes": spec.map_or(1_000_000, |c| c.max_message),
            })
        });
        messages.entry(message.clone()).or_insert_with(|| message_of(channel, caller));
        let link = json!([{ "$ref": format!("#/channels/{id}/messages/{message}") }]);
        let here = json!({ "$ref": format!("#/channels/{id}") });
        operations.entry(format!("{}.send.{id}", key(caller))).or_insert_with(|| {
            json!({
                "action": "send", "channel": here, "messages": link,
                "summary": format!("{} publishes what {caller} did", participant_of(caller)),
                "tags": [{ "name": participant_of(caller) }],
            })
        });
        let mut receive = json!({
            "action": "receive", "channel": here, "messages": link,
            "summary": format!("{} does {} ({})", participant_of(&step.operation), step.operation, step.id),
            "description": conditions(step.idempotent, step.order_by_key, step.within, step.intent),
            "tags": [{ "name": participant_of(&step.operation) }],
        });
        if flow::is_awaited(variant, step)
            && let Value::Object(receive) = &mut receive
        {
            let answers = format!("{id}.replies");
            let answer = format!("{answers}.message");
            channels.entry(answers.clone()).or_insert_with(|| {
                json!({
                    "address": null, "description": "The reply address is that of the request.",
                    "messages": { answer.clone(): { "$ref": format!("#/components/messages/{answer}") } },
                })
            });
            messages
                .entry(answer.clone())
                .or_insert_with(|| message_of(&format!("reply to {channel}"), &step.operation));
            let reply = json!({
                "address": { "location": "$message.header#/replyTo" },
                "channel": { "$ref": format!("#/channels/{answers}") },
                "messages": [{ "$ref": format!("#/channels/{answers}/messages/{answer}") }],
            });
            receive.insert("reply".to_owned(), reply);
        }
        operations.entry(format!("{}.receive.{id}", key(&step.operation))).or_insert(receive);
    }
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": title(scenario), "version": "0.1.0",
            "description": format!("Events of the variant {} of a Flowglass scenario. A skeleton: fill in the payloads.", variant.name),
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": channels,
        "operations": operations,
        "components": { "messages": messages },
    })
}

pub(super) fn title(scenario: &Scenario) -> String {
    if scenario.title.is_empty() { "Scenario".to_owned() } else { scenario.title.clone() }
}

fn message_of(channel: &str, source: &str) -> Value {
    json!({
        "name": channel,
        "title": channel,
        "summary": format!("Told by {source}"),
        "contentType": "application/cloudevents+json",
        "headers": {
            "type": "object",
            "properties": {
                "traceparent": { "type": "string", "description": "W3C Trace Context" },
                "ce-id": { "type": "string", "description": "The same for a repeated message: consumers recognise it" },
                "replyTo": { "type": "string" },
            },
        },
        "payload": {
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

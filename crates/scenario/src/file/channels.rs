//! Channels, with the documented defaults of some brokers.

use std::collections::BTreeMap;

use super::participants::{breakdowns, outages, unlimited_or};
use super::read::Reader;
use super::tree::{Node, Value};
use crate::model::{Acknowledge, Broker, Channel, WhenFull};

const KEYS: [&str; 21] = [
    "publish",
    "deliver",
    "ack_wait",
    "max_deliver",
    "backoff",
    "limit",
    "when_full",
    "ack",
    "dedup",
    "prefetch",
    "ack_loss",
    "ordered",
    "partitions",
    "max_age",
    "batch",
    "max_message",
    "broker",
    "outbox",
    "dual_write",
    "preset",
    "description",
];

/// Figures of a channel that matter and are assumed when nobody gave them.
const ASSUMED: [&str; 4] = ["publish", "deliver", "ack_wait", "max_deliver"];

pub(super) fn channels(r: &mut Reader, node: Option<&Node>) -> BTreeMap<String, Channel> {
    let mut all = BTreeMap::new();
    let Some(node) = node else { return all };
    if !matches!(node.value, Value::Map(_)) {
        r.wrong(node.at, format!("channels must be a map of names, this is {}", node.kind()));
    }
    for field in node.fields() {
        if r.is_full() {
            return all;
        }
        if let Some(channel) = channel(r, &field.node, &field.key) {
            all.insert(field.key.clone(), channel);
        }
    }
    all
}

fn channel(r: &mut Reader, node: &Node, name: &str) -> Option<Channel> {
    r.map(node, "a channel", &KEYS)?;
    let presets = [("jetstream", "jetstream"), ("rabbitmq", "rabbitmq"), ("sqs", "sqs"), ("kafka", "kafka")];
    let mut c = r.maybe(node, "preset", |r, n| r.one_of(n, &presets)).map_or_else(Channel::default, preset);
    for key in ASSUMED {
        if node.get(key).is_none() {
            r.assumed.insert(format!("/channels/{name}/{key}"));
        }
    }
    macro_rules! read {
        ($key:literal, $field:ident, $read:expr) => {
            if let Some(value) = r.maybe(node, $key, $read) {
                c.$field = value;
            }
        };
    }
    read!("publish", publish, Reader::dist);
    read!("deliver", deliver, Reader::dist);
    read!("ack_wait", ack_wait, Reader::duration);
    read!("max_deliver", max_deliver, |r, n| unlimited_or(r, n, 1).map(|v| v.map(|n| n as u32)));
    read!("backoff", backoff, Reader::durations);
    read!("limit", limit, |r, n| unlimited_or(r, n, 1));
    let full = [
        ("refuse", WhenFull::Refuse),
        ("drop_oldest", WhenFull::DropOldest),
        ("dead_letter_oldest", WhenFull::DeadLetterOldest),
        ("block", WhenFull::Block),
    ];
    read!("when_full", when_full, |r, n| r.one_of(n, &full));
    let acks = [("after_processing", Acknowledge::AfterProcessing), ("on_receipt", Acknowledge::OnReceipt)];
    read!("ack", ack, |r, n| r.one_of(n, &acks));
    read!("dedup", dedup, Reader::bool);
    read!("prefetch", prefetch, |r, n| r.whole(n, 1, 1_000_000).map(|v| Some(v as u32)));
    read!("ack_loss", ack_loss, Reader::share);
    read!("max_age", max_age, |r, n| r.duration(n).map(Some));
    read!("batch", batch, |r, n| r.whole(n, 1, 1_000_000).map(|v| v as u32));
    read!("max_message", max_message, Reader::size);
    read!("outbox", outbox, |r, n| r.dist(n).map(Some));
    read!("dual_write", dual_write, Reader::share);
    read!("broker", broker, broker);
    let ordered = r.maybe(node, "ordered", |r, n| r.one_of(n, &[("key", true), ("none", false)]));
    let partitions = r.maybe(node, "partitions", |r, n| r.whole(n, 1, 100_000)).map(|n| n as u32);
    match (ordered, partitions) {
        (Some(true), n) => c.partitions = Some(n.unwrap_or(1)),
        (Some(false), _) => c.partitions = None,
        (None, Some(n)) if c.partitions.is_some() => c.partitions = Some(n),
        (None, Some(_)) => {
            let at = node.get("partitions").map_or(node.at, |n| n.at);
            r.wrong(at, "`partitions` means nothing without `ordered: key`");
        }
        (None, None) => {}
    }
    Some(c)
}

fn broker(r: &mut Reader, node: &Node) -> Option<Broker> {
    r.map(node, "a broker", &["outages", "breakdowns"])?;
    Some(Broker {
        outages: r.maybe(node, "outages", outages).unwrap_or_default(),
        breakdowns: r.maybe(node, "breakdowns", breakdowns),
    })
}

/// What the brokers' own documentation gives as defaults.
fn preset(name: &str) -> Channel {
    let second = 1_000_000_000;
    let base = Channel { max_deliver: None, ..Channel::default() };
    match name {
        // NATS: a consumer waits 30 s for an acknowledgement, has no delivery limit; a full stream discards the oldest.
        "jetstream" => Channel { when_full: WhenFull::DropOldest, ..base },
        // RabbitMQ 4 quorum queues: delivery limit 20, then dropped or dead-lettered; a consumer has 30 minutes; redelivery is at once.
        "rabbitmq" => Channel {
            ack_wait: 1800 * second,
            max_deliver: Some(20),
            when_full: WhenFull::DropOldest,
            max_message: 16 << 20,
            ..base
        },
        // Amazon SQS: visibility time-out 30 s, also after a failure; retention 4 days; 1 MiB.
        "sqs" => {
            Channel { backoff: vec![30 * second], max_age: Some(4 * 86_400 * second), max_message: 1 << 20, ..base }
        }
        // Apache Kafka: one message of a partition after the other; a failure holds its partition up.
        "kafka" => Channel { partitions: Some(1), max_message: 1_048_588, ..base },
        _ => base,
    }
}

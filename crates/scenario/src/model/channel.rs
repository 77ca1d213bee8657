//! Where messages wait.

use super::{Breakdowns, Outage, Time};
use crate::Dist;

/// A channel: every group gets every message, one worker of a group gets it.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// Until the broker has confirmed a publication.
    pub publish: Dist,
    /// From the broker to a group.
    pub deliver: Dist,
    /// Without an acknowledgement for this long, a message is delivered again.
    pub ack_wait: Time,
    /// Deliveries at most; `None` is unlimited.
    pub max_deliver: Option<u32>,
    /// Waits before redeliveries of failed handlings; the last repeats, none is at once.
    pub backoff: Vec<Time>,
    /// Messages waiting for a group at most; `None` is unlimited.
    pub limit: Option<u64>,
    /// What happens beyond.
    pub when_full: WhenFull,
    /// When a message is acknowledged.
    pub ack: Acknowledge,
    /// Repeated messages are recognised and have no second effect.
    pub dedup: bool,
    /// Messages handed to a worker ahead of its work; the acknowledgement clock runs from the hand-over.
    pub prefetch: Option<u32>,
    /// Share of acknowledgements that get lost.
    pub ack_loss: f64,
    /// Partitions within which one message at a time is handled, in order; `None` is unordered.
    pub partitions: Option<u32>,
    /// A message that has waited this long is thrown away.
    pub max_age: Option<Time>,
    /// Messages that a worker takes at once, for one work time.
    pub batch: u32,
    /// Largest message, bytes.
    pub max_message: u64,
    /// Troubles of the broker.
    pub broker: Broker,
    /// Publishers keep what the broker cannot take (for publishers that say nothing themselves).
    pub outbox: Option<Dist>,
    /// Share of messages lost between commit and publication (for publishers that say nothing themselves).
    pub dual_write: f64,
}

impl Default for Channel {
    fn default() -> Self {
        Channel {
            publish: Dist::Constant(1e6),
            deliver: Dist::Constant(1e6),
            ack_wait: 30_000_000_000,
            max_deliver: Some(5),
            backoff: Vec::new(),
            limit: None,
            when_full: WhenFull::Refuse,
            ack: Acknowledge::AfterProcessing,
            dedup: false,
            prefetch: None,
            ack_loss: 0.0,
            partitions: None,
            max_age: None,
            batch: 1,
            max_message: 1_000_000,
            broker: Broker::default(),
            outbox: None,
            dual_write: 0.0,
        }
    }
}

/// Troubles of a channel's broker.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Broker {
    /// Planned.
    pub outages: Vec<Outage>,
    /// Random.
    pub breakdowns: Option<Breakdowns>,
}

/// What a full channel does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// Refuses the publication.
    Refuse,
    /// Throws the oldest message away.
    DropOldest,
    /// Dead-letters the oldest message.
    DeadLetterOldest,
    /// Lets the publisher wait.
    Block,
}

/// When a message is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledge {
    /// After it was handled: at least once.
    AfterProcessing,
    /// When it is received: at most once.
    OnReceipt,
}

//! What somebody decided the system should be: participants, who calls whom, what is published and consumed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{Layer, NodeKind};

/// A design. Participants and channels are known by their names in it; everything is sorted, so that its text differs only where
/// it differs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Design {
    /// What it is called.
    pub title: String,
    /// Words for people.
    pub description: Option<String>,
    /// Participants by name.
    pub participants: BTreeMap<String, DesignedParticipant>,
    /// Channels by address: a subject, topic or queue, with `{parameters}` or the broker's wildcards.
    pub channels: BTreeMap<String, DesignedChannel>,
    /// Deviations that somebody decided to keep.
    pub kept: Vec<KeptDeviation>,
}

/// A participant of a design.
#[derive(Debug, Clone, PartialEq)]
pub struct DesignedParticipant {
    /// Anything but a topic: those are channels.
    pub kind: NodeKind,
    /// Its layer.
    pub layer: Option<Layer>,
    /// Technology of a backend (`postgresql`).
    pub system: Option<String>,
    /// Business domain.
    pub domain: Option<String>,
    /// Who runs it.
    pub owner: Option<String>,
    /// How bad it is when it fails, in the team's own word.
    pub criticality: Option<String>,
    /// Words for people.
    pub description: Option<String>,
    /// Other names, or node ids, that it is seen under.
    pub aliases: BTreeSet<String>,
    /// Addresses of its API.
    pub servers: BTreeSet<String>,
    /// What it offers (`POST /orders`), with a line about it. Empty: the design says nothing of it.
    pub operations: BTreeMap<String, String>,
    /// Whom it calls, and which operations of theirs; none listed means any.
    pub calls: BTreeMap<String, BTreeSet<String>>,
    /// Channels it publishes to.
    pub publishes: BTreeSet<String>,
    /// Channels it consumes.
    pub consumes: BTreeSet<String>,
    /// Backends it uses.
    pub uses: BTreeSet<String>,
}

impl DesignedParticipant {
    /// One of which nothing is known but what it is.
    pub fn new(kind: NodeKind) -> DesignedParticipant {
        DesignedParticipant {
            kind,
            layer: None,
            system: None,
            domain: None,
            owner: None,
            criticality: None,
            description: None,
            aliases: BTreeSet::new(),
            servers: BTreeSet::new(),
            operations: BTreeMap::new(),
            calls: BTreeMap::new(),
            publishes: BTreeSet::new(),
            consumes: BTreeSet::new(),
            uses: BTreeSet::new(),
        }
    }
}

/// A channel of a design.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DesignedChannel {
    /// Broker technology (`nats`, `kafka`).
    pub system: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Words for people.
    pub description: Option<String>,
    /// Other addresses that it is seen under.
    pub aliases: BTreeSet<String>,
    /// Messages by name.
    pub messages: BTreeMap<String, DesignedMessage>,
}

/// A message of a channel.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DesignedMessage {
    /// Media type of its payload.
    pub content_type: Option<String>,
    /// JSON Schema of its payload; it refers to nothing outside of itself.
    pub schema: Option<Value>,
}

/// A deviation that somebody decided to live with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeptDeviation {
    /// What kind of deviation.
    pub kind: String,
    /// Of what: as the list of deviations writes it.
    pub subject: String,
    /// Why.
    pub reason: String,
}

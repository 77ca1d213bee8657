//! What a skeleton of an interface description says: its calls or its events. A design and a scenario both become one; one exporter
//! writes it.

use serde_json::{Map, Value};

/// What a document says about itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SkeletonInfo {
    /// What it describes.
    pub title: String,
    /// Words for people.
    pub description: Option<String>,
    /// What the formats have no word for, by names that begin with `x-`.
    pub own: Map<String, Value>,
}

/// Channels, and who sends and receives on them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EventSkeleton {
    /// About the document.
    pub info: SkeletonInfo,
    /// Media type of messages that have none of their own.
    pub content_type: Option<String>,
    /// Channels, each name once.
    pub channels: Vec<SkeletonChannel>,
    /// Who does what on which of them.
    pub operations: Vec<EventOperation>,
}

/// A channel of a document.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SkeletonChannel {
    /// By what it is known in the document.
    pub name: String,
    /// Subject, topic or queue, with `{parameters}`; none where each request tells it.
    pub address: Option<String>,
    /// Words for people.
    pub description: Option<String>,
    /// Messages, each name once.
    pub messages: Vec<SkeletonMessage>,
    /// What the formats have no word for, by names that begin with `x-`.
    pub own: Map<String, Value>,
}

/// A message of a channel.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SkeletonMessage {
    /// Its name.
    pub name: String,
    /// Words for people.
    pub summary: Option<String>,
    /// Media type of its payload.
    pub content_type: Option<String>,
    /// JSON Schema of its headers.
    pub headers: Option<Value>,
    /// JSON Schema of its payload; it refers to nothing outside of itself.
    pub payload: Option<Value>,
}

/// Sending or receiving on a channel.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EventOperation {
    /// Whose it is, where a document has operations of several; empty else.
    pub of: String,
    /// Sends, else receives.
    pub sends: bool,
    /// Name of the channel.
    pub channel: String,
    /// A line about it.
    pub summary: Option<String>,
    /// Words for people.
    pub description: Option<String>,
    /// What it is listed under.
    pub tag: Option<String>,
    /// Name of the channel that the answer comes over; its address is that of the request.
    pub reply: Option<String>,
}

/// Operations over HTTP.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ApiSkeleton {
    /// About the document.
    pub info: SkeletonInfo,
    /// Addresses that it is offered at.
    pub servers: Vec<String>,
    /// What operations are listed under.
    pub tags: Vec<String>,
    /// Operations; method and path of each once.
    pub operations: Vec<ApiOperation>,
}

/// An operation over HTTP.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ApiOperation {
    /// Method in lower case.
    pub method: String,
    /// Path, with `{parameters}`.
    pub path: String,
    /// By what it is known in the document.
    pub id: Option<String>,
    /// What it is listed under.
    pub tag: Option<String>,
    /// A line about it.
    pub summary: Option<String>,
    /// Words for people.
    pub description: Option<String>,
    /// A body has to be sent.
    pub body: bool,
    /// How it may be answered.
    pub answers: Vec<Answer>,
    /// Only with a token.
    pub secured: bool,
    /// What the format has no word for, by names that begin with `x-`.
    pub own: Map<String, Value>,
}

/// An answer over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Nothing is known of it.
    Open,
    /// 200, with a body.
    Answered,
    /// 202: the outcome can be asked for later.
    Accepted,
    /// 204: done, and nothing to say.
    Done,
    /// 503: refused, or away.
    Refused,
    /// 504: one below did not answer in time.
    TooLate,
}

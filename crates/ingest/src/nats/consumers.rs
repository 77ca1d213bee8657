//! What the consumers of a stream have still to do, from `CONSUMER.LIST`: a question that leaves no trace.

use serde::{Deserialize, Serialize};

use super::api::{Api, ApiError};

/// Consumers of one stream that are looked at.
const CONSUMERS: usize = 256;

/// A consumer of a stream, as the server tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct NatsConsumer {
    /// Name.
    pub name: String,
    /// Subjects it is limited to; empty is all of the stream.
    pub subjects: Vec<String>,
    /// Messages of the stream that were not delivered to it yet.
    pub pending: u64,
    /// Messages delivered and not acknowledged yet.
    pub unacknowledged: u64,
    /// Of these, how many were delivered more than once.
    pub redelivered: u64,
    /// Requests for messages that wait (pull consumers); 0 with pending messages means that nobody reads.
    pub waiting: u64,
    /// Sequence in the stream of the last delivery.
    pub delivered: u64,
    /// Sequence in the stream up to which everything is acknowledged.
    pub acknowledged: u64,
    /// Deliveries of one message at most; -1 is no limit.
    pub max_deliver: i64,
    /// Whether the server pushes to a subject (else the consumer pulls).
    pub push: bool,
}

#[derive(Deserialize)]
struct ListResponse {
    error: Option<ErrorBody>,
    #[serde(default)]
    total: usize,
    #[serde(default)]
    consumers: Option<Vec<Info>>,
}

#[derive(Deserialize)]
struct ErrorBody {
    code: u16,
    #[serde(default)]
    description: String,
}

#[derive(Deserialize)]
struct Info {
    name: String,
    config: Config,
    #[serde(default)]
    delivered: Position,
    #[serde(default)]
    ack_floor: Position,
    #[serde(default)]
    num_ack_pending: u64,
    #[serde(default)]
    num_redelivered: u64,
    #[serde(default)]
    num_waiting: u64,
    #[serde(default)]
    num_pending: u64,
}

#[derive(Deserialize, Default)]
struct Config {
    #[serde(default)]
    filter_subject: String,
    #[serde(default)]
    filter_subjects: Option<Vec<String>>,
    #[serde(default)]
    max_deliver: i64,
    #[serde(default)]
    deliver_subject: String,
}

#[derive(Deserialize, Default)]
struct Position {
    #[serde(default)]
    stream_seq: u64,
}

/// Consumers of a stream, sorted by name.
pub(super) async fn consumers(api: &Api, stream: &str) -> Result<Vec<NatsConsumer>, ApiError> {
    let mut all = Vec::new();
    loop {
        let body = serde_json::json!({ "offset": all.len() });
        let answer = api.ask(&format!("CONSUMER.LIST.{stream}"), &body).await?;
        let page: ListResponse = serde_json::from_slice(&answer.payload)
            .map_err(|e| ApiError::Failed(format!("the list of consumers cannot be read: {e}")))?;
        if let Some(error) = page.error {
            let words = format!("the consumers of {stream} cannot be listed: {} ({})", error.description, error.code);
            return Err(ApiError::Failed(words));
        }
        let consumers = page.consumers.unwrap_or_default();
        let last = consumers.is_empty();
        all.extend(consumers.into_iter().map(facts));
        if last || all.len() >= page.total.min(CONSUMERS) {
            break;
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

fn facts(info: Info) -> NatsConsumer {
    let mut subjects = info.config.filter_subjects.unwrap_or_default();
    subjects.extend(Some(info.config.filter_subject).filter(|s| !s.is_empty()));
    NatsConsumer {
        name: info.name,
        subjects,
        pending: info.num_pending,
        unacknowledged: info.num_ack_pending,
        redelivered: info.num_redelivered,
        waiting: info.num_waiting,
        delivered: info.delivered.stream_seq,
        acknowledged: info.ack_floor.stream_seq,
        max_deliver: info.config.max_deliver,
        push: !info.config.deliver_subject.is_empty(),
    }
}

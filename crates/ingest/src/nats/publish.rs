//! Publishing again what somebody decided to: the only thing here that changes a broker. It is refused for a connection that is
//! read-only, which every connection is until its owner says otherwise.

use std::time::Duration;

use async_nats::HeaderMap;
use serde::Deserialize;

use super::api::Api;
use super::connect::connect;
use super::history;
use super::status::NatsStream;
use super::subject::matches;
use super::{NatsConfig, is_subject};
use crate::secrets::Secrets;

/// Messages published in one go at most.
pub const PUBLISH_MAX: usize = 1_000;
/// How long a stream may take to say that it stored a message.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long it may take until a refusal that has arrived is told.
const TOLD_WITHIN: Duration = Duration::from_millis(200);

/// A message to be published.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outgoing {
    /// Subject.
    pub subject: String,
    /// Headers, in order.
    pub headers: Vec<(String, String)>,
    /// Payload.
    pub payload: Vec<u8>,
}

/// What became of a published message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// A stream stored it.
    Stored {
        /// The stream.
        stream: String,
        /// Its sequence there.
        sequence: u64,
        /// Whether the stream had it already (same `Nats-Msg-Id` within its window) and stored nothing.
        duplicate: bool,
    },
    /// It went out; no stream takes this subject, so nobody can say who received it.
    Sent,
}

/// A connection for publishing, of its own: nothing is subscribed.
pub struct Publisher {
    api: Api,
    streams: Vec<NatsStream>,
    read_only: bool,
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publisher").field("streams", &self.streams.len()).field("read_only", &self.read_only).finish()
    }
}

#[derive(Deserialize)]
struct Answer {
    error: Option<ErrorBody>,
    stream: Option<String>,
    #[serde(default)]
    seq: u64,
    #[serde(default)]
    duplicate: bool,
}

#[derive(Deserialize)]
struct ErrorBody {
    #[serde(default)]
    description: String,
}

impl Publisher {
    /// Connects; an error in words.
    pub async fn connect(config: &NatsConfig, secrets: &Secrets) -> Result<Publisher, String> {
        config.check().map_err(|e| e.to_string())?;
        let connected = connect(config, secrets).await?;
        let api = Api::new(connected.client, config.domain.clone(), connected.refused);
        // A server without JetStream has no streams; then everything is merely sent.
        let streams = history::streams(&api, &[]).await.unwrap_or_default();
        Ok(Publisher { api, streams, read_only: config.read_only })
    }

    /// The stream that takes a subject; `None` when none does.
    pub fn stream_of(&self, subject: &str) -> Option<&str> {
        let takes = |s: &&NatsStream| !s.mirror && s.subjects.iter().any(|pattern| matches(pattern, subject));
        self.streams.iter().find(takes).map(|s| s.name.as_str())
    }

    /// A message as its stream keeps it, unchanged; `None` when it is not there any more. An error in words.
    pub async fn stored(&self, stream: &str, sequence: u64) -> Result<Option<Outgoing>, String> {
        let Some(stream) = self.streams.iter().find(|s| s.name == stream) else { return Ok(None) };
        let kept = history::get(&self.api, stream, sequence, false).await?;
        Ok(kept.map(|k| Outgoing { subject: k.raw.subject, headers: k.raw.headers, payload: k.raw.payload }))
    }

    /// Publishes one message and waits until it is stored, where a stream takes its subject. An error in words.
    pub async fn publish(&self, message: &Outgoing) -> Result<Published, String> {
        if self.read_only {
            return Err("this connection is read-only; allow publishing for it in Settings, Sources first".to_owned());
        }
        if !is_subject(&message.subject) {
            return Err(format!(
                "“{}” is no subject to publish on: no blanks, no * or >, single dots",
                message.subject
            ));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &message.headers {
            let value: async_nats::HeaderValue =
                value.parse().map_err(|_| format!("the header {name} holds a line break and cannot be sent"))?;
            let name: async_nats::HeaderName = name.parse().map_err(|_| format!("“{name}” is no name of a header"))?;
            headers.append(name, value);
        }
        let (subject, payload) = (message.subject.clone(), message.payload.clone().into());
        let client = self.api.client();
        if self.stream_of(&message.subject).is_none() {
            client.publish_with_headers(subject, headers, payload).await.map_err(|e| e.to_string())?;
            self.api.round_trip().await?;
            // The server has refused it by now, if it does; another task of the client tells so.
            return tokio::select! {
                biased;
                _ = self.api.refused(&message.subject) => Err(not_permitted(message)),
                () = tokio::time::sleep(TOLD_WITHIN) => Ok(Published::Sent),
            };
        }
        let asked = tokio::select! {
            biased;
            _ = self.api.refused(&message.subject) => return Err(not_permitted(message)),
            asked = tokio::time::timeout(PATIENCE, client.request_with_headers(subject, headers, payload)) => asked,
        };
        let answer = asked
            .map_err(|_| "the stream did not confirm in time; look whether it is there before trying again".to_owned())?
            .map_err(|e| e.to_string())?;
        let answer: Answer = serde_json::from_slice(&answer.payload)
            .map_err(|e| format!("what the stream answered cannot be read: {e}"))?;
        match (answer.error, answer.stream) {
            (Some(error), _) => Err(format!("the stream refuses it: {}", error.description)),
            (None, Some(stream)) => Ok(Published::Stored { stream, sequence: answer.seq, duplicate: answer.duplicate }),
            (None, None) => Err("somebody other than a stream answered; the message may not be stored".to_owned()),
        }
    }
}

fn not_permitted(message: &Outgoing) -> String {
    format!("the server does not permit this user to publish to “{}”; nothing was sent", message.subject)
}

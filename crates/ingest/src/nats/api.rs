//! Requests to JetStream's API, under the prefix of a domain. One that the server does not permit fails at once, in words,
//! instead of after a time-out.

use std::time::Duration;

use async_nats::{Client, Message};
use bytes::Bytes;
use futures::StreamExt as _;
use tokio::sync::watch;

/// What all answers to us come under. Our own live subscription need not look at them.
pub(super) const INBOX: &str = "_INBOX.flowglass";
/// Lists streams.
pub(super) const STREAM_LIST: &str = "STREAM.LIST";

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Something the server does not permit this user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Publishing to a subject.
    Publish(String),
    /// Subscribing to a subject.
    Subscribe(String),
}

impl Refusal {
    /// Reads a server's error (`Permissions Violation for Publish to "a.b"`); `None` for any other one.
    pub(super) fn parse(error: &str) -> Option<Refusal> {
        let lower = error.to_ascii_lowercase();
        let subject = error.split('"').nth(1).unwrap_or_default().to_owned();
        if lower.contains("permissions violation for publish") {
            Some(Refusal::Publish(subject))
        } else if lower.contains("permissions violation for subscription") {
            Some(Refusal::Subscribe(subject))
        } else {
            None
        }
    }

    fn is_of_answers(&self) -> bool {
        matches!(self, Refusal::Subscribe(subject) if subject.starts_with(INBOX))
    }

    /// Whether what was sent to ourselves is refused, on its way there or back.
    pub(super) fn is_of_echo(&self) -> bool {
        self.is_of_answers() || matches!(self, Refusal::Publish(subject) if subject.starts_with(INBOX))
    }

    /// What is refused, and what follows from that.
    pub(super) fn words(&self) -> String {
        match self {
            Refusal::Publish(subject) if subject.ends_with(STREAM_LIST) => format!(
                "the server does not permit requests to “{subject}”: streams cannot be listed; those named for this \
                 connection are asked for one by one"
            ),
            Refusal::Publish(subject) => {
                let what = match subject.rsplit_once('.') {
                    Some((head, stream)) if head.ends_with("GET") => format!("the stream {stream} cannot be read"),
                    Some((head, stream)) if head.ends_with("INFO") => format!("the stream {stream} is not known"),
                    _ => "what it answers is missing".to_owned(),
                };
                format!("the server does not permit requests to “{subject}”: {what}")
            }
            refusal @ Refusal::Subscribe(_) if refusal.is_of_answers() => {
                "the server does not permit this user to receive answers (“_INBOX.>”): streams cannot be listed or read"
                    .to_owned()
            }
            Refusal::Subscribe(subject) => {
                let what = match subject.as_str() {
                    "$JS.ACK.>" => "acknowledgements are not seen",
                    "$JS.EVENT.ADVISORY.>" => {
                        "JetStream's notices are not seen, so that a message given up is not told from one that waits"
                    }
                    _ => "what is published there is seen only where streams keep it",
                };
                format!("the server does not permit subscribing to “{subject}”: {what}")
            }
        }
    }
}

/// All that the server refused on one connection. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Refused(watch::Sender<Vec<Refusal>>);

impl Refused {
    pub(super) fn new() -> Refused {
        Refused(watch::Sender::new(Vec::new()))
    }

    pub(super) fn add(&self, refusal: Refusal) {
        self.0.send_modify(|all| all.push(refusal));
    }

    /// Waits until it is known that nothing can be sent to ourselves; for ever when it can.
    async fn of_echo(&self) {
        let mut all = self.0.subscribe();
        // The sender lives as long as `self`: there is no other end.
        let _ = all.wait_for(|all| all.iter().any(Refusal::is_of_echo)).await;
    }

    /// Waits until requests to a subject are known to be refused; for ever when they are not.
    async fn of(&self, subject: &str) -> Refusal {
        let stands = |r: &Refusal| r.is_of_answers() || *r == Refusal::Publish(subject.to_owned());
        let mut all = self.0.subscribe();
        if let Ok(all) = all.wait_for(|all| all.iter().any(stands)).await {
            return all.iter().find(|r| stands(r)).cloned().unwrap_or(Refusal::Publish(subject.to_owned()));
        }
        // The sender lives as long as `self`: this is not reached.
        std::future::pending().await
    }
}

/// Why a request brought nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ApiError {
    /// The server does not permit it.
    #[error("{}", .0.words())]
    Refused(Refusal),
    /// Nobody serves it.
    #[error("JetStream is not enabled for this account{}", .0.as_ref().map(|d| format!(", or there is no domain “{d}”")).unwrap_or_default())]
    NoJetStream(Option<String>),
    /// Anything else, in words.
    #[error("{0}")]
    Failed(String),
}

impl From<ApiError> for String {
    fn from(error: ApiError) -> String {
        error.to_string()
    }
}

/// JetStream's API over one connection. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Api {
    client: Client,
    domain: Option<String>,
    refused: Refused,
}

impl Api {
    /// The API of the server's own JetStream, or of a domain.
    pub(super) fn new(client: Client, domain: Option<String>, refused: Refused) -> Api {
        Api { client, domain, refused }
    }

    /// The connection under it.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// The whole subject of a request.
    pub(super) fn subject(&self, request: &str) -> String {
        match &self.domain {
            None => format!("$JS.API.{request}"),
            Some(domain) => format!("$JS.{domain}.API.{request}"),
        }
    }

    /// Sends a request and waits for its one answer.
    pub(super) async fn ask(&self, request: &str, body: &serde_json::Value) -> Result<Message, ApiError> {
        self.ask_subject(&self.subject(request), body.to_string()).await
    }

    /// The same for a request outside the domain.
    pub(super) async fn ask_subject(&self, subject: &str, body: String) -> Result<Message, ApiError> {
        let answer = tokio::select! {
            biased;
            refusal = self.refused.of(subject) => return Err(ApiError::Refused(refusal)),
            answer = self.client.request(subject.to_owned(), body.into()) => answer,
        };
        answer.map_err(|e| match e.kind() {
            async_nats::RequestErrorKind::NoResponders => ApiError::NoJetStream(self.domain.clone()),
            async_nats::RequestErrorKind::TimedOut => ApiError::Failed(match &self.domain {
                None => format!("no answer to {subject}"),
                Some(domain) => format!("no answer to {subject}; the domain “{domain}” is out of reach"),
            }),
            _ => ApiError::Failed(e.to_string()),
        })
    }

    /// Waits until the server has taken all that was sent before: it handles what comes by one connection in order, and a
    /// flush only hands it to the operating system. Where this user may not send to himself, that has to do.
    pub(super) async fn round_trip(&self) -> Result<(), String> {
        let inbox = self.client.new_inbox();
        let mut echo = self.client.subscribe(inbox.clone()).await.map_err(|e| e.to_string())?;
        self.client.publish(inbox, Bytes::new()).await.map_err(|e| e.to_string())?;
        self.client.flush().await.map_err(|e| e.to_string())?;
        tokio::select! {
            // A refusal is an answer too.
            biased;
            () = self.refused.of_echo() => Ok(()),
            _ = echo.next() => Ok(()),
            () = tokio::time::sleep(PATIENCE) => Err("the server does not answer".to_owned()),
        }
    }

    /// Waits until requests to a subject are known to be refused; for ever when they are not.
    pub(super) async fn refused(&self, subject: &str) -> ApiError {
        ApiError::Refused(self.refused.of(subject).await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_read_and_said_in_words() {
        let publish = Refusal::parse("Permissions Violation for Publish to \"$JS.API.DIRECT.GET.ORDERS\"").unwrap();
        assert_eq!(publish, Refusal::Publish("$JS.API.DIRECT.GET.ORDERS".into()));
        assert!(publish.words().ends_with("the stream ORDERS cannot be read"), "{}", publish.words());
        let queue = Refusal::parse("permissions violation for subscription to \"a.>\" using queue \"q\"").unwrap();
        assert_eq!(queue, Refusal::Subscribe("a.>".into()));
        assert_eq!(Refusal::parse("Maximum Payload Violation"), None);
        let answers = Refusal::Subscribe(format!("{INBOX}.x.*"));
        assert!(answers.is_of_answers() && answers.words().contains("receive answers"));
    }

    #[tokio::test]
    async fn a_refusal_concerns_its_own_subject_and_all_answers() {
        let refused = Refused::new();
        refused.add(Refusal::Publish("$JS.API.A".into()));
        assert_eq!(refused.of("$JS.API.A").await, Refusal::Publish("$JS.API.A".into()));
        let other = refused.clone();
        let waiting = tokio::spawn(async move { other.of("$JS.API.B").await });
        refused.add(Refusal::Publish("$JS.API.C".into()));
        let answers = Refusal::Subscribe(format!("{INBOX}.x.*"));
        refused.add(answers.clone());
        assert_eq!(waiting.await.unwrap(), answers);
    }
}

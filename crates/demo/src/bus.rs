//! How events travel: NATS JetStream with durable pull consumers, or, where there is no broker,
//! CloudEvents over HTTP to the receiver and consumers in this process.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use async_nats::jetstream::{self, AckKind, consumer::pull, message::PublishMessage, stream};
use futures::StreamExt as _;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::event::Message;
use crate::landscape::{CONSUMERS, Consumer, MAX_DELIVER, STREAMS, Subject};

/// Messages that wait for a worker, per consumer; beyond it the pump waits.
const INBOX: usize = 4_096;

/// A message handed to a consumer.
pub struct Delivery {
    /// The message.
    pub message: Message,
    /// Its sequence in the stream.
    pub sequence: u64,
    /// How often it was delivered to this consumer, this time included.
    pub delivered: i64,
    settle: Settle,
}

enum Settle {
    Nats(Box<jetstream::Message>),
    Local(mpsc::Sender<Delivery>),
}

/// What a consumer answers to a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Done.
    Ack,
    /// Again, after the delay.
    Nak(Duration),
    /// Never again.
    Term,
}

impl Delivery {
    /// Answers the delivery.
    ///
    /// # Errors
    /// If the broker cannot be reached.
    pub async fn settle(self, verdict: Verdict) -> Result<()> {
        match (&self.settle, verdict) {
            (Settle::Nats(message), _) => {
                let kind = match verdict {
                    Verdict::Ack => AckKind::Ack,
                    Verdict::Nak(delay) => AckKind::Nak(Some(delay)),
                    Verdict::Term => AckKind::Term,
                };
                message.ack_with(kind).await.map_err(|error| anyhow::anyhow!("cannot settle: {error}"))
            }
            (Settle::Local(inbox), Verdict::Nak(delay)) => {
                let inbox = inbox.clone();
                let settle = Settle::Local(inbox.clone());
                let again = Delivery { delivered: self.delivered + 1, settle, ..self };
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    // A closed inbox means that the run has ended.
                    let _ = inbox.send(again).await;
                });
                Ok(())
            }
            (Settle::Local(_), Verdict::Ack | Verdict::Term) => Ok(()),
        }
    }
}

/// A consumer with the deliveries that reach it.
pub struct Inbox {
    /// The consumer.
    pub consumer: &'static Consumer,
    /// Its deliveries.
    pub deliveries: mpsc::Receiver<Delivery>,
}

/// The transport of events.
pub enum Bus {
    /// NATS JetStream.
    Nats(Box<NatsBus>),
    /// CloudEvents over HTTP.
    Http(HttpBus),
}

impl Bus {
    /// `messaging.system` of the spans.
    #[must_use]
    pub fn system(&self) -> &'static str {
        match self {
            Self::Nats(_) => "nats",
            Self::Http(_) => "http",
        }
    }

    /// Publishes and waits until it is stored (or answered with success); the sequence in the stream.
    ///
    /// # Errors
    /// If it was not stored.
    pub async fn publish(&self, subject: &Subject, id: &str, message: Message) -> Result<u64> {
        match self {
            Self::Nats(bus) => bus.publish(subject, id, message).await,
            Self::Http(bus) => bus.publish(subject, message).await,
        }
    }

    /// Stops handing out deliveries; acknowledgements already given are sent.
    pub async fn close(&self) {
        if let Self::Nats(bus) = self {
            for pump in &bus.pumps {
                pump.abort();
            }
            if let Err(error) = bus.client.flush().await {
                tracing::warn!(%error, "the last acknowledgements may not have been sent");
            }
        }
    }
}

/// Events over NATS JetStream.
pub struct NatsBus {
    client: async_nats::Client,
    jetstream: jetstream::Context,
    pumps: Vec<JoinHandle<()>>,
}

impl NatsBus {
    /// Connects, makes sure the streams exist, and creates the durable consumers anew (what was left
    /// from an earlier run is none of this run's business).
    ///
    /// # Errors
    /// If the server cannot be reached, has no JetStream, or has other streams on these subjects.
    pub async fn connect(url: &str) -> Result<(Self, Vec<Inbox>)> {
        let client = async_nats::ConnectOptions::new()
            .name("flowglass-demo")
            .connect(url)
            .await
            .with_context(|| format!("cannot connect to {url}"))?;
        let jetstream = jetstream::new(client.clone());
        for (name, subjects) in STREAMS {
            let config = stream::Config {
                name: name.to_owned(),
                subjects: vec![subjects.to_owned()],
                max_bytes: 256 << 20,
                ..Default::default()
            };
            jetstream.get_or_create_stream(config).await.with_context(|| format!("cannot create stream {name}"))?;
        }
        let (mut pumps, mut inboxes) = (Vec::new(), Vec::new());
        for consumer in &CONSUMERS {
            let (pump, inbox) = consume(&jetstream, consumer)
                .await
                .with_context(|| format!("cannot create consumer {}", consumer.durable))?;
            pumps.push(pump);
            inboxes.push(inbox);
        }
        Ok((Self { client, jetstream, pumps }, inboxes))
    }

    async fn publish(&self, subject: &Subject, id: &str, message: Message) -> Result<u64> {
        let mut headers = async_nats::HeaderMap::new();
        for (name, value) in message.headers {
            headers.insert(name, value);
        }
        let publish = PublishMessage::build().payload(message.body.into()).headers(headers).message_id(id);
        let stored = self.jetstream.send_publish(subject.name, publish).await?.await?;
        Ok(stored.sequence)
    }
}

async fn consume(jetstream: &jetstream::Context, consumer: &'static Consumer) -> Result<(JoinHandle<()>, Inbox)> {
    let stream = jetstream.get_stream(consumer.subject.stream).await?;
    // An error here only says that there is none yet.
    let _ = stream.delete_consumer(consumer.durable).await;
    let config = pull::Config {
        durable_name: Some(consumer.durable.to_owned()),
        filter_subject: consumer.subject.name.to_owned(),
        deliver_policy: jetstream::consumer::DeliverPolicy::New,
        ack_policy: jetstream::consumer::AckPolicy::Explicit,
        ack_wait: Duration::from_secs(30),
        max_deliver: MAX_DELIVER,
        ..Default::default()
    };
    let mut messages = stream.create_consumer(config).await?.messages().await?;
    let (sender, deliveries) = mpsc::channel(INBOX);
    let pump = tokio::spawn(async move {
        while let Some(next) = messages.next().await {
            let delivery = match next {
                Ok(message) => from_nats(message),
                Err(error) => {
                    tracing::warn!(consumer = consumer.durable, %error, "pull failed, pulling again");
                    continue;
                }
            };
            match delivery {
                Ok(delivery) => {
                    if sender.send(delivery).await.is_err() {
                        return;
                    }
                }
                Err(error) => tracing::warn!(consumer = consumer.durable, %error, "not a delivery"),
            }
        }
    });
    Ok((pump, Inbox { consumer, deliveries }))
}

fn from_nats(message: jetstream::Message) -> Result<Delivery> {
    let info = message.info().map_err(|error| anyhow::anyhow!("{error}"))?;
    let (sequence, delivered) = (info.stream_sequence, info.delivered);
    let mut headers: Vec<(String, String)> = message
        .headers
        .iter()
        .flat_map(|map| map.iter())
        .flat_map(|(name, values)| values.iter().map(|value| (name.to_string(), value.to_string())))
        .collect();
    headers.sort();
    let body = message.payload.to_vec();
    Ok(Delivery { message: Message { headers, body }, sequence, delivered, settle: Settle::Nats(Box::new(message)) })
}

/// CloudEvents over HTTP to the receiver; consumers get their copies inside this process.
pub struct HttpBus {
    client: reqwest::Client,
    url: String,
    sequences: BTreeMap<&'static str, AtomicU64>,
    consumers: Vec<(&'static str, mpsc::Sender<Delivery>)>,
}

impl HttpBus {
    /// A bus that posts events to `{base}/cloudevents`.
    ///
    /// # Errors
    /// If no HTTP client can be built.
    pub fn new(base: &str) -> Result<(Self, Vec<Inbox>)> {
        // No client can be built before somebody says what does the cryptography; that it was said before is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build()?;
        let sequences = STREAMS.iter().map(|(name, _)| (*name, AtomicU64::new(0))).collect();
        let (mut consumers, mut inboxes) = (Vec::new(), Vec::new());
        for consumer in &CONSUMERS {
            let (sender, deliveries) = mpsc::channel(INBOX);
            consumers.push((consumer.subject.name, sender));
            inboxes.push(Inbox { consumer, deliveries });
        }
        Ok((Self { client, url: format!("{base}/cloudevents"), sequences, consumers }, inboxes))
    }

    async fn publish(&self, subject: &Subject, message: Message) -> Result<u64> {
        let mut request = self.client.post(&self.url).body(message.body.clone());
        for (name, value) in &message.headers {
            request = request.header(name, value);
        }
        let answer = request.send().await?;
        if !answer.status().is_success() {
            bail!("{} answered {}", self.url, answer.status());
        }
        let sequence = self.sequences[subject.stream].fetch_add(1, Ordering::Relaxed) + 1;
        for (_, inbox) in self.consumers.iter().filter(|(name, _)| *name == subject.name) {
            let settle = Settle::Local(inbox.clone());
            let delivery = Delivery { message: message.clone(), sequence, delivered: 1, settle };
            inbox.send(delivery).await.context("the consumer is gone")?;
        }
        Ok(sequence)
    }
}

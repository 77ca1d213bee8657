//! What the messages of a subscription mean: publications, deliveries, acknowledgements, advisories. No I/O, no clock.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use flowglass_model::{Batch, Message, Nanos};
use serde::Deserialize;

use super::status::{NatsCounts, NatsStream};
use super::{AckSubject, acknowledgement, advisory, matches};
use crate::cloudevents::{Draft, build};
use crate::normalise::Options;

/// How long a publication on a stream's subject waits for its sequence, nanoseconds.
const HOLD: Nanos = 400_000_000;
/// Publications that wait at most.
const MAX_HELD: usize = 5_000;
/// Publications without sequence that are remembered, so that reading the stream does not bring them again.
const MAX_REMEMBERED: usize = 100_000;

/// A message as a subscription delivers it.
#[derive(Debug, Clone, Default)]
pub(super) struct Raw {
    pub(super) subject: String,
    pub(super) reply: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) payload: Vec<u8>,
    pub(super) time: Nanos,
}

impl Raw {
    fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.subject, &self.headers, &self.payload).hash(&mut hasher);
        hasher.finish()
    }
}

/// A message read from a stream.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) raw: Raw,
    pub(super) stream: String,
    pub(super) sequence: u64,
    /// Whether it may have been seen live as well.
    pub(super) overlap: bool,
}

#[derive(Debug)]
struct Held {
    message: Message,
    hash: u64,
    since: Nanos,
}

/// The broker's answer to a publisher.
#[derive(Deserialize)]
struct PublishAck {
    stream: String,
    seq: u64,
    #[serde(default)]
    duplicate: bool,
}

/// Turns raw messages into facts and keeps what is needed to name publications by stream and sequence.
#[derive(Debug)]
pub(super) struct Live {
    options: Options,
    /// Streams and the subjects they store.
    streams: Vec<(String, Vec<String>)>,
    held: VecDeque<Held>,
    remembered: VecDeque<u64>,
    remembered_count: BTreeMap<u64, u32>,
    /// Facts ready to be submitted.
    pub(super) batch: Batch,
    pub(super) counts: NatsCounts,
}

impl Live {
    pub(super) fn new(options: Options) -> Live {
        Live {
            options,
            streams: Vec::new(),
            held: VecDeque::new(),
            remembered: VecDeque::new(),
            remembered_count: BTreeMap::new(),
            batch: Batch::default(),
            counts: NatsCounts::default(),
        }
    }

    /// The streams as they are now.
    pub(super) fn set_streams(&mut self, streams: &[NatsStream]) {
        self.streams = streams.iter().filter(|s| !s.mirror).map(|s| (s.name.clone(), s.subjects.clone())).collect();
    }

    /// Takes a message of a subscription.
    pub(super) fn take(&mut self, raw: Raw) {
        if raw.subject.starts_with("$JS.ACK.") {
            return self.settlement(&raw);
        }
        if raw.subject.starts_with("$JS.EVENT.ADVISORY.") {
            if let Some(advisory) = advisory(&raw.subject, &raw.payload, raw.time) {
                self.counts.advisories += 1;
                self.batch.advisories.push(advisory);
            }
            return;
        }
        if let Some(ack) = raw.reply.as_deref().and_then(AckSubject::parse) {
            return self.delivery(raw, ack);
        }
        if self.publish_ack(&raw) || raw.subject.starts_with('$') || raw.subject.starts_with("_INBOX.") {
            return;
        }
        self.publication(raw);
    }

    /// Takes a message read from a stream, unless it was seen live.
    pub(super) fn take_stored(&mut self, stored: Stored) {
        self.counts.backfilled += 1;
        if stored.overlap {
            let hash = stored.raw.hash();
            if let Some(at) = self.held.iter().position(|h| h.hash == hash) {
                return self.name(at, stored.stream, stored.sequence);
            }
            if self.forget(hash) {
                return;
            }
        }
        let mut message = self.message(stored.raw);
        message.stream = Some(stored.stream);
        message.sequence = Some(stored.sequence);
        self.push(message);
    }

    /// Lets publications go that have waited long enough; `None` lets all go.
    pub(super) fn release(&mut self, now: Option<Nanos>) {
        while let Some(first) = self.held.front() {
            if now.is_some_and(|now| now - first.since < HOLD) && self.held.len() <= MAX_HELD {
                return;
            }
            if let Some(held) = self.held.pop_front() {
                self.remember(held.hash);
                self.push(held.message);
            }
        }
    }

    fn publication(&mut self, raw: Raw) {
        self.counts.publications += 1;
        let hash = raw.hash();
        let since = raw.time;
        let message = self.message(raw);
        if self.stream_of(&message.destination).is_none() {
            return self.push(message);
        }
        self.held.push_back(Held { message, hash, since });
        self.release(Some(since));
    }

    fn delivery(&mut self, raw: Raw, ack: AckSubject) {
        self.counts.deliveries += 1;
        let hash = raw.hash();
        if let Some(at) = self.held.iter().position(|h| h.hash == hash) {
            self.name(at, ack.key.stream.clone(), ack.stream_sequence);
        }
        let (time, subject) = (raw.time, raw.subject.clone());
        let event_id = self.message(raw).event_id;
        self.batch.deliveries.push(ack.delivery(Some(subject), time, event_id));
    }

    fn settlement(&mut self, raw: &Raw) {
        let Some(ack) = AckSubject::parse(&raw.subject) else { return };
        let Some(said) = acknowledgement(&raw.payload) else { return };
        self.counts.acknowledgements += 1;
        self.batch.settlements.push(ack.settlement(said, raw.time));
    }

    /// Whether this is the broker's answer to a publication that waits. A duplicate the broker did not store has no sequence
    /// of its own: it stays a publication without one.
    fn publish_ack(&mut self, raw: &Raw) -> bool {
        let Some(at) = self.held.iter().position(|h| h.message.reply.as_deref() == Some(&raw.subject)) else {
            return false;
        };
        let Ok(ack) = serde_json::from_slice::<PublishAck>(&raw.payload) else { return false };
        if ack.duplicate {
            if let Some(held) = self.held.remove(at) {
                self.push(held.message);
            }
        } else {
            self.name(at, ack.stream, ack.seq);
        }
        true
    }

    /// Gives a publication that waits its stream and sequence, and lets it go.
    fn name(&mut self, at: usize, stream: String, sequence: u64) {
        let Some(mut held) = self.held.remove(at) else { return };
        held.message.stream = Some(stream);
        held.message.sequence = Some(sequence);
        self.push(held.message);
    }

    fn message(&self, raw: Raw) -> Message {
        let draft = Draft {
            system: "nats".to_owned(),
            destination: raw.subject,
            time: raw.time,
            reply: raw.reply.filter(|r| !r.starts_with("$JS.ACK.")),
            headers: raw.headers,
            payload: raw.payload,
            ..Draft::default()
        };
        build(draft, &self.options)
    }

    fn push(&mut self, message: Message) {
        self.counts.redacted += u64::from(message.redacted);
        self.batch.messages.push(message);
    }

    fn stream_of(&self, subject: &str) -> Option<&str> {
        let (name, _) = self.streams.iter().find(|(_, subjects)| subjects.iter().any(|s| matches(s, subject)))?;
        Some(name)
    }

    fn remember(&mut self, hash: u64) {
        if self.remembered.len() == MAX_REMEMBERED
            && let Some(oldest) = self.remembered.pop_front()
        {
            self.forget(oldest);
        }
        self.remembered.push_back(hash);
        *self.remembered_count.entry(hash).or_default() += 1;
    }

    fn forget(&mut self, hash: u64) -> bool {
        let Some(count) = self.remembered_count.get_mut(&hash) else { return false };
        *count -= 1;
        if *count == 0 {
            self.remembered_count.remove(&hash);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live() -> Live {
        let mut live = Live::new(Options::named("t"));
        live.set_streams(&[NatsStream {
            name: "ORDERS".into(),
            subjects: vec!["orders.>".into()],
            ..NatsStream::default()
        }]);
        live
    }

    fn raw(subject: &str, reply: Option<&str>, payload: &str, time: Nanos) -> Raw {
        Raw {
            subject: subject.into(),
            reply: reply.map(Into::into),
            headers: vec![("ce-id".into(), "e1".into())],
            payload: payload.into(),
            time,
        }
    }

    #[test]
    fn only_the_reply_tells_a_delivery_from_a_publication() {
        let mut live = live();
        live.take(raw("orders.placed", Some("_INBOX.a"), "{}", 1));
        assert!(live.batch.is_empty(), "it waits for its sequence");
        live.take(raw("orders.placed", Some("$JS.ACK.ORDERS.pay.1.7.3.100.0"), "{}", 2));
        live.take(raw("orders.placed", Some("$JS.ACK.ORDERS.pay.2.7.4.100.0"), "{}", 3));
        live.take(raw("$JS.ACK.ORDERS.pay.1.7.3.100.0", None, "-NAK", 3));
        live.take(raw("$JS.API.STREAM.INFO.X", Some("_INBOX.b"), "", 3));
        let batch = &live.batch;
        assert_eq!((batch.messages.len(), batch.deliveries.len(), batch.settlements.len()), (1, 2, 1));
        assert_eq!((batch.messages[0].sequence, batch.messages[0].stream.as_deref()), (Some(7), Some("ORDERS")));
        assert_eq!((batch.deliveries[1].delivered, batch.deliveries[1].event_id.as_deref()), (2, Some("e1")));
    }

    #[test]
    fn the_answer_to_the_publisher_names_a_publication() {
        let mut live = live();
        live.take(raw("orders.placed", Some("_INBOX.a"), "{}", 1));
        live.take(raw("_INBOX.a", None, r#"{"stream":"ORDERS","seq":9}"#, 2));
        live.take(raw("orders.placed", Some("_INBOX.b"), "{}", 3));
        live.take(raw("_INBOX.b", None, r#"{"stream":"ORDERS","seq":9,"duplicate":true}"#, 4));
        let sequences: Vec<_> = live.batch.messages.iter().map(|m| m.sequence).collect();
        assert_eq!(sequences, [Some(9), None]);
    }

    #[test]
    fn what_was_seen_live_is_not_read_again() {
        let mut live = live();
        let stored = |sequence| Stored {
            raw: raw("orders.placed", None, "{}", 1),
            stream: "ORDERS".into(),
            sequence,
            overlap: true,
        };
        live.take(raw("orders.placed", None, "{}", 1));
        live.release(Some(1 + HOLD));
        live.take_stored(stored(4));
        assert_eq!((live.batch.messages.len(), live.batch.messages[0].sequence), (1, None));
        live.take_stored(stored(5));
        assert_eq!(live.batch.messages.len(), 2, "a second message of the same content is another one");
        live.take(raw("orders.placed", None, "{}", 1));
        live.take_stored(stored(6));
        assert_eq!(live.batch.messages[2].sequence, Some(6), "a waiting one gets its name");
    }

    #[test]
    fn core_subjects_do_not_wait_and_inboxes_are_no_topics() {
        let mut live = live();
        live.take(raw("erp.order.posted", None, "{}", 1));
        live.take(raw("_INBOX.x.y", None, "{}", 1));
        assert_eq!((live.batch.messages.len(), live.counts.publications), (1, 1));
    }
}

//! Live counters of the receivers, and the last refusals, for people to see.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use flowglass_model::{Batch, Nanos};
use subtle::ConstantTimeEq as _;

use crate::otlp::{Port, SilentConnections};

/// How many refusals are remembered.
const REFUSALS: usize = 50;

/// Counters of one listener since it was bound.
#[derive(Debug, Default)]
pub struct ListenerStats {
    requests: AtomicU64,
    spans: AtomicU64,
    logs: AtomicU64,
    events: AtomicU64,
    bytes: AtomicU64,
    rejected: AtomicU64,
    redacted: AtomicU64,
    errors: AtomicU64,
}

/// The counters of a listener at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ListenerCounts {
    /// Requests received, good and bad.
    pub requests: u64,
    /// Spans accepted.
    pub spans: u64,
    /// Log records accepted.
    pub logs: u64,
    /// Events accepted.
    pub events: u64,
    /// Bytes of request bodies as received (compressed).
    pub bytes: u64,
    /// Items refused (spans, log records, events, data points).
    pub rejected: u64,
    /// Credential values replaced.
    pub redacted: u64,
    /// Requests and connections refused.
    pub errors: u64,
}

impl ListenerStats {
    /// Counts a request and the bytes of its body as received.
    pub fn request(&self, bytes: u64) {
        self.requests.fetch_add(1, Relaxed);
        self.bytes.fetch_add(bytes, Relaxed);
    }

    /// Counts what a request brought, once it is stored.
    pub fn accepted(&self, counts: &ListenerCounts) {
        self.spans.fetch_add(counts.spans, Relaxed);
        self.logs.fetch_add(counts.logs, Relaxed);
        self.events.fetch_add(counts.events, Relaxed);
        self.rejected.fetch_add(counts.rejected, Relaxed);
        self.redacted.fetch_add(counts.redacted, Relaxed);
    }

    /// Counts items that were refused.
    pub fn rejected(&self, items: u64) {
        self.rejected.fetch_add(items, Relaxed);
    }

    /// Counts a refused request or connection.
    pub fn error(&self) {
        self.errors.fetch_add(1, Relaxed);
    }

    /// The counters now.
    pub fn counts(&self) -> ListenerCounts {
        ListenerCounts {
            requests: self.requests.load(Relaxed),
            spans: self.spans.load(Relaxed),
            logs: self.logs.load(Relaxed),
            events: self.events.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            rejected: self.rejected.load(Relaxed),
            redacted: self.redacted.load(Relaxed),
            errors: self.errors.load(Relaxed),
        }
    }
}

impl ListenerCounts {
    /// What a batch would add once it is stored.
    pub fn of(batch: &Batch) -> ListenerCounts {
        ListenerCounts {
            spans: batch.spans.len() as u64,
            logs: batch.logs.len() as u64,
            events: batch.messages.len() as u64,
            rejected: batch.rejected.iter().map(|r| r.count).sum(),
            redacted: batch.redacted + batch.messages.iter().map(|m| u64::from(m.redacted)).sum::<u64>(),
            ..ListenerCounts::default()
        }
    }
}

/// A request or connection that was refused, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// When.
    pub time: Nanos,
    /// Who sent it: address and port.
    pub peer: String,
    /// What was asked for (`POST /v1/traces`, `connection`).
    pub what: String,
    /// Why it was refused, in words.
    pub reason: String,
}

/// The last 50 refusals, oldest first.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<VecDeque<Refusal>>);

impl Refusals {
    /// Remembers one; the oldest is forgotten when there are more than 50.
    pub fn push(&self, refusal: Refusal) {
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ring.len() == REFUSALS {
            ring.pop_front();
        }
        ring.push_back(refusal);
    }

    /// All that are remembered, oldest first.
    pub fn list(&self) -> Vec<Refusal> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// All counters of the OTLP receivers.
#[derive(Debug, Default)]
pub struct IngestStats {
    /// The port named for gRPC (it takes HTTP too).
    pub otlp_grpc: ListenerStats,
    /// The port named for HTTP (it takes gRPC too).
    pub otlp_http: ListenerStats,
    /// The last refusals of both.
    pub refusals: Refusals,
    /// The last connections of both that brought nothing.
    pub silent: SilentConnections,
    /// By what our own test is known.
    pub probe: ProbeId,
}

impl IngestStats {
    /// Counters of one of the two.
    pub fn of(&self, port: Port) -> &ListenerStats {
        match port {
            Port::Grpc => &self.otlp_grpc,
            Port::Http => &self.otlp_http,
        }
    }
}

/// A secret of this run by which the receivers know our own test: what comes with it is stored and taken back.
pub struct ProbeId(String);

impl ProbeId {
    /// The secret, for the header of a test request.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    pub(crate) fn is(&self, given: &[u8]) -> bool {
        given.ct_eq(self.0.as_bytes()).into()
    }
}

impl Default for ProbeId {
    fn default() -> Self {
        ProbeId(format!("{:032x}", rand::random::<u128>()))
    }
}

impl std::fmt::Debug for ProbeId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProbeId(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_fifty_refusals_are_kept() {
        let ring = Refusals::default();
        for i in 0..60 {
            ring.push(Refusal { time: i, peer: String::new(), what: String::new(), reason: String::new() });
        }
        let kept = ring.list();
        assert_eq!((kept.len(), kept[0].time, kept[49].time), (50, 10, 59));
    }
}

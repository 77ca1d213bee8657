//! Numbered batches of everything a workspace holds: written by one test, looked for by another, also in another process.

use flowglass_model::{
    Acknowledgement, Delta, LinkHow, LogRecord, Message, Nanos, SeriesKey, Span, TraceId, TraceJoin,
};
use flowglass_store::{EventFilter, Reader, StoreError, Tx};

use crate::build::{SECOND, T0, delivery, log, message, process_span, settlement, span, span_id, stored, trace_id};
use crate::journeys::journey;

/// Traces of a batch, each with a journey.
pub(crate) const TRACES: u64 = 6;
/// Events of a batch.
pub(crate) const EVENTS: u64 = 3;

/// How much a batch holds.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    /// Spans of a trace.
    pub(crate) spans: u64,
    /// Digits of noise in each span and payload.
    pub(crate) noise: usize,
}

/// Batches that a crash test writes.
pub(crate) const SMALL: Load = Load { spans: 4, noise: 0 };

/// Text that does not compress and depends on every digit of the seed.
fn noise(seed: u64, digits: usize) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut out = String::with_capacity(digits + 16);
    while out.len() < digits {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out.push_str(&format!("{state:016x}"));
    }
    out.truncate(digits);
    out
}

fn at(n: u64) -> Nanos {
    T0 + n as i64 * 7 * SECOND
}

impl Load {
    /// Traces of batch `n`.
    pub(crate) fn traces(self, n: u64) -> std::ops::Range<u64> {
        n * TRACES + 1..(n + 1) * TRACES + 1
    }

    /// Spans of one trace of batch `n`.
    pub(crate) fn spans_of(self, n: u64, trace: u64) -> Vec<Span> {
        let one = |i: u64| {
            let id = trace * 1_000 + i;
            let mut s = match i {
                0 => process_span(trace, id, "orders.placed", &format!("e-{n}-0"), (trace + 1_000_000, id)),
                _ => span(trace, id, at(n) + i as i64),
            };
            s.attributes.push(("noise".into(), noise(id, self.noise).into()));
            s
        };
        let mut out: Vec<Span> = (0..self.spans).map(one).collect();
        out.sort_by_key(|s| (s.facts.start, s.facts.span_id, s.facts.kind));
        out
    }

    /// Publications of batch `n`.
    pub(crate) fn messages(self, n: u64) -> Vec<Message> {
        let one = |i: u64| {
            let mut m = message("orders.placed", Some(&format!("e-{n}-{i}")), at(n) + i as i64);
            m.payload =
                format!(r#"{{"order":"{n}-{i}","text":"{}"}}"#, noise(n * 10 + i, 300 + self.noise)).into_bytes();
            m.payload_size = m.payload.len() as u64;
            stored(m, "ORDERS", n * EVENTS + i + 1)
        };
        (0..EVENTS).map(one).collect()
    }

    /// Log records of batch `n`.
    pub(crate) fn logs(self, n: u64) -> Vec<LogRecord> {
        let of_trace = log(Some(n * TRACES + 1), &format!("of a trace {n}"), at(n));
        vec![of_trace, log(None, &format!("loose {n}"), at(n) + 1)]
    }

    /// Writes batch `n`.
    pub(crate) fn put(self, tx: &mut Tx<'_>, n: u64) -> Result<(), StoreError> {
        let spans: Vec<Span> = self.traces(n).flat_map(|t| self.spans_of(n, t)).collect();
        tx.add_spans(&spans)?;
        tx.add_messages(&self.messages(n))?;
        tx.add_logs(&self.logs(n))?;
        let deliveries: Vec<_> =
            (0..EVENTS).map(|i| n * EVENTS + i + 1).map(|s| delivery(s, s, 1, at(n) + 5)).collect();
        tx.add_deliveries(&deliveries)?;
        tx.add_settlements(&[settlement(n * EVENTS + 1, Acknowledgement::Ack, at(n) + 6)])?;
        let key = SeriesKey::Operation { participant: "service:a".into(), operation: format!("op-{}", n % 4) };
        let count = spans.len() as i64;
        tx.apply(&[Delta { key: key.into(), at: at(n), count, error: false, duration: Some(5_000_000) }])?;
        let mut journeys: Vec<_> = self.traces(n).map(|t| journey(t, flowglass_model::JourneyState::Ok)).collect();
        journeys.iter_mut().for_each(|j| j.participants.push(format!("service:p{}", n % 50).into()));
        let mut members: Vec<(TraceId, TraceId)> = self.traces(n).map(|t| (trace_id(t), trace_id(t))).collect();
        members.push((trace_id(n * TRACES + 1), trace_id(n * TRACES + 2)));
        tx.add_joins(&[TraceJoin {
            parent_trace: trace_id(n * TRACES + 1),
            parent_span: span_id(n),
            child_trace: trace_id(n * TRACES + 2),
            child_span: span_id(n + 1),
            how: LinkHow::SpanLink,
        }])?;
        tx.put_journeys(&journeys, &members)
    }

    /// Whether all of batch `n` is there, and each item once.
    pub(crate) fn assert_holds(self, r: &Reader, n: u64) {
        for t in self.traces(n) {
            assert_eq!(r.trace(trace_id(t)).unwrap(), self.spans_of(n, t), "trace {t} of batch {n}");
            assert!(r.journey_summary(trace_id(t)).unwrap().is_some(), "journey {t} of batch {n}");
        }
        for m in self.messages(n) {
            let found = r.messages_of_event_id(m.event_id.as_deref().unwrap()).unwrap();
            assert_eq!(found, [m], "an event of batch {n}");
        }
        assert_eq!(r.logs_of_trace(trace_id(n * TRACES + 1)).unwrap(), self.logs(n)[..1], "a log record of batch {n}");
    }

    /// Whether nothing of batch `n` is there.
    pub(crate) fn assert_gone(self, r: &Reader, n: u64) {
        assert!(self.traces(n).all(|t| r.trace(trace_id(t)).unwrap().is_empty()), "traces of batch {n}");
        for m in self.messages(n) {
            assert!(r.messages_of_event_id(m.event_id.as_deref().unwrap()).unwrap().is_empty(), "batch {n}");
        }
    }
}

/// Every publication there is, by event.
pub(crate) fn all_events(r: &Reader) -> Vec<Message> {
    let page = r.events(&EventFilter { limit: 100_000, ..EventFilter::default() }).unwrap();
    page.rows.into_iter().map(|row| r.event(row.row).unwrap().unwrap().message).collect()
}

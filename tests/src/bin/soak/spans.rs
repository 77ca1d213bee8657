//! What the exporters send: requests whose every byte follows from the seed, the exporter and the request's number, so that a
//! request that is sent again is the same request.

use flowglass_tests::multiply::mix;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

/// Traces in one request.
pub(crate) const TRACES: u64 = 50;
/// Spans in one request.
pub(crate) const SPANS: u64 = TRACES * SHAPE.len() as u64;
/// Spans of one trace.
pub(crate) const SPANS_A_TRACE: u64 = SHAPE.len() as u64;
/// One trace of so many fails.
const FAILS: u64 = 100;
/// The services, in the order of their numbers.
const SERVICES: [&str; 4] = ["soak-exp-api", "soak-prc-api", "soak-customers-sys-api", "soak-stock-sys-api"];
/// The calls that each trace makes, once each: caller and callee.
pub(crate) const CALLS: [(&str, &str); 3] =
    [(SERVICES[0], SERVICES[1]), (SERVICES[1], SERVICES[2]), (SERVICES[1], SERVICES[3])];

/// One span of the trace that all have: whose, what, below which, from and to (microseconds from the start of the trace), and
/// whether it fails when the trace does.
struct Shape(usize, SpanKind, &'static str, Option<usize>, u64, u64, bool);

const SHAPE: [Shape; 10] = [
    Shape(0, SpanKind::Server, "POST /soak/orders", None, 0, 40_000, true),
    Shape(0, SpanKind::Client, "POST", Some(0), 1_000, 38_000, true),
    Shape(1, SpanKind::Server, "POST /orders", Some(1), 2_000, 37_000, true),
    Shape(1, SpanKind::Client, "GET", Some(2), 3_000, 15_000, false),
    Shape(2, SpanKind::Server, "GET /customers/{id}", Some(3), 4_000, 14_000, false),
    Shape(2, SpanKind::Internal, "load customer", Some(4), 5_000, 13_000, false),
    Shape(1, SpanKind::Client, "POST", Some(2), 16_000, 35_000, true),
    Shape(3, SpanKind::Server, "POST /reservations", Some(6), 17_000, 34_000, true),
    Shape(3, SpanKind::Internal, "reserve stock", Some(7), 18_000, 30_000, true),
    Shape(1, SpanKind::Internal, "price order", Some(2), 35_000, 36_000, false),
];

/// The stream of requests of one exporter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stream {
    /// The run's seed.
    pub(crate) seed: u64,
    /// The exporter's number.
    pub(crate) sender: u64,
    /// When request 0 is due, nanoseconds since the epoch.
    pub(crate) base: u64,
    /// Nanoseconds from one request to the next.
    pub(crate) every: u64,
}

impl Stream {
    /// When a request is due, nanoseconds since the epoch.
    pub(crate) fn at(&self, number: u64) -> u64 {
        self.base + number * self.every
    }

    /// How many requests are due by an instant.
    pub(crate) fn due(&self, now: u64) -> u64 {
        if now < self.base { 0 } else { (now - self.base) / self.every + 1 }
    }

    /// The id of a trace of a request.
    pub(crate) fn trace(&self, number: u64, trace: u64) -> u128 {
        let own = mix(mix(self.seed) ^ mix(self.base) ^ self.sender);
        let high = mix(own ^ (number * TRACES + trace));
        u128::from(high) << 64 | u128::from(mix(high ^ own))
    }

    /// A request.
    pub(crate) fn request(&self, number: u64) -> ExportTraceServiceRequest {
        let mut of_service: [Vec<Span>; SERVICES.len()] = Default::default();
        for trace in 0..TRACES {
            self.add_trace(number, trace, &mut of_service);
        }
        let resource_spans = SERVICES.iter().zip(of_service).map(|(name, spans)| ResourceSpans {
            resource: Some(Resource {
                attributes: vec![
                    text("service.name", (*name).to_owned()),
                    text("service.namespace", "soak".to_owned()),
                    text("service.version", "1.0.0".to_owned()),
                    text("service.instance.id", format!("{name}-{}", self.sender)),
                ],
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                scope: Some(InstrumentationScope { name: "flowglass-soak".to_owned(), ..Default::default() }),
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        });
        ExportTraceServiceRequest { resource_spans: resource_spans.collect() }
    }

    fn add_trace(&self, number: u64, trace: u64, of_service: &mut [Vec<Span>]) {
        let id = self.trace(number, trace);
        let random = id as u64;
        let span_id = |n: usize| mix(random ^ n as u64).to_be_bytes().to_vec();
        let (fails, slower) = (random.is_multiple_of(FAILS), 80 + (random >> 32) % 60);
        // Traces end one after the other by the time their request is due.
        let end = self.at(number).saturating_sub((TRACES - 1 - trace) * self.every / TRACES);
        let start = end.saturating_sub(SHAPE[0].5 * 10 * slower);
        for (n, Shape(service, kind, name, parent, from, to, failing)) in SHAPE.iter().enumerate() {
            let failed = fails && *failing;
            of_service[*service].push(Span {
                trace_id: id.to_be_bytes().to_vec(),
                span_id: span_id(n),
                parent_span_id: parent.map(span_id).unwrap_or_default(),
                name: (*name).to_owned(),
                kind: *kind as i32,
                start_time_unix_nano: start + from * 10 * slower,
                end_time_unix_nano: start + to * 10 * slower,
                attributes: self.attributes(number, trace, *kind, name, failed),
                status: failed.then(|| Status { code: StatusCode::Error as i32, message: "no stock".to_owned() }),
                ..Span::default()
            });
        }
    }

    fn attributes(&self, number: u64, trace: u64, kind: SpanKind, name: &str, failed: bool) -> Vec<KeyValue> {
        let order = format!("SOAK-{}-{number:08}-{trace:02}", self.sender);
        let mut all = vec![
            text("order.id", order),
            text("customer.tier", ["gold", "silver", "none"][(number % 3) as usize].to_owned()),
            text("thread.name", format!("worker-{}", trace % 8)),
            whole("order.lines", (number + trace) as i64 % 9 + 1),
        ];
        if kind != SpanKind::Internal {
            let (method, route) = name.split_once(' ').unwrap_or((name, ""));
            all.extend([
                text("http.request.method", method.to_owned()),
                text("url.scheme", "http".to_owned()),
                text("network.protocol.version", "1.1".to_owned()),
                whole("http.response.status_code", if failed { 503 } else { 200 }),
            ]);
            if !route.is_empty() {
                all.extend([text("http.route", route.to_owned()), text("url.path", format!("{route}?n={number}"))]);
            }
        }
        all
    }
}

fn text(key: &str, value: String) -> KeyValue {
    of(key, Value::StringValue(value))
}

fn whole(key: &str, value: i64) -> KeyValue {
    of(key, Value::IntValue(value))
}

fn of(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const STREAM: Stream = Stream { seed: 1, sender: 0, base: 1_800_000_000_000_000_000, every: 50_000_000 };

    fn spans(request: &ExportTraceServiceRequest) -> Vec<&Span> {
        request.resource_spans.iter().flat_map(|r| &r.scope_spans).flat_map(|s| &s.spans).collect()
    }

    #[test]
    fn a_request_sent_again_is_the_same_and_no_other_shares_an_id() {
        assert_eq!(STREAM.request(7), STREAM.request(7));
        let others = [STREAM, Stream { sender: 1, ..STREAM }, Stream { seed: 2, ..STREAM }];
        let requests: Vec<_> = others.iter().flat_map(|s| [s.request(0), s.request(1)]).collect();
        let all: Vec<&Span> = requests.iter().flat_map(spans).collect();
        let ids: BTreeSet<(&[u8], &[u8])> = all.iter().map(|s| (&s.trace_id[..], &s.span_id[..])).collect();
        let traces: BTreeSet<&[u8]> = all.iter().map(|s| &s.trace_id[..]).collect();
        assert_eq!((ids.len() as u64, traces.len() as u64), (6 * SPANS, 6 * TRACES));
    }

    #[test]
    fn every_trace_is_whole_and_ends_when_its_request_is_due() {
        let request = STREAM.request(3);
        let all = spans(&request);
        let ids: BTreeSet<&[u8]> = all.iter().map(|s| &s.span_id[..]).collect();
        assert!(all.iter().all(|s| s.parent_span_id.is_empty() || ids.contains(&s.parent_span_id[..])));
        assert!(all.iter().all(|s| s.start_time_unix_nano < s.end_time_unix_nano));
        assert_eq!(all.iter().map(|s| s.end_time_unix_nano).max(), Some(STREAM.at(3)));
        let first = STREAM.trace(3, 0).to_be_bytes();
        assert_eq!(all.iter().filter(|s| s.trace_id == first).count() as u64, SPANS_A_TRACE);
    }

    #[test]
    fn requests_are_due_at_their_pace() {
        let second = STREAM.base + 1_000_000_000;
        assert_eq!((STREAM.due(STREAM.base - 1), STREAM.due(STREAM.base), STREAM.due(second)), (0, 1, 21));
        assert!(STREAM.at(STREAM.due(second) - 1) <= second && STREAM.at(STREAM.due(second)) > second);
    }
}

//! How fast spans become durable, as a ratio to bare `prost` decoding of the same bytes in the same run.
//!
//! Machines are noisy, so the two are measured in turn and the median of the pairwise ratios is what counts. Run by
//! `cargo xtask bench`; the figures go to stdout as JSON lines.

mod stages;

use std::time::{Duration, Instant};

use flowglass_studio::Pipeline;
use flowglass_studio::ingest::Options;
use flowglass_studio::ingest::otlp::{Encoding, decode_traces};
use flowglass_studio::model::Batch;
use flowglass_studio::store::{Access, Reader, Writer};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;

/// As in the programs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Traces of the data set; each has ten spans over five services.
const TRACES: u64 = 10_000;
/// Spans in a request, as SDKs send them by default.
const REQUEST_SPANS: usize = 512;
/// Requests committed together, as under load.
const GROUP: usize = 16;
/// Pairs of measurements.
const ROUNDS: usize = 5;

const SERVICES: [&str; 5] =
    ["web-orders-exp-api", "order-prc-api", "inventory-sys-api", "payments-sys-api", "erp-sys-api"];

fn text(key: &str, value: impl Into<String>) -> KeyValue {
    let value = Some(AnyValue { value: Some(any_value::Value::StringValue(value.into())) });
    KeyValue { key: key.into(), value, ..KeyValue::default() }
}

fn int(key: &str, value: i64) -> KeyValue {
    let value = Some(AnyValue { value: Some(any_value::Value::IntValue(value)) });
    KeyValue { key: key.into(), value, ..KeyValue::default() }
}

/// A pseudo-random number that depends on its arguments only (SplitMix64, Steele, Lea and Flood 2014).
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn span(trace: u64, service: usize, server: bool) -> Span {
    let id = |n: u64| mix(trace * 100 + n).to_be_bytes().to_vec();
    let own = (service * 2 + usize::from(!server)) as u64;
    let start = 1_790_000_000_000_000_000 + trace * 3_000_000 + own * 500_000;
    let parent = if own == 0 { Vec::new() } else { id(own - 1) };
    let order = format!("ORD-{:06}", trace);
    Span {
        trace_id: [mix(trace).to_be_bytes(), mix(trace ^ 0xabcd).to_be_bytes()].concat(),
        span_id: id(own),
        parent_span_id: parent,
        name: "POST /orders".into(),
        kind: if server { 2 } else { 3 },
        start_time_unix_nano: start,
        end_time_unix_nano: start + 20_000_000 - own * 1_000_000 + mix(trace * 31 + own) % 900_000,
        attributes: vec![
            text("http.request.method", "POST"),
            text("http.route", "/orders/{id}"),
            text("url.path", format!("/orders/{order}")),
            text("url.scheme", "http"),
            text("url.full", format!("http://{}:8080/orders/{order}", SERVICES[(service + 1) % 5])),
            text("server.address", SERVICES[(service + 1) % 5]),
            int("server.port", 8080),
            text("network.peer.address", "10.1.2.3"),
            int("network.peer.port", 40_000 + (trace % 20_000) as i64),
            text("network.protocol.version", "1.1"),
            text("user_agent.original", "python-httpx/0.28"),
            int("http.response.status_code", 200),
            text("thread.name", format!("worker-{}", trace % 16)),
            text("http.request.header.x_request_id", format!("req-{trace:08}")),
            text("order.id", order),
        ],
        ..Span::default()
    }
}

fn requests() -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    for (index, name) in SERVICES.iter().enumerate() {
        let spans: Vec<Span> = (0..TRACES).flat_map(|t| [span(t, index, true), span(t, index, false)]).collect();
        for (number, part) in spans.chunks(REQUEST_SPANS).enumerate() {
            let resource = Resource {
                attributes: vec![
                    text("service.name", *name),
                    text("service.namespace", "shop"),
                    text("service.version", "1.4.2"),
                    text("deployment.environment.name", "bench"),
                ],
                ..Resource::default()
            };
            let request = ExportTraceServiceRequest {
                resource_spans: vec![ResourceSpans {
                    resource: Some(resource),
                    scope_spans: vec![ScopeSpans { spans: part.to_vec(), ..ScopeSpans::default() }],
                    ..ResourceSpans::default()
                }],
            };
            out.push(((number, index), request.encode_to_vec()));
        }
    }
    // Services export side by side: their requests alternate.
    out.sort_by_key(|(order, _)| *order);
    out.into_iter().map(|(_, bytes)| bytes).collect()
}

fn decode_only(requests: &[Vec<u8>]) -> Duration {
    let started = Instant::now();
    for bytes in requests {
        let request = ExportTraceServiceRequest::decode(bytes.as_slice()).expect("our own bytes decode");
        std::hint::black_box(&request);
    }
    started.elapsed()
}

/// One thread for everything, or as the program does it: receivers decode while the writer writes.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    InTurn,
    SideBySide,
}

fn decoded(group: &[Vec<u8>]) -> Vec<Batch> {
    let options = Options::default();
    let decode = |bytes: &Vec<u8>| decode_traces(bytes, Encoding::Protobuf, &options).expect("our own bytes decode");
    tracing::trace_span!("stage", name = "decode + normalise").in_scope(|| group.iter().map(decode).collect())
}

fn store(requests: &[Vec<u8>], folder: &std::path::Path, way: Way) -> (Duration, u64) {
    let path = folder.join("bench.flowglass");
    let writer = Writer::open(&path, Access::Create).expect("a workspace");
    let mut pipeline = Pipeline::new(writer, tokio::sync::broadcast::channel(16).0);
    let started = Instant::now();
    let mut write = |batches| {
        tracing::trace_span!("stage", name = "write (all of it)").in_scope(|| pipeline.write(batches)).expect("stored");
    };
    match way {
        Way::InTurn => requests.chunks(GROUP).for_each(|group| write(decoded(group))),
        Way::SideBySide => std::thread::scope(|scope| {
            let (queue, batches) = std::sync::mpsc::sync_channel(1);
            scope.spawn(move || requests.chunks(GROUP).try_for_each(|group| queue.send(decoded(group))));
            batches.into_iter().for_each(&mut write);
        }),
    }
    let took = started.elapsed();
    drop(pipeline);
    let stats = Reader::open(&path).and_then(|r| r.stats()).expect("stats");
    assert_eq!(stats.spans, TRACES * 10, "every span is stored");
    (took, stats.bytes)
}

/// Median, least and greatest.
fn spread(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    (values[values.len() / 2], values[0], values[values.len() - 1])
}

fn main() {
    let requests = requests();
    let spans = (TRACES * 10) as f64;
    decode_only(&requests);
    for (name, way) in [("ingest", Way::SideBySide), ("ingest-one-thread", Way::InTurn)] {
        let (mut ratios, mut rates, mut bytes_per_span) = (Vec::new(), Vec::new(), 0.0);
        for _ in 0..ROUNDS {
            let decode = decode_only(&requests);
            let folder = tempfile::tempdir().expect("a scratch folder");
            let (took, bytes) = store(&requests, folder.path(), way);
            ratios.push(decode.as_secs_f64() / took.as_secs_f64());
            rates.push(spans / took.as_secs_f64());
            bytes_per_span = bytes as f64 / spans;
        }
        let ((ratio, least, greatest), (rate, ..)) = (spread(ratios), spread(rates));
        println!(
            "{{\"bench\":\"{name}\",\"ratio_to_prost_decode\":{ratio:.3},\"ratio_min\":{least:.3},\"ratio_max\":{greatest:.3},\
             \"spans_per_second\":{rate:.0},\"bytes_per_span\":{bytes_per_span:.0}}}"
        );
    }
    // Measured apart: looking at the clock takes time, too.
    let stages = stages::measured(|| {
        for _ in 0..ROUNDS {
            let bytes = tracing::trace_span!("stage", name = "bare prost decode").in_scope(|| decode_only(&requests));
            std::hint::black_box(bytes);
            let folder = tempfile::tempdir().expect("a scratch folder");
            store(&requests, folder.path(), Way::InTurn);
        }
    });
    for (stage, time) in stages {
        let micros = time.as_secs_f64() * 1e6 / (spans * ROUNDS as f64);
        println!("{{\"bench\":\"ingest-stage\",\"stage\":\"{stage}\",\"microseconds_per_span\":{micros:.2}}}");
    }
}

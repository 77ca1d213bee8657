//! Decoders and importers.

use std::sync::OnceLock;

use flowglass_studio::ingest::cloudevents::{
    Draft, b3, build, from_http, is_event, jaeger_context, parse_time, structured, traceparent,
};
use flowglass_studio::ingest::files::{import_bytes, jaeger_trace, zipkin as zipkin_file};
use flowglass_studio::ingest::nats::{AckSubject, acknowledgement, advisory, covers, matches, parse_headers};
use flowglass_studio::ingest::normalise::template_path;
use flowglass_studio::ingest::otlp::{Encoding, count_data_points, decode_logs, decode_traces};
use flowglass_studio::ingest::redact::{redact_payload, redact_text};
use flowglass_studio::ingest::{Options, Sink, Submission};
use flowglass_studio::model::{Batch, IngestCounts};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

use super::text;

fn options() -> Options {
    Options::named("fuzz")
}

/// What is refused says where and why.
fn told(batch: &Batch) {
    for rejected in &batch.rejected {
        assert!(!rejected.reason.is_empty() && rejected.count > 0, "{rejected:?}");
    }
}

pub(super) fn otlp_protobuf(bytes: &[u8]) {
    for batch in [decode_traces, decode_logs].map(|decode| decode(bytes, Encoding::Protobuf, &options())) {
        batch.iter().for_each(told);
    }
    let _ = count_data_points(bytes, Encoding::Protobuf);
}

pub(super) fn otlp_json(bytes: &[u8]) {
    for batch in [decode_traces, decode_logs].map(|decode| decode(bytes, Encoding::Json, &options())) {
        batch.iter().for_each(told);
    }
    let _ = count_data_points(bytes, Encoding::Json);
}

pub(super) fn jaeger(bytes: &[u8]) {
    jaeger_trace(bytes, &options()).iter().for_each(told);
}

pub(super) fn zipkin(bytes: &[u8]) {
    let _ = zipkin_file::spans(bytes, &options());
}

/// The first byte says in which of the forms of a request the rest comes.
pub(super) fn cloudevents(bytes: &[u8]) {
    let _ = structured(bytes);
    is_event(bytes);
    let Some((form, body)) = bytes.split_first() else { return };
    let mut headers = HeaderMap::new();
    let kind = ["application/cloudevents+json", "application/cloudevents-batch+json", "application/json"];
    headers.insert("content-type", HeaderValue::from_static(kind[usize::from(form % 3)]));
    // For the binary form: lines of headers, then the data.
    let (head, data) = match form % 3 {
        2 => body.split_at(body.iter().position(|b| *b == 0).unwrap_or_default()),
        _ => (&[][..], body),
    };
    for line in head.split(|b| *b == b'\n') {
        let Some(colon) = line.iter().position(|b| *b == b':') else { continue };
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(&line[..colon]), HeaderValue::from_bytes(&line[colon + 1..]))
        {
            headers.append(name, value);
        }
    }
    let _ = from_http(&headers, data, 1, &options());
}

/// A subject, headers as they are on the wire, and a payload, parted by zeros.
pub(super) fn nats(bytes: &[u8]) {
    let mut parts = bytes.splitn(3, |b| *b == 0);
    let mut part = || parts.next().unwrap_or_default();
    let (subject, headers, payload) = (text(part()), parse_headers(part()), part().to_vec());
    if let Some(ack) = AckSubject::parse(&subject) {
        ack.clone().delivery(None, 1, None);
        acknowledgement(&payload).map(|a| ack.settlement(a, 1));
    }
    advisory(&subject, &payload, 1);
    advisory(&subject, bytes, 1);
    matches(&subject, "orders.placed.eu");
    matches("orders.*.>", &subject);
    covers(&subject, "orders.>");
    let draft = Draft { system: "nats".into(), destination: subject, headers, payload, ..Draft::default() };
    build(draft, &options());
}

pub(super) fn headers(bytes: &[u8]) {
    let value = text(bytes);
    traceparent(&value);
    b3(&value);
    jaeger_context(&value);
    parse_time(&value);
    template_path(&value);
    let mut hidden = value.clone();
    redact_text(&mut hidden);
    let mut payload = bytes.to_vec();
    redact_payload(&mut payload);
}

/// A runtime, and a store that takes everything.
fn keeper() -> &'static (Runtime, Sink) {
    static KEEPER: OnceLock<(Runtime, Sink)> = OnceLock::new();
    KEEPER.get_or_init(|| {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let (sink, mut queue) = Sink::channel(8, 64 << 20);
        runtime.spawn(async move {
            while let Some(Submission { batch, done, .. }) = queue.recv().await {
                // On a task of its own: one that fails is noticed, and the next inputs are taken.
                let batch = std::sync::Arc::new(batch);
                let told_of = batch.clone();
                let _ = tokio::spawn(async move { told(&told_of) }).await;
                let counts = IngestCounts { spans: batch.spans.len() as u64, ..IngestCounts::default() };
                let _ = done.send(Ok(counts));
            }
        });
        (runtime, sink)
    })
}

/// A sink for receivers, with the runtime that they run on.
pub(super) fn taking() -> (&'static Runtime, Sink) {
    let (runtime, sink) = keeper();
    (runtime, sink.clone())
}

pub(super) fn import(bytes: &[u8]) {
    let (runtime, sink) = taking();
    let content = std::io::Cursor::new(bytes.to_vec());
    let cancel = CancellationToken::new();
    let report = runtime.block_on(import_bytes("fuzz", content, &sink, &options(), |_| {}, cancel));
    let report = report.expect("only a store ends an import");
    let nothing = report.counts == IngestCounts::default() && report.rejected_total == 0;
    assert!(!nothing || report.recognised > 0, "it was passed over in silence");
}

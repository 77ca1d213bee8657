//! Bombs, depth, and a million of everything.

use std::io::Write as _;

use flowglass_ingest::files::import_bytes;
use flowglass_ingest::normalise::MAX_ATTRIBUTES;
use flowglass_ingest::otlp::{Encoding, decode_logs, decode_traces};
use flowglass_ingest::{Options, ReceiverConfig, Sink, Submission};
use flowglass_model::IngestCounts;
use tokio_util::sync::CancellationToken;

use crate::support::{Server, field, post, request, span};

const PROTOBUF: &str = "application/x-protobuf";

fn gzip(bytes: &[u8], times: usize) -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    (0..times).for_each(|_| gz.write_all(bytes).unwrap());
    gz.finish().unwrap()
}

fn zstd(bytes: &[u8], times: usize) -> Vec<u8> {
    let mut z = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    (0..times).for_each(|_| z.write_all(bytes).unwrap());
    z.finish().unwrap()
}

/// A zstd frame that asks for a window of 2 GiB (RFC 8878, 3.1.1.1.2).
fn wide_window() -> Vec<u8> {
    [&[0x28, 0xb5, 0x2f, 0xfd, 0x00, (31 - 10) << 3][..], &[0x01, 0, 0]].concat()
}

#[tokio::test]
async fn bombs_are_refused_at_the_limit_and_cost_nobody_else() {
    let local = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let config = ReceiverConfig { grpc: None, http: Some(local), max_body: 4 << 20, ..ReceiverConfig::default() };
    let server = Server::with(config).await;
    let zeros = vec![0; 1 << 20];
    for (encoding, bomb) in
        [("gzip", gzip(&zeros, 256)), ("zstd", zstd(&zeros, 256)), ("gzip", gzip(&b"{\"a\":".repeat(1 << 17), 300))]
    {
        assert!(bomb.len() < 4 << 20, "{} bytes of {encoding}", bomb.len());
        let more = format!("Content-Encoding: {encoding}\r\nConnection: close\r\n");
        let answer = server.says(&post("/v1/traces", "application/json", &more, &bomb)).await;
        assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("larger than 4194304 bytes"), "{answer}");
    }
    let more = "Content-Encoding: zstd\r\nConnection: close\r\n";
    let answer = server.says(&post("/v1/traces", "application/json", more, &wide_window())).await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("cannot be read"), "{answer}");
    server.still_takes().await;
}

#[test]
fn depth_costs_the_span_that_has_it() {
    // AnyValue → ArrayValue → AnyValue …, from the inside.
    let mut value = field(1, b"deep");
    for _ in 0..1_500 {
        value = field(5, &field(1, &value));
    }
    let deep = field(9, &[field(1, b"key"), field(2, &value)].concat());
    let bytes = request(&[span(1, &[]), span(2, &deep), span(3, &[])]);
    let batch = decode_traces(&bytes, Encoding::Protobuf, &Options::named("t")).unwrap();
    assert_eq!((batch.spans.len(), batch.rejected.len()), (2, 1));
    assert!(batch.rejected[0].at.ends_with("spans[1]") && batch.rejected[0].reason.contains("recursion"));

    let nested = format!("{}1{}", "{\"arrayValue\":{\"values\":[".repeat(50_000), "]}}".repeat(50_000));
    let ids = r#""traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331""#;
    let json = format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{ids}}},{{{ids},"attributes":[{{"key":"a","value":{nested}}}]}}]}}]}}]}}"#
    );
    let error = decode_traces(json.as_bytes(), Encoding::Json, &Options::named("t"));
    match error {
        Ok(batch) => assert_eq!((batch.spans.len(), batch.rejected.len()), (1, 1)),
        Err(e) => assert!(e.to_string().contains("recursion") || e.to_string().contains("parts"), "{e}"),
    }
    for deep in ["[".repeat(1 << 20), "{\"a\":".repeat(1 << 20), format!("{{\"resourceSpans\":{}", "[".repeat(100_000))]
    {
        let error = decode_traces(deep.as_bytes(), Encoding::Json, &Options::named("t")).unwrap_err();
        assert!(!error.to_string().is_empty());
    }
}

#[test]
fn a_million_links_are_cut_and_counted() {
    let link = field(13, &[field(1, &[1; 16]), field(2, &[2; 8])].concat());
    let bytes = request(&[span(1, &link.repeat(1_000_000))]);
    let batch = decode_traces(&bytes, Encoding::Protobuf, &Options::named("t")).unwrap();
    let kept = &batch.spans[0];
    assert_eq!((kept.links.len(), kept.dropped as usize), (MAX_ATTRIBUTES, 1_000_000 - MAX_ATTRIBUTES));
}

#[test]
fn a_million_empty_parts_are_refused_before_they_take_memory() {
    let links = request(&[span(1, &field(13, &[]).repeat(1_000_000))]);
    let spans = field(1, &field(2, &field(2, &[]).repeat(1_000_000)));
    let groups = field(1, &[]).repeat(1_000_000);
    for bytes in [&links, &spans, &groups] {
        for decode in [decode_traces, decode_logs] {
            let outcome = decode(bytes, Encoding::Protobuf, &Options::named("t"));
            // Logs have no links: what they do not know they pass over.
            if let Err(e) = outcome {
                assert!(e.to_string().contains("smaller batches"), "{e}");
            } else {
                assert_eq!(bytes, &links);
            }
        }
        assert!(decode_traces(bytes, Encoding::Protobuf, &Options::named("t")).is_err());
    }
    let json = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{}{{}}]}}]}}]}}"#, "{},".repeat(1_000_000));
    let error = decode_traces(json.as_bytes(), Encoding::Json, &Options::named("t")).unwrap_err();
    assert!(error.to_string().contains("parts"), "{error}");
    let zipkin = format!("[{}{{}}]", "{},".repeat(1_000_000));
    let error = flowglass_ingest::files::zipkin::spans(zipkin.as_bytes(), &Options::named("t")).unwrap_err();
    assert!(error.contains("parts"), "{error}");
}

#[tokio::test]
async fn a_request_of_empty_parts_is_answered_with_what_is_wrong() {
    let server = Server::within(flowglass_listen::Limits::default()).await;
    let body = gzip(&request(&[span(1, &field(13, &[]).repeat(1_000_000))]), 1);
    let more = "Content-Encoding: gzip\r\nConnection: close\r\n";
    let answer = server.says(&post("/v1/traces", PROTOBUF, more, &body)).await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("no telemetry is"), "{answer}");
    server.still_takes().await;
}

/// Imports bytes; answers how much was stored and the reasons of what was refused.
async fn imported(bytes: Vec<u8>) -> (IngestCounts, Vec<String>) {
    let (sink, mut queue) = Sink::channel(8, 256 << 20);
    tokio::spawn(async move {
        while let Some(Submission { batch, done, .. }) = queue.recv().await {
            let counts = IngestCounts { spans: batch.spans.len() as u64, ..IngestCounts::default() };
            let _ = done.send(Ok(counts));
        }
    });
    let (content, stop) = (std::io::Cursor::new(bytes), CancellationToken::new());
    let report = import_bytes("a file", content, &sink, &Options::named("t"), |_| {}, stop).await.unwrap();
    (report.counts, report.rejected.into_iter().map(|r| r.reason).collect())
}

#[tokio::test]
async fn archives_are_not_unpacked_and_bombs_end_early() {
    let zip = [b"PK\x03\x04".as_slice(), &[0; 200]].concat();
    let mut tar = vec![0; 1024];
    tar[..16].copy_from_slice(b"../../etc/passwd");
    tar[257..262].copy_from_slice(b"ustar");
    for (archive, word) in [(zip, "zip archive"), (tar.clone(), "tar archive"), (gzip(&tar, 1), "tar archive")] {
        let (counts, reasons) = imported(archive).await;
        assert_eq!(counts, IngestCounts::default());
        assert!(reasons[0].contains(word) && reasons[0].contains("unpack it"), "{reasons:?}");
    }
    let zeros = vec![0; 1 << 20];
    for bomb in [gzip(&zeros, 1_000), zstd(&zeros, 1_000), wide_window()] {
        let (counts, reasons) = imported(bomb).await;
        assert_eq!((counts, reasons.len()), (IngestCounts::default(), 1), "{reasons:?}");
    }
    // One value without an end, of a format that is known.
    let endless = gzip(&[br#"{"resourceSpans":[{"x":""#.as_slice(), &vec![b'a'; 1 << 20]].concat(), 300);
    let (counts, reasons) = imported(endless).await;
    assert_eq!(counts, IngestCounts::default());
    assert!(!reasons.is_empty(), "it is said");
}

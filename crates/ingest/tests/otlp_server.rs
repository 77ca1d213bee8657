//! A real receiver on free ports with a store of channels behind it: every answer the protocol knows.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flowglass_ingest::secrets::Secret;
use flowglass_ingest::{BindError, IngestStats, ReceiverConfig, Sink, Submission, SubmitError, bind};
use flowglass_model::{Batch, IngestCounts, SourceKind};
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::metrics::v1::{
    Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, metric::Data,
};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic::codec::CompressionEncoding;

const PROTOBUF: &str = "application/x-protobuf";

struct Server {
    grpc: SocketAddr,
    http: SocketAddr,
    kept: Arc<Mutex<Vec<(SourceKind, Batch)>>>,
    stats: Arc<IngestStats>,
    shutdown: CancellationToken,
    serving: JoinHandle<()>,
    client: Client,
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn config() -> ReceiverConfig {
    ReceiverConfig { grpc: Some(local(0)), http: Some(local(0)), ..ReceiverConfig::default() }
}

impl Server {
    /// Serves with a store that keeps everything.
    async fn keeping(config: ReceiverConfig) -> Server {
        Server::with_store(config, |batch| Ok(IngestCounts { spans: batch.spans.len() as u64, ..Default::default() }))
            .await
    }

    async fn with_store(
        config: ReceiverConfig,
        store: impl Fn(&Batch) -> Result<IngestCounts, SubmitError> + Send + 'static,
    ) -> Server {
        let (sink, mut queue) = Sink::channel(8, 256 << 20);
        let kept = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&kept);
        tokio::spawn(async move {
            while let Some(Submission { batch, source, done, .. }) = queue.recv().await {
                let outcome = store(&batch);
                keep.lock().unwrap().push((source, batch));
                let _ = done.send(outcome);
            }
        });
        Server::with_sink(config, sink, kept).await
    }

    async fn with_sink(config: ReceiverConfig, sink: Sink, kept: Arc<Mutex<Vec<(SourceKind, Batch)>>>) -> Server {
        let receivers = bind(config).await.unwrap();
        let (grpc, http) = (receivers.grpc_addr().unwrap(), receivers.http_addr().unwrap());
        let (stats, shutdown) = (Arc::new(IngestStats::default()), CancellationToken::new());
        let serving = tokio::spawn(receivers.serve(sink, Arc::clone(&stats), shutdown.clone()));
        // No client can be built before somebody says what does the cryptography; that it was said before is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Server { grpc, http, kept, stats, shutdown, serving, client: Client::new() }
    }

    fn post(&self, path: &str, kind: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.client.post(format!("http://{}{path}", self.http)).header("content-type", kind).body(body)
    }

    async fn traces(&self, bytes: Vec<u8>) -> Answer {
        Answer::of(self.post("/v1/traces", PROTOBUF, bytes)).await
    }

    fn spans(&self) -> usize {
        self.kept.lock().unwrap().iter().map(|(_, b)| b.spans.len()).sum()
    }
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    async fn of(request: RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Answer { status, headers, body: response.bytes().await.unwrap().to_vec() }
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    fn json(&self) -> serde_json::Value {
        assert_eq!(self.header("content-type"), "application/json");
        serde_json::from_slice(&self.body).unwrap()
    }

    /// `google.rpc.Status` as protobuf: code and message.
    fn status_proto(&self) -> (i32, String) {
        #[derive(Clone, PartialEq, Message)]
        struct RpcStatus {
            #[prost(int32, tag = "1")]
            code: i32,
            #[prost(string, tag = "2")]
            message: String,
        }
        assert_eq!(self.header("content-type"), PROTOBUF);
        let status = RpcStatus::decode(self.body.as_slice()).unwrap();
        (status.code, status.message)
    }
}

fn span(id: u64) -> Span {
    Span {
        trace_id: vec![7; 16],
        span_id: id.to_be_bytes().to_vec(),
        name: "work".to_owned(),
        start_time_unix_nano: 1,
        end_time_unix_nano: 2,
        ..Default::default()
    }
}

fn request(ids: impl IntoIterator<Item = u64>) -> ExportTraceServiceRequest {
    let scope_spans = vec![ScopeSpans { spans: ids.into_iter().map(span).collect(), ..Default::default() }];
    ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..Default::default() }] }
}

fn metrics(points: usize) -> ExportMetricsServiceRequest {
    let gauge = Gauge { data_points: vec![NumberDataPoint::default(); points] };
    let metrics = vec![Metric { data: Some(Data::Gauge(gauge)), ..Default::default() }];
    let scope_metrics = vec![ScopeMetrics { metrics, ..Default::default() }];
    ExportMetricsServiceRequest { resource_metrics: vec![ResourceMetrics { scope_metrics, ..Default::default() }] }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

#[tokio::test]
async fn protobuf_and_json_are_stored_before_success() {
    let server = Server::keeping(config()).await;
    let answer = server.traces(request([1, 2]).encode_to_vec()).await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, PROTOBUF));
    assert_eq!(ExportTraceServiceResponse::decode(answer.body.as_slice()).unwrap(), Default::default());
    assert_eq!(server.spans(), 2);

    let json = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331"}]}]}]}"#;
    let answer = Answer::of(server.post("/v1/traces", "application/json; charset=utf-8", json)).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, serde_json::json!({})));
    assert_eq!(server.kept.lock().unwrap().last().unwrap().0, SourceKind::OtlpHttp);
    let counts = server.stats.otlp_http.counts();
    assert_eq!((counts.requests, counts.spans, counts.errors), (2, 3, 0));

    for path in ["/v1/traces", "/v1/logs", "/v1/metrics"] {
        assert_eq!(Answer::of(server.post(path, PROTOBUF, "")).await.status, StatusCode::OK, "an empty {path} is fine");
    }
}

#[tokio::test]
async fn bad_spans_are_told_as_partial_success_in_both_encodings() {
    let server = Server::keeping(config()).await;
    let mut two = request([1, 0]).encode_to_vec();
    let answer = server.traces(std::mem::take(&mut two)).await;
    let partial = ExportTraceServiceResponse::decode(answer.body.as_slice()).unwrap().partial_success.unwrap();
    assert_eq!((answer.status, partial.rejected_spans), (StatusCode::OK, 1));
    assert!(partial.error_message.contains("spans[1]") && partial.error_message.contains("zero"), "{partial:?}");

    let json = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0af7","spanId":"b7ad6b7169203331"}]}]}]}"#;
    let answer = Answer::of(server.post("/v1/traces", "application/json", json)).await;
    assert_eq!(answer.json()["partialSuccess"]["rejectedSpans"], "1");
    assert_eq!(server.spans(), 1);
    assert_eq!(server.stats.refusals.list().len(), 2);
    assert_eq!(server.stats.otlp_http.counts().rejected, 2);
}

#[tokio::test]
async fn metrics_are_answered_as_not_kept() {
    let server = Server::keeping(config()).await;
    let answer = Answer::of(server.post("/v1/metrics", PROTOBUF, metrics(3).encode_to_vec())).await;
    let partial = ExportMetricsServiceResponse::decode(answer.body.as_slice()).unwrap().partial_success.unwrap();
    assert_eq!((answer.status, partial.rejected_data_points), (StatusCode::OK, 3));
    assert!(partial.error_message.contains("OTEL_METRICS_EXPORTER=none"));
    assert!(server.kept.lock().unwrap().is_empty());
}

#[tokio::test]
async fn compressed_and_chunked_bodies() {
    let server = Server::keeping(config()).await;
    let plain = request([1]).encode_to_vec();
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    zlib.write_all(&plain).unwrap();
    let bodies = [
        ("gzip", gzip(&plain)),
        ("zstd", zstd::encode_all(plain.as_slice(), 1).unwrap()),
        ("deflate", zlib.finish().unwrap()),
        ("identity", plain.clone()),
    ];
    for (encoding, body) in bodies {
        let answer = Answer::of(server.post("/v1/traces", PROTOBUF, body).header("content-encoding", encoding)).await;
        assert_eq!(answer.status, StatusCode::OK, "{encoding}");
    }
    let chunks: Vec<Result<Vec<u8>, std::io::Error>> = plain.chunks(7).map(|c| Ok(c.to_vec())).collect();
    let chunked = reqwest::Body::wrap_stream(futures::stream::iter(chunks));
    assert_eq!(Answer::of(server.post("/v1/traces", PROTOBUF, chunked)).await.status, StatusCode::OK);
    assert_eq!(server.spans(), 5);

    let broken = Answer::of(server.post("/v1/traces", PROTOBUF, "no gzip").header("content-encoding", "gzip")).await;
    assert_eq!((broken.status, broken.status_proto().0), (StatusCode::BAD_REQUEST, Code::InvalidArgument as i32));
    let unknown = Answer::of(server.post("/v1/traces", PROTOBUF, plain).header("content-encoding", "br")).await;
    assert_eq!(unknown.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(unknown.header("accept-encoding").contains("zstd"));
}

#[tokio::test]
async fn limits_hold_before_and_after_decompression() {
    let server = Server::keeping(ReceiverConfig { max_body: 1 << 20, ..config() }).await;
    let too_large = |answer: Answer| {
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
        let (code, message) = answer.status_proto();
        assert_eq!(code, Code::InvalidArgument as i32);
        assert!(message.contains("smaller batches"), "{message}");
    };
    too_large(server.traces(vec![0; (1 << 20) + 1]).await);
    let bomb = gzip(&vec![0; 64 << 20]);
    assert!(bomb.len() < 1 << 20);
    too_large(Answer::of(server.post("/v1/traces", PROTOBUF, bomb).header("content-encoding", "gzip")).await);
    let chunks = (0..32).map(|_| Ok::<_, std::io::Error>(vec![0u8; 64 << 10]));
    let chunked = reqwest::Body::wrap_stream(futures::stream::iter(chunks));
    too_large(Answer::of(server.post("/v1/traces", PROTOBUF, chunked)).await);
    assert_eq!(server.traces(request([1]).encode_to_vec()).await.status, StatusCode::OK, "it still serves");
}

#[tokio::test]
async fn sixty_four_mebibytes_are_taken_and_a_byte_more_is_not() {
    let server = Server::keeping(config()).await;
    // An unknown field (number 2000, length-delimited) fills a valid request up to the limit.
    let mut body = request([1]).encode_to_vec();
    let filler = (64 << 20) - body.len() - 2 - 4;
    prost::encoding::encode_key(2000, prost::encoding::WireType::LengthDelimited, &mut body);
    prost::encoding::encode_varint(filler as u64, &mut body);
    body.resize(64 << 20, 0);
    assert_eq!(server.traces(body.clone()).await.status, StatusCode::OK);
    body.push(0);
    assert_eq!(server.traces(body).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(server.spans(), 1);
}

#[tokio::test]
async fn wrong_requests_are_told_what_is_right() {
    let server = Server::keeping(config()).await;
    let bad = server.traces(b"garbage".to_vec()).await;
    assert_eq!((bad.status, bad.status_proto().0), (StatusCode::BAD_REQUEST, Code::InvalidArgument as i32));
    let bad = Answer::of(server.post("/v1/traces", "application/json", "{")).await;
    assert_eq!((bad.status, &bad.json()["code"]), (StatusCode::BAD_REQUEST, &serde_json::json!(3)));

    for kind in ["text/plain", "application/x-thrift"] {
        let answer = Answer::of(server.post("/v1/traces", kind, "x")).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        assert_eq!(answer.header("accept-post"), "application/x-protobuf, application/json");
    }
    for (path, hint) in
        [("/", "/v1/traces"), ("/v1/trace", "/v1/traces"), ("/logs", "/v1/logs"), ("/api/v1/spans", "/api/v2/spans")]
    {
        let answer = Answer::of(server.post(path, PROTOBUF, "")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert!(answer.json()["message"].as_str().unwrap().contains(hint), "{path}");
    }
    let get = Answer::of(server.client.get(format!("http://{}/v1/traces", server.http))).await;
    assert_eq!((get.status, get.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "POST, OPTIONS"));
    assert_eq!(server.stats.otlp_http.counts().errors, 9);
    assert_eq!(server.stats.refusals.list()[0].what, "POST /v1/traces");
}

#[tokio::test]
async fn browsers_may_send_from_loopback_pages_only() {
    let server = Server::keeping(config()).await;
    let url = format!("http://{}/v1/traces", server.http);
    let ask = |origin: &str| {
        let request = server.client.request(Method::OPTIONS, &url).header("origin", origin);
        Answer::of(request.header("access-control-request-headers", "content-type,x-b"))
    };
    for origin in ["http://localhost:5173", "https://127.0.0.1", "http://[::1]:80"] {
        let answer = ask(origin).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        assert_eq!(answer.header("access-control-allow-origin"), origin);
        assert_eq!(answer.header("access-control-allow-headers"), "content-type,x-b");
        let sent = server.post("/v1/traces", PROTOBUF, request([1]).encode_to_vec()).header("origin", origin);
        let sent = Answer::of(sent).await;
        assert_eq!((sent.status, sent.header("access-control-allow-origin")), (StatusCode::OK, origin));
    }
    for origin in ["https://evil.example", "null", "http://localhost.evil.example", "http://127.0.0.1@evil.example"] {
        assert_eq!(ask(origin).await.status, StatusCode::FORBIDDEN, "{origin}");
        let sent = server.post("/v1/traces", PROTOBUF, request([1]).encode_to_vec()).header("origin", origin);
        let sent = Answer::of(sent).await;
        assert_eq!((sent.status, sent.header("access-control-allow-origin")), (StatusCode::FORBIDDEN, ""), "{origin}");
    }
    assert_eq!(server.spans(), 3);
}

#[tokio::test]
async fn store_failures_say_whether_to_try_again() {
    for (error, status, code, retry) in [
        (SubmitError::Closed, StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, "1"),
        (
            SubmitError::Full("only 3 MB are left".to_owned()),
            StatusCode::SERVICE_UNAVAILABLE,
            Code::ResourceExhausted,
            "1",
        ),
        (
            SubmitError::Failed { reason: "disk gone".to_owned(), retryable: true },
            StatusCode::SERVICE_UNAVAILABLE,
            Code::Unavailable,
            "1",
        ),
        (
            SubmitError::Failed { reason: "corrupt".to_owned(), retryable: false },
            StatusCode::INTERNAL_SERVER_ERROR,
            Code::Internal,
            "",
        ),
    ] {
        let give = error.clone();
        let server = Server::with_store(config(), move |_| Err(give.clone())).await;
        let answer = server.traces(request([1]).encode_to_vec()).await;
        assert_eq!((answer.status, answer.header("retry-after")), (status, retry), "{error:?}");
        assert_eq!(answer.status_proto().0, code as i32);
        let mut grpc = TraceServiceClient::connect(format!("http://{}", server.grpc)).await.unwrap();
        assert_eq!(grpc.export(request([1])).await.unwrap_err().code(), code);
        assert_eq!(server.stats.otlp_http.counts().spans, 0, "what is not stored is not counted as accepted");
    }
}

#[tokio::test]
async fn a_full_queue_answers_busy_with_retry_info() {
    let (sink, mut queue) = Sink::channel(1, 1 << 20);
    let server = Server::with_sink(config(), sink, Arc::default()).await;
    let first = tokio::spawn(server.post("/v1/traces", PROTOBUF, request([1]).encode_to_vec()).send());
    let held = queue.recv().await.unwrap();
    let second = tokio::spawn(server.post("/v1/traces", PROTOBUF, request([2]).encode_to_vec()).send());
    // The second waits in the queue of one place; from then on there is no room.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while queue.is_empty() {
        assert!(tokio::time::Instant::now() < deadline, "the second request never arrived");
        tokio::task::yield_now().await;
    }
    let busy = server.traces(request([3]).encode_to_vec()).await;
    assert_eq!((busy.status, busy.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "1"));
    assert_eq!(busy.status_proto().0, Code::ResourceExhausted as i32);
    let mut grpc = TraceServiceClient::connect(format!("http://{}", server.http)).await.unwrap();
    let status = grpc.export(request([4])).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    let details = String::from_utf8_lossy(status.details()).into_owned();
    assert!(details.contains("google.rpc.RetryInfo"), "{details}");

    let ok = || Ok(IngestCounts::default());
    held.done.send(ok()).unwrap();
    queue.recv().await.unwrap().done.send(ok()).unwrap();
    assert_eq!(first.await.unwrap().unwrap().status(), StatusCode::OK);
    assert_eq!(second.await.unwrap().unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn both_ports_take_grpc_plain_and_compressed() {
    let server = Server::keeping(config()).await;
    for addr in [server.grpc, server.http] {
        let client = TraceServiceClient::connect(format!("http://{addr}")).await.unwrap();
        let mut plain = client.clone();
        assert_eq!(plain.export(request([1])).await.unwrap().into_inner(), Default::default());
        for encoding in [CompressionEncoding::Gzip, CompressionEncoding::Zstd] {
            let mut client = client.clone().send_compressed(encoding);
            let answer = client.export(request([2, 0])).await.unwrap().into_inner();
            assert_eq!(answer.partial_success.unwrap().rejected_spans, 1);
        }
    }
    assert_eq!(server.spans(), 6);
    assert!(server.kept.lock().unwrap().iter().all(|(source, _)| *source == SourceKind::OtlpGrpc));

    let mut logs = LogsServiceClient::connect(format!("http://{}", server.grpc)).await.unwrap();
    let answer = logs.export(ExportLogsServiceRequest::default()).await.unwrap().into_inner();
    assert_eq!(answer, ExportLogsServiceResponse::default());
    let mut client = MetricsServiceClient::connect(format!("http://{}", server.grpc)).await.unwrap();
    let partial = client.export(metrics(2)).await.unwrap().into_inner().partial_success.unwrap();
    assert_eq!(partial.rejected_data_points, 2);
    let traces =
        Answer::of(server.client.post(format!("http://{}/v1/traces", server.grpc)).header("content-type", PROTOBUF));
    assert_eq!(traces.await.status, StatusCode::OK, "the gRPC port takes HTTP");
}

#[tokio::test]
async fn grpc_limits_answer_invalid_argument() {
    let server = Server::keeping(ReceiverConfig { max_body: 1 << 20, ..config() }).await;
    let client = TraceServiceClient::connect(format!("http://{}", server.grpc)).await.unwrap();
    let mut large = request([1]);
    large.resource_spans[0].schema_url = "x".repeat(2 << 20);
    for mut client in [client.clone(), client.clone().send_compressed(CompressionEncoding::Gzip)] {
        let status = client.export(large.clone()).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    }
    let mut client = client;
    assert!(client.export(request([1])).await.is_ok(), "the connection still serves");
    assert_eq!(server.stats.otlp_grpc.counts().errors, 2);
}

#[tokio::test]
async fn tls_on_a_plain_port_is_seen_and_said() {
    let server = Server::keeping(config()).await;
    let mut stream = TcpStream::connect(server.http).await.unwrap();
    stream.write_all(&[0x16, 0x03, 0x01, 0x00, 0x05, 0x01]).await.unwrap();
    let mut rest = Vec::new();
    // Closed with data unread, so the other side may see a reset instead of an end.
    let _ = stream.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
    let refusals = server.stats.refusals.list();
    assert!(refusals[0].reason.starts_with("TLS on a plain port"), "{refusals:?}");
    assert_eq!(refusals[0].peer, stream.local_addr().unwrap().to_string());
}

#[tokio::test]
async fn shutdown_finishes_what_was_begun() {
    let (sink, mut queue) = Sink::channel(4, 1 << 20);
    let server = Server::with_sink(config(), sink, Arc::default()).await;
    let sent = tokio::spawn(server.post("/v1/traces", PROTOBUF, request([1]).encode_to_vec()).send());
    let held = queue.recv().await.unwrap();
    server.shutdown.cancel();
    held.done.send(Ok(IngestCounts::default())).unwrap();
    assert_eq!(sent.await.unwrap().unwrap().status(), StatusCode::OK);
    tokio::time::timeout(Duration::from_secs(20), server.serving).await.unwrap().unwrap();
    assert!(TcpStream::connect(server.http).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn shutdown_cuts_off_what_never_ends() {
    let server = Server::keeping(ReceiverConfig { grace: Duration::from_millis(200), ..config() }).await;
    let mut stream = TcpStream::connect(server.http).await.unwrap();
    let head =
        "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: 9\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    server.shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(20), server.serving).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_taken_port_names_its_holder_and_remote_addresses_are_refused() {
    let taken = tokio::net::TcpListener::bind(local(0)).await.unwrap();
    let addr = taken.local_addr().unwrap();
    let error = bind(ReceiverConfig { http: Some(addr), grpc: None, ..config() }).await.unwrap_err();
    assert!(matches!(error, BindError::InUse { .. }));
    let text = error.to_string();
    assert!(text.contains(&addr.to_string()) && text.contains("held by"), "{text}");
    #[cfg(target_os = "linux")]
    assert!(text.contains("itself"), "{text}");

    let everyone = SocketAddr::from(([0, 0, 0, 0], 0));
    let error = bind(ReceiverConfig { http: Some(everyone), ..config() }).await.unwrap_err();
    assert!(matches!(error, BindError::NotLoopback { .. }), "{error}");
    let token = Some(Secret::new("0123456789abcdef"));
    assert!(bind(ReceiverConfig { http: Some(everyone), token, ..config() }).await.is_ok());
    let error = bind(ReceiverConfig { http: Some(local(9)), grpc: Some(local(9)), ..config() }).await.unwrap_err();
    assert!(matches!(error, BindError::Same { .. }), "{error}");
}

#[tokio::test]
async fn cloud_events_come_in_beside_traces() {
    let server = Server::keeping(config()).await;
    let event = r#"{"specversion":"1.0","id":"e-1","source":"/shop","type":"order.placed","data":{"orderId":"o-1"}}"#;
    let answer = Answer::of(server.post("/cloudevents", "application/cloudevents+json", event)).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", String::from_utf8_lossy(&answer.body));
    let (source, batch) = server.kept.lock().unwrap().pop().unwrap();
    assert_eq!((source, batch.messages[0].event_id.as_deref()), (SourceKind::CloudEvents, Some("e-1")));
    assert_eq!(server.stats.otlp_http.counts().events, 1);
    let bad = Answer::of(server.post("/cloudevents", "application/cloudevents+json", "{}")).await;
    assert_eq!(bad.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn zipkin_comes_in_beside_traces() {
    let server = Server::keeping(config()).await;
    let spans = r#"[{"traceId":"0af7651916cd43dd8448eb211c80319c","id":"b7ad6b7169203331","name":"get","kind":"SERVER",
        "timestamp":1700000000000000,"duration":1000,"localEndpoint":{"serviceName":"shop"}}]"#;
    let answer = Answer::of(server.post("/api/v2/spans", "application/json", spans)).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", String::from_utf8_lossy(&answer.body));
    let (source, batch) = server.kept.lock().unwrap().pop().unwrap();
    assert_eq!((source, batch.spans[0].facts.service.as_str()), (SourceKind::Zipkin, "service:shop"));
}

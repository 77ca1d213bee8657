//! Connections that bring nothing, senders from afar, our own test, rebinding, forwarding: on the wire.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flowglass_ingest::forward::{Forward, ForwardSlot, ForwardState, Limits, Target};
use flowglass_ingest::otlp::SilentConnection;
use flowglass_ingest::secrets::Secret;
use flowglass_ingest::selftest::{Probe, send, store};
use flowglass_ingest::{IngestStats, ReceiverConfig, Sink, Submission, bind};
use flowglass_model::{Batch, IngestCounts};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use reqwest::{Client, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tonic::codec::CompressionEncoding;

/// A client; none can be built before somebody says what does the cryptography, and that it was said before is fine.
fn client() -> reqwest::ClientBuilder {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
}

const PROTOBUF: &str = "application/x-protobuf";
const PATIENCE: Duration = Duration::from_secs(20);

/// A receiver on one port, and what it kept.
struct Server {
    addr: SocketAddr,
    kept: Arc<Mutex<Vec<Batch>>>,
    rehearsed: Arc<Mutex<usize>>,
    stats: Arc<IngestStats>,
    sink: Sink,
    closed: CancellationToken,
    shutdown: CancellationToken,
    serving: tokio::task::JoinHandle<()>,
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

impl Server {
    async fn start() -> Server {
        Server::with(ReceiverConfig { http: Some(local(0)), grpc: None, ..ReceiverConfig::default() }).await
    }

    async fn with(config: ReceiverConfig) -> Server {
        let (sink, mut queue) = Sink::channel(64, 256 << 20);
        let (kept, rehearsed) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(0)));
        let (keep, count) = (Arc::clone(&kept), Arc::clone(&rehearsed));
        tokio::spawn(async move {
            while let Some(Submission { batch, rehearsal, done, .. }) = queue.recv().await {
                let (spans, events) = (batch.spans.len() as u64, batch.messages.len() as u64);
                let _ = done.send(Ok(IngestCounts { spans, events, ..IngestCounts::default() }));
                match rehearsal {
                    true => *count.lock().unwrap() += 1,
                    false => keep.lock().unwrap().push(batch),
                }
            }
        });
        let receivers = bind(config).await.unwrap();
        let addr = receivers.http_addr().or(receivers.grpc_addr()).unwrap();
        let (closed, stats, shutdown) =
            (receivers.closed(), Arc::new(IngestStats::default()), CancellationToken::new());
        let serving = tokio::spawn(receivers.serve(sink.clone(), Arc::clone(&stats), shutdown.clone()));
        Server { addr, kept, rehearsed, stats, sink, closed, shutdown, serving }
    }

    async fn post(&self, path: &str, kind: &str, body: Vec<u8>) -> StatusCode {
        let request = client()
            .build()
            .unwrap()
            .post(format!("http://{}{path}", self.addr))
            .header("content-type", kind)
            .body(body);
        request.send().await.unwrap().status()
    }

    fn spans(&self) -> usize {
        self.kept.lock().unwrap().iter().map(|b| b.spans.len()).sum()
    }

    /// Sends these bytes and reads to the end.
    async fn say(&self, bytes: &[u8]) {
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }

    /// Waits until the newest silent connection says this.
    async fn silent(&self, reason: &str) -> SilentConnection {
        until(reason, || self.stats.silent.list().into_iter().find(|c| c.reason.contains(reason))).await
    }
}

async fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(value) = found() {
            return value;
        }
        assert!(tokio::time::Instant::now() < deadline, "{what}: it never came");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn request(ids: impl IntoIterator<Item = u64>) -> ExportTraceServiceRequest {
    let span = |id: u64| Span {
        trace_id: vec![7; 16],
        span_id: id.to_be_bytes().to_vec(),
        name: "work".to_owned(),
        start_time_unix_nano: 1,
        end_time_unix_nano: 2,
        ..Default::default()
    };
    let scope_spans = vec![ScopeSpans { spans: ids.into_iter().map(span).collect(), ..Default::default() }];
    ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..Default::default() }] }
}

#[tokio::test]
async fn connections_that_bring_nothing_say_why() {
    let server = Server::start().await;
    // A ClientHello as OpenSSL sends it begins like this (record header, handshake header, version).
    server.say(&[0x16, 0x03, 0x01, 0x00, 0xc4, 0x01, 0x00, 0x00, 0xc0, 0x03, 0x03]).await;
    assert!(server.silent("TLS on a plain port").await.advice.contains("http://"));
    server.say(b"").await;
    server.silent("without a byte").await;
    server.say(b"*1\r\n$4\r\nPING\r\n").await;
    assert!(server.silent("another protocol").await.reason.contains("PING"));
    server.say(b"PROXY TCP4 10.0.0.1 10.0.0.2 5000 4318\r\n").await;
    server.silent("PROXY protocol").await;
    let head =
        "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: 900\r\n\r\nab";
    server.say(head.as_bytes()).await;
    until("a broken body", || {
        let list = server.stats.silent.list();
        list.into_iter().find(|c| {
            c.what.as_deref() == Some("POST /v1/traces")
                && c.reason.contains("body ended early") | c.reason.contains("broke off")
        })
    })
    .await;

    assert_eq!(server.post("/v1/trace", PROTOBUF, Vec::new()).await, StatusCode::NOT_FOUND);
    let wrong_path = server.silent("/v1/traces").await;
    assert_eq!(wrong_path.what.as_deref(), Some("POST /v1/trace"));
    assert!(wrong_path.advice.contains("OTEL_EXPORTER_OTLP_ENDPOINT"));
    server.post("/v1/traces", "text/plain", b"x".to_vec()).await;
    assert!(server.silent("content type text/plain").await.advice.contains("PROTOCOL"));
    let coded =
        client().build().unwrap().post(format!("http://{}/v1/traces", server.addr)).header("content-type", PROTOBUF);
    coded.header("content-encoding", "br").body("x").send().await.unwrap();
    assert!(server.silent("content encoding br").await.advice.contains("COMPRESSION"));
    let metrics = opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest::default();
    assert_eq!(server.post("/v1/metrics", PROTOBUF, metrics.encode_to_vec()).await, StatusCode::OK);
    assert!(server.silent("only metrics").await.advice.contains("OTEL_METRICS_EXPORTER=none"));
    #[cfg(target_os = "linux")]
    assert!(wrong_path.program.is_none(), "it is this very process: {wrong_path:?}");

    let before = server.stats.silent.list().len();
    assert_eq!(server.post("/v1/traces", PROTOBUF, request([1]).encode_to_vec()).await, StatusCode::OK);
    assert_eq!(server.stats.silent.list().len(), before, "one that brings something is no silent one");
}

#[tokio::test]
async fn a_connection_that_finds_the_way_is_forgotten() {
    let server = Server::start().await;
    let client = client().pool_max_idle_per_host(1).build().unwrap();
    let post = |path: &str| {
        let request = client.post(format!("http://{}{path}", server.addr)).header("content-type", PROTOBUF);
        request.body(request_bytes())
    };
    let wrong = post("/traces").send().await.unwrap();
    assert_eq!(wrong.status(), StatusCode::NOT_FOUND);
    wrong.bytes().await.unwrap();
    assert_eq!(server.stats.silent.list().len(), 1);
    assert_eq!(post("/v1/traces").send().await.unwrap().status(), StatusCode::OK);
    assert!(server.stats.silent.list().is_empty(), "{:?}", server.stats.silent.list());
}

fn request_bytes() -> Vec<u8> {
    request([1]).encode_to_vec()
}

#[tokio::test]
async fn refused_requests_reach_the_count_of_the_workspace() {
    let server = Server::start().await;
    for _ in 0..3 {
        assert_eq!(server.post("/v1/traces", PROTOBUF, b"garbage".to_vec()).await, StatusCode::BAD_REQUEST);
    }
    assert_eq!(server.post("/v1/traces", "text/plain", b"x".to_vec()).await, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(server.post("/nothing", PROTOBUF, Vec::new()).await, StatusCode::NOT_FOUND);
    server.shutdown.cancel();
    server.serving.await.unwrap();
    let kept = server.kept.lock().unwrap();
    let lines: Vec<_> = kept.iter().flat_map(|b| &b.rejected).collect();
    assert_eq!(lines.iter().map(|r| r.count).sum::<u64>(), 4, "{lines:?}");
    assert!(lines.iter().all(|r| r.source == "OTLP HTTP" && r.at == "POST /v1/traces"), "{lines:?}");
}

/// This machine's own address that is not the loopback, if it has one.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
}

#[tokio::test]
async fn senders_from_afar_need_the_token() {
    // What is decided is tested without a network, too: this one needs a second address.
    let Some(ip) = own_address() else { return };
    let token = Some(Secret::new("right-token-0123456789"));
    let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let config = ReceiverConfig { http: Some(everywhere), grpc: None, token, ..ReceiverConfig::default() };
    let server = Server::with(config).await;
    let far = SocketAddr::new(ip, server.addr.port());
    let post = |header: Option<&str>, addr: SocketAddr| {
        let sent = client().build().unwrap().post(format!("http://{addr}/v1/traces")).header("content-type", PROTOBUF);
        let sent = header.into_iter().fold(sent, |r, h| r.header("authorization", h));
        sent.body(request([1]).encode_to_vec()).send()
    };
    let refused = post(None, far).await.unwrap();
    assert_eq!(
        (refused.status(), refused.headers()["www-authenticate"].to_str().unwrap()),
        (StatusCode::UNAUTHORIZED, "Bearer")
    );
    assert!(refused.text().await.unwrap().contains("authorization: Bearer TOKEN"));
    assert_eq!(post(Some("Bearer wrong"), far).await.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert_eq!(post(Some("Bearer right-token-0123456789"), far).await.unwrap().status(), StatusCode::OK);
    assert_eq!(post(None, local(server.addr.port())).await.unwrap().status(), StatusCode::OK);
    let mut grpc = TraceServiceClient::connect(format!("http://{far}")).await.unwrap();
    assert_eq!(grpc.export(request([1])).await.unwrap_err().code(), tonic::Code::Unauthenticated);
    let mut call = tonic::Request::new(request([2]));
    call.metadata_mut().insert("authorization", "Bearer right-token-0123456789".parse().unwrap());
    assert!(grpc.export(call).await.is_ok());
    assert_eq!(server.spans(), 3);
    let silent = server.silent("authorization: Bearer TOKEN").await;
    assert!(silent.advice.contains("OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20"), "{silent:?}");
    // The big body of somebody unknown is not read to its end.
    let big = client().build().unwrap().post(format!("http://{far}/v1/traces")).header("content-type", PROTOBUF);
    let _ = big.body(vec![0; 8 << 20]).send().await;
    assert_eq!(server.spans(), 3);
    // Our own test goes through the same door.
    send(Probe::OtlpGrpc, far, &server.stats.probe, 1).await.unwrap();
}

#[tokio::test]
async fn our_own_test_is_rehearsed_and_counted_nowhere() {
    let server = Server::start().await;
    for probe in Probe::ALL {
        send(probe, server.addr, &server.stats.probe, 1_000).await.unwrap_or_else(|e| panic!("{probe:?}: {e}"));
    }
    store(&server.sink, 1_000).await.unwrap();
    assert_eq!(*server.rehearsed.lock().unwrap(), 5);
    assert!(server.kept.lock().unwrap().is_empty());
    assert_eq!(server.stats.otlp_http.counts(), Default::default());
    assert!(server.stats.silent.list().is_empty());
    // Another run's secret is nobody's: what comes with it is data like any other.
    let stranger = IngestStats::default().probe;
    send(Probe::OtlpHttp, server.addr, &stranger, 1_000).await.unwrap();
    assert_eq!((server.spans(), *server.rehearsed.lock().unwrap()), (1, 5));
    server.shutdown.cancel();
    server.closed.cancelled().await;
    let gone = send(Probe::OtlpHttp, server.addr, &server.stats.probe, 1_000).await.unwrap_err();
    assert!(gone.to_string().contains("nobody listens"), "{gone}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_closed_under_load_loses_no_request_that_was_taken() {
    let server = Server::start().await;
    let addr = server.addr;
    let (stop, acknowledged) = (CancellationToken::new(), Arc::new(Mutex::new(0_usize)));
    let senders: Vec<_> = (0..8_u64)
        .map(|n| {
            let (stop, acknowledged) = (stop.clone(), Arc::clone(&acknowledged));
            tokio::spawn(async move {
                let mut lost = 0;
                for i in 0.. {
                    if stop.is_cancelled() {
                        break;
                    }
                    // A connection for each request: those under way when the port closes are answered, later ones are refused.
                    let client = client().pool_max_idle_per_host(0).build().unwrap();
                    let body = request([n << 32 | (i + 1)]).encode_to_vec();
                    let sent =
                        client.post(format!("http://{addr}/v1/traces")).header("content-type", PROTOBUF).body(body);
                    match sent.send().await {
                        Ok(answer) if answer.status() == StatusCode::OK => *acknowledged.lock().unwrap() += 1,
                        Ok(answer) => panic!("{}", answer.status()),
                        Err(e) if e.is_connect() => break,
                        Err(e) => {
                            lost += 1;
                            eprintln!("{e:?}");
                        }
                    }
                }
                lost
            })
        })
        .collect();
    until("some load", || (server.spans() > 200).then_some(())).await;
    server.shutdown.cancel();
    server.closed.cancelled().await;
    // The same port can be had at once.
    let again = Server::with(ReceiverConfig { http: Some(addr), grpc: None, ..ReceiverConfig::default() }).await;
    stop.cancel();
    let mut lost = 0;
    for sender in senders {
        lost += sender.await.unwrap();
    }
    let kept = Arc::clone(&server.kept);
    server.serving.await.unwrap();
    assert_eq!(lost, 0, "requests were cut off");
    let first: usize = kept.lock().unwrap().iter().map(|b| b.spans.len()).sum();
    assert_eq!(first + again.spans(), *acknowledged.lock().unwrap());
}

fn quick() -> Limits {
    Limits {
        first_wait: Duration::from_millis(5),
        longest_wait: Duration::from_millis(40),
        give_up: Duration::from_secs(30),
        ..Limits::default()
    }
}

fn forward_to(url: &str, limits: Limits) -> (Forward, CancellationToken) {
    let stop = CancellationToken::new();
    let (forward, work) = Forward::start(Target::parse(url).unwrap(), limits, stop.clone()).unwrap();
    tokio::spawn(work);
    (forward, stop)
}

#[tokio::test]
async fn accepted_requests_go_on_by_both_protocols() {
    for scheme in ["http", "grpc"] {
        let other = Server::start().await;
        let slot = ForwardSlot::default();
        let config =
            ReceiverConfig { http: Some(local(0)), grpc: None, forward: slot.clone(), ..ReceiverConfig::default() };
        let first = Server::with(config).await;
        let (forward, _stop) = forward_to(&format!("{scheme}://{}", other.addr), quick());
        slot.set(Some(forward.clone()));

        assert_eq!(first.post("/v1/traces", PROTOBUF, request([1]).encode_to_vec()).await, StatusCode::OK);
        assert_eq!(first.post("/v1/traces", PROTOBUF, b"garbage".to_vec()).await, StatusCode::BAD_REQUEST);
        for (id, encoding) in [(2, None), (3, Some(CompressionEncoding::Gzip)), (4, Some(CompressionEncoding::Zstd))] {
            let mut client = TraceServiceClient::connect(format!("http://{}", first.addr)).await.unwrap();
            if let Some(encoding) = encoding {
                client = client.send_compressed(encoding);
            }
            client.export(request([id])).await.unwrap();
        }
        until(scheme, || (other.spans() == 4).then_some(())).await;
        send(Probe::OtlpHttp, first.addr, &first.stats.probe, 1).await.unwrap();
        let json = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","name":"x","startTimeUnixNano":"1","endTimeUnixNano":"2"}]}]}]}"#;
        assert_eq!(first.post("/v1/traces", "application/json", json.into()).await, StatusCode::OK);
        if scheme == "http" {
            until("JSON", || (other.spans() == 5).then_some(())).await;
            until("all sent", || (forward.status().sent == 5).then_some(())).await;
            until("idle", || (forward.status().state == ForwardState::Idle).then_some(())).await;
        } else {
            let status = until("JSON is told", || Some(forward.status()).filter(|s| s.lost == 1)).await;
            assert!(status.problem.unwrap().contains("JSON"), "gRPC carries no JSON");
        }
        assert_eq!(first.spans(), 5, "the garbage and our own test are not kept");
    }
}

#[tokio::test]
async fn the_other_side_gone_and_back_loses_nothing_within_bounds() {
    let other = Server::start().await;
    let addr = other.addr;
    let slot = ForwardSlot::default();
    let config =
        ReceiverConfig { http: Some(local(0)), grpc: None, forward: slot.clone(), ..ReceiverConfig::default() };
    let first = Server::with(config).await;
    let (forward, _stop) = forward_to(&format!("http://{addr}"), quick());
    slot.set(Some(forward.clone()));
    first.post("/v1/traces", PROTOBUF, request([1]).encode_to_vec()).await;
    until("the first", || (forward.status().sent == 1).then_some(())).await;

    other.shutdown.cancel();
    other.serving.await.unwrap();
    for id in 2..=20 {
        assert_eq!(first.post("/v1/traces", PROTOBUF, request([id]).encode_to_vec()).await, StatusCode::OK);
    }
    let failing = until("failing", || Some(forward.status()).filter(|s| s.state == ForwardState::Failing)).await;
    assert!(failing.problem.unwrap().contains(&addr.to_string()));
    let back = Server::with(ReceiverConfig { http: Some(addr), grpc: None, ..ReceiverConfig::default() }).await;
    until("all of it", || (back.spans() == 19).then_some(())).await;
    let status = until("idle", || Some(forward.status()).filter(|s| s.state == ForwardState::Idle)).await;
    assert_eq!((status.sent, status.lost, status.waiting, status.problem), (20, 0, 0, None));
}

#[tokio::test]
async fn a_full_queue_loses_counts_and_never_slows_ingest() {
    // Somebody who takes connections and never answers.
    let mute = tokio::net::TcpListener::bind(local(0)).await.unwrap();
    let limits = Limits { requests: 3, at_once: 1, patience: Duration::from_secs(60), last: Duration::ZERO, ..quick() };
    let (forward, stop) = forward_to(&format!("http://{}", mute.local_addr().unwrap()), limits);
    let slot = ForwardSlot::default();
    slot.set(Some(forward.clone()));
    let config = ReceiverConfig { http: Some(local(0)), grpc: None, forward: slot, ..ReceiverConfig::default() };
    let first = Server::with(config).await;
    for id in 1..=50 {
        assert_eq!(first.post("/v1/traces", PROTOBUF, request([id]).encode_to_vec()).await, StatusCode::OK);
    }
    let status = forward.status();
    assert_eq!((first.spans(), status.waiting + status.lost), (50, 50), "{status:?}");
    assert!(status.waiting <= 4 && status.problem.unwrap().contains("does not keep up"));
    stop.cancel();
    until("the rest is counted", || (forward.status().lost == 50).then_some(())).await;
}

#[tokio::test]
async fn a_ring_of_forwarders_ends() {
    let (slot_a, slot_b) = (ForwardSlot::default(), ForwardSlot::default());
    let config = |slot: &ForwardSlot| ReceiverConfig {
        http: Some(local(0)),
        grpc: None,
        forward: slot.clone(),
        ..ReceiverConfig::default()
    };
    let (a, b) = (Server::with(config(&slot_a)).await, Server::with(config(&slot_b)).await);
    let (to_b, _stop_b) = forward_to(&format!("http://{}", b.addr), quick());
    let (to_a, _stop_a) = forward_to(&format!("http://{}", a.addr), quick());
    slot_a.set(Some(to_b.clone()));
    slot_b.set(Some(to_a.clone()));
    a.post("/v1/traces", PROTOBUF, request([1]).encode_to_vec()).await;
    until("once around", || (a.spans() == 2).then_some(())).await;
    assert_eq!((to_b.status().sent, b.spans()), (1, 1), "it went once around and no further");
}

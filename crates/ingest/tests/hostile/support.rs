//! A real receiver with limits as arguments, and raw connections to it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flowglass_ingest::{IngestStats, ReceiverConfig, Sink, Submission, bind};
use flowglass_listen::Limits;
use flowglass_model::{Batch, IngestCounts};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// One good span.
pub(crate) const GOOD: &str = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331"}]}]}]}"#;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) stats: Arc<IngestStats>,
    pub(crate) kept: Arc<Mutex<Vec<Batch>>>,
    shutdown: CancellationToken,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Server {
    pub(crate) async fn within(limits: Limits) -> Server {
        let local = SocketAddr::from(([127, 0, 0, 1], 0));
        Server::with(ReceiverConfig { grpc: None, http: Some(local), limits, ..ReceiverConfig::default() }).await
    }

    pub(crate) async fn with(config: ReceiverConfig) -> Server {
        let (sink, mut queue) = Sink::channel(8, 256 << 20);
        let kept: Arc<Mutex<Vec<Batch>>> = Arc::default();
        let keep = kept.clone();
        tokio::spawn(async move {
            while let Some(Submission { batch, done, .. }) = queue.recv().await {
                let counts = IngestCounts { spans: batch.spans.len() as u64, ..IngestCounts::default() };
                keep.lock().unwrap().push(batch);
                let _ = done.send(Ok(counts));
            }
        });
        let receivers = bind(config).await.unwrap();
        let address = receivers.http_addr().unwrap();
        let (stats, shutdown) = (Arc::new(IngestStats::default()), CancellationToken::new());
        tokio::spawn(receivers.serve(sink, stats.clone(), shutdown.clone()));
        Server { address, stats, kept, shutdown }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Writes to a new connection and reads until the other side closes it.
    pub(crate) async fn says(&self, written: &[u8]) -> String {
        let mut stream = self.connect().await;
        // The answer may come, and the connection end, before everything is written.
        let _ = stream.write_all(written).await;
        rest(&mut stream).await
    }

    /// Somebody with good intentions still gets in.
    pub(crate) async fn still_takes(&self) {
        let before = self.spans();
        let answer = self.says(&post("/v1/traces", "application/json", "Connection: close\r\n", GOOD.as_bytes())).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert_eq!(self.spans(), before + 1);
    }

    pub(crate) fn spans(&self) -> usize {
        self.kept.lock().unwrap().iter().map(|b| b.spans.len()).sum()
    }

    /// Why connections brought nothing.
    pub(crate) fn silent(&self) -> Vec<String> {
        self.stats.silent.list().into_iter().map(|s| s.reason).collect()
    }
}

/// What else comes, until the other side closes.
pub(crate) async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset after the answer is no trouble; nothing at all for this long is.
    let read = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "the other side never closed; it said {:?}", String::from_utf8_lossy(&answer));
    String::from_utf8_lossy(&answer).into_owned()
}

/// A request.
pub(crate) fn post(path: &str, kind: &str, more: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{more}\r\n");
    [head.as_bytes(), body].concat()
}

/// A field of a protobuf message with this content.
pub(crate) fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut length = content.len();
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(content);
    out
}

/// A span with these fields besides its ids.
pub(crate) fn span(id: u8, more: &[u8]) -> Vec<u8> {
    field(2, &[field(1, &[7; 16]), field(2, &[id; 8]), field(5, b"work"), more.to_vec()].concat())
}

/// A request of these spans.
pub(crate) fn request(spans: &[Vec<u8>]) -> Vec<u8> {
    field(1, &field(2, &spans.concat()))
}

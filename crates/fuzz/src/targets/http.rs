//! What is written to a port, byte by byte.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use flowglass_studio::ingest::{IngestStats, ReceiverConfig, bind};
use tokio_util::sync::CancellationToken;

use super::ingest::taking;

/// Nothing that was written to the end may be without an answer for longer.
const PATIENCE: Duration = Duration::from_secs(15);

/// A port that takes OTLP, CloudEvents and Zipkin, kept for as long as the process lives.
fn port() -> SocketAddr {
    static PORT: OnceLock<SocketAddr> = OnceLock::new();
    *PORT.get_or_init(|| {
        let (runtime, sink) = taking();
        let local = SocketAddr::from(([127, 0, 0, 1], 0));
        let config = ReceiverConfig { grpc: None, http: Some(local), max_body: 1 << 20, ..ReceiverConfig::default() };
        let receivers = runtime.block_on(bind(config)).expect("a free port");
        let address = receivers.http_addr().expect("it was asked for");
        runtime.spawn(receivers.serve(sink, Arc::new(IngestStats::default()), CancellationToken::new()));
        address
    })
}

/// Writes the bytes, closes that side and reads until the other side is closed, too.
pub(super) fn requests(bytes: &[u8]) {
    let mut stream = TcpStream::connect(port()).expect("the port listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time");
    stream.set_write_timeout(Some(PATIENCE)).expect("a time");
    // The other side may have closed after half of it: that is an answer.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = [0; 4096];
    loop {
        match stream.read(&mut answer) {
            Ok(0) => return,
            Ok(_) => {}
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) if matches!(e.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {
                panic!("no end after {PATIENCE:?}");
            }
            Err(_) => return,
        }
    }
}

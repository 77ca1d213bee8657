//! How much a listener puts up with.

use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto;

/// Bounds of one listener.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections served at a time. Fewer are, where the system allows few open files ([`handles`](crate::handles)).
    pub connections: usize,
    /// How long a connection of this machine may stay open before its first byte.
    pub first_byte: Duration,
    /// The same for a connection of another machine.
    pub first_byte_from_afar: Duration,
    /// How long the head of a request may take; over HTTP/1 also how long a connection may rest between two requests.
    pub head: Duration,
    /// How long a body may be silent.
    pub silence: Duration,
    /// Bytes a second that a body must bring on the whole, after the first [`silence`](Limits::silence).
    pub slowest: u32,
    /// Over HTTP/2, how often a silent peer is asked whether it is still there; it has 20 s to answer.
    pub ping: Duration,
    /// Bytes of the head of a request.
    pub head_bytes: u32,
}

impl Default for Limits {
    /// 1,024 connections; 5 min for the first byte (10 s from afar), 60 s for a head of 64 KiB, 30 s of silence, 4 KiB/s.
    fn default() -> Self {
        Limits {
            connections: 1024,
            first_byte: Duration::from_secs(300),
            first_byte_from_afar: Duration::from_secs(10),
            head: Duration::from_secs(60),
            silence: Duration::from_secs(30),
            slowest: 4 << 10,
            ping: Duration::from_secs(60),
            head_bytes: 64 << 10,
        }
    }
}

impl Limits {
    /// How long a body may have taken by the time that so many bytes of it are there.
    pub fn body(&self, bytes: usize) -> Duration {
        self.silence.saturating_add(Duration::from_secs((bytes / self.slowest.max(1) as usize) as u64))
    }

    /// HTTP/1.1 and HTTP/2 within these bounds.
    pub(crate) fn http(&self) -> auto::Builder<TokioExecutor> {
        let mut server = auto::Builder::new(TokioExecutor::new());
        server
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.head)
            .max_buf_size((self.head_bytes as usize).max(8 << 10))
            // Whoever has said all and closed that side still wants the answer.
            .half_close(true);
        // Batches are large and the way is short: bigger windows than the 64 KiB of the standard.
        server
            .http2()
            .timer(TokioTimer::new())
            .initial_stream_window_size(1 << 20)
            .initial_connection_window_size(4 << 20)
            .max_concurrent_streams(100)
            .max_header_list_size(self.head_bytes)
            .keep_alive_interval(self.ping);
        server
    }
}

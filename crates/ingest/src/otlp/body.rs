//! Request bodies in bounded memory: a limit per body, before and after decompression, and one budget for all bodies that are
//! in memory at a time.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use flowglass_listen::Limits;
use futures::StreamExt;
use http::HeaderMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::request::Problem;

/// The budget is counted in units of this many bytes.
const UNIT: usize = 64 * 1024;
/// How long the rest of a refused body is read and thrown away, so that the sender gets to read the answer.
const DRAIN: Duration = Duration::from_secs(5);
/// How much is read from somebody who may not send.
const UNKNOWN_SENDER: usize = 1 << 20;

/// Memory for all bodies of a receiver together.
#[derive(Debug, Clone)]
pub(super) struct Budget(Arc<Semaphore>);

impl Budget {
    pub(super) fn new(bytes: usize) -> Budget {
        Budget(Arc::new(Semaphore::new((bytes / UNIT).clamp(1, Semaphore::MAX_PERMITS))))
    }

    pub(super) fn room(&self) -> Room {
        Room { budget: self.clone(), permit: None, bytes: 0 }
    }
}

/// The part of the budget that one request holds; given back when dropped.
#[derive(Debug)]
pub(super) struct Room {
    budget: Budget,
    permit: Option<OwnedSemaphorePermit>,
    bytes: usize,
}

impl Room {
    /// Takes room for `more` bytes, or says that there is none now. Never waits: requests that wait for each other's memory
    /// would wait for ever.
    fn grow(&mut self, more: usize) -> Result<(), Problem> {
        self.bytes += more;
        let have = self.permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let want = self.bytes.div_ceil(UNIT).saturating_sub(have);
        if want == 0 {
            return Ok(());
        }
        let want = u32::try_from(want).map_err(|_| Problem::busy())?;
        let extra = self.budget.0.clone().try_acquire_many_owned(want).map_err(|_| Problem::busy())?;
        match &mut self.permit {
            Some(permit) => permit.merge(extra),
            none => *none = Some(extra),
        }
        Ok(())
    }
}

/// Reads a body of at most `max` bytes that comes no slower than `limits` allow.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Body,
    max: usize,
    limits: &Limits,
    room: &mut Room,
) -> Result<Bytes, Problem> {
    let begun = Instant::now();
    let mut stream = body.into_data_stream();
    let announced = headers.get(http::header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    let mut problem = announced.filter(|n| *n > max as u64).map(|_| Problem::too_large(max));
    let mut whole = BytesMut::new();
    while problem.is_none() {
        let until = (Instant::now() + limits.silence).min(begun + limits.body(whole.len()));
        match tokio::time::timeout_at(until, stream.next()).await {
            Err(_) => return Err(Problem::slow()),
            Ok(None) => return Ok(whole.freeze()),
            Ok(Some(Err(e))) => return Err(Problem::bad(format!("the body ended early: {e}"))),
            Ok(Some(Ok(chunk))) if whole.len() + chunk.len() > max => problem = Some(Problem::too_large(max)),
            Ok(Some(Ok(chunk))) => match room.grow(chunk.len()) {
                Ok(()) => whole.extend_from_slice(&chunk),
                Err(busy) => problem = Some(busy),
            },
        }
    }
    // Many clients write the whole body before they read: answering at once would look like a broken connection to them.
    let mut left = max;
    let drain = async {
        while let Some(Ok(chunk)) = stream.next().await {
            left = left.saturating_sub(chunk.len());
            if left == 0 {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(DRAIN, drain).await;
    Err(problem.unwrap_or_else(Problem::busy))
}

/// Reads the body of somebody who may not send, and throws it away: a little of it, for a short time, so that the answer is read.
pub(super) async fn discard(body: Body) {
    let mut stream = body.into_data_stream();
    let mut left = UNKNOWN_SENDER;
    let drain = async {
        while let Some(Ok(chunk)) = stream.next().await {
            left = left.saturating_sub(chunk.len());
            if left == 0 {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(DRAIN, drain).await;
}

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    Gzip,
    Zstd,
    Deflate,
}

impl Compression {
    /// Its name in headers.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
            Compression::Deflate => "deflate",
        }
    }

    /// The bytes without it, at most `max`; `None` if they cannot be read.
    pub(crate) fn undo(self, bytes: &[u8], max: usize) -> Option<Vec<u8>> {
        decompress(self, bytes, max, &mut Budget::new(max).room()).ok()
    }

    /// Of a `Content-Encoding` or `grpc-encoding` header; `Ok(None)` for identity, `Err` for what is unknown here.
    pub(super) fn of(header: Option<&http::HeaderValue>) -> Result<Option<Compression>, String> {
        let Some(value) = header else { return Ok(None) };
        let text = String::from_utf8_lossy(value.as_bytes()).trim().to_ascii_lowercase();
        match text.as_str() {
            "" | "identity" | "none" => Ok(None),
            "gzip" | "x-gzip" => Ok(Some(Compression::Gzip)),
            "zstd" => Ok(Some(Compression::Zstd)),
            "deflate" => Ok(Some(Compression::Deflate)),
            _ => Err(text),
        }
    }
}

/// Decompresses to at most `max` bytes; a bomb is refused as soon as it passes the limit, not after it filled the memory.
pub(super) fn decompress(how: Compression, bytes: &[u8], max: usize, room: &mut Room) -> Result<Vec<u8>, Problem> {
    match how {
        Compression::Gzip => drain(flate2::read::MultiGzDecoder::new(bytes), max, room),
        Compression::Zstd => {
            let broken = |e: std::io::Error| Problem::bad(format!("the zstd body cannot be read: {e}"));
            let mut decoder = zstd::stream::read::Decoder::new(bytes).map_err(broken)?;
            // A frame may ask for a window of gigabytes; 64 MiB is more than any level below 20 uses.
            decoder.window_log_max(26).map_err(broken)?;
            drain(decoder, max, room)
        }
        // "deflate" means zlib (RFC 9110, 8.4.1.2); some senders leave the zlib header out.
        Compression::Deflate if is_zlib(bytes) => drain(flate2::read::ZlibDecoder::new(bytes), max, room),
        Compression::Deflate => drain(flate2::read::DeflateDecoder::new(bytes), max, room),
    }
}

fn is_zlib(bytes: &[u8]) -> bool {
    matches!(bytes, [a, b, ..] if a & 0x0f == 8 && (u16::from(*a) << 8 | u16::from(*b)) % 31 == 0)
}

fn drain(mut reader: impl Read, max: usize, room: &mut Room) -> Result<Vec<u8>, Problem> {
    let mut out = Vec::new();
    let mut chunk = vec![0; UNIT];
    loop {
        let n = match reader.read(&mut chunk) {
            Ok(0) => return Ok(out),
            Ok(n) => n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(Problem::bad(format!("the compressed body cannot be read: {e}"))),
        };
        if out.len() + n > max {
            return Err(Problem::too_large(max));
        }
        room.grow(n)?;
        out.extend_from_slice(&chunk[..n]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_bomb_stops_at_the_limit_and_gives_its_room_back() {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gz.write_all(&vec![0; 8 << 20]).unwrap();
        let bomb = gz.finish().unwrap();
        let budget = Budget::new(64 << 20);
        let mut room = budget.room();
        let problem = decompress(Compression::Gzip, &bomb, 1 << 20, &mut room).unwrap_err();
        assert_eq!(problem.status, http::StatusCode::PAYLOAD_TOO_LARGE);
        assert!(room.bytes <= 1 << 20, "{} bytes were held", room.bytes);
        drop(room);
        assert_eq!(budget.0.available_permits(), (64 << 20) / UNIT);
    }

    #[test]
    fn what_does_not_fit_the_budget_is_busy() {
        let plain = zstd::encode_all(vec![7u8; 4 << 20].as_slice(), 1).unwrap();
        let mut room = Budget::new(1 << 20).room();
        let problem = decompress(Compression::Zstd, &plain, 64 << 20, &mut room).unwrap_err();
        assert_eq!(problem.status, http::StatusCode::TOO_MANY_REQUESTS);
    }

    #[test]
    fn both_kinds_of_deflate_are_read() {
        let mut z = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        z.write_all(b"abc").unwrap();
        let mut d = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        d.write_all(b"abc").unwrap();
        for bytes in [z.finish().unwrap(), d.finish().unwrap()] {
            let mut room = Budget::new(1 << 20).room();
            assert_eq!(decompress(Compression::Deflate, &bytes, 10, &mut room).unwrap(), b"abc");
        }
    }
}

//! Bytes of a file, decompressed, with a look at the beginning.

use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Bytes looked at before a format is chosen.
pub(super) const HEAD: usize = 1024 * 1024;

/// Counts the bytes read of the file itself, for progress.
struct Counting<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.count.fetch_add(n as u64, Relaxed);
        Ok(n)
    }
}

/// A file opened for reading.
pub(super) struct Source<'a> {
    /// What it holds, decompressed; the head is read again from here.
    pub(super) reader: Box<dyn BufRead + 'a>,
    /// The beginning, at most [`HEAD`] bytes.
    pub(super) head: Vec<u8>,
    /// Whether the head is all there is.
    pub(super) complete: bool,
    /// `gzip` or `zstd`.
    pub(super) compression: Option<&'static str>,
}

/// Opens a file: finds its compression by content and looks at its beginning. An error while the head is decompressed is met
/// again by whoever reads on.
pub(super) fn open<'a>(file: impl Read + 'a, count: Arc<AtomicU64>) -> io::Result<Source<'a>> {
    let mut file = BufReader::with_capacity(256 * 1024, Counting { inner: file, count });
    let magic = first_bytes(&mut file)?;
    let (mut plain, compression): (Box<dyn Read + 'a>, _) = match magic {
        [0x1f, 0x8b, ..] => (Box::new(flate2::bufread::MultiGzDecoder::new(file)), Some("gzip")),
        [0x28, 0xb5, 0x2f, 0xfd] => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(file)?;
            // 2^27 = 128 MiB: what `zstd --long` writes by default; more is a bomb.
            decoder.window_log_max(27)?;
            (Box::new(decoder), Some("zstd"))
        }
        _ => (Box::new(file), None),
    };
    let mut head = Vec::new();
    let failed = plain.by_ref().take(HEAD as u64).read_to_end(&mut head).err();
    let complete = head.len() < HEAD && failed.is_none();
    let rest: Box<dyn Read + 'a> = match failed {
        Some(error) => Box::new(Failing(Some(error))),
        None => plain,
    };
    let reader = BufReader::with_capacity(256 * 1024, Cursor::new(head.clone()).chain(rest));
    Ok(Source { reader: Box::new(reader), head, complete, compression })
}

/// Up to four bytes without consuming them.
fn first_bytes(file: &mut impl BufRead) -> io::Result<[u8; 4]> {
    let mut magic = [0; 4];
    let start = file.fill_buf()?;
    let n = start.len().min(4);
    magic[..n].copy_from_slice(&start[..n]);
    Ok(magic)
}

/// Gives the error met before, once.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// A reading error in words.
pub(super) fn in_words(error: &io::Error, compression: Option<&str>) -> String {
    match compression {
        Some(name) => format!("the {name} data ends early or is damaged ({error}); what came before was taken"),
        None => format!("reading failed: {error}"),
    }
}

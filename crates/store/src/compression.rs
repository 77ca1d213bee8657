//! Zstandard with one context per thread: making one costs more than unpacking most of what is stored.

use std::cell::RefCell;
use std::io;

use zstd::bulk::{Compressor, Decompressor};

use crate::stranger::LARGEST;

/// Level of what is packed one by one: the fastest.
const LEVEL: i32 = 1;

thread_local! {
    static PACKER: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static UNPACKER: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Packs bytes into one frame that says how long they are.
pub(crate) fn pack(bytes: &[u8]) -> io::Result<Vec<u8>> {
    PACKER.with_borrow_mut(|packer| match packer {
        Some(packer) => packer.compress(bytes),
        none => {
            let packer = none.insert(Compressor::new(LEVEL)?);
            packer.include_checksum(true)?;
            packer.compress(bytes)
        }
    })
}

/// Whether a frame ends with a checksum of what it holds (RFC 8878, 3.1.1.1.1: the third bit of the descriptor). Frames of
/// earlier versions have none.
pub(crate) fn has_checksum(frame: &[u8]) -> bool {
    frame.get(4).is_some_and(|descriptor| descriptor & 4 != 0)
}

/// Unpacks a frame of at most `size` bytes. The size is what a file says of itself: more than one can have is refused before
/// any memory is asked for.
pub(crate) fn unpack(frame: &[u8], size: usize) -> io::Result<Vec<u8>> {
    if size > LARGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("it says that it has {size} bytes")));
    }
    UNPACKER.with_borrow_mut(|unpacker| match unpacker {
        Some(unpacker) => unpacker.decompress(frame, size),
        none => none.insert(Decompressor::new()?).decompress(frame, size),
    })
}

//! OTLP protobuf files: one message of any size, or messages behind their lengths.

use std::io::{self, BufRead, Read as _};

use super::detect::{Framing, MAX_MESSAGE, varint};
use super::out::{Out, Stop};
use crate::otlp::{Encoding, count_data_points, decode_logs, decode_traces};

/// How reading ended.
pub(super) enum End {
    /// Reading failed at this byte.
    Io(u64, io::Error),
    /// Stopped from outside.
    Stopped,
}

impl From<Stop> for End {
    fn from(_: Stop) -> Self {
        End::Stopped
    }
}

/// Reads all messages. One that cannot be decoded is refused alone, since its length is known.
pub(super) fn read(reader: &mut dyn BufRead, framing: Framing, out: &mut Out) -> Result<(), End> {
    let mut at = 0u64;
    let mut message = Vec::new();
    loop {
        let start = at;
        let length = match prefix(reader, framing, &mut at) {
            Ok(None) => return Ok(()),
            Ok(Some(length)) => length,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                out.reject(format!("byte {start}"), "the file ends in the middle of a length".to_owned(), 1);
                return Ok(());
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                out.reject(format!("byte {start}"), error.to_string(), 1);
                return Ok(());
            }
            Err(error) => return Err(End::Io(start, error)),
        };
        if length > MAX_MESSAGE {
            let reason =
                format!("a message of {length} bytes is above the limit of {MAX_MESSAGE}; the rest is not read");
            out.reject(format!("byte {start}"), reason, 1);
            return Ok(());
        }
        message.clear();
        if framing == Framing::Bare {
            message.push(0x0a);
            put_varint(&mut message, length);
        }
        let prefix_length = message.len();
        let got = (&mut *reader).take(length).read_to_end(&mut message);
        let got = match got {
            Ok(n) => n as u64,
            Err(error) => return Err(End::Io(at, error)),
        };
        at += got;
        if got < length {
            let reason = format!("the file ends in the middle of a message ({got} of {length} bytes)");
            out.reject(format!("byte {start}"), reason, 1);
            return Ok(());
        }
        debug_assert_eq!(message.len() as u64, prefix_length as u64 + length);
        one(&message, start, out)?;
    }
}

/// The length of the next message; `None` at the end of the file. A bare request is read field by field: each field 1 is a
/// resource of its own.
fn prefix(reader: &mut dyn BufRead, framing: Framing, at: &mut u64) -> io::Result<Option<u64>> {
    if reader.fill_buf()?.is_empty() {
        return Ok(None);
    }
    let mut byte = || {
        let mut one = [0u8];
        io::Read::read_exact(&mut *reader, &mut one)?;
        *at += 1;
        Ok::<u8, io::Error>(one[0])
    };
    if framing == Framing::Fixed {
        let bytes = [byte()?, byte()?, byte()?, byte()?];
        return Ok(Some(u64::from(u32::from_be_bytes(bytes))));
    }
    if framing == Framing::Bare {
        let tag = byte()?;
        if tag != 0x0a {
            let reason = format!("unexpected field tag 0x{tag:02x}: not an OTLP request; the rest is not read");
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
    }
    let mut bytes = Vec::with_capacity(10);
    loop {
        bytes.push(byte()?);
        if let Some((length, _)) = varint(&bytes) {
            return Ok(Some(length));
        }
        if bytes.len() == 10 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "not a length; the rest is not read"));
        }
    }
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Takes one request: traces, logs or metrics. They share their outer shape; the innermost messages tell: a span starts with
/// 16 bytes of trace id, a log record with a fixed 64-bit time, a metric with a name.
fn one(message: &[u8], at: u64, out: &mut Out) -> Result<(), Stop> {
    let place = format!("byte {at}");
    let refused = |b: &flowglass_model::Batch| b.rejected.iter().map(|r| r.count).sum::<u64>();
    let traces = decode_traces(message, Encoding::Protobuf, &out.options);
    if let Ok(batch) = &traces
        && (batch.spans.len() as u64 > refused(batch) || (batch.spans.is_empty() && refused(batch) == 0))
    {
        return out.add(traces.unwrap_or_default(), &place);
    }
    if let Ok(batch) = decode_logs(message, Encoding::Protobuf, &out.options)
        && batch.logs.len() as u64 > refused(&batch)
    {
        return out.add(batch, &place);
    }
    if let Ok(points) = count_data_points(message, Encoding::Protobuf)
        && points > 0
        && traces.as_ref().is_ok_and(|b| b.spans.is_empty())
    {
        out.recognise();
        out.reject(place, "metrics are not kept".to_owned(), points);
        return Ok(());
    }
    match traces {
        Ok(batch) => out.add(batch, &place),
        Err(error) => out.unknown(place, error.to_string()),
    }
}

//! How much a request may ask to be made of it.
//!
//! Two bytes are a whole link, three are `{},`: in memory each is a structure of a hundred bytes. A request of a million of
//! them is small on the wire and none that anybody means. What is counted here is what would be made, in units of about 56
//! bytes (an attribute without its text), before anything is; a request whose units are many for its size is refused.
//! Telemetry has some 13 bytes a unit. Small requests are not looked at: they cannot ask for much.

use super::DecodeError;

/// Requests of so many bytes are taken as they are.
const SMALL: usize = 1 << 20;
/// Bytes of protobuf that each unit has at least.
const PROTOBUF: usize = 4;
/// Bytes of JSON that each object, list and comma has at least.
const JSON: usize = 8;
/// Nesting that is followed; the decoder refuses the rest.
const DEEPEST: u32 = 100;

/// Messages of OTLP that hold others (opentelemetry-proto `trace.proto`, `logs.proto`, `common.proto`, `resource.proto`).
#[derive(Debug, Clone, Copy)]
enum Message {
    Request(Signal),
    Group(Signal),
    Scoped(Signal),
    Resource,
    Scope,
    Span,
    Event,
    Link,
    Record,
    KeyValue,
    Any,
    List,
    Map,
}

/// What a request holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    Traces,
    Logs,
}

impl Message {
    /// What a field of it is, where that holds others.
    fn field(self, number: u64) -> Option<Message> {
        use Message::*;
        Some(match (self, number) {
            (Request(signal), 1) => Group(signal),
            (Group(_), 1) => Resource,
            (Group(signal), 2) => Scoped(signal),
            (Scoped(_), 1) => Scope,
            (Scoped(Signal::Traces), 2) => Span,
            (Scoped(Signal::Logs), 2) => Record,
            (Resource, 1) | (Scope, 3) | (Span, 9) | (Event, 3) | (Link, 4) | (Record, 6) | (Map, 1) => KeyValue,
            (Span, 11) => Event,
            (Span, 13) => Link,
            (Record, 5) | (KeyValue, 2) | (List, 1) => Any,
            (Any, 5) => List,
            (Any, 6) => Map,
            _ => return None,
        })
    }

    /// Units that one of it takes.
    fn units(self) -> usize {
        match self {
            Message::Span => 8,
            Message::Record => 5,
            Message::Group(_) | Message::Scoped(_) | Message::Event | Message::Link => 2,
            _ => 1,
        }
    }
}

/// Refuses a protobuf request that would become far more than it is.
pub(super) fn protobuf(bytes: &[u8], signal: Signal) -> Result<(), DecodeError> {
    if bytes.len() <= SMALL {
        return Ok(());
    }
    let most = bytes.len() / PROTOBUF;
    let mut left = most;
    match count(bytes, Message::Request(signal), 0, &mut left) {
        Some(()) => Ok(()),
        None => Err(too_many(bytes.len(), most)),
    }
}

fn too_many(bytes: usize, most: usize) -> DecodeError {
    DecodeError::TooManyParts { bytes, most }
}

/// Takes what a message becomes off `left`; `None` when that is not enough. Broken bytes are the decoder's business.
fn count(mut bytes: &[u8], message: Message, depth: u32, left: &mut usize) -> Option<()> {
    while let Some((tag, rest)) = varint(bytes) {
        let skip = match tag & 7 {
            0 => varint(rest).map(|(_, after)| rest.len() - after.len()),
            1 => Some(8),
            5 => Some(4),
            2 => None,
            _ => return Some(()),
        };
        if tag & 7 != 2 {
            let Some(after) = skip.and_then(|n| rest.get(n..)) else { return Some(()) };
            bytes = after;
            continue;
        }
        let Some((length, rest)) = varint(rest) else { return Some(()) };
        let Some((content, after)) = usize::try_from(length).ok().and_then(|n| rest.split_at_checked(n)) else {
            return Some(());
        };
        let inner = message.field(tag >> 3);
        *left = left.checked_sub(inner.map_or(1, Message::units))?;
        if let Some(inner) = inner
            && depth < DEEPEST
        {
            count(content, inner, depth + 1, left)?;
        }
        bytes = after;
    }
    Some(())
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0u64;
    for (i, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * i);
        if *byte < 0x80 {
            return Some((value, &bytes[i + 1..]));
        }
    }
    None
}

/// Refuses JSON that would become far more than it is: more objects, lists and commas than any telemetry has.
pub(crate) fn json(bytes: &[u8]) -> Result<(), DecodeError> {
    if bytes.len() <= SMALL {
        return Ok(());
    }
    let most = bytes.len() / JSON;
    let (mut parts, mut text, mut escaped) = (0usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = text,
            b'"' => text = !text,
            b'{' | b'[' | b',' if !text => parts += 1,
            _ => {}
        }
    }
    if parts > most { Err(too_many(bytes.len(), most)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, content: &[u8]) -> Vec<u8> {
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

    fn request(item: &[u8]) -> Vec<u8> {
        field(1, &field(2, &field(2, item)))
    }

    #[test]
    fn a_million_of_anything_empty_is_refused_before_it_is_made() {
        let many = |number: u8| field(number, &[]).repeat(1_000_000);
        let list = field(9, &field(2, &field(5, &field(1, &[]).repeat(1_000_000))));
        let map = field(9, &field(2, &field(6, &field(1, &[]).repeat(1_000_000))));
        for (what, item) in
            [("links", many(13)), ("events", many(11)), ("attributes", many(9)), ("list", list), ("map", map)]
        {
            assert!(protobuf(&request(&item), Signal::Traces).is_err(), "{what}");
        }
        let link = field(13, &[field(1, &[7; 16]), field(2, &[8; 8])].concat());
        assert_eq!(protobuf(&request(&link.repeat(1_000_000)), Signal::Traces), Ok(()), "links that lead somewhere");
        let spans = field(1, &field(2, &many(2)));
        assert!(protobuf(&spans, Signal::Traces).is_err() && protobuf(&spans, Signal::Logs).is_err());
        assert!(protobuf(&many(1), Signal::Traces).is_err());
        assert!(protobuf(&field(1, &many(2)), Signal::Traces).is_err());
        assert!(protobuf(&field(1, &field(1, &many(1))), Signal::Traces).is_err());
        let error = protobuf(&many(1), Signal::Logs).unwrap_err().to_string();
        assert!(error.contains("2000000 bytes") && error.contains("smaller batches"), "{error}");
    }

    #[test]
    fn texts_numbers_and_brokenness_cost_nothing() {
        let text = field(9, &[field(1, b"key"), field(2, &field(1, &vec![b'{'; 2 << 20]))].concat());
        assert_eq!(protobuf(&request(&text), Signal::Traces), Ok(()));
        let numbers = [0x10, 1].repeat(1_000_000);
        assert_eq!(protobuf(&numbers, Signal::Traces), Ok(()));
        for broken in [vec![0xff; 2 << 20], vec![0x0a; 2 << 20], vec![7; 2 << 20]] {
            let _ = protobuf(&broken, Signal::Traces);
        }
    }

    #[test]
    fn json_is_counted_outside_of_texts() {
        let inner = format!("{{\"a\":\"{}\"}}", "{,[\\\"".repeat(500_000));
        assert_eq!(json(inner.as_bytes()), Ok(()));
        for many in ["{},", "[],", "0,", "[[[["] {
            assert!(json(many.repeat(800_000).as_bytes()).is_err(), "{many}");
        }
        let usual = "{\"key\":\"a\",\"value\":{\"intValue\":1}},".repeat(100_000);
        assert_eq!(json(usual.as_bytes()), Ok(()));
    }
}

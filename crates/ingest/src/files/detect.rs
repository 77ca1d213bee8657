//! What a file holds, by its content.

use super::own;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

/// How the bytes of a file are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Nothing but white space.
    Empty,
    /// One JSON value per line.
    JsonLines,
    /// One JSON document (or several, one behind the other).
    JsonDocument,
    /// Protobuf.
    Protobuf(Framing),
    /// None of these.
    Unknown,
}

/// How protobuf messages follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// One message, field by field.
    Bare,
    /// Each behind its length, a varint.
    Varint,
    /// Each behind its length, 4 bytes, big-endian (Collector file exporter).
    Fixed,
}

/// Largest protobuf message, bytes.
pub(super) const MAX_MESSAGE: u64 = 256 * 1024 * 1024;

/// Decides the layout from the beginning of a file; `complete` when it is the whole file.
pub(super) fn layout(head: &[u8], complete: bool) -> Layout {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let Some(start) = text.iter().position(|b| !b.is_ascii_whitespace()) else {
        return if complete { Layout::Empty } else { Layout::Unknown };
    };
    // A length or a field tag of protobuf can look like white space (0x0a), so it is tried first where it fits exactly.
    if let Some(framing) = framing(head) {
        return Layout::Protobuf(framing);
    }
    let text = &text[start..];
    match text[0] {
        b'{' | b'[' => json_layout(text),
        _ if lines(text).take(10).any(is_object) => Layout::JsonLines,
        _ => Layout::Unknown,
    }
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let complete = text.iter().rposition(|b| *b == b'\n').unwrap_or(0);
    text[..complete].split(|b| *b == b'\n').map(<[u8]>::trim_ascii)
}

fn is_object(line: &[u8]) -> bool {
    line.starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(line).is_ok()
}

fn json_layout(text: &[u8]) -> Layout {
    let Some(first) = lines(text).next() else { return Layout::JsonDocument };
    let whole = serde_json::from_slice::<IgnoredAny>(first).is_ok();
    let more = !text[first.len()..].trim_ascii().is_empty();
    if whole && (more || first[0] == b'{') {
        return Layout::JsonLines;
    }
    let opens = matches!(first.last(), Some(b'{' | b'[' | b',' | b':'));
    if !whole && !opens && lines(text).skip(1).take(10).any(is_object) {
        return Layout::JsonLines;
    }
    Layout::JsonDocument
}

/// A varint and its length.
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for (i, b) in bytes.iter().take(10).enumerate() {
        value |= u64::from(b & 0x7f).checked_shl(7 * i as u32)?;
        if *b < 0x80 {
            return Some((value, i + 1));
        }
    }
    None
}

/// How protobuf is framed, if these bytes are OTLP protobuf: an export request is a row of fields 1 (tag `0x0a`), each a
/// resource with its scopes, in which field 1 and 2 (`0x0a`, `0x12`) come first.
fn framing(head: &[u8]) -> Option<Framing> {
    let fits = |len: u64| len > 0 && len <= MAX_MESSAGE;
    if let Some(prefix) = head.first_chunk::<4>() {
        let len = u64::from(u32::from_be_bytes(*prefix));
        if fits(len) && starts_request(&head[4..], len) {
            return Some(Framing::Fixed);
        }
    }
    if let Some((len, at)) = varint(head)
        && fits(len)
        && starts_request(&head[at..], len)
    {
        return Some(Framing::Varint);
    }
    starts_request(head, u64::MAX).then_some(Framing::Bare)
}

/// Whether these bytes begin an export request of this length.
fn starts_request(bytes: &[u8], len: u64) -> bool {
    if bytes.first() != Some(&0x0a) {
        return false;
    }
    let Some((inner, n)) = varint(&bytes[1..]) else { return false };
    inner > 0 && inner <= MAX_MESSAGE && inner + 1 + n as u64 <= len && is_group(&bytes[1 + n..])
}

/// Whether these bytes begin a `ResourceSpans`, `ResourceLogs` or `ResourceMetrics`.
fn is_group(bytes: &[u8]) -> bool {
    let Some(tag) = bytes.first() else { return false };
    let Some((len, n)) = varint(&bytes[1..]) else { return false };
    matches!(tag, 0x0a | 0x12) && len <= MAX_MESSAGE && {
        // The first field inside: an attribute or a scope is again a field of this kind, never text.
        let inner = &bytes[1 + n..];
        len == 0 || inner.first().is_none_or(|t| matches!(t, 0x0a | 0x10 | 0x12 | 0x1a))
    }
}

/// What a JSON object is, by its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    OtlpTraces,
    OtlpLogs,
    OtlpMetrics,
    /// Spans, log records and our own records side by side.
    Document,
    ZipkinSpan,
    JaegerTrace,
    JaegerSpan,
    JaegerAnswer,
    Kcat,
    Delivery,
    Acknowledgement,
    CloudEvent,
    Message,
    Own,
    Unknown,
}

/// The members of an object that tell formats apart, as bits.
struct Names(u32);

const KNOWN: [&str; 30] = [
    "resourceSpans",
    "resourceLogs",
    "resourceMetrics",
    "traceId",
    "id",
    "traceID",
    "spans",
    "spanID",
    "operationName",
    "data",
    "topic",
    "partition",
    "offset",
    "subject",
    "stream",
    "consumer",
    "delivered",
    "sseq",
    "cseq",
    "ack",
    "specversion",
    "source",
    "type",
    "payload",
    "payload_base64",
    "payload_b64",
    "headers",
    "processes",
    own::RECORD,
    own::RECORDS,
];

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Names;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
                let mut names = 0;
                while let Some(name) = map.next_key::<std::borrow::Cow<'de, str>>()? {
                    map.next_value::<IgnoredAny>()?;
                    if let Some(i) = KNOWN.iter().position(|k| *k == name) {
                        names |= 1 << i;
                    }
                }
                Ok(Names(names))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// What a JSON object is; an error when it is no JSON object.
pub(super) fn kind(json: &[u8]) -> Result<Kind, String> {
    let names: Names = serde_json::from_slice(json).map_err(|e| e.to_string())?;
    let bit = |name: &str| KNOWN.iter().position(|k| *k == name).is_some_and(|i| names.0 & (1 << i) != 0);
    let all = |wanted: &[&str]| wanted.iter().all(|n| bit(n));
    Ok(match () {
        () if bit(own::RECORD) => Kind::Own,
        () if several(&bit) => Kind::Document,
        () if bit("resourceSpans") => Kind::OtlpTraces,
        () if bit("resourceLogs") => Kind::OtlpLogs,
        () if bit("resourceMetrics") => Kind::OtlpMetrics,
        () if all(&["specversion", "id", "source", "type"]) => Kind::CloudEvent,
        () if all(&["traceID", "spans"]) => Kind::JaegerTrace,
        () if all(&["traceID", "spanID", "operationName"]) => Kind::JaegerSpan,
        () if all(&["traceId", "id"]) => Kind::ZipkinSpan,
        () if all(&["topic", "partition", "offset"]) => Kind::Kcat,
        () if all(&["stream", "consumer", "delivered", "sseq", "cseq"]) => Kind::Delivery,
        () if bit("ack") => Kind::Acknowledgement,
        () if bit("subject") && ["payload", "payload_base64", "payload_b64", "headers"].iter().any(|n| bit(n)) => {
            Kind::Message
        }
        () if bit("data") => Kind::JaegerAnswer,
        () => Kind::Unknown,
    })
}

/// Whether an object holds more than one of the long arrays that are read one by one.
fn several(bit: &dyn Fn(&str) -> bool) -> bool {
    let long = ["resourceSpans", "resourceLogs", "resourceMetrics", own::RECORDS];
    bit(own::RECORDS) || long.iter().filter(|n| bit(n)).count() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts() {
        for (head, want) in [
            (&b""[..], Layout::Empty),
            (b" \r\n", Layout::Empty),
            (b"{\"a\":1}\n{\"a\":2}\n", Layout::JsonLines),
            (b"\xef\xbb\xbf{\"a\":1}\r\n{\"a\":2}\r\n", Layout::JsonLines),
            (b"{\"a\":1}", Layout::JsonDocument),
            (b"{\n  \"a\": [\n    {\"b\":1}\n  ]\n}\n", Layout::JsonDocument),
            (b"[\n{\"a\":1},\n{\"a\":2}\n]\n", Layout::JsonDocument),
            (b"[{\"a\":1}]\n[{\"a\":2}]\n", Layout::JsonLines),
            (b"{\"a\":1,\"b\n{\"a\":2}\n", Layout::JsonLines),
            (b"oops\n{\"a\":2}\n", Layout::JsonLines),
            (b"hello world\n", Layout::Unknown),
            (b"\x89PNG\r\n\x1a\n", Layout::Unknown),
        ] {
            assert_eq!(layout(head, true), want, "{:?}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn framings() {
        // ResourceSpans { resource: { attributes: [ {} ] } } in a request.
        let request = [0x0a, 4, 0x0a, 2, 0x0a, 0];
        let with = |prefix: &[u8]| [prefix, &request].concat();
        assert_eq!(framing(&request), Some(Framing::Bare));
        assert_eq!(framing(&with(&[6])), Some(Framing::Varint));
        assert_eq!(framing(&with(&[0, 0, 0, 6])), Some(Framing::Fixed));
        assert_eq!(framing(b"\n{\"a\":1}\n"), None);
    }

    #[test]
    fn kinds() {
        for (json, want) in [
            (r#"{"resourceSpans":[]}"#, Kind::OtlpTraces),
            (r#"{"t":1,"subject":"a","reply":null,"headers":{},"payload":""}"#, Kind::Message),
            (r#"{"t":1,"subject":"a","stream":"S","consumer":"c","delivered":1,"sseq":1,"cseq":1}"#, Kind::Delivery),
            (r#"{"t":1,"svc":"x","ev":"subscribed","consumer":"c","subject":"a","stream":null}"#, Kind::Unknown),
            (r#"{"topic":"t","partition":0,"offset":1,"payload":""}"#, Kind::Kcat),
            (r#"{"traceId":"1","id":"2"}"#, Kind::ZipkinSpan),
            (r#"{"resourceSpans":[],"resourceLogs":[]}"#, Kind::Document),
            (r#"{"flowglassRecord":{"message":{}}}"#, Kind::Own),
        ] {
            assert_eq!(kind(json.as_bytes()), Ok(want), "{json}");
        }
        assert!(kind(b"[1]").is_err() && kind(b"{").is_err());
    }
}

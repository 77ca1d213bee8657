//! One span from its protobuf bytes, attributes straight into the model's form.
//!
//! The usual span is read here; whatever is unusual (a field of another wire type, text that is not UTF-8, a value given twice)
//! is left to the general decoder, which also knows the words for what is wrong. Field numbers: opentelemetry-proto
//! `trace/v1/trace.proto` and `common/v1/common.proto`.

use flowglass_model::{Attributes, Value};
use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use prost::Message;

use crate::normalise::value_from_proto;

/// Attributes there is room for at first.
const USUAL_ATTRIBUTES: usize = 16;

/// A field of a message.
enum Field<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
}

/// Splits the next field off. `None` when there is none or the bytes are broken; `rest` is then not empty.
fn next<'a>(rest: &mut &'a [u8]) -> Option<(u64, Field<'a>)> {
    let mut at = *rest;
    let tag = varint(&mut at).filter(|t| *t <= u64::from(u32::MAX))?;
    let field = match tag & 7 {
        0 => Field::Varint(varint(&mut at)?),
        1 => Field::Fixed64(u64::from_le_bytes(*take::<8>(&mut at)?)),
        2 => {
            let length = usize::try_from(varint(&mut at)?).ok()?;
            let (content, after) = at.split_at_checked(length)?;
            at = after;
            Field::Bytes(content)
        }
        5 => Field::Fixed32(u32::from_le_bytes(*take::<4>(&mut at)?)),
        _ => return None,
    };
    *rest = at;
    Some((tag >> 3, field))
}

fn take<'a, const N: usize>(at: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (taken, rest) = at.split_first_chunk::<N>()?;
    *at = rest;
    Some(taken)
}

fn varint(at: &mut &[u8]) -> Option<u64> {
    let (mut value, mut shift) = (0u64, 0);
    loop {
        let (byte, rest) = at.split_first()?;
        *at = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            // The tenth byte has room for one bit.
            return (shift < 63 || *byte <= 1).then_some(value);
        }
        shift += 7;
        if shift > 63 {
            return None;
        }
    }
}

fn text(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

/// The span without its attributes, and these; `None` for one that is not as usual.
pub(super) fn span(bytes: &[u8]) -> Option<(Span, Attributes)> {
    let mut span = Span::default();
    let mut attributes = Vec::with_capacity(USUAL_ATTRIBUTES);
    let mut rest = bytes;
    while !rest.is_empty() {
        match next(&mut rest)? {
            (1, Field::Bytes(b)) => span.trace_id = b.to_vec(),
            (2, Field::Bytes(b)) => span.span_id = b.to_vec(),
            (3, Field::Bytes(b)) => span.trace_state = text(b)?,
            (4, Field::Bytes(b)) => span.parent_span_id = b.to_vec(),
            (5, Field::Bytes(b)) => span.name = text(b)?,
            (6, Field::Varint(v)) => span.kind = v as i32,
            (7, Field::Fixed64(v)) => span.start_time_unix_nano = v,
            (8, Field::Fixed64(v)) => span.end_time_unix_nano = v,
            (9, Field::Bytes(b)) => attributes.push(attribute(b)?),
            (10, Field::Varint(v)) => span.dropped_attributes_count = v as u32,
            (11, Field::Bytes(b)) => span.events.push(Event::decode(b).ok()?),
            (12, Field::Varint(v)) => span.dropped_events_count = v as u32,
            (13, Field::Bytes(b)) => span.links.push(Link::decode(b).ok()?),
            (14, Field::Varint(v)) => span.dropped_links_count = v as u32,
            (15, Field::Bytes(b)) => span.status.get_or_insert_with(Status::default).merge(b).ok()?,
            (16, Field::Fixed32(v)) => span.flags = v,
            (0..=16, _) => return None,
            _ => {}
        }
    }
    Some((span, attributes))
}

fn attribute(bytes: &[u8]) -> Option<(String, Value)> {
    let (mut key, mut value) = (None, None);
    let mut rest = bytes;
    while !rest.is_empty() {
        let twice = match next(&mut rest)? {
            (1, Field::Bytes(b)) => key.replace(text(b)?).is_some(),
            (2, Field::Bytes(b)) => value.replace(any_value(b)?).is_some(),
            _ => true,
        };
        if twice {
            return None;
        }
    }
    Some((key.unwrap_or_default(), value.unwrap_or(Value::Null)))
}

fn any_value(bytes: &[u8]) -> Option<Value> {
    let mut rest = bytes;
    if rest.is_empty() {
        return Some(Value::Null);
    }
    let value = match next(&mut rest)? {
        (1, Field::Bytes(b)) => Value::String(text(b)?),
        (2, Field::Varint(v)) => Value::Bool(v != 0),
        (3, Field::Varint(v)) => Value::Int(v as i64),
        (4, Field::Fixed64(v)) => Value::Double(f64::from_bits(v)),
        _ => return AnyValue::decode(bytes).ok().map(value_from_proto),
    };
    rest.is_empty().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalise::attributes_from_proto;
    use opentelemetry_proto::tonic::common::v1::{ArrayValue, KeyValue, KeyValueList, any_value::Value as V};

    fn sample() -> Span {
        let value = |v: V| Some(AnyValue { value: Some(v) });
        let list = ArrayValue { values: vec![AnyValue { value: Some(V::IntValue(-3)) }, AnyValue::default()] };
        let pair = KeyValue { key: "in".into(), value: value(V::BoolValue(true)), ..KeyValue::default() };
        let values = [
            value(V::StringValue("ä text".into())),
            value(V::BoolValue(false)),
            value(V::IntValue(i64::MIN)),
            value(V::DoubleValue(-0.5)),
            value(V::BytesValue(vec![0, 255])),
            value(V::ArrayValue(list)),
            value(V::KvlistValue(KeyValueList { values: vec![pair] })),
            value(V::StringValue(String::new())),
            Some(AnyValue::default()),
            None,
        ];
        let named = |(i, value)| KeyValue { key: format!("key.{i}"), value, ..KeyValue::default() };
        let attributes: Vec<KeyValue> = values.into_iter().enumerate().map(named).collect();
        Span {
            trace_id: vec![7; 16],
            span_id: vec![8; 8],
            parent_span_id: vec![9; 8],
            trace_state: "a=b".into(),
            name: "POST /é".into(),
            kind: 3,
            start_time_unix_nano: u64::MAX,
            end_time_unix_nano: 5,
            events: vec![Event { name: "e".into(), attributes: attributes.clone(), ..Event::default() }],
            links: vec![Link { trace_id: vec![1; 16], span_id: vec![2; 8], ..Link::default() }],
            attributes,
            dropped_attributes_count: 1,
            dropped_events_count: 2,
            dropped_links_count: u32::MAX,
            status: Some(Status { message: "no".into(), code: 2 }),
            flags: 0x301,
        }
    }

    #[test]
    fn a_span_is_read_as_the_general_decoder_reads_it() {
        for wanted in [sample(), Span::default()] {
            let (span, attributes) = span(&wanted.encode_to_vec()).unwrap();
            assert_eq!(attributes, attributes_from_proto(wanted.attributes.clone()));
            assert_eq!(span, Span { attributes: Vec::new(), ..wanted });
        }
    }

    #[test]
    fn what_the_general_decoder_refuses_is_never_taken() {
        let whole = sample().encode_to_vec();
        for end in 0..whole.len() {
            assert!(span(&whole[..end]).is_none() || Span::decode(&whole[..end]).is_ok(), "cut at {end}");
        }
        for at in 0..whole.len() {
            for flip in [1u8, 0x20, 0x80, 0xff] {
                let mut broken = whole.clone();
                broken[at] ^= flip;
                let Some((read, attributes)) = span(&broken) else { continue };
                let wanted = Span::decode(broken.as_slice()).unwrap_or_else(|e| panic!("byte {at} ^ {flip}: {e}"));
                // Written as text: NaN is like no other number.
                let same = format!("{:?}", attributes_from_proto(wanted.attributes.clone()));
                assert_eq!(format!("{attributes:?}"), same, "byte {at} ^ {flip}");
                assert_eq!(format!("{read:?}"), format!("{:?}", Span { attributes: Vec::new(), ..wanted }));
            }
        }
    }
}

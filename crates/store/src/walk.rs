//! Every whole value in attributes, JSON texts and payloads, as text: what a search compares with.

use std::fmt::{self, Write};

use flowglass_model::{Attributes, LogRecord, Message, Span, Value};
use rustc_hash::FxHashSet;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// Calls `f` for each value of attributes.
pub(crate) fn attributes(attributes: &Attributes, f: &mut dyn FnMut(&str)) {
    attributes.iter().for_each(|(_, v)| value(v, f));
}

/// Calls `f` for a value as text, and for what is in it: members of lists and maps, scalars of a JSON text.
pub(crate) fn value(v: &Value, f: &mut dyn FnMut(&str)) {
    match v {
        Value::Null => {}
        Value::String(s) => text(s, f),
        Value::Bool(b) => f(if *b { "true" } else { "false" }),
        Value::Int(i) => number(i, f),
        Value::Double(d) => number(d, f),
        Value::Bytes(b) => {
            let mut hex = String::with_capacity(b.len() * 2);
            b.iter().for_each(|x| hex.push_str(&format!("{x:02x}")));
            f(&hex);
        }
        Value::Array(a) => a.iter().for_each(|x| value(x, f)),
        Value::Map(m) => m.iter().for_each(|(_, x)| value(x, f)),
    }
}

/// Calls `f` for a text, and for the scalars in it when it is JSON.
pub(crate) fn text(s: &str, f: &mut dyn FnMut(&str)) {
    f(s);
    if matches!(s.trim_start().as_bytes().first(), Some(b'{' | b'[')) {
        json(s.as_bytes(), f);
    }
}

/// Calls `f` for each value of a span.
pub(crate) fn span(s: &Span, f: &mut dyn FnMut(&str)) {
    attributes(&s.attributes, f);
    s.events.iter().for_each(|e| attributes(&e.attributes, f));
    s.links.iter().for_each(|l| attributes(&l.attributes, f));
    s.facts.keys.iter().for_each(|(_, v)| f(v));
}

/// Calls `f` for each value of a span that is not a text. Whole numbers are told once as long as `told` remembers them.
pub(crate) fn span_but_texts(s: &Span, told: &mut FxHashSet<i64>, f: &mut dyn FnMut(&str)) {
    let events = s.events.iter().flat_map(|e| &e.attributes);
    let links = s.links.iter().flat_map(|l| &l.attributes);
    s.attributes.iter().chain(events).chain(links).for_each(|(_, v)| but_text(v, told, f));
}

/// The same for a log record.
pub(crate) fn log_but_texts(l: &LogRecord, told: &mut FxHashSet<i64>, f: &mut dyn FnMut(&str)) {
    l.attributes.iter().map(|(_, v)| v).chain([&l.body]).for_each(|v| but_text(v, told, f));
}

fn but_text(v: &Value, told: &mut FxHashSet<i64>, f: &mut dyn FnMut(&str)) {
    match v {
        Value::String(_) => {}
        Value::Int(i) if !told.insert(*i) => {}
        Value::Array(a) => a.iter().for_each(|x| but_text(x, told, f)),
        Value::Map(m) => m.iter().for_each(|(_, x)| but_text(x, told, f)),
        other => value(other, f),
    }
}

/// Calls `f` for each value of a log record.
pub(crate) fn log(l: &LogRecord, f: &mut dyn FnMut(&str)) {
    value(&l.body, f);
    attributes(&l.attributes, f);
}

/// Calls `f` for each value of a message.
pub(crate) fn message(m: &Message, f: &mut dyn FnMut(&str)) {
    let ids = [&m.event_id, &m.key, &m.correlation_id, &m.causation_id];
    ids.into_iter().flatten().for_each(|v| f(v));
    m.headers.iter().for_each(|(_, v)| text(v, f));
    m.keys.iter().for_each(|(_, v)| f(v));
    match std::str::from_utf8(&m.payload) {
        Ok(payload) if !payload.is_empty() => text(payload, f),
        _ => {}
    }
}

fn number(n: impl fmt::Display, f: &mut dyn FnMut(&str)) {
    let mut buffer = Small { bytes: [0; 48], used: 0 };
    match write!(buffer, "{n}") {
        Ok(()) => f(std::str::from_utf8(&buffer.bytes[..buffer.used]).unwrap_or_default()),
        Err(_) => f(&n.to_string()),
    }
}

/// Room for a number's text without an allocation.
struct Small {
    bytes: [u8; 48],
    used: usize,
}

impl Write for Small {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let end = self.used + s.len();
        self.bytes.get_mut(self.used..end).ok_or(fmt::Error)?.copy_from_slice(s.as_bytes());
        self.used = end;
        Ok(())
    }
}

/// Walks JSON without building it; what stands before an error has been told.
fn json(bytes: &[u8], f: &mut dyn FnMut(&str)) {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    drop(Scalars(f).deserialize(&mut reader));
}

struct Scalars<'f>(&'f mut dyn FnMut(&str));

impl<'de> DeserializeSeed<'de> for Scalars<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Scalars<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_bool<E>(self, v: bool) -> Result<(), E> {
        (self.0)(if v { "true" } else { "false" });
        Ok(())
    }
    fn visit_i64<E>(self, v: i64) -> Result<(), E> {
        number(v, self.0);
        Ok(())
    }
    fn visit_u64<E>(self, v: u64) -> Result<(), E> {
        number(v, self.0);
        Ok(())
    }
    fn visit_f64<E>(self, v: f64) -> Result<(), E> {
        number(v, self.0);
        Ok(())
    }
    fn visit_str<E>(self, v: &str) -> Result<(), E> {
        (self.0)(v);
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Scalars(&mut *self.0))?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_key::<serde::de::IgnoredAny>()?.is_some() {
            map.next_value_seed(Scalars(&mut *self.0))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_texts_are_walked_and_plain_ones_are_whole() {
        let mut seen = Vec::new();
        value(&Value::from(r#"{"order":{"id":"o-17","lines":[1,2.5,true,null]}}"#), &mut |v| seen.push(v.to_owned()));
        assert_eq!(seen[1..], ["o-17", "1", "2.5", "true"]);
        seen.clear();
        value(&Value::from("o-17 and more"), &mut |v| seen.push(v.to_owned()));
        assert_eq!(seen, ["o-17 and more"]);
        seen.clear();
        text(r#"{"a":"x", broken"#, &mut |v| seen.push(v.to_owned()));
        assert_eq!(seen[1..], ["x"]);
    }
}

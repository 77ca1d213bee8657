//! Bounds of what one span or record may hold. What exceeds them is cut or dropped, and said.

use std::collections::HashSet;

use flowglass_model::{Attributes, Value};

/// Attributes kept per span, event, link, resource or record; also events and links per span.
pub const MAX_ATTRIBUTES: usize = 1_000;
/// Bytes kept of one text or byte value.
pub const MAX_VALUE: usize = 64 * 1024;
/// Bytes kept of a name or attribute key.
pub const MAX_NAME: usize = 1024;
/// Nesting kept of arrays and maps.
const MAX_DEPTH: u32 = 32;

/// Cuts a text at a character boundary at or below `max` bytes and says how much went.
fn cut(text: &mut String, max: usize) {
    // What was cut once, exported and imported again, stays as it is.
    let was_cut = || text.len() <= max + 40 && text.ends_with(" bytes]") && text.contains("…[cut ");
    if text.len() <= max || was_cut() {
        return;
    }
    let mut at = max;
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let gone = text.len() - at;
    text.truncate(at);
    text.push_str(&format!("…[cut {gone} bytes]"));
}

/// A name within bounds.
pub(super) fn name(mut text: String) -> String {
    cut(&mut text, MAX_NAME);
    text
}

/// Cuts a value, and all in it, to the bounds.
pub(super) fn value(value: &mut Value, depth: u32) {
    match value {
        Value::String(s) => cut(s, MAX_VALUE),
        Value::Bytes(b) => b.truncate(MAX_VALUE),
        Value::Array(_) | Value::Map(_) if depth >= MAX_DEPTH => {
            *value = Value::String("…[nested too deeply]".to_owned());
        }
        Value::Array(a) => a.iter_mut().for_each(|v| self::value(v, depth + 1)),
        Value::Map(m) => m.iter_mut().for_each(|(_, v)| self::value(v, depth + 1)),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Double(_) => {}
    }
}

/// Bounds a list of events or links; returns how many were dropped.
pub(super) fn list<T>(items: &mut Vec<T>) -> u32 {
    let over = items.len().saturating_sub(MAX_ATTRIBUTES);
    items.truncate(MAX_ATTRIBUTES);
    u32::try_from(over).unwrap_or(u32::MAX)
}

/// Bounds attributes: empty and over-long keys go, a key stands once (the last value wins, as a map would have it), at most
/// [`MAX_ATTRIBUTES`], values cut. Returns how many were dropped for size or number.
pub(super) fn attributes(attributes: &mut Attributes) -> u32 {
    let before = attributes.len();
    attributes.retain(|(k, _)| !k.is_empty() && k.len() <= MAX_NAME);
    let over = before - attributes.len() + attributes.len().saturating_sub(MAX_ATTRIBUTES);
    attributes.truncate(MAX_ATTRIBUTES);
    for (_, v) in attributes.iter_mut() {
        value(v, 0);
    }
    if has_repeats(attributes) {
        let mut seen = HashSet::new();
        let keep: Vec<bool> = attributes.iter().rev().map(|(k, _)| seen.insert(k.as_str())).collect();
        let mut keep = keep.into_iter().rev();
        attributes.retain(|_| keep.next().unwrap_or(true));
    }
    u32::try_from(over).unwrap_or(u32::MAX)
}

fn has_repeats(attributes: &Attributes) -> bool {
    if attributes.len() > 48 {
        let mut seen = HashSet::with_capacity(attributes.len());
        return !attributes.iter().all(|(k, _)| seen.insert(k.as_str()));
    }
    attributes.iter().enumerate().any(|(i, (k, _))| attributes[..i].iter().any(|(other, _)| other == k))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_cut_at_a_character_and_say_so() {
        let mut v = Value::String(format!("{}é", "x".repeat(MAX_VALUE - 1)));
        value(&mut v, 0);
        let text = v.as_str().unwrap();
        assert!(text.ends_with("x…[cut 2 bytes]"), "{}", &text[text.len() - 30..]);
    }

    #[test]
    fn keys_stand_once_and_excess_is_counted() {
        let mut a: Attributes = (0..1_010).map(|i| (format!("k{i}"), Value::Int(i))).collect();
        assert_eq!((attributes(&mut a), a.len()), (10, MAX_ATTRIBUTES));
        let mut a: Attributes =
            vec![("a".into(), Value::Int(1)), ("b".into(), Value::Int(2)), ("a".into(), Value::Int(3))];
        assert_eq!(attributes(&mut a), 0);
        assert_eq!(a, [("b".into(), Value::Int(2)), ("a".into(), Value::Int(3))]);
    }

    #[test]
    fn deep_values_are_flattened() {
        let mut v = Value::Int(1);
        for _ in 0..90 {
            v = Value::Array(vec![v]);
        }
        value(&mut v, 0);
        assert!(v.to_string().contains("nested too deeply"));
    }
}

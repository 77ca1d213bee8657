//! The shape of JSON payloads and how it drifts: which fields there are, of which types, in how many messages, since when.

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::Nanos;
use serde_json::Value as Json;

/// Fields of one shape at most.
const FIELDS_MAX: usize = 300;
/// Depth looked into.
const DEPTH_MAX: usize = 8;
/// Shapes told apart at most; rarer ones count as the last.
const SHAPES_MAX: usize = 50;

/// A field over all messages looked at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    /// `lines[].sku`.
    pub(crate) path: String,
    /// `string`, `number`, `boolean`, `null`, `object`, `array`; several when it changes.
    pub(crate) types: Vec<&'static str>,
    /// Messages that have it.
    pub(crate) count: usize,
    /// First message that has it.
    pub(crate) first: Nanos,
    /// Last message that has it.
    pub(crate) last: Nanos,
}

/// Messages of one shape.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shape {
    /// First of them.
    pub(crate) first: Nanos,
    /// Last of them.
    pub(crate) last: Nanos,
    /// How many.
    pub(crate) count: usize,
    /// Fields that the shape before it has not.
    pub(crate) added: Vec<String>,
    /// Fields of the shape before it that it has not.
    pub(crate) removed: Vec<String>,
    /// Fields of another type than in the shape before it: `total: number → string`.
    pub(crate) changed: Vec<String>,
}

/// What payloads look like.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Shapes {
    /// Payloads that are JSON.
    pub(crate) json: usize,
    /// Fields, sorted by path.
    pub(crate) fields: Vec<Field>,
    /// Shapes by their first message, the oldest first.
    pub(crate) shapes: Vec<Shape>,
}

type Outline = BTreeMap<String, BTreeSet<&'static str>>;

/// The shapes of payloads, in whatever order they come. A field that is null in some messages is no other shape.
pub(crate) fn shapes<'a>(payloads: impl IntoIterator<Item = (Nanos, &'a [u8])>) -> Shapes {
    let mut fields: BTreeMap<String, Field> = BTreeMap::new();
    let mut known: BTreeMap<Outline, (Nanos, Nanos, usize)> = BTreeMap::new();
    let mut json = 0;
    for (time, payload) in payloads {
        let Ok(value) = serde_json::from_slice::<Json>(payload) else { continue };
        json += 1;
        let mut outline = Outline::new();
        outline_of(&value, String::new(), 0, &mut outline);
        for (path, types) in &outline {
            let field = fields.entry(path.clone()).or_insert_with(|| Field {
                path: path.clone(),
                types: Vec::new(),
                count: 0,
                first: time,
                last: time,
            });
            field.count += 1;
            (field.first, field.last) = (field.first.min(time), field.last.max(time));
            types.iter().for_each(|t| {
                if !field.types.contains(t) {
                    field.types.push(t);
                }
            });
        }
        outline.values_mut().for_each(|types| {
            types.remove("null");
        });
        let full = known.len() >= SHAPES_MAX && !known.contains_key(&outline);
        if !full {
            let (first, last, count) = known.entry(outline).or_insert((time, time, 0));
            (*first, *last, *count) = ((*first).min(time), (*last).max(time), *count + 1);
        }
    }
    let mut ordered: Vec<(Outline, (Nanos, Nanos, usize))> = Vec::new();
    for (outline, (first, last, count)) in known {
        let Some((like, seen)) = ordered.iter_mut().find(|(other, _)| same_but_for_nulls(other, &outline)) else {
            ordered.push((outline, (first, last, count)));
            continue;
        };
        outline.into_iter().for_each(|(path, types)| like.entry(path).or_default().extend(types));
        *seen = (seen.0.min(first), seen.1.max(last), seen.2 + count);
    }
    ordered.sort_by(|a, b| (a.1.0, &a.0).cmp(&(b.1.0, &b.0)));
    let nothing = Outline::new();
    let shapes = ordered.iter().enumerate().map(|(i, (outline, (first, last, count)))| {
        let before = if i == 0 { &nothing } else { &ordered[i - 1].0 };
        let (added, removed, changed) = if i == 0 { Default::default() } else { difference(before, outline) };
        Shape { first: *first, last: *last, count: *count, added, removed, changed }
    });
    Shapes { json, fields: fields.into_values().collect(), shapes: shapes.collect() }
}

/// Whether two outlines have the same fields, of the same types where either has a value.
fn same_but_for_nulls(a: &Outline, b: &Outline) -> bool {
    let alike = |(x, y): (&BTreeSet<&str>, &BTreeSet<&str>)| x == y || x.is_empty() || y.is_empty();
    a.len() == b.len() && a.keys().eq(b.keys()) && a.values().zip(b.values()).all(alike)
}

fn difference(before: &Outline, after: &Outline) -> (Vec<String>, Vec<String>, Vec<String>) {
    let only = |a: &Outline, b: &Outline| a.keys().filter(|path| !b.contains_key(*path)).cloned().collect();
    let words = |types: &BTreeSet<&str>| types.iter().copied().collect::<Vec<_>>().join(" or ");
    let changed = after.iter().filter_map(|(path, now)| {
        let was = before.get(path)?;
        let differs = was != now && !was.is_empty() && !now.is_empty();
        differs.then(|| format!("{path}: {} → {}", words(was), words(now)))
    });
    (only(after, before), only(before, after), changed.collect())
}

fn outline_of(value: &Json, path: String, depth: usize, out: &mut Outline) {
    if out.len() >= FIELDS_MAX || depth > DEPTH_MAX {
        return;
    }
    if !path.is_empty() {
        out.entry(path.clone()).or_default().insert(type_of(value));
    }
    match value {
        Json::Object(members) => {
            for (name, inner) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                outline_of(inner, path, depth + 1, out);
            }
        }
        Json::Array(items) => {
            for inner in items.iter().take(20) {
                outline_of(inner, format!("{path}[]"), depth + 1, out);
            }
        }
        _ => {}
    }
}

fn type_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_is_told_field_by_field() {
        let payloads: [(Nanos, &[u8]); 5] = [
            (3, br#"{"id":"a","total":"7","tags":["x"]}"#),
            (1, br#"{"id":"a","total":7}"#),
            (2, br#"{"id":null,"total":8}"#),
            (4, b"text"),
            (5, br#"{"id":"b","total":"9","tags":[]}"#),
        ];
        let told = shapes(payloads);
        assert_eq!(told.json, 4);
        let total = told.fields.iter().find(|f| f.path == "total").unwrap();
        assert_eq!((total.count, total.types.len(), total.first, total.last), (4, 2, 1, 5));
        // An empty list says nothing of what would be in it.
        let [first, .., last] = told.shapes.as_slice() else { panic!("{told:?}") };
        assert_eq!((first.count, first.first, first.last), (2, 1, 2));
        assert_eq!(told.shapes[1].added, ["tags", "tags[]"]);
        assert_eq!(told.shapes[1].changed, ["total: number → string"]);
        assert_eq!(last.removed, ["tags[]"]);
    }
}

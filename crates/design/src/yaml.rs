//! YAML (or JSON, which is YAML) as JSON values that know the lines they stand in, and back.

use std::collections::{BTreeMap, HashMap};

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Number, Value};

use crate::Problem;

/// Values of a file at most, aliases counted as often as they are used: a small file cannot become a huge one.
const MOST_VALUES: usize = 500_000;
/// Nesting at most.
const DEEPEST: usize = 100;
/// Bytes of a file at most.
pub const LONGEST: usize = 16 << 20;

/// A document of a file.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub(crate) value: Value,
    /// Lines, from 1, by JSON Pointer.
    lines: HashMap<String, usize>,
}

impl Document {
    /// The line of a value, or of the nearest around it that has one.
    pub(crate) fn line(&self, pointer: &str) -> usize {
        let mut at = pointer;
        loop {
            if let Some(line) = self.lines.get(at) {
                return *line;
            }
            let Some((outer, _)) = at.rsplit_once('/') else { return 1 };
            at = outer;
        }
    }
}

/// A part of a JSON Pointer (RFC 6901).
pub(crate) fn pointer_part(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

struct Open {
    anchor: usize,
    /// Values in it so far, itself included.
    size: usize,
    value: Value,
    pointer: String,
    key: Option<String>,
}

/// Reads all documents of a file.
pub(crate) fn parse(text: &str) -> Result<Vec<Document>, Problem> {
    if text.len() > LONGEST {
        return Err(Problem::at(1, format!("the file is longer than {} MiB", LONGEST >> 20)));
    }
    let mut documents = Vec::new();
    let mut lines = HashMap::new();
    let mut anchors: BTreeMap<usize, (Value, usize)> = BTreeMap::new();
    let mut stack: Vec<Open> = Vec::new();
    let mut values = 0usize;
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|e| Problem::at(e.marker().line(), format!("this is not YAML: {}", e.info())))?;
        let line = span.start.line();
        let (done, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => {
                let is_key = stack.last().is_some_and(|o| o.value.is_object() && o.key.is_none());
                if is_key {
                    if let Some(open) = stack.last_mut() {
                        let pointer = format!("{}/{}", open.pointer, pointer_part(&text));
                        lines.insert(pointer, line);
                        open.key = Some(text.into_owned());
                    }
                    continue;
                }
                (Some((scalar(&text, style), 1)), anchor)
            }
            Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) => {
                let value = if matches!(event, Event::MappingStart(..)) {
                    Value::Object(Map::new())
                } else {
                    Value::Array(Vec::new())
                };
                if matches!(stack.last(), Some(o) if o.value.is_object() && o.key.is_none()) {
                    return Err(Problem::at(line, "a key must be a text"));
                }
                let pointer = stack.last().map_or_else(String::new, below);
                lines.entry(pointer.clone()).or_insert(line);
                stack.push(Open { anchor, size: 1, value, pointer, key: None });
                if stack.len() > DEEPEST {
                    return Err(Problem::at(line, format!("nested deeper than {DEEPEST} levels")));
                }
                (None, 0)
            }
            Event::SequenceEnd | Event::MappingEnd => match stack.pop() {
                Some(open) => (Some((open.value, open.size)), open.anchor),
                None => (None, 0),
            },
            Event::Alias(anchor) => {
                let known = anchors.get(&anchor);
                let known = known.ok_or_else(|| Problem::at(line, "this alias refers to nothing, or to itself"))?;
                // Before it is copied: a few lines of aliases of aliases would fill all memory.
                bounded(values + known.1, line)?;
                values += known.1 - 1;
                (Some(known.clone()), 0)
            }
            Event::DocumentEnd => {
                lines.clear();
                anchors.clear();
                (None, 0)
            }
            _ => (None, 0),
        };
        let Some((value, size)) = done else { continue };
        values += 1;
        bounded(values, line)?;
        if anchor > 0 {
            anchors.insert(anchor, (value.clone(), size));
        }
        if let Some(open) = stack.last_mut() {
            open.size += size;
        }
        match stack.last_mut() {
            None => documents.push(Document { value, lines: std::mem::take(&mut lines) }),
            Some(open) => put(open, value, line, &mut lines)?,
        }
    }
    Ok(documents)
}

fn below(open: &Open) -> String {
    match (&open.value, &open.key) {
        (Value::Array(items), _) => format!("{}/{}", open.pointer, items.len()),
        (_, Some(key)) => format!("{}/{}", open.pointer, pointer_part(key)),
        _ => open.pointer.clone(),
    }
}

fn put(open: &mut Open, value: Value, line: usize, lines: &mut HashMap<String, usize>) -> Result<(), Problem> {
    let pointer = below(open);
    lines.entry(pointer).or_insert(line);
    match (&mut open.value, open.key.take()) {
        (Value::Array(items), _) => items.push(value),
        (Value::Object(map), Some(key)) => {
            if map.contains_key(&key) {
                return Err(Problem::at(line, format!("`{key}` stands twice")));
            }
            map.insert(key, value);
        }
        _ => return Err(Problem::at(line, "a key must be a text")),
    }
    Ok(())
}

fn bounded(values: usize, line: usize) -> Result<(), Problem> {
    if values <= MOST_VALUES {
        return Ok(());
    }
    Err(Problem::at(line, format!("more than {MOST_VALUES} values (aliases count as often as they are used)")))
}

/// The core schema of YAML 1.2: `on`, `off`, `yes` and `no` are texts.
fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::String(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    let digits = text.trim_start_matches(['-', '+']);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') || text.contains('_') {
        return None;
    }
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    text.parse::<f64>().ok().filter(|n| n.is_finite()).and_then(Number::from_f64)
}

/// What is written: maps keep the order they are given.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    /// Text, number, boolean, null.
    Leaf(Value),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl From<Value> for Node {
    fn from(value: Value) -> Node {
        match value {
            Value::Array(items) => Node::List(items.into_iter().map(Node::from).collect()),
            Value::Object(map) => Node::Map(map.into_iter().map(|(key, value)| (key, value.into())).collect()),
            leaf => Node::Leaf(leaf),
        }
    }
}

impl Node {
    /// Whether nothing is in it.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Node::Leaf(value) => value.is_null(),
            Node::List(items) => items.is_empty(),
            Node::Map(fields) => fields.is_empty(),
        }
    }
}

/// Writes YAML in block style. The same gives the same text.
pub(crate) fn write(node: &Node) -> String {
    let mut out = String::new();
    block(&mut out, node, 0);
    out
}

fn block(out: &mut String, node: &Node, depth: usize) {
    let indent = "  ".repeat(depth);
    match node {
        Node::Map(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                let key = text(key);
                // A longer key is only read where it is marked as one (YAML 1.2.2, 7.4).
                match key.chars().count() {
                    ..1_000 => out.push_str(&format!("{indent}{key}:")),
                    _ => out.push_str(&format!("{indent}? {key}\n{indent}:")),
                }
                inside(out, value, depth + 1);
            }
        }
        Node::List(items) if !items.is_empty() => {
            for item in items {
                out.push_str(&format!("{indent}-"));
                match item {
                    Node::Map(fields) if !fields.is_empty() => {
                        // The first key stands beside the dash.
                        let mut own = String::new();
                        block(&mut own, item, depth + 1);
                        out.push(' ');
                        out.push_str(own.trim_start());
                    }
                    _ => inside(out, item, depth + 1),
                }
            }
        }
        other => out.push_str(&format!("{indent}{}\n", flow(other))),
    }
}

/// A value behind its key or dash.
fn inside(out: &mut String, node: &Node, depth: usize) {
    match node {
        Node::List(items) if !items.is_empty() && items.iter().all(|i| matches!(i, Node::Leaf(_))) => {
            let items: Vec<String> = items.iter().map(flow).collect();
            out.push_str(&format!(" [{}]\n", items.join(", ")));
        }
        full if !full.is_empty() && !matches!(full, Node::Leaf(_)) => {
            out.push('\n');
            block(out, full, depth);
        }
        other => out.push_str(&format!(" {}\n", flow(other))),
    }
}

fn flow(node: &Node) -> String {
    match node {
        Node::Leaf(Value::String(words)) => text(words),
        Node::Leaf(other) => other.to_string(),
        Node::List(_) => "[]".into(),
        Node::Map(_) => "{}".into(),
    }
}

/// A text, plain where nobody can take it for anything else.
fn text(words: &str) -> String {
    let is_safe =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | '/' | '(' | ')' | '+' | ';');
    let plain = words.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '_'))
        && !words.ends_with(' ')
        && words.chars().all(is_safe)
        && !matches!(
            words.to_ascii_lowercase().as_str(),
            "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if plain { words.to_owned() } else { Value::String(words.to_owned()).to_string() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_go_both_ways() {
        let value = json!({
            "a": "on", "b": {"POST /orders/{id}": [], "c": {}}, "d": [1, 2.5, "x: y", null, true],
            "e": [{"f": "line\nbreak", "g": ["-", "#h"]}, [1, [2]]], "1": "1", "": "~",
            "long/".repeat(400): {"x".repeat(1_001): [{"y z".repeat(1_000): 1, "b": 2}], "a": {}}, "ü:".repeat(900): "w".repeat(2_000),
        });
        let text = write(&value.clone().into());
        assert_eq!(parse(&text).unwrap()[0].value, value, "{text}");
    }

    #[test]
    fn lines_are_known() {
        let documents = parse("a: 1\nb:\n  - c: 2\n    d: 3\n---\ne: 1\n").unwrap();
        assert_eq!((documents[0].line("/b/0/d"), documents[0].line("/b/0/d/none"), documents[1].line("/e")), (4, 4, 6));
        assert_eq!(parse("a: 1\na: 2\n").unwrap_err().line, 2);
        assert!(parse(&"[".repeat(10_000)).is_err());
    }

    #[test]
    fn a_small_file_cannot_become_a_huge_one() {
        let mut text = String::from("a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]\n");
        for i in 1..20 {
            text.push_str(&format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 9].join(", ")));
        }
        assert!(parse(&text).is_err());
    }
}

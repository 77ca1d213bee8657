//! YAML (or JSON, which is YAML) as a tree in which everything knows its place.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle};

use super::Problem;

/// Nodes of a document at most, aliases counted as often as they are used: a small file cannot become a huge one.
const MOST_NODES: usize = 200_000;
/// Nesting at most.
const DEEPEST: usize = 64;
/// Bytes of a document at most.
pub(crate) const LONGEST: usize = 4 << 20;

/// Where something stands: line and column, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// A value with its place.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) at: At,
    pub(crate) value: Value,
}

#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// As written.
    Number(String, f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Field>),
}

/// A key of a map with its value.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) key: String,
    pub(crate) at: At,
    pub(crate) node: Node,
}

impl Node {
    /// What it is, in words.
    pub(crate) fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Number(..) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    pub(crate) fn field(&self, key: &str) -> Option<&Field> {
        match &self.value {
            Value::Map(fields) => fields.iter().find(|f| f.key == key),
            _ => None,
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.field(key).map(|f| &f.node)
    }

    pub(crate) fn fields(&self) -> &[Field] {
        match &self.value {
            Value::Map(fields) => fields,
            _ => &[],
        }
    }

    pub(crate) fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// A scalar as it was written.
    pub(crate) fn scalar(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) | Value::Number(text, _) => Some(text),
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            _ => None,
        }
    }
}

/// Reads a document. The error names its place.
pub(crate) fn parse(text: &str) -> Result<Node, Problem> {
    let start = At { line: 1, column: 1 };
    if text.len() > LONGEST {
        return Err(Problem::new(start, format!("the file is longer than {} MiB", LONGEST >> 20)));
    }
    let mut builder = Builder { anchors: HashMap::new(), nodes: 0, kept: 0 };
    let mut stack: Vec<Open> = Vec::new();
    let mut root = None;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|e| {
            let mark = e.marker();
            Problem::new(at(mark.line(), mark.col()), format!("this is not YAML: {}", e.info()))
        })?;
        let here = at(span.start.line(), span.start.col());
        let (done, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => (Some(scalar(here, &text, style)), anchor),
            Event::SequenceStart(anchor, _) => {
                stack.push(Open::new(here, anchor, false));
                (None, 0)
            }
            Event::MappingStart(anchor, _) => {
                stack.push(Open::new(here, anchor, true));
                (None, 0)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = stack.pop() else { continue };
                let value = if open.is_map { Value::Map(open.map) } else { Value::List(open.list) };
                (Some(Node { at: open.at, value }), open.anchor)
            }
            Event::Alias(anchor) => {
                let known = builder.anchors.get(&anchor).cloned();
                let node = known.ok_or_else(|| Problem::new(here, "this alias refers to nothing".into()))?;
                builder.nodes += count(&node).saturating_sub(1);
                (Some(node), 0)
            }
            _ => (None, 0),
        };
        if stack.len() > DEEPEST {
            return Err(Problem::new(here, format!("nested deeper than {DEEPEST} levels")));
        }
        let Some(node) = done else { continue };
        builder.nodes += 1;
        if builder.nodes > MOST_NODES {
            return Err(Problem::new(
                here,
                format!("more than {MOST_NODES} values (aliases count as often as they are used)"),
            ));
        }
        if anchor > 0 {
            // Anchors inside of anchors are kept once each: what is kept is bounded, too.
            builder.kept += count(&node);
            if builder.kept > MOST_NODES {
                return Err(Problem::new(here, format!("anchors hold more than {MOST_NODES} values together")));
            }
            builder.anchors.insert(anchor, node.clone());
        }
        match stack.last_mut() {
            Some(open) => open.take(node)?,
            None if root.is_none() => root = Some(node),
            None => return Err(Problem::new(here, "a second document; a file holds one".into())),
        }
    }
    root.ok_or_else(|| Problem::new(start, "the file is empty".into()))
}

struct Builder {
    anchors: HashMap<usize, Node>,
    nodes: usize,
    /// Values that anchors keep.
    kept: usize,
}

struct Open {
    at: At,
    anchor: usize,
    list: Vec<Node>,
    map: Vec<Field>,
    key: Option<(String, At)>,
    /// Lines of the keys so far.
    keys: HashMap<String, u32>,
    is_map: bool,
}

impl Open {
    fn new(at: At, anchor: usize, is_map: bool) -> Open {
        Open { at, anchor, list: Vec::new(), map: Vec::new(), key: None, keys: HashMap::new(), is_map }
    }
}

impl Open {
    fn take(&mut self, node: Node) -> Result<(), Problem> {
        if !self.is_map {
            self.list.push(node);
            return Ok(());
        }
        if let Some((key, at)) = self.key.take() {
            self.map.push(Field { key, at, node });
            return Ok(());
        }
        let Some(key) = node.scalar().map(str::to_owned) else {
            return Err(Problem::new(node.at, format!("a key must be a text, this is {}", node.kind())));
        };
        if let Some(line) = self.keys.insert(key.clone(), node.at.line) {
            return Err(Problem::new(node.at, format!("`{key}` stands twice; the first is in line {line}")));
        }
        self.key = Some((key, node.at));
        Ok(())
    }
}

fn at(line: usize, column: usize) -> At {
    At { line: line as u32, column: column as u32 + 1 }
}

fn count(node: &Node) -> usize {
    1 + node.items().iter().map(count).sum::<usize>() + node.fields().iter().map(|f| count(&f.node)).sum::<usize>()
}

/// The core schema of YAML 1.2: `on`, `off`, `yes` and `no` are texts.
fn scalar(at: At, text: &str, style: ScalarStyle) -> Node {
    let value = if style != ScalarStyle::Plain {
        Value::Text(text.to_owned())
    } else {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => Value::Null,
            "true" | "True" | "TRUE" => Value::Bool(true),
            "false" | "False" | "FALSE" => Value::Bool(false),
            _ => number(text).map_or_else(|| Value::Text(text.to_owned()), |n| Value::Number(text.to_owned(), n)),
        }
    };
    Node { at, value }
}

fn number(text: &str) -> Option<f64> {
    let digits = text.trim_start_matches(['-', '+']);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') || text.contains('_') {
        return None;
    }
    match digits {
        ".inf" | ".Inf" | ".INF" => Some(f64::INFINITY),
        ".nan" | ".NaN" | ".NAN" => Some(f64::NAN),
        _ => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_kinds() {
        let tree = parse("a: 1\nb: { on: yes, c: [x, ~, 2.5, true] }\n").unwrap();
        let b = tree.get("b").unwrap();
        assert_eq!(b.get("on").unwrap().scalar(), Some("yes"));
        assert_eq!(b.field("c").unwrap().at, At { line: 2, column: 15 });
        let kinds: Vec<_> = b.get("c").unwrap().items().iter().map(Node::kind).collect();
        assert_eq!(kinds, ["a text", "nothing", "a number", "true or false"]);
        assert_eq!(parse(r#"{"a": "1"}"#).unwrap().get("a").unwrap().kind(), "a text");
    }

    #[test]
    fn what_is_wrong_has_a_place() {
        for (text, line, words) in [
            ("a: 1\na: 2\n", 2, "twice"),
            ("a: [1, 2\n", 2, "not YAML"),
            ("", 1, "empty"),
            ("? [1]\n: 2\n", 1, "a key must be a text"),
            ("a: *b\n", 1, ""),
            ("--- 1\n--- 2\n", 2, "second document"),
        ] {
            let problem = parse(text).unwrap_err();
            assert!(problem.message.contains(words), "{text}: {problem}");
            assert_eq!(problem.line, line, "{text}: {problem}");
        }
    }

    #[test]
    fn a_small_file_cannot_become_a_huge_one() {
        let mut text = String::from("a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]\n");
        for i in 1..20 {
            let inside = vec![format!("*a{}", i - 1); 9].join(", ");
            text.push_str(&format!("a{i}: &a{i} [{inside}]\n"));
        }
        assert!(parse(&text).unwrap_err().message.contains("more than"));
        assert!(parse(&"[".repeat(10_000)).is_err());
    }
}

//! What has to change in a design's text so that it says something else: the rest of it, comments included, can stay as it is.

use flowglass_model::Design;
use serde_json::Value;

use crate::own;
use crate::yaml::Node;

/// A change of a text in `design/1`.
#[derive(Debug, Clone, PartialEq)]
pub struct TextChange {
    /// Keys from the root of the document.
    pub path: Vec<String>,
    /// What stands there then; nothing where the key goes. Lists change as a whole.
    pub value: Option<Value>,
}

/// The changes that lead from a text of `before` to one of `after`, smallest ones first found from the root.
pub fn changes(before: &Design, after: &Design) -> Vec<TextChange> {
    let mut out = Vec::new();
    collect(&own::node(before), &own::node(after), &mut Vec::new(), &mut out);
    out
}

fn collect(before: &Node, after: &Node, path: &mut Vec<String>, out: &mut Vec<TextChange>) {
    let (Node::Map(old), Node::Map(new)) = (before, after) else {
        if before != after {
            out.push(TextChange { path: path.clone(), value: Some(plain(after)) });
        }
        return;
    };
    for (key, _) in old.iter().filter(|(key, _)| !new.iter().any(|(k, _)| k == key)) {
        path.push(key.clone());
        out.push(TextChange { path: path.clone(), value: None });
        path.pop();
    }
    for (key, value) in new {
        path.push(key.clone());
        match old.iter().find(|(k, _)| k == key) {
            Some((_, was)) => collect(was, value, path, out),
            None => out.push(TextChange { path: path.clone(), value: Some(plain(value)) }),
        }
        path.pop();
    }
}

fn plain(node: &Node) -> Value {
    match node {
        Node::Leaf(value) => value.clone(),
        Node::List(items) => items.iter().map(plain).collect(),
        Node::Map(fields) => fields.iter().map(|(key, node)| (key.clone(), plain(node))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_changes() {
        let read = |text: &str| own::read(&format!("flowglass: design/1\n{text}")).unwrap();
        let before = read("participants: { a: { layer: system, publishes: [x] }, b: {}, c: { owner: t } }");
        let after = read("participants: { a: { layer: process, publishes: [x, y] }, b: {}, d: { layer: system } }");
        let found: Vec<(String, Value)> = changes(&before, &after)
            .into_iter()
            .map(|c| (c.path[1..].join("/"), c.value.unwrap_or(Value::Null)))
            .collect();
        let expected = [
            ("c", Value::Null),
            ("a/layer", json!("process")),
            ("a/publishes", json!(["x", "y"])),
            ("d", json!({ "layer": "system" })),
        ];
        assert_eq!(found, expected.map(|(path, value)| (path.to_owned(), value)));
        assert!(changes(&before, &before).is_empty());
        // The first of a section brings it with it, the last takes it along.
        let none = read("");
        assert_eq!(changes(&none, &after)[0].path, ["participants"]);
        assert_eq!(changes(&after, &none), [TextChange { path: vec!["participants".into()], value: None }]);
    }
}

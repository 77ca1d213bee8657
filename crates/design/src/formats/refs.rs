//! Following `$ref`: within a document, to other files, to the web. Nothing is fetched here; what is missing is asked for.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::yaml::Document;

/// References followed one after the other at most; a circle ends there.
const MOST_STEPS: usize = 50;

/// The documents at hand.
pub(super) struct Library<'a> {
    documents: &'a BTreeMap<&'a str, Vec<Document>>,
    wanted: RefCell<BTreeSet<String>>,
}

/// A value, and where it stands: what it refers to is meant from there.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed<'a> {
    pub(super) path: String,
    pub(super) root: &'a Value,
    pub(super) value: &'a Value,
    /// JSON Pointer, known where a reference led here.
    pub(super) pointer: Option<String>,
}

impl<'a> Placed<'a> {
    /// A value below.
    pub(super) fn child(&self, value: &'a Value) -> Placed<'a> {
        Placed { path: self.path.clone(), root: self.root, value, pointer: None }
    }

    pub(super) fn get(&self, key: &str) -> Option<Placed<'a>> {
        self.value.get(key).map(|v| self.child(v))
    }
}

impl<'a> Library<'a> {
    pub(super) fn new(documents: &'a BTreeMap<&'a str, Vec<Document>>) -> Library<'a> {
        Library { documents, wanted: RefCell::default() }
    }

    /// What was referred to and is not here.
    pub(super) fn wanted(&self) -> BTreeSet<String> {
        self.wanted.borrow().clone()
    }

    /// The document of a path; one that is not here is asked for.
    pub(super) fn document(&self, path: &str) -> Option<&'a Value> {
        let found = self.documents.get(path).and_then(|d| d.first()).map(|d| &d.value);
        if found.is_none() && !self.documents.contains_key(path) {
            self.wanted.borrow_mut().insert(path.to_owned());
        }
        found
    }

    /// Follows the references of a value to what they mean. `None` where that is not here, or where they lead in a circle.
    pub(super) fn follow(&self, from: Placed<'a>) -> Option<Placed<'a>> {
        let mut at = from;
        for _ in 0..MOST_STEPS {
            let Some(reference) = at.value.get("$ref").and_then(Value::as_str) else { return Some(at) };
            let (file, pointer) = reference.split_once('#').unwrap_or((reference, ""));
            let (path, root) = match file {
                "" => (at.path.clone(), at.root),
                file => {
                    let path = joined(&at.path, file);
                    let root = self.document(&path)?;
                    (path, root)
                }
            };
            let pointer = percent_decoded(pointer);
            let value = root.pointer(&pointer)?;
            at = Placed { path, root, value, pointer: Some(pointer) };
        }
        None
    }
}

/// A relative reference from where a file stands.
pub(super) fn joined(base: &str, reference: &str) -> String {
    if reference.contains("://") {
        return reference.to_owned();
    }
    let (scheme, base) = match base.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), base),
    };
    let mut parts: Vec<&str> = base.split('/').collect();
    parts.pop();
    if reference.starts_with('/') {
        parts.truncate(usize::from(!scheme.is_empty()));
    }
    for part in reference.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|p| *p != ".." && !p.is_empty()) => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("{scheme}{}", parts.join("/"))
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code =
            after.get(..2).and_then(|h| std::str::from_utf8(h).ok()).and_then(|h| u8::from_str_radix(h, 16).ok());
        match code.filter(|_| *first == b'%') {
            Some(code) => {
                bytes.push(code);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_meant_from_their_file() {
        for (base, reference, expected) in [
            ("a/b/c.yaml", "d.yaml", "a/b/d.yaml"),
            ("a/b/c.yaml", "../d.yaml", "a/d.yaml"),
            ("a/b/c.yaml", "./x/d.yaml", "a/b/x/d.yaml"),
            ("c.yaml", "../d.yaml", "../d.yaml"),
            ("/a/c.yaml", "../d.yaml", "/d.yaml"),
            ("https://h/a/c.yaml", "../d.yaml", "https://h/d.yaml"),
            ("https://h/a/c.yaml", "/d.yaml", "https://h/d.yaml"),
            ("a.yaml", "https://h/x.yaml", "https://h/x.yaml"),
        ] {
            assert_eq!(joined(base, reference), expected, "{base} {reference}");
        }
        assert_eq!(percent_decoded("/paths/~1a%7Bid%7D"), "/paths/~1a{id}");
    }
}

//! Variants: which steps become events, and overrides by pointer.

use std::collections::BTreeMap;

use super::read::{Reader, suggestion};
use super::tree::{Field, Node, Value};
use crate::model::{Design, Do, EventCapability, Intent, Needs, Variant};
use crate::program::{each_do, participant_of};

/// A variant as written.
#[derive(Debug)]
pub(super) struct Written<'a> {
    pub(super) name: String,
    pub(super) events: BTreeMap<String, String>,
    pub(super) accept: Vec<String>,
    /// Pointer, where it stands, and the new value.
    pub(super) set: Vec<&'a Field>,
}

pub(super) fn written<'a>(r: &mut Reader, node: &'a Node, ids: &[String]) -> Vec<Written<'a>> {
    let mut all = Vec::new();
    if !matches!(node.value, Value::Map(_)) {
        r.wrong(node.at, format!("variants must be a map of names, this is {}", node.kind()));
    }
    for field in node.fields() {
        let Some(inside) = r.map(&field.node, "a variant", &["events", "accept", "set", "description"]) else {
            continue;
        };
        let mut variant =
            Written { name: field.key.clone(), events: BTreeMap::new(), accept: Vec::new(), set: Vec::new() };
        let known = |r: &mut Reader, id: &str, at| {
            if !ids.iter().any(|known| known == id) {
                let hint = suggestion(id, ids.iter().map(String::as_str));
                r.wrong(at, format!("there is no step `{id}`{hint}"));
            }
        };
        for event in inside.get("events").map_or(&[][..], Node::fields) {
            known(r, &event.key, event.at);
            if let Some(channel) = r.text(&event.node, "a channel") {
                variant.events.insert(event.key.clone(), channel);
            }
        }
        for id in inside.get("accept").map_or(&[][..], Node::items) {
            if let Some(text) = r.text(id, "the id of a step") {
                known(r, &text, id.at);
                variant.accept.push(text);
            }
        }
        variant.set = inside.get("set").map_or(&[][..], Node::fields).iter().collect();
        all.push(variant);
    }
    all
}

/// Replaces what a pointer names in a document. `/steps/ID/…` names a step by its id.
pub(super) fn set(r: &mut Reader, root: &mut Node, field: &Field) {
    let Some(rest) = field.key.strip_prefix('/') else {
        return r.wrong(field.at, format!("`{}` is no JSON Pointer: it begins with a slash", field.key));
    };
    let parts: Vec<String> = rest.split('/').map(|p| p.replace("~1", "/").replace("~0", "~")).collect();
    let (target, path) = match parts.as_slice() {
        [first, id, path @ ..] if first == "steps" => {
            let Some(step) = root_operations(root).and_then(|o| find_step(o, id)) else {
                return r.wrong(field.at, format!("there is no step `{id}`"));
            };
            (step, path)
        }
        [first, name, ..] if first == "participants" || first == "operations" => {
            let known = root.get(first).map_or(&[][..], Node::fields);
            if !known.iter().any(|f| f.key == *name) {
                let hint = suggestion(name, known.iter().map(|f| f.key.as_str()));
                return r.wrong(field.at, format!("`{}`: there is no `{name}` in {first}{hint}", field.key));
            }
            (root, parts.as_slice())
        }
        path => (root, path),
    };
    if !put(target, path, &field.node) {
        r.wrong(field.at, format!("`{}` names nothing in this file", field.key));
    }
}

fn root_operations(root: &mut Node) -> Option<&mut Node> {
    match &mut root.value {
        Value::Map(fields) => fields.iter_mut().find(|f| f.key == "operations").map(|f| &mut f.node),
        _ => None,
    }
}

fn find_step<'a>(node: &'a mut Node, id: &str) -> Option<&'a mut Node> {
    if node.get("do").is_some() && node.get("id").and_then(Node::scalar) == Some(id) {
        return Some(node);
    }
    match &mut node.value {
        Value::Map(fields) => fields.iter_mut().find_map(|f| find_step(&mut f.node, id)),
        Value::List(items) => items.iter_mut().find_map(|n| find_step(n, id)),
        _ => None,
    }
}

fn put(node: &mut Node, path: &[String], value: &Node) -> bool {
    let Some((key, rest)) = path.split_first() else {
        *node = value.clone();
        return true;
    };
    if matches!(node.value, Value::Null) {
        node.value = Value::Map(Vec::new());
    }
    match &mut node.value {
        Value::Map(fields) => {
            if let Some(field) = fields.iter_mut().find(|f| f.key == *key) {
                return put(&mut field.node, rest, value);
            }
            // A key that has its default so far: the reader checks that it is a known one.
            let mut node = Node { at: value.at, value: Value::Null };
            let done = put(&mut node, rest, value);
            fields.push(Field { key: key.clone(), at: value.at, node });
            done
        }
        Value::List(items) => {
            key.parse::<usize>().ok().and_then(|i| items.get_mut(i)).is_some_and(|item| put(item, rest, value))
        }
        _ => false,
    }
}

/// The variants of a file that names none: everything a call, everything that may be an event one, and (until one was searched for)
/// those events that the business needs nothing of.
pub(super) fn usual(design: &Design) -> Vec<Variant> {
    let mut all = BTreeMap::new();
    let mut free = BTreeMap::new();
    for (caller, operation) in &design.operations {
        each_do(&operation.steps, &mut |step| {
            if may_be_event(design, caller, step) {
                all.insert(step.id.clone(), format!("{caller}.done"));
                if step.needs == Some(Needs::Nothing) {
                    free.insert(step.id.clone(), format!("{caller}.done"));
                }
            }
        });
    }
    let variant = |name: &str, events| Variant { name: name.into(), events, accept: Vec::new(), overridden: None };
    vec![variant("api-led", BTreeMap::new()), variant("event-driven", all), variant("hybrid", free)]
}

/// Whether a step could be an event at all: both ends can, and it is no plain read whose data is needed at once.
fn may_be_event(design: &Design, caller: &str, step: &Do) -> bool {
    let capability = |operation: &str| design.participants.get(participant_of(operation)).map(|p| p.events);
    let publishes = matches!(capability(caller), Some(EventCapability::Both | EventCapability::Publish));
    let consumes = matches!(capability(&step.operation), Some(EventCapability::Both | EventCapability::Consume));
    publishes && consumes && step.intent != Some(Intent::Read) && step.needs != Some(Needs::Answer)
}

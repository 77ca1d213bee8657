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

/// Variants of a file at most, and those of them that may override something (each is a design of its own).
const MOST: usize = 200;
const MOST_OVERRIDING: usize = 50;

/// Says so where there are more variants than anybody could compare.
pub(super) fn check_number(r: &mut Reader, node: &Node, all: &[Written<'_>]) {
    if all.len() > MOST {
        r.wrong(node.at, format!("{} variants; a file has {MOST} at most", all.len()));
    }
    let overriding = all.iter().filter(|v| !v.set.is_empty()).count();
    if overriding > MOST_OVERRIDING {
        r.wrong(node.at, format!("{overriding} variants with `set`; a file has {MOST_OVERRIDING} at most"));
    }
}

/// What a variant may override.
const PARTS: [&str; 5] = ["workloads", "participants", "operations", "channels", "steps"];

/// The parts of a JSON Pointer (RFC 6901).
pub(super) fn parts(pointer: &str) -> Option<Vec<String>> {
    let rest = pointer.strip_prefix('/')?;
    Some(rest.split('/').map(|p| p.replace("~1", "/").replace("~0", "~")).collect())
}

/// What is wrong with a pointer's first two parts, if anything: they have to name something of the file.
pub(super) fn unknown_in(root: &Node, parts: &[String], ids: &[String], allowed: &[&str]) -> Option<String> {
    let first = parts.first()?;
    if !allowed.contains(&first.as_str()) {
        return Some(format!("there is no `{first}` to point into{}", suggestion(first, allowed.iter().copied())));
    }
    let name = parts.get(1)?;
    let known: Vec<&str> = match first.as_str() {
        "steps" => ids.iter().map(String::as_str).collect(),
        "workloads" => {
            let items = root.get("workloads").map_or(&[][..], Node::items);
            if name.parse::<usize>().is_ok_and(|i| i < items.len()) || name == "-" || name == "*" {
                return None;
            }
            items.iter().filter_map(name_of).collect()
        }
        // A channel need not be listed to be used.
        "participants" | "operations" => {
            root.get(first).map_or(&[][..], Node::fields).iter().map(|f| f.key.as_str()).collect()
        }
        _ => return None,
    };
    if known.contains(&name.as_str()) {
        return None;
    }
    let hint = suggestion(name, known.into_iter());
    Some(format!("there is no `{name}` in {first}{hint}"))
}

/// Name of a workload: its own, else that of the operation it asks for.
fn name_of(workload: &Node) -> Option<&str> {
    workload.get("name").or_else(|| workload.get("to")).and_then(Node::scalar)
}

/// Replaces what a pointer names in a document. `/steps/ID/…` names a step by its id, `/workloads/NAME/…` a workload by its name;
/// null takes something away.
pub(super) fn set(r: &mut Reader, root: &mut Node, field: &Field, ids: &[String]) {
    let Some(mut parts) = parts(&field.key) else {
        return r.wrong(field.at, format!("`{}` is no JSON Pointer: it begins with a slash", field.key));
    };
    if let Some(what) = unknown_in(root, &parts, ids, &PARTS) {
        return r.wrong(field.at, format!("`{}`: {what}", field.key));
    }
    let (target, path) = match parts.as_mut_slice() {
        [first, id, path @ ..] if first == "steps" => {
            let Some(step) = find_step(root, id) else {
                return r.wrong(field.at, format!("there is no step `{id}`"));
            };
            (step, &*path)
        }
        [first, name, ..] if first == "workloads" && name.parse::<usize>().is_err() => {
            let items = root.get("workloads").map_or(&[][..], Node::items);
            if let Some(index) = items.iter().position(|w| name_of(w) == Some(name.as_str())) {
                *name = index.to_string();
            }
            (root, parts.as_slice())
        }
        path => (root, &*path),
    };
    if !put(target, path, &field.node) {
        r.wrong(field.at, format!("`{}` names nothing in this file", field.key));
    }
}

/// A step by its id, given or made of its caller and callee as `operations` does.
fn find_step<'a>(root: &'a mut Node, id: &str) -> Option<&'a mut Node> {
    let Value::Map(fields) = &mut root.value else { return None };
    let Value::Map(operations) = &mut fields.iter_mut().find(|f| f.key == "operations")?.node.value else {
        return None;
    };
    let mut unnamed = std::collections::HashMap::new();
    operations.iter_mut().find_map(|o| step_below(&mut o.node, id, &o.key, &mut unnamed))
}

fn step_below<'a>(
    node: &'a mut Node,
    id: &str,
    caller: &str,
    unnamed: &mut std::collections::HashMap<String, u32>,
) -> Option<&'a mut Node> {
    if let Some(callee) = node.get("do").and_then(Node::scalar) {
        let own = match node.get("id").and_then(Node::scalar) {
            Some(own) => own.to_owned(),
            None => {
                let base = format!("{caller} → {callee}");
                let count = unnamed.entry(base.clone()).and_modify(|n| *n += 1).or_insert(1);
                if *count == 1 { base } else { format!("{base} ({count})") }
            }
        };
        return (own == id).then_some(node);
    }
    match &mut node.value {
        Value::Map(fields) => fields.iter_mut().find_map(|f| step_below(&mut f.node, id, caller, unnamed)),
        Value::List(items) => items.iter_mut().find_map(|n| step_below(n, id, caller, unnamed)),
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
            if rest.is_empty() && matches!(value.value, Value::Null) {
                fields.retain(|f| f.key != *key);
                return true;
            }
            if let Some(field) = fields.iter_mut().find(|f| f.key == *key) {
                return put(&mut field.node, rest, value);
            }
            // A key that has its default so far: the reader checks that it is a known one.
            let mut node = Node { at: value.at, value: Value::Null };
            let done = put(&mut node, rest, value);
            fields.push(Field { key: key.clone(), at: value.at, node });
            done
        }
        Value::List(items) if key == "-" => {
            let mut node = Node { at: value.at, value: Value::Null };
            let done = put(&mut node, rest, value);
            items.push(node);
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
    vec![Variant::calls("api-led"), Variant::of("event-driven", all), Variant::of("hybrid", free)]
}

/// Whether a step could be an event at all: both ends can, and it is no plain read whose data is needed at once.
fn may_be_event(design: &Design, caller: &str, step: &Do) -> bool {
    let capability = |operation: &str| design.participants.get(participant_of(operation)).map(|p| p.events);
    let publishes = matches!(capability(caller), Some(EventCapability::Both | EventCapability::Publish));
    let consumes = matches!(capability(&step.operation), Some(EventCapability::Both | EventCapability::Consume));
    publishes && consumes && step.intent != Some(Intent::Read) && step.needs != Some(Needs::Answer)
}

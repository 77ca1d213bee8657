//! Flowglass's own form of a design, `design/1`.

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::{Design, DesignedChannel, DesignedMessage, DesignedParticipant, KeptDeviation, Layer, NodeKind};
use serde_json::{Value, json};

use crate::Problem;
use crate::yaml::{self, Document, Node, pointer_part};

/// JSON Schema (2020-12) of `design/1`.
pub const SCHEMA: &str = include_str!("design.json");
/// The first line.
const VERSION: &str = "design/1";

/// Whether a document says that it is one.
pub(crate) fn is_it(value: &Value) -> bool {
    value.get("flowglass").and_then(Value::as_str).is_some_and(|v| v.starts_with("design/"))
}

/// Reads a design. The error names the line, what is wrong, and what could stand there.
///
/// # Errors
/// The first thing that is wrong.
pub fn read(text: &str) -> Result<Design, Problem> {
    let documents = yaml::parse(text)?;
    let [document] = documents.as_slice() else {
        return Err(Problem::at(1, "a design is one document, this file holds none or several"));
    };
    read_document(document)
}

pub(crate) fn read_document(document: &Document) -> Result<Design, Problem> {
    let root = Reader { document, pointer: String::new(), value: &document.value };
    root.map("a design", &["flowglass", "title", "description", "participants", "channels", "kept"])?;
    match root.get("flowglass") {
        Some(version) if version.value.as_str() == Some(VERSION) => {}
        _ => return Err(root.wrong(format!("the first line must be `flowglass: {VERSION}`"))),
    }
    let mut design = Design {
        title: root.text("title")?.unwrap_or_default(),
        description: root.text("description")?,
        ..Design::default()
    };
    for (name, node) in root.entries("participants")? {
        design.participants.insert(name, participant(&node)?);
    }
    for (address, node) in root.entries("channels")? {
        design.channels.insert(address, channel(&node)?);
    }
    for node in root.items("kept")? {
        node.map("a kept deviation", &["kind", "subject", "reason"])?;
        let needed =
            |key: &str| node.text(key)?.ok_or_else(|| node.wrong(format!("a kept deviation needs its `{key}`")));
        design.kept.push(KeptDeviation {
            kind: needed("kind")?,
            subject: needed("subject")?,
            reason: needed("reason")?,
        });
    }
    refers(&root, &design)?;
    Ok(design)
}

const PARTICIPANT: [&str; 14] = [
    "kind",
    "layer",
    "system",
    "domain",
    "owner",
    "criticality",
    "description",
    "aliases",
    "servers",
    "operations",
    "calls",
    "publishes",
    "consumes",
    "uses",
];

fn participant(node: &Reader<'_>) -> Result<DesignedParticipant, Problem> {
    node.map("a participant", &PARTICIPANT)?;
    let kind = match node.text("kind")?.as_deref() {
        None | Some("service") => NodeKind::Service,
        Some("backend") => NodeKind::Backend,
        Some("external") => NodeKind::External,
        Some("consumer") => NodeKind::Consumer,
        Some(other) => {
            return Err(node.below("kind").wrong(format!("`{other}` is none of service, backend, external, consumer")));
        }
    };
    let layer = match node.text("layer")? {
        None => None,
        Some(word) => Some(Layer::parse(&word).ok_or_else(|| {
            node.below("layer")
                .wrong(format!("`{word}` is none of backend, system, event, process, experience, consumer"))
        })?),
    };
    let mut operations = BTreeMap::new();
    for (name, about) in node.entries("operations")? {
        operations.insert(name, about.own_text()?.unwrap_or_default());
    }
    let mut calls = BTreeMap::new();
    for (name, which) in node.entries("calls")? {
        calls.insert(name, which.texts()?);
    }
    Ok(DesignedParticipant {
        kind,
        layer,
        system: node.text("system")?,
        domain: node.text("domain")?,
        owner: node.text("owner")?,
        criticality: node.text("criticality")?,
        description: node.text("description")?,
        aliases: node.below("aliases").texts()?,
        servers: node.below("servers").texts()?,
        operations,
        calls,
        publishes: node.below("publishes").texts()?,
        consumes: node.below("consumes").texts()?,
        uses: node.below("uses").texts()?,
    })
}

fn channel(node: &Reader<'_>) -> Result<DesignedChannel, Problem> {
    node.map("a channel", &["system", "owner", "description", "aliases", "messages"])?;
    let mut messages = BTreeMap::new();
    for (name, message) in node.entries("messages")? {
        message.map("a message", &["contentType", "schema"])?;
        let schema = message.get("schema").map(|s| s.value.clone());
        messages.insert(name, DesignedMessage { content_type: message.text("contentType")?, schema });
    }
    Ok(DesignedChannel {
        system: node.text("system")?,
        owner: node.text("owner")?,
        description: node.text("description")?,
        aliases: node.below("aliases").texts()?,
        messages,
    })
}

/// Whoever is called or used must be there; channels may be left to their users.
fn refers(root: &Reader<'_>, design: &Design) -> Result<(), Problem> {
    for (name, participant) in &design.participants {
        let here = |part: &str| root.below("participants").below(name).below(part);
        let missing = |wanted: &String| !design.participants.contains_key(wanted);
        if let Some(callee) = participant.calls.keys().find(|c| missing(c)) {
            return Err(here("calls")
                .below(callee)
                .wrong(format!("`{callee}` is called, but is no participant of this design")));
        }
        if let Some(backend) = participant.uses.iter().find(|b| missing(b)) {
            return Err(here("uses").wrong(format!("`{backend}` is used, but is no participant of this design")));
        }
    }
    Ok(())
}

/// A value at its place.
struct Reader<'a> {
    document: &'a Document,
    pointer: String,
    value: &'a Value,
}

impl<'a> Reader<'a> {
    fn wrong(&self, message: impl Into<String>) -> Problem {
        Problem::at(self.document.line(&self.pointer), message)
    }

    fn below(&self, key: &str) -> Reader<'a> {
        const NULL: &Value = &Value::Null;
        let value = self.value.get(key).unwrap_or(NULL);
        Reader { document: self.document, pointer: format!("{}/{}", self.pointer, pointer_part(key)), value }
    }

    fn get(&self, key: &str) -> Option<Reader<'a>> {
        Some(self.below(key)).filter(|r| !r.value.is_null())
    }

    fn map(&self, what: &str, keys: &[&str]) -> Result<(), Problem> {
        match self.value {
            Value::Null => Ok(()),
            Value::Object(map) => match map.keys().find(|k| !keys.contains(&k.as_str())) {
                None => Ok(()),
                Some(odd) => Err(self.below(odd).wrong(format!("{what} has no `{odd}`; it has {}", keys.join(", ")))),
            },
            _ => Err(self.wrong(format!("{what} must be a map"))),
        }
    }

    fn own_text(&self) -> Result<Option<String>, Problem> {
        match self.value {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text.clone())),
            Value::Bool(_) | Value::Number(_) => Ok(Some(self.value.to_string())),
            _ => Err(self.wrong("this must be a text")),
        }
    }

    fn text(&self, key: &str) -> Result<Option<String>, Problem> {
        self.below(key).own_text()
    }

    fn entries(&self, key: &str) -> Result<Vec<(String, Reader<'a>)>, Problem> {
        let inner = self.below(key);
        match inner.value {
            Value::Null => Ok(Vec::new()),
            Value::Object(map) => Ok(map.keys().map(|k| (k.clone(), inner.below(k))).collect()),
            _ => Err(inner.wrong(format!("`{key}` must be a map"))),
        }
    }

    fn items(&self, key: &str) -> Result<Vec<Reader<'a>>, Problem> {
        let inner = self.below(key);
        match inner.value {
            Value::Null => Ok(Vec::new()),
            Value::Array(items) => Ok(items
                .iter()
                .enumerate()
                .map(|(i, value)| Reader { document: self.document, pointer: format!("{}/{i}", inner.pointer), value })
                .collect()),
            _ => Err(inner.wrong(format!("`{key}` must be a list"))),
        }
    }

    fn texts(&self) -> Result<BTreeSet<String>, Problem> {
        match self.value {
            Value::Null => Ok(BTreeSet::new()),
            Value::Array(items) => items
                .iter()
                .map(|item| item.as_str().map(str::to_owned).ok_or_else(|| self.wrong("this must be a list of texts")))
                .collect(),
            _ => Err(self.wrong("this must be a list of texts")),
        }
    }
}

/// Writes a design: everything sorted, nothing that is empty.
pub fn write(design: &Design) -> String {
    yaml::write(&node(design))
}

/// A design as it is written.
pub(crate) fn node(design: &Design) -> Node {
    let mut root = Fields::default();
    root.put("flowglass", json!(VERSION));
    root.put("title", json!(Some(&design.title).filter(|t| !t.is_empty())));
    root.put("description", json!(design.description));
    root.put("participants", map_of(design.participants.iter().map(|(name, p)| (name, participant_node(p)))));
    root.put("channels", map_of(design.channels.iter().map(|(address, c)| (address, channel_node(c)))));
    let kept = design.kept.iter().map(|k| json!({ "kind": k.kind, "reason": k.reason, "subject": k.subject }));
    root.put("kept", Value::Array(kept.collect()));
    Node::Map(root.0)
}

/// Fields in their order; what is empty is left out.
#[derive(Default)]
struct Fields(Vec<(String, Node)>);

impl Fields {
    fn put(&mut self, key: &str, value: impl Into<Node>) {
        let node = value.into();
        if !node.is_empty() {
            self.0.push((key.to_owned(), node));
        }
    }
}

fn map_of<'a>(entries: impl Iterator<Item = (&'a String, Node)>) -> Node {
    Node::Map(entries.map(|(key, node)| (key.clone(), node)).collect())
}

fn participant_node(p: &DesignedParticipant) -> Node {
    let mut out = Fields::default();
    let kind = match p.kind {
        NodeKind::Service | NodeKind::Topic => None,
        NodeKind::Backend => Some("backend"),
        NodeKind::External => Some("external"),
        NodeKind::Consumer => Some("consumer"),
    };
    out.put("kind", json!(kind));
    out.put("layer", json!(p.layer.map(Layer::as_str)));
    out.put("system", json!(p.system));
    out.put("domain", json!(p.domain));
    out.put("owner", json!(p.owner));
    out.put("criticality", json!(p.criticality));
    out.put("description", json!(p.description));
    out.put("aliases", json!(p.aliases));
    out.put("servers", json!(p.servers));
    out.put("operations", json!(p.operations));
    out.put("calls", json!(p.calls));
    out.put("publishes", json!(p.publishes));
    out.put("consumes", json!(p.consumes));
    out.put("uses", json!(p.uses));
    Node::Map(out.0)
}

fn channel_node(c: &DesignedChannel) -> Node {
    let mut out = Fields::default();
    out.put("system", json!(c.system));
    out.put("owner", json!(c.owner));
    out.put("description", json!(c.description));
    out.put("aliases", json!(c.aliases));
    let messages = c.messages.iter().map(|(name, m)| {
        let mut message = Fields::default();
        message.put("contentType", json!(m.content_type));
        message.put("schema", m.schema.clone().unwrap_or(Value::Null));
        (name, Node::Map(message.0))
    });
    out.put("messages", map_of(messages));
    Node::Map(out.0)
}

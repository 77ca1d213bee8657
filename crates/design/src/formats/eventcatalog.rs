//! EventCatalog folders: services with what they send and receive, messages, channels, data stores, domains.

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::{DesignedMessage, NodeKind};
use serde_json::Value;

use super::merge::{Merge, fill};
use super::refs::{Library, Placed, joined};
use super::schema::standing_alone;
use super::{items, text};
use crate::yaml::Document;

/// Kinds of resources, by the folder they lie in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Resource {
    Service,
    Message,
    Channel,
    Container,
    System,
    Domain,
}

/// The resource a path is the page of; older versions of one are left out.
fn resource(path: &str) -> Option<(Resource, &str)> {
    let (folder, page) = path.rsplit_once('/')?;
    if !matches!(page, "index.mdx" | "index.md") || folder.split('/').any(|part| part == "versioned") {
        return None;
    }
    let kinds = folder.rsplit('/').skip(1);
    let kind = kinds.take(1).find_map(|part| match part {
        "services" => Some(Resource::Service),
        "events" | "commands" | "queries" => Some(Resource::Message),
        "channels" => Some(Resource::Channel),
        "containers" => Some(Resource::Container),
        "systems" => Some(Resource::System),
        "domains" | "subdomains" => Some(Resource::Domain),
        _ => None,
    })?;
    Some((kind, folder))
}

fn pages<'a>(
    documents: &'a BTreeMap<&str, Vec<Document>>,
    wanted: Resource,
) -> impl Iterator<Item = (&'a str, &'a str, &'a str, &'a Value)> {
    documents.iter().filter_map(move |(path, all)| {
        let (kind, folder) = resource(path)?;
        let value = &all.first()?.value;
        (kind == wanted).then_some((*path, folder, text(value, "id")?, value))
    })
}

/// Folders of services, with the service.
pub(super) fn folders(documents: &BTreeMap<&str, Vec<Document>>) -> BTreeMap<String, String> {
    pages(documents, Resource::Service).map(|(_, folder, id, _)| (folder.to_owned(), id.to_owned())).collect()
}

fn ids<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a str> {
    items(value.get(key)).filter_map(|item| text(item, "id").or(item.as_str()))
}

/// What a message is made of.
struct Kind {
    /// `POST /orders`, for what is asked over HTTP.
    operation: Option<String>,
    schema: Option<Value>,
    summary: String,
}

pub(super) fn read<'a>(documents: &'a BTreeMap<&'a str, Vec<Document>>, library: &Library<'a>, merge: &mut Merge) {
    let addresses: BTreeMap<&str, &str> =
        pages(documents, Resource::Channel).map(|(_, _, id, page)| (id, text(page, "address").unwrap_or(id))).collect();
    let mut messages: BTreeMap<&str, Kind> = BTreeMap::new();
    for (path, _, id, page) in pages(documents, Resource::Message) {
        merge.took(path, "EventCatalog");
        messages.insert(id, message(path, page, library));
    }
    for (path, _, _, page) in pages(documents, Resource::Channel) {
        merge.took(path, "EventCatalog");
        let address = text(page, "address").or(text(page, "id")).unwrap_or_default();
        let channel = merge.channel(address);
        fill(
            &mut channel.system,
            items(page.get("protocols")).filter_map(Value::as_str).next().map(str::to_owned),
            false,
        );
        fill(&mut channel.description, text(page, "summary").map(str::to_owned), false);
        fill(&mut channel.owner, owner(page), false);
    }
    let receivers = receivers(documents);
    for (path, _, id, page) in pages(documents, Resource::Service) {
        merge.took(path, "EventCatalog");
        let service = merge.service(id);
        fill(&mut service.description, text(page, "summary").map(str::to_owned), false);
        fill(&mut service.owner, owner(page), false);
        service.aliases.extend(text(page, "name").filter(|name| *name != id).map(str::to_owned));
        for (list, sends) in [("sends", true), ("receives", false)] {
            for item in items(page.get(list)) {
                let Some(what) = text(item, "id").or(item.as_str()) else { continue };
                let kind = messages.get(what);
                if let Some(operation) = kind.and_then(|k| k.operation.as_ref()) {
                    asked(id, what, operation, kind, sends, &receivers, merge);
                    continue;
                }
                let ways: Vec<&str> = ids(item, if sends { "to" } else { "from" }).collect();
                let channels: BTreeSet<&str> = match ways.is_empty() {
                    true => BTreeSet::from([what]),
                    false => ways.iter().map(|way| addresses.get(way).copied().unwrap_or(way)).collect(),
                };
                for channel in channels {
                    told(id, what, channel, kind, sends, merge);
                }
            }
        }
        for container in ["writesTo", "readsFrom"].iter().flat_map(|key| ids(page, key)) {
            merge.service(id).uses.insert(container.to_owned());
        }
    }
    for (path, _, id, page) in pages(documents, Resource::Container) {
        merge.took(path, "EventCatalog");
        let backend = merge.participant(id, NodeKind::Backend);
        fill(&mut backend.description, text(page, "summary").map(str::to_owned), false);
        let technology = text(page, "technology").map(|t| t.split(['@', ' ']).next().unwrap_or(t).to_ascii_lowercase());
        fill(&mut backend.system, technology, false);
        fill(&mut backend.owner, owner(page), false);
    }
    domains(documents, merge);
}

fn owner(page: &Value) -> Option<String> {
    items(page.get("owners")).find_map(|o| o.as_str().or(text(o, "id"))).map(str::to_owned)
}

fn message<'a>(path: &str, page: &'a Value, library: &Library<'a>) -> Kind {
    let operation = page
        .get("operation")
        .and_then(|o| Some(format!("{} {}", text(o, "method")?.to_ascii_uppercase(), text(o, "path")?)));
    let schema = text(page, "schemaPath").filter(|p| p.ends_with(".json")).and_then(|file| {
        let path = joined(path, file);
        let root = library.document(&path)?;
        Some(standing_alone(Placed { path, root, value: root, pointer: None }, library).0)
    });
    Kind { operation, schema, summary: text(page, "summary").map(super::first_line).unwrap_or_default() }
}

fn receivers<'a>(documents: &'a BTreeMap<&str, Vec<Document>>) -> BTreeMap<&'a str, Vec<&'a str>> {
    let mut out: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (_, _, id, page) in pages(documents, Resource::Service) {
        ids(page, "receives").for_each(|what| out.entry(what).or_default().push(id));
    }
    out
}

/// A message that is a request: an operation of whoever receives it, a call of whoever sends it.
fn asked(
    service: &str,
    what: &str,
    operation: &str,
    kind: Option<&Kind>,
    sends: bool,
    receivers: &BTreeMap<&str, Vec<&str>>,
    merge: &mut Merge,
) {
    if !sends {
        let words = kind.map(|k| k.summary.clone()).unwrap_or_default();
        merge.service(service).operations.insert(operation.to_owned(), words);
        return;
    }
    for receiver in receivers.get(what).into_iter().flatten().filter(|r| **r != service) {
        merge.service(service).calls.entry((*receiver).to_owned()).or_default().insert(operation.to_owned());
    }
}

fn told(service: &str, what: &str, channel: &str, kind: Option<&Kind>, sends: bool, merge: &mut Merge) {
    let list = merge.service(service);
    let list = if sends { &mut list.publishes } else { &mut list.consumes };
    list.insert(channel.to_owned());
    let schema = kind.and_then(|k| k.schema.clone());
    let message = merge.channel(channel).messages.entry(what.to_owned()).or_default();
    if message.schema.is_none() {
        *message = DesignedMessage { content_type: schema.as_ref().map(|_| "application/json".into()), schema };
    }
}

/// Services belong to domains, directly or through a system.
fn domains(documents: &BTreeMap<&str, Vec<Document>>, merge: &mut Merge) {
    let systems: BTreeMap<&str, &Value> =
        pages(documents, Resource::System).map(|(_, _, id, page)| (id, page)).collect();
    for (path, folder, id, page) in pages(documents, Resource::Domain) {
        merge.took(path, "EventCatalog");
        let direct = ids(page, "services");
        let through = ids(page, "systems").filter_map(|s| systems.get(s)).flat_map(|s| ids(s, "services"));
        let mut members: BTreeSet<&str> = direct.chain(through).collect();
        let below = pages(documents, Resource::Service).filter(|(path, ..)| path.starts_with(&format!("{folder}/")));
        members.extend(below.map(|(_, _, service, _)| service));
        for service in members {
            if let Some(service) = merge.design.participants.get_mut(service) {
                fill(&mut service.domain, Some(id.to_owned()), false);
            }
        }
    }
}

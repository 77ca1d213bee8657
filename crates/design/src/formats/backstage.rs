//! Backstage catalogs: components, who provides and consumes which API, what depends on what.

use std::collections::BTreeMap;

use flowglass_model::NodeKind;
use serde_json::Value;

use super::merge::{Merge, fill};
use super::refs::{Library, joined};
use super::{items, text};
use crate::yaml::{self, Document};

/// The annotation that keeps what the catalog has no word for.
pub(crate) const ANNOTATION: &str = "flowglass.dev/design";

pub(super) fn is_it(root: &Value) -> bool {
    text(root, "apiVersion").is_some_and(|v| v.starts_with("backstage.io/")) && text(root, "kind").is_some()
}

/// `[kind:][namespace/]name`: the name.
fn name_of(reference: &str) -> (&str, &str) {
    let (kind, rest) = reference.split_once(':').unwrap_or(("", reference));
    (kind, rest.rsplit('/').next().unwrap_or(rest))
}

fn entities<'a>(documents: &'a BTreeMap<&str, Vec<Document>>) -> impl Iterator<Item = (&'a str, &'a Value)> {
    documents.iter().flat_map(|(path, all)| all.iter().map(|d| (*path, &d.value))).filter(|(_, v)| is_it(v))
}

fn named(entity: &Value) -> &str {
    entity.get("metadata").and_then(|m| text(m, "name")).unwrap_or_default()
}

fn spec<'a>(entity: &'a Value, key: &str) -> Option<&'a str> {
    entity.get("spec").and_then(|s| text(s, key))
}

/// What a component is called in the design: what its annotation says, else its name.
fn called(entity: &Value) -> String {
    annotation(entity)
        .and_then(|own| text(&own, "participant").map(str::to_owned))
        .unwrap_or_else(|| named(entity).to_owned())
}

fn annotation(entity: &Value) -> Option<Value> {
    let text = entity.get("metadata")?.get("annotations")?.get(ANNOTATION)?.as_str()?;
    serde_json::from_str(text).ok()
}

/// Specifications that an API names by path, by their owner.
pub(super) fn owners(documents: &BTreeMap<&str, Vec<Document>>, library: &Library<'_>) -> BTreeMap<String, String> {
    let providers = providers(documents);
    let mut out = BTreeMap::new();
    for (path, entity) in entities(documents).filter(|(_, e)| text(e, "kind") == Some("API")) {
        let Some(definition) = entity.get("spec").and_then(|s| s.get("definition")) else { continue };
        let file = ["$text", "$json", "$yaml", "$openapi", "$asyncapi"].iter().find_map(|key| text(definition, key));
        let (Some(file), Some(provider)) = (file, providers.get(named(entity))) else { continue };
        let path = joined(path, file);
        library.document(&path);
        out.insert(path, provider.clone());
    }
    out
}

/// Components by the API they provide; the first where there are several.
fn providers(documents: &BTreeMap<&str, Vec<Document>>) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for (_, entity) in entities(documents).filter(|(_, e)| text(e, "kind") == Some("Component")) {
        for api in items(entity.get("spec").and_then(|s| s.get("providesApis"))).filter_map(Value::as_str) {
            out.entry(name_of(api).1.to_owned()).or_insert_with(|| called(entity));
        }
    }
    out
}

pub(super) fn read(path: &str, entity: &Value, merge: &mut Merge) {
    let kind = match text(entity, "kind") {
        Some("Component") => NodeKind::Service,
        Some("Resource") => NodeKind::Backend,
        Some("API" | "System" | "Domain" | "Location" | "Group" | "User" | "Template") => {
            merge.took(path, "Backstage");
            return;
        }
        other => return merge.note(path, format!("the kind `{}` is not taken over", other.unwrap_or_default())),
    };
    if named(entity).is_empty() {
        return merge.note(path, "an entity without a name is left out");
    }
    merge.took(path, "Backstage");
    let annotated = annotation(entity);
    let own = annotated.clone().unwrap_or(Value::Null);
    let kind = match text(&own, "kind") {
        Some("external") => NodeKind::External,
        Some("consumer") => NodeKind::Consumer,
        Some("backend") => NodeKind::Backend,
        Some("service") => NodeKind::Service,
        _ => kind,
    };
    let metadata = entity.get("metadata").unwrap_or(&Value::Null);
    let participant = merge.participant(&called(entity), kind);
    participant.kind = kind;
    if kind == NodeKind::Backend {
        let usual = spec(entity, "type").filter(|t| annotated.is_none() || *t != "database");
        let system = text(&own, "system").or(usual).map(str::to_owned);
        fill(&mut participant.system, system, false);
    }
    fill(&mut participant.description, text(metadata, "description").map(str::to_owned), false);
    let owner = spec(entity, "owner").map(|o| name_of(o).1).filter(|o| *o != "unknown");
    fill(&mut participant.owner, text(&own, "owner").or(owner).map(str::to_owned), false);
    let layer = text(&own, "layer").map(str::to_owned);
    let tagged = || items(metadata.get("tags")).filter_map(Value::as_str).find_map(flowglass_model::Layer::parse);
    participant.layer = participant.layer.or(layer.as_deref().and_then(flowglass_model::Layer::parse)).or_else(tagged);
    for (mine, key) in [(&mut participant.domain, "domain"), (&mut participant.criticality, "criticality")] {
        fill(mine, text(&own, key).map(str::to_owned), false);
    }
    participant.aliases.extend(items(own.get("aliases")).filter_map(Value::as_str).map(str::to_owned));
    for (callee, operations) in super::fields(own.get("calls")) {
        let calls = participant.calls.entry(callee.clone()).or_default();
        calls.extend(items(Some(operations)).filter_map(Value::as_str).map(str::to_owned));
    }
    for (operation, about) in super::fields(own.get("operations")) {
        participant.operations.insert(operation.clone(), about.as_str().unwrap_or_default().to_owned());
    }
    participant.servers.extend(items(own.get("servers")).filter_map(Value::as_str).map(str::to_owned));
}

/// What takes two entities: who calls whom, domains, definitions inside of the catalog.
pub(super) fn link<'a>(documents: &'a BTreeMap<&str, Vec<Document>>, _: &Library<'a>, merge: &mut Merge) {
    let providers = providers(documents);
    let mut kinds: BTreeMap<&str, &str> = BTreeMap::new();
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    let mut domains: BTreeMap<&str, &str> = BTreeMap::new();
    for (_, entity) in entities(documents) {
        match text(entity, "kind") {
            Some("API") => {
                kinds.insert(named(entity), spec(entity, "type").unwrap_or_default());
            }
            Some("System") => {
                domains.extend(spec(entity, "domain").map(|d| (named(entity), name_of(d).1)));
            }
            Some("Component" | "Resource") => {
                names.insert(named(entity), called(entity));
            }
            _ => {}
        }
    }
    for (path, entity) in entities(documents) {
        if text(entity, "kind") == Some("API") {
            inline_definition(path, entity, &providers, merge);
        }
        if text(entity, "kind") != Some("Component") {
            continue;
        }
        let name = called(entity);
        let list = |key: &str| -> Vec<&str> {
            items(entity.get("spec").and_then(|s| s.get(key)))
                .filter_map(Value::as_str)
                .map(name_of)
                .map(|(_, n)| n)
                .collect()
        };
        for api in list("consumesApis") {
            match (kinds.get(api), providers.get(api)) {
                // Who is told by events is said by the definition, not here.
                (Some(&"asyncapi"), _) => {}
                (_, Some(provider)) if *provider != name => {
                    let provider = provider.clone();
                    merge.service(&name).calls.entry(provider).or_default();
                }
                _ => merge.note(path, format!("{name} consumes the API `{api}`, which no component provides")),
            }
        }
        for reference in items(entity.get("spec").and_then(|s| s.get("dependsOn"))).filter_map(Value::as_str) {
            let (kind, other) = name_of(reference);
            let other = names.get(other).cloned().unwrap_or_else(|| other.to_owned());
            let service = merge.service(&name);
            match kind.to_ascii_lowercase().as_str() {
                "resource" => drop(service.uses.insert(other)),
                "component" => drop(service.calls.entry(other).or_default()),
                _ => {}
            }
        }
        if let Some(domain) = spec(entity, "system").and_then(|s| domains.get(name_of(s).1)) {
            fill(&mut merge.service(&name).domain, Some((*domain).to_owned()), false);
        }
    }
}

/// An API whose definition stands in the catalog itself.
fn inline_definition(path: &str, entity: &Value, providers: &BTreeMap<String, String>, merge: &mut Merge) {
    let Some(definition) = spec(entity, "definition") else { return };
    let Ok(read) = yaml::parse(definition) else { return };
    let within = format!("{path}#{}", named(entity));
    let documents = BTreeMap::from([(within.as_str(), read)]);
    let library = Library::new(&documents);
    let owner = providers.get(named(entity)).map_or_else(|| named(entity), String::as_str);
    let Some(root) = documents.get(within.as_str()).and_then(|d| d.first()).map(|d| &d.value) else { return };
    match (root.get("openapi"), text(root, "asyncapi")) {
        (Some(_), _) => super::openapi::read(&within, root, &library, Some(owner), merge),
        (_, Some(version)) if version.starts_with('2') => {
            super::asyncapi::read_2(&within, root, &library, Some(owner), merge)
        }
        (_, Some(_)) => super::asyncapi::read_3(&within, root, &library, Some(owner), merge),
        _ => {}
    }
    if !library.wanted().is_empty() {
        merge
            .note(path, format!("the definition of `{}` refers to other files, which are not followed", named(entity)));
    }
}

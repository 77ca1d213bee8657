//! A Backstage catalog: components, resources and the APIs between them.

use std::collections::BTreeMap;

use flowglass_model::{Design, DesignedParticipant, NodeKind};
use serde_json::{Map, Value, json};

use super::own;
use super::skeletons::{has_api, has_events, http};
use crate::formats::ANNOTATION;

pub(super) fn catalog(design: &Design, keys: &BTreeMap<&str, String>) -> String {
    let mut documents = Vec::new();
    for (name, p) in &design.participants {
        let Some(key) = keys.get(name.as_str()) else { continue };
        documents.push(component(design, name, key, p, keys));
        for (has, ending, folder, kind) in
            [(has_api(p), "api", "openapi", "openapi"), (has_events(p), "events", "asyncapi", "asyncapi")]
        {
            if has {
                documents.push(json!({
                    "apiVersion": "backstage.io/v1alpha1", "kind": "API",
                    "metadata": { "name": format!("{key}-{ending}") },
                    "spec": {
                        "type": kind, "lifecycle": "production", "owner": owner(p),
                        "definition": { "$text": format!("./{folder}/{key}.yaml") },
                    },
                }));
            }
        }
    }
    let texts: Vec<String> = documents.into_iter().map(|d| crate::yaml::write(&d.into())).collect();
    texts.join("---\n")
}

fn owner(p: &DesignedParticipant) -> String {
    p.owner.as_deref().map_or_else(|| "unknown".to_owned(), super::key)
}

fn component(design: &Design, name: &str, key: &str, p: &DesignedParticipant, keys: &BTreeMap<&str, String>) -> Value {
    let mut metadata = Map::from_iter([("name".to_owned(), json!(key))]);
    metadata.extend(p.description.as_ref().map(|d| ("description".to_owned(), json!(d))));
    metadata.insert("annotations".into(), json!({ ANNOTATION: more(name, p).to_string() }));
    let entity = |kind: &str, spec: Map<String, Value>| json!({ "apiVersion": "backstage.io/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec });
    let mut spec = Map::from_iter([("owner".to_owned(), json!(owner(p)))]);
    if p.kind == NodeKind::Backend {
        spec.insert("type".into(), json!(p.system.as_deref().unwrap_or("database")));
        return entity("Resource", spec);
    }
    let kind = match p.kind {
        NodeKind::External => "external",
        NodeKind::Consumer => "user",
        _ => "service",
    };
    spec.insert("type".into(), json!(kind));
    spec.insert("lifecycle".into(), json!("production"));
    let called = |callee: &String| keys.get(callee.as_str()).cloned();
    let offers = |callee: &&String| design.participants.get(*callee).is_some_and(has_api);
    let (apis, others): (Vec<&String>, Vec<&String>) = p.calls.keys().partition(offers);
    let mut depends: Vec<String> =
        others.into_iter().filter_map(|c| Some(format!("component:{}", called(c)?))).collect();
    depends.extend(p.uses.iter().filter_map(|b| Some(format!("resource:{}", called(b)?))));
    let mut provides = Vec::new();
    provides.extend(has_api(p).then(|| format!("{key}-api")));
    provides.extend(has_events(p).then(|| format!("{key}-events")));
    let consumes: Vec<String> = apis.into_iter().filter_map(|c| Some(format!("{}-api", called(c)?))).collect();
    for (word, list) in [("providesApis", provides), ("consumesApis", consumes), ("dependsOn", depends)] {
        if !list.is_empty() {
            spec.insert(word.into(), json!(list));
        }
    }
    entity("Component", spec)
}

/// What the catalog has no word for.
fn more(name: &str, p: &DesignedParticipant) -> Value {
    let mut own = own(name, p);
    let Value::Object(map) = &mut own else { return own };
    match p.kind {
        NodeKind::External => drop(map.insert("kind".into(), json!("external"))),
        NodeKind::Consumer => drop(map.insert("kind".into(), json!("consumer"))),
        NodeKind::Backend => drop(map.insert("kind".into(), json!("backend"))),
        _ => {}
    }
    map.extend(p.system.as_ref().map(|s| ("system".to_owned(), json!(s))));
    let calls: BTreeMap<_, _> = p.calls.iter().filter(|(_, which)| !which.is_empty()).collect();
    if !calls.is_empty() {
        map.insert("calls".into(), json!(calls));
    }
    let others: BTreeMap<_, _> = p.operations.iter().filter(|(o, _)| http(o).is_none()).collect();
    if !others.is_empty() {
        map.insert("operations".into(), json!(others));
    }
    if !has_api(p) && !p.servers.is_empty() {
        map.insert("servers".into(), json!(p.servers));
    }
    own
}

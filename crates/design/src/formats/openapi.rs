//! OpenAPI 3.0 to 3.2: what one participant offers. Of its callers such a document says nothing.

use serde_json::Value;

use super::merge::{Merge, fill};
use super::refs::{Library, Placed};
use super::{fields, first_line, items, text};

/// Methods of a path item, `query` since 3.2.
const METHODS: [&str; 9] = ["get", "put", "post", "delete", "options", "head", "patch", "trace", "query"];

pub(super) fn read<'a>(path: &str, root: &'a Value, library: &Library<'a>, owner: Option<&str>, merge: &mut Merge) {
    merge.took(path, "OpenAPI");
    let info = root.get("info").unwrap_or(&Value::Null);
    let name = name_of(path, info, owner);
    about(&name, info, merge);
    let mut servers = Vec::new();
    for server in items(root.get("servers")) {
        let Some(url) = text(server, "url").filter(|url| *url != "/") else { continue };
        let mut url = url.to_owned();
        for (variable, spec) in fields(server.get("variables")) {
            if let Some(usual) = text(spec, "default") {
                url = url.replace(&format!("{{{variable}}}"), usual);
            }
        }
        servers.push(url);
    }
    let mut operations = Vec::new();
    let top = Placed { path: path.to_owned(), root, value: root, pointer: None };
    let mut lost = 0;
    for (route, item) in fields(root.get("paths")).filter(|(route, _)| route.starts_with('/')) {
        let Some(item) = library.follow(top.child(item)) else {
            lost += 1;
            continue;
        };
        let more = fields(item.value.get("additionalOperations")).map(|(method, op)| (method.as_str(), op));
        let usual = METHODS.iter().filter_map(|m| Some((*m, item.value.get(*m)?)));
        for (method, operation) in usual.chain(more) {
            let words =
                text(operation, "summary").or(text(operation, "description")).map(first_line).unwrap_or_default();
            operations.push((format!("{} {route}", method.to_ascii_uppercase()), words));
        }
    }
    if lost > 0 {
        merge.note(path, format!("{lost} paths stand in other files that are not at hand"));
    }
    let callbacks = fields(root.get("webhooks")).count();
    if callbacks > 0 {
        merge.note(path, format!("{callbacks} webhooks are not taken over: who receives them is not said"));
    }
    let service = merge.service(&name);
    service.servers.extend(servers);
    service.operations.extend(operations);
}

/// What a document calls its participant: what another file says, else the document's own word for it, else its title.
pub(super) fn name_of(path: &str, info: &Value, owner: Option<&str>) -> String {
    let own = info.get("x-flowglass").and_then(|x| text(x, "participant"));
    let file = path.rsplit('/').next().unwrap_or(path);
    owner.or(own).or(text(info, "title")).unwrap_or(file).to_owned()
}

/// What `info` tells of a participant.
pub(super) fn about(name: &str, info: &Value, merge: &mut Merge) {
    let own = info.get("x-flowglass").unwrap_or(&Value::Null);
    let layer = text(own, "layer").or(text(info, "x-layer")).and_then(flowglass_model::Layer::parse);
    let service = merge.service(name);
    service.layer = service.layer.or(layer);
    let said = |key: &str| text(own, key).map(str::to_owned);
    fill(&mut service.domain, said("domain"), false);
    fill(&mut service.criticality, said("criticality"), false);
    let contact = info.get("contact").and_then(|c| text(c, "name")).map(str::to_owned);
    fill(&mut service.owner, said("owner").or(contact), false);
    fill(&mut service.description, text(info, "description").map(str::to_owned), false);
    service.aliases.extend(items(own.get("aliases")).filter_map(Value::as_str).map(str::to_owned));
}

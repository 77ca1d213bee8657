//! A design in the formats others read. Imported again, all of them together give the same design.

mod asyncapi;
mod backstage;
mod mermaid;
mod openapi;
mod skeletons;

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::{Design, DesignedParticipant, Layer, SkeletonInfo};
use serde_json::{Map, Value, json};

pub use asyncapi::asyncapi;
pub use mermaid::mermaid;
pub use openapi::openapi;

/// A file of an export: where it belongs in its folder, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// Path in the folder, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// A format that a design leaves in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// AsyncAPI 3.0: a document for each participant with channels.
    AsyncApi,
    /// OpenAPI 3.1: a document for each participant with operations.
    OpenApi,
    /// A Backstage catalog with both, as its components' APIs.
    Backstage,
}

/// Writes a design as files of a folder.
pub fn export(design: &Design, format: Format) -> Vec<Exported> {
    let keys = keys(design);
    let file = |folder: &str, key: &str, document: &Value| Exported {
        path: format!("{folder}/{key}.yaml"),
        text: crate::yaml::write(&document.clone().into()),
    };
    let mut out = Vec::new();
    for (name, participant) in &design.participants {
        let Some(key) = keys.get(name.as_str()) else { continue };
        if format != Format::AsyncApi && skeletons::has_api(participant) {
            out.push(file("openapi", key, &openapi(&skeletons::api(name, participant))));
        }
        if format != Format::OpenApi && skeletons::has_events(participant) {
            out.push(file("asyncapi", key, &asyncapi(&skeletons::events(design, name, participant))));
        }
    }
    if format != Format::OpenApi
        && let Some(rest) = skeletons::unused(design)
    {
        out.push(file("asyncapi", "_channels", &asyncapi(&rest)));
    }
    if format == Format::Backstage {
        out.push(Exported { path: "catalog-info.yaml".into(), text: backstage::catalog(design, &keys) });
    }
    out
}

/// Names as the formats and file systems allow them, each its own.
fn keys(design: &Design) -> BTreeMap<&str, String> {
    let mut taken: BTreeMap<String, u32> = BTreeMap::new();
    let mut out = BTreeMap::new();
    for name in design.participants.keys() {
        let base = key(name);
        let number = taken.entry(base.to_ascii_lowercase()).or_default();
        *number += 1;
        out.insert(name.as_str(), if *number == 1 { base } else { format!("{base}-{number}") });
    }
    out
}

/// Letters, digits, `.`, `-` and `_`, beginning with a letter or digit, at most 50 of them: with an ending and
/// a number, Backstage's 63 are not passed.
fn key(name: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '-' };
    let key: String = name.chars().map(kept).take(50).collect();
    let key = key.trim_matches(['-', '.', '_']);
    if key.is_empty() { "unnamed".to_owned() } else { key.to_owned() }
}

/// Keys of names within one document, each its own.
fn keyed<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, String> {
    let mut taken = BTreeSet::new();
    let mut out = BTreeMap::new();
    for name in names {
        let base = key(name);
        let mut own = base.clone();
        let mut number = 1;
        while !taken.insert(own.clone()) {
            number += 1;
            own = format!("{base}-{number}");
        }
        out.insert(name, own);
    }
    out
}

/// What a document says about itself.
fn info(about: &SkeletonInfo) -> Value {
    let mut info = Map::from_iter([("title".to_owned(), json!(about.title)), ("version".to_owned(), json!("0.1.0"))]);
    optional(&mut info, "description", about.description.as_deref());
    info.extend(about.own.clone());
    Value::Object(info)
}

fn optional(map: &mut Map<String, Value>, key: &str, text: Option<&str>) {
    map.extend(text.map(|text| (key.to_owned(), json!(text))));
}

/// Names of the `{parameters}` of an address or a path.
fn parameters(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name)
}

/// What the formats have no word for.
fn own(name: &str, p: &DesignedParticipant) -> Value {
    let mut own = Map::from_iter([("participant".to_owned(), json!(name))]);
    let words = [
        ("layer", p.layer.map(|l| Layer::as_str(l).to_owned())),
        ("domain", p.domain.clone()),
        ("owner", p.owner.clone()),
        ("criticality", p.criticality.clone()),
    ];
    own.extend(words.into_iter().filter_map(|(key, word)| Some((key.to_owned(), json!(word?)))));
    if !p.aliases.is_empty() {
        own.insert("aliases".into(), json!(p.aliases));
    }
    Value::Object(own)
}

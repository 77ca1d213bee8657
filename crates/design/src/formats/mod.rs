//! Designs as others keep them.

mod asyncapi;
mod backstage;
mod eventcatalog;
mod merge;
mod openapi;
mod refs;
mod schema;

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::Design;
use serde_json::Value;

use crate::yaml::{self, Document};
use crate::{Problem, own};
pub(crate) use backstage::ANNOTATION;
use merge::Merge;
use refs::Library;

/// A text with its place: a path (with `/`), or a web address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where it is from.
    pub path: String,
    /// What it says.
    pub text: String,
    /// Asked for by another ([`Imported::wanted`]): a part of that, no design by itself.
    pub referred: bool,
}

/// What came of reading files.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Imported {
    /// The design of all of them together.
    pub design: Design,
    /// What was taken, by file: path and format.
    pub taken: Vec<(String, &'static str)>,
    /// Files that are no design, and what could not be taken over: path and why.
    pub notes: Vec<(String, String)>,
    /// What the files refer to and nobody gave: read again with these.
    pub wanted: BTreeSet<String>,
}

/// Reads files of any known format into one design. Participants of one name are one, channels of one address are one.
///
/// # Errors
/// Never for a file that is no design: that is a note. A design of Flowglass's own that is wrong is an error, with its path.
pub fn import(files: &[File]) -> Result<Imported, (String, Problem)> {
    let mut out = Imported::default();
    let mut documents: BTreeMap<&str, Vec<Document>> = BTreeMap::new();
    for file in files {
        match kind_of_path(&file.path) {
            Kind::Yaml => match yaml::parse(&file.text) {
                Ok(read) => {
                    documents.insert(&file.path, read);
                }
                Err(problem) if own_text(&file.text) => return Err((file.path.clone(), problem)),
                Err(problem) if !file.referred => out.notes.push((file.path.clone(), problem.to_string())),
                Err(_) => {}
            },
            Kind::Catalog => match front_matter(&file.text).map(yaml::parse) {
                Some(Ok(read)) => {
                    documents.insert(&file.path, read);
                }
                Some(Err(problem)) => out.notes.push((file.path.clone(), problem.to_string())),
                None => {}
            },
            Kind::Raml => {
                let advice =
                    "RAML is not read: convert it to OpenAPI 3 first, for example with MuleSoft's API Designer";
                out.notes.push((file.path.clone(), advice.into()));
            }
            Kind::Other => {}
        }
    }
    let library = Library::new(&documents);
    let owners = Owners::of(&documents, &library, files);
    let mut merge = Merge::default();
    eventcatalog::read(&documents, &library, &mut merge);
    for file in files.iter().filter(|f| !f.referred) {
        for document in documents.get(file.path.as_str()).into_iter().flatten() {
            read_document(&file.path, document, &library, &owners, &mut merge)?;
        }
    }
    backstage::link(&documents, &library, &mut merge);
    out.wanted = library.wanted();
    let (design, taken, notes) = merge.finish();
    out.design = design;
    out.taken = taken;
    out.notes.extend(notes);
    Ok(out)
}

enum Kind {
    Yaml,
    Catalog,
    Raml,
    Other,
}

fn kind_of_path(path: &str) -> Kind {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("yaml" | "yml" | "json") => Kind::Yaml,
        Some("md" | "mdx") => Kind::Catalog,
        Some("raml") => Kind::Raml,
        // An address often has no ending.
        _ if path.contains("://") => Kind::Yaml,
        _ => Kind::Other,
    }
}

fn own_text(text: &str) -> bool {
    text.lines().take(20).any(|line| line.trim_start().starts_with("flowglass: design/"))
}

fn front_matter(text: &str) -> Option<&str> {
    let body = text.strip_prefix("---")?.trim_start_matches(' ').strip_prefix(['\n', '\r'])?;
    body.split_once("\n---").map(|(front, _)| front)
}

fn read_document(
    path: &str,
    document: &Document,
    library: &Library<'_>,
    owners: &Owners,
    merge: &mut Merge,
) -> Result<(), (String, Problem)> {
    let root = &document.value;
    let version = |key: &str| root.get(key).map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned));
    if own::is_it(root) {
        let design = own::read_document(document).map_err(|problem| (path.to_owned(), problem))?;
        merge.all(path, design);
    } else if let Some(version) = version("openapi") {
        if !version.starts_with("3.") {
            merge.note(path, format!("OpenAPI {version} is not read; 3.0 to 3.2 are"));
        } else {
            openapi::read(path, root, library, owners.of_file(path), merge);
        }
    } else if let Some(version) = version("asyncapi") {
        match version.split('.').next() {
            Some("2") => asyncapi::read_2(path, root, library, owners.of_file(path), merge),
            Some("3") => asyncapi::read_3(path, root, library, owners.of_file(path), merge),
            _ => merge.note(path, format!("AsyncAPI {version} is not read; 2 and 3 are")),
        }
    } else if let Some(version) = version("swagger") {
        merge.note(path, format!("Swagger {version} is not read: convert it to OpenAPI 3 first"));
    } else if backstage::is_it(root) {
        backstage::read(path, root, merge);
    }
    Ok(())
}

/// Who a specification belongs to, where another file says so.
struct Owners(BTreeMap<String, String>);

impl Owners {
    fn of(documents: &BTreeMap<&str, Vec<Document>>, library: &Library<'_>, files: &[File]) -> Owners {
        let mut all = backstage::owners(documents, library);
        // A specification in the folder of a catalog's service is that service's.
        let services = eventcatalog::folders(documents);
        for file in files {
            let inside = services.iter().filter(|(folder, _)| file.path.starts_with(&format!("{folder}/")));
            if let Some((_, service)) = inside.max_by_key(|(folder, _)| folder.len()) {
                all.insert(file.path.clone(), service.clone());
            }
        }
        Owners(all)
    }

    fn of_file(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }
}

/// A text of a map.
fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str).map(str::trim).filter(|t| !t.is_empty())
}

/// The fields of a map; none for anything else.
fn fields(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

/// The items of a list; none for anything else.
fn items(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

/// The first line of a text.
fn first_line(text: &str) -> String {
    text.trim().lines().next().unwrap_or_default().trim().to_owned()
}

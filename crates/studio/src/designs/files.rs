//! Files and folders, with what they refer to.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use flowglass_design::{File, Imported, LONGEST, import};

/// Files of one design at most.
const MOST_FILES: usize = 5_000;
/// Folders inside of folders at most.
const DEEPEST: usize = 24;
/// Rounds of reading what was referred to.
const ROUNDS: usize = 12;
/// Addresses that are fetched for one design at most.
const MOST_FETCHED: usize = 200;
/// Bytes that are fetched for one design at most.
const MOST_BYTES: usize = 64 << 20;

/// Whether addresses may be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetch {
    /// Nothing leaves this machine; references to the web are told.
    Nothing,
    /// Addresses that are named, and nothing they refer to.
    Named,
    /// Addresses that are named, and those they refer to.
    Allowed,
}

/// Why a design could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {message}")]
pub struct DesignFileError {
    /// File or address, with the line where one is known.
    pub place: String,
    /// What is wrong and what to do.
    pub message: String,
}

fn wrong(place: impl Into<String>, message: impl Into<String>) -> DesignFileError {
    DesignFileError { place: place.into(), message: message.into() }
}

/// Reads files, folders and addresses into one design, with all they refer to. `hear` is told what is read at the moment; whoever
/// drops the future stops the reading.
///
/// # Errors
/// A path that cannot be read, an address although nothing may be fetched, more of the web than one design needs, a design of
/// Flowglass's own that is wrong, or nothing that is a design.
pub async fn read_designs(
    paths: &[String],
    fetch: Fetch,
    hear: &(dyn Fn(String) + Send + Sync),
) -> Result<Imported, DesignFileError> {
    let mut files: Vec<File> = Vec::new();
    let mut web = Web { hear, addresses: 0, bytes: 0 };
    for path in paths {
        if path.contains("://") {
            if fetch == Fetch::Nothing {
                return Err(wrong(path, "nothing is fetched unless it is allowed: add --allow-remote"));
            }
            files.push(File { path: path.clone(), text: web.fetch(path).await?, referred: false });
            continue;
        }
        hear(format!("Reading {path}"));
        let mut found = Vec::new();
        walk(Path::new(path), 0, &mut found)?;
        for path in found {
            let text = text_of(&path)?;
            files.push(File { path: slashed(&path), text, referred: false });
        }
    }
    let mut tried: BTreeSet<String> = BTreeSet::new();
    for _ in 0..ROUNDS {
        let read =
            import(&files).map_err(|(path, problem)| wrong(format!("{path}:{}", problem.line), problem.message))?;
        let missing: Vec<&String> = read.wanted.iter().filter(|w| !tried.contains(*w)).collect();
        if missing.is_empty() {
            return finished(read, paths);
        }
        let mut more = Vec::new();
        for wanted in missing {
            let text = match wanted.contains("://") {
                true if fetch != Fetch::Allowed => None,
                true => Some(web.fetch(wanted).await?),
                false => text_of(Path::new(wanted)).ok(),
            };
            more.extend(text.map(|text| File { path: wanted.clone(), text, referred: true }));
        }
        tried.extend(read.wanted);
        files.extend(more);
        if files.len() > MOST_FILES {
            return Err(wrong(
                paths.join(", "),
                format!("more than {MOST_FILES} files; name the folder of the design only"),
            ));
        }
    }
    let read = import(&files).map_err(|(path, problem)| wrong(format!("{path}:{}", problem.line), problem.message))?;
    finished(read, paths)
}

fn finished(mut read: Imported, paths: &[String]) -> Result<Imported, DesignFileError> {
    for wanted in &read.wanted {
        let what = match wanted.contains("://") {
            true => "is on the web and was not fetched, because only what is named may be; what it holds is left out",
            false => "is referred to and cannot be read; what it holds is left out",
        };
        read.notes.push((wanted.clone(), what.into()));
    }
    if read.taken.is_empty() {
        let why = read.notes.first().map_or(String::new(), |(path, note)| format!(" ({path}: {note})"));
        let known = "OpenAPI 3, AsyncAPI 2 and 3, Backstage, EventCatalog and Flowglass designs are";
        return Err(wrong(paths.join(", "), format!("nothing in it is a design that is read; {known}{why}")));
    }
    Ok(read)
}

/// What was fetched so far.
struct Web<'a> {
    hear: &'a (dyn Fn(String) + Send + Sync),
    addresses: usize,
    bytes: usize,
}

impl Web<'_> {
    async fn fetch(&mut self, url: &str) -> Result<String, DesignFileError> {
        self.addresses += 1;
        if self.addresses > MOST_FETCHED {
            let most = format!(
                "this design refers to more than {MOST_FETCHED} addresses; fetch them yourself and name the folder"
            );
            return Err(wrong(url, most));
        }
        (self.hear)(format!("Fetching {url}"));
        let text = flowglass_ingest::pull::fetch(url, LONGEST).await.map_err(|reason| wrong(url, reason))?;
        self.bytes += text.len();
        if self.bytes > MOST_BYTES {
            return Err(wrong(
                url,
                format!("with this, more than {} MiB are fetched for one design", MOST_BYTES >> 20),
            ));
        }
        Ok(text)
    }
}

fn slashed(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

fn text_of(path: &Path) -> Result<String, DesignFileError> {
    let failed = |e: std::io::Error| wrong(path.display().to_string(), format!("cannot be read: {e}"));
    let bytes = crate::bounded::read(path, LONGEST as u64).map_err(failed)?;
    Ok(String::from_utf8_lossy(&bytes).trim_start_matches('\u{feff}').to_owned())
}

/// The files of a folder that may hold a design, sorted; links and hidden folders are not followed.
fn walk(path: &Path, depth: usize, out: &mut Vec<PathBuf>) -> Result<(), DesignFileError> {
    let failed = |e: std::io::Error| wrong(path.display().to_string(), format!("cannot be read: {e}"));
    if !std::fs::metadata(path).map_err(failed)?.is_dir() {
        out.push(path.to_owned());
        return Ok(());
    }
    let mut entries: Vec<_> = std::fs::read_dir(path).map_err(failed)?.collect::<Result<_, _>>().map_err(failed)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let kind = entry.file_type().map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let ending = name.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase()).unwrap_or_default();
        if kind.is_dir() && depth < DEEPEST && !name.starts_with('.') && name != "node_modules" {
            walk(&entry.path(), depth + 1, out)?;
        } else if kind.is_file() && matches!(ending.as_str(), "yaml" | "yml" | "json" | "md" | "mdx" | "raml") {
            out.push(entry.path());
        }
        if out.len() > MOST_FILES {
            return Err(wrong(path.display().to_string(), format!("holds more than {MOST_FILES} files")));
        }
    }
    Ok(())
}

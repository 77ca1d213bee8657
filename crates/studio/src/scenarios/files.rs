//! Scenario files in a folder beside the workspace: people keep them in git, so they are plain files, and every change replaces a
//! file as a whole.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::api::ApiError;
use crate::handlers::{bad_request, not_found};

/// Bytes of a scenario at most.
const LONGEST: u64 = 4 << 20;
/// Scenarios listed at most.
const MOST: usize = 500;
/// Bytes of a file name at most.
const LONGEST_NAME: usize = 120;
/// Deleted scenarios kept to be called back.
const MOST_DELETED: usize = 20;
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];
/// What is not the user's: results and deleted files. Hidden, and kept out of git.
const OWN: &str = ".flowglass";

/// The folder of a workspace's scenarios. It is made with the first one.
#[derive(Debug, Clone)]
pub(crate) struct Folder(PathBuf);

/// A file of the folder.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) id: String,
    /// Milliseconds since the epoch.
    pub(crate) changed_at: f64,
}

impl Folder {
    pub(crate) fn of(workspace: &Path) -> Folder {
        Folder(workspace.with_extension("scenarios"))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// All scenarios, last changed first.
    pub(crate) fn list(&self) -> Result<Vec<Listed>, ApiError> {
        let entries = match std::fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(refused(&self.0, &error)),
        };
        let mut all: Vec<Listed> = entries
            .filter_map(Result::ok)
            .filter(|e| e.path().is_file())
            .filter_map(|e| {
                let id = e.file_name().into_string().ok().filter(|name| check(name).is_ok())?;
                let changed = e.metadata().and_then(|m| m.modified()).ok()?;
                let changed_at = changed.duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64() * 1e3);
                Some(Listed { id, changed_at })
            })
            .collect();
        all.sort_by(|a, b| b.changed_at.total_cmp(&a.changed_at).then_with(|| a.id.cmp(&b.id)));
        all.truncate(MOST);
        Ok(all)
    }

    /// The text of a scenario.
    pub(crate) fn read(&self, id: &str) -> Result<String, ApiError> {
        check(id)?;
        read(&self.0.join(id))
            .map_err(|e| if e.code == "not-found" { not_found(&format!("the scenario `{id}`")) } else { e })
    }

    /// Keeps the text of a scenario.
    pub(crate) fn write(&self, id: &str, text: &str) -> Result<(), ApiError> {
        check(id)?;
        if text.len() as u64 > LONGEST {
            return Err(bad_request(format!("a scenario has {LONGEST} bytes at most, this one {}", text.len())));
        }
        std::fs::create_dir_all(&self.0).map_err(|e| refused(&self.0, &e))?;
        replace(&self.0.join(id), text.as_bytes())
    }

    /// A name for a new file that nobody has.
    pub(crate) fn free(&self, wanted: &str) -> String {
        let (stem, ending) = match wanted.rsplit_once('.') {
            Some((stem, ending)) if ENDINGS.contains(&ending) => (stem, ending),
            _ => (wanted, "yaml"),
        };
        let stem = slug(stem);
        let name = |n: u32| if n == 1 { format!("{stem}.{ending}") } else { format!("{stem}-{n}.{ending}") };
        (1..).map(name).find(|name| !self.0.join(name).exists()).unwrap_or_else(|| name(1))
    }

    /// Gives a file another name, its last result with it; answers the name.
    pub(crate) fn rename(&self, id: &str, wanted: &str) -> Result<String, ApiError> {
        self.read(id)?;
        let ending = id.rsplit_once('.').map_or("yaml", |(_, ending)| ending);
        let stem = ENDINGS.iter().find_map(|e| wanted.strip_suffix(&format!(".{e}"))).unwrap_or(wanted);
        let same = format!("{}.{ending}", slug(stem));
        if same == id {
            return Ok(same);
        }
        let name = self.free(&same);
        std::fs::rename(self.0.join(id), self.0.join(&name)).map_err(|e| refused(&self.0.join(id), &e))?;
        // A result that stays behind is found again by a run.
        let _ = std::fs::rename(self.result(id), self.result(&name));
        Ok(name)
    }

    /// Moves a scenario out of sight; answers what to call it back with.
    pub(crate) fn delete(&self, id: &str) -> Result<String, ApiError> {
        self.read(id)?;
        let bin = self.own("deleted")?;
        let token = (1u32..).map(|n| format!("{n}.{id}")).find(|t| !bin.join(t).exists()).unwrap_or_default();
        std::fs::rename(self.0.join(id), bin.join(&token)).map_err(|e| refused(&self.0.join(id), &e))?;
        self.forget_oldest(&bin);
        Ok(token)
    }

    /// Calls a deleted scenario back; answers its name, which is a new one where somebody took the old one.
    pub(crate) fn restore(&self, token: &str) -> Result<String, ApiError> {
        let (_, id) = token.split_once('.').ok_or_else(|| not_found("what was deleted"))?;
        check(id)?;
        let kept = self.0.join(OWN).join("deleted").join(token);
        if token.contains(['/', '\\']) || !kept.is_file() {
            return Err(not_found("what was deleted"));
        }
        let name = if self.0.join(id).exists() { self.free(id) } else { id.to_owned() };
        std::fs::rename(&kept, self.0.join(&name)).map_err(|e| refused(&kept, &e))?;
        Ok(name)
    }

    /// What was kept of the last run.
    pub(crate) fn read_result(&self, id: &str) -> Option<Vec<u8>> {
        std::fs::read(self.result(id)).ok()
    }

    /// Keeps what a run found.
    pub(crate) fn write_result(&self, id: &str, bytes: &[u8]) -> Result<(), ApiError> {
        self.own("results")?;
        replace(&self.result(id), bytes)
    }

    fn result(&self, id: &str) -> PathBuf {
        self.0.join(OWN).join("results").join(format!("{id}.result"))
    }

    /// A folder for what is not the user's.
    fn own(&self, name: &str) -> Result<PathBuf, ApiError> {
        let folder = self.0.join(OWN).join(name);
        std::fs::create_dir_all(&folder).map_err(|e| refused(&folder, &e))?;
        let ignore = self.0.join(OWN).join(".gitignore");
        if !ignore.exists() {
            std::fs::write(&ignore, "*\n").map_err(|e| refused(&ignore, &e))?;
        }
        Ok(folder)
    }

    fn forget_oldest(&self, bin: &Path) {
        let Ok(entries) = std::fs::read_dir(bin) else { return };
        let mut all: Vec<_> = entries
            .filter_map(Result::ok)
            .filter_map(|e| Some((e.metadata().and_then(|m| m.modified()).ok()?, e.path())))
            .collect();
        all.sort();
        for (_, path) in all.iter().take(all.len().saturating_sub(MOST_DELETED)) {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A text file of no more than a scenario's length.
pub(crate) fn read(path: &Path) -> Result<String, ApiError> {
    let size = std::fs::metadata(path).map_err(|e| refused(path, &e))?.len();
    if size > LONGEST {
        let message = format!("{}: a scenario has {LONGEST} bytes at most, this file {size}", path.display());
        return Err(bad_request(message));
    }
    std::fs::read_to_string(path).map_err(|e| match e.kind() {
        ErrorKind::InvalidData => bad_request(format!("{}: this is no text", path.display())),
        _ => refused(path, &e),
    })
}

/// Writes a file so that it appears whole.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), ApiError> {
    let name = path.file_name().map_or_else(Default::default, |n| n.to_string_lossy().into_owned());
    let partial = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
    std::fs::write(&partial, bytes).and_then(|()| std::fs::rename(&partial, path)).map_err(|e| refused(path, &e))
}

/// A file name, and nothing else: no path, not hidden, with an ending of a scenario.
fn check(id: &str) -> Result<(), ApiError> {
    let plain = !id.is_empty()
        && id.len() <= LONGEST_NAME
        && !id.starts_with('.')
        && !id.chars().any(|c| c.is_control() || "/\\:*?\"<>|".contains(c));
    let ending = id.rsplit_once('.').map_or("", |(_, ending)| ending);
    if plain && ENDINGS.contains(&ending) {
        return Ok(());
    }
    Err(bad_request(format!("`{id}` is no name of a scenario: write a file name that ends in .yaml")))
}

/// A title as a file name: `Place order` is `place-order`.
fn slug(title: &str) -> String {
    let mut name = String::new();
    for letter in title.trim().chars().flat_map(char::to_lowercase) {
        if letter.is_alphanumeric() {
            name.push(letter);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
        if name.len() > 80 {
            break;
        }
    }
    let name = name.trim_end_matches('-');
    if name.is_empty() { "scenario".to_owned() } else { name.to_owned() }
}

fn refused(path: &Path, error: &std::io::Error) -> ApiError {
    let code = if error.kind() == ErrorKind::NotFound { "not-found" } else { "unavailable" };
    ApiError { code: code.into(), message: format!("{}: {error}", path.display()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_scenarios_are_names() {
        for good in ["place-order.yaml", "Über uns.yml", "a.b.json"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a.txt",
            "../a.yaml",
            "a/b.yaml",
            "c:\\a.yaml",
            ".a.yaml",
            "a\n.yaml",
            &format!("{}.yaml", "a".repeat(200)),
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn titles_become_file_names() {
        assert_eq!(slug("  Place order! (2nd try) "), "place-order-2nd-try");
        assert_eq!(slug("Bestellung für Öl"), "bestellung-für-öl");
        assert_eq!(slug("../.."), "scenario");
    }
}

//! What the program keeps for all workspaces: where new ones go, which were used lately, what its user prefers.
//!
//! One small JSON file (`flowglass.json`) in the application's data folder, replaced as a whole, so that a crash leaves the old
//! or the new one. Several windows may share it: every change reads it anew.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use flowglass_model::Nanos;
use serde::{Deserialize, Serialize};

use crate::api::Preferences;
use crate::studio::lock;

/// Names the folder to use instead of the system's.
const VARIABLE: &str = "FLOWGLASS_DATA_DIR";
/// The folder's name among those of other applications.
const APPLICATION: &str = "org.flowglass.window";
const FILE: &str = "flowglass.json";
/// Workspaces remembered at most.
const REMEMBERED: usize = 15;

/// The application's data folder, or memory only where there is none.
#[derive(Debug, Default)]
pub struct Home {
    folder: Option<PathBuf>,
    /// What is kept where there is no folder; elsewhere only a lock, one change at a time.
    memory: Mutex<Kept>,
}

/// A workspace used lately.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Recent {
    pub(crate) path: PathBuf,
    /// First and last data when it was last left.
    #[serde(default)]
    pub(crate) oldest: Option<Nanos>,
    #[serde(default)]
    pub(crate) newest: Option<Nanos>,
    /// Address of the view that a window last showed of it.
    #[serde(default)]
    pub(crate) view: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Most recently used first.
    #[serde(default)]
    pub(crate) recent: Vec<Recent>,
    #[serde(default)]
    pub(crate) preferences: Option<Preferences>,
}

impl Home {
    /// A data folder; it is made with the first change.
    pub fn new(folder: PathBuf) -> Home {
        Home { folder: Some(folder), memory: Mutex::default() }
    }

    /// The user's data folder: `FLOWGLASS_DATA_DIR`, else where this system keeps applications' data. Without any (no home
    /// folder is known) things are kept until the program ends.
    pub fn of_user() -> Home {
        let variable = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let folder = variable(VARIABLE).or_else(|| Some(data_folder(variable)?.join(APPLICATION)));
        Home { folder, memory: Mutex::default() }
    }

    /// The folder; `None` where things are kept in memory only.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// The workspace that is opened when nothing else is asked for. Its folder is made.
    pub fn default_workspace(&self) -> Result<PathBuf, String> {
        let advice = "name a workspace with --workspace FILE";
        let folder = self.folder.as_ref().ok_or_else(|| format!("no home folder is known; {advice}"))?;
        std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}; {advice}", folder.display()))?;
        Ok(folder.join("default.flowglass"))
    }

    /// Where new workspaces go.
    pub(crate) fn workspaces(&self) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join("workspaces"))
    }

    /// What is kept now. A file that cannot be read counts as empty; it is told once per reading in the log.
    pub(crate) fn read(&self) -> Kept {
        let Some(folder) = &self.folder else { return lock(&self.memory).clone() };
        let path = folder.join(FILE);
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                tracing::warn!(%error, path = %path.display(), "what was kept for all workspaces cannot be read and is begun anew");
                Kept::default()
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Kept::default(),
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "what was kept for all workspaces cannot be read");
                Kept::default()
            }
        }
    }

    /// Changes what is kept, and answers it.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Kept)) -> std::io::Result<Kept> {
        let mut memory = lock(&self.memory);
        let Some(folder) = &self.folder else {
            change(&mut memory);
            return Ok(memory.clone());
        };
        let mut kept = self.read();
        let before = kept.clone();
        change(&mut kept);
        if kept != before {
            std::fs::create_dir_all(folder)?;
            // Two processes must not write into one partial file.
            let partial = folder.join(format!("{FILE}.{}.part", std::process::id()));
            std::fs::write(&partial, serde_json::to_vec_pretty(&kept)?)?;
            std::fs::rename(&partial, folder.join(FILE))?;
        }
        Ok(kept)
    }
}

impl Kept {
    /// Puts a workspace first.
    pub(crate) fn used(&mut self, path: &Path) {
        let known = self.recent.iter().position(|r| r.path == path).map(|at| self.recent.remove(at));
        let entry = known.unwrap_or_else(|| Recent { path: path.to_owned(), oldest: None, newest: None, view: None });
        self.recent.insert(0, entry);
        self.recent.truncate(REMEMBERED);
    }

    /// Notes first and last data of a workspace that is being left.
    pub(crate) fn left(&mut self, path: &Path, oldest: Option<Nanos>, newest: Option<Nanos>) {
        if let Some(recent) = self.recent.iter_mut().find(|r| r.path == path) {
            (recent.oldest, recent.newest) = (oldest, newest);
        }
    }
}

/// Where applications keep their data, by each system's own convention. `variable` reads the environment.
fn data_folder(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    if cfg!(windows) {
        return variable("APPDATA");
    }
    if cfg!(target_os = "macos") {
        return Some(variable("HOME")?.join("Library/Application Support"));
    }
    // The XDG base directory specification: a relative path counts as not set.
    variable("XDG_DATA_HOME").filter(|p| p.is_absolute()).or_else(|| Some(variable("HOME")?.join(".local/share")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_survives_and_a_broken_file_does_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path().join("data"));
        assert_eq!(home.read(), Kept::default());
        home.change(|k| k.used(Path::new("/a"))).unwrap();
        home.change(|k| k.used(Path::new("/b"))).unwrap();
        home.change(|k| k.left(Path::new("/a"), Some(1), Some(2))).unwrap();
        home.change(|k| k.used(Path::new("/a"))).unwrap();
        let again = Home::new(folder.path().join("data")).read();
        assert_eq!(
            again.recent.iter().map(|r| r.path.as_path()).collect::<Vec<_>>(),
            [Path::new("/a"), Path::new("/b")]
        );
        assert_eq!((again.recent[0].oldest, again.recent[0].newest), (Some(1), Some(2)));
        for i in 0..40 {
            home.change(|k| k.used(&PathBuf::from(format!("/w{i}")))).unwrap();
        }
        assert_eq!(home.read().recent.len(), REMEMBERED);
        std::fs::write(folder.path().join("data").join(FILE), "{ broken").unwrap();
        assert_eq!(home.read(), Kept::default());
        home.change(|k| k.used(Path::new("/c"))).unwrap();
        assert_eq!(home.read().recent.len(), 1);
        let left = std::fs::read_dir(folder.path().join("data")).unwrap().count();
        assert_eq!(left, 1, "no partial file stays");
    }

    #[test]
    fn without_a_folder_things_are_kept_in_memory() {
        let home = Home::default();
        home.change(|k| k.used(Path::new("/a"))).unwrap();
        assert_eq!(home.read().recent.len(), 1);
        assert!(home.default_workspace().unwrap_err().contains("--workspace"));
    }

    #[test]
    fn the_data_folder_follows_the_systems_convention() {
        let home = |name: &str| (name == "HOME").then(|| PathBuf::from("/home/me"));
        if cfg!(target_os = "linux") {
            assert_eq!(data_folder(home), Some(PathBuf::from("/home/me/.local/share")));
            assert_eq!(data_folder(|_| None), None);
        }
    }
}

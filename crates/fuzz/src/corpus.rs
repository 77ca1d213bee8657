//! Inputs that are kept.

use std::path::{Path, PathBuf};

use crate::Target;

/// Longest input that is made of seeds and changed, bytes: larger ones teach nothing new and take long.
const LONGEST_SEED: usize = 64 << 10;

/// An input that is kept, and where it stands.
#[derive(Debug, Clone)]
pub struct Seed {
    /// Path from the project's root.
    pub path: String,
    /// The input.
    pub bytes: Vec<u8>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("."))
}

/// Where the inputs of a target stand; what is found is put there.
pub fn folder(target: &Target) -> PathBuf {
    root().join("crates/fuzz/corpus").join(target.name)
}

/// The inputs of a target: its folder of the corpus (empty when there is none), sorted, and the files it names.
///
/// # Errors
/// A file that is named and cannot be read.
pub fn corpus(target: &Target) -> std::io::Result<Vec<Seed>> {
    let mut paths: Vec<PathBuf> = match std::fs::read_dir(folder(target)) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?,
        Err(_) => Vec::new(),
    };
    paths.sort();
    paths.extend(target.seeds.iter().map(|seed| root().join(seed)));
    let seed = |path: PathBuf| {
        let mut bytes = std::fs::read(&path)?;
        bytes.truncate(LONGEST_SEED);
        let path = path.strip_prefix(root()).unwrap_or(&path).to_string_lossy().into_owned();
        Ok(Seed { path, bytes })
    };
    paths.into_iter().map(seed).collect()
}

//! Which files a list of paths means.

use std::path::{Path, PathBuf};

/// Files below a path, sorted, so that an import is the same each time. Hidden entries of a folder are left out, as are
/// symbolic links that lead outside of it and links to folders (they may run in circles).
pub(super) fn files(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !std::fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let root = path.canonicalize()?;
    let mut found = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            let (path, kind) = (entry.path(), entry.file_type()?);
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() || (kind.is_symlink() && leads_to_file_in(&path, &root)) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn leads_to_file_in(link: &Path, root: &Path) -> bool {
    link.canonicalize().is_ok_and(|target| target.starts_with(root) && target.is_file())
}

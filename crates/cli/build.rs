//! Puts the built UI (`ui/dist`) into the binary: copies it to the build's output folder and writes a table of its files.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let dist = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../../ui/dist");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={}", dist.display());

    // The copy keeps a UI build that runs at the same time from pulling files away under the compiler.
    let copies = out.join("ui");
    if copies.exists() {
        fs::remove_dir_all(&copies)?;
    }
    fs::create_dir_all(&copies)?;
    let files = if dist.join("index.html").is_file() { files(&dist, "") } else { Ok(Vec::new()) };
    let mut table = String::from("&[\n");
    for name in files.unwrap_or_default() {
        let copy = copies.join(&name);
        if let Some(folder) = copy.parent() {
            fs::create_dir_all(folder)?;
        }
        if fs::copy(dist.join(&name), &copy).is_ok() {
            let _ = writeln!(table, "    ({name:?}, include_bytes!({:?})),", copy.display().to_string());
        }
    }
    table.push_str("]\n");
    fs::write(out.join("ui_files.rs"), table)
}

/// Paths of all files below a folder, with `/`, sorted.
fn files(root: &Path, below: &str) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        if entry.file_type()?.is_dir() {
            found.extend(files(root, &path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

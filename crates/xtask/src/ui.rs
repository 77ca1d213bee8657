//! The UI's packages and its build, made again only when something changed.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Result, bail};

use crate::run::{command, root, run};
use crate::setup::once;

fn folder() -> PathBuf {
    root().join("ui")
}

/// `npm ci`, if the lock file changed.
pub(crate) fn install() -> Result<()> {
    let ui = folder();
    once(&ui.join("package-lock.json"), &ui.join("node_modules/.flowglass-lock.json"), || {
        run(command("npm", ["ci", "--no-audit", "--no-fund"]).current_dir(&ui))
    })
}

/// Runs a script of `ui/package.json`.
pub(crate) fn script(name: &str) -> Result<()> {
    run(command("npm", ["run", "--silent", name]).current_dir(folder()))
}

/// Installs and builds, each if out of date.
pub(crate) fn build() -> Result<()> {
    install()?;
    let ui = folder();
    let page = ui.join("dist/index.html");
    let newest = ["src", "public", "index.html", "package-lock.json", "vite.config.ts", "svelte.config.js"]
        .iter()
        .filter_map(|name| newest(&ui.join(name)))
        .max();
    if newest < page.metadata().and_then(|of| of.modified()).ok() {
        return Ok(());
    }
    script("build")?;
    if !page.is_file() {
        bail!("`npm run build` left no {}", page.display());
    }
    Ok(())
}

/// When something in a folder was last changed.
fn newest(path: &Path) -> Option<SystemTime> {
    if let Ok(entries) = std::fs::read_dir(path) {
        return entries.filter_map(|entry| newest(&entry.ok()?.path())).max();
    }
    path.metadata().ok()?.modified().ok()
}

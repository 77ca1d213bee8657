//! What is generated and committed: the TypeScript of the wire contract, and the list of what ships.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::components;
use crate::run::{cargo, root, target};

fn file() -> PathBuf {
    root().join("ui/src/lib/bindings/index.ts")
}

/// Writes it, or checks that it is up to date.
pub(crate) fn run(check: bool) -> Result<()> {
    // First: the generator has the list inside.
    settle(&components::file(), &components::wanted()?, check)?;
    // With the features of the whole workspace: what was built for its tests serves here, too.
    let built = cargo(["build", "--quiet", "--workspace", "--example", "ts"]).status();
    if !built.context("cargo build cannot be started")?.success() {
        bail!("the generator does not build");
    }
    bindings(Command::new(target().join("debug/examples/ts")), check)
}

/// Checks with the example that the build step has left.
pub(crate) fn check_built() -> Result<()> {
    settle(&components::file(), &components::wanted()?, true)?;
    bindings(Command::new(target().join("debug/examples/ts")), true)
}

fn bindings(mut generator: Command, check: bool) -> Result<()> {
    let output =
        generator.stderr(std::process::Stdio::inherit()).output().context("the generator cannot be started")?;
    if !output.status.success() {
        bail!("the generator ended with {}", output.status);
    }
    let wanted = String::from_utf8(output.stdout)?.trim_end().to_owned() + "\n";
    settle(&file(), &wanted, check)
}

fn settle(path: &Path, wanted: &str, check: bool) -> Result<()> {
    let found = std::fs::read_to_string(path).unwrap_or_default();
    if found.trim_end() == wanted.trim_end() {
        return Ok(());
    }
    if check {
        let line = found.lines().zip(wanted.lines()).take_while(|(a, b)| a == b).count() + 1;
        bail!("{} is out of date from line {line} on; run `cargo xtask codegen`", path.display());
    }
    std::fs::write(path, wanted).with_context(|| path.display().to_string())
}

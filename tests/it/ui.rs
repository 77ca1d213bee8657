//! What the window and the browser tests share.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use flowglass_tests::product::root;

/// Whether the tests that need a screen or a browser are to run. `cargo xtask test` says so; a plain `cargo test` leaves them out, aloud.
pub(crate) fn asked_for(what: &str) -> bool {
    let asked = std::env::var_os("FLOWGLASS_E2E").is_some();
    if !asked {
        eprintln!("SKIPPED: {what}; set FLOWGLASS_E2E=1, or run `cargo xtask test`");
    }
    asked
}

/// The folder of installed SDKs of other languages.
pub(crate) fn sdk_folder() -> Result<std::path::PathBuf> {
    let folder = std::env::var_os("FLOWGLASS_SDKS").map_or_else(|| root().join("target/sdk"), Into::into);
    if !folder.join("venv/installed.txt").is_file() || !folder.join("node/installed.json").is_file() {
        bail!("the SDKs are not installed in {}; `cargo xtask setup` does it", folder.display());
    }
    Ok(folder)
}

/// Sends a few calls of the small story with a real SDK: over OTLP/HTTP JSON from Node.
pub(crate) fn send_story(http: &str, calls: u32) -> Result<()> {
    node(http, calls, "plain")
}

/// Runs `send.mjs`.
pub(crate) fn node(http: &str, calls: u32, mode: &str) -> Result<()> {
    let mut command = Command::new("node");
    command.arg(root().join("tests/sdk/send.mjs")).args([http, &calls.to_string()]);
    finish(command.arg(sdk_folder()?.join("node")).arg(mode))
}

/// Runs a command to its end.
pub(crate) fn finish(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Waits for a file.
pub(crate) fn appears(path: &Path) -> Result<serde_json::Value> {
    flowglass_tests::process::until(&format!("{}", path.display()), Duration::from_secs(60), || {
        Ok(serde_json::from_slice(&std::fs::read(path)?)?)
    })
}

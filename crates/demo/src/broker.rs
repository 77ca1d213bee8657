//! A `nats-server` of our own: on a free port of the loopback, its files in a scratch folder.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// How long a fresh server may take until it listens.
const START_WITHIN: Duration = Duration::from_secs(15);

/// A running server. It is killed, and its folder removed, when this is dropped.
pub struct Broker {
    /// `nats://127.0.0.1:PORT`.
    pub url: String,
    child: Child,
    // Held for its Drop, which removes the folder.
    _scratch: TempDir,
}

/// The `nats-server` on the search path, if there is one.
#[must_use]
pub fn find() -> Option<PathBuf> {
    let name = format!("nats-server{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(&name)).find(|path| path.is_file())
}

impl Broker {
    /// Starts `program` with JetStream and waits until it says on which port it listens.
    ///
    /// # Errors
    /// If it cannot be started, ends at once, or does not listen within 15 seconds; with the end of its log.
    pub async fn start(program: &Path) -> Result<Self> {
        let scratch = tempfile::Builder::new().prefix("flowglass-demo-nats-").tempdir()?;
        let log = scratch.path().join("nats-server.log");
        let mut command = Command::new(program);
        command
            .args(["--addr", "127.0.0.1", "--port", "-1", "--jetstream"])
            .arg("--store_dir")
            .arg(scratch.path().join("jetstream"))
            .arg("--ports_file_dir")
            .arg(scratch.path())
            .arg("--log")
            .arg(&log)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        // A Ctrl-C meant for us must not take the broker away while we drain.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        let deadline = Instant::now() + START_WITHIN;
        loop {
            if let Some(url) = listening(scratch.path()) {
                return Ok(Self { url, child, _scratch: scratch });
            }
            if let Some(status) = child.try_wait()? {
                bail!("{} ended with {status}: {}", program.display(), tail(&log));
            }
            if Instant::now() > deadline {
                bail!("{} does not listen after {START_WITHIN:?}: {}", program.display(), tail(&log));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends the server and removes its files.
    pub async fn stop(mut self) {
        if let Err(error) = self.child.kill().await {
            tracing::warn!(%error, "nats-server could not be ended");
        }
    }
}

/// The address in the ports file the server writes once it listens.
fn listening(folder: &Path) -> Option<String> {
    let file = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "ports"))?;
    let ports: serde_json::Value = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
    ports["nats"][0].as_str().map(str::to_owned)
}

fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join(" | ")
}

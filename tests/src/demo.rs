//! The sample landscape as a source of known truth.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::process::Process;
use crate::product::{READY_WITHIN, binary};

/// How long a run may take to end after its last request: retries and redeliveries have pauses.
const DONE_WITHIN: Duration = Duration::from_secs(180);

/// A started `flowglass-demo`; it emits nothing before [`Demo::go`].
pub struct Demo {
    process: Process,
    /// Its NATS server.
    pub nats: String,
    truth: PathBuf,
}

impl Demo {
    /// Starts it, aimed at these OTLP ports of the loopback, with a NATS server of its own.
    ///
    /// # Errors
    /// If it is not ready in time, or there is no `nats-server`.
    pub fn start(folder: &Path, grpc: u16, http: u16, more: &[&str]) -> Result<Demo> {
        let truth = folder.join("truth.json");
        let mut command = Command::new(binary("flowglass-demo")?);
        command
            .arg("--otlp-grpc")
            .arg(format!("http://127.0.0.1:{grpc}"))
            .arg("--otlp-http")
            .arg(format!("http://127.0.0.1:{http}"))
            .arg("--truth")
            .arg(&truth)
            .args(["--wait", "--die-with-parent"])
            .args(more);
        let mut process = Process::start("flowglass-demo", &mut command)?;
        let ready = process.json_line(READY_WITHIN)?;
        let nats = ready["nats"].as_str().map(str::to_owned);
        let nats =
            nats.context("flowglass-demo found no nats-server: install it (Debian: apt-get install nats-server)")?;
        Ok(Demo { process, nats, truth })
    }

    /// Lets requests come.
    ///
    /// # Errors
    /// If it has ended.
    pub fn go(&mut self) -> Result<()> {
        self.process.say("go\n")
    }

    /// Kills it at once, as a crash would.
    ///
    /// # Errors
    /// If its end cannot be waited for.
    pub fn kill(self) -> Result<()> {
        self.process.kill().map(drop)
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.process.runs()
    }

    /// Waits until all it was asked for is done and exported. The NATS server ends with it.
    ///
    /// # Errors
    /// If it takes too long, or something could not be exported.
    pub fn done(&mut self) -> Result<()> {
        let done = self.process.json_line(DONE_WITHIN)?;
        let clean = done["event"] == "done" && done["drained"] == true && done["spans_refused"] == 0;
        if !clean || done["export_failures"].as_array().is_none_or(|failures| !failures.is_empty()) {
            bail!("flowglass-demo was not done in good order: {done}{}", self.process.errors());
        }
        Ok(())
    }

    /// What it did, as it counted itself.
    ///
    /// # Errors
    /// If the file is not there.
    pub fn truth(&self) -> Result<Value> {
        let text = std::fs::read(&self.truth).with_context(|| self.truth.display().to_string())?;
        Ok(serde_json::from_slice(&text)?)
    }
}

//! A NATS server with JetStream that can be killed and comes back with what it stored, at the same address.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use flowglass_tests::process::{Process, free_port, until};
use flowglass_tests::webdriver::tool;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

/// How long it may take to listen.
const LISTENS_WITHIN: Duration = Duration::from_secs(30);

/// The server, running or not.
pub(crate) struct Broker {
    port: u16,
    monitor: u16,
    folder: PathBuf,
    process: Option<Process>,
    runtime: Runtime,
}

impl Broker {
    /// Starts one whose files lie in a folder.
    ///
    /// # Errors
    /// If there is no nats-server, or it does not listen.
    pub(crate) fn start(folder: &Path) -> Result<Broker> {
        let (port, monitor) = (free_port()?, free_port()?);
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let mut broker = Broker { port, monitor, folder: folder.to_owned(), process: None, runtime };
        broker.restart()?;
        Ok(broker)
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Whether it does not run.
    pub(crate) fn is_away(&self) -> bool {
        self.process.is_none()
    }

    /// Kills it.
    ///
    /// # Errors
    /// If its end cannot be waited for.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.process.take().map_or(Ok(()), |process| process.kill().map(drop))
    }

    /// Starts it on what it stored.
    ///
    /// # Errors
    /// If it does not listen.
    pub(crate) fn restart(&mut self) -> Result<()> {
        let mut command = Command::new(tool("nats-server", "nats-server")?);
        command
            .args(["--addr", "127.0.0.1", "--jetstream"])
            .args(["--port", &self.port.to_string(), "--http_port", &self.monitor.to_string()])
            .arg("--store_dir")
            .arg(&self.folder);
        self.process = Some(Process::start("nats-server", &mut command)?);
        until("nats-server to listen", LISTENS_WITHIN, || Ok(TcpStream::connect(("127.0.0.1", self.port))?))?;
        Ok(())
    }

    /// Messages that lie in its streams.
    ///
    /// # Errors
    /// If it does not answer.
    pub(crate) fn messages(&self) -> Result<u64> {
        let url = format!("http://127.0.0.1:{}/jsz", self.monitor);
        let client = reqwest::Client::builder().no_proxy().timeout(LISTENS_WITHIN).build()?;
        let answer: Value = self.runtime.block_on(async { client.get(url).send().await?.json().await })?;
        answer["messages"].as_u64().with_context(|| format!("nats-server counts no messages: {answer}"))
    }
}

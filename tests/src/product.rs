//! The built programs, and what they answer.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::process::Process;

/// How long a program may take to be ready. Generous: the machine may be compiling.
pub const READY_WITHIN: Duration = Duration::from_secs(60);

/// The project's folder.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("/"))
}

/// The folder of built programs: where this one is.
///
/// # Errors
/// If it cannot be told.
pub fn target() -> Result<PathBuf> {
    let here = std::env::current_exe()?;
    let folder = here.parent().context("a program stands in a folder")?;
    Ok(if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder }.to_owned())
}

/// A program of the project, built.
///
/// # Errors
/// If it is not there, with how to build it.
pub fn binary(name: &str) -> Result<PathBuf> {
    build_once()?;
    let path = target()?.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    if !path.is_file() {
        bail!("{} is not built; `cargo build --workspace --bins` builds it (`cargo xtask test` does)", path.display());
    }
    Ok(path)
}

/// Under a plain `cargo test` nobody has built the programs that the tests start; `cargo xtask test` says that it has.
fn build_once() -> Result<()> {
    static BUILT: OnceLock<Result<(), String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        if std::env::var_os("FLOWGLASS_BUILT").is_some() {
            return Ok(());
        }
        let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["build", "--quiet", "--package", "flowglass-cli", "--package", "flowglass-demo"])
            .current_dir(root())
            .status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(_) => Err("the programs under test do not build".to_owned()),
            Err(error) => Err(format!("cargo: {error}")),
        }
    });
    built.clone().map_err(anyhow::Error::msg)
}

/// Runs `flowglass` and reads the JSON it prints.
///
/// # Errors
/// If it fails or prints something else; with what it said.
pub fn flowglass<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Result<Value> {
    let output = Command::new(binary("flowglass")?).args(arguments).output()?;
    if !output.status.success() {
        bail!("flowglass ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).context("flowglass did not print JSON")
}

/// `flowglass topology` of a workspace.
///
/// # Errors
/// As [`flowglass`].
pub fn topology(workspace: &Path) -> Result<Value> {
    flowglass(&["topology".as_ref(), "--workspace".as_ref(), workspace.as_os_str()])
}

/// A running `flowglass serve`.
pub struct Serve {
    process: Process,
    ready: Value,
}

impl Serve {
    /// Starts it on a workspace; without listeners among the `arguments`, OTLP is on free ports.
    ///
    /// # Errors
    /// If it is not ready in time.
    pub fn start(workspace: &Path, arguments: &[&str]) -> Result<Serve> {
        Self::start_logging(workspace, arguments, None)
    }

    /// As [`Serve::start`]; its log also goes to a file.
    ///
    /// # Errors
    /// As [`Serve::start`].
    pub fn start_logging(workspace: &Path, arguments: &[&str], log: Option<&Path>) -> Result<Serve> {
        let mut command = Command::new(binary("flowglass")?);
        command.arg("serve").arg("--workspace").arg(workspace);
        // What is kept for all workspaces goes beside this one.
        command.env("FLOWGLASS_DATA_DIR", workspace.with_extension("data"));
        for listener in ["--otlp-grpc", "--otlp-http"] {
            if !arguments.contains(&listener) {
                command.args([listener, "127.0.0.1:0"]);
            }
        }
        let mut process = Process::start_logging("flowglass serve", command.args(arguments), log)?;
        let ready = process.json_line(READY_WITHIN)?;
        if ready["event"] != "ready" {
            bail!("flowglass serve said {ready}");
        }
        Ok(Serve { process, ready })
    }

    /// Address of OTLP/gRPC as a URL.
    #[must_use]
    pub fn grpc(&self) -> String {
        format!("http://{}", self.ready["otlp_grpc"].as_str().unwrap_or_default())
    }

    /// Address of OTLP/HTTP as a URL.
    #[must_use]
    pub fn http(&self) -> String {
        format!("http://{}", self.ready["otlp_http"].as_str().unwrap_or_default())
    }

    /// The link to the UI with its one-time token.
    #[must_use]
    pub fn ui(&self) -> &str {
        self.ready["ui"].as_str().unwrap_or_default()
    }

    /// The number of its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.process.runs()
    }

    /// Ends it in good order.
    ///
    /// # Errors
    /// If it does not end, or not with status 0.
    pub fn stop(mut self) -> Result<()> {
        let status = self.process.terminate(Duration::from_secs(30))?;
        if !status.success() {
            bail!("flowglass serve ended with {status}{}", self.process.errors());
        }
        Ok(())
    }
}

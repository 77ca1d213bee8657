//! `cargo xtask soak`: the whole product under load for minutes or hours, with a report.

use std::sync::mpsc::channel;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::run::{Beside, built_as, cargo, command, run as run_to_end};
use crate::{setup, ui};

/// How it is run.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How long, minutes
    #[arg(long, default_value_t = 60.0)]
    minutes: f64,
    /// Spans a second that the exporters offer, beside the sample landscape
    #[arg(long, default_value_t = 20_000)]
    spans_per_second: u64,
    /// Seed of kills, views and data
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder for the report [default: target/soak]
    #[arg(long, value_name = "FOLDER")]
    out: Option<std::path::PathBuf>,
    /// Leave the workspace in that folder
    #[arg(long)]
    keep: bool,
    /// Use what is built already
    #[arg(long, hide = true)]
    no_build: bool,
}

/// Builds for release and runs it. Ctrl-C ends it in good order, with a report.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if !arguments.no_build {
        setup::soak()?;
        ui::build()?;
        let packages = ["--package", "flowglass-cli", "--package", "flowglass-demo", "--package", "flowglass-tests"];
        run_to_end(cargo(["build", "--release", "--bins"]).args(packages))?;
    }
    let (tell, told) = channel();
    ctrlc::set_handler(move || {
        // Nobody listens any more when it is over.
        let _ = tell.send(());
    })?;
    let mut soak = command(&built_as("release", "flowglass-soak").to_string_lossy(), ["--minutes"]);
    soak.arg(arguments.minutes.to_string())
        .args(["--spans-per-second", &arguments.spans_per_second.to_string(), "--seed", &arguments.seed.to_string()])
        .env("FLOWGLASS_BUILT", "1");
    if let Some(out) = &arguments.out {
        soak.arg("--out").arg(std::path::absolute(out)?);
    }
    if arguments.keep {
        soak.arg("--keep");
    }
    let mut soak = Beside::start(&mut soak)?;
    loop {
        if let Some(status) = soak.ended()? {
            if status.success() {
                return Ok(());
            }
            bail!("not everything held; the report says what");
        }
        if told.recv_timeout(Duration::from_millis(100)) == Ok(()) {
            soak.interrupt();
        }
    }
}

//! `cargo xtask fuzz`: random inputs for everything that reads what strangers wrote.

use anyhow::Result;

use crate::run::{built, cargo, command, run as run_to_end};

/// For how long, and which.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How long, shared by the targets
    #[arg(long, value_name = "MINUTES", default_value_t = 10.0)]
    minutes: f64,
    /// Only these targets
    #[arg(long, value_name = "NAME")]
    target: Vec<String>,
    /// Where the random numbers begin; the same seed gives the same inputs
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// What is built already is not built again
    #[arg(long)]
    no_build: bool,
}

/// Builds as tests do (overflowing numbers are noticed) and runs it.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if !arguments.no_build {
        run_to_end(&mut cargo(["build", "--workspace", "--bins", "--tests", "--examples"]))?;
    }
    let mut words = vec!["--minutes".to_owned(), arguments.minutes.to_string()];
    words.extend(["--seed".to_owned(), arguments.seed.to_string()]);
    words.extend(arguments.target.iter().flat_map(|name| ["--target".to_owned(), name.clone()]));
    run_to_end(&mut command(&built("flowglass-fuzz").to_string_lossy(), words))
}

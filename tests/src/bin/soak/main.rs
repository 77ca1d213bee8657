//! What `cargo xtask soak` runs: the product for minutes or hours as a busy test environment would use it.
//!
//! The sample landscape over a NATS server, exporters at a steady pace, kills of all of them, a browser that goes from view to
//! view, somebody who asks: everything real, and what is done decided by the seed. What was acknowledged is counted by those who
//! were told, and must be there at the end: no less, and no more.

mod account;
mod broker;
mod fleet;
mod ledger;
mod plan;
mod report;
mod run;
mod sender;
mod spans;
mod tell;
mod verdict;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use clap::{Parser, Subcommand};
use flowglass_tests::process::end_all;

/// Whether somebody pressed Ctrl-C.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Runs everything at once for a while and says whether it stays as it was.
#[derive(Debug, Parser)]
#[command(name = "flowglass-soak", args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    part: Option<Part>,
    #[command(flatten)]
    soak: Arguments,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// One exporter (started by the soak itself)
    #[command(hide = true)]
    Sender(sender::Arguments),
}

/// How it is run.
#[derive(Debug, Clone, clap::Args)]
struct Arguments {
    /// How long, minutes
    #[arg(long, default_value_t = 60.0)]
    minutes: f64,
    /// Spans a second that the exporters offer
    #[arg(long, default_value_t = 20_000)]
    spans_per_second: u64,
    /// Seed of kills, views and data
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder for the report [default: target/soak]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Leave the workspace in that folder
    #[arg(long)]
    keep: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Some(Part::Sender(arguments)) = &cli.part {
        return ended(sender::run(arguments).map(|()| true));
    }
    let handled = ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            end_all();
            std::process::exit(130);
        }
        eprintln!("soak: ending in good order; once more ends it at once");
    });
    ended(handled.map_err(Into::into).and_then(|()| run::run(&cli.soak)))
}

fn ended(result: Result<bool>) -> ExitCode {
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("soak: {error:?}");
            ExitCode::FAILURE
        }
    }
}

fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

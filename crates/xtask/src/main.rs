//! The project's own commands: `cargo xtask demo` and `cargo xtask test` need nothing that they cannot install themselves.

mod audit;
mod bench;
mod codegen;
mod components;
mod demo;
mod fuzz;
mod run;
mod setup;
mod soak;
mod test;
mod ui;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The project's own commands
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build everything, start the sample landscape, open the window on it
    Demo(demo::Arguments),
    /// Everything that must hold before a change is taken in
    Test(test::Arguments),
    /// Measure, as ratios to baselines of the same run
    Bench(bench::Arguments),
    /// Random inputs for everything that reads what strangers wrote
    Fuzz(fuzz::Arguments),
    /// The whole product under load for minutes or hours: does it stay as it was?
    Soak(soak::Arguments),
    /// Write the TypeScript of the wire contract and the list of what ships
    Codegen {
        /// Only check that it is up to date
        #[arg(long)]
        check: bool,
    },
    /// Install the UI's packages and build it, where that is out of date
    BuildUi,
    /// Install what building and testing need
    Setup,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Fuzz(arguments) => fuzz::run(&arguments),
        Command::Soak(arguments) => soak::run(&arguments),
        Command::Codegen { check } => codegen::run(check),
        Command::BuildUi => ui::build(),
        Command::Setup => setup::everything(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cargo xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

//! From arguments to an exit status.

use flowglass_studio::telemetry::{self, Telemetry};
use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;

use crate::args::{Cli, Command, SchemaOf};
use crate::{commands, output};

/// A check asked for with `--fail-on` failed.
const CHECK_FAILED: u8 = 1;
/// Unusable arguments or input.
const UNUSABLE: u8 = 2;

/// Runs the command line and gives its exit status: 0 done, 1 a check failed, 2 unusable arguments or input (with one line on stderr).
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, &arguments),
    };
    let default_level = if matches!(cli.command, Command::Serve(_)) { "info" } else { "warn" };
    let telemetry = match telemetry::start(default_level) {
        Ok(telemetry) => telemetry,
        Err(error) => return refuse(&error.into()),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return refuse(&anyhow::Error::new(error).context("no threads to work with")),
    };
    let outcome = runtime.block_on(command(cli, &telemetry));
    // The exporter sends on the runtime, from a thread of its own: it is ended while the runtime still runs.
    telemetry.end();
    // A reader blocked in a system call must not keep the process.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<commands::findings::CheckFailed>() => {
            refuse(&error);
            ExitCode::from(CHECK_FAILED)
        }
        Err(error) => refuse(&error),
    }
}

async fn command(cli: Cli, telemetry: &Telemetry) -> anyhow::Result<()> {
    let config = cli.config.as_deref();
    if !matches!(cli.command, Command::Serve(_)) {
        telemetry.export_unless(&[])?;
    }
    match cli.command {
        Command::Serve(args) => commands::serve::run(args, cli.config, telemetry).await,
        Command::Import(args) => commands::import::run(args, cli.config).await,
        Command::Pull(args) => commands::pull::run(args, cli.config).await,
        Command::Check(args) => commands::check::run(args).await,
        Command::Stats(args) => commands::stats::run(&args, config),
        Command::Backup(args) => commands::keep::backup(args).await,
        Command::Compact(args) => commands::keep::compact(args).await,
        Command::Topology(args) => commands::topology::run(&args, config),
        Command::Journeys(args) => commands::journeys::run(&args, config),
        Command::Journey(args) => commands::journey::run(&args, config),
        Command::Findings(args) => commands::findings::run(args, cli.config).await,
        Command::Design(command) => commands::design::run(command, config).await,
        Command::Drift(args) => commands::drift::run(args, cli.config).await,
        Command::Diff(args) => commands::diff::run(&args, config),
        Command::Diagnostics(args) => commands::diagnostics::run(&args, config),
        Command::Calibrate(args) => commands::calibrate::run(args, config).await,
        Command::Export(args) => commands::export::run(&args, config).await,
        Command::Simulate(args) => commands::simulate::run(args).await,
        Command::Decide(args) => commands::decide::run(args).await,
        Command::Layout(args) => commands::layout::run(&args),
        Command::Schema(args) => match args.of {
            SchemaOf::Scenario => output::print(flowglass_studio::scenario::schema::SCENARIO),
            SchemaOf::Design => output::print(flowglass_studio::design::SCHEMA),
        },
    }
}

fn refuse(error: &anyhow::Error) -> ExitCode {
    eprintln!("flowglass: {}", output::one_line(&format!("{error:#}")));
    ExitCode::from(UNUSABLE)
}

/// Help and version go to stdout; everything else becomes one line: what is wrong and what to do.
fn usage(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return match output::print(&error.to_string()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => refuse(&error),
        };
    }
    let text = error.to_string();
    let what: Vec<&str> = text
        .lines()
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
        .filter(|line| !line.trim().is_empty())
        .collect();
    let what = output::one_line(&what.join(" "));
    let what = what.strip_prefix("error: ").unwrap_or(&what);
    eprintln!("flowglass: {what}; see `{} --help`", command_name(arguments));
    ExitCode::from(UNUSABLE)
}

/// `flowglass topology`, as far as the arguments name a command that exists.
fn command_name(arguments: &[OsString]) -> String {
    let root = <Cli as clap::CommandFactory>::command();
    let named = arguments.iter().skip(1).filter_map(|a| a.to_str()).find(|a| root.find_subcommand(a).is_some());
    named.map_or_else(|| "flowglass".to_owned(), |name| format!("flowglass {name}"))
}

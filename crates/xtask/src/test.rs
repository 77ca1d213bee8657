//! `cargo xtask test`: everything that must hold, in order, each step with its time.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::run::{built, cargo, command, run as run_to_end, succeeds, target};
use crate::{audit, codegen, setup, ui};

/// Which steps to take.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only these steps
    #[arg(long, value_name = "STEP", value_parser = step_names())]
    only: Vec<String>,
    /// Not these steps
    #[arg(long, value_name = "STEP", value_parser = step_names())]
    skip: Vec<String>,
}

struct Step {
    name: &'static str,
    /// Steps without which this one cannot be.
    needs: &'static [&'static str],
    work: fn() -> Result<()>,
}

/// One build serves all that follows: the same packages are named each time, so that nothing is compiled twice.
const STEPS: &[Step] = &[
    Step { name: "setup", needs: &[], work: setup::everything },
    Step { name: "format", needs: &[], work: || run_to_end(&mut cargo(["fmt", "--all", "--check"])) },
    Step { name: "ui-install", needs: &["setup"], work: ui::install },
    Step { name: "ui-check", needs: &["ui-install"], work: || ui::script("check") },
    Step { name: "ui-lint", needs: &["ui-install"], work: || ui::script("lint") },
    Step { name: "ui-test", needs: &["ui-install"], work: || ui::script("test") },
    Step { name: "ui-build", needs: &["ui-install"], work: || ui::script("build") },
    Step { name: "deny", needs: &["setup"], work: deny },
    Step { name: "audit", needs: &["ui-install"], work: audit::npm },
    Step { name: "build", needs: &["setup", "ui-build"], work: build },
    Step { name: "codegen", needs: &["build"], work: codegen::check_built },
    Step { name: "clippy", needs: &["setup", "ui-build"], work: clippy },
    Step {
        name: "test",
        needs: &["build"],
        work: || tests("not (package(flowglass-tests) & test(/^(window|browser)::/))", &[]),
    },
    Step {
        name: "window",
        needs: &["build"],
        work: || tests("package(flowglass-tests) & test(/^window::/)", &["--test", "it", "window::"]),
    },
    Step {
        name: "browser",
        needs: &["build"],
        work: || tests("package(flowglass-tests) & test(/^browser::/)", &["--test", "it", "browser::"]),
    },
    Step { name: "smoke", needs: &["build"], work: smoke },
];

fn step_names() -> clap::builder::PossibleValuesParser {
    STEPS.iter().map(|step| step.name).collect::<Vec<_>>().into()
}

/// Takes the steps. A failure stops only what needs it; all failures are told at the end.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let mut outcomes: BTreeMap<&str, bool> = BTreeMap::new();
    let mut lines = Vec::new();
    let begin = Instant::now();
    for step in STEPS {
        let named = |list: &[String]| list.iter().any(|name| name == step.name);
        if named(&arguments.skip) || (!arguments.only.is_empty() && !named(&arguments.only)) {
            continue;
        }
        if let Some(missing) = step.needs.iter().find(|name| outcomes.get(*name) == Some(&false)) {
            outcomes.insert(step.name, false);
            lines.push(format!("{:<12} not tried: {missing} failed", step.name));
            continue;
        }
        eprintln!("\n=== {}", step.name);
        let started = Instant::now();
        let done = (step.work)();
        let took = seconds(started.elapsed());
        let line = match &done {
            Ok(()) => format!("{:<12} ok      {took}", step.name),
            Err(error) => format!("{:<12} FAILED  {took}  {error:#}", step.name),
        };
        eprintln!("=== {line}");
        outcomes.insert(step.name, done.is_ok());
        lines.push(line);
    }
    println!("\n{}\n{:<12}         {}", lines.join("\n"), "all", seconds(begin.elapsed()));
    let failed: Vec<&str> = outcomes.iter().filter(|(_, ok)| !**ok).map(|(name, _)| *name).collect();
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

fn seconds(time: Duration) -> String {
    format!("{:>7.1} s", time.as_secs_f64())
}

fn deny() -> Result<()> {
    run_to_end(&mut cargo(["deny", "check", "licenses", "bans", "sources"]))?;
    // The advisory database is on the network; without that, saying so is all that can be done.
    if !succeeds(&mut cargo(["deny", "fetch", "db"])) {
        eprintln!("cargo xtask: the advisory database cannot be fetched from here: advisories were NOT checked");
        return Ok(());
    }
    run_to_end(&mut cargo(["deny", "check", "advisories", "--disable-fetch"]))
}

fn build() -> Result<()> {
    run_to_end(&mut cargo(["build", "--workspace", "--bins", "--tests", "--examples"]))
}

fn clippy() -> Result<()> {
    run_to_end(&mut cargo(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))
}

/// Runs Rust tests: those of a filter with cargo-nextest, else with `cargo test` and these arguments.
fn tests(filter: &str, otherwise: &[&str]) -> Result<()> {
    let mut run = if succeeds(&mut cargo(["nextest", "--version"])) {
        cargo(["nextest", "run", "--workspace", "--no-fail-fast", "-E", filter])
    } else {
        let mut run = cargo(["test", "--workspace", "--no-fail-fast"]);
        run.args(otherwise);
        run
    };
    run_to_end(as_built(&mut run))
}

fn smoke() -> Result<()> {
    let xtask = command(&built("xtask").to_string_lossy(), ["demo", "--smoke", "--no-build"]);
    run_to_end(as_built(&mut { xtask }))
}

/// Says to the tests that the programs are built, where the SDKs are, and that nothing may be left out.
fn as_built(command: &mut Command) -> &mut Command {
    command.env("FLOWGLASS_BUILT", "1").env("FLOWGLASS_E2E", "1").env("FLOWGLASS_SDKS", target().join("sdk"))
}

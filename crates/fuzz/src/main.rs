//! `flowglass-fuzz`: random inputs for as long as wanted. `cargo xtask fuzz` builds and runs it.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use flowglass_fuzz::{TARGETS, Until, folder, replay, session, target};

/// Random inputs for everything that reads what strangers wrote
#[derive(Debug, Parser)]
struct Arguments {
    /// How long, shared by the targets
    #[arg(long, value_name = "MINUTES", default_value_t = 1.0)]
    minutes: f64,
    /// Only these targets
    #[arg(long, value_name = "NAME")]
    target: Vec<String>,
    /// Where the random numbers begin; the same seed gives the same inputs
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Read one file with the target and end
    #[arg(long, value_name = "FILE")]
    input: Option<std::path::PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("flowglass-fuzz: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let named = arguments.target.iter().map(|name| {
        let names = || TARGETS.iter().map(|t| t.name).collect::<Vec<_>>().join(", ");
        target(name).ok_or_else(|| anyhow::anyhow!("there is no target {name}; there are {}", names()))
    });
    let mut targets = named.collect::<anyhow::Result<Vec<_>>>()?;
    if targets.is_empty() {
        targets = TARGETS.iter().collect();
    }
    if let Some(file) = &arguments.input {
        let input = std::fs::read(file)?;
        targets.iter().for_each(|target| (target.run)(&input));
        return Ok(());
    }
    anyhow::ensure!(arguments.minutes > 0.0 && arguments.minutes < 1e6, "--minutes is a number above 0");
    let each = Duration::from_secs_f64(arguments.minutes * 60.0 / targets.len() as f64);
    let reading = tempfile::Builder::new().prefix("flowglass-fuzz-").tempdir()?.keep();
    let mut failed = Vec::new();
    println!("target             inputs    inputs/s  slowest ms  memory MiB  (reading: {})", reading.display());
    for target in targets {
        if let Err(failure) = replay(target) {
            failed.push(format!("{}: {}", target.name, failure.why));
            continue;
        }
        match session(target, arguments.seed, Until::Time(each), Some(&reading.join(target.name))) {
            Ok(report) => println!(
                "{:<16} {:>8} {:>11.0} {:>11.1} {:>11}",
                target.name,
                report.runs,
                report.runs as f64 / each.as_secs_f64(),
                report.slowest.as_secs_f64() * 1e3,
                report.memory.map_or("–".to_owned(), |bytes| (bytes >> 20).to_string()),
            ),
            Err(failure) => failed.push(format!(
                "{}: {} ({} bytes, kept in {})",
                target.name,
                failure.why,
                failure.input.len(),
                folder(target).display()
            )),
        }
    }
    let _ = std::fs::remove_dir_all(&reading);
    anyhow::ensure!(failed.is_empty(), "not survived:\n  {}", failed.join("\n  "));
    Ok(())
}

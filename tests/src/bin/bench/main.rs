//! What `cargo xtask bench` runs of the whole product: answers at a million spans, frames while data arrives and while a large map is
//! moved, memory of the window, and how true a scenario is that is made of telemetry.
//!
//! Machines are noisy: frames are ratios to an empty page of the same run, times are medians, and the load is printed with them.

mod answers;
mod calibration;
mod frames;
mod large;
mod map;
mod memory;
mod page;
mod table;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use flowglass_tests::live::Pace;
use flowglass_tests::process::end_all;
use flowglass_tests::product::Serve;
use flowglass_tests::webdriver::Driver;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Every question of the UI over HTTP
    Answers,
    /// From the key or click to the painted answer
    Page,
    /// Frame times while data arrives
    Frames,
    /// A map of two thousand participants, moved in a browser and in the window
    Map,
    /// Memory of the window
    Memory,
    /// A scenario made of telemetry against what is true
    Calibration,
}

/// Measures the UI.
#[derive(Debug, Parser)]
struct Arguments {
    /// What to measure
    #[arg(long, value_delimiter = ',', default_value = "answers,page,frames")]
    part: Vec<Part>,
    /// Spans of the workspace
    #[arg(long, default_value_t = 1_000_000)]
    spans: u64,
    /// Workspace to measure with; made, and left there, if it is missing [default: one that is deleted afterwards]
    #[arg(long, value_name = "FILE")]
    workspace: Option<PathBuf>,
    /// How many times everything is asked
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Events a second while frames and memory are looked at
    #[arg(long, default_value_t = 1_000)]
    events: u64,
    /// Spans a second meanwhile
    #[arg(long, default_value_t = 500)]
    live_spans: u64,
    /// Minutes for the memory of the window
    #[arg(long, default_value_t = 3)]
    minutes: u64,
    /// Runs of the landscape for a calibration, and how long each lasts, seconds
    #[arg(long, default_value_t = 5)]
    runs: u64,
    #[arg(long, default_value_t = 120)]
    seconds: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let interrupted = ctrlc::set_handler(|| {
        end_all();
        std::process::exit(130);
    });
    match interrupted.map_err(Into::into).and_then(|()| run(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:?}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let file = arguments.workspace.clone().unwrap_or_else(|| scratch.path().join("bench.flowglass"));
    let recording = Arc::new(workspace::recording()?);
    let pace = Pace { events: arguments.events, spans: arguments.live_spans };
    let wants = |part: Part| arguments.part.contains(&part);
    if arguments.part.iter().any(|part| !matches!(part, Part::Map | Part::Memory | Part::Calibration)) {
        workspace::make(&file, &recording, arguments.spans)?;
    }
    if wants(Part::Answers) {
        let serve = Serve::start(&file, &["--ui", "127.0.0.1:0"])?;
        answers::measure(&serve, arguments.rounds)?;
        serve.stop()?;
    }
    for (part, name) in [(Part::Page, "page"), (Part::Frames, "frames")] {
        if !wants(part) {
            continue;
        }
        let serve = Serve::start(&file, &["--ui", "127.0.0.1:0"])?;
        let driver = Driver::quiet_browser(&scratch.path().join(name))?;
        driver.resize(1280, 800)?;
        match part {
            Part::Page => page::measure(&serve, &driver, arguments.rounds)?,
            _ => frames::measure(&serve, &driver, &recording, pace, arguments.rounds.clamp(1, 3))?,
        }
        drop(driver);
        serve.stop()?;
    }
    if wants(Part::Map) {
        map::measure(scratch.path(), arguments.rounds.clamp(1, 3))?;
    }
    if wants(Part::Memory) {
        memory::measure(scratch.path(), &recording, pace, arguments.minutes)?;
    }
    if wants(Part::Calibration) {
        calibration::measure(scratch.path(), arguments.runs, arguments.seconds)?;
    }
    Ok(())
}

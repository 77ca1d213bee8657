//! `cargo xtask bench`: how fast it is, as ratios to a baseline measured in the same run (machines are noisy).

use anyhow::Result;
use clap::ValueEnum;

use crate::run::{built_as, cargo, command, root, run as run_to_end, target};
use crate::{setup, ui};

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only these [default: all but map, memory and calibration]
    #[arg(long, value_enum, value_name = "PART")]
    only: Vec<Part>,
    /// Arguments for the UI's part: `-- --spans 100000 --part page --rounds 3`
    #[arg(last = true)]
    more: Vec<String>,
}

/// A part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// What spans cost until they are durable
    Ingest,
    /// What journeys cost to stitch, find and open
    Journeys,
    /// How long senders wait while a day is deleted, and while one expires
    Removal,
    /// What the map costs to lay out, beside elkjs and dagre (`-- graph.json …`)
    Layout,
    /// What an event of a simulation costs
    Scenario,
    /// Answers at a million spans, and frames while data arrives
    Ui,
    /// A map of two thousand participants, moved in a browser and in the real window
    Map,
    /// Memory of the real window over minutes of live data (`-- --minutes 30`)
    Memory,
    /// A scenario made of the sample landscape's telemetry against its true parameters (`-- --runs 5 --seconds 120`)
    Calibration,
}

/// Benches in a release build; the window in the build that developers have, since its memory is not the compiler's affair.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let wants = |part| {
        arguments.only.contains(&part)
            || (arguments.only.is_empty() && !matches!(part, Part::Map | Part::Memory | Part::Calibration))
    };
    if wants(Part::Ingest) {
        run_to_end(&mut cargo(["bench", "--package", "flowglass-studio", "--bench", "ingest"]))?;
    }
    if wants(Part::Journeys) {
        run_to_end(&mut cargo(["bench", "--package", "flowglass-studio", "--bench", "journeys"]))?;
    }
    if wants(Part::Removal) {
        run_to_end(&mut cargo(["bench", "--package", "flowglass-studio", "--bench", "removal"]))?;
    }
    if wants(Part::Layout) {
        run_to_end(&mut cargo(["bench", "--package", "flowglass-topology", "--bench", "layout"]))?;
        compare_layouts(if arguments.only == [Part::Layout] { &arguments.more } else { &[] })?;
    }
    if wants(Part::Scenario) {
        run_to_end(&mut cargo(["bench", "--package", "flowglass-scenario", "--bench", "engine"]))?;
    }
    if wants(Part::Ui) {
        released()?;
        product("release", &[], &arguments.more)?;
    }
    if wants(Part::Map) {
        ui::build()?;
        run_to_end(&mut cargo(["build", "--workspace", "--bins", "--tests", "--examples"]))?;
        product("debug", &["--part", "map"], &arguments.more)?;
    }
    if wants(Part::Memory) {
        ui::build()?;
        let packages = ["--package", "flowglass-window", "--package", "flowglass-tests"];
        run_to_end(cargo(["build", "--bins"]).args(packages))?;
        product("debug", &["--part", "memory"], &arguments.more)?;
    }
    if wants(Part::Calibration) {
        run_to_end(&mut cargo(["build", "--workspace", "--bins", "--tests", "--examples"]))?;
        product("debug", &["--part", "calibration"], &arguments.more)?;
    }
    Ok(())
}

/// The layout beside elkjs and dagre, on graphs made up or (`-- graph.json …`) given.
fn compare_layouts(graphs: &[String]) -> Result<()> {
    /// Nodes up to which the others are asked: elkjs takes minutes for a thousand.
    const LARGEST: &str = "300";
    let (from, to) = (root().join("tests/layout"), target().join("layout"));
    setup::npm_packages(&from, &to)?;
    released()?;
    let mut compare = command("node", [from.join("compare.mjs"), built_as("release", "flowglass"), to]);
    run_to_end(compare.arg(LARGEST).args(graphs))
}

/// Builds the product for release, with the page that it serves.
fn released() -> Result<()> {
    ui::build()?;
    let packages = ["--package", "flowglass-cli", "--package", "flowglass-tests"];
    run_to_end(cargo(["build", "--release", "--bins"]).args(packages))
}

/// Runs the product's own bench out of a folder of built programs.
fn product(profile: &str, own: &[&str], more: &[String]) -> Result<()> {
    let mut bench = command(&built_as(profile, "flowglass-bench").to_string_lossy(), own);
    run_to_end(bench.args(more).env("FLOWGLASS_BUILT", "1"))
}

//! `cargo xtask bench`: how fast it is, as ratios to a baseline measured in the same run (machines are noisy).

use anyhow::Result;

use crate::run::{cargo, run as run_to_end};

/// Benches in a release build: what spans cost until they are durable, and what the map costs to lay out.
pub(crate) fn run() -> Result<()> {
    run_to_end(&mut cargo(["bench", "--package", "flowglass-studio", "--bench", "ingest"]))?;
    run_to_end(&mut cargo(["bench", "--package", "flowglass-topology", "--bench", "layout"]))
}

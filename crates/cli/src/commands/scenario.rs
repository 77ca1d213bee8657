//! Reading scenario files for the commands that need one.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::{Context as _, bail};
use flowglass_studio::read_scenario_at;
use flowglass_studio::scenario::decide::Facts;
use flowglass_studio::scenario::model::Scenario;

/// Bytes of a scenario file at most.
const LONGEST: u64 = 4 << 20;

/// Reads a scenario. The error names file, line, column, what is wrong and what could stand there.
pub(crate) fn read(path: &Path) -> anyhow::Result<Scenario> {
    let shown = path.display();
    let size = std::fs::metadata(path).with_context(|| format!("{shown}: cannot be read"))?.len();
    if size > LONGEST {
        bail!("{shown}: a scenario file has {LONGEST} bytes at most, this one {size}");
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("{shown}: cannot be read as text"))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    match read_scenario_at(&text, folder) {
        Ok(scenario) => {
            scenario.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
            Ok(scenario)
        }
        Err(problems) => {
            let first = problems.first().map(|p| format!("{}:{}: {}", p.line, p.column, p.message)).unwrap_or_default();
            let more = match problems.len() {
                0 | 1 => String::new(),
                n => format!(" (and {} more)", n - 1),
            };
            bail!("{shown}:{first}{more}")
        }
    }
}

/// What a workspace tells of the steps of a scenario.
pub(crate) fn observed(scenario: &Scenario, workspace: Option<&Path>) -> anyhow::Result<Facts> {
    let Some(path) = workspace else { return Ok(Facts::new()) };
    Ok(super::open(path, None)?.facts(scenario, &AtomicBool::new(false))?)
}

//! Reading scenario files for the commands that need one.

use std::path::Path;

use anyhow::{Context as _, bail};
use flowglass_studio::parse_instant;
use flowglass_studio::scenario::file::read_scenario;
use flowglass_studio::scenario::model::{Scenario, Time};

/// Bytes of a scenario file, and instants of recorded arrivals, at most.
const LONGEST: u64 = 4 << 20;
const MOST_TIMES: usize = 10_000_000;

/// Reads a scenario. The error names file, line, column, what is wrong and what could stand there.
pub(crate) fn read(path: &Path) -> anyhow::Result<Scenario> {
    let shown = path.display();
    let size = std::fs::metadata(path).with_context(|| format!("{shown}: cannot be read"))?.len();
    if size > LONGEST {
        bail!("{shown}: a scenario file has {LONGEST} bytes at most, this one {size}");
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("{shown}: cannot be read as text"))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    match read_scenario(&text, &|name| times(&folder.join(name))) {
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

/// Recorded arrivals: one instant a line, RFC 3339 or seconds; counted from the first.
fn times(path: &Path) -> Result<Vec<Time>, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|e| format!("{shown}: {e}"))?;
    let mut all = Vec::new();
    for (i, line) in text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty()) {
        let instant = match line.parse::<f64>() {
            Ok(seconds) if seconds.is_finite() => Ok((seconds * 1e9) as i64),
            _ => parse_instant(line, 0),
        };
        all.push(instant.map_err(|e| format!("{shown}, line {}: {e}; write RFC 3339 or seconds", i + 1))?);
        if all.len() > MOST_TIMES {
            return Err(format!("{shown}: more than {MOST_TIMES} instants"));
        }
    }
    all.sort_unstable();
    let first = all.first().copied().ok_or_else(|| format!("{shown}: there is no instant in it"))?;
    Ok(all.into_iter().map(|t| t.abs_diff(first)).collect())
}

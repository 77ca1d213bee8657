//! Reading scenario files for the commands that need one.

use std::path::Path;

use anyhow::{Context as _, bail};
use flowglass_studio::parse_instant;
use flowglass_studio::scenario::decide::{self, Facts};
use flowglass_studio::scenario::file::{self, read_scenario};
use flowglass_studio::scenario::model::{Scenario, Time};

/// Bytes of a scenario file, and instants of recorded arrivals, at most.
const LONGEST: u64 = 4 << 20;
const MOST_TIMES: usize = 10_000_000;
const LONGEST_TIMES: u64 = 400 << 20;

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

/// Recorded arrivals: one instant a line (of several columns, the first), RFC 3339, seconds, or a duration such as `250ms`. Instants
/// count from the first of them, seconds and durations from the end of the warm-up (seconds of the epoch like instants).
fn times(path: &Path) -> Result<Vec<Time>, String> {
    let shown = path.display();
    let size = std::fs::metadata(path).map_err(|e| format!("{shown}: {e}"))?.len();
    if size > LONGEST_TIMES {
        return Err(format!("{shown}: recorded arrivals have {LONGEST_TIMES} bytes at most, this file {size}"));
    }
    let text = std::fs::read_to_string(path).map_err(|e| format!("{shown}: {e}"))?;
    let mut all: Vec<i64> = Vec::new();
    let mut counted_from_first = false;
    let listed = text.trim_start().starts_with('[');
    let separators: &[char] = if listed { &[',', '\n'] } else { &['\n'] };
    let blanks: &[char] = &['[', ']', '"', ' ', '\t', '\r'];
    for (i, line) in text.split(separators).enumerate() {
        let first = line.split([',', ';']).next().unwrap_or(line).trim_matches(blanks);
        // A heading over the column, comments and empty lines.
        let is_heading = i == 0 && first.chars().next().is_some_and(char::is_alphabetic);
        if first.is_empty() || first.starts_with('#') || is_heading {
            continue;
        }
        let instant = match first.parse::<f64>() {
            Ok(seconds) if seconds.is_finite() && (0.0..9e9).contains(&seconds) => {
                counted_from_first |= seconds >= EPOCH;
                Ok((seconds * 1e9 + 0.5) as i64)
            }
            Ok(_) => Err("no such time".to_owned()),
            Err(_) => match duration(first) {
                Some(after) => Ok(after),
                None => {
                    counted_from_first = true;
                    parse_instant(first, 0).map_err(|e| e.to_string())
                }
            },
        };
        let wrong = |e: String| format!("{shown}, line {}: {e}; write RFC 3339, seconds or durations", i + 1);
        all.push(instant.map_err(wrong)?);
        if all.len() > MOST_TIMES {
            return Err(format!("{shown}: more than {MOST_TIMES} instants"));
        }
    }
    all.sort_unstable();
    let first = all.first().copied().ok_or_else(|| format!("{shown}: there is no instant in it"))?;
    let from = if counted_from_first { first } else { 0 };
    Ok(all.into_iter().map(|t| t.abs_diff(from)).collect())
}

/// Seconds above which a number is an instant of the epoch (May 2001).
const EPOCH: f64 = 9.9e8;

fn duration(text: &str) -> Option<i64> {
    text.ends_with(|c: char| c.is_ascii_alphabetic()).then(|| file::duration(text)).flatten().map(|d| d as i64)
}

/// What a workspace tells of the steps of a scenario.
pub(crate) fn observed(scenario: &Scenario, workspace: Option<&Path>) -> anyhow::Result<Facts> {
    let Some(path) = workspace else { return Ok(Facts::new()) };
    let workspace = super::open(path, None)?;
    let stats = workspace.stats()?;
    let seconds = stats.oldest.zip(stats.newest).map_or(0.0, |(from, to)| (to - from) as f64 / 1e9);
    Ok(decide::observed(&workspace.graph(None, None, None)?, seconds, scenario))
}

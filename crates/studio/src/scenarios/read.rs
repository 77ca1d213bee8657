//! From text to a scenario, with the recorded arrivals that it names.

use std::path::Path;

use flowglass_scenario::file::{self, Problem, read_scenario};
use flowglass_scenario::model::{Scenario, Time};

use super::design::design;
use crate::api::{ScenarioCheck, ScenarioProblem};
use crate::bounded;
use crate::time::parse_instant;

/// Instants of recorded arrivals, and bytes of their file, at most.
const MOST_TIMES: usize = 10_000_000;
const LONGEST_TIMES: u64 = 400 << 20;

/// A text and what it says.
pub(crate) struct Checked {
    pub(crate) scenario: Option<Scenario>,
    pub(crate) check: ScenarioCheck,
}

/// Reads a text as a scenario; files that it names stand in `folder`.
pub(crate) fn check(text: &str, folder: &Path) -> Checked {
    match read_scenario_at(text, folder) {
        Ok(scenario) => {
            let check = ScenarioCheck {
                problems: Vec::new(),
                design: Some(design(&scenario)),
                inputs: fingerprint(&inputs(&scenario)),
            };
            Checked { scenario: Some(scenario), check }
        }
        Err(problems) => {
            let problems =
                problems.into_iter().map(|p| ScenarioProblem { line: p.line, column: p.column, message: p.message });
            let check = ScenarioCheck { problems: problems.collect(), design: None, inputs: fingerprint(text) };
            Checked { scenario: None, check }
        }
    }
}

/// Reads a scenario; recorded arrivals that it names are read from `folder`.
///
/// # Errors
/// Everything that is wrong, with its place.
pub fn read_scenario_at(text: &str, folder: &Path) -> Result<Scenario, Vec<Problem>> {
    read_scenario(text, &|name| times(&folder.join(name)))
}

/// Everything that a result depends on.
fn inputs(s: &Scenario) -> String {
    format!("{:?}", (&s.run, &s.design, &s.variants, &s.targets, &s.indifference, &s.assumed))
}

/// 64 bits of FNV-1a, as hexadecimal: tells texts apart, protects nothing.
pub(crate) fn fingerprint(text: &str) -> String {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

/// Recorded arrivals: one instant a line (of several columns, the first), RFC 3339, seconds, or a duration such as `250ms`. Instants
/// count from the first of them, seconds and durations from the end of the warm-up (seconds of the epoch like instants).
fn times(path: &Path) -> Result<Vec<Time>, String> {
    let shown = path.display();
    let bytes = bounded::read(path, LONGEST_TIMES).map_err(|e| format!("{shown}: recorded arrivals: {e}"))?;
    let text = String::from_utf8(bytes).map_err(|e| format!("{shown}: {e}"))?;
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

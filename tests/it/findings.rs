//! Recordings with known truth, judged: what was done against the rules is found, as often as it was done, and nothing else.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context as _, Result, bail, ensure};
use flowglass_tests::product::{binary, flowglass, root, topology};
use serde_json::Value;

/// What the truth of a recording calls a rule.
const NAMES: [(&str, &str); 4] = [
    ("layer_bypass", "layer-bypass"),
    ("upward_call", "upward-call"),
    ("missing_authorization", "unauthorized-system-call"),
    ("non_rfc3339_date", "non-rfc3339-date"),
];

fn import(workspace: &Path, paths: &[PathBuf]) -> Result<()> {
    let mut arguments = vec![PathBuf::from("import"), "--workspace".into(), workspace.to_owned(), "--json".into()];
    arguments.extend_from_slice(paths);
    let report = flowglass(&arguments)?;
    ensure!(report["rejected_total"] == 0, "{report}");
    Ok(())
}

fn findings(workspace: &Path, more: &[&str]) -> Result<Output> {
    let mut command = Command::new(binary("flowglass")?);
    Ok(command.arg("findings").arg("--workspace").arg(workspace).args(more).output()?)
}

fn listed(workspace: &Path) -> Result<Vec<Value>> {
    let output = findings(workspace, &[])?;
    ensure!(output.status.code() == Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Findings of a rule: how many, and their counts together.
fn sum(found: &[Value], rule: &str) -> u64 {
    found.iter().filter(|f| f["rule"] == rule).filter_map(|f| f["count"].as_u64()).sum()
}

fn landscape(scratch: &Path) -> Result<PathBuf> {
    let folder = root().join("tests/fixtures/landscape");
    let workspace = scratch.join("landscape.flowglass");
    import(&workspace, &[folder.join("traces.jsonl.gz"), folder.join("messages.jsonl.gz")])?;
    Ok(workspace)
}

/// The shape of the contract, the exit statuses, and own rules with their life in the settings file.
#[test]
fn findings_of_the_sample_landscape() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let workspace = landscape(scratch.path())?;
    for f in listed(&workspace)? {
        for field in ["rule", "severity", "subject", "explanation", "advice"] {
            ensure!(f[field].as_str().is_some_and(|t| !t.is_empty()), "{field} of {f}");
        }
        ensure!(f["count"].as_u64().is_some_and(|n| n > 0), "{f}");
        ensure!(f["evidence"].as_array().is_some_and(|e| e.len() <= 100), "{f}");
        ensure!(f["layer_guessed"].is_boolean() && f["participants"].is_array(), "{f}");
    }
    let graph = topology(&workspace)?;
    let services = |e: &&Value| {
        ["source", "target"].iter().all(|end| e[end].as_str().is_some_and(|id| id.starts_with("service:")))
    };
    let mut calls = graph["edges"].as_array().into_iter().flatten().filter(|e| e["kind"] == "call");
    let call = calls.find(services).context("a call between services")?;
    let (source, target) = (call["source"].as_str().unwrap_or_default(), call["target"].as_str().unwrap_or_default());
    let rule = format!(
        "[[rules.forbidden]]\nname = \"not-there\"\nfrom = '''service:\"{source}\"'''\nto = '''service:\"{target}\"'''\n"
    );
    let settings = workspace.with_extension("toml");
    std::fs::write(&settings, &rule)?;
    let check = |more: &[&str]| findings(&workspace, &[&["--rule", "not-there", "--fail-on", "error"], more].concat());
    let output = check(&[])?;
    ensure!(output.status.code() == Some(1), "{output:?}");
    let found: Vec<Value> = serde_json::from_slice(&output.stdout)?;
    ensure!(found.len() == 1 && found[0]["subject"] == format!("{source} → {target}"), "{found:?}");
    ensure!(found[0]["count"] == call["count"], "{found:?} {call}");
    for (format, start) in [("sarif", "{\"$schema\""), ("junit", "<?xml"), ("markdown", "# ")] {
        let output = check(&["--format", format])?;
        ensure!(output.status.code() == Some(1) && output.stdout.starts_with(start.as_bytes()), "{output:?}");
    }
    // Waived: nothing fails, and --waived still tells it.
    let exception = format!(
        "{rule}[[rules.exceptions]]\nrule = \"not-there\"\nsubject = \"* -> *\"\nreason = \"until the move\"\n"
    );
    std::fs::write(&settings, &exception)?;
    let output = check(&[])?;
    ensure!(output.status.code() == Some(0) && output.stdout.starts_with(b"[]"), "{output:?}");
    let told: Vec<Value> = serde_json::from_slice(&check(&["--waived"])?.stdout)?;
    ensure!(told.len() == 1 && told[0]["waived"]["reason"] == "until the move", "{told:?}");
    // Run out: it counts again.
    std::fs::write(&settings, format!("{exception}expires = \"2020-01-31\"\n"))?;
    ensure!(check(&[])?.status.code() == Some(1));
    // A mistake is told with its place.
    std::fs::write(&settings, "[[rules.exceptions]]\nrule = \"layer-bypas\"\nsubject = \"a\"\nreason = \"b\"\n")?;
    let output = Command::new(binary("flowglass")?)
        .args(["findings", "--config"])
        .arg(&settings)
        .arg("--workspace")
        .arg(&workspace)
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(2) && said.contains("line 2, column 8"), "{output:?}");
    ensure!(findings(&workspace, &["--rule", "no-such-rule"])?.status.code() == Some(2));
    Ok(())
}

/// Recordings from elsewhere: each folder of `FLOWGLASS_RECORDINGS` with a `truth.json`, `otlp/traces.jsonl` and `nats/`.
#[test]
fn findings_of_recordings_from_elsewhere() -> Result<()> {
    let Some(folder) = std::env::var_os("FLOWGLASS_RECORDINGS").map(PathBuf::from) else {
        eprintln!("SKIPPED: findings of recordings; FLOWGLASS_RECORDINGS names no folder of them");
        return Ok(());
    };
    let mut names: Vec<PathBuf> = std::fs::read_dir(&folder)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.join("truth.json").is_file())
        .collect();
    names.sort();
    let mut wrong = Vec::new();
    for recording in names {
        if let Err(error) = judged(&recording) {
            wrong.push(format!("{}: {error:#}", recording.display()));
        }
    }
    if wrong.is_empty() { Ok(()) } else { bail!("{}", wrong.join("\n")) }
}

fn judged(folder: &Path) -> Result<()> {
    let truth: Value = serde_json::from_slice(&std::fs::read(folder.join("truth.json"))?)?;
    let traces = ["traces.jsonl.gz", "traces.jsonl"].iter().map(|name| folder.join("otlp").join(name));
    let mut files: Vec<PathBuf> = traces.filter(|path| path.is_file()).take(1).collect();
    files.extend(Some(folder.join("nats")).filter(|path| path.is_dir()));
    let scratch = tempfile::tempdir()?;
    let workspace = scratch.path().join("recorded.flowglass");
    import(&workspace, &files)?;
    let found = listed(&workspace)?;
    for (theirs, ours) in NAMES {
        let (want, got) = (truth["violation_counts"][theirs].as_u64().unwrap_or(0), sum(&found, ours));
        ensure!(want == got, "{ours}: {got} found, {want} were done");
    }
    // Where to look: every offence of the truth is in a trace that is named as evidence, as far as evidence is kept.
    for (theirs, ours) in NAMES.iter().take(3) {
        let known: Vec<&str> = truth["violations"][theirs]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|v| v["trace_id"].as_str())
            .collect();
        for evidence in found.iter().filter(|f| f["rule"] == *ours).flat_map(|f| f["evidence"].as_array()).flatten() {
            let trace = evidence["trace_id"].as_str().unwrap_or_default();
            ensure!(known.contains(&trace), "{ours}: {trace} is no offence");
        }
    }
    let quiet = truth["unconsumed_subjects"].as_array().map_or(0, Vec::len);
    let told = found.iter().filter(|f| f["rule"] == "event-without-consumer").count();
    ensure!(told == quiet, "event-without-consumer: {told} topics, {quiet} have no consumer");
    for (rule, count) in [("dead-lettered", "dead_lettered"), ("duplicate-event", "duplicates_seen_by_consumers")] {
        let (want, got) = (truth["counts"][count].as_u64().unwrap_or(0), sum(&found, rule));
        ensure!(want == got, "{rule}: {got} found, {want} there were");
    }
    let nothing_done = truth["violation_counts"].as_object().is_none_or(serde_json::Map::is_empty);
    let bad: Vec<&Value> = found.iter().filter(|f| f["severity"] != "info").collect();
    ensure!(!nothing_done || bad.is_empty(), "nothing was done against the rules, yet: {bad:?}");
    Ok(())
}

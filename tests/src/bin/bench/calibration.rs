//! A scenario made of the sample landscape's telemetry alone, against the landscape's true parameters and against what it does
//! under half as much load again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use flowglass_tests::demo::Demo;
use flowglass_tests::process::{free_port, until};
use flowglass_tests::product::{Serve, binary, flowglass};
use serde_json::Value;

/// Requests a second that are learned from; predicted is half as much again.
const RATE: f64 = 4.0;
const MORE: f64 = 1.5;
/// Handlings behind a mean, and requests behind a percentile, at least.
const ENOUGH: u64 = 50;

/// Runs the landscape so many times for so many seconds each, and prints medians over the runs.
pub(crate) fn measure(folder: &Path, runs: u64, seconds: u64) -> Result<()> {
    let mut means: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let mut p95: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let mut grades = Vec::new();
    for run in 0..runs {
        let (quiet, truth) = play(folder, &format!("learned-{run}"), RATE, seconds, 2 * run + 1)?;
        let (busy, _) = play(folder, &format!("predicted-{run}"), RATE * MORE, seconds, 2 * run + 2)?;
        let made = flowglass(&["calibrate", "--workspace", &text(&quiet), "--limit", "100000", "--json"])?;
        grades.push(made["validation"]["grade"].as_str().unwrap_or("?").to_owned());
        compare_means(&made, &truth, &mut means);
        let yaml = made["yaml"].as_str().context("calibrate gave no scenario")?;
        compare_responses(&busy, &predict(folder, &scaled(yaml))?, &mut p95)?;
        eprintln!("run {} of {runs} is done", run + 1);
    }
    println!(
        "calibrated from telemetry alone: medians of {runs} runs of {seconds} s at {RATE} requests/s, grades {}",
        grades.join(" ")
    );
    told("mean service time, calibrated over true", &means);
    told(&format!("p95 of the response at {MORE} times the load, predicted over seen"), &p95);
    Ok(())
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// The landscape for a while into a workspace of its own; what it truly is comes beside.
fn play(folder: &Path, name: &str, rate: f64, seconds: u64, seed: u64) -> Result<(PathBuf, Value)> {
    let here = folder.join(name);
    std::fs::create_dir_all(&here)?;
    let workspace = here.join("it.flowglass");
    let (grpc, http) = (free_port()?, free_port()?);
    let (rate, seconds, seed) = (rate.to_string(), seconds.to_string(), seed.to_string());
    let mut demo = Demo::start(&here, grpc, http, &["--rate", &rate, "--duration", &seconds, "--seed", &seed])?;
    let (at_grpc, at_http) = (format!("127.0.0.1:{grpc}"), format!("127.0.0.1:{http}"));
    let serve = Serve::start(&workspace, &["--otlp-grpc", &at_grpc, "--otlp-http", &at_http, "--nats", &demo.nats])?;
    demo.go()?;
    std::thread::sleep(Duration::from_secs(seconds.parse::<u64>()?)); // The stretch itself, not a wait for something.
    demo.done()?;
    let truth = demo.truth()?;
    let spans: u64 = truth["counts"]["spans"].as_object().into_iter().flatten().filter_map(|(_, n)| n.as_u64()).sum();
    until("all spans to be stored", Duration::from_secs(30), || {
        let stats = flowglass(&["stats", "--workspace", &text(&workspace), "--json"])?;
        if stats["spans"].as_u64() < Some(spans) {
            bail!("{stats} of {spans} spans")
        }
        Ok(())
    })?;
    serve.stop()?;
    Ok((workspace, truth))
}

/// Lower-case letters, digits and hyphens, as names in a scenario are.
fn slug(name: &str) -> String {
    let parts: Vec<String> = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    parts.join("-")
}

/// Milliseconds of `mean 25.3ms`; what may follow says how many calls were given up.
fn milliseconds(value: &str) -> Option<f64> {
    let value = value.strip_prefix("mean ")?.split(',').next()?;
    let units = [("ms", 1.0), ("us", 1e-3), ("s", 1e3)];
    units.into_iter().find_map(|(unit, factor)| Some(value.strip_suffix(unit)?.parse::<f64>().ok()? * factor))
}

/// Calibrated means over the true ones, by operation.
fn compare_means(made: &Value, truth: &Value, out: &mut BTreeMap<String, Vec<f64>>) {
    let parameters = &truth["parameters"];
    let named = |list: &str| parameters[list].as_array().cloned().unwrap_or_default();
    let mut known: BTreeMap<String, f64> = BTreeMap::new();
    for of in named("services").into_iter().chain(named("backends")) {
        let mean = of["service_time"]["mean_ms"].as_f64().unwrap_or(0.0);
        for name in [&of["name"], &of["host"]].into_iter().filter_map(Value::as_str) {
            known.insert(slug(name), mean);
        }
    }
    for input in made["inputs"].as_array().into_iter().flatten() {
        let Some(operation) =
            input["path"].as_str().and_then(|p| p.strip_prefix("/operations/")?.strip_suffix("/work"))
        else {
            continue;
        };
        let participant = operation.split('.').next().unwrap_or_default();
        let mean = input["value"].as_str().and_then(milliseconds);
        if let (Some(mean), Some(true_mean)) = (mean, known.get(participant))
            && input["n"].as_u64() >= Some(ENOUGH)
        {
            out.entry(operation.to_owned()).or_default().push(mean / true_mean);
        }
    }
}

/// The scenario at more load.
fn scaled(yaml: &str) -> String {
    let more = |line: &str| -> String {
        let scaled = line.split_inclusive(' ').map(|word| {
            let number = word.find("/s").or_else(|| word.find("/min"));
            let value = number.and_then(|at| Some((word[..at].parse::<f64>().ok()?, &word[at..])));
            value.map_or_else(|| word.to_owned(), |(value, rest)| format!("{:.4}{rest}", value * MORE))
        });
        scaled.collect()
    };
    let lines = yaml.lines().map(|l| if l.trim_start().starts_with("arrivals:") { more(l) } else { l.to_owned() });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

/// What the scenario says of the response, by the operation that is asked for from outside.
fn predict(folder: &Path, yaml: &str) -> Result<BTreeMap<String, f64>> {
    let file = folder.join("it.yaml");
    std::fs::write(&file, yaml)?;
    let mut command = Command::new(binary("flowglass")?);
    command.arg("simulate").arg(&file).args(["--variant", "observed", "--replications", "5", "--json"]);
    let output = command.output()?;
    if !output.status.success() {
        bail!("the scenario cannot be simulated: {}", String::from_utf8_lossy(&output.stderr));
    }
    let found: Value = serde_json::from_slice(&output.stdout)?;
    let mut to = BTreeMap::new();
    let mut name = None;
    for line in yaml.lines() {
        if let Some(of) = line.strip_prefix("  - name: ") {
            name = Some(of.to_owned());
        } else if let (Some(of), Some(operation)) = (&name, line.strip_prefix("    to: ")) {
            to.insert(operation.to_owned(), of.clone());
        }
    }
    let of = &found["variants"]["observed"]["workloads"];
    let p95 = |name: &String| of[name]["response_ms"]["p95"]["value"].as_f64();
    Ok(to.into_iter().filter_map(|(operation, name)| Some((operation, p95(&name)?))).collect())
}

/// Predicted percentiles over those that were seen.
fn compare_responses(
    workspace: &Path,
    predicted: &BTreeMap<String, f64>,
    out: &mut BTreeMap<String, Vec<f64>>,
) -> Result<()> {
    let journeys = flowglass(&["journeys", "--workspace", &text(workspace), "--limit", "100000", "--json"])?;
    let mut seen: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for journey in journeys.as_array().into_iter().flatten() {
        let (Some(root), Some(ms)) = (journey["root"].as_str(), journey["response_ms"].as_f64()) else { continue };
        let (service, operation) = root.split_once(' ').unwrap_or((root, ""));
        seen.entry(format!("{}.{}", slug(service), slug(operation))).or_default().push(ms);
    }
    for (operation, mut times) in seen {
        let Some(predicted) = predicted.get(&operation).filter(|_| times.len() as u64 >= ENOUGH) else { continue };
        times.sort_by(f64::total_cmp);
        let rank = (0.95 * times.len() as f64).ceil() as usize - 1;
        out.entry(operation).or_default().push(predicted / times[rank]);
    }
    Ok(())
}

fn told(what: &str, ratios: &BTreeMap<String, Vec<f64>>) {
    println!("{what}:");
    let mut worst: f64 = 0.0;
    for (name, of) in ratios {
        let mut of = of.clone();
        of.sort_by(f64::total_cmp);
        let median = of[of.len() / 2];
        worst = worst.max((median - 1.0).abs());
        println!("  {name:<60} {median:.3}  (of {})", of.len());
    }
    println!("  {} of them, the furthest off by {:.1} %", ratios.len(), worst * 100.0);
}

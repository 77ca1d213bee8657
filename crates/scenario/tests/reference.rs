//! The simulator against known answers of queueing theory: every case of the reference table.
//!
//! Tolerances were chosen for the full length (about five standard errors of such a run). In everyday tests each case runs a quarter
//! of it with twice the tolerance; `FLOWGLASS_REFERENCE=full` runs them in full.

use std::sync::atomic::AtomicBool;

use flowglass_scenario::experiment::{RunOptions, run};
use flowglass_scenario::file::read_scenario;
use flowglass_scenario::model::Scenario;
use serde_json::Value;

#[derive(serde::Deserialize)]
struct Case {
    id: String,
    scenario: Value,
    expect: Vec<Expected>,
}

#[derive(serde::Deserialize)]
struct Expected {
    at: String,
    value: f64,
    tolerance_rel: Option<f64>,
    tolerance_abs: Option<f64>,
}

fn scenario_of(case: &Case) -> Scenario {
    let text = case.scenario.to_string();
    read_scenario(&text, &|_| Err("no files".to_owned())).unwrap_or_else(|problems| {
        panic!("{}: {}", case.id, problems.iter().map(ToString::to_string).collect::<String>())
    })
}

/// A quarter of the length: fewer replications where something planned happens, else shorter ones.
fn shorten(scenario: &mut Scenario) {
    let planned = scenario.design.participants.values().any(|p| !p.outages.is_empty());
    if planned {
        scenario.run.replications = scenario.run.replications.div_ceil(4);
    } else {
        scenario.run.duration /= 4;
    }
}

/// One line for each expected figure, and whether all are near enough.
fn check(case: &Case, outcome: &Value, wider: f64, table: &mut String) -> usize {
    use std::fmt::Write as _;
    let mut misses = 0;
    for expected in &case.expect {
        let figure = outcome.pointer(&expected.at).unwrap_or(&Value::Null);
        let value = figure["value"].as_f64();
        // Chances below one in a million are never met in a run of this length.
        let least = expected.tolerance_abs.unwrap_or(1e-6);
        let allowed = (expected.tolerance_rel.unwrap_or(0.0) * expected.value.abs() * wider).max(least);
        let near = value.is_some_and(|v| (v - expected.value).abs() <= allowed);
        misses += usize::from(!near);
        let mark = if near { "  " } else { "✗ " };
        let half = figure["ci95"].as_f64().unwrap_or(0.0);
        let path = expected.at.trim_start_matches("/variants/model/");
        match value {
            Some(v) => {
                let _ = writeln!(
                    table,
                    "{mark}{:<24} {path:<58} {v:>12.5} ± {half:<9.4} expected {:>12.5} ± {allowed:.4}",
                    case.id, expected.value
                );
            }
            None => {
                let _ = writeln!(table, "{mark}{:<24} {path:<58} {figure} expected {}", case.id, expected.value);
            }
        }
    }
    misses
}

#[test]
fn every_reference_case_is_within_its_tolerance() {
    let full = std::env::var("FLOWGLASS_REFERENCE").is_ok_and(|v| v == "full");
    let only = std::env::var("FLOWGLASS_REFERENCE_CASE").ok();
    let cases: Vec<Case> =
        serde_json::from_str(include_str!("fixtures/sim-reference.json")).expect("the table is JSON");
    assert_eq!(cases.len(), 62);
    let mut table = String::new();
    let mut misses = 0;
    for case in cases.iter().filter(|c| only.as_ref().is_none_or(|only| c.id.contains(only.as_str()))) {
        let mut scenario = scenario_of(case);
        if !full {
            shorten(&mut scenario);
        }
        let outcome = run(&scenario, &RunOptions::of(&scenario), &|_| {}, &AtomicBool::new(false))
            .unwrap_or_else(|error| panic!("{}: {error}", case.id));
        let outcome = serde_json::to_value(&outcome).expect("an outcome is JSON");
        misses += check(case, &outcome, if full { 1.0 } else { 2.0 }, &mut table);
    }
    println!("{table}");
    let missed: Vec<&str> = table.lines().filter(|line| line.starts_with('✗')).collect();
    assert_eq!(misses, 0, "figures outside their tolerance:\n{}", missed.join("\n"));
}

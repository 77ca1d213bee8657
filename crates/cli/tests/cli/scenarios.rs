//! `simulate` and `decide`.

use serde_json::Value;

use crate::support::{folder_with, json as answer, path, refused, run, text};

/// Two steps nobody waits for by need, no variants named.
const SCENARIO: &str = "flowglass: scenario/1
title: Small
run: { duration: 20s, warm_up: 2s, replications: 2, seed: 3 }
workloads: [{ name: shop, to: web.order, arrivals: { times: arrivals.csv } }]
participants: { web: { layer: experience, workers: 40 }, erp: { layer: system, workers: 2 }, pay: { layer: system, workers: 8 } }
operations:
  web.order:
    work: 5ms
    steps:
      - { id: charge, do: pay.charge, intent: write, needs: success }
      - { id: post, do: erp.create, intent: write, needs: nothing, within: 60s, idempotent: true }
  pay.charge: { work: { exp: 20ms } }
  erp.create: { work: { exp: 30ms } }
";

fn scenario(text: &str) -> (tempfile::TempDir, String) {
    let (folder, file) = folder_with("small.yaml", text);
    let arrivals: String = (1..200).map(|i| format!("{:.3},x\n", f64::from(i) * 0.1)).collect();
    std::fs::write(folder.path().join("arrivals.csv"), format!("seconds,what\n{arrivals}")).unwrap();
    let file = path(&file).to_owned();
    (folder, file)
}

#[test]
fn a_file_without_variants_is_simulated_with_the_best_hybrid() {
    let (_folder, file) = scenario(SCENARIO);
    let first: Value = answer(&["simulate", &file, "--json"]);
    let names: Vec<&String> = first["variants"].as_object().unwrap().keys().collect();
    assert_eq!(names.len(), 3);
    let of = |variant: &str, path: &str| first["variants"][variant].pointer(path).unwrap().clone();
    assert_eq!(of("api-led", "/workloads/shop/succeeded")["value"], 1.0);
    assert!(of("hybrid", "/channels").as_object().is_some_and(|c| c.len() == 1), "{}", of("hybrid", "/channels"));
    // The first arrival is a tenth of a second after the warm-up, and the last at 19.9 s: all 199 are counted.
    assert_eq!(of("api-led", "/workloads/shop/throughput_per_s")["value"], 199.0 / 20.0);
    let mut again: Value = answer(&["simulate", &file, "--threads", "1", "--json"]);
    again["wall_ms"] = first["wall_ms"].clone();
    assert_eq!(again, first, "the same bytes for any number of threads");
}

#[test]
fn a_verdict_names_the_recommended_variant() {
    let (_folder, file) = scenario(SCENARIO);
    let found: Value = answer(&["decide", &file, "--json"]);
    assert_eq!(found["verdict"], "hybrid");
    assert!(found["recommended_variant"]["events"]["post"].is_string(), "{found}");
    assert_eq!(found["search"]["exhaustive"], true);
    assert!(found["reason_for"].is_string() && found["reason_against"].is_string());
    let quick: Value = answer(&["decide", &file, "--quick", "--json"]);
    assert!(quick["search"].is_null() && quick["recommended_variant"]["events"]["post"].is_string());
}

#[test]
fn a_verdict_is_written_in_other_formats() {
    let (_folder, file) = scenario(SCENARIO);
    let printed = |format: &str| text(&run(&["decide", &file, "--format", format]).stdout).to_owned();
    let record = printed("markdown");
    for heading in [
        "status: proposed",
        "## Context and Problem Statement",
        "## Decision Drivers",
        "## Decision Outcome",
        "### Consequences",
        "seed 3",
        "flowchart",
    ] {
        assert!(record.contains(heading), "{heading} is missing in {record}");
    }
    let page = printed("html");
    assert!(page.contains("<svg") && !page.contains("<script") && !page.contains("http://"), "{page}");
    let events: Value = serde_json::from_str(&printed("asyncapi")).unwrap();
    assert_eq!(events["asyncapi"], "3.0.0");
    let calls: Value = serde_json::from_str(&printed("openapi")).unwrap();
    assert!(calls["paths"]["/pay/charge"]["post"].is_object() && calls["paths"]["/erp/create"].is_null(), "{calls}");
    assert!(printed("mermaid").starts_with("flowchart RL"));
}

#[test]
fn bad_scenarios_are_told_with_file_line_and_column() {
    let (_folder, file) = scenario(&SCENARIO.replace("workers: 2", "workres: 2"));
    for command in ["simulate", "decide"] {
        let line = refused(&[command, &file, "--json"]);
        assert!(line.contains("small.yaml:5:") && line.contains("did you mean `workers`?"), "{line}");
    }
    let (_folder, file) = scenario(&SCENARIO.replace("arrivals.csv", "nowhere.csv"));
    assert!(refused(&["simulate", &file, "--json"]).contains("nowhere.csv"));
    assert!(refused(&["simulate", "no-such-file.yaml", "--json"]).contains("no-such-file.yaml"));
    let (_folder, file) = scenario(SCENARIO);
    assert!(refused(&["decide", &file, "--workspace", "no-such.flowglass"]).contains("no-such.flowglass"));
    assert!(refused(&["simulate", &file, "--variant", "none"]).contains("there is no variant 'none'"));
}

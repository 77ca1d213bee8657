//! Designs held against a recorded landscape, and two ranges of it against each other, through the command line.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context as _, Result, ensure};
use flowglass_tests::product::{binary, flowglass, root};
use serde_json::Value;

fn run(arguments: &[&str]) -> Result<Output> {
    Ok(Command::new(binary("flowglass")?).args(arguments).output()?)
}

fn answer(arguments: &[&str]) -> Result<Value> {
    let output = run(arguments)?;
    ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn landscape(scratch: &Path) -> Result<PathBuf> {
    let folder = root().join("tests/fixtures/landscape");
    let workspace = scratch.join("landscape.flowglass");
    let mut arguments = vec![PathBuf::from("import"), "--workspace".into(), workspace.clone(), "--json".into()];
    arguments.extend([folder.join("traces.jsonl.gz"), folder.join("messages.jsonl.gz")]);
    flowglass(&arguments)?;
    Ok(workspace)
}

/// What `tests/fixtures/landscape/design.yaml` gets wrong, and nothing else. The first is kept.
const DEVIATIONS: [(&str, &str); 15] = [
    ("not-designed", "payment-service → payments-sys-api"),
    ("other-style", "customer-prc-api → analytics-service"),
    ("other-style", "order-prc-api → inventory-sys-api"),
    ("not-designed", "SMTP relay"),
    ("not-designed", "mobile-exp-api → inventory-sys-api"),
    ("undocumented-subject", "dlq.orders.placed"),
    ("undocumented-operation", "inventory-sys-api GET /stock/{sku}"),
    ("unknown-consumer", "orders.paid → analytics-service"),
    ("broken-schema", "orders.placed"),
    ("not-seen", "fulfilment-prc-api → orders"),
    ("not-seen", "loyalty-prc-api"),
    ("not-seen", "order-prc-api DELETE /orders/{id}"),
    ("not-seen", "orders.cancelled"),
    ("not-seen", "web-orders-exp-api → fulfilment-prc-api"),
    ("not-seen", "web-orders-exp-api → order-prc-api PUT /orders/{id}"),
];

#[test]
fn deviations_made_on_purpose_are_found_and_no_others() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let workspace = landscape(scratch.path())?;
    let design = root().join("tests/fixtures/landscape/design.yaml");
    let (workspace, design) = (workspace.to_string_lossy(), design.to_string_lossy());
    let drift = ["drift", "--workspace", &workspace, "--design", &design];
    let list = answer(&drift)?;
    let text = |d: &Value, key: &str| d[key].as_str().unwrap_or_default().to_owned();
    let all = list["deviations"].as_array().context("deviations")?;
    let found: BTreeSet<(String, String)> = all.iter().map(|d| (text(d, "kind"), text(d, "subject"))).collect();
    let expected: BTreeSet<(String, String)> =
        DEVIATIONS.iter().map(|(kind, subject)| ((*kind).to_owned(), (*subject).to_owned())).collect();
    ensure!(found == expected, "missing {:?}\ntoo many {:?}", expected.difference(&found), found.difference(&expected));
    for d in all {
        ensure!(!text(d, "explanation").is_empty(), "{d}");
        let seen = d["kind"] != "not-seen";
        ensure!(seen == (d["count"].as_u64() > Some(0)), "{d}");
        ensure!(!seen || d["evidence"].as_array().is_some_and(|e| !e.is_empty()), "{d}");
    }
    let kept: Vec<&Value> = all.iter().filter(|d| !d["kept"].is_null()).collect();
    ensure!(kept.len() == 1 && kept[0]["subject"] == DEVIATIONS[0].1, "{kept:?}");
    // Each match says how it was made.
    let how = |observed: &str| {
        let matches = all.iter().flat_map(|d| d["matches"].as_array().into_iter().flatten());
        matches.into_iter().find(|m| text(m, "observed").contains(observed)).map(|m| text(m, "how"))
    };
    ensure!(how("order-prc-api").as_deref() == Some("by name"), "{:?}", how("order-prc-api"));
    // Exit statuses.
    let fail = |kind: &str| run(&[&drift[..], &["--fail-on", kind]].concat()).map(|o| o.status.code());
    ensure!(fail("broken-schema")? == Some(1) && fail("any")? == Some(1) && fail("no-such")? == Some(2));
    let report = run(&[&drift[..], &["--format", "markdown"]].concat())?;
    ensure!(String::from_utf8_lossy(&report.stdout).contains("Until the capture is an event"), "{report:?}");
    ensure!(run(&["drift", "--workspace", &workspace])?.status.code() == Some(2), "there is no design beside it");
    Ok(())
}

#[test]
fn what_was_observed_is_its_own_design_in_every_format() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let workspace = landscape(scratch.path())?;
    let design = workspace.with_extension("design.yaml");
    let (workspace, design) = (workspace.to_string_lossy().into_owned(), design.to_string_lossy().into_owned());
    ensure!(run(&["design", "observe", "--workspace", &workspace, "-o", &design])?.status.success());
    ensure!(run(&["design", "observe", "--workspace", &workspace, "-o", &design])?.status.code() == Some(2));
    let nothing = |list: &Value| list["deviations"] == serde_json::json!([]) && list["matched"] == list["observed"];
    let list = answer(&["drift", "--workspace", &workspace])?;
    ensure!(nothing(&list), "{list}");
    let catalog = scratch.path().join("catalog");
    let folder = catalog.to_string_lossy();
    let written = answer(&["design", "export", &design, "--format", "backstage", "-o", &folder])?;
    ensure!(written["files"].as_array().is_some_and(|f| f.len() > 15), "{written}");
    let list = answer(&["drift", "--workspace", &workspace, "--design", &folder])?;
    ensure!(nothing(&list), "{list}");
    let back = run(&["design", "import", &folder])?.stdout;
    let whole = std::fs::read_to_string(&design)?;
    let without_title = whole.replacen("title: landscape\n", "", 1);
    ensure!(String::from_utf8_lossy(&back) == without_title, "{}", String::from_utf8_lossy(&back));
    // Of what a design says nothing, nothing is held against it.
    let events_only = scratch.path().join("events");
    let folder = events_only.to_string_lossy();
    answer(&["design", "export", &design, "--format", "asyncapi", "-o", &folder])?;
    let list = answer(&["drift", "--workspace", &workspace, "--design", &folder])?;
    ensure!(list["not_judged"] == serde_json::json!(["calls", "backends", "users"]), "{list}");
    let kinds: BTreeSet<&str> =
        list["deviations"].as_array().into_iter().flatten().filter_map(|d| d["kind"].as_str()).collect();
    ensure!(kinds.is_subset(&BTreeSet::from(["not-designed"])), "services without events are not in it: {list}");
    Ok(())
}

#[test]
fn two_workspaces_are_compared() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let whole = landscape(scratch.path())?;
    let folder = root().join("tests/fixtures/landscape");
    // The same, but for what messages alone tell.
    let traces = scratch.path().join("traces.flowglass");
    flowglass(&[
        PathBuf::from("import"),
        "--workspace".into(),
        traces.clone(),
        "--json".into(),
        folder.join("traces.jsonl.gz"),
    ])?;
    let (whole, traces) = (whole.to_string_lossy(), traces.to_string_lossy());
    let same = answer(&["diff", &whole, &whole])?;
    ensure!(same["changes"] == serde_json::json!([]) && same["unsure"] == serde_json::json!([]), "{same}");
    ensure!(same["tested"].as_u64() > Some(10), "{same}");
    let halves = ["diff", "..2026-11-30T09:43:46Z", "2026-11-30T09:43:46Z..", "--workspace", &whole];
    let list = answer(&halves)?;
    ensure!(list["before"]["until"] == "2026-11-30T09:43:46.000000000Z", "{list}");
    ensure!(list["changes"].is_array() && list["versions"] == serde_json::json!([]), "{list}");
    for (format, start) in [("markdown", "# What has changed"), ("html", "<!DOCTYPE html>")] {
        let output = run(&["diff", &whole, &traces, "--format", format])?;
        ensure!(output.stdout.starts_with(start.as_bytes()), "{output:?}");
    }
    for wrong in [
        &["diff", "1d..2d", "1d..", "--workspace", &whole][..],
        &["diff", "..1d", "1d.."],
        &["diff", "none.flowglass", &whole],
    ] {
        ensure!(run(wrong)?.status.code() == Some(2), "{wrong:?}");
    }
    Ok(())
}

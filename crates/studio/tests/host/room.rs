//! Without room on the disk senders are told to try again, and people are told why.

use std::path::Path;

use flowglass_faults::{Disk, Fault};
use flowglass_studio::api::{ImportView, Update};
use flowglass_studio::store::check;
use serde_json::{Value, json};

use crate::support::{Scene, ago, failed_call, wait_for};

/// Spans of the file that is imported: several batches.
const SPANS: usize = 7_000;

#[tokio::test]
async fn without_room_nothing_is_taken_and_everybody_is_told() {
    // More than any disk has.
    let scene = Scene::keeping_free(tempfile::tempdir().unwrap(), u64::MAX).await;
    let mut updates = scene.host.updates();
    assert_eq!(scene.send(failed_call("pay", 1, ago(10), "no", &[])).await, 503);
    let wanted = |update| match update {
        Update::Counters { state, problem, .. } => problem.map(|problem| (state, problem)),
        _ => None,
    };
    let (state, problem) = wait_for(&mut updates, wanted).await.expect("a problem");
    assert!(state == "warning" && problem.contains("kept free") && problem.contains("first.flowglass"), "{problem}");
    // Room again: the same is taken.
    let scene = Scene::on(scene.end().await).await;
    assert_eq!(scene.send(failed_call("pay", 1, ago(10), "no", &[])).await, 200);
    scene.end().await;
}

/// A file with as many spans, each in a trace of its own.
fn recording(folder: &Path) -> std::path::PathBuf {
    let span = |n: usize| {
        json!({ "traceId": format!("{:032x}", n + 1), "spanId": format!("{:016x}", n + 1), "kind": 2, "name": "POST /orders",
            "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000000250000000",
            "attributes": [{ "key": "orderId", "value": { "stringValue": format!("o-{n}") } }] })
    };
    let resource = json!({ "attributes": [{ "key": "service.name", "value": { "stringValue": "web-exp-api" } }] });
    let line = |from: usize| {
        let spans: Vec<Value> = (from..from + 500).map(span).collect();
        json!({ "resourceSpans": [{ "resource": resource, "scopeSpans": [{ "spans": spans }] }] }).to_string()
    };
    let path = folder.join("recorded.jsonl");
    std::fs::write(&path, (0..SPANS).step_by(500).map(line).collect::<Vec<_>>().join("\n")).unwrap();
    path
}

/// Imports while there is no space left from the n-th operation on; frees it as soon as somebody says that he waits. What was said
/// meanwhile, and what came of it.
async fn import_without_space(at: u64) -> (Vec<ImportView>, ImportView, u64) {
    let scene = tempfile::tempdir().unwrap();
    let disk = Disk::below(scene.path());
    let file = recording(scene.path());
    let scene = Scene::on(scene).await;
    let mut updates = scene.host.updates();
    disk.fail(at, Fault::Full);
    scene.host.studio().start_import(vec![file]);
    let mut waited = Vec::new();
    let done = loop {
        let wanted = |update| match update {
            Update::Import { import } => Some(import),
            _ => None,
        };
        let view = wait_for(&mut updates, wanted).await.expect("news of the import");
        if view.waiting.is_some() {
            waited.push(view);
            disk.heal();
        } else if view.state != "running" {
            break view;
        }
    };
    let operations = disk.operations();
    let path = scene.path("first.flowglass");
    let folder = scene.end().await;
    let found = check(&path, &mut |_| true).unwrap().unwrap();
    assert!(found.is_sound(), "full from {at}: {found:#?}");
    assert_eq!(found.stats.spans, SPANS as u64, "full from {at}");
    drop(folder);
    (waited, done, operations)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_waits_for_space_wherever_it_ends_and_loses_nothing() {
    let (waited, done, operations) = import_without_space(u64::MAX).await;
    assert!(waited.is_empty() && (done.state.as_str(), done.spans) == ("done", SPANS as u64), "{done:?}");
    let mut struck = 0;
    for at in (1..operations).step_by((operations as usize / 12).max(1)) {
        let (waited, done, _) = import_without_space(at).await;
        let what = format!("full from operation {at} of {operations}: {done:?}");
        assert_eq!((done.state.as_str(), done.spans, done.known), ("done", SPANS as u64, 0), "{what}");
        assert!(done.waiting.is_none() && done.problem.is_none(), "{what}");
        struck += usize::from(!waited.is_empty());
        for view in waited {
            let words = view.waiting.unwrap_or_default();
            assert!(
                view.state == "running" && words.contains("no space left") && words.contains("goes on by itself"),
                "{words}"
            );
        }
    }
    println!("{struck} imports waited, {operations} operations");
    assert!(struck >= 6, "{struck} waited");
}

//! The design beside the workspace: kept as text, made of what was observed, read from files and the web, and what accepting changes.

use std::sync::Arc;

use flowglass_studio::api::dispatch;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::{Scene, T0, place_order};

fn range() -> Value {
    let at = T0 / 1_000_000;
    json!({ "sinceAt": at - 60_000, "untilAt": at + 60_000 })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_design_is_a_file_that_nobody_overwrites_unseen() {
    let scene = Scene::new().await;
    let none = scene.ask("design", json!({})).await;
    assert_eq!((&none["text"], &none["shape"], &none["problem"]), (&Value::Null, &Value::Null, &Value::Null));
    let path = none["path"].as_str().unwrap().to_owned();
    let save = |text: &str, base: Value| json!({ "text": text, "save": true, "base": base });

    // A text with a mistake is kept, with its line, and not used.
    let broken = "flowglass: design/1\nparticipants:\n  a:\n    layr: system\n";
    let saved = scene.ask("design_save", save(broken, Value::Null)).await;
    assert_eq!((&saved["problem"]["line"], &saved["shape"]), (&json!(4), &Value::Null));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), broken);
    let drift = scene.ask("drift", json!({ "range": range() })).await;
    assert!(drift["problem"].as_str().unwrap().contains("layr"), "{drift}");

    let fine = broken.replace("layr", "layer");
    let saved = scene.ask("design_save", save(&fine, json!(broken))).await;
    assert_eq!(saved["shape"]["participants"][0]["layer"], "system");
    // Only looked at: nothing is written.
    scene.ask("design_save", json!({ "text": "x", "save": false, "base": null })).await;
    assert_eq!(std::fs::read_to_string(&path).unwrap(), fine);
    let refused = scene.refused("design_save", save("flowglass: design/1\n", json!(broken))).await;
    assert_eq!(refused.code, "conflict");
    // Emptied, as undoing the first change does: no design again.
    scene.ask("design_save", save("", json!(fine))).await;
    assert!(!std::path::Path::new(&path).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn accepting_changes_only_what_has_to_change() {
    let scene = Scene::new().await;
    place_order(&scene, 1).await;
    let observed = scene.ask("design_observe", json!({ "range": range() })).await;
    let text = observed["text"].as_str().unwrap();
    let path = std::path::PathBuf::from(observed["path"].as_str().unwrap());
    assert!(!path.exists(), "observing keeps nothing by itself");
    let channel = observed["shape"]["channels"].as_array().unwrap().iter().find(|c| c["address"] == "orders.placed");
    assert_eq!(channel.unwrap()["publishers"], json!(["order-prc-api"]), "{observed}");

    let without: String =
        text.lines().filter(|l| !l.contains("payments-sys-api: [")).fold(String::new(), |a, l| a + l + "\n");
    assert_ne!(without, text);
    scene.ask("design_save", json!({ "text": without, "save": true, "base": null })).await;
    let drift = scene.ask("drift", json!({ "range": range() })).await;
    let all = drift["deviations"].as_array().unwrap();
    let found = all.iter().find(|d| d["subject"] == "order-prc-api → payments-sys-api");
    let found = found.unwrap_or_else(|| panic!("{drift}"));
    let edits = scene.ask("drift_accept", json!({ "range": range(), "id": found["id"] })).await;
    let paths: Vec<&Value> = edits["edits"].as_array().unwrap().iter().map(|e| &e["path"]).collect();
    let [path_of] = paths.as_slice() else { panic!("{edits}") };
    assert_eq!((&path_of[0], &path_of[1]), (&json!("participants"), &json!("order-prc-api")));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), without, "the text belongs to whoever edits it");

    let keep = |reason: Value| json!({ "kind": found["kind"], "subject": found["subject"], "reason": reason });
    let edits = scene.ask("drift_keep", keep(json!(" later "))).await;
    assert_eq!(edits["edits"][0]["path"], json!(["kept"]));
    assert_eq!(edits["edits"][0]["value"][0]["reason"], "later");
    assert_eq!(scene.refused("drift_keep", keep(json!("  "))).await.code, "bad-request");
    assert_eq!(scene.ask("drift_keep", keep(Value::Null)).await["edits"], json!([]));
}

const API: &str =
    "openapi: 3.1.0\ninfo: { title: Orders, version: '1' }\npaths:\n  /orders: { $ref: 'paths.yaml#/orders' }\n";
const PATHS: &str = "orders: { post: { summary: Take one } }\n";

/// Answers `/api.yaml` and `/paths.yaml`, says that it was asked for anything else and never answers that.
async fn web() -> (String, Arc<Notify>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Notify::new());
    let teller = asked.clone();
    tokio::spawn(async move {
        let mut silent = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut line = String::new();
            BufReader::new(&mut stream).read_line(&mut line).await.unwrap();
            let body = match line.split(' ').nth(1) {
                Some("/api.yaml") => API,
                Some("/paths.yaml") => PATHS,
                _ => {
                    teller.notify_one();
                    silent.push(stream);
                    continue;
                }
            };
            let answer =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (address, asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_address_refers_to_is_fetched_only_when_allowed() {
    let scene = Scene::new().await;
    let (address, asked) = web().await;
    let import = |file: &str, remote: bool| json!({ "paths": [format!("{address}/{file}")], "allowRemote": remote });
    let operations = |design: &Value| design["shape"]["participants"][0]["operations"].as_array().unwrap().len();

    let alone = scene.ask("design_import", import("api.yaml", false)).await;
    assert_eq!(operations(&alone), 0);
    assert!(alone["notes"].to_string().contains("paths.yaml"), "{alone}");
    let mut updates = scene.studio.updates();
    let whole = scene.ask("design_import", import("api.yaml", true)).await;
    assert_eq!((operations(&whole), &whole["notes"]), (1, &json!([])));
    let told = serde_json::to_string(&updates.try_recv().unwrap()).unwrap();
    assert!(told.contains("Fetching") && told.contains("api.yaml"), "{told}");

    // Somebody who does not answer is waited for until it is stopped.
    let slow = import("slow.yaml", false);
    let (ended, ()) = tokio::join!(dispatch(&scene.studio, "design_import", slow), async {
        asked.notified().await;
        scene.ask("design_import_stop", json!({})).await;
    });
    assert_eq!(ended.unwrap_err().code, "cancelled");
    let refused =
        scene.refused("design_import", json!({ "paths": ["ftp://x.example/a.yaml"], "allowRemote": true })).await;
    assert!(refused.message.contains("only http"), "{}", refused.message);
    assert!(scene.ask("design", json!({})).await["text"].is_null(), "importing keeps nothing by itself");
}

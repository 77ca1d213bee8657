//! Scenarios: files beside the workspace, edited, run, stopped, judged.

use std::time::Duration;

use flowglass_studio::api::Update;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use super::Scene;

/// A template, shortened so that a run takes moments.
async fn made(scene: &Scene, template: &str) -> (String, String) {
    let view = scene.ask("scenario_create", json!({ "template": template, "name": "" })).await;
    let id = view["id"].as_str().unwrap().to_owned();
    let text = view["text"]
        .as_str()
        .unwrap()
        .replace("duration: 10m", "duration: 20s")
        .replace("replications: 10", "replications: 3");
    let text = text.replace("at: 3m, for: 90s", "at: 5s, for: 5s");
    let saved = scene.ask("scenario_save", json!({ "id": id, "text": text, "revision": view["revision"] })).await;
    assert_eq!(saved["check"]["problems"], json!([]));
    (id, text)
}

/// Waits for the end of a run.
async fn ended(updates: &mut tokio::sync::broadcast::Receiver<Update>) -> Value {
    let wait = async {
        loop {
            match updates.recv().await {
                Ok(Update::Scenario { run }) if run.state != "running" => return serde_json::to_value(run).unwrap(),
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => panic!("no updates any more"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(300), wait).await.expect("the run to end")
}

#[tokio::test(flavor = "multi_thread")]
async fn scenarios_are_files_that_are_never_lost() {
    let scene = Scene::new().await;
    let list = scene.ask("scenarios", json!({})).await;
    assert_eq!((&list["items"], list["templates"].as_array().unwrap().len()), (&json!([]), 4));
    let folder = std::path::PathBuf::from(list["folder"].as_str().unwrap());
    assert!(folder.ends_with("shop.scenarios") && !folder.exists(), "made with the first scenario only");

    let (id, text) = made(&scene, "place-order").await;
    assert_eq!(id, "place-order.yaml");
    assert_eq!(std::fs::read_to_string(folder.join(&id)).unwrap(), text, "the file is the truth");

    // Broken text is kept, with its mistakes at their places.
    let view = scene.ask("scenario", json!({ "id": id })).await;
    let broken = text.replace("workers: 64", "wrokers: 64");
    let saved = scene.ask("scenario_save", json!({ "id": id, "text": broken, "revision": view["revision"] })).await;
    let problem = &saved["check"]["problems"][0];
    let line = text.lines().position(|l| l.contains("workers: 64")).unwrap() + 1;
    assert_eq!((&problem["line"], saved["check"]["design"].is_null()), (&json!(line), true), "{problem}");
    assert!(problem["message"].as_str().unwrap().contains("workers"), "{problem}");
    let error = scene.refused("scenario_run", json!({ "id": id })).await;
    assert!(error.code == "bad-request" && error.message.contains(&format!("line {line}")), "{error:?}");

    // Somebody else's change is not written over.
    let stale = scene.refused("scenario_save", json!({ "id": id, "text": text, "revision": view["revision"] })).await;
    assert_eq!(stale.code, "held");
    scene.ask("scenario_save", json!({ "id": id, "text": text, "revision": null })).await;

    let copy = scene.ask("scenario_create", json!({ "copyOf": id, "name": "" })).await;
    assert_eq!((&copy["id"], &copy["text"]), (&json!("place-order-2.yaml"), &json!(text)));
    let named = scene.ask("scenario_rename", json!({ "id": "place-order-2.yaml", "name": "Peak day" })).await;
    assert_eq!(named["id"], "peak-day.yaml");
    let gone = scene.ask("scenario_delete", json!({ "id": "peak-day.yaml" })).await;
    assert_eq!(scene.refused("scenario", json!({ "id": "peak-day.yaml" })).await.code, "not-found");
    let back = scene.ask("scenario_restore", json!({ "token": gone["token"] })).await;
    assert_eq!((&back["id"], &back["text"]), (&json!("peak-day.yaml"), &json!(text)));
    assert_eq!(scene.ask("scenarios", json!({})).await["items"].as_array().unwrap().len(), 2);

    for bad in ["../shop.flowglass", "shop.flowglass", "/etc/passwd", ".flowglass/.gitignore", "a/b.yaml"] {
        assert_eq!(scene.refused("scenario", json!({ "id": bad })).await.code, "bad-request", "{bad}");
    }
    assert_eq!(scene.refused("scenario_restore", json!({ "token": "1.../x.yaml" })).await.code, "bad-request");
    assert_eq!(scene.refused("scenario_create", json!({ "name": "x" })).await.code, "bad-request");
    scene.studio.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_judges_and_an_edit_makes_it_stale() {
    let scene = Scene::new().await;
    let (id, text) = made(&scene, "place-order").await;
    let mut updates = scene.studio.updates();
    assert_eq!(scene.ask("scenario_run", json!({ "id": id })).await["state"], "running");
    let run = ended(&mut updates).await;
    assert_eq!((&run["state"], &run["problem"]), (&json!("done"), &json!(null)), "{run}");

    let view = scene.ask("scenario", json!({ "id": id })).await;
    let result = &view["result"];
    assert_eq!(result["inputs"], view["check"]["inputs"], "fresh");
    let verdict = &result["verdict"];
    assert_eq!((&verdict["style"], &verdict["variant"]), (&json!("hybrid"), &json!("hybrid")), "{verdict:#}");
    assert_eq!(
        verdict["events"],
        json!({ "post": "orders.placed", "confirm": "orders.placed", "record": "orders.placed" })
    );
    for part in ["reasons", "doubts"] {
        assert!(!verdict[part].as_array().unwrap().is_empty(), "never without {part}: {verdict:#}");
    }
    assert!((1..=5).contains(&verdict["strength"].as_u64().unwrap()) && verdict["strengthBecause"] != "");
    let codes = ["G1", "G2", "G3", "W1", "W4", "W14"];
    let said = format!("{} {} {} {}", verdict["title"], verdict["sentence"], verdict["reasons"], verdict["doubts"]);
    assert!(codes.iter().all(|code| !said.contains(code)), "codes stand alone: {said}");

    let p95 = |variant: usize| result["variants"][variant]["workloads"][0]["response"]["p95"].clone();
    assert!(p95(1)["value"].as_f64().unwrap() < p95(0)["value"].as_f64().unwrap(), "{} {}", p95(0), p95(1));
    assert!(result["variants"][0]["workloads"][0]["fates"].as_array().unwrap().len() > 3);
    let sweep = &result["sweep"];
    assert_eq!((&sweep["now"], sweep["points"].as_array().unwrap().len() > 3), (&json!(60.0), true));
    let response = result["differences"].as_array().unwrap().iter().find(|d| d["metric"] == "response").unwrap();
    assert_eq!((&response["verdict"], &response["unit"]), (&json!("better"), &json!("ms")), "{response}");

    // A comment changes nothing; a worker does.
    let save = |text: String| json!({ "id": id, "text": text, "revision": null });
    let same = scene.ask("scenario_save", save(format!("{text}# reviewed\n"))).await;
    assert_eq!(same["check"]["inputs"], result["inputs"]);
    let more = scene.ask("scenario_save", save(text.replace("workers: 24", "workers: 32"))).await;
    assert_ne!(more["check"]["inputs"], result["inputs"]);
    // What was found is still there, as what was found of other inputs.
    assert_eq!(scene.ask("scenario", json!({ "id": id })).await["result"], *result);

    let preview = scene
        .ask("scenario_preview", json!({ "id": id, "text": text.replace("60/s", "120/s"), "variants": ["hybrid"] }))
        .await;
    assert_eq!(preview["result"]["variants"].as_array().unwrap().len(), 1);
    assert_eq!((&preview["result"]["verdict"], &preview["result"]["sweep"]), (&json!(null), &json!(null)));
    assert_eq!(scene.ask("scenario", json!({ "id": id })).await["result"], *result, "a preview keeps nothing");
    scene.studio.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_can_be_stopped() {
    let scene = Scene::new().await;
    let (id, text) = made(&scene, "place-order").await;
    let long = text.replace("duration: 20s", "duration: 24h").replace("warm_up: auto", "warm_up: 10s");
    scene.ask("scenario_save", json!({ "id": id, "text": long, "revision": null })).await;
    let mut updates = scene.studio.updates();
    scene.ask("scenario_run", json!({ "id": id })).await;
    assert_eq!(scene.refused("scenario_run", json!({ "id": id })).await.code, "held");
    assert_eq!(scene.refused("scenario_rename", json!({ "id": id, "name": "x" })).await.code, "held");
    scene.ask("scenario_cancel", json!({ "id": id })).await;
    assert_eq!(ended(&mut updates).await["state"], "cancelled");
    let view = scene.ask("scenario", json!({ "id": id })).await;
    assert_eq!((&view["run"], &view["result"]), (&json!(null), &json!(null)), "nothing was finished");
    assert_eq!(scene.refused("scenario_cancel", json!({ "id": id })).await.code, "not-found");
    scene.studio.stop().await;
}

//! Finding journeys by text, telling them apart, comparing them.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Scene, names, place_order};

#[tokio::test(flavor = "multi_thread")]
async fn text_is_found_wherever_it_stands() {
    let scene = Scene::new().await;
    place_order(&scene, 17).await;
    place_order(&scene, 18).await;
    for (filter, count) in [
        ("acquirer", 2),   // a status description
        ("DE0012345", 2),  // inside a payload
        ("\"ord-17\"", 1), // case ignored
        ("ORD-1*", 2),     // a part of a value
        ("-ORD-17", 1),
        ("nowhere-to-be-seen", 0),
        ("@iban:DE0012345", 2), // a field of a payload
    ] {
        let page = scene.ask("journeys", json!({ "range": {}, "filter": filter, "limit": 50 })).await;
        assert_eq!(page["total"], json!(count), "{filter}: {page}");
    }
    scene.studio.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_without_a_hit_says_what_was_searched_and_what_is_spelled_nearly_so() {
    let scene = Scene::new().await;
    place_order(&scene, 17).await;
    for typed in ["17", "o-17", "ORD-0017", "ord-17", "#ORD-17", "ORD-71"] {
        let page = scene.ask("journeys", json!({ "range": {}, "find": typed, "limit": 50 })).await;
        let searched = &page["searched"];
        let near = names(searched, "near", "text");
        assert!(near.iter().any(|text| text == "ORD-17"), "{typed}: {searched}");
        assert_eq!(searched["payloads"], json!("kept"));
        assert!(searched["keys"].as_array().unwrap().contains(&json!("orderId")), "{searched}");
        assert!(searched["fromAt"].as_f64() < searched["toAt"].as_f64(), "{searched}");
        assert_eq!(searched["spans"], json!(7));
    }
    let hit = scene.ask("journeys", json!({ "range": {}, "find": "ORD-17", "limit": 50 })).await;
    assert_eq!((&hit["searched"], &hit["total"]), (&json!(null), &json!(1)));
    let page = scene.ask("journeys", json!({ "range": {}, "filter": "ORD-4711", "limit": 50 })).await;
    assert_eq!(page["searched"]["text"], json!("ORD-4711"), "{page}");
    scene.studio.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kinds_points_comparison_and_sequence_tell_of_the_same_journeys() {
    let scene = Scene::new().await;
    for n in 1..=4 {
        place_order(&scene, n).await;
    }
    let kinds = scene.ask("kinds", json!({ "range": {} })).await;
    let kind = &kinds["kinds"][0];
    assert_eq!((&kind["figures"]["count"], &kind["figures"]["failed"]), (&json!(4), &json!(4)), "{kinds}");
    let filter = kind["filter"].as_str().unwrap();
    let page = scene.ask("journeys", json!({ "range": {}, "filter": filter, "limit": 50 })).await;
    assert_eq!(page["total"], json!(4), "{filter}");
    let points = scene.ask("scatter", json!({ "range": {}, "by": "response" })).await;
    assert_eq!(points["read"], json!(4), "{points}");
    assert!(scene.refused("scatter", json!({ "range": {}, "by": "height" })).await.message.contains("height"));

    let id = page["rows"][0]["id"].as_str().unwrap();
    let other = page["rows"][1]["id"].as_str().unwrap();
    let compared = scene.ask("compare", json!({ "left": other, "right": id })).await;
    assert!(compared["rows"].as_array().unwrap().iter().all(|row| row["change"] == "same"), "{compared}");
    let refused = scene.refused("compare", json!({ "right": id })).await;
    assert!(refused.message.contains("went well"), "{}", refused.message);

    let sequence = scene.ask("sequence", json!({ "id": id })).await;
    let lifelines = names(&sequence, "lifelines", "name");
    for who in ["payments-sys-api", "orders.placed", "notification-service"] {
        assert!(lifelines.iter().any(|name| name == who), "{who}: {lifelines:?}");
    }
    let journey = scene.ask("journey", json!({ "id": id })).await;
    for step in sequence["steps"].as_array().unwrap() {
        assert!(journey["items"].as_array().unwrap().iter().any(|item| item["uid"] == step["uid"]), "{step}");
    }
    let on_map = sequence["steps"].as_array().unwrap().iter().filter(|step| step["edge"].is_string());
    assert!(on_map.count() >= 3, "{sequence}");

    let refused = scene.refused("common", json!({ "range": {} })).await;
    assert!(refused.message.contains("which journeys"), "{}", refused.message);
    let common = scene.ask("common", json!({ "range": {}, "filter": "state:failed" })).await;
    assert_eq!((&common["group"], &common["rest"], &common["factors"]), (&json!(4), &json!(0), &json!([])));
    scene.studio.stop().await;
}

async fn first_factor(scene: &Scene, filter: &str) -> (Value, Value) {
    let common = scene.ask("common", json!({ "range": {}, "filter": filter })).await;
    let first = common["factors"][0].clone();
    (first, common)
}

/// Recordings from elsewhere (each folder of `FLOWGLASS_RECORDINGS`): what was injected comes out first.
#[tokio::test(flavor = "multi_thread")]
async fn the_injected_cause_comes_out_first() {
    let Some(folder) = std::env::var_os("FLOWGLASS_RECORDINGS").map(PathBuf::from) else {
        eprintln!("SKIPPED: recordings from elsewhere; FLOWGLASS_RECORDINGS names no folder of them");
        return;
    };
    for recording in std::fs::read_dir(folder).unwrap().filter_map(|e| e.ok().map(|e| e.path())) {
        if recording.join("truth.json").is_file() {
            injected(&recording).await;
        }
    }
}

async fn injected(recording: &Path) {
    let truth: Value = serde_json::from_slice(&std::fs::read(recording.join("truth.json")).unwrap()).unwrap();
    let count = |what: &str| truth["injected_counts"][what].as_u64().unwrap_or(0);
    let failed = truth["counts"]["driver_status"]["502"].as_u64().unwrap_or(0);
    let scene = Scene::new().await;
    let traces = ["traces.jsonl.gz", "traces.jsonl"].map(|name| recording.join("otlp").join(name));
    let mut paths: Vec<PathBuf> = traces.into_iter().filter(|path| path.is_file()).take(1).collect();
    paths.push(recording.join("nats"));
    scene.studio.import(&paths, |_| {}, tokio_util::sync::CancellationToken::new()).await.unwrap();
    let name = recording.display();

    if count("payments_500") > 0 && failed > 2 {
        let (first, common) = first_factor(&scene, "state:failed").await;
        assert_eq!(first["what"]["kind"], json!("first-failure"), "{name}: {first}");
        assert!(first["what"]["value"].as_str().unwrap().starts_with("payments-sys-api "), "{name}: {first}");
        assert!(first["group"].as_u64().unwrap() >= failed, "{name}: {failed} failed: {first}");
        let filter = first["what"]["filter"].as_str().unwrap();
        let page = scene
            .ask("journeys", json!({ "range": {}, "filter": format!("state:failed {filter}"), "limit": 500 }))
            .await;
        assert!(page["total"].as_u64() >= first["group"].as_u64(), "{name}: {filter} finds {}", page["total"]);
        assert!(common["looks"].as_u64() > Some(50), "{common}");
    }
    if count("slow_inventory") > 5 {
        let (first, _) = first_factor(&scene, "response>1400ms").await;
        // A handful of slow ones cannot tell its own time from what else marks that participant.
        if first["group"].as_u64() > Some(5) {
            assert_eq!(first["what"]["kind"], json!("own-time"), "{name}: {first}");
        }
        assert_eq!(first["what"]["at"], json!("inventory-sys-api"), "{name}: {first}");
    }
    scene.studio.stop().await;
}

//! The settings file and what it does: edited by the window and by people, keys at the door, noise on the map.

use std::time::Duration;

use flowglass_studio::api::Update;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Options, S, Scene, Studio, T0, place_order, spans};

/// How long something that happens within a second may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn file(scene: &Scene) -> std::path::PathBuf {
    scene.studio.workspace().settings().path
}

/// Waits until the settings are those a check wants.
async fn until(scene: &Scene, check: impl Fn(&Value) -> bool) -> Value {
    let mut updates = scene.studio.updates();
    let wait = async {
        loop {
            let view = scene.ask("settings", json!({})).await;
            if check(&view) {
                return view;
            }
            while !matches!(updates.recv().await, Ok(Update::Settings {})) {}
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("the change is noticed")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_by_somebody_elses_editor_is_noticed_and_a_bad_one_keeps_the_last_good() {
    let scene = Scene::new().await;
    let path = file(&scene);
    assert_eq!(scene.ask("settings", json!({})).await["exists"], false);
    std::fs::write(&path, "# ours\n[domains]\na = \"A\"\n").unwrap();
    let view = until(&scene, |v| v["domains"] != json!([])).await;
    assert_eq!(view["domains"], json!([{ "matchName": "a", "domain": "A" }]));

    std::fs::write(&path, "# ours\n[domains]\na = \"A\nb = 1\n").unwrap();
    let view = until(&scene, |v| v["problem"] != Value::Null).await;
    assert!(view["problem"].as_str().unwrap().contains("line 3, column"), "{view}");
    assert_eq!(view["domains"][0]["domain"], "A", "the last good version counts");
    let refused = scene.refused("edit_settings", json!({ "noise": ["GET /x"] })).await;
    assert!(refused.message.contains("line 3"), "{}", refused.message);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "# ours\n[domains]\na = \"A\nb = 1\n");

    std::fs::write(&path, "# mended\n[domains]\na = \"B\"\n").unwrap();
    let view = until(&scene, |v| v["problem"] == Value::Null).await;
    assert_eq!(view["domains"][0]["domain"], "B");
    scene.studio.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_window_does_not_overwrite_what_somebody_wrote_meanwhile() {
    let scene = Scene::new().await;
    let owner =
        |name: &str| json!({ "matchName": name, "owner": name.to_uppercase(), "contact": null, "runbook": null });
    let shown = scene.ask("edit_settings", json!({ "owners": [owner("a"), owner("b")] })).await;
    let path = file(&scene);
    let mut text = std::fs::read_to_string(&path).unwrap();
    text = text.replace(
        "[[owners]]\nmatch_name = \"b\"",
        "# theirs\n[[owners]]\nmatch_name = \"c\"\nowner = \"C\"\n\n[[owners]]\nmatch_name = \"b\"",
    );
    assert!(text.contains("# theirs"), "{text}");
    std::fs::write(&path, &text).unwrap();
    // The other change may be known by now or not: the window's lists are older either way.
    let mine = json!({ "revision": shown["revision"], "owners": [owner("a"), owner("d")] });
    let view = scene.ask("edit_settings", mine).await;
    let names: Vec<&str> =
        view["owners"].as_array().unwrap().iter().map(|o| o["matchName"].as_str().unwrap()).collect();
    assert_eq!(names, ["a", "d", "c"]);
    assert!(std::fs::read_to_string(&path).unwrap().contains("# theirs\n[[owners]]\nmatch_name = \"c\""));
    // Undo: the lists as they were, from the version shown now.
    let undo = json!({ "revision": view["revision"], "owners": [owner("a"), owner("b"), owner("c")] });
    let view = scene.ask("edit_settings", undo).await;
    assert_eq!(view["owners"].as_array().unwrap().len(), 3);
    let wrong = scene.refused("edit_settings", json!({ "owners": [owner("a"), owner(" ")] })).await;
    assert_eq!(wrong.message, "owner 2: the name is missing");
    scene.studio.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_participants_get_layer_domain_and_owner_at_once() {
    let scene = Scene::new().await;
    place_order(&scene, 1).await;
    let ids = ["service:shop/order-prc-api", "service:shop/notification-service"];
    let change = |layer: Value, domain: Value, owner: Value| json!({ "ids": ids, "layer": layer, "domain": domain, "owner": owner });
    scene.ask("set_participants", change(json!("process"), json!("Orders"), json!("Team O"))).await;
    let node = async |id: &str| {
        let map = scene.ask("topology", json!({ "range": {}, "relayout": false })).await;
        map["nodes"].as_array().unwrap().iter().find(|n| n["id"] == id).unwrap().clone()
    };
    for id in ids {
        let n = node(id).await;
        assert_eq!((&n["layer"], &n["domain"], &n["owner"]), (&json!("process"), &json!("Orders"), &json!("Team O")));
    }
    scene.ask("set_participants", change(json!(""), Value::Null, json!(""))).await;
    let n = node(ids[1]).await;
    assert_eq!((&n["layerSource"], &n["domain"], &n["owner"]), (&json!("inferred"), &json!("Orders"), &Value::Null));
    let asked = json!({ "kind": "participant", "patterns": ["order-*", "nobody"] });
    let matches = scene.ask("rule_matches", asked).await;
    assert_eq!(
        (&matches["matches"][0]["names"], &matches["matches"][1]["count"]),
        (&json!(["order-prc-api"]), &json!(0))
    );
    scene.studio.stop().await;
}

/// Sends a request as an exporter would; answers the status.
async fn post(address: std::net::SocketAddr, path: &str, kind: &str, body: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

fn otlp(trace: u8, attributes: Value) -> String {
    json!({ "resourceSpans": [{
        "resource": { "attributes": [{ "key": "service.name", "value": { "stringValue": "parcels" } }] },
        "scopeSpans": [{ "spans": [{
            "traceId": format!("{trace:032x}"), "spanId": format!("{trace:016x}"), "name": "POST /ship", "kind": 2,
            "startTimeUnixNano": T0.to_string(), "endTimeUnixNano": (T0 + 1_000_000).to_string(), "attributes": attributes,
        }] }],
    }] })
    .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn business_keys_of_the_file_are_found_at_every_door_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        otlp_grpc: None,
        otlp_http: Some(([127, 0, 0, 1], 0).into()),
        remembered_nats: false,
        ..Options::new(folder.path().join("shop.flowglass"))
    };
    let scene = Scene { studio: Studio::start(options).await.unwrap(), _folder: folder };
    let door = scene.studio.addresses().1.unwrap();
    let attribute = |key: &str, value: &str| json!([{ "key": key, "value": { "stringValue": value } }]);
    let keys = async |trace: u8| {
        let page = scene.ask("journeys", json!({ "range": {}, "limit": 50 })).await;
        let id = format!("{trace:032x}");
        page["rows"].as_array().unwrap().iter().find(|j| j["id"] == *id).unwrap()["keys"].clone()
    };
    let sent = post(door, "/v1/traces", "application/json", &otlp(1, attribute("app.parcelCode", "P-1"))).await;
    assert!(sent.contains("200"), "{sent}");
    assert_eq!(keys(1).await, json!([]), "nobody named it yet");

    scene.ask("edit_settings", json!({ "businessKeys": ["parcelCode", "shipment.lot"] })).await;
    post(door, "/v1/traces", "application/json", &otlp(2, attribute("app.parcelCode", "P-2"))).await;
    assert_eq!(keys(2).await[0]["name"], "parcelCode", "from then on, without a restart");
    assert!(!scene.studio.workspace().find("P-2").unwrap().is_empty());

    let event = json!({ "specversion": "1.0", "id": "e-1", "source": "/s", "type": "shipped",
        "data": { "shipment": { "inner": 1, "lot": "L-7" }, "parcel": { "deep": { "parcel_code": "P-3" } } } });
    let sent = post(door, "/cloudevents", "application/cloudevents+json", &event.to_string()).await;
    assert!(sent.contains(" 20"), "{sent}");
    for value in ["L-7", "P-3"] {
        assert!(!scene.studio.workspace().find(value).unwrap().is_empty(), "{value}");
    }
    let text = otlp(4, attribute("http.request.header.x-parcel-code", "P-4"));
    scene.studio.import_stream("pasted", std::io::Cursor::new(text.into_bytes())).await;
    assert_eq!(keys(4).await[0]["value"], "P-4", "files too");
    scene.studio.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_checks_are_folded_and_counted_but_never_dropped() {
    let scene = Scene::new().await;
    place_order(&scene, 1).await;
    let map = async || scene.ask("topology", json!({ "range": {}, "relayout": false })).await;
    let before = map().await;
    let probe = |trace: u8, parent: u8| S {
        id: 9,
        parent,
        kind: 2,
        name: "GET /healthz",
        at_ms: i64::from(trace) * 10,
        ms: 1,
        error: Some("not ready"),
        attributes: json!({ "http.request.method": "GET", "http.route": "/healthz", "user_agent.original": "kube-probe/1.30" }),
    };
    for trace in 60..70 {
        scene.submit(spans("order-prc-api", trace, &[probe(trace, 0)])).await;
    }
    scene.submit(spans("probed-only", 80, &[probe(80, 0)])).await;
    let after = map().await;
    assert_eq!((&after["nodes"], &after["edges"]), (&before["nodes"], &before["edges"]), "figures and sparklines stay");
    assert_eq!((&after["noise"], &after["hidden"]), (&json!(11), &json!(["probed-only"])));

    let all = scene.studio.workspace().graph(None, None, None).unwrap();
    let counted = all.nodes.iter().find(|n| n.id.as_str() == "service:shop/order-prc-api").unwrap();
    assert_eq!(counted.stats.count, 11, "the command line counts everything");
    assert!(
        all.edges.iter().any(|e| e.source.as_str().starts_with("consumer:") && e.stats.count == 10),
        "{:?}",
        all.edges
    );

    let settings = scene.ask("settings", json!({})).await;
    let rule = settings["noise"].as_array().unwrap().iter().find(|r| r["pattern"] == "*/healthz").unwrap();
    assert_eq!(rule["requests"], 11);
    let matches = scene.ask("rule_matches", json!({ "kind": "noise", "patterns": ["probed-only *"] })).await;
    assert_eq!(matches["matches"][0]["names"], json!(["GET /healthz of probed-only"]));

    scene.ask("edit_settings", json!({ "noise": [] })).await;
    let shown = map().await;
    assert_eq!((&shown["noise"], &shown["hidden"]), (&json!(0), &json!([])));
    assert!(shown["nodes"].as_array().unwrap().iter().any(|n| n["name"] == "probed-only"));
    scene.studio.stop().await;
}

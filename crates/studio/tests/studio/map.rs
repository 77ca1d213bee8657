//! The map: folded domains, silence, noise, bars of the scrubber, pictures.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::{S, Scene, names, place_order, spans};

fn get(path: &'static str, id: u8, at_ms: i64) -> S<'static> {
    let attributes = json!({ "http.request.method": "GET", "http.route": path.trim_start_matches("GET ") });
    S { id, parent: 0, kind: 2, name: path, at_ms, ms: 5, error: None, attributes }
}

fn node<'a>(map: &'a Value, id: &str) -> &'a Value {
    map["nodes"].as_array().unwrap().iter().find(|n| n["id"] == id).unwrap_or_else(|| panic!("{id} in {map}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_folds_into_one_card_per_layer_and_back_to_where_it_stood() {
    let scene = Scene::new().await;
    for (n, service) in ["pay-prc-api", "ship-prc-api", "mobile-exp-api"].into_iter().enumerate() {
        scene.submit(spans(service, 10 + n as u8, &[get("GET /x", 1, 0)])).await;
    }
    let open = scene.ask("topology", json!({ "range": {}, "relayout": false, "folded": [] })).await;
    assert_eq!(open["domains"], json!([{ "name": "shop", "nodes": 3, "folded": false }]));
    let folded = scene.ask("topology", json!({ "range": {}, "relayout": false, "folded": ["shop"] })).await;
    assert_eq!(names(&folded, "nodes", "name"), ["client", "mobile-exp-api", "shop"], "{folded}");
    let card = node(&folded, "group:process/shop");
    assert_eq!(
        (&card["kind"], &card["health"], &card["figures"]["count"]),
        (&json!("group"), &json!("healthy"), &json!(2))
    );
    assert_eq!(names(card, "members", "name"), ["pay-prc-api", "ship-prc-api"]);
    let edge = folded["edges"].as_array().unwrap().iter().find(|e| e["target"] == "group:process/shop").unwrap();
    assert_eq!(edge["figures"]["count"], json!(2), "two interactions became one: {edge}");

    let request = json!({ "range": {}, "relayout": false, "folded": ["shop"], "keep": ["service:shop/pay-prc-api"] });
    let kept = scene.ask("topology", request).await;
    assert_eq!(names(&kept, "nodes", "name"), names(&open, "nodes", "name"), "what is selected stands by itself");
    for id in ["service:shop/pay-prc-api", "service:shop/mobile-exp-api"] {
        let at = |map: &Value| (node(map, id)["x"].clone(), node(map, id)["y"].clone());
        assert_eq!(at(&kept), at(&open), "{id} moved");
    }
    scene.studio.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sent_regularly_and_stopped_is_called_quiet() {
    let scene = Scene::new().await;
    // By the studio's clock it is 60 s: one sends until now, one stopped four minutes ago, one was seen only once.
    for i in 0..30_u8 {
        scene.submit(spans("steady-sys-api", 20 + i, &[get("GET /x", 1, -240_000 + i64::from(i) * 10_000)])).await;
    }
    for i in 0..12_u8 {
        scene.submit(spans("silent-sys-api", 60 + i, &[get("GET /x", 1, -300_000 + i64::from(i) * 10_000)])).await;
    }
    scene.submit(spans("once-sys-api", 90, &[get("GET /x", 1, -300_000)])).await;
    let map = scene.ask("topology", json!({ "range": {}, "relayout": false })).await;
    let quiet = map["quiet"].as_array().unwrap();
    assert_eq!(quiet.len(), 1, "{quiet:?}");
    assert_eq!(
        (&quiet[0]["participant"], &quiet[0]["usualMs"]),
        (&json!("service:shop/silent-sys-api"), &json!(10_000.0))
    );
    let silent_for = (super::T0 as f64 / 1e6 + 60_000.0) - quiet[0]["lastAt"].as_f64().unwrap();
    assert!((230_000.0..=250_000.0).contains(&silent_for), "{silent_for}");
    scene.studio.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn noise_is_counted_beside_the_figures() {
    let scene = Scene::new().await;
    scene
        .submit(spans(
            "order-prc-api",
            1,
            &[get("GET /orders", 1, 0), get("GET /healthz", 2, 1), get("GET /healthz", 3, 2)],
        ))
        .await;
    scene.submit(spans("idle-prc-api", 2, &[get("GET /healthz", 4, 3)])).await;
    let map = scene.ask("topology", json!({ "range": {}, "relayout": false })).await;
    assert_eq!((&map["noise"], &map["hidden"]), (&json!(3), &json!(["idle-prc-api"])), "{map}");
    let order = node(&map, "service:shop/order-prc-api");
    assert_eq!(order["figures"]["count"], json!(1));
    let sparked: f64 = order["spark"].as_array().unwrap().iter().filter_map(Value::as_f64).sum();
    assert!((sparked - 1.0).abs() < 1e-9, "the sparkline tells the same");
    let detail = scene.ask("node", json!({ "id": "service:shop/order-prc-api", "range": {} })).await;
    let noise = |name: &str| {
        let operations = detail["operations"].as_array().unwrap();
        operations.iter().find(|o| o["name"] == name).map(|o| o["noise"].clone())
    };
    assert_eq!((noise("GET /orders"), noise("GET /healthz")), (Some(json!(false)), Some(json!(true))));
    scene.studio.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bars_begin_at_round_instants() {
    let scene = Scene::new().await;
    place_order(&scene, 1).await;
    let since = super::T0 as f64 / 1e6 - 57_000.0;
    let range = json!({ "sinceAt": since, "untilAt": since + 900_000.0 });
    let timeline = scene.ask("timeline", json!({ "range": range, "buckets": 120 })).await;
    assert_eq!(timeline["bucketMs"], json!(10_000.0));
    let bars = timeline["requests"].as_array().unwrap();
    assert_eq!(bars[0]["startAt"].as_f64().unwrap() % 10_000.0, 0.0);
    assert!(bars[0]["startAt"].as_f64().unwrap() <= since && bars.len() == 91, "{}", bars.len());
    let sum = |key: &str| bars.iter().filter_map(|b| b[key].as_u64()).sum::<u64>();
    assert_eq!((sum("count"), sum("errors")), (4, 3));
    scene.studio.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_map_is_exported_with_heading_range_and_legend() {
    let scene = Scene::new().await;
    place_order(&scene, 1).await;
    let request = |format: &str, nodes: Value| json!({ "format": format, "theme": "dark", "range": {}, "environment": null, "title": "", "nodes": nodes, "rangeWords": "Last 15 min" });
    let text =
        |file: &Value| String::from_utf8(BASE64_STANDARD.decode(file["base64"].as_str().unwrap()).unwrap()).unwrap();
    let picture = scene.ask("map_export", request("svg", json!([]))).await;
    assert_eq!((&picture["name"], &picture["mediaType"]), (&json!("shop-map.svg"), &json!("image/svg+xml")));
    let svg = text(&picture);
    for part in [">shop<", "Last 15 min", "Failing, 5 % and more", "payments-sys-api", "orders.placed", "#0D1015"] {
        assert!(svg.contains(part), "{part} is missing in {svg}");
    }
    let ids = json!(["service:shop/order-prc-api", "service:shop/payments-sys-api"]);
    let part = text(&scene.ask("map_export", request("mermaid", ids)).await);
    assert!(part.starts_with("---\ntitle: \"shop · Last 15 min\"\n---\nflowchart RL\n"), "{part}");
    assert!(part.contains("payments-sys-api") && !part.contains("web-orders-exp-api"), "{part}");
    let refused = scene.refused("map_export", request("gif", json!([]))).await;
    assert!(refused.code == "bad-request" && refused.message.contains("svg or mermaid"), "{}", refused.message);
    scene.studio.stop().await;
}

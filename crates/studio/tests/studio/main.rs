//! The studio through its own front door: batches in, requests answered.

mod design;
mod erase;
mod finding;
mod map;
mod query;
mod scenarios;
mod settings;

use flowglass_studio::api::{ApiError, dispatch};
use flowglass_studio::ingest::Options as NormaliseOptions;
use flowglass_studio::ingest::otlp::{Encoding, decode_traces};
use flowglass_studio::model::{Batch, IngestCounts, Message, MessageContext, SourceKind};
use flowglass_studio::{Options, Studio};
use serde_json::{Value, json};

/// 2026-03-10T14:31:00Z.
const T0: i64 = 1_773_153_060_000_000_000;

struct Scene {
    studio: Studio,
    _folder: tempfile::TempDir,
}

impl Scene {
    async fn new() -> Scene {
        let folder = tempfile::tempdir().unwrap();
        let options = Options {
            otlp_grpc: None,
            otlp_http: None,
            clock: || T0 + 60_000_000_000,
            ..Options::new(folder.path().join("shop.flowglass"))
        };
        Scene { studio: Studio::start(options).await.unwrap(), _folder: folder }
    }

    async fn submit(&self, batch: Batch) -> IngestCounts {
        self.studio.sink().unwrap().submit(batch, SourceKind::File).await.unwrap()
    }

    async fn ask(&self, name: &str, argument: Value) -> Value {
        dispatch(&self.studio, name, argument).await.unwrap_or_else(|e| panic!("{name}: {}", e.message))
    }

    async fn refused(&self, name: &str, argument: Value) -> ApiError {
        dispatch(&self.studio, name, argument).await.expect_err("refused")
    }
}

/// One span as OTLP/JSON.
struct S<'a> {
    id: u8,
    parent: u8,
    kind: u8,
    name: &'a str,
    at_ms: i64,
    ms: i64,
    error: Option<&'a str>,
    attributes: Value,
}

fn spans(service: &str, trace: u8, list: &[S<'_>]) -> Batch {
    let hex = |n: u8| format!("{n:016x}");
    let spans: Vec<Value> = list
        .iter()
        .map(|s| {
            let start = T0 + s.at_ms * 1_000_000;
            let attributes: Vec<Value> = s
                .attributes
                .as_object()
                .unwrap()
                .iter()
                .map(|(k, v)| match v {
                    Value::Number(n) => json!({ "key": k, "value": { "intValue": n.to_string() } }),
                    other => json!({ "key": k, "value": { "stringValue": other.as_str().unwrap() } }),
                })
                .collect();
            json!({
                "traceId": format!("{trace:032x}"), "spanId": hex(s.id),
                "parentSpanId": if s.parent == 0 { String::new() } else { hex(s.parent) },
                "name": s.name, "kind": s.kind, "startTimeUnixNano": start.to_string(),
                "endTimeUnixNano": (start + s.ms * 1_000_000).to_string(), "attributes": attributes,
                "status": s.error.map_or(json!({}), |m| json!({ "code": 2, "message": m })),
            })
        })
        .collect();
    let resource = json!({ "attributes": [
        { "key": "service.name", "value": { "stringValue": service } },
        { "key": "service.namespace", "value": { "stringValue": "shop" } },
    ] });
    let document = json!({ "resourceSpans": [{ "resource": resource, "scopeSpans": [{ "spans": spans }] }] });
    decode_traces(document.to_string().as_bytes(), Encoding::Json, &NormaliseOptions::default()).unwrap()
}

/// web → order → payments (which fails), and an event that notification-service handles in a trace of its own.
async fn place_order(scene: &Scene, n: u8) {
    let order = format!("ORD-{n}");
    let s = |id, parent, kind, name, at_ms, ms, error, attributes| S {
        id,
        parent,
        kind,
        name,
        at_ms,
        ms,
        error,
        attributes,
    };
    scene
        .submit(spans(
            "web-orders-exp-api",
            n,
            &[
                s(
                    1,
                    0,
                    2,
                    "POST /orders",
                    0,
                    200,
                    Some("payment failed"),
                    json!({ "http.request.method": "POST",
                    "http.route": "/orders", "http.response.status_code": 502, "order.id": order }),
                ),
                s(
                    2,
                    1,
                    3,
                    "POST",
                    5,
                    190,
                    Some("502"),
                    json!({ "http.request.method": "POST",
                    "server.address": "order-prc-api", "http.response.status_code": 502 }),
                ),
            ],
        ))
        .await;
    scene
        .submit(spans(
            "order-prc-api",
            n,
            &[
                s(
                    3,
                    2,
                    2,
                    "POST /orders",
                    10,
                    180,
                    Some("payment failed"),
                    json!({ "http.request.method": "POST",
                    "http.route": "/orders", "http.response.status_code": 502 }),
                ),
                s(
                    4,
                    3,
                    3,
                    "POST",
                    20,
                    100,
                    Some("500"),
                    json!({ "http.request.method": "POST",
                    "server.address": "payments-sys-api", "http.response.status_code": 500 }),
                ),
                s(
                    6,
                    3,
                    4,
                    "publish orders.placed",
                    130,
                    10,
                    None,
                    json!({ "messaging.system": "nats",
                    "messaging.destination.name": "orders.placed", "messaging.operation.type": "send",
                    "messaging.message.id": format!("e-{n}") }),
                ),
            ],
        ))
        .await;
    scene
        .submit(spans(
            "payments-sys-api",
            n,
            &[s(
                5,
                4,
                2,
                "POST /charge",
                25,
                90,
                Some("acquirer connect timeout"),
                json!({ "http.request.method": "POST",
                "http.route": "/charge", "http.response.status_code": 500 }),
            )],
        ))
        .await;
    scene
        .submit(spans(
            "notification-service",
            100 + n,
            &[s(
                7,
                0,
                5,
                "process orders.placed",
                300,
                40,
                None,
                json!({ "messaging.system": "nats",
                "messaging.destination.name": "orders.placed", "messaging.operation.type": "process",
                "messaging.consumer.group.name": "notification", "messaging.message.id": format!("e-{n}") }),
            )],
        ))
        .await;
    scene.submit(Batch { messages: vec![message(n)], ..Batch::default() }).await;
}

fn message(n: u8) -> Message {
    let payload = json!({ "orderId": format!("ORD-{n}"), "iban": "DE0012345" }).to_string().into_bytes();
    Message {
        system: "nats".into(),
        destination: "orders.placed".into(),
        time: T0 + 131_000_000,
        stream: None,
        sequence: None,
        event_id: Some(format!("e-{n}")),
        source: Some("/order-prc-api".into()),
        event_type: Some("order.placed.v1".into()),
        key: None,
        hop: Some(MessageContext {
            trace_id: format!("{n:032x}").parse().unwrap(),
            span_id: format!("{:016x}", 6).parse().unwrap(),
        }),
        origin: None,
        correlation_id: None,
        hop_format: Default::default(),
        causation_id: None,
        reply: None,
        headers: vec![("traceparent".into(), "…".into())],
        payload_size: payload.len() as u64,
        payload,
        content_type: Some("application/json".into()),
        keys: vec![("orderId".into(), format!("ORD-{n}"))],
        redacted: 0,
    }
}

fn names(view: &Value, list: &str, field: &str) -> Vec<String> {
    let mut out: Vec<String> =
        view[list].as_array().unwrap().iter().map(|v| v[field].as_str().unwrap().into()).collect();
    out.sort();
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn one_story_is_told_the_same_on_every_view() {
    let scene = Scene::new().await;
    assert_eq!(scene.ask("app", json!({})).await["empty"], json!(true));
    place_order(&scene, 17).await;

    let map = scene.ask("topology", json!({ "range": {}, "relayout": false })).await;
    assert_eq!(
        names(&map, "nodes", "name"),
        ["client", "notification-service", "order-prc-api", "orders.placed", "payments-sys-api", "web-orders-exp-api"]
    );
    assert_eq!(
        names(&map, "edges", "kind"),
        ["call", "call", "call", "consume", "publish"],
        "span and message of one publication count once: {map}"
    );
    let layer = |name: &str| {
        let nodes = map["nodes"].as_array().unwrap();
        nodes.iter().find(|n| n["name"] == name).unwrap()["layer"].as_str().unwrap().to_owned()
    };
    assert_eq!(layer("web-orders-exp-api"), "experience");
    assert_eq!(layer("payments-sys-api"), "system");
    assert_eq!(layer("notification-service"), "event");
    let payments = map["nodes"].as_array().unwrap().iter().find(|n| n["name"] == "payments-sys-api").unwrap();
    assert_eq!((&payments["health"], &payments["figures"]["errors"]), (&json!("failing"), &json!(1)));

    let page = scene.ask("journeys", json!({ "range": {}, "limit": 50 })).await;
    assert_eq!(page["total"], json!(1), "the handler's own trace belongs to the journey: {page}");
    let row = &page["rows"][0];
    assert_eq!((&row["state"], &row["service"]), (&json!("failed"), &json!("web-orders-exp-api")));
    assert!(row["failure"].as_str().unwrap().contains("acquirer connect timeout"), "{row}");
    assert_eq!(row["keys"], json!([{ "name": "orderId", "value": "ORD-17" }]));

    for find in ["ORD-17", "e-17", &format!("{:032x}", 117)] {
        let found = scene.ask("journeys", json!({ "range": {}, "find": find, "limit": 50 })).await;
        assert_eq!(found["rows"][0]["id"], row["id"], "{find}");
    }

    let journey = scene.ask("journey", json!({ "id": format!("{:032x}", 117) })).await;
    assert_eq!(journey["row"]["id"], row["id"], "any trace of it names a journey");
    assert_eq!(journey["items"].as_array().unwrap().len(), 8, "{journey}");
    let handler =
        journey["items"].as_array().unwrap().iter().find(|i| i["participantName"] == "notification-service").unwrap();
    assert_eq!((&handler["role"], &handler["synchronous"]), (&json!("consumer"), &json!(false)));
    assert_eq!(journey["failure"]["participantName"], json!("payments-sys-api"));

    let events = scene.ask("events", json!({ "range": {}, "limit": 50 })).await;
    assert_eq!((&events["total"], &events["rows"][0]["journey"]), (&json!(1), &row["id"]));
    let event = scene.ask("event", json!({ "row": events["rows"][0]["row"], "reveal": [] })).await;
    assert!(!event["payload"].as_str().unwrap().contains("DE0012345"), "hidden until revealed");
    assert_eq!(event["redactedFields"], json!(["iban"]));
    assert_eq!(event["deliveries"][0]["consumer"], json!("notification"));
    let shown = scene.ask("event", json!({ "row": events["rows"][0]["row"], "reveal": ["iban"] })).await;
    assert!(shown["payload"].as_str().unwrap().contains("DE0012345"));

    let detail = scene.ask("node", json!({ "id": "service:shop/payments-sys-api", "range": {} })).await;
    assert_eq!(detail["operations"][0]["name"], json!("POST /charge"));
    assert_eq!(detail["failures"][0]["title"], json!("POST /charge returned 500"));
    let span = scene
        .ask("span", json!({ "traceId": format!("{:032x}", 17), "spanId": format!("{:016x}", 5), "reveal": [] }))
        .await;
    assert_eq!(span["statusMessage"], json!("acquirer connect timeout"));
    let destinations = scene.ask("destinations", json!({ "range": {} })).await;
    assert_eq!(destinations["rows"][0]["consumers"][0]["name"], json!("notification-service"));
    scene.studio.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_revision_is_answered_with_the_difference_and_nobody_moves() {
    let scene = Scene::new().await;
    place_order(&scene, 1).await;
    let first = scene.ask("topology", json!({ "range": {}, "relayout": false })).await;
    let revision = first["revision"].clone();
    let same = scene.ask("topology", json!({ "range": {}, "relayout": false, "knownRevision": revision })).await;
    assert_eq!((&same["full"], &same["nodes"], &same["revision"]), (&json!(false), &json!([]), &revision));

    let call = S {
        id: 9,
        parent: 0,
        kind: 2,
        name: "GET /stock",
        at_ms: 5,
        ms: 3,
        error: None,
        attributes: json!({ "http.request.method": "GET", "http.route": "/stock" }),
    };
    scene.submit(spans("mobile-exp-api", 50, &[call])).await;
    let changed = scene.ask("topology", json!({ "range": {}, "relayout": false, "knownRevision": revision })).await;
    assert_eq!(names(&changed, "nodes", "name"), ["client", "mobile-exp-api"], "{changed}");
    assert_eq!(changed["removedNodes"], json!([]));
    let all = scene.ask("topology", json!({ "range": {}, "relayout": false })).await;
    for old in first["nodes"].as_array().unwrap() {
        let new = all["nodes"].as_array().unwrap().iter().find(|n| n["id"] == old["id"]).unwrap();
        let lower = |n: &Value| n["y"].as_f64().unwrap() - all["nodes"][0]["y"].as_f64().unwrap();
        let before = old["y"].as_f64().unwrap() - first["nodes"][0]["y"].as_f64().unwrap();
        assert!((lower(new) - before).abs() < 1e-6, "{} moved", old["id"]);
    }
    scene.studio.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_edited_in_place_and_take_effect() {
    let scene = Scene::new().await;
    place_order(&scene, 1).await;
    let id = "service:shop/notification-service";
    let settings = scene.ask("set_layer", json!({ "id": id, "layer": "process" })).await;
    assert!(settings["text"].as_str().unwrap().starts_with("# Flowglass settings"), "{settings}");
    let map = scene.ask("topology", json!({ "range": {}, "relayout": false })).await;
    let node = map["nodes"].as_array().unwrap().iter().find(|n| n["id"] == id).unwrap();
    assert_eq!((&node["layer"], &node["layerSource"]), (&json!("process"), &json!("user")));
    scene.ask("set_layer", json!({ "id": id, "layer": null })).await;
    let error = scene.refused("set_layer", json!({ "id": id, "layer": "attic" })).await;
    assert_eq!(error.code, "bad-request");
    assert!(error.message.contains("attic") && error.message.contains("experience"));
    assert_eq!(scene.refused("nonsense", json!({})).await.code, "bad-request");
    assert_eq!(
        scene.refused("span", json!({ "traceId": "xyz", "spanId": "1", "reveal": [] })).await.code,
        "bad-request"
    );
    assert_eq!(scene.refused("journey", json!({ "id": format!("{:032x}", 99) })).await.code, "not-found");
    scene.studio.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sending_everything_twice_changes_nothing() {
    let scene = Scene::new().await;
    place_order(&scene, 3).await;
    let before = scene.ask("topology", json!({ "range": {}, "relayout": false })).await;
    place_order(&scene, 3).await;
    let after =
        scene.ask("topology", json!({ "range": {}, "relayout": false, "knownRevision": before["revision"] })).await;
    assert_eq!((&after["nodes"], &after["edges"]), (&json!([]), &json!([])));
    let stats = scene.studio.workspace().stats().unwrap();
    assert_eq!((stats.spans, stats.traces, stats.events), (7, 2, 1));
    scene.studio.stop().await;
}

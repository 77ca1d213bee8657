//! One grammar: the same expression filters journeys, events, logs and the map, is completed, and searched with.

use flowglass_studio::model::{Batch, LogRecord, Value as Text};
use serde_json::{Value, json};

use super::{S, Scene, T0, names, place_order, spans};

fn probe<'a>(name: &'static str) -> S<'a> {
    let attributes = json!({ "http.request.method": "GET", "http.route": name.trim_start_matches("GET ") });
    S { id: 1, parent: 0, kind: 2, name, at_ms: 0, ms: 5, error: None, attributes }
}

async fn total(scene: &Scene, request: &str, filter: &str) -> u64 {
    let page = scene.ask(request, json!({ "range": {}, "filter": filter, "limit": 50 })).await;
    page["total"].as_u64().unwrap_or_else(|| panic!("{filter}: {page}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_expression_means_the_same_in_every_view() {
    let scene = Scene::new().await;
    place_order(&scene, 17).await;
    scene.submit(spans("order-prc-api", 90, &[probe("GET /health")])).await;

    for (filter, count) in [
        ("", 1),
        ("service:payments-sys-api state:failed", 1),
        ("layer:system layer:experience -layer:backend", 1),
        ("key:ORD-17", 1),
        ("key.orderId:ORD-17 operation:*orders", 1),
        ("@http.route:/charge", 1),
        ("@http.route:/nowhere", 0),
        ("duration<1us", 0),
        ("subject:orders.placed -retried:true", 1),
        ("acquirer", 1),
    ] {
        assert_eq!(total(&scene, "journeys", filter).await, count, "{filter}");
    }
    for (filter, count) in [
        ("subject:orders.*", 1),
        ("service:notification-service", 1),
        ("service:payments-sys-api", 0),
        ("key:ORD-17 type:order.placed.v1", 1),
        ("@orderId:ORD-17", 1),
        ("DE0012345", 1),
        ("-system:nats", 0),
    ] {
        assert_eq!(total(&scene, "events", filter).await, count, "{filter}");
    }
    let matches = |filter: &'static str| scene.ask("map_matches", json!({ "filter": filter, "range": {} }));
    let failing = matches("state:failed kind:service").await;
    assert!(failing["nodes"].as_array().unwrap().contains(&json!("service:shop/payments-sys-api")), "{failing}");
    assert_eq!(matches("layer:event kind:topic").await["nodes"], json!(["topic:nats/orders.placed"]));

    let noisy = scene.ask("journeys", json!({ "range": {}, "limit": 50 })).await;
    assert_eq!((&noisy["total"], &noisy["noise"]), (&json!(1), &json!(1)));
    let shown = scene.ask("journeys", json!({ "range": {}, "noise": true, "limit": 50 })).await;
    assert_eq!((&shown["total"], &shown["noise"]), (&json!(2), &json!(0)));

    let late = json!({ "range": { "sinceAt": 4e12, "untilAt": null }, "filter": "ORD-17", "limit": 50 });
    let page = scene.ask("journeys", late).await;
    assert_eq!((&page["rows"], &page["elsewhere"]["count"]), (&json!([]), &json!(1)), "{page}");
    assert!(page["nearest"]["beforeAt"].is_number());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_is_completed_and_found() {
    let scene = Scene::new().await;
    place_order(&scene, 17).await;
    let complete = |view: &'static str, text: &'static str| {
        scene.ask("complete", json!({ "view": view, "text": text, "cursor": text.encode_utf16().count() }))
    };
    let inserts = |c: &Value| -> Vec<String> {
        c["items"].as_array().unwrap().iter().map(|i| i["insert"].as_str().unwrap().to_owned()).collect()
    };
    for (view, text, first) in [
        ("journeys", "sta", "state:"),
        ("journeys", "ä state:fa", "failed"),
        ("journeys", "service:pay", "payments-sys-api"),
        ("journeys", "key.orderId:OR", "ORD-17"),
        ("journeys", "@http.rou", "@http.route:"),
        ("journeys", "@http.route:/ch", "/charge"),
        ("events", "type:", "order.placed.v1"),
        ("logs", "level>=w", "warn"),
        ("map", "operation:\"POST /ch", "\"POST /charge\""),
    ] {
        let answer = complete(view, text).await;
        assert_eq!(inserts(&answer).first().map(String::as_str), Some(first), "{text}: {answer}");
    }
    let wrong = complete("journeys", "ä colour:red").await;
    assert_eq!((&wrong["problem"]["from"], &wrong["problem"]["to"]), (&json!(2), &json!(12)), "{wrong}");

    let hits = scene.ask("search", json!({ "text": "ORD-17" })).await;
    assert_eq!((&hits["exact"], hits["journeys"].as_array().unwrap().len()), (&json!(true), 1));
    assert_eq!(hits["keys"], json!([{ "name": "orderId", "value": "ORD-17" }]));
    let hits = scene.ask("search", json!({ "text": "charge" })).await;
    assert_eq!(names(&hits, "nodes", "operation"), ["POST /charge"], "{hits}");
    assert_eq!(hits["journeys"].as_array().unwrap().len(), 1, "found by the words of its failure: {hits}");
}

#[tokio::test(flavor = "multi_thread")]
async fn log_lines_are_listed_with_and_without_a_trace() {
    let scene = Scene::new().await;
    place_order(&scene, 17).await;
    let emitter = spans("order-prc-api", 91, &[probe("GET /x")]).spans.remove(0);
    let log = |n: i64, severity: u8, trace: bool, body: &str| LogRecord {
        time: T0 + n,
        trace_id: trace.then(|| format!("{:032x}", 17).parse().unwrap()),
        span_id: None,
        severity,
        severity_text: String::new(),
        body: Text::from(body),
        event_name: String::new(),
        attributes: vec![("iban".into(), Text::from("DE0012345"))],
        resource: emitter.resource.clone(),
        scope: emitter.scope.clone(),
    };
    let logs = vec![log(1, 9, true, "placing ORD-17"), log(2, 17, false, "pool exhausted")];
    scene.submit(Batch { logs, ..Batch::default() }).await;

    let page = scene.ask("logs", json!({ "range": {}, "limit": 50, "reveal": [] })).await;
    assert_eq!((&page["total"], &page["more"]), (&json!(2), &json!(false)), "{page}");
    assert_eq!(page["byLevel"], json!([{ "level": "error", "count": 1 }, { "level": "info", "count": 1 }]));
    let rows = page["rows"].as_array().unwrap();
    assert_eq!((&rows[0]["body"], &rows[0]["journey"]), (&json!("pool exhausted"), &Value::Null));
    assert!(rows[1]["journey"].is_string(), "{page}");
    assert_eq!(rows[0]["attributes"][0]["redacted"], json!(true), "hidden until revealed");
    for (filter, count) in
        [("level>=warn", 1), ("ord-17 service:order-prc-api", 1), ("layer:process", 2), ("-@iban:*", 0)]
    {
        let page = scene.ask("logs", json!({ "range": {}, "filter": filter, "limit": 50, "reveal": [] })).await;
        assert_eq!(page["total"], json!(count), "{filter}");
    }
    let tail = json!({ "range": {}, "after": page["newest"], "limit": 50, "reveal": [] });
    assert_eq!(scene.ask("logs", tail).await["rows"], json!([]));
}

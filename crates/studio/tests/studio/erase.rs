//! Deleting leaves what would be there had the deleted never come.

use flowglass_studio::api::Update;
use flowglass_studio::model::{
    Acknowledgement, Batch, Delivery, DeliveryKey, LogRecord, Settlement, SpanKind, TraceId, Value as Any,
};
use flowglass_studio::store::Stats;
use serde_json::{Value, json};

use super::{S, Scene, T0, message, place_order, spans};

/// An order with everything that comes with one: stored publication, delivery, acknowledgement, log records.
async fn order(scene: &Scene, n: u8) {
    place_order(scene, n).await;
    let key = DeliveryKey { stream: "ORDERS".into(), consumer: "billing".into(), consumer_sequence: u64::from(n) };
    let stored =
        flowglass_studio::model::Message { stream: Some("ORDERS".into()), sequence: Some(u64::from(n)), ..message(n) };
    let delivery = Delivery {
        key: key.clone(),
        system: "nats".into(),
        destination: Some("orders.placed".into()),
        stream_sequence: u64::from(n),
        delivered: 1,
        time: T0 + 140_000_000,
        event_id: Some(format!("e-{n}")),
    };
    let settlement = Settlement {
        key,
        stream_sequence: u64::from(n),
        delivered: 1,
        time: T0 + 150_000_000,
        acknowledgement: Acknowledgement::Ack,
    };
    scene
        .submit(Batch {
            messages: vec![stored],
            deliveries: vec![delivery],
            settlements: vec![settlement],
            logs: vec![log(Some(n), i64::from(n)), log(Some(100 + n), 50 + i64::from(n))],
            ..Batch::default()
        })
        .await;
}

fn log(trace: Option<u8>, ms: i64) -> LogRecord {
    let some = spans("order-prc-api", 250, &[idle(1, 0)]).spans.remove(0);
    LogRecord {
        time: T0 + ms * 1_000_000,
        trace_id: trace.map(id),
        span_id: None,
        severity: 9,
        severity_text: "INFO".into(),
        body: Any::from("order taken"),
        event_name: String::new(),
        attributes: vec![],
        resource: some.resource,
        scope: some.scope,
    }
}

fn idle(id: u8, at_ms: i64) -> S<'static> {
    S { id, parent: 0, kind: 2, name: "GET /idle", at_ms, ms: 3, error: None, attributes: json!({}) }
}

fn id(n: u8) -> TraceId {
    format!("{n:032x}").parse().unwrap()
}

/// Everything people see, without row numbers (they never come back).
async fn seen(scene: &Scene) -> (Stats, Vec<Value>) {
    let mut views = vec![
        scene.ask("topology", json!({ "range": {}, "relayout": true })).await,
        scene
            .ask("journeys", json!({ "range": {}, "states": [], "retried": false, "deadLettered": false, "limit": 99 }))
            .await,
        scene.ask("events", json!({ "range": {}, "limit": 99 })).await,
        scene.ask("destinations", json!({ "range": {} })).await,
        scene.ask("timeline", json!({ "range": {}, "buckets": 7 })).await,
    ];
    for view in &mut views {
        without(view, &["row", "revision", "newestRow"]);
    }
    let stats = scene.studio.workspace().stats().unwrap();
    (Stats { bytes: 0, ..stats }, views)
}

fn without(value: &mut Value, keys: &[&str]) {
    match value {
        Value::Object(members) => {
            members.retain(|key, v| !(keys.contains(&key.as_str()) && v.is_number()));
            members.values_mut().for_each(|v| without(v, keys));
        }
        Value::Array(items) => items.iter_mut().for_each(|v| without(v, keys)),
        _ => {}
    }
}

async fn erase(scene: &Scene, what: &str, journeys: &[u8], dry_run: bool) -> Value {
    let journeys: Vec<String> = journeys.iter().map(|n| format!("{n:032x}")).collect();
    scene.ask("erase", json!({ "what": what, "range": {}, "journeys": journeys, "dryRun": dry_run })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn any_journeys_deleted_never_came() {
    for gone in 1_u8..15 {
        let (wanted, mut lost) = (Scene::new().await, vec![]);
        let scene = Scene::new().await;
        for n in 1..=4 {
            order(&scene, n).await;
            if gone & (1 << (n - 1)) == 0 { order(&wanted, n).await } else { lost.push(n) }
        }
        let before = scene.studio.workspace().stats().unwrap();
        let counted = erase(&scene, "journeys", &lost, true).await;
        let n = lost.len();
        assert_eq!(counted["done"], json!(false));
        assert_eq!((&counted["journeys"], &counted["spans"]), (&json!(n), &json!(7 * n)), "{counted}");
        assert_eq!((&counted["events"], &counted["logs"]), (&json!(n), &json!(2 * n)), "{counted}");
        assert_eq!(scene.studio.workspace().stats().unwrap(), before, "counting deletes nothing");

        let done = erase(&scene, "journeys", &lost, false).await;
        assert_eq!(done, {
            let mut all = counted.clone();
            all["done"] = json!(true);
            all
        });
        let (left, right) = (seen(&scene).await, seen(&wanted).await);
        assert_eq!(left.0, right.0, "{lost:?}");
        for (left, right) in left.1.iter().zip(&right.1) {
            assert_eq!(left, right, "{lost:?}");
        }
        for n in &lost {
            order(&scene, *n).await;
        }
        let again = scene.studio.workspace().stats().unwrap();
        assert_eq!(Stats { bytes: 0, ..again }, Stats { bytes: 0, ..before }, "what was deleted may come again");
        scene.studio.stop().await;
        wanted.studio.stop().await;
    }
}

/// A batch handler whose one trace belongs to two journeys.
async fn two_orders_in_one_batch(scene: &Scene) {
    for n in [1, 2] {
        place_order(scene, n).await;
    }
    let mut both = spans("audit-service", 200, &[S { kind: 5, ..idle(8, 400) }]);
    let span = &mut both.spans[0];
    assert_eq!(span.facts.kind, SpanKind::Consumer);
    std::sync::Arc::make_mut(&mut span.facts).links =
        vec![(id(1), format!("{:016x}", 6).parse().unwrap()), (id(2), format!("{:016x}", 6).parse().unwrap())];
    scene.submit(both).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_journey_shares_stays_until_that_one_goes_too() {
    let scene = Scene::new().await;
    two_orders_in_one_batch(&scene).await;
    let journeys =
        |page: &Value| -> Vec<Value> { page["rows"].as_array().unwrap().iter().map(|r| r["id"].clone()).collect() };
    let ask = json!({ "range": {}, "states": [], "retried": false, "deadLettered": false, "limit": 99 });
    erase(&scene, "journeys", &[1], false).await;
    let page = scene.ask("journeys", ask.clone()).await;
    assert_eq!(journeys(&page), [json!(format!("{:032x}", 2))], "{page}");
    let journey = scene.ask("journey", json!({ "id": format!("{:032x}", 200) })).await;
    assert_eq!(journey["row"]["id"], json!(format!("{:032x}", 2)), "the shared trace belongs to the other one");
    erase(&scene, "journeys", &[2], false).await;
    let stats = scene.studio.workspace().stats().unwrap();
    assert_eq!((stats.spans, stats.traces, stats.events, stats.oldest), (0, 0, 0, None));
    let map = scene.ask("topology", json!({ "range": {}, "relayout": false })).await;
    assert_eq!(map["nodes"], json!([]), "{map}");
    scene.studio.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_takes_journeys_that_start_in_it_and_what_is_loose() {
    let (scene, wanted) = (Scene::new().await, Scene::new().await);
    for scene in [&scene, &wanted] {
        order(scene, 1).await;
    }
    let second = 1_000_000_000;
    let mut late = spans("stock-service", 9, &[idle(1, 20_000), idle(2, 20_010)]);
    late.messages = vec![flowglass_studio::model::Message {
        hop: None,
        event_id: Some("loose".into()),
        time: T0 + 21 * second,
        ..message(9)
    }];
    late.logs = vec![log(None, 22_000), log(Some(77), 22_001), log(Some(9), 20_005)];
    late.deliveries = vec![Delivery {
        key: DeliveryKey { stream: "GONE".into(), consumer: "c".into(), consumer_sequence: 1 },
        system: "nats".into(),
        destination: Some("gone".into()),
        stream_sequence: 1,
        delivered: 1,
        time: T0 + 23 * second,
        event_id: None,
    }];
    scene.submit(late).await;
    let range = json!({ "sinceAt": (T0 + 10 * second) as f64 / 1e6, "untilAt": (T0 + 60 * second) as f64 / 1e6 });
    let request = |dry_run: bool| json!({ "what": "range", "range": range, "journeys": [], "dryRun": dry_run });
    let counted = scene.ask("erase", request(true)).await;
    assert_eq!((&counted["journeys"], &counted["spans"]), (&json!(1), &json!(2)), "{counted}");
    assert_eq!((&counted["events"], &counted["logs"]), (&json!(1), &json!(3)), "{counted}");
    let done = scene.ask("erase", request(false)).await;
    assert_eq!((&done["events"], &done["logs"], &done["done"]), (&json!(1), &json!(3), &json!(true)));
    let (left, right) = (seen(&scene).await, seen(&wanted).await);
    assert_eq!(left.0, right.0);
    assert_eq!(left.1, right.1);
    assert_eq!(scene.ask("erase", request(true)).await["events"], json!(0));
    scene.studio.stop().await;
    wanted.studio.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_goes_but_the_settings_and_ids_never_come_back() {
    let scene = Scene::new().await;
    order(&scene, 1).await;
    let row = scene.ask("events", json!({ "range": {}, "limit": 9 })).await["rows"][0]["row"].as_i64().unwrap();
    scene.ask("set_mark", json!({ "name": "before", "at": null, "renames": null })).await;
    scene.ask("set_layer", json!({ "id": "service:shop/order-prc-api", "layer": "system" })).await;
    let mut updates = scene.studio.updates();
    let done = erase(&scene, "everything", &[], false).await;
    assert_eq!((&done["journeys"], &done["spans"], &done["done"]), (&json!(1), &json!(7), &json!(true)));
    let mut told = Vec::new();
    while let Ok(update) = updates.try_recv() {
        told.push(update);
    }
    assert!(told.iter().any(|u| matches!(u, Update::Erased {})), "every window is told");
    let stats = scene.studio.workspace().stats().unwrap();
    assert_eq!(Stats { bytes: 0, ..stats }, Stats::default());
    assert_eq!(scene.ask("marks", json!({})).await["marks"], json!([]));
    assert_eq!(scene.ask("app", json!({})).await["empty"], json!(true));

    order(&scene, 2).await;
    let (left, wanted) = (seen(&scene).await, Scene::new().await);
    order(&wanted, 2).await;
    wanted.ask("set_layer", json!({ "id": "service:shop/order-prc-api", "layer": "system" })).await;
    assert_eq!(left.0, seen(&wanted).await.0, "the workspace goes on as a new one would");
    assert_eq!(left.1, seen(&wanted).await.1);
    let next = scene.ask("events", json!({ "range": {}, "limit": 9 })).await["rows"][0]["row"].as_i64().unwrap();
    assert!(next > row, "a link to the old event must not show the new one: {next} after {row}");
    scene.studio.stop().await;
    wanted.studio.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_deleted_is_said() {
    let scene = Scene::new().await;
    order(&scene, 1).await;
    let ask = |what: &str, journeys: Value| json!({ "what": what, "range": {}, "journeys": journeys, "dryRun": true });
    assert_eq!(scene.refused("erase", ask("nothing", json!([]))).await.code, "bad-request");
    assert_eq!(scene.refused("erase", ask("journeys", json!([]))).await.code, "bad-request");
    assert_eq!(scene.refused("erase", ask("journeys", json!(["zz"]))).await.code, "bad-request");
    assert_eq!(scene.refused("erase", ask("journeys", json!([format!("{:032x}", 99)]))).await.code, "not-found");
    scene.ask("erase_cancel", json!({})).await;
    scene.studio.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_are_kept_by_the_workspace() {
    let scene = Scene::new().await;
    let set = |name: &str, at: Value, renames: Value| json!({ "name": name, "at": at, "renames": renames });
    let marks = scene.ask("set_mark", set("", Value::Null, Value::Null)).await;
    assert_eq!(marks["marks"], json!([{ "name": "From 14:32:00 UTC", "at": (T0 + 60_000_000_000) as f64 / 1e6 }]));
    scene.ask("set_mark", set("deploy", json!(1000.5), Value::Null)).await;
    let marks = scene.ask("set_mark", set("deploy 7", Value::Null, json!("deploy"))).await;
    assert_eq!(marks["marks"][1], json!({ "name": "deploy 7", "at": 1000.5 }));
    assert_eq!(scene.refused("set_mark", set("x", Value::Null, json!("none"))).await.code, "bad-request");
    scene.ask("remove_mark", json!({ "name": "deploy 7" })).await;
    assert_eq!(scene.ask("marks", json!({})).await["marks"].as_array().unwrap().len(), 1);
    scene.studio.stop().await;
}

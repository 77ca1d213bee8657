//! Dead letters of a real nats-server, published again: only what was shown, only where it is allowed, and recorded.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use async_nats::jetstream::stream::Config;
use async_nats::jetstream::{self, Context};
use flowglass_studio::api::{ApiError, dispatch};
use flowglass_studio::ingest::nats::NatsConfig;
use flowglass_studio::{Options, Studio};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(60);

struct Server(Child, String);

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone is fine.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

/// A server with JetStream on a free port: `NATS_SERVER`, or the one on the search path.
async fn server(folder: &Path) -> Server {
    let binary = std::env::var_os("NATS_SERVER").unwrap_or_else(|| "nats-server".into());
    let config = folder.join("server.conf");
    std::fs::write(&config, format!("jetstream {{ store_dir: \"{}\" }}\n", folder.display())).unwrap();
    let child = Command::new(binary)
        .args(["-a", "127.0.0.1", "-p", "-1", "-c"])
        .arg(&config)
        .arg("--ports_file_dir")
        .arg(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("nats-server is installed");
    let file = folder.join(format!("nats-server_{}.ports", child.id()));
    let mut server = Server(child, String::new());
    server.1 = until("the port", async || {
        let json: Value = serde_json::from_str(&std::fs::read_to_string(&file).ok()?).ok()?;
        let port: u16 = json["nats"][0].as_str()?.rsplit(':').next()?.parse().ok()?;
        Some(format!("nats://127.0.0.1:{port}"))
    })
    .await;
    server
}

async fn streams(url: &str) -> Context {
    let js = jetstream::new(async_nats::connect(url).await.unwrap());
    for (name, subject) in [("ORDERS", "orders.>"), ("DLQ", "dlq.>")] {
        let config =
            Config { name: name.into(), subjects: vec![subject.into()], allow_direct: true, ..Config::default() };
        js.create_stream(config).await.unwrap();
    }
    js
}

fn order(n: u32) -> Value {
    json!({ "specversion": "1.0", "id": format!("e-{n}"), "source": "/web", "type": "order.placed",
            "data": { "orderId": format!("o-{n}"), "password": "hunter2" } })
}

async fn publish(js: &Context, subject: &str, payload: &Value) {
    js.publish(subject.to_owned(), payload.to_string().into()).await.unwrap().await.unwrap();
}

async fn ask(studio: &Studio, name: &str, argument: Value) -> Value {
    dispatch(studio, name, argument).await.unwrap_or_else(|e| panic!("{name}: {}", e.message))
}

async fn refused(studio: &Studio, name: &str, argument: Value) -> ApiError {
    dispatch(studio, name, argument).await.expect_err("refused")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_goes_out_as_shown_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path()).await;
    let js = streams(&server.1).await;
    for n in [1, 2] {
        publish(&js, "orders.placed", &order(n)).await;
        let dead = json!({ "specversion": "1.0", "id": format!("d-{n}"), "source": "/payment", "type": "deadletter",
                           "data": { "original": order(n), "reason": "no account" } });
        publish(&js, "dlq.orders.placed", &dead).await;
    }
    let options = Options {
        otlp_grpc: None,
        otlp_http: None,
        nats: vec![NatsConfig::new(server.1.clone())],
        ..Options::new(folder.path().join("w.flowglass"))
    };
    let studio = Studio::start(options).await.unwrap();
    let events =
        json!({ "range": { "sinceAt": null, "untilAt": null }, "filter": "outcome:dead-lettered", "limit": 10 });
    let rows = until("the dead letters", async || {
        let page = ask(&studio, "events", events.clone()).await;
        let rows: Vec<i64> = page["rows"].as_array()?.iter().filter_map(|r| r["row"].as_i64()).collect();
        (rows.len() == 2).then_some(rows)
    })
    .await;

    // The first look connects and creates nothing; originals come from their stream, credentials and all.
    let plan = ask(&studio, "redrive_plan", json!({ "rows": rows, "connection": null })).await;
    assert_eq!(
        (&plan["connections"][0]["readOnly"], &plan["messages"][0]["stream"]),
        (&json!(true), &json!("ORDERS")),
        "{plan}"
    );
    for message in plan["messages"].as_array().unwrap() {
        assert_eq!((&message["subject"], &message["problem"]), (&json!("orders.placed"), &Value::Null), "{message}");
        assert!(message["what"].as_str().unwrap().contains("as its stream keeps it"), "{message}");
    }
    assert!(!plan.to_string().contains("hunter2"), "credentials are not shown: {plan}");
    assert_eq!(plan["messages"][0]["from"], "DLQ 1", "the oldest goes first");
    let run = |fingerprint: &Value| json!({ "rows": rows, "connection": server.1, "fingerprint": fingerprint });
    let refusal = refused(&studio, "redrive", run(&plan["fingerprint"])).await;
    assert_eq!(refusal.code, "read-only", "{}", refusal.message);

    let connection = ask(&studio, "nats_writable", json!({ "id": server.1, "writable": true })).await;
    assert_eq!(connection["readOnly"], false);
    let refusal = refused(&studio, "redrive", run(&json!("other"))).await;
    assert!(refusal.message.contains("no longer what was shown"), "{}", refusal.message);
    let stream = js.get_stream("ORDERS").await.unwrap();
    assert_eq!(stream.get_info().await.unwrap().state.messages, 2, "nothing went out yet");

    let done = ask(&studio, "redrive", run(&plan["fingerprint"])).await;
    assert_eq!(done["rows"].as_array().unwrap().len(), 2, "{done}");
    assert_eq!(done["rows"][0]["outcome"], "stored in ORDERS as 3");
    let sent = stream.get_raw_message(3).await.unwrap();
    let payload: Value = serde_json::from_slice(&sent.payload).unwrap();
    assert_eq!(payload["data"]["password"], "hunter2", "as it was, not as it is stored here");
    assert!(sent.headers.get("Flowglass-Redriven-From").is_some());
    let kept = ask(&studio, "redrives", json!({})).await;
    assert_eq!(kept["rows"].as_array().unwrap().len(), 2);
    let plan = ask(&studio, "redrive_plan", json!({ "rows": rows, "connection": null })).await;
    assert!(plan["messages"].as_array().unwrap().iter().all(|m| m["sentAt"].is_number()), "{plan}");

    // Without its original, what cannot be sent as it was is told.
    stream.purge().await.unwrap();
    let plan = ask(&studio, "redrive_plan", json!({ "rows": [rows[0]], "connection": null })).await;
    assert!(plan["messages"][0]["problem"].as_str().unwrap().contains("credentials"), "{plan}");
    let refusal = refused(
        &studio,
        "redrive",
        json!({ "rows": [rows[0]], "connection": server.1, "fingerprint": plan["fingerprint"] }),
    )
    .await;
    assert!(refusal.message.contains("nothing was sent"), "{}", refusal.message);

    let detail = ask(&studio, "subject", json!({ "id": "nats/orders.placed" })).await;
    assert_eq!((&detail["stream"]["name"], &detail["json"]), (&json!("ORDERS"), &detail["sampled"]), "{detail}");
    let dead = ask(&studio, "subject", json!({ "id": "nats/dlq.orders.placed" })).await;
    assert_eq!((dead["dead"].as_array().unwrap().len(), &dead["deadTotal"]), (2, &json!(2)), "{dead}");
    studio.stop().await;
}

//! Is anything arriving? Self test, taken ports, rebinding, forwarding, senders from afar: through the studio's front door.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use flowglass_studio::api::{ApiError, dispatch};
use flowglass_studio::ingest::secrets::Secret;
use flowglass_studio::{Options, Studio};
use serde_json::{Value, json};

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn options(workspace: &Path) -> Options {
    Options {
        otlp_grpc: Some(local(0)),
        otlp_http: Some(local(0)),
        otlp_grpc_named: true,
        otlp_http_named: true,
        ..Options::new(workspace.to_owned())
    }
}

async fn ask(studio: &Studio, name: &str, argument: Value) -> Value {
    dispatch(studio, name, argument).await.unwrap_or_else(|e| panic!("{name}: {}", e.message))
}

async fn refused(studio: &Studio, name: &str, argument: Value) -> ApiError {
    dispatch(studio, name, argument).await.expect_err("refused")
}

fn trace(id: u64) -> String {
    let span = json!({ "traceId": format!("{id:032x}"), "spanId": format!("{id:016x}"), "name": "GET /", "kind": 2,
        "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000000001000000" });
    let name = json!({ "key": "service.name", "value": { "stringValue": "shop" } });
    json!({ "resourceSpans": [{ "resource": { "attributes": [name] }, "scopeSpans": [{ "spans": [span] }] }] })
        .to_string()
}

async fn post(address: impl std::fmt::Display, body: String) -> u16 {
    // No client can be built before somebody says what does the cryptography; that it was said before is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let request = reqwest::Client::new().post(format!("http://{address}/v1/traces"));
    request.header("content-type", "application/json").body(body).send().await.unwrap().status().as_u16()
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while !holds().await {
        assert!(tokio::time::Instant::now() < deadline, "{what}: it never came");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn spans(studio: &Studio) -> u64 {
    studio.workspace().stats().unwrap().spans
}

#[tokio::test(flavor = "multi_thread")]
async fn the_self_test_goes_all_the_way_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let studio = Studio::start(options(&folder.path().join("w.flowglass"))).await.unwrap();
    let (_, http) = studio.addresses();
    assert_eq!(post(http.unwrap(), trace(1)).await, 200);
    let before = (
        studio.workspace().stats().unwrap(),
        ask(&studio, "topology", json!({ "range": {}, "relayout": false })).await,
    );
    let test = ask(&studio, "self_test", json!({})).await;
    let steps = test["steps"].as_array().unwrap();
    let outcomes: Vec<&str> =
        steps.iter().filter(|s| s["title"] != "Proxy").map(|s| s["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["ok"; 9], "{test:#}");
    assert!(test["verdict"].as_str().unwrap().contains("look at the sender"));
    let after = (
        studio.workspace().stats().unwrap(),
        ask(&studio, "topology", json!({ "range": {}, "relayout": false })).await,
    );
    assert_eq!(format!("{:?}", before.0), format!("{:?}", after.0));
    assert_eq!(before.1["nodes"], after.1["nodes"]);
    // The writer goes on as if nothing had been.
    assert_eq!(post(http.unwrap(), trace(2)).await, 200);
    assert_eq!(spans(&studio), 2);
    assert_eq!(ask(&studio, "sources", json!({})).await["silent"], json!([]));
    studio.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_names_its_holder_and_the_offered_one_is_used_and_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path().join("w.flowglass");
    let holder = TcpListener::bind(local(0)).unwrap();
    let taken = holder.local_addr().unwrap();
    let asked = Options { otlp_grpc: Some(taken), otlp_http: None, strict: false, ..options(&workspace) };
    let studio = Studio::start(asked).await.unwrap();
    let view = ask(&studio, "sources", json!({})).await;
    let grpc = &view["receivers"][0];
    assert_eq!(grpc["state"], "failed");
    if cfg!(target_os = "linux") {
        assert!(grpc["holder"].as_str().unwrap().contains("itself"), "{grpc}");
    }
    assert!(grpc["problem"].as_str().unwrap().contains(&taken.to_string()));
    let failed = ask(&studio, "self_test", json!({})).await;
    assert!(failed["verdict"].as_str().unwrap().contains("OTLP gRPC does not work"), "{failed}");
    let offer = grpc["offer"].as_str().unwrap().to_owned();
    let view =
        ask(&studio, "set_listener", json!({ "id": "otlp-grpc", "address": offer, "acceptRemote": false })).await;
    assert_eq!(
        (&view["receivers"][0]["state"], &view["receivers"][0]["address"]),
        (&json!("listening"), &json!(offer))
    );
    assert_eq!(post(&offer, trace(1)).await, 200);
    for place in ["local", "docker-linux", "docker-desktop", "kind", "remote"] {
        let set_ups = ask(&studio, "snippets", json!({ "place": place })).await;
        let port = offer.rsplit(':').next().unwrap();
        for one in set_ups["items"].as_array().unwrap() {
            assert!(one["text"].as_str().unwrap().contains(&format!(":{port}")), "{place}: {one}");
        }
        let needs = set_ups["places"].as_array().unwrap().iter().find(|p| p["id"] == place).unwrap();
        assert_eq!(
            needs["needsRemote"] == true,
            matches!(place, "kind" | "remote") || (place == "docker-desktop" && cfg!(target_os = "linux"))
        );
    }
    let held =
        refused(&studio, "set_listener", json!({ "id": "otlp-http", "address": offer, "acceptRemote": false })).await;
    assert_eq!(held.code, "held");
    assert_eq!(
        refused(&studio, "set_listener", json!({ "id": "otlp-http", "address": "x", "acceptRemote": false }))
            .await
            .code,
        "bad-request"
    );
    studio.stop().await;

    // The next start of this workspace listens there again, unless an address is asked for by name.
    let again =
        Options { otlp_grpc: Some(local(4317)), otlp_http: None, otlp_grpc_named: false, ..options(&workspace) };
    let studio = Studio::start(again).await.unwrap();
    assert_eq!(studio.addresses().0.unwrap().to_string(), offer);
    studio.stop().await;
    let named = Studio::start(Options { otlp_http: None, ..options(&workspace) }).await.unwrap();
    assert_ne!(named.addresses().0.unwrap().to_string(), offer);
    named.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_machines_may_send_only_by_choice_and_with_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path().join("w.flowglass");
    let token = Secret::new("a-token-of-the-test-0123456789");
    let studio = Studio::start(Options { token: Some(token), otlp_grpc: None, ..options(&workspace) }).await.unwrap();
    let port = studio.addresses().1.unwrap().port();
    let open = format!("0.0.0.0:{port}");
    assert_eq!(ask(&studio, "sources", json!({})).await["token"], Value::Null);
    let no =
        refused(&studio, "set_listener", json!({ "id": "otlp-http", "address": open, "acceptRemote": false })).await;
    assert!(no.message.contains("other machines"), "{no:?}");
    // The same port on all interfaces, while a sender on this machine goes on.
    let view = ask(&studio, "set_listener", json!({ "id": "otlp-http", "address": open, "acceptRemote": true })).await;
    assert_eq!((&view["receivers"][1]["address"], &view["receivers"][1]["remote"]), (&json!(open), &json!(true)));
    assert_eq!(view["token"], "a-token-of-the-test-0123456789");
    assert_eq!(post(local(port), trace(1)).await, 200);
    let remote = ask(&studio, "snippets", json!({ "place": "remote" })).await;
    assert!(remote["items"][0]["text"].as_str().unwrap().contains("authorization=Bearer%20a-token-of-the-test"));
    let here = ask(&studio, "snippets", json!({ "place": "local" })).await;
    assert!(!here.to_string().contains("a-token-of-the-test"));
    let back = ask(
        &studio,
        "set_listener",
        json!({ "id": "otlp-http", "address": format!("127.0.0.1:{port}"), "acceptRemote": false }),
    )
    .await;
    assert_eq!((&back["receivers"][1]["remote"], &back["token"]), (&json!(false), &Value::Null));
    studio.stop().await;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("a-token-of-the-test"), "the token is in no file");
    }
    // A command line that is given no token does not open up.
    let asked = Options { otlp_http: Some(open.parse().unwrap()), otlp_grpc: None, ..options(&workspace) };
    let error = Studio::start(asked).await.err().expect("refused").to_string();
    assert!(error.contains("--token-file"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_passed_on_to_another_studio_and_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one.flowglass"), folder.path().join("two.flowglass"));
    let other = Studio::start(options(&two)).await.unwrap();
    let studio = Studio::start(options(&one)).await.unwrap();
    let (grpc, http) = studio.addresses();
    for own in [format!("grpc://{}", grpc.unwrap()), format!("http://localhost:{}", http.unwrap().port())] {
        let error = refused(&studio, "set_forward", json!({ "url": own })).await;
        assert!(error.message.contains("listener of this Flowglass"), "{error:?}");
    }
    let url = format!("grpc://{}", other.addresses().0.unwrap());
    let view = ask(&studio, "set_forward", json!({ "url": url })).await;
    assert_eq!((&view["forward"]["url"], &view["forward"]["protocol"]), (&json!(url), &json!("grpc")));
    // gRPC carries no JSON: that one is lost, and said.
    assert_eq!(post(http.unwrap(), trace(1)).await, 200);
    until("the loss", async || ask(&studio, "sources", json!({})).await["forward"]["lost"] == 1).await;
    ask(&studio, "set_forward", json!({ "url": format!("http://{}", other.addresses().1.unwrap()) })).await;
    for id in 2..=6 {
        assert_eq!(post(http.unwrap(), trace(id)).await, 200);
    }
    until("the other has them", async || spans(&other) == 5).await;
    until("it is told", async || ask(&studio, "sources", json!({})).await["forward"]["sent"] == 5).await;
    studio.stop().await;
    let studio = Studio::start(options(&one)).await.unwrap();
    assert_eq!(ask(&studio, "sources", json!({})).await["forward"]["state"], "idle");
    assert_eq!(ask(&studio, "set_forward", json!({ "url": null })).await["forward"], Value::Null);
    studio.stop().await;
    let studio = Studio::start(options(&one)).await.unwrap();
    assert_eq!(ask(&studio, "sources", json!({})).await["forward"], Value::Null);
    studio.stop().await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_request_is_counted_and_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let studio = Studio::start(options(&folder.path().join("w.flowglass"))).await.unwrap();
    let http = studio.addresses().1.unwrap();
    assert_eq!(post(http, "{".into()).await, 400);
    until("the count", async || studio.workspace().stats().unwrap().rejected == 1).await;
    let view = ask(&studio, "sources", json!({})).await;
    assert_eq!(view["refusals"].as_array().unwrap().len(), 1, "{view}");
    assert_eq!(
        (&view["refusals"][0]["source"], &view["refusals"][0]["place"]),
        (&json!("OTLP HTTP"), &json!("POST /v1/traces"))
    );
    assert_eq!((&view["silent"][0]["times"], &view["silent"][0]["what"]), (&json!(1), &json!("POST /v1/traces")));
    studio.stop().await;
}

use std::io::{Cursor, Read as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::support::{Scene, ago, failed_call};

/// Never to be seen outside.
const SECRETS: [&str; 7] =
    ["s3cr3t-header", "s3cr3t-payload", "s3cr3t-nats", "s3cr3t-log", "s3cr3t-url", "desk@example.com", "s3cr3t-garbage"];

#[tokio::test]
async fn the_file_for_bug_reports_holds_no_secret_and_no_data() {
    let telemetry = flowglass_studio::telemetry::start("off").expect("logging");
    let scene = Scene::new().await;
    let secret = [("http.request.header.authorization", "Bearer s3cr3t-header"), ("order.note", "s3cr3t-payload")];
    assert_eq!(scene.send(failed_call("pay-sys-api", 1, ago(5), "no", &secret)).await, 200);
    assert_eq!(scene.send("{\"resourceSpans\": \"s3cr3t-garbage\"".into()).await, 400);
    scene.ask("import_text", json!({ "text": "s3cr3t-garbage is no format" })).await;
    let config = scene.path("first.toml");
    let settings = "[[owners]]\nmatch_name = \"pay-*\"\nowner = \"Team Pay\"\ncontact = \"desk@example.com\"\n\
                    runbook = \"https://me:s3cr3t-url@wiki/pay\"\n";
    std::fs::write(&config, settings).unwrap();
    // A password in an address is refused; what was typed must not come up in a log either.
    let nats = json!({ "url": "nats://me:s3cr3t-nats@127.0.0.1:1", "subjects": [], "streams": [], "auth": "none", "user": null,
        "secret": null, "credsFile": null, "tls": false, "history": "none", "headersOnly": false });
    scene.refused("nats_connect", nats).await;
    tracing::warn!(target: "flowglass_test", "the broker nats://me:s3cr3t-nats@h:4222 said password=s3cr3t-log");

    // The settings file is read again within a second or two.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !scene.host.studio().workspace().settings().text.contains("Team Pay") {
        assert!(std::time::Instant::now() < deadline, "the settings are not read");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let file = scene.ask("diagnostics", json!({ "screen": "1280×800 at 2" })).await;
    assert_eq!(file["mediaType"], "application/zip");
    assert!(file["name"].as_str().unwrap().starts_with("flowglass-diagnostics-"), "{}", file["name"]);
    let bytes = STANDARD.decode(file["base64"].as_str().unwrap()).unwrap();
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut all = String::new();
    for name in ["README.txt", "versions.json", "counters.json", "settings.toml", "sources.json", "log.txt"] {
        let mut text = String::new();
        zip.by_name(name).unwrap_or_else(|e| panic!("{name}: {e}")).read_to_string(&mut text).unwrap();
        assert!(!text.is_empty(), "{name} is empty");
        all.push_str(&text);
    }
    for secret in SECRETS {
        let at = all.find(secret).map(|at| all[at.saturating_sub(200)..at].to_owned());
        assert_eq!(at, None, "{secret}");
    }
    for wanted in ["Team Pay", "\"spans\": 1", "1280×800 at 2", "otlp-http", "\"sqlite\": \"3.", "flowglass_test", "[redacted]"] {
        assert!(all.contains(wanted), "{wanted}");
    }
    drop(telemetry);
    scene.end().await;
}

#[tokio::test]
async fn about_names_versions_and_licences() {
    let scene = Scene::new().await;
    let about = scene.ask("about", json!({})).await;
    assert_eq!((about["version"].as_str(), about["licence"].as_str()), (Some(env!("CARGO_PKG_VERSION")), Some("Apache-2.0")));
    assert!(about["sqlite"].as_str().unwrap().starts_with("3."));
    assert!(about["components"].as_array().unwrap().len() > 200);
    scene.end().await;
}

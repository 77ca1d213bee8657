//! A program on a scratch folder, with one listener on a port of its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use flowglass_studio::api::{ApiError, Update, answer};
use flowglass_studio::model::Nanos;
use flowglass_studio::{Home, Host, Options, system_clock};
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Scene {
    pub(crate) host: Host,
    pub(crate) folder: tempfile::TempDir,
}

impl Scene {
    pub(crate) async fn new() -> Scene {
        Scene::on(tempfile::tempdir().unwrap()).await
    }

    /// Starts on the workspace `first.flowglass` of a folder.
    pub(crate) async fn on(folder: tempfile::TempDir) -> Scene {
        Scene::keeping_free(folder, 0).await
    }

    /// The same, keeping so many bytes of the disk free.
    pub(crate) async fn keeping_free(folder: tempfile::TempDir, reserve: u64) -> Scene {
        let options = Options {
            reserve,
            otlp_grpc: None,
            otlp_http: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
            otlp_grpc_named: true,
            otlp_http_named: true,
            ..Options::new(folder.path().join("first.flowglass"))
        };
        let home = Home::new(folder.path().join("data"));
        Scene { host: Host::start(options, home).await.unwrap(), folder }
    }

    /// Ends the program; the folder stays.
    pub(crate) async fn end(self) -> tempfile::TempDir {
        self.host.stop().await;
        self.folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) async fn ask(&self, name: &str, argument: Value) -> Value {
        answer(&self.host, name, argument).await.unwrap_or_else(|e| panic!("{name}: {}", e.message))
    }

    pub(crate) async fn refused(&self, name: &str, argument: Value) -> ApiError {
        answer(&self.host, name, argument).await.expect_err("refused")
    }

    pub(crate) fn http(&self) -> SocketAddr {
        self.host.studio().addresses().1.expect("it listens")
    }

    /// Sends OTLP/JSON as a service would, and gives the status.
    pub(crate) async fn send(&self, body: String) -> u16 {
        let url = format!("http://{}/v1/traces", self.http());
        // No client can be built before somebody says what does the cryptography; that it was said before is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let request = reqwest::Client::new().post(url).header("content-type", "application/json").body(body);
        request.send().await.expect("an answer").status().as_u16()
    }
}

/// Waits for an update of a kind.
pub(crate) async fn wait_for<T>(updates: &mut Receiver<Update>, wanted: impl Fn(Update) -> Option<T>) -> Option<T> {
    let waiting = async {
        loop {
            match updates.recv().await {
                Ok(update) => {
                    if let Some(found) = wanted(update) {
                        return Some(found);
                    }
                }
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.ok().flatten()
}

/// A request to `service` that failed with a message, as OTLP/JSON.
pub(crate) fn failed_call(service: &str, trace: u32, at: Nanos, message: &str, attributes: &[(&str, &str)]) -> String {
    let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    let mut all = vec![
        text("http.request.method", "POST"),
        text("http.route", "/charge"),
        json!({ "key": "http.response.status_code", "value": { "intValue": "500" } }),
    ];
    all.extend(attributes.iter().map(|(key, value)| text(key, value)));
    let span = json!({
        "traceId": format!("{trace:032x}"), "spanId": format!("{trace:016x}"), "parentSpanId": "",
        "name": "POST /charge", "kind": 2, "startTimeUnixNano": at.to_string(),
        "endTimeUnixNano": (at + 20_000_000).to_string(), "attributes": all,
        "status": { "code": 2, "message": message },
    });
    let resource = json!({ "attributes": [text("service.name", service)] });
    json!({ "resourceSpans": [{ "resource": resource, "scopeSpans": [{ "spans": [span] }] }] }).to_string()
}

pub(crate) fn ago(seconds: i64) -> Nanos {
    system_clock() - seconds * 1_000_000_000
}

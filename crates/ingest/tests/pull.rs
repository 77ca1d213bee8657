//! Fetching traces from a local server that speaks Jaeger's and Tempo's query APIs.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use flowglass_ingest::files::ImportReport;
use flowglass_ingest::pull::{PullAuth, PullConfig, PullError, Wanted, pull};
use flowglass_ingest::secrets::Secret;
use flowglass_ingest::{Options, Sink};
use flowglass_model::{Batch, IngestCounts};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;
use serde_json::json;
use tokio_util::sync::CancellationToken;

const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const OTHER: &str = "0af7651916cd43dd8448eb211c80319c";
const NOW: i64 = 1_700_000_000_000_000_000;

/// What the server was asked, as `path?query`.
type Asked = Arc<Mutex<Vec<String>>>;

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

/// A trace as Tempo keeps it; its protobuf form has the fields of an export request.
fn otlp(id: &str) -> ExportTraceServiceRequest {
    let name = AnyValue { value: Some(any_value::Value::StringValue("web".into())) };
    let attribute = KeyValue { key: "service.name".into(), value: Some(name), ..KeyValue::default() };
    let span = Span {
        trace_id: bytes(id),
        span_id: bytes("00f067aa0ba902b7"),
        name: "GET /".into(),
        kind: 2,
        start_time_unix_nano: 1,
        end_time_unix_nano: 2,
        ..Span::default()
    };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource { attributes: vec![attribute], ..Resource::default() }),
            scope_spans: vec![ScopeSpans { spans: vec![span], ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        }],
    }
}

fn jaeger_trace(id: &str) -> serde_json::Value {
    json!({
        "traceID": id,
        "spans": [{ "traceID": id, "spanID": "00f067aa0ba902b7", "operationName": "GET /", "startTime": 1, "duration": 1,
                    "processID": "p1", "tags": [{ "key": "span.kind", "type": "string", "value": "server" }] }],
        "processes": { "p1": { "serviceName": "web" } },
    })
}

async fn jaeger_one(State(asked): State<Asked>, Path(id): Path<String>) -> Response {
    asked.lock().unwrap().push(id.clone());
    if id != ID {
        let body = json!({ "data": null, "errors": [{ "code": 404, "msg": "trace not found" }] });
        return (StatusCode::NOT_FOUND, axum::Json(body)).into_response();
    }
    axum::Json(json!({ "data": [jaeger_trace(ID)], "errors": null })).into_response()
}

async fn jaeger_search(State(asked): State<Asked>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let found = if query.contains("service=web") { vec![jaeger_trace(ID), jaeger_trace(OTHER)] } else { vec![] };
    asked.lock().unwrap().push(query);
    axum::Json(json!({ "data": found, "errors": null })).into_response()
}

/// Tempo: protobuf to those who accept it, else JSON with base64 ids; only for the tenant and token it knows.
async fn tempo_one(headers: HeaderMap, Path(id): Path<String>) -> Response {
    let has = |name: &str, value: &str| headers.get(name).and_then(|v| v.to_str().ok()) == Some(value);
    if !has("authorization", "Bearer s3cret") || !has("x-scope-orgid", "shop") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if id == OTHER {
        return StatusCode::NOT_FOUND.into_response();
    }
    let body = otlp(&id).encode_to_vec();
    ([(header::CONTENT_TYPE, "application/protobuf")], body).into_response()
}

async fn tempo_json(Path(id): Path<String>) -> Response {
    let encode = |hex: &str| base64::prelude::BASE64_STANDARD.encode(bytes(hex));
    let span = json!({ "traceId": encode(&id), "spanId": encode("00f067aa0ba902b7"), "name": "GET /", "kind": "SPAN_KIND_SERVER",
                       "startTimeUnixNano": "1", "endTimeUnixNano": "2", "status": {} });
    let resource = json!({ "attributes": [{ "key": "service.name", "value": { "stringValue": "web" } }] });
    axum::Json(json!({ "batches": [{ "resource": resource, "scopeSpans": [{ "spans": [span] }] }] })).into_response()
}

async fn tempo_search(State(asked): State<Asked>, RawQuery(query): RawQuery) -> Response {
    asked.lock().unwrap().push(query.unwrap_or_default());
    axum::Json(json!({ "traces": [{ "traceID": ID }, { "traceID": OTHER }], "metrics": {} })).into_response()
}

/// Tempo without a tenant answers everybody.
async fn tempo_open(Path(id): Path<String>) -> Response {
    if id == OTHER {
        return StatusCode::NOT_FOUND.into_response();
    }
    ([(header::CONTENT_TYPE, "application/protobuf")], otlp(&id).encode_to_vec()).into_response()
}

async fn serve() -> (SocketAddr, Asked) {
    let asked = Asked::default();
    let routes = Router::new()
        .route("/jaeger/api/traces/{id}", get(jaeger_one))
        .route("/jaeger/api/traces", get(jaeger_search))
        .route("/tempo/api/traces/{id}", get(tempo_one))
        .route("/json/api/traces/{id}", get(tempo_json))
        .route("/open/api/traces/{id}", get(tempo_open))
        .route("/open/api/search", get(tempo_search))
        .route("/moved/api/traces/{id}", get(|| async { (StatusCode::FOUND, [(header::LOCATION, "/login")]) }))
        .route("/slow/api/traces/{id}", get(|| async { std::future::pending::<()>().await }))
        .with_state(Arc::clone(&asked));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    (address, asked)
}

async fn take(config: PullConfig) -> (Result<ImportReport, PullError>, Batch) {
    let (sink, mut queue) = Sink::channel(8, 64 << 20);
    let kept = Arc::new(Mutex::new(Batch::default()));
    let all = Arc::clone(&kept);
    tokio::spawn(async move {
        while let Some(submission) = queue.recv().await {
            let counts = IngestCounts { spans: submission.batch.spans.len() as u64, ..IngestCounts::default() };
            all.lock().unwrap().append(submission.batch);
            submission.done.send(Ok(counts)).unwrap();
        }
    });
    let outcome = pull(config, NOW, &sink, &Options::named("test"), |_| {}, CancellationToken::new()).await;
    let batch = std::mem::take(&mut *kept.lock().unwrap());
    (outcome, batch)
}

fn link(url: String) -> PullConfig {
    PullConfig { wanted: Wanted { url, ..Wanted::default() }, ..PullConfig::default() }
}

fn traces(batch: &Batch) -> Vec<String> {
    let mut ids: Vec<String> = batch.spans.iter().map(|s| s.facts.trace_id.to_string()).collect();
    ids.sort();
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pasted_link_of_jaeger() {
    let (at, asked) = serve().await;
    let (outcome, batch) = take(link(format!("http://{at}/jaeger/trace/{ID}?uiFind=x"))).await;
    assert_eq!((outcome.unwrap().counts.spans, traces(&batch)), (1, vec![ID.to_owned()]));
    assert_eq!(*batch.spans[0].facts.service.name(), *"web");
    assert_eq!(*asked.lock().unwrap(), [ID]);

    let (outcome, _) = take(link(format!("http://{at}/jaeger/trace/{OTHER}"))).await;
    assert!(outcome.unwrap_err().to_string().contains("no such trace"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_of_jaeger() {
    let (at, asked) = serve().await;
    let (outcome, batch) = take(link(format!("http://{at}/jaeger/search?service=web&lookback=1h&limit=7"))).await;
    assert_eq!((outcome.unwrap().counts.spans, traces(&batch).len()), (2, 2));
    assert_eq!(*asked.lock().unwrap(), ["service=web&lookback=1h&limit=7"]);
    let (outcome, _) = take(link(format!("http://{at}/jaeger/search?service=none"))).await;
    assert!(outcome.unwrap_err().to_string().contains("found no trace"));
}

#[tokio::test(flavor = "multi_thread")]
async fn tempo_in_protobuf_with_token_and_tenant() {
    let (at, _) = serve().await;
    let with = |auth: PullAuth, tenant: Option<&str>| PullConfig {
        auth,
        tenant: tenant.map(str::to_owned),
        ..link(format!("http://{at}/tempo/api/traces/{ID}"))
    };
    let token = || PullAuth::Bearer(Secret::new("s3cret"));
    let (outcome, batch) = take(with(token(), Some("shop"))).await;
    assert_eq!((outcome.unwrap().counts.spans, traces(&batch)), (1, vec![ID.to_owned()]));
    for config in [with(PullAuth::None, Some("shop")), with(token(), None)] {
        let words = take(config).await.0.unwrap_err().to_string();
        assert!(words.contains("refuses the credentials") && !words.contains("s3cret"), "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tempo_in_json_with_base64_ids() {
    let (at, _) = serve().await;
    let (outcome, batch) = take(link(format!("http://{at}/json/api/traces/{ID}"))).await;
    assert_eq!((outcome.unwrap().counts.spans, traces(&batch)), (1, vec![ID.to_owned()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_of_tempo_tells_what_has_gone() {
    let (at, asked) = serve().await;
    let wanted =
        Wanted { url: format!("http://{at}/open"), query: Some("{ status = error }".into()), ..Wanted::default() };
    let (outcome, batch) = take(PullConfig { wanted, ..PullConfig::default() }).await;
    let report = outcome.unwrap();
    assert_eq!((report.counts.spans, report.rejected_total, traces(&batch)), (1, 1, vec![ID.to_owned()]));
    assert!(report.rejected[0].reason.contains("no such trace"), "{:?}", report.rejected);
    assert_eq!(*asked.lock().unwrap(), ["q=%7B+status+%3D+error+%7D&limit=100"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_answer_is_told() {
    let (at, _) = serve().await;
    for (url, words) in [
        (format!("http://{at}/moved/api/traces/{ID}"), "sends elsewhere"),
        (format!("http://{at}/nowhere/api/traces/{ID}"), "no such trace"),
        ("http://127.0.0.1:1/trace/4bf92f3577b34da6a3ce929d0e0e4736".to_owned(), "cannot be reached"),
    ] {
        let (outcome, _) = take(link(url)).await;
        let told = outcome.unwrap_err().to_string();
        assert!(told.contains(words), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_can_be_cancelled() {
    let (at, _) = serve().await;
    let (sink, _queue) = Sink::channel(8, 64 << 20);
    let cancel = CancellationToken::new();
    cancel.cancel();
    let config = link(format!("http://{at}/slow/api/traces/{ID}"));
    let report = pull(config, NOW, &sink, &Options::named("test"), |_| {}, cancel).await.unwrap();
    assert!(report.cancelled);
}

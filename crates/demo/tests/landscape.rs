//! A whole run against a small receiver: what arrives must be what the truth says was done.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use flowglass_demo::telemetry::Endpoints;
use flowglass_demo::{EventTransport, Options, Stop};
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{LogsService, LogsServiceServer};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value as Any};
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind, status::StatusCode as Outcome};
use prost::Message as _;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::codec::CompressionEncoding;
use tonic::{Request, Response, Status};

/// What arrived: spans with the service that sent them, and the types of CloudEvents.
#[derive(Default)]
struct Arrived {
    spans: Vec<(String, Span)>,
    events: Vec<String>,
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Arrived>>);

impl Sink {
    fn take(&self, request: ExportTraceServiceRequest) {
        let mut arrived = self.0.lock().expect("no test panics while it holds the lock");
        for resource in request.resource_spans {
            let attributes = resource.resource.map(|resource| resource.attributes).unwrap_or_default();
            let service = text(&attributes, "service.name").expect("every resource has a name");
            let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
            arrived.spans.extend(spans.map(|span| (service.clone(), span)));
        }
    }
}

#[tonic::async_trait]
impl TraceService for Sink {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.take(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Sink {
    async fn export(
        &self,
        _request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}

async fn traces_over_http(State(sink): State<Sink>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut plain = Vec::new();
    if headers.get("content-encoding").is_some_and(|encoding| encoding == "gzip") {
        flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut plain).expect("gzip");
    } else {
        plain.extend_from_slice(&body);
    }
    sink.take(ExportTraceServiceRequest::decode(&plain[..]).expect("protobuf"));
    StatusCode::OK
}

async fn cloud_event(State(sink): State<Sink>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = headers.get("ce-type").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let kind = header.unwrap_or_else(|| {
        let document: Value = serde_json::from_slice(&body).expect("structured mode is JSON");
        document["type"].as_str().expect("every event has a type").to_owned()
    });
    sink.0.lock().expect("no test panics while it holds the lock").events.push(kind);
    StatusCode::ACCEPTED
}

async fn receiver() -> (Sink, Endpoints) {
    let sink = Sink::default();
    let grpc = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let http = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = |listener: &TcpListener| format!("http://{}", listener.local_addr().expect("bound"));
    let endpoints = Endpoints { grpc: address(&grpc), http: address(&http) };
    let traces = TraceServiceServer::new(sink.clone()).accept_compressed(CompressionEncoding::Gzip);
    let logs = LogsServiceServer::new(sink.clone()).accept_compressed(CompressionEncoding::Gzip);
    let incoming = tokio_stream::wrappers::TcpListenerStream::new(grpc);
    tokio::spawn(
        tonic::transport::Server::builder().add_service(traces).add_service(logs).serve_with_incoming(incoming),
    );
    let router = axum::Router::new()
        .route("/v1/traces", axum::routing::post(traces_over_http))
        .route("/v1/logs", axum::routing::post(|| async { StatusCode::OK }))
        .route("/cloudevents", axum::routing::post(cloud_event))
        .with_state(sink.clone());
    tokio::spawn(async move { axum::serve(http, router).await });
    (sink, endpoints)
}

fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    let value = attributes.iter().find(|pair| pair.key == key)?.value.as_ref()?.value.as_ref()?;
    match value {
        Any::StringValue(text) => Some(text.clone()),
        _ => None,
    }
}

type Edges = BTreeMap<(String, String, String), (u64, u64)>;

/// Calls between services, publications and deliveries as the spans tell them.
fn edges_of_spans(spans: &[(String, Span)]) -> Edges {
    let by_id: BTreeMap<&[u8], &str> = spans.iter().map(|(service, span)| (&span.span_id[..], &service[..])).collect();
    let mut edges = Edges::new();
    for (service, span) in spans {
        let failed = span.status.as_ref().is_some_and(|status| status.code == Outcome::Error as i32);
        let destination = || {
            text(&span.attributes, "messaging.destination.name")
                .or_else(|| text(&span.attributes, "messaging.destination"))
        };
        let edge = match span.kind() {
            SpanKind::Server if !span.parent_span_id.is_empty() => {
                let caller = by_id.get(&span.parent_span_id[..]).expect("the caller's span arrived, too");
                ((*caller).to_owned(), service.clone(), "call")
            }
            SpanKind::Producer => (service.clone(), destination().expect("a topic"), "publish"),
            SpanKind::Consumer => (destination().expect("a topic"), service.clone(), "consume"),
            _ => continue,
        };
        let tally = edges.entry((edge.0, edge.1, edge.2.to_owned())).or_default();
        tally.0 += 1;
        tally.1 += u64::from(failed);
    }
    edges
}

/// The same edges as the truth tells them.
fn edges_of_truth(truth: &Value) -> Edges {
    let names: BTreeSet<&str> = truth["parameters"]["services"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|service| service["name"].as_str())
        .collect();
    let mut edges = Edges::new();
    for edge in truth["counts"]["edges"].as_array().into_iter().flatten() {
        let field = |name: &str| edge[name].as_str().expect("a text").to_owned();
        let number = |name: &str| edge[name].as_u64().expect("a number");
        let kind = field("kind");
        if kind == "access" || kind == "call" && !names.contains(&field("source")[..]) {
            continue;
        }
        edges.insert((field("source"), field("target"), kind), (number("count"), number("errors")));
    }
    edges
}

#[tokio::test(flavor = "multi_thread")]
async fn the_receiver_is_told_what_was_done() {
    let (sink, endpoints) = receiver().await;
    let folder = tempfile::tempdir().expect("a scratch folder");
    let file = folder.path().join("truth.json");
    let options = Options {
        endpoints,
        events: EventTransport::Http,
        rate: 100.0,
        duration: None,
        requests: Some(40),
        seed: 11,
        run: Some("TEST".to_owned()),
        truth: Some(file.clone()),
    };
    let (_go, go) = watch::channel(true);
    let (_stop, stop) = watch::channel(false);
    let said = Mutex::new(Vec::new());
    flowglass_demo::run(options, Stop { go, stop }, |line| said.lock().expect("unpoisoned").push(line.clone()))
        .await
        .expect("the run ends well");

    let said = said.into_inner().expect("unpoisoned");
    assert_eq!(said[0]["event"], "ready");
    assert_eq!(said[1]["event"], "done");
    assert_eq!((&said[1]["drained"], &said[1]["spans_refused"]), (&Value::from(true), &Value::from(0)));
    let truth: Value = serde_json::from_slice(&std::fs::read(&file).expect("written")).expect("JSON");
    let arrived = std::mem::take(&mut *sink.0.lock().expect("unpoisoned"));
    assert_eq!(said[1]["spans"], arrived.spans.len());
    assert_eq!(said[1]["events"], arrived.events.len());
    assert_eq!(edges_of_spans(&arrived.spans), edges_of_truth(&truth));
    let traces: BTreeSet<&[u8]> = arrived.spans.iter().map(|(_, span)| &span.trace_id[..]).collect();
    assert_eq!(truth["counts"]["traces"], traces.len());

    // The scripted part of the story is in every run.
    let dead = arrived.events.iter().filter(|kind| *kind == "com.retail.deadletter.v1").count();
    assert!(dead >= 1, "the scripted order ends dead-lettered");
    let notes = &truth["counts"]["notes"];
    for what in ["layer_bypass", "unauthorized_system_calls", "charge_retries"] {
        assert!(notes[what].as_u64().is_some_and(|count| count > 0), "{what} in {notes}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_an_endless_run() {
    let (sink, endpoints) = receiver().await;
    let options = Options {
        endpoints,
        events: EventTransport::Http,
        rate: 50.0,
        duration: None,
        requests: None,
        seed: 12,
        run: None,
        truth: None,
    };
    let (_go, go) = watch::channel(true);
    let (stop_now, stop) = watch::channel(false);
    let watched = sink.clone();
    tokio::spawn(async move {
        while watched.0.lock().expect("unpoisoned").spans.is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        stop_now.send_replace(true);
        // Kept open: a closed channel is not what is tested here.
        std::future::pending::<()>().await;
    });
    let run = flowglass_demo::run(options, Stop { go, stop }, |_| {});
    let ended = tokio::time::timeout(std::time::Duration::from_secs(30), run).await;
    ended.expect("within the drain's limit").expect("without an error");
    assert!(!sink.0.lock().expect("unpoisoned").spans.is_empty());
}

//! Official SDKs of three languages over every transport and encoding: the map is what they sent.

use std::pin::Pin;
use std::process::Command;

use anyhow::Result;
use bytes::Bytes;
use flowglass_tests::graph::Graph;
use flowglass_tests::product::{Serve, root, topology};
use opentelemetry::trace::{Span as _, SpanKind, Status, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde_json::json;

use crate::ui::{asked_for, finish, node, sdk_folder};

const CALLS: u32 = 5;

/// The map that the small story of `tests/sdk` stands for.
fn story(calls: u32) -> Graph {
    let edge = |source: &str, target: &str, kind: &str, errors: u32| json!({"source": source, "target": target, "kind": kind, "count": calls, "errors": errors});
    let (shop, orders) = ("service:sdk/shop-exp-api@test", "service:sdk/order-prc-api@test");
    let expected = json!({
        "nodes": [
            {"id": shop, "kind": "service", "layer": "experience"},
            {"id": orders, "kind": "service", "layer": "process"},
        ],
        "edges": [
            edge("consumer", shop, "call", 0),
            edge(shop, orders, "call", 1),
            edge(orders, "backend:postgresql/db.test/orders@test", "access", 0),
        ],
    });
    Graph::read(&expected).expect("a map")
}

/// Sends the story into `flowglass serve` and compares the map.
fn arrives(send: impl FnOnce(&Serve) -> Result<()>) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let workspace = folder.path().join("sdk.flowglass");
    let serve = Serve::start(&workspace, &[])?;
    send(&serve)?;
    let live = Graph::read(&topology(&workspace)?)?;
    live.must_be(&story(CALLS))?;
    serve.stop()?;
    // The same is there when nothing runs any more.
    Graph::read(&topology(&workspace)?)?.must_be(&story(CALLS))
}

fn python(protocol: &str) -> Result<()> {
    if !asked_for("the Python SDK") {
        return Ok(());
    }
    arrives(|serve| {
        let endpoint = if protocol.starts_with("grpc") { serve.grpc() } else { serve.http() };
        let mut command = Command::new(sdk_folder()?.join("venv/bin/python"));
        finish(command.arg(root().join("tests/sdk/send.py")).args([protocol, &endpoint, &CALLS.to_string()]))
    })
}

#[test]
fn python_grpc() -> Result<()> {
    python("grpc")
}

#[test]
fn python_grpc_gzip() -> Result<()> {
    python("grpc+gzip")
}

#[test]
fn python_http_protobuf() -> Result<()> {
    python("http/protobuf")
}

#[test]
fn python_http_protobuf_gzip() -> Result<()> {
    python("http/protobuf+gzip")
}

#[test]
fn node_http_json() -> Result<()> {
    if !asked_for("the Node SDK") {
        return Ok(());
    }
    arrives(|serve| node(&serve.http(), CALLS, "plain"))
}

#[test]
fn node_http_json_chunked() -> Result<()> {
    if !asked_for("the Node SDK") {
        return Ok(());
    }
    arrives(|serve| node(&serve.http(), CALLS, "chunked"))
}

#[test]
fn rust_grpc() -> Result<()> {
    arrives(|serve| rust(&|| Ok(SpanExporter::builder().with_tonic().with_endpoint(serve.grpc()).build()?)))
}

#[test]
fn rust_http_protobuf() -> Result<()> {
    arrives(|serve| {
        let endpoint = format!("{}/v1/traces", serve.http());
        rust(&|| {
            // No client can be built before somebody says what does the cryptography; that it was said before is fine.
            let _ = rustls::crypto::ring::default_provider().install_default();
            let client = OnRuntime(reqwest::Client::new(), tokio::runtime::Handle::current());
            Ok(SpanExporter::builder().with_http().with_http_client(client).with_endpoint(&endpoint).build()?)
        })
    })
}

/// The SDK exports from a thread of its own, where no runtime is; the client needs one.
#[derive(Debug)]
struct OnRuntime(reqwest::Client, tokio::runtime::Handle);

impl HttpClient for OnRuntime {
    fn send_bytes<'a, 'b>(
        &'a self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        let client = self.0.clone();
        let sent = self.1.spawn(async move { client.send_bytes(request).await });
        Box::pin(async move { sent.await? })
    }
}

/// The small story with the Rust SDK.
fn rust(exporter: &dyn Fn() -> Result<SpanExporter>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let _inside = runtime.enter();
    let provider = |service: &'static str| -> Result<SdkTracerProvider> {
        let resource = Resource::builder()
            .with_service_name(service)
            .with_attributes([
                KeyValue::new("service.namespace", "sdk"),
                KeyValue::new("deployment.environment.name", "test"),
            ])
            .build();
        Ok(SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter()?).build())
    };
    let (shop, orders) = (provider("shop-exp-api")?, provider("order-prc-api")?);
    let (from, to) = (shop.tracer("test"), orders.tracer("test"));
    let route = || [KeyValue::new("http.request.method", "POST"), KeyValue::new("http.route", "/orders")];
    for number in 0..CALLS {
        let entry = from.span_builder("POST /orders").with_kind(SpanKind::Server).with_attributes(route());
        let entry = Context::new().with_span(from.build_with_context(entry, &Context::new()));
        let out = from.span_builder("POST").with_kind(SpanKind::Client).with_attributes([
            KeyValue::new("http.request.method", "POST"),
            KeyValue::new("server.address", "order-prc-api"),
            KeyValue::new("url.full", "http://order-prc-api/orders"),
        ]);
        let out = entry.with_span(from.build_with_context(out, &entry));
        let server = to.span_builder("POST /orders").with_kind(SpanKind::Server).with_attributes(route());
        let server = out.with_span(to.build_with_context(server, &out));
        let insert = to.span_builder("INSERT orders").with_kind(SpanKind::Client).with_attributes([
            KeyValue::new("db.system.name", "postgresql"),
            KeyValue::new("db.namespace", "orders"),
            KeyValue::new("server.address", "db.test"),
        ]);
        to.build_with_context(insert, &server).end();
        if number == 0 {
            server.span().set_attribute(KeyValue::new("http.response.status_code", 500));
            server.span().set_status(Status::error("no stock"));
            out.span().set_status(Status::error(""));
        }
        for of in [server, out, entry] {
            of.span().end();
        }
    }
    shop.shutdown()?;
    orders.shutdown()?;
    Ok(())
}

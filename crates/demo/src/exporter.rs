//! OTLP exporters over both transports, built on the official ones.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{
    Compression, LogExporter, Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _, WithTonicConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as Exporter};

use crate::landscape::Export;
use crate::telemetry::Endpoints;

const EXPORT_TIMEOUT: Duration = Duration::from_secs(10);

/// Counts the spans that could not be delivered: the SDK only logs it, and a run must be able to say
/// whether the receiver was told everything.
#[derive(Debug)]
pub(crate) struct Counted {
    inner: SpanExporter,
    refused: Arc<AtomicU64>,
}

impl Counted {
    pub(crate) fn new(inner: SpanExporter, refused: Arc<AtomicU64>) -> Self {
        Self { inner, refused }
    }
}

impl Exporter for Counted {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        let outcome = self.inner.export(batch).await;
        if outcome.is_err() {
            self.refused.fetch_add(spans, Ordering::Relaxed);
        }
        outcome
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    // The official exporters override this one, so it must not fall back to the trait's.
    fn shutdown(&self) -> OTelSdkResult {
        self.inner.shutdown()
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

pub(crate) fn span_exporter(export: Export, to: &Endpoints) -> Result<SpanExporter> {
    let exporter = match export {
        Export::Grpc | Export::GrpcGzip => {
            let builder = SpanExporter::builder().with_tonic().with_endpoint(&to.grpc).with_timeout(EXPORT_TIMEOUT);
            match export {
                Export::GrpcGzip => builder.with_compression(Compression::Gzip).build()?,
                _ => builder.build()?,
            }
        }
        Export::Http | Export::HttpGzip => {
            let builder = SpanExporter::builder()
                .with_http()
                .with_http_client(OnRuntime::new()?)
                .with_protocol(Protocol::HttpBinary)
                .with_endpoint(format!("{}/v1/traces", to.http))
                .with_timeout(EXPORT_TIMEOUT);
            match export {
                Export::HttpGzip => builder.with_compression(Compression::Gzip).build()?,
                _ => builder.build()?,
            }
        }
    };
    Ok(exporter)
}

pub(crate) fn log_exporter(export: Export, to: &Endpoints) -> Result<LogExporter> {
    let exporter = match export {
        Export::Grpc | Export::GrpcGzip => {
            LogExporter::builder().with_tonic().with_endpoint(&to.grpc).with_timeout(EXPORT_TIMEOUT).build()?
        }
        Export::Http | Export::HttpGzip => LogExporter::builder()
            .with_http()
            .with_http_client(OnRuntime::new()?)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{}/v1/logs", to.http))
            .with_timeout(EXPORT_TIMEOUT)
            .build()?,
    };
    Ok(exporter)
}

/// An HTTP client that sends on our Tokio runtime: the SDK's batch processors run on threads of
/// their own, where reqwest's async client finds no reactor.
#[derive(Debug)]
struct OnRuntime {
    client: reqwest::Client,
    runtime: tokio::runtime::Handle,
}

impl OnRuntime {
    fn new() -> Result<Self> {
        // No client can be built before somebody says what does the cryptography; that it was said before is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self {
            client: reqwest::Client::builder().timeout(EXPORT_TIMEOUT).build()?,
            runtime: tokio::runtime::Handle::try_current()?,
        })
    }
}

impl HttpClient for OnRuntime {
    fn send_bytes<'life0, 'async_trait>(
        &'life0 self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        let client = self.client.clone();
        let sent = self.runtime.spawn(async move { client.send_bytes(request).await });
        Box::pin(async move { sent.await? })
    }
}

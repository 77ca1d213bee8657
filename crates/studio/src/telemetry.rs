//! Logs on stderr, and (when asked for) traces of flowglass itself by OTLP.
//!
//! Off by default. `FLOWGLASS_LOG` sets how much is logged; `FLOWGLASS_OTLP_ENDPOINT` names a receiver for the traces. A
//! receiver that is this very process is refused: every export would cause the next one.

use std::io::IsTerminal as _;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tracing::level_filters::LevelFilter;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry, filter, fmt, reload};
use url::Url;

use crate::recent_log;

/// Names the log filter.
const LOG: &str = "FLOWGLASS_LOG";
/// Names the receiver of our own traces.
const ENDPOINT: &str = "FLOWGLASS_OTLP_ENDPOINT";
/// Time an export may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Port that OTLP/HTTP has registered.
const HTTP_PORT: u16 = 4318;

/// Why telemetry cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `FLOWGLASS_LOG` is no filter.
    #[error("{LOG}: `{0}` is no log filter; write for instance `debug`")]
    Filter(String),
    /// Somebody else logs already.
    #[error("logging cannot be started: {0}")]
    Logging(String),
    /// The exporter cannot be made.
    #[error("traces cannot be exported: {0}")]
    Export(String),
}

fn export_error(error: impl std::fmt::Display) -> TelemetryError {
    TelemetryError::Export(error.to_string())
}

type Traces = Option<OpenTelemetryLayer<Registry, SdkTracer>>;

/// What was started, to be ended.
pub struct Telemetry {
    endpoint: Option<String>,
    traces: Option<reload::Handle<Traces, Registry>>,
    provider: OnceLock<SdkTracerProvider>,
}

/// Starts logging; `level` counts unless `FLOWGLASS_LOG` says otherwise. Exporting starts with [`Telemetry::export_unless`],
/// when our own listeners are known.
pub fn start(level: &str) -> Result<Telemetry, TelemetryError> {
    let filter = match std::env::var(LOG) {
        Ok(text) if !text.trim().is_empty() => EnvFilter::try_new(&text).map_err(|_| TelemetryError::Filter(text))?,
        _ => EnvFilter::new(level),
    };
    let endpoint = std::env::var(ENDPOINT).ok().filter(|e| !e.trim().is_empty());
    let (layer, handle) = match endpoint {
        Some(_) => {
            let (layer, handle) = reload::Layer::new(None);
            // Only what flowglass itself does: spans of the exporter's own libraries would be exported, too.
            let ours =
                filter::filter_fn(|m| m.target().starts_with("flowglass")).with_max_level_hint(LevelFilter::INFO);
            (Some(layer.with_filter(ours)), Some(handle))
        }
        None => (None, None),
    };
    let log = fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal()).with_filter(filter);
    tracing_subscriber::registry()
        .with(layer)
        .with(log)
        .with(recent_log::layer())
        .try_init()
        .map_err(|e| TelemetryError::Logging(e.to_string()))?;
    Ok(Telemetry { endpoint, traces: handle, provider: OnceLock::new() })
}

impl Telemetry {
    /// Starts exporting, if asked for, unless the receiver is one of these listeners of ours. Needs a running Tokio runtime.
    /// A receiver that cannot be used is told on stderr; it keeps nobody from working.
    pub fn export_unless(&self, listeners: &[SocketAddr]) -> Result<(), TelemetryError> {
        let (Some(endpoint), Some(traces)) = (&self.endpoint, &self.traces) else { return Ok(()) };
        let url = match Url::parse(endpoint.trim()) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => url,
            _ => {
                tracing::warn!("{ENDPOINT}: `{endpoint}` is no address; write http://host:4317. Nothing is exported.");
                return Ok(());
            }
        };
        if is_one_of(&url, listeners) {
            tracing::warn!("{ENDPOINT}: {url} is this very process. Its own traces are not exported.");
            return Ok(());
        }
        let exporter = match exporter(url) {
            Ok(exporter) => exporter,
            Err(error) => {
                tracing::warn!("{ENDPOINT}: {error}. Nothing is exported.");
                return Ok(());
            }
        };
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder().with_service_name("flowglass").with_attribute(version).build();
        let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("flowglass"));
        traces.reload(Some(layer)).map_err(export_error)?;
        let _ = self.provider.set(provider);
        Ok(())
    }

    /// Sends what is left. Not to be called on a thread of the runtime.
    pub fn end(&self) {
        let Some(provider) = self.provider.get() else { return };
        if let Err(error) = provider.shutdown_with_timeout(TIMEOUT) {
            tracing::warn!("the last traces of flowglass itself were not exported: {error}");
        }
    }
}

/// Whether an address leads to one of our listeners: a loopback host with the same port.
fn is_one_of(url: &Url, listeners: &[SocketAddr]) -> bool {
    let local = match url.host() {
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(url::Host::Ipv4(ip)) => is_here(ip.into()),
        Some(url::Host::Ipv6(ip)) => is_here(ip.into()),
        None => false,
    };
    local && listeners.iter().any(|l| url.port_or_known_default() == Some(l.port()))
}

fn is_here(ip: IpAddr) -> bool {
    ip.is_loopback() || ip.is_unspecified()
}

/// OTLP/HTTP for its registered port and for addresses with a path, else gRPC.
fn exporter(mut url: Url) -> Result<SpanExporter, TelemetryError> {
    let has_path = !matches!(url.path(), "" | "/");
    if url.port() != Some(HTTP_PORT) && !has_path {
        let grpc = SpanExporter::builder().with_tonic().with_endpoint(url.as_str()).with_timeout(TIMEOUT);
        return grpc.build().map_err(export_error);
    }
    if !url.path().ends_with("/v1/traces") {
        let path = format!("{}/v1/traces", url.path().trim_end_matches('/'));
        url.set_path(&path);
    }
    let http = SpanExporter::builder().with_http().with_http_client(OnRuntime::new()?);
    let http = http.with_protocol(Protocol::HttpBinary).with_endpoint(url.as_str()).with_timeout(TIMEOUT);
    http.build().map_err(export_error)
}

/// Sends on our Tokio runtime: the SDK exports from a thread of its own, where an async client finds no reactor.
#[derive(Debug)]
struct OnRuntime {
    client: reqwest::Client,
    runtime: tokio::runtime::Handle,
}

impl OnRuntime {
    fn new() -> Result<OnRuntime, TelemetryError> {
        // No client can be built before somebody says what does the cryptography; that it was said before is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().timeout(TIMEOUT).build().map_err(export_error)?;
        Ok(OnRuntime { client, runtime: tokio::runtime::Handle::try_current().map_err(export_error)? })
    }
}

impl HttpClient for OnRuntime {
    fn send_bytes<'a, 'b>(
        &'a self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        let client = self.client.clone();
        let sent = self.runtime.spawn(async move { client.send_bytes(request).await });
        Box::pin(async move { sent.await? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn itself_is_recognised() {
        let own = [SocketAddr::from(([127, 0, 0, 1], 4317)), SocketAddr::from(([127, 0, 0, 1], 4318))];
        for (url, itself) in [
            ("http://127.0.0.1:4317", true),
            ("http://localhost:4318/v1/traces", true),
            ("http://[::1]:4317", true),
            ("http://0.0.0.0:4317", true),
            ("http://127.0.0.1:5317", false),
            ("http://collector.example:4317", false),
        ] {
            assert_eq!(is_one_of(&url.parse().unwrap(), &own), itself, "{url}");
        }
    }
}

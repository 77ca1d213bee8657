//! Tracer and logger providers: one pair per participant, each with its own resource and exporter.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use opentelemetry::logs::{AnyValue, LogRecord as _, Logger as _, LoggerProvider as _, Severity};
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{Link, SpanContext, SpanKind, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::{BatchConfigBuilder as LogBatch, BatchLogProcessor, SdkLogger, SdkLoggerProvider};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracer, SdkTracerProvider};

use crate::exporter::{Counted, log_exporter, span_exporter};
use crate::landscape::{ENVIRONMENT, NAMESPACE, SERVICES, Service};

/// How often providers export. Shorter than the SDK's five seconds, because somebody is watching.
const EXPORT_EVERY: Duration = Duration::from_millis(500);

/// Headers that carry a trace context from one participant to the next.
pub type Carrier = std::collections::HashMap<String, String>;

/// Where OTLP goes: base addresses with scheme, without path.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// OTLP over gRPC.
    pub grpc: String,
    /// OTLP over HTTP; `/v1/traces` and `/v1/logs` are appended.
    pub http: String,
}

/// One participant's telemetry.
pub struct Instruments {
    tracer: SdkTracer,
    traces: SdkTracerProvider,
    logs: Option<(SdkLogger, SdkLoggerProvider)>,
    spans: AtomicU64,
    records: AtomicU64,
    refused: Arc<AtomicU64>,
}

/// The telemetry of all participants, by `service.name`.
pub struct Telemetry(BTreeMap<&'static str, Instruments>);

impl Telemetry {
    /// Builds all providers. Must be called inside a Tokio runtime. Nothing is sent yet, and the
    /// receiver need not be up.
    ///
    /// # Errors
    /// If an endpoint is not a usable address.
    pub fn start(to: &Endpoints) -> Result<Self> {
        let mut all = BTreeMap::new();
        for service in SERVICES {
            let instruments = Instruments::new(service, to)
                .with_context(|| format!("cannot export the telemetry of {}", service.name))?;
            all.insert(service.name, instruments);
        }
        Ok(Self(all))
    }

    /// The instruments of one participant of the landscape.
    ///
    /// # Panics
    /// If `service` is not in [`SERVICES`].
    #[must_use]
    pub fn of(&self, service: &Service) -> &Instruments {
        &self.0[service.name]
    }

    /// Spans ended so far, per service.
    #[must_use]
    pub fn spans(&self) -> BTreeMap<&'static str, u64> {
        self.0.iter().map(|(name, of)| (*name, of.spans.load(Ordering::Relaxed))).collect()
    }

    /// Spans so far that no receiver took, after all retries.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.0.values().map(|of| of.refused.load(Ordering::Relaxed)).sum()
    }

    /// Log records emitted so far, per service that has logs.
    #[must_use]
    pub fn records(&self) -> BTreeMap<&'static str, u64> {
        self.0
            .iter()
            .filter(|(_, of)| of.logs.is_some())
            .map(|(name, of)| (*name, of.records.load(Ordering::Relaxed)))
            .collect()
    }

    /// Exports everything that is left and stops all providers, each within `timeout`. Blocking.
    /// Returns what failed, one line per provider.
    #[must_use]
    pub fn shutdown(&self, timeout: Duration) -> Vec<String> {
        // In parallel: a receiver that is gone would else cost the time-out once per participant.
        std::thread::scope(|threads| {
            let running: Vec<_> =
                self.0.iter().map(|(name, of)| threads.spawn(move || of.shutdown(name, timeout))).collect();
            running.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
        })
    }
}

impl Instruments {
    fn new(service: &'static Service, to: &Endpoints) -> Result<Self> {
        let resource = resource(service);
        let refused = Arc::new(AtomicU64::new(0));
        let exporter = Counted::new(span_exporter(service.export, to)?, Arc::clone(&refused));
        let spans = BatchSpanProcessor::builder(exporter)
            .with_batch_config(
                BatchConfigBuilder::default().with_max_queue_size(16_384).with_scheduled_delay(EXPORT_EVERY).build(),
            )
            .build();
        let traces = SdkTracerProvider::builder().with_resource(resource.clone()).with_span_processor(spans).build();
        let logs = if service.logs { Some(logger(service, resource, to)?) } else { None };
        Ok(Self {
            tracer: traces.tracer("flowglass-demo"),
            traces,
            logs,
            spans: AtomicU64::new(0),
            records: AtomicU64::new(0),
            refused,
        })
    }

    /// Starts a span below `parent` and returns a context in which it is the active one.
    pub fn start(
        &self,
        kind: SpanKind,
        name: String,
        parent: &Context,
        attributes: Vec<KeyValue>,
        links: Vec<SpanContext>,
    ) -> Context {
        self.start_at(kind, name, parent, attributes, links, None)
    }

    /// As [`Instruments::start`], for a span that began at `began` (now where that is none).
    pub fn start_at(
        &self,
        kind: SpanKind,
        name: String,
        parent: &Context,
        attributes: Vec<KeyValue>,
        links: Vec<SpanContext>,
        began: Option<SystemTime>,
    ) -> Context {
        let links = links.into_iter().map(|to| Link::new(to, Vec::new(), 0)).collect();
        let span = self
            .tracer
            .span_builder(name)
            .with_kind(kind)
            .with_attributes(attributes)
            .with_links(links)
            .with_start_time(began.unwrap_or_else(SystemTime::now))
            .start_with_context(&self.tracer, parent);
        parent.with_span(span)
    }

    /// Ends the active span of `cx`; every span is ended here, so that they are counted.
    pub fn end(&self, cx: &Context) {
        cx.span().end();
        self.spans.fetch_add(1, Ordering::Relaxed);
    }

    /// Emits a log record that belongs to the active span of `cx`. A service without logs: nothing.
    pub fn log(&self, cx: &Context, severity: Severity, body: String, attributes: &[(&'static str, String)]) {
        let Some((logger, _)) = &self.logs else { return };
        let span = cx.span().span_context().clone();
        let mut record = logger.create_log_record();
        record.set_timestamp(SystemTime::now());
        record.set_severity_number(severity);
        record.set_severity_text(severity.name());
        record.set_body(AnyValue::from(body));
        for (key, value) in attributes {
            record.add_attribute(*key, value.clone());
        }
        record.set_trace_context(span.trace_id(), span.span_id(), Some(span.trace_flags()));
        logger.emit(record);
        self.records.fetch_add(1, Ordering::Relaxed);
    }

    fn shutdown(&self, name: &str, timeout: Duration) -> Vec<String> {
        let mut failed = Vec::new();
        if let Err(error) = self.traces.shutdown_with_timeout(timeout) {
            failed.push(format!("{name}: traces: {error}"));
        }
        if let Some((_, provider)) = &self.logs
            && let Err(error) = provider.shutdown_with_timeout(timeout)
        {
            failed.push(format!("{name}: logs: {error}"));
        }
        failed
    }
}

/// Writes the trace context of `cx` into headers (W3C Trace Context).
#[must_use]
pub fn inject(cx: &Context) -> Carrier {
    let mut carrier = Carrier::new();
    TraceContextPropagator::new().inject_context(cx, &mut carrier);
    carrier
}

/// Reads a trace context from headers; the empty context where there is none.
#[must_use]
pub fn extract(carrier: &Carrier) -> Context {
    TraceContextPropagator::new().extract_with_context(&Context::new(), carrier)
}

fn resource(service: &Service) -> Resource {
    Resource::builder()
        .with_service_name(service.name)
        .with_attributes([
            KeyValue::new("service.namespace", NAMESPACE),
            KeyValue::new("service.version", service.version),
            KeyValue::new("service.instance.id", format!("{}-0", service.name)),
            KeyValue::new("deployment.environment.name", ENVIRONMENT),
        ])
        .build()
}

fn logger(service: &Service, resource: Resource, to: &Endpoints) -> Result<(SdkLogger, SdkLoggerProvider)> {
    let processor = BatchLogProcessor::builder(log_exporter(service.export, to)?)
        .with_batch_config(LogBatch::default().with_scheduled_delay(EXPORT_EVERY).build())
        .build();
    let provider = SdkLoggerProvider::builder().with_resource(resource).with_log_processor(processor).build();
    Ok((provider.logger("flowglass-demo"), provider))
}

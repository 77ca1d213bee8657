use flowglass_model::{Attributes, LogRecord, Span, SpanFacts, SpanId, Value, semconv};

use super::{not_found, trace_id};
use crate::api::{ApiError, BusinessKey, LogView, SpanEventView, SpanLinkView, SpanRequest, SpanView, to_ms};
use crate::display::Redactor;
use crate::otlp_json::span_json;
use crate::{Studio, words};

/// See [`SpanView`].
pub(crate) async fn span(studio: &Studio, request: SpanRequest) -> Result<SpanView, ApiError> {
    let trace = trace_id(&request.trace_id)?;
    let span_id: SpanId =
        request.span_id.parse().map_err(|e| super::bad_request(format!("`{}` is no span id: {e}", request.span_id)))?;
    let kind = request.kind.as_deref().and_then(words::parse_span_kind);
    let what = request.span_id.clone();
    let view = studio.ask(move |workspace| {
        let Some(span) = workspace.read(|r| r.span(trace, span_id, kind))? else { return Ok(None) };
        let (facts, logs, joins) =
            workspace.read(|r| Ok((r.trace_facts(trace)?, r.logs_of_trace(trace)?, r.joins_of(trace)?)))?;
        let layers = workspace.layers()?;
        let redactor = Redactor::new(&workspace.settings().config, &request.reveal);
        let mut links = Vec::new();
        for link in &span.links {
            links.push(SpanLinkView {
                trace_id: link.trace_id.to_string(),
                span_id: link.span_id.to_string(),
                attributes: redactor.attributes(&link.attributes),
                direction: "out".into(),
                journey: workspace.journey_of(link.trace_id).ok().map(|t| t.to_string()),
            });
        }
        for join in joins.1.iter().filter(|j| j.parent_span == span_id) {
            links.push(SpanLinkView {
                trace_id: join.child_trace.to_string(),
                span_id: join.child_span.to_string(),
                attributes: Vec::new(),
                direction: "in".into(),
                journey: workspace.journey_of(join.child_trace).ok().map(|t| t.to_string()),
            });
        }
        let layer = layers.get(&span.facts.service).copied().unwrap_or(flowglass_model::Layer::Process);
        Ok(Some(view(&span, &facts, &logs, links, layer.as_str(), &redactor)))
    });
    view.await?.ok_or_else(|| not_found(&format!("span {what}")))
}

fn view(
    span: &Span,
    trace: &[SpanFacts],
    logs: &[LogRecord],
    links: Vec<SpanLinkView>,
    layer: &str,
    redactor: &Redactor,
) -> SpanView {
    let f = &span.facts;
    let exception = span.events.iter().rev().find(|e| e.name == "exception");
    let text = |name: &str| exception.and_then(|e| find(&e.attributes, name)).map(|v| v.to_string());
    let error = match (text(semconv::EXCEPTION_TYPE), text(semconv::EXCEPTION_MESSAGE)) {
        (Some(kind), Some(message)) => Some(format!("{kind}: {message}")),
        (kind, message) => kind.or(message),
    };
    SpanView {
        trace_id: f.trace_id.to_string(),
        span_id: f.span_id.to_string(),
        parent_id: f.parent.map(|p| p.to_string()),
        participant: f.service.to_string(),
        service: f.service.name().to_owned(),
        layer: layer.into(),
        name: span.name.clone(),
        operation: f.operation.to_string(),
        kind: words::span_kind(f.kind).into(),
        start_at: to_ms(f.start),
        duration_ms: f.duration() as f64 / 1e6,
        self_ms: self_time(f, trace) as f64 / 1e6,
        status: words::span_status(f.status).into(),
        status_message: f.error.as_ref().and_then(|e| e.message.clone()),
        http_status: f.http_status,
        error: error.or_else(|| f.error.as_ref().and_then(|e| e.kind.clone())),
        stacktrace: text(semconv::EXCEPTION_STACKTRACE),
        attributes: redactor.attributes(&span.attributes),
        resource: redactor.attributes(&span.resource.attributes),
        scope: format!("{} {}", span.scope.name, span.scope.version).trim().to_owned(),
        events: span
            .events
            .iter()
            .map(|e| SpanEventView {
                at: to_ms(e.time),
                name: e.name.clone(),
                attributes: redactor.attributes(&e.attributes),
            })
            .collect(),
        links,
        logs: logs
            .iter()
            .filter(|l| l.span_id.is_none_or(|id| id == f.span_id))
            .map(|l| LogView {
                at: to_ms(l.time),
                severity: severity(l),
                severity_number: l.severity,
                body: redactor.attribute("body", l.body.to_string()).value,
                service: l.resource.service.name.clone(),
                span_id: l.span_id.map(|s| s.to_string()),
                attributes: redactor.attributes(&l.attributes),
            })
            .collect(),
        keys: f.keys.iter().map(|(name, value)| BusinessKey { name: name.clone(), value: value.clone() }).collect(),
        dropped: span.dropped,
        raw_json: serde_json::to_string_pretty(&span_json(span, redactor)).unwrap_or_default(),
    }
}

fn find<'a>(attributes: &'a Attributes, name: &str) -> Option<&'a Value> {
    attributes.iter().find(|(k, _)| k == name).map(|(_, v)| v)
}

/// Severity as sent, else by number (OpenTelemetry logs data model, severity fields).
fn severity(log: &LogRecord) -> String {
    if !log.severity_text.is_empty() {
        return log.severity_text.to_uppercase();
    }
    match log.severity {
        0 => "",
        1..=4 => "TRACE",
        5..=8 => "DEBUG",
        9..=12 => "INFO",
        13..=16 => "WARN",
        17..=20 => "ERROR",
        _ => "FATAL",
    }
    .into()
}

/// Time of a span in which none of its children ran.
fn self_time(span: &SpanFacts, trace: &[SpanFacts]) -> i64 {
    let mut busy: Vec<(i64, i64)> = trace
        .iter()
        .filter(|c| c.parent == Some(span.span_id) && c.span_id != span.span_id)
        .map(|c| (c.start.max(span.start), c.end.min(span.end)))
        .filter(|(from, to)| to > from)
        .collect();
    busy.sort_unstable();
    let (mut covered, mut reached) = (0, span.start);
    for (from, to) in busy {
        covered += (to - from.max(reached)).max(0);
        reached = reached.max(to);
    }
    span.duration() - covered
}

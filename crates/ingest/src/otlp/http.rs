//! OTLP over HTTP, and the two other formats that the same port takes: CloudEvents and Zipkin.

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use flowglass_listen::Visitor;
use flowglass_model::{Batch, SourceKind};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsPartialSuccess, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsPartialSuccess, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
use prost::Message;
use serde_json::json;
use tonic::Code;

use super::body::{self, Compression};
use super::request::{Partial, Problem, RETRY_SECONDS, Received, Receiver, Signal, now};
use super::sender::Sender;
use super::{Encoding, access, grpc};
use crate::{cloudevents, files, forward};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";
const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");

/// All routes of a port. gRPC calls are told by their content type, whatever the path.
pub(super) fn router(receiver: Receiver) -> Router {
    Router::new()
        .route("/v1/traces", post(|s, p, r| otlp(Signal::Traces, s, p, r)))
        .route("/v1/logs", post(|s, p, r| otlp(Signal::Logs, s, p, r)))
        .route("/v1/metrics", post(|s, p, r| otlp(Signal::Metrics, s, p, r)))
        .route("/cloudevents", post(cloud_events))
        .route("/api/v2/spans", post(zipkin))
        .fallback(wrong_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(receiver.clone(), door))
        .with_state(receiver)
}

type Peer = Extension<Sender>;

/// What comes before every route: gRPC, the token of senders on other machines, and the rules for browsers. A page of a foreign
/// site must not be able to write here, so an `Origin` that is not loopback is refused, whatever the method.
async fn door(
    State(receiver): State<Receiver>,
    sender: Peer,
    Extension(visitor): Extension<Visitor>,
    request: Request,
    next: Next,
) -> Response {
    let _busy = visitor.busy();
    let is_grpc = grpc::is_grpc(request.headers());
    let what = format!("{} {}", if is_grpc { "gRPC" } else { request.method().as_str() }, request.uri().path());
    sender.asks(what.clone());
    // Our own test names a secret of this run; it may come to an address of the network.
    if let Err(problem) = access::admit(receiver.token.as_ref(), sender.ip(), request.headers())
        && !receiver.is_probe(request.headers())
    {
        receiver.refuse(&sender, what, &problem).await;
        body::discard(request.into_body()).await;
        return if is_grpc { grpc::failure(&problem) } else { unauthorized(&problem) };
    }
    let origin = request.headers().get(header::ORIGIN).cloned();
    if let Some(origin) = &origin
        && !is_loopback_origin(origin)
    {
        let message = "pages of other sites may not send here (the Origin header is not loopback)";
        let problem = Problem::new(StatusCode::FORBIDDEN, Code::PermissionDenied, message);
        receiver.refuse(&sender, what, &problem).await;
        return answer(&problem, Encoding::Json);
    }
    if request.method() == Method::OPTIONS {
        let reason = "only a browser's question came whether it may send; the request itself did not follow";
        let advice = "Look into the page's own console: it says why nothing was sent.";
        sender.nothing(Some(what), reason, advice).await;
        return preflight(request.headers(), origin);
    }
    let mut response =
        if is_grpc { grpc::handle(State(receiver), sender, request).await } else { next.run(request).await };
    if let Some(origin) = origin {
        allow_origin(response.headers_mut(), origin);
    }
    response
}

/// 401 with the scheme that is asked for (RFC 6750, 3).
fn unauthorized(problem: &Problem) -> Response {
    let mut response = answer(problem, Encoding::Json);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

fn is_loopback_origin(origin: &HeaderValue) -> bool {
    let Ok(text) = origin.to_str() else { return false };
    let Ok(url) = url::Url::parse(text) else { return false };
    matches!(url.scheme(), "http" | "https")
        && matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
        && url.username().is_empty()
        && url.path() == "/"
}

fn allow_origin(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
}

fn preflight(asked: &HeaderMap, origin: Option<HeaderValue>) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(header::ALLOW, HeaderValue::from_static("POST, OPTIONS"));
    let Some(origin) = origin else { return response };
    allow_origin(headers, origin);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST, OPTIONS"));
    let wanted = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let usual = HeaderValue::from_static("content-type, content-encoding");
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.unwrap_or(usual));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    if asked.contains_key("access-control-request-private-network") {
        headers.insert("access-control-allow-private-network", HeaderValue::from_static("true"));
    }
    response
}

async fn otlp(signal: Signal, State(receiver): State<Receiver>, sender: Peer, request: Request) -> Response {
    let what = format!("POST {}", request.uri().path());
    let encoding = match encoding_of(request.headers()) {
        Ok(encoding) => encoding,
        Err(problem) => {
            receiver.refuse(&sender, what, &problem).await;
            let mut response = answer(&problem, Encoding::Json);
            response
                .headers_mut()
                .insert(ACCEPT_POST, HeaderValue::from_static("application/x-protobuf, application/json"));
            return response;
        }
    };
    match export(&receiver, signal, encoding, &sender, request).await {
        Ok(partial) => success(signal, encoding, &partial),
        Err(problem) => {
            receiver.refuse(&sender, what, &problem).await;
            answer(&problem, encoding)
        }
    }
}

async fn export(
    receiver: &Receiver,
    signal: Signal,
    encoding: Encoding,
    sender: &Sender,
    request: Request,
) -> Result<Partial, Problem> {
    let (_, received) = receive(receiver, request).await?;
    receiver.export(signal, encoding, received, SourceKind::OtlpHttp, sender).await
}

/// Reads the body of a request, still compressed.
async fn receive(receiver: &Receiver, request: Request) -> Result<(HeaderMap, Received), Problem> {
    let (parts, body) = request.into_parts();
    let compression = Compression::of(parts.headers.get(header::CONTENT_ENCODING)).map_err(|name| {
        let message = format!("content encoding {name} is not understood; use gzip, zstd, deflate or identity");
        Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::Unimplemented, message)
    })?;
    let mut room = receiver.budget.room();
    let bytes = body::read(&parts.headers, body, receiver.max_body, &receiver.limits, &mut room).await?;
    let probe = receiver.is_probe(&parts.headers);
    if !probe {
        receiver.counters().request(bytes.len() as u64);
    }
    let headers = forward::passed_on(&parts.headers, receiver.token.as_ref());
    Ok((parts.headers, Received { bytes, compression, room, headers, probe }))
}

fn encoding_of(headers: &HeaderMap) -> Result<Encoding, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).map(|v| String::from_utf8_lossy(v.as_bytes()).to_ascii_lowercase());
    let kind = kind.unwrap_or_default();
    match kind.split(';').next().unwrap_or_default().trim() {
        PROTOBUF | "application/protobuf" => Ok(Encoding::Protobuf),
        JSON => Ok(Encoding::Json),
        "" => Err(unsupported("no content type".to_owned())),
        other => Err(unsupported(format!("content type {other}"))),
    }
}

fn unsupported(found: String) -> Problem {
    let message = format!("{found}; OTLP is sent as {PROTOBUF} or {JSON}");
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::InvalidArgument, message)
}

/// The `Export…ServiceResponse` of a signal as protobuf.
pub(super) fn encode_response(signal: Signal, partial: &Partial) -> Vec<u8> {
    let said = !partial.message.is_empty() || partial.rejected > 0;
    let rejected = i64::try_from(partial.rejected).unwrap_or(i64::MAX);
    let error_message = partial.message.clone();
    match signal {
        Signal::Traces => ExportTraceServiceResponse {
            partial_success: said.then_some(ExportTracePartialSuccess { rejected_spans: rejected, error_message }),
        }
        .encode_to_vec(),
        Signal::Logs => ExportLogsServiceResponse {
            partial_success: said.then_some(ExportLogsPartialSuccess { rejected_log_records: rejected, error_message }),
        }
        .encode_to_vec(),
        Signal::Metrics => ExportMetricsServiceResponse {
            partial_success: said
                .then_some(ExportMetricsPartialSuccess { rejected_data_points: rejected, error_message }),
        }
        .encode_to_vec(),
    }
}

fn success(signal: Signal, encoding: Encoding, partial: &Partial) -> Response {
    let (kind, body) = match encoding {
        Encoding::Protobuf => (PROTOBUF, encode_response(signal, partial)),
        Encoding::Json => {
            let field = match signal {
                Signal::Traces => "rejectedSpans",
                Signal::Logs => "rejectedLogRecords",
                Signal::Metrics => "rejectedDataPoints",
            };
            // 64-bit numbers are text in protobuf's JSON.
            let body = match partial.rejected {
                0 => json!({}),
                n => json!({"partialSuccess": {field: n.to_string(), "errorMessage": partial.message}}),
            };
            (JSON, body.to_string().into_bytes())
        }
    };
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}

/// `google.rpc.Status` (googleapis, google/rpc/status.proto).
#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Detail>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
struct Detail {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.RetryInfo` with the seconds of its `google.protobuf.Duration`.
#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Seconds>,
}

#[derive(Clone, PartialEq, Message)]
struct Seconds {
    #[prost(int64, tag = "1")]
    seconds: i64,
}

const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

/// `google.rpc.Status` of a problem as protobuf, with `RetryInfo` where trying again helps.
pub(super) fn status_bytes(problem: &Problem) -> Vec<u8> {
    let delay = RetryInfo { retry_delay: Some(Seconds { seconds: i64::from(RETRY_SECONDS) }) };
    let retry = problem.retry.then(|| Detail { type_url: RETRY_INFO.to_owned(), value: delay.encode_to_vec() });
    let status =
        RpcStatus { code: problem.code as i32, message: problem.message.clone(), details: retry.into_iter().collect() };
    status.encode_to_vec()
}

/// An error answer in the encoding of the request.
fn answer(problem: &Problem, encoding: Encoding) -> Response {
    let (kind, body) = match encoding {
        Encoding::Protobuf => (PROTOBUF, status_bytes(problem)),
        Encoding::Json => {
            let mut status = json!({"code": problem.code as i32, "message": problem.message});
            if problem.retry {
                status["details"] = json!([{"@type": RETRY_INFO, "retryDelay": format!("{RETRY_SECONDS}s")}]);
            }
            (JSON, status.to_string().into_bytes())
        }
    };
    let mut response = (problem.status, [(header::CONTENT_TYPE, kind)], Body::from(body)).into_response();
    let headers = response.headers_mut();
    if problem.retry {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_SECONDS));
    }
    if problem.status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, zstd, deflate, identity"));
    }
    response
}

async fn wrong_path(State(receiver): State<Receiver>, sender: Peer, request: Request) -> Response {
    let path = request.uri().path();
    let lower = path.to_ascii_lowercase();
    let hint = if lower.contains("log") {
        "send logs to /v1/logs"
    } else if lower.contains("metric") {
        "send metrics to /v1/metrics (they are answered, but not kept)"
    } else if lower.contains("event") {
        "send CloudEvents to /cloudevents"
    } else if lower.contains("zipkin") || lower.contains("api/v1/spans") {
        "send Zipkin spans to /api/v2/spans"
    } else {
        "send traces to /v1/traces and logs to /v1/logs"
    };
    let message = format!("nothing is served at {path}: {hint}");
    let problem = Problem::new(StatusCode::NOT_FOUND, Code::NotFound, message);
    receiver.refuse(&sender, format!("{} {path}", request.method()), &problem).await;
    answer(&problem, Encoding::Json)
}

async fn wrong_method(State(receiver): State<Receiver>, sender: Peer, request: Request) -> Response {
    let (method, path) = (request.method(), request.uri().path());
    let message = format!("{path} takes POST, not {method}");
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, Code::Unimplemented, message);
    receiver.refuse(&sender, format!("{method} {path}"), &problem).await;
    let mut response = answer(&problem, Encoding::Json);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST, OPTIONS"));
    response
}

/// CloudEvents: structured, batched or binary; 204 once stored (CloudEvents HTTP webhooks, "Delivery response").
async fn cloud_events(State(receiver): State<Receiver>, sender: Peer, request: Request) -> Response {
    let taken = async {
        let (headers, received) = receive(&receiver, request).await?;
        let probe = received.probe;
        let read = move |b: &[u8], options: &crate::Options| {
            cloudevents::from_http(&headers, b, now(), options).map_err(|e| Problem::bad(e.to_string()))
        };
        let (messages, _room) = receiver.decode(received, read).await?;
        let batch = Batch { messages, ..Batch::default() };
        receiver.store(batch, SourceKind::CloudEvents, &sender, "events", probe).await
    };
    match taken.await {
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(problem) => {
            receiver.refuse(&sender, "POST /cloudevents".to_owned(), &problem).await;
            answer(&problem, Encoding::Json)
        }
    }
}

/// Zipkin v2 JSON; 202 as Zipkin's own collector answers, though the spans are stored already.
async fn zipkin(State(receiver): State<Receiver>, sender: Peer, request: Request) -> Response {
    let taken = async {
        let (headers, received) = receive(&receiver, request).await?;
        if headers.get(header::CONTENT_TYPE).is_some_and(|t| t.as_bytes().starts_with(b"application/x-protobuf")) {
            let message = "Zipkin spans are taken as JSON (application/json)";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::InvalidArgument, message));
        }
        let read = |b: &[u8], options: &crate::Options| files::zipkin::spans(b, options).map_err(Problem::bad);
        let ((spans, rejected), _room) = receiver.decode(received, read).await?;
        let batch = Batch { spans, rejected, ..Batch::default() };
        receiver.store(batch, SourceKind::Zipkin, &sender, "spans", false).await
    };
    match taken.await {
        Ok(_) => StatusCode::ACCEPTED.into_response(),
        Err(problem) => {
            receiver.refuse(&sender, "POST /api/v2/spans".to_owned(), &problem).await;
            answer(&problem, Encoding::Json)
        }
    }
}

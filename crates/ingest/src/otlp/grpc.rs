//! OTLP over gRPC: unary calls on the HTTP/2 side of the port.
//!
//! The frame of a unary call is five bytes, so it is read here instead of by tonic's codec: the same limits and the same
//! decoder as for HTTP apply, a decompression bomb stops at the limit, and an oversize message is INVALID_ARGUMENT instead of
//! OUT_OF_RANGE (which OTLP clients retry for ever). Statuses and codes are tonic's.

use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::response::Response;
use bytes::{BufMut, Bytes, BytesMut};
use flowglass_model::SourceKind;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use http_body_util::{BodyExt, Full};
use tonic::{Code, Status};

use super::Encoding;
use super::body::{self, Compression};
use super::http::{encode_response, status_bytes};
use super::request::{Problem, Received, Receiver, Signal};
use super::sender::Sender;
use crate::forward;

const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const ACCEPTED: HeaderValue = HeaderValue::from_static("gzip,zstd,identity");

/// Paths of the three services and what they carry.
pub(crate) const SERVICES: [(&str, Signal); 3] = [
    ("/opentelemetry.proto.collector.trace.v1.TraceService/Export", Signal::Traces),
    ("/opentelemetry.proto.collector.logs.v1.LogsService/Export", Signal::Logs),
    ("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", Signal::Metrics),
];

/// Whether a request is a gRPC call (`application/grpc` or `application/grpc+proto`; not gRPC-Web).
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()) else { return false };
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind == "application/grpc" || kind == "application/grpc+proto"
}

/// Handles any gRPC call.
pub(super) async fn handle(
    State(receiver): State<Receiver>,
    Extension(sender): Extension<Sender>,
    request: Request,
) -> Response {
    let path = request.uri().path().to_owned();
    match call(&receiver, &sender, request).await {
        Ok(response) => response,
        Err(problem) => {
            receiver.refuse(&sender, format!("gRPC {path}"), &problem).await;
            failure(&problem)
        }
    }
}

async fn call(receiver: &Receiver, sender: &Sender, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let signal = SERVICES.iter().find(|(path, _)| *path == parts.uri.path()).map(|(_, signal)| *signal);
    let Some(signal) = signal else {
        let message = format!("no service {}; traces, logs and metrics of OTLP are served here", parts.uri.path());
        return Err(Problem::new(http::StatusCode::NOT_FOUND, Code::Unimplemented, message));
    };
    let encoding = Compression::of(parts.headers.get(ENCODING)).map_err(|name| {
        let message = format!("grpc-encoding {name} is not understood; use gzip, zstd or identity");
        Problem::new(http::StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::Unimplemented, message)
    })?;
    let mut room = receiver.budget.room();
    let frame =
        body::read(&parts.headers, body, receiver.max_body.saturating_add(5), &receiver.limits, &mut room).await?;
    let probe = receiver.is_probe(&parts.headers);
    if !probe {
        receiver.counters().request(frame.len() as u64);
    }
    let (message, compressed) = unframe(frame)?;
    if compressed && encoding.is_none() {
        return Err(Problem::bad("the message is marked as compressed, but no grpc-encoding was named"));
    }
    let headers = forward::passed_on(&parts.headers, receiver.token.as_ref());
    let received = Received { bytes: message, compression: encoding.filter(|_| compressed), room, headers, probe };
    let partial = receiver.export(signal, Encoding::Protobuf, received, SourceKind::OtlpGrpc, sender).await?;
    Ok(success(&encode_response(signal, &partial)))
}

/// The one message of a unary call, and whether it is compressed.
fn unframe(frame: Bytes) -> Result<(Bytes, bool), Problem> {
    if frame.len() < 5 {
        return Err(Problem::bad("the call carries no message"));
    }
    let length = u32::from_be_bytes([frame[1], frame[2], frame[3], frame[4]]) as usize;
    match frame.len() - 5 {
        n if n < length => return Err(Problem::bad(format!("the message is cut off: {n} of {length} bytes arrived"))),
        n if n > length => return Err(Problem::bad("the call carries more than one message")),
        _ => {}
    }
    match frame[0] {
        0 => Ok((frame.slice(5..), false)),
        1 => Ok((frame.slice(5..), true)),
        flag => Err(Problem::bad(format!("the message has the unknown compression flag {flag}"))),
    }
}

fn success(message: &[u8]) -> Response {
    let mut frame = BytesMut::with_capacity(5 + message.len());
    frame.put_u8(0);
    frame.put_u32(message.len() as u32);
    frame.put_slice(message);
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let body = Full::new(frame.freeze()).with_trailers(async move { Some(Ok(trailers)) });
    let mut response = Response::new(Body::new(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response.headers_mut().insert(ACCEPT_ENCODING, ACCEPTED);
    response
}

/// A status without a message. What may be tried again carries `RetryInfo` (OTLP specification, "OTLP/gRPC Throttling").
pub(super) fn failure(problem: &Problem) -> Response {
    let details = if problem.retry { Bytes::from(status_bytes(problem)) } else { Bytes::new() };
    let status = Status::with_details(problem.code, problem.message.clone(), details);
    let mut response = status.into_http::<Body>();
    response.headers_mut().insert(ACCEPT_ENCODING, ACCEPTED);
    response
}

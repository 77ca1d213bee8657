//! OTLP requests that leave this program: to whom it forwards, and to itself as a test. Straight to the address: the variables
//! `HTTP_PROXY` and the like are not followed.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use http::header::{HeaderMap, HeaderValue};
use http::{HeaderName, Method, Request, StatusCode, Uri, Version, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client, Error, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tonic::{Code, Status};

/// Bytes of an answer that are read.
const ANSWER: usize = 64 << 10;
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);

/// A client that keeps its connections.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

/// What was answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// Status of a gRPC call, with its message.
    pub(crate) grpc: Option<(Code, String)>,
    /// The answer, as far as it is text.
    pub(crate) text: String,
}

/// Why there was no answer, in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NoReply(pub(crate) String);

impl Outgoing {
    /// A client for gRPC (HTTP/2 from the first byte) or for HTTP/1.1; certificates of others are checked against those that
    /// this system trusts.
    pub(crate) fn new(grpc: bool, tls: bool) -> io::Result<Outgoing> {
        let provider = rustls::crypto::ring::default_provider();
        let builder = HttpsConnectorBuilder::new();
        let builder = if tls {
            builder.with_provider_and_native_roots(provider)?.https_only()
        } else {
            let config = rustls::ClientConfig::builder_with_provider(provider.into())
                .with_safe_default_protocol_versions()
                .map_err(io::Error::other)?
                .with_root_certificates(rustls::RootCertStore::empty())
                .with_no_client_auth();
            builder.with_tls_config(config).https_or_http()
        };
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT));
        tcp.set_nodelay(true);
        let connector =
            if grpc { builder.enable_http2().wrap_connector(tcp) } else { builder.enable_http1().wrap_connector(tcp) };
        let mut client = Client::builder(TokioExecutor::new());
        client.timer(TokioTimer::new()).pool_timer(TokioTimer::new()).http2_only(grpc);
        Ok(Outgoing(client.build(connector)))
    }

    /// Posts a body. Within `patience`, else there is no reply.
    pub(crate) async fn post(
        &self,
        url: &Uri,
        grpc: bool,
        headers: HeaderMap,
        body: Bytes,
        patience: Duration,
    ) -> Result<Reply, NoReply> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = url.clone();
        *request.headers_mut() = headers;
        if grpc {
            *request.version_mut() = Version::HTTP_2;
        }
        let exchange = async {
            let response = self.0.request(request).await.map_err(|e| in_words(url, &e))?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, ANSWER).collect().await.map_err(|e| NoReply(format!("the answer broke off: {e}")))?;
            let trailers = body.trailers().cloned().unwrap_or_default();
            let status = grpc.then(|| grpc_status(head.status, &head.headers, &trailers));
            let text = String::from_utf8_lossy(&body.to_bytes()).into_owned();
            Ok(Reply { status: head.status, headers: head.headers, grpc: status, text })
        };
        let late = |_| NoReply(format!("{} did not answer within {} s", authority(url), patience.as_secs()));
        tokio::time::timeout(patience, exchange).await.map_err(late)?
    }
}

/// Status of a gRPC call: in the trailers, else in the headers, else what the HTTP status means.
fn grpc_status(status: StatusCode, headers: &HeaderMap, trailers: &HeaderMap) -> (Code, String) {
    match Status::from_header_map(trailers).or_else(|| Status::from_header_map(headers)) {
        Some(status) => (status.code(), status.message().to_owned()),
        None => {
            // gRPC over HTTP2, "HTTP to gRPC status code mapping".
            let code = match status.as_u16() {
                400 => Code::Internal,
                401 => Code::Unauthenticated,
                403 => Code::PermissionDenied,
                404 => Code::Unimplemented,
                429 | 502..=504 => Code::Unavailable,
                _ => Code::Unknown,
            };
            (code, format!("no gRPC status; HTTP {status}"))
        }
    }
}

/// The headers of a gRPC call.
pub(crate) fn grpc_headers(mut headers: HeaderMap, compression: Option<&'static str>) -> HeaderMap {
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(header::TE, HeaderValue::from_static("trailers"));
    if let Some(name) = compression {
        headers.insert(HeaderName::from_static("grpc-encoding"), HeaderValue::from_static(name));
    }
    headers
}

/// The frame of a unary call.
pub(crate) fn grpc_frame(message: &[u8], compressed: bool) -> Bytes {
    let mut frame = BytesMut::with_capacity(5 + message.len());
    frame.put_u8(u8::from(compressed));
    frame.put_u32(message.len() as u32);
    frame.put_slice(message);
    frame.freeze()
}

fn authority(url: &Uri) -> String {
    url.authority().map_or_else(|| url.to_string(), |a| a.to_string())
}

fn in_words(url: &Uri, error: &Error) -> NoReply {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = error.source();
    let mut deepest = error.to_string();
    let mut kind = None;
    while let Some(inner) = cause {
        deepest = inner.to_string();
        if let Some(io) = inner.downcast_ref::<io::Error>() {
            kind = Some(io.kind());
        }
        cause = inner.source();
    }
    let to = authority(url);
    NoReply(match kind {
        Some(io::ErrorKind::ConnectionRefused) => format!("nobody listens on {to}"),
        Some(io::ErrorKind::TimedOut) => format!("{to} cannot be reached: connecting took too long"),
        _ if error.is_connect() => format!("{to} cannot be reached: {deepest}"),
        _ => format!("the connection to {to} broke: {deepest}"),
    })
}

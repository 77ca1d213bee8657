//! Who may ask: Host and Origin of this very server, and the session's cookie. And what browsers may do with the answers.

use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, HOST, LOCATION, ORIGIN};
use axum::http::header::{REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use flowglass_listen::Visitor;
use flowglass_studio::api::ApiError;

use super::Ui;

const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
                      connect-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// Lets a request through when it is meant for this server, comes from its own pages and belongs to the session.
pub(super) async fn check(
    State(ui): State<Ui>,
    Extension(visitor): Extension<Visitor>,
    request: Request,
    next: Next,
) -> Response {
    let _busy = visitor.busy();
    let headers = request.headers();
    let Some(host) = host(request.uri(), headers).filter(|host| is_ours(host, &ui)) else {
        let message = format!("This server answers only under http://{}.", ui.address);
        return refusal(request.uri(), StatusCode::FORBIDDEN, &message);
    };
    if let Some(origin) = headers.get(ORIGIN)
        && origin.as_bytes() != format!("http://{host}").as_bytes()
    {
        return refusal(request.uri(), StatusCode::FORBIDDEN, "Requests from other web pages are not answered.");
    }
    let mut cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let signed_in = cookies.any(|cookie| ui.session.holds(cookie));
    if request.method() == Method::GET
        && request.uri().path() == "/"
        && let Some(token) = token(request.uri())
    {
        return match ui.session.open(token) {
            Some(cookie) => (StatusCode::SEE_OTHER, [(SET_COOKIE, cookie), (LOCATION, "/".to_owned())]).into_response(),
            None if signed_in => (StatusCode::SEE_OTHER, [(LOCATION, "/")]).into_response(),
            None => refusal(
                request.uri(),
                StatusCode::UNAUTHORIZED,
                "This link was used before, or is of an earlier run. Start flowglass serve again and open the link it prints.",
            ),
        };
    }
    if !signed_in {
        return refusal(
            request.uri(),
            StatusCode::UNAUTHORIZED,
            "This browser is not signed in. Open the link that flowglass serve printed.",
        );
    }
    visitor.is_known();
    next.run(request).await
}

/// What a request is addressed to: the `Host` header, in HTTP/2 the authority.
fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    headers.get(HOST).map_or_else(|| uri.authority().map(|a| a.as_str()), |h| h.to_str().ok())
}

/// A name that someone else made to point here (DNS rebinding) is not ours.
fn is_ours(host: &str, ui: &Ui) -> bool {
    let port = ui.address.port();
    // Browsers leave port 80 out.
    let names = [ui.address.to_string(), format!("localhost:{port}")];
    let short = [ui.address.ip().to_string(), "localhost".to_owned()];
    names.iter().any(|n| n.eq_ignore_ascii_case(host))
        || (port == 80 && short.iter().any(|n| n.eq_ignore_ascii_case(host)))
}

fn token(uri: &Uri) -> Option<&str> {
    uri.query()?.split('&').find_map(|pair| pair.strip_prefix("token="))
}

/// JSON for programs, a small page for people.
fn refusal(uri: &Uri, status: StatusCode, message: &str) -> Response {
    if uri.path().starts_with("/api/") {
        let code = if status == StatusCode::FORBIDDEN { "forbidden" } else { "unauthorized" };
        return (status, Json(ApiError { code: code.into(), message: message.into() })).into_response();
    }
    page(status, message)
}

/// A page with one sentence, which must hold no markup.
pub(super) fn page(status: StatusCode, message: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Flowglass</title></head>\
         <body><h1>Flowglass</h1><p>{message}</p></body></html>"
    );
    (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response()
}

/// Headers of every answer, refusals included.
pub(super) async fn secure(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
    set(CONTENT_SECURITY_POLICY, POLICY);
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(REFERRER_POLICY, "no-referrer");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

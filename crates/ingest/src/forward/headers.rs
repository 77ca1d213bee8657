//! Which headers of a request are passed on.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::otlp::{PROBE, bearer};
use crate::secrets::Secret;

/// Names of the forwarders a request went through.
const THROUGH: HeaderName = HeaderName::from_static("flowglass-forwarded");

/// Headers that belong to one connection or one hop (RFC 9110, 7.6.1), or to the body as it came.
const OWN: [HeaderName; 18] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::HOST,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::CONTENT_ENCODING,
    header::ACCEPT_ENCODING,
    header::EXPECT,
    header::COOKIE,
    header::ORIGIN,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROBE,
];

/// The headers of a request that go along: keys and tenants of the other side among them, but not our own token.
pub(crate) fn passed_on(headers: &HeaderMap, token: Option<&Secret>) -> HeaderMap {
    let ours = token.is_some_and(|t| bearer(headers) == Some(t.reveal()));
    let goes = |name: &HeaderName| {
        let our_token = ours && name == header::AUTHORIZATION;
        !(OWN.contains(name) || name.as_str().starts_with("grpc-") || our_token)
    };
    headers.iter().filter(|(name, _)| goes(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Whether a request came through the forwarder of this name before.
pub(super) fn went_through(headers: &HeaderMap, name: &str) -> bool {
    let names = headers.get_all(THROUGH).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(','));
    names.into_iter().any(|n| n.trim() == name)
}

/// Adds a name to those that a request went through.
pub(super) fn goes_through(headers: &mut HeaderMap, name: &str) {
    if let Ok(value) = HeaderValue::from_str(name) {
        headers.append(THROUGH, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_the_other_side_go_along_and_ours_do_not() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-otlp-api-key", "k"),
            ("authorization", "Bearer ours"),
            ("host", "h"),
            ("te", "trailers"),
            ("grpc-timeout", "1S"),
            ("content-encoding", "gzip"),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        let passed = passed_on(&headers, Some(&Secret::new("ours")));
        assert_eq!(passed.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["x-otlp-api-key"]);
        assert!(passed_on(&headers, Some(&Secret::new("other"))).contains_key("authorization"));
    }

    #[test]
    fn a_ring_is_seen() {
        let mut headers = HeaderMap::new();
        assert!(!went_through(&headers, "a"));
        goes_through(&mut headers, "a");
        goes_through(&mut headers, "b");
        assert!(went_through(&headers, "a") && went_through(&headers, "b") && !went_through(&headers, "c"));
    }
}

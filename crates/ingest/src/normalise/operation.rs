//! Names of operations, few enough to group by; and what kind of caller a request came from.

use std::borrow::Cow;
use std::cell::RefCell;

/// Whether a span name holds no more than a method: `GET`, `HTTP GET`, `HTTP`.
fn is_bare(name: &str, method: &str) -> bool {
    let name = name.strip_prefix("HTTP").unwrap_or(name).trim();
    name.is_empty() || name.eq_ignore_ascii_case(method)
}

/// Operation of an HTTP span: `METHOD route`. Without a route the span name counts when it says more than the method, else the
/// path; ids in either become `{id}`.
pub(super) fn http(method: &str, route: Option<&str>, path: Option<&str>, span_name: &str) -> String {
    // `_OTHER` stands for an unknown method (semconv http-spans).
    let method = if method == "_OTHER" { "HTTP" } else { method };
    if let Some(route) = route.filter(|r| !r.is_empty()) {
        return format!("{method} {route}");
    }
    if is_bare(span_name, method) {
        return match path.filter(|p| !p.is_empty()) {
            Some(path) => format!("{method} {}", template_path(path)),
            None => method.to_owned(),
        };
    }
    match span_name.split_once(' ') {
        Some((m, path)) if m.eq_ignore_ascii_case(method) && path.starts_with('/') => {
            format!("{method} {}", template_path(path))
        }
        _ => span_name.to_owned(),
    }
}

/// A path with ids replaced by `{id}`: segments that are numbers, UUIDs, long hexadecimal, or hold a digit (but for versions
/// like `v1`). A query is left out. At most eight segments are kept.
pub fn template_path(path: &str) -> Cow<'_, str> {
    let end = path.find(['?', '#']).unwrap_or(path.len());
    let path = &path[..end];
    if path.split('/').count() <= 9 && !path.split('/').any(is_id) {
        return Cow::Borrowed(path);
    }
    let mut out = String::with_capacity(path.len());
    for (i, segment) in path.split('/').enumerate() {
        if i > 8 {
            out.push_str("/…");
            break;
        }
        if i > 0 {
            out.push('/');
        }
        out.push_str(if is_id(segment) { "{id}" } else { segment });
    }
    Cow::Owned(out)
}

fn is_id(segment: &str) -> bool {
    let version = segment
        .strip_prefix(['v', 'V'])
        .is_some_and(|v| (1..=4).contains(&v.len()) && v.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
    if version || segment.starts_with(['{', ':', '<']) {
        return false;
    }
    segment.bytes().any(|b| b.is_ascii_digit())
        || segment.len() > 40
        || (segment.len() >= 16 && segment.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-'))
}

/// Operation of a remote procedure call: `service/method`, as far as known.
pub(super) fn rpc(service: Option<&str>, method: Option<&str>) -> Option<String> {
    match (service.filter(|s| !s.is_empty()), method.filter(|m| !m.is_empty())) {
        (Some(s), Some(m)) if !m.contains('/') => Some(format!("{s}/{m}")),
        (_, Some(m)) => Some(m.to_owned()),
        (Some(s), None) => Some(s.to_owned()),
        (None, None) => None,
    }
}

/// Kind of caller as its user agent tells: `browser`, `mobile`, `partner`, `scheduler`, `probe`, else `client`.
pub fn caller_kind(user_agent: Option<&str>) -> &'static str {
    thread_local! {
        /// What was last worked out: one service is mostly called by few agents, and its spans come together.
        static LAST: RefCell<(String, &'static str)> = const { RefCell::new((String::new(), "client")) };
    }
    let Some(agent) = user_agent else { return "client" };
    LAST.with_borrow_mut(|(last, kind)| {
        if last != agent {
            *kind = kind_of_agent(agent);
            agent.clone_into(last);
        }
        *kind
    })
}

fn kind_of_agent(agent: &str) -> &'static str {
    let agent = agent.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|w| agent.contains(w));
    let token = |words: &[&str]| agent.split(|c: char| !c.is_ascii_alphanumeric()).any(|t| words.contains(&t));
    if has(&["kube-probe", "healthcheck", "health-check", "googlehc", "prometheus/", "blackbox", "uptime", "pingdom"]) {
        "probe"
    } else if token(&["edi", "edifact", "as2", "as4", "b2b", "partner"]) || has(&["partner"]) {
        "partner"
    } else if token(&["cron", "cronjob", "quartz", "airflow", "batch"]) || has(&["scheduler"]) {
        "scheduler"
    } else if has(&["okhttp", "cfnetwork", "dart/", "dart:io", "alamofire", "mobile-app", "reactnative", "flutter"])
        || (token(&["mobile", "android", "ios", "iphone"]) && !agent.starts_with("mozilla/"))
    {
        "mobile"
    } else if agent.starts_with("mozilla/") || agent.starts_with("opera/") {
        "browser"
    } else {
        "client"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_operations_are_few() {
        for (method, route, path, name, want) in [
            ("GET", Some("/a/{id}"), Some("/a/7"), "GET", "GET /a/{id}"),
            ("POST", None, Some("/orders/o-17/items"), "POST", "POST /orders/{id}/items"),
            ("POST", None, Some("/api/v1/orders?x=1"), "HTTP POST", "POST /api/v1/orders"),
            ("GET", None, None, "GET", "GET"),
            ("GET", None, Some("/x"), "Orders.list", "Orders.list"),
            ("GET", None, None, "GET /orders/4711", "GET /orders/{id}"),
            ("_OTHER", None, None, "HTTP", "HTTP"),
            ("GET", Some(""), Some("/550e8400-e29b-41d4-a716-446655440000"), "GET", "GET /{id}"),
        ] {
            assert_eq!(http(method, route, path, name), want);
        }
    }

    #[test]
    fn callers_are_told_by_their_agent() {
        for (agent, want) in [
            ("Mozilla/5.0 (X11; Linux x86_64)", "browser"),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) Mobile/15E148", "browser"),
            ("okhttp/4.12", "mobile"),
            ("OrdersMobile/3 CFNetwork/1490", "mobile"),
            ("acme-edi/1.0", "partner"),
            ("cron-runner/2", "scheduler"),
            ("kube-probe/1.30", "probe"),
            ("python-httpx/0.28", "client"),
            ("credit-service/1", "client"),
        ] {
            assert_eq!(caller_kind(Some(agent)), want, "{agent}");
        }
        assert_eq!(caller_kind(None), "client");
    }
}

//! Noise: operations nobody asks the map about, such as health probes, metrics scrapes and pings. They are folded and counted,
//! never dropped.

/// Patterns in force where the settings file has no `noise` list: the probes of Kubernetes, gRPC, Spring Boot and Prometheus by
/// their usual addresses. `GET */health*` would be shorter, and would fold `GET /healthcare/{id}`.
pub fn default_noise() -> Vec<String> {
    let patterns = [
        "GET */health",
        "GET */health/*",
        "GET */healthcheck*",
        "GET */health-check*",
        "GET */_health*",
        "*/healthz",
        "*/livez",
        "*/readyz",
        "GET */ready",
        "GET */live",
        "GET */metrics",
        "*/ping",
        "*/actuator/*",
        "grpc.health.v1.Health/*",
    ];
    patterns.map(str::to_owned).to_vec()
}

/// Whether an operation of a service is noise: one of the patterns matches it.
pub fn is_noise(patterns: &[String], service: &str, operation: &str) -> bool {
    patterns.iter().any(|p| noise_pattern_matches(p, service, operation))
}

/// Whether one pattern matches, case ignored. A pattern stands for the whole operation (`GET */healthz`), or for the service's
/// name, a blank and the operation (`poller-sys-api *`); `*` stands for any run of characters, none included.
pub fn noise_pattern_matches(pattern: &str, service: &str, operation: &str) -> bool {
    let pattern = pattern.trim();
    wildcard(pattern.as_bytes(), operation.as_bytes())
        || pattern.split_once(' ').is_some_and(|(who, what)| {
            wildcard(what.as_bytes(), operation.as_bytes()) && wildcard(who.as_bytes(), service.as_bytes())
        })
}

/// Greedy matching with one point to fall back to: linear in practice, never exponential. Allocates nothing: it is asked for
/// every operation of every map.
fn wildcard(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, t));
            p += 1;
        } else if pattern.get(p).is_some_and(|b| b.eq_ignore_ascii_case(&text[t])) {
            p += 1;
            t += 1;
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            p = at + 1;
            t = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|b| *b == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(operation: &str) -> bool {
        is_noise(&default_noise(), "order-prc-api", operation)
    }

    #[test]
    fn probes_are_noise_and_business_is_not() {
        for text in [
            "GET /health",
            "GET /api/v1/health",
            "GET /api/healthcheck",
            "GET /health/live",
            "get /healthz",
            "HEAD /readyz",
            "GET /q/metrics",
            "GET /actuator/health/readiness",
            "grpc.health.v1.Health/Check",
            "GET /_health",
            "POST /ping",
        ] {
            assert!(noise(text), "{text}");
        }
        for text in [
            "GET /healthcare/{id}",
            "POST /orders/{id}/ready",
            "process orders.ready",
            "GET /alive-orders",
            "POST /shipping",
            "GET",
            "",
            "Health/Check",
        ] {
            assert!(!noise(text), "{text}");
        }
    }

    #[test]
    fn a_pattern_may_name_the_service() {
        let patterns = vec!["poller-sys-api *".to_owned()];
        assert!(is_noise(&patterns, "poller-sys-api", "GET /changes"));
        assert!(!is_noise(&patterns, "orders", "GET /changes"));
        assert!(!is_noise(&[], "orders", "GET /healthz"));
    }

    #[test]
    fn a_star_stands_for_any_run() {
        for (pattern, text, want) in [
            ("*", "anything", true),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abcd", false),
            ("*aab", "aaaab", true),
            ("GET /é*", "GET /été", true),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(noise_pattern_matches(pattern, "s", text), want, "{pattern} {text}");
        }
    }
}

//! Span names and attributes as OpenTelemetry instrumentations write them: the stable spelling
//! (semantic conventions 1.2x and later) and the legacy one that is still the majority in the field.

use opentelemetry::{Array, KeyValue, StringValue, Value};

use crate::landscape::{Backend, Dialect, Service};

/// One HTTP operation of a service.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Request method.
    pub method: &'static str,
    /// Route template, `http.route`.
    pub route: &'static str,
    /// The concrete path.
    pub path: String,
    /// Which repetition this is; 0 for the first try (`http.request.resend_count`).
    pub resend: i64,
}

impl Operation {
    /// An operation at its first try.
    #[must_use]
    pub fn new(method: &'static str, route: &'static str, path: impl Into<String>) -> Self {
        Self { method, route, path: path.into(), resend: 0 }
    }

    /// The same operation, repeated for the `resend`-th time.
    #[must_use]
    pub fn again(mut self, resend: i64) -> Self {
        self.resend = resend;
        self
    }

    /// `METHOD /route`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.route)
    }
}

/// What a request says about its sender.
#[derive(Clone, Debug)]
pub struct Sender {
    /// `User-Agent`.
    pub user_agent: String,
    /// `X-Request-Id`.
    pub request_id: String,
    /// `Authorization`, where the service that is called records it.
    pub authorization: Option<String>,
}

fn list(value: String) -> Value {
    Value::Array(Array::String(vec![StringValue::from(value)]))
}

/// Name of the CLIENT span of an HTTP call.
#[must_use]
pub fn client_name(dialect: Dialect, op: &Operation) -> String {
    match dialect {
        Dialect::Stable => op.name(),
        Dialect::Legacy => format!("HTTP {}", op.method),
    }
}

/// Attributes of the CLIENT span of an HTTP call to `host`.
#[must_use]
pub fn http_client(dialect: Dialect, op: &Operation, host: &str, port: u16, peer: Option<&str>) -> Vec<KeyValue> {
    let scheme = if port == 443 { "https" } else { "http" };
    let url = format!("{scheme}://{host}:{port}{}", op.path);
    let mut all = match dialect {
        Dialect::Stable => {
            let mut new = vec![
                KeyValue::new("http.request.method", op.method),
                KeyValue::new("url.full", url),
                KeyValue::new("url.template", op.route),
                KeyValue::new("server.address", host.to_owned()),
                KeyValue::new("server.port", i64::from(port)),
                KeyValue::new("network.protocol.version", "1.1"),
            ];
            new.extend(peer.map(|name| KeyValue::new("service.peer.name", name.to_owned())));
            new
        }
        Dialect::Legacy => {
            let mut old = vec![
                KeyValue::new("http.method", op.method),
                KeyValue::new("http.url", url),
                KeyValue::new("http.scheme", scheme),
                KeyValue::new("http.flavor", "1.1"),
                KeyValue::new("net.peer.name", host.to_owned()),
                KeyValue::new("net.peer.port", i64::from(port)),
            ];
            old.extend(peer.map(|name| KeyValue::new("peer.service", name.to_owned())));
            old
        }
    };
    if op.resend > 0 {
        let key = match dialect {
            Dialect::Stable => "http.request.resend_count",
            Dialect::Legacy => "http.resend_count",
        };
        all.push(KeyValue::new(key, op.resend));
    }
    all
}

/// Attributes of the SERVER span of `service`.
#[must_use]
pub fn http_server(service: &Service, op: &Operation, from: &Sender) -> Vec<KeyValue> {
    let mut all = match service.dialect {
        Dialect::Stable => vec![
            KeyValue::new("http.request.method", op.method),
            KeyValue::new("http.route", op.route),
            KeyValue::new("url.scheme", "http"),
            KeyValue::new("url.path", op.path.clone()),
            KeyValue::new("server.address", service.host()),
            KeyValue::new("server.port", 8080),
            KeyValue::new("network.protocol.version", "1.1"),
            KeyValue::new("user_agent.original", from.user_agent.clone()),
        ],
        Dialect::Legacy => vec![
            KeyValue::new("http.method", op.method),
            KeyValue::new("http.route", op.route),
            KeyValue::new("http.scheme", "http"),
            KeyValue::new("http.target", op.path.clone()),
            KeyValue::new("http.flavor", "1.1"),
            KeyValue::new("net.host.name", service.host()),
            KeyValue::new("net.host.port", 8080),
            KeyValue::new("http.user_agent", from.user_agent.clone()),
        ],
    };
    all.push(KeyValue::new("http.request.header.x-request-id", list(from.request_id.clone())));
    if let Some(value) = &from.authorization {
        all.push(KeyValue::new("http.request.header.authorization", list(value.clone())));
    }
    all
}

/// The response's status code.
#[must_use]
pub fn http_status(dialect: Dialect, status: u16) -> KeyValue {
    let key = match dialect {
        Dialect::Stable => "http.response.status_code",
        Dialect::Legacy => "http.status_code",
    };
    KeyValue::new(key, i64::from(status))
}

/// One database statement.
#[derive(Clone, Copy, Debug)]
pub struct Statement {
    /// `SELECT`, `INSERT`, …
    pub operation: &'static str,
    /// The table.
    pub table: &'static str,
    /// The parameterised text.
    pub text: &'static str,
}

/// Attributes of the CLIENT span of a database call (`db.system.name` and its legacy twin are
/// `system` and `legacy_system`).
#[must_use]
pub fn database(
    dialect: Dialect,
    at: &Backend,
    (system, legacy_system, namespace): (&'static str, &'static str, &'static str),
    statement: &Statement,
) -> Vec<KeyValue> {
    match dialect {
        Dialect::Stable => vec![
            KeyValue::new("db.system.name", system),
            KeyValue::new("db.namespace", namespace),
            KeyValue::new("db.operation.name", statement.operation),
            KeyValue::new("db.collection.name", statement.table),
            KeyValue::new("db.query.text", statement.text),
            KeyValue::new("server.address", at.host),
            KeyValue::new("server.port", i64::from(at.port)),
        ],
        Dialect::Legacy => vec![
            KeyValue::new("db.system", legacy_system),
            KeyValue::new("db.name", namespace),
            KeyValue::new("db.operation", statement.operation),
            KeyValue::new("db.sql.table", statement.table),
            KeyValue::new("db.statement", statement.text),
            KeyValue::new("net.peer.name", at.host),
            KeyValue::new("net.peer.port", i64::from(at.port)),
        ],
    }
}

/// Attributes of the CLIENT span of handing a mail to a relay.
#[must_use]
pub fn mail(dialect: Dialect, relay: &Backend) -> Vec<KeyValue> {
    match dialect {
        Dialect::Stable => vec![
            KeyValue::new("network.protocol.name", "smtp"),
            KeyValue::new("server.address", relay.host),
            KeyValue::new("server.port", i64::from(relay.port)),
        ],
        Dialect::Legacy => vec![
            KeyValue::new("net.app.protocol.name", "smtp"),
            KeyValue::new("net.peer.name", relay.host),
            KeyValue::new("net.peer.port", i64::from(relay.port)),
            KeyValue::new("peer.service", relay.name),
        ],
    }
}

/// What a messaging span is about.
#[derive(Clone, Debug)]
pub struct Messaging<'a> {
    /// `messaging.system`.
    pub system: &'static str,
    /// Subject, `messaging.destination.name`.
    pub destination: &'a str,
    /// Event id, where the span is about one message.
    pub message_id: Option<&'a str>,
    /// Durable consumer, on the consuming side.
    pub group: Option<&'static str>,
}

/// Attributes of a messaging span. `name` is the library's word (`publish`, `process`, `fetch`), `kind`
/// the convention's (`send`, `process`, `receive`).
#[must_use]
pub fn messaging(dialect: Dialect, about: &Messaging<'_>, name: &'static str, kind: &'static str) -> Vec<KeyValue> {
    let mut all = vec![KeyValue::new("messaging.system", about.system)];
    match dialect {
        Dialect::Stable => {
            all.push(KeyValue::new("messaging.operation.name", name));
            all.push(KeyValue::new("messaging.operation.type", kind));
            all.push(KeyValue::new("messaging.destination.name", about.destination.to_owned()));
            all.extend(about.group.map(|group| KeyValue::new("messaging.consumer.group.name", group)));
        }
        Dialect::Legacy => {
            // Conventions up to 1.16 wrote the destination and the message id like this.
            all.push(KeyValue::new("messaging.operation", kind));
            all.push(KeyValue::new("messaging.destination", about.destination.to_owned()));
            all.push(KeyValue::new("messaging.destination_kind", "topic"));
            all.extend(about.group.map(|group| KeyValue::new("messaging.consumer_id", group)));
        }
    }
    if let Some(id) = about.message_id {
        let key = match dialect {
            Dialect::Stable => "messaging.message.id",
            Dialect::Legacy => "messaging.message_id",
        };
        all.push(KeyValue::new(key, id.to_owned()));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::{CRM, WEB_ORDERS};

    fn keys(all: &[KeyValue]) -> Vec<&str> {
        all.iter().map(|pair| pair.key.as_str()).collect()
    }

    #[test]
    fn both_spellings_are_written_and_never_mixed() {
        let op = Operation::new("GET", "/contacts/{id}", "/contacts/7").again(1);
        let new = http_client(Dialect::Stable, &op, "a.example", 443, Some("A"));
        assert!(keys(&new).contains(&"http.request.resend_count"));
        assert!(!keys(&new).iter().any(|key| ["http.method", "net.peer.name", "peer.service"].contains(key)));
        let old = http_client(Dialect::Legacy, &op, "a.example", 443, Some("A"));
        assert!(keys(&old).contains(&"peer.service"));
        assert!(!keys(&old).iter().any(|key| ["http.request.method", "server.address"].contains(key)));
    }

    #[test]
    fn credentials_stand_only_where_they_were_sent() {
        let op = Operation::new("GET", "/x", "/x");
        let mut from = Sender { user_agent: "t".into(), request_id: "r".into(), authorization: None };
        let key = "http.request.header.authorization";
        assert!(!keys(&http_server(&CRM, &op, &from)).contains(&key));
        from.authorization = Some("Bearer t".into());
        assert!(keys(&http_server(&WEB_ORDERS, &op, &from)).contains(&key));
    }
}

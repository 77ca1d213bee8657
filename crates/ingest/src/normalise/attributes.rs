//! Old attribute names become current ones (OpenTelemetry semantic conventions; see their CHANGELOG for each rename).
//!
//! Several instrumentations emit old and new names side by side (`OTEL_SEMCONV_STABILITY_OPT_IN=…/dup`): equal pairs become
//! one, an old name with another value stays untouched beside the new one. Unknown names are never touched.

use flowglass_model::{Attributes, SpanKind, Value};

/// The current name of an old attribute name; `None` when the name is current or unknown. Names whose meaning depends on the
/// side (`net.peer.name`) are renamed for `kind` only where it is known.
pub fn current_name(old: &str, kind: Option<SpanKind>) -> Option<&'static str> {
    // Most names are current: the first letters tell most of them apart cheaply.
    match old.as_bytes().first()? {
        b'h' => http(old),
        b'n' => net(old, kind),
        b'm' => messaging(old),
        b'd' => database(old),
        b'p' => match old {
            "peer.service" => Some("service.peer.name"),
            "peer.hostname" if kind.is_some_and(|k| k != SpanKind::Server) => Some("server.address"),
            "peer.port" if kind.is_some_and(|k| k != SpanKind::Server) => Some("server.port"),
            _ => None,
        },
        b'r' => match old {
            "rpc.system.name" => Some("rpc.system"),
            _ => None,
        },
        _ => None,
    }
}

fn http(old: &str) -> Option<&'static str> {
    Some(match old {
        "http.method" => "http.request.method",
        "http.status_code" => "http.response.status_code",
        "http.url" => "url.full",
        "http.scheme" => "url.scheme",
        "http.user_agent" => "user_agent.original",
        "http.client_ip" => "client.address",
        "http.resend_count" | "http.retry_count" => "http.request.resend_count",
        "http.request_content_length" => "http.request.body.size",
        "http.response_content_length" => "http.response.body.size",
        "http.flavor" => "network.protocol.version",
        _ => return None,
    })
}

fn net(old: &str, kind: Option<SpanKind>) -> Option<&'static str> {
    let server = kind? == SpanKind::Server;
    Some(match old {
        "net.peer.name" if server => "client.address",
        "net.peer.port" if server => "client.port",
        "net.peer.name" => "server.address",
        "net.peer.port" => "server.port",
        "net.host.name" if server => "server.address",
        "net.host.port" if server => "server.port",
        "net.sock.peer.addr" | "net.peer.ip" => "network.peer.address",
        "net.sock.peer.port" => "network.peer.port",
        "net.sock.host.addr" | "net.host.ip" => "network.local.address",
        "net.sock.host.port" => "network.local.port",
        "net.protocol.name" | "net.app.protocol.name" => "network.protocol.name",
        "net.protocol.version" | "net.app.protocol.version" => "network.protocol.version",
        _ => return None,
    })
}

fn messaging(old: &str) -> Option<&'static str> {
    Some(match old.strip_prefix("messaging.")? {
        "destination" => "messaging.destination.name",
        "temp_destination" => "messaging.destination.temporary",
        "operation" => "messaging.operation.type",
        "message_id" => "messaging.message.id",
        "conversation_id" | "message.correlation_id" => "messaging.message.conversation_id",
        "message_payload_size_bytes" | "message.payload_size_bytes" => "messaging.message.body.size",
        "consumer_group"
        | "consumer.group"
        | "consumer_id"
        | "nats.consumer.group"
        | "kafka.consumer.group"
        | "kafka.consumer_group"
        | "rocketmq.client_group"
        | "eventhubs.consumer.group"
        | "pulsar.subscription.name" => "messaging.consumer.group.name",
        "client_id" | "kafka.client_id" | "rocketmq.client_id" => "messaging.client.id",
        "kafka.partition" | "kafka.destination.partition" | "kafka.source.partition" => {
            "messaging.destination.partition.id"
        }
        "kafka.message.offset" | "kafka.message_offset" => "messaging.kafka.offset",
        "kafka.message_key" => "messaging.kafka.message.key",
        "rabbitmq.routing_key" => "messaging.rabbitmq.destination.routing_key",
        "servicebus.destination.subscription_name" => "messaging.destination.subscription.name",
        "protocol" => "network.protocol.name",
        "protocol_version" => "network.protocol.version",
        _ => return None,
    })
}

fn database(old: &str) -> Option<&'static str> {
    Some(match old {
        "db.system" => "db.system.name",
        "db.name" | "db.redis.database_index" | "db.elasticsearch.cluster.name" => "db.namespace",
        "db.statement" => "db.query.text",
        "db.operation" => "db.operation.name",
        "db.sql.table" | "db.mongodb.collection" | "db.cassandra.table" | "db.cosmosdb.container" => {
            "db.collection.name"
        }
        "deployment.environment" => "deployment.environment.name",
        _ => return None,
    })
}

/// Values of `db.system` that have other names in `db.system.name` (semconv 1.30, database registry).
fn database_system(old: &str) -> Option<&'static str> {
    Some(match old {
        "mssql" => "microsoft.sql_server",
        "oracle" => "oracle.db",
        "cosmosdb" => "azure.cosmosdb",
        "dynamodb" => "aws.dynamodb",
        "redshift" => "aws.redshift",
        "spanner" => "gcp.spanner",
        "db2" => "ibm.db2",
        "informix" => "ibm.informix",
        "netezza" => "ibm.netezza",
        "hanadb" => "sap.hana",
        "maxdb" => "sap.maxdb",
        "adabas" => "softwareag.adabas",
        "firebird" => "firebirdsql",
        "intersystems_cache" | "cache" => "intersystems.cache",
        _ => return None,
    })
}

/// The words of `messaging.operation.type`; other words of the old `messaging.operation` are operation names.
fn operation_type(old: &str) -> Option<&'static str> {
    Some(match old {
        "publish" | "send" => "send",
        "create" => "create",
        "receive" => "receive",
        "process" | "deliver" => "process",
        "settle" => "settle",
        _ => return None,
    })
}

/// Gives attributes their current names, in place and in order. `kind` is the span's, `None` for resources and log records.
pub fn rename(attributes: &mut Attributes, kind: Option<SpanKind>) {
    let mut i = 0;
    while i < attributes.len() {
        match current_name(&attributes[i].0, kind) {
            Some(new) if is_repeat(attributes, i, new) => {
                attributes.remove(i);
                continue;
            }
            Some(_) => {}
            None => split_old(attributes, i, kind),
        }
        i += 1;
    }
}

/// Renames entry `i`, unless the new name is there already. True when it stands there with the same value, so that the old one
/// can go; with another value the old one stays as it is.
fn is_repeat(attributes: &mut Attributes, i: usize, new: &'static str) -> bool {
    let old_operation = attributes[i].0 == "messaging.operation";
    let mut name = new;
    let value = match (new, attributes[i].1.as_str()) {
        ("db.system.name", Some(s)) => database_system(s).map(Value::from),
        ("messaging.operation.type", Some(s)) if old_operation => {
            let known = operation_type(s);
            if known.is_none() {
                name = "messaging.operation.name";
            }
            known.map(Value::from)
        }
        _ => None,
    };
    let current = attributes.iter().find(|(k, _)| k == name).map(|(_, v)| v);
    let mine = value.as_ref().unwrap_or(&attributes[i].1);
    if let Some(there) = current {
        return same(there, mine);
    }
    attributes[i].0 = name.to_owned();
    if let Some(v) = value {
        attributes[i].1 = v;
    }
    false
}

/// Equal, also when one dialect writes a number as text.
fn same(a: &Value, b: &Value) -> bool {
    a == b || (a.as_int().is_some() && a.as_int() == b.as_int())
}

/// Whether an old name became several.
pub(super) fn is_compound(name: &str) -> bool {
    matches!(name, "http.target" | "http.host")
}

/// Old names that became several: `http.target` (path and query) and `http.host` (address and port). The old one stays too.
fn split_old(attributes: &mut Attributes, i: usize, kind: Option<SpanKind>) {
    let (name, value) = &attributes[i];
    if kind.is_none() || !is_compound(name) {
        return;
    }
    let Some(text) = value.as_str() else { return };
    let parts = match name.as_str() {
        "http.target" => {
            let (path, query) = text.split_once('?').map_or((text, None), |(p, q)| (p, Some(q)));
            [("url.path", Some(Value::from(path))), ("url.query", query.map(Value::from))]
        }
        "http.host" => {
            let (host, port) = split_host_port(text);
            [("server.address", Some(Value::from(host))), ("server.port", port.map(|p| Value::Int(i64::from(p))))]
        }
        _ => return,
    };
    let parts: Vec<_> = parts.into_iter().filter_map(|(k, v)| Some((k, v?))).collect();
    for (key, value) in parts {
        let other_follows = |k: &str| current_name(k, kind) == Some(key);
        if !attributes.iter().any(|(k, _)| k == key || other_follows(k)) {
            attributes.push((key.to_owned(), value));
        }
    }
}

/// Host without brackets and port of `host`, `host:port`, `[v6]:port` or a bare IPv6 address.
pub(super) fn split_host_port(text: &str) -> (&str, Option<u16>) {
    let text = text.trim();
    if let Some((host, rest)) = text.strip_prefix('[').and_then(|t| t.split_once(']')) {
        return (host, rest.strip_prefix(':').and_then(|p| p.parse().ok()));
    }
    match text.split_once(':') {
        Some((host, port)) if !port.contains(':') => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => (text, None),
        },
        _ => (text, None),
    }
}

/// Whether an attribute of this name holds a payload (not its size or type).
pub(super) fn is_payload(name: &str) -> bool {
    const BODIES: [&str; 8] = [
        "http.request.body",
        "http.response.body",
        "messaging.message.body",
        "messaging.message.payload",
        "messaging.payload",
        "rpc.request.body",
        "rpc.response.body",
        "cloudevents.event_data",
    ];
    BODIES.iter().any(|b| {
        name.strip_prefix(b).is_some_and(|rest| {
            (rest.is_empty() || rest.starts_with('.')) && !matches!(rest, ".size" | ".type" | ".content_type")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renamed(pairs: &[(&str, &str)], kind: Option<SpanKind>) -> String {
        let mut a: Attributes = pairs.iter().map(|(k, v)| ((*k).to_owned(), Value::from(*v))).collect();
        rename(&mut a, kind);
        a.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn old_names_become_current_ones() {
        let client = Some(SpanKind::Client);
        let server = Some(SpanKind::Server);
        for (kind, old, want) in [
            (client, ("http.method", "GET"), "http.request.method=GET"),
            (client, ("http.status_code", "200"), "http.response.status_code=200"),
            (client, ("net.peer.name", "crm"), "server.address=crm"),
            (server, ("net.peer.name", "crm"), "client.address=crm"),
            (server, ("net.host.name", "me"), "server.address=me"),
            (client, ("net.host.name", "me"), "net.host.name=me"),
            (None, ("net.peer.name", "crm"), "net.peer.name=crm"),
            (client, ("peer.service", "crm"), "service.peer.name=crm"),
            (client, ("db.system", "mssql"), "db.system.name=microsoft.sql_server"),
            (client, ("db.system", "postgresql"), "db.system.name=postgresql"),
            (client, ("db.name", "shop"), "db.namespace=shop"),
            (client, ("messaging.destination", "q"), "messaging.destination.name=q"),
            (client, ("messaging.operation", "publish"), "messaging.operation.type=send"),
            (client, ("messaging.operation", "deliver"), "messaging.operation.type=process"),
            (client, ("messaging.operation", "ack"), "messaging.operation.name=ack"),
            (client, ("messaging.kafka.consumer.group", "g"), "messaging.consumer.group.name=g"),
            (client, ("messaging.nats.consumer.group", "g"), "messaging.consumer.group.name=g"),
            (client, ("messaging.message_id", "m"), "messaging.message.id=m"),
            (None, ("deployment.environment", "prod"), "deployment.environment.name=prod"),
            (client, ("my.http.method", "x"), "my.http.method=x"),
        ] {
            assert_eq!(renamed(&[old], kind), want);
        }
    }

    #[test]
    fn both_names_become_one_when_equal_and_stay_when_not() {
        let client = Some(SpanKind::Client);
        let dup = [("http.method", "GET"), ("a", "1"), ("http.request.method", "GET"), ("http.status_code", "200")];
        assert_eq!(renamed(&dup, client), "a=1 http.request.method=GET http.response.status_code=200");
        let other = [("peer.service", "old"), ("service.peer.name", "new")];
        assert_eq!(renamed(&other, client), "peer.service=old service.peer.name=new");
        let dup = [("messaging.operation", "publish"), ("messaging.operation.type", "send")];
        assert_eq!(renamed(&dup, client), "messaging.operation.type=send");
    }

    #[test]
    fn compound_old_names_are_split_and_kept() {
        let server = Some(SpanKind::Server);
        assert_eq!(renamed(&[("http.target", "/a/b?c=1")], server), "http.target=/a/b?c=1 url.path=/a/b url.query=c=1");
        assert_eq!(
            renamed(&[("http.host", "[::1]:8080")], server),
            "http.host=[::1]:8080 server.address=::1 server.port=8080"
        );
        let named = [("http.host", "front:80"), ("net.host.name", "me")];
        assert_eq!(renamed(&named, server), "http.host=front:80 server.address=me server.port=80");
    }

    #[test]
    fn payload_attributes_are_known() {
        assert!(is_payload("http.response.body.sample") && is_payload("http.request.body"));
        assert!(!is_payload("http.request.body.size") && !is_payload("http.request.bodyguard"));
    }
}

//! What a span says it does: one small table per rule of the semantic conventions and of the dialects before them.

use flowglass_ingest::Options;
use flowglass_ingest::otlp::{Encoding, decode_traces};
use flowglass_model::{Batch, Role, Span, Value};
use serde_json::{Value as Json, json};

fn decode(request: &Json) -> Batch {
    decode_traces(request.to_string().as_bytes(), Encoding::Json, &Options::named("test")).unwrap()
}

fn request(spans: Json) -> Json {
    json!({"resourceSpans": [{
        "resource": {"attributes": [
            {"key": "service.name", "value": {"stringValue": "shop"}},
            {"key": "service.namespace", "value": {"stringValue": "orders"}},
            {"key": "deployment.environment", "value": {"stringValue": "prod"}},
            {"key": "integration.layer", "value": {"stringValue": "process"}},
        ]},
        "scopeSpans": [{"scope": {"name": "lib"}, "spans": spans}],
    }]})
}

fn attributes(pairs: &[(&str, &str)]) -> Json {
    let value = |v: &str| match v.parse::<i64>() {
        Ok(_) => json!({"intValue": v}),
        Err(_) => json!({"stringValue": v}),
    };
    pairs.iter().map(|(k, v)| json!({"key": k, "value": value(v)})).collect()
}

fn one(kind: &str, name: &str, pairs: &[(&str, &str)], extra: Json) -> Span {
    let mut span = json!({
        "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "name": name,
        "kind": format!("SPAN_KIND_{}", kind.to_uppercase()), "startTimeUnixNano": "1000", "endTimeUnixNano": "2000",
        "attributes": attributes(pairs),
    });
    for (k, v) in extra.as_object().into_iter().flatten() {
        span[k] = v.clone();
    }
    let mut batch = decode(&request(json!([span])));
    assert_eq!(batch.rejected, []);
    batch.spans.remove(0)
}

fn role(kind: &str, name: &str, pairs: &[(&str, &str)]) -> String {
    match &one(kind, name, pairs, json!({})).facts.role {
        Role::Internal => "internal".to_owned(),
        Role::Server { caller } => format!("server from {caller}"),
        Role::Client { peer } => format!("client {:?} {:?} {:?}", peer.service, peer.host, peer.port),
        Role::Access { backend } => format!("access {backend}"),
        Role::Send { topic, message_id, create } => format!("send {topic} {message_id:?} create={create}"),
        Role::Receive { topic, group, batch, .. } => format!("receive {topic} {group:?} {batch:?}"),
        Role::Process { topic, group, message_id, delivery, sequence } => {
            format!("process {topic} {group:?} {message_id:?} {delivery:?} {sequence:?}")
        }
        Role::Settle => "settle".to_owned(),
    }
}

#[test]
fn the_resource_gives_the_service() {
    let span = one("server", "x", &[], json!({}));
    assert_eq!(span.facts.service.as_str(), "service:orders/shop@prod");
    assert_eq!(span.resource.declared_layer.as_deref(), Some("process"));
    let nameless = decode(&json!({"resourceSpans": [{"scopeSpans": [{"spans": [
        {"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331"}]}]}]}));
    assert_eq!(nameless.spans[0].facts.service.as_str(), "service:unknown_service");
}

#[test]
fn direction_of_messages_comes_from_operation_then_kind() {
    let nats = ("messaging.system", "nats");
    let to = ("messaging.destination.name", "orders.placed");
    let old_to = ("messaging.destination", "orders.placed");
    let t = "topic:nats/orders.placed@prod";
    for (kind, name, pairs, want) in [
        ("producer", "x", vec![nats, to, ("messaging.operation.type", "send")], format!("send {t} None create=false")),
        ("producer", "x", vec![nats, to, ("messaging.operation.type", "create")], format!("send {t} None create=true")),
        ("client", "x", vec![nats, to, ("messaging.operation.type", "send")], format!("send {t} None create=false")),
        (
            "client",
            "x",
            vec![nats, to, ("messaging.operation.type", "receive"), ("messaging.batch.message_count", "3")],
            format!("receive {t} None Some(3)"),
        ),
        ("client", "x", vec![nats, to, ("messaging.operation.type", "settle")], "settle".to_owned()),
        (
            "consumer",
            "x",
            vec![nats, to, ("messaging.operation.type", "process"), ("messaging.consumer.group.name", "g")],
            format!("process {t} Some(\"g\") None None None"),
        ),
        (
            "producer",
            "x",
            vec![nats, old_to, ("messaging.operation", "publish"), ("messaging.message_id", "m1")],
            format!("send {t} Some(\"m1\") create=false"),
        ),
        (
            "consumer",
            "x",
            vec![nats, old_to, ("messaging.operation", "deliver")],
            format!("process {t} None None None None"),
        ),
        ("client", "x", vec![nats, to, ("messaging.operation", "ack")], "settle".to_owned()),
        ("producer", "x", vec![nats, to], format!("send {t} None create=false")),
        ("consumer", "x", vec![nats, to], format!("process {t} None None None None")),
        ("client", "orders.placed receive", vec![nats, to], format!("receive {t} None None")),
        ("internal", "x", vec![nats, to, ("messaging.operation.type", "send")], "internal".to_owned()),
        ("consumer", "x", vec![nats], "process topic:nats/@prod None None None None".to_owned()),
        (
            "producer",
            "x",
            vec![nats, to, ("cloudevents.event_id", "e1")],
            format!("send {t} Some(\"e1\") create=false"),
        ),
    ] {
        assert_eq!(role(kind, name, &pairs), want, "{kind} {pairs:?}");
    }
}

#[test]
fn topics_are_templates_names_or_temporary() {
    let base = [("messaging.system", "Kafka"), ("messaging.operation.type", "send")];
    let with = |more: &[(&str, &str)]| role("producer", "x", &[&base, more].concat());
    let destination = |d| with(&[("messaging.destination.name", d)]);
    assert_eq!(destination("o"), "send topic:kafka/o@prod None create=false");
    assert_eq!(
        with(&[("messaging.destination.name", "o.17"), ("messaging.destination.template", "o.{id}")]),
        "send topic:kafka/o.{id}@prod None create=false"
    );
    for name in ["_INBOX.abc.1", "amq.gen-JzTY"] {
        assert_eq!(destination(name), "send topic:kafka/(temporary)@prod None create=false");
    }
    assert_eq!(
        with(&[("messaging.destination.name", "q"), ("messaging.destination.temporary", "true")]),
        "send topic:kafka/(temporary)@prod None create=false"
    );
}

#[test]
fn nats_dialects() {
    let receive = [
        ("messaging.system", "nats"),
        ("messaging.operation", "receive"),
        ("messaging.destination.name", "orders.*"),
        ("messaging.nats.message.subject", "orders.placed"),
        ("messaging.nats.consumer.group", "workers"),
    ];
    let handled = one("consumer", "orders.* receive", &receive, json!({"parentSpanId": "00f067aa0ba902b7"}));
    let Role::Process { topic, group, .. } = &handled.facts.role else { panic!("{:?}", handled.facts.role) };
    assert_eq!((topic.as_str(), group.as_deref()), ("topic:nats/orders.placed@prod", Some("workers")));
    assert!(role("consumer", "x", &receive).starts_with("receive "), "without a parent it is a receive");
    for subject in ["$JS.ACK.S.c.1.2.3.4.0", "$JS.API.CONSUMER.MSG.NEXT.S.c"] {
        assert_eq!(
            role("producer", "x", &[("messaging.system", "nats"), ("messaging.destination.name", subject)]),
            "settle"
        );
    }
    let delivered = [
        ("messaging.system", "nats"),
        ("messaging.destination.name", "a"),
        ("messaging.nats.delivery_count", "2"),
        ("messaging.nats.stream.name", "S"),
        ("messaging.nats.stream.sequence", "7"),
    ];
    assert_eq!(role("consumer", "x", &delivered), "process topic:nats/a@prod None None Some(2) Some((Some(\"S\"), 7))");
    let kafka = [
        ("messaging.system", "kafka"),
        ("messaging.destination.name", "a"),
        ("messaging.kafka.destination.partition", "3"),
        ("messaging.kafka.message.offset", "9"),
    ];
    assert_eq!(
        role("consumer", "x", &kafka),
        "process topic:kafka/a@prod None None None Some((Some(\"partition-3\"), 9))"
    );
}

#[test]
fn databases_are_backends_by_system_address_and_name() {
    for (pairs, want) in [
        (
            vec![
                ("db.system", "postgresql"),
                ("db.name", "shop"),
                ("net.peer.name", "db.example"),
                ("net.peer.port", "5432"),
            ],
            "access backend:postgresql/db.example/shop@prod",
        ),
        (vec![("db.system.name", "redis"), ("server.address", "cache:6379")], "access backend:redis/cache@prod"),
        (vec![("db.system", "sqlite"), ("db.name", ":memory:")], "access backend:sqlite/service:orders/shop@prod"),
        (vec![("db.namespace", "x"), ("network.peer.address", "10.0.0.7")], "access backend:unknown/10.0.0.7/x@prod"),
        (vec![("db.system", "mssql"), ("server.address", "s")], "access backend:microsoft.sql_server/s@prod"),
    ] {
        assert_eq!(role("client", "select", &pairs), want, "{pairs:?}");
    }
    assert_eq!(role("internal", "select", &[("db.system", "sqlite")]), "internal");
}

#[test]
fn peers_of_calls() {
    for (pairs, want) in [
        (vec![("peer.service", "crm")], "client Some(\"crm\") None None"),
        (vec![("server.address", "crm:8080")], "client None Some(\"crm\") Some(8080)"),
        (vec![("url.full", "https://u@api.example:8443/x?y")], "client None Some(\"api.example\") Some(8443)"),
        (
            vec![("net.sock.peer.addr", "10.1.2.3"), ("net.sock.peer.port", "80")],
            "client None Some(\"10.1.2.3\") Some(80)",
        ),
        (vec![("server.address", "[::1]"), ("server.port", "81")], "client None Some(\"::1\") Some(81)"),
        (vec![], "client None None None"),
    ] {
        assert_eq!(role("client", "GET", &pairs), want, "{pairs:?}");
    }
    assert_eq!(role("server", "x", &[("user_agent.original", "Mozilla/5.0")]), "server from browser");
    assert_eq!(role("unspecified", "x", &[]), "internal");
}

#[test]
fn operations() {
    let op = |kind, name, pairs: &[(&str, &str)]| one(kind, name, pairs, json!({})).facts.operation.to_string();
    assert_eq!(
        op("server", "POST", &[("http.method", "POST"), ("http.target", "/orders/17?x=1")]),
        "POST /orders/{id}"
    );
    assert_eq!(op("server", "GET /a/{x}", &[("http.method", "GET"), ("http.route", "/a/{x}")]), "GET /a/{x}");
    assert_eq!(op("client", "GET", &[("http.request.method", "GET"), ("url.full", "http://h/c/9")]), "GET /c/{id}");
    assert_eq!(op("client", "x", &[("rpc.service", "a.B"), ("rpc.method", "C")]), "a.B/C");
    assert_eq!(op("client", "SELECT * FROM t WHERE\n a=1", &[("db.system", "h2")]), "SELECT");
    assert_eq!(
        op("producer", "publish a", &[("messaging.system", "nats"), ("messaging.destination.name", "a")]),
        "publish a"
    );
}

#[test]
fn errors_keys_status_and_flags() {
    let span = one(
        "server",
        "POST",
        &[
            ("http.status_code", "503"),
            ("orderId", "o-17"),
            ("app.customer.id", "c-1"),
            ("trace_id", "t"),
            ("error.type", "503"),
        ],
        json!({
            "status": {"code": "STATUS_CODE_ERROR", "message": ""}, "flags": 0x300, "parentSpanId": "00f067aa0ba902b7",
            "events": [{"name": "exception", "timeUnixNano": 1500, "attributes": attributes(&[("exception.message", "boom")])}],
        }),
    );
    let facts = &span.facts;
    let error = facts.error.as_ref().unwrap();
    assert_eq!((error.message.as_deref(), error.kind.as_deref()), (Some("boom"), Some("503")));
    assert_eq!((facts.http_status, facts.remote_parent), (Some(503), Some(true)));
    assert_eq!(facts.keys, [("orderId".to_owned(), "o-17".to_owned()), ("customerId".to_owned(), "c-1".to_owned())]);
    let grpc = one("client", "x", &[("rpc.response.status_code", "UNAVAILABLE")], json!({}));
    assert_eq!(grpc.facts.grpc_status, Some(14));
}

#[test]
fn bad_times_are_repaired_and_said() {
    let note = |start: Json, end: Json| {
        let span = one("server", "x", &[], json!({"startTimeUnixNano": start, "endTimeUnixNano": end}));
        let note = span.attributes.iter().find(|(k, _)| k == "flowglass.note").map(|(_, v)| v.to_string());
        (span.facts.start, span.facts.end, note.unwrap_or_default())
    };
    assert_eq!(note(json!("2000"), json!("500")), (2000, 2000, "ended before it started (by 1500 ns)".to_owned()));
    assert_eq!(note(json!(2000), json!(0)), (2000, 2000, "came without an end time".to_owned()));
    assert_eq!(note(json!(0), json!("9")), (9, 9, "came without a start time".to_owned()));
    let far = 3_300_000_000_000_000_000i64;
    assert_eq!(note(json!(far), json!(far + 1)), (far, far + 1, String::new()), "a clock 50 years off is kept");
}

#[test]
fn excess_is_cut_and_counted() {
    let many: Vec<Json> = (0..10_000).map(|i| json!({"key": format!("k{i}"), "value": {"intValue": i}})).collect();
    let span = one("server", &"n".repeat(5_000), &[], json!({"attributes": many, "droppedAttributesCount": 5}));
    assert_eq!((span.attributes.len(), span.dropped), (1_000, 9_005));
    assert!(span.name.len() < 1_100 && span.name.ends_with("…[cut 3976 bytes]"), "{}", span.name.len());
    let big = one("server", "x", &[("big", &"v".repeat(1 << 20))], json!({}));
    let Value::String(text) = &big.attributes[0].1 else { panic!() };
    assert!(text.len() < 65_600 && text.ends_with("…[cut 983040 bytes]"));
}

#[test]
fn credentials_are_hidden_and_counted() {
    let batch = decode(&request(json!([{
        "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331",
        "attributes": [
            {"key": "http.request.header.authorization", "value": {"arrayValue": {"values": [{"stringValue": "Bearer x"}]}}},
            {"key": "http.url", "value": {"stringValue": "https://me:pw@host/x"}},
        ],
    }])));
    assert_eq!(batch.redacted, 2);
    assert!(!format!("{:?}", batch.spans).contains("Bearer"));
}

#[test]
fn headers_and_keys_only_drops_bodies() {
    let options = Options {
        payloads: flowglass_ingest::PayloadPolicy::HeadersAndKeys,
        business_keys: flowglass_ingest::KeyNames::new(["parcel-id"]),
        ..Options::named("test")
    };
    let body = request(json!([{
        "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331",
        "attributes": attributes(&[("http.request.body", "{}"), ("http.request.body.size", "2"), ("parcelId", "p-9")]),
    }]));
    let batch = decode_traces(body.to_string().as_bytes(), Encoding::Json, &options).unwrap();
    let names: Vec<_> = batch.spans[0].attributes.iter().map(|(k, _)| k.as_str()).collect();
    assert_eq!(names, ["http.request.body.size", "parcelId"]);
    assert_eq!(batch.spans[0].facts.keys, [("parcel-id".to_owned(), "p-9".to_owned())]);
}

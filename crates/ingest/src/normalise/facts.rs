//! What correlation needs of a span, read in one pass over its attributes.

use std::borrow::Cow;
use std::sync::Arc;

use flowglass_model::{ErrorFacts, NodeId, Peer, Role, SpanEvent, SpanFacts, SpanKind, SpanStatus, Value, semconv};

use super::attributes::split_host_port;
use super::by_name::NameFacts;
use super::{Emitter, Options, RawSpan, messaging, operation};

/// Business keys kept per span, and bytes kept of each value.
const MAX_KEYS: usize = 16;
const MAX_KEY_VALUE: usize = 256;

/// Declares [`Seen`]: a field per attribute name that decides something.
macro_rules! seen {
    ($($field:ident = $($name:path)|+;)*) => {
        /// An attribute that decides something.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(non_camel_case_types, reason = "named like the fields they stand for")]
        pub(super) enum Slot { $($field,)* }

        impl Slot {
            /// The slot of an attribute's name.
            pub(super) fn of(name: &str) -> Option<Slot> {
                match name {
                    $($($name)|+ => Some(Slot::$field),)*
                    _ => None,
                }
            }
        }

        /// The attributes that decide what a span does.
        #[derive(Default)]
        pub(super) struct Seen<'a> { $(pub(super) $field: Option<&'a Value>,)* }

        impl<'a> Seen<'a> {
            fn note(&mut self, slot: Slot, value: &'a Value) {
                match slot {
                    $(Slot::$field => { self.$field.get_or_insert(value); })*
                }
            }
        }
    };
}

const URL_TEMPLATE: &str = "url.template";
const NETWORK_PEER_PORT: &str = "network.peer.port";
const RPC_STATUS: &str = "rpc.response.status_code";
const DELIVERY_NATS: &str = "messaging.nats.delivery_count";
const DELIVERY_NATS_MESSAGE: &str = "messaging.nats.message.delivery_count";
const DELIVERY: &str = "messaging.message.delivery_count";
const DELIVERY_SERVICEBUS: &str = "messaging.servicebus.message.delivery_count";
const DELIVERY_PUBSUB: &str = "messaging.gcp_pubsub.message.delivery_attempt";
const STREAM_NAME: &str = "messaging.nats.stream.name";
const STREAM: &str = "messaging.nats.stream";
const STREAM_SEQUENCE: &str = "messaging.nats.stream.sequence";
const SEQUENCE: &str = "messaging.nats.sequence";
const NATS_SUBJECT: &str = "messaging.nats.message.subject";
const DESTINATION_PUBLISH: &str = "messaging.destination_publish.name";
const PARTITION: &str = "messaging.destination.partition.id";
const OFFSET: &str = "messaging.kafka.offset";

seen! {
    method = semconv::HTTP_REQUEST_METHOD;
    status = semconv::HTTP_RESPONSE_STATUS_CODE;
    route = semconv::HTTP_ROUTE;
    template_url = URL_TEMPLATE;
    path = semconv::URL_PATH;
    url = semconv::URL_FULL;
    resend = semconv::HTTP_RESEND_COUNT;
    agent = semconv::USER_AGENT;
    peer_name = semconv::SERVICE_PEER_NAME;
    server_address = semconv::SERVER_ADDRESS;
    server_port = semconv::SERVER_PORT;
    peer_address = semconv::NETWORK_PEER_ADDRESS;
    peer_port = NETWORK_PEER_PORT;
    rpc_service = semconv::RPC_SERVICE;
    rpc_method = semconv::RPC_METHOD;
    rpc_system = semconv::RPC_SYSTEM;
    grpc_status = semconv::RPC_GRPC_STATUS_CODE | RPC_STATUS;
    db_system = semconv::DB_SYSTEM_NAME;
    db_namespace = semconv::DB_NAMESPACE;
    db_operation = semconv::DB_OPERATION_NAME;
    db_collection = semconv::DB_COLLECTION_NAME;
    db_query = semconv::DB_QUERY_TEXT;
    messaging_system = semconv::MESSAGING_SYSTEM;
    destination = semconv::MESSAGING_DESTINATION_NAME;
    template = semconv::MESSAGING_DESTINATION_TEMPLATE;
    temporary = semconv::MESSAGING_DESTINATION_TEMPORARY;
    anonymous = semconv::MESSAGING_DESTINATION_ANONYMOUS;
    operation_type = semconv::MESSAGING_OPERATION_TYPE;
    operation_name = semconv::MESSAGING_OPERATION_NAME;
    message_id = semconv::MESSAGING_MESSAGE_ID;
    group = semconv::MESSAGING_CONSUMER_GROUP;
    subscription = semconv::MESSAGING_SUBSCRIPTION;
    batch = semconv::MESSAGING_BATCH_COUNT;
    cloudevents_id = semconv::CLOUDEVENTS_ID;
    error_type = semconv::ERROR_TYPE;
    delivery = DELIVERY_NATS | DELIVERY_NATS_MESSAGE | DELIVERY | DELIVERY_SERVICEBUS | DELIVERY_PUBSUB;
    stream_name = STREAM_NAME | STREAM;
    stream_sequence = STREAM_SEQUENCE | SEQUENCE;
    nats_subject = NATS_SUBJECT;
    destination_publish = DESTINATION_PUBLISH;
    partition = PARTITION;
    offset = OFFSET;
}

impl<'a> Seen<'a> {
    /// A non-empty text.
    pub(super) fn text(&self, value: Option<&'a Value>) -> Option<&'a str> {
        value.and_then(Value::as_str).filter(|s| !s.is_empty())
    }

    /// A non-empty text or a number as text.
    pub(super) fn owned(&self, value: Option<&Value>) -> Option<String> {
        match value? {
            Value::String(s) if !s.is_empty() => Some(s.clone()),
            Value::Int(i) => Some(i.to_string()),
            _ => None,
        }
    }

    /// A truth value, also as text.
    pub(super) fn truth(&self, value: Option<&Value>) -> bool {
        matches!(value, Some(Value::Bool(true))) || value.and_then(Value::as_str).is_some_and(|s| s == "true")
    }

    fn number<T: TryFrom<i64>>(&self, value: Option<&Value>) -> Option<T> {
        value.and_then(Value::as_int).and_then(|n| T::try_from(n).ok())
    }

    fn speaks_of_messaging(&self) -> bool {
        self.messaging_system.is_some() || self.destination.is_some() || self.operation_type.is_some()
    }
}

fn grpc_status(seen: &Seen) -> Option<u16> {
    let by_name = || {
        let name = seen.text(seen.grpc_status)?;
        semconv::GRPC_CODES.iter().position(|c| c.eq_ignore_ascii_case(name)).map(|i| i as u16)
    };
    seen.number(seen.grpc_status).or_else(by_name)
}

/// The facts of a span whose attributes have their current names, with what these decide. Takes nothing out of `raw` but the
/// status message.
pub(super) fn of(raw: &mut RawSpan, names: &[NameFacts], emitter: &Emitter, options: &Options) -> SpanFacts {
    let mut seen = Seen::default();
    let mut keys = Vec::new();
    for ((name, value), decided) in raw.attributes.iter().zip(names) {
        if let Some(slot) = decided.slot {
            seen.note(slot, value);
        }
        let may_be_key = decided.key.is_some() || decided.baggage || !options.business_keys.is_empty();
        if may_be_key && keys.len() < MAX_KEYS {
            note_key(&mut keys, name, value, *decided, options);
        }
    }
    let role = role(&seen, raw, emitter);
    let operation = name_operation(&seen, &role, &raw.name);
    SpanFacts {
        trace_id: raw.trace_id,
        span_id: raw.span_id,
        kind: raw.kind,
        parent: raw.parent,
        remote_parent: raw.remote_parent,
        start: raw.start,
        end: raw.end,
        status: raw.status,
        http_status: seen.number(seen.status),
        grpc_status: grpc_status(&seen),
        error: (raw.status == SpanStatus::Error)
            .then(|| error(&seen, std::mem::take(&mut raw.status_message), &raw.events)),
        service: emitter.node.clone(),
        operation,
        role,
        links: raw.links.iter().map(|l| (l.trace_id, l.span_id)).collect(),
        resend: seen.number(seen.resend).unwrap_or(0),
        keys,
    }
}

fn note_key(keys: &mut Vec<(String, String)>, name: &str, value: &Value, decided: NameFacts, options: &Options) {
    // Captured headers are lists of texts.
    let value = match value {
        Value::Array(items) => items.first().unwrap_or(&Value::Null),
        single => single,
    };
    if decided.baggage {
        let members = value.as_str().map(super::baggage).into_iter().flatten();
        members.for_each(|(name, value)| keep_key(keys, options.business_key(name), value));
        return;
    }
    let built_in = decided.key.map(Cow::Borrowed);
    if let Some(key) = built_in.or_else(|| options.business_keys.find(name).map(Cow::Owned)) {
        let text = match value {
            Value::String(s) => s.trim().to_owned(),
            Value::Int(i) => i.to_string(),
            _ => return,
        };
        keep_key(keys, Some(key), text);
    } else if decided.payload
        && !options.business_keys.is_empty()
        && let Some(body) = value.as_str()
    {
        super::paths::fields(body.as_bytes(), &mut |path, value| {
            keep_key(keys, options.business_keys.find_field(path).map(Cow::Owned), value);
        });
    }
}

fn keep_key(keys: &mut Vec<(String, String)>, key: Option<Cow<'static, str>>, value: String) {
    let Some(key) = key else { return };
    let known = keys.iter().any(|(k, v)| *k == key && *v == value);
    if !value.is_empty() && value.len() <= MAX_KEY_VALUE && !known && keys.len() < MAX_KEYS {
        keys.push((key.into_owned(), value));
    }
}

fn error(seen: &Seen, status_message: String, events: &[SpanEvent]) -> ErrorFacts {
    let of_exception = |name: &str| {
        let exception = events.iter().rev().find(|e| e.name == "exception")?;
        let (_, value) = exception.attributes.iter().find(|(k, _)| k == name)?;
        value.as_str().filter(|s| !s.is_empty()).map(str::to_owned)
    };
    ErrorFacts {
        message: Some(status_message)
            .filter(|m| !m.is_empty())
            .map(super::limits::name)
            .or_else(|| of_exception(semconv::EXCEPTION_MESSAGE).map(super::limits::name)),
        kind: seen.owned(seen.error_type).or_else(|| of_exception(semconv::EXCEPTION_TYPE)),
    }
}

/// Decides what a span does. Direction of messages: operation type, then operation name, then kind; databases have one span
/// (on the client); everything INTERNAL is local work.
fn role(seen: &Seen, raw: &RawSpan, emitter: &Emitter) -> Role {
    let environment = emitter.resource.environment.as_deref();
    let message = || messaging::role(seen, raw.kind, &raw.name, raw.parent.is_some(), environment);
    match raw.kind {
        SpanKind::Internal => Role::Internal,
        SpanKind::Producer | SpanKind::Consumer => message().unwrap_or(Role::Internal),
        SpanKind::Server => {
            // Some frameworks mark the handling of a message SERVER; a message pushed by HTTP stays a request.
            let handled = seen.speaks_of_messaging() && seen.method.is_none() && seen.rpc_system.is_none();
            let role = if handled { message() } else { None };
            role.unwrap_or_else(|| Role::Server { caller: operation::caller_kind(seen.text(seen.agent)).to_owned() })
        }
        SpanKind::Client => {
            if seen.speaks_of_messaging()
                && let Some(role) = message()
            {
                return role;
            }
            if seen.db_system.is_some() || seen.db_namespace.is_some() {
                return Role::Access { backend: backend(seen, emitter) };
            }
            Role::Client { peer: peer(seen) }
        }
    }
}

fn backend(seen: &Seen, emitter: &Emitter) -> NodeId {
    let system = seen.text(seen.db_system).unwrap_or("unknown").to_ascii_lowercase();
    let address = seen.text(seen.server_address).or_else(|| seen.text(seen.peer_address));
    let Some(address) = address else { return NodeId::embedded_backend(&system, &emitter.node) };
    let (host, _) = split_host_port(address);
    let database = seen.owned(seen.db_namespace);
    NodeId::backend(&system, host, database.as_deref(), emitter.resource.environment.as_deref())
}

/// Host and port of a URL's authority.
fn url_authority(url: &str) -> Option<(&str, Option<u16>)> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, h)| h);
    (!host.is_empty()).then(|| split_host_port(host))
}

fn peer(seen: &Seen) -> Peer {
    let service = seen.owned(seen.peer_name);
    let stated_port = seen.number::<u16>(seen.server_port).filter(|p| *p != 0);
    if let Some(address) = seen.text(seen.server_address) {
        let (host, port) = split_host_port(address);
        return Peer { service, host: Some(host.to_owned()), port: stated_port.or(port) };
    }
    if let Some((host, port)) = seen.text(seen.url).and_then(url_authority) {
        return Peer { service, host: Some(host.to_owned()), port: stated_port.or(port) };
    }
    let host = seen.owned(seen.peer_address);
    let port = stated_port.or_else(|| seen.number::<u16>(seen.peer_port)).filter(|_| host.is_some());
    Peer { service, host, port }
}

fn name_operation(seen: &Seen, role: &Role, span_name: &str) -> Arc<str> {
    match role {
        Role::Send { topic, .. } | Role::Receive { topic, .. } | Role::Process { topic, .. } => {
            if topic.name() == messaging::TEMPORARY {
                let verb = span_name.split_whitespace().find(|w| !w.contains(['.', '/'])).unwrap_or("message");
                return format!("{verb} {}", messaging::TEMPORARY).into();
            }
            Arc::from(span_name)
        }
        Role::Access { .. } => access_operation(seen, span_name),
        Role::Server { .. } | Role::Client { .. } => {
            if let Some(name) = operation::rpc(seen.text(seen.rpc_service), seen.text(seen.rpc_method)) {
                return name.into();
            }
            let Some(method) = seen.text(seen.method) else { return Arc::from(span_name) };
            let route = seen.text(seen.route).or_else(|| seen.text(seen.template_url));
            let path = seen.text(seen.path).or_else(|| seen.text(seen.url).and_then(url_path));
            operation::http(method, route, path, span_name).into()
        }
        Role::Internal | Role::Settle => Arc::from(span_name),
    }
}

fn url_path(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    rest.find('/').map(|i| &rest[i..])
}

/// The span name, unless it is the query itself: then its operation and collection, else its first word.
fn access_operation(seen: &Seen, span_name: &str) -> Arc<str> {
    let is_query = span_name.len() > 100 || span_name.contains('\n') || Some(span_name) == seen.text(seen.db_query);
    let says_enough = !is_query || !span_name.contains(char::is_whitespace);
    if !span_name.is_empty() && says_enough {
        return Arc::from(span_name);
    }
    let first_word = || span_name.split_whitespace().next().filter(|w| w.len() <= 32).unwrap_or("query").to_owned();
    let verb = seen.owned(seen.db_operation).unwrap_or_else(first_word);
    match seen.text(seen.db_collection) {
        Some(collection) => format!("{verb} {collection}").into(),
        None => verb.into(),
    }
}

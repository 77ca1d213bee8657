//! What a participant can do while it handles something: work, call others, use a backend, publish,
//! log. Each of these writes the spans of both sides and counts in the truth what was done.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use opentelemetry::logs::Severity;
use opentelemetry::trace::{SpanKind, Status, TraceContextExt as _};
use opentelemetry::{Context, KeyValue};
use serde_json::Value;
use tokio::sync::Notify;

use crate::bus::Bus;
use crate::dice::{Dice, fnv1a};
use crate::event::{Event, rfc3339};
use crate::landscape::{
    Backend, BackendKind, CONSUMERS, Caller, Dialect, Layer, NAMESPACE, NETWORK_MS, Service, Subject,
};
use crate::semconv::{self, Messaging, Operation, Sender, Statement};
use crate::telemetry::{Carrier, Telemetry, extract, inject};
use crate::truth::Truth;

/// What all participants share: the simulation's side of the landscape.
pub struct World {
    /// Seed of every decision.
    pub seed: u64,
    /// Short code of this run; part of business ids, so that two runs do not share any.
    pub run: String,
    /// The participants' telemetry.
    pub telemetry: Telemetry,
    /// What was done.
    pub truth: Truth,
    /// The transport of events.
    pub bus: Bus,
    /// Deliveries that are owed to consumers.
    pub owed: Owed,
}

/// Counts messages that consumers have not finished, so that a run can be drained.
#[derive(Debug, Default)]
pub struct Owed {
    open: AtomicI64,
    changed: Notify,
}

impl Owed {
    /// `count` more handlings are to come (negative: fewer).
    pub fn add(&self, count: i64) {
        self.open.fetch_add(count, Ordering::SeqCst);
        self.changed.notify_waiters();
    }

    /// Handlings that are still open.
    #[must_use]
    pub fn open(&self) -> i64 {
        self.open.load(Ordering::SeqCst)
    }

    /// Waits until nothing is open.
    pub async fn settled(&self) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.open() <= 0 {
                return;
            }
            changed.await;
        }
    }
}

/// The business side of a request: the ids that make it one story.
#[derive(Clone, Debug)]
pub struct Business {
    /// Ten times the request's number plus the line in a batch: the key of its decisions.
    pub key: u64,
    /// `X-Request-Id`.
    pub request_id: String,
    /// The order it is about.
    pub order_id: String,
    /// The customer it is about.
    pub customer_id: String,
    /// The stock item it is about.
    pub sku: String,
}

impl World {
    /// The business ids of decision key `key`.
    #[must_use]
    pub fn business(&self, key: u64) -> Arc<Business> {
        let mut dice = Dice::new(self.seed, key, "business");
        Arc::new(Business {
            key,
            request_id: format!("req-{}-{}", self.run, key / 10),
            order_id: self.order_id(key),
            customer_id: format!("CUS-{}", dice.between(88_000, 88_400)),
            sku: format!("SKU-{}", dice.between(1_000, 1_120)),
        })
    }

    /// The id of the order that was placed under `key`.
    #[must_use]
    pub fn order_id(&self, key: u64) -> String {
        format!("ORD-{}-{key:06}", self.run)
    }

    /// The decision key in an event id of this run; none for somebody else's event.
    #[must_use]
    pub fn key_of(&self, event_id: &str) -> Option<u64> {
        event_id.strip_prefix(&self.run)?.strip_prefix('-')?.split('-').next()?.parse().ok()
    }

    /// A request from outside: `caller` has no telemetry, so the SERVER span is the trace's root.
    pub async fn enter<F, Fut>(
        self: &Arc<Self>,
        caller: &Caller,
        op: Operation,
        about: Arc<Business>,
        handler: F,
    ) -> Reply
    where
        F: FnOnce(Scope) -> Fut,
        Fut: Future<Output = Reply>,
    {
        let from = Sender {
            user_agent: caller.user_agent.to_owned(),
            request_id: about.request_id.clone(),
            authorization: None,
        };
        self.truth.trace();
        let name = op.name();
        let reply = self.serve(caller.entry, &Carrier::new(), op, &from, about, handler).await;
        self.truth.call(caller.name, caller.entry.name, name, reply.status >= 500);
        reply
    }

    /// The callee's side of a call: its SERVER span and the handler inside.
    async fn serve<F, Fut>(
        self: &Arc<Self>,
        service: &'static Service,
        headers: &Carrier,
        op: Operation,
        from: &Sender,
        about: Arc<Business>,
        handler: F,
    ) -> Reply
    where
        F: FnOnce(Scope) -> Fut,
        Fut: Future<Output = Reply>,
    {
        let attributes = semconv::http_server(service, &op, from);
        let of = self.telemetry.of(service);
        let cx = of.start(SpanKind::Server, op.name(), &extract(headers), attributes, Vec::new());
        let scope = Scope { world: Arc::clone(self), service, cx, about };
        let reply = handler(scope.clone()).await;
        scope.tag(semconv::http_status(service.dialect, reply.status));
        // By the conventions a 4xx is the client's fault: the SERVER span's status stays unset.
        if reply.status >= 500 {
            let fault =
                reply.fault.clone().unwrap_or_else(|| Fault::new("Error", format!("answered {}", reply.status)));
            scope.fail(&fault);
            scope.log(Severity::Error, &format!("{} failed: {fault}", op.name()));
        }
        of.end(&scope.cx);
        reply
    }
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// `error.type` and `exception.type`.
    pub kind: &'static str,
    /// `exception.message`.
    pub message: String,
}

impl Fault {
    /// A fault of `kind`.
    #[must_use]
    pub fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

/// The answer to a call.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Why, for 5xx.
    pub fault: Option<Fault>,
}

impl Reply {
    /// An answer without a fault.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self { status, fault: None }
    }

    /// A 5xx answer.
    #[must_use]
    pub fn failed(status: u16, fault: Fault) -> Self {
        Self { status, fault: Some(fault) }
    }

    /// Whether it is below 400.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.status < 400
    }
}

/// One handling in one participant, with the span it runs under.
#[derive(Clone)]
pub struct Scope {
    /// The simulation.
    pub world: Arc<World>,
    /// Who handles.
    pub service: &'static Service,
    /// Context whose active span is this handling's.
    pub cx: Context,
    /// What it is about.
    pub about: Arc<Business>,
}

impl Scope {
    fn dice(&self, what: &str) -> Dice {
        Dice::new(self.world.seed, self.about.key, &format!("{}/{what}", self.service.name))
    }

    /// The same handling, about another piece of business (one order of a batch).
    #[must_use]
    pub fn about(&self, about: Arc<Business>) -> Self {
        Self { about, ..self.clone() }
    }

    /// The service's own work: a sleep sampled from its service time. `step` tells apart several
    /// pieces of work in one request.
    pub async fn work(&self, step: &str) {
        tokio::time::sleep(self.dice(&format!("work/{step}")).service_time(&self.service.work)).await;
    }

    /// Adds an attribute to this handling's span.
    pub fn tag(&self, attribute: KeyValue) {
        self.cx.span().set_attribute(attribute);
    }

    /// Marks this handling's span as failed, with an exception event.
    pub fn fail(&self, fault: &Fault) {
        fail(&self.cx, self.service.dialect, fault);
    }

    /// Emits a log record under this handling's span, if the service has logs.
    pub fn log(&self, severity: Severity, body: &str) {
        let attributes = [("order.id", self.about.order_id.clone()), ("request.id", self.about.request_id.clone())];
        self.world.telemetry.of(self.service).log(&self.cx, severity, body.to_owned(), &attributes);
    }

    /// Calls another service: CLIENT span here, SERVER span there, trace context in between.
    pub async fn call<F, Fut>(&self, callee: &'static Service, op: Operation, handler: F) -> Reply
    where
        F: FnOnce(Scope) -> Fut,
        Fut: Future<Output = Reply>,
    {
        let dialect = self.service.dialect;
        let (name, operation) = (semconv::client_name(dialect, &op), op.name());
        let attributes = semconv::http_client(dialect, &op, &callee.host(), 8080, Some(callee.name));
        let of = self.world.telemetry.of(self.service);
        let client = of.start(SpanKind::Client, name, &self.cx, attributes, Vec::new());
        let mut network = self.dice(&format!("network/{}/{operation}/{}", callee.name, op.resend));
        hop(&mut network).await;
        let from = self.sender(callee);
        let reply = self.world.serve(callee, &inject(&client), op, &from, Arc::clone(&self.about), handler).await;
        hop(&mut network).await;
        answered(&client, dialect, reply.status);
        of.end(&client);
        self.note_offences(callee);
        self.world.truth.call(self.service.name, callee.name, operation, reply.status >= 500);
        reply
    }

    fn sender(&self, callee: &Service) -> Sender {
        // Only system APIs record the header; the value stands for a bearer token.
        let token = || format!("Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6ImRlbW8ifQ.{:016x}", fnv1a(self.service.name));
        Sender {
            user_agent: format!("{}/{}", self.service.name, self.service.version),
            request_id: self.about.request_id.clone(),
            authorization: (callee.layer == Layer::System && self.service.sends_credentials).then(token),
        }
    }

    fn note_offences(&self, callee: &Service) {
        if callee.layer != Layer::System {
            return;
        }
        if self.service.layer == Layer::Experience {
            self.world.truth.note("layer_bypass");
        }
        if !self.service.sends_credentials {
            self.world.truth.note("unauthorized_system_calls");
        }
    }

    /// Runs a statement on a database: one CLIENT span, none on the other side.
    pub async fn database(&self, backend: &'static Backend, statement: &Statement) {
        let BackendKind::Database { system, legacy_system, namespace } = backend.kind else {
            unreachable!("{} is no database", backend.name)
        };
        let names = (system, legacy_system, namespace);
        let attributes = semconv::database(self.service.dialect, backend, names, statement);
        let of = self.world.telemetry.of(self.service);
        let name = format!("{} {}", statement.operation, statement.table);
        let span = of.start(SpanKind::Client, name, &self.cx, attributes, Vec::new());
        tokio::time::sleep(self.dice(&format!("db/{}", statement.table)).service_time(&backend.time)).await;
        of.end(&span);
        self.world.truth.access(self.service.name, backend.name, false);
    }

    /// Calls somebody else's HTTP API; with `timeout` it does not answer in time.
    ///
    /// # Errors
    /// The time-out, as the client library reports it.
    pub async fn external(
        &self,
        backend: &'static Backend,
        op: &Operation,
        timeout: Option<Duration>,
    ) -> Result<u16, Fault> {
        let dialect = self.service.dialect;
        let attributes = semconv::http_client(dialect, op, backend.host, backend.port, Some(backend.name));
        let of = self.world.telemetry.of(self.service);
        let span = of.start(SpanKind::Client, semconv::client_name(dialect, op), &self.cx, attributes, Vec::new());
        let outcome = match timeout {
            Some(limit) => {
                tokio::time::sleep(limit).await;
                let message =
                    format!("{}:{} did not answer within {} ms", backend.host, backend.port, limit.as_millis());
                let fault = Fault::new("timeout", message);
                fail(&span, dialect, &fault);
                Err(fault)
            }
            None => {
                let what = format!("external/{}/{}", op.name(), op.resend);
                tokio::time::sleep(self.dice(&what).service_time(&backend.time)).await;
                let status = if op.method == "POST" { 201 } else { 200 };
                answered(&span, dialect, status);
                Ok(status)
            }
        };
        of.end(&span);
        self.world.truth.access(self.service.name, backend.name, outcome.is_err());
        outcome
    }

    /// Hands a mail to a relay.
    pub async fn mail(&self, relay: &'static Backend) {
        let of = self.world.telemetry.of(self.service);
        let attributes = semconv::mail(self.service.dialect, relay);
        let span = of.start(SpanKind::Client, "SMTP send".to_owned(), &self.cx, attributes, Vec::new());
        tokio::time::sleep(self.dice("mail").service_time(&relay.time)).await;
        of.end(&span);
        self.world.truth.access(self.service.name, relay.name, false);
    }

    /// Publishes an event about this business; `cause` is the event that led to it.
    pub async fn publish(&self, subject: &'static Subject, data: Value, cause: Option<&str>) {
        // The business object it is about: an order, else a customer.
        let object = ["orderId", "customerId"]
            .iter()
            .find_map(|key| data[*key].as_str())
            .unwrap_or(&self.about.request_id)
            .to_owned();
        let event = Event {
            id: format!("{}-{:06}-{}", self.world.run, self.about.key, subject.name),
            source: format!("/{NAMESPACE}/{}", self.service.name),
            event_type: subject.event_type.to_owned(),
            subject: object.clone(),
            time: rfc3339(SystemTime::now()),
            correlation: object,
            causation: cause.map(str::to_owned),
            data,
        };
        let (world, dialect) = (&self.world, self.service.dialect);
        let system = world.bus.system();
        let about = Messaging { system, destination: subject.name, message_id: Some(&event.id), group: None };
        let mut attributes = semconv::messaging(dialect, &about, "publish", "send");
        attributes.push(KeyValue::new("cloudevents.event_id", event.id.clone()));
        attributes.push(KeyValue::new("cloudevents.event_source", event.source.clone()));
        attributes.push(KeyValue::new("cloudevents.event_type", event.event_type.clone()));
        let of = world.telemetry.of(self.service);
        let span = of.start(SpanKind::Producer, format!("publish {}", subject.name), &self.cx, attributes, Vec::new());
        let message = event.encode(subject.mode, &inject(&span), &self.about.request_id);
        span.span().set_attribute(KeyValue::new("messaging.message.body.size", message.body.len() as i64));
        // Owed before it is sent: a consumer may be done before the publisher hears of the storing.
        let owed = CONSUMERS.iter().filter(|consumer| consumer.subject.name == subject.name).count() as i64;
        world.owed.add(owed);
        match world.bus.publish(subject, &event.id, message).await {
            Ok(sequence) => {
                if let Bus::Nats(_) = world.bus {
                    let sequence = KeyValue::new("messaging.nats.stream.sequence", sequence as i64);
                    span.span().set_attribute(sequence);
                }
                world.truth.published(self.service.name, subject.name);
            }
            Err(error) => {
                world.owed.add(-owed);
                world.truth.note("publish_failures");
                fail(&span, dialect, &Fault::new("PublishError", format!("{error:#}")));
                tracing::warn!(subject = subject.name, error = format!("{error:#}"), "an event was not stored");
            }
        }
        of.end(&span);
    }
}

/// One way over the network.
async fn hop(network: &mut Dice) {
    let ms = NETWORK_MS.0 + (NETWORK_MS.1 - NETWORK_MS.0) * network.unit();
    tokio::time::sleep(Duration::from_secs_f64(ms / 1000.0)).await;
}

/// The client's view of an answer: by the conventions 4xx and 5xx are errors on a CLIENT span.
fn answered(client: &Context, dialect: Dialect, status: u16) {
    let span = client.span();
    span.set_attribute(semconv::http_status(dialect, status));
    if status >= 400 {
        if dialect == Dialect::Stable {
            span.set_attribute(KeyValue::new("error.type", status.to_string()));
        }
        span.set_status(Status::error(""));
    }
}

fn fail(cx: &Context, dialect: Dialect, fault: &Fault) {
    let span = cx.span();
    if dialect == Dialect::Stable {
        span.set_attribute(KeyValue::new("error.type", fault.kind));
    }
    let exception = vec![
        KeyValue::new("exception.type", fault.kind),
        KeyValue::new("exception.message", fault.message.clone()),
        KeyValue::new("exception.stacktrace", format!("{fault}\n    at handle (service.rs)\n    at main (main.rs)")),
    ];
    span.add_event("exception", exception);
    span.set_status(Status::error(fault.message.clone()));
}

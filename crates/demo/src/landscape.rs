//! The participants of the order business and their true parameters, as plain tables.

use serde::Serialize;

/// `service.namespace` of every participant.
pub const NAMESPACE: &str = "retail";
/// `deployment.environment.name` of every participant.
pub const ENVIRONMENT: &str = "demo";

/// Where a service stands in API-led layering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// Serves one kind of user or partner.
    Experience,
    /// Orchestrates a business process.
    Process,
    /// Unlocks one system of record.
    System,
    /// Entered only by messages.
    Event,
}

/// Which spelling of the semantic conventions a service's instrumentation writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// `http.request.method`, `db.system.name`, `messaging.operation.type`, …
    Stable,
    /// `http.method`, `db.system`, `messaging.operation`, …
    Legacy,
}

/// How a service exports its telemetry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Export {
    /// OTLP over gRPC.
    #[serde(rename = "grpc")]
    Grpc,
    /// OTLP over gRPC, gzip.
    #[serde(rename = "grpc+gzip")]
    GrpcGzip,
    /// OTLP over HTTP, protobuf.
    #[serde(rename = "http/protobuf")]
    Http,
    /// OTLP over HTTP, protobuf, gzip.
    #[serde(rename = "http/protobuf+gzip")]
    HttpGzip,
}

/// A shifted log-normal distribution: `offset + median * exp(sigma * N(0,1))`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServiceTime {
    /// Smallest possible time in milliseconds; 20 or more, because timers tick in milliseconds.
    pub offset_ms: f64,
    /// Median of what comes on top of the offset, in milliseconds.
    pub median_ms: f64,
    /// Standard deviation of the logarithm.
    pub sigma: f64,
}

impl ServiceTime {
    /// The distribution's mean in milliseconds.
    #[must_use]
    pub fn mean_ms(&self) -> f64 {
        self.offset_ms + self.median_ms * (self.sigma * self.sigma / 2.0).exp()
    }
}

/// A service: one OpenTelemetry resource.
#[derive(Debug)]
pub struct Service {
    /// `service.name`.
    pub name: &'static str,
    /// Its true layer.
    pub layer: Layer,
    /// `service.version`.
    pub version: &'static str,
    /// Spelling of its attributes.
    pub dialect: Dialect,
    /// Its transport.
    pub export: Export,
    /// Whether it also exports logs.
    pub logs: bool,
    /// Whether its calls carry an `Authorization` header.
    pub sends_credentials: bool,
    /// Own work per handling, without what it waits for.
    pub work: ServiceTime,
}

impl Service {
    /// Host name under which the others reach it.
    #[must_use]
    pub fn host(&self) -> String {
        format!("{}.{NAMESPACE}.svc", self.name)
    }
}

const fn ms(median_ms: f64, sigma: f64) -> ServiceTime {
    ServiceTime { offset_ms: 20.0, median_ms, sigma }
}

const fn api(name: &'static str, layer: Layer, export: Export, work: ServiceTime) -> Service {
    Service {
        name,
        layer,
        version: "1.8.2",
        dialect: Dialect::Stable,
        export,
        logs: false,
        sends_credentials: true,
        work,
    }
}

/// Experience API of the web shop.
pub static WEB_ORDERS: Service = api("web-orders-exp-api", Layer::Experience, Export::Grpc, ms(5.0, 0.3));
/// Experience API of the mobile app; calls a system API directly.
pub static MOBILE: Service = api("mobile-exp-api", Layer::Experience, Export::Http, ms(5.0, 0.3));
/// Experience API of the partners.
pub static PARTNER: Service = api("partner-exp-api", Layer::Experience, Export::HttpGzip, ms(8.0, 0.3));
/// Process API of orders.
pub static ORDER: Service =
    Service { logs: true, version: "3.4.0", ..api("order-prc-api", Layer::Process, Export::Grpc, ms(10.0, 0.4)) };
/// Process API of customers.
pub static CUSTOMER: Service = api("customer-prc-api", Layer::Process, Export::Http, ms(8.0, 0.3));
/// Process API of fulfilment; its calls carry no credentials.
pub static FULFILMENT: Service =
    Service { sends_credentials: false, ..api("fulfilment-prc-api", Layer::Process, Export::GrpcGzip, ms(12.0, 0.4)) };
/// System API in front of the card acquirer.
pub static PAYMENTS: Service =
    Service { logs: true, version: "2.14.0", ..api("payments-sys-api", Layer::System, Export::Grpc, ms(5.0, 0.3)) };
/// System API in front of the stock tables.
pub static INVENTORY: Service = api("inventory-sys-api", Layer::System, Export::Http, ms(4.0, 0.3));
/// System API in front of Salesforce; instrumented with the old conventions.
pub static CRM: Service =
    Service { dialect: Dialect::Legacy, ..api("crm-sys-api", Layer::System, Export::Grpc, ms(5.0, 0.3)) };
/// System API in front of the ERP; instrumented with the old conventions.
pub static ERP: Service =
    Service { dialect: Dialect::Legacy, logs: true, ..api("erp-sys-api", Layer::System, Export::Http, ms(8.0, 0.4)) };
/// System API in front of the object store.
pub static DOCUMENTS: Service = api("documents-sys-api", Layer::System, Export::Grpc, ms(5.0, 0.3));
/// Event worker that collects payments.
pub static PAYMENT_WORKER: Service =
    Service { logs: true, ..api("payment-service", Layer::Event, Export::Grpc, ms(15.0, 0.4)) };
/// Event worker that sends mail; instrumented with the old conventions.
pub static NOTIFICATION_WORKER: Service = Service {
    dialect: Dialect::Legacy,
    logs: true,
    ..api("notification-service", Layer::Event, Export::Http, ms(10.0, 0.4))
};
/// Event worker that takes batches.
pub static ANALYTICS_WORKER: Service = api("analytics-service", Layer::Event, Export::Grpc, ms(5.0, 0.3));

/// All services.
pub static SERVICES: [&Service; 14] = [
    &WEB_ORDERS,
    &MOBILE,
    &PARTNER,
    &ORDER,
    &CUSTOMER,
    &FULFILMENT,
    &PAYMENTS,
    &INVENTORY,
    &CRM,
    &ERP,
    &DOCUMENTS,
    &PAYMENT_WORKER,
    &NOTIFICATION_WORKER,
    &ANALYTICS_WORKER,
];

/// What kind of backend stands behind a system API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackendKind {
    /// A database: its system in the stable and the legacy spelling, and its namespace.
    Database {
        /// `db.system.name`.
        system: &'static str,
        /// `db.system`.
        legacy_system: &'static str,
        /// `db.namespace`, `db.name`.
        namespace: &'static str,
    },
    /// Somebody else's HTTP API.
    Http,
    /// A mail relay.
    Smtp,
}

/// A participant that is seen only through its callers' CLIENT spans.
#[derive(Debug)]
pub struct Backend {
    /// What people call it; `peer.service` in the legacy spelling.
    pub name: &'static str,
    /// Its kind.
    pub kind: BackendKind,
    /// `server.address`.
    pub host: &'static str,
    /// `server.port`.
    pub port: u16,
    /// How long it takes.
    pub time: ServiceTime,
}

/// Stock tables.
pub static POSTGRES: Backend = Backend {
    name: "Postgres",
    kind: BackendKind::Database { system: "postgresql", legacy_system: "postgresql", namespace: "orders" },
    host: "orders-db.retail.example",
    port: 5432,
    time: ms(6.0, 0.5),
};
/// The ERP's database: the slow dependency.
pub static ORACLE_ERP: Backend = Backend {
    name: "Oracle ERP",
    kind: BackendKind::Database { system: "oracle.db", legacy_system: "oracle", namespace: "ERPPRD" },
    host: "erp-db.retail.example",
    port: 1521,
    time: ms(380.0, 0.6),
};
/// The customer system, rented.
pub static SALESFORCE: Backend = Backend {
    name: "Salesforce",
    kind: BackendKind::Http,
    host: "retail.my.salesforce.example",
    port: 443,
    time: ms(40.0, 0.5),
};
/// Authorises card payments; times out for a share of the calls.
pub static ACQUIRER: Backend = Backend {
    name: "Card acquirer",
    kind: BackendKind::Http,
    host: "acquirer.example",
    port: 443,
    time: ms(60.0, 0.4),
};
/// Keeps documents.
pub static OBJECT_STORE: Backend = Backend {
    name: "Object store",
    kind: BackendKind::Http,
    host: "documents.s3.example",
    port: 443,
    time: ms(35.0, 0.5),
};
/// Takes mail.
pub static SMTP_RELAY: Backend = Backend {
    name: "SMTP relay",
    kind: BackendKind::Smtp,
    host: "smtp-relay.retail.example",
    port: 587,
    time: ms(120.0, 0.5),
};

/// All backends.
pub static BACKENDS: [&Backend; 6] = [&POSTGRES, &ORACLE_ERP, &SALESFORCE, &ACQUIRER, &OBJECT_STORE, &SMTP_RELAY];

/// A user or automation: calls an experience API and has no telemetry of its own.
#[derive(Debug)]
pub struct Caller {
    /// What people call it.
    pub name: &'static str,
    /// `browser`, `mobile` or `automation`.
    pub kind: &'static str,
    /// `user_agent.original` of its requests.
    pub user_agent: &'static str,
    /// The experience API it calls.
    pub entry: &'static Service,
}

/// Shoppers in a browser.
pub static WEB_SHOP: Caller = Caller {
    name: "Web shop",
    kind: "browser",
    user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
    entry: &WEB_ORDERS,
};
/// The phone app.
pub static MOBILE_APP: Caller = Caller {
    name: "Mobile app",
    kind: "mobile",
    user_agent: "RetailApp/5.4.1 (iOS 18.2; iPhone15,3) CFNetwork/1568.300.101 Darwin/24.2.0",
    entry: &MOBILE,
};
/// A partner's electronic data interchange.
pub static PARTNER_EDI: Caller =
    Caller { name: "Partner EDI", kind: "automation", user_agent: "EDI-Partner/2.1", entry: &PARTNER };

/// All callers.
pub static CALLERS: [&Caller; 3] = [&WEB_SHOP, &MOBILE_APP, &PARTNER_EDI];

/// How a CloudEvent travels (CloudEvents 1.0, content modes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Attributes in headers, data as the body.
    Binary,
    /// Everything in one JSON document.
    Structured,
}

/// A subject events are published on.
#[derive(Debug)]
pub struct Subject {
    /// NATS subject, `messaging.destination.name`.
    pub name: &'static str,
    /// JetStream stream that keeps it.
    pub stream: &'static str,
    /// Content mode of its events.
    pub mode: Mode,
    /// CloudEvents `type`.
    pub event_type: &'static str,
}

/// An order was taken.
pub static ORDERS_PLACED: Subject =
    Subject { name: "orders.placed", stream: "ORDERS", mode: Mode::Binary, event_type: "com.retail.order.placed.v1" };
/// An order was paid.
pub static ORDERS_PAID: Subject =
    Subject { name: "orders.paid", stream: "ORDERS", mode: Mode::Structured, event_type: "com.retail.order.paid.v1" };
/// Payment was given up.
pub static ORDERS_PAYMENT_FAILED: Subject = Subject {
    name: "orders.payment-failed",
    stream: "ORDERS",
    mode: Mode::Binary,
    event_type: "com.retail.order.payment-failed.v1",
};
/// An order left the house.
pub static ORDERS_FULFILLED: Subject = Subject {
    name: "orders.fulfilled",
    stream: "ORDERS",
    mode: Mode::Structured,
    event_type: "com.retail.order.fulfilled.v1",
};
/// Stock changed: nobody consumes it.
pub static STOCK_ADJUSTED: Subject =
    Subject { name: "stock.adjusted", stream: "STOCK", mode: Mode::Binary, event_type: "com.retail.stock.adjusted.v1" };
/// A customer's contact changed.
pub static CUSTOMER_UPDATED: Subject = Subject {
    name: "customer.updated",
    stream: "CUSTOMERS",
    mode: Mode::Structured,
    event_type: "com.retail.customer.updated.v1",
};
/// Orders whose payment could not be handled.
pub static DLQ_ORDERS_PLACED: Subject =
    Subject { name: "dlq.orders.placed", stream: "DLQ", mode: Mode::Binary, event_type: "com.retail.deadletter.v1" };

/// All subjects.
pub static SUBJECTS: [&Subject; 7] = [
    &ORDERS_PLACED,
    &ORDERS_PAID,
    &ORDERS_PAYMENT_FAILED,
    &ORDERS_FULFILLED,
    &STOCK_ADJUSTED,
    &CUSTOMER_UPDATED,
    &DLQ_ORDERS_PLACED,
];

/// The streams with the subject filter each keeps.
pub const STREAMS: [(&str, &str); 4] =
    [("ORDERS", "orders.*"), ("STOCK", "stock.*"), ("CUSTOMERS", "customer.*"), ("DLQ", "dlq.>")];

/// How a consumer's spans are joined to the producer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Join {
    /// The `process` span is a child of the producer's span.
    Parent,
    /// The `process` span starts a trace of its own and links to the producer's span.
    Link,
    /// One `receive` span per batch links to all producers; `process` spans below it.
    Batch,
}

/// A durable consumer.
#[derive(Debug)]
pub struct Consumer {
    /// Durable name, `messaging.consumer.group.name`.
    pub durable: &'static str,
    /// Who consumes.
    pub service: &'static Service,
    /// What it consumes.
    pub subject: &'static Subject,
    /// How its spans are joined.
    pub join: Join,
}

/// All durable consumers.
pub static CONSUMERS: [Consumer; 7] = [
    Consumer { durable: "payment-service", service: &PAYMENT_WORKER, subject: &ORDERS_PLACED, join: Join::Parent },
    Consumer { durable: "notification-paid", service: &NOTIFICATION_WORKER, subject: &ORDERS_PAID, join: Join::Link },
    Consumer {
        durable: "notification-payment-failed",
        service: &NOTIFICATION_WORKER,
        subject: &ORDERS_PAYMENT_FAILED,
        join: Join::Link,
    },
    Consumer {
        durable: "notification-fulfilled",
        service: &NOTIFICATION_WORKER,
        subject: &ORDERS_FULFILLED,
        join: Join::Link,
    },
    Consumer { durable: "analytics-placed", service: &ANALYTICS_WORKER, subject: &ORDERS_PLACED, join: Join::Batch },
    Consumer { durable: "analytics-paid", service: &ANALYTICS_WORKER, subject: &ORDERS_PAID, join: Join::Batch },
    Consumer {
        durable: "analytics-customers",
        service: &ANALYTICS_WORKER,
        subject: &CUSTOMER_UPDATED,
        join: Join::Batch,
    },
];

/// Deliveries after which a message is given up (`max_deliver`).
pub const MAX_DELIVER: i64 = 3;
/// Delay of a redelivery asked for by a negative acknowledgement, in milliseconds.
pub const REDELIVERY_DELAY_MS: u64 = 1_200;
/// How long payments-sys-api waits for the acquirer, in milliseconds.
pub const ACQUIRER_TIMEOUT_MS: u64 = 264;
/// Pause of order-prc-api before its one retry of `POST /charge`, in milliseconds.
pub const CHARGE_RETRY_PAUSE_MS: u64 = 80;
/// Orders in one partner batch.
pub const BATCH_ORDERS: u64 = 3;
/// One-way network time between two services, in milliseconds: uniform in `[low, high)`.
pub const NETWORK_MS: (f64, f64) = (1.0, 4.0);

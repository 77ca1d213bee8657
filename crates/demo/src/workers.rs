//! The event consumers: payment-service, notification-service, analytics-service.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use opentelemetry::logs::Severity;
use opentelemetry::trace::{SpanContext, SpanKind, TraceContextExt as _};
use opentelemetry::{Context, KeyValue};
use serde_json::json;
use tokio::task::JoinHandle;

use crate::bus::{Bus, Delivery, Inbox, Verdict};
use crate::dice::Dice;
use crate::event::{Event, erp_date, rfc3339};
use crate::landscape::{
    Consumer, DLQ_ORDERS_PLACED, Dialect, Join, MAX_DELIVER, ORDERS_PAID, ORDERS_PAYMENT_FAILED, ORDERS_PLACED,
    PAYMENT_WORKER, PAYMENTS, REDELIVERY_DELAY_MS, SMTP_RELAY,
};
use crate::scope::{Business, Fault, Scope, World};
use crate::semconv::{self, Messaging, Operation};
use crate::services::{payments_capture, payments_charge};
use crate::story::{Fate, SCRIPT, SHARES};
use crate::telemetry::extract;
use crate::truth::Settled;

/// Most messages in one batch.
const BATCH: usize = 8;
/// How long a batch is gathered after its first message.
const LINGER: Duration = Duration::from_millis(150);

/// Starts all consumers; they end when their inboxes close or are aborted.
#[must_use]
pub fn start(world: &Arc<World>, inboxes: Vec<Inbox>) -> Vec<JoinHandle<()>> {
    inboxes.into_iter().map(|inbox| tokio::spawn(consume(Arc::clone(world), inbox))).collect()
}

async fn consume(world: Arc<World>, mut inbox: Inbox) {
    let consumer = inbox.consumer;
    while let Some(first) = inbox.deliveries.recv().await {
        let arrived = SystemTime::now();
        if consumer.join != Join::Batch {
            if let Some(taken) = take(&world, consumer, first).await {
                tokio::spawn(handle_one(Arc::clone(&world), consumer, taken));
            }
            continue;
        }
        let mut batch = vec![first];
        let until = tokio::time::Instant::now() + LINGER;
        while batch.len() < BATCH {
            match tokio::time::timeout_at(until, inbox.deliveries.recv()).await {
                Ok(Some(next)) => batch.push(next),
                Ok(None) | Err(_) => break,
            }
        }
        let mut taken = Vec::new();
        for delivery in batch {
            taken.extend(take(&world, consumer, delivery).await);
        }
        if !taken.is_empty() {
            tokio::spawn(handle_batch(Arc::clone(&world), consumer, taken, arrived));
        }
    }
}

/// A delivery of an event of this run.
struct Taken {
    delivery: Delivery,
    event: Event,
    key: u64,
}

impl Taken {
    fn producer(&self) -> Context {
        extract(&self.delivery.message.trace())
    }

    fn producer_span(&self) -> SpanContext {
        self.producer().span().span_context().clone()
    }
}

/// Accepts events of this run; somebody else's messages on our subjects are acknowledged unread.
async fn take(world: &World, consumer: &Consumer, delivery: Delivery) -> Option<Taken> {
    let event = delivery.message.decode();
    if let Some(event) = event
        && let Some(key) = world.key_of(&event.id)
    {
        return Some(Taken { delivery, event, key });
    }
    tracing::debug!(consumer = consumer.durable, "not a message of this run");
    if let Err(error) = delivery.settle(Verdict::Ack).await {
        tracing::warn!(consumer = consumer.durable, %error, "not settled");
    }
    None
}

async fn handle_one(world: Arc<World>, consumer: &'static Consumer, taken: Taken) {
    let (parent, links) = match consumer.join {
        Join::Parent => (taken.producer(), Vec::new()),
        Join::Link | Join::Batch => {
            world.truth.trace();
            (Context::new(), vec![taken.producer_span()])
        }
    };
    process(&world, consumer, taken, &parent, links).await;
}

async fn handle_batch(world: Arc<World>, consumer: &'static Consumer, batch: Vec<Taken>, arrived: SystemTime) {
    world.truth.batch();
    let of = world.telemetry.of(consumer.service);
    let about = Messaging {
        system: world.bus.system(),
        destination: consumer.subject.name,
        message_id: None,
        group: Some(consumer.durable),
    };
    let mut attributes = semconv::messaging(consumer.service.dialect, &about, "fetch", "receive");
    attributes.push(KeyValue::new("messaging.batch.message_count", batch.len() as i64));
    let links = batch.iter().map(Taken::producer_span).collect();
    let name = format!("fetch {}", consumer.subject.name);
    let receive = of.start_at(SpanKind::Client, name, &Context::new(), attributes, links, Some(arrived));
    of.end(&receive);
    for taken in batch {
        let link = taken.producer_span();
        process(&world, consumer, taken, &receive, vec![link]).await;
    }
}

/// What a worker made of a message.
enum Handled {
    Done,
    Again(Fault),
    GivenUp(Fault),
}

/// One CONSUMER span around one handling, and the answer to the broker.
async fn process(
    world: &Arc<World>,
    consumer: &'static Consumer,
    taken: Taken,
    parent: &Context,
    links: Vec<SpanContext>,
) {
    let of = world.telemetry.of(consumer.service);
    let (name, attributes) = describe(world, consumer, &taken);
    let cx = of.start(SpanKind::Consumer, name, parent, attributes, links);
    let scope = Scope { world: Arc::clone(world), service: consumer.service, cx, about: about_event(world, &taken) };
    let handled = match consumer.join {
        Join::Parent => collect_payment(&scope, &taken).await,
        Join::Link => notify(&scope, consumer, &taken).await,
        Join::Batch => {
            scope.work(&format!("aggregate/{}", consumer.subject.name)).await;
            Handled::Done
        }
    };
    let (verdict, settled, fault) = match handled {
        Handled::Done => (Verdict::Ack, Settled::Acked, None),
        Handled::Again(fault) => {
            (Verdict::Nak(Duration::from_millis(REDELIVERY_DELAY_MS)), Settled::Nacked, Some(fault))
        }
        Handled::GivenUp(fault) => (Verdict::Term, Settled::DeadLettered, Some(fault)),
    };
    if let Some(fault) = fault {
        scope.fail(&fault);
        let order = &scope.about.order_id;
        scope.log(Severity::Error, &format!("delivery {} of {order} failed: {fault}", taken.delivery.delivered));
    }
    let redelivery = taken.delivery.delivered > 1;
    if let Err(error) = taken.delivery.settle(verdict).await {
        tracing::warn!(consumer = consumer.durable, %error, "not settled");
    }
    of.end(&scope.cx);
    world.truth.delivered(consumer.subject.name, consumer.service.name, consumer.durable, redelivery, settled);
    if settled != Settled::Nacked {
        world.owed.add(-1);
    }
}

/// The business ids of the request that caused the event, about the object the event names.
fn about_event(world: &World, taken: &Taken) -> Arc<Business> {
    let about = world.business(taken.key);
    let data = &taken.event.data;
    let named = |key: &str, else_: &str| data[key].as_str().unwrap_or(else_).to_owned();
    Arc::new(Business {
        order_id: named("orderId", &about.order_id),
        customer_id: named("customerId", &about.customer_id),
        ..Business::clone(&about)
    })
}

fn describe(world: &World, consumer: &Consumer, taken: &Taken) -> (String, Vec<KeyValue>) {
    let subject = consumer.subject.name;
    let dialect = consumer.service.dialect;
    let name = match dialect {
        Dialect::Stable => format!("process {subject}"),
        Dialect::Legacy => format!("{subject} process"),
    };
    let about = Messaging {
        system: world.bus.system(),
        destination: subject,
        message_id: Some(&taken.event.id),
        group: Some(consumer.durable),
    };
    let mut attributes = semconv::messaging(dialect, &about, "process", "process");
    if let Bus::Nats(_) = world.bus {
        let (sequence, delivered) = (taken.delivery.sequence as i64, taken.delivery.delivered);
        attributes.push(KeyValue::new("messaging.nats.stream.sequence", sequence));
        attributes.push(KeyValue::new("messaging.nats.delivery_count", delivered));
    }
    attributes.extend([
        KeyValue::new("cloudevents.event_id", taken.event.id.clone()),
        KeyValue::new("cloudevents.event_source", taken.event.source.clone()),
        KeyValue::new("cloudevents.event_type", taken.event.event_type.clone()),
    ]);
    if let Some(order) = taken.event.data["orderId"].as_str() {
        attributes.push(KeyValue::new("order.id", order.to_owned()));
    }
    (name, attributes)
}

/// payment-service: captures what was authorised, collects what is outstanding; after the last
/// delivery it gives up, says so, and puts the order aside.
async fn collect_payment(scope: &Scope, taken: &Taken) -> Handled {
    let delivered = taken.delivery.delivered;
    scope.work(&format!("collect/{delivered}")).await;
    let fate = Fate::of(scope.world.seed, taken.key);
    let cause = Some(taken.event.id.as_str());
    if taken.event.data["paymentStatus"] == "authorised" {
        if fate.capture_stumbles && delivered == 1 {
            return Handled::Again(Fault::new("PoolExhausted", "no connection free: 64 of 64 in use"));
        }
        let reply = scope.call(&PAYMENTS, Operation::new("POST", "/captures", "/captures"), payments_capture).await;
        return match reply.ok() {
            true => paid(scope, cause, fate.cents).await,
            false => Handled::Again(Fault::new("CaptureFailed", format!("POST /captures returned {}", reply.status))),
        };
    }
    let times_out = usize::try_from(delivered - 1).ok().and_then(|nth| fate.collect_times_out.get(nth)).copied();
    let op = Operation::new("POST", "/charge", "/charge").again(delivered - 1);
    let attempt = delivered + 1;
    let reply = scope.call(&PAYMENTS, op, |scope| payments_charge(scope, attempt, times_out.unwrap_or(false))).await;
    if reply.ok() {
        return paid(scope, cause, fate.cents).await;
    }
    let fault = Fault::new("ChargeFailed", format!("payments-sys-api POST /charge returned {}", reply.status));
    if delivered < MAX_DELIVER {
        return Handled::Again(fault);
    }
    let data = json!({"orderId": scope.about.order_id, "customerId": scope.about.customer_id,
                      "reason": fault.message, "attempts": delivered});
    scope.publish(&ORDERS_PAYMENT_FAILED, data, cause).await;
    let data = json!({"originalSubject": ORDERS_PLACED.name, "originalId": taken.event.id,
                      "consumer": PAYMENT_WORKER.name, "deliveries": delivered, "reason": fault.message,
                      "orderId": scope.about.order_id, "event": taken.event.data});
    scope.publish(&DLQ_ORDERS_PLACED, data, cause).await;
    Handled::GivenUp(fault)
}

async fn paid(scope: &Scope, cause: Option<&str>, cents: u64) -> Handled {
    let now = SystemTime::now();
    let bad = Dice::new(scope.world.seed, scope.about.key, "value-date").chance(SHARES.bad_value_date);
    if bad {
        scope.world.truth.note("non_rfc3339_dates");
    }
    let data = json!({
        "orderId": scope.about.order_id,
        "customerId": scope.about.customer_id,
        "paidAt": rfc3339(now),
        "valueDate": if bad { erp_date(now) } else { rfc3339(now)[..10].to_owned() },
        "amount": cents as f64 / 100.0,
        "currency": "EUR",
    });
    scope.publish(&ORDERS_PAID, data, cause).await;
    Handled::Done
}

/// notification-service: one mail per event; the relay sometimes refuses the first try.
async fn notify(scope: &Scope, consumer: &Consumer, taken: &Taken) -> Handled {
    let delivered = taken.delivery.delivered;
    scope.work(&format!("render/{}/{delivered}", consumer.subject.name)).await;
    let what = format!("mail/{}", consumer.subject.name);
    let scripted = taken.key < 10 * SCRIPT.len() as u64;
    let refused = !scripted && Dice::new(scope.world.seed, taken.key, &what).chance(SHARES.mail_flaky);
    if refused && delivered == 1 {
        return Handled::Again(Fault::new("SmtpError", "421 4.7.0 try again later"));
    }
    scope.mail(&SMTP_RELAY).await;
    Handled::Done
}

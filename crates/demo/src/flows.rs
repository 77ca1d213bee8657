//! The business interactions: how requests arrive at the experience APIs and what these do.

use std::sync::Arc;

use opentelemetry::KeyValue;

use crate::dice::Dice;
use crate::landscape::{BATCH_ORDERS, CUSTOMER, FULFILMENT, INVENTORY, ORDER};
use crate::scope::{Business, Fault, Reply, Scope, World};
use crate::semconv::Operation;
use crate::services::{
    customer_contact_update, customer_view, fulfilment_ship, inventory_stock, order_get, order_place,
};
use crate::story::{Interaction, SCRIPT, SHARES, earlier_order, interaction};

/// The scripted request for an order that does not exist.
const UNKNOWN_ORDER: u64 = 7;

/// Plays request `number` from the caller's first byte to the answer.
pub async fn play(world: Arc<World>, number: u64) {
    let kind = interaction(world.seed, number);
    let about = world.business(10 * number);
    let caller = kind.caller();
    let reply = match kind {
        Interaction::PlaceOrder => {
            world.enter(caller, Operation::new("POST", "/orders", "/orders"), about, web_place_order).await
        }
        Interaction::GetOrder => {
            let drawn = Dice::new(world.seed, number, "unknown-order").chance(SHARES.order_unknown);
            let unknown = if number < SCRIPT.len() as u64 { number == UNKNOWN_ORDER } else { drawn };
            let about = about_earlier_order(&world, &about, number);
            let op = Operation::new("GET", "/orders/{orderId}", format!("/orders/{}", about.order_id));
            world.enter(caller, op, about, |scope| mobile_get_order(scope, unknown)).await
        }
        Interaction::CustomerView => {
            let op = Operation::new("GET", "/customers/{customerId}", format!("/customers/{}", about.customer_id));
            world.enter(caller, op, about, web_customer_view).await
        }
        Interaction::ContactUpdate => {
            let path = format!("/customers/{}/contact", about.customer_id);
            world
                .enter(
                    caller,
                    Operation::new("PATCH", "/customers/{customerId}/contact", path),
                    about,
                    mobile_contact_update,
                )
                .await
        }
        Interaction::StockLookup => {
            let unknown = Dice::new(world.seed, number, "unknown-sku").chance(SHARES.sku_unknown);
            let op = Operation::new("GET", "/stock/{sku}", format!("/stock/{}", about.sku));
            world.enter(caller, op, about, |scope| mobile_stock(scope, unknown)).await
        }
        Interaction::Shipment => {
            let about = about_earlier_order(&world, &about, number);
            world.enter(caller, Operation::new("POST", "/shipments", "/shipments"), about, partner_shipment).await
        }
        Interaction::PartnerBatch => {
            world.enter(caller, Operation::new("POST", "/batches", "/batches"), about, partner_batch).await
        }
    };
    world.truth.interaction(name(kind), reply.status >= 500);
}

fn name(kind: Interaction) -> &'static str {
    match kind {
        Interaction::PlaceOrder => "place-order",
        Interaction::GetOrder => "get-order",
        Interaction::CustomerView => "customer-view",
        Interaction::ContactUpdate => "contact-update",
        Interaction::StockLookup => "stock-lookup",
        Interaction::Shipment => "shipment",
        Interaction::PartnerBatch => "partner-batch",
    }
}

/// The same request, about an order that was placed before (its own id where there is none).
fn about_earlier_order(world: &World, about: &Business, number: u64) -> Arc<Business> {
    let key = earlier_order(world.seed, number).unwrap_or(about.key);
    let earlier = world.business(key);
    Arc::new(Business {
        order_id: earlier.order_id.clone(),
        customer_id: earlier.customer_id.clone(),
        sku: earlier.sku.clone(),
        ..about.clone()
    })
}

/// What an API answers when an API behind it answered `reply`: 4xx is passed on, 5xx becomes 502.
pub(crate) fn pass_on(reply: &Reply, behind: &str) -> Reply {
    if reply.status < 500 {
        return Reply::status(reply.status);
    }
    Reply::failed(502, Fault::new("UpstreamError", format!("{behind} returned {}", reply.status)))
}

pub(crate) fn tag_order(scope: &Scope) {
    scope.tag(KeyValue::new("order.id", scope.about.order_id.clone()));
    scope.tag(KeyValue::new("customer.id", scope.about.customer_id.clone()));
}

async fn web_place_order(scope: Scope) -> Reply {
    scope.work("handle").await;
    tag_order(&scope);
    let reply = scope.call(&ORDER, Operation::new("POST", "/orders", "/orders"), order_place).await;
    pass_on(&reply, "order-prc-api POST /orders")
}

async fn mobile_get_order(scope: Scope, unknown: bool) -> Reply {
    scope.work("handle").await;
    tag_order(&scope);
    let op = Operation::new("GET", "/orders/{orderId}", format!("/orders/{}", scope.about.order_id));
    let reply = scope.call(&ORDER, op, |scope| order_get(scope, unknown)).await;
    pass_on(&reply, "order-prc-api GET /orders/{orderId}")
}

async fn web_customer_view(scope: Scope) -> Reply {
    scope.work("handle").await;
    scope.tag(KeyValue::new("customer.id", scope.about.customer_id.clone()));
    let op = Operation::new("GET", "/customers/{customerId}", format!("/customers/{}", scope.about.customer_id));
    let reply = scope.call(&CUSTOMER, op, customer_view).await;
    pass_on(&reply, "customer-prc-api GET /customers/{customerId}")
}

async fn mobile_contact_update(scope: Scope) -> Reply {
    scope.work("handle").await;
    scope.tag(KeyValue::new("customer.id", scope.about.customer_id.clone()));
    let path = format!("/customers/{}/contact", scope.about.customer_id);
    let op = Operation::new("PATCH", "/customers/{customerId}/contact", path);
    let reply = scope.call(&CUSTOMER, op, customer_contact_update).await;
    pass_on(&reply, "customer-prc-api PATCH /customers/{customerId}/contact")
}

/// The bypass: an experience API that calls a system API directly.
async fn mobile_stock(scope: Scope, unknown: bool) -> Reply {
    scope.work("handle").await;
    let op = Operation::new("GET", "/stock/{sku}", format!("/stock/{}", scope.about.sku));
    let reply = scope.call(&INVENTORY, op, |scope| inventory_stock(scope, unknown)).await;
    pass_on(&reply, "inventory-sys-api GET /stock/{sku}")
}

async fn partner_shipment(scope: Scope) -> Reply {
    scope.work("handle").await;
    tag_order(&scope);
    let reply = scope.call(&FULFILMENT, Operation::new("POST", "/shipments", "/shipments"), fulfilment_ship).await;
    pass_on(&reply, "fulfilment-prc-api POST /shipments")
}

/// Places the orders of a batch one after the other; one that cannot be charged does not stop it.
async fn partner_batch(scope: Scope) -> Reply {
    scope.work("handle").await;
    let mut failed = 0;
    for line in 0..BATCH_ORDERS {
        let one = scope.about(scope.world.business(scope.about.key + line));
        let reply = one.call(&ORDER, Operation::new("POST", "/orders", "/orders"), order_place).await;
        failed += u64::from(!reply.ok());
    }
    scope.tag(KeyValue::new("batch.orders.failed", failed as i64));
    Reply::status(if failed == 0 { 201 } else { 207 })
}

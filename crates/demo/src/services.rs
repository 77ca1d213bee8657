//! What the process and system APIs do, as the services themselves would write it.

use std::time::{Duration, SystemTime};

use opentelemetry::logs::Severity;
use serde_json::{Value, json};

use crate::dice::fnv1a;
use crate::event::rfc3339;
use crate::flows::{pass_on, tag_order};
use crate::landscape::{
    ACQUIRER, ACQUIRER_TIMEOUT_MS, CHARGE_RETRY_PAUSE_MS, CRM, CUSTOMER, CUSTOMER_UPDATED, DOCUMENTS, ERP, INVENTORY,
    OBJECT_STORE, ORACLE_ERP, ORDERS_FULFILLED, ORDERS_PLACED, PAYMENTS, POSTGRES, SALESFORCE, STOCK_ADJUSTED,
};
use crate::scope::{Business, Fault, Reply, Scope};
use crate::semconv::{Operation, Statement};
use crate::story::Fate;

pub(crate) async fn order_place(scope: Scope) -> Reply {
    tag_order(&scope);
    scope.work("validate").await;
    let op = Operation::new(
        "GET",
        "/customers/{customerId}/contact",
        format!("/customers/{}/contact", scope.about.customer_id),
    );
    let customer = scope.call(&CUSTOMER, op, customer_contact).await;
    if !customer.ok() {
        return pass_on(&customer, "customer-prc-api GET /customers/{customerId}/contact");
    }
    let reserved =
        scope.call(&INVENTORY, Operation::new("POST", "/reservations", "/reservations"), inventory_reserve).await;
    if !reserved.ok() {
        return pass_on(&reserved, "inventory-sys-api POST /reservations");
    }
    let fate = Fate::of(scope.world.seed, scope.about.key);
    let charged = charge_with_retry(&scope, &fate).await;
    let status = if charged.ok() { "authorised" } else { "outstanding" };
    scope.publish(&ORDERS_PLACED, placed(&scope.about, &fate, status), None).await;
    if charged.ok() {
        return Reply::status(201);
    }
    Reply::failed(
        502,
        Fault::new("PaymentFailed", format!("payments-sys-api POST /charge returned {}", charged.status)),
    )
}

async fn charge_with_retry(scope: &Scope, fate: &Fate) -> Reply {
    let op = Operation::new("POST", "/charge", "/charge");
    let first = scope.call(&PAYMENTS, op.clone(), |scope| payments_charge(scope, 0, fate.charge_times_out)).await;
    if first.ok() {
        return first;
    }
    scope.world.truth.note("charge_retries");
    scope.log(
        Severity::Warn,
        &format!("charge of {} failed with {}, trying once more", scope.about.order_id, first.status),
    );
    tokio::time::sleep(Duration::from_millis(CHARGE_RETRY_PAUSE_MS)).await;
    scope.call(&PAYMENTS, op.again(1), |scope| payments_charge(scope, 1, fate.retry_times_out)).await
}

fn placed(about: &Business, fate: &Fate, payment: &str) -> Value {
    json!({
        "orderId": about.order_id,
        "customerId": about.customer_id,
        "placedAt": rfc3339(SystemTime::now()),
        "amount": fate.cents as f64 / 100.0,
        "currency": "EUR",
        "lines": [{"sku": about.sku, "quantity": 1 + about.key % 3}],
        // Looks like a credential, so that redaction has something to show.
        "cardToken": format!("tok_{:016x}", fnv1a(&about.order_id)),
        "paymentStatus": payment,
    })
}

pub(crate) async fn order_get(scope: Scope, unknown: bool) -> Reply {
    tag_order(&scope);
    scope.work("handle").await;
    let op = Operation::new("GET", "/sales-orders/{orderId}", format!("/sales-orders/{}", scope.about.order_id));
    let reply = scope.call(&ERP, op, |scope| erp_order(scope, unknown)).await;
    pass_on(&reply, "erp-sys-api GET /sales-orders/{orderId}")
}

async fn customer_contact(scope: Scope) -> Reply {
    scope.work("handle").await;
    let op = Operation::new("GET", "/contacts/{customerId}", format!("/contacts/{}", scope.about.customer_id));
    let reply = scope.call(&CRM, op, crm_read).await;
    pass_on(&reply, "crm-sys-api GET /contacts/{customerId}")
}

pub(crate) async fn customer_view(scope: Scope) -> Reply {
    scope.work("handle").await;
    let op = Operation::new("GET", "/contacts/{customerId}", format!("/contacts/{}", scope.about.customer_id));
    let contact = scope.call(&CRM, op, crm_read).await;
    if !contact.ok() {
        return pass_on(&contact, "crm-sys-api GET /contacts/{customerId}");
    }
    let op = Operation::new("GET", "/documents", "/documents");
    let documents = scope.call(&DOCUMENTS, op, documents_list).await;
    pass_on(&documents, "documents-sys-api GET /documents")
}

pub(crate) async fn customer_contact_update(scope: Scope) -> Reply {
    scope.work("handle").await;
    let op = Operation::new("PATCH", "/contacts/{customerId}", format!("/contacts/{}", scope.about.customer_id));
    let reply = scope.call(&CRM, op, crm_update).await;
    if !reply.ok() {
        return pass_on(&reply, "crm-sys-api PATCH /contacts/{customerId}");
    }
    let data = json!({
        "customerId": scope.about.customer_id,
        "changed": ["email", "phone"],
        "updatedAt": rfc3339(SystemTime::now()),
    });
    scope.publish(&CUSTOMER_UPDATED, data, None).await;
    Reply::status(204)
}

pub(crate) async fn fulfilment_ship(scope: Scope) -> Reply {
    tag_order(&scope);
    scope.work("plan").await;
    let picked = scope.call(&INVENTORY, Operation::new("POST", "/picks", "/picks"), inventory_pick).await;
    if !picked.ok() {
        return pass_on(&picked, "inventory-sys-api POST /picks");
    }
    let delivery = scope.call(&ERP, Operation::new("POST", "/deliveries", "/deliveries"), erp_delivery).await;
    if !delivery.ok() {
        return pass_on(&delivery, "erp-sys-api POST /deliveries");
    }
    let note = scope.call(&DOCUMENTS, Operation::new("POST", "/documents", "/documents"), documents_store).await;
    if !note.ok() {
        return pass_on(&note, "documents-sys-api POST /documents");
    }
    let data = json!({
        "orderId": scope.about.order_id,
        "customerId": scope.about.customer_id,
        "shippedAt": rfc3339(SystemTime::now()),
        "carrier": "DHL",
        "trackingId": format!("JD{:012}", scope.about.key),
    });
    scope.publish(&ORDERS_FULFILLED, data, None).await;
    Reply::status(201)
}

/// `POST /charge`: authorises a card payment at the acquirer. `attempt` tells apart the tries.
pub(crate) async fn payments_charge(scope: Scope, attempt: i64, times_out: bool) -> Reply {
    scope.work(&format!("charge/{attempt}")).await;
    let op = Operation::new("POST", "/v1/authorisations", "/v1/authorisations");
    acquire(&scope, &op, times_out).await
}

/// `POST /captures`: captures an authorised payment.
pub(crate) async fn payments_capture(scope: Scope) -> Reply {
    scope.work("capture").await;
    let path = format!("/v1/authorisations/{}/capture", scope.about.order_id);
    acquire(&scope, &Operation::new("POST", "/v1/authorisations/{id}/capture", path), false).await
}

async fn acquire(scope: &Scope, op: &Operation, times_out: bool) -> Reply {
    let timeout = times_out.then(|| Duration::from_millis(ACQUIRER_TIMEOUT_MS));
    match scope.external(&ACQUIRER, op, timeout).await {
        Ok(status) => Reply::status(status),
        Err(fault) => Reply::failed(504, Fault::new("AcquirerTimeout", fault.message)),
    }
}

pub(crate) async fn inventory_stock(scope: Scope, unknown: bool) -> Reply {
    scope.work("handle").await;
    let text = "SELECT sku, on_hand FROM stock WHERE sku = $1";
    scope.database(&POSTGRES, &Statement { operation: "SELECT", table: "stock", text }).await;
    Reply::status(if unknown { 404 } else { 200 })
}

async fn inventory_reserve(scope: Scope) -> Reply {
    scope.work("handle").await;
    let text = "INSERT INTO reservations (order_id, sku, quantity) VALUES ($1, $2, $3)";
    scope.database(&POSTGRES, &Statement { operation: "INSERT", table: "reservations", text }).await;
    Reply::status(201)
}

/// Takes goods off the shelf and says so in an event that nobody consumes.
async fn inventory_pick(scope: Scope) -> Reply {
    scope.work("handle").await;
    let text = "UPDATE stock SET on_hand = on_hand - $1 WHERE sku = $2";
    scope.database(&POSTGRES, &Statement { operation: "UPDATE", table: "stock", text }).await;
    let data = json!({"sku": scope.about.sku, "orderId": scope.about.order_id, "delta": -1, "warehouse": "HAM-2"});
    scope.publish(&STOCK_ADJUSTED, data, None).await;
    Reply::status(201)
}

async fn crm_read(scope: Scope) -> Reply {
    scope.work("read").await;
    let path = format!("/services/data/v60.0/sobjects/Contact/{}", scope.about.customer_id);
    let op = Operation::new("GET", "/services/data/v60.0/sobjects/Contact/{id}", path);
    salesforce(&scope, &op, 200).await
}

async fn crm_update(scope: Scope) -> Reply {
    scope.work("update").await;
    let path = format!("/services/data/v60.0/sobjects/Contact/{}", scope.about.customer_id);
    let op = Operation::new("PATCH", "/services/data/v60.0/sobjects/Contact/{id}", path);
    salesforce(&scope, &op, 204).await
}

async fn salesforce(scope: &Scope, op: &Operation, status: u16) -> Reply {
    match scope.external(&SALESFORCE, op, None).await {
        Ok(_) => Reply::status(status),
        Err(fault) => Reply::failed(504, fault),
    }
}

/// The slow dependency: the ERP answers when its database does.
async fn erp_order(scope: Scope, unknown: bool) -> Reply {
    scope.work("read").await;
    let text = "SELECT * FROM oe_order_headers_all WHERE orig_sys_document_ref = :1";
    erp_query(&scope, &Statement { operation: "SELECT", table: "oe_order_headers_all", text }).await;
    Reply::status(if unknown { 404 } else { 200 })
}

async fn erp_delivery(scope: Scope) -> Reply {
    scope.work("post").await;
    let text = "INSERT INTO wsh_new_deliveries (delivery_id, source_header_id) VALUES (:1, :2)";
    erp_query(&scope, &Statement { operation: "INSERT", table: "wsh_new_deliveries", text }).await;
    Reply::status(201)
}

async fn erp_query(scope: &Scope, statement: &Statement) {
    let started = tokio::time::Instant::now();
    scope.database(&ORACLE_ERP, statement).await;
    let took = started.elapsed();
    if took > Duration::from_millis(800) {
        scope.log(Severity::Warn, &format!("slow statement on {}: {} ms", statement.table, took.as_millis()));
    }
}

async fn documents_list(scope: Scope) -> Reply {
    scope.work("list").await;
    let op = Operation::new("GET", "/customers/{customerId}/", format!("/customers/{}/", scope.about.customer_id));
    object_store(&scope, &op, 200).await
}

async fn documents_store(scope: Scope) -> Reply {
    scope.work("store").await;
    let op = Operation::new("PUT", "/deliveries/{orderId}.pdf", format!("/deliveries/{}.pdf", scope.about.order_id));
    object_store(&scope, &op, 201).await
}

async fn object_store(scope: &Scope, op: &Operation, status: u16) -> Reply {
    match scope.external(&OBJECT_STORE, op, None).await {
        Ok(_) => Reply::status(status),
        Err(fault) => Reply::failed(504, fault),
    }
}

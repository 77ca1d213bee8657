//! A developer, in the window: a service that sends nothing, then one that does; its failing call, its log line, its event.

use anyhow::{Context as _, Result};
use flowglass_tests::product::{flowglass, root};
use flowglass_tests::screen::Screen;
use flowglass_tests::views::{Area, Page};
use flowglass_tests::webdriver::Driver;
use serde_json::{Value, json};

use super::{Hour, closed, journeys, post, text, window};
use crate::ui::{appears, asked_for, node, send_story};

#[test]
fn a_developer_in_the_window() -> Result<()> {
    if !asked_for("a developer's first hour in the real window") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let workspace = folder.path().join("mine.flowglass");
    let screen = Screen::start(1280, 800)?;
    let driver = window(&screen, folder.path())?;
    let hour = Hour::of("developer", &driver)?;
    let ready = appears(&folder.path().join("ready.json"))?;
    let address = ready["otlp_http"].as_str().context("it listens")?.to_owned();
    let http = format!("http://{address}");

    hour.step("what to set", |page| {
        page.ready()?;
        page.says("Connect your first service")?;
        page.says("OTEL_EXPORTER_OTLP_ENDPOINT")?;
        page.says(&address)
    })?;
    hour.step("nothing arrives", |page| {
        // Two mistakes that everybody makes once, with a real SDK: https, and a path of another product.
        for endpoint in [format!("https://{address}"), format!("{http}/otlp")] {
            assert!(node(&endpoint, 1, "plain").is_err(), "the SDK must be told that {endpoint} is wrong");
        }
        page.click("button", "Nothing arriving")?;
        page.says("TLS on a plain port")?;
        page.says("Write http:// instead of https://")?;
        page.says("nothing is served at /otlp/v1/traces")?;
        page.says("Connections that brought nothing")
    })?;
    hour.step("first map", |page| {
        send_story(&http, 4)?;
        page.shows(Area::Topology)?;
        page.card("shop-exp-api")?;
        page.card("order-prc-api").map(drop)
    })?;
    hour.step("first failing call", |page| {
        page.open_by_key(Area::Journeys)?;
        // The caller got its answer all the same: the shop coped.
        page.click("button", "^Degraded")?;
        page.click("option", "POST /orders.*degraded")?;
        page.find("status", "First failure")?;
        page.says("no stock")
    })?;
    let (trace, span) = failing_span(&workspace)?;
    hour.step("one log line", |page| {
        post(&format!("{http}/v1/logs"), "application/json", &log_line(&trace, &span))?;
        page.click("button", "^Log lines of this journey")?;
        page.click("row", "error, order-prc-api, warehouse says: no stock")?;
        page.find("complementary", "Log line of order-prc-api")?;
        page.click("button", "^Open the span")?;
        page.shows(Area::Journeys)?;
        page.find("row", "order-prc-api").map(drop)
    })?;
    hour.step("one event", |page| {
        post(&format!("{http}/cloudevents"), "application/cloudevents+json", &event(&trace, &span))?;
        page.open_by_key(Area::Events)?;
        // Its own filter, not that of the log lines.
        page.click("button", "^Messages$")?;
        page.click("row", "^orders\\.rejected, ")?;
        page.find("tabpanel", "Payload")?;
        page.says("ORD-7001")?;
        page.click("button", "^Open journey")?;
        page.shows(Area::Journeys)?;
        page.says("orders.rejected")
    })?;
    hour.step("one search by key", |page| {
        page.open_by_key(Area::Topology)?;
        hour.search("ORD-7001", "POST /orders")?;
        page.shows(Area::Journeys)?;
        page.says("Found by ORD-7001")?;
        page.says("no stock")
    })?;
    hour.step("one import by pasting", |page| {
        page.open(Area::Settings)?;
        page.click("button", "^Import")?;
        page.click("button", "^Paste JSON$")?;
        let field = page.find("textbox", "^OTLP, Jaeger, Zipkin")?;
        driver.write(&field, &std::fs::read_to_string(root().join("tests/fixtures/formats/zipkin.json"))?)?;
        // Behind the dialog stands a page of the same name.
        let take = driver.run("return document.querySelector('dialog[open] .primary')", json!([]))?;
        driver.click(&Driver::element(&take).context("a button to import")?)?;
        page.find("group", "^Imported").map(drop)
    })?;
    hour.at("section=imports")?;
    drop(hour);
    drop(driver);
    closed(&workspace)?;

    // The next session: nothing is lost.
    let driver = window(&screen, folder.path())?;
    let page = Page(&driver);
    page.ready()?;
    page.open_by_key(Area::Topology)?;
    // The range may still be that of what was pasted.
    page.click("button", "^Time range")?;
    page.click("button", "^Last 60 min$")?;
    page.card("order-prc-api").map(drop)
}

/// Trace and span of the call that failed first.
fn failing_span(workspace: &std::path::Path) -> Result<(String, String)> {
    let id = journeys(workspace, "degraded")?[0]["id"].as_str().context("a journey has an id")?.to_owned();
    let journey = flowglass(&["journey", &id, "--workspace", &text(workspace)?, "--json"])?;
    let items = journey["items"].as_array().context("a journey has items")?;
    let server = |item: &&Value| item["participant"].as_str().is_some_and(|p| p.contains("order-prc-api"));
    let span = items.iter().find(server).and_then(|item| item["id"].as_str()).context("a span of order-prc-api")?;
    Ok((id, span.to_owned()))
}

/// What the service's logger would send, as OTLP/JSON.
fn log_line(trace: &str, span: &str) -> Value {
    let attribute = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    let resource = [
        attribute("service.name", "order-prc-api"),
        attribute("service.namespace", "sdk"),
        attribute("deployment.environment.name", "test"),
    ];
    json!({ "resourceLogs": [{ "resource": { "attributes": resource }, "scopeLogs": [{ "logRecords": [{
        "timeUnixNano": flowglass_tests::live::now().to_string(), "severityNumber": 17, "severityText": "ERROR",
        "body": { "stringValue": "warehouse says: no stock" }, "traceId": trace, "spanId": span,
    }] }] }] })
}

/// What the service would publish, with the distributed tracing extension of CloudEvents.
fn event(trace: &str, span: &str) -> Value {
    json!({
        "specversion": "1.0", "id": "first-hour-1", "source": "/sdk/order-prc-api", "type": "orders.rejected",
        "subject": "ORD-7001", "traceparent": format!("00-{trace}-{span}-01"), "datacontenttype": "application/json",
        "data": { "orderId": "ORD-7001", "reason": "no stock" },
    })
}

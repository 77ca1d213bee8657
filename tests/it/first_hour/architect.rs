//! An architect, in the window: a running system with its broker, the map in layers, and what should not be so.

use anyhow::{Context as _, Result, bail};
use flowglass_tests::demo::Demo;
use flowglass_tests::graph::Graph;
use flowglass_tests::names::truth_graph;
use flowglass_tests::process::{free_port, until};
use flowglass_tests::product::topology;
use flowglass_tests::screen::Screen;
use flowglass_tests::views::{Area, Page};
use flowglass_tests::webdriver::Driver;
use serde_json::json;

use super::{CONTROL, ESCAPE, Hour, SOON, window};
use crate::ui::{appears, asked_for};

/// Puts an address in the place of the one that stands in the form, and connects.
fn connect(driver: &Driver, page: &Page<'_>, url: &str) -> Result<()> {
    let field = page.find("textbox", "^NATS server$")?;
    driver.clear(&field)?;
    driver.write(&field, url)?;
    page.click("button", "^Connect$")
}

#[test]
fn an_architect_in_the_window() -> Result<()> {
    if !asked_for("an architect's first hour in the real window (it needs nats-server)") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let workspace = folder.path().join("mine.flowglass");
    let screen = Screen::start(1280, 800)?;
    let driver = window(&screen, folder.path())?;
    let hour = Hour::of("architect", &driver)?;
    let ready = appears(&folder.path().join("ready.json"))?;
    let port = |name: &str| -> Result<u16> {
        Ok(ready[name].as_str().and_then(|a| a.rsplit(':').next()).context("it listens")?.parse()?)
    };
    let (grpc, http) = (port("otlp_grpc")?, port("otlp_http")?);
    let mut system = Demo::start(folder.path(), grpc, http, &["--requests", "60", "--rate", "20", "--seed", "7"])?;

    hour.step("a broker that is not there", |page| {
        page.ready()?;
        connect(&driver, page, &format!("nats://127.0.0.1:{}", free_port()?))?;
        page.says("refused").or_else(|_| page.says("cannot"))
    })?;
    hour.step("own system in", |page| {
        connect(&driver, page, &system.nats)?;
        page.says("connected")?;
        system.go()?;
        page.shows(Area::Topology)?;
        page.card("order-prc-api").map(drop)
    })?;
    system.done()?;
    let expected = truth_graph(&system.truth()?)?;
    hour.step("first map", |page| {
        until("the map to be what was done", SOON, || Graph::read(&topology(&workspace)?)?.must_be(&expected))?;
        for (name, layer) in
            [("web-orders-exp-api", "experience"), ("order-prc-api", "process"), ("payments-sys-api", "system")]
        {
            let card = page.card(name)?;
            if !card.to_lowercase().contains(layer) {
                bail!("{name} must say {layer}: {card}");
            }
        }
        Ok(())
    })?;
    hour.step("first failing call", |page| {
        page.click("button", "failing path")?;
        page.select_node("payments-sys-api")?;
        page.says("Failing")?;
        page.click("button", "^Open failing journeys$")?;
        page.shows(Area::Journeys)?;
        page.click("option", "failed")?;
        page.find("status", "First failure").map(drop)
    })?;
    hour.step("one log line", |page| {
        page.open_by_key(Area::Events)?;
        page.click("button", "^Logs$")?;
        page.click("row", "payments-sys-api, ")?;
        page.find("complementary", "Log line of payments-sys-api").map(drop)
    })?;
    hour.step("one event and who takes it", |page| {
        hour.search("orders.placed", "^orders\\.placed")?;
        page.shows(Area::Topology)?;
        page.find("complementary", "orders\\.placed")?;
        page.says("payment-service")?;
        page.click("button", "^Open events$")?;
        page.shows(Area::Events)?;
        page.find("row", "^orders\\.placed, ").map(drop)
    })?;
    hour.step("a domain for several", |page| {
        page.open_by_key(Area::Topology)?;
        page.card("order-prc-api")?;
        driver.run("document.querySelector('[data-region=main]').focus(); return null", json!([]))?;
        driver.chord(CONTROL, "a")?;
        page.find("complementary", "selected")?;
        let field = page.find("textbox", "^Domain$")?;
        driver.write(&field, "Retail")?;
        page.click("button", "^Set$")?;
        page.says("domain is Retail")?;
        let file = std::fs::read_to_string(folder.path().join("mine.toml"))?;
        if file.contains("Retail") { Ok(()) } else { bail!("the settings file does not say so:\n{file}") }
    })?;
    hour.step("the same as a table", |page| {
        driver.keys(&[ESCAPE, "t"])?;
        page.find("grid", "^Map as table")?;
        page.find("row", "payments-sys-api").map(drop)
    })?;
    hour.step("one search by key", |page| {
        let failed = super::journeys(&workspace, "failed")?;
        let order = failed[0]["keys"]["orderId"].as_str().context("an order failed")?.to_owned();
        hour.search(&order, "POST /orders")?;
        page.shows(Area::Journeys)?;
        page.says(&format!("Found by {order}"))
    })?;
    hour.step("the same link tomorrow", |page| {
        let here = hour.at("find=")?;
        driver.run("location.hash = '#/topology'; return null", json!([]))?;
        page.shows(Area::Topology)?;
        driver.run("location.hash = arguments[0]; return null", json!([here]))?;
        page.shows(Area::Journeys)?;
        page.says("Found by ")?;
        page.find("heading", "POST /orders").map(drop)
    })
}

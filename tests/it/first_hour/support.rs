//! Somebody in support, in a browser: a recording that was mailed, an order number, and a link for the ticket.

use anyhow::{Context as _, Result};
use flowglass_tests::product::{Serve, root};
use flowglass_tests::views::{Area, Page};
use flowglass_tests::webdriver::Driver;
use serde_json::json;

use super::{ESCAPE, Hour, drop_files, journeys, recording};
use crate::ui::asked_for;

#[test]
fn support_in_a_browser() -> Result<()> {
    if !asked_for("a support engineer's first hour in a real browser") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let workspace = folder.path().join("ticket.flowglass");
    let serve = Serve::start(&workspace, &["--ui", "127.0.0.1:0"])?;
    let driver = Driver::browser(&folder.path().join("profile"))?;
    driver.resize(1280, 800)?;
    driver.goto(serve.ui())?;
    let hour = Hour::of("support", &driver)?;

    hour.step("a file that is no recording", |page| {
        page.ready()?;
        page.says("Drop files to explore offline")?;
        drop_files(&driver, &[root().join("tests/fixtures/formats/unrelated.jsonl")])?;
        page.find("group", "^Nothing imported: unrelated")?;
        page.says("not a format Flowglass knows")
    })?;
    hour.step("one import by drop", |page| {
        drop_files(&driver, &[recording("traces"), recording("logs"), recording("messages")])?;
        page.shows(Area::Topology)?;
        page.card("payments-sys-api")?;
        page.says("Imported")
    })?;
    let failures = journeys(&workspace, "failed")?;
    let order = failures[0]["keys"]["orderId"].as_str().context("an order failed")?.to_owned();
    hour.step("one search by key", |page| {
        hour.search(&order, "POST /orders")?;
        page.shows(Area::Journeys)?;
        page.says(&format!("Found by {order}"))?;
        page.says("all times")
    })?;
    hour.step("what failed and why", |page| {
        // Several orders of one batch may carry the same number.
        page.click("option", "failed")?;
        page.find("status", "First failure")?;
        page.says("payments-sys-api")?;
        page.find("row", "payments-sys-api .*failed").map(drop)
    })?;
    hour.step("the log lines of it", |page| {
        page.click("button", "^Log lines of this journey")?;
        page.find("row", &order)?;
        driver.run("history.back(); return null", json!([]))?;
        page.shows(Area::Journeys)
    })?;
    hour.step("one shared link", |page| {
        let here = hour.at("find=")?;
        driver.keys(&["c"])?;
        page.says("Link copied")?;
        let link = driver.url()?;
        assert!(!link.contains("token") && link.ends_with(&here), "{link}");
        // A page that knows nothing but the link, and is signed in as the first one is.
        driver.new_tab()?;
        driver.resize(1280, 800)?;
        driver.goto(&link)?;
        page.shows(Area::Journeys)?;
        page.says(&format!("Found by {order}"))?;
        page.find("status", "First failure").map(drop)
    })?;
    hour.step("an order that is not there", |page| {
        hour.search("ORD-NOBODY", "Journeys with")?;
        page.says("Nothing found for ORD-NOBODY").or_else(|_| page.says("No journey matches"))?;
        driver.keys(&[ESCAPE])
    })?;
    hour.step("the event that told of it", |page| {
        page.open_by_key(Area::Events)?;
        page.click("row", &format!("^orders\\.placed, {order}"))?;
        page.find("tabpanel", "Payload")?;
        page.says(&order)
    })?;
    let page = Page(&driver);
    page.open_by_key(Area::Topology)?;
    page.card("payments-sys-api")?;
    drop(hour);
    drop(driver);
    serve.stop()
}

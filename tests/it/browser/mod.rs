//! The same UI in a real browser, over loopback HTTP from `flowglass serve --ui`.

use anyhow::{Context as _, Result, bail};
use flowglass_tests::product::Serve;
use flowglass_tests::views::{Area, Page, Theme};
use flowglass_tests::webdriver::Driver;
use serde_json::{Value, json};

use crate::ui::{asked_for, send_story};

mod adapt;
mod axe;
mod gallery;
mod hostile;
mod keyboard;
mod pictures;
mod show;

pub(crate) use axe::unfit_for_some;

#[test]
fn the_same_product_over_loopback() -> Result<()> {
    if !asked_for("the real browser") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let serve = Serve::start(&folder.path().join("browser.flowglass"), &["--ui", "127.0.0.1:0"])?;
    let driver = Driver::browser(&folder.path().join("profile"))?;
    driver.resize(1280, 800)?;
    let page = Page(&driver);
    let mut unfit = Vec::new();

    driver.goto(serve.ui())?;
    page.ready()?;
    assert!(!driver.url()?.contains("token"), "the token must not stay in the address: {}", driver.url()?);
    page.says("Connect your first service")?;
    unfit.extend(unfit_for_some(&driver, "first run")?);

    send_story(&serve.http(), 4)?;
    page.shows(Area::Topology)?;
    for name in ["shop-exp-api", "order-prc-api"] {
        page.card(name)?;
    }
    page.select_node("order-prc-api")?;
    unfit.extend(unfit_for_some(&driver, "topology with a node selected")?);
    page.open_by_key(Area::Journeys)?;
    page.click("option", "POST /orders")?;
    page.find("row", "order-prc-api|INSERT")?;
    unfit.extend(unfit_for_some(&driver, "a journey")?);
    for area in Area::ALL {
        page.open(area)?;
        for theme in Theme::ALL {
            page.theme(theme)?;
            unfit.extend(unfit_for_some(&driver, &format!("{}, {}", area.name(), theme.name()))?);
        }
    }
    if !unfit.is_empty() {
        bail!("not everybody can use this:\n  {}", unfit.join("\n  "));
    }
    nothing_left_this_machine(&driver)?;
    no_complaints(&driver)?;
    drop(driver);
    serve.stop()
}

#[test]
fn the_link_works_once() -> Result<()> {
    if !asked_for("the real browser") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let serve = Serve::start(&folder.path().join("once.flowglass"), &["--ui", "127.0.0.1:0"])?;
    let first = Driver::browser(&folder.path().join("first"))?;
    first.goto(serve.ui())?;
    Page(&first).ready()?;
    // The one who used it stays signed in.
    let without = serve.ui().split('?').next().context("an address")?;
    first.goto(without)?;
    Page(&first).ready()?;
    // Somebody else with the same link does not get in.
    let second = Driver::browser(&folder.path().join("second"))?;
    second.goto(serve.ui())?;
    let status = "const done = arguments[arguments.length - 1];
        fetch('/api/request/app', {method: 'POST', headers: {'content-type': 'application/json'}, body: '{}'}).then((r) => done(r.status), (e) => done(String(e)));";
    let status = second.run_async(status, json!([]))?;
    assert!(status == 401 || status == 403, "a used link must not open anything: {status}");
    drop((first, second));
    serve.stop()
}

/// Every request that the page made went to the loopback.
fn nothing_left_this_machine(driver: &Driver) -> Result<()> {
    let mut seen = 0;
    for entry in driver.log("performance")? {
        let message: Value = serde_json::from_str(entry["message"].as_str().unwrap_or("null"))?;
        let message = &message["message"];
        if !matches!(message["method"].as_str(), Some("Network.requestWillBeSent" | "Network.webSocketCreated")) {
            continue;
        }
        let url = message["params"]["request"]["url"]
            .as_str()
            .or_else(|| message["params"]["url"].as_str())
            .unwrap_or_default();
        // The browser's own pages (a new tab, before it is told where to go) are not the product's.
        if ["chrome://", "chrome-extension://", "chrome-untrusted://"].iter().any(|own| url.starts_with(own)) {
            continue;
        }
        seen += 1;
        if !["http://127.0.0.1:", "http://localhost:", "data:", "blob:"].iter().any(|own| url.starts_with(own)) {
            bail!("the page asked for {url}");
        }
    }
    if seen == 0 {
        bail!("the browser recorded no request at all: this check checks nothing");
    }
    Ok(())
}

/// The browser's console has no error: no script failed, no policy was broken.
fn no_complaints(driver: &Driver) -> Result<()> {
    let entries = driver.log("browser")?;
    let errors: Vec<_> = entries.iter().filter(|e| e["level"] == "SEVERE").map(|e| e["message"].to_string()).collect();
    if errors.is_empty() { Ok(()) } else { bail!("the console says:\n  {}", errors.join("\n  ")) }
}

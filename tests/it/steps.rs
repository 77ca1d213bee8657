//! Links, steps back and forward, marks and deleting, in a real browser.

use std::time::Duration;

use anyhow::{Result, bail};
use flowglass_tests::process::until;
use flowglass_tests::product::Serve;
use flowglass_tests::views::{Area, Page};
use flowglass_tests::webdriver::Driver;
use serde_json::json;

use crate::ui::{asked_for, send_story};

const SOON: Duration = Duration::from_secs(20);

/// Waits until the part of the address after `#` is this.
fn at(driver: &Driver, wanted: &str) -> Result<()> {
    until(&format!("the address to be {wanted}"), SOON, || {
        let hash = driver.run("return location.hash", json!([]))?;
        if hash == wanted { Ok(()) } else { bail!("it is {hash}") }
    })
}

fn go(driver: &Driver, step: &str) -> Result<()> {
    driver.run(&format!("history.{step}(); return null"), json!([])).map(drop)
}

#[test]
fn every_step_has_a_link_and_a_way_back() -> Result<()> {
    if !asked_for("the real browser") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let serve = Serve::start(&folder.path().join("steps.flowglass"), &["--ui", "127.0.0.1:0"])?;
    let driver = Driver::browser(&folder.path().join("profile"))?;
    driver.resize(1280, 800)?;
    let page = Page(&driver);
    driver.goto(serve.ui())?;
    page.ready()?;
    send_story(&serve.http(), 4)?;
    page.shows(Area::Topology)?;
    page.card("order-prc-api")?;

    // Range, selection, area: three steps, each with its own address, and back again.
    page.click("button", "^Time range")?;
    page.click("button", "^Last 60 min$")?;
    at(&driver, "#/topology?range=60m")?;
    page.select_node("order-prc-api")?;
    until("the selection in the address", SOON, || {
        let hash = driver.run("return location.hash", json!([]))?;
        if hash.as_str().is_some_and(|h| h.contains("sel=service")) { Ok(()) } else { bail!("{hash}") }
    })?;
    let selected = driver.url()?;
    assert!(!selected.contains("token"), "{selected}");
    page.open_by_key(Area::Events)?;
    at(&driver, "#/events?range=60m")?;
    go(&driver, "back")?;
    page.shows(Area::Topology)?;
    assert_eq!(driver.url()?, selected, "back brings the selection again");
    go(&driver, "back")?;
    at(&driver, "#/topology?range=60m")?;
    go(&driver, "forward")?;
    page.find("complementary", "order-prc-api")?;
    // The link alone brings the same view, in a page that knows nothing.
    driver.goto("about:blank")?;
    driver.goto(&selected)?;
    page.ready()?;
    page.find("complementary", "order-prc-api")?;

    // From now: nothing is shown of what came before, and nothing is gone.
    driver.keys(&["n"])?;
    page.find("button", "^Time range: since From ")?;
    page.says("No traffic in this range")?;
    // Figures count in steps of 10 s: what comes in the running step is on the map when the next one begins.
    until("what came since then", 2 * SOON, || {
        send_story(&serve.http(), 1)?;
        let cards = page.cards()?;
        if cards.iter().any(|card| card.starts_with("order-prc-api")) { Ok(()) } else { bail!("there are {cards:?}") }
    })?;
    page.click("button", "^Remove: since From ")?;

    // Deleting asks once and says how much.
    page.click("button", "^Time range")?;
    page.click("button", "^Delete everything")?;
    page.says("This deletes")?;
    page.click("button", "^Delete$")?;
    page.says("Connect your first service")?;
    drop(driver);
    serve.stop()
}

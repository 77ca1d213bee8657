//! Workspaces, views that come back, and what the program says of itself: in the real window and in a real browser.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use flowglass_tests::process::until;
use flowglass_tests::product::{Serve, binary};
use flowglass_tests::screen::Screen;
use flowglass_tests::views::{Area, Page};
use flowglass_tests::webdriver::Driver;
use serde_json::json;

use crate::ui::{appears, asked_for, send_story};

const SOON: Duration = Duration::from_secs(30);

fn text(path: &Path) -> Result<String> {
    path.to_str().map(str::to_owned).context("a path of letters")
}

/// The window on the workspace `first` of a folder, with a data folder of its own.
fn window(screen: &Screen, folder: &Path) -> Result<Driver> {
    let (workspace, ready) = (text(&folder.join("first.flowglass"))?, text(&folder.join("ready.json"))?);
    let arguments =
        ["--workspace", &workspace, "--otlp-grpc", "127.0.0.1:0", "--otlp-http", "127.0.0.1:0", "--size", "1280x800"];
    let data = text(&folder.join("data"))?;
    let variables = [("FLOWGLASS_READY_FILE", ready.as_str()), ("FLOWGLASS_DATA_DIR", data.as_str())];
    Driver::window(screen, &binary("flowglass-window")?, &arguments, &variables)
}

/// Waits until the menu of workspaces is that of this one.
fn open_now(page: &Page<'_>, name: &str) -> Result<()> {
    until(&format!("the workspace {name}"), SOON, || page.find("button", &format!("^Workspace: {name}$")).map(drop))
}

#[test]
fn a_new_workspace_takes_over_and_the_old_one_comes_back_as_it_was_left() -> Result<()> {
    if !asked_for("the real window") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let screen = Screen::start(1280, 800)?;
    let driver = window(&screen, folder.path())?;
    let page = Page(&driver);
    page.ready()?;
    let ready = appears(&folder.path().join("ready.json"))?;
    let http = format!("http://{}", ready["otlp_http"].as_str().context("it listens")?);
    send_story(&http, 4)?;
    page.shows(Area::Topology)?;
    page.card("order-prc-api")?;
    page.open_by_key(Area::Journeys)?;
    page.find("option", "POST /orders")?;

    // Another one: empty, with the listener where it was.
    page.click("button", "^Workspace: first$")?;
    let name = page.find("textbox", "^New workspace$")?;
    driver.write(&name, "Orders staging")?;
    page.click("button", "^Create and open$")?;
    open_now(&page, "Orders staging")?;
    page.says("Connect your first service")?;
    assert!(folder.path().join("data/workspaces/Orders staging.flowglass").is_file());
    send_story(&http, 2)?;
    page.card("order-prc-api")?;

    // Back: the view that was left, and what is in it.
    page.click("button", "^Workspace: Orders staging$")?;
    page.click("button", "^first ")?;
    open_now(&page, "first")?;
    until("the view that was left", SOON, || {
        let hash = driver.run("return location.hash", json!([]))?;
        if hash.as_str().is_some_and(|h| h.starts_with("#/journeys")) { Ok(()) } else { bail!("it is {hash}") }
    })?;
    page.find("option", "POST /orders")?;
    Ok(())
}

#[test]
fn what_cannot_be_opened_is_said_and_about_names_what_ships() -> Result<()> {
    if !asked_for("the real browser") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let serve = Serve::start(&folder.path().join("first.flowglass"), &["--ui", "127.0.0.1:0"])?;
    let driver = Driver::browser(&folder.path().join("profile"))?;
    driver.resize(1280, 800)?;
    let page = Page(&driver);
    driver.goto(serve.ui())?;
    page.ready()?;

    page.click("button", "^Workspace: first$")?;
    let path = page.find("textbox", "^Open a file")?;
    driver.write(&path, &text(&folder.path().join("none.flowglass"))?)?;
    page.click("button", "^Open$")?;
    page.says("there is no workspace here")?;
    open_now(&page, "first")?;
    driver.keys(&["\u{e00c}"])?;

    driver.keys(&["?"])?;
    page.says("In Topology")?;
    page.click("button", "^About Flowglass")?;
    page.says("SQLite 3.")?;
    let search = page.find("searchbox", "^Search packages")?;
    driver.write(&search, "rusqlite")?;
    page.says("1 of ")?;
    serve.stop()
}

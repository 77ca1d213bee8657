//! The real window, on a screen nobody looks at, driven by WebDriver.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use flowglass_tests::drag::drop_files;
use flowglass_tests::process::Process;
use flowglass_tests::product::{binary, root, target, topology};
use flowglass_tests::screen::Screen;
use flowglass_tests::views::{Area, Page};
use flowglass_tests::webdriver::Driver;
use serde_json::json;

use crate::ui::{appears, asked_for, send_story};

fn window(screen: &Screen, folder: &Path) -> Result<Driver> {
    let (workspace, ready) = (folder.join("window.flowglass"), folder.join("ready.json"));
    let text = |path: &Path| path.to_str().map(str::to_owned).context("a path of letters");
    let arguments = [
        "--workspace",
        &text(&workspace)?,
        "--otlp-grpc",
        "127.0.0.1:0",
        "--otlp-http",
        "127.0.0.1:0",
        "--size",
        "1280x800",
    ];
    Driver::window(screen, &binary("flowglass-window")?, &arguments, &[("FLOWGLASS_READY_FILE", &text(&ready)?)])
}

/// One story, because starting a window takes its time: empty, filled, looked at by mouse and by keyboard, found again tomorrow.
#[test]
fn from_first_run_to_tomorrow() -> Result<()> {
    if !asked_for("the real window") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let screen = Screen::start(1280, 800)?;
    let driver = window(&screen, folder.path())?;
    let page = Page(&driver);
    page.ready()?;
    page.says("Connect your first service")?;

    let ready = appears(&folder.path().join("ready.json"))?;
    let http = ready["otlp_http"].as_str().context("it listens")?;
    page.says(http.rsplit(':').next().unwrap_or_default())?;
    send_story(&format!("http://{http}"), 4)?;
    page.shows(Area::Topology)?;
    for name in ["shop-exp-api", "order-prc-api"] {
        page.card(name)?;
    }
    page.select_node("order-prc-api")?;

    page.open_by_key(Area::Journeys)?;
    page.find("option", "POST /orders")?;
    page.open_by_key(Area::Events)?;
    page.open_by_key(Area::Settings)?;
    page.says(http)?;
    page.open(Area::Topology)?;

    stays_on_its_page(&driver)?;
    drop(driver);

    // Tomorrow: the same workspace, nothing sent since.
    let driver = window(&screen, folder.path())?;
    let page = Page(&driver);
    page.open(Area::Journeys)?;
    page.find("option", "POST /orders")?;
    drop(driver);
    let nodes = topology(&folder.path().join("window.flowglass"))?;
    assert!(nodes["nodes"].as_array().is_some_and(|nodes| nodes.len() >= 3), "{nodes}");
    Ok(())
}

/// Dropped by another program, as from a file manager.
#[test]
fn dropped_files_are_imported() -> Result<()> {
    if !asked_for("the real window") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let screen = Screen::start(1280, 800)?;
    let driver = window(&screen, folder.path())?;
    let page = Page(&driver);
    page.ready()?;
    page.says("Connect your first service")?;
    let part = |name: &str| root().join(format!("tests/fixtures/landscape/{name}.jsonl.gz"));
    let (traces, messages) = (part("traces"), part("messages"));
    assert!(drop_files(screen.display(), &[&traces, &messages])?, "the window says that it took them");
    page.find("group", "^Imported")?;
    page.says("762 spans · 57 events · 2 files")?;
    page.shows(Area::Topology)?;
    page.card("order-prc-api")?;
    Ok(())
}

/// Links and dropped files cannot lead the window away, and the policy lets nothing in.
fn stays_on_its_page(driver: &Driver) -> Result<()> {
    let here = driver.url()?;
    driver.run("window.location.href = 'file:///etc/hostname'; return null", json!([]))?;
    driver.run("window.open('https://example.com/'); return null", json!([]))?;
    // A refused navigation leaves no trace to wait for; a script that runs afterwards runs in the page that is there.
    Page(driver).ready()?;
    assert_eq!(driver.url()?, here);
    let refused = "const done = arguments[arguments.length - 1];
        fetch('http://127.0.0.1:9/').then(() => done('fetched'), (e) => done(String(e)));
        document.addEventListener('securitypolicyviolation', (e) => done('refused ' + e.effectiveDirective), { once: true });";
    let answer = driver.run_async(refused, json!([]))?;
    assert_eq!(answer, "refused connect-src");
    Ok(())
}

/// The workspace has one writer: a second window says who holds it and ends.
#[test]
fn a_held_workspace_is_refused() -> Result<()> {
    if !asked_for("the real window") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let workspace = folder.path().join("held.flowglass");
    let serve = flowglass_tests::product::Serve::start(&workspace, &[])?;
    let screen = Screen::start(800, 600)?;
    let mut command = Command::new(binary("flowglass-window")?);
    command
        .arg("--workspace")
        .arg(&workspace)
        .args(["--otlp-grpc", "off", "--otlp-http", "off"])
        .env("DISPLAY", screen.display())
        .env("FLOWGLASS_NO_DIALOG", "1")
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .env_remove("WAYLAND_DISPLAY");
    let mut second = Process::start("flowglass-window", &mut command)?;
    let status = second.wait(Duration::from_secs(60))?;
    assert_eq!(status.code(), Some(2), "{}", second.errors());
    let said = second.errors();
    if !(said.contains("held.flowglass") && said.contains("already open for writing by")) {
        bail!("it must name the holder, and said{said} ({})", target()?.display());
    }
    serve.stop()
}

//! The way of somebody in support, by the keyboard alone: an order number pasted, the sentence that says what failed, the span, the
//! others like it, the report.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use flowglass_tests::process::until;
use flowglass_tests::product::{binary, flowglass, root};
use flowglass_tests::screen::Screen;
use flowglass_tests::views::{Page, SHOWN_WITHIN, escape};
use flowglass_tests::webdriver::Driver;
use serde_json::{Value, json};

use crate::ui::asked_for;

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const DOWN: &str = "\u{e015}";
/// More stops than the view has.
const STOPS: usize = 200;

/// A workspace with the recorded landscape.
fn landscape(folder: &Path) -> Result<std::path::PathBuf> {
    let workspace = folder.join("retail-eu.flowglass");
    let mut import = ["import", "--json", "--workspace"].map(std::ffi::OsString::from).to_vec();
    import.push(workspace.clone().into());
    let recorded = ["traces.jsonl.gz", "messages.jsonl.gz", "logs.jsonl.gz"];
    import.extend(recorded.map(|file| root().join("tests/fixtures/landscape").join(file).into()));
    flowglass(&import)?;
    Ok(workspace)
}

/// An order of a journey that failed.
fn failed_order(workspace: &Path) -> Result<String> {
    let arguments = ["journeys", "--filter", "state:failed", "--limit", "50", "--workspace"];
    let mut arguments = arguments.map(std::ffi::OsString::from).to_vec();
    arguments.push(workspace.into());
    let answer = flowglass(&arguments)?;
    let journeys = answer.as_array().context("a list of journeys")?;
    let order = |j: &Value| {
        let keys = j["keys"].as_object()?;
        keys.iter().find(|(name, _)| name.starts_with("order")).and_then(|(_, v)| v.as_str().map(str::to_owned))
    };
    journeys.iter().find_map(order).with_context(|| format!("none has an order: {answer}"))
}

/// The window on a workspace, started with a link.
fn window(screen: &Screen, workspace: &Path, link: Option<&str>) -> Result<Driver> {
    let workspace = workspace.to_str().context("a path of letters")?;
    let mut arguments =
        vec!["--workspace", workspace, "--otlp-grpc", "off", "--otlp-http", "off", "--size", "1280x800"];
    arguments.extend(link);
    Driver::window(screen, &binary("flowglass-window")?, &arguments, &[])
}

/// What has the focus: its role or tag and its name.
fn focus(driver: &Driver) -> Result<String> {
    let script = "const e = document.activeElement;
        if (!e || e === document.body) return '';
        return `${e.getAttribute('role') ?? e.tagName.toLowerCase()} ${(e.getAttribute('aria-label') ?? e.innerText ?? '').replace(/\\s+/g, ' ').trim().slice(0, 60)}`";
    Ok(driver.run(script, json!([]))?.as_str().unwrap_or_default().to_owned())
}

/// Presses a key until the focus is on something like this.
fn press_to(driver: &Driver, key: &str, on: &str) -> Result<()> {
    let mut seen = Vec::new();
    for _ in 0..STOPS {
        driver.keys(&[key])?;
        let now = focus(driver)?;
        if now.contains(on) {
            return Ok(());
        }
        seen.push(now);
    }
    bail!("the focus never comes to {on}; it came to {seen:?}")
}

/// The whole way; `share` is the entry of the menu at its end, `said` what the page says then.
fn walk(driver: &Driver, order: &str, share: &str, said: &str) -> Result<()> {
    let page = Page(driver);
    page.ready()?;
    driver.run("document.querySelector('.rail a').focus(); return null", json!([]))?;
    press_to(driver, TAB, "combobox Search")?;
    let letters: Vec<String> = order.chars().map(String::from).collect();
    driver.keys(&letters.iter().map(String::as_str).collect::<Vec<_>>())?;
    page.find("option", &escape(order))?;
    driver.keys(&[ENTER])?;
    page.find("status", "^First failure$")?;
    page.says("For the customer:")?;
    page.says(order)?;

    press_to(driver, TAB, "button Go to span")?;
    driver.keys(&[ENTER])?;
    page.find("complementary", "^Span ")?;
    page.says("first failure")?;

    driver.run("document.querySelector('.rail a').focus(); return null", json!([]))?;
    press_to(driver, TAB, "button Share this journey")?;
    driver.keys(&[ENTER])?;
    until("the menu", SHOWN_WITHIN, || match focus(driver)? {
        on if on.starts_with("menuitem") => Ok(()),
        on => bail!("the focus is on `{on}`"),
    })?;
    if !focus(driver)?.contains(share) {
        press_to(driver, DOWN, share)?;
    }
    driver.keys(&[ENTER])?;
    page.says(said)?;

    driver.run("document.querySelector('.rail a').focus(); return null", json!([]))?;
    press_to(driver, TAB, "button Show similar")?;
    driver.keys(&[ENTER])?;
    until("the others like it", SHOWN_WITHIN, || {
        let address = driver.url()?;
        if !(address.contains("state%3Afailed") || address.contains("state:failed")) {
            bail!("the address is {address}");
        }
        let others = page.names("option", ".")?;
        if others.is_empty() { bail!("none is listed") } else { Ok(()) }
    })
}

#[test]
fn support_finds_the_cause_in_the_window() -> Result<()> {
    if !asked_for("the real window") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let workspace = landscape(folder.path())?;
    let order = failed_order(&workspace)?;
    let screen = Screen::start(1280, 800)?;
    let driver = window(&screen, &workspace, None)?;
    // Where a file goes is asked by a dialog of the system, which no test can answer: the ticket goes to the clipboard.
    walk(&driver, &order, "Copy ticket text", "Ticket text copied")
}

#[test]
fn support_saves_the_report_from_a_browser() -> Result<()> {
    if !asked_for("the real browser") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let workspace = landscape(folder.path())?;
    let order = failed_order(&workspace)?;
    let serve = flowglass_tests::product::Serve::start(&workspace, &["--ui", "127.0.0.1:0"])?;
    let driver = Driver::browser(&folder.path().join("profile"))?;
    driver.resize(1280, 800)?;
    driver.downloads(folder.path())?;
    driver.goto(serve.ui())?;
    walk(&driver, &order, "HTML report", "Saved, redacted")?;
    let report = until("the report", SHOWN_WITHIN, || {
        let files = std::fs::read_dir(folder.path())?.filter_map(Result::ok).map(|e| e.path());
        let file = files.into_iter().find(|p| p.extension().is_some_and(|e| e == "html")).context("no report yet")?;
        Ok(std::fs::read_to_string(file)?)
    })?;
    for words in [order.as_str(), "failed first:", "For the customer:"] {
        assert!(report.contains(words), "the report does not say {words}");
    }
    drop(driver);
    serve.stop()
}

/// A link opens its journey in a window that starts with it.
#[test]
fn a_link_opens_its_journey() -> Result<()> {
    if !asked_for("the real window") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let workspace = landscape(folder.path())?;
    let order = failed_order(&workspace)?;
    let screen = Screen::start(1280, 800)?;
    let driver = window(&screen, &workspace, Some(&format!("flowglass://find/{order}")))?;
    let page = Page(&driver);
    page.ready()?;
    page.find("status", "^First failure$")?;
    page.says(&order)
}

//! The scenario studio in a real browser: a template is made, run, judged, changed on the drawing, and run again.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use flowglass_tests::process::until;
use flowglass_tests::product::{Serve, binary, target};
use flowglass_tests::screen::Screen;
use flowglass_tests::views::{Area, Page, Theme};
use flowglass_tests::webdriver::Driver;
use serde_json::json;

use crate::browser::unfit_for_some;
use crate::ui::asked_for;

/// A run may share the machine with compilers.
const RUN_WITHIN: Duration = Duration::from_secs(240);

/// Types over what stands in a field, and leaves it.
fn fill(driver: &Driver, page: &Page, name: &str, text: &str) -> Result<()> {
    let field = page.find("textbox", name)?;
    driver.click(&field)?;
    driver.run("document.activeElement.select()", json!([]))?;
    driver.write(&field, text)?;
    driver.run("document.activeElement.blur()", json!([])).map(drop)
}

fn says_after_run(page: &Page, words: &str) -> Result<()> {
    until(&format!("“{words}”"), RUN_WITHIN, || {
        let text = page.text()?;
        if text.contains(words) { Ok(()) } else { bail!("the page reads: {text}") }
    })
}

fn file(workspace: &Path) -> Result<String> {
    Ok(std::fs::read_to_string(workspace.with_extension("scenarios").join("place-order.yaml"))?)
}

/// What axe-core finds wrong in both themes.
fn unfit(driver: &Driver, page: &Page, state: &str) -> Result<Vec<String>> {
    let mut out = Vec::new();
    for theme in Theme::ALL {
        page.theme(theme)?;
        out.extend(unfit_for_some(driver, &format!("{state}, {}", theme.name()))?);
    }
    Ok(out)
}

#[test]
fn an_order_is_designed_run_and_changed() -> Result<()> {
    if !asked_for("the real browser") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let workspace = folder.path().join("studio.flowglass");
    let serve = Serve::start(&workspace, &["--ui", "127.0.0.1:0"])?;
    let driver = Driver::browser(&folder.path().join("profile"))?;
    driver.resize(1600, 1000)?;
    let page = Page(&driver);
    driver.goto(serve.ui())?;
    page.ready()?;
    page.open_by_key(Area::Scenarios)?;

    let mut wrong = unfit(&driver, &page, "no scenario yet")?;

    // From nothing to a design that stands in a file.
    page.click("button", "^New scenario…$")?;
    wrong.extend(unfit_for_some(&driver, "what to begin with")?);
    page.click("button", "^Place order")?;
    page.find("heading", "^Scenario studio$")?;
    fill(&driver, &page, "^Measured stretch", "1m")?;
    fill(&driver, &page, "^Repetitions", "3")?;
    until("the form to be in the file", Duration::from_secs(20), || {
        let text = file(&workspace)?;
        // All else is as it was, comments included.
        if text.contains("duration: 1m,") && text.contains("replications: 3,") && text.contains("# Who does the work.")
        {
            return Ok(());
        }
        bail!("{text}")
    })?;

    wrong.extend(unfit(&driver, &page, "a design, not run yet")?);

    // Run and judged.
    page.click("button", "^Run")?;
    says_after_run(&page, "strength of evidence")?;
    let banner = page.text()?;
    if !banner.contains("stay calls") && !banner.contains("stays a call") {
        bail!("the verdict does not say what stays a call: {banner}");
    }
    for code in [" G3 ", " W14 "] {
        assert!(!banner.contains(code), "{code} stands alone on the first screen");
    }

    for tab in page.names("tab", "")? {
        if ["Form", "Text"].contains(&tab.as_str()) {
            continue;
        }
        page.click("tab", &format!("^{tab}$"))?;
        wrong.extend(unfit(&driver, &page, &tab)?);
    }

    // A call on the drawing becomes an event: the file says so, what was found is marked, and a run makes it whole.
    page.find("button", "^post: order to erp, a call")?;
    driver.run("document.querySelector('[data-step=post]').focus()", json!([]))?;
    driver.keys(&["\u{E007}"])?;
    page.says("inputs changed")?;
    until("the event to be in the file", Duration::from_secs(20), || {
        let text = file(&workspace)?;
        if text.contains("api-led: { events: { post: orders.placed } }") { Ok(()) } else { bail!("{text}") }
    })?;
    page.find("button", "^post: order to erp, an event")?;
    page.click("button", "^Run")?;
    until("the result to be of what stands there", RUN_WITHIN, || {
        let text = page.text()?;
        if text.contains("inputs changed") || text.contains("Stop") { bail!("the page reads: {text}") } else { Ok(()) }
    })?;

    // Undone, the file is as it was.
    page.click("button", "^Undo$")?;
    until("the change to be taken back", Duration::from_secs(20), || {
        if file(&workspace)?.contains("api-led: {}") { Ok(()) } else { bail!("{}", file(&workspace)?) }
    })?;

    // Text and form are one; mistakes are told where they stand.
    page.click("tab", "^Text$")?;
    let typed = "const view = document.querySelector('[data-editor]').shadowRoot.querySelector('.cm-content'); view.focus(); return view.textContent.includes('place-order')";
    until("the text to show", Duration::from_secs(20), || {
        if driver.run(typed, json!([]))? == true { Ok(()) } else { bail!("no text") }
    })?;
    driver.keys(&["x", ":", " "])?;
    page.find("status", "^Mistakes$")?;
    wrong.extend(unfit(&driver, &page, "mistakes in the text")?);
    page.click("button", "^Undo$")?;
    until("the mistake to be gone", Duration::from_secs(20), || {
        if page.names("status", "^Mistakes$")?.is_empty() { Ok(()) } else { bail!("it is still there") }
    })?;
    if !wrong.is_empty() {
        bail!("not everybody can use this:\n  {}", wrong.join("\n  "));
    }
    drop(driver);
    serve.stop()
}

/// The window itself draws every state in both themes; the pictures stay in `target/debug/pictures/scenarios` to be looked at.
#[test]
fn the_template_runs_in_the_window() -> Result<()> {
    if !asked_for("the real window") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let pictures = target()?.join("pictures/scenarios");
    std::fs::create_dir_all(&pictures)?;
    let workspace = folder.path().join("studio.flowglass");
    let path = workspace.to_str().context("a path of letters")?;
    let screen = Screen::start(1600, 1000)?;
    let arguments = ["--workspace", path, "--otlp-grpc", "off", "--otlp-http", "off", "--size", "1600x1000"];
    let driver = Driver::window(&screen, &binary("flowglass-window")?, &arguments, &[])?;
    let page = Page(&driver);
    page.ready()?;
    page.open_by_key(Area::Scenarios)?;
    let keep = |state: &str| -> Result<()> {
        for theme in Theme::ALL {
            page.theme(theme)?;
            page.picture(&pictures.join(format!("{state}-{}.png", theme.name())))?;
        }
        Ok(())
    };
    keep("0-no-scenario")?;
    page.click("button", "^New scenario…$")?;
    page.click("button", "^Place order")?;
    page.find("heading", "^Scenario studio$")?;
    fill(&driver, &page, "^Repetitions", "3")?;
    keep("1-not-run")?;
    page.click("button", "^Run")?;
    keep("2-running")?;
    says_after_run(&page, "strength of evidence")?;
    keep("2-first-answer")?;
    until("the whole study to be done", RUN_WITHIN, || {
        let text = page.text()?;
        if text.contains("Stop") { bail!("the page reads: {text}") } else { Ok(()) }
    })?;
    for (n, tab) in page.names("tab", "")?.iter().filter(|tab| !["Form", "Text"].contains(&tab.as_str())).enumerate() {
        page.click("tab", &format!("^{tab}$"))?;
        keep(&format!("3-{n}-{}", tab.to_lowercase().replace(' ', "-")))?;
    }
    page.find("button", "^post: order to erp, a call")?;
    driver.run("document.querySelector('[data-step=post]').focus()", json!([]))?;
    driver.keys(&["\u{E007}"])?;
    page.says("inputs changed")?;
    keep("4-changed")?;
    page.click("tab", "^Text$")?;
    keep("5-text")
}

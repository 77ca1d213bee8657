//! The page that shows every component, looked at by axe-core in both themes.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use flowglass_tests::process::Process;
use flowglass_tests::product::root;
use flowglass_tests::views::{Page, Theme};
use flowglass_tests::webdriver::Driver;

use super::axe::unfit_for_some;
use crate::ui::asked_for;

/// How long the development server may take to start.
const STARTS_WITHIN: Duration = Duration::from_secs(60);

#[test]
fn everybody_can_use_every_component() -> Result<()> {
    if !asked_for("the real browser") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let mut vite = Command::new("node");
    vite.args(["node_modules/vite/bin/vite.js", "--host", "127.0.0.1", "--port", "0"]);
    vite.env("NO_COLOR", "1").current_dir(root().join("ui"));
    let mut vite = Process::start("vite", &mut vite)?;
    let line = vite.line_with("http://", STARTS_WITHIN)?;
    let address = line.split_whitespace().find(|word| word.starts_with("http://")).context("it says where it is")?;
    let driver = Driver::browser(&folder.path().join("profile"))?;
    driver.resize(1280, 800)?;
    driver.goto(&format!("{}/gallery/", address.trim_end_matches('/')))?;
    let page = Page(&driver);
    page.find("heading", "^Buttons$")?;
    let mut unfit = Vec::new();
    for theme in Theme::ALL {
        page.theme(theme)?;
        unfit.extend(unfit_for_some(&driver, &format!("the components, {}", theme.name()))?);
    }
    if !unfit.is_empty() {
        bail!("not everybody can use this:\n  {}", unfit.join("\n  "));
    }
    Ok(())
}

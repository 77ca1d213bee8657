//! Each role's first hour as a script: somebody who has never seen Flowglass, their own system, and what they came for.
//!
//! Pictures of every step stay behind in `target/first-hour`.

mod architect;
mod developer;
mod support;

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use flowglass_tests::process::until;
use flowglass_tests::product::{binary, flowglass, root, target};
use flowglass_tests::screen::Screen;
use flowglass_tests::views::Page;
use flowglass_tests::webdriver::Driver;
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(30);
const ESCAPE: &str = "\u{e00c}";
const CONTROL: &str = "\u{e009}";

/// Somebody at work: a page, and pictures of what they saw, in order.
struct Hour<'d> {
    role: &'static str,
    driver: &'d Driver,
    page: Page<'d>,
    pictures: PathBuf,
    taken: Cell<u32>,
}

impl<'d> Hour<'d> {
    fn of(role: &'static str, driver: &'d Driver) -> Result<Hour<'d>> {
        let pictures = target()?.parent().context("a folder of builds")?.join("first-hour");
        std::fs::create_dir_all(&pictures)?;
        Ok(Hour { role, driver, page: Page(driver), pictures, taken: Cell::new(0) })
    }

    /// A step with a name: what went wrong says where, and how it looks is kept either way.
    fn step(&self, name: &str, work: impl FnOnce(&Page<'d>) -> Result<()>) -> Result<()> {
        let done = work(&self.page).with_context(|| format!("{}: {name}", self.role));
        self.taken.set(self.taken.get() + 1);
        let file = format!("{}-{:02}-{}.png", self.role, self.taken.get(), name.replace(' ', "-"));
        let picture = self.page.picture(&self.pictures.join(file));
        done.and(picture)
    }

    /// Types into the search box and takes what it offers, when that is there.
    fn search(&self, text: &str, offered: &str) -> Result<()> {
        self.driver.chord(CONTROL, "k")?;
        let field = self.page.find("combobox", "^Search services")?;
        self.driver.write(&field, text)?;
        self.page.click("option", offered)
    }

    /// Waits until the part of the address after `#` holds this.
    fn at(&self, part: &str) -> Result<String> {
        until(&format!("{part} in the address"), SOON, || {
            let hash = self.driver.run("return location.hash", json!([]))?;
            let hash = hash.as_str().unwrap_or_default().to_owned();
            if hash.contains(part) { Ok(hash) } else { bail!("it is {hash}") }
        })
    }
}

/// The path as text.
fn text(path: &Path) -> Result<String> {
    path.to_str().map(str::to_owned).context("a path of letters")
}

/// The real window on a workspace of its own, listening on free ports.
fn window(screen: &Screen, folder: &Path) -> Result<Driver> {
    let (workspace, ready) = (text(&folder.join("mine.flowglass"))?, text(&folder.join("ready.json"))?);
    let arguments =
        ["--workspace", &workspace, "--otlp-grpc", "127.0.0.1:0", "--otlp-http", "127.0.0.1:0", "--size", "1280x800"];
    let data = text(&folder.join("data"))?;
    let variables = [("FLOWGLASS_READY_FILE", ready.as_str()), ("FLOWGLASS_DATA_DIR", data.as_str())];
    Driver::window(screen, &binary("flowglass-window")?, &arguments, &variables)
}

/// Waits until a window that was closed has let go of its workspace.
fn closed(workspace: &Path) -> Result<()> {
    let known = text(&recording("traces"))?;
    let import = ["import", "--workspace", &text(workspace)?, &known, "--json"];
    until("the window to let go of its workspace", SOON, || flowglass(&import).map(drop))
}

/// The recording of the sample landscape: traces, logs and messages.
fn recording(part: &str) -> PathBuf {
    root().join(format!("tests/fixtures/landscape/{part}.jsonl.gz"))
}

/// Journeys in a state, newest first, as the command line tells: the page is held against it.
fn journeys(workspace: &Path, state: &str) -> Result<Vec<Value>> {
    let filter = format!("state:{state}");
    let answer = flowglass(&["journeys", "--workspace", &text(workspace)?, "--filter", &filter, "--json"])?;
    answer.as_array().filter(|list| !list.is_empty()).cloned().with_context(|| format!("no journey is {state}"))
}

/// Posts a body as any HTTP client would.
fn post(url: &str, media_type: &str, body: &Value) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // No client can be built before somebody says what does the cryptography; that it was said before is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build()?;
    let request = client.post(url).header("content-type", media_type).body(body.to_string());
    let answer = runtime.block_on(request.send())?;
    if !answer.status().is_success() {
        bail!("{url}: {}", answer.status());
    }
    Ok(())
}

/// Drops files on the page, as a file manager does.
fn drop_files(driver: &Driver, files: &[PathBuf]) -> Result<()> {
    use base64::Engine as _;
    let mut given = Vec::new();
    for path in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
        given.push(json!([name, base64::engine::general_purpose::STANDARD.encode(bytes)]));
    }
    let script = "const all = new DataTransfer();
        for (const [name, text] of arguments[0]) all.items.add(new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], name));
        const main = document.querySelector('main');
        for (const type of ['dragenter', 'dragover', 'drop']) main.dispatchEvent(new DragEvent(type, { dataTransfer: all, bubbles: true, cancelable: true }));
        return null";
    driver.run(script, json!([given])).map(drop)
}

//! A small WebDriver client (W3C WebDriver, <https://www.w3.org/TR/webdriver2/>): WebKitGTK's for the window, Chromium's for the browser.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::process::{Process, free_port, until};
use crate::screen::Screen;

mod emulate;

/// The key under which WebDriver names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// A page under a compiling machine may take its time.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// An element of the page.
#[derive(Debug, Clone)]
pub struct Element(String);

/// A window or browser that is driven. It is closed when this is dropped.
pub struct Driver {
    runtime: Runtime,
    client: reqwest::Client,
    session: String,
    // Held for its Drop; ends with the session.
    _driver: RefCell<Process>,
}

/// A program of the search path, or an error that says how to install it.
///
/// # Errors
/// If it is missing.
pub fn tool(name: &str, package: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .with_context(|| format!("{name} is missing; Debian: apt-get install {package}"))
}

impl Driver {
    /// Starts `flowglass-window` on a screen, with these arguments and variables.
    ///
    /// # Errors
    /// If it does not open.
    pub fn window(screen: &Screen, program: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Result<Driver> {
        let webkit = tool("WebKitWebDriver", "webkit2gtk-driver")?;
        // A session bus of its own: this window meets no other one.
        let mut command = Command::new(tool("dbus-run-session", "dbus")?);
        let port = free_port()?;
        command
            .arg("--")
            .arg(webkit)
            .args(["--host=127.0.0.1".to_owned(), format!("--port={port}")])
            .env("DISPLAY", screen.display())
            .env("GDK_BACKEND", "x11")
            .env("NO_AT_BRIDGE", "1")
            .env("FLOWGLASS_NO_DIALOG", "1")
            .env("FLOWGLASS_DATA_DIR", std::env::temp_dir().join(format!("flowglass-window-{}", std::process::id())))
            // The window lets itself be driven only when asked to by this variable of Tauri's.
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .env_remove("WAYLAND_DISPLAY")
            .envs(variables.iter().copied());
        let process = Process::start("WebKitWebDriver", &mut command)?;
        Self::connect(port, process, json!({"webkitgtk:browserOptions": {"binary": program, "args": arguments}}))
    }

    /// Starts a headless Chromium whose requests and messages are recorded.
    ///
    /// # Errors
    /// If it does not start.
    pub fn browser(profile: &Path) -> Result<Driver> {
        Self::browser_with(profile, &[])
    }

    /// The same with more arguments.
    ///
    /// # Errors
    /// If it does not start.
    pub fn browser_with(profile: &Path, more: &[&str]) -> Result<Driver> {
        Self::chromium(profile, json!({"performance": "ALL", "browser": "ALL"}), more)
    }

    /// Starts a headless Chromium of which nothing is recorded, so that nothing slows it down.
    ///
    /// # Errors
    /// If it does not start.
    pub fn quiet_browser(profile: &Path) -> Result<Driver> {
        Self::chromium(profile, json!({}), &[])
    }

    fn chromium(profile: &Path, record: Value, more: &[&str]) -> Result<Driver> {
        let driver = tool("chromedriver", "chromium-driver")?;
        let chromium = tool("chromium", "chromium").or_else(|_| tool("google-chrome", "chromium"))?;
        let port = free_port()?;
        let process = Process::start("chromedriver", Command::new(driver).arg(format!("--port={port}")))?;
        let mut arguments = vec![
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-gpu".to_owned(),
            "--force-device-scale-factor=1".to_owned(),
            format!("--user-data-dir={}", profile.display()),
        ];
        arguments.extend(more.iter().map(|&argument| argument.to_owned()));
        let capabilities = json!({
            "goog:chromeOptions": {"binary": chromium, "args": arguments},
            "goog:loggingPrefs": record,
        });
        Self::connect(port, process, capabilities)
    }

    fn connect(port: u16, process: Process, capabilities: Value) -> Result<Driver> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        // No client can be built before somebody says what does the cryptography; that it was said before is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().timeout(ANSWER_WITHIN).no_proxy().build()?;
        let base = format!("http://127.0.0.1:{port}");
        let mut driver = Driver { runtime, client, session: base.clone(), _driver: RefCell::new(process) };
        until("the driver to listen", ANSWER_WITHIN, || {
            if !driver._driver.borrow_mut().runs() {
                bail!("the driver ended{}", driver._driver.borrow().errors());
            }
            driver.ask("GET", "/status", None)
        })?;
        let session = driver.ask("POST", "/session", Some(json!({"capabilities": {"alwaysMatch": capabilities}})));
        let session = session.with_context(|| format!("no session{}", driver._driver.borrow().errors()))?;
        let id = session["sessionId"].as_str().with_context(|| format!("no session: {session}"))?;
        driver.session = format!("{base}/session/{id}");
        driver.post("/timeouts", json!({"script": ANSWER_WITHIN.as_millis() as u64}))?;
        Ok(driver)
    }

    fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value> {
        let request = self.client.request(method.parse()?, format!("{}{path}", self.session));
        let request = if let Some(body) = body { request.json(&body) } else { request };
        let mut answer: Value = self
            .runtime
            .block_on(async { request.send().await?.json().await })
            .with_context(|| format!("{method} {path}"))?;
        let value = answer["value"].take();
        if let Some(error) = value["error"].as_str() {
            let message = value["message"].as_str().unwrap_or_default();
            bail!("{method} {path}: {error}: {}", message.lines().next().unwrap_or_default());
        }
        Ok(value)
    }

    fn post(&self, path: &str, body: Value) -> Result<Value> {
        self.ask("POST", path, Some(body))
    }

    /// Opens an address.
    ///
    /// # Errors
    /// If it cannot.
    pub fn goto(&self, url: &str) -> Result<()> {
        self.post("/url", json!({"url": url})).map(drop)
    }

    /// Where it is.
    ///
    /// # Errors
    /// If it does not answer.
    pub fn url(&self) -> Result<String> {
        Ok(self.ask("GET", "/url", None)?.as_str().unwrap_or_default().to_owned())
    }

    /// Runs a function body in the page; elements among what it returns are [`Element`]s to [`Driver::element`].
    ///
    /// # Errors
    /// If it throws.
    pub fn run(&self, script: &str, arguments: Value) -> Result<Value> {
        self.post("/execute/sync", json!({"script": script, "args": arguments}))
    }

    /// Runs a function body that ends by calling its last argument.
    ///
    /// # Errors
    /// If it throws or does not end in time.
    pub fn run_async(&self, script: &str, arguments: Value) -> Result<Value> {
        self.post("/execute/async", json!({"script": script, "args": arguments}))
    }

    /// The element that a script returned.
    #[must_use]
    pub fn element(value: &Value) -> Option<Element> {
        value[ELEMENT].as_str().map(|id| Element(id.to_owned()))
    }

    /// Clicks in its middle, as a person would.
    ///
    /// # Errors
    /// If it cannot be clicked, because it is covered, for example.
    pub fn click(&self, element: &Element) -> Result<()> {
        self.post(&format!("/element/{}/click", element.0), json!({})).map(drop)
    }

    /// Types into an element.
    ///
    /// # Errors
    /// If it takes no text.
    pub fn write(&self, element: &Element, text: &str) -> Result<()> {
        self.post(&format!("/element/{}/value", element.0), json!({"text": text})).map(drop)
    }

    /// Empties a text field.
    ///
    /// # Errors
    /// If it is none.
    pub fn clear(&self, element: &Element) -> Result<()> {
        self.post(&format!("/element/{}/clear", element.0), json!({})).map(drop)
    }

    /// Presses keys one after the other, wherever the focus is.
    ///
    /// # Errors
    /// If it cannot.
    pub fn keys(&self, keys: &[&str]) -> Result<()> {
        let strokes: Vec<Value> = keys
            .iter()
            .flat_map(|key| [json!({"type": "keyDown", "value": key}), json!({"type": "keyUp", "value": key})])
            .collect();
        self.post("/actions", json!({"actions": [{"type": "key", "id": "keyboard", "actions": strokes}]})).map(drop)
    }

    /// Presses a key while another is held.
    ///
    /// # Errors
    /// If it cannot.
    pub fn chord(&self, held: &str, key: &str) -> Result<()> {
        let stroke = |kind: &str, value: &str| json!({"type": kind, "value": value});
        let strokes = [stroke("keyDown", held), stroke("keyDown", key), stroke("keyUp", key), stroke("keyUp", held)];
        self.post("/actions", json!({"actions": [{"type": "key", "id": "keyboard", "actions": strokes}]})).map(drop)
    }

    /// Opens another tab and goes on there.
    ///
    /// # Errors
    /// If it does not open.
    pub fn new_tab(&self) -> Result<()> {
        let tab = self.post("/window/new", json!({"type": "tab"}))?;
        self.post("/window", json!({"handle": tab["handle"]})).map(drop)
    }

    /// The name of the tab it is at.
    ///
    /// # Errors
    /// If it does not answer.
    pub fn tab(&self) -> Result<String> {
        let name = self.ask("GET", "/window", None)?;
        name.as_str().map(str::to_owned).context("a tab has a name")
    }

    /// Goes on in the tab of this name.
    ///
    /// # Errors
    /// If there is none.
    pub fn switch(&self, tab: &str) -> Result<()> {
        self.post("/window", json!({"handle": tab})).map(drop)
    }

    /// Sizes the page of a Chromium, without the window's frame.
    ///
    /// # Errors
    /// If it is no Chromium.
    pub fn resize(&self, width: u32, height: u32) -> Result<()> {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.post("/goog/cdp/execute", json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": size})).map(drop)
    }

    /// Lets a Chromium save files without asking, to a folder.
    ///
    /// # Errors
    /// If it is no Chromium.
    pub fn downloads(&self, folder: &Path) -> Result<()> {
        let params = json!({"behavior": "allow", "downloadPath": folder});
        self.post("/goog/cdp/execute", json!({"cmd": "Browser.setDownloadBehavior", "params": params})).map(drop)
    }

    /// What a Chromium recorded since it was last asked: `performance` or `browser`.
    ///
    /// # Errors
    /// If it is no Chromium.
    pub fn log(&self, kind: &str) -> Result<Vec<Value>> {
        let entries = self.post("/se/log", json!({"type": kind}))?;
        Ok(entries.as_array().cloned().unwrap_or_default())
    }

    /// Saves what is seen as PNG.
    ///
    /// # Errors
    /// If it cannot be taken or written.
    pub fn screenshot(&self, path: &Path) -> Result<()> {
        let picture = self.ask("GET", "/screenshot", None)?;
        let picture = base64::engine::general_purpose::STANDARD.decode(picture.as_str().unwrap_or_default())?;
        std::fs::write(path, picture).with_context(|| path.display().to_string())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // The driver is killed next, whether it could close what it opened or not.
        let _ = self.ask("DELETE", "", None);
    }
}

//! The recorded landscape in a browser: the same data, range and zone each time, and nothing that moves.

use anyhow::{Context as _, Result};
use flowglass_tests::process::until;
use flowglass_tests::product::{Serve, flowglass, root};
use flowglass_tests::views::{Page, SHOWN_WITHIN};
use flowglass_tests::webdriver::Driver;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Two steps of figures, milliseconds: longer than the landscape was recorded.
const LENGTH: u64 = 20_000;
/// A service of the landscape that fails.
const SERVICE: &str = "service:retail/payments-sys-api@demo";
/// A subject of it.
const TOPIC: &str = "topic:nats/orders.placed@demo";

/// A view in a state that a link leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// The map.
    Map,
    /// A service selected on it.
    Node,
    /// A subject selected on it.
    Topic,
    /// Two participants selected on it.
    Several,
    /// What a filter does not mean stands back.
    Filtered,
    /// The map as a table.
    Table,
    /// A failed journey with its first failure.
    Journey,
    /// An event in the tail.
    Event,
    /// A line among the logs.
    Logs,
    /// A range with nothing in it.
    Empty,
    /// A failed journey drawn in another way.
    JourneyAs(&'static str),
    /// All journeys at a glance.
    Overview(&'static str),
    /// A part of the architecture screen.
    Architecture(&'static str),
    /// A part of the design: what was observed, where there was none.
    Design(&'static str),
    /// The scenarios, none yet.
    Scenarios,
    /// A page of the settings.
    Settings(&'static str),
}

impl View {
    /// All that axe looks at.
    pub(super) const ALL: [View; 42] = [
        View::Map,
        View::Node,
        View::Topic,
        View::Several,
        View::Filtered,
        View::Table,
        View::Journey,
        View::Event,
        View::Logs,
        View::Empty,
        View::JourneyAs("sequence"),
        View::JourneyAs("time"),
        View::JourneyAs("joins"),
        View::Overview("kinds"),
        View::Overview("common"),
        View::Overview("waiting"),
        View::Architecture("findings"),
        View::Architecture("drift"),
        View::Architecture("changes"),
        View::Architecture("design"),
        View::Design("%20"),
        View::Design("p%20order-prc-api"),
        View::Design("c%20orders.placed"),
        View::Scenarios,
        View::Settings("aliases"),
        View::Settings("owners"),
        View::Settings("joins"),
        View::Settings("links"),
        View::Settings("protobuf"),
        View::Settings("notifications"),
        View::Settings("sources"),
        View::Settings("imports"),
        View::Settings("retention"),
        View::Settings("participants"),
        View::Settings("layers"),
        View::Settings("domains"),
        View::Settings("keys"),
        View::Settings("noise"),
        View::Settings("redaction"),
        View::Settings("file"),
        View::Settings("appearance"),
        View::Settings("about"),
    ];

    /// Its address in a range.
    fn link(self, range: &str) -> String {
        let encoded = |id: &str| id.replace(':', "%3A").replace('/', "%2F").replace('@', "%40");
        match self {
            View::Map => format!("#/topology?{range}"),
            View::Node => format!("#/topology?{range}&sel={}", encoded(SERVICE)),
            View::Topic => format!("#/topology?{range}&sel={}", encoded(TOPIC)),
            View::Several => format!("#/topology?{range}&sel={}&also={}", encoded(SERVICE), encoded(TOPIC)),
            View::Filtered => format!("#/topology?{range}&q=layer%3Asystem"),
            View::Table => format!("#/topology?{range}&view=table"),
            View::Journey => format!("#/journeys?{range}&q=state%3Afailed"),
            View::Event => format!("#/events?{range}&q=outcome%3Adead-lettered"),
            View::Logs => format!("#/events?{range}&tab=logs"),
            View::Empty => "#/journeys?from=1000000000000&to=1000000060000".to_owned(),
            View::JourneyAs(way) => format!("#/journeys?{range}&q=state%3Afailed&as={way}"),
            View::Overview(pane) => format!("#/journeys?{range}&pane={pane}"),
            View::Architecture(part) => format!("#/architecture?{range}&part={part}"),
            View::Design(part) => format!("#/architecture?{range}&part=design&sel={part}"),
            View::Scenarios => format!("#/scenarios?{range}"),
            View::Settings(section) => format!("#/settings?{range}&section={section}"),
        }
    }
}

/// A browser on the landscape.
pub(super) struct Show {
    pub(super) driver: Driver,
    serve: Serve,
    /// The range of the recording, as an address has it.
    range: String,
    // Held for its Drop.
    _folder: TempDir,
}

impl Show {
    /// Imports the landscape and opens it.
    pub(super) fn open() -> Result<Show> {
        let folder = tempfile::tempdir()?;
        let workspace = folder.path().join("retail-eu.flowglass");
        let landscape = root().join("tests/fixtures/landscape");
        let mut import = ["import", "--json", "--workspace"].map(std::ffi::OsString::from).to_vec();
        import.push(workspace.clone().into());
        let recorded = ["traces.jsonl.gz", "messages.jsonl.gz", "logs.jsonl.gz"];
        import.extend(recorded.map(|file| landscape.join(file).into()));
        flowglass(&import)?;
        let truth: Value = serde_json::from_slice(&std::fs::read(landscape.join("truth.json"))?)?;
        let started: u64 = truth["started_unix_nano"].as_str().context("when it began")?.parse()?;
        let from = started / 1_000_000 / (LENGTH / 2) * (LENGTH / 2);
        let range = format!("from={from}&to={}", from + LENGTH);
        let serve = Serve::start(&workspace, &["--ui", "127.0.0.1:0"])?;
        let driver = Driver::browser(&folder.path().join("profile"))?;
        driver.resize(1280, 800)?;
        driver.zone("UTC")?;
        driver.media(&[("prefers-reduced-motion", "reduce")])?;
        driver.goto(serve.ui())?;
        Page(&driver).ready()?;
        Ok(Show { driver, serve, range, _folder: folder })
    }

    pub(super) fn page(&self) -> Page<'_> {
        Page(&self.driver)
    }

    /// Goes to a view and waits until it shows what it has.
    pub(super) fn at(&self, view: View) -> Result<()> {
        let (page, link) = (self.page(), view.link(&self.range));
        self.driver.run("location.hash = arguments[0]; return null", json!([link]))?;
        page.ready()?;
        match view {
            View::Map | View::Filtered => page.card("payments-sys-api").map(drop),
            View::Node => {
                page.find("complementary", "payments-sys-api").and(page.find("heading", "^Recent failures")).map(drop)
            }
            View::Topic => page.find("complementary", "orders.placed").map(drop),
            View::Several => page.find("complementary", "2 selected").map(drop),
            View::Table => page.find("row", "payments-sys-api").map(drop),
            View::Journey => page.find("complementary", ".").and(page.find("tab", "^Attributes")).map(drop),
            View::Event => self.choose_row().and(page.find("tab", "^Payload")).map(drop),
            View::Logs => self.choose_row().and(page.find("complementary", "^Log line")).map(drop),
            View::Empty => page.find("button", "^Go to nearest data").map(drop),
            View::JourneyAs(_) => page.find("tabpanel", ".").map(drop),
            View::Overview(_) => page.find("tabpanel", ".").map(drop),
            View::Architecture(_) => page.find("group", "^What is shown").map(drop),
            View::Design(_) => {
                if !page.names("button", "^Take what was observed")?.is_empty() {
                    page.click("button", "^Take what was observed")?;
                }
                page.find("navigation", "^Parts of the design")
                    .and(page.find("textbox", "^(Title|Name|Address)$"))
                    .map(drop)
            }
            View::Scenarios => page.find("button", "^New scenario").map(drop),
            View::Settings(_) => page.find("heading", ".").map(drop),
        }
    }

    /// Presses the first row of the list in the middle.
    fn choose_row(&self) -> Result<()> {
        let script = "const row = document.querySelector('[role=grid] [role=row][aria-selected]');
            row?.click(); return row !== null";
        until("a row", SHOWN_WITHIN, || match self.driver.run(script, json!([]))? {
            Value::Bool(true) => Ok(()),
            _ => anyhow::bail!("the page reads: {}", self.page().text()?),
        })
    }

    /// Closes whatever lies above the view.
    pub(super) fn close_all(&self) -> Result<()> {
        let open = "return document.querySelector('dialog[open], .float, [role=listbox].float') !== null";
        until("everything to close", SHOWN_WITHIN, || {
            if self.driver.run(open, json!([]))? == false {
                return Ok(());
            }
            self.driver.keys(&["\u{e00c}"])?;
            anyhow::bail!("something is open still")
        })
    }

    /// Ends the product in good order.
    pub(super) fn end(self) -> Result<()> {
        drop(self.driver);
        self.serve.stop()
    }
}

//! What `cargo xtask demo --smoke` runs: the sample landscape and the real window on it, looked at by a program.
//!
//! The window is opened on an empty workspace, filled while it is watched, checked against what the landscape says it did, opened
//! again the next day at another size, and at last the command line is asked the same. Pictures of every view stay behind.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use flowglass_tests::demo::Demo;
use flowglass_tests::graph::Graph;
use flowglass_tests::names::truth_graph;
use flowglass_tests::process::{end_all, free_port, until};
use flowglass_tests::product::{binary, flowglass, topology};
use flowglass_tests::screen::Screen;
use flowglass_tests::views::{Area, Page, Theme};
use flowglass_tests::webdriver::Driver;
use serde_json::Value;

/// Sizes at which pictures are taken.
const SIZES: [(u32, u32); 2] = [(1280, 800), (1600, 1000)];

#[derive(Debug, Parser)]
struct Arguments {
    /// Folder for pictures, workspace and truth
    #[arg(long)]
    out: PathBuf,
    /// Business requests per second
    #[arg(long, default_value_t = 20.0)]
    rate: f64,
    /// Business requests in all
    #[arg(long, default_value_t = 120)]
    requests: u64,
    /// Seed of the landscape
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let interrupted = ctrlc::set_handler(|| {
        end_all();
        std::process::exit(130);
    });
    if let Err(error) = interrupted {
        eprintln!("smoke: {error}");
        return ExitCode::FAILURE;
    }
    match run(&arguments) {
        Ok(pictures) => {
            println!("smoke: what is on screen is what was sent; {pictures} pictures in {}", arguments.out.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("smoke: {error:?}");
            ExitCode::FAILURE
        }
    }
}

/// One opening of the window after another on the same workspace, addresses and broker.
struct Show<'a> {
    screen: Screen,
    out: &'a Path,
    workspace: PathBuf,
    listeners: [String; 2],
    nats: String,
    pictures: u32,
}

impl Show<'_> {
    fn open(&self, (width, height): (u32, u32)) -> Result<Driver> {
        let (workspace, size) = (self.workspace.to_string_lossy(), format!("{width}x{height}"));
        let arguments = [
            "--demo",
            "--workspace",
            &workspace,
            "--otlp-grpc",
            &self.listeners[0],
            "--otlp-http",
            &self.listeners[1],
            "--nats",
            &self.nats,
            "--size",
            &size,
        ];
        Driver::window(&self.screen, &binary("flowglass-window")?, &arguments, &[])
    }

    fn picture(&mut self, page: &Page<'_>, name: &str, theme: Theme, size: (u32, u32)) -> Result<()> {
        page.theme(theme)?;
        self.pictures += 1;
        page.picture(&self.out.join(format!("{name}-{}-{}x{}.png", theme.name(), size.0, size.1)))
    }

    fn both(&mut self, page: &Page<'_>, name: &str, size: (u32, u32)) -> Result<()> {
        Theme::ALL.iter().try_for_each(|theme| self.picture(page, name, *theme, size))
    }
}

fn run(arguments: &Arguments) -> Result<u32> {
    let out = &arguments.out;
    let folder = out.join("workspace");
    if folder.is_dir() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    let (grpc, http) = (free_port()?, free_port()?);
    let (requests, rate, seed) =
        (arguments.requests.to_string(), arguments.rate.to_string(), arguments.seed.to_string());
    let mut demo = Demo::start(out, grpc, http, &["--requests", &requests, "--rate", &rate, "--seed", &seed])?;
    let mut show = Show {
        screen: Screen::start(SIZES[1].0, SIZES[1].1)?,
        out,
        workspace: folder.join("smoke.flowglass"),
        listeners: [format!("127.0.0.1:{grpc}"), format!("127.0.0.1:{http}")],
        nats: demo.nats.clone(),
        pictures: 0,
    };

    let driver = show.open(SIZES[0])?;
    let page = Page(&driver);
    step("first run", || {
        page.ready()?;
        page.says("Connect your first service")?;
        page.says("connected")?;
        show.both(&page, "first-run", SIZES[0])
    })?;
    step("the map fills", || {
        demo.go()?;
        page.shows(Area::Topology)?;
        page.card("order-prc-api").map(drop)
    })?;
    demo.done()?;
    let truth = demo.truth()?;
    let expected = truth_graph(&truth)?;
    step("the map is what was sent", || the_map(&page, &truth, &expected, &show.workspace))?;
    look_around(&page, &mut show, SIZES[0])?;
    drop(driver);

    // The next day, at another size: nothing is lost.
    let driver = show.open(SIZES[1])?;
    let page = Page(&driver);
    step("found again", || {
        // The window comes back where it was left: at the settings.
        page.ready()?;
        page.shows(Area::Settings)?;
        page.open_by_key(Area::Topology)?;
        page.card("order-prc-api").map(drop)
    })?;
    look_around(&page, &mut show, SIZES[1])?;
    drop(driver);
    // First run at the other size needs an empty workspace.
    let full = std::mem::replace(&mut show.workspace, folder.join("empty.flowglass"));
    let driver = show.open(SIZES[1])?;
    let page = Page(&driver);
    page.says("Connect your first service")?;
    show.both(&page, "first-run", SIZES[1])?;
    drop(driver);

    step("the command line says the same", || {
        Graph::read(&topology(&full)?)?.must_be(&expected)?;
        the_journeys(&full)
    })?;
    Ok(show.pictures)
}

fn step(name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    work().with_context(|| name.to_owned())?;
    println!("smoke: {name}: ok");
    Ok(())
}

/// Every service and subject is on the map by name, services with their true layer; the figures are those of the truth.
fn the_map(page: &Page<'_>, truth: &Value, expected: &Graph, workspace: &Path) -> Result<()> {
    until("the stored map to be complete", Duration::from_secs(30), || {
        Graph::read(&topology(workspace)?)?.must_be(expected)
    })?;
    let list = |field: &str| truth["parameters"][field].as_array().cloned().unwrap_or_default();
    for service in list("services") {
        let name = service["name"].as_str().context("a name")?;
        let layer = service["layer"].as_str().context("a layer")?;
        let card = page.card(name)?;
        if !card.to_lowercase().contains(layer) {
            bail!("the card of {name} must say {layer}, and says: {card}");
        }
    }
    let used = truth["counts"]["publishes"].as_array().cloned().unwrap_or_default();
    for subject in used.iter().filter_map(|of| of["subject"].as_str()) {
        page.card(subject)?;
    }
    Ok(())
}

/// Every view, checked and pictured.
fn look_around(page: &Page<'_>, show: &mut Show<'_>, size: (u32, u32)) -> Result<()> {
    step("topology", || {
        page.open(Area::Topology)?;
        show.both(page, "topology", size)?;
        page.select_node("payments-sys-api")?;
        page.says("Card acquirer").or_else(|_| page.says("acquirer"))?;
        show.both(page, "topology-node", size)
    })?;
    step("journeys", || {
        page.open(Area::Journeys)?;
        page.find("option", "POST|GET")?;
        show.both(page, "journeys", size)?;
        page.click("button", "^Failed")?;
        page.click("option", "failed")?;
        // The story of the landscape: the card acquirer lets payments down.
        page.find("status", "First failure")?;
        page.says("payments-sys-api")?;
        page.says("acquirer")?;
        page.find("row", "payments-sys-api .*failed")?;
        show.both(page, "journey-failed", size)
    })?;
    step("events", || {
        page.open(Area::Events)?;
        page.click("row", "^orders\\.placed, ")?;
        page.find("complementary", "")?;
        page.find("tabpanel", "Payload")?;
        page.says("orderId")?;
        show.both(page, "events", size)
    })?;
    step("settings", || {
        page.open(Area::Settings)?;
        page.says(&show.listeners[1].clone())?;
        page.says("OTEL_EXPORTER_OTLP_ENDPOINT")?;
        show.both(page, "settings", size)
    })
}

/// There are failed journeys, and one that says that the acquirer was the cause.
fn the_journeys(workspace: &Path) -> Result<()> {
    let path = workspace.to_string_lossy();
    let failed = flowglass(&["journeys", "--workspace", &path, "--status", "failed", "--json"])?;
    let failed = failed.as_array().context("journeys are a list")?;
    if failed.is_empty() {
        bail!("the landscape's failures make no failed journey");
    }
    let mut causes = Vec::new();
    for id in failed.iter().filter_map(|journey| journey["id"].as_str()) {
        let journey = flowglass(&["journey", id, "--workspace", &path, "--json"])?;
        causes.push(format!("{} {}", journey["failure"]["participant"], journey["failure"]["cause"]));
    }
    if causes.iter().any(|cause| cause.contains("acquirer") || cause.contains("payments-sys-api")) {
        return Ok(());
    }
    bail!("no failed journey names the card acquirer: {causes:?}")
}

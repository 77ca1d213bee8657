//! `cargo xtask demo`: the sample landscape and the window on it, on ports and in a workspace of their own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::run::{Beside, built, cargo, command, run as run_to_end, target};
use crate::{setup, ui};

/// How long a started program may take to be ready.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// What the demo is to be like.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Show it in a browser instead of a window: prints the link
    #[arg(long)]
    browser: bool,
    /// Nobody watches: drive the window on a virtual screen, check it, save pictures under target/demo
    #[arg(long, conflicts_with = "browser")]
    smoke: bool,
    /// Business requests per second
    #[arg(long, default_value_t = 4.0)]
    rate: f64,
    /// Seed of every decision of the landscape
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Use what is built already
    #[arg(long, hide = true)]
    no_build: bool,
}

/// Builds, starts, shows; ends everything it started.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let watched =
        ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some_and(|v| !v.is_empty()));
    if !watched && !arguments.browser && !arguments.smoke {
        bail!(
            "there is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set).\n  \
             `cargo xtask demo --browser` shows the same in a browser, `cargo xtask demo --smoke` checks it without anyone watching"
        );
    }
    if !arguments.no_build {
        setup::demo(!arguments.browser, arguments.smoke)?;
        ui::build()?;
        let window = if arguments.browser { &[][..] } else { &["--package", "flowglass-window"] };
        let checks = if arguments.smoke { &["--package", "flowglass-tests"][..] } else { &[] };
        let others = ["build", "--bins", "--package", "flowglass-cli", "--package", "flowglass-demo"];
        run_to_end(cargo(others).args(window).args(checks))?;
    }
    let told_to_end = ctrl_c()?;
    let out = target().join("demo");
    std::fs::create_dir_all(&out).with_context(|| out.display().to_string())?;
    if arguments.smoke { smoke(arguments, &out, &told_to_end) } else { show(arguments, &out, &told_to_end) }
}

/// Gets a word when the process is asked to end.
fn ctrl_c() -> Result<Receiver<()>> {
    let (tell, told) = channel();
    ctrlc::set_handler(move || {
        // The second Ctrl-C finds nobody listening, and changes nothing.
        let _ = tell.send(());
    })?;
    Ok(told)
}

fn smoke(arguments: &Arguments, out: &Path, told_to_end: &Receiver<()>) -> Result<()> {
    let mut smoke = command(&built("flowglass-smoke").to_string_lossy(), ["--out"]);
    smoke.arg(out).args(["--rate", &arguments.rate.max(20.0).to_string(), "--seed", &arguments.seed.to_string()]);
    let mut smoke = Beside::start(smoke.env("FLOWGLASS_BUILT", "1"))?;
    loop {
        if let Some(status) = smoke.ended()? {
            if status.success() {
                return Ok(());
            }
            bail!("the smoke test found something wrong; pictures are in {}", out.display());
        }
        if told_to_end.recv_timeout(Duration::from_millis(100)) == Ok(()) {
            bail!("interrupted");
        }
    }
}

fn show(arguments: &Arguments, out: &Path, told_to_end: &Receiver<()>) -> Result<()> {
    let (grpc, http) = (free_port()?, free_port()?);
    let (mut landscape, nats) = start_landscape(arguments, out, grpc, http)?;
    let listeners =
        ["--otlp-grpc".to_owned(), format!("127.0.0.1:{grpc}"), "--otlp-http".to_owned(), format!("127.0.0.1:{http}")];
    let workspace = fresh_workspace(out)?;
    let mut shown =
        command(&built(if arguments.browser { "flowglass" } else { "flowglass-window" }).to_string_lossy(), [""; 0]);
    if arguments.browser {
        shown.args(["serve", "--ui", "127.0.0.1:0"]);
    } else {
        shown.arg("--demo");
    }
    shown.arg("--workspace").arg(&workspace).args(&listeners);
    if let Some(url) = &nats {
        shown.args(["--nats", url]);
    }
    let ready_file = out.join("ready.json");
    let _ = std::fs::remove_file(&ready_file);
    let mut shown = Beside::start(shown.env("FLOWGLASS_READY_FILE", &ready_file).stdout(Stdio::piped()))?;
    if arguments.browser {
        let ready = first_line(shown.child.stdout.take(), "flowglass serve")?;
        let link = ready["ui"].as_str().context("flowglass serve offers no UI")?;
        println!("The sample landscape is running. Open this link, it works once:\n\n  {link}\n\nCtrl-C ends it.");
    } else {
        wait_for_window(&mut shown, &ready_file)?;
        println!("The sample landscape is running; close the window to end it.");
    }
    let input = landscape.child.stdin.as_mut().context("the landscape reads no more")?;
    input.write_all(b"go\n")?;
    println!("Workspace: {}\nTrue parameters and counts: {}", workspace.display(), out.join("truth.json").display());
    watch(shown, landscape, told_to_end)
}

/// Waits until the window is closed or somebody presses Ctrl-C, then ends what is left: the landscape first.
fn watch(mut shown: Beside, mut landscape: Beside, told_to_end: &Receiver<()>) -> Result<()> {
    let mut landscape_said = false;
    loop {
        if let Some(status) = shown.ended()? {
            if !status.success() {
                bail!("what showed the landscape ended with {status}");
            }
            return Ok(());
        }
        if let (false, Some(status)) = (landscape_said, landscape.ended()?) {
            landscape_said = true;
            eprintln!("cargo xtask: the landscape ended with {status}; what it sent stays to be looked at");
        }
        if told_to_end.recv_timeout(Duration::from_millis(100)) == Ok(()) {
            drop(landscape);
            return Ok(());
        }
    }
}

/// Starts the landscape, which then waits for a line on its input. Also gives the address of its NATS server.
fn start_landscape(arguments: &Arguments, out: &Path, grpc: u16, http: u16) -> Result<(Beside, Option<String>)> {
    let mut landscape = command(&built("flowglass-demo").to_string_lossy(), ["--wait", "--die-with-parent", "--truth"]);
    landscape
        .arg(out.join("truth.json"))
        .args(["--otlp-grpc", &format!("http://127.0.0.1:{grpc}"), "--otlp-http", &format!("http://127.0.0.1:{http}")])
        .args(["--rate", &arguments.rate.to_string(), "--seed", &arguments.seed.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut landscape = Beside::start(&mut landscape)?;
    let ready = first_line(landscape.child.stdout.take(), "flowglass-demo")?;
    Ok((landscape, ready["nats"].as_str().map(str::to_owned)))
}

/// The first line that a program prints, as JSON. What it prints later is read and dropped, so that it never blocks.
fn first_line(output: Option<ChildStdout>, name: &str) -> Result<Value> {
    let output = output.with_context(|| format!("{name} has no output"))?;
    let (send, line) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let _ = send.send(line);
        }
    });
    match line.recv_timeout(READY_WITHIN) {
        Ok(line) => serde_json::from_str(&line).with_context(|| format!("{name} said `{line}`")),
        Err(RecvTimeoutError::Timeout) => bail!("{name} was not ready within {READY_WITHIN:?}"),
        Err(RecvTimeoutError::Disconnected) => bail!("{name} ended; its own words are above"),
    }
}

fn wait_for_window(window: &mut Beside, ready_file: &Path) -> Result<()> {
    let deadline = Instant::now() + READY_WITHIN;
    while !ready_file.is_file() {
        if let Some(status) = window.ended()? {
            bail!("the window ended with {status}; its own words are above");
        }
        if Instant::now() > deadline {
            bail!("the window was not open within {READY_WITHIN:?}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// A workspace file with nothing in it, in a folder that holds nothing else.
fn fresh_workspace(out: &Path) -> Result<PathBuf> {
    let folder = out.join("workspace");
    if folder.is_dir() {
        std::fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    std::fs::create_dir_all(&folder)?;
    Ok(folder.join("sample landscape.flowglass"))
}

/// A port of the loopback that was free a moment ago: the landscape must be told where to send before anything listens there.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

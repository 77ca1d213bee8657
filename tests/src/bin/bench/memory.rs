//! Memory of the real window over minutes of live data.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use flowglass_tests::live::{Live, Pace};
use flowglass_tests::multiply::Recording;
use flowglass_tests::process::until;
use flowglass_tests::product::binary;
use flowglass_tests::screen::Screen;
use flowglass_tests::usage::{family, pss};
use flowglass_tests::views::{Area, Page};
use flowglass_tests::webdriver::Driver;

use crate::table::{load, median};

/// Time in each view.
const STAY: Duration = Duration::from_secs(10);

/// Opens the window on an empty workspace, lets data come, goes from view to view, and prints memory every minute.
///
/// # Errors
/// If the window does not answer, or what is sent is refused.
pub(crate) fn measure(folder: &Path, recording: &Arc<Recording>, pace: Pace, minutes: u64) -> Result<()> {
    let (workspace, ready) = (folder.join("memory.flowglass"), folder.join("ready.json"));
    let text = |path: &Path| path.to_str().map(str::to_owned).context("a path of letters");
    let marker = text(&workspace)?;
    let arguments = ["--workspace", &marker, "--otlp-grpc", "off", "--otlp-http", "127.0.0.1:0", "--size", "1280x800"];
    let screen = Screen::start(1280, 800)?;
    let driver =
        Driver::window(&screen, &binary("flowglass-window")?, &arguments, &[("FLOWGLASS_READY_FILE", &text(&ready)?)])?;
    let page = Page(&driver);
    page.ready()?;
    let listens: serde_json::Value =
        until("the window to listen", STAY, || Ok(serde_json::from_slice(&std::fs::read(&ready)?)?))?;
    let http = format!("http://{}", listens["otlp_http"].as_str().context("it listens")?);
    let live = Live::start(http, Arc::clone(recording), pace);
    page.shows(Area::Topology)?;
    println!("\nMemory of the window over {minutes} min of live data, MB ({})", load());
    println!("{:>8}{:>12}{:>12}{:>12}", "minute", "program", "page", "all");
    let (begin, mut area) = (Instant::now(), 0);
    let mut all = Vec::new();
    for minute in 1..=minutes {
        while begin.elapsed() < Duration::from_secs(60 * minute) {
            page.open_by_key(Area::ALL[area % 3])?;
            area += 1;
            std::thread::sleep(STAY.min(Duration::from_secs(60 * minute).saturating_sub(begin.elapsed())));
        }
        let sizes: Vec<(String, f64)> =
            family(&marker, "flowglass-win").into_iter().filter_map(|(pid, name)| Some((name, pss(pid)?))).collect();
        let of = |word: &str| sizes.iter().filter(|(name, _)| name.starts_with(word)).map(|(_, mb)| mb).sum::<f64>();
        let total: f64 = sizes.iter().map(|(_, mb)| mb).sum();
        println!("{minute:>8}{:>12.0}{:>12.0}{total:>12.0}", of("flowglass"), of("WebKitWeb"));
        all.push(total);
    }
    let a_second = live.stop()?;
    let third = all.len().div_ceil(3);
    let (first, last) = (median(&all[..third.min(all.len())]), median(&all[all.len().saturating_sub(third)..]));
    println!(
        "{a_second:.0} events and spans a second; last third of the time {:.2} times the first",
        last / first.max(1.0)
    );
    Ok(())
}

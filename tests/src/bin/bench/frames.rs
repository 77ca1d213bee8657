//! Frame times of busy views, beside those of an empty page scrolled in the same way in the same browser.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use flowglass_tests::frames::{empty, frames};
use flowglass_tests::live::{Live, Pace};
use flowglass_tests::multiply::Recording;
use flowglass_tests::process::until;
use flowglass_tests::product::Serve;
use flowglass_tests::views::{Page, SHOWN_WITHIN};
use flowglass_tests::webdriver::Driver;
use serde_json::json;

use crate::table::{load, median};

/// How long frames are looked at, milliseconds.
const LOOK: u64 = 5_000;
/// The aim: p95 of a view at most so many times that of the empty page.
const AIM: f64 = 1.5;
/// Rows to scroll.
const ROWS: u64 = 100_000;

/// A view that is looked at: its address, what scrolls in it, and how many rows it is to hold first.
struct View {
    label: &'static str,
    hash: &'static str,
    scrolls: Option<&'static str>,
    rows: u64,
}

const VIEWS: &[View] = &[
    View {
        label: "events, 100,000 rows scrolling",
        hash: "#/events?range=all",
        scrolls: Some(".tail .viewport"),
        rows: ROWS,
    },
    View { label: "events, following what arrives", hash: "#/events?range=15m", scrolls: None, rows: 0 },
    View {
        label: "journeys, scrolling",
        hash: "#/journeys?range=all",
        scrolls: Some(".journey-rows .viewport"),
        rows: 5_000,
    },
    View {
        label: "a journey of 50,000 spans, scrolling",
        hash: "#/journeys?range=all&id=1a00000000000000000000000000aaa2",
        scrolls: Some("#journey-panel .viewport"),
        rows: 0,
    },
    View { label: "map, live", hash: "#/topology?range=15m", scrolls: None, rows: 0 },
];

/// Scrolls to the end again and again until so many rows are there.
fn fill(driver: &Driver, css: &str, rows: u64) -> Result<u64> {
    let script = "const [css, rows] = arguments; const done = arguments[arguments.length - 1];
        const box = document.querySelector(css);
        const begin = performance.now(); let high = 0; let since = begin;
        const height = () => box.querySelector('.slot')?.offsetHeight ?? 1;
        const step = () => {
          const now = performance.now();
          if (box.scrollHeight !== high) { high = box.scrollHeight; since = now; }
          if (box.scrollHeight / height() >= rows || now - since > 8000 || now - begin > 50000) return done(Math.floor(box.scrollHeight / height()));
          box.scrollTop = box.scrollHeight;
          requestAnimationFrame(step);
        };
        step();";
    let mut there = 0;
    loop {
        let now = driver.run_async(script, json!([css, rows]))?.as_u64().context("a number of rows")?;
        if now >= rows || now == there {
            return Ok(now);
        }
        there = now;
    }
}

/// Looks at every view some rounds over while events and spans arrive, and prints the ratios.
///
/// # Errors
/// If the page does not answer, or what is sent is refused.
pub(crate) fn measure(
    serve: &Serve,
    driver: &Driver,
    recording: &Arc<Recording>,
    pace: Pace,
    rounds: usize,
) -> Result<()> {
    let page = Page(driver);
    driver.goto(serve.ui())?;
    page.ready()?;
    let here = driver.url()?;
    let here = here.split('#').next().unwrap_or_default();
    let live = Live::start(serve.http(), Arc::clone(recording), pace);
    println!(
        "\nFrames, p95 in ms over {} s, {rounds} rounds ({})\n{:<46}{:>11}{:>11}{:>11}",
        LOOK / 1000,
        load(),
        "",
        "view",
        "empty page",
        "ratio"
    );
    let mut missed = 0;
    for view in VIEWS {
        let (mut of_view, mut of_empty, mut ratios, mut rows) = (Vec::new(), Vec::new(), Vec::new(), 0);
        for _ in 0..rounds {
            let before = empty(driver, LOOK)?;
            driver.goto(&format!("{here}{}", view.hash))?;
            page.ready()?;
            if let Some(css) = view.scrolls {
                until("rows", SHOWN_WITHIN, || {
                    let there = driver.run("return document.querySelector(arguments[0]) !== null", json!([css]))?;
                    if there == true { Ok(()) } else { bail!("no {css}") }
                })?;
                rows = fill(driver, css, view.rows)?;
            }
            let p95 = frames(driver, view.scrolls, LOOK)?.quantile(0.95);
            let empty = f64::midpoint(before, empty(driver, LOOK)?);
            of_view.push(p95);
            of_empty.push(empty);
            ratios.push(p95 / empty);
        }
        let ratio = median(&ratios);
        let note = if ratio > AIM { format!("  over {AIM}") } else { String::new() };
        let rows = if rows > 0 { format!("  {rows} rows") } else { String::new() };
        println!("{:<46}{:>11.1}{:>11.1}{ratio:>11.2}{note}{rows}", view.label, median(&of_view), median(&of_empty));
        missed += usize::from(ratio > AIM);
    }
    let a_second = live.stop()?;
    println!(
        "{a_second:.0} events and spans a second were taken meanwhile; {} of {} views within {AIM}",
        VIEWS.len() - missed,
        VIEWS.len()
    );
    Ok(())
}

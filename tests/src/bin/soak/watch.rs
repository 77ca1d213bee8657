//! Those who use the product meanwhile: somebody who goes from view to view in a browser, and somebody who asks.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use flowglass_tests::figures::Times;
use flowglass_tests::frames::{empty, frames};
use flowglass_tests::live::now;
use flowglass_tests::process::until;
use flowglass_tests::session::Session;
use flowglass_tests::usage::{command_holds, family, pss};
use flowglass_tests::views::{Page, SHOWN_WITHIN};
use flowglass_tests::webdriver::Driver;
use serde_json::{Value, json};

use crate::plan::{Dice, VIEWS, View, round};

/// How long the frames of a view are looked at, milliseconds.
const LOOK: u64 = 4_000;
/// From question to question.
const PAUSE: Duration = Duration::from_millis(400);
/// Problems that are kept with their words.
const KEPT: usize = 20;

/// What they saw, for whoever samples.
#[derive(Default)]
pub(crate) struct Seen {
    stop: AtomicBool,
    /// Questions and the times of their answers, milliseconds.
    pub(crate) answers: Mutex<Vec<(usize, f64)>>,
    /// Frames by view, milliseconds.
    pub(crate) frames: Mutex<Vec<(usize, Times)>>,
    /// 95th percentiles of the empty page.
    pub(crate) empty: Mutex<Vec<f64>>,
    /// Memory of the page since the last sample, MB.
    pub(crate) page: Mutex<Vec<f64>>,
    problems: Mutex<Vec<String>>,
}

/// What a lock guards; that another thread panicked is told elsewhere.
pub(crate) fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Seen {
    /// Ends both.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Notes what went wrong.
    pub(crate) fn problem(&self, what: &anyhow::Error) {
        let mut problems = locked(&self.problems);
        if problems.len() < KEPT {
            let text = format!("{what:#}");
            eprintln!("soak: {text}");
            problems.push(text.chars().take(400).collect());
        }
    }

    /// What went wrong so far.
    pub(crate) fn problems(&self) -> Vec<String> {
        locked(&self.problems).clone()
    }
}

/// The questions that are asked, in turn.
pub(crate) const QUESTIONS: [&str; 8] = [
    "map, 15 min",
    "map, everything",
    "newest journeys",
    "failed journeys",
    "open a journey",
    "find by key",
    "events",
    "time strip, 15 min",
];

/// Asks one question after the other until told to stop.
pub(crate) fn ask(session: &Session, seen: &Seen) {
    let mut newest = Value::Null;
    for turn in 0.. {
        if seen.stopped() {
            return;
        }
        let of = turn % QUESTIONS.len();
        if let Some((request, argument)) = question(of, &newest, now() as f64 / 1e6) {
            match session.ask(request, &argument) {
                Ok((answer, took)) => {
                    locked(&seen.answers).push((of, took.as_secs_f64() * 1e3));
                    if QUESTIONS[of] == "newest journeys" {
                        newest = answer["rows"][0].clone();
                    }
                }
                Err(error) => seen.problem(&error.context(QUESTIONS[of])),
            }
        }
        std::thread::sleep(PAUSE);
    }
}

/// A request and its argument; none while there is nothing to ask about.
fn question(of: usize, newest: &Value, now: f64) -> Option<(&'static str, Value)> {
    let map = |range: Value| json!({"range": range, "environment": null, "knownRevision": null, "relayout": false});
    let minutes = json!({"sinceAt": now - 9e5, "untilAt": null});
    Some(match QUESTIONS[of] {
        "map, 15 min" => ("topology", map(minutes)),
        "map, everything" => ("topology", map(json!({}))),
        "newest journeys" => ("journeys", json!({"range": {}, "limit": 100})),
        "failed journeys" => ("journeys", json!({"range": {}, "filter": "state:failed", "limit": 100})),
        "open a journey" => ("journey", json!({"id": newest["id"].as_str()?})),
        "find by key" => {
            let key = newest["keys"][0]["value"].as_str().or(newest["id"].as_str())?;
            ("journeys", json!({"range": {}, "find": key, "limit": 100}))
        }
        "events" => ("events", json!({"range": {}, "limit": 200, "beforeRow": null, "afterRow": null})),
        _ => ("timeline", json!({"range": {"sinceAt": now - 9e5, "untilAt": now}, "buckets": 240})),
    })
}

/// Goes from view to view until told to stop.
pub(crate) fn look(profile: &Path, base: &str, cookie: &str, seed: u64, seen: &Seen) {
    let done = open(profile, base, cookie).and_then(|(driver, tabs)| {
        let mut dice = Dice::new(seed, 2);
        while !seen.stopped() {
            round_of_views(&driver, &tabs, profile, base, &mut dice, seen)?;
        }
        Ok(())
    });
    if let Err(error) = done {
        seen.problem(&error.context("the browser"));
    }
}

/// A browser that is signed in, and its two tabs: the product and the empty page.
fn open(profile: &Path, base: &str, cookie: &str) -> Result<(Driver, [String; 2])> {
    let driver = Driver::quiet_browser(profile)?;
    driver.resize(1280, 800)?;
    let (name, value) = cookie.split_once('=').context("a cookie has a name")?;
    driver.devtools("Network.setCookie", json!({"name": name, "value": value, "url": base}))?;
    let product = driver.tab()?;
    driver.goto(base)?;
    Page(&driver).ready()?;
    driver.new_tab()?;
    let empty = driver.tab()?;
    driver.resize(1280, 800)?;
    Ok((driver, [product, empty]))
}

/// Every view once, and the empty page.
fn round_of_views(
    driver: &Driver,
    tabs: &[String; 2],
    profile: &Path,
    base: &str,
    dice: &mut Dice,
    seen: &Seen,
) -> Result<()> {
    driver.switch(&tabs[1])?;
    locked(&seen.empty).push(empty(driver, LOOK)?);
    driver.switch(&tabs[0])?;
    for view in round(dice) {
        if seen.stopped() {
            return Ok(());
        }
        match show(driver, base, view) {
            Ok(times) => locked(&seen.frames).push((VIEWS.iter().position(|v| v == view).unwrap_or_default(), times)),
            Err(error) => seen.problem(&error.context(view.label)),
        }
        driver.devtools("HeapProfiler.collectGarbage", json!({}))?;
        locked(&seen.page).push(memory(profile));
    }
    Ok(())
}

/// Opens a view as a link within the page does, and looks at its frames.
fn show(driver: &Driver, base: &str, view: &View) -> Result<Times> {
    driver.run("location.hash = arguments[0]", json!([format!("#/{}", view.hash)]))?;
    let begin = Instant::now();
    Page(driver).ready()?;
    if let Some(css) = view.scrolls {
        until("rows", SHOWN_WITHIN, || {
            match driver.run("return document.querySelector(arguments[0]) !== null", json!([css]))? {
                Value::Bool(true) => Ok(()),
                _ => bail!("no {css} after {:?} in {base}", begin.elapsed()),
            }
        })?;
    }
    frames(driver, view.scrolls, LOOK)
}

/// Memory of all pages of the browser, MB; its own processes are not the product's affair.
fn memory(profile: &Path) -> f64 {
    let family = family(&profile.to_string_lossy(), "chrom");
    family.keys().filter(|pid| command_holds(**pid, "--type=renderer")).filter_map(|pid| pss(*pid)).sum()
}

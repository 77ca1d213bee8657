//! A map of two thousand participants and ten thousand interactions: how long until it is painted, and its frames while it is moved,
//! in a browser and in the real window, beside those of an empty page in the same place.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use flowglass_tests::live::now;
use flowglass_tests::process::until;
use flowglass_tests::product::{Serve, binary, flowglass};
use flowglass_tests::screen::Screen;
use flowglass_tests::views::{Page, SHOWN_WITHIN};
use flowglass_tests::webdriver::Driver;
use serde_json::json;

use crate::table::{load, median};

/// Services of each layer, core systems first.
const LAYERS: [(&str, u64); 5] =
    [("backend", 400), ("system", 600), ("process", 500), ("experience", 300), ("consumer", 200)];
/// Calls from one layer (by its place above) to another: mostly one down, some inside, a few against the rules.
const CALLS: [(usize, usize, u64); 8] =
    [(4, 3, 2_200), (3, 2, 2_500), (2, 1, 3_000), (1, 0, 1_500), (2, 2, 300), (3, 1, 200), (1, 1, 200), (1, 2, 100)];
/// How long frames are looked at, milliseconds.
const LOOK: u64 = 4_000;
/// The aim: p95 of the map at most so many times that of the empty page.
const AIM: f64 = 1.25;
/// Scales it is moved at: all of it seen (0), names, figures, and figures beside the lines.
const SCALES: [(&str, f64); 4] =
    [("moved, all in view", 0.0), ("moved, names", 0.5), ("moved, cards", 0.9), ("moved, figures beside lines", 1.25)];
const ADDRESS: &str = "#/topology?range=all&fold=none";

/// Hands of a user, for the page: `hands.frames(move)` lets frames go by and answers the 95th percentile of the time between them.
const HANDS: &str = r"
  window.hands ??= (() => {
    const canvas = () => document.querySelector('.canvas');
    const middle = () => { const box = canvas().getBoundingClientRect(); return { x: box.left + box.width / 2, y: box.top + box.height / 2 }; };
    const scale = () => Number(/scale\(([\d.e-]+)\)/.exec(canvas().querySelector('.world').style.transform)?.[1] ?? 1);
    const wheel = (deltaY) => { const { x, y } = middle(); canvas().dispatchEvent(new WheelEvent('wheel', { bubbles: true, cancelable: true, clientX: x, clientY: y, deltaY })); };
    const frames = (look, move) => new Promise((done) => {
      const times = []; let last; let begin; let i = 0;
      const frame = (now) => {
        begin ??= now;
        if (last !== undefined) times.push(now - last);
        last = now;
        move(i++);
        if (now - begin < look) requestAnimationFrame(frame);
        else { times.sort((a, b) => a - b); done(times[Math.floor(times.length * 0.95)]); }
      };
      requestAnimationFrame(frame);
    });
    return {
      scale, frames, wheel,
      painted: () => [...document.querySelectorAll('.painting canvas')].some((one) => one.style.display === 'block'),
      async to(wanted) {
        for (let i = 0; i < 200 && Math.abs(Math.log2(wanted / scale())) > 0.05; i++) {
          wheel(Math.max(-150, Math.min(150, -500 * Math.log2(wanted / scale()))));
          await new Promise(requestAnimationFrame);
        }
      },
      async drag(look) {
        const { x, y } = middle();
        const at = (i) => ({ bubbles: true, cancelable: true, view: window, button: 0, buttons: 1, clientX: x + 260 * Math.sin(i / 25), clientY: y + 160 * Math.sin(i / 40) });
        canvas().dispatchEvent(new MouseEvent('mousedown', at(0)));
        const p95 = await frames(look, (i) => window.dispatchEvent(new MouseEvent('mousemove', at(i))));
        window.dispatchEvent(new MouseEvent('mouseup', at(0)));
        return p95;
      },
      async empty(look) {
        const sheet = document.createElement('div');
        sheet.style.cssText = 'position: fixed; inset: 0; z-index: 9999; background: gray';
        const box = sheet.appendChild(document.createElement('div'));
        box.style.cssText = 'width: 60px; height: 60px; background: white; will-change: transform';
        const all = [...document.body.children].map((one) => [one, one.style.display]);
        for (const [one] of all) one.style.display = 'none';
        document.body.append(sheet);
        await new Promise((done) => setTimeout(done, 300));
        const p95 = await frames(look, (i) => (box.style.transform = `translate(${300 + 260 * Math.sin(i / 25)}px, ${300 + 160 * Math.sin(i / 40)}px)`));
        sheet.remove();
        for (const [one, display] of all) one.style.display = display;
        await new Promise((done) => setTimeout(done, 500));
        return p95;
      },
    };
  })();";

/// Measures the map in a browser and in the window, and prints it.
///
/// # Errors
/// If either does not open, or what is imported is refused.
pub(crate) fn measure(folder: &Path, rounds: usize) -> Result<()> {
    let workspace = folder.join("map.flowglass");
    import(&workspace)?;
    println!("\nA map of 2,000 participants and 10,000 interactions, p95 of frames in ms over {} s", LOOK / 1000);
    let serve = Serve::start(&workspace, &["--ui", "127.0.0.1:0"])?;
    let browser = Driver::quiet_browser(&folder.join("map"))?;
    browser.resize(1600, 1000)?;
    browser.goto(&format!("{}{ADDRESS}", serve.ui()))?;
    let painted = painted(&browser)?;
    println!("{:<46}{painted:>11.0}", "browser, ms from the answer to the picture");
    frames("browser", &browser, rounds)?;
    drop(browser);
    serve.stop()?;

    let screen = Screen::start(1600, 1000)?;
    let file = workspace.to_str().context("a path of letters")?;
    let arguments = ["--workspace", file, "--otlp-grpc", "off", "--otlp-http", "127.0.0.1:0", "--size", "1600x1000"];
    let window = Driver::window(&screen, &binary("flowglass-window")?, &arguments, &[])?;
    Page(&window).ready()?;
    window.run("location.hash = arguments[0]", json!([ADDRESS]))?;
    shown(&window)?;
    frames("window", &window, rounds)
}

/// Milliseconds from the answer until it is painted, on a page that is loaded anew.
fn painted(driver: &Driver) -> Result<f64> {
    shown(driver)?;
    driver.run("location.reload()", json!([]))?;
    let script = format!(
        "const done = arguments[arguments.length - 1]; {HANDS}
         const look = () => {{
           const [answer] = performance.getEntriesByType('resource').filter((entry) => entry.name.endsWith('/topology'));
           if (answer && hands.painted()) return done(performance.now() - answer.responseEnd);
           requestAnimationFrame(look);
         }};
         requestAnimationFrame(look);"
    );
    driver.run_async(&script, json!([]))?.as_f64().context("milliseconds")
}

fn shown(driver: &Driver) -> Result<()> {
    until("the map to be painted", SHOWN_WITHIN, || {
        match driver.run(&format!("{HANDS} return hands.painted();"), json!([]))?.as_bool() {
            Some(true) => Ok(()),
            _ => bail!("nothing is painted yet"),
        }
    })
}

fn frames(place: &str, driver: &Driver, rounds: usize) -> Result<()> {
    let ask = |words: &str| -> Result<f64> {
        let script =
            format!("const done = arguments[arguments.length - 1]; {HANDS} (async () => {words})().then(done);");
        driver.run_async(&script, json!([]))?.as_f64().with_context(|| format!("a time for {words}"))
    };
    println!("{:<46}{:>11}{:>11}{:>11}", format!("{place} ({})", load()), "map", "empty page", "ratio");
    let look = |label: &str, prepare: &dyn Fn() -> Result<()>, act: &str| -> Result<()> {
        let (mut of_map, mut of_empty, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds {
            prepare()?;
            let before = ask(&format!("hands.empty({LOOK})"))?;
            let map = ask(act)?;
            let empty = f64::midpoint(before, ask(&format!("hands.empty({LOOK})"))?);
            of_map.push(map);
            of_empty.push(empty);
            ratios.push(map / empty);
        }
        let ratio = median(&ratios);
        let note = if ratio > AIM { format!("  over {AIM}") } else { String::new() };
        println!("{label:<46}{:>11.1}{:>11.1}{ratio:>11.2}{note}", median(&of_map), median(&of_empty));
        Ok(())
    };
    let fit = ask("hands.scale()")?;
    for (label, scale) in SCALES {
        let scale = if scale == 0.0 { fit } else { scale };
        let prepare = || ask(&format!("hands.to({scale}).then(() => hands.frames(1500, () => undefined))")).map(drop);
        look(label, &prepare, &format!("hands.drag({LOOK})"))?;
    }
    let prepare = || ask(&format!("hands.to({fit}).then(() => hands.frames(1500, () => undefined))")).map(drop);
    look("zoomed in and out", &prepare, &format!("hands.frames({LOOK}, (i) => hands.wheel(i % 240 < 120 ? -14 : 14))"))
}

/// A pseudo-random number that depends on its argument only (SplitMix64, Steele, Lea and Flood 2014).
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// One of so many, the first ones much more often: some services are busy.
fn pick(seed: u64, many: u64) -> u64 {
    let part = mix(seed) as f64 / u64::MAX as f64;
    ((part.powf(1.7) * many as f64) as u64).min(many - 1)
}

/// Writes one call of every interaction as OTLP/JSON and imports it; each fiftieth fails.
fn import(workspace: &Path) -> Result<()> {
    let mut pairs = BTreeSet::new();
    let mut seed = 0;
    for (from, to, many) in CALLS {
        let wanted = pairs.len() + many as usize;
        while pairs.len() < wanted {
            let (source, target) = (pick(seed, LAYERS[from].1), pick(seed + 1, LAYERS[to].1));
            seed += 2;
            if (from, source) != (to, target) {
                pairs.insert(((from, source), (to, target)));
            }
        }
    }
    let begin = now() - 600_000_000_000;
    let mut of: BTreeMap<(usize, u64), String> = BTreeMap::new();
    let mut span = |service, trace: usize, id: usize, parent: usize, kind: u8, from: u64, length: u64, failed: bool| {
        let list = of.entry(service).or_default();
        let comma = if list.is_empty() { "" } else { "," };
        let parent = if parent == 0 { String::new() } else { format!(r#","parentSpanId":"{parent:016x}""#) };
        let status = if failed { r#","status":{"code":2}"# } else { "" };
        let _ = write!(
            list,
            r#"{comma}{{"traceId":"{:032x}","spanId":"{id:016x}"{parent},"name":"GET /things","kind":{kind},"startTimeUnixNano":"{from}","endTimeUnixNano":"{}"{status}}}"#,
            trace + 1,
            from + length,
        );
    };
    for (n, (source, target)) in pairs.iter().enumerate() {
        let (id, from, failed) = (n * 3 + 1, begin + n as u64 * 50_000_000, n % 50 == 0);
        span(*source, n, id, 0, 2, from, 40_000_000, false);
        span(*source, n, id + 1, id, 3, from + 1_000_000, 30_000_000, failed);
        span(*target, n, id + 2, id + 1, 2, from + 2_000_000, 27_000_000, failed);
    }
    let resources = of.iter().map(|((layer, number), spans)| {
        let layer = LAYERS[*layer].0;
        format!(
            r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{layer}-{number}"}}}},{{"key":"flowglass.layer","value":{{"stringValue":"{layer}"}}}}]}},"scopeSpans":[{{"spans":[{spans}]}}]}}]}}"#
        )
    });
    let file = workspace.with_extension("jsonl");
    std::fs::write(&file, resources.collect::<Vec<_>>().join("\n")).with_context(|| file.display().to_string())?;
    let arguments: [PathBuf; 5] =
        ["import".into(), "--workspace".into(), workspace.into(), "--json".into(), file.clone()];
    let report = flowglass(&arguments)?;
    std::fs::remove_file(&file)?;
    if report["rejected_total"] != 0 {
        bail!("the landscape was refused: {report}");
    }
    Ok(())
}

//! How long people wait in the page: from the key or click until the answer is painted.

use anyhow::{Context as _, Result};
use flowglass_tests::product::Serve;
use flowglass_tests::views::Page;
use flowglass_tests::webdriver::Driver;
use serde_json::json;

use crate::answers::AIM;
use crate::large::JOURNEYS;
use crate::table::{Times, heading, line, load};

/// Something somebody does: how, and by what it is seen that the answer is there. `N` is the round; `before` is what `ready`
/// gave at the outset.
struct Act {
    label: &'static str,
    act: &'static str,
    ready: &'static str,
    /// Milliseconds it may take.
    within: f64,
}

const fn act(label: &'static str, act: &'static str, ready: &'static str) -> Act {
    Act { label, act, ready, within: AIM }
}

/// A journey of 10,000 spans may take this long until it is painted, milliseconds; larger ones in proportion.
const LARGE: f64 = 300.0;

/// In the order of somebody who looks around; each leaves the page where the next begins.
const ACTS: &[Act] = &[
    act("open the map (G T)", "keys('g', 't')", "area() === 'Topology' && all('[data-node]').length > 5"),
    act(
        "select a participant, figures and all",
        "const cards = all('[data-node^=service]'); node = cards[N % cards.length].dataset.node; location.hash = `#/topology?range=all&sel=${encodeURIComponent(node)}`",
        "one('aside h2, [data-region=inspector]') && one('[data-region=inspector]').innerText.includes(node.split(/[/:]/).pop().split('@')[0]) && !one('[data-region=inspector] .skeleton')",
    ),
    act("the map as a table (T)", "keys('t')", "one('[role=grid] [role=row], table tbody tr') !== null"),
    act("back to the picture (T)", "keys('t')", "all('[data-node]').length > 5"),
    act(
        "list of journeys (G J)",
        "keys('g', 'j')",
        "area() === 'Journeys' && all('.journey-rows [role=option]').length > 5",
    ),
    act(
        "open a journey",
        "const rows = all('.journey-rows [role=option]'); row = rows[2 + N % 5]; key = row.querySelector('.mono').textContent.trim(); row.click()",
        "row.getAttribute('aria-selected') === 'true' && words('.pane .head').includes(key) && all('#journey-panel [role=row]').length > 1",
    ),
    act("filter: only failed (click)", "chip('Failed').click()", "changed(one('.panel .head .meta')?.textContent)"),
    act("filter off (click)", "chip('All').click()", "changed(one('.panel .head .meta')?.textContent)"),
    act(
        "filter: a service (typed, Enter)",
        "type('Filter journeys', 'service:payments-sys-api')",
        "changed(one('.panel .head .meta')?.textContent)",
    ),
    act("filter cleared", "type('Filter journeys', '')", "changed(one('.panel .head .meta')?.textContent)"),
    act(
        "search box: a key (typed)",
        "const box = one('#search'); box.focus(); box.value = KEYS[N % KEYS.length]; box.dispatchEvent(new Event('input', { bubbles: true }))",
        "one('#search-list')?.innerText.includes('this id or key')",
    ),
    act(
        "the journey it found (Enter)",
        "one('#search').dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }))",
        "location.hash.includes('find=') && one('.found') && all('.journey-rows [role=option]').length > 0 && one('.pane .head .key')",
    ),
    Act {
        label: "a journey of 10,000 spans",
        act: "location.hash = `#/journeys?range=all&id=${LARGE[0]}`",
        ready: "all('#journey-panel [role=row]').length > 5 && words('.pane footer').includes('of 10 k spans')",
        within: LARGE,
    },
    Act {
        label: "a journey of 50,000 spans",
        act: "location.hash = `#/journeys?range=all&id=${LARGE[1]}`",
        ready: "all('#journey-panel [role=row]').length > 5 && words('.pane footer').includes('of 50 k spans')",
        within: LARGE * 5.0,
    },
    act("events (G E)", "keys('g', 'e')", "area() === 'Events' && all('.tail [role=row]').length > 5"),
    act(
        "open an event",
        "const rows = all('.tail [role=grid] [role=row]'); row = rows[1 + N % 5]; was = one('#event-panel')?.innerText ?? ''; row.click()",
        "row.getAttribute('aria-selected') === 'true' && one('#event-panel') && one('#event-panel').innerText !== was",
    ),
    act("events that failed (click)", "pick('failed').click()", "changed(one('.tail footer')?.innerText)"),
    act("all events again (click)", "pick('all').click()", "changed(one('.tail footer')?.innerText)"),
    act("logs (click)", "segment('Logs').click()", "all('.logs [role=grid] [role=row]').length > 5"),
    act("logs: only errors (click)", "pick('error').click()", "changed(one('.logs footer')?.innerText)"),
    act("all logs again (click)", "pick('error').click()", "changed(one('.logs footer')?.innerText)"),
    act("messages again (click)", "segment('Messages').click()", "all('.tail [role=row]').length > 5"),
    act("settings (G ,)", "keys('g', ',')", "area() === 'Settings' && one('main [data-ready=true]')"),
];

const HELPERS: &str = r"
const all = (css) => [...document.querySelectorAll(css)];
const one = (css) => document.querySelector(css);
const words = (css) => one(css)?.innerText.replace(/\s+/g, ' ') ?? '';
const area = () => one('nav [aria-current=page]')?.textContent.trim();
const keys = (...names) => names.forEach((key) => document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true })));
const named = (css, word) => all(css).find((e) => e.textContent.trim().startsWith(word));
const chip = (word) => named('.panel .chips button', word);
const pick = (word) => all('.pick').find((e) => e.textContent.trim().toLowerCase().startsWith(word));
const segment = (word) => named('.segmented button', word);
const type = (label, text) => {
  const box = one(`input[aria-label='${label}']`);
  box.focus();
  box.value = text;
  box.dispatchEvent(new Event('input', { bubbles: true }));
  box.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
};
let node, row, key, was, first, before;
const changed = (now) => { if (first) before = now; return !first && now !== undefined && now !== before; };
";

/// Milliseconds from doing it until the frame with the answer is painted.
fn wait_for(driver: &Driver, of: &Act, round: usize, keys: &[String]) -> Result<f64> {
    let script = format!(
        r"const [N, KEYS, LARGE] = arguments; const done = arguments[arguments.length - 1]; {HELPERS}
        const ready = () => {{ try {{ return !!({ready}); }} catch {{ return false; }} }};
        first = true; ready(); first = false;
        const begin = performance.now();
        const look = () => {{
          const late = performance.now() - begin > 20000;
          if (!ready() && !late) return requestAnimationFrame(look);
          // After this frame is painted.
          const channel = new MessageChannel();
          channel.port1.onmessage = () => done(late ? -1 : performance.now() - begin);
          channel.port2.postMessage(0);
        }};
        {{ {act} }}
        requestAnimationFrame(look);",
        ready = of.ready,
        act = of.act,
    );
    let ms = driver
        .run_async(&script, json!([round, keys, JOURNEYS.map(|(_, trace)| trace)]))?
        .as_f64()
        .context("a number")?;
    if ms < 0.0 {
        anyhow::bail!("no answer within 20 s; the page reads: {}", Page(driver).text()?);
    }
    Ok(ms)
}

/// Does everything some rounds over and prints it.
///
/// # Errors
/// If the page does not answer.
pub(crate) fn measure(serve: &Serve, driver: &Driver, rounds: usize) -> Result<()> {
    let page = Page(driver);
    driver.goto(serve.ui())?;
    page.ready()?;
    let here = driver.url()?;
    let here = here.split('#').next().unwrap_or_default();
    let keys = "const done = arguments[arguments.length - 1];
        fetch('/api/request/journeys', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ range: {}, limit: 300 }) })
          .then((r) => r.json()).then((page) => done(page.rows.map((r) => r.keys[0]?.value).filter(Boolean)));";
    let keys: Vec<String> = serde_json::from_value(driver.run_async(keys, json!([]))?)?;
    // Nothing is remembered of an earlier visit, and the range is all there is.
    for view in ["events", "settings"] {
        driver.goto(&format!("{here}#/{view}?range=all"))?;
        page.ready()?;
    }
    let mut times = vec![Times::default(); ACTS.len()];
    for round in 0..rounds {
        for (of, times) in ACTS.iter().zip(&mut times) {
            times.extend([wait_for(driver, of, round, &keys).with_context(|| of.label)?]);
        }
    }
    let frame = empty_frame(driver)?;
    heading(
        &format!(
            "Waited for in the page, ms, {rounds} times each; a change on an empty page took {frame:.0} ms ({})",
            load()
        ),
        &["first", "median", "worst"],
    );
    for (of, times) in ACTS.iter().zip(&times) {
        line(of.label, times, of.within);
    }
    let missed = ACTS.iter().zip(&times).filter(|(of, t)| t.median() > of.within).count();
    println!(
        "{} of {} within {AIM:.0} ms (large journeys: {LARGE:.0} ms per 10,000 spans)",
        ACTS.len() - missed,
        ACTS.len()
    );
    Ok(())
}

/// The same measure for a page that has nothing to do but show one word more, median of several.
fn empty_frame(driver: &Driver) -> Result<f64> {
    driver.goto("data:text/html,<p></p>")?;
    let of = act("", "document.querySelector('p').textContent += 'x'", "true");
    let mut times = Times::default();
    for round in 0..15 {
        times.extend([wait_for(driver, &of, round, &[])?]);
    }
    Ok(times.median())
}

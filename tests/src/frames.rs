//! Times between the frames that a page draws.

use anyhow::{Result, bail};
use serde_json::json;

use crate::figures::Times;
use crate::webdriver::Driver;

/// Pixels a second: a hand on a wheel.
const SPEED: u64 = 3_000;

/// Times between frames over `look` milliseconds, scrolling up and down in `scrolls` (none: only watching).
///
/// # Errors
/// If the page does not answer, or draws hardly any.
pub fn frames(driver: &Driver, scrolls: Option<&str>, look: u64) -> Result<Times> {
    let script = "const [look, css, speed] = arguments; const done = arguments[arguments.length - 1];
        const box = css === null ? null : document.querySelector(css);
        const times = []; let last; let begin; let way = 1;
        const frame = (now) => {
          begin ??= now;
          if (last !== undefined) times.push(now - last);
          if (box && last !== undefined) {
            const room = box.scrollHeight - box.clientHeight;
            if (box.scrollTop >= room - 600) way = -1;
            if (box.scrollTop <= 600) way = 1;
            box.scrollTop += (way * speed * (now - last)) / 1000;
          }
          last = now;
          if (now - begin < look) requestAnimationFrame(frame); else done(times);
        };
        if (box) box.scrollTop = Math.min(box.scrollHeight / 2, 2000000);
        requestAnimationFrame(frame);";
    let ms: Vec<f64> = serde_json::from_value(driver.run_async(script, json!([look, scrolls, SPEED]))?)?;
    if ms.len() < 10 {
        bail!("only {} frames in {look} ms", ms.len());
    }
    let mut times = Times::default();
    times.extend(ms);
    Ok(times)
}

/// The 95th percentile of an empty page, milliseconds; the page is as long as a list of 100,000 rows, so that it scrolls alike.
///
/// # Errors
/// As [`frames`].
pub fn empty(driver: &Driver, look: u64) -> Result<f64> {
    driver.goto("data:text/html,<div style='height:3000000px'></div>")?;
    Ok(frames(driver, Some("html"), look)?.quantile(0.95))
}

//! Large text, small windows, forced colours, no motion.

use anyhow::{Result, bail};
use serde_json::json;

use super::axe::unfit_for_some;
use super::show::{Show, View};
use crate::ui::asked_for;

const VIEWS: [View; 6] = [View::Map, View::Node, View::Table, View::Journey, View::Event, View::Settings("sources")];

/// At 200 % nothing is lost (WCAG 1.4.4): the page itself never scrolls sideways, and what stays in every view can be reached.
#[test]
fn twice_as_large_loses_nothing() -> Result<()> {
    if !asked_for("the real browser") {
        return Ok(());
    }
    let show = Show::open()?;
    let mut wrong = Vec::new();
    show.driver.zoom(1280, 800, 2)?;
    for view in VIEWS {
        show.at(view)?;
        let script = "const page = document.scrollingElement;
            const out = [];
            if (page.scrollWidth > innerWidth) out.push(`the page is ${page.scrollWidth} wide, the window ${innerWidth}`);
            if (page.scrollHeight > innerHeight) out.push(`the page is ${page.scrollHeight} high, the window ${innerHeight}`);
            for (const css of ['#search', '.rail a', 'button[aria-label=LIVE]', 'button[aria-label^=\"Time range\"]']) {
              const box = document.querySelector(css)?.getBoundingClientRect();
              if (!box || box.width < 24 || box.left < 0 || box.right > innerWidth) out.push(`${css} cannot be reached`);
            }
            return out";
        let found: Vec<String> = serde_json::from_value(show.driver.run(script, json!([]))?)?;
        wrong.extend(found.into_iter().map(|what| format!("{view:?}: {what}")));
        wrong.extend(unfit_for_some(&show.driver, &format!("{view:?} at 200 %"))?);
    }
    if !wrong.is_empty() {
        bail!("at 200 %:\n  {}", wrong.join("\n  "));
    }
    show.end()
}

/// With the colours of the system, what is chosen and what connects is still told apart from what is not.
#[test]
fn forced_colours_keep_what_matters() -> Result<()> {
    if !asked_for("the real browser") {
        return Ok(());
    }
    let show = Show::open()?;
    show.driver.media(&[("forced-colors", "active"), ("prefers-reduced-motion", "reduce")])?;
    let mut wrong = Vec::new();
    for view in VIEWS {
        show.at(view)?;
        let script = "const style = (e) => getComputedStyle(e);
            const canvas = style(document.body).backgroundColor;
            const out = [];
            for (const e of document.querySelectorAll('[aria-pressed=true]:not([data-node]), [aria-current=page], [role=tab][aria-selected=true]'))
              if (style(e).backgroundColor === canvas) out.push(`${e.outerHTML.slice(0, 90)} does not look chosen`);
            for (const e of document.querySelectorAll('[role=option][aria-selected=true], [role=row][aria-selected=true]'))
              if (style(e).outlineStyle === 'none') out.push(`${e.outerHTML.slice(0, 90)} does not look chosen`);
            for (const e of document.querySelectorAll('.edges .line')) if (style(e).stroke === canvas) out.push('a line is not seen');
            for (const e of document.querySelectorAll('.waterfall .bar')) if (style(e).outlineStyle === 'none') out.push('a bar is not seen');
            return [...new Set(out)]";
        let found: Vec<String> = serde_json::from_value(show.driver.run(script, json!([]))?)?;
        wrong.extend(found.into_iter().map(|what| format!("{view:?}: {what}")));
    }
    if !wrong.is_empty() {
        bail!("with forced colours:\n  {}", wrong.join("\n  "));
    }
    show.end()
}

/// Whoever asks for no motion gets none; and who does not, sees the flow along what is selected.
#[test]
fn nothing_moves_when_nothing_should() -> Result<()> {
    if !asked_for("the real browser") {
        return Ok(());
    }
    let show = Show::open()?;
    let moving = "return document.getAnimations().map((a) => a.animationName ?? a.transitionProperty ?? '?')";
    for view in VIEWS {
        show.at(view)?;
        let found: Vec<String> = serde_json::from_value(show.driver.run(moving, json!([]))?)?;
        assert!(found.is_empty(), "{view:?}: {found:?}");
    }
    show.driver.media(&[])?;
    show.at(View::Topic)?;
    let found: Vec<String> = serde_json::from_value(show.driver.run(moving, json!([]))?)?;
    assert!(!found.is_empty(), "events flow along the lines of a selected subject");
    show.end()
}

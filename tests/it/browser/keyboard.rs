//! Everything by the keyboard alone.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};
use flowglass_tests::process::until;
use flowglass_tests::views::{Area, SHOWN_WITHIN};
use serde_json::json;

use super::show::{Show, View};
use crate::ui::asked_for;

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
const DOWN: &str = "\u{e015}";
const RIGHT: &str = "\u{e014}";
const F6: &str = "\u{e036}";
/// More stops than any view has.
const STOPS: usize = 160;

impl Show {
    /// What has the focus: its role or tag and its name.
    fn focus(&self) -> Result<String> {
        let script = "const e = document.activeElement;
            if (!e || e === document.body) return '';
            return `${e.getAttribute('role') ?? e.tagName.toLowerCase()} ${(e.getAttribute('aria-label') ?? e.innerText ?? '').replace(/\\s+/g, ' ').trim().slice(0, 60)}`";
        Ok(self.driver.run(script, json!([]))?.as_str().unwrap_or_default().to_owned())
    }

    fn keys(&self, keys: &[&str]) -> Result<()> {
        self.driver.keys(keys)
    }

    /// Waits until the focus is on something whose role and name hold a text.
    fn focused(&self, on: &str) -> Result<()> {
        until(&format!("the focus on {on}"), SHOWN_WITHIN, || {
            let focus = self.focus()?;
            if focus.contains(on) { Ok(()) } else { bail!("it is on `{focus}`") }
        })
    }

    /// Presses Tab until the focus is on something like this.
    fn tab_to(&self, on: &str) -> Result<()> {
        let mut seen = Vec::new();
        for _ in 0..STOPS {
            self.keys(&[TAB])?;
            let focus = self.focus()?;
            if focus.contains(on) {
                return Ok(());
            }
            seen.push(focus);
        }
        bail!("Tab never comes to {on}; it came to {seen:?}")
    }
}

/// Tab goes through every view and comes out again at its end; every stop is seen and has a ring; the map is one stop.
#[test]
fn tab_goes_all_the_way_round() -> Result<()> {
    if !asked_for("the real browser") {
        return Ok(());
    }
    let show = Show::open()?;
    for view in [View::Map, View::Node, View::Table, View::Journey, View::Event, View::Logs, View::Settings("noise")] {
        show.at(view)?;
        // From the first link on: a blurred page would go on from where the focus was last.
        let begin =
            "const first = document.querySelector('.rail a'); first.focus(); window.stops = [first]; return null";
        show.driver.run(begin, json!([]))?;
        let mut ended = false;
        for _ in 0..STOPS {
            show.keys(&[TAB])?;
            // Once round, the focus leaves the page for the browser's own controls, or is where it began.
            let script = "const e = document.activeElement;
                if (!e || e === document.body || window.stops.includes(e)) return 'round';
                window.stops.push(e);
                const box = e.getBoundingClientRect(), style = getComputedStyle(e), ring = getComputedStyle(e).outlineStyle !== 'none';
                const seen = box.width > 0 && box.height > 0 && style.visibility !== 'hidden' && box.right > 0 && box.bottom > 0 && box.left < innerWidth && box.top < innerHeight;
                return seen && (ring || e.matches('.splitter')) ? '' : `${e.outerHTML.slice(0, 120)} ${seen ? 'has no ring' : 'is not seen'}`";
            match show.driver.run(script, json!([]))?.as_str() {
                Some("") => {}
                Some("round") => {
                    ended = true;
                    break;
                }
                other => bail!("{view:?}: {other:?}"),
            }
        }
        let stops = show.driver.run("return window.stops.length", json!([]))?;
        assert!(ended, "{view:?}: the focus does not come out again after {STOPS} stops");
        assert!(stops.as_u64().is_some_and(|n| n > 8), "{view:?}: only {stops} stops");
        let cards = show.driver.run("return window.stops.filter((e) => e.matches('[data-node]')).length", json!([]))?;
        assert!(cards.as_u64().is_some_and(|n| n <= 1), "{view:?}: the map is one stop, not {cards}");
    }
    show.end()
}

/// From the map to the failed call of a journey, its attributes, an event and a log line: no pointer.
#[test]
fn from_the_map_to_the_cause() -> Result<()> {
    if !asked_for("the real browser") {
        return Ok(());
    }
    let show = Show::open()?;
    let page = show.page();
    show.at(View::Map)?;
    // The regions, one after the other.
    let mut regions = BTreeSet::new();
    for _ in 0..6 {
        show.keys(&[F6])?;
        let at = "return document.activeElement.closest('[data-region]')?.dataset.region ?? ''";
        regions.insert(show.driver.run(at, json!([]))?.as_str().unwrap_or_default().to_owned());
    }
    assert!(["rail", "top", "main", "timeline"].iter().all(|r| regions.contains(*r)), "{regions:?}");

    // A card by the arrows, its inspector by Enter, back by Esc.
    show.driver.run("document.querySelector('[data-node][tabindex=\"0\"]').focus(); return null", json!([]))?;
    let first = show.focus()?;
    show.keys(&[RIGHT])?;
    until("another card", SHOWN_WITHIN, || if show.focus()? == first { bail!("{first}") } else { Ok(()) })?;
    let card = show.focus()?;
    show.keys(&[ENTER])?;
    let name = card.trim_start_matches("button ").split(',').next().context("a name")?.to_owned();
    page.find("complementary", &flowglass_tests::views::escape(&name))?;
    show.keys(&[ESCAPE])?;

    // A journey: the list by Tab and arrows, the next error by E, the inspector's tabs by arrows.
    page.open_by_key(Area::Journeys)?;
    show.at(View::Journey)?;
    show.tab_to("option ")?;
    let chosen = show.focus()?;
    show.keys(&[DOWN])?;
    until("the next journey", SHOWN_WITHIN, || if show.focus()? == chosen { bail!("{chosen}") } else { Ok(()) })?;
    page.find("row", ".")?;
    show.keys(&["e"])?;
    page.find("complementary", ".")?;
    show.tab_to("tab Attributes")?;
    show.keys(&[RIGHT])?;
    show.focused("tab Events")?;

    // The event that is selected opens its journey by O.
    show.at(View::Event)?;
    show.keys(&["j"])?;
    page.find("button", "^Open journey")?;
    show.keys(&["o"])?;
    page.shows(Area::Journeys)?;
    show.end()
}

/// Menus, dialogs and popovers take the focus, keep it, and give it back.
#[test]
fn what_opens_gives_the_focus_back() -> Result<()> {
    if !asked_for("the real browser") {
        return Ok(());
    }
    let show = Show::open()?;
    let page = show.page();
    show.at(View::Map)?;
    let inside = "return document.activeElement.closest('.float, dialog') !== null";
    for button in ["Copy or save the map", "Time range", "Workspace", "Domains"] {
        show.driver.run("document.querySelector('.rail a').focus(); return null", json!([]))?;
        show.tab_to(button)?;
        show.keys(&[ENTER])?;
        until(&format!("{button} to take the focus"), SHOWN_WITHIN, || {
            if show.driver.run(inside, json!([]))? == true { Ok(()) } else { bail!("it is on `{}`", show.focus()?) }
        })?;
        show.keys(&[ESCAPE])?;
        show.focused(button)?;
    }
    // The dialog of all keys: Tab stays inside, Esc closes.
    show.driver.run("document.activeElement?.blur(); return null", json!([]))?;
    show.keys(&["?"])?;
    page.find("button", "^About Flowglass")?;
    for _ in 0..4 {
        show.keys(&[TAB])?;
        let at = show.driver.run(
            "return document.activeElement === document.body || document.activeElement.closest('dialog') !== null",
            json!([]),
        )?;
        assert_eq!(at, true, "{}", show.focus()?);
    }
    show.close_all()?;
    // A menu by its arrows: the choice is carried out.
    show.at(View::Node)?;
    show.tab_to("Layer: ")?;
    show.keys(&[ENTER])?;
    show.focused("menuitemradio")?;
    show.keys(&[DOWN, ESCAPE])?;
    show.focused("Layer: ")?;
    // The search: what is typed is found, Enter goes there.
    show.driver.run("document.querySelector('.rail a').focus(); return null", json!([]))?;
    show.tab_to("combobox Search")?;
    show.keys(&["c", "r", "m", "-"])?;
    page.find("option", "^crm-sys-api")?;
    show.keys(&[ENTER])?;
    page.find("complementary", "crm-sys-api")?;
    show.end()
}

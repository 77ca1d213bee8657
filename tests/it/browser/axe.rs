//! Every view, dialog, menu and inspector, in both themes, looked at by axe-core.

use anyhow::{Context as _, Result, bail};
use flowglass_tests::views::Theme;
use flowglass_tests::webdriver::Driver;
use serde_json::json;

use super::show::{Show, View};
use crate::ui::{asked_for, sdk_folder};

/// What axe-core (WCAG 2.2 A and AA) finds wrong with the page as it is. Cards, rows and lines of lists speak their figures in words
/// ("118 per second") and show them short ("118/s"), as the design asks; what they are called stands first in both.
pub(crate) fn unfit_for_some(driver: &Driver, view: &str) -> Result<Vec<String>> {
    if driver.run("return !window.axe", json!([]))? == true {
        let path = sdk_folder()?.join("node/node_modules/axe-core/axe.min.js");
        let axe = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        driver.run(&format!("{axe}; return null"), json!([]))?;
    }
    let script = "const done = arguments[arguments.length - 1];
        const rows = (node) => document.querySelector(node.target[0])?.matches('[data-node], [role=option], [role=row]');
        axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], resultTypes: ['violations'] })
          .then((r) => done(r.violations
            .map((v) => ({ ...v, nodes: v.id === 'label-content-name-mismatch' ? v.nodes.filter((n) => !rows(n)) : v.nodes }))
            .filter((v) => v.nodes.length > 0)
            .map((v) => `${v.id}: ${v.help}; ${v.nodes.length} times, first ${v.nodes[0].html.slice(0, 160)} ${v.nodes[0].any[0]?.message ?? ''}`)),
          (e) => done([String(e)]));";
    let found: Vec<String> = serde_json::from_value(driver.run_async(script, json!([]))?)?;
    Ok(found.into_iter().map(|what| format!("{view}: {what}")).collect())
}

/// Something to open in a view: its name, and the buttons, tabs or items that open it, each by role and name.
type Opened = (&'static str, View, &'static [(&'static str, &'static str)]);

const OPENED: [Opened; 21] = [
    ("the time menu", View::Map, &[("button", "^Time range")]),
    ("the workspaces", View::Map, &[("button", "^Workspace")]),
    ("the environments", View::Map, &[("button", "^Environment")]),
    ("the domains", View::Map, &[("button", "^Domains")]),
    ("the exports", View::Map, &[("button", "^Copy or save the map")]),
    ("all keys", View::Map, &[("button", "^All keys")]),
    ("a layer's choices", View::Node, &[("button", "^Layer: ")]),
    ("a failing path", View::Map, &[("button", "failing path")]),
    ("a duration to filter by", View::Journey, &[("button", "^Slower than")]),
    ("a participant to filter by", View::Journey, &[("button", "^Only with a participant")]),
    ("what to do with a value", View::Journey, &[("button", "what to do with it$")]),
    ("deleting a journey", View::Journey, &[("button", "^More: delete"), ("menuitem", "^Delete the open")]),
    ("deleting a range", View::Map, &[("button", "^Time range"), ("button", "^Delete this range")]),
    ("a journey as a table", View::Journey, &[("tab", "^Table$")]),
    ("a span's events", View::Journey, &[("tab", "^Events")]),
    ("a span as it came", View::Journey, &[("tab", "^Raw$")]),
    ("an event's headers", View::Event, &[("tab", "^Headers")]),
    ("an event's deliveries", View::Event, &[("tab", "^Deliveries")]),
    ("importing a design", View::Design("%20"), &[("button", "^Import")]),
    ("a participant more", View::Design("%20"), &[("button", "^Participant$")]),
    ("letting other machines send", View::Settings("sources"), &[("button", "^Let other machines send")]),
];

#[test]
fn everybody_can_use_every_view() -> Result<()> {
    if !asked_for("the real browser") {
        return Ok(());
    }
    let show = Show::open()?;
    let page = show.page();
    let mut unfit = Vec::new();
    for theme in Theme::ALL {
        page.theme(theme)?;
        for view in View::ALL {
            show.at(view)?;
            unfit.extend(unfit_for_some(&show.driver, &format!("{view:?}, {}", theme.name()))?);
        }
        for (name, view, clicks) in OPENED {
            show.at(view)?;
            for (role, button) in clicks {
                page.click(role, button).with_context(|| name.to_owned())?;
            }
            unfit.extend(unfit_for_some(&show.driver, &format!("{name}, {}", theme.name()))?);
            show.close_all()?;
        }
    }
    if !unfit.is_empty() {
        bail!("not everybody can use this:\n  {}", unfit.join("\n  "));
    }
    show.end()
}

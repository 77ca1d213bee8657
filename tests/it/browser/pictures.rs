//! The views as they look, compared with pictures that were looked at.
//!
//! The pictures stand in `tests/pictures`, half as large and with few colours, so that they stay small. Renew them, then look at them:
//! `FLOWGLASS_E2E=1 FLOWGLASS_RENEW=1 cargo nextest run -p flowglass-tests pictures`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use flowglass_tests::picture::{Picture, difference};
use flowglass_tests::product::{root, target};
use flowglass_tests::views::Theme;
use serde_json::json;

use super::show::{Show, View};
use crate::ui::asked_for;

/// Share of pixels that may look otherwise: another build of the browser sets letters a little differently.
const TOLERANCE: f64 = 0.015;
/// What other parts of the product, the time of day and free ports decide: the rail, the time menu, ranges in headings.
const MASKED: &str = ".rail, .top .end, .view-main header > .meta, .notices { visibility: hidden !important }";

const VIEWS: [(&str, View); 8] = [
    ("map", View::Map),
    ("node", View::Node),
    ("table", View::Table),
    ("journey", View::Journey),
    ("event", View::Event),
    ("logs", View::Logs),
    ("empty", View::Empty),
    ("noise", View::Settings("noise")),
];

/// Where the pictures stand.
fn references() -> PathBuf {
    root().join("tests/pictures")
}

/// Compares what is seen with the reference of this name, or renews it. What differs is told, and left to be looked at.
fn compare(show: &Show, name: &str, seen: &Path) -> Result<Option<String>> {
    let mask = "const sheet = new CSSStyleSheet(); sheet.replaceSync(arguments[0]); document.adoptedStyleSheets = [sheet]; return null";
    show.driver.run(mask, json!([MASKED]))?;
    let whole = seen.join(format!("{name}-whole.png"));
    show.page().picture(&whole)?;
    let now = Picture::read(&whole)?.small();
    let reference = references().join(format!("{name}.png"));
    if std::env::var_os("FLOWGLASS_RENEW").is_some() {
        std::fs::create_dir_all(references())?;
        now.write(&reference)?;
        return Ok(None);
    }
    let wanted = Picture::read(&reference).with_context(|| format!("{name} has no picture yet; see {}", file!()))?;
    let share = difference(&wanted, &now);
    if share <= TOLERANCE {
        return Ok(None);
    }
    now.write(&seen.join(format!("{name}.png")))?;
    Ok(Some(format!(
        "{name}: {:.1} % of the pixels differ; compare {} with {}",
        100.0 * share,
        whole.display(),
        reference.display()
    )))
}

#[test]
fn every_view_looks_as_it_did() -> Result<()> {
    if !asked_for("the real browser") {
        return Ok(());
    }
    let seen = target()?.join("pictures");
    std::fs::create_dir_all(&seen)?;
    let show = Show::open()?;
    let mut changed = Vec::new();
    for theme in Theme::ALL {
        // The button is in the part that is masked.
        show.driver.run("document.adoptedStyleSheets = []; return null", json!([]))?;
        show.page().theme(theme)?;
        for (name, view) in VIEWS {
            show.at(view)?;
            changed.extend(compare(&show, &format!("{name}-{}", theme.name()), &seen)?);
        }
    }
    show.driver.media(&[("forced-colors", "active"), ("prefers-reduced-motion", "reduce")])?;
    for (name, view) in [("map-forced", View::Map), ("journey-forced", View::Journey)] {
        show.at(view)?;
        changed.extend(compare(&show, name, &seen)?);
    }
    show.driver.media(&[("prefers-reduced-motion", "reduce")])?;
    show.driver.zoom(1280, 800, 2)?;
    show.at(View::Journey)?;
    changed.extend(compare(&show, "journey-large", &seen)?);
    if !changed.is_empty() {
        bail!("these look different; mend them, or renew the pictures (see {}):\n  {}", file!(), changed.join("\n  "));
    }
    show.end()
}

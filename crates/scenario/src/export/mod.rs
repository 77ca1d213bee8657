//! What leaves the studio: the decision record, and what skeletons of the chosen variant say. Designs' exporter writes those.
//!
//! Pure: the same input gives the same text. Nothing of it is fetched from anywhere; the HTML page holds its pictures and no script.

mod bars;
mod calls;
mod document;
mod events;
mod figures;
mod mermaid;
mod picture;
mod record;

pub use calls::calls;
pub use events::events;
pub use mermaid::mermaid;
pub use record::{Record, html, markdown};

use flowglass_model::SkeletonInfo;
use serde_json::Map;

use crate::model::{Scenario, Variant};

/// The variant that a study recommends, ready for the other exports: that of the file, else one made of its events.
pub fn recommended(scenario: &Scenario, recommended: &crate::decide::Recommended) -> Variant {
    let known = scenario.variants.iter().find(|v| v.name == recommended.name && v.events == recommended.events);
    known.cloned().unwrap_or_else(|| Variant::of(&recommended.name, recommended.events.clone()))
}

fn title(scenario: &Scenario) -> String {
    if scenario.title.is_empty() { "Scenario".to_owned() } else { scenario.title.clone() }
}

fn info(scenario: &Scenario, description: &str) -> SkeletonInfo {
    SkeletonInfo { title: title(scenario), description: Some(description.to_owned()), own: Map::new() }
}

/// A part of a path: letters, digits, `.`, `-` and `_`.
fn key(name: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '-' };
    let key: String = name.chars().map(kept).collect();
    if key.is_empty() { "unnamed".to_owned() } else { key }
}

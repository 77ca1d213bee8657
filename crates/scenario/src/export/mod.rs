//! What leaves the studio: the decision record, and skeletons of the chosen variant in the formats others read.
//!
//! Pure: the same input gives the same text. Nothing of it is fetched from anywhere; the HTML page holds its pictures and no script.

mod asyncapi;
mod bars;
mod document;
mod figures;
mod mermaid;
mod openapi;
mod picture;
mod record;

pub use asyncapi::asyncapi;
pub use mermaid::mermaid;
pub use openapi::openapi;
pub use record::{Record, html, markdown};

use crate::model::{Scenario, Variant};

/// The variant that a study recommends, ready for the other exports: that of the file, else one made of its events.
pub fn recommended(scenario: &Scenario, recommended: &crate::decide::Recommended) -> Variant {
    let known = scenario.variants.iter().find(|v| v.name == recommended.name && v.events == recommended.events);
    known.cloned().unwrap_or_else(|| Variant::of(&recommended.name, recommended.events.clone()))
}

/// A key as the formats allow it: letters, digits, `.`, `-` and `_`.
fn key(name: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '-' };
    let key: String = name.chars().map(kept).collect();
    if key.is_empty() { "unnamed".to_owned() } else { key }
}

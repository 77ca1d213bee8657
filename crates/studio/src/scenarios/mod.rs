//! Scenarios: files beside the workspace, what stands in them, and what simulating them found.

mod design;
mod files;
mod read;
mod results;
mod runs;
mod study;
mod templates;
mod verdict;
mod what_if;
mod words;

pub(crate) use files::{Folder, read as read_file};
pub use read::read_scenario_at;
pub(crate) use read::{Checked, check, fingerprint};
pub(crate) use runs::Runs;
pub(crate) use templates::{TEMPLATES, template};
pub(crate) use what_if::with_event;

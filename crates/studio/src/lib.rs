//! The application: owns the workspace, runs the sources, answers requests, emits updates.
//!
//! [`Studio::start`] opens a workspace for writing and starts its sources; [`Workspace::open`] only reads. Windows and the
//! loopback server call [`api::dispatch`] and forward [`Studio::updates`]; the command line asks [`Workspace`] directly.
//! Nothing here knows a window or HTTP.

pub mod api;
pub mod telemetry;

mod display;
mod handlers;
mod nats_saved;
mod otlp_json;
mod pipeline;
mod settings;
mod sources;
mod stitch;
mod studio;
mod ticker;
mod time;
mod views;
mod words;
mod workspace;

pub use flowglass_ingest as ingest;
pub use flowglass_model as model;
pub use flowglass_store as store;
pub use flowglass_topology as topology;
pub use pipeline::{Committed, Pipeline};
pub use settings::{SettingsError, parse as parse_settings};
pub use sources::ImportOutcome;
pub use studio::{Options, Studio, StudioError, system_clock, workspace_name};
pub use time::{parse_instant, rfc3339};
pub use words::{item_status, journey_state, layer_source, layer_title, node_kind, parse_journey_state, sure};
pub use workspace::{Settings, Workspace, WorkspaceError};

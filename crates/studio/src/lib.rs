//! The application: owns the workspace, runs the sources, answers requests, emits updates.
//!
//! [`Studio::start`] opens a workspace for writing and starts its sources; [`Workspace::open`] only reads. A [`Host`] holds the
//! studio of the workspace that is open and switches to others: windows and the loopback server call [`api::answer`] and forward
//! [`Host::updates`]; the command line asks [`Workspace`] directly.
//! Nothing here knows a window or HTTP.

pub mod api;
pub mod memory;
pub mod render;
pub mod share;
pub mod telemetry;

mod alerts;
mod bounded;
mod checking;
mod components;
mod configuration;
mod control;
mod designs;
mod diagnostics;
mod differences;
mod display;
mod erasing;
mod explain;
mod findings;
mod going;
mod handlers;
mod home;
mod host;
mod judge;
mod marks;
mod nats_saved;
mod notes;
mod observed;
mod otlp_json;
mod pipeline;
mod protobuf;
mod recent_log;
mod redrive;
mod restitching;
mod retention;
mod room;
mod rules;
mod scenarios;
mod scrub;
mod settings;
mod shape;
mod sources;
mod stitch;
mod stranger;
mod studio;
mod ticker;
mod time;
mod touched;
mod tx_source;
mod unsure;
mod views;
mod wire_form;
mod words;
mod workspace;

pub use checking::{CheckReport, check_workspace};
pub use components::components;
pub use designs::{
    DesignFileError, DriftFormat, DriftList, Fetch, Held, design_path, hold, observed_design, read_designs,
};
pub use diagnostics::{FILES as DIAGNOSTICS_FILES, bundle as diagnostics_bundle};
pub use differences::{DifferenceFormat, Differences, Part};
pub use findings::{FindingsFormat, FindingsList, Progress, evaluate};
pub use flowglass_design as design;
pub use flowglass_ingest as ingest;
pub use flowglass_model as model;
pub use flowglass_rules as rulings;
pub use flowglass_scenario as scenario;
pub use flowglass_store as store;
pub use flowglass_topology as topology;
pub use handlers::Kept;
pub use home::Home;
pub use host::{Host, told_to_end};
pub use observed::{Observed, ObservedError};
pub use pipeline::{Committed, Pipeline};
pub use protobuf::read_as as decode_protobuf;
pub use retention::{Removal, Removed};
pub use room::RESERVE;
pub use scenarios::read_scenario_at;
pub use settings::{SettingsError, parse as parse_settings};
pub use sources::ImportOutcome;
pub use studio::{Options, Studio, StudioError, system_clock, workspace_name};
pub use time::{parse_instant, rfc3339};
pub use words::{
    gap_kind, item_status, journey_state, layer_source, layer_title, mark_kind, node_kind, parse_journey_state, sure,
};
pub use workspace::{Settings, Workspace, WorkspaceError};

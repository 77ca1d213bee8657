//! One plain function per request.

mod about;
mod app;
mod arrival;
mod common;
mod compare;
mod configure;
mod decide;
mod design;
mod design_shape;
mod destinations;
mod difference;
mod drift;
mod elsewhere;
mod erase;
mod event_copy;
mod events;
mod exemplars;
mod export;
mod export_journey;
mod findings;
mod host;
mod journey_list;
mod journeys;
mod keys;
mod kinds;
mod logs;
mod marks;
mod moment_links;
mod nearby;
mod node;
mod notes;
mod observed;
mod pull;
mod query;
mod redrive;
mod retention;
mod rules_text;
mod scenario;
pub(crate) mod scene;
mod sequence;
mod sources;
mod span;
mod subject;
mod topology;
mod waiting;

pub(crate) use about::{about, diagnostics};
pub(crate) use app::{app, timeline};
pub(crate) use arrival::{self_test, set_forward, set_listener, snippets};
pub(crate) use common::common;
pub(crate) use compare::compare;
pub(crate) use configure::{edit_settings, rule_matches, set_layer, set_participants, settings};
pub(crate) use decide::decide_join;
pub(crate) use design::{design, design_export, design_import, design_import_stop, design_observe, design_save};
pub(crate) use destinations::destinations;
pub(crate) use difference::{difference, difference_export, versions};
pub(crate) use drift::{drift, drift_accept, drift_export, drift_keep};
pub(crate) use elsewhere::search_elsewhere;
pub(crate) use erase::{erase, erase_cancel};
pub(crate) use event_copy::event_copy;
pub(crate) use events::{event, events};
pub(crate) use exemplars::scenario_exemplars;
pub(crate) use export::map_export;
pub(crate) use export_journey::journey_export;
pub(crate) use findings::{findings, findings_cancel, findings_export, findings_looked, impact};
pub(crate) use host::{
    case_open, last_view, preferences, remember_view, set_preferences, workspace_forget, workspace_open, workspaces,
};
pub(crate) use journey_list::journeys;
pub(crate) use journeys::{fallback_layer, journey, journey_view, related_journeys};
pub(crate) use keys::propose_keys;
pub(crate) use kinds::{kinds, scatter};
pub(crate) use logs::logs;
pub(crate) use marks::{marks, remove_mark, set_mark};
pub(crate) use moment_links::moment_links;
pub(crate) use node::{edge, node};
pub(crate) use notes::{notes, set_note};
pub(crate) use observed::{scenario_observed, scenario_what_if};
pub(crate) use pull::pull;
pub(crate) use query::{complete, map_matches, places, search};
pub(crate) use redrive::{nats_writable, redrive, redrive_plan, redrives};
pub use retention::Kept;
pub(crate) use retention::read as retention_rule;
pub(crate) use retention::{backup, backup_cancel, retention, retention_preview};
pub(crate) use rules_text::{edit_rules, rules_text, waive};
pub(crate) use scenario::{
    scenario, scenario_cancel, scenario_create, scenario_delete, scenario_export, scenario_preview, scenario_rename,
    scenario_restore, scenario_run, scenario_save, scenarios,
};
pub(crate) use sequence::sequence;
pub(crate) use sources::{import_cancel, import_paths, import_text, nats_connect, nats_disconnect, sources};
pub(crate) use span::span;
pub(crate) use subject::subject;
pub(crate) use topology::topology;
pub(crate) use waiting::waiting;

pub(crate) use events::{event_row, group_services, with_journeys};

use flowglass_model::{Nanos, TraceId};
use flowglass_store::Around;

use crate::api::{ApiError, Nearest, Range, to_ms, to_nanos};
use crate::workspace::{Workspace, WorkspaceError};

impl From<WorkspaceError> for ApiError {
    fn from(error: WorkspaceError) -> Self {
        let code = match &error {
            WorkspaceError::NotFound(_) => "not-found",
            WorkspaceError::Settings(_) => "bad-request",
            WorkspaceError::Store(e) => e.code(),
        };
        ApiError { code: code.into(), message: error.to_string() }
    }
}

pub(crate) fn bad_request(message: impl Into<String>) -> ApiError {
    ApiError { code: "bad-request".into(), message: message.into() }
}

pub(crate) fn not_found(what: &str) -> ApiError {
    ApiError { code: "not-found".into(), message: format!("{what} is not in this workspace") }
}

/// A range in nanoseconds.
pub(crate) fn bounds(range: Range) -> (Option<Nanos>, Option<Nanos>) {
    (range.since_at.map(to_nanos), range.until_at.map(to_nanos))
}

pub(crate) fn trace_id(text: &str) -> Result<TraceId, ApiError> {
    text.trim().to_ascii_lowercase().parse().map_err(|e| bad_request(format!("`{text}` is no trace id: {e}")))
}

/// What lies around a range, as it goes over the wire.
pub(crate) fn around((before, after): Around) -> Nearest {
    Nearest { before_at: before.map(to_ms), after_at: after.map(to_ms) }
}

/// Seconds of a range that have data: what rates are divided by. At least one rollup bucket (10 s).
pub(crate) fn seconds_with_data(workspace: &Workspace, range: Range) -> Result<Option<f64>, WorkspaceError> {
    let stats = workspace.stats()?;
    let (Some(oldest), Some(newest)) = (stats.oldest, stats.newest) else { return Ok(None) };
    let (since, until) = bounds(range);
    let from = since.map_or(oldest, |s| s.max(oldest));
    let to = until.map_or(newest, |u| u.min(newest));
    Ok((to >= from).then(|| ((to - from) as f64 / 1e9).max(10.0)))
}

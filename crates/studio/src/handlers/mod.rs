//! One plain function per request.

mod about;
mod app;
mod arrival;
mod common;
mod compare;
mod configure;
mod destinations;
mod erase;
mod events;
mod export;
mod host;
mod journey_list;
mod journeys;
mod kinds;
mod logs;
mod marks;
mod nearby;
mod node;
mod observed;
mod query;
pub(crate) mod scene;
mod sequence;
mod sources;
mod span;
mod topology;

pub(crate) use about::{about, diagnostics};
pub(crate) use app::{app, timeline};
pub(crate) use arrival::{self_test, set_forward, set_listener, snippets};
pub(crate) use common::common;
pub(crate) use compare::compare;
pub(crate) use configure::{edit_settings, rule_matches, set_layer, set_participants, settings};
pub(crate) use destinations::destinations;
pub(crate) use erase::{erase, erase_cancel};
pub(crate) use events::{event, events};
pub(crate) use export::map_export;
pub(crate) use host::{preferences, set_preferences, workspace_forget, workspace_open, workspaces};
pub(crate) use journey_list::journeys;
pub(crate) use journeys::{fallback_layer, journey};
pub(crate) use kinds::{kinds, scatter};
pub(crate) use logs::logs;
pub(crate) use marks::{marks, remove_mark, set_mark};
pub(crate) use node::{edge, node};
pub(crate) use observed::scenario_observed;
pub(crate) use query::{complete, map_matches, places, search};
pub(crate) use sequence::sequence;
pub(crate) use sources::{import_cancel, import_paths, import_text, nats_connect, nats_disconnect, sources};
pub(crate) use span::span;
pub(crate) use topology::topology;

pub(crate) use events::{event_row, with_journeys};

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

use std::collections::BTreeMap;

use flowglass_model::filter::{View, level_word};
use flowglass_model::{Graph, LogRecord, TraceId};
use flowglass_store::{LogFilter, LogId, LogPage};

use super::query::{parsed, places};
use super::{around, bad_request, bounds};
use crate::Studio;
use crate::api::{ApiError, LevelCount, LogRow, LogsPage, LogsRequest, Nearest, to_ms};
use crate::display::Redactor;
use crate::views::layer_of;
use crate::workspace::{Workspace, WorkspaceError};

/// Levels by rank, as the store counts them.
const LEVELS: [&str; 7] = ["unset", "trace", "debug", "info", "warn", "error", "fatal"];

/// See [`LogsPage`].
pub(crate) async fn logs(studio: &Studio, request: LogsRequest) -> Result<LogsPage, ApiError> {
    let filter = parsed(request.filter.as_deref(), View::Logs)?;
    let before = request.before.as_deref().map(parse_id).transpose()?;
    let after = request.after.as_deref().map(parse_after).transpose()?;
    let page = studio.ask(move |workspace| {
        let (since, until) = bounds(request.range);
        let places = places(workspace, &filter)?;
        let limit = request.limit.clamp(1, 500) as usize;
        let question = LogFilter { since, until, filter, places, before, after, limit };
        let page = workspace.read(|r| r.logs(&question))?;
        let none = page.rows.is_empty() && before.is_none() && after.is_none();
        let nearest = match none {
            true => around(workspace.read(|r| r.nearest_logs(&question))?),
            false => Nearest::default(),
        };
        let redactor = Redactor::new(&workspace.settings().config, &request.reveal);
        view(workspace, page, nearest, &redactor)
    });
    Ok(page.await?)
}

/// `TIME-HASH`, both in hex.
fn id_text(id: LogId) -> String {
    format!("{:016x}-{:016x}", id.time, id.hash)
}

fn parse_id(text: &str) -> Result<LogId, ApiError> {
    let hex = |t: &str| u64::from_str_radix(t, 16).ok().map(|n| n as i64);
    let parts = text.split_once('-').and_then(|(time, hash)| Some(LogId { time: hex(time)?, hash: hex(hash)? }));
    parts.ok_or_else(|| bad_request(format!("`{text}` is the id of no log record")))
}

fn parse_after(text: &str) -> Result<i64, ApiError> {
    text.parse()
        .map_err(|_| bad_request(format!("`{text}` is no place to tail from; use `newest` of an earlier answer")))
}

fn view(
    workspace: &Workspace,
    page: LogPage,
    nearest: Nearest,
    redactor: &Redactor,
) -> Result<LogsPage, WorkspaceError> {
    let graph = workspace.graph(None, None, None)?;
    let mut journeys: BTreeMap<TraceId, Option<String>> = BTreeMap::new();
    let mut rows = Vec::with_capacity(page.rows.len());
    for (id, log) in page.rows {
        let journey = match log.trace_id {
            None => None,
            Some(trace) => match journeys.get(&trace) {
                Some(known) => known.clone(),
                None => {
                    let found = workspace.read(|r| r.journeys_of_trace(trace))?.first().map(|j| j.to_string());
                    journeys.entry(trace).or_insert(found).clone()
                }
            },
        };
        rows.push(row(id, &log, journey, &graph, redactor));
    }
    let by_level = page.by_level.unwrap_or_default();
    let counts = LEVELS.iter().zip(by_level).rev().filter(|(_, n)| *n > 0);
    Ok(LogsPage {
        rows,
        total: page.total,
        more: page.more,
        by_level: counts.map(|(level, count)| LevelCount { level: (*level).into(), count }).collect(),
        newest: Some(page.newest.to_string()),
        stopped_at: page.stopped.map(to_ms),
        nearest,
    })
}

fn row(id: LogId, log: &LogRecord, journey: Option<String>, graph: &Graph, redactor: &Redactor) -> LogRow {
    let participant = log.resource.node_id();
    LogRow {
        id: id_text(id),
        at: to_ms(log.time),
        level: level_word(log.severity).into(),
        severity: log.severity_text.clone(),
        layer: layer_of(graph, &participant).as_str().into(),
        participant: participant.to_string(),
        service: log.resource.service.name.clone(),
        event_name: (!log.event_name.is_empty()).then(|| log.event_name.clone()),
        body: redactor.attribute("body", log.body.to_string()).value,
        trace_id: log.trace_id.map(|t| t.to_string()),
        span_id: log.span_id.map(|s| s.to_string()),
        journey,
        attributes: redactor.attributes(&log.attributes),
        resource: redactor.attributes(&log.resource.attributes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_goes_both_ways() {
        let id = LogId { time: -5, hash: i64::MIN + 7 };
        assert_eq!(parse_id(&id_text(id)).ok(), Some(id));
        assert!(parse_id("x-1").is_err());
        assert!(parse_id("1").is_err());
    }
}

//! One subject, topic or queue in detail.

use std::collections::BTreeMap;

use flowglass_ingest::nats::{NatsConsumer, NatsStream, matches};
use flowglass_model::filter::{Filter, View};
use flowglass_model::{InteractionKind, Message};
use flowglass_store::EventFilter;
use serde_json::Value as Json;

use super::destinations::rows_of;
use super::events::event_filter;
use super::query::parsed;
use super::{bounds, not_found, with_journeys};
use crate::Studio;
use crate::api::*;
use crate::shape::shapes;
use crate::workspace::{Workspace, WorkspaceError};

/// Messages looked at for types, sizes and shape.
const SAMPLE: usize = 400;
/// Messages in trouble that are listed.
const LISTED: usize = 100;
/// Characters of a dead letter's own reason.
const REASON: usize = 300;

/// See [`SubjectDetail`].
pub(crate) async fn subject(studio: &Studio, request: SubjectRequest) -> Result<SubjectDetail, ApiError> {
    let what = format!("the destination `{}`", request.id);
    let (system, name) = request.id.split_once('/').ok_or_else(|| not_found(&what))?;
    let quoted = name.replace('"', "");
    let filter = |outcome: &str| parsed(Some(&format!("subject:\"{quoted}\"{outcome}")), View::Events);
    let (all, dead, unread) =
        (filter("")?, filter(" outcome:dead-lettered")?, filter(" outcome:published,unconsumed")?);
    let stream = (system == "nats").then(|| studio.0.nats.stream_of(name)).flatten();
    let (id, name) = (request.id.clone(), name.to_owned());
    let detail = studio.ask(move |workspace| {
        let Some(row) = rows_of(workspace, request.range)?.into_iter().find(|r| r.id == id) else { return Ok(None) };
        let look = Look { workspace, range: request.range };
        let sample = look.page(all, SAMPLE)?;
        let rows: Vec<i64> = sample.rows.iter().map(|r| r.event.row).collect();
        let messages = workspace.read(|r| r.messages(&rows))?;
        let told = shapes(messages.iter().map(|m| (m.time, m.payload.as_slice())));
        let mut sizes: Vec<u64> = messages.iter().map(|m| m.payload_size).collect();
        sizes.sort_unstable();
        let size = |share: f64| {
            let at = ((sizes.len().checked_sub(1)?) as f64 * share).round() as usize;
            sizes.get(at).map(|n| *n as f64)
        };
        let (dead, unread) = (look.page(dead, LISTED)?, look.page(unread, LISTED)?);
        Ok(Some(SubjectDetail {
            publishers: look.publishers(&id)?,
            types: types(&messages),
            size_p50: size(0.5),
            size_p95: size(0.95),
            size_max: size(1.0),
            last: sample.rows.first().map(|t| t.event.clone()),
            stream: stream.map(|s| stream_view(&s, &name)),
            sampled: messages.len() as u32,
            json: told.json as u32,
            fields: told
                .fields
                .into_iter()
                .map(|f| FieldRow {
                    path: f.path,
                    types: f.types.into_iter().map(str::to_owned).collect(),
                    share: f.count as f64 / told.json.max(1) as f64,
                    first_at: to_ms(f.first),
                    last_at: to_ms(f.last),
                })
                .collect(),
            shapes: told
                .shapes
                .into_iter()
                .map(|s| ShapeRow {
                    first_at: to_ms(s.first),
                    last_at: to_ms(s.last),
                    count: s.count as u32,
                    added: s.added,
                    removed: s.removed,
                    changed: s.changed,
                })
                .collect(),
            dead_total: dead.total,
            dead: look.reasons(dead.rows)?,
            unread_total: unread.total,
            unread: unread.rows,
            row,
        }))
    });
    detail.await?.ok_or_else(|| not_found(&what))
}

struct Look<'a> {
    workspace: &'a Workspace,
    range: Range,
}

struct Page {
    rows: Vec<TroubleRow>,
    total: u64,
}

impl Look<'_> {
    fn page(&self, filter: Filter, limit: usize) -> Result<Page, WorkspaceError> {
        let graph = self.workspace.graph(None, None, None)?;
        let (since, until) = bounds(self.range);
        let question = EventFilter { since, until, limit, ..event_filter(self.workspace, &graph, filter)? };
        let page = self.workspace.read(|r| r.events(&question))?;
        let mut failures: BTreeMap<String, Option<String>> = BTreeMap::new();
        let mut rows = Vec::with_capacity(page.rows.len());
        for event in with_journeys(self.workspace, page.rows, &graph)? {
            let failure = match &event.journey {
                Some(id) if limit == LISTED => match failures.get(id) {
                    Some(known) => known.clone(),
                    None => {
                        let trace = id.parse().ok();
                        let summary = match trace {
                            Some(trace) => self.workspace.read(|r| r.journey_summary(trace))?,
                            None => None,
                        };
                        failures.entry(id.clone()).or_insert(summary.and_then(|s| s.failure)).clone()
                    }
                },
                _ => None,
            };
            rows.push(TroubleRow { event, failure, reason: None });
        }
        Ok(Page { rows, total: page.total })
    }

    /// Adds what dead letters say themselves.
    fn reasons(&self, mut rows: Vec<TroubleRow>) -> Result<Vec<TroubleRow>, WorkspaceError> {
        let ids: Vec<i64> = rows.iter().map(|r| r.event.row).collect();
        let messages = self.workspace.read(|r| r.messages(&ids))?;
        for (row, message) in rows.iter_mut().zip(&messages) {
            row.reason = reason(message);
        }
        Ok(rows)
    }

    fn publishers(&self, id: &str) -> Result<Vec<PublisherRow>, WorkspaceError> {
        let (since, until) = bounds(self.range);
        let graph = self.workspace.graph(since, until, None)?;
        let edges = graph.edges.iter().filter(|e| e.kind == InteractionKind::Publish && e.target.body() == id);
        let mut rows: Vec<PublisherRow> = edges
            .map(|e| PublisherRow {
                participant: e.source.to_string(),
                name: graph.nodes.iter().find(|n| n.id == e.source).map_or(e.source.name(), |n| &n.name).to_owned(),
                count: e.stats.count,
                errors: e.stats.errors,
            })
            .collect();
        rows.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
        Ok(rows)
    }
}

fn types(messages: &[Message]) -> Vec<TypeRow> {
    let mut by_type: BTreeMap<&str, (u32, i64)> = BTreeMap::new();
    for m in messages {
        let (count, last) = by_type.entry(m.event_type.as_deref().unwrap_or_default()).or_default();
        (*count, *last) = (*count + 1, (*last).max(m.time));
    }
    let row =
        |(name, (count, last)): (&str, (u32, i64))| TypeRow { event_type: name.into(), count, last_at: to_ms(last) };
    let mut rows: Vec<TypeRow> = by_type.into_iter().map(row).collect();
    rows.sort_by_key(|r| std::cmp::Reverse(r.count));
    rows
}

/// What a dead letter says of why it is one: a header or a member of its payload.
fn reason(message: &Message) -> Option<String> {
    let tells = |name: &str| {
        let name = name.to_ascii_lowercase();
        ["reason", "error", "exception", "cause"].iter().any(|w| name.contains(w))
    };
    let header = message.headers.iter().find(|(name, _)| tells(name)).map(|(_, v)| v.clone());
    let member = || {
        let json: Json = serde_json::from_slice(&message.payload).ok()?;
        let members = json.as_object()?;
        members.iter().find(|(name, v)| tells(name) && v.is_string()).and_then(|(_, v)| v.as_str().map(str::to_owned))
    };
    header.or_else(member).map(|text| text.chars().take(REASON).collect())
}

fn stream_view(stream: &NatsStream, subject: &str) -> SubjectStream {
    let reads = |c: &&NatsConsumer| c.subjects.is_empty() || c.subjects.iter().any(|p| matches(p, subject));
    let consumers = stream.consumers.as_ref().map(|all| all.iter().filter(reads).map(backlog).collect());
    SubjectStream {
        name: stream.name.clone(),
        messages: stream.messages,
        retention: stream.retention.clone(),
        consumers,
    }
}

fn backlog(c: &NatsConsumer) -> BacklogRow {
    let note = match () {
        () if c.pending > 0 && !c.push && c.waiting == 0 => Some("Nobody asks for messages.".to_owned()),
        () if c.redelivered > 0 && c.max_deliver > 0 => {
            Some(format!("{} delivered again; given up after {} deliveries.", c.redelivered, c.max_deliver))
        }
        () => None,
    };
    BacklogRow {
        name: c.name.clone(),
        pending: c.pending,
        unacknowledged: c.unacknowledged,
        redelivered: c.redelivered,
        waiting: c.waiting,
        push: c.push,
        note,
    }
}

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use flowglass_model::filter::{Field, Filter, Test, View, participant_is};
use flowglass_model::{
    Acknowledgement, Delivery, Graph, GraphEdge, InteractionKind, Message, NodeId, NodeKind, Role, SeriesKey,
    Settlement,
};
use flowglass_store::{EventDetail, EventFilter, EventRow as StoredRow};

use super::journeys::by_meaning;
use super::query::{parsed, places};
use super::{around, bounds, not_found};
use crate::api::{
    ApiError, Attribute, DeliveryView, EventRequest, EventRow, EventView, EventsPage, EventsRequest, to_ms,
};
use crate::display::Redactor;
use crate::stitch::is_dead_letter;
use crate::workspace::{Settings, Workspace, WorkspaceError};
use crate::{Studio, protobuf, words};

/// Bytes of a binary payload shown in hex.
const HEX_SHOWN: usize = 4096;

/// See [`EventsPage`].
pub(crate) async fn events(studio: &Studio, request: EventsRequest) -> Result<EventsPage, ApiError> {
    let filter = parsed(request.filter.as_deref(), View::Events)?;
    let page = studio.ask(move |workspace| {
        let graph = workspace.graph(None, None, None)?;
        let (since, until) = bounds(request.range);
        let question = EventFilter {
            since,
            until,
            before: request.before_row,
            after: request.after_row,
            limit: request.limit.clamp(1, 1000) as usize,
            ..event_filter(workspace, &graph, filter)?
        };
        let page = workspace.read(|r| r.events(&question))?;
        let nearest = match page.rows.is_empty() && question.after.is_none() {
            true => around(workspace.read(|r| r.nearest_events(&question))?),
            false => Default::default(),
        };
        let newest_row = workspace.read(|r| r.newest_event_row())?;
        let stopped_at = page.stopped.map(|(_, at)| to_ms(at));
        let rows = with_journeys(workspace, page.rows, &graph)?;
        Ok(EventsPage { rows, total: page.total, newest_row, stopped_at, nearest })
    });
    Ok(page.await?)
}

/// A filter of events with what the map knows about it: whose destinations are meant, which are consumed, which take dead
/// letters.
pub(super) fn event_filter(
    workspace: &Workspace,
    graph: &Graph,
    filter: Filter,
) -> Result<EventFilter, WorkspaceError> {
    let places = places(workspace, &filter)?;
    let mut topics_of = BTreeMap::new();
    for (i, term) in filter.terms.iter().enumerate() {
        let Test::Is(field @ Field::Service, values) = &term.test else { continue };
        let meant = |id: &NodeId| participant_is(field, values, id, places.get(id)).unwrap_or(false);
        let by_edge = graph.edges.iter().filter_map(|e| match e.kind {
            InteractionKind::Publish if meant(&e.source) => Some(&e.target),
            InteractionKind::Consume if meant(&e.target) => Some(&e.source),
            _ => None,
        });
        topics_of.insert(i, by_edge.map(|t| t.body().to_owned()).collect());
    }
    let topics = graph.nodes.iter().filter(|n| n.kind == NodeKind::Topic);
    let dead = topics.filter(|n| is_dead_letter(&n.name)).map(|n| n.id.body().to_owned()).collect();
    let consumes = graph.edges.iter().filter(|e| e.kind == InteractionKind::Consume);
    let consumed = consumes.map(|e| e.source.body().to_owned()).collect();
    Ok(EventFilter { filter, topics_of, consumed, dead, ..EventFilter::default() })
}

/// Rows with the journeys their traces belong to.
pub(crate) fn with_journeys(
    workspace: &Workspace,
    rows: Vec<StoredRow>,
    graph: &Graph,
) -> Result<Vec<EventRow>, WorkspaceError> {
    let mut known: BTreeMap<_, Option<String>> = BTreeMap::new();
    rows.into_iter()
        .map(|row| {
            let context = row.message.hop.or(row.message.origin);
            let journey = match context {
                Some(c) => match known.get(&c.trace_id) {
                    Some(journey) => journey.clone(),
                    None => {
                        let ids = workspace.read(|r| r.journeys_of_trace(c.trace_id))?;
                        known.entry(c.trace_id).or_insert(ids.first().map(|id| id.to_string())).clone()
                    }
                },
                None => None,
            };
            Ok(event_row(row, graph, journey))
        })
        .collect()
}

/// Interactions by which a topic is consumed.
pub(crate) fn consumers_of<'a>(graph: &'a Graph, topic_body: &str) -> impl Iterator<Item = &'a GraphEdge> {
    graph.edges.iter().filter(move |e| e.kind == InteractionKind::Consume && e.source.body() == topic_body)
}

/// What became of an event, in two words and a level.
fn outcome(row: &StoredRow, consumers: usize) -> (String, &'static str) {
    if row.dead_lettered || is_dead_letter(&row.message.destination) {
        return ("dead-lettered".into(), "error");
    }
    let last = |a: Acknowledgement| row.outcome.iter().filter(move |o| o.acknowledgement == Some(a));
    if let Some(o) = last(Acknowledgement::Term).next() {
        return (format!("terminated #{}", o.delivered), "error");
    }
    if let Some(o) = last(Acknowledgement::Nak).max_by_key(|o| o.delivered) {
        return (format!("nak #{}", o.delivered), "error");
    }
    let acked = last(Acknowledgement::Ack).count();
    let of = row.outcome.len().max(acked);
    match () {
        () if of == 0 && row.deliveries == 0 && consumers == 0 => ("no consumer".into(), "warn"),
        () if of == 0 => ("published".into(), "neutral"),
        () if row.redelivered => (format!("redelivered, {acked}/{of} acked"), "warn"),
        () if acked == of => (format!("acked {acked}/{of}"), "ok"),
        () => (format!("{acked}/{of} acked"), "neutral"),
    }
}

/// A publication as lists show it.
pub(crate) fn event_row(row: StoredRow, graph: &Graph, journey: Option<String>) -> EventRow {
    let topic = row.message.topic();
    let consumers = consumers_of(graph, topic.body()).count();
    let (outcome, level) = outcome(&row, consumers);
    let m = row.message;
    let business = by_meaning(m.keys).into_iter().next();
    EventRow {
        row: row.row,
        at: to_ms(m.time),
        key: business.map(|(_, value)| value).or(m.key),
        system: m.system,
        destination: m.destination,
        event_type: m.event_type,
        event_id: m.event_id,
        source: m.source,
        stream: m.stream,
        sequence: m.sequence,
        size: m.payload_size,
        occurrences: row.occurrences,
        deliveries: row.deliveries,
        outcome,
        outcome_level: level.into(),
        journey,
    }
}

/// See [`EventView`].
pub(crate) async fn event(studio: &Studio, request: EventRequest) -> Result<EventView, ApiError> {
    let what = format!("event {}", request.row);
    let view = studio.ask(move |workspace| {
        let (Some(detail), Some(row)) = workspace.read(|r| Ok((r.event(request.row)?, r.event_row(request.row)?)))?
        else {
            return Ok(None);
        };
        let graph = workspace.graph(None, None, None)?;
        let settings = workspace.settings();
        let redactor = Redactor::new(&settings.config, &request.reveal);
        let mut detail = detail;
        let payload_note = read_protobuf(&settings, &mut detail.message);
        let services = group_services(workspace)?;
        let handled = handlings(workspace, &detail)?;
        let rows = with_journeys(workspace, vec![row], &graph)?;
        Ok(rows
            .into_iter()
            .next()
            .map(|row| EventView { payload_note, ..event_view(detail, row, &redactor, &services, handled) }))
    });
    view.await?.ok_or_else(|| not_found(&what))
}

/// Puts JSON in the place of a protobuf payload that a rule of the settings can read; says what it was read as, or why not.
fn read_protobuf(settings: &Settings, message: &mut Message) -> Option<String> {
    let folder = settings.path.parent().unwrap_or(Path::new(""));
    match protobuf::decode(&settings.config, folder, &message.destination, &message.payload)? {
        Ok(decoded) => {
            message.payload = decoded.json.to_string().into_bytes();
            Some(format!("Read as {}", decoded.message))
        }
        Err(reason) => Some(format!("Not read as protobuf: {reason}")),
    }
}

/// Which service a consumer group of a topic is, as spans told: (topic body, group) to service.
pub(crate) fn group_services(workspace: &Workspace) -> Result<BTreeMap<(String, String), NodeId>, WorkspaceError> {
    let sums = workspace.read(|r| r.series(None, None))?;
    Ok(sums
        .into_iter()
        .filter_map(|s| match s.key {
            SeriesKey::Group { topic, group, participant } => Some(((topic.body().to_owned(), group), participant)),
            _ => None,
        })
        .collect())
}

/// Handlings of an event that spans told of: by message id on the same topic, in the traces of its journey.
fn handlings(workspace: &Workspace, detail: &EventDetail) -> Result<Vec<DeliveryView>, WorkspaceError> {
    let m = &detail.message;
    let (Some(context), Some(id)) = (m.hop.or(m.origin), &m.event_id) else { return Ok(Vec::new()) };
    let topic = m.topic();
    workspace.read(|r| {
        let mut out = Vec::new();
        let mut traces = BTreeSet::from([context.trace_id]);
        for journey in r.journeys_of_trace(context.trace_id)? {
            traces.extend(r.traces_of_journey(journey)?);
        }
        for trace in traces {
            for f in r.trace_facts(trace)? {
                let Role::Process { topic: t, group, message_id, delivery, .. } = &f.role else { continue };
                if t.body() != topic.body() || message_id.as_ref() != Some(id) {
                    continue;
                }
                out.push(DeliveryView {
                    consumer: group.clone().unwrap_or_else(|| f.service.name().to_owned()),
                    participant: Some(f.service.to_string()),
                    delivered: delivery.unwrap_or(1),
                    at: to_ms(f.start),
                    outcome: Some(if f.is_error() { "failed" } else { "processed" }.into()),
                    duration_ms: Some(f.duration() as f64 / 1e6),
                    evidence: "span".into(),
                });
            }
        }
        Ok(out)
    })
}

fn event_view(
    detail: EventDetail,
    row: EventRow,
    redactor: &Redactor,
    services: &BTreeMap<(String, String), NodeId>,
    handled: Vec<DeliveryView>,
) -> EventView {
    let m = &detail.message;
    let topic = m.topic();
    let mut deliveries: Vec<DeliveryView> = detail
        .deliveries
        .iter()
        .map(|(delivery, settled)| broker_delivery(delivery, settled.as_ref(), services, topic.body()))
        .collect();
    // Where the broker told of a group's deliveries, its spans would only repeat them.
    deliveries.extend(handled.into_iter().filter(|h| {
        !detail.deliveries.iter().any(|(d, _)| d.key.consumer == h.consumer && d.delivered == h.delivered)
    }));
    deliveries.sort_by(|a, b| a.at.total_cmp(&b.at));

    let (payload, payload_hex, redacted_fields) = payload(&m.payload, redactor);
    let text = |key: &str, value: Option<String>| value.map(|v| redactor.attribute(key, v));
    let attributes: Vec<Attribute> = [
        text("type", m.event_type.clone()),
        text("source", m.source.clone()),
        text("id", m.event_id.clone()),
        text("subject", m.key.clone()),
        text("stream", m.stream.clone()),
        text("sequence", m.sequence.map(|s| s.to_string())),
        text("correlation id", m.correlation_id.clone()),
        text("causation id", m.causation_id.clone()),
        text("reply", m.reply.clone()),
    ]
    .into_iter()
    .flatten()
    .chain(m.keys.iter().map(|(k, v)| redactor.attribute(k, v.clone())))
    .collect();
    EventView {
        attributes,
        headers: m.headers.iter().map(|(k, v)| redactor.attribute(k, v.clone())).collect(),
        payload,
        content_type: m.content_type.clone(),
        payload_hex,
        payload_note: None,
        redacted_fields,
        removed: m.redacted,
        deliveries,
        other_occurrences: detail.occurrences.iter().map(|o| to_ms(o.time)).filter(|t| *t != row.at).collect(),
        notices: detail.advisories.iter().map(notice).collect(),
        trace_id: m.hop.or(m.origin).map(|c| c.trace_id.to_string()),
        row,
    }
}

fn broker_delivery(
    delivery: &Delivery,
    settled: Option<&Settlement>,
    services: &BTreeMap<(String, String), NodeId>,
    topic_body: &str,
) -> DeliveryView {
    let participant = services.get(&(topic_body.to_owned(), delivery.key.consumer.clone()));
    DeliveryView {
        consumer: delivery.key.consumer.clone(),
        participant: participant.map(|p| p.to_string()),
        delivered: delivery.delivered,
        at: to_ms(delivery.time),
        outcome: settled.map(|s| words::acknowledgement(s.acknowledgement).into()),
        duration_ms: settled.map(|s| (s.time - delivery.time) as f64 / 1e6).filter(|d| *d >= 0.0),
        evidence: "broker".into(),
    }
}

fn notice(advisory: &flowglass_model::Advisory) -> String {
    let who = advisory.consumer.as_deref().unwrap_or("a consumer");
    match advisory.kind.as_str() {
        "max_deliver" => format!(
            "{who} used up its deliveries ({}) without an acknowledgement",
            advisory.deliveries.map_or_else(|| "?".into(), |n| n.to_string())
        ),
        "terminated" | "terminated_message" => format!("{who} asked for no further delivery"),
        "nak" | "consumer_nak" => format!("{who} rejected a delivery"),
        other => format!("{who}: {}", other.replace('_', " ")),
    }
}

/// A payload as text, or in hex when it is binary, with rules applied.
pub(super) fn payload(bytes: &[u8], redactor: &Redactor) -> (Option<String>, Option<String>, Vec<String>) {
    if bytes.is_empty() {
        return (None, None, Vec::new());
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        let hex = bytes.iter().take(HEX_SHOWN).map(|b| format!("{b:02x}")).collect::<Vec<_>>();
        let lines = hex.chunks(16).map(|line| line.join(" ")).collect::<Vec<_>>().join("\n");
        return (None, Some(lines), Vec::new());
    };
    let Ok(mut json) = serde_json::from_str::<serde_json::Value>(text) else {
        return (Some(text.to_owned()), None, Vec::new());
    };
    let mut hidden = Vec::new();
    redactor.hide_in(&mut json, &mut hidden);
    (Some(serde_json::to_string_pretty(&json).unwrap_or_else(|_| text.to_owned())), None, hidden)
}

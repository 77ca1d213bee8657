//! Events as lists and details show them, put together from publications, deliveries and notices.

use std::collections::BTreeMap;

use flowglass_model::{Delivery, DeliveryKey, Message, Nanos, SpanId, TraceId};
use rusqlite::{Connection, OptionalExtension, params};

use crate::delivery_rows::{self, GAVE_UP};
use crate::fault::Inner;
use crate::message_rows::{COLUMNS, fill_body, message_at};
use crate::{ConsumerOutcome, EventDetail, EventRow};

/// Whether event `m` has a delivery `d` with a condition.
pub(crate) fn delivered(condition: &str) -> String {
    format!(
        "(EXISTS(SELECT 1 FROM message o JOIN delivery d ON d.stream = o.stream AND d.stream_sequence = o.sequence
             AND (d.destination IS NULL OR d.destination = o.destination) WHERE o.event = m.id AND {condition})
         OR EXISTS(SELECT 1 FROM delivery d WHERE d.event_id = m.event_id AND d.destination = m.destination
             AND {condition}))"
    )
}

/// Whether a broker gave up on event `m`.
pub(crate) fn gave_up() -> String {
    format!(
        "EXISTS(SELECT 1 FROM message o JOIN advisory a ON a.stream = o.stream AND a.stream_sequence = o.sequence
             WHERE o.event = m.id AND a.kind IN {GAVE_UP})"
    )
}

/// Ids of the events that have a delivery `d` with a condition: [`delivered`] from the other side. `of` is what `d` is taken from.
pub(crate) fn events_of(of: &str, condition: &str) -> String {
    format!(
        "SELECT o.event AS id FROM {of} CROSS JOIN message o ON o.stream = d.stream AND o.sequence = d.stream_sequence
             AND (d.destination IS NULL OR d.destination = o.destination) WHERE {condition}
         UNION SELECT o.id FROM {of} CROSS JOIN message o ON o.event_id = d.event_id AND o.destination = d.destination
             WHERE {condition}"
    )
}

/// Ids of the events that a broker gave up on: [`gave_up`] from the other side.
pub(crate) fn given_up() -> String {
    format!(
        "SELECT o.event AS id FROM advisory a CROSS JOIN message o ON o.stream = a.stream AND o.sequence = a.stream_sequence
             WHERE a.kind IN {GAVE_UP} AND a.stream_sequence IS NOT NULL"
    )
}

fn messages(conn: &Connection, sql: &str, params: impl rusqlite::Params) -> Inner<Vec<(i64, i64, Message)>> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        out.push(message_at(r)?);
    }
    Ok(out)
}

fn rows(conn: &Connection, sql: &str, params: impl rusqlite::Params) -> Inner<Vec<EventRow>> {
    messages(conn, sql, params)?.into_iter().map(|(id, _, message)| row(conn, id, message)).collect()
}

/// All publications of an event, oldest first, with their row ids.
pub(crate) fn occurrences(conn: &Connection, event: i64) -> Inner<Vec<(i64, i64, Message)>> {
    let sql = format!("SELECT {COLUMNS} FROM message m WHERE m.event = ?1 ORDER BY m.time, m.id");
    messages(conn, &sql, [event])
}

/// Deliveries of these publications: by stream and sequence, else by event id and destination.
pub(crate) fn deliveries(conn: &Connection, of: &[(i64, i64, Message)]) -> Inner<Vec<Delivery>> {
    let mut by_key: BTreeMap<(String, String, u64), Delivery> = BTreeMap::new();
    let mut add = |found: Vec<Delivery>| {
        for d in found {
            let DeliveryKey { stream, consumer, consumer_sequence } = d.key.clone();
            by_key.insert((stream, consumer, consumer_sequence), d);
        }
    };
    for (_, _, m) in of {
        if let (Some(stream), Some(sequence)) = (&m.stream, m.sequence) {
            add(delivery_rows::of_sequence(conn, stream, sequence, &m.destination)?);
        }
        if let Some(id) = &m.event_id {
            add(delivery_rows::of_event(conn, id, &m.destination)?);
        }
    }
    let mut out: Vec<Delivery> = by_key.into_values().collect();
    out.sort_by(|a, b| (a.time, &a.key.consumer).cmp(&(b.time, &b.key.consumer)));
    Ok(out)
}

/// An event as a list shows it, of its first publication.
pub(crate) fn row(conn: &Connection, id: i64, message: Message) -> Inner<EventRow> {
    let publications = occurrences(conn, id)?;
    let deliveries = deliveries(conn, &publications)?;
    // The first by time, whichever arrived first.
    let message = publications.first().map_or(message, |(_, _, first)| first.clone());
    let mut outcome: BTreeMap<(String, String), (ConsumerOutcome, Nanos)> = BTreeMap::new();
    let mut handed = Vec::with_capacity(deliveries.len());
    for d in &deliveries {
        let key = (d.key.consumer.clone(), d.key.stream.clone());
        let (consumer, at) = outcome.entry(key).or_insert_with(|| {
            let (consumer, stream) = (d.key.consumer.clone(), d.key.stream.clone());
            (ConsumerOutcome { consumer, stream, deliveries: 0, delivered: 0, acknowledgement: None }, Nanos::MIN)
        });
        consumer.deliveries += 1;
        consumer.delivered = consumer.delivered.max(d.delivered);
        let said = delivery_rows::settlement_of(conn, &d.key)?;
        if let Some(s) = said.as_ref().filter(|s| s.time >= *at) {
            consumer.acknowledgement = Some(s.acknowledgement);
            *at = s.time;
        }
        handed.push((d.clone(), said));
    }
    let sql = format!("SELECT {} FROM message m WHERE m.id = ?1", gave_up());
    let dead_lettered = conn.prepare_cached(&sql)?.query_row([id], |r| r.get(0))?;
    Ok(EventRow {
        row: id,
        message,
        occurrences: publications.len() as u32,
        deliveries: deliveries.len() as u32,
        redelivered: deliveries.iter().any(|d| d.delivered > 1),
        outcome: outcome.into_values().map(|(o, _)| o).collect(),
        handed,
        dead_lettered,
    })
}

/// An event in full; any publication's row names it.
pub(crate) fn detail(conn: &Connection, row: i64) -> Inner<Option<EventDetail>> {
    let event: Option<i64> =
        conn.prepare_cached("SELECT event FROM message WHERE id = ?1")?.query_row([row], |r| r.get(0)).optional()?;
    let Some(event) = event else { return Ok(None) };
    let publications = occurrences(conn, event)?;
    let Some((_, _, first)) = publications.iter().find(|(id, ..)| *id == event) else { return Ok(None) };
    let mut message = first.clone();
    fill_body(conn, event, &mut message)?;
    let mut advisories = Vec::new();
    for (_, _, m) in &publications {
        if let (Some(stream), Some(sequence)) = (&m.stream, m.sequence) {
            advisories.extend(delivery_rows::advisories_of(conn, stream, sequence)?);
        }
    }
    advisories.sort_by_key(|a| a.time);
    let mut settled = Vec::new();
    for d in deliveries(conn, &publications)? {
        let settlement = delivery_rows::settlement_of(conn, &d.key)?;
        settled.push((d, settlement));
    }
    let occurrences = publications.into_iter().map(|(_, _, m)| m).collect();
    Ok(Some(EventDetail { row: event, message, occurrences, deliveries: settled, advisories }))
}

/// Events with a publication whose hop or origin lies in one of these traces, by time.
pub(crate) fn of_traces(conn: &Connection, traces: &[TraceId]) -> Inner<Vec<EventRow>> {
    let mut events = BTreeMap::new();
    let mut statement = conn.prepare_cached(
        "SELECT event FROM message WHERE hop_trace = ?1 UNION SELECT event FROM message WHERE origin_trace = ?1",
    )?;
    for trace in traces {
        for event in statement.query_map([trace.as_bytes()], |r| r.get::<_, i64>(0))? {
            events.insert(event?, ());
        }
    }
    by_rows(conn, events.into_keys())
}

/// Events with a publication whose hop or origin is one of these spans, by time.
pub(crate) fn of_spans(conn: &Connection, spans: &[(TraceId, SpanId)]) -> Inner<Vec<EventRow>> {
    let mut events = BTreeMap::new();
    let mut statement = conn.prepare_cached(
        "SELECT event FROM message WHERE hop_trace = ?1 AND hop_span = ?2
         UNION SELECT event FROM message WHERE origin_trace = ?1 AND origin_span = ?2",
    )?;
    for (trace, span) in spans {
        for event in statement.query_map(params![trace.as_bytes(), span.as_i64()], |r| r.get::<_, i64>(0))? {
            events.insert(event?, ());
        }
    }
    by_rows(conn, events.into_keys())
}

/// Events with these (destination, event id) pairs, by time.
pub(crate) fn with_ids(conn: &Connection, ids: &[(String, String)]) -> Inner<Vec<EventRow>> {
    let mut events = BTreeMap::new();
    let mut statement = conn.prepare_cached("SELECT event FROM message WHERE event_id = ?1 AND destination = ?2")?;
    for (destination, id) in ids {
        for event in statement.query_map(params![id, destination], |r| r.get::<_, i64>(0))? {
            events.insert(event?, ());
        }
    }
    by_rows(conn, events.into_keys())
}

/// The event of a publication's row.
pub(crate) fn by_row(conn: &Connection, row: i64) -> Inner<Option<EventRow>> {
    let event: Option<i64> =
        conn.prepare_cached("SELECT event FROM message WHERE id = ?1")?.query_row([row], |r| r.get(0)).optional()?;
    Ok(by_rows(conn, event.into_iter())?.pop())
}

/// The newest publication's row, 0 when there is none.
pub(crate) fn newest(conn: &Connection) -> Inner<i64> {
    Ok(conn.prepare_cached("SELECT coalesce(max(id), 0) FROM message")?.query_row([], |r| r.get(0))?)
}

pub(crate) fn by_rows(conn: &Connection, events: impl Iterator<Item = i64>) -> Inner<Vec<EventRow>> {
    let sql = format!("SELECT {COLUMNS} FROM message m WHERE m.id = ?1");
    let mut out = Vec::new();
    for event in events {
        out.extend(rows(conn, &sql, [event])?);
    }
    out.sort_by_key(|r| (r.message.time, r.row));
    Ok(out)
}

//! Destinations with their publications and consumers over a range.

use std::collections::BTreeMap;

use flowglass_model::Nanos;
use rusqlite::{Connection, params};

use crate::fault::Inner;
use crate::{ConsumerCounts, DestinationRow};

type ByName = BTreeMap<(String, String), DestinationRow>;

/// All destinations with publications or deliveries in the range, by system and name.
pub(crate) fn rows(conn: &Connection, since: Option<Nanos>, until: Option<Nanos>) -> Inner<Vec<DestinationRow>> {
    let range = (since.unwrap_or(Nanos::MIN), until.unwrap_or(Nanos::MAX));
    let mut out = ByName::new();
    publications(conn, range, &mut out)?;
    consumers(conn, range, &mut out)?;
    Ok(out.into_values().collect())
}

fn entry<'a>(out: &'a mut ByName, system: &str, destination: &str) -> &'a mut DestinationRow {
    out.entry((system.to_owned(), destination.to_owned())).or_insert_with(|| DestinationRow {
        system: system.to_owned(),
        destination: destination.to_owned(),
        ..DestinationRow::default()
    })
}

fn publications(conn: &Connection, (since, until): (Nanos, Nanos), out: &mut ByName) -> Inner<()> {
    // All there is lies side by side in an index, and an event counts with its first publication; of a part of the time the
    // publications are picked out first, and the first of an event may lie before it.
    let everything = since == Nanos::MIN && until == Nanos::MAX;
    let (from, events) = match everything {
        true => ("message INDEXED BY message_destination", "sum(event = id)"),
        false => ("message INDEXED BY message_time", "count(DISTINCT event)"),
    };
    let mut statement = conn.prepare_cached(&format!(
        "SELECT system, destination, count(*), {events}, max(time) FROM {from}
         WHERE time >= ?1 AND time < ?2 GROUP BY destination, system"
    ))?;
    let mut rows = statement.query(params![since, until])?;
    while let Some(r) = rows.next()? {
        let (system, destination): (String, String) = (r.get(0)?, r.get(1)?);
        let row = entry(out, &system, &destination);
        row.publications = r.get::<_, i64>(2)? as u64;
        row.events = r.get::<_, i64>(3)? as u64;
        row.last = r.get(4)?;
    }
    let mut statement = conn.prepare_cached(&format!(
        "SELECT DISTINCT system, destination, stream FROM {from}
         WHERE time >= ?1 AND time < ?2 AND stream IS NOT NULL ORDER BY stream"
    ))?;
    let mut rows = statement.query(params![since, until])?;
    while let Some(r) = rows.next()? {
        let (system, destination): (String, String) = (r.get(0)?, r.get(1)?);
        entry(out, &system, &destination).streams.push(r.get(2)?);
    }
    Ok(())
}

fn consumers(conn: &Connection, (since, until): (Nanos, Nanos), out: &mut ByName) -> Inner<()> {
    // A delivery known only by its acknowledgement has the destination of the message at its place in the stream.
    let mut statement = conn.prepare_cached(
        "SELECT d.system, coalesce(d.destination, (SELECT m.destination FROM message m
             WHERE m.stream = d.stream AND m.sequence = d.stream_sequence LIMIT 1)) AS destination,
           d.consumer, count(*), sum(d.delivered > 1),
           sum(EXISTS(SELECT 1 FROM settlement s WHERE s.stream = d.stream AND s.consumer = d.consumer
             AND s.consumer_sequence = d.consumer_sequence AND s.acknowledgement = 2)),
           sum(EXISTS(SELECT 1 FROM settlement s WHERE s.stream = d.stream AND s.consumer = d.consumer
             AND s.consumer_sequence = d.consumer_sequence AND s.acknowledgement = 3)),
           sum(EXISTS(SELECT 1 FROM settlement s WHERE s.stream = d.stream AND s.consumer = d.consumer
             AND s.consumer_sequence = d.consumer_sequence AND s.acknowledgement = 1))
         FROM delivery d WHERE d.time >= ?1 AND d.time < ?2
         GROUP BY d.system, 2, d.consumer ORDER BY d.consumer",
    )?;
    let mut rows = statement.query(params![since, until])?;
    while let Some(r) = rows.next()? {
        let (system, Some(destination)) = (r.get::<_, String>(0)?, r.get::<_, Option<String>>(1)?) else { continue };
        let number = |i| r.get::<_, i64>(i).map(|n| n as u64);
        entry(out, &system, &destination).consumers.push(ConsumerCounts {
            consumer: r.get(2)?,
            deliveries: number(3)?,
            redeliveries: number(4)?,
            naks: number(5)?,
            terms: number(6)?,
            acks: number(7)?,
        });
    }
    Ok(())
}

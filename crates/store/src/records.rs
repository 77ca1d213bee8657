//! An event as it was recorded: every publication with its payload, every delivery, every word of a consumer, every notice.

use flowglass_model::{Batch, Message, Settlement};
use rusqlite::{Connection, params};

use crate::delivery_rows;
use crate::events;
use crate::fault::Inner;
use crate::message_rows::{COLUMNS, fill_body, message_at};

/// Adds to `out` all that is stored of an event; any publication's row names it. Nothing when there is none.
pub(crate) fn of_event(conn: &Connection, row: i64, out: &mut Batch) -> Inner<()> {
    let Some(event) = events::by_row(conn, row)?.map(|r| r.row) else { return Ok(()) };
    let publications = events::occurrences(conn, event)?;
    for delivery in events::deliveries(conn, &publications)? {
        out.settlements.extend(settlements(conn, &delivery.key)?);
        out.deliveries.push(delivery);
    }
    for (id, _, mut message) in publications {
        if let (Some(stream), Some(sequence)) = (&message.stream, message.sequence) {
            out.advisories.extend(delivery_rows::advisories_of(conn, stream, sequence)?);
        }
        fill_body(conn, id, &mut message)?;
        out.messages.push(message);
    }
    Ok(())
}

/// Publications of an event id, oldest first, with their payloads; at most 100.
pub(crate) fn of_event_id(conn: &Connection, id: &str) -> Inner<Vec<Message>> {
    let sql = format!("SELECT {COLUMNS} FROM message m WHERE m.event_id = ?1 ORDER BY m.time, m.id LIMIT 100");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([id])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        let (row, _, mut message) = message_at(r)?;
        fill_body(conn, row, &mut message)?;
        out.push(message);
    }
    Ok(out)
}

/// These publications, in this order, with their payloads; rows that are gone are left out.
pub(crate) fn messages(conn: &Connection, rows: &[i64]) -> Inner<Vec<Message>> {
    let sql = format!("SELECT {COLUMNS} FROM message m WHERE m.id = ?1");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut out = Vec::with_capacity(rows.len());
    for row in rows {
        let mut found = statement.query([row])?;
        if let Some(r) = found.next()? {
            let (id, _, mut message) = message_at(r)?;
            fill_body(conn, id, &mut message)?;
            out.push(message);
        }
    }
    Ok(out)
}

/// All that a consumer said of a delivery, by time.
fn settlements(conn: &Connection, key: &flowglass_model::DeliveryKey) -> Inner<Vec<Settlement>> {
    let mut statement = conn.prepare_cached(
        "SELECT time, acknowledgement, stream_sequence, delivered FROM settlement
         WHERE stream = ?1 AND consumer = ?2 AND consumer_sequence = ?3 ORDER BY time, acknowledgement",
    )?;
    let rows = statement.query_map(params![key.stream, key.consumer, key.consumer_sequence as i64], |r| {
        Ok(Settlement {
            key: key.clone(),
            time: r.get(0)?,
            acknowledgement: delivery_rows::acknowledgement(r.get(1)?),
            stream_sequence: r.get::<_, i64>(2)? as u64,
            delivered: r.get(3)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

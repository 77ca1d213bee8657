//! Deliveries, what consumers said of them, and brokers' notices.

use flowglass_model::{Acknowledgement, Advisory, Delivery, DeliveryKey, Settlement};
use rusqlite::{Connection, Row, params};

use crate::fault::{Fault, Inner};
use crate::hash::hash_parts;

/// Notices that say the broker gave up on a message (JetStream advisory schemas).
pub(crate) const GAVE_UP: &str = "('max_deliver', 'terminated')";

/// The stored number of an acknowledgement.
pub(crate) fn number(acknowledgement: Acknowledgement) -> i64 {
    match acknowledgement {
        Acknowledgement::Progress => 0,
        Acknowledgement::Ack => 1,
        Acknowledgement::Nak => 2,
        Acknowledgement::Term => 3,
    }
}

/// The inverse of [`number`].
pub(crate) fn acknowledgement(number: i64) -> Acknowledgement {
    match number {
        1 => Acknowledgement::Ack,
        2 => Acknowledgement::Nak,
        3 => Acknowledgement::Term,
        _ => Acknowledgement::Progress,
    }
}

/// Stores a delivery; true when it was not seen before.
pub(crate) fn add_delivery(conn: &Connection, d: &Delivery) -> Inner<bool> {
    let mut put = conn.prepare_cached(
        "INSERT INTO delivery(stream, consumer, consumer_sequence, seen, system, destination, stream_sequence, delivered,
         time, event_id) VALUES(?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT DO UPDATE SET seen = 1, system = excluded.system, destination = excluded.destination,
         stream_sequence = excluded.stream_sequence, delivered = excluded.delivered, time = excluded.time,
         event_id = excluded.event_id WHERE seen = 0",
    )?;
    let changed = put.execute(params![
        d.key.stream,
        d.key.consumer,
        d.key.consumer_sequence as i64,
        d.system,
        d.destination,
        d.stream_sequence as i64,
        d.delivered,
        d.time,
        d.event_id,
    ])?;
    Ok(changed > 0)
}

/// Stores what a consumer said; true when it is new. A delivery nobody saw is noted with what the acknowledgement tells.
pub(crate) fn add_settlement(conn: &Connection, s: &Settlement) -> Inner<bool> {
    let mut put = conn.prepare_cached(
        "INSERT OR IGNORE INTO settlement(stream, consumer, consumer_sequence, time, acknowledgement, stream_sequence,
         delivered) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    let sequence = s.key.consumer_sequence as i64;
    let what = number(s.acknowledgement);
    let told = s.stream_sequence as i64;
    let changed = put.execute(params![s.key.stream, s.key.consumer, sequence, s.time, what, told, s.delivered])?;
    let mut note = conn.prepare_cached(
        "INSERT OR IGNORE INTO delivery(stream, consumer, consumer_sequence, seen, system, destination, stream_sequence,
         delivered, time, event_id) VALUES(?1, ?2, ?3, 0,
         coalesce((SELECT system FROM message WHERE stream = ?1 AND sequence = ?4 LIMIT 1), ''), NULL, ?4, ?5, ?6, NULL)",
    )?;
    note.execute(params![s.key.stream, s.key.consumer, sequence, told, s.delivered, s.time])?;
    Ok(changed > 0)
}

/// Stores a notice; true when it is new.
pub(crate) fn add_advisory(conn: &Connection, a: &Advisory) -> Inner<bool> {
    // The broker's id makes it unique; a notice without one is told apart by all it says.
    let hash = if a.id.is_empty() {
        hash_parts(&[b"body", a.subject.as_bytes(), &a.time.to_le_bytes(), a.body.as_bytes()])
    } else {
        hash_parts(&[b"id", a.kind.as_bytes(), a.id.as_bytes()])
    };
    let body = postcard::to_stdvec(a).map_err(|e| Fault::decode("an advisory", e))?;
    let mut put = conn.prepare_cached(
        "INSERT OR IGNORE INTO advisory(hash, kind, stream, stream_sequence, time, body) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let sequence = a.stream_sequence.map(|s| s as i64);
    Ok(put.execute(params![hash, a.kind, a.stream, sequence, a.time, body])? > 0)
}

const COLUMNS: &str =
    "stream, consumer, consumer_sequence, system, destination, stream_sequence, delivered, time, event_id";

/// A delivery of a row with the columns of [`COLUMNS`].
pub(crate) fn delivery_at(r: &Row<'_>) -> rusqlite::Result<Delivery> {
    Ok(Delivery {
        key: DeliveryKey { stream: r.get(0)?, consumer: r.get(1)?, consumer_sequence: r.get::<_, i64>(2)? as u64 },
        system: r.get(3)?,
        destination: r.get(4)?,
        stream_sequence: r.get::<_, i64>(5)? as u64,
        delivered: r.get(6)?,
        time: r.get(7)?,
        event_id: r.get(8)?,
    })
}

/// Deliveries of the message at a place in a stream.
pub(crate) fn of_sequence(conn: &Connection, stream: &str, sequence: u64, destination: &str) -> Inner<Vec<Delivery>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM delivery WHERE stream = ?1 AND stream_sequence = ?2
         AND (destination IS NULL OR destination = ?3)"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map(params![stream, sequence as i64, destination], delivery_at)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Deliveries that told an event id on a destination.
pub(crate) fn of_event(conn: &Connection, event_id: &str, destination: &str) -> Inner<Vec<Delivery>> {
    let sql = format!("SELECT {COLUMNS} FROM delivery WHERE event_id = ?1 AND destination = ?2");
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map(params![event_id, destination], delivery_at)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The last thing said of a delivery; a final word wins over "still working".
pub(crate) fn settlement_of(conn: &Connection, key: &DeliveryKey) -> Inner<Option<Settlement>> {
    let mut statement = conn.prepare_cached(
        "SELECT time, acknowledgement, stream_sequence, delivered FROM settlement
         WHERE stream = ?1 AND consumer = ?2 AND consumer_sequence = ?3
         ORDER BY acknowledgement = 0, time DESC, acknowledgement DESC LIMIT 1",
    )?;
    let mut rows = statement.query(params![key.stream, key.consumer, key.consumer_sequence as i64])?;
    let Some(r) = rows.next()? else { return Ok(None) };
    Ok(Some(Settlement {
        key: key.clone(),
        time: r.get(0)?,
        acknowledgement: acknowledgement(r.get(1)?),
        stream_sequence: r.get::<_, i64>(2)? as u64,
        delivered: r.get(3)?,
    }))
}

/// Notices about the message at a place in a stream, by time.
pub(crate) fn advisories_of(conn: &Connection, stream: &str, sequence: u64) -> Inner<Vec<Advisory>> {
    let mut statement = conn
        .prepare_cached("SELECT body FROM advisory WHERE stream = ?1 AND stream_sequence = ?2 ORDER BY time, hash")?;
    let mut rows = statement.query(params![stream, sequence as i64])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        let bytes = r.get_ref(0)?.as_blob().unwrap_or_default();
        out.push(postcard::from_bytes(bytes).map_err(|e| Fault::decode("an advisory", e))?);
    }
    Ok(out)
}

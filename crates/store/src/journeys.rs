//! Journeys as rows: the columns that filters need, and the summary.

use flowglass_model::filter::operation_of;
use flowglass_model::{JourneyState, JourneySummary, Nanos, TraceId};
use rusqlite::{Connection, OptionalExtension, params};

use crate::fault::{Fault, Inner};

/// States by the number they are stored as.
pub(crate) const STATES: [JourneyState; 5] = [
    JourneyState::Ok,
    JourneyState::Degraded,
    JourneyState::Failed,
    JourneyState::InProgress,
    JourneyState::Incomplete,
];

fn number(state: JourneyState) -> i64 {
    STATES.iter().position(|s| *s == state).unwrap_or_default() as i64
}

/// Stores summaries; `members` are all traces of these journeys.
pub(crate) fn put(conn: &Connection, journeys: &[JourneySummary], members: &[(TraceId, TraceId)]) -> Inner<()> {
    let mut insert = conn.prepare_cached(
        "INSERT OR REPLACE INTO journey(id, start, state, response, settled, retries, dead_lettered, body, root)
         VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    let mut clear = conn.prepare_cached("DELETE FROM journey_member WHERE journey = ?1")?;
    for j in journeys {
        let body = postcard::to_stdvec(j).map_err(|e| Fault::decode("a journey", e))?;
        let (id, state, retries) = (j.id.as_bytes(), number(j.state), j.retries as i64);
        let root = root_of(conn, j)?;
        insert.execute(params![id, j.start, state, j.response, j.settled, retries, j.dead_lettered, body, root])?;
        clear.execute([id])?;
    }
    let mut member = conn.prepare_cached("INSERT OR IGNORE INTO journey_member(trace, journey) VALUES(?1, ?2)")?;
    for (journey, trace) in members {
        member.execute(params![trace.as_bytes(), journey.as_bytes()])?;
    }
    Ok(())
}

/// The number of what a journey began with.
fn root_of(conn: &Connection, j: &JourneySummary) -> Inner<i64> {
    let (service, operation) = (j.root_participant.name(), operation_of(j));
    let mut known = conn.prepare_cached("SELECT id FROM journey_root WHERE service = ?1 AND operation = ?2")?;
    if let Some(id) = known.query_row([service, operation], |r| r.get(0)).optional()? {
        return Ok(id);
    }
    conn.prepare_cached("INSERT INTO journey_root(service, operation) VALUES(?1, ?2)")?
        .execute([service, operation])?;
    Ok(conn.last_insert_rowid())
}

/// Completes journeys that were stored before roots were.
pub(crate) fn fill_roots(conn: &Connection) -> Inner<()> {
    let state = conn.unchecked_transaction()?;
    let mut statement = conn.prepare("SELECT id, body FROM journey WHERE root IS NULL")?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(r) = rows.next()? {
        let summary = decode(r.get_ref(1)?.as_blob().unwrap_or_default())?;
        found.push((r.get::<_, [u8; 16]>(0)?, root_of(conn, &summary)?));
    }
    drop(rows);
    for (id, root) in found {
        conn.prepare_cached("UPDATE journey SET root = ?2 WHERE id = ?1")?.execute(params![id, root])?;
    }
    Ok(state.commit()?)
}

/// A summary as stored.
pub(crate) fn decode(body: &[u8]) -> Inner<JourneySummary> {
    postcard::from_bytes(body).map_err(|e| Fault::decode("a journey", e))
}

/// Removes journeys; their traces stay.
pub(crate) fn delete(conn: &Connection, journeys: &[TraceId]) -> Inner<()> {
    for journey in journeys {
        conn.prepare_cached("DELETE FROM journey WHERE id = ?1")?.execute([journey.as_bytes()])?;
        conn.prepare_cached("DELETE FROM journey_member WHERE journey = ?1")?.execute([journey.as_bytes()])?;
    }
    Ok(())
}

/// The summary of a journey.
pub(crate) fn summary(conn: &Connection, id: TraceId) -> Inner<Option<JourneySummary>> {
    let mut statement = conn.prepare_cached("SELECT body FROM journey WHERE id = ?1")?;
    let body: Option<Vec<u8>> = statement.query_row([id.as_bytes()], |r| r.get(0)).optional()?;
    body.map(|b| decode(&b)).transpose()
}

/// When a journey started.
pub(crate) fn start_of(conn: &Connection, id: TraceId) -> Inner<Option<Nanos>> {
    let mut statement = conn.prepare_cached("SELECT start FROM journey WHERE id = ?1")?;
    Ok(statement.query_row([id.as_bytes()], |r| r.get(0)).optional()?)
}

//! Journeys as rows: the columns that filters need, and the summary.

use flowglass_model::{JourneyState, JourneySummary, Nanos, TraceId};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::db::trace_at;
use crate::fault::Inner;
use crate::names::{self, Numbers, Texts};

/// States by the number they are stored as.
pub(crate) const STATES: [JourneyState; 5] = [
    JourneyState::Ok,
    JourneyState::Degraded,
    JourneyState::Failed,
    JourneyState::InProgress,
    JourneyState::Incomplete,
];

/// Columns that an index holds; no summary is read for them.
pub(crate) const INDEXED: &str = "id, start, state, response, settled, retries, dead_lettered, root, shape, row";
/// What [`read`] reads: the columns of [`INDEXED`], then the body.
pub(crate) const COLUMNS: &str = "id, start, state, response, settled, retries, dead_lettered, root, shape, body";

/// The number a state is stored as.
pub(crate) fn number(state: JourneyState) -> i64 {
    STATES.iter().position(|s| *s == state).unwrap_or_default() as i64
}

/// Stores summaries; `members` are all (journey, trace) pairs of these journeys. That a journey has the trace it is named after
/// goes without a row: most have no other. `may_have_members` may say no only where none but that one was ever stored.
pub(crate) fn put(
    conn: &Connection,
    numbers: &mut Numbers,
    journeys: &[JourneySummary],
    members: &[(TraceId, TraceId)],
    may_have_members: &dyn Fn(TraceId) -> bool,
) -> Inner<()> {
    let mut insert = conn.prepare_cached(
        "INSERT INTO journey(id, start, state, response, settled, retries, dead_lettered, root, body, shape)
         VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT(id) DO UPDATE SET start = excluded.start,
         state = excluded.state, response = excluded.response, settled = excluded.settled, retries = excluded.retries,
         dead_lettered = excluded.dead_lettered, root = excluded.root, body = excluded.body,
         shape = excluded.shape",
    )?;
    let mut clear = conn.prepare_cached("DELETE FROM journey_member WHERE journey = ?1")?;
    for j in journeys {
        let (root, shape, body) = (numbers.root(conn, j)?, numbers.shape(conn, &j.effects)?, numbers.body(conn, j)?);
        let (id, state, retries) = (j.id.as_bytes(), number(j.state), j.retries as i64);
        let dead = j.dead_lettered;
        insert.execute(params![id, j.start, state, j.response, j.settled, retries, dead, root, body, shape])?;
        if may_have_members(j.id) {
            clear.execute([id])?;
        }
    }
    let mut member = conn.prepare_cached("INSERT OR IGNORE INTO journey_member(trace, journey) VALUES(?1, ?2)")?;
    for (journey, trace) in members.iter().filter(|(journey, trace)| journey != trace) {
        member.execute(params![trace.as_bytes(), journey.as_bytes()])?;
    }
    Ok(())
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
pub(crate) fn summary(conn: &Connection, texts: &Texts<'_>, id: TraceId) -> Inner<Option<JourneySummary>> {
    let mut statement = conn.prepare_cached(&format!("SELECT {COLUMNS} FROM journey WHERE id = ?1"))?;
    let mut rows = statement.query([id.as_bytes()])?;
    rows.next()?.map(|r| read(r, texts)).transpose()
}

/// The summary in a row of the table, as the index names it: a shorter way than by id.
pub(crate) fn summary_at(conn: &Connection, texts: &Texts<'_>, row: i64) -> Inner<Option<JourneySummary>> {
    let mut statement = conn.prepare_cached(&format!("SELECT {COLUMNS} FROM journey WHERE row = ?1"))?;
    let mut rows = statement.query([row])?;
    rows.next()?.map(|r| read(r, texts)).transpose()
}

/// The summary in a row of [`COLUMNS`].
pub(crate) fn read(r: &Row<'_>, texts: &Texts<'_>) -> Inner<JourneySummary> {
    let mut summary = names::blank(trace_at(r, 0)?, state_at(r, 2)?);
    summary.start = r.get(1)?;
    summary.response = r.get(3)?;
    summary.settled = r.get(4)?;
    summary.retries = r.get::<_, i64>(5)? as u64;
    summary.dead_lettered = r.get(6)?;
    summary.effects = texts.shape(r.get(8)?)?;
    texts.fill(r.get_ref(9)?.as_blob().unwrap_or_default(), &mut summary)?;
    Ok(summary)
}

/// A state column.
pub(crate) fn state_at(r: &Row<'_>, index: usize) -> Inner<JourneyState> {
    Ok(STATES[r.get::<_, i64>(index)?.clamp(0, STATES.len() as i64 - 1) as usize])
}

/// When a journey started.
pub(crate) fn start_of(conn: &Connection, id: TraceId) -> Inner<Option<Nanos>> {
    let mut statement = conn.prepare_cached("SELECT start FROM journey WHERE id = ?1")?;
    Ok(statement.query_row([id.as_bytes()], |r| r.get(0)).optional()?)
}

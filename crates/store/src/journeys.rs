//! Journeys as rows: the columns that filters need, and the summary.

use flowglass_model::{JourneyState, JourneySummary, Nanos, TraceId};
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

use crate::db::trace_at;
use crate::fault::Inner;
use crate::names::{self, Numbers, Texts};
use crate::{JourneyFilter, JourneyPage};

/// Settled times given with a page at most.
const SETTLED: usize = 20_000;

const STATES: [JourneyState; 5] = [
    JourneyState::Ok,
    JourneyState::Degraded,
    JourneyState::Failed,
    JourneyState::InProgress,
    JourneyState::Incomplete,
];

fn number(state: JourneyState) -> i64 {
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
        "INSERT INTO journey(id, start, state, response, settled, retries, dead_lettered, body)
         VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT(id) DO UPDATE SET start = excluded.start,
         state = excluded.state, response = excluded.response, settled = excluded.settled, retries = excluded.retries,
         dead_lettered = excluded.dead_lettered, body = excluded.body",
    )?;
    let mut clear = conn.prepare_cached("DELETE FROM journey_member WHERE journey = ?1")?;
    for j in journeys {
        let body = numbers.body(conn, j)?;
        let (id, state, retries) = (j.id.as_bytes(), number(j.state), j.retries as i64);
        insert.execute(params![id, j.start, state, j.response, j.settled, retries, j.dead_lettered, body])?;
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
pub(crate) fn summary(conn: &Connection, id: TraceId) -> Inner<Option<JourneySummary>> {
    summary_with(conn, &Texts::new(conn), id)
}

/// What [`read`] reads.
const COLUMNS: &str = "id, start, state, settled, retries, dead_lettered, response, body";

fn summary_with(conn: &Connection, texts: &Texts<'_>, id: TraceId) -> Inner<Option<JourneySummary>> {
    let mut statement = conn.prepare_cached(&format!("SELECT {COLUMNS} FROM journey WHERE id = ?1"))?;
    let mut rows = statement.query([id.as_bytes()])?;
    rows.next()?.map(|r| read(r, texts)).transpose()
}

/// The summary in a row of [`COLUMNS`].
fn read(r: &Row<'_>, texts: &Texts<'_>) -> Inner<JourneySummary> {
    let mut summary = names::blank(trace_at(r, 0)?, STATES[state_at(r)?]);
    summary.start = r.get(1)?;
    summary.settled = r.get(3)?;
    summary.retries = r.get::<_, i64>(4)? as u64;
    summary.dead_lettered = r.get(5)?;
    summary.response = r.get(6)?;
    texts.fill(r.get_ref(7)?.as_blob().unwrap_or_default(), &mut summary)?;
    Ok(summary)
}

fn state_at(r: &Row<'_>) -> Inner<usize> {
    Ok(r.get::<_, i64>(2)?.clamp(0, STATES.len() as i64 - 1) as usize)
}

/// When a journey started.
pub(crate) fn start_of(conn: &Connection, id: TraceId) -> Inner<Option<Nanos>> {
    let mut statement = conn.prepare_cached("SELECT start FROM journey WHERE id = ?1")?;
    Ok(statement.query_row([id.as_bytes()], |r| r.get(0)).optional()?)
}

/// What the columns can decide: everything but participant, text and state.
fn condition(f: &JourneyFilter) -> (String, Vec<Sql>) {
    let (mut sql, mut values) = ("1".to_owned(), Vec::new());
    let mut and = |condition: &str, value: i64| {
        values.push(Sql::from(value));
        sql.push_str(&format!(" AND {condition} ?{}", values.len()));
    };
    if let Some(since) = f.since {
        and("start >=", since);
    }
    if let Some(until) = f.until {
        and("start <", until);
    }
    if let Some(least) = f.min_response {
        and("response >=", least);
    }
    if f.retried {
        and("retries >", 0);
    }
    if f.dead_lettered {
        and("dead_lettered =", 1);
    }
    (sql, values)
}

/// What only the summary can decide.
fn passes(f: &JourneyFilter, j: &JourneySummary) -> bool {
    let takes_part =
        f.participant.as_deref().is_none_or(|who| j.participants.iter().any(|p| p.as_str() == who || p.name() == who));
    takes_part && f.text.as_deref().is_none_or(|text| contains(j, &text.to_lowercase()))
}

fn contains(j: &JourneySummary, text: &str) -> bool {
    let has = |s: &str| s.to_lowercase().contains(text);
    has(&j.root)
        || has(&j.id.to_string())
        || j.failure.as_deref().is_some_and(has)
        || j.participants.iter().any(|p| has(p.as_str()))
        || j.keys.iter().any(|(name, value)| has(value) || has(name))
}

/// A page of journeys, newest first, with the numbers of all that match.
pub(crate) fn page(conn: &Connection, f: &JourneyFilter) -> Inner<JourneyPage> {
    let needs_summary = f.participant.is_some() || f.text.as_deref().is_some_and(|t| !t.is_empty());
    let (sql, values) = condition(f);
    let columns = if needs_summary { COLUMNS } else { "id, start, state, settled, retries, dead_lettered" };
    let sql = format!("SELECT {columns} FROM journey WHERE {sql} ORDER BY start DESC, id DESC");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut page = JourneyPage::default();
    let (mut by_state, mut ids) = ([0u64; STATES.len()], Vec::new());
    let texts = Texts::new(conn);
    while let Some(r) = rows.next()? {
        if needs_summary && !passes(f, &read(r, &texts)?) {
            continue;
        }
        let state = state_at(r)?;
        by_state[state] += 1;
        if f.state.as_ref().is_some_and(|wanted| !wanted.contains(&STATES[state])) {
            continue;
        }
        page.total += 1;
        page.retried += u64::from(r.get::<_, i64>(4)? > 0);
        page.dead_lettered += u64::from(r.get::<_, bool>(5)?);
        if let Some(settled) = r.get::<_, Option<i64>>(3)?.filter(|_| page.settled.len() < SETTLED) {
            page.settled.push((settled, STATES[state] == JourneyState::Failed));
        }
        let place = (r.get::<_, Nanos>(1)?, trace_at(r, 0)?);
        if ids.len() < f.limit && f.before.is_none_or(|before| place < before) {
            ids.push(place.1);
        }
    }
    page.by_state = STATES.into_iter().zip(by_state).filter(|(_, n)| *n > 0).collect();
    for id in ids {
        page.rows.extend(summary_with(conn, &texts, id)?);
    }
    Ok(page)
}

//! A page of journeys with the numbers of all that match.

use std::cell::Cell;
use std::collections::BTreeMap;

use flowglass_model::filter::{Field, JourneyColumns, Test, journey_has};
use flowglass_model::{JourneyState, JourneySummary, Nanos, TraceId, is_noise};
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, Row, params_from_iter};
use rustc_hash::FxHashSet;

use crate::db::{Db, trace_at};
use crate::expect::Expectations;
use crate::fault::Inner;
use crate::journeys::{INDEXED, STATES, number, state_at, summary, summary_at};
use crate::lookup::{Lookups, lookups};
use crate::names::{Texts, Who};
use crate::{Around, JourneyFilter, JourneyPage};

/// Settled times given with a page at most.
const SETTLED: usize = 20_000;
/// Summaries read for one page at most: what the columns cannot decide is looked for in the newest ones, page by page.
const SUMMARIES: usize = 20_000;

/// A journey as its columns tell.
struct Candidate {
    place: (Nanos, TraceId),
    columns: JourneyColumns,
    root: Option<i64>,
}

/// Columns of a candidate with the state it has now.
fn judged(
    expected: &Expectations,
    id: TraceId,
    start: Nanos,
    mut columns: JourneyColumns,
    kind: Kind,
) -> JourneyColumns {
    let last = start.saturating_add(columns.settled.unwrap_or_default());
    columns.state = expected.state(id, kind, columns.state, last);
    columns
}

/// Root and shape.
type Kind = (Option<i64>, Option<i64>);

/// What is decided once for all rows.
struct Plan<'a> {
    filter: &'a JourneyFilter,
    lookups: Lookups,
    /// Roots that are noise.
    noise: FxHashSet<i64>,
    /// Roots that an `operation:` term means, by its position.
    operations: BTreeMap<usize, FxHashSet<i64>>,
    needs_summary: bool,
    /// The participant that must take part.
    who: Option<Who>,
    /// What journeys are judged by, when they are judged as of an instant.
    expected: Option<Expectations>,
}

/// Which way a scan goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Newest,
    Oldest,
}

/// A page of journeys, newest first.
pub(crate) fn page(db: Db<'_>, f: &JourneyFilter) -> Inner<JourneyPage> {
    let (plan, texts) = (plan(db, f)?, Texts::new(db.conn));
    let mut tally = Tally { unordered: plan.lookups.candidates.is_some(), ..Tally::default() };
    gather(db.conn, &texts, &plan, Order::Newest, &mut tally)?;
    tally.finish(db.conn, &texts, &plan)
}

/// Starts of the last journey before the range and of the first after it that match the rest of the filter.
pub(crate) fn nearest(db: Db<'_>, f: &JourneyFilter) -> Inner<Around> {
    let all = JourneyFilter { since: None, until: None, before: None, limit: usize::MAX, ..f.clone() };
    let before = f.since.map(|since| JourneyFilter { until: Some(since), ..all.clone() });
    let after = f.until.map(|until| JourneyFilter { since: Some(until), ..all });
    let before = before.map(|f| first(db, &f, Order::Newest)).transpose()?.flatten();
    Ok((before, after.map(|f| first(db, &f, Order::Oldest)).transpose()?.flatten()))
}

/// Start of the first journey in this order.
fn first(db: Db<'_>, f: &JourneyFilter, order: Order) -> Inner<Option<Nanos>> {
    let (plan, texts) = (plan(db, f)?, Texts::new(db.conn));
    let mut tally = Tally { unordered: true, first_only: plan.lookups.candidates.is_none(), ..Tally::default() };
    gather(db.conn, &texts, &plan, order, &mut tally)?;
    let starts = tally.rows.iter().map(|((start, _), ..)| *start);
    Ok(if order == Order::Newest { starts.max() } else { starts.min() })
}

/// Decides what is the same for all rows.
fn plan<'a>(db: Db<'_>, f: &'a JourneyFilter) -> Inner<Plan<'a>> {
    let lookups = lookups(db, f)?;
    let (noise, operations) = roots(db.conn, f)?;
    let by_columns = |(i, test): (usize, &Test)| match test {
        Test::Is(Field::State | Field::Status | Field::Retried | Field::DeadLettered | Field::Operation, _)
        | Test::Compare(..) => true,
        Test::Is(Field::Trace | Field::Span | Field::Attribute(_), _) => lookups.of.contains_key(&i),
        _ => false,
    };
    let mut tests = f.filter.terms.iter().map(|t| &t.test).enumerate();
    let who = f.participant.as_deref().map(|who| Who::new(db.conn, who)).transpose()?;
    let needs_summary = f.participant.is_some() || !tests.all(by_columns);
    let expected = f.now.map(|now| Expectations::load(db.conn, now, f.waiting.clone())).transpose()?;
    Ok(Plan { filter: f, lookups, noise, operations, needs_summary, who, expected })
}

/// Looks at the journeys of the range: those that alone can pass, else all of them in this order.
fn gather(conn: &Connection, texts: &Texts<'_>, plan: &Plan<'_>, order: Order, tally: &mut Tally) -> Inner<()> {
    let Some(candidates) = &plan.lookups.candidates else { return scan(conn, texts, plan, order, tally) };
    let f = plan.filter;
    for id in candidates.iter().take(SUMMARIES) {
        let Some(mut j) = summary(conn, texts, *id)? else { continue };
        if f.since.is_none_or(|t| j.start >= t) && f.until.is_none_or(|t| j.start < t) {
            let place = (j.start, j.id);
            let mut columns = JourneyColumns::of(&j);
            if let Some(expected) = &plan.expected {
                columns = judged(expected, j.id, j.start, columns, kind_of(conn, j.id)?);
                j.state = columns.state;
            }
            let found = Candidate { place, columns, root: None };
            plan.take(&found, || Ok(true), || Ok(Some(j)), tally)?;
        }
    }
    Ok(())
}

/// Roots that are noise, and those that each `operation:` term means, by its position.
type Roots = (FxHashSet<i64>, BTreeMap<usize, FxHashSet<i64>>);

/// Sorts the roots by what the filter says of them.
fn roots(conn: &Connection, f: &JourneyFilter) -> Inner<Roots> {
    let mut noise = FxHashSet::default();
    let mut operations = BTreeMap::new();
    for (i, term) in f.filter.terms.iter().enumerate() {
        if matches!(&term.test, Test::Is(Field::Operation, _)) {
            operations.insert(i, FxHashSet::default());
        }
    }
    if f.noise.is_empty() && operations.is_empty() {
        return Ok((noise, operations));
    }
    let mut statement = conn.prepare_cached("SELECT id, service, operation FROM journey_root")?;
    let mut rows = statement.query([])?;
    while let Some(r) = rows.next()? {
        let (id, service, operation): (i64, String, String) = (r.get(0)?, r.get(1)?, r.get(2)?);
        if is_noise(&f.noise, &service, &operation) {
            noise.insert(id);
        }
        for (i, meant) in &mut operations {
            let Test::Is(_, values) = &f.filter.terms[*i].test else { continue };
            let whole = format!("{service} {operation}");
            if values.iter().any(|v| v.matches_folded(&operation) || v.matches_folded(&whole)) {
                meant.insert(id);
            }
        }
    }
    Ok((noise, operations))
}

fn scan(conn: &Connection, texts: &Texts<'_>, plan: &Plan<'_>, order: Order, tally: &mut Tally) -> Inner<()> {
    let f = plan.filter;
    let (mut sql, mut values) = ("1".to_owned(), Vec::new());
    let mut and = |condition: &str, value: Sql| {
        values.push(value);
        sql.push_str(&format!(" AND {}", condition.replace("??", &format!("?{}", values.len()))));
    };
    if let Some(since) = f.since {
        and("start >= ??", since.into());
    }
    if let Some(until) = f.until {
        and("start < ??", until.into());
    }
    if let Some((start, _)) = f.before.filter(|_| plan.needs_summary) {
        // What was read for the pages before is not read again; its numbers were told with the first one.
        and("start <= ??", start.into());
    }
    // Where nothing else is counted and states are as stored, the index itself leaves the others out.
    if let Some(states) = f.state.as_ref().filter(|_| f.rows_only && plan.expected.is_none()) {
        let numbers: Vec<String> = states.iter().map(|state| number(*state).to_string()).collect();
        sql.push_str(&format!(" AND state IN ({})", numbers.join(", ")));
    }
    // What the index holds decides most; a summary is only read where it does not.
    let direction = if order == Order::Newest { "DESC" } else { "ASC" };
    let sql = format!("SELECT {INDEXED} FROM journey WHERE {sql} ORDER BY start {direction}, id {direction}");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut body_of = conn.prepare_cached("SELECT body FROM journey WHERE row = ?1")?;
    // Journeys of which more was read than the index has.
    let looked = Cell::new(0);
    while let Some(r) = rows.next()? {
        if f.rows_only && tally.rows.len() >= f.limit {
            break;
        }
        let mut found = candidate(r)?;
        if let Some(expected) = &plan.expected {
            let (start, id) = found.place;
            found.columns = judged(expected, id, start, found.columns, (found.root, r.get(8)?));
        }
        if plan.needs_summary && looked.get() >= SUMMARIES {
            break;
        }
        let (last, row) = (found.place, r.get(9)?);
        let takes_part = || -> Inner<bool> {
            let Some(who) = &plan.who else { return Ok(true) };
            looked.set(looked.get() + 1);
            body_of.query_row([row], |r| Ok(who.takes_part(r.get_ref(0)?.as_blob().unwrap_or_default())))?
        };
        let of_row = || -> Inner<Option<JourneySummary>> {
            looked.set(looked.get() + usize::from(plan.who.is_none()));
            let summary = summary_at(conn, texts, row)?;
            Ok(summary.map(|summary| JourneySummary { state: found.columns.state, ..summary }))
        };
        plan.take(&found, takes_part, of_row, tally)?;
        if tally.first_only && !tally.rows.is_empty() {
            break;
        }
        if plan.needs_summary && looked.get() >= SUMMARIES {
            tally.stopped = Some(last);
        }
    }
    Ok(())
}

fn kind_of(conn: &Connection, id: TraceId) -> Inner<Kind> {
    let mut statement = conn.prepare_cached("SELECT root, shape FROM journey WHERE id = ?1")?;
    Ok(statement.query_row([id.as_bytes()], |r| Ok((r.get(0)?, r.get(1)?)))?)
}

fn candidate(r: &Row<'_>) -> Inner<Candidate> {
    let columns = JourneyColumns {
        state: state_at(r, 2)?,
        response: r.get(3)?,
        settled: r.get(4)?,
        retries: r.get::<_, i64>(5)? as u64,
        dead_lettered: r.get(6)?,
    };
    Ok(Candidate { place: (r.get(1)?, trace_at(r, 0)?), columns, root: r.get(7)? })
}

impl Plan<'_> {
    /// Looks at one journey; whether the participant wanted takes part, and its summary, are asked for only when nothing else decides.
    fn take(
        &self,
        found: &Candidate,
        takes_part: impl FnOnce() -> Inner<bool>,
        read: impl FnOnce() -> Inner<Option<JourneySummary>>,
        tally: &mut Tally,
    ) -> Inner<()> {
        let terms = &self.filter.filter.terms;
        let mut state_fits = self.filter.state.as_ref().is_none_or(|s| s.contains(&found.columns.state));
        let mut open = Vec::new();
        for (i, term) in terms.iter().enumerate() {
            let by_root = found.root.filter(|_| self.operations.contains_key(&i));
            let decided = match (&term.test, by_root) {
                (Test::Is(Field::State | Field::Status, _), _) => {
                    state_fits &= found.columns.decide(&term.test) != Some(term.negated);
                    continue;
                }
                (_, Some(root)) => Some(self.operations.get(&i).is_some_and(|meant| meant.contains(&root))),
                (Test::Is(Field::Trace | Field::Span | Field::Attribute(_), _), _) => {
                    Some(self.lookups.holds(i, found.place.1))
                }
                (Test::Words(_), _) => self.lookups.holds(i, found.place.1).then_some(true),
                (test, _) => found.columns.decide(test),
            };
            match decided {
                Some(holds) if holds == term.negated => return Ok(()),
                Some(_) => {}
                None => open.push(i),
            }
        }
        if self.filter.rows_only && !state_fits {
            return Ok(());
        }
        if !takes_part()? {
            return Ok(());
        }
        let mut summary = None;
        if !open.is_empty() || self.filter.participant.is_some() {
            summary = read()?;
            let Some(j) = &summary else { return Ok(()) };
            if !self.passes(j, &open) {
                return Ok(());
            }
        }
        if found.root.is_some_and(|root| self.noise.contains(&root)) {
            tally.noise += u64::from(state_fits);
            return Ok(());
        }
        tally.add(found, state_fits, summary, self.filter);
        Ok(())
    }

    fn passes(&self, j: &JourneySummary, open: &[usize]) -> bool {
        let who = self.filter.participant.as_deref();
        if !who.is_none_or(|who| j.participants.iter().any(|p| p.as_str() == who || p.name() == who)) {
            return false;
        }
        open.iter().all(|i| {
            let term = &self.filter.filter.terms[*i];
            journey_has(&term.test, j, &self.filter.places) != Some(term.negated)
        })
    }
}

/// Numbers and rows being collected.
#[derive(Default)]
struct Tally {
    page: JourneyPage,
    by_state: BTreeMap<JourneyState, u64>,
    noise: u64,
    rows: Vec<((Nanos, TraceId), JourneyState, Option<JourneySummary>)>,
    stopped: Option<(Nanos, TraceId)>,
    /// Rows come in any order, not newest first.
    unordered: bool,
    /// One row is enough; the numbers do not matter.
    first_only: bool,
}

impl Tally {
    fn add(&mut self, found: &Candidate, state_fits: bool, summary: Option<JourneySummary>, f: &JourneyFilter) {
        let Candidate { place, columns, .. } = found;
        *self.by_state.entry(columns.state).or_default() += 1;
        if !state_fits {
            return;
        }
        self.page.total += 1;
        self.page.retried += u64::from(columns.retries > 0);
        self.page.dead_lettered += u64::from(columns.dead_lettered);
        if let Some(settled) = columns.settled.filter(|_| self.page.settled.len() < SETTLED) {
            self.page.settled.push((settled, columns.state == JourneyState::Failed));
        }
        if f.before.is_none_or(|before| *place < before) && (self.unordered || self.rows.len() < f.limit) {
            self.rows.push((*place, columns.state, summary));
        }
    }

    fn cut(&mut self, limit: usize) {
        self.rows.sort_by_key(|(place, ..)| std::cmp::Reverse(*place));
        self.rows.truncate(limit);
    }

    fn finish(mut self, conn: &Connection, texts: &Texts<'_>, plan: &Plan<'_>) -> Inner<JourneyPage> {
        self.cut(plan.filter.limit);
        let mut page = self.page;
        page.noise = self.noise;
        page.by_state = STATES.into_iter().filter_map(|s| Some((s, *self.by_state.get(&s)?))).collect();
        page.stopped = self.stopped;
        if let Some(at) = plan.lookups.stopped {
            let nobody = TraceId::new([0xff; 16]);
            page.stopped = page.stopped.max(nobody.map(|id| (at, id)));
        }
        for ((_, id), state, known) in self.rows {
            let row = match known {
                Some(known) => Some(known),
                None => summary(conn, texts, id)?,
            };
            page.rows.extend(row.map(|row| JourneySummary { state, ..row }));
        }
        Ok(page)
    }
}

//! Log records as lists show them: chunks from the newest down, as many as a page needs.

use std::collections::BTreeSet;

use flowglass_model::filter::{Field, Filter, Pattern, Places, Term, Test, level_word, participant_is};
use flowglass_model::{LogRecord, Nanos, SpanId, TraceId};
use rusqlite::params;
use rustc_hash::FxHashMap;

use crate::chunk::{Chunk, Kind, log_bytes};
use crate::db::Db;
use crate::fault::{Fault, Inner};
use crate::hash::{hash_parts, hash64};
use crate::lookup::attribute_is;
use crate::{Around, LogFilter, LogId, LogPage};

/// Records looked at for one page at most.
const RECORDS: usize = 60_000;

/// A chunk of log records as the index tells.
struct Place {
    id: i64,
    items: usize,
    last: Nanos,
}

/// A page of log records, newest first.
pub(crate) fn page(db: Db<'_>, f: &LogFilter) -> Inner<LogPage> {
    let newest = db
        .conn
        .prepare_cached("SELECT coalesce(max(id), 0) FROM chunk WHERE kind = ?1")?
        .query_row([Kind::Logs as i64], |r| r.get(0))?;
    let places = places(db, f)?;
    let all: usize = places.iter().map(|p| p.items).sum();
    // What fits into the bound is read to its end, so that it can be counted; else only as far as the page needs.
    let count = all <= RECORDS && f.before.is_none() && f.after.is_none();
    let mut reader = Pages { filter: f, plan: Plan::new(&f.filter), rows: Vec::new(), by_level: [0; 7], matched: 0 };
    let (mut seen, mut stopped, mut enough) = (0, None, false);
    for place in &places {
        if !count && reader.full(place.last) {
            enough = true;
            break;
        }
        if seen >= RECORDS {
            stopped = Some(place.last);
            break;
        }
        seen += place.items;
        reader.read(&*db.chunk(place.id)?)?;
    }
    let mut page = LogPage { newest, stopped, ..LogPage::default() };
    page.more = enough || stopped.is_some() || reader.rows.len() > f.limit;
    page.total = count.then_some(reader.matched);
    page.by_level = count.then_some(reader.by_level);
    page.rows = reader.finish();
    Ok(page)
}

/// Times of the last record before the range that matches the rest of the filter, else of the first after it.
pub(crate) fn nearest(db: Db<'_>, f: &LogFilter) -> Inner<Around> {
    let around =
        |since, until, limit| page(db, &LogFilter { since, until, before: None, after: None, limit, ..f.clone() });
    if let Some(since) = f.since
        && let Some((id, _)) = around(None, Some(since), 1)?.rows.first()
    {
        return Ok((Some(id.time), None));
    }
    let Some(until) = f.until else { return Ok((None, None)) };
    Ok((None, around(Some(until), None, RECORDS)?.rows.last().map(|(id, _)| id.time)))
}

/// Chunks that may hold something, the ones with the latest records first.
fn places(db: Db<'_>, f: &LogFilter) -> Inner<Vec<Place>> {
    let (since, mut until) = (f.since.unwrap_or(Nanos::MIN), f.until.unwrap_or(Nanos::MAX));
    if let Some(before) = f.before {
        until = until.min(before.time.saturating_add(1));
    }
    let mut statement = db.conn.prepare_cached(
        "SELECT id, items, last FROM chunk WHERE kind = ?1 AND last >= ?2 AND first < ?3 AND id > ?4
         ORDER BY last DESC, id DESC",
    )?;
    let after = f.after.unwrap_or(0);
    let rows = statement.query_map(params![Kind::Logs as i64, since, until, after], |r| {
        Ok(Place { id: r.get(0)?, items: r.get::<_, i64>(1)? as usize, last: r.get(2)? })
    })?;
    let mut out: Vec<Place> = rows.collect::<Result<_, _>>()?;
    for (_, field, value) in f.filter.whole_values().filter(|(.., value)| !value.is_empty()) {
        let ids: BTreeSet<i64> = match field {
            Field::Trace => match value.to_ascii_lowercase().parse::<TraceId>() {
                Ok(trace) => of_trace(db, trace)?,
                Err(_) => BTreeSet::new(),
            },
            Field::Span => match value.to_ascii_lowercase().parse::<SpanId>() {
                Ok(span) => db.chunks_with(Kind::Logs, span.as_bytes())?.into_iter().collect(),
                Err(_) => BTreeSet::new(),
            },
            _ => continue,
        };
        out.retain(|p| ids.contains(&p.id));
    }
    Ok(out)
}

fn of_trace(db: Db<'_>, trace: TraceId) -> Inner<BTreeSet<i64>> {
    let mut statement = db.conn.prepare_cached("SELECT chunk FROM trace_chunk WHERE trace = ?1 AND kind = ?2")?;
    let rows = statement.query_map(params![trace.as_bytes(), Kind::Logs as i64], |r| r.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Terms apart: levels are counted without their own terms.
struct Plan<'a> {
    levels: Vec<&'a Term>,
    rest: Vec<&'a Term>,
}

impl<'a> Plan<'a> {
    fn new(filter: &'a Filter) -> Plan<'a> {
        let of_level = |t: &&Term| matches!(&t.test, Test::Is(Field::Level, _) | Test::Compare(Field::Level, ..));
        let (levels, rest) = filter.terms.iter().partition(of_level);
        Plan { levels, rest }
    }
}

/// Matching records being collected.
struct Pages<'a> {
    filter: &'a LogFilter,
    plan: Plan<'a>,
    rows: Vec<LogRecord>,
    by_level: [u64; 7],
    matched: u64,
}

impl Pages<'_> {
    /// Whether nothing older than `last` can get onto the page.
    fn full(&mut self, last: Nanos) -> bool {
        let limit = self.filter.limit;
        if self.rows.len() <= limit {
            return false;
        }
        self.rows.sort_by_key(|l| std::cmp::Reverse(l.time));
        self.rows.get(limit).is_some_and(|row| row.time > last)
    }

    fn read(&mut self, chunk: &Chunk) -> Inner<()> {
        let f = self.filter;
        for index in 0..chunk.len() {
            let log = chunk.log(index)?;
            let inside = f.since.is_none_or(|t| log.time >= t) && f.until.is_none_or(|t| log.time < t);
            if !inside || f.before.is_some_and(|b| log.time > b.time) || !fits(&self.plan.rest, &log, &f.places) {
                continue;
            }
            self.by_level[level_rank(&log) as usize] += 1;
            if fits(&self.plan.levels, &log, &f.places) {
                self.matched += 1;
                self.rows.push(log);
            }
        }
        // Far more than a page can be let go of at once.
        if self.rows.len() > (f.limit + 1) * 8 && f.before.is_none() {
            self.rows.sort_by_key(|l| std::cmp::Reverse(l.time));
            let edge = self.rows.get(f.limit).map(|l| l.time);
            self.rows.retain(|l| edge.is_none_or(|t| l.time >= t));
        }
        Ok(())
    }

    /// The rows of the page with their identities, newest first.
    fn finish(mut self) -> Vec<(LogId, LogRecord)> {
        self.rows.sort_by_key(|l| std::cmp::Reverse(l.time));
        // Identities cost a hash each: only those near the page are needed.
        let keep = self.filter.limit
            + self.rows.iter().filter(|l| self.filter.before.is_some_and(|b| b.time == l.time)).count();
        let edge = self.rows.get(keep).map(|l| l.time);
        self.rows.retain(|l| edge.is_none_or(|t| l.time >= t));
        let mut emitters = FxHashMap::default();
        let mut out: Vec<(LogId, LogRecord)> =
            self.rows.into_iter().filter_map(|l| Some((identity(&l, &mut emitters).ok()?, l))).collect();
        out.retain(|(id, _)| self.filter.before.is_none_or(|before| *id < before));
        out.sort_by_key(|(id, _)| std::cmp::Reverse(*id));
        out.truncate(self.filter.limit);
        out
    }
}

/// The identity of a record: the same hash by which exact repeats are refused.
fn identity(log: &LogRecord, emitters: &mut FxHashMap<(usize, usize), u64>) -> Inner<LogId> {
    let addresses = (std::sync::Arc::as_ptr(&log.resource) as usize, std::sync::Arc::as_ptr(&log.scope) as usize);
    let emitter = match emitters.get(&addresses) {
        Some(known) => *known,
        None => {
            let bytes =
                postcard::to_stdvec(&(&*log.resource, &*log.scope)).map_err(|e| Fault::decode("an emitter", e))?;
            *emitters.entry(addresses).or_insert(hash64(&bytes))
        }
    };
    Ok(LogId { time: log.time, hash: hash_parts(&[&log_bytes(log)?, &emitter.to_le_bytes()]) })
}

fn level_rank(log: &LogRecord) -> i64 {
    i64::from(if log.severity == 0 { 0 } else { ((log.severity - 1) / 4 + 1).min(6) })
}

fn fits(terms: &[&Term], log: &LogRecord, places: &Places) -> bool {
    terms.iter().all(|term| has(&term.test, log, places) != term.negated)
}

/// Whether a test holds for a log record.
fn has(test: &Test, log: &LogRecord, places: &Places) -> bool {
    let (field, values) = match test {
        Test::Words(word) => return mentions(log, word),
        Test::Compare(Field::Level, comparison, to) => return comparison.holds(level_rank(log), *to),
        Test::Compare(..) => return false,
        Test::Is(field, values) => (field, values),
    };
    let any = |text: &str| values.iter().any(|v| v.matches_folded(text));
    match field {
        Field::Level => any(level_word(log.severity)),
        Field::Type => any(&log.event_name),
        Field::Trace => log.trace_id.is_some_and(|t| any(&t.to_string())) || (log.trace_id.is_none() && any("")),
        Field::Span => log.span_id.is_some_and(|s| any(&s.to_string())) || (log.span_id.is_none() && any("")),
        Field::Attribute(name) => {
            attribute_is(&log.attributes, name, values)
                || attribute_is(&log.resource.attributes, name, values)
                || attribute_is(&log.scope.attributes, name, values)
        }
        _ => {
            let id = log.resource.node_id();
            participant_is(field, values, &id, places.get(&id)).unwrap_or(false)
        }
    }
}

fn mentions(log: &LogRecord, word: &Pattern) -> bool {
    let body = log.body.as_str().map_or_else(|| word.occurs_in(&log.body.to_string()), |text| word.occurs_in(text));
    body || word.occurs_in(&log.event_name)
        || word.occurs_in(&log.resource.service.name)
        || log
            .attributes
            .iter()
            .any(|(_, v)| v.as_str().map_or_else(|| word.occurs_in(&v.to_string()), |t| word.occurs_in(t)))
}

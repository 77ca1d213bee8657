//! What belongs to traces and to nothing else, and what belongs to none: asked before anything is erased.

use std::collections::BTreeSet;

use flowglass_model::{Delivery, Message, Nanos, TraceId};
use rusqlite::params;

use crate::chunk::Kind;
use crate::db::{Db, trace_at};
use crate::delivery_rows::delivery_at;
use crate::fault::Inner;
use crate::{Reader, Result, Stats, Tx, events};

/// How much something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extent {
    /// Journeys.
    pub journeys: u64,
    /// Spans.
    pub spans: u64,
    /// Events.
    pub events: u64,
    /// Log records.
    pub logs: u64,
    /// Its first instant.
    pub first: Option<Nanos>,
    /// Its last instant.
    pub last: Option<Nanos>,
}

impl Extent {
    /// Widens the covered time.
    pub fn cover(&mut self, first: Nanos, last: Nanos) {
        self.first = Some(self.first.map_or(first, |t| t.min(first)));
        self.last = Some(self.last.map_or(last, |t| t.max(last)));
    }

    /// Adds another.
    pub fn add(&mut self, other: &Extent) {
        self.journeys += other.journeys;
        self.spans += other.spans;
        self.events += other.events;
        self.logs += other.logs;
        if let (Some(first), Some(last)) = (other.first, other.last) {
            self.cover(first, last);
        }
    }
}

type Bound = Option<Nanos>;

/// Journeys that are looked at to tell about how much many are.
const SAMPLE: usize = 300;

fn ends(since: Bound, until: Bound) -> (Nanos, Nanos) {
    (since.unwrap_or(Nanos::MIN), until.unwrap_or(Nanos::MAX))
}

/// Rows of the events whose publications name these traces and no other trace that is stored.
fn events_only_of(db: Db<'_>, traces: &BTreeSet<TraceId>) -> Inner<Vec<i64>> {
    let mut candidates = BTreeSet::new();
    let mut of_trace = db.conn.prepare_cached(
        "SELECT event FROM message WHERE hop_trace = ?1 UNION SELECT event FROM message WHERE origin_trace = ?1",
    )?;
    for trace in traces {
        for event in of_trace.query_map([trace.as_bytes()], |r| r.get::<_, i64>(0))? {
            candidates.insert(event?);
        }
    }
    let mut named = db.conn.prepare_cached(
        "SELECT hop_trace FROM message WHERE event = ?1 AND hop_trace IS NOT NULL
         UNION SELECT origin_trace FROM message WHERE event = ?1 AND origin_trace IS NOT NULL",
    )?;
    let mut out = Vec::new();
    for event in candidates {
        let others: Vec<TraceId> = named.query_map([event], |r| trace_at(r, 0))?.collect::<Result<_, _>>()?;
        let mut shared = false;
        for other in others.iter().filter(|t| !traces.contains(t)) {
            shared = shared || db.has_trace(*other)?;
        }
        if !shared {
            out.push(event);
        }
    }
    Ok(out)
}

/// Rows of events first published in a range that name no trace that is stored, oldest first.
fn loose_events(db: Db<'_>, since: Bound, until: Bound, limit: usize) -> Inner<Vec<(i64, Nanos)>> {
    let (since, until) = ends(since, until);
    let mut statement = db.conn.prepare_cached(
        "SELECT m.id, m.time FROM message m WHERE m.event = m.id AND m.time >= ?1 AND m.time < ?2 AND NOT EXISTS(
           SELECT 1 FROM message o WHERE o.event = m.id AND (
             EXISTS(SELECT 1 FROM trace_chunk t WHERE t.trace = o.hop_trace AND t.kind = 0)
             OR EXISTS(SELECT 1 FROM trace_chunk t WHERE t.trace = o.origin_trace AND t.kind = 0)))
         ORDER BY m.time, m.id LIMIT ?3",
    )?;
    let rows = statement.query_map(params![since, until, limit as i64], |r| Ok((r.get(0)?, r.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Deliveries in a range that no stored publication explains, oldest first.
fn loose_deliveries(db: Db<'_>, since: Bound, until: Bound, limit: usize) -> Inner<Vec<Delivery>> {
    let (since, until) = ends(since, until);
    let mut statement = db.conn.prepare_cached(
        "SELECT stream, consumer, consumer_sequence, system, destination, stream_sequence, delivered, time, event_id
         FROM delivery d WHERE d.time >= ?1 AND d.time < ?2
           AND NOT EXISTS(SELECT 1 FROM message m WHERE m.stream = d.stream AND m.sequence = d.stream_sequence
             AND (d.destination IS NULL OR m.destination = d.destination))
           AND NOT EXISTS(SELECT 1 FROM message m WHERE m.event_id = d.event_id AND m.destination = d.destination)
         ORDER BY d.time LIMIT ?3",
    )?;
    let rows = statement.query_map(params![since, until, limit as i64], delivery_at)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Chunks of log records that reach into a range.
pub(crate) fn loose_log_chunks(db: Db<'_>, since: Bound, until: Bound) -> Inner<Vec<i64>> {
    let (since, until) = ends(since, until);
    let mut statement =
        db.conn.prepare_cached("SELECT id FROM chunk WHERE kind = ?1 AND last >= ?2 AND first < ?3 ORDER BY id")?;
    let rows = statement.query_map(params![Kind::Logs as i64, since, until], |r| r.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn count_journeys(db: Db<'_>) -> Inner<u64> {
    Ok(db.conn.query_row("SELECT count(*) FROM journey", [], |r| r.get::<_, i64>(0))? as u64)
}

fn whole(journeys: u64, stats: &Stats) -> Extent {
    Extent {
        journeys,
        spans: stats.spans,
        events: stats.events,
        logs: stats.logs,
        first: stats.oldest,
        last: stats.newest,
    }
}

impl Tx<'_> {
    /// Rows of the events whose publications name these traces and no other trace that is stored.
    pub fn events_only_of(&self, traces: &BTreeSet<TraceId>) -> Result<Vec<i64>> {
        self.told(events_only_of(self.db(), traces))
    }

    /// All publications of events, headers and payloads left out.
    pub fn publications_of(&self, rows: &[i64]) -> Result<Vec<Message>> {
        let mut out = Vec::new();
        for row in rows {
            let found = self.told(events::occurrences(self.db().conn, *row))?;
            out.extend(found.into_iter().map(|(_, _, message)| message));
        }
        Ok(out)
    }

    /// Rows of at most `limit` events first published in `[since, until)` that name no trace that is stored.
    pub fn loose_events(&self, since: Bound, until: Bound, limit: usize) -> Result<Vec<i64>> {
        let found = self.told(loose_events(self.db(), since, until, limit))?;
        Ok(found.into_iter().map(|(row, _)| row).collect())
    }

    /// How much there is.
    pub fn whole_extent(&self) -> Result<Extent> {
        let journeys = self.told(count_journeys(self.db()))?;
        Ok(whole(journeys, &self.writer.state.counters.stats))
    }

    /// At most `limit` deliveries in `[since, until)` that no stored publication explains.
    pub fn loose_deliveries(&self, since: Bound, until: Bound, limit: usize) -> Result<Vec<Delivery>> {
        self.told(loose_deliveries(self.db(), since, until, limit))
    }
}

impl Reader {
    /// Journeys that start in `[since, until)`, oldest first.
    pub fn journeys_started(&self, since: Bound, until: Bound) -> Result<Vec<TraceId>> {
        let (since, until) = ends(since, until);
        self.ask(|db| {
            let sql = "SELECT id FROM journey WHERE start >= ?1 AND start < ?2 ORDER BY start, id";
            let mut statement = db.conn.prepare_cached(sql)?;
            let rows = statement.query_map([since, until], |r| trace_at(r, 0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// How much would go with journeys: these traces, and the events that name no other one.
    pub fn extent(&self, journeys: &[TraceId], traces: &BTreeSet<TraceId>) -> Result<Extent> {
        self.ask(|db| {
            let mut out = Extent { journeys: journeys.len() as u64, ..Extent::default() };
            let mut times = db.conn.prepare_cached(
                "SELECT start, start + max(coalesce(response, 0), coalesce(settled, 0)) FROM journey WHERE id = ?1",
            )?;
            for id in journeys {
                let mut rows = times.query([id.as_bytes()])?;
                if let Some(r) = rows.next()? {
                    out.cover(r.get(0)?, r.get(1)?);
                }
            }
            let mut items =
                db.conn.prepare_cached("SELECT kind, sum(items) FROM trace_chunk WHERE trace = ?1 GROUP BY kind")?;
            for trace in traces {
                let mut rows = items.query([trace.as_bytes()])?;
                while let Some(r) = rows.next()? {
                    let count = r.get::<_, i64>(1)? as u64;
                    *(if r.get::<_, i64>(0)? == Kind::Spans as i64 { &mut out.spans } else { &mut out.logs }) += count;
                }
            }
            out.events = events_only_of(db, traces)?.len() as u64;
            Ok(out)
        })
    }

    /// About how much would go with these journeys: what some of them have, taken for all. Traces that they share with others count.
    pub fn extent_roughly(&self, journeys: &[TraceId]) -> Result<Extent> {
        let step = journeys.len().div_ceil(SAMPLE).max(1);
        let sample: Vec<TraceId> = journeys.iter().copied().step_by(step).collect();
        let mut traces = BTreeSet::new();
        for journey in &sample {
            traces.extend(self.traces_of_journey(*journey)?);
        }
        let of_sample = self.extent(&sample, &traces)?;
        let all = |n: u64| (n as f64 * journeys.len() as f64 / sample.len().max(1) as f64).round() as u64;
        Ok(Extent {
            journeys: journeys.len() as u64,
            spans: all(of_sample.spans),
            events: all(of_sample.events),
            logs: all(of_sample.logs),
            ..of_sample
        })
    }

    /// About how much lies in `[since, until)`: journeys that start there; publications; of each chunk of spans and log records as
    /// much as of its time.
    pub fn range_extent_roughly(&self, since: Bound, until: Bound) -> Result<Extent> {
        let (from, to) = ends(since, until);
        let stats = self.stats()?;
        self.ask(|db| {
            let count = |sql: &str| -> Inner<u64> {
                let mut statement = db.conn.prepare_cached(sql)?;
                Ok(statement.query_row([from, to], |r| r.get::<_, i64>(0))? as u64)
            };
            let mut out = Extent {
                journeys: count("SELECT count(*) FROM journey WHERE start >= ?1 AND start < ?2")?,
                events: count("SELECT count(*) FROM message WHERE time >= ?1 AND time < ?2")?,
                ..Extent::default()
            };
            let mut chunks =
                db.conn.prepare_cached("SELECT kind, items, first, last FROM chunk WHERE last >= ?1 AND first < ?2")?;
            let mut rows = chunks.query([from, to])?;
            let (mut spans, mut logs) = (0.0, 0.0);
            while let Some(r) = rows.next()? {
                let (first, last): (Nanos, Nanos) = (r.get(2)?, r.get(3)?);
                let length = |from: Nanos, to: Nanos| to.saturating_sub(from).saturating_add(1) as f64;
                let share = length(first.max(from), last.min(to)) / length(first, last).max(1.0);
                let items = r.get::<_, i64>(1)? as f64 * share.clamp(0.0, 1.0);
                *(if r.get::<_, i64>(0)? == Kind::Spans as i64 { &mut spans } else { &mut logs }) += items;
            }
            (out.spans, out.logs) = (spans.round() as u64, logs.round() as u64);
            let inside = |t: Nanos| t.clamp(from, to);
            if out.journeys + out.spans + out.events + out.logs > 0 {
                (out.first, out.last) = (stats.oldest.map(inside), stats.newest.map(inside));
            }
            Ok(out)
        })
    }

    /// How much in `[since, until)` belongs to no stored trace: events and log records.
    pub fn loose_extent(&self, since: Bound, until: Bound) -> Result<Extent> {
        self.ask(|db| {
            let mut out = Extent::default();
            for (_, time) in loose_events(db, since, until, i64::MAX as usize)? {
                out.events += 1;
                out.cover(time, time);
            }
            let (from, to) = ends(since, until);
            for id in loose_log_chunks(db, since, until)? {
                let chunk = db.chunk(id)?;
                let mut owners = vec![false; chunk.len()];
                for (trace, first, items) in chunk.traces() {
                    owners[first..first + items].fill(db.has_trace(trace)?);
                }
                for (index, _) in owners.iter().enumerate().filter(|(_, owned)| !**owned) {
                    let time = chunk.log(index)?.time;
                    if time >= from && time < to {
                        out.logs += 1;
                        out.cover(time, time);
                    }
                }
            }
            Ok(out)
        })
    }

    /// How much there is.
    pub fn whole_extent(&self) -> Result<Extent> {
        Ok(whole(self.ask(count_journeys)?, &self.stats()?))
    }
}

//! Questions to a workspace, beside whoever writes it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flowglass_model::{
    Batch, JourneySummary, LogRecord, Message, Nanos, NodeId, Rejected, Resource, SeriesKey, SeriesSum, Span,
    SpanFacts, SpanId, SpanKind, TraceId, TraceJoin,
};
use rusqlite::Connection;

use crate::cache::ChunkCache;
use crate::counters::Counters;
use crate::db::Db;
use crate::fault::Inner;
use crate::names::Texts;
use crate::{
    Around, DestinationRow, EventDetail, EventFilter, EventPage, EventRow, FindHit, JourneyFilter, JourneyPage,
    LogFilter, LogPage, Result, Seen, SeriesFilter, Spark, Stats, TimelineBucket, destinations, event_page, events,
    find, journey_page, journeys, logs, records, schema, seen, senders, series, sparks,
};

/// A read-only view of a workspace. Every question sees one consistent state; the next sees what was committed meanwhile.
/// Errors of all questions: [`StoreError::Corrupt`](crate::StoreError::Corrupt), [`StoreError::Busy`](crate::StoreError::Busy)
/// or [`StoreError::Engine`](crate::StoreError::Engine).
pub struct Reader {
    conn: Connection,
    path: PathBuf,
    cache: ChunkCache,
}

impl Reader {
    /// Opens a workspace for reading; works while another process writes, and creates nothing.
    ///
    /// Errors: [`Missing`](crate::StoreError::Missing), [`Newer`](crate::StoreError::Newer),
    /// [`Foreign`](crate::StoreError::Foreign), [`Corrupt`](crate::StoreError::Corrupt).
    pub fn open(path: &Path) -> Result<Reader> {
        Reader::open_sharing(path, &ChunkCache::default())
    }

    /// The same with decoded chunks that others who read this very workspace hold too.
    pub fn open_sharing(path: &Path, cache: &ChunkCache) -> Result<Reader> {
        schema::peek(path)?;
        let conn = schema::open_for_reading(path)?;
        Ok(Reader { conn, path: path.to_path_buf(), cache: cache.clone() })
    }

    /// Runs a question against one state of the file.
    pub(crate) fn ask<T>(&self, question: impl FnOnce(Db<'_>) -> Inner<T>) -> Result<T> {
        let run = || {
            let state = self.conn.unchecked_transaction()?;
            let answer = question(Db { conn: &self.conn, cache: &self.cache })?;
            state.finish()?;
            Ok(answer)
        };
        run().map_err(|f: crate::fault::Fault| f.at(&self.path))
    }

    /// Bytes of the file and its write-ahead log.
    fn bytes(&self) -> u64 {
        let size = |path: &Path| fs::metadata(path).map_or(0, |m| m.len());
        size(&self.path) + size(&schema::beside(&self.path, "-wal"))
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Numbers of everything that is stored.
    pub fn stats(&self) -> Result<Stats> {
        let counters = self.ask(|db| Counters::load(db.conn))?;
        Ok(Stats { bytes: self.bytes(), ..counters.stats })
    }

    /// A meta value.
    pub fn meta(&self, key: &str) -> Result<Option<String>> {
        self.ask(|db| db.meta(key))
    }

    /// The newest rejections, newest first, with the time they were noted where it is known; at most 1,000 are kept.
    pub fn rejected(&self, limit: usize) -> Result<Vec<(Option<Nanos>, Rejected)>> {
        self.ask(|db| {
            let mut statement = db
                .conn
                .prepare_cached("SELECT time, source, at, reason, count FROM rejected ORDER BY id DESC LIMIT ?1")?;
            let rows = statement.query_map([limit as i64], |r| {
                let count = r.get::<_, i64>(4)? as u64;
                Ok((r.get(0)?, Rejected { source: r.get(1)?, at: r.get(2)?, reason: r.get(3)?, count }))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// All series with data in `[since, until)`, summed and sorted by key. A bucket of 10 s counts when its start lies in
    /// the range. `first` and `last` are exact to 10 s for a series that lies in the range entirely, else to 8 h.
    pub fn series(&self, since: Option<Nanos>, until: Option<Nanos>) -> Result<Vec<SeriesSum>> {
        self.ask(|db| series::sums(db.conn, since, until))
    }

    /// Counts and errors of every series with data in `[since, until)`, in `parts` equal parts; an open end is where the data
    /// ends.
    pub fn sparks(
        &self,
        since: Option<Nanos>,
        until: Option<Nanos>,
        parts: usize,
    ) -> Result<BTreeMap<SeriesKey, Spark>> {
        self.ask(|db| sparks::sparks(db.conn, since, until, parts))
    }

    /// The event that a publication's row belongs to.
    pub fn event_row(&self, row: i64) -> Result<Option<EventRow>> {
        self.ask(|db| events::by_row(db.conn, row))
    }

    /// The newest publication's row; rows grow with arrival. 0 when there is none.
    pub fn newest_event_row(&self) -> Result<i64> {
        self.ask(|db| events::newest(db.conn))
    }

    /// The series of a filter added up in `buckets` bars of equal width over `[since, until)`; an open end is where the
    /// data ends. Empty when there is no data to take an open end from.
    pub fn timeline(
        &self,
        filter: &SeriesFilter,
        since: Option<Nanos>,
        until: Option<Nanos>,
        buckets: usize,
    ) -> Result<Vec<TimelineBucket>> {
        self.ask(|db| series::timeline(db.conn, filter, since, until, buckets))
    }

    /// Every participant with data, sorted, with the start of its first and the end of its last bucket of 10 s.
    pub fn participants_seen(&self) -> Result<Vec<(NodeId, Nanos, Nanos)>> {
        self.ask(|db| series::participants(db.conn))
    }

    /// Every service that sent telemetry of its own, sorted, with the end of its last bucket of 10 s.
    pub fn senders(&self) -> Result<Vec<(NodeId, Nanos)>> {
        self.ask(|db| senders::senders(db.conn))
    }

    /// Starts of the buckets of 10 s (longer ones of long ago) in `[since, until)` in which a service sent telemetry of its own, sorted.
    pub fn activity(&self, who: &NodeId, since: Nanos, until: Nanos) -> Result<Vec<Nanos>> {
        self.ask(|db| senders::activity(db.conn, who, since, until))
    }

    /// All spans of a trace, by start; empty when it is unknown.
    pub fn trace(&self, trace: TraceId) -> Result<Vec<Span>> {
        self.ask(|db| db.trace(trace))
    }

    /// Facts of all spans of a trace, by start.
    pub fn trace_facts(&self, trace: TraceId) -> Result<Vec<SpanFacts>> {
        self.ask(|db| db.trace_facts(trace))
    }

    /// Facts of a service's spans in a trace, by start. Costs little where the trace has many spans of others.
    pub fn facts_of_service(&self, trace: TraceId, service: &NodeId) -> Result<Vec<SpanFacts>> {
        self.ask(|db| db.facts_of_service(trace, service))
    }

    /// Resources that emitted a trace's spans; one may be told several times. Far cheaper than reading the spans.
    pub fn resources_of_trace(&self, trace: TraceId) -> Result<Vec<Arc<Resource>>> {
        self.ask(|db| db.resources_of_trace(trace))
    }

    /// Joins of a trace: as child, as parent.
    pub fn joins_of(&self, trace: TraceId) -> Result<(Vec<TraceJoin>, Vec<TraceJoin>)> {
        self.ask(|db| db.joins_of(trace))
    }

    /// Traces with a span of this message: topic without environment (`nats/orders.placed`) and message id.
    pub fn traces_with_message(&self, topic_body: &str, message_id: &str) -> Result<Vec<TraceId>> {
        self.ask(|db| db.traces_with_message(topic_body, message_id))
    }

    /// Journeys a trace belongs to, oldest first.
    pub fn journeys_of_trace(&self, trace: TraceId) -> Result<Vec<TraceId>> {
        self.ask(|db| db.journeys_of_trace(trace))
    }

    /// Traces of a journey, sorted by id.
    pub fn traces_of_journey(&self, journey: TraceId) -> Result<Vec<TraceId>> {
        self.ask(|db| db.traces_of_journey(journey))
    }

    /// One span; without a kind the first of that id.
    pub fn span(&self, trace: TraceId, span: SpanId, kind: Option<SpanKind>) -> Result<Option<Span>> {
        self.ask(|db| db.span(trace, span, kind))
    }

    /// Traces with a span of this id, newest chunk first.
    pub fn find_span(&self, span: SpanId) -> Result<Vec<TraceId>> {
        self.ask(|db| db.find_span(span))
    }

    /// Log records of a trace, by time.
    pub fn logs_of_trace(&self, trace: TraceId) -> Result<Vec<LogRecord>> {
        self.ask(|db| db.logs_of_trace(trace))
    }

    /// A page of journeys with the numbers of all that match.
    pub fn journeys(&self, filter: &JourneyFilter) -> Result<JourneyPage> {
        self.ask(|db| journey_page::page(db, filter))
    }

    /// The summary of a journey, by its id or by any trace in it (then the oldest journey of that trace).
    pub fn journey_summary(&self, trace: TraceId) -> Result<Option<JourneySummary>> {
        self.ask(|db| {
            let texts = Texts::new(db.conn);
            if let Some(summary) = journeys::summary(db.conn, &texts, trace)? {
                return Ok(Some(summary));
            }
            for journey in db.journeys_of_trace(trace)? {
                if let Some(summary) = journeys::summary(db.conn, &texts, journey)? {
                    return Ok(Some(summary));
                }
            }
            Ok(None)
        })
    }

    /// Everything that carries a text as a whole value, newest first: a trace, span, message or event id, or any value of an
    /// attribute, header or payload (members of JSON texts included). Case counts.
    pub fn find(&self, text: &str) -> Result<Vec<FindHit>> {
        self.find_first(text, usize::MAX)
    }

    /// The same, but looking ends once `most` were found in what was stored last.
    pub fn find_first(&self, text: &str, most: usize) -> Result<Vec<FindHit>> {
        self.ask(|db| find::find(db, text, most))
    }

    /// Which of the texts [`Reader::find`] may find something for; false is certain. Far cheaper than trying each.
    pub fn may_find(&self, texts: &[String]) -> Result<Vec<bool>> {
        self.ask(|db| find::may_find(db, texts))
    }

    /// A page of events, newest first.
    pub fn events(&self, filter: &EventFilter) -> Result<EventPage> {
        self.ask(|db| event_page::page(db, filter))
    }

    /// A page of log records, newest first.
    pub fn logs(&self, filter: &LogFilter) -> Result<LogPage> {
        self.ask(|db| logs::page(db, filter))
    }

    /// Names and values that newly stored data carries: what can be suggested. `sample` is how many of the newest journeys,
    /// events, spans and log records are looked at.
    pub fn seen(&self, sample: usize) -> Result<Seen> {
        self.ask(|db| seen::seen(db, sample))
    }

    /// An event in full.
    pub fn event(&self, row: i64) -> Result<Option<EventDetail>> {
        self.ask(|db| events::detail(db.conn, row))
    }

    /// These publications with their payloads, in the order of their rows; rows that are gone are left out.
    pub fn messages(&self, rows: &[i64]) -> Result<Vec<Message>> {
        self.ask(|db| records::messages(db.conn, rows))
    }

    /// Publications of an event id on any destination, oldest first, with their payloads; at most 100.
    pub fn messages_of_event_id(&self, id: &str) -> Result<Vec<Message>> {
        self.ask(|db| records::of_event_id(db.conn, id))
    }

    /// Everything recorded of these events, publications with payloads: what importing them anew would take.
    pub fn recorded(&self, events: &[i64]) -> Result<Batch> {
        self.ask(|db| {
            let mut out = Batch::default();
            events.iter().try_for_each(|row| records::of_event(db.conn, *row, &mut out))?;
            Ok(out)
        })
    }

    /// Events with a publication whose hop or origin lies in one of these traces, by time.
    pub fn events_of_traces(&self, traces: &[TraceId]) -> Result<Vec<EventRow>> {
        self.ask(|db| events::of_traces(db.conn, traces))
    }

    /// Events with a publication whose hop or origin is one of these spans, by time.
    pub fn events_of_spans(&self, spans: &[(TraceId, SpanId)]) -> Result<Vec<EventRow>> {
        self.ask(|db| events::of_spans(db.conn, spans))
    }

    /// Events by pairs of destination and event id, by time.
    pub fn events_with_ids(&self, ids: &[(String, String)]) -> Result<Vec<EventRow>> {
        self.ask(|db| events::with_ids(db.conn, ids))
    }

    /// Destinations with publications or deliveries in `[since, until)`, by system and name.
    pub fn destinations(&self, since: Option<Nanos>, until: Option<Nanos>) -> Result<Vec<DestinationRow>> {
        self.ask(|db| destinations::rows(db.conn, since, until))
    }

    /// The nearest data of wanted series outside a range, to 10 s.
    pub fn nearest_series(
        &self,
        since: Option<Nanos>,
        until: Option<Nanos>,
        wanted: &dyn Fn(&SeriesKey) -> bool,
    ) -> Result<Around> {
        self.ask(|db| series::nearest(db.conn, since, until, wanted))
    }

    /// The nearest journeys outside of the range of a filter that match the rest of it, as far as a page looks.
    pub fn nearest_journeys(&self, filter: &JourneyFilter) -> Result<Around> {
        self.ask(|db| journey_page::nearest(db, filter))
    }

    /// The nearest events outside of the range of a filter that match the rest of it, as far as a page looks.
    pub fn nearest_events(&self, filter: &EventFilter) -> Result<Around> {
        self.ask(|db| event_page::nearest(db, filter))
    }

    /// The nearest log records outside of the range of a filter that match the rest of it, as far as a page looks. Those
    /// after it are looked for only when none is before it.
    pub fn nearest_logs(&self, filter: &LogFilter) -> Result<Around> {
        self.ask(|db| logs::nearest(db, filter))
    }
}

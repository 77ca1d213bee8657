//! Terms that only spans, log records and messages can answer: which journeys have a trace, a span, an attribute.

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::filter::{Field, Pattern, Test};
use flowglass_model::{Attributes, Message, MessageContext, Nanos, SpanId, TraceId, payload_fields, scalar_text};
use rusqlite::params;

use crate::chunk::{Chunk, Kind};
use crate::db::Db;
use crate::fault::Inner;
use crate::message_rows::{COLUMNS, blocks_with, fill_body, message_at};
use crate::{JourneyFilter, text, value, walk};

/// Spans, log records and messages looked at for one wildcard, each at most.
const SCAN: usize = 30_000;

/// Journeys by the position of the term that they answer.
#[derive(Default)]
pub(crate) struct Lookups {
    /// Journeys of each looked-up term.
    pub(crate) of: BTreeMap<usize, BTreeSet<TraceId>>,
    /// Journeys that alone can pass: those of all terms that ask for one whole value.
    pub(crate) candidates: Option<BTreeSet<TraceId>>,
    /// How far back a wildcard was followed, when not to the end.
    pub(crate) stopped: Option<Nanos>,
}

impl Lookups {
    /// Whether a journey answers a term.
    pub(crate) fn holds(&self, term: usize, journey: TraceId) -> bool {
        self.of.get(&term).is_some_and(|journeys| journeys.contains(&journey))
    }

    fn narrow(&mut self, journeys: &BTreeSet<TraceId>) {
        self.candidates = Some(match self.candidates.take() {
            Some(known) => known.intersection(journeys).copied().collect(),
            None => journeys.clone(),
        });
    }
}

/// Looks up what a filter needs.
pub(crate) fn lookups(db: Db<'_>, f: &JourneyFilter) -> Inner<Lookups> {
    let mut out = Lookups::default();
    let whole: BTreeSet<usize> = f.filter.whole_values().map(|(i, ..)| i).collect();
    // A few rows of one word alone need not know all that have it; some of the found may be noise.
    let enough = if f.rows_only && f.filter.terms.len() == 1 { f.limit.saturating_mul(8) } else { usize::MAX };
    for (i, term) in f.filter.terms.iter().enumerate() {
        let (field, values) = match &term.test {
            Test::Is(field, values) => (field, values),
            Test::Words(word) => {
                out.of.insert(i, text::journeys_with(db, word, (f.since, f.until), enough, &mut out.stopped)?);
                continue;
            }
            Test::Compare(..) => continue,
        };
        let journeys = match field {
            Field::Trace => of_traces(db, values.iter().filter_map(Pattern::exact))?,
            Field::Span => of_spans(db, values.iter().filter_map(Pattern::exact))?,
            Field::Attribute(name) => with_attribute(db, name, values, (f.since, f.until), &mut out.stopped)?,
            Field::Id if whole.contains(&i) => of_traces(db, values.iter().filter_map(Pattern::exact))?,
            Field::Key(_) if whole.contains(&i) => {
                let value = values.first().and_then(Pattern::exact).unwrap_or_default();
                // Pages further down begin where the last one ended: so everything is reached, a part at a time.
                let until = f.before.map(|(start, _)| start.saturating_add(1)).into_iter().chain(f.until).min();
                value::journeys_with(db, value, (f.since, until), &mut out.stopped)?
            }
            _ => continue,
        };
        if whole.contains(&i) {
            out.narrow(&journeys);
        }
        out.of.insert(i, journeys);
    }
    Ok(out)
}

fn of_traces<'a>(db: Db<'_>, ids: impl Iterator<Item = &'a str>) -> Inner<BTreeSet<TraceId>> {
    let mut out = BTreeSet::new();
    for id in ids {
        if let Ok(trace) = id.to_ascii_lowercase().parse() {
            out.extend(db.journeys_of_trace(trace)?);
        }
    }
    Ok(out)
}

fn of_spans<'a>(db: Db<'_>, ids: impl Iterator<Item = &'a str>) -> Inner<BTreeSet<TraceId>> {
    let mut out = BTreeSet::new();
    for id in ids {
        let Ok(span) = id.to_ascii_lowercase().parse::<SpanId>() else { continue };
        for trace in db.find_span(span)? {
            out.extend(db.journeys_of_trace(trace)?);
        }
    }
    Ok(out)
}

/// Whether one of the attributes has this name (case ignored) and one of the values, as a whole or inside of it.
pub(crate) fn attribute_is(attributes: &Attributes, name: &str, values: &[Pattern]) -> bool {
    attributes.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name)).any(|(_, value)| {
        let mut same = false;
        walk::value(value, &mut |v| same |= values.iter().any(|p| p.matches(v)));
        same
    })
}

/// Whether a message has a header, a CloudEvents attribute or a field of its JSON payload (`order.lines.sku`) of this name with one
/// of the values.
pub(crate) fn header_is(message: &Message, name: &str, values: &[Pattern]) -> bool {
    let any = |v: &str| values.iter().any(|p| p.matches(v));
    let field = match name.to_ascii_lowercase().as_str() {
        "type" => message.event_type.as_deref(),
        "source" => message.source.as_deref(),
        "id" => message.event_id.as_deref(),
        "subject" => message.key.as_deref(),
        "correlationid" => message.correlation_id.as_deref(),
        "causationid" => message.causation_id.as_deref(),
        _ => None,
    };
    let header = message.headers.iter().any(|(key, value)| key.eq_ignore_ascii_case(name) && any(value));
    let payload = || {
        let mut has = false;
        payload_fields(&message.payload, &mut |path, v| has |= path.eq_ignore_ascii_case(name) && any(&scalar_text(v)));
        has
    };
    header
        || payload()
        || field.is_some_and(any)
        || message.keys.iter().any(|(key, value)| key.eq_ignore_ascii_case(name) && any(value))
}

/// Chunks that may hold an attribute with one of the values, newest first, with the items to be looked at; wildcards mean
/// every chunk of the range until [`SCAN`] items are reached. The second answer is where that was.
pub(crate) fn chunks_for(
    db: Db<'_>,
    kind: Kind,
    values: &[Pattern],
    range: (Option<Nanos>, Option<Nanos>),
    stopped: &mut Option<Nanos>,
) -> Inner<Vec<i64>> {
    let mut out = Vec::new();
    if values.iter().all(|v| v.exact().is_some_and(|v| !v.is_empty())) {
        for value in values.iter().filter_map(Pattern::exact) {
            out.extend(db.chunks_with(kind, value.as_bytes())?);
        }
        return Ok(out);
    }
    let mut statement = db.conn.prepare_cached(
        "SELECT id, items, last FROM chunk WHERE kind = ?1 AND last >= ?2 AND first < ?3 ORDER BY last DESC",
    )?;
    let (since, until) = (range.0.unwrap_or(Nanos::MIN), range.1.unwrap_or(Nanos::MAX));
    let mut rows = statement.query(params![kind as i64, since, until])?;
    let mut seen = 0;
    while let Some(r) = rows.next()? {
        if seen >= SCAN {
            let last: Nanos = r.get(2)?;
            *stopped = Some(stopped.map_or(last, |s| s.max(last)));
            break;
        }
        seen += r.get::<_, i64>(1)? as usize;
        out.push(r.get(0)?);
    }
    Ok(out)
}

fn with_attribute(
    db: Db<'_>,
    name: &str,
    values: &[Pattern],
    range: (Option<Nanos>, Option<Nanos>),
    stopped: &mut Option<Nanos>,
) -> Inner<BTreeSet<TraceId>> {
    let mut traces = BTreeSet::new();
    for kind in [Kind::Spans, Kind::Logs] {
        for id in chunks_for(db, kind, values, range, stopped)? {
            in_chunk(&*db.chunk(id)?, kind, name, values, &mut traces)?;
        }
    }
    in_messages(db, name, values, range, stopped, &mut traces)?;
    let mut out = BTreeSet::new();
    for trace in traces {
        out.extend(db.journeys_of_trace(trace)?);
    }
    Ok(out)
}

fn in_chunk(c: &Chunk, kind: Kind, name: &str, values: &[Pattern], out: &mut BTreeSet<TraceId>) -> Inner<()> {
    for (trace, first, items) in c.traces() {
        for index in first..first + items {
            let same = match kind {
                Kind::Spans => {
                    let span = c.span(index)?;
                    attribute_is(&span.attributes, name, values)
                        || attribute_is(&span.resource.attributes, name, values)
                        || span.events.iter().any(|e| attribute_is(&e.attributes, name, values))
                }
                Kind::Logs => attribute_is(&c.log(index)?.attributes, name, values),
            };
            if same {
                out.insert(trace);
                break;
            }
        }
    }
    Ok(())
}

fn in_messages(
    db: Db<'_>,
    name: &str,
    values: &[Pattern],
    range: (Option<Nanos>, Option<Nanos>),
    stopped: &mut Option<Nanos>,
    out: &mut BTreeSet<TraceId>,
) -> Inner<()> {
    let mut look = |r: &rusqlite::Row<'_>| -> Inner<()> {
        let (id, _, mut message) = message_at(r)?;
        fill_body(db.conn, id, &mut message)?;
        if header_is(&message, name, values) {
            let contexts = message.hop.into_iter().chain(message.origin);
            out.extend(contexts.map(|MessageContext { trace_id, .. }| trace_id));
        }
        Ok(())
    };
    if values.iter().all(|v| v.exact().is_some_and(|v| !v.is_empty())) {
        let sql = format!("SELECT {COLUMNS} FROM message m WHERE m.id >= ?1 AND m.id < ?2");
        let mut statement = db.conn.prepare_cached(&sql)?;
        for value in values.iter().filter_map(Pattern::exact) {
            for (from, to) in blocks_with(db.conn, value.as_bytes())? {
                let mut rows = statement.query([from, to])?;
                while let Some(r) = rows.next()? {
                    look(r)?;
                }
            }
        }
        return Ok(());
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM message m WHERE m.time >= ?1 AND m.time < ?2 ORDER BY m.time DESC, m.id DESC LIMIT ?3"
    );
    let mut statement = db.conn.prepare_cached(&sql)?;
    let (since, until) = (range.0.unwrap_or(Nanos::MIN), range.1.unwrap_or(Nanos::MAX));
    let most = SCAN / 4;
    let mut rows = statement.query(params![since, until, most as i64])?;
    let (mut seen, mut last) = (0, until);
    while let Some(r) = rows.next()? {
        look(r)?;
        seen += 1;
        last = r.get(4)?;
    }
    if seen == most {
        *stopped = Some(stopped.map_or(last, |s| s.max(last)));
    }
    Ok(())
}

//! Finding by a whole value: ids by index, everything else by filters that say where to look.

use std::collections::BTreeMap;

use flowglass_model::{Message, MessageContext, Nanos, SpanId, TraceId};
use rusqlite::{OptionalExtension, params};

use crate::FindHit;
use crate::chunk::Kind;
use crate::db::Db;
use crate::fault::Inner;
use crate::message_rows::{self, COLUMNS, fill_body, message_at};
use crate::{filters, journeys, walk};

/// Hits with the time that orders them.
type Hits = BTreeMap<FindHit, Nanos>;

/// What carries the text as a whole value, newest first; once `most` were found in what was stored last, looking ends.
pub(crate) fn find(db: Db<'_>, text: &str, most: usize) -> Inner<Vec<FindHit>> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let mut hits = Hits::new();
    if let Ok(trace) = text.parse::<TraceId>() {
        by_trace(db, trace, &mut hits)?;
    }
    if let Ok(span) = text.parse::<SpanId>() {
        for trace in db.find_span(span)? {
            add_trace(db, trace, None, &mut hits)?;
        }
        by_hop(db, span, &mut hits)?;
    }
    in_spans(db, text, most, &mut hits)?;
    in_logs(db, text, most, &mut hits)?;
    in_messages(db, text, most, &mut hits)?;
    let mut out: Vec<(Nanos, FindHit)> = hits.into_iter().map(|(hit, time)| (time, hit)).collect();
    out.sort_by(|a, b| b.cmp(a));
    Ok(out.into_iter().map(|(_, hit)| hit).take(most).collect())
}

/// Which of the texts may be found: false is certain. One look at all filters, where [`find`] takes one each.
pub(crate) fn may_find(db: Db<'_>, texts: &[String]) -> Inner<Vec<bool>> {
    let mut by_id = db.conn.prepare_cached("SELECT 1 FROM message WHERE event_id = ?1 LIMIT 1")?;
    let mut may = Vec::with_capacity(texts.len());
    for text in texts {
        let is_id = text.parse::<TraceId>().is_ok() || text.parse::<SpanId>().is_ok();
        may.push(is_id || by_id.exists([text])?);
    }
    let values: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
    filters::may_hold(db.conn, &values, &mut may)?;
    Ok(may)
}

/// Adds the journeys of a trace, or the trace where it has none; false when nothing is known of it.
fn add_trace(db: Db<'_>, trace: TraceId, time: Option<Nanos>, hits: &mut Hits) -> Inner<bool> {
    let of_trace = db.journeys_of_trace(trace)?;
    for journey in &of_trace {
        let start = journeys::start_of(db.conn, *journey)?.or(time).unwrap_or_default();
        hits.insert(FindHit::Trace(*journey), start);
    }
    if !of_trace.is_empty() {
        return Ok(true);
    }
    if !db.has_trace(trace)? {
        return Ok(false);
    }
    let start = match time {
        Some(time) => time,
        None => db.trace_facts(trace)?.first().map_or(0, |f| f.start),
    };
    hits.insert(FindHit::Trace(trace), start);
    Ok(true)
}

/// Adds what an event belongs to: the traces of its hop and origin, else the event itself.
fn add_event(db: Db<'_>, event: i64, message: &Message, hits: &mut Hits) -> Inner<()> {
    let mut found = false;
    for MessageContext { trace_id, .. } in message.hop.into_iter().chain(message.origin) {
        found |= add_trace(db, trace_id, None, hits)?;
    }
    if !found {
        hits.insert(FindHit::Event(event), message.time);
    }
    Ok(())
}

fn by_trace(db: Db<'_>, trace: TraceId, hits: &mut Hits) -> Inner<()> {
    if journeys::start_of(db.conn, trace)?.is_some() {
        let start = journeys::start_of(db.conn, trace)?.unwrap_or_default();
        hits.insert(FindHit::Trace(trace), start);
    }
    add_trace(db, trace, None, hits)?;
    for place in ["hop_trace", "origin_trace"] {
        each_message(db, &format!("m.{place} = ?1"), [trace.as_bytes()], false, &mut |event, m| {
            add_event(db, event, m, hits)
        })?;
    }
    Ok(())
}

fn by_hop(db: Db<'_>, span: SpanId, hits: &mut Hits) -> Inner<()> {
    let span = span.as_i64();
    each_message(db, "m.hop_trace IS NOT NULL AND m.hop_span = ?1", [span], false, &mut |event, m| {
        add_event(db, event, m, hits)
    })
}

fn in_spans(db: Db<'_>, text: &str, most: usize, hits: &mut Hits) -> Inner<()> {
    for id in db.chunks_with(Kind::Spans, text.as_bytes())? {
        if hits.len() >= most {
            break;
        }
        let chunk = db.chunk(id)?;
        let holders = chunk.holders(text);
        for (trace, first, items) in chunk.traces() {
            for index in (first..first + items).filter(|index| holders.may_hold(*index)) {
                let span = chunk.span(index)?;
                let mut same = false;
                walk::span(&span, &mut |v| same |= v == text);
                if same {
                    add_trace(db, trace, Some(span.facts.start), hits)?;
                    break;
                }
            }
        }
    }
    Ok(())
}

fn in_logs(db: Db<'_>, text: &str, most: usize, hits: &mut Hits) -> Inner<()> {
    for id in db.chunks_with(Kind::Logs, text.as_bytes())? {
        if hits.len() >= most {
            break;
        }
        let chunk = db.chunk(id)?;
        let holders = chunk.holders(text);
        for (trace, first, items) in chunk.traces() {
            for index in (first..first + items).filter(|index| holders.may_hold(*index)) {
                let log = chunk.log(index)?;
                let mut same = false;
                walk::log(&log, &mut |v| same |= v == text);
                if same {
                    add_trace(db, trace, Some(log.time), hits)?;
                    break;
                }
            }
        }
    }
    Ok(())
}

fn in_messages(db: Db<'_>, text: &str, most: usize, hits: &mut Hits) -> Inner<()> {
    let mut by_id = db.conn.prepare_cached("SELECT 1 FROM message WHERE event_id = ?1 LIMIT 1")?;
    if by_id.query_row([text], |_| Ok(())).optional()?.is_some() {
        each_message(db, "m.event_id = ?1", [text], false, &mut |event, m| add_event(db, event, m, hits))?;
    }
    for (from, to) in message_rows::blocks_with(db.conn, text.as_bytes())? {
        if hits.len() >= most {
            break;
        }
        each_message(db, "m.id >= ?1 AND m.id < ?2", params![from, to], true, &mut |event, m| {
            let mut same = false;
            walk::message(m, &mut |v| same |= v == text);
            if same { add_event(db, event, m, hits) } else { Ok(()) }
        })?;
    }
    Ok(())
}

/// Calls `f` with the event and the publication of every row that matches.
fn each_message(
    db: Db<'_>,
    condition: &str,
    params: impl rusqlite::Params,
    with_body: bool,
    f: &mut dyn FnMut(i64, &Message) -> Inner<()>,
) -> Inner<()> {
    let sql = format!("SELECT {COLUMNS} FROM message m WHERE {condition} ORDER BY m.id DESC");
    let mut statement = db.conn.prepare_cached(&sql)?;
    let mut rows = statement.query(params)?;
    while let Some(r) = rows.next()? {
        let (id, event, mut message) = message_at(r)?;
        if with_body {
            fill_body(db.conn, id, &mut message)?;
        }
        f(event, &message)?;
    }
    Ok(())
}

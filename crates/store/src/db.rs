//! Questions that readers and open transactions both ask: spans, links, joins, journeys of a trace.

use std::sync::Arc;

use flowglass_model::{
    LinkHow, LogRecord, MessageContext, NodeId, Resource, Span, SpanFacts, SpanId, SpanKind, TraceId, TraceJoin,
};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::cache::ChunkCache;
use crate::chunk::{Chunk, Kind};
use crate::fault::{Fault, Inner};
use crate::filters;
use crate::hash::hash_parts;
use crate::{MessageRef, UnmatchedPublication};

/// A connection with the chunks decoded for it.
#[derive(Clone, Copy)]
pub(crate) struct Db<'a> {
    /// The connection.
    pub(crate) conn: &'a Connection,
    /// Decoded chunks.
    pub(crate) cache: &'a ChunkCache,
}

/// A trace id column.
pub(crate) fn trace_at(row: &Row<'_>, index: usize) -> rusqlite::Result<TraceId> {
    let bytes: [u8; 16] = row.get(index)?;
    TraceId::new(bytes)
        .ok_or_else(|| rusqlite::Error::FromSqlConversionFailure(index, Type::Blob, "a trace id of zeros".into()))
}

fn span_at(row: &Row<'_>, index: usize) -> rusqlite::Result<SpanId> {
    let bytes: [u8; 8] = row.get(index)?;
    SpanId::new(bytes)
        .ok_or_else(|| rusqlite::Error::FromSqlConversionFailure(index, Type::Blob, "a span id of zeros".into()))
}

/// A trace and span column pair that may be null.
pub(crate) fn context_at(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<MessageContext>> {
    let Some(span) = row.get::<_, Option<i64>>(index + 1)? else { return Ok(None) };
    let span = SpanId::new(span.to_be_bytes());
    Ok(span.zip(Some(trace_at(row, index)?)).map(|(span_id, trace_id)| MessageContext { trace_id, span_id }))
}

/// The hash under which spans of a message are found: topic without kind and environment, and message id.
pub(crate) fn message_hash(topic_body: &str, message_id: &str) -> i64 {
    hash_parts(&[topic_body.as_bytes(), message_id.as_bytes()])
}

impl Db<'_> {
    /// A chunk, decoded.
    pub(crate) fn chunk(&self, id: i64) -> Inner<Arc<Chunk>> {
        if let Some(chunk) = self.cache.lock().get(id) {
            return Ok(chunk);
        }
        let mut statement = self.conn.prepare_cached("SELECT body FROM chunk WHERE id = ?1")?;
        let chunk = statement.query_row([id], |r| Ok(Chunk::decode(r.get_ref(0)?.as_blob()?)))??;
        let chunk = Arc::new(chunk);
        self.cache.lock().put(id, chunk.clone());
        Ok(chunk)
    }

    /// Chunk, position and number of items of a trace, oldest chunk first.
    pub(crate) fn places(&self, trace: TraceId, kind: Kind) -> Inner<Vec<(i64, usize, usize)>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT chunk, first, items FROM trace_chunk WHERE trace = ?1 AND kind = ?2 ORDER BY chunk",
        )?;
        let rows = statement.query_map(params![trace.as_bytes(), kind as i64], |r| {
            Ok((r.get(0)?, r.get::<_, i64>(1)? as usize, r.get::<_, i64>(2)? as usize))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn items<T>(&self, trace: TraceId, kind: Kind, read: impl Fn(&Chunk, usize) -> Inner<T>) -> Inner<Vec<T>> {
        let mut out = Vec::new();
        for (id, first, items) in self.places(trace, kind)? {
            let chunk = self.chunk(id)?;
            for index in first..first.saturating_add(items) {
                out.push(read(&chunk, index)?);
            }
        }
        Ok(out)
    }

    /// Whether a trace has spans.
    pub(crate) fn has_trace(&self, trace: TraceId) -> Inner<bool> {
        let mut statement =
            self.conn.prepare_cached("SELECT 1 FROM trace_chunk WHERE trace = ?1 AND kind = 0 LIMIT 1")?;
        Ok(statement.exists([trace.as_bytes()])?)
    }

    /// Facts of all spans of a trace, by start and id.
    pub(crate) fn trace_facts(&self, trace: TraceId) -> Inner<Vec<SpanFacts>> {
        let mut out = self.items(trace, Kind::Spans, Chunk::facts)?;
        out.sort_by_key(|f| (f.start, f.span_id, f.kind));
        Ok(out)
    }

    /// Facts of a service's spans in a trace, by start and id; those of others are not decoded.
    pub(crate) fn facts_of_service(&self, trace: TraceId, service: &NodeId) -> Inner<Vec<SpanFacts>> {
        let own = |chunk: &Chunk, index| match chunk.resource(index)?.node_id() == *service {
            true => chunk.facts(index).map(Some),
            false => Ok(None),
        };
        let mut out: Vec<SpanFacts> = self.items(trace, Kind::Spans, own)?.into_iter().flatten().collect();
        out.sort_by_key(|f| (f.start, f.span_id, f.kind));
        Ok(out)
    }

    /// Resources that emitted a trace's spans; one may be told several times. Decodes no span.
    pub(crate) fn resources_of_trace(&self, trace: TraceId) -> Inner<Vec<Arc<Resource>>> {
        let mut out = self.items(trace, Kind::Spans, |chunk, index| chunk.resource(index).cloned())?;
        out.dedup_by(|a, b| Arc::ptr_eq(a, b));
        Ok(out)
    }

    /// All spans of a trace, by start and id.
    pub(crate) fn trace(&self, trace: TraceId) -> Inner<Vec<Span>> {
        let mut out = self.items(trace, Kind::Spans, Chunk::span)?;
        out.sort_by_key(|s| (s.facts.start, s.facts.span_id, s.facts.kind));
        Ok(out)
    }

    /// One span; without a kind the first of that id.
    pub(crate) fn span(&self, trace: TraceId, span: SpanId, kind: Option<SpanKind>) -> Inner<Option<Span>> {
        for (id, first, items) in self.places(trace, Kind::Spans)? {
            let chunk = self.chunk(id)?;
            for index in first..first.saturating_add(items) {
                let facts = chunk.facts(index)?;
                if facts.span_id == span && kind.is_none_or(|k| k == facts.kind) {
                    return Ok(Some(chunk.span(index)?));
                }
            }
        }
        Ok(None)
    }

    /// Log records of a trace, by time.
    pub(crate) fn logs_of_trace(&self, trace: TraceId) -> Inner<Vec<LogRecord>> {
        let mut out = self.items(trace, Kind::Logs, Chunk::log)?;
        out.sort_by_key(|l| l.time);
        Ok(out)
    }

    /// Chunks that may hold a value, newest first.
    pub(crate) fn chunks_with(&self, kind: Kind, value: &[u8]) -> Inner<Vec<i64>> {
        let mut out = Vec::new();
        // A filter may outlive its chunk.
        let mut there = self.conn.prepare_cached("SELECT 1 FROM chunk WHERE id = ?1 AND kind = ?2")?;
        for id in filters::parts_with(self.conn, kind.into(), value)? {
            if there.exists(params![id, kind as i64])? {
                out.push(id);
            }
        }
        Ok(out)
    }

    /// Traces with a span of this id.
    pub(crate) fn find_span(&self, span: SpanId) -> Inner<Vec<TraceId>> {
        let mut out = Vec::new();
        for id in self.chunks_with(Kind::Spans, span.as_bytes())? {
            let chunk = self.chunk(id)?;
            for index in 0..chunk.len() {
                let facts = chunk.facts(index)?;
                if facts.span_id == span && !out.contains(&facts.trace_id) {
                    out.push(facts.trace_id);
                }
            }
        }
        Ok(out)
    }

    /// Traces that link to a span.
    pub(crate) fn traces_linking_to(&self, trace: TraceId, span: SpanId) -> Inner<Vec<TraceId>> {
        let mut statement =
            self.conn.prepare_cached("SELECT from_trace FROM span_link WHERE trace = ?1 AND span = ?2")?;
        let rows = statement.query_map(params![trace.as_bytes(), span.as_i64()], |r| trace_at(r, 0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Traces with a messaging span of a message.
    pub(crate) fn traces_with_message(&self, topic_body: &str, message_id: &str) -> Inner<Vec<TraceId>> {
        self.traces_with_message_hash(message_hash(topic_body, message_id))
    }

    /// The same by the hash of the message, see [`message_hash`].
    pub(crate) fn traces_with_message_hash(&self, hash: i64) -> Inner<Vec<TraceId>> {
        let mut statement = self.conn.prepare_cached("SELECT trace FROM span_message WHERE hash = ?1")?;
        let rows = statement.query_map([hash], |r| trace_at(r, 0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn message_refs(&self, condition: &str, params: impl rusqlite::Params) -> Inner<Vec<MessageRef>> {
        let sql = format!(
            "SELECT time, source, system, destination, event_id, hop_trace, hop_span FROM message WHERE {condition}
             ORDER BY id"
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let rows = statement.query_map(params, |r| {
            Ok(MessageRef {
                time: r.get(0)?,
                source: r.get(1)?,
                system: r.get(2)?,
                destination: r.get(3)?,
                event_id: r.get(4)?,
                hop: context_at(r, 5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Publications whose hop is a span.
    pub(crate) fn messages_with_context(&self, trace: TraceId, span: SpanId) -> Inner<Vec<MessageRef>> {
        self.message_refs("hop_trace = ?1 AND hop_span = ?2", params![trace.as_bytes(), span.as_i64()])
    }

    /// Publications at a place in a stream.
    pub(crate) fn messages_at(&self, stream: &str, sequence: u64) -> Inner<Vec<MessageRef>> {
        self.message_refs("stream = ?1 AND sequence = ?2", params![stream, sequence as i64])
    }

    /// Publications of an event id on a destination.
    pub(crate) fn messages_with_id(&self, system: &str, destination: &str, id: &str) -> Inner<Vec<MessageRef>> {
        self.message_refs("event_id = ?1 AND destination = ?2 AND system = ?3", params![id, destination, system])
    }

    /// The resolver's note under a key.
    pub(crate) fn unmatched(&self, key: &str) -> Inner<Option<UnmatchedPublication>> {
        let mut statement =
            self.conn.prepare_cached("SELECT count, source, topic, at FROM unmatched WHERE key = ?1")?;
        let note = statement.query_row([key], |r| {
            Ok(UnmatchedPublication {
                count: r.get::<_, i64>(0)? as u64,
                source: NodeId::from(r.get::<_, String>(1)?),
                topic: NodeId::from(r.get::<_, String>(2)?),
                at: r.get(3)?,
            })
        });
        Ok(note.optional()?)
    }

    fn joins(&self, condition: &str, trace: TraceId) -> Inner<Vec<TraceJoin>> {
        let sql = format!(
            "SELECT parent_trace, parent_span, child_trace, child_span, how FROM trace_join WHERE {condition} = ?1
             ORDER BY parent_trace, parent_span, child_trace, child_span, how"
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let mut rows = statement.query([trace.as_bytes()])?;
        let mut out = Vec::new();
        while let Some(r) = rows.next()? {
            let how: String = r.get(4)?;
            let how = LinkHow::parse(&how).ok_or_else(|| Fault::decode("a join", format!("unknown kind {how}")))?;
            out.push(TraceJoin {
                parent_trace: trace_at(r, 0)?,
                parent_span: span_at(r, 1)?,
                child_trace: trace_at(r, 2)?,
                child_span: span_at(r, 3)?,
                how,
            });
        }
        Ok(out)
    }

    /// Joins of a trace: as child, as parent.
    pub(crate) fn joins_of(&self, trace: TraceId) -> Inner<(Vec<TraceJoin>, Vec<TraceJoin>)> {
        Ok((self.joins("child_trace", trace)?, self.joins("parent_trace", trace)?))
    }

    /// Journeys a trace belongs to, oldest first.
    pub(crate) fn journeys_of_trace(&self, trace: TraceId) -> Inner<Vec<TraceId>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT journey FROM (SELECT journey FROM journey_member WHERE trace = ?1 UNION SELECT id FROM journey WHERE id = ?1)
             LEFT JOIN journey j ON j.id = journey ORDER BY j.start, journey",
        )?;
        let rows = statement.query_map([trace.as_bytes()], |r| trace_at(r, 0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Traces of a journey, sorted by id.
    pub(crate) fn traces_of_journey(&self, journey: TraceId) -> Inner<Vec<TraceId>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT trace FROM journey_member WHERE journey = ?1 UNION SELECT id FROM journey WHERE id = ?1 ORDER BY 1",
        )?;
        let rows = statement.query_map([journey.as_bytes()], |r| trace_at(r, 0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A meta value.
    pub(crate) fn meta(&self, key: &str) -> Inner<Option<String>> {
        let mut statement = self.conn.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
        Ok(statement.query_row([key], |r| r.get(0)).optional()?)
    }
}

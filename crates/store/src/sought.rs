//! What is looked for in chunks and blocks of publications, and where it was found before.

use flowglass_model::{LogRecord, Message, Span};

use crate::cache::{Hits, Part};
use crate::chunk::{Chunk, Holders, Kind};
use crate::db::{Db, message_hash};
use crate::fault::Inner;
use crate::message_rows::{BLOCK, COLUMNS, fill_body, message_at};

/// Something that spans, log records and publications may carry.
pub(crate) trait Sought {
    /// What its hits are remembered by.
    fn key(&self) -> &str;
    /// Which items of a chunk may carry it; `None` when none does.
    fn holders<'c>(&self, chunk: &'c Chunk) -> Option<Holders<'c>>;
    /// Whether a span carries it.
    fn in_span(&self, span: &Span) -> bool;
    /// Whether a log record carries it.
    fn in_log(&self, log: &LogRecord) -> bool;
    /// Whether a publication carries it.
    fn in_message(&self, message: &Message) -> bool;
}

/// Traces of a chunk that carry it.
pub(crate) fn in_chunk(db: Db<'_>, sought: &impl Sought, kind: Kind, id: i64) -> Inner<Hits> {
    remembered(db, sought, Part::Chunk(id), true, || {
        let chunk = db.chunk(id)?;
        let Some(holders) = sought.holders(&chunk) else { return Ok(Hits::default()) };
        let (mut traces, mut decoded) = (Vec::new(), 0);
        for (trace, first, items) in chunk.traces() {
            for index in (first..first + items).filter(|index| holders.may_hold(*index)) {
                decoded += 1;
                let has = match kind {
                    Kind::Spans => sought.in_span(&chunk.span(index)?),
                    Kind::Logs => sought.in_log(&chunk.log(index)?),
                };
                if has {
                    traces.push(trace);
                    break;
                }
            }
        }
        Ok(Hits { traces: traces.into(), messages: [].into(), decoded })
    })
}

/// Traces that publications of a block name, where they carry it; of those that name none, the traces that handle them. `newest` is
/// the last publication's row: others may still be added to its block.
pub(crate) fn in_block(
    db: Db<'_>,
    sought: &impl Sought,
    block: i64,
    newest: i64,
) -> Inner<Vec<flowglass_model::TraceId>> {
    let full = newest >= (block + 1) * BLOCK;
    let hits = remembered(db, sought, Part::Block(block), full, || {
        let sql = format!("SELECT {COLUMNS} FROM message m WHERE m.id >= ?1 AND m.id < ?2");
        let mut statement = db.conn.prepare_cached(&sql)?;
        let mut rows = statement.query([block * BLOCK, (block + 1) * BLOCK])?;
        let (mut traces, mut messages) = (Vec::new(), Vec::new());
        while let Some(r) = rows.next()? {
            let (id, _, mut message) = message_at(r)?;
            fill_body(db.conn, id, &mut message)?;
            if !sought.in_message(&message) {
                continue;
            }
            traces.extend(message.hop.into_iter().chain(message.origin).map(|context| context.trace_id));
            if let (Some(event), None) = (&message.event_id, message.hop) {
                messages.push(message_hash(message.topic().body(), event));
            }
        }
        Ok(Hits { traces: traces.into(), messages: messages.into(), decoded: 0 })
    })?;
    let mut traces = hits.traces.to_vec();
    for message in hits.messages.iter() {
        traces.extend(db.traces_with_message_hash(*message)?);
    }
    Ok(traces)
}

/// What was found in a part before, else what is found now; that is kept when the part is `full`.
fn remembered(
    db: Db<'_>,
    sought: &impl Sought,
    part: Part,
    full: bool,
    look: impl FnOnce() -> Inner<Hits>,
) -> Inner<Hits> {
    // Bound to a name: a guard that lives on would lock the cache against its own filling.
    let known = db.cache.lock().hits(sought.key(), part);
    if let Some(known) = known {
        return Ok(known);
    }
    let found = look()?;
    if full {
        db.cache.lock().put_hits(sought.key(), part, found.clone());
    }
    Ok(found)
}

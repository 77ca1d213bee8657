//! Publications as rows: the narrow columns that need finding, a small head, and a compressed body apart from both.

use flowglass_model::{ContextFormat, Message, Nanos};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use crate::compression;
use crate::db::context_at;
use crate::erase_rows::META_EVENT_ROWS;
use crate::fault::{Fault, Inner};
use crate::filter::Filter;
use crate::filters::{self, Parts};
use crate::hash::hash_parts;
use crate::walk;
use crate::{Added, carried};

/// A live copy and a stored copy of one publication differ in time by at most this, nanoseconds: the broker's clock tells
/// one, the subscriber's the other.
const SAME_WITHIN: i64 = 5_000_000_000;
/// Messages that share one filter.
pub(crate) const BLOCK: i64 = 256;
/// Bodies below this size are not worth compressing, bytes.
const SMALL: usize = 256;

/// What a list shows beside the columns.
#[derive(Serialize, Deserialize)]
struct Head {
    correlation_id: Option<String>,
    causation_id: Option<String>,
    reply: Option<String>,
    payload_size: u64,
    content_type: Option<String>,
    keys: Vec<(String, String)>,
    redacted: u32,
}

/// Columns that [`message_at`] reads, in its order; the table must be called `m`.
pub(crate) const COLUMNS: &str = "m.id, m.event, m.system, m.destination, m.time, m.stream, m.sequence, m.event_id,
    m.source, m.type, m.key, m.head, m.hop_trace, m.hop_span, m.origin_trace, m.origin_span";

/// Row id, event id and message (without headers and payload) of a row of [`COLUMNS`].
pub(crate) fn message_at(r: &Row<'_>) -> Inner<(i64, i64, Message)> {
    let bytes = r.get_ref(11)?.as_blob().unwrap_or_default();
    let (head, rest): (Head, _) = postcard::take_from_bytes(bytes).map_err(|e| Fault::decode("an event", e))?;
    // Behind the head, unless it is the usual one (which all had in earlier versions).
    let hop_format = rest.first().and_then(|at| ContextFormat::ALL.get(usize::from(*at))).copied();
    let message = Message {
        system: r.get(2)?,
        destination: r.get(3)?,
        time: r.get(4)?,
        stream: r.get(5)?,
        sequence: r.get::<_, Option<i64>>(6)?.map(|s| s as u64),
        event_id: r.get(7)?,
        source: r.get(8)?,
        event_type: r.get(9)?,
        key: r.get(10)?,
        hop: context_at(r, 12)?,
        hop_format: hop_format.unwrap_or_default(),
        origin: context_at(r, 14)?,
        correlation_id: head.correlation_id,
        causation_id: head.causation_id,
        reply: head.reply,
        headers: Vec::new(),
        payload: Vec::new(),
        payload_size: head.payload_size,
        content_type: head.content_type,
        keys: head.keys,
        redacted: head.redacted,
    };
    Ok((r.get(0)?, r.get(1)?, message))
}

/// Headers and payload of a row, put into its message.
pub(crate) fn fill_body(conn: &Connection, id: i64, message: &mut Message) -> Inner<()> {
    let mut statement = conn.prepare_cached("SELECT body FROM message_body WHERE id = ?1")?;
    let Some(bytes) = statement.query_row([id], |r| r.get::<_, Vec<u8>>(0)).optional()? else { return Ok(()) };
    let bad = |e: String| Fault::decode("an event's payload", e);
    let raw = match bytes.split_first() {
        Some((0, raw)) => raw.to_vec(),
        Some((1, packed)) => {
            // The frame says how long it is; what was never written here is refused rather than allocated.
            let size = zstd::zstd_safe::get_frame_content_size(packed).ok().flatten();
            let size = size.ok_or_else(|| bad("its length is missing".to_owned()))?;
            compression::unpack(packed, usize::try_from(size).unwrap_or(usize::MAX)).map_err(|e| bad(e.to_string()))?
        }
        _ => return Err(bad("unknown format".to_owned())),
    };
    (message.headers, message.payload) = postcard::from_bytes(&raw).map_err(|e| bad(e.to_string()))?;
    Ok(())
}

fn body(message: &Message) -> Inner<Vec<u8>> {
    let bad = |e: String| Fault::decode("an event's payload", e);
    let raw = postcard::to_extend(&(&message.headers, &message.payload), vec![0]).map_err(|e| bad(e.to_string()))?;
    if raw.len() < SMALL {
        return Ok(raw);
    }
    let mut packed = vec![1];
    packed.extend(compression::pack(&raw[1..]).map_err(|e| bad(e.to_string()))?);
    Ok(packed)
}

/// What two copies of one publication share, however they were received.
fn content(m: &Message) -> i64 {
    let text = |v: &Option<String>| v.as_deref().unwrap_or("\0").to_owned();
    let (id, source, kind) = (text(&m.event_id), text(&m.source), text(&m.event_type));
    let hop = m.hop.map(|c| format!("{}{}", c.trace_id, c.span_id)).unwrap_or_default();
    let parts: [&[u8]; 8] = [
        m.system.as_bytes(),
        m.destination.as_bytes(),
        id.as_bytes(),
        source.as_bytes(),
        kind.as_bytes(),
        hop.as_bytes(),
        &m.payload_size.to_le_bytes(),
        &m.payload,
    ];
    hash_parts(&parts)
}

/// Filters of the blocks written to in this transaction.
#[derive(Default)]
pub(crate) struct Blocks(std::collections::BTreeMap<i64, Filter>);

impl Blocks {
    /// Adds what a publication can be found by.
    pub(crate) fn add(&mut self, conn: &Connection, id: i64, message: &Message) -> Inner<()> {
        let block = id / BLOCK;
        let filter = match self.0.entry(block) {
            std::collections::btree_map::Entry::Occupied(e) => e.into_mut(),
            std::collections::btree_map::Entry::Vacant(e) => e.insert(filters::open(conn, Parts::Messages, block)?),
        };
        walk::message(message, &mut |v| filter.add(v.as_bytes()));
        Ok(())
    }

    /// Writes the filters.
    pub(crate) fn flush(&mut self, conn: &Connection) -> Inner<()> {
        for (block, filter) in std::mem::take(&mut self.0) {
            filters::put_open(conn, Parts::Messages, block, filter)?;
            filters::group(conn, Parts::Messages)?;
        }
        Ok(())
    }
}

/// Row ids of messages that may hold a value, as ranges, newest first.
pub(crate) fn blocks_with(conn: &Connection, value: &[u8]) -> Inner<Vec<(i64, i64)>> {
    let blocks = filters::parts_with(conn, Parts::Messages, value)?;
    Ok(blocks.into_iter().map(|block| (block * BLOCK, (block + 1) * BLOCK)).collect())
}

/// Stores a publication, unless it is known.
pub(crate) fn add(conn: &Connection, blocks: &mut Blocks, m: &Message) -> Inner<Added> {
    let content = content(m);
    if known(conn, m, content)? {
        return Ok(Added::Known);
    }
    let event = event_of(conn, m)?;
    let id = insert(conn, m, content, event)?;
    blocks.add(conn, id, m)?;
    Ok(if event.is_some() { Added::Occurrence } else { Added::New })
}

/// Whether this very publication is stored. A copy with stream and sequence and a copy without (the live one) are one
/// publication when content and, nearly, time agree: each stored row takes one copy of either sort.
fn known(conn: &Connection, m: &Message, content: i64) -> Inner<bool> {
    let (from, to) = (m.time.saturating_sub(SAME_WITHIN), m.time.saturating_add(SAME_WITHIN));
    let Some((stream, sequence)) = numbered(m) else {
        let mut exact = conn.prepare_cached(
            "SELECT 1 FROM message WHERE content = ?1 AND time BETWEEN ?2 AND ?3 AND plain_time = ?4 LIMIT 1",
        )?;
        if exact.exists(params![content, from, to, m.time])? {
            return Ok(true);
        }
        let mut stored = conn.prepare_cached(
            "UPDATE message SET plain_time = ?4 WHERE id = (SELECT id FROM message WHERE content = ?1
             AND time BETWEEN ?2 AND ?3 AND plain_time IS NULL ORDER BY abs(time - ?4), id LIMIT 1)",
        )?;
        return Ok(stored.execute(params![content, from, to, m.time])? > 0);
    };
    let mut exact =
        conn.prepare_cached("SELECT 1 FROM message WHERE stream = ?1 AND sequence = ?2 AND destination = ?3")?;
    if exact.exists(params![stream, sequence, m.destination])? {
        return Ok(true);
    }
    let mut live = conn.prepare_cached(
        "UPDATE message SET stream = ?5, sequence = ?6 WHERE id = (SELECT id FROM message WHERE content = ?1
         AND time BETWEEN ?2 AND ?3 AND sequence IS NULL ORDER BY abs(time - ?4), id LIMIT 1)",
    )?;
    Ok(live.execute(params![content, from, to, m.time, stream, sequence])? > 0)
}

fn numbered(m: &Message) -> Option<(&str, i64)> {
    m.stream.as_deref().zip(m.sequence).map(|(stream, sequence)| (stream, sequence as i64))
}

/// The event this publication repeats: same source and id; without a source, same id on the same destination.
fn event_of(conn: &Connection, m: &Message) -> Inner<Option<i64>> {
    let Some(id) = &m.event_id else { return Ok(None) };
    let found = match &m.source {
        Some(source) => conn
            .prepare_cached("SELECT event FROM message WHERE event_id = ?1 AND source = ?2 ORDER BY id LIMIT 1")?
            .query_row(params![id, source], |r| r.get(0))
            .optional()?,
        None => conn
            .prepare_cached(
                "SELECT event FROM message WHERE event_id = ?1 AND destination = ?2 AND system = ?3 AND source IS NULL
                 ORDER BY id LIMIT 1",
            )?
            .query_row(params![id, m.destination, m.system], |r| r.get(0))
            .optional()?,
    };
    Ok(found)
}

fn insert(conn: &Connection, m: &Message, content: i64, event: Option<i64>) -> Inner<i64> {
    let head = Head {
        correlation_id: m.correlation_id.clone(),
        causation_id: m.causation_id.clone(),
        reply: m.reply.clone(),
        payload_size: m.payload_size,
        content_type: m.content_type.clone(),
        keys: m.keys.clone(),
        redacted: m.redacted,
    };
    let mut head = postcard::to_stdvec(&head).map_err(|e| Fault::decode("an event", e))?;
    let format = ContextFormat::ALL.iter().position(|f| *f == m.hop_format).unwrap_or_default();
    head.extend((format > 0).then_some(format as u8));
    let (stream, sequence) = (m.stream.as_deref(), m.sequence.map(|s| s as i64));
    let plain: Option<Nanos> = numbered(m).is_none().then_some(m.time);
    let mut rows = conn.prepare_cached(
        "SELECT 1 + max(coalesce((SELECT max(id) FROM message), 0),
         coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?1), 0))",
    )?;
    let next: i64 = rows.query_row([META_EVENT_ROWS], |r| r.get(0))?;
    let mut put = conn.prepare_cached(
        "INSERT INTO message(id, event, system, destination, time, stream, sequence, plain_time, event_id, source, type,
         key, hop_trace, hop_span, origin_trace, origin_span, content, head)
         VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
    )?;
    put.execute(params![
        next,
        event.unwrap_or(next),
        m.system,
        m.destination,
        m.time,
        stream,
        sequence,
        plain,
        m.event_id,
        m.source,
        m.event_type,
        m.key,
        m.hop.map(|c| *c.trace_id.as_bytes()),
        m.hop.map(|c| c.span_id.as_i64()),
        m.origin.map(|c| *c.trace_id.as_bytes()),
        m.origin.map(|c| c.span_id.as_i64()),
        content,
        head,
    ])?;
    let mut put = conn.prepare_cached("INSERT INTO message_body(id, body) VALUES(?1, ?2)")?;
    put.execute(params![next, body(m)?])?;
    carried::note_message(conn, next, m)?;
    Ok(next)
}

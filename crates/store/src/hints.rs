//! What is certainly not stored: a filter in memory that spares the writer most of its questions.
//!
//! Nearly everything that correlation asks about a new trace has no answer yet. One blocked Bloom filter (Putze, Sanders and
//! Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", WEA 2007) over everything that is asked for says so without
//! asking the database. It may claim too much, never too little: what was rolled back stays in it and does no harm. It grows
//! with what it holds (a scalable Bloom filter: Almeida, Baquero, Preguiça and Hutchison, 2007): one that is full would claim
//! everything, and every new trace would be asked for nine times.

use flowglass_model::{Message, SpanId, TraceId};
use rusqlite::Connection;

use crate::fault::Inner;
use crate::hash::hash64;

/// Bits set per entry, all in one block.
const PROBES: u32 = 5;
/// Words of a block: one cache line.
const BLOCK: usize = 8;
/// Bits per expected entry; about 1 in 500 answers is then wrong.
const BITS_PER_ENTRY: u64 = 16;
/// Entries there is room for at first, beyond those stored when the file was opened.
const ROOM: u64 = 60_000;
/// Largest size of a layer, bits (32 MiB). Beyond about 33 million entries the filter spares fewer questions.
const MAX_BITS: u64 = 1 << 28;

/// Something that may be stored.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Hint<'a> {
    /// Spans of a trace.
    Trace(TraceId),
    /// A join that a trace takes part in.
    Join(TraceId),
    /// A link to a span.
    Link(TraceId, SpanId),
    /// A messaging span, by the hash of its message.
    SpanMessage(i64),
    /// A message whose last hop is a span.
    Hop(TraceId, SpanId),
    /// A message with its last hop or its origin in a trace.
    Event(TraceId),
    /// A message by destination and id.
    MessageId(&'a str, &'a str),
    /// A note of the resolver.
    Note(&'a str),
    /// A correlation id or a cause, by its hash.
    Carried(i64),
    /// A trace whose figures are closed, by its hash.
    Closed(i64),
}

impl Hint<'_> {
    fn hash(self) -> u64 {
        let two = |a: &[u8], b: &[u8]| hash64(a).rotate_left(23).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ hash64(b);
        let (tag, hash) = match self {
            Hint::Trace(t) => (1u64, hash64(t.as_bytes())),
            Hint::Join(t) => (2, hash64(t.as_bytes())),
            Hint::Link(t, s) => (3, two(t.as_bytes(), s.as_bytes())),
            Hint::SpanMessage(hash) => (4, hash as u64),
            Hint::Hop(t, s) => (5, two(t.as_bytes(), s.as_bytes())),
            Hint::Event(t) => (6, hash64(t.as_bytes())),
            Hint::MessageId(destination, id) => (7, two(destination.as_bytes(), id.as_bytes())),
            Hint::Note(key) => (8, hash64(key.as_bytes())),
            Hint::Carried(hash) => (9, hash as u64),
            Hint::Closed(hash) => (10, hash as u64),
        };
        let mixed = (hash ^ tag.wrapping_mul(0xbf58_476d_1ce4_e5b9)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 32)
    }
}

/// The filter: layers, the newest last.
pub(crate) struct Hints {
    layers: Vec<Layer>,
}

/// A filter with room for so many entries.
struct Layer {
    blocks: Vec<[u64; BLOCK]>,
    /// Entries that made a difference.
    entries: u64,
}

impl Layer {
    fn with_bits(bits: u64) -> Layer {
        let bits = bits.next_power_of_two().clamp(1 << 20, MAX_BITS);
        Layer { blocks: vec![[0; BLOCK]; (bits / 512) as usize], entries: 0 }
    }

    fn bits(&self) -> u64 {
        self.blocks.len() as u64 * 512
    }

    fn place(&self, hash: u64) -> usize {
        (hash >> 45) as usize & (self.blocks.len() - 1)
    }

    fn add(&mut self, hash: u64) {
        let place = self.place(hash);
        let block = &mut self.blocks[place];
        for probe in 0..PROBES {
            let bit = (hash >> (probe * 9)) as usize & 511;
            block[bit >> 6] |= 1 << (bit & 63);
        }
        self.entries += 1;
    }

    fn may(&self, hash: u64) -> bool {
        let block = &self.blocks[self.place(hash)];
        (0..PROBES).all(|probe| {
            let bit = (hash >> (probe * 9)) as usize & 511;
            block[bit >> 6] & (1 << (bit & 63)) != 0
        })
    }
}

impl Hints {
    /// An empty filter with room for this many entries.
    fn with_room(entries: u64) -> Hints {
        // What a file says of its size may be anything.
        let bits = entries.min(MAX_BITS).saturating_mul(BITS_PER_ENTRY).min(MAX_BITS);
        Hints { layers: vec![Layer::with_bits(bits)] }
    }

    /// How large it is, bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.layers.iter().map(|layer| layer.blocks.len() * BLOCK * 8).sum()
    }

    /// Reads all keys that are asked for; each comes from an index, no row is touched.
    pub(crate) fn load(conn: &Connection, traces: u64) -> Inner<Hints> {
        let messages: i64 = conn.query_row("SELECT coalesce(max(id), 0) FROM message", [], |r| r.get(0))?;
        let mut hints =
            Hints::with_room(traces.saturating_add((messages.max(0) as u64).saturating_mul(4)).saturating_add(ROOM));
        let trace = |b: Option<[u8; 16]>| b.and_then(TraceId::new);
        let span = |n: i64| SpanId::new(n.to_be_bytes());
        let mut each = |sql: &str, add: &mut dyn FnMut(&mut Hints, &rusqlite::Row<'_>) -> rusqlite::Result<()>| {
            let mut statement = conn.prepare(sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                add(&mut hints, row)?;
            }
            Inner::Ok(())
        };
        each("SELECT trace FROM trace_chunk WHERE kind = 0", &mut |h, r| {
            trace(r.get(0)?).into_iter().for_each(|t| h.add(Hint::Trace(t)));
            Ok(())
        })?;
        each("SELECT child_trace, parent_trace FROM trace_join", &mut |h, r| {
            trace(r.get(0)?).into_iter().chain(trace(r.get(1)?)).for_each(|t| h.add(Hint::Join(t)));
            Ok(())
        })?;
        each("SELECT trace, span FROM span_link", &mut |h, r| {
            trace(r.get(0)?).zip(span(r.get(1)?)).into_iter().for_each(|(t, s)| h.add(Hint::Link(t, s)));
            Ok(())
        })?;
        each("SELECT hash FROM span_message", &mut |h, r| {
            h.add(Hint::SpanMessage(r.get(0)?));
            Ok(())
        })?;
        each("SELECT hop_trace, hop_span FROM message WHERE hop_trace IS NOT NULL", &mut |h, r| {
            if let Some((t, s)) = trace(r.get(0)?).zip(r.get::<_, Option<i64>>(1)?.and_then(span)) {
                h.add(Hint::Hop(t, s));
                h.add(Hint::Event(t));
            }
            Ok(())
        })?;
        each("SELECT origin_trace FROM message WHERE origin_trace IS NOT NULL", &mut |h, r| {
            trace(r.get(0)?).into_iter().for_each(|t| h.add(Hint::Event(t)));
            Ok(())
        })?;
        each("SELECT destination, event_id FROM message WHERE event_id IS NOT NULL", &mut |h, r| {
            let (destination, id) = (r.get_ref(0)?.as_str(), r.get_ref(1)?.as_str());
            h.add(Hint::MessageId(destination.unwrap_or_default(), id.unwrap_or_default()));
            Ok(())
        })?;
        each("SELECT hash FROM trace_carries UNION ALL SELECT hash FROM message_carries", &mut |h, r| {
            h.add(Hint::Carried(r.get(0)?));
            Ok(())
        })?;
        each("SELECT hash FROM closed_trace", &mut |h, r| {
            h.add(Hint::Closed(r.get(0)?));
            Ok(())
        })?;
        each("SELECT key FROM unmatched", &mut |h, r| {
            h.add(Hint::Note(r.get_ref(0)?.as_str().unwrap_or_default()));
            Ok(())
        })?;
        Ok(hints)
    }

    /// Notes that something is stored.
    pub(crate) fn add(&mut self, hint: Hint<'_>) {
        let hash = hint.hash();
        if self.holds(hash) {
            return;
        }
        let bits = self.layers.last().map_or(0, Layer::bits);
        if let Some(newest) = self.layers.last_mut()
            && (newest.entries * BITS_PER_ENTRY < bits || bits >= MAX_BITS)
        {
            return newest.add(hash);
        }
        // Twice the last: few layers, and at least half of all that is asked for lies in the newest.
        let mut layer = Layer::with_bits(bits * 2);
        layer.add(hash);
        self.layers.push(layer);
    }

    /// The newest first: what is asked for is mostly young.
    fn holds(&self, hash: u64) -> bool {
        self.layers.iter().rev().any(|layer| layer.may(hash))
    }

    /// Notes all that a message can be asked for by.
    pub(crate) fn add_message(&mut self, message: &Message) {
        if let Some(hop) = message.hop {
            self.add(Hint::Hop(hop.trace_id, hop.span_id));
        }
        for context in [message.hop, message.origin].into_iter().flatten() {
            self.add(Hint::Event(context.trace_id));
        }
        if let Some(id) = &message.event_id {
            self.add(Hint::MessageId(&message.destination, id));
        }
    }

    /// Whether it may be stored; `false` is certain.
    pub(crate) fn may(&self, hint: Hint<'_>) -> bool {
        self.holds(hint.hash())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_stored_is_denied_and_little_else_is_claimed() {
        let mut hints = Hints::with_room(50_000);
        let trace = |n: u64| TraceId::new([1u64.to_be_bytes(), n.to_be_bytes()].concat().try_into().unwrap()).unwrap();
        (0..50_000).for_each(|n| hints.add(Hint::Trace(trace(n))));
        assert!((0..50_000).all(|n| hints.may(Hint::Trace(trace(n)))));
        let claimed = |hint: &dyn Fn(TraceId) -> Hint<'static>| {
            (0..50_000).filter(|n| hints.may(hint(trace(n + 50_000)))).count()
                + (0..50_000).filter(|n| hints.may(Hint::Join(trace(*n)))).count()
        };
        let wrong = claimed(&Hint::Trace);
        assert!(wrong < 1_000, "{wrong} of 100,000");
    }

    #[test]
    fn it_grows_with_what_it_holds_and_stays_as_sure() {
        let mut hints = Hints::with_room(1_000);
        let trace = |n: u64| TraceId::new([1u64.to_be_bytes(), n.to_be_bytes()].concat().try_into().unwrap()).unwrap();
        let room = hints.bytes();
        (0..400_000).for_each(|n| hints.add(Hint::Trace(trace(n))));
        assert!(hints.bytes() > room && hints.bytes() < 400_000 * 5, "{} bytes", hints.bytes());
        assert!((0..400_000).all(|n| hints.may(Hint::Trace(trace(n)))));
        let wrong = (400_000..500_000).filter(|n| hints.may(Hint::Trace(trace(*n)))).count();
        assert!(wrong < 1_000, "{wrong} of 100,000");
        // What is there already takes no more room.
        let size = hints.bytes();
        (0..400_000).for_each(|n| hints.add(Hint::Trace(trace(n))));
        assert_eq!(hints.bytes(), size);
    }
}

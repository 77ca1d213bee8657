//! Recent traces in memory.

use std::collections::hash_map::Entry;
use std::sync::Arc;

use flowglass_model::{Nanos, Role, SpanFacts, SpanId, SpanKey, TraceId};
use rustc_hash::FxHashMap;

use super::FactSource;

/// Up to this many spans of a trace are looked through; beyond, an index finds them.
const SCANNED: usize = 24;

/// Traces that nothing came to for so long, in the time of the data, are let go: late spans bring them back from the store.
const QUIET: Nanos = 60_000_000_000;
/// So many spans are kept nevertheless: in an import, minutes of data pass in a second, and what belongs to it comes file by file.
const KEPT: usize = 50_000;
/// How often the quiet ones are looked for, in the same time.
const SWEPT_EVERY: Nanos = 10_000_000_000;

/// Places of spans by their own id and by their parent's.
#[derive(Default)]
struct Index {
    by_id: FxHashMap<SpanId, Vec<usize>>,
    by_parent: FxHashMap<SpanId, Vec<usize>>,
}

impl Index {
    fn add(&mut self, at: usize, (id, parent): (SpanId, Option<SpanId>)) {
        self.by_id.entry(id).or_default().push(at);
        if let Some(parent) = parent {
            self.by_parent.entry(parent).or_default().push(at);
        }
    }
}

/// One trace: its spans, found by id and by parent. Spans of the batch in hand stand behind the settled ones, so that the
/// trace can be seen as it was before the batch.
#[derive(Default)]
pub(super) struct Trace {
    spans: Vec<Arc<SpanFacts>>,
    /// Own id and parent of each span.
    ids: Vec<(SpanId, Option<SpanId>)>,
    index: Option<Box<Index>>,
    correlates: bool,
    shares_ids: bool,
    settled: usize,
    used: u64,
    /// The time of the data when it was last used.
    used_at: Nanos,
}

impl Trace {
    fn push(&mut self, facts: Arc<SpanFacts>) -> usize {
        let at = self.spans.len();
        let messaging = matches!(facts.role, Role::Send { .. } | Role::Receive { .. } | Role::Process { .. });
        self.correlates |= messaging || !facts.links.is_empty();
        let shared = self.with_id(facts.span_id).next().is_some();
        self.shares_ids |= shared;
        self.ids.push((facts.span_id, facts.parent));
        self.spans.push(facts);
        if let Some(index) = &mut self.index {
            index.add(at, self.ids[at]);
        } else if at >= SCANNED {
            let mut index = Box::<Index>::default();
            self.ids.iter().enumerate().for_each(|(i, ids)| index.add(i, *ids));
            self.index = Some(index);
        }
        at
    }

    /// All spans.
    pub(super) fn spans(&self) -> &[Arc<SpanFacts>] {
        &self.spans
    }

    /// Whether any span of it links or speaks of messages: only then do spans outside the trace matter to it.
    pub(super) fn correlates(&self) -> bool {
        self.correlates
    }

    /// Whether two spans of it have one id.
    pub(super) fn shares_ids(&self) -> bool {
        self.shares_ids
    }

    /// Whether none of it was there before the batch in hand.
    pub(super) fn is_new(&self) -> bool {
        self.settled == 0
    }

    /// How many spans were there before the batch in hand.
    pub(super) fn settled(&self) -> usize {
        self.settled
    }

    /// Spans with this id (more than one where client and server share it).
    pub(super) fn with_id(&self, id: SpanId) -> impl Iterator<Item = usize> + use<'_> {
        let listed = self.index.as_ref().map(|i| i.by_id.get(&id).map_or(&[] as &[usize], Vec::as_slice));
        self.places(listed, move |(own, _)| *own == id)
    }

    /// Spans that name this one as parent.
    pub(super) fn with_parent(&self, id: SpanId) -> impl Iterator<Item = usize> + use<'_> {
        let listed = self.index.as_ref().map(|i| i.by_parent.get(&id).map_or(&[] as &[usize], Vec::as_slice));
        self.places(listed, move |(_, parent)| *parent == Some(id))
    }

    /// The places listed, or without a list those that fit.
    fn places<'t, F>(&'t self, listed: Option<&'t [usize]>, fits: F) -> impl Iterator<Item = usize> + use<'t, F>
    where
        F: Fn(&(SpanId, Option<SpanId>)) -> bool + 't,
    {
        let scanned = if listed.is_some() { &[] } else { self.ids.as_slice() };
        let scanned = scanned.iter().enumerate().filter(move |(_, ids)| fits(ids)).map(|(i, _)| i);
        scanned.chain(listed.unwrap_or_default().iter().copied())
    }

    /// Whether the span is known.
    pub(super) fn has(&self, key: &SpanKey) -> bool {
        self.with_id(key.span_id).any(|i| self.spans[i].kind == key.kind)
    }
}

/// Traces by id, bounded by the number of spans, the longest unused go first; those that fell quiet go before.
#[derive(Default)]
pub(super) struct Cache {
    traces: FxHashMap<TraceId, Trace>,
    weight: usize,
    clock: u64,
    /// The latest start of a span that was added: the time of the data.
    now: Nanos,
    swept: Nanos,
}

impl Cache {
    /// The trace, if it is in memory.
    pub(super) fn get(&self, trace: TraceId) -> Option<&Trace> {
        self.traces.get(&trace)
    }

    /// Reads a trace unless it is in memory. A trace nothing is stored of is remembered as empty.
    pub(super) fn load<S: FactSource>(&mut self, trace: TraceId, source: &mut S) -> Result<&Trace, S::Error> {
        self.clock += 1;
        let found = match self.traces.entry(trace) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(empty) => {
                let mut loaded = Trace::default();
                for facts in source.trace_facts(trace)? {
                    if !loaded.has(&facts.key()) {
                        loaded.push(Arc::new(facts));
                    }
                }
                loaded.settled = loaded.spans.len();
                self.weight += 1 + loaded.spans.len();
                empty.insert(loaded)
            }
        };
        found.used = self.clock;
        found.used_at = self.now;
        Ok(found)
    }

    /// Adds a new span to a loaded trace; `None` when it is known already.
    pub(super) fn insert(&mut self, facts: &Arc<SpanFacts>) -> Option<usize> {
        let trace = self.traces.entry(facts.trace_id).or_default();
        if trace.has(&facts.key()) {
            return None;
        }
        self.weight += 1;
        self.now = self.now.max(facts.start);
        trace.used_at = self.now;
        Some(trace.push(Arc::clone(facts)))
    }

    /// Makes all spans of a trace count as the batch in hand; answers how many there are.
    pub(super) fn unsettle<S: FactSource>(&mut self, trace: TraceId, source: &mut S) -> Result<usize, S::Error> {
        self.load(trace, source)?;
        let Some(found) = self.traces.get_mut(&trace) else { return Ok(0) };
        found.settled = 0;
        Ok(found.spans.len())
    }

    /// Forgets a trace.
    pub(super) fn forget(&mut self, trace: TraceId) {
        if let Some(gone) = self.traces.remove(&trace) {
            self.weight -= 1 + gone.spans.len();
        }
    }

    /// The batch in hand is over: its spans are as settled as all others.
    pub(super) fn settle(&mut self, traces: impl Iterator<Item = TraceId>) {
        for id in traces {
            if let Some(trace) = self.traces.get_mut(&id) {
                trace.settled = trace.spans.len();
            }
        }
    }

    /// Lets the traces go that fell quiet, when more than a few are kept, and the longest unused ones until at most three quarters of `max` spans are left, if
    /// there are more than `max`.
    pub(super) fn shrink(&mut self, max: usize) {
        if self.weight > KEPT && self.now.saturating_sub(self.swept) >= SWEPT_EVERY {
            self.swept = self.now;
            let since = self.now.saturating_sub(QUIET);
            self.traces.retain(|_, trace| trace.used_at >= since);
            self.weight = self.traces.values().map(|trace| 1 + trace.spans.len()).sum();
        }
        if self.weight <= max {
            return;
        }
        let mut oldest: Vec<(u64, TraceId)> = self.traces.iter().map(|(id, t)| (t.used, *id)).collect();
        oldest.sort_unstable();
        for (_, id) in oldest {
            if self.weight <= max / 4 * 3 {
                break;
            }
            if let Some(gone) = self.traces.remove(&id) {
                self.weight -= 1 + gone.spans.len();
            }
        }
    }

    /// Traces and spans.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.traces.len(), self.traces.values().map(|trace| trace.spans.len()).sum())
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Cache { clock: self.clock, ..Cache::default() };
    }
}

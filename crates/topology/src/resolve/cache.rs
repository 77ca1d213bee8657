//! Recent traces in memory.

use flowglass_model::{SpanFacts, SpanId, SpanKey, TraceId};
use rustc_hash::FxHashMap;

use super::FactSource;

/// One trace: its spans, found by id and by parent. Spans of the batch in hand stand behind the settled ones, so that the
/// trace can be seen as it was before the batch.
#[derive(Default)]
pub(super) struct Trace {
    spans: Vec<SpanFacts>,
    by_id: FxHashMap<SpanId, Vec<usize>>,
    by_parent: FxHashMap<SpanId, Vec<usize>>,
    settled: usize,
    used: u64,
}

impl Trace {
    fn push(&mut self, facts: SpanFacts) -> usize {
        let at = self.spans.len();
        self.by_id.entry(facts.span_id).or_default().push(at);
        if let Some(parent) = facts.parent {
            self.by_parent.entry(parent).or_default().push(at);
        }
        self.spans.push(facts);
        at
    }

    /// All spans.
    pub(super) fn spans(&self) -> &[SpanFacts] {
        &self.spans
    }

    /// How many spans were there before the batch in hand.
    pub(super) fn settled(&self) -> usize {
        self.settled
    }

    /// Spans with this id (more than one where client and server share it).
    pub(super) fn with_id(&self, id: SpanId) -> &[usize] {
        self.by_id.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Spans that name this one as parent.
    pub(super) fn with_parent(&self, id: SpanId) -> &[usize] {
        self.by_parent.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Whether the span is known.
    pub(super) fn has(&self, key: &SpanKey) -> bool {
        self.with_id(key.span_id).iter().any(|i| self.spans[*i].kind == key.kind)
    }
}

/// Traces by id, bounded by the number of spans; the longest unused go first.
#[derive(Default)]
pub(super) struct Cache {
    traces: FxHashMap<TraceId, Trace>,
    weight: usize,
    clock: u64,
}

impl Cache {
    /// The trace, if it is in memory.
    pub(super) fn get(&self, trace: TraceId) -> Option<&Trace> {
        self.traces.get(&trace)
    }

    /// Reads a trace unless it is in memory. A trace nothing is stored of is remembered as empty.
    pub(super) fn load<S: FactSource>(&mut self, trace: TraceId, source: &mut S) -> Result<&Trace, S::Error> {
        self.clock += 1;
        if !self.traces.contains_key(&trace) {
            let mut loaded = Trace::default();
            for facts in source.trace_facts(trace)? {
                if !loaded.has(&facts.key()) {
                    loaded.push(facts);
                }
            }
            loaded.settled = loaded.spans.len();
            self.weight += 1 + loaded.spans.len();
            self.traces.insert(trace, loaded);
        }
        let found = self.traces.entry(trace).or_default();
        found.used = self.clock;
        Ok(found)
    }

    /// Adds a new span to a loaded trace; `None` when it is known already.
    pub(super) fn insert(&mut self, facts: &SpanFacts) -> Option<usize> {
        let trace = self.traces.entry(facts.trace_id).or_default();
        if trace.has(&facts.key()) {
            return None;
        }
        self.weight += 1;
        Some(trace.push(facts.clone()))
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

    /// Lets the longest unused traces go until at most three quarters of `max` spans are left, if there are more than `max`.
    pub(super) fn shrink(&mut self, max: usize) {
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

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Cache { clock: self.clock, ..Cache::default() };
    }
}

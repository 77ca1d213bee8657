//! What a damaged page cost.

use flowglass_model::{Nanos, TraceId};

/// Traces named at most.
pub(super) const NAMED: usize = 100;

/// Something that could not be saved.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lost {
    /// What: `spans`, `log records`, `events`, …
    pub what: &'static str,
    /// How many; `None` when nothing tells any more.
    pub count: Option<u64>,
    /// When the first of them was, as far as it is known.
    pub first: Option<Nanos>,
    /// When the last of them was, as far as it is known.
    pub last: Option<Nanos>,
    /// Traces that they belonged to, as far as they are known; at most 100.
    pub traces: Vec<TraceId>,
}

impl Lost {
    /// Nothing yet.
    pub(super) fn of(what: &'static str) -> Lost {
        Lost { what, count: Some(0), ..Lost::default() }
    }

    /// Counts more of it.
    pub(super) fn add(&mut self, count: u64) {
        self.count = self.count.map(|n| n + count);
    }

    /// Widens the period.
    pub(super) fn cover(&mut self, first: Option<i64>, last: Option<i64>) {
        let known = |a: Option<Nanos>, b: Option<Nanos>, pick: fn(i64, i64) -> i64| match (a, b) {
            (Some(a), Some(b)) => Some(pick(a, b)),
            (a, b) => a.or(b),
        };
        self.first = known(self.first, first, i64::min);
        self.last = known(self.last, last, i64::max);
    }

    /// Names a trace.
    pub(super) fn trace(&mut self, trace: Option<TraceId>) {
        if let Some(trace) = trace
            && self.traces.len() < NAMED
            && !self.traces.contains(&trace)
        {
            self.traces.push(trace);
        }
    }

    /// Whether anything is lost.
    pub(super) fn is_any(&self) -> bool {
        self.count != Some(0)
    }
}

//! Spans as handlings: who was asked what, what it did itself, whom it asked in turn.

use std::sync::Arc;

use flowglass_model::{Nanos, NodeId};

use super::Seen;
use super::index::Index;

/// Who is asked for what: a participant and an operation of it.
pub(crate) type Asked = (NodeId, Arc<str>);

/// One request or message, from the first work on it to the answer.
#[derive(Debug, Clone)]
pub(crate) struct Handling {
    pub(crate) asked: Asked,
    pub(crate) start: Nanos,
    pub(crate) end: Nanos,
    pub(crate) instance: Option<Arc<str>>,
    /// Time that no waited-for child explains, nanoseconds.
    pub(crate) own: i64,
    /// It failed.
    pub(crate) failed: bool,
    /// It failed, and nothing it asked for had.
    pub(crate) failed_itself: bool,
    /// Told by its caller only: of somebody who says nothing himself. It ends where the caller stopped waiting.
    pub(crate) told_by_caller: bool,
    /// What it did, by start.
    pub(crate) acts: Vec<Act>,
    pub(crate) cause: Cause,
}

/// Why a handling began.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cause {
    /// A request from outside what was observed.
    Outside,
    /// A call of another handling.
    Called,
    /// A message.
    Message {
        /// Where it was published.
        topic: NodeId,
        /// From the end of its sending to the start of this; unknown when the sending was not seen.
        delay: Option<i64>,
        /// Which delivery of it this is, from 1.
        delivery: u32,
        /// Messages handled together.
        batch: u32,
    },
}

/// Something a handling did for others to see.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Asked somebody and waited.
    Call(Call),
    /// Published a message.
    Publish { topic: NodeId, start: Nanos, end: Nanos },
}

impl Act {
    pub(crate) fn start(&self) -> Nanos {
        match self {
            Act::Call(call) => call.start(),
            Act::Publish { start, .. } => *start,
        }
    }

    pub(crate) fn end(&self) -> Nanos {
        match self {
            Act::Call(call) => call.end(),
            Act::Publish { end, .. } => *end,
        }
    }
}

/// A call with its repetitions.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) asked: Asked,
    /// At least one, in order.
    pub(crate) attempts: Vec<Attempt>,
}

impl Call {
    pub(crate) fn start(&self) -> Nanos {
        self.attempts.first().map_or(0, |a| a.start)
    }

    pub(crate) fn end(&self) -> Nanos {
        self.attempts.last().map_or(0, |a| a.end)
    }

    /// Whether the last attempt failed.
    pub(crate) fn failed(&self) -> bool {
        self.attempts.last().is_some_and(|a| a.failed)
    }
}

/// One try of a call, as the caller saw it.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub(crate) start: Nanos,
    pub(crate) end: Nanos,
    pub(crate) failed: bool,
    /// The callee's part of it: start and duration, where its span was seen.
    pub(crate) handled: Option<(Nanos, i64)>,
    /// It was a repetition by the sender's own word.
    pub(crate) resend: bool,
}

impl Attempt {
    pub(crate) fn duration(&self) -> i64 {
        self.end - self.start
    }

    #[cfg(test)]
    pub(crate) fn seen(start: Nanos, end: Nanos, handled_from: Nanos, handled_for: i64) -> Attempt {
        Attempt { start, end, failed: false, handled: Some((handled_from, handled_for)), resend: false }
    }
}

/// Everything that was handled.
pub(crate) struct Handled {
    pub(crate) all: Vec<Handling>,
    /// Spans whose parent was named and not seen.
    pub(crate) orphans: usize,
    /// Spans handed over.
    pub(crate) spans: usize,
}

impl Handled {
    /// Finds the handlings. O(n log n).
    pub(crate) fn new(spans: &[Seen]) -> Handled {
        let index = Index::new(spans);
        let mut all: Vec<Handling> = (0..spans.len()).filter_map(|i| index.handling(i)).collect();
        all.extend(index.others());
        all.sort_by(|a, b| (a.start, a.end, &a.asked).cmp(&(b.start, b.end, &b.asked)));
        let orphans = spans.iter().filter(|s| s.facts.parent.is_some() && index.parent(&s.facts).is_none()).count();
        Handled { all, orphans, spans: spans.len() }
    }
}

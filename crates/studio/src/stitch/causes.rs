//! Joins by what messages name as their cause.

use std::collections::BTreeSet;
use std::sync::Arc;

use flowglass_journey::units;
use flowglass_model::{LinkHow, MessageContext, Role, SpanFacts, TraceId, TraceJoin};
use flowglass_store::{Carried, EventRow};

use super::source::Source;
use super::{MEMBERS_MAX, Web, names};

/// Events one may follow back through causes that belong to no trace.
const CAUSES: usize = 64;
/// The name by which settings speak of causes.
pub(super) const CAUSATION: &str = "causation";

impl<S: Source> Web<S> {
    /// Joins to what the messages of a trace name as their cause, unless contexts tell where that part of it came from.
    pub(super) fn causes(&mut self, trace: TraceId) -> Result<Arc<Vec<TraceJoin>>, S::Error> {
        if let Some(known) = self.bridges.causes.get(&trace) {
            return Ok(Arc::clone(known));
        }
        let (near, base) = (self.near(trace)?, self.base(trace)?);
        let caused: Vec<(&EventRow, &str)> = near
            .iter()
            .filter_map(|r| Some((r, r.message.causation_id.as_deref()?)))
            .filter(|(_, cause)| !self.joining.is_never(CAUSATION, cause))
            .collect();
        let whole = caused.iter().map(|(_, cause)| *cause).collect::<BTreeSet<_>>().len() == 1;
        let mut out = BTreeSet::new();
        for (row, cause) in caused {
            let from = self.senders_of(cause)?;
            let places = if from.is_empty() { BTreeSet::new() } else { self.places_in(trace, row)? };
            for head in units(&base.spans, &places, whole) {
                if !base.is_open(head) {
                    continue;
                }
                out.extend(from.iter().filter(|c| c.trace_id != trace).map(|from| TraceJoin {
                    parent_trace: from.trace_id,
                    parent_span: from.span_id,
                    child_trace: trace,
                    child_span: head,
                    how: LinkHow::Causation,
                }));
            }
        }
        let out = Arc::new(out.into_iter().collect::<Vec<_>>());
        self.bridges.causes.insert(trace, Arc::clone(&out));
        Ok(out)
    }

    /// The contexts in which the event of an id was published; none where several events go by that id. An event that belongs to
    /// no trace leads on to its own cause.
    pub(super) fn senders_of(&mut self, id: &str) -> Result<BTreeSet<MessageContext>, S::Error> {
        let (mut id, mut seen) = (id.to_owned(), BTreeSet::new());
        for _ in 0..CAUSES {
            let found = self.source.events_called(&id)?;
            let [cause] = found.as_slice() else { break };
            if !seen.insert(cause.row) {
                break;
            }
            let context = cause.message.hop.or(cause.message.origin);
            if let Some(context) = context {
                return Ok(BTreeSet::from([context]));
            }
            let sent = self.sent_by(cause)?;
            if !sent.is_empty() {
                return Ok(sent);
            }
            match &cause.message.causation_id {
                Some(next) => id.clone_from(next),
                None => break,
            }
        }
        Ok(BTreeSet::new())
    }

    /// Spans that sent an event without a context, as they name its id.
    fn sent_by(&mut self, row: &EventRow) -> Result<BTreeSet<MessageContext>, S::Error> {
        let Some(id) = row.message.event_id.as_deref() else { return Ok(BTreeSet::new()) };
        let topic = row.message.topic();
        let mut out = BTreeSet::new();
        for trace in self.source.traces_with_message(topic.body(), id)? {
            let base = self.base(trace)?;
            let sends = |s: &&Arc<SpanFacts>| matches!(s.role, Role::Send { .. }) && names(s, topic.body(), id);
            let sent = base.spans.iter().filter(sends);
            out.extend(sent.map(|s| MessageContext { trace_id: s.trace_id, span_id: s.span_id }));
        }
        Ok(out)
    }

    /// Traces with messages that name an event of this trace as their cause.
    pub(super) fn effects(&mut self, trace: TraceId) -> Result<BTreeSet<TraceId>, S::Error> {
        let mut out = BTreeSet::new();
        let mut open: Vec<String> = self.near(trace)?.iter().filter_map(|r| r.message.event_id.clone()).collect();
        let mut seen: BTreeSet<String> = open.iter().cloned().collect();
        while let Some(id) = open.pop() {
            for row in self.source.events_carrying(Carried::Cause(&id), MEMBERS_MAX)? {
                let traces = self.traces_of(&row)?;
                if traces.is_empty() {
                    // Its own effects, if any, follow from what caused it.
                    open.extend(row.message.event_id.clone().filter(|id| seen.insert(id.clone())));
                }
                out.extend(traces);
            }
        }
        out.remove(&trace);
        Ok(out)
    }

    /// Traces of all events with an id that others name as their cause: a second one makes the first ambiguous.
    pub(super) fn namesakes(&mut self, id: Option<&str>) -> Result<BTreeSet<TraceId>, S::Error> {
        let mut out = BTreeSet::new();
        let Some(id) = id else { return Ok(out) };
        if !self.source.events_carrying(Carried::Cause(id), 1)?.is_empty() {
            for row in self.source.events_called(id)? {
                out.extend(self.traces_of(&row)?);
            }
        }
        Ok(out)
    }
}

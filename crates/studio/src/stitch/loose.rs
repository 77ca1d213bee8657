//! Events that belong to no trace: which journeys they belong to by what they carry.

use std::collections::BTreeSet;

use flowglass_model::{Message, TraceId, tells_apart};
use flowglass_store::{Carried, EventRow, correlation_ids};

use super::bridges::CORRELATION;
use super::causes::CAUSATION;
use super::members::Members;
use super::source::Source;
use super::{MEMBERS_MAX, Web};

impl<S: Source> Web<S> {
    /// Traces that these events, by row, may belong to though they name none.
    pub(crate) fn around_events(&mut self, rows: &[i64]) -> Result<BTreeSet<TraceId>, S::Error> {
        let mut out = BTreeSet::new();
        if self.source.carries_any()? {
            let events = self.source.events_at(rows)?;
            let publications = events.iter().map(|row| row.occurrences as usize).sum();
            for row in events {
                out.extend(self.around_event(&row.message, publications)?);
            }
        }
        Ok(out)
    }

    /// Traces that an event without a trace may belong to: with its correlation id, with its cause, with what it caused. It comes (or
    /// goes) with so many publications.
    pub(crate) fn around_event(&mut self, m: &Message, with: usize) -> Result<BTreeSet<TraceId>, S::Error> {
        let mut out = BTreeSet::new();
        if let Some(value) = m.correlation_id.as_deref() {
            out.extend(self.sharing_beside(value, with)?.iter());
        }
        if let Some(cause) = m.causation_id.as_deref() {
            out.extend(self.senders_of(cause)?.iter().map(|c| c.trace_id));
        }
        out.extend(self.namesakes(m.event_id.as_deref())?);
        let (mut open, mut seen) = (Vec::from_iter(m.event_id.clone()), BTreeSet::new());
        while let Some(id) = open.pop().filter(|_| seen.len() < MEMBERS_MAX) {
            for effect in self.source.events_carrying(Carried::Cause(&id), MEMBERS_MAX)? {
                let traces = self.traces_of(&effect)?;
                if traces.is_empty() && seen.insert(effect.row) {
                    open.extend(effect.message.event_id.clone());
                }
                out.extend(traces);
            }
        }
        Ok(out)
    }

    /// Adds the events that belong to no trace and to this journey: caused by its events, or with a correlation id of its own.
    pub(super) fn add_carried(&mut self, members: &Members, rows: &mut Vec<EventRow>) -> Result<(), S::Error> {
        if !self.source.carries_any()? {
            return Ok(());
        }
        let mut seen: BTreeSet<i64> = rows.iter().map(|r| r.row).collect();
        let of_spans = members.spans.iter().flat_map(|s| correlation_ids(s)).map(|(_, value)| value.to_owned());
        let of_events = rows.iter().filter_map(|r| r.message.correlation_id.clone());
        let values: BTreeSet<String> = of_spans.chain(of_events).collect();
        for value in values {
            let never = self.joining.is_never(CORRELATION, &value) || !tells_apart(&value);
            if never || self.group(&value)?.shared_by.is_some() {
                continue;
            }
            for row in self.source.events_carrying(Carried::Correlation(&value), MEMBERS_MAX)? {
                if self.traces_of(&row)?.is_empty() && seen.insert(row.row) {
                    rows.push(row);
                }
            }
        }
        let mut next = 0;
        while next < rows.len().min(MEMBERS_MAX) {
            let id = rows[next].message.event_id.clone();
            next += 1;
            let Some(id) = id.filter(|id| !self.joining.is_never(CAUSATION, id)) else { continue };
            for row in self.source.events_carrying(Carried::Cause(&id), MEMBERS_MAX)? {
                if self.traces_of(&row)?.is_empty() && seen.insert(row.row) {
                    rows.push(row);
                }
            }
        }
        Ok(())
    }
}

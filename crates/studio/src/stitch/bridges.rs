//! What joins traces that no context joins: the correlation ids they carry, and the causes that their messages name.
//!
//! All of it is worked out from what is stored when it is asked for, on top of what contexts say, so that neither the order of
//! arrival nor what was decided before leaves a trace.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use flowglass_journey::{Part, Section, Sections, converse, units};
use flowglass_model::{
    CORRELATION_KEYS, LinkHow, MessageContext, Role, SpanFacts, SpanId, TraceId, TraceJoin, tells_apart,
};
use flowglass_store::{Carried, EventRow, correlation_ids};

use super::causes::CAUSATION;
use super::members::{Members, message_of};
use super::source::Source;
use super::{MEMBERS_MAX, Web, names};

/// Traces with one correlation id that are looked at, as a multiple of what it may join: contexts join many of them already.
const LOOKED_AT: usize = 10;
/// The name of a message's correlation id.
pub(super) const CORRELATION: &str = "correlationId";

/// A trace as contexts alone join it.
pub(super) struct Base {
    pub(super) spans: Vec<Arc<SpanFacts>>,
    sections: Sections,
}

impl Base {
    /// Whether nothing but local work surrounds a span: no context says what set it going.
    pub(super) fn is_open(&self, head: SpanId) -> bool {
        if self.sections.of(head) != Section::Own {
            return false;
        }
        let find = |id: SpanId| self.spans.iter().find(|s| s.span_id == id);
        let Some(span) = find(head) else { return false };
        let handles = matches!(span.role, Role::Process { .. } | Role::Receive { .. });
        let (mut at, mut seen) = (span, BTreeSet::from([head]));
        while let Some(above) = at.parent.filter(|p| seen.insert(*p)).and_then(find) {
            let around = match above.role {
                Role::Internal | Role::Receive { .. } => true,
                Role::Send { .. } => false,
                _ => handles,
            };
            if above.service != span.service || !around {
                return false;
            }
            at = above;
        }
        true
    }
}

/// Where a trace carries a correlation id.
#[derive(Clone, Default)]
struct Carriers {
    /// Under which names.
    names: BTreeSet<String>,
    /// At which spans.
    spans: BTreeSet<SpanId>,
}

/// The traces that carry one correlation id.
pub(super) struct Group {
    /// All of them, unless so many share it that nobody looked.
    traces: BTreeSet<TraceId>,
    joins: Vec<TraceJoin>,
    /// How many share it, where too many do; 0 where nobody looked.
    pub(super) shared_by: Option<usize>,
}

/// What is left out when it is asked how far an id is spread.
#[derive(Clone, Copy, Default)]
struct Own {
    traces: usize,
    publications: usize,
}

/// An id that joins parts of a journey, or would if fewer shared it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Held {
    /// The name it goes by.
    pub(crate) by: String,
    /// Its value.
    pub(crate) value: String,
    /// How many traces share it: all it joins, or (held back) at least so many.
    pub(crate) traces: usize,
    /// Whether it joins none because so many share it.
    pub(crate) held_back: bool,
}

/// What was worked out while a web lives.
#[derive(Default)]
pub(super) struct Bridges {
    base: BTreeMap<TraceId, Arc<Base>>,
    near: BTreeMap<TraceId, Arc<Vec<EventRow>>>,
    pub(super) causes: BTreeMap<TraceId, Arc<Vec<TraceJoin>>>,
    carriers: BTreeMap<TraceId, Arc<BTreeMap<String, Carriers>>>,
    groups: BTreeMap<String, Arc<Group>>,
    /// By id: see [`Web::sharing_beside`].
    beside: BTreeMap<String, Arc<BTreeSet<TraceId>>>,
}

/// Context of a message in a trace: of its last hop, else of its origin.
fn context_in(row: &EventRow, trace: TraceId) -> Option<MessageContext> {
    [row.message.hop, row.message.origin].into_iter().flatten().find(|c| c.trace_id == trace)
}

impl<S: Source> Web<S> {
    pub(super) fn base(&mut self, trace: TraceId) -> Result<Arc<Base>, S::Error> {
        if let Some(known) = self.bridges.base.get(&trace) {
            return Ok(Arc::clone(known));
        }
        let (as_child, _) = self.source.joins_of(trace)?;
        let spans = self.source.spans(trace)?;
        let sections = if as_child.is_empty() { Sections::whole() } else { Sections::new(&spans, &as_child) };
        let base = Arc::new(Base { spans, sections });
        self.bridges.base.insert(trace, Arc::clone(&base));
        Ok(base)
    }

    /// Events that a trace published, by context, or whose ids its spans name.
    pub(super) fn near(&mut self, trace: TraceId) -> Result<Arc<Vec<EventRow>>, S::Error> {
        if let Some(known) = self.bridges.near.get(&trace) {
            return Ok(Arc::clone(known));
        }
        let base = self.base(trace)?;
        let mut rows = self.source.events_of_traces(&[trace])?;
        let named: BTreeSet<(String, String)> = base
            .spans
            .iter()
            .filter_map(|s| message_of(s).map(|(topic, id)| (topic.name().to_owned(), id.to_owned())))
            .collect();
        if !named.is_empty() {
            let named: Vec<(String, String)> = named.into_iter().collect();
            rows.extend(self.source.events_with_ids(&named)?);
        }
        rows.sort_by_key(|r| r.row);
        rows.dedup_by_key(|r| r.row);
        let rows = Arc::new(rows);
        self.bridges.near.insert(trace, Arc::clone(&rows));
        Ok(rows)
    }

    /// Spans of a trace at which an event stands: the one it was published in, else those that name it.
    pub(super) fn places_in(&mut self, trace: TraceId, row: &EventRow) -> Result<BTreeSet<SpanId>, S::Error> {
        if let Some(context) = context_in(row, trace) {
            return Ok(BTreeSet::from([context.span_id]));
        }
        let base = self.base(trace)?;
        let Some(id) = row.message.event_id.as_deref() else { return Ok(BTreeSet::new()) };
        let topic = row.message.topic();
        Ok(base.spans.iter().filter(|s| names(s, topic.body(), id)).map(|s| s.span_id).collect())
    }

    /// Traces in which an event stands.
    pub(super) fn traces_of(&mut self, row: &EventRow) -> Result<BTreeSet<TraceId>, S::Error> {
        let contexts = [row.message.hop, row.message.origin].into_iter().flatten();
        let mut out: BTreeSet<TraceId> = contexts.map(|c| c.trace_id).collect();
        if let Some(id) = row.message.event_id.as_deref() {
            out.extend(self.source.traces_with_message(row.message.topic().body(), id)?);
        }
        Ok(out)
    }

    /// Correlation ids of a trace, of its spans and its messages, with where it carries each.
    fn carriers(&mut self, trace: TraceId) -> Result<Arc<BTreeMap<String, Carriers>>, S::Error> {
        if let Some(known) = self.bridges.carriers.get(&trace) {
            return Ok(Arc::clone(known));
        }
        let mut out: BTreeMap<String, Carriers> = BTreeMap::new();
        let base = self.base(trace)?;
        for span in &base.spans {
            for (name, value) in correlation_ids(span).filter(|(name, value)| !self.joining.is_never(name, value)) {
                let at = out.entry(value.to_owned()).or_default();
                at.names.insert(name.to_owned());
                at.spans.insert(span.span_id);
            }
        }
        for row in self.near(trace)?.iter() {
            let Some(value) = row.message.correlation_id.as_deref().filter(|v| tells_apart(v)) else { continue };
            if !self.joining.is_never(CORRELATION, value) {
                let places = self.places_in(trace, row)?;
                let at = out.entry(value.to_owned()).or_default();
                at.names.insert(CORRELATION.to_owned());
                at.spans.extend(places);
            }
        }
        let out = Arc::new(out);
        self.bridges.carriers.insert(trace, Arc::clone(&out));
        Ok(out)
    }

    /// How many traces a correlation id may join, and how many that carry it are looked at.
    pub(super) fn reach(&self, value: &str) -> (usize, usize) {
        if CORRELATION_KEYS.iter().any(|name| self.joining.is_always(name, value)) {
            return (MEMBERS_MAX, MEMBERS_MAX);
        }
        let limit = self.joining.shared_by as usize;
        (limit, limit.saturating_mul(LOOKED_AT).min(MEMBERS_MAX))
    }

    /// Traces that carry a correlation id, at most `most` and one, and whether these are all: not where more messages carry it
    /// than one journey may have traces.
    pub(super) fn sharing(&mut self, value: &str, most: usize) -> Result<(BTreeSet<TraceId>, bool), S::Error> {
        let id = Carried::Correlation(value);
        let mut out: BTreeSet<TraceId> = self.source.traces_carrying(id, most + 1)?.into_iter().collect();
        if out.len() > most {
            return Ok((out, false));
        }
        let events = self.source.events_carrying(id, MEMBERS_MAX + 1)?;
        for row in &events {
            out.extend(self.traces_of(row)?);
        }
        let all = events.len() <= MEMBERS_MAX && out.len() <= most;
        Ok((out, all))
    }

    /// Whether a correlation id joins nothing, neither with nor without what is `own`: more traces share it than are looked at, or
    /// more publications carry it than one journey may have traces. Looking at each of them with every commit would be all that
    /// the writer does.
    fn is_everywhere(&mut self, value: &str, own: Own) -> Result<bool, S::Error> {
        let id = Carried::Correlation(value);
        let most = MEMBERS_MAX + own.publications;
        let found = self.source.count_carrying(id, most + 1)?;
        if found > most {
            return Ok(true);
        }
        let most = self.reach(value).1 + own.traces;
        Ok(found > most && self.source.count_traces_sending(id, most + 1)? > most)
    }

    /// Traces whose journeys an event without a trace may change by the id it carries; so many publications come with it.
    pub(super) fn sharing_beside(&mut self, value: &str, with: usize) -> Result<Arc<BTreeSet<TraceId>>, S::Error> {
        if let Some(known) = self.bridges.beside.get(value) {
            return Ok(Arc::clone(known));
        }
        let nothing = self.is_everywhere(value, Own { traces: 0, publications: with })?;
        let traces = if nothing { BTreeSet::new() } else { self.sharing(value, self.reach(value).1)?.0 };
        let traces = Arc::new(traces);
        self.bridges.beside.insert(value.to_owned(), Arc::clone(&traces));
        Ok(traces)
    }

    pub(super) fn group(&mut self, value: &str) -> Result<Arc<Group>, S::Error> {
        if let Some(known) = self.bridges.groups.get(value) {
            return Ok(Arc::clone(known));
        }
        let group = if self.is_everywhere(value, Own::default())? {
            Group { traces: BTreeSet::new(), joins: Vec::new(), shared_by: Some(0) }
        } else {
            let (limit, most) = self.reach(value);
            match self.sharing(value, most)? {
                (traces, true) => self.joined(value, limit, traces)?,
                (traces, false) => Group { shared_by: Some(traces.len()), traces, joins: Vec::new() },
            }
        };
        let group = Arc::new(group);
        self.bridges.groups.insert(value.to_owned(), Arc::clone(&group));
        Ok(group)
    }

    fn joined(&mut self, value: &str, limit: usize, traces: BTreeSet<TraceId>) -> Result<Group, S::Error> {
        let mut heads: Vec<(Arc<Base>, TraceId, SpanId, bool)> = Vec::new();
        for trace in &traces {
            let (base, carriers) = (self.base(*trace)?, self.carriers(*trace)?);
            let Some(at) = carriers.get(value) else { continue };
            let causes = self.causes(*trace)?;
            for head in units(&base.spans, &at.spans, carriers.len() == 1) {
                let caused = causes.iter().any(|c| c.child_span == head);
                let open = !caused && base.is_open(head);
                heads.push((Arc::clone(&base), *trace, head, open));
            }
        }
        let open: BTreeSet<TraceId> = heads.iter().filter(|h| h.3).map(|h| h.1).collect();
        if open.len() > limit {
            return Ok(Group { traces, joins: Vec::new(), shared_by: Some(open.len()) });
        }
        let parts: Vec<Part<'_, Arc<SpanFacts>>> = heads
            .iter()
            .map(|(base, trace, head, open)| Part { trace: *trace, head: *head, open: *open, spans: &base.spans })
            .collect();
        let joins = converse(&parts);
        Ok(Group { traces, joins, shared_by: None })
    }

    /// Joins of a trace that no context tells.
    pub(super) fn bridges_of(&mut self, trace: TraceId) -> Result<Vec<TraceJoin>, S::Error> {
        let mut out: BTreeSet<TraceJoin> = self.causes(trace)?.iter().cloned().collect();
        for effect in self.effects(trace)? {
            let causes = self.causes(effect)?;
            out.extend(causes.iter().filter(|c| c.parent_trace == trace).cloned());
        }
        let carriers = self.carriers(trace)?;
        for value in carriers.keys() {
            let group = self.group(value)?;
            out.extend(group.joins.iter().filter(|j| j.parent_trace == trace || j.child_trace == trace).cloned());
        }
        Ok(out.into_iter().collect())
    }

    /// Traces whose joins may change because some others did: those with the same ids, causes and effects.
    pub(crate) fn beside(&mut self, changed: &BTreeSet<TraceId>) -> Result<BTreeSet<TraceId>, S::Error> {
        // By value, the traces that carry it, and how many publications each of their events has.
        let (mut out, mut values) = (BTreeSet::new(), BTreeMap::<String, (usize, BTreeMap<i64, u32>)>::new());
        if !self.source.carries_any()? {
            return Ok(out);
        }
        for trace in changed {
            out.extend(self.causes(*trace)?.iter().map(|c| c.parent_trace));
            out.extend(self.effects(*trace)?);
            for value in self.carriers(*trace)?.keys() {
                values.entry(value.clone()).or_default().0 += 1;
            }
            for row in self.near(*trace)?.iter() {
                out.extend(self.namesakes(row.message.event_id.as_deref())?);
                let own = row.message.correlation_id.as_ref().and_then(|value| values.get_mut(value));
                if let Some((_, events)) = own {
                    events.insert(row.row, row.occurrences);
                }
            }
        }
        for (value, (traces, events)) in values {
            let own = Own { traces, publications: events.values().sum::<u32>() as usize };
            if self.is_everywhere(&value, own)? {
                continue;
            }
            let (group, (_, most)) = (self.group(&value)?, self.reach(&value));
            if !group.traces.is_empty() && group.traces.len() <= most {
                out.extend(group.traces.iter().copied());
                continue;
            }
            // Where too many share it now and few enough do without these, the others come apart (or together).
            let before: BTreeSet<TraceId> =
                self.sharing(&value, most + changed.len())?.0.difference(changed).copied().collect();
            if before.len() <= most {
                out.extend(before);
            }
        }
        Ok(out.difference(changed).copied().collect())
    }

    /// The ids that join parts of a journey without a context, and those that too many share to join anything.
    pub(crate) fn held(&mut self, members: &Members) -> Result<Vec<Held>, S::Error> {
        let mut out = BTreeSet::new();
        if !self.source.carries_any()? {
            return Ok(Vec::new());
        }
        let inside: BTreeSet<TraceId> = members.traces.iter().copied().collect();
        for trace in &members.traces {
            let carriers = self.carriers(*trace)?;
            for (value, at) in carriers.iter() {
                let group = self.group(value)?;
                let joins =
                    group.joins.iter().any(|j| inside.contains(&j.parent_trace) && inside.contains(&j.child_trace));
                let (traces, held_back) = match group.shared_by {
                    Some(0) => (self.sharing(value, self.reach(value).1)?.0.len(), true),
                    Some(traces) => (traces, true),
                    None if joins => (group.traces.len(), false),
                    None => continue,
                };
                let held = |by: &String| Held { by: by.clone(), value: value.clone(), traces, held_back };
                out.extend(at.names.iter().map(held));
            }
        }
        let caused = members.joins.iter().filter(|j| j.how == LinkHow::Causation).count();
        if caused > 0 {
            out.insert(Held { by: CAUSATION.to_owned(), value: String::new(), traces: caused, held_back: false });
        }
        Ok(out.into_iter().collect())
    }
}

//! Which traces, and which sections of them, make one journey; and what the store knows of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use flowglass_journey::{DeliveryFacts, EventFacts, Section, Sections};
use flowglass_model::{NodeId, Role, SpanFacts, SpanId, TraceId, TraceJoin};
use flowglass_store::{EventRow, Reader, StoreError, Tx};
use flowglass_topology::Resolver;

use crate::tx_source::TxSource;

/// Traces of one journey at most; a journey beyond that is cut (its traces are still found one by one).
const MEMBERS_MAX: usize = 1_000;
/// Sections of a trace from which on a change is followed section by section.
const SECTIONS_FEW: usize = 8;
/// How many other traces may hang on one section, or one message handling lead back to, before it counts as a hub: what joins
/// that many tells nothing about any one of them, so journeys end and begin there.
pub(crate) const HUB_DEGREE: usize = 1_000;

/// Joins of a trace: those in which it is the child, those in which it is the parent.
pub(crate) type Joins = (Vec<TraceJoin>, Vec<TraceJoin>);

/// Where traces and their joins are read.
pub(crate) trait Source {
    /// Why they could not be.
    type Error;
    /// Joins of a trace.
    fn joins_of(&mut self, trace: TraceId) -> Result<Joins, Self::Error>;
    /// Spans of a trace.
    fn spans(&mut self, trace: TraceId) -> Result<Vec<Arc<SpanFacts>>, Self::Error>;
    /// Events whose hop or origin lies in one of these traces.
    fn events_of_traces(&mut self, traces: &[TraceId]) -> Result<Vec<EventRow>, Self::Error>;
    /// Events whose hop or origin is one of these spans.
    fn events_of_spans(&mut self, spans: &[(TraceId, SpanId)]) -> Result<Vec<EventRow>, Self::Error>;
    /// Events with one of these destinations and ids.
    fn events_with_ids(&mut self, ids: &[(String, String)]) -> Result<Vec<EventRow>, Self::Error>;
}

impl Source for &Reader {
    type Error = StoreError;

    fn joins_of(&mut self, trace: TraceId) -> Result<Joins, StoreError> {
        Reader::joins_of(self, trace)
    }

    fn spans(&mut self, trace: TraceId) -> Result<Vec<Arc<SpanFacts>>, StoreError> {
        Ok(self.trace_facts(trace)?.into_iter().map(Arc::new).collect())
    }

    fn events_of_traces(&mut self, traces: &[TraceId]) -> Result<Vec<EventRow>, StoreError> {
        Reader::events_of_traces(self, traces)
    }

    fn events_of_spans(&mut self, spans: &[(TraceId, SpanId)]) -> Result<Vec<EventRow>, StoreError> {
        Reader::events_of_spans(self, spans)
    }

    fn events_with_ids(&mut self, ids: &[(String, String)]) -> Result<Vec<EventRow>, StoreError> {
        Reader::events_with_ids(self, ids)
    }
}

/// The running transaction, with the resolver's memory of spans.
pub(crate) struct Writing<'a, 'tx> {
    /// Keeps the facts of young traces.
    pub(crate) resolver: &'a mut Resolver,
    /// The transaction.
    pub(crate) tx: &'a mut Tx<'tx>,
}

impl Source for Writing<'_, '_> {
    type Error = StoreError;

    fn joins_of(&mut self, trace: TraceId) -> Result<Joins, StoreError> {
        self.tx.joins_of(trace)
    }

    fn spans(&mut self, trace: TraceId) -> Result<Vec<Arc<SpanFacts>>, StoreError> {
        Ok(self.resolver.facts(trace, &mut TxSource(self.tx))?.to_vec())
    }

    fn events_of_traces(&mut self, traces: &[TraceId]) -> Result<Vec<EventRow>, StoreError> {
        self.tx.events_of_traces(traces)
    }

    fn events_of_spans(&mut self, spans: &[(TraceId, SpanId)]) -> Result<Vec<EventRow>, StoreError> {
        self.tx.events_of_spans(spans)
    }

    fn events_with_ids(&mut self, ids: &[(String, String)]) -> Result<Vec<EventRow>, StoreError> {
        self.tx.events_with_ids(ids)
    }
}

/// A trace with its joins and sections.
pub(crate) struct Woven {
    spans: Vec<Arc<SpanFacts>>,
    sections: Sections,
    /// Joins in which it is the child, by handler.
    above: BTreeMap<SpanId, Vec<TraceJoin>>,
    /// Joins in which it is the parent, by section.
    below: BTreeMap<Section, Vec<TraceJoin>>,
    /// Numbers of the spans of each section, the fetch of its message included. Empty where nothing was cut.
    parts: BTreeMap<Section, Vec<usize>>,
    /// Sections with more traces below or above them than a hub may have.
    hubs: BTreeSet<Section>,
}

impl Woven {
    fn new(spans: Vec<Arc<SpanFacts>>, (as_child, as_parent): Joins) -> Woven {
        let whole = as_child.is_empty();
        let sections = if whole { Sections::whole() } else { Sections::new(&spans, &as_child) };
        let mut above: BTreeMap<SpanId, Vec<TraceJoin>> = BTreeMap::new();
        as_child.into_iter().for_each(|j| above.entry(j.child_span).or_default().push(j));
        let mut below: BTreeMap<Section, Vec<TraceJoin>> = BTreeMap::new();
        as_parent.into_iter().for_each(|j| below.entry(sections.of(j.parent_span)).or_default().push(j));
        let mut parts: BTreeMap<Section, Vec<usize>> = BTreeMap::new();
        for (i, span) in spans.iter().enumerate().filter(|_| !whole) {
            let fetched = sections.fetched_by(span.span_id).iter().map(|head| Section::Below(*head));
            let of: BTreeSet<Section> = fetched.chain([sections.of(span.span_id)]).collect();
            of.into_iter().for_each(|section| parts.entry(section).or_default().push(i));
        }
        let many = |traces: &mut dyn Iterator<Item = TraceId>| traces.collect::<BTreeSet<_>>().len() > HUB_DEGREE;
        let long = |joins: &[TraceJoin]| joins.len() > HUB_DEGREE;
        let heads = above.iter().filter(|(_, j)| long(j) && many(&mut j.iter().map(|j| j.parent_trace)));
        let wide = below.iter().filter(|(_, j)| long(j) && many(&mut j.iter().map(|j| j.child_trace)));
        let hubs = heads.map(|(head, _)| Section::Below(*head)).chain(wide.map(|(section, _)| *section)).collect();
        Woven { spans, sections, above, below, parts, hubs }
    }

    fn is_joined(&self) -> bool {
        !self.above.is_empty() || !self.below.is_empty()
    }

    /// Whether a journey begins with what no message from elsewhere set going: not with the mere loop around handlers.
    fn alone(&self) -> bool {
        self.spans.is_empty() || self.sections.stands_alone() || !self.below(Section::Own).is_empty()
    }

    fn hub(&self, section: Section) -> bool {
        self.hubs.contains(&section)
    }

    fn below(&self, section: Section) -> &[TraceJoin] {
        self.below.get(&section).map(Vec::as_slice).unwrap_or_default()
    }

    fn above(&self, section: Section) -> &[TraceJoin] {
        let Section::Below(head) = section else { return &[] };
        self.above.get(&head).map(Vec::as_slice).unwrap_or_default()
    }

    /// Spans of some sections, each once.
    fn part(&self, sections: &BTreeSet<Section>) -> Vec<Arc<SpanFacts>> {
        if self.parts.is_empty() {
            return self.spans.clone();
        }
        let numbers: BTreeSet<usize> = sections.iter().flat_map(|s| self.parts.get(s)).flatten().copied().collect();
        numbers.into_iter().map(|i| Arc::clone(&self.spans[i])).collect()
    }
}

/// Traces as they are joined, read when asked for and kept while the web lives.
pub(crate) struct Web<S> {
    source: S,
    known: BTreeMap<TraceId, Arc<Woven>>,
}

/// A part of a journey.
type Place = (TraceId, Section);

impl<S: Source> Web<S> {
    /// A web over a source.
    pub(crate) fn new(source: S) -> Web<S> {
        Web { source, known: BTreeMap::new() }
    }

    fn get(&mut self, trace: TraceId) -> Result<Arc<Woven>, S::Error> {
        if let Some(known) = self.known.get(&trace) {
            return Ok(Arc::clone(known));
        }
        let joins = self.source.joins_of(trace)?;
        let woven = Arc::new(Woven::new(self.source.spans(trace)?, joins));
        self.known.insert(trace, Arc::clone(&woven));
        Ok(woven)
    }

    /// The journeys that a change of some spans of a trace concerns: the traces they start with. `changed` may name spans that
    /// are not there. When the trace is not among them, no journey of its name may stay.
    pub(crate) fn concerned(
        &mut self,
        trace: TraceId,
        changed: &BTreeSet<SpanId>,
    ) -> Result<BTreeSet<TraceId>, S::Error> {
        let woven = self.get(trace)?;
        let mut roots = BTreeSet::new();
        if !woven.is_joined() {
            roots.insert(trace);
            return Ok(roots);
        }
        let all = woven.sections.all();
        let sections: BTreeSet<Section> = if all.len() <= SECTIONS_FEW {
            all
        } else {
            let fetched = changed.iter().flat_map(|s| woven.sections.fetched_by(*s)).map(|h| Section::Below(*h));
            changed.iter().map(|s| woven.sections.of(*s)).chain(fetched).collect()
        };
        if !self.beginnings(trace)?.is_empty() {
            roots.insert(trace);
        }
        for section in sections {
            self.roots((trace, section), &mut roots)?;
            // What it belonged to before the message was known.
            if let Some(around) = woven.sections.around(section) {
                self.roots((trace, around), &mut roots)?;
            }
            for join in woven.above(section) {
                if self.get(join.parent_trace)?.spans.is_empty() {
                    roots.insert(join.parent_trace);
                }
            }
        }
        // A request around a handler keeps it only until the sender is known.
        for join in woven.below.values().flatten().filter(|j| changed.contains(&j.parent_span)) {
            let around = self.get(join.child_trace)?.sections.around(Section::Below(join.child_span));
            if let Some(around) = around {
                self.roots((join.child_trace, around), &mut roots)?;
            }
        }
        if !woven.hubs.is_empty() {
            // Beyond a hub each trace is on its own.
            let children: BTreeSet<TraceId> = woven.below.values().flatten().map(|j| j.child_trace).collect();
            for child in children {
                for section in self.get(child)?.sections.all() {
                    self.roots((child, section), &mut roots)?;
                }
            }
        }
        Ok(roots)
    }

    /// All journeys that a trace is part of: the traces they start with.
    pub(crate) fn journeys_of(&mut self, trace: TraceId) -> Result<BTreeSet<TraceId>, S::Error> {
        let mut roots = BTreeSet::new();
        if !self.beginnings(trace)?.is_empty() {
            roots.insert(trace);
        }
        for section in self.get(trace)?.sections.all() {
            self.roots((trace, section), &mut roots)?;
        }
        Ok(roots)
    }

    /// Traces to which messages of a trace went.
    pub(crate) fn below(&mut self, trace: TraceId) -> Result<BTreeSet<TraceId>, S::Error> {
        Ok(self.get(trace)?.below.values().flatten().map(|j| j.child_trace).collect())
    }

    /// Events of what belongs to a journey: told by context, else by the message ids that its spans name.
    pub(crate) fn events(&mut self, members: &Members) -> Result<Vec<EventRow>, S::Error> {
        let is_partial = |t: &TraceId| members.partial.binary_search(t).is_ok();
        let whole: Vec<TraceId> = members.traces.iter().copied().filter(|t| !is_partial(t)).collect();
        let mut rows = self.source.events_of_traces(&whole)?;
        if !members.partial.is_empty() {
            let parts = members.spans.iter().filter(|s| is_partial(&s.trace_id));
            let spans: Vec<(TraceId, SpanId)> = parts.map(|s| (s.trace_id, s.span_id)).collect();
            rows.extend(self.source.events_of_spans(&spans)?);
        }
        let known: BTreeSet<(String, String)> =
            rows.iter().filter_map(|r| Some((r.message.destination.clone(), r.message.event_id.clone()?))).collect();
        let named = members.spans.iter().filter_map(|s| message_of(s));
        let ids: BTreeSet<(String, String)> = named.map(|(t, id)| (t.name().to_owned(), id.to_owned())).collect();
        let unknown: Vec<(String, String)> = ids.difference(&known).cloned().collect();
        if !unknown.is_empty() {
            // Brokers may have equal subjects, and ids that are unique in each of them only.
            let named: BTreeSet<(&str, &str)> = members
                .spans
                .iter()
                .filter_map(|s| message_of(s))
                .map(|(t, id)| (t.system().unwrap_or_default(), id))
                .collect();
            let found = self.source.events_with_ids(&unknown)?.into_iter();
            let ours = |r: &EventRow| {
                r.message.event_id.as_deref().is_some_and(|id| named.contains(&(r.message.system.as_str(), id)))
            };
            rows.extend(found.filter(ours));
        }
        rows.sort_by_key(|r| (r.message.time, r.row));
        rows.dedup_by_key(|r| r.row);
        Ok(rows)
    }

    /// Sections of a trace with which a journey of its name begins: what no message from elsewhere set going.
    fn beginnings(&mut self, trace: TraceId) -> Result<Vec<Section>, S::Error> {
        let woven = self.get(trace)?;
        if woven.spans.is_empty() || woven.above.is_empty() {
            return Ok(vec![Section::Own]);
        }
        let mut out = Vec::new();
        for section in woven.sections.all() {
            let begins = match section {
                Section::Own => woven.alone(),
                Section::Below(_) => self.senders((trace, section))?.is_empty(),
            };
            if begins {
                out.push(section);
            }
        }
        Ok(out)
    }

    /// Where the message of a section came from. Hubs do not count: too many meet there.
    fn senders(&mut self, (trace, section): Place) -> Result<Vec<Place>, S::Error> {
        let woven = self.get(trace)?;
        if section == Section::Own || woven.hub(section) {
            return Ok(Vec::new());
        }
        let (mut out, mut stored) = (Vec::new(), false);
        for join in woven.above(section) {
            let parent = self.get(join.parent_trace)?;
            stored |= !parent.spans.is_empty();
            let place = parent.sections.of(join.parent_span);
            if !parent.hub(place) {
                out.push((join.parent_trace, place));
            }
        }
        if !stored
            && woven.alone()
            && let Some(around) = woven.sections.around(section)
        {
            // Nobody has seen any of the senders, but the request around the handler is here.
            return Ok(vec![(trace, around)]);
        }
        out.sort_unstable();
        out.dedup();
        Ok(out)
    }

    /// Adds the traces that a place's journeys start with.
    fn roots(&mut self, place: Place, roots: &mut BTreeSet<TraceId>) -> Result<(), S::Error> {
        let mut seen = BTreeSet::from([place]);
        let mut open = vec![place];
        let mut found = false;
        while let Some(current) = open.pop() {
            let senders = self.senders(current)?;
            if senders.is_empty() {
                found = true;
                if current.1 != Section::Own || self.get(current.0)?.alone() {
                    roots.insert(current.0);
                }
            }
            open.extend(senders.into_iter().filter(|p| seen.insert(*p)));
        }
        if !found {
            // Traces that answer each other in a circle: the smallest id stands for all of them, whatever arrived first.
            roots.extend(seen.first().map(|(trace, _)| *trace));
        }
        Ok(())
    }

    /// What belongs to the journey that starts with a trace.
    pub(crate) fn members(&mut self, root: TraceId) -> Result<Members, S::Error> {
        let woven = self.get(root)?;
        if !woven.is_joined() {
            let (traces, spans) = (vec![root], woven.spans.clone());
            return Ok(Members { traces, spans, joins: Vec::new(), partial: Vec::new(), cut: false, hubs: 0 });
        }
        let mut begin = self.beginnings(root)?;
        if begin.is_empty() {
            begin.extend(woven.sections.all());
        }
        let mut walk = Walk { places: BTreeMap::new(), order: Vec::new(), open: Vec::new(), cut: false };
        begin.into_iter().for_each(|section| walk.enter((root, section)));
        let (mut next, mut hubs) = (0, 0);
        while next < walk.open.len() {
            let here @ (trace, section) = walk.open[next];
            next += 1;
            let woven = self.get(trace)?;
            for inner in woven.sections.around_by(section) {
                if self.senders((trace, inner))? == [here] {
                    walk.enter((trace, inner));
                }
            }
            if woven.hub(section) {
                hubs += 1;
                continue;
            }
            for join in woven.below(section) {
                let child = (join.child_trace, Section::Below(join.child_span));
                if self.senders(child)?.contains(&here) {
                    walk.enter(child);
                }
            }
        }
        self.gather(walk.order, &walk.places, walk.cut, hubs)
    }

    fn gather(
        &mut self,
        traces: Vec<TraceId>,
        places: &BTreeMap<TraceId, BTreeSet<Section>>,
        cut: bool,
        hubs: usize,
    ) -> Result<Members, S::Error> {
        let (mut spans, mut joins, mut partial) = (Vec::new(), BTreeSet::new(), Vec::new());
        for trace in &traces {
            let woven = self.get(*trace)?;
            let sections = &places[trace];
            let part = woven.part(sections);
            if part.len() < woven.spans.len() {
                partial.push(*trace);
            }
            spans.extend(part);
            for section in sections {
                joins.extend(woven.above(*section).iter().chain(woven.below(*section)).cloned());
            }
        }
        partial.sort_unstable();
        Ok(Members { traces, joins: joins.into_iter().collect(), spans, partial, cut, hubs })
    }
}

/// Whether a span sends or handles a message: topic without environment, and message id.
pub(crate) fn names(span: &SpanFacts, topic: &str, id: &str) -> bool {
    message_of(span).is_some_and(|(t, m)| t.body() == topic && m == id)
}

/// Topic and id of the message that a span sends or handles.
fn message_of(span: &SpanFacts) -> Option<(&NodeId, &str)> {
    match &span.role {
        Role::Send { topic, message_id, .. }
        | Role::Receive { topic, message_id, .. }
        | Role::Process { topic, message_id, .. } => Some((topic, message_id.as_deref()?)),
        _ => None,
    }
}

impl Members {
    /// What people have to know of what was left out, in words.
    pub(crate) fn limits(&self) -> Vec<String> {
        let mut out = Vec::new();
        if self.hubs > 0 {
            out.push(format!("more than {HUB_DEGREE} traces hang on this one: each has a journey of its own"));
        }
        if self.cut {
            out.push(format!("only the first {MEMBERS_MAX} traces are shown"));
        }
        out
    }
}

/// Places being collected.
struct Walk {
    places: BTreeMap<TraceId, BTreeSet<Section>>,
    order: Vec<TraceId>,
    open: Vec<Place>,
    cut: bool,
}

impl Walk {
    fn enter(&mut self, place: Place) {
        if !self.places.contains_key(&place.0) {
            if self.order.len() >= MEMBERS_MAX {
                self.cut = true;
                return;
            }
            self.order.push(place.0);
        }
        if self.places.entry(place.0).or_default().insert(place.1) {
            self.open.push(place);
        }
    }
}

/// What belongs to a journey.
pub(crate) struct Members {
    /// Root first, then in the order found.
    pub(crate) traces: Vec<TraceId>,
    /// All joins of what belongs.
    pub(crate) joins: Vec<TraceJoin>,
    /// Spans of the sections that belong.
    pub(crate) spans: Vec<Arc<SpanFacts>>,
    /// Traces of which only a part belongs, sorted.
    pub(crate) partial: Vec<TraceId>,
    /// Whether there were more traces than one journey may have.
    pub(crate) cut: bool,
    /// Sections at which the journey ends because too many others meet there.
    pub(crate) hubs: usize,
}

/// Whether a destination's name says that it keeps messages nobody could process (Enterprise Integration Patterns: dead letter
/// channel).
pub(crate) fn is_dead_letter(destination: &str) -> bool {
    destination
        .split(|c: char| !c.is_ascii_alphanumeric())
        .map(str::to_ascii_lowercase)
        .any(|t| matches!(t.as_str(), "dlq" | "dlt" | "deadletter" | "deadletters" | "dead"))
}

/// Events and deliveries in the form that stitching wants.
pub(crate) fn event_facts(rows: &[EventRow]) -> (Vec<EventFacts>, Vec<DeliveryFacts>) {
    let mut events = Vec::with_capacity(rows.len());
    let mut deliveries = Vec::new();
    for row in rows {
        let m = &row.message;
        deliveries.extend(row.handed.iter().map(|(d, said)| DeliveryFacts {
            event: row.row,
            consumer: d.key.consumer.clone(),
            consumer_sequence: d.key.consumer_sequence,
            delivered: d.delivered,
            time: d.time,
            acknowledgement: said.as_ref().map(|s| s.acknowledgement),
        }));
        events.push(EventFacts {
            row: row.row,
            topic: m.topic(),
            name: m.destination.clone(),
            dead_lettered: row.dead_lettered || is_dead_letter(&m.destination),
            event_id: m.event_id.clone(),
            source: m.source.clone(),
            time: m.time,
            hop: m.hop,
            origin: m.origin,
            stream: m.stream.clone(),
            sequence: m.sequence,
            occurrences: row.occurrences,
            keys: m.keys.clone(),
        });
    }
    (events, deliveries)
}

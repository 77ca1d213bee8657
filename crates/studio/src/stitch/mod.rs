//! Which traces, and which sections of them, make one journey; and what the store knows of them.

mod bridges;
mod causes;
mod loose;
mod members;
mod source;
mod woven;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use flowglass_journey::Section;
use flowglass_model::{JoinsConfig, SpanId, TraceId};
use flowglass_store::EventRow;

use bridges::Bridges;
use members::message_of;
use woven::Woven;

pub(crate) use bridges::Held;
pub(crate) use members::{Members, is_dead_letter, names};
pub(crate) use source::{Source, Writing};
pub(crate) use woven::{SPAN, place_of};

/// Traces of one journey at most; a journey beyond that is cut (its traces are still found one by one).
const MEMBERS_MAX: usize = 1_000;
/// Sections of a trace from which on a change is followed section by section.
const SECTIONS_FEW: usize = 8;
/// Traces as they are joined, read when asked for and kept while the web lives.
pub(crate) struct Web<S> {
    source: S,
    joining: Arc<JoinsConfig>,
    known: BTreeMap<TraceId, Arc<Woven>>,
    bridges: Bridges,
}

/// A part of a journey.
type Place = (TraceId, Section);

impl<S: Source> Web<S> {
    /// A web over a source, joined as the settings say.
    pub(crate) fn new(source: S, joining: Arc<JoinsConfig>) -> Web<S> {
        Web { source, joining, known: BTreeMap::new(), bridges: Bridges::default() }
    }

    fn get(&mut self, trace: TraceId) -> Result<Arc<Woven>, S::Error> {
        if let Some(known) = self.known.get(&trace) {
            return Ok(Arc::clone(known));
        }
        let (mut as_child, mut as_parent) = self.source.joins_of(trace)?;
        if self.source.carries_any()? {
            for join in self.bridges_of(trace)? {
                if join.child_trace == trace { as_child.push(join) } else { as_parent.push(join) }
            }
        }
        let woven = Arc::new(Woven::new(self.source.spans(trace)?, (as_child, as_parent), &self.joining));
        self.known.insert(trace, Arc::clone(&woven));
        Ok(woven)
    }

    /// All spans of a trace.
    pub(crate) fn all_of(&mut self, trace: TraceId) -> Result<BTreeSet<SpanId>, S::Error> {
        Ok(self.get(trace)?.spans.iter().map(|s| s.span_id).collect())
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

    /// Whether nothing can join a trace to others: told without reading its spans.
    pub(crate) fn is_by_itself(&mut self, trace: TraceId) -> Result<bool, S::Error> {
        if self.known.contains_key(&trace) || self.source.carries_any()? {
            return Ok(false);
        }
        let (as_child, as_parent) = self.source.joins_of(trace)?;
        Ok(as_child.is_empty() && as_parent.is_empty())
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
        self.add_carried(members, &mut rows)?;
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
            return Ok(Members { traces, spans, joins: Vec::new(), partial: Vec::new(), cut: false, hubs: Vec::new() });
        }
        let mut begin = self.beginnings(root)?;
        if begin.is_empty() {
            begin.extend(woven.sections.all());
        }
        let mut walk = Walk { places: BTreeMap::new(), order: Vec::new(), open: Vec::new(), cut: false };
        begin.into_iter().for_each(|section| walk.enter((root, section)));
        let (mut next, mut hubs) = (0, Vec::new());
        while next < walk.open.len() {
            let here @ (trace, section) = walk.open[next];
            next += 1;
            let woven = self.get(trace)?;
            for inner in woven.sections.around_by(section) {
                if self.senders((trace, inner))? == [here] {
                    walk.enter((trace, inner));
                }
            }
            if let Some(traces) = woven.hubs.get(&section) {
                hubs.push((place_of(trace, section), *traces));
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
        hubs: Vec<(String, usize)>,
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

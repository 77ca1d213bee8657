//! A trace with its joins, cut into sections.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use flowglass_journey::{Section, Sections};
use flowglass_model::{JoinsConfig, SpanFacts, SpanId, TraceId, TraceJoin};

use super::source::Joins;

/// The name under which settings speak of a span at which many traces meet.
pub(crate) const SPAN: &str = "span";

/// How settings name a section: its trace, and the span it hangs on.
pub(crate) fn place_of(trace: TraceId, section: Section) -> String {
    match section {
        Section::Own => format!("{trace}/own"),
        Section::Below(head) => format!("{trace}/{head}"),
    }
}

/// A trace with its joins and sections.
pub(super) struct Woven {
    pub(super) spans: Vec<Arc<SpanFacts>>,
    pub(super) sections: Sections,
    /// Joins in which it is the child, by handler.
    pub(super) above: BTreeMap<SpanId, Vec<TraceJoin>>,
    /// Joins in which it is the parent, by section.
    pub(super) below: BTreeMap<Section, Vec<TraceJoin>>,
    /// Numbers of the spans of each section, the fetch of its message included. Empty where nothing was cut.
    pub(super) parts: BTreeMap<Section, Vec<usize>>,
    /// Sections with more traces below or above them than may meet there, with their number.
    pub(super) hubs: BTreeMap<Section, usize>,
}

impl Woven {
    /// Weaves a trace. Where too many meet is as the settings say.
    pub(super) fn new(spans: Vec<Arc<SpanFacts>>, (as_child, as_parent): Joins, joining: &JoinsConfig) -> Woven {
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
        let mut hubs = BTreeMap::new();
        let mut judge = |section: Section, joins: &[TraceJoin], other: fn(&TraceJoin) -> TraceId| {
            let Some(trace) = spans.first().map(|s| s.trace_id) else { return };
            let limit = joining.traces_per_span as usize;
            let decided = !(joining.never.is_empty() && joining.always.is_empty());
            if joins.len() <= limit && !decided {
                return;
            }
            let traces = joins.iter().map(other).collect::<BTreeSet<_>>().len();
            let place = place_of(trace, section);
            let never = joining.is_never(SPAN, &place);
            if never || (traces > limit && !joining.is_always(SPAN, &place)) {
                hubs.insert(section, traces);
            }
        };
        above.iter().for_each(|(head, joins)| judge(Section::Below(*head), joins, |j| j.parent_trace));
        below.iter().for_each(|(section, joins)| judge(*section, joins, |j| j.child_trace));
        Woven { spans, sections, above, below, parts, hubs }
    }

    pub(super) fn is_joined(&self) -> bool {
        !self.above.is_empty() || !self.below.is_empty()
    }

    /// Whether a journey begins with what no message from elsewhere set going: not with the mere loop around handlers.
    pub(super) fn alone(&self) -> bool {
        self.spans.is_empty() || self.sections.stands_alone() || !self.below(Section::Own).is_empty()
    }

    pub(super) fn hub(&self, section: Section) -> bool {
        self.hubs.contains_key(&section)
    }

    pub(super) fn below(&self, section: Section) -> &[TraceJoin] {
        self.below.get(&section).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn above(&self, section: Section) -> &[TraceJoin] {
        let Section::Below(head) = section else { return &[] };
        self.above.get(&head).map(Vec::as_slice).unwrap_or_default()
    }

    /// Spans of some sections, each once.
    pub(super) fn part(&self, sections: &BTreeSet<Section>) -> Vec<Arc<SpanFacts>> {
        if self.parts.is_empty() {
            return self.spans.clone();
        }
        let numbers: BTreeSet<usize> = sections.iter().flat_map(|s| self.parts.get(s)).flatten().copied().collect();
        numbers.into_iter().map(|i| Arc::clone(&self.spans[i])).collect()
    }
}

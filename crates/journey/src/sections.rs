//! A trace cut into sections at the spans that handle messages from other traces.
//!
//! A batch consumer, a polling loop or a trace that lives for hours handles messages of many journeys in one trace. Journeys
//! are therefore followed from section to section: what stands below a handler belongs to the journeys of its message, what
//! stands below no handler to the trace itself.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::{Role, SpanFacts, SpanId, TraceJoin};

use crate::index::Index;

/// Which part of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// What stands below no handler of a message from another trace.
    Own,
    /// A handler of such a message, with what stands below it.
    Below(SpanId),
}

/// A trace in sections.
#[derive(Debug, Clone, Default)]
pub struct Sections {
    /// Section of each span id.
    of: BTreeMap<SpanId, Section>,
    /// Handlers, with the section around each.
    around: BTreeMap<SpanId, Section>,
    /// The same from the other side.
    inside: BTreeMap<Section, Vec<SpanId>>,
    /// Handlers by the fetch right above them.
    fetched: BTreeMap<SpanId, Vec<SpanId>>,
    /// Where spans that were never seen are taken to stand.
    unseen: Option<Section>,
    stands_alone: bool,
}

impl Sections {
    /// A trace that handles no messages of others.
    pub fn whole() -> Sections {
        Sections { stands_alone: true, ..Sections::default() }
    }

    /// Cuts a trace. `joins` are those in which it is the child. O(n log n).
    pub fn new<S: Borrow<SpanFacts>>(spans: &[S], joins: &[TraceJoin]) -> Sections {
        let index = Index::new(spans);
        let named: BTreeSet<SpanId> = joins.iter().map(|j| j.child_span).collect();
        let heads: BTreeSet<usize> =
            named.iter().filter_map(|id| index.find_handler(index.spans.first()?.trace_id, *id)).collect();
        let above = above(&index, &heads);
        let tops: Vec<usize> = heads.iter().copied().filter(|h| index.parent[*h].is_none()).collect();
        // A trace that one message set going belongs to it with all that has lost its place.
        let unseen = match (heads.len(), tops.as_slice()) {
            (1, [top]) => Section::Below(index.spans[*top].span_id),
            _ => Section::Own,
        };
        let section = |head: Option<usize>, lost: bool| match head {
            Some(h) => Section::Below(index.spans[h].span_id),
            None if lost => unseen,
            None => Section::Own,
        };
        let mut out = Sections { unseen: Some(unseen), ..Sections::default() };
        for (i, span) in index.spans.iter().enumerate() {
            let (head, top) = above[i];
            // Lost: what it hangs below was named and never seen.
            let lost = index.parent_missing(top);
            let of = section(head, lost);
            out.of.insert(span.span_id, of);
            let Some(parent) = index.parent[i].filter(|_| heads.contains(&i)) else { continue };
            let around = section(above[parent].0, index.parent_missing(above[parent].1));
            if matches!(index.spans[parent].role, Role::Receive { .. }) {
                out.fetched.entry(index.spans[parent].span_id).or_default().push(span.span_id);
            } else {
                out.around.insert(span.span_id, around);
                out.inside.entry(around).or_default().push(span.span_id);
            }
        }
        let own = |i: usize| out.of.get(&index.spans[i].span_id) == Some(&Section::Own);
        out.stands_alone = heads.is_empty() || (0..index.spans.len()).any(|i| own(i) && is_entry(index.spans[i]));
        out
    }

    /// The section of a span; spans that are not here stand where those do that have lost their parent.
    pub fn of(&self, span: SpanId) -> Section {
        self.of.get(&span).copied().or(self.unseen).unwrap_or(Section::Own)
    }

    /// The section that a handler's own service wraps around it, if any: a request that fetched the message, a loop that polls.
    pub fn around(&self, section: Section) -> Option<Section> {
        let Section::Below(head) = section else { return None };
        self.around.get(&head).copied()
    }

    /// The sections that this one is wrapped around.
    pub fn around_by(&self, section: Section) -> Vec<Section> {
        self.inside.get(&section).into_iter().flatten().map(|head| Section::Below(*head)).collect()
    }

    /// Handlers of messages that this span fetched.
    pub fn fetched_by(&self, span: SpanId) -> &[SpanId] {
        self.fetched.get(&span).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a journey begins here: a request or publication of its own, not only the loop around handlers of others'
    /// messages.
    pub fn stands_alone(&self) -> bool {
        self.stands_alone
    }

    /// All sections.
    pub fn all(&self) -> BTreeSet<Section> {
        if self.of.is_empty() {
            return BTreeSet::from([Section::Own]);
        }
        self.of.values().copied().collect()
    }
}

/// Whether work begins with the span, and not with a message.
fn is_entry(span: &SpanFacts) -> bool {
    matches!(span.role, Role::Server { .. } | Role::Client { .. } | Role::Access { .. } | Role::Send { .. })
}

/// For each span the nearest head at or above it, and the topmost span reached on the way.
fn above(index: &Index<'_>, heads: &BTreeSet<usize>) -> Vec<(Option<usize>, usize)> {
    let mut known: Vec<Option<(Option<usize>, usize)>> = vec![None; index.spans.len()];
    for start in 0..index.spans.len() {
        let (mut way, mut at) = (Vec::new(), start);
        let answer = loop {
            if let Some(answer) = known[at] {
                break answer;
            }
            way.push(at);
            // A ring of parents (broken input) ends at its first member.
            known[at] = Some((None, at));
            if heads.contains(&at) {
                break (Some(at), at);
            }
            match index.parent[at] {
                Some(parent) => at = parent,
                None => break (None, at),
            }
        };
        way.into_iter().for_each(|i| known[i] = Some(answer));
    }
    known.into_iter().enumerate().map(|(i, k)| k.unwrap_or((None, i))).collect()
}

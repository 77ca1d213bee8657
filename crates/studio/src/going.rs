//! What goes with some journeys when they are deleted or expire, and what has to be told anew without it.

use std::collections::BTreeSet;
use std::sync::Arc;

use flowglass_model::{JoinsConfig, Message, TraceId, TraceJoin};
use flowglass_store::{StoreError, Tx};
use flowglass_topology::Resolver;

use crate::stitch::{Source, Web, Writing};
use crate::touched::Touched;
use crate::tx_source::TxSource;

/// What belongs to some journeys and to no other.
pub(crate) struct Going {
    /// Traces, in order.
    pub(crate) traces: Vec<TraceId>,
    /// Rows of events.
    pub(crate) events: Vec<i64>,
    /// All publications of these events.
    pub(crate) messages: Vec<Message>,
    own: BTreeSet<TraceId>,
    /// Traces that stay and were told with them.
    beside: BTreeSet<TraceId>,
}

impl Going {
    pub(crate) fn of(
        journeys: &[TraceId],
        resolver: &mut Resolver,
        tx: &mut Tx<'_>,
        joining: &Arc<JoinsConfig>,
    ) -> Result<Going, StoreError> {
        let mut web = Web::new(Writing { resolver, tx }, Arc::clone(joining));
        let (own, mut beside) = traces_below(journeys, &mut web)?;
        beside.extend(web.beside(&own)?);
        drop(web);
        let events = tx.events_only_of(&own)?;
        let messages = tx.publications_of(&events)?;
        Ok(Going { traces: own.iter().copied().collect(), events, messages, own, beside })
    }

    /// Traces that stay and are to be told anew: those beside it, and those at an end of joins that change.
    pub(crate) fn left<'j>(self, joins: impl Iterator<Item = &'j TraceJoin>) -> BTreeSet<TraceId> {
        let ends = joins.flat_map(|j| [j.parent_trace, j.child_trace]);
        ends.chain(self.beside).filter(|trace| !self.own.contains(trace)).collect()
    }
}

/// The traces below some journeys, sorted by whether they belong to no other journey, and those that do.
pub(crate) fn traces_below<S: Source>(
    journeys: &[TraceId],
    web: &mut Web<S>,
) -> Result<(BTreeSet<TraceId>, BTreeSet<TraceId>), S::Error> {
    let wanted: BTreeSet<TraceId> = journeys.iter().copied().collect();
    let mut seen = wanted.clone();
    let mut open = journeys.to_vec();
    let (mut own, mut shared) = (BTreeSet::new(), BTreeSet::new());
    while let Some(trace) = open.pop() {
        if web.is_by_itself(trace)? {
            own.insert(trace);
            continue;
        }
        open.extend(web.below(trace)?.into_iter().filter(|child| seen.insert(*child)));
    }
    for trace in seen {
        if own.contains(&trace) {
            continue;
        }
        let alone = web.journeys_of(trace)?.is_subset(&wanted);
        (if alone { &mut own } else { &mut shared }).insert(trace);
    }
    Ok((own, shared))
}

/// Traces with all of their spans.
pub(crate) fn all_of(
    resolver: &mut Resolver,
    tx: &mut Tx<'_>,
    traces: BTreeSet<TraceId>,
) -> Result<Touched, StoreError> {
    let mut out = Touched::new();
    for trace in traces {
        let facts = resolver.facts(trace, &mut TxSource(tx))?;
        out.insert(trace, facts.iter().map(|f| f.span_id).collect());
    }
    Ok(out)
}

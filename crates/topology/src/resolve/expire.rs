//! Letting go of spans whose figures stay.
//!
//! What counted once is *closed*: it is neither counted again when its spans come again, nor taken back when something around it
//! changes or is deleted. Closed are all spans of the traces that go, up to the end of each, and those spans that stay whose
//! contribution looked at one that went. So every open span is counted exactly as the facts around it say, which is all that
//! [`Resolver::add`] and [`Resolver::retract`] rely on.

use std::collections::{BTreeMap, BTreeSet};

use flowglass_model::{Message, Nanos, SpanFacts, TraceId, TraceJoin};
use rustc_hash::FxHashMap;

use super::changes::Changes;
use super::contribution::{Contribution, contribute};
use super::gather::Gatherer;
use super::publications::{self, Group};
use super::retract::{groups, keyed, only_in};
use super::world::{At, Relations, World};
use super::{FactSource, Resolver, affected};

/// Which figures are closed, of the traces in hand.
#[derive(Default)]
pub(super) struct Closed(FxHashMap<TraceId, Nanos>);

impl Closed {
    /// Asks for each of some traces, neighbours that are equal once.
    pub(super) fn of<S: FactSource>(traces: impl Iterator<Item = TraceId>, source: &mut S) -> Result<Closed, S::Error> {
        let (mut out, mut last) = (FxHashMap::default(), None);
        for trace in traces {
            if last.replace(trace) != Some(trace)
                && let Some(until) = source.closed_until(trace)?
            {
                out.insert(trace, until);
            }
        }
        Ok(Closed(out))
    }

    /// Whether the figures of a span are closed.
    pub(super) fn holds(&self, facts: &SpanFacts) -> bool {
        !self.0.is_empty() && self.0.get(&facts.trace_id).is_some_and(|until| facts.start <= *until)
    }

    /// Adds what a span contributes: only its joins, if its figures are closed.
    pub(super) fn contribute(&self, world: World<'_>, at: At, out: &mut Contribution<'_>) {
        if self.holds(world.span(at)) {
            out.uncounted(|out| contribute(world, at, out));
        } else {
            contribute(world, at, out);
        }
    }
}

/// What is under way between [`Resolver::expire`] and [`Resolver::expired`].
pub struct Expiry {
    out: Expired,
    groups: BTreeSet<Group>,
    traces: Vec<TraceId>,
}

/// What letting go changes, figures aside: those stay.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Expired {
    /// Joins that nothing tells of any more.
    pub lost: Vec<TraceJoin>,
    /// Joins that are told of only now.
    pub gained: Vec<TraceJoin>,
    /// Traces with the instant up to which their figures are closed; to be kept for [`FactSource::closed_until`].
    pub closed: Vec<(TraceId, Nanos)>,
}

impl Resolver {
    /// First half, while the store still has the traces and publications that go. As with [`Resolver::retract`], traces go as a
    /// whole, and after an error [`Resolver::forget_all`] is due.
    pub fn expire<S: FactSource>(
        &mut self,
        traces: &[TraceId],
        messages: &[&Message],
        source: &mut S,
    ) -> Result<Expiry, S::Error> {
        let (mut gone, mut closed): (Vec<At>, BTreeMap<TraceId, Nanos>) = Default::default();
        for trace in traces {
            let spans = self.cache.unsettle(*trace, source)?;
            gone.extend((0..spans).map(|i| (*trace, i)));
        }
        let mut relations = Relations::default();
        let mut gatherer = Gatherer::new(&mut self.cache, &mut relations, source, &[]);
        let affected = affected(&mut gatherer, &gone)?;
        // Figures stay: what the groups take back at once goes nowhere.
        let groups = groups(&mut gatherer, &gone, &affected, messages, &mut Changes::default())?;

        let with = World { cache: &self.cache, relations: &relations, before: false };
        let without = World { before: true, ..with };
        let stays: Vec<At> = affected.iter().copied().filter(|at| without.sees(*at)).collect();
        let mut nothing = Changes::default();
        let mut joins = |world: World<'_>, spans: &[At]| {
            let mut told = Contribution::new(&mut nothing, 0);
            spans.iter().for_each(|at| contribute(world, *at, &mut told));
            keyed(told.joins)
        };
        let (then, now) = (joins(with, &affected), joins(without, &stays));
        let mut close = |trace: TraceId, until: Nanos| {
            let known = closed.entry(trace).or_insert(until);
            *known = (*known).max(until);
        };
        gone.iter().for_each(|at| close(at.0, with.span(*at).end.max(with.span(*at).start)));
        stays.iter().for_each(|at| close(at.0, with.span(*at).start));
        let out =
            Expired { lost: only_in(&then, &now), gained: only_in(&now, &then), closed: closed.into_iter().collect() };
        Ok(Expiry { out, groups, traces: traces.to_vec() })
    }

    /// Second half, after the store let go of spans and publications (in the same transaction).
    pub fn expired<S: FactSource>(&mut self, expiry: Expiry, source: &mut S) -> Result<Expired, S::Error> {
        let Expiry { out, groups, traces } = expiry;
        for trace in traces {
            self.cache.forget(trace);
            publications::wait_no_more(source, trace)?;
        }
        let mut relations = Relations::default();
        let mut gatherer = Gatherer::new(&mut self.cache, &mut relations, source, &[]);
        publications::close(&mut gatherer, &groups)?;
        Ok(out)
    }
}

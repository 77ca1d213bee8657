//! Requests told in full: which ones are worth it, and what happened to them.
//!
//! A replication is played twice with the same chances: first to see which requests are worth telling, then to tell those. Where
//! nothing is told, the engine only looks at one option.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::*;
use crate::keyed::mix;
use crate::model::FailureKind;
use crate::tally::Terminal;

/// Which requests of a workload are worth telling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// So many of the slowest.
    pub(crate) slowest: usize,
    /// So many of each terminal state.
    pub(crate) of_each_fate: usize,
    /// So many chosen by chance.
    pub(crate) random: usize,
}

/// Why a request is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Why {
    Slowest,
    Fate,
    Random,
}

/// Not settled when the simulation ended; terminal states are numbered below.
const OPEN: usize = usize::MAX;

/// Requests of one workload that are worth telling, as far as has been seen.
#[derive(Debug, Clone, Default)]
struct Picked {
    /// By time until settled, with the number.
    slowest: BTreeSet<(Time, u64)>,
    fates: BTreeMap<usize, Vec<u64>>,
    /// By a hash of their key.
    random: BTreeSet<(u64, u64)>,
}

/// What is a span here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SpanOf {
    /// A participant at work: routine, and which delivery of a message it handles (0 for calls).
    Handling { routine: u32, delivery: u32 },
    /// An attempt of a call, with its number.
    Attempt { call: u32, attempt: u32 },
    /// A message on a line.
    Message { line: u32 },
}

/// How a span ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Still going on when the simulation ended.
    Open,
    Fine,
    Failed,
    Refused,
    TimedOut,
    /// Lost with its process in an outage.
    Lost,
    /// A message: given up, thrown away, or lost.
    Dead,
    Gone,
}

/// A piece of a told request.
#[derive(Debug, Clone)]
pub(crate) struct ToldSpan {
    pub(crate) of: SpanOf,
    /// Index of the span that caused it.
    pub(crate) parent: Option<usize>,
    /// When it was there, and when a worker took it (the same for all but handlings).
    pub(crate) arrived: Time,
    pub(crate) begun: Time,
    pub(crate) ended: Time,
    pub(crate) ending: Ending,
}

/// A request told in full.
#[derive(Debug, Clone)]
pub(crate) struct ToldRequest {
    pub(crate) source: u32,
    pub(crate) number: u64,
    pub(crate) why: Why,
    pub(crate) key: u64,
    pub(crate) arrived: Time,
    pub(crate) answered: Option<Time>,
    pub(crate) settled: Option<Time>,
    pub(crate) fate: Option<Terminal>,
    /// Indices of its spans.
    pub(crate) spans: Vec<usize>,
}

/// What is told of a replication.
#[derive(Debug, Default)]
pub(crate) struct Told {
    looking_for: Option<Wanted>,
    picked: Vec<Picked>,
    /// Numbers to tell, by workload.
    wanted: Vec<BTreeMap<u64, Why>>,
    pub(crate) requests: Vec<ToldRequest>,
    pub(crate) spans: Vec<ToldSpan>,
    /// Where what is under way stands in the lists above.
    of_request: HashMap<u32, usize>,
    of_handling: HashMap<u32, usize>,
    of_call: HashMap<u32, usize>,
    of_message: HashMap<u32, usize>,
}

/// Plays a replication twice and tells what was wanted of it.
pub(crate) fn tell(program: &Program, setup: Setup, wanted: Wanted, cancel: &AtomicBool) -> Result<Told, Stopped> {
    let first =
        Told { looking_for: Some(wanted), picked: vec![Picked::default(); program.sources.len()], ..Told::default() };
    let seen = play(program, setup, first, cancel)?;
    let second = Told { wanted: seen.picked.into_iter().map(|p| p.numbers()).collect(), ..Told::default() };
    play(program, setup, second, cancel)
}

fn play(program: &Program, setup: Setup, told: Told, cancel: &AtomicBool) -> Result<Told, Stopped> {
    let mut sim = Sim::new(program, setup);
    sim.told = Some(Box::new(told));
    sim.begin();
    sim.run(cancel)?;
    sim.pick_open();
    Ok(sim.told.take().map(|told| *told).unwrap_or_default())
}

impl Picked {
    fn note(&mut self, wanted: Wanted, number: u64, key: u64, took: Time, fate: Terminal) {
        let keep = |all: &mut BTreeSet<(u64, u64)>, entry, most: usize, drop_first: bool| {
            all.insert(entry);
            if all.len() > most {
                let _ = if drop_first { all.pop_first() } else { all.pop_last() };
            }
        };
        keep(&mut self.slowest, (took, number), wanted.slowest, true);
        keep(&mut self.random, (mix(key ^ 0x7e11), number), wanted.random, false);
        let fates = self.fates.entry(fate as usize).or_default();
        if fates.len() < wanted.of_each_fate {
            fates.push(number);
        }
    }

    fn numbers(self) -> BTreeMap<u64, Why> {
        let mut all = BTreeMap::new();
        // What tells most comes last and stays.
        all.extend(self.random.into_iter().map(|r| (r.1, Why::Random)));
        all.extend(self.fates.into_values().flatten().map(|n| (n, Why::Fate)));
        all.extend(self.slowest.into_iter().map(|s| (s.1, Why::Slowest)));
        all
    }
}

impl Told {
    fn open(&mut self, request: u32, span: ToldSpan) -> Option<usize> {
        let owner = *self.of_request.get(&request)?;
        self.spans.push(span);
        self.requests[owner].spans.push(self.spans.len() - 1);
        Some(self.spans.len() - 1)
    }

    fn close(&mut self, span: Option<usize>, now: Time, ending: Ending) {
        if let Some(span) = span.and_then(|i| self.spans.get_mut(i)) {
            span.ended = now;
            span.ending = ending;
        }
    }
}

impl Sim<'_> {
    pub(super) fn tell_request(&mut self, request: u32) {
        let Some(told) = &mut self.told else { return };
        let r = &self.requests[request];
        let Some(why) = told.wanted.get(r.source as usize).and_then(|w| w.get(&r.number)) else { return };
        told.of_request.insert(request, told.requests.len());
        told.requests.push(ToldRequest {
            source: r.source,
            number: r.number,
            why: *why,
            key: r.key,
            arrived: self.now,
            answered: None,
            settled: None,
            fate: None,
            spans: Vec::new(),
        });
    }

    /// A worker takes a handling.
    pub(super) fn tell_start(&mut self, handling: u32) {
        let Some(told) = &mut self.told else { return };
        let h = &self.handlings[handling];
        let (parent, delivery) = match h.waiter {
            Waiter::Root => (None, 0),
            Waiter::Call { call, .. } => (told.of_call.get(&call).copied(), 0),
            Waiter::Copies { first, delivery } => (told.of_message.get(&self.copies[first].message).copied(), delivery),
        };
        let of = SpanOf::Handling { routine: h.routine, delivery };
        let (arrived, begun) = (h.arrived, self.now);
        let span = ToldSpan { of, parent, arrived, begun, ended: begun, ending: Ending::Open };
        if let Some(span) = told.open(h.request, span) {
            told.of_handling.insert(handling, span);
        }
    }

    pub(super) fn tell_end(&mut self, handling: u32, ending: Ending) {
        let Some(told) = &mut self.told else { return };
        let span = told.of_handling.remove(&handling);
        told.close(span, self.now, ending);
    }

    pub(super) fn tell_attempt(&mut self, call: u32) {
        let Some(told) = &mut self.told else { return };
        let c = &self.calls[call];
        let parent = told.of_handling.get(&c.handling).copied();
        let of = SpanOf::Attempt { call: c.spec, attempt: c.attempt };
        let now = self.now;
        let span = ToldSpan { of, parent, arrived: now, begun: now, ended: now, ending: Ending::Open };
        if let Some(span) = told.open(self.handlings[c.handling].request, span) {
            told.of_call.insert(call, span);
        }
    }

    pub(super) fn tell_outcome(&mut self, call: u32, ok: bool, kind: FailureKind) {
        let Some(told) = &mut self.told else { return };
        let ending = match (ok, kind) {
            (true, _) => Ending::Fine,
            (false, FailureKind::Timeout) => Ending::TimedOut,
            (false, FailureKind::Refused) => Ending::Refused,
            (false, FailureKind::Error) => Ending::Failed,
        };
        let span = told.of_call.remove(&call);
        told.close(span, self.now, ending);
    }

    pub(super) fn tell_message(&mut self, handling: u32, message: u32) {
        let Some(told) = &mut self.told else { return };
        let m = &self.messages[message];
        let parent = told.of_handling.get(&handling).copied();
        let of = SpanOf::Message { line: m.line };
        let now = self.now;
        let span = ToldSpan { of, parent, arrived: now, begun: now, ended: now, ending: Ending::Fine };
        if let Some(span) = told.open(m.request, span) {
            told.of_message.insert(message, span);
        }
    }

    /// A message is over: its place will belong to another one.
    pub(super) fn tell_forgotten(&mut self, message: u32) {
        if let Some(told) = &mut self.told {
            told.of_message.remove(&message);
        }
    }

    /// A copy came to a bad end.
    pub(super) fn tell_copy(&mut self, message: u32, ending: Ending) {
        let Some(told) = &mut self.told else { return };
        if let Some(span) = told.of_message.get(&message) {
            told.spans[*span].ending = ending;
        }
    }

    pub(super) fn tell_answer(&mut self, request: u32) {
        let Some(told) = &mut self.told else { return };
        if let Some(owner) = told.of_request.get(&request) {
            told.requests[*owner].answered = Some(self.now);
        }
    }

    /// What is still under way when the simulation ends is a fate, too.
    fn pick_open(&mut self) {
        let Some(told) = &mut self.told else { return };
        let Some(wanted) = told.looking_for else { return };
        for request in self.requests.places().filter(|r| r.flags & flag::COHORT != 0) {
            let Some(picked) = told.picked.get_mut(request.source as usize) else { continue };
            let open = picked.fates.entry(OPEN).or_default();
            open.push(request.number);
            open.sort_unstable();
            open.truncate(wanted.of_each_fate);
        }
    }

    pub(super) fn tell_settled(&mut self, request: u32, fate: Terminal) {
        let Some(told) = &mut self.told else { return };
        let r = &self.requests[request];
        if let (Some(wanted), Some(picked)) = (told.looking_for, told.picked.get_mut(r.source as usize)) {
            picked.note(wanted, r.number, r.key, self.now - r.arrived, fate);
        }
        if let Some(owner) = told.of_request.remove(&request) {
            told.requests[owner].settled = Some(self.now);
            told.requests[owner].fate = Some(fate);
        }
    }
}

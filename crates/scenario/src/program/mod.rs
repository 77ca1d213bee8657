//! A variant made ready to run: names become indices, steps become instructions, distributions become samplers.

mod compile;
mod steps;

use crate::dist::Sampler;
use crate::model::{
    Arrivals, Breakdowns, Breaker, Channel, Design, Discipline, Do, Hold, Outage, Retry, Step, Time, Variant,
};

/// "None" for indices.
pub(crate) const NONE: u32 = u32::MAX;

/// A variant, ready to run.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) places: Vec<Place>,
    pub(crate) routines: Vec<Routine>,
    pub(crate) code: Vec<Instruction>,
    pub(crate) calls: Vec<CallSpec>,
    pub(crate) publications: Vec<PublicationSpec>,
    pub(crate) choices: Vec<ChoiceSpec>,
    pub(crate) thinks: Vec<(Sampler, u64)>,
    pub(crate) effects: Vec<Effect>,
    pub(crate) lines: Vec<Line>,
    pub(crate) groups: Vec<GroupSpec>,
    pub(crate) sources: Vec<SourceSpec>,
    /// Distinct constant delays; timers of one delay expire in the order they were started.
    pub(crate) delays: Vec<Time>,
    pub(crate) breakers: Vec<Breaker>,
    pub(crate) budgets: Vec<f64>,
    pub(crate) bulkheads: Vec<u32>,
    /// How many classes of priority there are.
    pub(crate) classes: usize,
}

/// A participant. What every event looks at comes first: with many participants each line of the cache counts.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Place {
    pub(crate) lanes: u32,
    /// Its first one among those of all participants.
    pub(crate) first_lane: u32,
    /// Workers of each lane; `NONE` is unlimited.
    pub(crate) servers: u32,
    pub(crate) waiting: u32,
    pub(crate) max_in_flight: u32,
    pub(crate) discipline: Discipline,
    pub(crate) hold: Hold,
    /// Whether it can be in trouble at all.
    pub(crate) fallible: bool,
    pub(crate) drop_expired: bool,
    pub(crate) fails: f64,
    pub(crate) poison: f64,
    pub(crate) key: u64,
    pub(crate) network: Sampler,
    /// Groups whose messages it handles.
    pub(crate) groups: Vec<u32>,
    pub(crate) outages: Vec<Outage>,
    pub(crate) breakdowns: Option<Box<Troubles>>,
    pub(crate) outbox: Option<Sampler>,
    pub(crate) dual_write: f64,
    pub(crate) name: String,
}

/// Random outages.
#[derive(Debug)]
pub(crate) struct Troubles {
    pub(crate) up: Sampler,
    pub(crate) down: Sampler,
    pub(crate) spec: Breakdowns,
}

impl Troubles {
    fn new(spec: &Breakdowns) -> Troubles {
        Troubles { up: Sampler::new(&spec.up), down: Sampler::new(&spec.down), spec: spec.clone() }
    }
}

/// An operation.
#[derive(Debug)]
pub(crate) struct Routine {
    pub(crate) name: String,
    pub(crate) place: u32,
    pub(crate) work: Sampler,
    /// First instruction; `NONE` where the work is all.
    pub(crate) entry: u32,
    pub(crate) reply_early: bool,
}

/// One instruction of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Instruction {
    /// Call and wait.
    Call(u32),
    /// Publish and wait for the broker.
    Publish(u32),
    /// Wait for the reply to the message of a publication.
    Await(u32),
    /// Begin this many branches; branch `i` starts where the `i`th following `Jump` leads.
    Fork(u32),
    /// A branch is over.
    Join,
    /// Take one of the branches of a choice.
    Choose(u32),
    /// Go on elsewhere.
    Jump(u32),
    /// Let time pass.
    Think(u32),
    /// The operation is over.
    End,
}

/// A choice: the branch whose share covers the draw is taken.
#[derive(Debug)]
pub(crate) struct ChoiceSpec {
    pub(crate) key: u64,
    /// Shares and first instructions; the last one takes what is left.
    pub(crate) branches: Vec<(f64, u32)>,
}

/// A call, or the wait for a reply over events.
#[derive(Debug)]
pub(crate) struct CallSpec {
    pub(crate) routine: u32,
    pub(crate) place: u32,
    pub(crate) key: u64,
    pub(crate) timeout: Option<Time>,
    pub(crate) timer: u32,
    pub(crate) retry: Retry,
    pub(crate) breaker: u32,
    pub(crate) budget: u32,
    pub(crate) bulkhead: u32,
    pub(crate) survives: bool,
    pub(crate) cache: f64,
    /// One way, where it is not that of the place.
    pub(crate) network: Option<Sampler>,
    pub(crate) priority: Option<u32>,
    pub(crate) compensate: u32,
    pub(crate) effect: u32,
    /// For replies over events: the publication and the group that answers.
    pub(crate) publication: u32,
    pub(crate) group: u32,
}

/// A publication.
#[derive(Debug)]
pub(crate) struct PublicationSpec {
    pub(crate) line: u32,
    pub(crate) key: u64,
    /// Place of the publisher.
    pub(crate) place: u32,
    pub(crate) retry: Retry,
    pub(crate) survives: bool,
    /// Largest payload of the steps that share it, bytes.
    pub(crate) size: u64,
    /// Whether somebody waits for what becomes of it.
    pub(crate) awaited: bool,
}

/// What a step brings about.
#[derive(Debug)]
pub(crate) struct Effect {
    /// Hash of the step's id.
    pub(crate) step: u64,
    /// Changes or tells something (anything but a read).
    pub(crate) changes: bool,
    pub(crate) within: Option<Time>,
    pub(crate) idempotent: bool,
}

/// A channel.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) key: u64,
    pub(crate) publish: Sampler,
    pub(crate) deliver: Sampler,
    pub(crate) spec: Channel,
    pub(crate) groups: Vec<u32>,
    pub(crate) ack_timer: u32,
    pub(crate) age_timer: u32,
    pub(crate) breakdowns: Option<Troubles>,
    pub(crate) outbox: Option<Sampler>,
}

/// A consumer group of a channel.
#[derive(Debug)]
pub(crate) struct GroupSpec {
    pub(crate) line: u32,
    pub(crate) routine: u32,
    pub(crate) place: u32,
    pub(crate) effect: u32,
    pub(crate) key: u64,
    pub(crate) priority: Option<u32>,
}

/// A workload.
#[derive(Debug)]
pub(crate) struct SourceSpec {
    pub(crate) name: String,
    pub(crate) key: u64,
    pub(crate) routine: u32,
    pub(crate) arrivals: Arrivals,
    pub(crate) samplers: Vec<Sampler>,
    pub(crate) until: Option<Time>,
    pub(crate) patience_timer: u32,
    pub(crate) class: u32,
    /// Hash of the id of the step that must succeed first; 0 where the operation itself is it.
    pub(crate) primary: u64,
}

impl Program {
    /// Compiles a variant of a checked scenario.
    pub(crate) fn new(design: &Design, variant: &Variant) -> Program {
        compile::Compiler::new(design, variant).finish()
    }
}

/// `web` of `web.place-order`.
pub(crate) fn participant_of(operation: &str) -> &str {
    operation.split_once('.').map_or(operation, |(participant, _)| participant)
}

/// Visits every `do` below some steps, in order.
pub(crate) fn each_do<'a>(steps: &'a [Step], visit: &mut dyn FnMut(&'a Do)) {
    for step in steps {
        match step {
            Step::Do(step) => visit(step),
            Step::Parallel(steps) | Step::Repeat { steps, .. } => each_do(steps, visit),
            Step::Choose(choices) => choices.iter().for_each(|c| each_do(&c.steps, visit)),
            Step::Think { .. } => {}
        }
    }
}

/// Visits every `do` below some steps, in order, to change it.
pub(crate) fn each_do_mut(steps: &mut [Step], visit: &mut dyn FnMut(&mut Do)) {
    for step in steps {
        match step {
            Step::Do(step) => visit(step),
            Step::Parallel(steps) | Step::Repeat { steps, .. } => each_do_mut(steps, visit),
            Step::Choose(choices) => choices.iter_mut().for_each(|c| each_do_mut(&mut c.steps, visit)),
            Step::Think { .. } => {}
        }
    }
}

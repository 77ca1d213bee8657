//! A variant made ready to run: names become indices, steps become instructions, distributions become samplers.

use std::collections::BTreeMap;

use crate::dist::Sampler;
use crate::keyed;
use crate::model::{
    Arrivals, Breaker, Breakdowns, Channel, Design, Discipline, Do, Hold, Intent, Needs, Outage, QueuePer, Retry, Step,
    Time, Variant,
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

/// A participant.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) key: u64,
    pub(crate) lanes: u32,
    /// Workers of each lane; `NONE` is unlimited.
    pub(crate) servers: u32,
    pub(crate) waiting: u32,
    pub(crate) discipline: Discipline,
    pub(crate) drop_expired: bool,
    pub(crate) fails: f64,
    pub(crate) poison: f64,
    pub(crate) outages: Vec<Outage>,
    pub(crate) breakdowns: Option<Troubles>,
    pub(crate) hold: Hold,
    pub(crate) max_in_flight: u32,
    pub(crate) network: Sampler,
    pub(crate) outbox: Option<Sampler>,
    pub(crate) dual_write: f64,
    /// Groups whose messages it handles.
    pub(crate) groups: Vec<u32>,
    /// Whether it can be in trouble at all.
    pub(crate) fallible: bool,
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
    pub(crate) patience: Option<Time>,
    pub(crate) patience_timer: u32,
    pub(crate) class: u32,
    /// Hash of the id of the step that must succeed first; 0 where the operation itself is it.
    pub(crate) primary: u64,
}

impl Program {
    /// Compiles a variant of a checked scenario.
    pub(crate) fn new(design: &Design, variant: &Variant) -> Program {
        Compiler::new(design, variant).finish()
    }
}

struct Compiler<'a> {
    design: &'a Design,
    variant: &'a Variant,
    priorities: Vec<u32>,
    places: BTreeMap<&'a str, u32>,
    routines: BTreeMap<&'a str, u32>,
    lines: BTreeMap<&'a str, u32>,
    out: Program,
}

/// Publications already made on the way to an instruction: channel and repetition.
type Published = BTreeMap<(u32, u32), u32>;

impl<'a> Compiler<'a> {
    fn new(design: &'a Design, variant: &'a Variant) -> Compiler<'a> {
        let mut priorities: Vec<u32> = design.workloads.iter().map(|w| w.priority).collect();
        for operation in design.operations.values() {
            each_do(&operation.steps, &mut |step| priorities.extend(step.priority));
        }
        priorities.sort_unstable();
        priorities.dedup();
        let index = |(i, name): (usize, &'a String)| (name.as_str(), i as u32);
        Compiler {
            design,
            variant,
            places: design.participants.keys().enumerate().map(index).collect(),
            routines: design.operations.keys().enumerate().map(index).collect(),
            lines: design.channels.keys().enumerate().map(index).collect(),
            out: Program {
                places: Vec::new(),
                routines: Vec::new(),
                code: Vec::new(),
                calls: Vec::new(),
                publications: Vec::new(),
                choices: Vec::new(),
                thinks: Vec::new(),
                effects: Vec::new(),
                lines: Vec::new(),
                groups: Vec::new(),
                sources: Vec::new(),
                delays: Vec::new(),
                breakers: Vec::new(),
                budgets: Vec::new(),
                bulkheads: Vec::new(),
                classes: priorities.len().max(1),
            },
            priorities,
        }
    }

    fn finish(mut self) -> Program {
        self.add_places();
        self.add_lines();
        for (name, operation) in &self.design.operations {
            let place = self.places[participant_of(name)];
            let work = Sampler::new(&operation.work);
            self.out.routines.push(Routine { name: name.clone(), place, work, entry: NONE, reply_early: operation.reply_early });
        }
        self.add_groups();
        for (index, operation) in self.design.operations.values().enumerate() {
            if operation.steps.is_empty() {
                continue;
            }
            self.out.routines[index].entry = self.out.code.len() as u32;
            let mut published = Published::new();
            self.steps(index as u32, &operation.steps, &mut published, 0);
            self.out.code.push(Instruction::End);
        }
        self.add_sources();
        self.out
    }

    fn add_places(&mut self) {
        for (name, p) in &self.design.participants {
            let lanes = if p.queue_per == QueuePer::Replica { p.replicas.max(1) } else { 1 };
            let servers = match (p.workers, p.queue_per) {
                (None, _) => NONE,
                (Some(w), QueuePer::Replica) => w,
                (Some(w), QueuePer::Participant) => w.saturating_mul(p.replicas).min(NONE - 1),
            };
            self.out.places.push(Place {
                name: name.clone(),
                key: keyed::name(name),
                lanes,
                servers,
                waiting: p.queue.unwrap_or(NONE),
                discipline: p.discipline,
                drop_expired: p.drop_expired,
                fails: p.fails,
                poison: p.poison,
                outages: p.outages.clone(),
                breakdowns: p.breakdowns.as_ref().map(Troubles::new),
                hold: p.hold,
                max_in_flight: p.max_in_flight.unwrap_or(NONE),
                network: Sampler::new(&p.network),
                outbox: p.outbox.as_ref().map(Sampler::new),
                dual_write: p.dual_write,
                groups: Vec::new(),
                fallible: !p.outages.is_empty() || p.breakdowns.is_some(),
            });
        }
    }

    fn add_lines(&mut self) {
        for (name, channel) in &self.design.channels {
            let ack_timer = self.timer(channel.ack_wait);
            let age_timer = channel.max_age.map_or(NONE, |age| self.timer(age));
            self.out.lines.push(Line {
                name: name.clone(),
                key: keyed::name(name),
                publish: Sampler::new(&channel.publish),
                deliver: Sampler::new(&channel.deliver),
                spec: channel.clone(),
                groups: Vec::new(),
                ack_timer,
                age_timer,
                breakdowns: channel.broker.breakdowns.as_ref().map(Troubles::new),
                outbox: channel.outbox.as_ref().map(Sampler::new),
            });
        }
    }

    /// Every operation that a step on the channel asks for is a group of its own, in the order of operations and steps.
    fn add_groups(&mut self) {
        let design = self.design;
        for operation in design.operations.values() {
            each_do(&operation.steps, &mut |step| {
                let Some(channel) = self.variant.events.get(&step.id) else { return };
                let (line, routine) = (self.lines[channel.as_str()], self.routines[step.operation.as_str()]);
                if self.group(line, routine).is_some() {
                    return;
                }
                let effect = self.effect(step);
                let place = self.out.routines[routine as usize].place;
                let index = self.out.groups.len() as u32;
                let priority = step.priority.map(|p| self.class(p));
                self.out.groups.push(GroupSpec { line, routine, place, effect, key: keyed::name(&step.id), priority });
                self.out.lines[line as usize].groups.push(index);
                self.out.places[place as usize].groups.push(index);
            });
        }
    }

    fn add_sources(&mut self) {
        for w in &self.design.workloads {
            let samplers = match &w.arrivals {
                Arrivals::Renewal(gap) => vec![Sampler::new(gap)],
                Arrivals::Users { think, .. } => vec![Sampler::new(think)],
                Arrivals::OnOff { busy, idle, .. } => vec![Sampler::new(busy), Sampler::new(idle)],
                _ => Vec::new(),
            };
            let patience_timer = w.patience.map_or(NONE, |p| self.timer(p));
            let primary = self.primary(&w.to, 0).map_or(0, |id| keyed::name(&id));
            self.out.sources.push(SourceSpec {
                name: w.name.clone(),
                key: keyed::name(&w.name),
                routine: self.routines[w.to.as_str()],
                arrivals: w.arrivals.clone(),
                samplers,
                until: w.until,
                patience: w.patience,
                patience_timer,
                class: self.class(w.priority),
                primary,
            });
        }
    }

    /// The first step below an operation that must succeed and changes something.
    fn primary(&self, operation: &str, depth: u32) -> Option<String> {
        if depth > 64 {
            return None;
        }
        let mut found = None;
        each_do(&self.design.operations.get(operation)?.steps, &mut |step| {
            if found.is_some() {
                return;
            }
            if step.needs == Some(Needs::Success) && step.intent != Some(Intent::Read) {
                found = Some(step.id.clone());
            } else {
                found = self.primary(&step.operation, depth + 1);
            }
        });
        found
    }

    fn group(&self, line: u32, routine: u32) -> Option<u32> {
        let groups = &self.out.lines[line as usize].groups;
        groups.iter().copied().find(|g| self.out.groups[*g as usize].routine == routine)
    }

    fn class(&self, priority: u32) -> u32 {
        self.priorities.binary_search(&priority).unwrap_or(0) as u32
    }

    fn timer(&mut self, delay: Time) -> u32 {
        if let Some(known) = self.out.delays.iter().position(|d| *d == delay) {
            return known as u32;
        }
        self.out.delays.push(delay);
        (self.out.delays.len() - 1) as u32
    }

    fn effect(&mut self, step: &Do) -> u32 {
        self.out.effects.push(Effect {
            step: keyed::name(&step.id),
            changes: step.intent != Some(Intent::Read),
            within: step.within,
            idempotent: step.idempotent == Some(true),
        });
        (self.out.effects.len() - 1) as u32
    }

    fn emit(&mut self, instruction: Instruction) -> usize {
        self.out.code.push(instruction);
        self.out.code.len() - 1
    }

    fn here(&self) -> u32 {
        self.out.code.len() as u32
    }

    fn steps(&mut self, routine: u32, steps: &'a [Step], published: &mut Published, path: u64) {
        for (i, step) in steps.iter().enumerate() {
            let path = keyed::below(path, i as u64 + 1);
            match step {
                Step::Do(step) => {
                    for repetition in 0..step.count {
                        self.step(routine, step, repetition, published);
                    }
                }
                Step::Parallel(branches) => self.fork(routine, branches, published, path),
                Step::Choose(choices) => {
                    let table = self.out.choices.len();
                    let key = keyed::below(path, self.routine_key(routine));
                    self.out.choices.push(ChoiceSpec { key, branches: Vec::new() });
                    self.emit(Instruction::Choose(table as u32));
                    let mut ends = Vec::new();
                    let before = published.clone();
                    let mut on_all: Option<Published> = None;
                    for choice in choices {
                        let entry = self.here();
                        self.out.choices[table].branches.push((choice.share, entry));
                        let mut own = before.clone();
                        self.steps(routine, &choice.steps, &mut own, keyed::below(path, ends.len() as u64 + 1));
                        on_all = Some(match on_all {
                            None => own,
                            Some(all) => all.into_iter().filter(|(k, v)| own.get(k) == Some(v)).collect(),
                        });
                        ends.push(self.emit(Instruction::Jump(0)));
                    }
                    let end = self.here();
                    self.out.choices[table].branches.push((f64::INFINITY, end));
                    for at in ends {
                        self.out.code[at] = Instruction::Jump(end);
                    }
                    *published = on_all.unwrap_or(before);
                }
                Step::Think { time, count } => {
                    for repetition in 0..*count {
                        let key = keyed::below(keyed::below(path, u64::from(repetition)), self.routine_key(routine));
                        self.out.thinks.push((Sampler::new(time), key));
                        let index = self.out.thinks.len() as u32 - 1;
                        self.emit(Instruction::Think(index));
                    }
                }
            }
        }
    }

    fn routine_key(&self, routine: u32) -> u64 {
        keyed::name(&self.out.routines[routine as usize].name)
    }

    fn fork(&mut self, routine: u32, branches: &'a [Step], published: &mut Published, path: u64) {
        let repeated: Vec<&'a Step> = branches.iter().collect();
        self.emit(Instruction::Fork(repeated.len() as u32));
        let first = self.here();
        for _ in &repeated {
            self.emit(Instruction::Jump(0));
        }
        let after = self.emit(Instruction::Jump(0));
        for (i, branch) in repeated.into_iter().enumerate() {
            self.out.code[first as usize + i] = Instruction::Jump(self.here());
            self.steps(routine, std::slice::from_ref(branch), published, keyed::below(path, 1 << 32 | i as u64));
            self.emit(Instruction::Join);
        }
        self.out.code[after] = Instruction::Jump(self.here());
    }

    fn step(&mut self, routine: u32, step: &'a Do, repetition: u32, published: &mut Published) {
        let key = keyed::below(keyed::name(&step.id), u64::from(repetition));
        let Some(channel) = self.variant.events.get(&step.id) else {
            let call = self.call(step, key, NONE, NONE);
            self.emit(Instruction::Call(call));
            return;
        };
        let line = self.lines[channel.as_str()];
        let place = self.out.routines[routine as usize].place;
        let publication = match published.get(&(line, repetition)) {
            Some(known) => {
                // The message is shared: it may only be done without where all who share it can do without.
                self.out.publications[*known as usize].survives &= step.fallback || step.optional;
                *known
            }
            None => {
                self.out.publications.push(PublicationSpec {
                    line,
                    key: u64::from(repetition),
                    place,
                    retry: step.retry.clone(),
                    survives: step.fallback || step.optional,
                });
                let index = self.out.publications.len() as u32 - 1;
                published.insert((line, repetition), index);
                self.emit(Instruction::Publish(index));
                index
            }
        };
        let waits = step.needs.is_none_or(Needs::waits) && !self.variant.accept.contains(&step.id);
        if waits {
            let asked = self.routines[step.operation.as_str()];
            let group = self.group(line, asked).unwrap_or(NONE);
            let call = self.call(step, key, publication, group);
            self.emit(Instruction::Await(call));
        }
    }

    fn call(&mut self, step: &'a Do, key: u64, publication: u32, group: u32) -> u32 {
        let routine = self.routines[step.operation.as_str()];
        let place = self.places[participant_of(&step.operation)];
        let timer = step.timeout.map_or(NONE, |t| self.timer(t));
        let breaker = step.breaker.map_or(NONE, |b| push(&mut self.out.breakers, b));
        let budget = step.retry.budget.map_or(NONE, |b| push(&mut self.out.budgets, b));
        let bulkhead = step.bulkhead.map_or(NONE, |b| push(&mut self.out.bulkheads, b));
        let effect = self.effect(step);
        let compensate = match &step.compensate {
            None => NONE,
            Some(operation) => {
                let routine = self.routines[operation.as_str()];
                let undo = CallSpec {
                    routine,
                    place: self.places[participant_of(operation)],
                    key: keyed::below(key, 0xc0),
                    timeout: None,
                    timer: NONE,
                    retry: Retry::default(),
                    breaker: NONE,
                    budget: NONE,
                    bulkhead: NONE,
                    survives: true,
                    cache: 0.0,
                    priority: None,
                    compensate: NONE,
                    effect: NONE,
                    publication: NONE,
                    group: NONE,
                };
                push(&mut self.out.calls, undo)
            }
        };
        let spec = CallSpec {
            routine,
            place,
            key,
            timeout: step.timeout,
            timer,
            retry: step.retry.clone(),
            breaker,
            budget,
            bulkhead,
            survives: step.fallback || step.optional,
            cache: step.cache.unwrap_or(0.0),
            priority: step.priority.map(|p| self.class(p)),
            compensate,
            effect,
            publication,
            group,
        };
        push(&mut self.out.calls, spec)
    }
}

fn push<T>(all: &mut Vec<T>, one: T) -> u32 {
    all.push(one);
    (all.len() - 1) as u32
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
            Step::Parallel(steps) => each_do(steps, visit),
            Step::Choose(choices) => choices.iter().for_each(|c| each_do(&c.steps, visit)),
            Step::Think { .. } => {}
        }
    }
}

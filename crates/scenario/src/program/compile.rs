//! From names to indices: participants, channels, groups and workloads.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::keyed;
use crate::model::{Intent, Needs, QueuePer};

pub(super) struct Compiler<'a> {
    pub(super) design: &'a Design,
    pub(super) variant: &'a Variant,
    pub(super) priorities: Vec<u32>,
    pub(super) places: BTreeMap<&'a str, u32>,
    pub(super) routines: BTreeMap<&'a str, u32>,
    pub(super) lines: BTreeMap<&'a str, u32>,
    /// Which round of the repeated steps around the current one is compiled.
    pub(super) round: u32,
    pub(super) out: Program,
}

/// What the search for a primary step has before it.
enum Found<'s> {
    Step(&'s str),
    In(&'s str),
}

/// Publications already made on the way to an instruction: channel and repetition.
pub(super) type Published = BTreeMap<(u32, u32), u32>;

impl<'a> Compiler<'a> {
    pub(super) fn new(design: &'a Design, variant: &'a Variant) -> Compiler<'a> {
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
            round: 0,
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

    pub(super) fn finish(mut self) -> Program {
        self.add_places();
        self.add_lines();
        for (name, operation) in &self.design.operations {
            let place = self.places[participant_of(name)];
            let work = Sampler::new(&operation.work);
            self.out.routines.push(Routine {
                name: name.clone(),
                place,
                work,
                entry: NONE,
                reply_early: operation.reply_early,
            });
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
        let mut first_lane = 0;
        for (name, p) in &self.design.participants {
            let lanes = p.lanes();
            let servers = match (p.workers, p.queue_per) {
                (None, _) => NONE,
                (Some(w), QueuePer::Replica) => w,
                (Some(w), QueuePer::Participant) => w.saturating_mul(p.replicas).min(NONE - 1),
            };
            self.out.places.push(Place {
                name: name.clone(),
                key: keyed::name(name),
                lanes,
                first_lane,
                servers,
                waiting: p.queue.unwrap_or(NONE),
                discipline: p.discipline,
                drop_expired: p.drop_expired,
                fails: p.fails,
                poison: p.poison,
                outages: p.outages.clone(),
                breakdowns: p.breakdowns.as_ref().map(Troubles::new).map(Box::new),
                hold: p.hold,
                max_in_flight: p.max_in_flight.unwrap_or(NONE),
                network: Sampler::new(&p.network),
                outbox: p.outbox.as_ref().map(Sampler::new),
                dual_write: p.dual_write,
                groups: Vec::new(),
                fallible: !p.outages.is_empty() || p.breakdowns.is_some(),
            });
            first_lane += lanes;
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
            let primary = self.primary(&w.to).map_or(0, |id| keyed::name(&id));
            self.out.sources.push(SourceSpec {
                name: w.name.clone(),
                key: keyed::name(&w.name),
                routine: self.routines[w.to.as_str()],
                arrivals: w.arrivals.clone(),
                samplers,
                until: w.until,
                patience_timer,
                class: self.class(w.priority),
                primary,
            });
        }
    }

    /// The first step below an operation that must succeed and changes something. Each operation is looked into once.
    fn primary(&self, operation: &str) -> Option<String> {
        let mut seen = BTreeSet::new();
        let mut open = vec![Found::In(operation)];
        while let Some(next) = open.pop() {
            let name = match next {
                Found::Step(id) => return Some(id.to_owned()),
                Found::In(name) => name,
            };
            if !seen.insert(name) {
                continue;
            }
            let mut below = Vec::new();
            each_do(&self.design.operations.get(name)?.steps, &mut |step| {
                let is_it = step.needs == Some(Needs::Success) && step.intent != Some(Intent::Read);
                below.push(if is_it { Found::Step(&step.id) } else { Found::In(&step.operation) });
            });
            open.extend(below.into_iter().rev());
        }
        None
    }

    pub(super) fn group(&self, line: u32, routine: u32) -> Option<u32> {
        let groups = &self.out.lines[line as usize].groups;
        groups.iter().copied().find(|g| self.out.groups[*g as usize].routine == routine)
    }

    pub(super) fn class(&self, priority: u32) -> u32 {
        self.priorities.binary_search(&priority).unwrap_or(0) as u32
    }

    pub(super) fn timer(&mut self, delay: Time) -> u32 {
        if let Some(known) = self.out.delays.iter().position(|d| *d == delay) {
            return known as u32;
        }
        self.out.delays.push(delay);
        (self.out.delays.len() - 1) as u32
    }

    pub(super) fn effect(&mut self, step: &Do) -> u32 {
        self.out.effects.push(Effect {
            step: keyed::name(&step.id),
            changes: step.intent != Some(Intent::Read),
            within: step.within,
            idempotent: step.idempotent == Some(true),
        });
        (self.out.effects.len() - 1) as u32
    }
}

//! From steps to instructions.

use super::compile::{Compiler, Published};
use super::*;
use crate::keyed;
use crate::model::Needs;

impl<'a> Compiler<'a> {
    fn emit(&mut self, instruction: Instruction) -> usize {
        self.out.code.push(instruction);
        self.out.code.len() - 1
    }

    fn here(&self) -> u32 {
        self.out.code.len() as u32
    }

    pub(super) fn steps(&mut self, routine: u32, steps: &'a [Step], published: &mut Published, path: u64) {
        for (i, step) in steps.iter().enumerate() {
            let path = keyed::below(path, i as u64 + 1);
            match step {
                Step::Do(step) => {
                    for repetition in 0..step.count {
                        self.step(routine, step, repetition, published);
                    }
                }
                Step::Parallel(branches) => self.fork(routine, branches, published, path),
                Step::Repeat { steps, count } => {
                    let outer = self.round;
                    for round in 0..*count {
                        self.round = outer.wrapping_mul(*count).wrapping_add(round);
                        self.steps(routine, steps, published, keyed::below(path, 1 << 40 | u64::from(round)));
                    }
                    self.round = outer;
                }
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
        let repetition = self.round.wrapping_mul(step.count).wrapping_add(repetition);
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
                let publication = &mut self.out.publications[*known as usize];
                publication.survives &= step.fallback || step.optional;
                publication.size = publication.size.max(step.size.unwrap_or(0));
                *known
            }
            None => {
                self.out.publications.push(PublicationSpec {
                    line,
                    key: u64::from(repetition),
                    place,
                    retry: step.retry.clone(),
                    survives: step.fallback || step.optional,
                    size: step.size.unwrap_or(0),
                    awaited: false,
                });
                let index = self.out.publications.len() as u32 - 1;
                published.insert((line, repetition), index);
                self.emit(Instruction::Publish(index));
                index
            }
        };
        let waits = step.needs.is_some_and(Needs::waits) && !self.variant.accept.contains(&step.id);
        if waits {
            self.out.publications[publication as usize].awaited = true;
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
                    network: None,
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
            network: step.network.as_ref().map(Sampler::new),
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

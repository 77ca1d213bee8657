//! A participant's program on one request: work, then steps, in strands.

use super::*;
use crate::keyed::{Purpose, below, unit};
use crate::program::{Instruction, NONE};

impl Sim<'_> {
    /// Runs a strand until it waits or is over. The strand's handling has its worker.
    pub(super) fn advance(&mut self, handling: u32, strand: u32) {
        let generation = self.handlings.generation(handling);
        let base = self.running.len();
        self.running.push(strand);
        while self.running.len() > base {
            let Some(next) = self.running.pop() else { break };
            self.run_strand(handling, next);
            if !self.handlings.is(handling, generation) {
                self.running.truncate(base);
                return;
            }
        }
        let place = self.place_of(handling);
        if self.lets_go(place) && self.handlings[handling].phase == Phase::Stepping {
            self.release(handling, place);
        }
    }

    fn pc(&mut self, handling: u32, strand: u32) -> &mut u32 {
        if strand == MAIN { &mut self.handlings[handling].pc } else { &mut self.strands[strand].pc }
    }

    fn run_strand(&mut self, handling: u32, strand: u32) {
        loop {
            let pc = *self.pc(handling, strand);
            match self.program.code[pc as usize] {
                Instruction::Jump(to) => *self.pc(handling, strand) = to,
                Instruction::Choose(choice) => {
                    let spec = &self.program.choices[choice as usize];
                    let mut u = unit(below(self.handlings[handling].key, spec.key), Purpose::Choice);
                    let mut to = pc + 1;
                    for (share, entry) in &spec.branches {
                        to = *entry;
                        if u < *share {
                            break;
                        }
                        u -= share;
                    }
                    *self.pc(handling, strand) = to;
                }
                Instruction::Call(spec) => {
                    *self.pc(handling, strand) = pc + 1;
                    if !self.begin_call(handling, strand, spec) {
                        return;
                    }
                }
                Instruction::Publish(spec) => {
                    *self.pc(handling, strand) = pc + 1;
                    if !self.published_at_once(handling, spec) {
                        return self.begin_publication(handling, strand, spec);
                    }
                }
                Instruction::Await(spec) => {
                    *self.pc(handling, strand) = pc + 1;
                    if !self.begin_await(handling, strand, spec) {
                        return;
                    }
                }
                Instruction::Think(think) => {
                    *self.pc(handling, strand) = pc + 1;
                    return self.begin_think(handling, strand, think);
                }
                Instruction::Fork(branches) => {
                    *self.pc(handling, strand) = pc + 1 + branches;
                    if branches > 0 {
                        return self.fork(handling, strand, pc + 1, branches);
                    }
                }
                Instruction::Join => return self.join(handling, strand),
                Instruction::End => return self.finish_handling(handling, true),
            }
        }
    }

    fn fork(&mut self, handling: u32, parent: u32, first: u32, branches: u32) {
        match parent {
            MAIN => self.handlings[handling].pending = branches,
            strand => self.strands[strand].pending = branches,
        }
        for branch in (0..branches).rev() {
            let next = self.handlings[handling].strands;
            let strand = self.strands.insert(Strand { parent, pc: first + branch, pending: 0, call: NONE, next });
            self.handlings[handling].strands = strand;
            self.running.push(strand);
        }
    }

    /// A branch is over; when it was the last, its parent goes on (or fails, if one of them did).
    fn join(&mut self, handling: u32, strand: u32) {
        let parent = self.strands[strand].parent;
        self.unlink(handling, strand);
        let pending = match parent {
            MAIN => &mut self.handlings[handling].pending,
            strand => &mut self.strands[strand].pending,
        };
        *pending -= 1;
        if *pending > 0 {
            return;
        }
        if !self.handlings[handling].failed {
            self.running.push(parent);
        } else if parent == MAIN {
            self.fail_steps(handling);
        } else {
            self.join(handling, parent);
        }
    }

    fn unlink(&mut self, handling: u32, strand: u32) {
        let after = self.strands[strand].next;
        let mut at = self.handlings[handling].strands;
        if at == strand {
            self.handlings[handling].strands = after;
        } else {
            while self.strands[at].next != strand {
                at = self.strands[at].next;
            }
            self.strands[at].next = after;
        }
        self.strands.remove(strand);
    }

    /// A step of a strand has failed for good.
    pub(super) fn strand_failed(&mut self, handling: u32, strand: u32) {
        self.handlings[handling].failed = true;
        if strand == MAIN {
            return self.fail_steps(handling);
        }
        self.join(handling, strand);
    }

    /// The steps failed: what was done is undone where the design says how, then the caller gets the error.
    pub(super) fn fail_steps(&mut self, handling: u32) {
        self.handlings[handling].failed = true;
        let extras = self.handlings[handling].extras;
        let undo = if extras == NONE { None } else { self.extras[extras].undo.pop() };
        match undo {
            Some(spec) => {
                self.handlings[handling].undoing = true;
                let request = self.handlings[handling].request;
                self.requests[request].flags |= flag::COMPENSATED;
                let cached = self.begin_call(handling, MAIN, spec);
                debug_assert!(!cached, "what undoes is not cached");
            }
            None => self.finish_handling(handling, false),
        }
    }

    fn begin_think(&mut self, handling: u32, strand: u32, think: u32) {
        let (sampler, key) = &self.program.thinks[think as usize];
        let time = sampler.sample(unit(below(self.handlings[handling].key, *key), Purpose::Think));
        let place = self.place_of(handling);
        if strand == MAIN {
            self.release(handling, place);
        }
        let wait = self.calls.insert(Call {
            spec: NONE,
            handling,
            strand,
            attempt: 0,
            reached: self.now,
            wait: 0,
            publishes: false,
            out: false,
            measured: false,
        });
        self.set_call(handling, strand, wait);
        let generation = self.calls.generation(wait);
        self.calendar.at(self.now + time, Kind::ThinkDone, wait, generation);
    }

    pub(super) fn think_done(&mut self, wait: u32, generation: u32) {
        if !self.calls.is(wait, generation) {
            return;
        }
        let (handling, strand) = (self.calls[wait].handling, self.calls[wait].strand);
        self.calls.remove(wait);
        self.set_call(handling, strand, NONE);
        self.resume(handling, strand);
    }

    pub(super) fn set_call(&mut self, handling: u32, strand: u32, call: u32) {
        match strand {
            MAIN => self.handlings[handling].call = call,
            strand => self.strands[strand].call = call,
        }
    }

    pub(super) fn extras_of(&mut self, handling: u32) -> &mut Extras {
        if self.handlings[handling].extras == NONE {
            self.handlings[handling].extras = self.extras.insert(Extras::default());
        }
        let id = self.handlings[handling].extras;
        &mut self.extras[id]
    }

    /// Tells whoever waits, once.
    pub(super) fn reply(&mut self, handling: u32, ok: bool) {
        let h = &mut self.handlings[handling];
        if std::mem::replace(&mut h.replied, true) {
            return;
        }
        let (waiter, request, key) = (h.waiter, h.request, h.key);
        let place = self.place_of(handling);
        match waiter {
            Waiter::Root => {
                let network = &self.program.places[place as usize].network;
                if network.is_zero() {
                    return self.answer(request, ok, false);
                }
                let leg = network.sample(unit(key, Purpose::NetworkBack));
                let generation = self.requests.generation(request);
                self.calendar.at(self.now + leg, Kind::RootReplied, request << 1 | u32::from(ok), generation);
            }
            Waiter::Call { call, generation } => {
                self.reply_to(call, generation, place, key, if ok { calls::OK } else { calls::FAILED });
            }
            Waiter::Copies { .. } => {}
        }
    }

    /// A handling is over.
    pub(super) fn finish_handling(&mut self, handling: u32, ok: bool) {
        let place = self.place_of(handling);
        if self.told.is_some() {
            self.tell_end(handling, if ok { Ending::Fine } else { Ending::Failed });
        }
        if ok {
            self.apply_effect(handling);
        }
        let h = &self.handlings[handling];
        let (request, waiter) = (h.request, h.waiter);
        if h.replied && !ok && h.undoing {
            self.requests[request].flags |= flag::COMPENSATED;
        } else if h.replied && !ok {
            // Answered before the steps, and then they failed: what was promised never happens.
            self.requests[request].flags |= flag::LOST;
        }
        self.reply(handling, ok);
        if let Waiter::Copies { .. } = waiter {
            self.copies_handled(handling, ok);
        }
        self.leave(handling, place);
        self.close_one(request);
    }

    /// Frees all that a handling has.
    pub(super) fn leave(&mut self, handling: u32, place: u32) {
        self.release(handling, place);
        let (lane, seat, extras) = {
            let h = &self.handlings[handling];
            (h.lane as usize, h.seat, h.extras)
        };
        self.lanes[lane].in_flight -= 1;
        let station = &mut self.stations[place as usize];
        if seat != NONE {
            station.seats.swap_remove(seat as usize);
            if let Some(moved) = station.seats.get(seat as usize) {
                self.handlings[*moved].seat = seat;
            }
        }
        if extras != NONE {
            let published = std::mem::take(&mut self.extras[extras]).published;
            self.extras.remove(extras);
            for (_, message) in published {
                self.forget_message(message);
            }
        }
        self.handlings.remove(handling);
    }

    fn apply_effect(&mut self, handling: u32) {
        let h = &self.handlings[handling];
        match h.waiter {
            Waiter::Root => {
                let request = &mut self.requests[h.request];
                if self.program.sources[request.source as usize].primary == 0 {
                    request.flags |= flag::PRIMARY;
                }
            }
            Waiter::Call { .. } if h.effect != NONE => {
                let (request, effect, reached) = (h.request, h.effect, h.reached);
                self.effect(request, effect, reached);
            }
            // Of a batch, each message has an effect of its own.
            _ => {}
        }
    }

    /// An effect of a request is there.
    pub(super) fn effect(&mut self, request: u32, effect: u32, reached: Time) {
        let spec = &self.program.effects[effect as usize];
        let r = &mut self.requests[request];
        if spec.step == self.program.sources[r.source as usize].primary {
            r.flags |= flag::PRIMARY;
        }
        if spec.within.is_some_and(|within| self.now - reached > within) {
            r.flags |= flag::LATE;
        }
        if spec.changes {
            r.flags |= flag::APPLIED;
            r.first_effect = r.first_effect.min(self.now);
            r.last_effect = r.last_effect.max(self.now);
        }
    }
}

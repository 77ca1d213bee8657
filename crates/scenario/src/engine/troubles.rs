//! Outages and breakdowns of participants and brokers.

use super::*;
use crate::keyed::{Purpose, below, unit};
use crate::model::{Discipline, FailureKind, InterruptedWork, OutageMode};
use crate::program::NONE;

impl Sim<'_> {
    pub(super) fn begin_troubles(&mut self) {
        let from = self.setup.warm_up;
        for (index, place) in self.program.places.iter().enumerate() {
            for (outage, spec) in place.outages.iter().enumerate() {
                let at = from.saturating_add(spec.at);
                self.calendar.at(at, Kind::OutageBegin, index as u32, outage as u32);
                self.calendar.at(at.saturating_add(spec.lasts), Kind::OutageEnd, index as u32, outage as u32);
            }
            if place.breakdowns.is_some() {
                self.plan_breakdown(index as u32);
            }
        }
        for (index, line) in self.program.lines.iter().enumerate() {
            for spec in &line.spec.broker.outages {
                let at = from.saturating_add(spec.at);
                self.calendar.at(at, Kind::BrokerBegin, index as u32, 0);
                self.calendar.at(at.saturating_add(spec.lasts), Kind::BrokerEnd, index as u32, 0);
            }
            if line.breakdowns.is_some() {
                self.plan_broker_breakdown(index as u32);
            }
        }
    }

    fn plan_breakdown(&mut self, place: u32) {
        let spec = &self.program.places[place as usize];
        let Some(troubles) = &spec.breakdowns else { return };
        let key = below(below(self.seed_key, spec.key), self.stations[place as usize].ordinal);
        let begin = self.now.saturating_add(troubles.up.sample(unit(key, Purpose::Up)));
        self.calendar.at(begin, Kind::BreakdownBegin, place, 0);
        let end = begin.saturating_add(troubles.down.sample(unit(key, Purpose::Down)));
        self.calendar.at(end, Kind::BreakdownEnd, place, 0);
        self.stations[place as usize].ordinal += 1;
    }

    fn plan_broker_breakdown(&mut self, line: u32) {
        let spec = &self.program.lines[line as usize];
        let Some(troubles) = &spec.breakdowns else { return };
        let key = below(below(self.seed_key, spec.key), self.lines[line as usize].ordinal);
        let begin = self.now.saturating_add(troubles.up.sample(unit(key, Purpose::Up)));
        self.calendar.at(begin, Kind::BrokerBreakdownBegin, line, 0);
        let end = begin.saturating_add(troubles.down.sample(unit(key, Purpose::Down)));
        self.calendar.at(end, Kind::BrokerBreakdownEnd, line, 0);
        self.lines[line as usize].ordinal += 1;
    }

    pub(super) fn trouble(&mut self, kind: Kind, a: u32, b: u32) {
        match kind {
            Kind::OutageBegin => {
                let outage = &self.program.places[a as usize].outages[b as usize];
                self.down(a, outage.mode, outage.work);
            }
            Kind::OutageEnd => {
                let outage = &self.program.places[a as usize].outages[b as usize];
                self.up(a, outage.mode, outage.work);
                self.stations[a as usize].draining.push((b as usize, self.now));
                self.agenda.push_back(Task::Dispatch(a));
            }
            Kind::BreakdownBegin => {
                if let Some(troubles) = &self.program.places[a as usize].breakdowns {
                    self.down(a, troubles.spec.mode, troubles.spec.work);
                }
            }
            Kind::BreakdownEnd => {
                if let Some(troubles) = &self.program.places[a as usize].breakdowns {
                    self.up(a, troubles.spec.mode, troubles.spec.work);
                    self.plan_breakdown(a);
                }
            }
            Kind::BrokerBegin | Kind::BrokerBreakdownBegin => self.lines[a as usize].down += 1,
            Kind::BrokerEnd | Kind::BrokerBreakdownEnd => {
                let line = &mut self.lines[a as usize];
                line.down -= 1;
                let back = line.down == 0;
                if kind == Kind::BrokerBreakdownEnd {
                    self.plan_broker_breakdown(a);
                }
                if back {
                    self.send_kept(a);
                    for group in self.program.lines[a as usize].groups.clone() {
                        let place = self.program.groups[group as usize].place;
                        self.agenda.push_back(Task::Dispatch(place));
                    }
                }
            }
            _ => {}
        }
    }

    fn down(&mut self, place: u32, mode: OutageMode, work: InterruptedWork) {
        let was_stopped = self.stations[place as usize].is_stopped();
        let shares = self.program.places[place as usize].discipline == Discipline::Ps;
        if shares {
            self.attain(place);
        }
        let station = &mut self.stations[place as usize];
        match mode {
            OutageMode::Refuse => station.refusing += 1,
            OutageMode::Silent => station.silent += 1,
            OutageMode::Pause => station.pausing += 1,
            OutageMode::Slow(factor) => station.slow.push(factor),
            OutageMode::Errors(share) => station.errors.push(share),
        }
        if !mode.stops_work() {
            return;
        }
        station.down.set(self.now, 1);
        if work == InterruptedWork::Lose {
            for handling in station.seats.clone() {
                self.crash(handling, place, mode == OutageMode::Silent);
            }
        } else if !was_stopped && !shares {
            for handling in station.seats.clone() {
                self.interrupt(handling, work == InterruptedWork::Restart);
            }
        }
        if shares {
            self.plan_shared(place);
        }
    }

    fn up(&mut self, place: u32, mode: OutageMode, _: InterruptedWork) {
        let shares = self.program.places[place as usize].discipline == Discipline::Ps;
        if shares {
            self.attain(place);
        }
        let station = &mut self.stations[place as usize];
        let forget = |all: &mut Vec<f64>, value: f64| {
            if let Some(at) = all.iter().position(|v| *v == value) {
                all.swap_remove(at);
            }
        };
        match mode {
            OutageMode::Refuse => station.refusing -= 1,
            OutageMode::Silent => station.silent -= 1,
            OutageMode::Pause => station.pausing -= 1,
            OutageMode::Slow(factor) => forget(&mut station.slow, factor),
            OutageMode::Errors(share) => forget(&mut station.errors, share),
        }
        if !mode.stops_work() || station.is_stopped() {
            return;
        }
        station.down.set(self.now, 0);
        if shares {
            return self.plan_shared(place);
        }
        for handling in station.seats.clone() {
            self.take_up(handling, place);
        }
        self.agenda.push_back(Task::Dispatch(place));
    }

    /// Work stops where it is; what was planned for its end is void.
    fn interrupt(&mut self, handling: u32, restart: bool) {
        let h = &mut self.handlings[handling];
        if h.phase != Phase::Working {
            return;
        }
        h.phase = Phase::Interrupted;
        if !restart {
            h.work = h.done_at - self.now;
        }
        // The waiter keeps its own reference: only the planned end carries this generation.
        self.handlings.renew(handling);
        let place = self.place_of(handling);
        self.stations[place as usize].computing.sub(self.now, 1);
    }

    fn take_up(&mut self, handling: u32, place: u32) {
        let h = &mut self.handlings[handling];
        if h.phase != Phase::Interrupted {
            return;
        }
        h.phase = Phase::Working;
        h.done_at = self.now + h.work;
        let done_at = h.done_at;
        self.stations[place as usize].computing.add(self.now, 1);
        let generation = self.handlings.generation(handling);
        self.calendar.at(done_at, Kind::WorkDone, handling, generation);
    }

    /// A handling is lost with its process.
    fn crash(&mut self, handling: u32, place: u32, silent: bool) {
        if self.told.is_some() {
            self.tell_end(handling, Ending::Lost);
        }
        let h = &self.handlings[handling];
        let (phase, request, waiter) = (h.phase, h.request, h.waiter);
        let mut waits = vec![h.call];
        let mut strand = h.strands;
        while strand != NONE {
            waits.push(self.strands[strand].call);
            let next = self.strands[strand].next;
            self.strands.remove(strand);
            strand = next;
        }
        for call in waits.into_iter().filter(|c| *c != NONE) {
            if self.told.is_some() {
                self.tell_outcome(call, false, FailureKind::Error);
            }
            if self.calls[call].spec != NONE && self.calls[call].out && !self.calls[call].publishes {
                let bulkhead = self.program.calls[self.calls[call].spec as usize].bulkhead;
                if bulkhead != NONE {
                    self.permits[bulkhead as usize] -= 1;
                }
            }
            self.calls.remove(call);
        }
        if phase == Phase::Working {
            self.stations[place as usize].computing.sub(self.now, 1);
            if self.program.places[place as usize].discipline == Discipline::Ps {
                self.stations[place as usize].sharing.jobs.retain(|job| job.2 != handling);
            }
        }
        if !silent {
            self.reply(handling, false);
        }
        if let Waiter::Copies { .. } = waiter {
            self.copies_crashed(handling);
        }
        self.leave(handling, place);
        self.close_one(request);
    }

    /// An outage's backlog is gone when nothing waits and nothing is in service.
    pub(super) fn check_drained(&mut self, place: u32) {
        let station = &self.stations[place as usize];
        let idle = station.busy.value() == 0
            && station.backlog.value() == 0
            && self.program.places[place as usize].groups.iter().all(|g| self.groups[*g as usize].backlog.value() == 0);
        if !idle || station.is_stopped() {
            return;
        }
        let done = std::mem::take(&mut self.stations[place as usize].draining);
        for (outage, end) in done {
            self.tally.drained(place as usize, outage, Some(self.now - end));
        }
    }
}

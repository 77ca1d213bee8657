//! Workers and the lines before them.

use super::*;
use crate::dist::Sampler;
use crate::keyed::{Purpose, below, unit};
use crate::model::{Discipline, Hold};
use crate::program::NONE;

impl Sim<'_> {
    /// A call (or a user's question) sets out to its participant.
    pub(super) fn send(&mut self, handling: u32, network: &Sampler) {
        if network.is_zero() {
            return self.arrive(handling);
        }
        let leg = network.sample(unit(self.handlings[handling].key, Purpose::NetworkThere));
        let generation = self.handlings.generation(handling);
        self.calendar.at(self.now + leg, Kind::CallArrives, handling, generation);
    }

    /// A call is at its participant: a worker takes it, it waits, or it is turned away.
    pub(super) fn arrive(&mut self, handling: u32) {
        let place = self.place_of(handling);
        let spec = &self.program.places[place as usize];
        let now = self.now;
        let order = self.next_order();
        let station = &mut self.stations[place as usize];
        if station.refusing > 0 {
            return self.turn_away(handling, place);
        }
        if station.silent > 0 {
            return self.swallow(handling);
        }
        let mut lane_index = spec.first_lane;
        if spec.lanes > 1 {
            lane_index += station.next_lane;
            station.next_lane = (station.next_lane + 1) % spec.lanes;
        }
        let h = &mut self.handlings[handling];
        h.lane = lane_index;
        h.arrived = now;
        let lane = &mut self.lanes[lane_index as usize];
        let stopped = station.is_stopped();
        let has_worker = spec.discipline == Discipline::Ps || lane.busy < spec.servers;
        if has_worker
            && !stopped
            && lane.waiting == 0
            && lane.resuming.is_empty()
            && lane.in_flight < spec.max_in_flight
        {
            return self.start(handling, place, false);
        }
        if lane.waiting >= spec.waiting {
            return self.turn_away(handling, place);
        }
        h.phase = Phase::Waiting;
        lane.waiting += 1;
        self.queues[lane_index as usize * self.program.classes + h.class as usize].push_back((handling, order));
        station.backlog.add(now, 1);
    }

    fn turn_away(&mut self, handling: u32, place: u32) {
        if self.measuring {
            self.tally.places[place as usize].refused += 1;
        }
        let (waiter, request, key) = {
            let h = &self.handlings[handling];
            (h.waiter, h.request, h.key)
        };
        self.handlings.remove(handling);
        match waiter {
            Waiter::Root => self.answer(request, false, true),
            Waiter::Call { call, generation } => self.reply_to(call, generation, place, key, calls::REFUSED),
            Waiter::Copies { .. } => {}
        }
        self.close_one(request);
    }

    /// A call that nobody will ever answer.
    fn swallow(&mut self, handling: u32) {
        let request = self.handlings[handling].request;
        self.handlings.remove(handling);
        self.close_one(request);
    }

    /// A worker takes a handling.
    pub(super) fn start(&mut self, handling: u32, place: u32, waited: bool) {
        if self.told.is_some() {
            self.tell_start(handling);
        }
        let spec = &self.program.places[place as usize];
        let now = self.now;
        let station = &mut self.stations[place as usize];
        let h = &mut self.handlings[handling];
        let lane = &mut self.lanes[h.lane as usize];
        lane.busy += 1;
        lane.in_flight += 1;
        h.holds = true;
        h.phase = Phase::Working;
        let request = &mut self.requests[h.request];
        request.starts += 1;
        if self.measuring {
            let tally = &mut self.tally.places[place as usize];
            tally.started += 1;
            tally.delayed += u64::from(waited);
            tally.wait.record(now - h.arrived);
        }
        if spec.fallible {
            h.seat = station.seats.len() as u32;
            station.seats.push(handling);
        }
        let routine = &self.program.routines[h.routine as usize];
        let mut work = routine.work.sample(unit(h.key, Purpose::Work));
        if !station.slow.is_empty() {
            work = (station.slow.iter().product::<f64>() * work as f64 + 0.5) as Time;
        }
        h.work = work;
        h.done_at = now + work;
        station.computing.add(now, 1);
        if spec.discipline == Discipline::Ps {
            return self.share(handling, place);
        }
        station.busy.add(now, 1);
        let generation = self.handlings.generation(handling);
        if work == 0 {
            self.agenda.push_back(Task::Done(handling, generation));
        } else {
            self.calendar.at(now + work, Kind::WorkDone, handling, generation);
        }
    }

    /// The participant's own work on a handling is over.
    pub(super) fn work_done(&mut self, handling: u32) {
        let place = self.place_of(handling);
        let spec = &self.program.places[place as usize];
        let station = &mut self.stations[place as usize];
        station.computing.sub(self.now, 1);
        let h = &mut self.handlings[handling];
        h.phase = Phase::Stepping;
        let request_key = self.requests[h.request].key;
        let failed = (spec.fails > 0.0 && unit(h.key, Purpose::Failure) < spec.fails)
            || (spec.poison > 0.0 && unit(below(request_key, spec.key), Purpose::Poison) < spec.poison)
            || station.errors.iter().any(|share| unit(h.key, Purpose::Error) < *share);
        if failed {
            return self.finish_handling(handling, false);
        }
        let routine = &self.program.routines[h.routine as usize];
        if routine.reply_early {
            self.reply(handling, true);
        }
        if routine.entry == NONE {
            return self.finish_handling(handling, true);
        }
        self.handlings[handling].pc = routine.entry;
        let generation = self.handlings.generation(handling);
        let clocks = matches!(self.handlings[handling].waiter, Waiter::Copies { .. });
        self.advance(handling, MAIN);
        if clocks && self.handlings.is(handling, generation) {
            self.clock_all(handling);
        }
    }

    /// A handling lets its worker go (for good, or while it waits).
    pub(super) fn release(&mut self, handling: u32, place: u32) {
        let h = &mut self.handlings[handling];
        if !h.holds {
            return;
        }
        h.holds = false;
        let lane = &mut self.lanes[h.lane as usize];
        lane.busy -= 1;
        let station = &mut self.stations[place as usize];
        let spec = &self.program.places[place as usize];
        if spec.discipline != Discipline::Ps {
            station.busy.sub(self.now, 1);
        }
        if lane.waiting > 0 || !lane.resuming.is_empty() || station.queued > 0 || spec.fallible {
            self.agenda.push_back(Task::Dispatch(place));
        }
    }

    /// A wait of a strand is over: it goes on if its handling has, or gets, a worker.
    pub(super) fn resume(&mut self, handling: u32, strand: u32) {
        let place = self.place_of(handling);
        let spec = &self.program.places[place as usize];
        let stopped = self.stations[place as usize].is_stopped();
        let h = &mut self.handlings[handling];
        let lane = &mut self.lanes[h.lane as usize];
        let free = h.holds || spec.discipline == Discipline::Ps || lane.busy < spec.servers;
        if stopped || !free {
            let generation = self.handlings.generation(handling);
            lane.resuming.push_back((handling, generation, strand));
            return;
        }
        self.go_on(handling, strand, place);
    }

    fn go_on(&mut self, handling: u32, strand: u32, place: u32) {
        let h = &mut self.handlings[handling];
        if !h.holds {
            h.holds = true;
            self.lanes[h.lane as usize].busy += 1;
            if self.program.places[place as usize].discipline != Discipline::Ps {
                self.stations[place as usize].busy.add(self.now, 1);
            }
        }
        self.advance(handling, strand);
    }

    /// Whether a waiting handling of this place lets its worker go.
    pub(super) fn lets_go(&self, place: u32) -> bool {
        self.program.places[place as usize].hold == Hold::Async
    }

    /// Free workers take what waits: strands that go on first, then calls and messages.
    pub(super) fn dispatch(&mut self, place: u32) {
        let spec = &self.program.places[place as usize];
        for lane in spec.first_lane as usize..(spec.first_lane + spec.lanes) as usize {
            while self.dispatch_one(place, lane) {}
        }
        let station = &self.stations[place as usize];
        if !station.draining.is_empty() {
            self.check_drained(place);
        }
    }

    fn dispatch_one(&mut self, place: u32, lane_index: usize) -> bool {
        let spec = &self.program.places[place as usize];
        let station = &self.stations[place as usize];
        if station.is_stopped() {
            return false;
        }
        let lane = &mut self.lanes[lane_index];
        let has_worker = spec.discipline == Discipline::Ps || lane.busy < spec.servers;
        if let Some((handling, generation, strand)) = lane.resuming.front().copied() {
            let valid = self.handlings.is(handling, generation);
            if !valid || has_worker || self.handlings[handling].holds {
                lane.resuming.pop_front();
                if valid {
                    self.go_on(handling, strand, place);
                }
                return true;
            }
        }
        if !has_worker || lane.in_flight >= spec.max_in_flight {
            return false;
        }
        let by_class = spec.discipline == Discipline::Priority;
        // The newest first is the oldest first of turned numbers.
        let turned = if spec.discipline == Discipline::Lifo { u64::MAX } else { 0 };
        let call = if lane.waiting == 0 {
            None
        } else {
            let heads = self.queues_of(lane_index).iter().enumerate().filter_map(|(class, queue)| {
                let next = if turned == 0 { queue.front() } else { queue.back() };
                next.map(|(_, order)| (if by_class { class as u32 } else { 0 }, *order ^ turned, class))
            });
            heads.min()
        };
        // Where nothing waits, no group is looked at: there may be many.
        let groups = if station.queued == 0 { &[][..] } else { &spec.groups[..] };
        let message = groups.iter().filter_map(|group| {
            let (order, class) = self.head_of(*group)?;
            let class = self.program.groups[*group as usize].priority.unwrap_or(class);
            Some((if by_class { class } else { 0 }, order ^ turned, *group))
        });
        let message = message.min();
        match (call, message) {
            (None, None) => false,
            (Some(call), message) if message.is_none_or(|m| (call.0, call.1) < (m.0, m.1)) => {
                self.start_call(place, lane_index, call.2);
                true
            }
            (_, Some((_, _, group))) => {
                self.start_messages(group, lane_index as u32);
                true
            }
            (Some(_), None) => false,
        }
    }

    /// The queues before a line of workers, by class of priority.
    #[inline]
    fn queues_of(&self, lane: usize) -> &[Queue] {
        let classes = self.program.classes;
        &self.queues[lane * classes..(lane + 1) * classes]
    }

    fn start_call(&mut self, place: u32, lane: usize, class: usize) {
        let spec = &self.program.places[place as usize];
        let queue = &mut self.queues[lane * self.program.classes + class];
        let next = if spec.discipline == Discipline::Lifo { queue.pop_back() } else { queue.pop_front() };
        let Some((handling, _)) = next else { return };
        self.lanes[lane].waiting -= 1;
        self.stations[place as usize].backlog.sub(self.now, 1);
        if spec.drop_expired && self.handlings[handling].deadline <= self.now {
            if self.measuring {
                self.tally.places[place as usize].expired += 1;
            }
            let request = self.handlings[handling].request;
            self.handlings.remove(handling);
            return self.close_one(request);
        }
        self.start(handling, place, true);
    }
}

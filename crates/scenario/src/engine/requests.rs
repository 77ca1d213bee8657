//! Requests: from the user's question until nothing of it is under way any more.

use super::*;
use crate::keyed::below;
use crate::program::NONE;
use crate::tally::{Terminal, keep};

impl Sim<'_> {
    pub(super) fn new_request(&mut self, source: u32, number: u64) {
        let spec = &self.program.sources[source as usize];
        let key = below(below(self.seed_key, spec.key), number ^ 0x5bd1_e995_0000_0000);
        let measured = self.measuring;
        let request = self.requests.insert(Request {
            source,
            flags: if measured { flag::COHORT } else { 0 },
            number,
            key,
            arrived: self.now,
            open: 2, // Its handling, and its answer.
            starts: 0,
            replied: 0,
            first_effect: Time::MAX,
            last_effect: 0,
        });
        if measured {
            self.pending += 1;
            self.tally.sources[source as usize].arrivals += 1;
            self.tally.series.arrivals += 1;
        }
        if spec.patience_timer != NONE {
            let generation = self.requests.generation(request);
            self.calendar.after(self.now, spec.patience_timer, Kind::Patience, request, generation);
        }
        if measured && self.told.is_some() {
            self.tell_request(request);
        }
        let routine = &self.program.routines[spec.routine as usize];
        if measured {
            let place = &mut self.tally.places[routine.place as usize];
            place.calls += 1;
            place.attempts += 1;
        }
        let handling = self.handlings.insert(Handling {
            routine: spec.routine,
            request,
            key,
            class: spec.class,
            reached: self.now,
            ..Handling::default()
        });
        self.send(handling, &self.program.places[routine.place as usize].network);
    }

    /// The answer reaches the user.
    pub(super) fn answer(&mut self, request: u32, ok: bool, refused: bool) {
        let r = &mut self.requests[request];
        if r.flags & flag::ANSWERED != 0 {
            return;
        }
        r.flags |= match (ok, refused) {
            (true, _) => flag::OK,
            (false, true) => flag::REFUSED,
            (false, false) => flag::ERROR,
        };
        r.replied = self.now;
        if self.told.is_some() {
            self.tell_answer(request);
        }
        let r = &self.requests[request];
        let (source, number, flags, took) = (r.source, r.number, r.flags, self.now - r.arrived);
        let tally = &mut self.tally.sources[source as usize];
        if number < self.setup.keep as u64 {
            keep(&mut tally.first, number, took);
        }
        if flags & flag::COHORT != 0 {
            // Response times are recorded when the request settles: then one record may do for both.
            match (ok, refused) {
                (true, _) => tally.ok += 1,
                (false, true) => tally.refused += 1,
                (false, false) => tally.failed += 1,
            }
        }
        if self.measuring {
            if ok { self.tally.series.ok += 1 } else { self.tally.series.bad += 1 }
        }
        self.user_answered(source, number);
        self.close_one(request);
    }

    pub(super) fn answer_arrives(&mut self, request: u32, generation: u32, ok: bool) {
        if self.requests.is(request, generation) {
            self.answer(request, ok, false);
        }
    }

    pub(super) fn patience_ends(&mut self, request: u32, generation: u32) {
        if !self.requests.is(request, generation) || self.requests[request].flags & flag::ANSWERED != 0 {
            return;
        }
        let r = &mut self.requests[request];
        r.flags |= flag::ABANDONED;
        let (source, number, flags) = (r.source, r.number, r.flags);
        if flags & flag::COHORT != 0 {
            self.tally.sources[source as usize].abandoned += 1;
        }
        if self.measuring {
            self.tally.series.bad += 1;
        }
        self.user_answered(source, number);
        self.close_one(request);
    }

    /// Something of a request is over; when nothing is left, it has settled.
    #[inline]
    pub(super) fn close_one(&mut self, request: u32) {
        let r = &mut self.requests[request];
        r.open -= 1;
        if r.open > 0 {
            return;
        }
        if r.flags & flag::COHORT != 0 {
            if self.told.is_some() {
                let fate = terminal(self.requests[request].flags);
                self.tell_settled(request, fate);
            }
            self.settled(request);
            self.requests[request].flags &= !flag::COHORT;
        }
        self.requests.remove(request);
    }

    fn settled(&mut self, request: u32) {
        self.pending -= 1;
        let r = &self.requests[request];
        let tally = &mut self.tally.sources[r.source as usize];
        let has = |f: u32| r.flags & f != 0;
        tally.starts += u64::from(r.starts);
        if has(flag::OK) && r.replied == self.now {
            tally.at_once.record(self.now - r.arrived);
        } else {
            tally.record_answer(r.flags, r.replied.saturating_sub(r.arrived));
            if !has(flag::REFUSED) {
                tally.settled.record(self.now - r.arrived);
            }
        }
        if !has(flag::REFUSED) && r.number < self.setup.keep as u64 {
            keep(&mut tally.first_settled, r.number, self.now - r.arrived);
        }
        if r.last_effect > r.first_effect {
            tally.inconsistent.record(r.last_effect - r.first_effect);
        }
        tally.late += u64::from(has(flag::LATE));
        tally.false_success += u64::from(has(flag::OK) && has(flag::DEAD | flag::LOST | flag::STUCK));
        tally.false_failure +=
            u64::from(has(flag::ERROR | flag::ABANDONED) && has(flag::PRIMARY) && !has(flag::COMPENSATED));
        tally.fates[terminal(r.flags) as usize] += 1;
    }
}

/// The one state a request ends in: stuck > lost > dead-lettered > partial > compensated > degraded > completed.
fn terminal(flags: u32) -> Terminal {
    let has = |f: u32| flags & f != 0;
    if has(flag::REFUSED) {
        Terminal::Refused
    } else if has(flag::STUCK) {
        Terminal::Stuck
    } else if has(flag::LOST) {
        Terminal::Lost
    } else if has(flag::DEAD) {
        Terminal::DeadLettered
    } else if has(flag::COMPENSATED) {
        Terminal::Compensated
    } else if has(flag::ERROR) {
        if has(flag::APPLIED) { Terminal::Partial } else { Terminal::FailedClean }
    } else if has(flag::DEGRADED) {
        Terminal::Degraded
    } else {
        Terminal::Completed
    }
}

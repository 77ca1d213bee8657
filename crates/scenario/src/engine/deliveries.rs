//! Copies in hand: delivered, handled, acknowledged or not, delivered again.

use super::*;
use crate::keyed::{Purpose, below, unit};
use crate::model::{Acknowledge, Discipline};
use crate::program::NONE;

/// A copy's generation with the number of its delivery, as planned events carry it.
fn stamp_of(generation: u32, delivery: u32) -> u32 {
    generation << 12 | (delivery & 0xfff)
}

impl Sim<'_> {
    /// Counts a delivery and starts its clock.
    pub(super) fn deliver(&mut self, copy: u32, spot: Spot) -> u32 {
        let c = &mut self.copies[copy];
        c.spot = spot;
        c.deliveries += 1;
        c.references += 1;
        c.clocked = false;
        let (delivery, group, message) = (c.deliveries, c.group, c.message);
        // Whoever has it in hand may outlast the copy: its request stays until it is handed back.
        self.requests[self.messages[message].request].open += 1;
        let c = &mut self.copies[copy];
        let spec = &self.program.groups[group as usize];
        let line = &self.program.lines[spec.line as usize];
        c.ack_at = self.now.saturating_add(line.spec.ack_wait);
        let place = &self.program.places[spec.place as usize];
        if spot == Spot::Buffered || place.fallible || place.discipline == Discipline::Ps {
            c.clocked = true;
            let timer = line.ack_timer;
            if line.spec.ack == Acknowledge::AfterProcessing {
                let generation = self.copies.generation(copy);
                self.calendar.after(self.now, timer, Kind::AckExpired, copy, stamp_of(generation, delivery));
            }
        }
        delivery
    }

    /// Starts the clock of a delivery that did not need one so far: its work ends in time for certain, unless it waits for
    /// something afterwards or its acknowledgement is lost.
    fn clock(&mut self, copy: u32) {
        let c = &mut self.copies[copy];
        if std::mem::replace(&mut c.clocked, true) || c.fate != Fate::Open || c.spot != Spot::InHand {
            return;
        }
        let (at, delivery, group) = (c.ack_at, c.deliveries, c.group);
        if self.line_of(group).spec.ack == Acknowledge::AfterProcessing {
            let generation = self.copies.generation(copy);
            self.calendar.at(at, Kind::AckExpired, copy, stamp_of(generation, delivery));
        }
    }

    /// Starts the clocks of all that a handling has in hand.
    pub(super) fn clock_all(&mut self, handling: u32) {
        let batch = self.batch_of(handling);
        for (copy, delivery) in self.first_of(handling).into_iter().chain(batch.iter().copied()) {
            if self.copies[copy].deliveries == delivery {
                self.clock(copy);
            }
        }
        if !batch.is_empty() {
            self.extras_of(handling).batch = batch;
        }
    }

    /// The copy that a handling is for (the first of a batch), with its delivery.
    fn first_of(&self, handling: u32) -> Option<(u32, u32)> {
        match self.handlings[handling].waiter {
            Waiter::Copies { first, delivery } => Some((first, delivery)),
            _ => None,
        }
    }

    /// Takes the rest of a handling's batch.
    fn batch_of(&mut self, handling: u32) -> Vec<(u32, u32)> {
        match self.handlings[handling].extras {
            NONE => Vec::new(),
            extras => std::mem::take(&mut self.extras[extras].batch),
        }
    }

    /// A free worker takes the next message of a group, or a batch of them.
    pub(super) fn start_messages(&mut self, group: u32, lane: u32) {
        let spec = &self.program.groups[group as usize];
        let (batch, dedup) = {
            let line = self.line_of(group);
            (line.spec.batch, line.spec.dedup)
        };
        let mut first = None;
        let mut batched = Vec::new(); // Allocates only where there is more than one.
        while first.is_none() || batched.len() + 1 < batch as usize {
            let Some((copy, delivery)) = self.take(group) else { break };
            if dedup && self.copies[copy].applied > 0 {
                // Recognised: acknowledged without work.
                self.hand_back(copy, delivery, true, true);
                continue;
            }
            if first.is_none() {
                first = Some((copy, delivery))
            } else {
                batched.push((copy, delivery))
            }
            let c = &self.copies[copy];
            if c.measured && delivery == 1 {
                let published = self.messages[c.message].published;
                self.tally.groups[group as usize].lag.record(self.now - published);
            }
        }
        let Some((first, delivery)) = first else { return };
        if self.measuring {
            let tally = &mut self.tally.groups[group as usize];
            tally.batches += 1;
            tally.taken += batched.len() as u64 + 1;
            tally.started += batched.len() as u64 + 1;
        }
        let m = &self.messages[self.copies[first].message];
        let handling = Handling {
            routine: spec.routine,
            request: m.request,
            key: below(below(m.key, below(spec.key, m.repetition)), u64::from(delivery)),
            waiter: Waiter::Copies { first, delivery },
            class: spec.priority.unwrap_or(m.class),
            effect: spec.effect,
            lane,
            arrived: self.copies[first].ready,
            reached: m.published,
            ..Handling::default()
        };
        self.requests[m.request].open += 1;
        let waited = self.copies[first].ready < self.now;
        let handling = self.handlings.insert(handling);
        if !batched.is_empty() {
            self.extras_of(handling).batch = batched;
        }
        self.start(handling, spec.place, waited);
        if self.handlings[handling].done_at >= self.copies[first].ack_at {
            self.clock_all(handling);
        }
    }

    /// The work on a copy, or on a batch of them, is over.
    pub(super) fn copies_handled(&mut self, handling: u32, ok: bool) {
        let batch = self.batch_of(handling);
        for (copy, delivery) in self.first_of(handling).into_iter().chain(batch) {
            if ok {
                self.copy_applied(copy);
            }
            self.hand_back(copy, delivery, ok, false);
        }
    }

    fn copy_applied(&mut self, copy: u32) {
        let c = &mut self.copies[copy];
        c.applied += 1;
        let (message, group) = (c.message, c.group);
        let m = &self.messages[message];
        let (request, published) = (m.request, m.published);
        self.effect(request, self.program.groups[group as usize].effect, published);
        self.tell(copy, true);
    }

    /// A worker gives a copy back: acknowledged or not.
    fn hand_back(&mut self, copy: u32, delivery: u32, ok: bool, recognised: bool) {
        let request = self.messages[self.copies[copy].message].request;
        self.judge(copy, delivery, ok, recognised);
        self.close_one(request);
    }

    /// What becomes of a copy that was handed back.
    fn judge(&mut self, copy: u32, delivery: u32, ok: bool, recognised: bool) {
        self.copies[copy].references -= 1;
        let c = &self.copies[copy];
        if c.fate != Fate::Open {
            return self.close_copy(copy);
        }
        let current = c.deliveries == delivery && c.spot == Spot::InHand;
        let (deliveries, group) = (c.deliveries, c.group);
        let spec = &self.program.lines[self.program.groups[group as usize].line as usize].spec;
        let on_receipt = spec.ack == Acknowledge::OnReceipt;
        if ok {
            let m = &self.messages[self.copies[copy].message];
            let key = below(below(m.key, self.program.groups[group as usize].key), u64::from(delivery));
            let lost = !on_receipt && !recognised && spec.ack_loss > 0.0 && unit(key, Purpose::AckLoss) < spec.ack_loss;
            // A late acknowledgement still counts while the copy only waits to be delivered again.
            let counts = current || matches!(self.copies[copy].spot, Spot::Queued | Spot::BackOff);
            if counts && !lost {
                self.end_copy(copy, Fate::Acked);
            } else if lost && current {
                self.clock(copy);
            }
            return;
        }
        if !current {
            return;
        }
        if on_receipt {
            return self.end_copy(copy, Fate::Lost);
        }
        if spec.max_deliver.is_some_and(|most| deliveries >= most) {
            return self.end_copy(copy, Fate::Dead);
        }
        let wait = spec.backoff.get((deliveries - 1) as usize).or(spec.backoff.last()).copied().unwrap_or(0);
        self.copies[copy].spot = Spot::BackOff;
        if wait == 0 {
            return self.again(copy);
        }
        let generation = self.copies.generation(copy);
        self.calendar.at(self.now + wait, Kind::Redeliver, copy, stamp_of(generation, deliveries));
    }

    fn stamp(&self, copy: u32, b: u32) -> bool {
        self.copies.generation(copy) & 0xf_ffff == b >> 12 && self.copies[copy].deliveries & 0xfff == b & 0xfff
    }

    pub(super) fn redeliver(&mut self, copy: u32, stamp: u32) {
        if self.stamp(copy, stamp) && self.copies[copy].fate == Fate::Open && self.copies[copy].spot == Spot::BackOff {
            self.again(copy);
        }
    }

    pub(super) fn ack_expired(&mut self, copy: u32, stamp: u32) {
        if !self.stamp(copy, stamp) {
            return;
        }
        let c = &self.copies[copy];
        if c.fate != Fate::Open || !matches!(c.spot, Spot::InHand | Spot::Buffered) {
            return;
        }
        let (deliveries, most) = (c.deliveries, self.line_of(c.group).spec.max_deliver);
        if most.is_some_and(|most| deliveries >= most) {
            return self.end_copy(copy, Fate::Dead);
        }
        self.again(copy);
    }

    /// The worker that had a batch is gone: the broker delivers it again after its wait, or never.
    pub(super) fn copies_crashed(&mut self, handling: u32) {
        let batch = self.batch_of(handling);
        for (copy, _) in self.first_of(handling).into_iter().chain(batch) {
            self.copies[copy].references -= 1;
            let c = &self.copies[copy];
            let request = self.messages[c.message].request;
            let on_receipt = self.line_of(c.group).spec.ack == Acknowledge::OnReceipt;
            if c.fate == Fate::Open && on_receipt {
                self.end_copy(copy, Fate::Lost);
            } else {
                self.close_copy(copy);
            }
            self.close_one(request);
        }
    }
}

//! The copy of a message for one group: delivered, taken, acknowledged, delivered again, given up.

use super::*;
use crate::keyed::{Purpose, below, unit};
use crate::model::{Acknowledge, FailureKind, WhenFull};
use crate::program::{Line, NONE};

impl Sim<'_> {
    fn line_of(&self, group: u32) -> &Line {
        &self.program.lines[self.program.groups[group as usize].line as usize]
    }

    /// A copy is with its group for the first time.
    pub(super) fn delivered(&mut self, copy: u32) {
        if self.copies[copy].fate != Fate::Open {
            return;
        }
        let group = self.copies[copy].group;
        let (limit, when_full, age_timer) = {
            let line = self.line_of(group);
            (line.spec.limit, line.spec.when_full, line.age_timer)
        };
        if limit.is_some_and(|limit| self.groups[group as usize].backlog.value() >= limit) {
            match when_full {
                WhenFull::DropOldest => self.end_oldest(group, Fate::Dropped),
                WhenFull::DeadLetterOldest => self.end_oldest(group, Fate::Dead),
                WhenFull::Refuse | WhenFull::Block => {}
            }
        }
        self.copies[copy].ready = self.now;
        if age_timer != NONE {
            let generation = self.copies.generation(copy);
            self.calendar.after(self.now, age_timer, Kind::TooOld, copy, generation);
        }
        self.queue_copy(copy, false);
    }

    /// A copy waits for a worker of its group: at the tail, or (ordered) at the head of its partition.
    fn queue_copy(&mut self, copy: u32, first: bool) {
        let order = self.next_order();
        let generation = self.copies.generation(copy);
        let c = &mut self.copies[copy];
        c.spot = Spot::Queued;
        c.order = order;
        let (group_index, partition) = (c.group, c.partition);
        let entry = Entry { copy, generation, order };
        let group = &mut self.groups[group_index as usize];
        group.backlog.add(self.now, 1);
        if group.partitions.is_empty() {
            group.queue.push_back(entry);
        } else {
            let lane = &mut group.partitions[partition as usize];
            if first { lane.queue.push_front(entry) } else { lane.queue.push_back(entry) }
            let heads = lane.queue.len() == 1 || first;
            if heads && !lane.busy {
                group.ready.push_back(partition);
            }
        }
        let place = self.program.groups[group_index as usize].place;
        self.fill_buffer(group_index);
        self.agenda.push_back(Task::Dispatch(place));
    }

    fn is_current(&self, entry: &Entry) -> bool {
        let current = self.copies.is(entry.copy, entry.generation);
        current && {
            let c = &self.copies[entry.copy];
            c.fate == Fate::Open && c.spot == Spot::Queued && c.order == entry.order
        }
    }

    /// Place in the order of arrivals of what a group would do next.
    pub(super) fn head_of(&mut self, group: u32) -> Option<u64> {
        let index = group as usize;
        if let Some((entry, _)) = self.groups[index].buffer.front() {
            return Some(entry.order);
        }
        if self.groups[index].partitions.is_empty() {
            while let Some(entry) = self.groups[index].queue.front().copied() {
                if self.is_current(&entry) {
                    return Some(entry.order);
                }
                self.groups[index].queue.pop_front();
            }
            return None;
        }
        while let Some(partition) = self.groups[index].ready.front().copied() {
            let lane = partition as usize;
            while let Some(entry) = self.groups[index].partitions[lane].queue.front().copied() {
                if self.is_current(&entry) {
                    break;
                }
                self.groups[index].partitions[lane].queue.pop_front();
            }
            let lane = &self.groups[index].partitions[lane];
            match lane.queue.front() {
                Some(entry) if !lane.busy => return Some(entry.order),
                _ => self.groups[index].ready.pop_front(),
            };
        }
        None
    }

    /// Takes the next copy of a group for work (or for the buffer) and says as which delivery.
    fn take(&mut self, group: u32) -> Option<(u32, u32)> {
        if let Some((entry, delivery)) = self.groups[group as usize].buffer.pop_front() {
            let c = &mut self.copies[entry.copy];
            if c.fate == Fate::Open && c.spot == Spot::Buffered && c.deliveries == delivery {
                c.spot = Spot::InHand;
            }
            self.groups[group as usize].backlog.sub(self.now, 1);
            self.fill_buffer(group);
            return Some((entry.copy, delivery));
        }
        self.head_of(group)?;
        let state = &mut self.groups[group as usize];
        let entry = if state.partitions.is_empty() {
            state.queue.pop_front()?
        } else {
            let partition = state.ready.pop_front()?;
            let lane = &mut state.partitions[partition as usize];
            lane.busy = true;
            lane.queue.pop_front()?
        };
        state.backlog.sub(self.now, 1);
        let delivery = self.deliver(entry.copy, Spot::InHand);
        self.unblock(self.program.groups[group as usize].line);
        Some((entry.copy, delivery))
    }

    /// Counts a delivery and starts its clock.
    fn deliver(&mut self, copy: u32, spot: Spot) -> u32 {
        let c = &mut self.copies[copy];
        c.spot = spot;
        c.deliveries += 1;
        c.references += 1;
        let (delivery, group) = (c.deliveries, c.group);
        let (timer, waits) = {
            let line = self.line_of(group);
            (line.ack_timer, line.spec.ack == Acknowledge::AfterProcessing)
        };
        if waits {
            let generation = self.copies.generation(copy);
            self.calendar.after(self.now, timer, Kind::AckExpired, copy, generation << 12 | (delivery & 0xfff));
        }
        delivery
    }

    /// With prefetch, copies are handed over ahead of the work; their clocks run from then on.
    fn fill_buffer(&mut self, group: u32) {
        let Some(prefetch) = self.line_of(group).spec.prefetch else { return };
        let index = group as usize;
        if !self.groups[index].partitions.is_empty() {
            return; // Ordered groups take one message of a partition at a time.
        }
        let place = &self.program.places[self.program.groups[index].place as usize];
        let workers = if place.servers == NONE { 1 } else { place.servers.saturating_mul(place.lanes) };
        let room = prefetch.saturating_mul(workers) as usize;
        while self.groups[index].buffer.len() < room {
            let Some(entry) = self.groups[index].queue.pop_front() else { return };
            if self.is_current(&entry) {
                let delivery = self.deliver(entry.copy, Spot::Buffered);
                self.groups[index].buffer.push_back((entry, delivery));
            }
        }
    }

    /// A free worker takes the next message of a group, or a batch of them.
    pub(super) fn start_messages(&mut self, group: u32, lane: u16) {
        let spec = &self.program.groups[group as usize];
        let (batch, dedup) = {
            let line = self.line_of(group);
            (line.spec.batch, line.spec.dedup)
        };
        let mut taken: Vec<(u32, u32)> = Vec::new();
        while taken.len() < batch as usize {
            let Some((copy, delivery)) = self.take(group) else { break };
            if dedup && self.copies[copy].applied > 0 {
                // Recognised: acknowledged without work.
                self.hand_back(copy, delivery, true, true);
                continue;
            }
            taken.push((copy, delivery));
        }
        let Some((first, delivery)) = taken.first().copied() else { return };
        for (i, (copy, delivery)) in taken.iter().enumerate() {
            self.copies[*copy].next = taken.get(i + 1).map_or(NONE, |t| t.0);
            self.copies[*copy].taken_as = *delivery;
            let c = &self.copies[*copy];
            if c.measured && *delivery == 1 {
                self.tally.groups[group as usize].lag.record(self.now - self.messages[c.message].published);
            }
        }
        if self.measuring {
            let tally = &mut self.tally.groups[group as usize];
            tally.batches += 1;
            tally.taken += taken.len() as u64;
            tally.started += taken.len() as u64;
        }
        let m = &self.messages[self.copies[first].message];
        let handling = Handling {
            routine: spec.routine,
            request: m.request,
            key: below(below(m.key, below(spec.key, m.repetition)), u64::from(delivery)),
            waiter: Waiter::Copies { first },
            class: spec.priority.unwrap_or(0),
            effect: spec.effect,
            attempt: delivery,
            lane,
            arrived: self.copies[first].ready,
            reached: m.published,
            ..Handling::default()
        };
        self.requests[m.request].open += 1;
        let waited = self.copies[first].ready < self.now;
        let handling = self.handlings.insert(handling);
        self.start(handling, spec.place, waited);
    }

    /// The work on a batch is over.
    pub(super) fn copies_handled(&mut self, first: u32, ok: bool) {
        let mut copy = first;
        while copy != NONE {
            let (next, delivery) = (self.copies[copy].next, self.copies[copy].taken_as);
            if ok {
                self.copy_applied(copy);
            }
            self.hand_back(copy, delivery, ok, false);
            copy = next;
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

    /// Whoever waits for the outcome hears it.
    fn tell(&mut self, copy: u32, ok: bool) {
        let c = &mut self.copies[copy];
        if c.outcome.is_none() {
            c.outcome = Some(ok);
        }
        if let Some((call, generation)) = c.asker.take()
            && self.calls.is(call, generation)
        {
            self.resolve(call, if ok { calls::OK } else { calls::FAILED }, FailureKind::Error);
        }
    }

    /// A worker gives a copy back: acknowledged or not.
    fn hand_back(&mut self, copy: u32, delivery: u32, ok: bool, recognised: bool) {
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
        self.calendar.at(self.now + wait, Kind::Redeliver, copy, generation << 12 | (deliveries & 0xfff));
    }

    fn stamp(&self, copy: u32, b: u32) -> bool {
        self.copies.generation(copy) & 0xf_ffff == b >> 12 && self.copies[copy].deliveries & 0xfff == b & 0xfff
    }

    pub(super) fn redeliver(&mut self, copy: u32, stamp: u32) {
        if self.stamp(copy, stamp) && self.copies[copy].fate == Fate::Open && self.copies[copy].spot == Spot::BackOff {
            self.again(copy);
        }
    }

    /// A copy is to be delivered once more.
    fn again(&mut self, copy: u32) {
        let c = &self.copies[copy];
        let age = self.line_of(c.group).spec.max_age;
        if age.is_some_and(|age| self.now - c.ready >= age) {
            return self.end_copy(copy, Fate::Expired);
        }
        let (group, partition) = (c.group, c.partition);
        let ordered = !self.groups[group as usize].partitions.is_empty();
        if ordered {
            self.groups[group as usize].partitions[partition as usize].busy = false;
        }
        self.queue_copy(copy, ordered);
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

    pub(super) fn too_old(&mut self, copy: u32) {
        let c = &self.copies[copy];
        if c.fate == Fate::Open && matches!(c.spot, Spot::Queued | Spot::BackOff) {
            self.end_copy(copy, Fate::Expired);
        }
    }

    fn end_oldest(&mut self, group: u32, fate: Fate) {
        let index = group as usize;
        while let Some(entry) = self.groups[index].queue.pop_front() {
            if self.is_current(&entry) {
                return self.end_copy(entry.copy, fate);
            }
        }
    }

    /// A copy has its final state.
    pub(super) fn end_copy(&mut self, copy: u32, fate: Fate) {
        let c = &mut self.copies[copy];
        let queued = c.spot == Spot::Queued;
        let in_partition = matches!(c.spot, Spot::InHand | Spot::BackOff);
        c.fate = fate;
        let (group, partition, applied, message) = (c.group, c.partition, c.applied, c.message);
        let request = self.messages[message].request;
        let state = &mut self.groups[group as usize];
        if queued {
            state.backlog.sub(self.now, 1);
        }
        if in_partition && let Some(lane) = state.partitions.get_mut(partition as usize) {
            lane.busy = false;
            if !lane.queue.is_empty() {
                state.ready.push_back(partition);
            }
        }
        if applied == 0 {
            self.requests[request].flags |= match fate {
                Fate::Dead => flag::DEAD,
                Fate::Dropped | Fate::Expired | Fate::Lost => flag::LOST,
                Fate::Open | Fate::Acked => 0,
            };
        }
        if fate != Fate::Acked {
            self.tell(copy, false);
        }
        if queued {
            self.unblock(self.program.groups[group as usize].line);
        }
        let place = self.program.groups[group as usize].place;
        self.agenda.push_back(Task::Dispatch(place));
        self.close_one(request);
        self.close_copy(copy);
    }

    /// When nobody has a copy any more, it is counted.
    fn close_copy(&mut self, copy: u32) {
        let c = &self.copies[copy];
        if c.fate == Fate::Open || c.references > 0 {
            return;
        }
        let (message, group) = (c.message, c.group);
        if c.measured {
            self.pending -= 1;
            let idempotent = self.program.effects[self.program.groups[group as usize].effect as usize].idempotent;
            let extra = if idempotent { 0 } else { c.applied.saturating_sub(1) };
            let tally = &mut self.tally.groups[group as usize];
            tally.messages += 1;
            tally.deliveries += u64::from(c.deliveries);
            tally.dead += u64::from(c.fate == Fate::Dead);
            tally.expired += u64::from(c.fate == Fate::Expired);
            tally.lost += u64::from(matches!(c.fate, Fate::Lost | Fate::Dropped));
            tally.no_effect += u64::from(c.applied == 0);
            tally.duplicated += u64::from(extra > 0);
            tally.duplicates += u64::from(extra);
        }
        self.forget_message(message);
    }

    /// The worker that had a batch is gone: the broker delivers it again after its wait, or never.
    pub(super) fn copies_crashed(&mut self, first: u32) {
        let mut copy = first;
        while copy != NONE {
            let next = self.copies[copy].next;
            self.copies[copy].references -= 1;
            let c = &self.copies[copy];
            let on_receipt = self.line_of(c.group).spec.ack == Acknowledge::OnReceipt;
            if c.fate == Fate::Open && on_receipt {
                self.end_copy(copy, Fate::Lost);
            } else {
                self.close_copy(copy);
            }
            copy = next;
        }
    }
}

//! The copy of a message for one group: where it waits, and its end.

use super::*;
use crate::model::{FailureKind, WhenFull};
use crate::program::{Line, NONE};

impl Sim<'_> {
    pub(super) fn line_of(&self, group: u32) -> &Line {
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
        self.stations[self.program.groups[group_index as usize].place as usize].queued += 1;
        if group.partitions.is_empty() {
            group.queue.push_back(entry);
        } else {
            let lane = &mut group.partitions[partition as usize];
            if first {
                lane.queue.push_front(entry)
            } else {
                lane.queue.push_back(entry)
            }
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

    /// Place in the order of arrivals of what a group would do next, and its class of priority.
    pub(super) fn head_of(&mut self, group: u32) -> Option<(u64, u32)> {
        let entry = self.head_entry(group)?;
        Some((entry.order, self.messages[self.copies[entry.copy].message].class))
    }

    fn head_entry(&mut self, group: u32) -> Option<Entry> {
        let index = group as usize;
        if let Some((entry, _)) = self.groups[index].buffer.front() {
            return Some(*entry);
        }
        if self.groups[index].partitions.is_empty() {
            while let Some(entry) = self.groups[index].queue.front().copied() {
                if self.is_current(&entry) {
                    return Some(entry);
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
                Some(entry) if !lane.busy => return Some(*entry),
                _ => self.groups[index].ready.pop_front(),
            };
        }
        None
    }

    /// Takes the next copy of a group for work (or for the buffer) and says as which delivery.
    pub(super) fn take(&mut self, group: u32) -> Option<(u32, u32)> {
        if let Some((entry, delivery)) = self.groups[group as usize].buffer.pop_front() {
            let c = &mut self.copies[entry.copy];
            if c.fate == Fate::Open && c.spot == Spot::Buffered && c.deliveries == delivery {
                c.spot = Spot::InHand;
            }
            self.taken(group);
            self.fill_buffer(group);
            return Some((entry.copy, delivery));
        }
        self.head_entry(group)?;
        let state = &mut self.groups[group as usize];
        let entry = if state.partitions.is_empty() {
            state.queue.pop_front()?
        } else {
            let partition = state.ready.pop_front()?;
            let lane = &mut state.partitions[partition as usize];
            lane.busy = true;
            lane.queue.pop_front()?
        };
        self.taken(group);
        let delivery = self.deliver(entry.copy, Spot::InHand);
        self.unblock(self.program.groups[group as usize].line);
        Some((entry.copy, delivery))
    }

    /// A copy of a group does not wait any more.
    fn taken(&mut self, group: u32) {
        self.groups[group as usize].backlog.sub(self.now, 1);
        self.stations[self.program.groups[group as usize].place as usize].queued -= 1;
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

    /// Whoever waits for the outcome hears it.
    pub(super) fn tell(&mut self, copy: u32, ok: bool) {
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

    /// A copy is to be delivered once more.
    pub(super) fn again(&mut self, copy: u32) {
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
        // Ordered: the oldest of all partitions.
        let heads = self.groups[index].partitions.iter().enumerate();
        let oldest = heads.filter_map(|(i, p)| {
            let at = p.queue.iter().position(|entry| self.is_current(entry))?;
            Some((p.queue[at].order, i, at))
        });
        if let Some((_, partition, at)) = oldest.min()
            && let Some(entry) = self.groups[index].partitions[partition].queue.remove(at)
        {
            self.end_copy(entry.copy, fate);
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
        if self.told.is_some() && applied == 0 {
            match fate {
                Fate::Dead => self.tell_copy(message, Ending::Dead),
                Fate::Dropped | Fate::Expired | Fate::Lost => self.tell_copy(message, Ending::Gone),
                Fate::Open | Fate::Acked => {}
            }
        }
        if queued {
            self.taken(group);
        }
        let state = &mut self.groups[group as usize];
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
        if in_partition && !self.groups[group as usize].partitions.is_empty() {
            let place = self.program.groups[group as usize].place;
            self.agenda.push_back(Task::Dispatch(place));
        }
        self.close_one(request);
        self.close_copy(copy);
    }

    /// When nobody has a copy any more, it is counted.
    pub(super) fn close_copy(&mut self, copy: u32) {
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
            tally.acked += u64::from(c.fate == Fate::Acked);
            tally.dead += u64::from(c.fate == Fate::Dead);
            tally.expired += u64::from(c.fate == Fate::Expired);
            tally.lost += u64::from(matches!(c.fate, Fate::Lost | Fate::Dropped));
            tally.no_effect += u64::from(c.applied == 0);
            tally.duplicated += u64::from(extra > 0);
            tally.duplicates += u64::from(extra);
            self.copies[copy].measured = false;
        }
        self.forget_message(message);
    }
}

//! Publishing: from the publisher to the broker, and the copies that the groups get.

use super::*;
use crate::keyed::{Purpose, below, unit};
use crate::model::{FailureKind, WhenFull};
use crate::program::NONE;

impl Sim<'_> {
    /// Publishes without a wait, where the broker takes no time, has room and nobody asks for the outcome. False where it is not so
    /// simple.
    pub(super) fn published_at_once(&mut self, handling: u32, publication: u32) -> bool {
        let spec = &self.program.publications[publication as usize];
        let line = &self.program.lines[spec.line as usize];
        let simple = line.publish.is_zero()
            && !spec.awaited
            && line.spec.limit.is_none()
            && spec.size <= line.spec.max_message
            && line.spec.dual_write == 0.0
            && self.program.places[spec.place as usize].dual_write == 0.0
            && self.lines[spec.line as usize].down == 0;
        if simple {
            let h = &self.handlings[handling];
            let message = self.new_message(h.request, spec.line, h.key, h.class, publication);
            if self.told.is_some() {
                self.tell_message(handling, message);
            }
            self.hand_out(message);
        }
        simple
    }

    /// A strand publishes and waits for the broker.
    pub(super) fn begin_publication(&mut self, handling: u32, strand: u32, publication: u32) {
        let call = self.new_call(handling, strand, publication, true);
        self.publish(call);
    }

    fn publication_of(&self, call: u32) -> u32 {
        let c = &self.calls[call];
        if c.publishes { c.spec } else { self.program.calls[c.spec as usize].publication }
    }

    /// One try to publish. A wait for a reply that is tried again publishes again.
    pub(super) fn publish(&mut self, call: u32) {
        let publication = &self.program.publications[self.publication_of(call) as usize];
        let line = &self.program.lines[publication.line as usize];
        let (handling, attempt) = (self.calls[call].handling, self.calls[call].attempt);
        if !self.calls[call].publishes {
            let spec = &self.program.calls[self.calls[call].spec as usize];
            if self.calls[call].measured {
                self.tally.places[spec.place as usize].attempts += 1;
            }
            if spec.timer != NONE {
                let generation = self.calls.generation(call);
                self.calendar.after(self.now, spec.timer, Kind::Timeout, call, generation);
            }
        }
        let key = below(below(self.handlings[handling].key, line.key), publication.key << 16 | u64::from(attempt));
        let latency = line.publish.sample(unit(key, Purpose::Publish));
        if latency == 0 {
            return self.confirm(call);
        }
        let generation = self.calls.generation(call);
        self.calendar.at(self.now + latency, Kind::Confirmed, call, generation);
    }

    /// The broker has a publication before it.
    pub(super) fn confirm(&mut self, call: u32) {
        let publication = self.publication_of(call);
        let spec = &self.program.publications[publication as usize];
        let line_index = spec.line;
        let line = &self.program.lines[line_index as usize];
        let publisher = &self.program.places[spec.place as usize];
        let outbox = publisher.outbox.as_ref().or(line.outbox.as_ref());
        let down = self.lines[line_index as usize].down > 0;
        if (down && outbox.is_none()) || spec.size > line.spec.max_message {
            return self.refuse_publication(call, line_index);
        }
        let full = line
            .spec
            .limit
            .is_some_and(|limit| line.groups.iter().any(|g| self.groups[*g as usize].backlog.value() >= limit));
        if full && !down {
            match line.spec.when_full {
                WhenFull::Refuse => return self.refuse_publication(call, line_index),
                WhenFull::Block => {
                    let generation = self.calls.generation(call);
                    return self.lines[line_index as usize].blocked.push_back((call, generation));
                }
                WhenFull::DropOldest | WhenFull::DeadLetterOldest => {}
            }
        }
        let Call { handling, attempt, .. } = self.calls[call];
        let h = &self.handlings[handling];
        // The first message carries the publisher's own key, so that its handlings draw what a call would have drawn.
        let key = if attempt == 1 { h.key } else { below(h.key, u64::from(attempt) << 32) };
        let (request, class) = (h.request, h.class);
        let share = if publisher.outbox.is_some() || line.outbox.is_some() {
            0.0
        } else {
            1.0 - (1.0 - publisher.dual_write) * (1.0 - line.spec.dual_write)
        };
        let draw_key = below(below(h.key, line.key), spec.key << 16 | u64::from(attempt));
        let lost = share > 0.0 && unit(draw_key, Purpose::DualWrite) < share;
        let message = self.new_message(request, line_index, key, class, publication);
        if self.told.is_some() {
            self.tell_message(handling, message);
        }
        if lost {
            self.lose_message(message);
        } else if down {
            self.lines[line_index as usize].kept.push_back(message);
        } else {
            self.hand_out(message);
        }
        self.published(call, publication, message);
    }

    fn refuse_publication(&mut self, call: u32, line: u32) {
        if self.measuring {
            self.tally.lines[line as usize].refused += 1;
        }
        self.resolve(call, calls::REFUSED, FailureKind::Refused);
    }

    /// A publication is confirmed: its strand goes on, or waits for the reply.
    fn published(&mut self, call: u32, publication: u32, message: u32) {
        if !self.program.publications[publication as usize].awaited {
            return self.resolve(call, calls::OK, FailureKind::Error);
        }
        let handling = self.calls[call].handling;
        let extras = self.extras_of(handling);
        let before = extras.published.iter().position(|p| p.0 == publication);
        let old = before.map(|i| extras.published.swap_remove(i).1);
        extras.published.push((publication, message));
        self.messages[message].references += 1;
        if let Some(old) = old {
            self.forget_message(old);
        }
        if self.calls[call].publishes {
            self.resolve(call, calls::OK, FailureKind::Error);
        } else {
            self.ask(call, message);
        }
    }

    /// A strand waits for the reply to a message. True where it is there already.
    pub(super) fn begin_await(&mut self, handling: u32, strand: u32, spec: u32) -> bool {
        let call_spec = &self.program.calls[spec as usize];
        if call_spec.cache > 0.0 {
            let key = below(self.handlings[handling].key, call_spec.key);
            if unit(key, Purpose::Cache) < call_spec.cache {
                return true;
            }
        }
        let publication = call_spec.publication;
        let (place, timer) = (call_spec.place, call_spec.timer);
        let known = self.extras_of(handling).published.iter().find(|p| p.0 == publication).map(|p| p.1);
        let call = self.new_call(handling, strand, spec, false);
        if self.measuring {
            let tally = &mut self.tally.places[place as usize];
            tally.calls += 1;
            tally.attempts += u64::from(known.is_some());
        }
        let Some(message) = known else {
            // Another branch publishes it and is not done yet: this one asks with a message of its own.
            self.publish(call);
            return false;
        };
        if timer != NONE {
            let generation = self.calls.generation(call);
            self.calendar.after(self.now, timer, Kind::Timeout, call, generation);
        }
        self.ask(call, message);
        false
    }

    /// Waits for what the group makes of the message.
    fn ask(&mut self, call: u32, message: u32) {
        let group = self.program.calls[self.calls[call].spec as usize].group;
        let mut copy = self.messages[message].copies;
        while copy != NONE && self.copies[copy].group != group {
            copy = self.copies[copy].sibling;
        }
        if copy == NONE {
            return self.resolve(call, calls::FAILED, FailureKind::Error);
        }
        if let Some(ok) = self.copies[copy].outcome {
            return self.resolve(call, if ok { calls::OK } else { calls::FAILED }, FailureKind::Error);
        }
        self.copies[copy].asker = Some((call, self.calls.generation(call)));
    }

    fn new_message(&mut self, request: u32, line: u32, key: u64, class: u32, publication: u32) -> u32 {
        let spec = &self.program.lines[line as usize];
        let measured = self.measuring;
        if measured {
            self.tally.lines[line as usize].published += 1;
        }
        let message = self.messages.insert(Message {
            request,
            line,
            key,
            class,
            repetition: self.program.publications[publication as usize].key,
            place: self.program.publications[publication as usize].place,
            published: self.now,
            references: spec.groups.len() as u32,
            copies: NONE,
        });
        for group in spec.groups.iter().rev() {
            let partition = match spec.spec.partitions {
                Some(n) if n > 1 => (unit(self.requests[request].key, Purpose::Order) * f64::from(n)) as u32,
                _ => 0,
            };
            let copy = self.copies.insert(Copy {
                message,
                group: *group,
                fate: Fate::Open,
                spot: Spot::Coming,
                measured,
                deliveries: 0,
                applied: 0,
                references: 0,
                ready: 0,
                order: 0,
                ack_at: 0,
                clocked: false,
                sibling: self.messages[message].copies,
                asker: None,
                outcome: None,
                partition,
            });
            self.messages[message].copies = copy;
            self.requests[request].open += 1;
            self.pending += u64::from(measured);
        }
        message
    }

    /// The broker hands a message to the groups.
    pub(super) fn hand_out(&mut self, message: u32) {
        let (line, key, mut copy) = {
            let m = &self.messages[message];
            (m.line, m.key, m.copies)
        };
        let deliver = &self.program.lines[line as usize].deliver;
        // A copy may be over before the next one is looked at: the message stays while its copies are handed out.
        self.messages[message].references += 1;
        while copy != NONE {
            let next = self.copies[copy].sibling;
            let group = self.copies[copy].group;
            let delay = match deliver.is_zero() {
                true => 0,
                false => deliver.sample(unit(below(key, self.program.groups[group as usize].key), Purpose::Deliver)),
            };
            if delay == 0 {
                self.delivered(copy);
            } else {
                let generation = self.copies.generation(copy);
                self.calendar.at(self.now + delay, Kind::Delivered, copy, generation);
            }
            copy = next;
        }
        self.forget_message(message);
    }

    fn lose_message(&mut self, message: u32) {
        let mut copy = self.messages[message].copies;
        self.messages[message].references += 1;
        while copy != NONE {
            let next = self.copies[copy].sibling;
            self.end_copy(copy, Fate::Lost);
            copy = next;
        }
        self.forget_message(message);
    }

    /// The broker is back: outboxes send what they kept.
    pub(super) fn send_kept(&mut self, line: u32) {
        let kept = std::mem::take(&mut self.lines[line as usize].kept);
        for message in kept {
            let publisher = &self.program.places[self.messages[message].place as usize];
            let outbox = publisher.outbox.as_ref().or(self.program.lines[line as usize].outbox.as_ref());
            let delay = outbox.map_or(0, |o| o.sample(unit(self.messages[message].key, Purpose::Outbox)));
            self.calendar.at(self.now + delay, Kind::Relayed, message, 0);
        }
    }

    /// A kept message is sent now.
    pub(super) fn relay(&mut self, message: u32) {
        let line = self.messages[message].line;
        if self.lines[line as usize].down > 0 {
            return self.lines[line as usize].kept.push_back(message);
        }
        self.hand_out(message);
    }

    /// Somebody does not refer to a message any more.
    pub(super) fn forget_message(&mut self, message: u32) {
        let m = &mut self.messages[message];
        m.references -= 1;
        if m.references > 0 {
            return;
        }
        let mut copy = m.copies;
        if self.told.is_some() {
            self.tell_forgotten(message);
        }
        self.messages.remove(message);
        while copy != NONE {
            let next = self.copies[copy].sibling;
            self.copies.remove(copy);
            copy = next;
        }
    }

    /// There may be room again for publishers that wait.
    pub(super) fn unblock(&mut self, line: u32) {
        let Some(limit) = self.program.lines[line as usize].spec.limit else { return };
        while let Some((call, generation)) = self.lines[line as usize].blocked.front().copied() {
            let groups = &self.program.lines[line as usize].groups;
            if groups.iter().any(|g| self.groups[*g as usize].backlog.value() >= limit) {
                return;
            }
            self.lines[line as usize].blocked.pop_front();
            if self.calls.is(call, generation) {
                return self.confirm(call);
            }
        }
    }
}

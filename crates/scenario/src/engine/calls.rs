//! Calls that are waited for: attempts, time-outs, retries, breakers, bulkheads, caches.

use super::*;
use crate::keyed::{Purpose, below, unit};
use crate::model::{FailureKind, Jitter, Retry};
use crate::program::NONE;

/// Outcomes as they travel in events.
pub(super) const OK: u32 = 0;
pub(super) const FAILED: u32 = 1;
pub(super) const REFUSED: u32 = 2;

impl Sim<'_> {
    /// A strand begins a call. True where a cache answers at once.
    pub(super) fn begin_call(&mut self, handling: u32, strand: u32, spec: u32) -> bool {
        let call_spec = &self.program.calls[spec as usize];
        let key = below(self.handlings[handling].key, call_spec.key);
        if call_spec.cache > 0.0 && unit(key, Purpose::Cache) < call_spec.cache {
            return true;
        }
        let call = self.new_call(handling, strand, spec, false);
        if self.measuring {
            self.tally.places[call_spec.place as usize].calls += 1;
        }
        self.attempt(call);
        false
    }

    pub(super) fn new_call(&mut self, handling: u32, strand: u32, spec: u32, publishes: bool) -> u32 {
        let call = self.calls.insert(Call {
            spec,
            handling,
            strand,
            attempt: 1,
            reached: self.now,
            wait: 0,
            publishes,
            out: false,
            measured: self.measuring,
        });
        self.set_call(handling, strand, call);
        call
    }

    /// One attempt of a call (or publication, or wait for a reply).
    pub(super) fn attempt(&mut self, call: u32) {
        if self.calls[call].publishes || self.program.calls[self.calls[call].spec as usize].publication != NONE {
            return self.publish(call);
        }
        let (spec_index, handling, number, reached, measured) = {
            let c = &self.calls[call];
            (c.spec, c.handling, c.attempt, c.reached, c.measured)
        };
        let spec = &self.program.calls[spec_index as usize];
        if measured {
            self.tally.places[spec.place as usize].attempts += 1;
        }
        if self.told.is_some() {
            self.tell_attempt(call);
        }
        if !self.admitted(spec_index) {
            return self.resolve(call, REFUSED, FailureKind::Refused);
        }
        if spec.bulkhead != NONE {
            self.permits[spec.bulkhead as usize] += 1;
        }
        self.calls[call].out = true;
        let generation = self.calls.generation(call);
        let caller = &self.handlings[handling];
        let request = caller.request;
        let callee = Handling {
            routine: spec.routine,
            request,
            key: below(below(caller.key, spec.key), u64::from(number)),
            waiter: Waiter::Call { call, generation },
            class: spec.priority.unwrap_or(caller.class),
            effect: spec.effect,
            deadline: spec.timeout.map_or(Time::MAX, |t| self.now.saturating_add(t)),
            reached,
            ..Handling::default()
        };
        self.requests[request].open += 1;
        let callee = self.handlings.insert(callee);
        if spec.timer != NONE {
            self.calendar.after(self.now, spec.timer, Kind::Timeout, call, generation);
        }
        self.send(callee, spec.network.as_ref().unwrap_or(&self.program.places[spec.place as usize].network));
    }

    /// Whether bulkhead and breaker let an attempt through.
    fn admitted(&mut self, spec: u32) -> bool {
        let spec = &self.program.calls[spec as usize];
        if spec.bulkhead != NONE
            && self.permits[spec.bulkhead as usize] >= self.program.bulkheads[spec.bulkhead as usize]
        {
            return false;
        }
        if spec.breaker == NONE {
            return true;
        }
        let breaker = &mut self.breakers[spec.breaker as usize];
        if breaker.failures < self.program.breakers[spec.breaker as usize].open_after {
            return true;
        }
        if self.now < breaker.open_until || breaker.probing {
            return false;
        }
        breaker.probing = true;
        true
    }

    /// The answer to a call sets out.
    pub(super) fn reply_to(&mut self, call: u32, generation: u32, place: u32, key: u64, outcome: u32) {
        // One that nobody waits for any more may take the usual way.
        let own = match self.calls.is(call, generation) {
            true => self.program.calls[self.calls[call].spec as usize].network.as_ref(),
            false => None,
        };
        let network = own.unwrap_or(&self.program.places[place as usize].network);
        if network.is_zero() {
            return self.reply_arrives(call, generation, outcome);
        }
        let purpose = if own.is_some() { Purpose::NetworkThere } else { Purpose::NetworkBack };
        let leg = network.sample(unit(key, purpose));
        self.calendar.at(self.now + leg, Kind::Replied, call << 2 | outcome, generation);
    }

    /// The answer is there; one that comes too late finds nobody.
    pub(super) fn reply_arrives(&mut self, call: u32, generation: u32, outcome: u32) {
        if self.calls.is(call, generation) {
            let kind = if outcome == REFUSED { FailureKind::Refused } else { FailureKind::Error };
            self.resolve(call, outcome, kind);
        }
    }

    pub(super) fn timed_out(&mut self, call: u32, generation: u32) {
        if !self.calls.is(call, generation) {
            return;
        }
        let c = &self.calls[call];
        if c.measured {
            let place = self.program.calls[c.spec as usize].place;
            self.tally.places[place as usize].timed_out += 1;
        }
        self.resolve(call, FAILED, FailureKind::Timeout);
    }

    /// An attempt is over: the call is done, tried again, or has failed.
    pub(super) fn resolve(&mut self, call: u32, outcome: u32, kind: FailureKind) {
        if self.told.is_some() {
            self.tell_outcome(call, outcome == OK, kind);
        }
        self.calls.renew(call);
        self.note_outcome(call, outcome == OK);
        if outcome == OK {
            return self.complete(call, true);
        }
        let c = &self.calls[call];
        let (retry, budget) = self.retry_of(c);
        if c.attempt < retry.attempts && retry.when.contains(&kind) && self.spend(budget) {
            let wait = self.back_off(call);
            let c = &mut self.calls[call];
            c.attempt += 1;
            c.wait = wait;
            let generation = self.calls.generation(call);
            self.calendar.at(self.now + wait, Kind::Again, call, generation);
            return;
        }
        self.complete(call, false);
    }

    fn retry_of(&self, call: &Call) -> (&Retry, u32) {
        if call.publishes {
            return (&self.program.publications[call.spec as usize].retry, NONE);
        }
        let spec = &self.program.calls[call.spec as usize];
        (&spec.retry, spec.budget)
    }

    /// Takes a token for a retry, where retries have a budget.
    fn spend(&mut self, budget: u32) -> bool {
        if budget == NONE {
            return true;
        }
        let tokens = &mut self.tokens[budget as usize];
        let enough = *tokens >= 1.0;
        if enough {
            *tokens -= 1.0;
        }
        enough
    }

    fn note_outcome(&mut self, call: u32, ok: bool) {
        let c = &mut self.calls[call];
        if c.publishes {
            return;
        }
        let spec = &self.program.calls[c.spec as usize];
        if std::mem::take(&mut c.out) && spec.bulkhead != NONE {
            self.permits[spec.bulkhead as usize] -= 1;
        }
        if ok && spec.budget != NONE {
            let tokens = &mut self.tokens[spec.budget as usize];
            *tokens = (*tokens + self.program.budgets[spec.budget as usize]).min(10.0);
        }
        if spec.breaker == NONE {
            return;
        }
        let rule = self.program.breakers[spec.breaker as usize];
        let breaker = &mut self.breakers[spec.breaker as usize];
        if ok {
            *breaker = BreakerState::default();
        } else if breaker.failures < rule.open_after || breaker.probing {
            breaker.failures = (breaker.failures + 1).min(rule.open_after);
            breaker.probing = false;
            if breaker.failures >= rule.open_after {
                breaker.open_until = self.now.saturating_add(rule.lasts);
            }
        }
    }

    /// Wait before the next try.
    fn back_off(&self, call: u32) -> Time {
        let c = &self.calls[call];
        let (retry, _) = self.retry_of(c);
        let tries = (c.attempt - 1) as usize;
        let base = match retry.backoff.as_slice() {
            [] => 0,
            [only] => {
                let mut wait = *only as f64;
                for _ in 0..tries {
                    wait = (wait * retry.factor).min(retry.cap as f64);
                }
                (wait.min(retry.cap as f64) + 0.5) as Time
            }
            list => list[tries.min(list.len() - 1)],
        };
        let key = below(below(self.handlings[c.handling].key, u64::from(c.spec) ^ 0xbac0), u64::from(c.attempt));
        let u = || unit(key, Purpose::Backoff);
        let part = |from: f64, to: f64| (from + (to - from) * u() + 0.5) as Time;
        match retry.jitter {
            Jitter::None => base,
            Jitter::Full => part(0.0, base as f64),
            Jitter::Equal => part(base as f64 / 2.0, base as f64),
            Jitter::Decorrelated => {
                let first = retry.backoff.first().copied().unwrap_or(0) as f64;
                let last = if c.wait == 0 { first } else { c.wait as f64 };
                part(first, (last * 3.0).max(first)).min(retry.cap)
            }
        }
    }

    /// A call is done, or has failed for good: its strand goes on, or does not.
    pub(super) fn complete(&mut self, call: u32, ok: bool) {
        let Call { spec, handling, strand, publishes, .. } = self.calls[call];
        self.calls.remove(call);
        self.set_call(handling, strand, NONE);
        let generation = self.handlings.generation(handling);
        let request = self.handlings[handling].request;
        if self.handlings[handling].undoing {
            if !ok {
                self.requests[request].flags |= flag::STUCK;
            }
            self.agenda.push_back(Task::Fail(handling, generation, MAIN));
            return;
        }
        let (survives, compensate) = if publishes {
            (self.program.publications[spec as usize].survives, NONE)
        } else {
            let spec = &self.program.calls[spec as usize];
            (spec.survives, spec.compensate)
        };
        if ok && compensate != NONE {
            self.extras_of(handling).undo.push(compensate);
        }
        if !ok && survives {
            self.requests[request].flags |= flag::DEGRADED;
        }
        let task = if ok || survives {
            Task::Resume(handling, generation, strand)
        } else {
            Task::Fail(handling, generation, strand)
        };
        self.agenda.push_back(task);
    }
}
